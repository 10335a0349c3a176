//! Tests of path resolution: where do paths lead, and where not? Rows FS02, FS03, FS11, FS14, FS15
//! and FS20 of the attack catalogue.

use super::*;

#[tokio::test]
async fn paths_lead_where_posix_says() {
    let mut guest = Guest::new();
    guest.mkdir("work/dir").await.unwrap();
    guest.put("work/file", b"x").await.unwrap();
    let long_name = "n".repeat(256);
    let long_path = "work/".repeat(820);
    let climb = format!("work/{}etc/passwd", "../".repeat(64));
    let rows: &[(&str, Option<ErrorCode>)] = &[
        ("work/file", None),
        ("work//file", None),
        ("./work/./file", None),
        ("work/dir/../file", None),
        ("work/../work/file", None),
        ("work/dir/", None),
        ("work/dir/.", None),
        (".", None),
        ("", Some(ErrorCode::NoEntry)),
        ("work/none", Some(ErrorCode::NoEntry)),
        ("none/file", Some(ErrorCode::NoEntry)),
        ("work/file/", Some(ErrorCode::NotDirectory)),
        ("work/file/.", Some(ErrorCode::NotDirectory)),
        ("work/file/..", Some(ErrorCode::NotDirectory)),
        ("work/file/x", Some(ErrorCode::NotDirectory)),
        ("work/none/..", Some(ErrorCode::NoEntry)),
        ("/work/file", Some(ErrorCode::NotPermitted)),
        ("/etc/passwd", Some(ErrorCode::NotPermitted)),
        ("..", Some(ErrorCode::NotPermitted)),
        ("work/../../work/file", Some(ErrorCode::NotPermitted)),
        (&climb, Some(ErrorCode::NotPermitted)),
        ("work/fi\0le", Some(ErrorCode::Invalid)),
        (&long_name, Some(ErrorCode::NameTooLong)),
        (&long_path, Some(ErrorCode::NameTooLong)),
        ("etc/passwd", Some(ErrorCode::NoEntry)),
        ("proc/self/environ", Some(ErrorCode::NoEntry)),
    ];
    for (path, expected) in rows {
        assert_eq!(code(&guest.stat(path).await), *expected, "stat {path:?}");
        assert_eq!(code(&guest.open(path).await), *expected, "open {path:?}");
    }
}

#[tokio::test]
async fn a_descriptor_is_the_root_of_its_paths() {
    let mut guest = Guest::new();
    guest.mkdir("work/dir").await.unwrap();
    guest.put("work/dir/inner", b"in").await.unwrap();
    guest.put("work/outer", b"out").await.unwrap();
    let directory = guest.open("work/dir").await.unwrap();
    let read = DescriptorFlags::READ;
    assert!(
        guest
            .open_at(directory, "inner", OpenFlags::empty(), read)
            .await
            .is_ok()
    );
    for path in ["../outer", "..", "./../outer", "../dir/inner"] {
        let opened = guest
            .open_at(directory, path, OpenFlags::empty(), read)
            .await;
        assert_eq!(code(&opened), Some(ErrorCode::NotPermitted), "{path}");
    }
}

#[tokio::test]
async fn a_trailing_slash_demands_a_directory() {
    let mut guest = Guest::new();
    guest.mkdir("work/dir").await.unwrap();
    guest.put("work/file", b"x").await.unwrap();
    guest.symlink("file", "work/to_file").await.unwrap();
    guest.symlink("dir", "work/to_dir").await.unwrap();
    guest.symlink("dir/", "work/to_dir_slash").await.unwrap();
    guest.symlink("file/", "work/to_file_slash").await.unwrap();

    assert!(guest.stat("work/to_dir/").await.is_ok());
    assert!(guest.open("work/to_dir_slash").await.is_ok());
    assert_eq!(
        code(&guest.stat("work/to_file/").await),
        Some(ErrorCode::NotDirectory)
    );
    assert_eq!(
        code(&guest.open("work/to_file_slash").await),
        Some(ErrorCode::NotDirectory)
    );
    assert_eq!(
        code(&guest.open("work/file/").await),
        Some(ErrorCode::NotDirectory)
    );
    assert_eq!(
        code(&guest.create("work/new/").await),
        Some(ErrorCode::IsDirectory)
    );
    assert_eq!(
        guest.unlink("work/file/").await,
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(
        guest.unlink("work/to_file/").await,
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(
        guest.rmdir("work/to_dir/").await,
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(
        guest.rename("work/file/", "work/other").await,
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(
        guest.rename("work/file", "work/other/").await,
        Err(ErrorCode::NotDirectory)
    );
    assert_eq!(
        guest.symlink("file", "work/l/").await,
        Err(ErrorCode::NoEntry)
    );
    assert_eq!(
        guest.link("work/file", "work/l/").await,
        Err(ErrorCode::NoEntry)
    );
    assert_eq!(guest.rename("work/dir/", "work/moved/").await, Ok(()));
    assert_eq!(guest.mkdir("work/made/").await, Ok(()));
    assert_eq!(guest.rmdir("work/made/").await, Ok(()));
}

#[tokio::test]
async fn the_root_and_the_mounts_stay() {
    let mut guest = Guest::new();
    for path in [".", "work/.", "work/..", "tmp/."] {
        assert_eq!(guest.rmdir(path).await, Err(ErrorCode::Busy), "{path}");
        assert_eq!(
            guest.rename(path, "work/moved").await,
            Err(ErrorCode::Busy),
            "{path}"
        );
        assert_eq!(guest.mkdir(path).await, Err(ErrorCode::Exist), "{path}");
        assert_eq!(
            guest.unlink(path).await,
            Err(ErrorCode::IsDirectory),
            "{path}"
        );
    }
    for path in ["work", "tmp", "usr"] {
        assert_eq!(guest.rmdir(path).await, Err(ErrorCode::ReadOnly), "{path}");
        assert_eq!(
            guest.rename(path, "moved").await,
            Err(ErrorCode::ReadOnly),
            "{path}"
        );
        assert_eq!(
            guest.unlink(path).await,
            Err(ErrorCode::IsDirectory),
            "{path}"
        );
    }
    let root = guest.root;
    guest.close(root);
    let closed = guest.view().stat(handle(root)).await;
    assert!(
        closed.unwrap_err().downcast().is_err(),
        "a closed descriptor is a trap, not a file"
    );
}

#[tokio::test]
async fn names_are_stored_exactly() {
    let mut guest = Guest::new();
    let longest = "n".repeat(255);
    let names = [
        " ",
        "a\nb",
        "dot.",
        "e\u{301}",
        "space ",
        "\u{202e}gpj.exe",
        "\u{e9}",
        "\u{ff}\u{fe}",
        "😀",
        &longest,
        "\\",
        "CON",
        "*",
    ];
    for name in names {
        guest
            .put(&format!("work/{name}"), name.as_bytes())
            .await
            .unwrap();
    }
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(guest.list("work").await.unwrap(), sorted);
    let listed: Vec<_> = guest
        .filesystem
        .list("", None, usize::MAX)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(listed, sorted);
    for name in names {
        assert_eq!(
            guest.filesystem.read(name, 0..u64::MAX).unwrap(),
            name.as_bytes()
        );
    }
}

#[tokio::test]
async fn trees_are_not_endlessly_deep() {
    let mut guest = Guest::new();
    let mut at = guest.open("work").await.unwrap();
    let mut depth = 0;
    let refused = loop {
        let made = plain(
            guest
                .view()
                .create_directory_at(handle(at), "d".into())
                .await,
        );
        if let Err(error) = made {
            break error;
        }
        let below = guest
            .open_at(at, "d", OpenFlags::DIRECTORY, DescriptorFlags::READ)
            .await
            .unwrap();
        guest.close(at);
        at = below;
        depth += 1;
        assert!(depth < 10_000);
    };
    assert_eq!(
        (refused, depth),
        (ErrorCode::NameTooLong, super::super::ramfs::MAX_DEPTH)
    );
    assert_eq!(guest.filesystem.quota_hit(), Some(Limit::Files));
    // Moving one deep tree into another does not bypass the cap.
    guest.mkdir("tmp/a").await.unwrap();
    assert_eq!(
        guest.rename("work/d", "tmp/a/d").await,
        Err(ErrorCode::NameTooLong)
    );
    assert_eq!(guest.rename("work/d", "tmp/d").await, Ok(()));
    assert_eq!(guest.stat("tmp/d/d/d").await.map(|stat| stat.size), Ok(0));
}

#[tokio::test]
async fn a_listing_survives_changes() {
    let mut guest = Guest::new();
    for number in 0..100 {
        guest.put(&format!("work/{number:03}"), b"").await.unwrap();
    }
    let directory = guest.open("work").await.unwrap();
    let stream = plain(guest.view().read_directory(handle(directory)).await)
        .unwrap()
        .rep();
    let mut seen = 0;
    while let Some(entry) = plain(
        guest
            .view()
            .read_directory_entry(Resource::new_borrow(stream))
            .await,
    )
    .unwrap()
    {
        guest.unlink(&format!("work/{}", entry.name)).await.unwrap();
        seen += 1;
    }
    assert_eq!(seen, 100);
    assert_eq!(guest.rmdir("work").await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.list("work").await.unwrap(), [""; 0]);
    let file = guest.create("work/f").await.unwrap();
    assert_eq!(
        code(&plain(guest.view().read_directory(handle(file)).await)),
        Some(ErrorCode::NotDirectory)
    );
}

#[tokio::test]
async fn flags_say_how_to_open() {
    let mut guest = Guest::new();
    guest.mkdir("work/dir").await.unwrap();
    guest.put("work/file", b"content").await.unwrap();
    let root = guest.root;
    let (none, create, exclusive) = (
        OpenFlags::empty(),
        OpenFlags::CREATE,
        OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
    );
    let (read, write) = (DescriptorFlags::READ, DescriptorFlags::WRITE);
    let rows = [
        ("work/dir", none, read, None),
        ("work/dir", none, write, Some(ErrorCode::IsDirectory)),
        ("work/dir", create, read, Some(ErrorCode::IsDirectory)),
        (
            "work/dir",
            OpenFlags::TRUNCATE,
            read,
            Some(ErrorCode::IsDirectory),
        ),
        ("work/dir", OpenFlags::DIRECTORY, read, None),
        (
            "work/file",
            OpenFlags::DIRECTORY,
            read,
            Some(ErrorCode::NotDirectory),
        ),
        (
            "work/file",
            OpenFlags::DIRECTORY | create,
            read,
            Some(ErrorCode::Invalid),
        ),
        ("work/file", exclusive, write, Some(ErrorCode::Exist)),
        ("work/file", create, write, None),
        ("work/new", none, write, Some(ErrorCode::NoEntry)),
        ("work/new", exclusive, write, None),
        ("work/new", exclusive, write, Some(ErrorCode::Exist)),
    ];
    for (path, open, flags, expected) in rows {
        assert_eq!(
            code(&guest.open_at(root, path, open, flags).await),
            expected,
            "{path} {open:?} {flags:?}"
        );
    }
    let reader = guest.open_at(root, "work/file", none, read).await.unwrap();
    let writer = guest.open_at(root, "work/file", none, write).await.unwrap();
    assert_eq!(
        guest.write(reader, 0, b"x").await,
        Err(ErrorCode::BadDescriptor)
    );
    assert_eq!(guest.read(writer).await, Err(ErrorCode::BadDescriptor));
    let directory = guest.open("work/dir").await.unwrap();
    assert_eq!(guest.read(directory).await, Err(ErrorCode::IsDirectory));
    assert_eq!(guest.read(reader).await, Ok(b"content".to_vec()));
    guest
        .open_at(root, "work/file", OpenFlags::TRUNCATE, write)
        .await
        .unwrap();
    assert_eq!(guest.read(reader).await, Ok(Vec::new()));
    assert!(guest.same(reader, writer).await);
    assert!(!guest.same(reader, directory).await);
}
