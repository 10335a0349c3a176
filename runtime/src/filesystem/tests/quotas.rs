//! Tests of quotas: do the limits hold exactly, and is every charge released? Row FS17 of the
//! attack catalogue.

use wasmtime_wasi::p2::bindings::filesystem::types::Host as _;

use super::*;

fn workspace(bytes: u64, files: u64, open_files: u64) -> Guest {
    Guest::with(
        setup(),
        QuotaLimits {
            bytes,
            files,
            open_files,
        },
    )
}

#[tokio::test]
async fn the_last_byte_fits_and_no_more() {
    let mut guest = workspace(1 << 20, 10, 10);
    for _ in 0..3 {
        let file = guest.create("work/f").await.unwrap();
        let room = (1 << 20) - guest.bytes();
        let mut written = 0;
        let refused = loop {
            match guest.write(file, written, &[7; 10_000]).await {
                Ok(more) => written += more,
                Err(error) => break error,
            }
        };
        assert_eq!((refused, written), (ErrorCode::InsufficientSpace, room));
        assert_eq!(guest.bytes(), 1 << 20);
        assert_eq!(guest.filesystem.quota_hit(), Some(Limit::Workspace));
        guest.filesystem.forget_quota_hit();
        assert_eq!(
            code(&guest.create("work/g").await),
            Some(ErrorCode::InsufficientSpace)
        );
        // Overwriting needs no space.
        assert_eq!(guest.write(file, 0, &[8; 10_000]).await, Ok(10_000));
        guest.unlink("work/f").await.unwrap();
        assert_eq!(guest.write(file, 0, b"still open").await, Ok(10));
        assert!(
            guest.bytes() > 1 << 19,
            "an unlinked file counts while it is open"
        );
        guest.close(file);
        assert_eq!(guest.bytes(), 0);
        guest.filesystem.forget_quota_hit();
    }
    let usage = guest.filesystem.usage();
    assert_eq!(
        (usage.peak_bytes, usage.files, usage.peak_files),
        (1 << 20, 0, 1)
    );
}

#[tokio::test]
async fn sparse_files_count_with_their_size() {
    let mut guest = workspace(100 << 20, 10, 10);
    let file = guest.create("work/f").await.unwrap();
    assert_eq!(
        guest.set_size(file, 1 << 40).await,
        Err(ErrorCode::InsufficientSpace)
    );
    assert_eq!(
        guest.set_size(file, u64::MAX).await,
        Err(ErrorCode::FileTooLarge)
    );
    assert_eq!(
        guest.write(file, 1 << 40, b"x").await,
        Err(ErrorCode::InsufficientSpace)
    );
    assert_eq!(
        guest.write(file, u64::MAX, b"x").await,
        Err(ErrorCode::FileTooLarge)
    );
    assert_eq!(
        guest.write(file, u64::MAX - 5, b"xxxxxxxx").await,
        Err(ErrorCode::FileTooLarge)
    );
    assert!(guest.bytes() < 1000, "a refused size is not charged");
    assert_eq!(guest.set_size(file, 50 << 20).await, Ok(()));
    assert!(guest.bytes() > 50 << 20);
    assert_eq!(guest.write(file, (60 << 20) - 1, b"x").await, Ok(1));
    assert_eq!(guest.stat("work/f").await.unwrap().size, 60 << 20);
    assert_eq!(guest.set_size(file, 10).await, Ok(()));
    assert!(guest.bytes() < 1000);
    assert_eq!(guest.set_size(file, 20).await, Ok(()));
    assert_eq!(guest.read(file).await, Ok(vec![0; 20]));
}

#[tokio::test]
async fn nodes_and_names_are_counted() {
    let mut guest = workspace(1 << 20, 3, 10);
    guest.mkdir("work/d").await.unwrap();
    guest.symlink("x", "work/l").await.unwrap();
    guest.put("tmp/f", b"").await.unwrap();
    for new in [
        guest.mkdir("work/e").await,
        guest.symlink("x", "work/m").await,
        guest.put("tmp/g", b"").await,
    ] {
        assert_eq!(new, Err(ErrorCode::Quota));
    }
    assert_eq!(guest.filesystem.quota_hit(), Some(Limit::Files));
    guest.unlink("work/l").await.unwrap();
    assert_eq!(guest.mkdir("work/e").await, Ok(()));
    // Empty files and names use the host's memory too.
    let mut guest = workspace(10_000, u64::MAX, 10);
    let mut files = 0;
    while guest.put(&format!("work/{files}"), b"").await.is_ok() {
        files += 1;
    }
    assert!(files < 10_000 / 256, "{files}");
    let mut guest = workspace(10_000, 10, 10);
    guest.put("work/f", b"").await.unwrap();
    let mut links = 0;
    while guest
        .link("work/f", &format!("work/{}{links}", "n".repeat(200)))
        .await
        .is_ok()
    {
        links += 1;
    }
    assert!(links < 10_000 / 200, "{links}");
}

#[tokio::test]
async fn descriptors_are_counted() {
    let mut guest = workspace(1 << 20, 100, 4);
    let mut open = Vec::new();
    // The root is open already.
    for _ in 0..3 {
        open.push(guest.open("work").await.unwrap());
    }
    assert_eq!(
        code(&guest.open("work").await),
        Some(ErrorCode::InsufficientMemory)
    );
    assert_eq!(
        code(&guest.create("work/f").await),
        Some(ErrorCode::InsufficientMemory)
    );
    assert_eq!(guest.list("work").await.map_err(|_| ()), Err(()));
    assert_eq!(guest.view().get_directories().unwrap().len(), 0);
    assert_eq!(guest.filesystem.quota_hit(), Some(Limit::OpenFiles));
    guest.close(open.remove(0));
    assert!(
        guest.list("work").await.unwrap().is_empty(),
        "nothing was made by the refused creation"
    );

    let mut streams = Vec::new();
    let file = guest.create("work/f").await.unwrap();
    while let Ok(stream) = plain(guest.view().read_via_stream(handle(file), 0)) {
        streams.push(stream);
        assert!(streams.len() < 100);
    }
    assert_eq!(streams.len(), 4 * 2 + 16);
    guest.table.delete(streams.remove(0)).unwrap();
    assert!(plain(guest.view().read_via_stream(handle(file), 0)).is_ok());
}

#[tokio::test]
async fn a_stream_reports_that_the_disk_is_full_and_goes_on() {
    let mut guest = workspace(100_000, 10, 10);
    guest.put("work/ballast", &[0; 60_000]).await.unwrap();
    let file = guest.create("work/f").await.unwrap();
    let stream = plain(guest.view().append_via_stream(handle(file))).unwrap();
    let output = guest.table.get_mut(&stream).unwrap();
    output
        .blocking_write_and_flush(vec![1; 30_000].into())
        .await
        .unwrap();
    let Err(StreamError::LastOperationFailed(error)) = output
        .blocking_write_and_flush(vec![1; 30_000].into())
        .await
    else {
        panic!("the disk is full");
    };
    let error = guest.table.push(error).unwrap();
    let code = guest.view().filesystem_error_code(error).unwrap();
    assert_eq!(code, Some(ErrorCode::InsufficientSpace));
    guest.unlink("work/ballast").await.unwrap();
    let output = guest.table.get_mut(&stream).unwrap();
    output.write(vec![2; 10].into()).unwrap();
    output.flush().unwrap();
    let size = guest.stat("work/f").await.unwrap().size;
    assert!(
        size > 30_010 && size < 60_010,
        "what fitted was written: {size}"
    );
}

#[tokio::test]
async fn runs_share_nothing() {
    let layout = Layout::new(setup()).unwrap();
    let clock: Clock = Arc::new(|| Duration::ZERO);
    let mut one = Filesystem::new(&layout, LIMITS, Arc::clone(&clock), Default::default());
    let other = Filesystem::new(&layout, LIMITS, clock, Default::default());
    one.put("left.txt", vec![1]).unwrap();
    assert!(other.list("", None, usize::MAX).unwrap().is_empty());
    assert_eq!(other.usage(), FilesystemUsage::default());
}
