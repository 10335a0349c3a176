//! Tests of symlinks and hard links: where do they lead, and where not? Rows FS04 to FS07 of the
//! attack catalogue.

use super::*;

#[tokio::test]
async fn links_stay_inside_the_tree() {
    let mut guest = Guest::new();
    guest.mkdir("work/dir").await.unwrap();
    guest.put("work/file", b"x").await.unwrap();
    guest.symlink("../file", "work/dir/up").await.unwrap();
    assert_eq!(guest.get("work/dir/up").await, Ok(b"x".to_vec()));
    assert_eq!(guest.readlink("work/dir/up").await, Ok("../file".into()));
    guest
        .symlink("../usr/lib/python/os.py", "work/os")
        .await
        .unwrap();
    assert_eq!(guest.get("work/os").await, Ok(b"# os\n".to_vec()));

    assert_eq!(
        guest.symlink("/etc/passwd", "work/l").await,
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(guest.symlink("", "work/l").await, Err(ErrorCode::NoEntry));
    assert_eq!(
        guest.symlink("a\0b", "work/l").await,
        Err(ErrorCode::Invalid)
    );
    assert_eq!(
        guest.symlink(&"a/".repeat(2049), "work/l").await,
        Err(ErrorCode::NameTooLong)
    );
    assert_eq!(guest.symlink("x", "work/file").await, Err(ErrorCode::Exist));

    guest.symlink("../..", "work/l").await.unwrap();
    for path in ["work/l", "work/l/", "work/l/l/l/etc/passwd", "work/l/etc"] {
        assert_eq!(
            code(&guest.open(path).await),
            Some(ErrorCode::NotPermitted),
            "{path}"
        );
    }
    assert_eq!(
        code(&guest.create("work/l/x").await),
        Some(ErrorCode::NotPermitted)
    );
    assert_eq!(guest.unlink("work/l/x").await, Err(ErrorCode::NotPermitted));
    // Operations on a name change the symlink, not its target.
    assert_eq!(guest.unlink("work/os").await, Ok(()));
    assert_eq!(
        guest.get("usr/lib/python/os.py").await,
        Ok(b"# os\n".to_vec())
    );
}

#[tokio::test]
async fn a_moved_link_leads_elsewhere_but_not_out() {
    let mut guest = Guest::new();
    guest.mkdir("work/a").await.unwrap();
    guest.mkdir("work/a/b").await.unwrap();
    guest.symlink("../..", "work/a/b/up").await.unwrap();
    assert!(guest.open("work/a/b/up/a").await.is_ok());
    guest.rename("work/a/b/up", "work/up").await.unwrap();
    assert_eq!(
        code(&guest.open("work/up/etc").await),
        Some(ErrorCode::NotPermitted)
    );
    // A descriptor is the root for symlinks too.
    guest.symlink("../a", "work/a/self").await.unwrap();
    assert!(guest.open("work/a/self/b").await.is_ok());
    let directory = guest.open("work/a").await.unwrap();
    let opened = guest
        .open_at(
            directory,
            "self/b",
            OpenFlags::empty(),
            DescriptorFlags::READ,
        )
        .await;
    assert_eq!(code(&opened), Some(ErrorCode::NotPermitted));
}

#[tokio::test]
async fn loops_end() {
    let mut guest = Guest::new();
    guest.symlink("b", "work/a").await.unwrap();
    guest.symlink("a", "work/b").await.unwrap();
    assert_eq!(code(&guest.open("work/a").await), Some(ErrorCode::Loop));
    assert_eq!(code(&guest.create("work/a").await), Some(ErrorCode::Loop));
    guest
        .symlink("self/self/self/self", "work/self")
        .await
        .unwrap();
    assert_eq!(code(&guest.open("work/self").await), Some(ErrorCode::Loop));

    guest.put("work/l0", b"end").await.unwrap();
    for number in 1..=41 {
        guest
            .symlink(&format!("l{}", number - 1), &format!("work/l{number}"))
            .await
            .unwrap();
    }
    assert_eq!(guest.get("work/l40").await, Ok(b"end".to_vec()));
    assert_eq!(code(&guest.open("work/l41").await), Some(ErrorCode::Loop));
    assert_eq!(guest.stat("work/l41").await.map(|stat| stat.size), Ok(3));
}

#[tokio::test]
async fn links_are_followed_only_where_asked() {
    let mut guest = Guest::new();
    guest.symlink("target", "work/l").await.unwrap();
    let root = guest.root;
    let exclusive = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    let opened = guest
        .open_at(root, "work/l", exclusive, DescriptorFlags::WRITE)
        .await;
    assert_eq!(code(&opened), Some(ErrorCode::Exist));
    let file = guest.create("work/l").await.unwrap();
    guest.write(file, 0, b"through").await.unwrap();
    assert_eq!(guest.get("work/target").await, Ok(b"through".to_vec()));
    let (keep, none, read) = (
        PathFlags::empty(),
        OpenFlags::empty(),
        DescriptorFlags::READ,
    );
    let kept = guest
        .view()
        .open_at(handle(root), keep, "work/l".into(), none, read)
        .await;
    assert_eq!(code(&plain(kept)), Some(ErrorCode::Loop));
    assert_eq!(guest.readlink("work/target").await, Err(ErrorCode::Invalid));
    assert_eq!(guest.rename("work/l", "work/m").await, Ok(()));
    assert_eq!(guest.readlink("work/m").await, Ok("target".into()));
}

#[tokio::test]
async fn hard_links_are_two_names_of_one_file() {
    let mut guest = Guest::new();
    guest.put("work/one", &[1; 1000]).await.unwrap();
    let before = guest.filesystem.usage();
    guest.link("work/one", "tmp/two").await.unwrap();
    let after = guest.filesystem.usage();
    assert_eq!(
        after.files,
        before.files + 1,
        "each name counts, because whoever lists the files meets each"
    );
    assert!(after.bytes - before.bytes < 1000, "the content counts once");
    assert_eq!(guest.stat("work/one").await.unwrap().link_count, 2);
    let (one, two) = (
        guest.open("work/one").await.unwrap(),
        guest.open("tmp/two").await.unwrap(),
    );
    assert!(guest.same(one, two).await);
    assert_eq!(
        guest.rename("work/one", "tmp/two").await,
        Ok(()),
        "POSIX: nothing happens"
    );
    assert_eq!(guest.unlink("work/one").await, Ok(()));
    assert_eq!(guest.stat("tmp/two").await.unwrap().link_count, 1);

    assert_eq!(
        guest.link("work/none", "work/x").await,
        Err(ErrorCode::NoEntry)
    );
    assert_eq!(
        guest.link("tmp/two", "tmp/two").await,
        Err(ErrorCode::Exist)
    );
    assert_eq!(
        guest.link("work", "work/x").await,
        Err(ErrorCode::NotPermitted)
    );
    guest.symlink("two", "tmp/s").await.unwrap();
    assert_eq!(
        guest.link("tmp/s", "tmp/x").await,
        Err(ErrorCode::NotPermitted)
    );
    assert_eq!(
        guest.link("usr/lib/python/os.py", "work/x").await,
        Err(ErrorCode::CrossDevice)
    );
}
