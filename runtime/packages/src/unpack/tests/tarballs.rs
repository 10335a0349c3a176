//! Tests of npm packages (gzipped tar archives): which are unpacked, and which are refused?

use super::{Format, ROOM, check_refused, unpack};
use crate::job::Watched;
use crate::unpack::{Account, Writer, tarball};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write as _};

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
fn npm_package_is_unpacked_without_its_first_folder() {
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
    let files = unpack(&archive, Format::Tarball).0.unwrap();
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
fn hostile_npm_packages_are_refused_before_they_are_written() {
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
        check_refused(name, &archive, Format::Tarball, 100);
    }
}

/// Tests that cancellation also works while nothing is written: skipped content, and content that
/// unpacks to nothing, is read no further.
#[test]
fn skipped_content_can_be_cancelled() {
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
        let mut archive = Watched::new(Cursor::new(archive), &go_on);
        let error = tarball(&mut archive, &mut writer).unwrap_err();
        assert!(error.to_string().contains("stopped"), "{name}: {error}");
        assert!(reads.get() < 10, "{name}");
    }
}
