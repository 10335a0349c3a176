//! Tests of host mounts: does a guest see exactly what was mounted? Rows FS08 to FS10 and FS25 of
//! the attack catalogue, with the host's own view as the oracle.

#![expect(
    clippy::disallowed_methods,
    reason = "the tests look at the host's files directly, as an outside oracle"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::*;
use glovebox_host::own::Access;

/// Makes a mount with a file, a directory, an escaping symlink and a FIFO in it, and a secret
/// beside it.
fn host() -> TempDir {
    let host = tempfile::tempdir().unwrap();
    let inside = host.path().join("inside");
    fs::create_dir_all(inside.join("sub/deep")).unwrap();
    fs::write(host.path().join("secret"), "secret").unwrap();
    fs::write(inside.join("file"), "content").unwrap();
    fs::write(inside.join("sub/deep/leaf"), "leaf").unwrap();
    symlink("/etc/passwd", inside.join("absolute")).unwrap();
    symlink("../secret", inside.join("relative")).unwrap();
    symlink("..", inside.join("up")).unwrap();
    symlink("/etc", inside.join("etc")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, inside.join("pipe"), rustix::fs::Mode::RWXU).unwrap();
    host
}

fn mounted(host: &TempDir, at: &str, access: Access) -> Guest {
    let inside = fs::File::open(host.path().join("inside")).unwrap();
    let mount = HostMount::new(inside.into(), at, access).unwrap();
    Guest::with(
        FilesystemSetup {
            mounts: vec![mount],
            ..setup()
        },
        LIMITS,
    )
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test]
async fn a_mount_is_read() {
    let host = host();
    let mut guest = mounted(&host, "/data", Access::ReadOnly);
    assert_eq!(guest.get("data/file").await, Ok(b"content".to_vec()));
    assert_eq!(
        guest.get("data/sub/../sub/deep/leaf").await,
        Ok(b"leaf".to_vec())
    );
    assert_eq!(
        guest.get("work/../data/file").await,
        Ok(b"content".to_vec())
    );
    assert!(guest.stat("data/sub/../../work").await.is_ok());
    assert_eq!(guest.list("data/sub").await.unwrap(), ["deep"]);
    assert_eq!(
        guest.list("data").await.unwrap(),
        ["absolute", "etc", "file", "pipe", "relative", "sub", "up"]
    );
    assert_eq!(guest.stat("data/file").await.unwrap().size, 7);
    assert_eq!(
        guest.list(".").await.unwrap(),
        ["data", "tmp", "usr", "work"]
    );
    let file = guest.open("data/file").await.unwrap();
    let input = plain(guest.view().read_via_stream(handle(file), 3)).unwrap();
    let stream = guest.table.get_mut(&input).unwrap();
    assert_eq!(stream.blocking_read(2).await.unwrap(), "te");
    assert_eq!(stream.blocking_read(100).await.unwrap(), "nt");
    assert!(matches!(
        stream.blocking_read(1).await,
        Err(StreamError::Closed)
    ));
    // A reader that follows a file sees what is appended to it.
    let place = host.path().join("inside/file");
    fs::write(&place, "content and more").unwrap();
    assert_eq!(stream.blocking_read(100).await.unwrap(), " and more");
    for _ in 0..2 {
        let end = stream.blocking_read(1).await;
        assert!(matches!(end, Err(StreamError::Closed)));
    }
    fs::write(&place, "content").unwrap();
    let again = guest.open("data/file").await.unwrap();
    let sub = guest.open("data/sub").await.unwrap();
    assert!(guest.same(file, again).await);
    assert!(!guest.same(file, sub).await);
    // A descriptor of the host is the root of its paths too.
    assert!(
        guest
            .open_at(sub, "deep/leaf", OpenFlags::empty(), DescriptorFlags::READ)
            .await
            .is_ok()
    );
    let out = guest
        .open_at(sub, "../file", OpenFlags::empty(), DescriptorFlags::READ)
        .await;
    assert_eq!(code(&out), Some(ErrorCode::NotPermitted));
}

#[tokio::test]
async fn paths_do_not_lead_out_of_a_mount() {
    let host = host();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let mut guest = mounted(&host, "/data", access);
        for path in ["data/absolute", "data/relative", "data/up", "data/etc"] {
            assert_eq!(
                code(&guest.open(path).await),
                Some(ErrorCode::Loop),
                "{path}"
            );
            assert_eq!(
                guest.readlink(path).await,
                Err(ErrorCode::NotPermitted),
                "{path}"
            );
        }
        for path in [
            "data/up/secret",
            "data/etc/passwd",
            "data/absolute/",
            "data/up/inside/file",
            "data/up/",
            "data/../secret",
        ] {
            assert!(guest.open(path).await.is_err(), "{path}");
            assert!(guest.create(path).await.is_err(), "{path}");
            assert!(guest.stat(path).await.is_err(), "{path}");
            assert!(guest.unlink(path).await.is_err(), "{path}");
        }
        let start = std::time::Instant::now();
        assert_eq!(
            code(&guest.open("data/pipe").await),
            Some(ErrorCode::Access)
        );
        assert_eq!(
            code(&guest.create("data/pipe").await),
            Some(ErrorCode::Access)
        );
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "a pipe must not be waited for"
        );
        assert_eq!(
            guest.symlink("file", "data/planted").await,
            Err(ErrorCode::NotPermitted)
        );
        assert!(guest.link("data/file", "data/second").await.is_err());
        assert!(guest.link("data/file", "work/second").await.is_err());
    }
    assert_eq!(text(&host.path().join("secret")), "secret");
}

#[tokio::test]
async fn a_read_only_mount_is_not_changed() {
    let host = host();
    let inside = host.path().join("inside");
    let before = fs::metadata(inside.join("file"))
        .unwrap()
        .modified()
        .unwrap();
    let mut guest = mounted(&host, "/data", Access::ReadOnly);
    guest.put("work/mine", b"x").await.unwrap();
    let root = guest.root;
    for (open, flags) in [
        (OpenFlags::TRUNCATE, DescriptorFlags::READ),
        (OpenFlags::TRUNCATE, DescriptorFlags::empty()),
        (OpenFlags::empty(), DescriptorFlags::WRITE),
        (
            OpenFlags::CREATE | OpenFlags::TRUNCATE,
            DescriptorFlags::WRITE,
        ),
    ] {
        assert_eq!(
            code(&guest.open_at(root, "data/file", open, flags).await),
            Some(ErrorCode::ReadOnly),
            "{open:?}"
        );
    }
    assert_eq!(
        code(&guest.create("data/new").await),
        Some(ErrorCode::ReadOnly)
    );
    assert_eq!(guest.mkdir("data/new").await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.unlink("data/file").await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.rmdir("data/sub/deep").await, Err(ErrorCode::ReadOnly));
    assert_eq!(
        guest.rename("data/file", "data/other").await,
        Err(ErrorCode::ReadOnly)
    );
    assert_eq!(
        guest.rename("work/mine", "data/mine").await,
        Err(ErrorCode::CrossDevice)
    );
    assert_eq!(
        guest.rename("data/file", "work/file").await,
        Err(ErrorCode::CrossDevice)
    );
    assert_eq!(guest.set_times("data/file").await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.set_times("data").await, Err(ErrorCode::ReadOnly));
    let file = guest.open("data/file").await.unwrap();
    assert_eq!(guest.set_size(file, 0).await, Err(ErrorCode::BadDescriptor));
    assert_eq!(
        guest.write(file, 0, b"x").await,
        Err(ErrorCode::BadDescriptor)
    );
    assert_eq!(
        code(&plain(guest.view().write_via_stream(handle(file), 0))),
        Some(ErrorCode::BadDescriptor)
    );
    assert_eq!(text(&inside.join("file")), "content");
    assert_eq!(
        fs::metadata(inside.join("file"))
            .unwrap()
            .modified()
            .unwrap(),
        before
    );
    assert_eq!(fs::read_dir(&inside).unwrap().count(), 7);
}

#[tokio::test]
async fn a_writable_mount_is_changed_and_charged() {
    let host = host();
    let inside = host.path().join("inside");
    let mut guest = mounted(&host, "/work/data", Access::ReadWrite);
    guest.put("work/data/new", b"made").await.unwrap();
    assert_eq!(text(&inside.join("new")), "made");
    guest.mkdir("work/data/made").await.unwrap();
    guest
        .rename("work/data/new", "work/data/made/moved")
        .await
        .unwrap();
    assert_eq!(text(&inside.join("made/moved")), "made");
    assert!(guest.set_times("work/data/made/moved").await.is_ok());
    let modified = fs::metadata(inside.join("made/moved"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(modified, SystemTime::UNIX_EPOCH + Duration::from_secs(1000));

    for directory in ["work/data", "work/data/made"] {
        assert_eq!(guest.set_times(directory).await, Ok(()), "{directory}");
        let opened = guest.open(directory).await.unwrap();
        assert_eq!(
            plain(guest.view().sync(handle(opened)).await),
            Ok(()),
            "{directory}"
        );
        guest.close(opened);
    }

    let file = guest.create("work/data/made/moved").await.unwrap();
    let stream = plain(guest.view().append_via_stream(handle(file))).unwrap();
    let output = guest.table.get_mut(&stream).unwrap();
    output.blocking_write_and_flush("!".into()).await.unwrap();
    output.blocking_write_and_flush("?".into()).await.unwrap();
    assert_eq!(text(&inside.join("made/moved")), "made!?");
    assert_eq!(
        guest.set_size(file, 1 << 40).await,
        Err(ErrorCode::InsufficientSpace)
    );
    assert_eq!(
        guest.write(file, 1 << 40, b"x").await,
        Err(ErrorCode::InsufficientSpace)
    );
    assert_eq!(guest.filesystem.quota_hit(), Some(Limit::Workspace));
    let mut offset = 0;
    while guest.write(file, offset, &[1; 100_000]).await.is_ok() {
        // Rewriting the same range repeatedly fills the quota as well.
        offset = 100_000 - offset;
    }
    assert!(fs::metadata(inside.join("made/moved")).unwrap().len() <= 200_000);
    assert!(guest.bytes() > 900_000 && guest.bytes() <= 1 << 20);
    guest.unlink("work/data/made/moved").await.unwrap();
    guest.rmdir("work/data/made").await.unwrap();
    assert!(!inside.join("made").exists());
    assert!(
        guest.bytes() > 900_000,
        "what was written to the host stays charged"
    );
    assert_eq!(guest.rmdir("work/data").await, Err(ErrorCode::Busy));
    assert_eq!(guest.unlink("work/data").await, Err(ErrorCode::IsDirectory));
    assert_eq!(
        guest.rename("work/data", "work/other").await,
        Err(ErrorCode::CrossDevice)
    );
}

/// FS10 (TOCTOU): another process swaps a directory for a symlink to the outside while a guest
/// opens files below it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_swapped_directory_never_leaks() {
    let host = host();
    let inside = host.path().join("inside");
    let outside = host.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("f"), "leaked").unwrap();
    fs::create_dir(inside.join("d")).unwrap();
    fs::write(inside.join("d/f"), "inside").unwrap();
    symlink(&outside, inside.join("evil")).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (stop, inside) = (Arc::clone(&stop), inside.clone());
        std::thread::spawn(move || {
            let exchange = || {
                use rustix::fs::{CWD, RenameFlags, renameat_with};
                renameat_with(
                    CWD,
                    inside.join("d"),
                    CWD,
                    inside.join("evil"),
                    RenameFlags::EXCHANGE,
                )
            };
            while !stop.load(Ordering::Relaxed) {
                exchange().unwrap();
            }
        })
    };
    let mut guest = mounted(&host, "/data", Access::ReadWrite);
    let mut read = 0;
    for _ in 0..100_000 {
        match guest.get("data/d/f").await {
            Ok(bytes) => {
                assert_eq!(bytes, b"inside");
                read += 1;
            }
            Err(
                ErrorCode::Loop
                | ErrorCode::NotDirectory
                | ErrorCode::NotPermitted
                | ErrorCode::NoEntry,
            ) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(read > 0, "the race must have been won sometimes");
    assert_eq!(text(&outside.join("f")), "leaked");
}

#[test]
fn debug_output_does_not_name_the_host() {
    let host = tempfile::tempdir().unwrap();
    let directory = fs::File::open(host.path()).unwrap();
    let mount = HostMount::new(directory.into(), "/data", Access::ReadOnly).unwrap();
    assert!(!format!("{mount:?}").contains(host.path().to_str().unwrap()));
}

/// A file system of the kernel may be mounted below a granted directory.
#[tokio::test]
async fn file_systems_of_the_kernel_are_not_entered() {
    let root = fs::File::open("/").unwrap();
    let mount = HostMount::new(root.into(), "/data", Access::ReadOnly).unwrap();
    let mut guest = Guest::with(
        FilesystemSetup {
            mounts: vec![mount],
            ..setup()
        },
        LIMITS,
    );
    assert!(guest.get("data/etc/hostname").await.is_ok());
    for path in [
        "data/proc/self/status",
        "data/proc/version",
        "data/sys/kernel/mm/ksm/run",
    ] {
        assert_eq!(
            guest.get(path).await,
            Err(ErrorCode::NotPermitted),
            "{path}"
        );
    }
}
