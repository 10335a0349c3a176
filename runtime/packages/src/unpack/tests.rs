//! Tests of extraction: which archives are unpacked, and what is left of those that are refused?

use super::{Account, Room, Writer, path, tarball, wheel};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

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

type Unpacked = Result<BTreeMap<String, Vec<u8>>, String>;

/// Unpacks an archive; returns the files and the bytes that were written until it was refused.
fn unpacked(archive: &[u8], is_wheel: bool, mut room: Room) -> (Unpacked, u64) {
    let place = tempfile::tempdir().unwrap();
    let into = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
    let account = Account {
        reserve: &|_| Ok(()),
        spend: &|_| Ok(()),
    };
    let mut writer = Writer::new(&into, &mut room, &account);
    let mut archive = Cursor::new(archive);
    let result = if is_wheel {
        wheel(&mut archive, &mut writer)
    } else {
        tarball(&mut archive, &mut writer)
    };
    let files = found(place.path());
    let written = files.values().map(|content| content.len() as u64).sum();
    (
        result.map(|()| files).map_err(|error| error.to_string()),
        written,
    )
}

const ROOM: Room = Room {
    bytes: 200 << 20,
    files: 100,
};

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
fn a_wheel_is_unpacked_to_where_its_modules_are_imported_from() {
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
    let files = unpacked(&archive, true, ROOM).0.unwrap();
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

#[test]
fn a_wheel_that_is_not_what_it_says_is_refused() {
    let zeros = vec![0; 1 << 20];
    let good = entry("a.py", b"x = 1");
    let many: Vec<Entry> = (0..101).map(|n| entry(&format!("{n}"), b"")).collect();
    let deep = "d/".repeat(61) + "f";
    let zip64 = |fields: &[u64]| {
        let fields: Vec<u8> = fields
            .iter()
            .flat_map(|field| field.to_le_bytes())
            .collect();
        [u16s(&[1, fields.len() as u16]), fields].concat()
    };
    let ended = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut archive = zip(std::slice::from_ref(&good));
        change(&mut archive);
        archive
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no archive", b"PK\x03\x04 and nothing else".to_vec()),
        ("cut off", zip(std::slice::from_ref(&good))[..40].to_vec()),
        ("too many files", zip(&many)),
        (
            "too much",
            zip(&[with("a", &zeros, |entry| entry.length = 300 << 20)]),
        ),
        (
            "too much with its local header",
            zip(&[with("a", &zeros, |entry| {
                (entry.length, entry.local_length) = (300 << 20, 300 << 20)
            })]),
        ),
        (
            "compressed too well",
            zip(&[with("a", &zeros, |entry| {
                (entry.length, entry.local_length) = (150 << 20, 150 << 20)
            })]),
        ),
        (
            "longer than it says",
            zip(&[with("a", &zeros, |entry| {
                (entry.length, entry.local_length) = (10, 10)
            })]),
        ),
        (
            "shorter than it says",
            zip(&[with("a", b"x", |entry| {
                (entry.length, entry.local_length) = (10, 10)
            })]),
        ),
        (
            "two lengths",
            zip(&[with("a", &zeros, |entry| entry.local_length = 10)]),
        ),
        (
            "two names",
            zip(&[with("a", b"x", |entry| entry.local_name = b"b".to_vec())]),
        ),
        (
            "a longer name in front",
            zip(&[with("a", b"x", |entry| entry.local_name = b"ab".to_vec())]),
        ),
        ("damaged", zip(&[with("a", b"x", |entry| entry.crc ^= 1)])),
        (
            "encrypted",
            zip(&[with("a", b"x", |entry| entry.flags = 1)]),
        ),
        (
            "another method",
            zip(&[with("a", b"x", |entry| entry.method = 12)]),
        ),
        (
            "stored with two lengths",
            zip(&[with("a", b"x", |entry| entry.method = 0)]),
        ),
        (
            "the same place twice",
            zip(&[
                good.clone(),
                with("b.py", b"x = 1", |entry| entry.offset = Some(0)),
            ]),
        ),
        (
            "one inside another",
            zip(&[
                with("a", &zeros, |_| ()),
                with("b", b"", |entry| entry.offset = Some(40)),
            ]),
        ),
        (
            "at an offset beyond all numbers",
            zip(&[with("a", b"x", |entry| {
                (entry.offset, entry.extra) = (Some(u32::MAX), zip64(&[u64::MAX]))
            })]),
        ),
        (
            "outside",
            zip(&[with("a", b"x", |entry| entry.offset = Some(1 << 30))]),
        ),
        ("the same name twice", zip(&[good.clone(), good.clone()])),
        (
            "a file and a directory",
            zip(&[entry("a", b"x"), entry("a/b", b"x")]),
        ),
        (
            "a directory and a file",
            zip(&[entry("a/b", b"x"), entry("a", b"x")]),
        ),
        ("up", zip(&[entry("../a", b"x")])),
        (
            "up by a script's folder",
            zip(&[entry("p.data/purelib/../../a", b"x")]),
        ),
        ("absolute", zip(&[entry("/tmp/a", b"x")])),
        ("deep", zip(&[entry(&deep, b"x")])),
        (
            "no text",
            zip(&[with("a", b"x", |entry| {
                (entry.name, entry.local_name) = (b"\xff".to_vec(), b"\xff".to_vec())
            })]),
        ),
        (
            "long sizes that are not there",
            zip(&[with("a", b"x", |entry| entry.length = u32::MAX)]),
        ),
        (
            "long sizes cut off",
            zip(&[with("a", b"x", |entry| {
                (entry.length, entry.extra) = (u32::MAX, u16s(&[1, 4, 0, 0]))
            })]),
        ),
        (
            "a long size that is too long",
            zip(&[with("a", b"x", |entry| {
                (entry.length, entry.extra) = (u32::MAX, zip64(&[u64::MAX]))
            })]),
        ),
        (
            "long sizes twice",
            zip(&[with("a", b"x", |entry| {
                (entry.length, entry.extra) = (u32::MAX, [zip64(&[1]), zip64(&[1])].concat())
            })]),
        ),
        (
            "more entries than there are",
            ended(&|archive| {
                archive
                    .splice(archive.len() - 14..archive.len() - 10, [2, 0, 2, 0])
                    .for_each(drop)
            }),
        ),
        (
            "something before",
            ended(&|archive| archive.splice(0..0, *b"#!/bin/sh\n").for_each(drop)),
        ),
        ("something behind", ended(&|archive| archive.extend(b"x"))),
        (
            "a long end of a length beyond all numbers",
            ended(&|archive| {
                let end = archive.split_off(archive.len() - 22);
                let at = archive.len() as u64;
                let mut record = [
                    b"PK\x06\x06".to_vec(),
                    u64::MAX.to_le_bytes().to_vec(),
                    vec![0; 12],
                ]
                .concat();
                record.extend(
                    [1_u64, 1, 0, at]
                        .iter()
                        .flat_map(|field| field.to_le_bytes()),
                );
                archive.extend(record);
                archive.extend(
                    [
                        b"PK\x06\x07".to_vec(),
                        u32s(&[0]),
                        at.to_le_bytes().to_vec(),
                        u32s(&[1]),
                    ]
                    .concat(),
                );
                archive.extend(end);
            }),
        ),
        (
            "a long end that says otherwise",
            ended(&|archive| {
                let end = archive.split_off(archive.len() - 22);
                let at = archive.len() as u64;
                let mut record = [
                    b"PK\x06\x06".to_vec(),
                    44_u64.to_le_bytes().to_vec(),
                    vec![45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                ]
                .concat();
                record.extend(
                    [1_u64, 1, u64::MAX, 0]
                        .iter()
                        .flat_map(|field| field.to_le_bytes()),
                );
                archive.extend(record);
                archive.extend(
                    [
                        b"PK\x06\x07".to_vec(),
                        u32s(&[0]),
                        at.to_le_bytes().to_vec(),
                        u32s(&[1]),
                    ]
                    .concat(),
                );
                archive.extend(end);
            }),
        ),
    ];
    for (name, archive) in cases {
        let (result, written) = unpacked(&archive, true, ROOM);
        assert!(result.is_err(), "{name}");
        assert!(written <= 1 << 20, "{name}: {written} bytes were written");
    }
    // Long sizes that are right.
    let long = with("a", b"x", |entry| {
        (entry.length, entry.extra) = (u32::MAX, zip64(&[1]))
    });
    assert_eq!(unpacked(&zip(&[long]), true, ROOM).0.unwrap()["a"], b"x");
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Returns a header of a tar archive and its content.
fn member(kind: u8, name: &str, length: u64, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    let bytes = header.as_mut_bytes();
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_size(length);
    header.set_mode(0o4777);
    header.set_cksum();
    let mut member = [header.as_bytes().to_vec(), content.to_vec()].concat();
    member.resize(member.len().div_ceil(512) * 512, 0);
    member
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    member(b'0', name, content.len() as u64, content)
}

fn pax(record: &str) -> Vec<u8> {
    let mut length = record.len() + 2;
    while length != record.len() + 2 + length.to_string().len() {
        length = record.len() + 2 + length.to_string().len();
    }
    file("x", format!("{length} {record}\n").as_bytes())
}

fn tarred(members: &[Vec<u8>]) -> Vec<u8> {
    gzipped(&[members.concat(), vec![0; 1024]].concat())
}

#[test]
fn an_npm_package_is_unpacked_without_its_first_folder() {
    let long = "package/".to_owned() + &"n".repeat(150);
    let long_name = member(
        b'L',
        "././@LongLink",
        long.len() as u64 + 1,
        format!("{long}\0").as_bytes(),
    );
    let mut extended = pax("path=package/é.js");
    extended[156] = b'x';
    let sum: u32 = extended[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    extended[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let archive = tarred(&[
        file("package/package.json", b"{}"),
        member(b'5', "package/lib/", 0, b""),
        file("package/lib/a.js", b"1"),
        member(b'2', "package/link", 0, b""),
        member(b'1', "package/hard", 0, b""),
        long_name,
        file("package/cut", b"2"),
        extended,
        file("package/ascii", b"3"),
        file("beside", b"4"),
        file("./package/./bin//cli.js", b"6"),
        file("package/lib/a.js", b"5"),
    ]);
    let files = unpacked(&archive, false, ROOM).0.unwrap();
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "bin/cli.js",
            "lib/a.js",
            &"n".repeat(150),
            "package.json",
            "é.js"
        ]
    );
    assert_eq!(
        (files["lib/a.js"].as_slice(), files["é.js"].as_slice()),
        (b"5".as_slice(), b"3".as_slice())
    );
}

#[test]
fn an_npm_package_that_swells_or_leads_elsewhere_is_refused_before_it_is_written() {
    let zeros = vec![0; 100 << 20];
    let large = file("package/zeros", &zeros);
    let many: Vec<Vec<u8>> = (0..101)
        .map(|n| file(&format!("package/{n}"), b""))
        .collect();
    let folders: Vec<Vec<u8>> = (0..60)
        .map(|n| file(&format!("package/{n}/a"), b""))
        .collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("no tar", gzipped(b"hello")),
        (
            "compressed twice",
            gzipped(&tarred(&[file("package/a", b"x")])),
        ),
        ("too well compressed", tarred(std::slice::from_ref(&large))),
        (
            "in several members",
            [gzipped(&large), gzipped(&vec![0; 1024])].concat(),
        ),
        (
            "hidden behind a link",
            tarred(&[member(b'2', "package/l", zeros.len() as u64, &zeros)]),
        ),
        (
            "a long name",
            tarred(&[
                member(b'L', "l", zeros.len() as u64, &zeros),
                file("package/a", b""),
            ]),
        ),
        (
            "a long header for all",
            tarred(&[
                member(b'g', "g", zeros.len() as u64, &zeros),
                file("package/a", b""),
            ]),
        ),
        ("too many files", tarred(&many)),
        ("too many directories", tarred(&folders)),
        ("cut off", tarred(&[file("package/a", b"x")])[..20].to_vec()),
        (
            "more than it has",
            gzipped(&member(b'0', "package/a", 1 << 40, b"x")),
        ),
        ("holes", tarred(&[member(b'S', "package/a", 0, b"")])),
        ("a device", tarred(&[member(b'3', "package/a", 0, b"")])),
        ("a pipe", tarred(&[member(b'6', "package/a", 0, b"")])),
        ("up", tarred(&[file("package/../../a", b"x")])),
        (
            "a file and a directory",
            tarred(&[file("package/a", b"x"), file("package/a/b", b"x")]),
        ),
    ];
    for (name, archive) in cases {
        let (result, written) = unpacked(&archive, false, ROOM);
        assert!(written <= 100, "{name}: {written} bytes were written");
        assert!(result.is_err(), "{name}: {result:?}");
    }
}

#[test]
fn no_name_leads_elsewhere() {
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

/// Tests that cancellation also works while nothing is written: skipped content, and content that unpacks to nothing, is read no further.
#[test]
fn what_is_skipped_can_be_stopped() {
    let noise: Vec<u8> = (0..1_u32 << 20)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let hidden = tarred(&[
        member(b'2', "package/link", noise.len() as u64, &noise),
        file("package/a", b""),
    ]);
    let empty = gzipped(b"").repeat(100_000);
    for (name, archive) in [
        ("a link with content", hidden),
        ("members without content", empty),
    ] {
        let place = tempfile::tempdir().unwrap();
        let into = Dir::open_ambient_dir(place.path(), ambient_authority()).unwrap();
        let reads = std::cell::Cell::new(0);
        let go_on = || {
            reads.set(reads.get() + 1);
            if reads.get() > 4 {
                Err(std::io::Error::other("stopped"))
            } else {
                Ok(())
            }
        };
        let account = Account {
            reserve: &|_| Ok(()),
            spend: &|_| Ok(()),
        };
        let mut room = ROOM;
        let mut writer = Writer::new(&into, &mut room, &account);
        let mut archive = crate::job::Watched::new(Cursor::new(archive), &go_on);
        let error = tarball(&mut archive, &mut writer).unwrap_err();
        assert!(error.to_string().contains("stopped"), "{name}: {error}");
        assert!(reads.get() < 10, "{name}");
    }
}
