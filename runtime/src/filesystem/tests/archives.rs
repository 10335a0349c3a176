//! Tests of archives: which are accepted, and can they be changed?

use super::super::error::ArchiveError;
use super::*;

/// Builds a tar archive of files.
pub(super) fn build(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, content) in files {
        entry(&mut out, name, b'0', content);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn entry(out: &mut Vec<u8>, name: &str, kind: u8, content: &[u8]) {
    let mut header = [0u8; 512];
    let short = &name.as_bytes()[..name.len().min(100)];
    header[..short.len()].copy_from_slice(short);
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[136..148].copy_from_slice(format!("{:011o}\0", 7).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(content);
    out.resize(out.len().div_ceil(512) * 512, 0);
}

fn index(archive: Vec<u8>) -> Result<usize, ArchiveError> {
    Archive::index(archive.into()).map(|archive| archive.len())
}

#[test]
fn archives_are_indexed() {
    assert_eq!(index(build(&[])), Ok(1));
    assert_eq!(index(build(&[("a/b/c.py", b"1"), ("a/d.py", b"2")])), Ok(5));

    let mut with_directories = Vec::new();
    entry(&mut with_directories, "./", b'5', b"");
    entry(&mut with_directories, "a/", b'5', b"");
    entry(&mut with_directories, "./a/b", b'0', b"x");
    assert_eq!(index(with_directories), Ok(3));

    let long = format!("a/{}.py", "n".repeat(200));
    let mut gnu = Vec::new();
    entry(
        &mut gnu,
        "././@LongLink",
        b'L',
        format!("{long}\0").as_bytes(),
    );
    entry(&mut gnu, "cut", b'0', b"x");
    let gnu = Archive::index(gnu.into()).unwrap();
    assert!(gnu.child(1, long.trim_start_matches("a/")).is_some());

    let record = format!("path={long}\n");
    let record = format!("{} {record}", record.len() + 4);
    let mut pax = Vec::new();
    entry(&mut pax, "header", b'x', record.as_bytes());
    entry(&mut pax, "cut", b'0', b"x");
    let pax = Archive::index(pax.into()).unwrap();
    assert!(pax.child(1, long.trim_start_matches("a/")).is_some());
}

#[test]
fn other_archives_are_refused() {
    let one = |name: &str, kind: u8, content: &[u8]| {
        let mut out = Vec::new();
        entry(&mut out, name, kind, content);
        out
    };
    assert_eq!(
        index(one("/etc/passwd", b'0', b"x")),
        Err(ArchiveError::Name(0))
    );
    assert_eq!(
        index(one("a/../../b", b'0', b"x")),
        Err(ArchiveError::Name(0))
    );
    assert_eq!(
        index(one("link", b'2', b"")),
        Err(ArchiveError::Kind("link".into()))
    );
    assert_eq!(
        index(one("link", b'1', b"")),
        Err(ArchiveError::Kind("link".into()))
    );
    assert_eq!(
        index(one("pipe", b'6', b"")),
        Err(ArchiveError::Kind("pipe".into()))
    );
    assert_eq!(
        index(build(&[("a", b"1"), ("a", b"2")])),
        Err(ArchiveError::Duplicate("a".into()))
    );
    assert_eq!(
        index(build(&[("a", b"1"), ("a/b", b"2")])),
        Err(ArchiveError::Duplicate("a/b".into()))
    );
    assert_eq!(
        index(build(&[("a/b", b"1"), ("a", b"2")])),
        Err(ArchiveError::Duplicate("a".into()))
    );

    let mut cut = one("a", b'0', &[1; 600]);
    cut.truncate(600);
    assert_eq!(index(cut), Err(ArchiveError::Truncated(600)));
    let mut damaged = one("a", b'0', b"x");
    damaged[0] = b'b';
    assert_eq!(index(damaged), Err(ArchiveError::Damaged(0)));
    assert_eq!(index(vec![0xff; 5000]), Err(ArchiveError::Damaged(0)));
}

#[tokio::test]
async fn archives_are_read_and_listed() {
    let mut guest = Guest::new();
    assert_eq!(
        guest.get("usr/lib/python/os.py").await,
        Ok(b"# os\n".to_vec())
    );
    assert_eq!(
        guest.get("usr/lib/python/json/../os.py").await,
        Ok(b"# os\n".to_vec())
    );
    assert_eq!(
        guest.list("usr/lib/python").await.unwrap(),
        ["json", "os.py"]
    );
    assert_eq!(guest.list("usr").await.unwrap(), ["lib"]);
    assert_eq!(guest.list(".").await.unwrap(), ["tmp", "usr", "work"]);
    let stat = guest.stat("usr/lib/python/os.py").await.unwrap();
    assert_eq!(
        (stat.size, stat.data_modification_timestamp.unwrap().seconds),
        (5, 7)
    );
    assert_eq!(guest.bytes(), 0);
}

/// A file of the archive in [`setup`].
const FILE: &str = "usr/lib/python/os.py";

/// FS08, FS09, FS19, like the two tests below: nothing in an archive, or on the way to it, can be
/// changed.
#[tokio::test]
async fn files_of_archives_cannot_be_opened_for_writing() {
    let mut guest = Guest::new();
    let root = guest.root;
    for (open, flags) in [
        (OpenFlags::TRUNCATE, DescriptorFlags::READ),
        (OpenFlags::TRUNCATE, DescriptorFlags::empty()),
        (OpenFlags::empty(), DescriptorFlags::WRITE),
        (
            OpenFlags::CREATE,
            DescriptorFlags::READ | DescriptorFlags::WRITE,
        ),
    ] {
        let opened = guest.open_at(root, FILE, open, flags).await;
        assert_eq!(
            code(&opened),
            Some(ErrorCode::ReadOnly),
            "{open:?} {flags:?}"
        );
    }
    let opened = guest.open(FILE).await.unwrap();
    assert_eq!(
        guest.write(opened, 0, b"x").await,
        Err(ErrorCode::BadDescriptor)
    );
    assert_eq!(
        guest.set_size(opened, 0).await,
        Err(ErrorCode::BadDescriptor)
    );
    assert_eq!(guest.get(FILE).await, Ok(b"# os\n".to_vec()));
}

#[tokio::test]
async fn entries_cannot_be_added_to_archives() {
    let mut guest = Guest::new();
    guest.put("work/mine", b"x").await.unwrap();
    for new in [
        "usr/lib/python/new.py",
        "usr/lib/python/json/x.pyc",
        "usr/new",
        "new",
        "usr/lib/new",
    ] {
        assert_eq!(
            code(&guest.create(new).await),
            Some(ErrorCode::ReadOnly),
            "{new}"
        );
        assert_eq!(
            code(&guest.mkdir(new).await),
            Some(ErrorCode::ReadOnly),
            "{new}"
        );
        assert_eq!(
            code(&guest.symlink("x", new).await),
            Some(ErrorCode::ReadOnly),
            "{new}"
        );
        assert_eq!(
            code(&guest.link("work/mine", new).await),
            Some(ErrorCode::ReadOnly),
            "{new}"
        );
        assert_eq!(
            code(&guest.rename("work/mine", new).await),
            Some(ErrorCode::CrossDevice),
            "{new}"
        );
    }
    assert_eq!(guest.mkdir("usr").await, Err(ErrorCode::Exist));
    assert_eq!(guest.list(".").await.unwrap(), ["tmp", "usr", "work"]);
}

#[tokio::test]
async fn entries_of_archives_cannot_be_removed_moved_or_touched() {
    let mut guest = Guest::new();
    assert_eq!(guest.unlink(FILE).await, Err(ErrorCode::ReadOnly));
    assert_eq!(
        guest.rmdir("usr/lib/python/json").await,
        Err(ErrorCode::ReadOnly)
    );
    assert_eq!(
        guest.rmdir("usr/lib/python").await,
        Err(ErrorCode::ReadOnly)
    );
    assert_eq!(guest.rmdir("usr").await, Err(ErrorCode::ReadOnly));
    assert_eq!(
        guest.rename(FILE, "usr/lib/python/so.py").await,
        Err(ErrorCode::ReadOnly)
    );
    assert_eq!(
        guest.rename(FILE, "work/os.py").await,
        Err(ErrorCode::CrossDevice)
    );
    assert_eq!(
        guest.link(FILE, "work/os.py").await,
        Err(ErrorCode::CrossDevice)
    );
    assert_eq!(guest.set_times(FILE).await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.set_times("usr").await, Err(ErrorCode::ReadOnly));
    assert_eq!(guest.get(FILE).await, Ok(b"# os\n".to_vec()));
    assert_eq!(guest.list(".").await.unwrap(), ["tmp", "usr", "work"]);
}
