//! Tests of rename: which node may replace which?

use super::*;

#[tokio::test]
async fn renames_follow_posix() {
    let mut guest = Guest::new();
    for directory in ["d", "d/full", "empty", "other"] {
        guest.mkdir(&format!("work/{directory}")).await.unwrap();
    }
    guest.put("work/d/full/x", b"x").await.unwrap();
    guest.put("work/f", b"f").await.unwrap();
    guest.put("work/g", b"g").await.unwrap();
    let rows = [
        ("work/none", "work/x", Some(ErrorCode::NoEntry)),
        ("work/f", "work/none/x", Some(ErrorCode::NoEntry)),
        ("work/f", "work/d", Some(ErrorCode::IsDirectory)),
        ("work/d", "work/f", Some(ErrorCode::NotDirectory)),
        ("work/empty", "work/d", Some(ErrorCode::NotEmpty)),
        ("work/d", "work/d/full/inner", Some(ErrorCode::Invalid)),
        ("work/d", "work/d/inner", Some(ErrorCode::Invalid)),
        ("work/d", "work/d", None),
        ("work/f", "work/f", None),
        ("work/f", "work/g", None),
        ("work/d", "work/empty", None),
        ("work/empty", "tmp/moved", None),
        ("tmp/moved/full/x", "work/x", None),
    ];
    for (old, new, expected) in rows {
        assert_eq!(
            code(&guest.rename(old, new).await),
            expected,
            "{old} -> {new}"
        );
    }
    assert_eq!(guest.list("work").await.unwrap(), ["g", "other", "x"]);
    assert_eq!(guest.get("work/g").await, Ok(b"f".to_vec()));
    assert_eq!(guest.list("tmp/moved").await.unwrap(), ["full"]);
}

#[tokio::test]
async fn a_directory_cannot_move_into_itself_through_a_descriptor() {
    let mut guest = Guest::new();
    guest.mkdir("work/a").await.unwrap();
    guest.mkdir("work/a/b").await.unwrap();
    let inner = guest.open("work/a/b").await.unwrap();
    let root = handle(guest.root);
    let moved = guest
        .view()
        .rename_at(root, "work/a".into(), handle(inner), "c".into())
        .await;
    assert_eq!(code(&plain(moved)), Some(ErrorCode::Invalid));
}

#[tokio::test]
async fn a_removed_directory_takes_nothing_in() {
    let mut guest = Guest::new();
    guest.mkdir("work/a").await.unwrap();
    guest.put("work/f", b"f").await.unwrap();
    let removed = guest.open("work/a").await.unwrap();
    guest.rmdir("work/a").await.unwrap();
    let made = guest
        .view()
        .create_directory_at(handle(removed), "x".into())
        .await;
    assert_eq!(code(&plain(made)), Some(ErrorCode::NoEntry));
    let root = handle(guest.root);
    let moved = guest
        .view()
        .rename_at(root, "work/f".into(), handle(removed), "f".into())
        .await;
    assert_eq!(code(&plain(moved)), Some(ErrorCode::NoEntry));
    assert_eq!(guest.get("work/f").await, Ok(b"f".to_vec()));
    assert!(plain(guest.view().stat(handle(removed)).await).is_ok());
}

#[tokio::test]
async fn a_directory_that_is_not_empty_stays() {
    let mut guest = Guest::new();
    guest.mkdir("work/a").await.unwrap();
    guest.put("work/a/f", b"f").await.unwrap();
    assert_eq!(guest.rmdir("work/a").await, Err(ErrorCode::NotEmpty));
    assert_eq!(guest.unlink("work/a").await, Err(ErrorCode::IsDirectory));
    assert_eq!(guest.rmdir("work/a/f").await, Err(ErrorCode::NotDirectory));
    assert_eq!(guest.unlink("work/a/f").await, Ok(()));
    assert_eq!(guest.rmdir("work/a").await, Ok(()));
    assert_eq!(guest.bytes(), 0);
}
