//! Tests of extraction: which archives are unpacked, and what is left of those that are refused?

mod tarballs;
mod wheels;

use super::{Account, Room, Writer, path, tarball, wheel};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use std::collections::BTreeMap;
use std::io::Cursor;

const ROOM: Room = Room {
    bytes: 200 << 20,
    files: 100,
};

/// The format of an archive.
#[derive(Clone, Copy)]
enum Format {
    Wheel,
    Tarball,
}

type Unpacked = Result<BTreeMap<String, Vec<u8>>, String>;

/// Unpacks an archive; returns the files and the bytes that were written until it was refused.
fn unpack(archive: &[u8], format: Format) -> (Unpacked, u64) {
    let place = tempfile::tempdir().unwrap();
    let into = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let account = Account {
        reserve: &|_| Ok(()),
        spend: &|_| Ok(()),
    };
    let mut room = ROOM;
    let mut writer = Writer::new(&into, &mut room, &account);
    let mut archive = Cursor::new(archive);
    let result = match format {
        Format::Wheel => wheel(&mut archive, &mut writer),
        Format::Tarball => tarball(&mut archive, &mut writer),
    };
    let files = found(place.path());
    let written = files.values().map(|content| content.len() as u64).sum();
    (
        result.map(|()| files).map_err(|error| error.to_string()),
        written,
    )
}

/// Checks that an archive is refused before more than this is written.
fn check_refused(name: &str, archive: &[u8], format: Format, max_written: u64) {
    let (result, written) = unpack(archive, format);
    assert!(result.is_err(), "{name}: {result:?}");
    assert!(
        written <= max_written,
        "{name}: {written} bytes were written"
    );
}

/// Returns the contents of files in a directory by their paths.
fn found(place: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut left = vec![place.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                left.push(entry.path());
            } else {
                let name = entry
                    .path()
                    .strip_prefix(place)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.insert(name, std::fs::read(entry.path()).unwrap());
            }
        }
    }
    files
}

#[test]
fn paths_outside_are_refused() {
    for good in ["a", "a/b.py", "..a/b..", "a b", ".x", "é/ü.py"] {
        assert_eq!(path(good.as_bytes()).unwrap(), good);
    }
    let (long, deep, far) = (
        "x".repeat(256),
        "d/".repeat(60) + "f",
        "abcdefg/".repeat(59).repeat(3) + "f",
    );
    let names: [&[u8]; 15] = [
        b"",
        b"/",
        b"/a",
        b"a/",
        b"a//b",
        b".",
        b"..",
        b"../a",
        b"a/../b",
        b"a/./b",
        b"a\\b",
        b"a\0b",
        b"a\nb",
        b"\xff",
        long.as_bytes(),
    ];
    for name in names.into_iter().chain([deep.as_bytes(), far.as_bytes()]) {
        assert!(path(name).is_err(), "{}", String::from_utf8_lossy(name));
    }
}
