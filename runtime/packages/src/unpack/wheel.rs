//! Wheel reader: which files does a wheel hold?
//!
//! A wheel is a zip archive. Its central directory is read first, and has everything: the number of
//! files, their sizes and offsets. It is accepted only if it is consistent in itself and with the
//! local headers: overlapping entries, different sizes and records after the directory are used in
//! archives that two programs read differently, and in zip bombs.

use super::{Directories, Writer, bad, judge_ratio, path};
use crate::disk::MAX_FILES;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

/// The largest central directory in bytes: more than one with as many files as a set may have.
const MAX_DIRECTORY: u64 = 48 << 20;

/// Bytes at the end that hold the end record: the record, and the longest comment.
const END: u64 = 22 + 65_535;

/// One entry of the central directory.
struct Entry {
    /// The raw name in the archive.
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    length: u64,
    offset: u64,
}

/// A reader of little-endian numbers.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| bad("a record of the zip archive is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, length: usize) -> io::Result<u64> {
        Ok(self
            .bytes(length)?
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn u16(&mut self) -> io::Result<u16> {
        Ok(u16::try_from(self.number(2)?).unwrap_or(u16::MAX))
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::try_from(self.number(4)?).unwrap_or(u32::MAX))
    }

    fn signature(&mut self, expected: &[u8; 4]) -> io::Result<()> {
        if self.bytes(4)? == expected {
            Ok(())
        } else {
            Err(bad("it is no zip archive, or a damaged one"))
        }
    }
}

/// The position of the central directory.
struct Directory {
    entries: u64,
    offset: u64,
    size: u64,
}

/// Unpacks the modules and data of a wheel.
pub(crate) fn wheel(archive: &mut (impl Read + Seek), writer: &mut Writer<'_>) -> io::Result<()> {
    let length = archive.seek(SeekFrom::End(0))?;
    let directory = find_directory(archive, length)?;
    let entries = read_directory(archive, &directory)?;
    let (wanted, left) = judge(&entries, length, *writer.room)?;
    writer.reserve(
        writer.room.bytes.saturating_sub(left.bytes),
        writer.room.files.saturating_sub(left.files),
    )?;
    for (entry, end, place) in wanted {
        extract(archive, entry, end, &place, writer)?;
    }
    Ok(())
}

fn read_at(archive: &mut (impl Read + Seek), offset: u64, length: u64) -> io::Result<Vec<u8>> {
    archive.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    archive.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn find_directory(archive: &mut (impl Read + Seek), length: u64) -> io::Result<Directory> {
    let start = length.saturating_sub(END);
    let tail = read_at(archive, start, END)?;
    let is_end = |at: &usize| {
        let record = tail.get(*at..).unwrap_or_default();
        let comment = record
            .get(20..22)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u16::from_le_bytes);
        record.starts_with(b"PK\x05\x06")
            && comment.is_some_and(|comment| record.len() == 22 + usize::from(comment))
    };
    let at = (0..tail.len().saturating_sub(21))
        .rev()
        .find(is_end)
        .ok_or_else(|| bad("it is no zip archive, or is cut off"))?;
    let mut fields = Fields(tail.get(at + 4..).unwrap_or_default());
    let (disk, of_directory, here, entries) =
        (fields.u16()?, fields.u16()?, fields.u16()?, fields.u16()?);
    let (size, offset) = (fields.u32()?, fields.u32()?);
    if disk != 0 || of_directory != 0 || here != entries {
        return Err(bad("it is a part of a zip archive"));
    }
    let end = start + at as u64;
    let short = Directory {
        entries: entries.into(),
        offset: offset.into(),
        size: size.into(),
    };
    let (found, end) = match end.checked_sub(20) {
        Some(locator) => match long_directory(archive, locator, &short)? {
            Some(found) => found,
            None => (short, end),
        },
        None => (short, end),
    };
    if found.size > MAX_DIRECTORY || found.offset.checked_add(found.size) != Some(end) {
        return Err(bad(
            "the directory of the zip archive is not where it should be, or too long",
        ));
    }
    Ok(found)
}

/// Returns the directory of the zip64 end record, and the offset of that record; none if there is
/// no such record.
fn long_directory(
    archive: &mut (impl Read + Seek),
    locator: u64,
    short: &Directory,
) -> io::Result<Option<(Directory, u64)>> {
    let bytes = read_at(archive, locator, 20)?;
    if !bytes.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let mut fields = Fields(bytes.get(4..).unwrap_or_default());
    let (disk, offset, disks) = (fields.u32()?, fields.number(8)?, fields.u32()?);
    let record = read_at(archive, offset, 56)?;
    let mut fields = Fields(&record);
    fields.signature(b"PK\x06\x06")?;
    let rest = fields.number(8)?;
    fields.bytes(12)?;
    let (here, entries, size, start) = (
        fields.number(8)?,
        fields.number(8)?,
        fields.number(8)?,
        fields.number(8)?,
    );
    let agrees = |short: u64, long: u64, most: u64| short == long || short == most;
    let is_whole = disk == 0
        && disks == 1
        && here == entries
        && rest
            .checked_add(12)
            .and_then(|size| size.checked_add(offset))
            == Some(locator)
        && rest >= 44;
    let is_same = agrees(short.entries, entries, u16::MAX.into())
        && agrees(short.size, size, u32::MAX.into())
        && agrees(short.offset, start, u32::MAX.into());
    if !is_whole || !is_same {
        return Err(bad(
            "the records at the end of the zip archive contradict each other",
        ));
    }
    Ok(Some((
        Directory {
            entries,
            offset: start,
            size,
        },
        offset,
    )))
}

fn read_directory(
    archive: &mut (impl Read + Seek),
    directory: &Directory,
) -> io::Result<Vec<Entry>> {
    // Each entry has 46 bytes and a name, so the number needs no other bound.
    let bytes = read_at(archive, directory.offset, directory.size)?;
    let mut fields = Fields(&bytes);
    let mut entries = Vec::new();
    while !fields.0.is_empty() {
        entries.push(read_entry(&mut fields)?);
        if entries.len() as u64 > MAX_FILES {
            return Err(bad(format!("it has more than {} files", MAX_FILES)));
        }
    }
    if entries.len() as u64 != directory.entries {
        return Err(bad(
            "the directory of the zip archive has another number of entries than it says",
        ));
    }
    Ok(entries)
}

fn read_entry(fields: &mut Fields<'_>) -> io::Result<Entry> {
    fields.signature(b"PK\x01\x02")?;
    fields.bytes(4)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.bytes(4)?;
    let crc = fields.u32()?;
    let (mut packed, mut length) = (u64::from(fields.u32()?), u64::from(fields.u32()?));
    let (name, extra, comment) = (fields.u16()?, fields.u16()?, fields.u16()?);
    let disk = fields.u16()?;
    fields.bytes(6)?;
    let mut offset = u64::from(fields.u32()?);
    let name = fields.bytes(name.into())?.to_vec();
    let mut extra = Fields(fields.bytes(extra.into())?);
    fields.bytes(comment.into())?;
    let shown = || {
        String::from_utf8_lossy(&name)
            .chars()
            .take(80)
            .collect::<String>()
            .escape_debug()
            .to_string()
    };
    if disk != 0 || flags & 1 != 0 || !matches!(method, 0 | 8) {
        return Err(bad(format!(
            "`{}` is encrypted, or compressed in a way that wheels are not",
            shown()
        )));
    }
    // zip64: sizes of more than 32 bits are in an extra field, in this order, each only if it is
    // needed.
    let mut is_long = false;
    while extra.0.len() >= 4 {
        let (kind, size) = (extra.u16()?, extra.u16()?);
        let mut field = Fields(extra.bytes(size.into())?);
        if kind == 1 {
            if std::mem::replace(&mut is_long, true) {
                return Err(bad(format!("`{}` has its size twice", shown())));
            }
            for value in [&mut length, &mut packed, &mut offset] {
                if *value == u64::from(u32::MAX) {
                    *value = field.number(8)?;
                }
            }
        }
    }
    Ok(Entry {
        name,
        flags,
        method,
        crc,
        packed,
        length,
        offset,
    })
}

/// A file to unpack: its entry, the latest offset where its content ends, and its path in the tree.
type Wanted<'a> = (&'a Entry, u64, String);

/// Returns the files to unpack, and the room that they leave. Everything is checked before the
/// first is written.
fn judge(
    entries: &[Entry],
    archive: u64,
    mut room: super::Room,
) -> io::Result<(Vec<Wanted<'_>>, super::Room)> {
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|entry| entry.offset);
    let ends = order
        .iter()
        .skip(1)
        .map(|entry| entry.offset)
        .chain([archive]);
    let (mut names, mut directories, mut total, mut files) =
        (HashSet::new(), Directories::default(), 0_u64, 0_u64);
    let mut wanted = Vec::new();
    for (entry, end) in order.iter().zip(ends) {
        let least = 30 + entry.name.len() as u64;
        let is_inside = entry
            .offset
            .checked_add(least)
            .and_then(|start| start.checked_add(entry.packed))
            .is_some_and(|last| last <= end);
        let name = match entry.name.strip_suffix(b"/") {
            Some(directory) if entry.length == 0 => path(directory)?,
            _ => path(&entry.name)?,
        };
        if !is_inside {
            return Err(bad(format!(
                "`{}` overlaps with another entry",
                name.escape_debug()
            )));
        }
        if !names.insert(name.clone()) {
            return Err(bad(format!("`{}` is there twice", name.escape_debug())));
        }
        if entry.method == 0 && entry.packed != entry.length {
            return Err(bad(format!("`{}` has two sizes", name.escape_debug())));
        }
        total = total.saturating_add(entry.length);
        files += 1 + directories.new_above(&name);
        if !entry.name.ends_with(b"/")
            && let Some(place) = place(&name)
        {
            wanted.push((*entry, end, place.to_owned()));
        }
    }
    judge_ratio(total, archive)?;
    room.take(total, files)?;
    Ok((wanted, room))
}

/// Returns the path of a wheel's file in the tree; none for files that no program imports.
fn place(name: &str) -> Option<&str> {
    let Some((first, rest)) = name.split_once('/') else {
        return Some(name);
    };
    if first == "bin" {
        return None;
    }
    if !first.ends_with(".data") {
        return Some(name);
    }
    match rest.split_once('/') {
        Some(("purelib" | "platlib" | "data", rest)) if !rest.starts_with("bin/") => Some(rest),
        _ => None,
    }
}

fn extract(
    archive: &mut (impl Read + Seek),
    entry: &Entry,
    end: u64,
    place: &str,
    writer: &mut Writer<'_>,
) -> io::Result<()> {
    let header = read_at(archive, entry.offset, 30 + entry.name.len() as u64)?;
    let mut fields = Fields(&header);
    fields.signature(b"PK\x03\x04")?;
    fields.bytes(2)?;
    let (flags, method) = (fields.u16()?, fields.u16()?);
    fields.bytes(4)?;
    let (crc, packed, length) = (fields.u32()?, fields.u32()?, fields.u32()?);
    let (name_length, extra) = (fields.u16()?, fields.u16()?);
    let name = fields.bytes(entry.name.len())?;
    // With this flag they are in a data descriptor after the file, and zero here.
    let is_later = flags & 8 != 0;
    let same = |here: u32, there: u64| is_later || here == u32::MAX || u64::from(here) == there;
    let agrees = flags == entry.flags
        && method == entry.method
        && usize::from(name_length) == entry.name.len()
        && name == entry.name
        && (is_later || crc == entry.crc)
        && same(packed, entry.packed)
        && same(length, entry.length);
    let start = entry
        .offset
        .checked_add(30 + u64::from(name_length) + u64::from(extra));
    let Some(start) = start.filter(|start| {
        agrees
            && start
                .checked_add(entry.packed)
                .is_some_and(|last| last <= end)
    }) else {
        return Err(bad(format!(
            "what stands before `{}` is not what the directory says of it",
            place.escape_debug()
        )));
    };
    archive.seek(SeekFrom::Start(start))?;
    let packed = archive.take(entry.packed);
    let mut content = Summed {
        content: if entry.method == 0 {
            Content::Plain(packed)
        } else {
            Content::Deflated(DeflateDecoder::new(packed))
        },
        sum: Crc::new(),
    };
    writer.file(place, entry.length, &mut content)?;
    if content.sum.sum() != entry.crc {
        return Err(bad(format!("`{}` is damaged", place.escape_debug())));
    }
    Ok(())
}

enum Content<R: Read> {
    Plain(R),
    Deflated(DeflateDecoder<R>),
}

/// Content with its checksum.
struct Summed<R: Read> {
    content: Content<R>,
    sum: Crc,
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = match &mut self.content {
            Content::Plain(content) => content.read(buffer)?,
            Content::Deflated(content) => content.read(buffer)?,
        };
        self.sum.update(buffer.get(..got).unwrap_or_default());
        Ok(got)
    }
}
