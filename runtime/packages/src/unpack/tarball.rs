//! npm tarball reader: which files does a gzipped tar archive hold?
//!
//! A gzipped archive does not declare its uncompressed size, so it is read twice: once to measure
//! it, counting as it is decompressed and no further than there is room, and once to write it.
//! Extension headers are read by our own code, so that a name cannot be as long as the archive.

use super::{Directories, LARGE, MAX_RATIO, Writer, bad, path};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read, Seek, SeekFrom};
use tar::{Archive, EntryType};

/// The largest extension header in bytes, such as a long name.
const MAX_HEADER: u64 = 64 << 10;

/// The most bytes of headers and padding of one file.
const PER_FILE: u64 = 4 << 10;

/// A reader with a limit.
struct Counted<R> {
    content: R,
    most: u64,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.content.read(buffer)?;
        self.left = self.left.checked_sub(got as u64).ok_or_else(|| {
            bad(format!(
                "it comes to more than {} MiB: there is no more room in its set, or it is {MAX_RATIO} times the archive",
                self.most >> 20
            ))
        })?;
        Ok(got)
    }
}

/// Unpacks the files of an npm package.
pub(crate) fn tarball(archive: &mut (impl Read + Seek), writer: &mut Writer<'_>) -> io::Result<()> {
    let length = archive.seek(SeekFrom::End(0))?;
    let mut room = *writer.room;
    let before = room;
    let most = room
        .bytes
        .saturating_add(room.files.saturating_mul(PER_FILE))
        .min(length.saturating_mul(MAX_RATIO).max(LARGE));
    let mut directories = Directories::default();
    each(archive, most, &mut |path, length, _| {
        room.take(length, 1 + directories.new_above(path))
    })?;
    writer.reserve(
        before.bytes.saturating_sub(room.bytes),
        before.files.saturating_sub(room.files),
    )?;
    each(archive, most, &mut |path, length, content| {
        writer.file(path, length, content)
    })
}

/// Calls back for every file of the archive, with its path below the top folder.
fn each(
    archive: &mut (impl Read + Seek),
    most: u64,
    found: &mut dyn FnMut(&str, u64, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    archive.seek(SeekFrom::Start(0))?;
    let mut archive = Archive::new(Counted {
        content: MultiGzDecoder::new(archive),
        most,
        left: most,
    });
    let mut long_name: Option<Vec<u8>> = None;
    let mut said_length: Option<u64> = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        let length = entry.size();
        match kind {
            EntryType::GNULongName => long_name = Some(trimmed(header(&mut entry, length)?)),
            EntryType::XHeader => {
                let (name, said) = extended(&header(&mut entry, length)?)?;
                long_name = name.or(long_name);
                said_length = said.or(said_length);
            }
            // Names of links, which are no files, and global headers.
            EntryType::GNULongLink | EntryType::XGlobalHeader => drop(header(&mut entry, length)?),
            EntryType::Regular | EntryType::Continuous => {
                // Only a file that is larger than any here has a length that its own header lacks.
                if said_length.take().is_some_and(|said| said != length) {
                    return Err(bad("a file has another size in an extended header"));
                }
                let name = long_name
                    .take()
                    .unwrap_or_else(|| entry.path_bytes().into_owned());
                if let Some(path) = below(&name)? {
                    found(&path, length, &mut entry)?;
                }
            }
            // npm creates none of these either.
            EntryType::Directory | EntryType::Link | EntryType::Symlink => {
                long_name = None;
                said_length = None;
            }
            _ => return Err(bad("it has entries that are neither files nor directories")),
        }
    }
    Ok(())
}

/// Returns the path of a file below the archive's first folder, whatever its name; none for files
/// beside it, as in npm.
fn below(name: &[u8]) -> io::Result<Option<String>> {
    // Old archives have directories as files whose names end in a slash.
    if name.ends_with(b"/") {
        return Ok(None);
    }
    let parts: Vec<&[u8]> = name
        .split(|byte| *byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .skip(1)
        .collect();
    if parts.is_empty() {
        Ok(None)
    } else {
        path(&parts.join(&b'/')).map(Some)
    }
}

fn header(entry: &mut impl Read, length: u64) -> io::Result<Vec<u8>> {
    if length > MAX_HEADER {
        return Err(bad(format!(
            "a header of the archive has more than {} KiB",
            MAX_HEADER >> 10
        )));
    }
    let mut content = Vec::new();
    entry.take(length).read_to_end(&mut content)?;
    Ok(content)
}

fn trimmed(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

/// Returns the name and the length that an extended (pax) header has for the file after it.
fn extended(header: &[u8]) -> io::Result<(Option<Vec<u8>>, Option<u64>)> {
    let (mut name, mut length) = (None, None);
    for field in tar::PaxExtensions::new(header) {
        let field = field?;
        match field.key_bytes() {
            b"path" => name = Some(field.value_bytes().to_vec()),
            b"size" => {
                let said = field.value().ok().and_then(|said| said.parse().ok());
                length = Some(said.ok_or_else(|| bad("the size in an extended header is none"))?);
            }
            key if key.starts_with(b"GNU.sparse") => return Err(bad("it has files with holes")),
            _ => {}
        }
    }
    Ok((name, length))
}
