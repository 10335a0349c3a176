//! Tests of wheels (zip archives): which are unpacked, and which are refused?

use super::{Format, check_refused, unpack};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::Write as _;

/// An entry of a zip archive, with the contents of its two headers.
#[derive(Clone)]
struct Entry {
    name: Vec<u8>,
    local_name: Vec<u8>,
    packed: Vec<u8>,
    method: u16,
    flags: u16,
    crc: u32,
    length: u32,
    local_length: u32,
    packed_length: u32,
    /// The offset that the directory declares; the real one by default.
    offset: Option<u32>,
    extra: Vec<u8>,
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn entry(name: &str, content: &[u8]) -> Entry {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    let packed = deflated(content);
    let (length, packed_length) = (content.len() as u32, packed.len() as u32);
    let name = name.as_bytes().to_vec();
    Entry {
        local_name: name.clone(),
        name,
        packed,
        method: 8,
        flags: 0,
        crc: crc.sum(),
        length,
        local_length: length,
        packed_length,
        offset: None,
        extra: Vec::new(),
    }
}

/// Returns an archive of one entry, after a change to it.
fn changed(content: &[u8], change: impl Fn(&mut Entry)) -> Vec<Entry> {
    vec![with("a", content, change)]
}

fn with(name: &str, content: &[u8], change: impl Fn(&mut Entry)) -> Entry {
    let mut entry = entry(name, content);
    change(&mut entry);
    entry
}

fn u16s(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn u32s(values: &[u32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn zip(entries: &[Entry]) -> Vec<u8> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(archive.len() as u32);
        let common = |length: u32, name: &[u8], extra: &[u8]| {
            let start = u16s(&[20, entry.flags, entry.method, 0, 0]);
            [
                start,
                u32s(&[entry.crc, entry.packed_length, length]),
                u16s(&[name.len() as u16, extra.len() as u16]),
            ]
            .concat()
        };
        archive.extend(
            [
                b"PK\x03\x04".to_vec(),
                common(entry.local_length, &entry.local_name, b""),
                entry.local_name.clone(),
                entry.packed.clone(),
            ]
            .concat(),
        );
        directory.extend(
            [
                b"PK\x01\x02\x14\0".to_vec(),
                common(entry.length, &entry.name, &entry.extra),
                u16s(&[0, 0, 0, 0, 0]),
                u32s(&[offset]),
                entry.name.clone(),
                entry.extra.clone(),
            ]
            .concat(),
        );
    }
    let count = entries.len() as u16;
    let end = [
        b"PK\x05\x06".to_vec(),
        u16s(&[0, 0, count, count]),
        u32s(&[directory.len() as u32, archive.len() as u32]),
        u16s(&[0]),
    ]
    .concat();
    [archive, directory, end].concat()
}

#[test]
fn wheel_is_unpacked_where_its_modules_are_imported_from() {
    let stored = with("p/stored.py", b"x = 1", |entry| {
        (entry.method, entry.packed, entry.packed_length) = (0, b"x = 1".to_vec(), 5)
    });
    let archive = zip(&[
        entry("p/__init__.py", b""),
        entry("p/", b""),
        stored,
        entry("p-1.data/purelib/pure.py", b"a"),
        entry("p-1.data/platlib/q/native.so", b"b"),
        entry("p-1.data/data/share/x", b"c"),
        entry("p-1.data/scripts/run", b"d"),
        entry("bin/run", b"e"),
        entry("p-1.dist-info/METADATA", &b"Name: p\n".repeat(5000)),
    ]);
    let files = unpack(&archive, Format::Wheel).0.unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "p-1.dist-info/METADATA",
            "p/__init__.py",
            "p/stored.py",
            "pure.py",
            "q/native.so",
            "share/x"
        ]
    );
    assert_eq!(
        (
            files["p/stored.py"].as_slice(),
            files["p-1.dist-info/METADATA"].len()
        ),
        (b"x = 1".as_slice(), 40_000)
    );
}

/// A megabyte of zeros.
fn zeros() -> Vec<u8> {
    vec![0; 1 << 20]
}

/// A good entry.
fn good() -> Entry {
    entry("a.py", b"x = 1")
}

/// An extra field of long sizes (zip64).
fn zip64(fields: &[u64]) -> Vec<u8> {
    let fields: Vec<u8> = fields
        .iter()
        .flat_map(|field| field.to_le_bytes())
        .collect();
    [u16s(&[1, fields.len() as u16]), fields].concat()
}

/// Sets the length in both headers.
fn declare(entry: &mut Entry, length: u32) {
    (entry.length, entry.local_length) = (length, length);
}

/// Makes the entries of an archive.
type Make = fn() -> Vec<Entry>;

/// Changes an archive.
type Change = fn(&mut Vec<u8>);

/// Entries that are refused.
const REFUSED_ENTRIES: &[(&str, Make)] = &[
    ("too many files", || {
        (0..101).map(|n| entry(&format!("{n}"), b"")).collect()
    }),
    ("too much", || {
        changed(&zeros(), |entry| entry.length = 300 << 20)
    }),
    ("too much with its local header", || {
        changed(&zeros(), |entry| declare(entry, 300 << 20))
    }),
    ("compressed too well", || {
        changed(&zeros(), |entry| declare(entry, 150 << 20))
    }),
    ("longer than it says", || {
        changed(&zeros(), |entry| declare(entry, 10))
    }),
    ("shorter than it says", || {
        changed(b"x", |entry| declare(entry, 10))
    }),
    ("two lengths", || {
        changed(&zeros(), |entry| entry.local_length = 10)
    }),
    ("two names", || {
        changed(b"x", |entry| entry.local_name = b"b".to_vec())
    }),
    ("a longer name in front", || {
        changed(b"x", |entry| entry.local_name = b"ab".to_vec())
    }),
    ("damaged", || changed(b"x", |entry| entry.crc ^= 1)),
    ("encrypted", || changed(b"x", |entry| entry.flags = 1)),
    ("another method", || {
        changed(b"x", |entry| entry.method = 12)
    }),
    ("stored with two lengths", || {
        changed(b"x", |entry| entry.method = 0)
    }),
    ("the same place twice", || {
        vec![
            good(),
            with("b.py", b"x = 1", |entry| entry.offset = Some(0)),
        ]
    }),
    ("one inside another", || {
        vec![
            entry("a", &zeros()),
            with("b", b"", |entry| entry.offset = Some(40)),
        ]
    }),
    ("at an offset beyond all numbers", || {
        changed(b"x", |entry| {
            (entry.offset, entry.extra) = (Some(u32::MAX), zip64(&[u64::MAX]));
        })
    }),
    ("outside", || {
        changed(b"x", |entry| entry.offset = Some(1 << 30))
    }),
    ("the same name twice", || vec![good(), good()]),
    ("a file and a directory", || {
        vec![entry("a", b"x"), entry("a/b", b"x")]
    }),
    ("a directory and a file", || {
        vec![entry("a/b", b"x"), entry("a", b"x")]
    }),
    ("up", || vec![entry("../a", b"x")]),
    ("up by a script's folder", || {
        vec![entry("p.data/purelib/../../a", b"x")]
    }),
    ("absolute", || vec![entry("/tmp/a", b"x")]),
    ("deep", || vec![entry(&("d/".repeat(61) + "f"), b"x")]),
    ("no text", || {
        changed(b"x", |entry| {
            (entry.name, entry.local_name) = (b"\xff".to_vec(), b"\xff".to_vec());
        })
    }),
    ("long sizes that are missing", || {
        changed(b"x", |entry| entry.length = u32::MAX)
    }),
    ("long sizes cut off", || {
        changed(b"x", |entry| {
            (entry.length, entry.extra) = (u32::MAX, u16s(&[1, 4, 0, 0]));
        })
    }),
    ("a long size that is too long", || {
        changed(b"x", |entry| {
            (entry.length, entry.extra) = (u32::MAX, zip64(&[u64::MAX]));
        })
    }),
    ("long sizes twice", || {
        changed(b"x", |entry| {
            (entry.length, entry.extra) = (u32::MAX, [zip64(&[1]), zip64(&[1])].concat());
        })
    }),
];

/// Changes to a good archive after which it is refused.
const REFUSED_CHANGES: &[(&str, Change)] = &[
    ("nothing", Vec::clear),
    ("no archive", |archive| {
        *archive = b"PK\x03\x04 and nothing else".to_vec();
    }),
    ("cut off", |archive| archive.truncate(40)),
    ("more entries than it has", |archive| {
        archive
            .splice(archive.len() - 14..archive.len() - 10, [2, 0, 2, 0])
            .for_each(drop);
    }),
    ("something before", |archive| {
        archive.splice(0..0, *b"#!/bin/sh\n").for_each(drop);
    }),
    ("something behind", |archive| archive.extend(b"x")),
    ("a long end of a length beyond all numbers", |archive| {
        insert_long_end(archive, u64::MAX, &[0; 12], |at| [1, 1, 0, at]);
    }),
    ("a long end that says otherwise", |archive| {
        let versions = [45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        insert_long_end(archive, 44, &versions, |_| [1, 1, u64::MAX, 0]);
    }),
];

/// Inserts a long end of the central directory (zip64), with these fields for its offset.
fn insert_long_end(
    archive: &mut Vec<u8>,
    length: u64,
    versions: &[u8],
    fields: impl Fn(u64) -> [u64; 4],
) {
    let end = archive.split_off(archive.len() - 22);
    let at = archive.len() as u64;
    archive.extend(b"PK\x06\x06");
    archive.extend(length.to_le_bytes());
    archive.extend(versions);
    archive.extend(fields(at).iter().flat_map(|field| field.to_le_bytes()));
    archive.extend(b"PK\x06\x07\0\0\0\0");
    archive.extend(at.to_le_bytes());
    archive.extend(u32s(&[1]));
    archive.extend(end);
}

#[test]
fn inconsistent_wheels_are_refused() {
    for (name, entries) in REFUSED_ENTRIES {
        check_refused(name, &zip(&entries()), Format::Wheel, 1 << 20);
    }
    for (name, change) in REFUSED_CHANGES {
        let mut archive = zip(&[good()]);
        change(&mut archive);
        check_refused(name, &archive, Format::Wheel, 1 << 20);
    }
}

/// The benign twin of the long sizes above.
#[test]
fn right_long_sizes_are_read() {
    let archive = zip(&changed(b"x", |entry| {
        (entry.length, entry.extra) = (u32::MAX, zip64(&[1]));
    }));
    assert_eq!(unpack(&archive, Format::Wheel).0.unwrap()["a"], b"x");
}
