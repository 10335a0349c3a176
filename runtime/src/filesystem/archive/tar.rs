//! Tar parser: which entries does an archive hold, and at which offsets?
//!
//! Reads headers only. Supports ustar, GNU long names and the pax records `path` and `size`;
//! refuses every other extension that would change the meaning of an entry.

use std::time::Duration;

use bytes::Bytes;

use crate::filesystem::error::ArchiveError;

/// Everything in a tar archive is padded to this many bytes.
const BLOCK: usize = 512;

/// A file or a directory in an archive.
#[derive(Debug)]
pub(super) struct ArchiveMember {
    /// The offset of the header.
    pub(super) at: usize,
    /// The raw name in the archive; not validated yet.
    pub(super) name: String,
    /// The range of a file's content; none for a directory.
    pub(super) file: Option<(usize, usize)>,
    /// Since the Unix epoch.
    pub(super) modified: Duration,
}

/// Iterates over the files and directories of `bytes` in their order; ends after the first error.
pub(super) fn entries(bytes: &Bytes) -> impl Iterator<Item = Result<ArchiveMember, ArchiveError>> {
    let mut reader = Reader {
        bytes,
        position: 0,
        long: Long::default(),
    };
    std::iter::from_fn(move || {
        let next = reader.next().transpose()?;
        if next.is_err() {
            reader.position = reader.bytes.len();
        }
        Some(next)
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    long: Long,
}

/// The extended header before an entry.
#[derive(Default)]
struct Long {
    name: Option<String>,
    size: Option<u64>,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<ArchiveMember>, ArchiveError> {
        loop {
            let at = self.position;
            if at >= self.bytes.len() {
                return Ok(None);
            }
            let header = self.slice(at, BLOCK)?;
            if header.iter().all(|byte| *byte == 0) {
                // Empty blocks mark the end; everything after them is ignored.
                return Ok(None);
            }
            let mut header = Header::read(header).ok_or(ArchiveError::Damaged(at))?;
            let size = if header.is_extension() {
                header.size
            } else {
                self.long.size.take().unwrap_or(header.size)
            };
            let length = usize::try_from(size).map_err(|_| ArchiveError::Truncated(at))?;
            let start = at.saturating_add(BLOCK);
            let body = self.slice(start, length)?;
            let body_text = || std::str::from_utf8(body).map_err(|_| ArchiveError::Name(at));
            match header.kind {
                b'L' => self.long.name = Some(body_text()?.trim_end_matches('\0').to_owned()),
                b'x' => self.long = pax(body).ok_or(ArchiveError::Damaged(at))?,
                b'g' => {}
                _ => {
                    self.position = padded(start, length);
                    let name = self
                        .long
                        .name
                        .take()
                        .or_else(|| header.name.take())
                        .ok_or(ArchiveError::Name(at))?;
                    return entry(at, name, &header, (start, length)).map(Some);
                }
            }
            self.position = padded(start, length);
        }
    }

    fn slice(&self, start: usize, length: usize) -> Result<&[u8], ArchiveError> {
        let end = start.saturating_add(length);
        self.bytes
            .get(start..end)
            .ok_or(ArchiveError::Truncated(self.bytes.len()))
    }
}

fn entry(
    at: usize,
    name: String,
    header: &Header,
    (start, length): (usize, usize),
) -> Result<ArchiveMember, ArchiveError> {
    if name.starts_with('/') {
        return Err(ArchiveError::Name(at));
    }
    let modified = header.modified;
    match header.kind {
        b'5' if length == 0 => Ok(ArchiveMember {
            at,
            name,
            file: None,
            modified,
        }),
        b'0' | 0 if !name.ends_with('/') => Ok(ArchiveMember {
            at,
            name,
            file: Some((start, length)),
            modified,
        }),
        _ => Err(ArchiveError::Kind(name)),
    }
}

struct Header {
    /// None if it is not UTF-8 or empty.
    name: Option<String>,
    size: u64,
    modified: Duration,
    kind: u8,
}

impl Header {
    fn read(block: &[u8]) -> Option<Self> {
        let stored = number(block.get(148..156)?)?;
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        // The checksum is computed with its own field as blanks.
        let own: u64 = block
            .get(148..156)?
            .iter()
            .map(|byte| u64::from(*byte))
            .sum();
        if stored != sum.checked_sub(own)?.checked_add(8 * u64::from(b' '))? {
            return None;
        }
        let mut name = text(block.get(0..100)?);
        if block.get(257..263)? == b"ustar\0"
            && let (Some(prefix), Some(rest)) = (text(block.get(345..500)?), &name)
            && !prefix.is_empty()
        {
            name = Some(format!("{prefix}/{rest}"));
        }
        Some(Self {
            name: name.filter(|name| !name.is_empty()),
            size: number(block.get(124..136)?)?,
            modified: Duration::from_secs(number(block.get(136..148)?)?),
            kind: *block.get(156)?,
        })
    }

    fn is_extension(&self) -> bool {
        matches!(self.kind, b'L' | b'x' | b'g')
    }
}

/// Parses a field that ends at the first zero byte.
fn text(field: &[u8]) -> Option<String> {
    let field = field.split(|byte| *byte == 0).next()?;
    std::str::from_utf8(field).ok().map(str::to_owned)
}

/// Parses an octal number with blanks around it, or GNU's binary form.
fn number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    if *first == 0x80 {
        return rest.iter().try_fold(0u64, |sum, byte| {
            sum.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let digits = text(field)?;
    match digits.trim() {
        "" => Some(0),
        digits => u64::from_str_radix(digits, 8).ok(),
    }
}

/// Parses the records `path` and `size` of a pax header; each is `LENGTH KEY=VALUE
/// `.
fn pax(mut body: &[u8]) -> Option<Long> {
    let mut long = Long::default();
    while !body.is_empty() && body.first() != Some(&0) {
        let blank = body.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(body.get(..blank)?).ok()?.parse().ok()?;
        let record = body
            .get(blank.checked_add(1)?..length)?
            .strip_suffix(b"\n")?;
        let (key, value) = std::str::from_utf8(record).ok()?.split_once('=')?;
        match key {
            "path" => long.name = Some(value.to_owned()),
            "size" => long.size = Some(value.parse().ok()?),
            // A link or a sparse file would be served with wrong content.
            "linkpath" => return None,
            key if key.starts_with("GNU.sparse") => return None,
            _ => {}
        }
        body = body.get(length..)?;
    }
    Some(long)
}

fn padded(start: usize, length: usize) -> usize {
    start.saturating_add(length.div_ceil(BLOCK).saturating_mul(BLOCK))
}
