//! Log rotation and retention: how does an audit log stay small, and how can old parts be deleted?
//!
//! A log in a folder is written to `audit.jsonl`. A complete segment is renamed to `audit-N.jsonl`,
//! where N is the number of bytes before it, and the new one continues its chain. So a byte offset
//! in the whole log stays valid whatever becomes of the files.

use super::check::ChainError;
use glovebox_host::lock::LockedFile;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The name of the current segment.
pub const CURRENT: &str = "audit.jsonl";

/// The name of the next segment until it is renamed to [`CURRENT`].
const NEXT: &str = "audit.jsonl.next";

/// Digits of the number in a file name: names sort like numbers.
const DIGITS: usize = 20;

/// Returns the byte offset of the segment with this name in the log; none for the current segment
/// and for files that are no segments.
#[must_use]
pub fn segment_start(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Returns the segments of the log in a folder, from the oldest to the newest; the current one, if
/// there is one, is last.
///
/// # Errors
///
/// If the folder cannot be read.
pub fn segments(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(start) = entry.file_name().to_str().and_then(segment_start) {
            found.push((start, entry.path()));
        }
    }
    found.sort();
    let current = Some(folder.join(CURRENT)).filter(|path| path.is_file());
    Ok(found
        .into_iter()
        .map(|(_, path)| path)
        .chain(current)
        .collect())
}

/// Opens a log for its only writer, under an exclusive lock.
#[expect(
    clippy::disallowed_methods,
    reason = "the log is a file that the operator named"
)]
pub(super) fn open(path: &Path) -> Result<LockedFile, ChainError> {
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    LockedFile::try_lock(file).map_err(|error| match error {
        TryLockError::WouldBlock => ChainError::InUse,
        TryLockError::Error(error) => ChainError::Unreadable(error),
    })
}

/// Opens a segment for reading.
#[expect(
    clippy::disallowed_methods,
    reason = "the operator named the folder that it is in"
)]
pub(super) fn read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Returns whether a file has at least one whole line.
fn has_record(mut file: &File) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut line)?;
    file.rewind()?;
    Ok(line.ends_with(b"\n"))
}

/// The segments of a log in a folder.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    /// Bytes of all segments before the current one.
    start: u64,
    /// Bytes after which a segment is complete.
    most: u64,
    /// The complete segment that is continued.
    taken: Option<PathBuf>,
}

impl Segments {
    /// Opens the segments in a folder. Returns the current file and the complete ones, from the
    /// oldest to the newest.
    ///
    /// A process that was killed during rotation leaves a segment without a whole record. The one
    /// before it is continued instead, as if it had not been complete: see [`Segments::take_back`].
    pub(super) fn open(
        folder: &Path,
        most: u64,
    ) -> Result<(LockedFile, Vec<PathBuf>, Self), ChainError> {
        let current = folder.join(CURRENT);
        let (mut file, mut taken) = (open(&current)?, None);
        let mut complete = segments(folder)?;
        complete.retain(|path| *path != current);
        if !has_record(&file)?
            && let Some(newest) = complete.pop()
        {
            file = open(&newest)?;
            taken = Some(newest);
        }
        let start = match complete.last() {
            None => 0,
            Some(path) => {
                let start = path
                    .file_name()
                    .and_then(|name| segment_start(name.to_str()?))
                    .unwrap_or(0);
                start.saturating_add(std::fs::metadata(path)?.len())
            }
        };
        Ok((
            file,
            complete,
            Self {
                folder: folder.to_owned(),
                start,
                most: most.max(1),
                taken,
            },
        ))
    }

    /// Renames the continued segment to the current one. Only after the log is verified: a log that
    /// is refused is left unchanged.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        if let Some(taken) = &self.taken {
            std::fs::rename(taken, self.current())?;
            self.taken = None;
        }
        Ok(())
    }

    /// Returns the path of the current segment.
    pub(super) fn current(&self) -> PathBuf {
        self.folder.join(CURRENT)
    }

    /// Returns whether the current segment is the first.
    pub(super) fn is_first(&self) -> bool {
        self.start == 0
    }

    /// Opens the folder itself, for fsync of its entries.
    pub(super) fn folder(&self) -> io::Result<File> {
        read(&self.folder)
    }

    pub(super) fn is_complete(&self, bytes: u64) -> bool {
        bytes >= self.most
    }

    /// Renames the current segment, of this many bytes, to a complete one; returns the next one.
    #[expect(clippy::disallowed_methods, reason = "the operator named this folder")]
    pub(super) fn rotate(&mut self, bytes: u64) -> Result<LockedFile, ChainError> {
        let (next, current) = (self.folder.join(NEXT), self.current());
        let complete = self
            .folder
            .join(format!("audit-{:0DIGITS$}.jsonl", self.start));
        // A process that was killed here left an empty file.
        let _ = std::fs::remove_file(&next);
        let file = open(&next)?;
        std::fs::rename(&current, &complete)?;
        if let Err(error) = std::fs::rename(&next, &current) {
            std::fs::rename(&complete, &current)?;
            return Err(error.into());
        }
        self.start = self.start.saturating_add(bytes);
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments_are_told_from_others() {
        for (name, start) in [
            ("audit-00000000000000000000.jsonl", Some(0)),
            ("audit-00000000000067108999.jsonl", Some(67_108_999)),
            ("audit-18446744073709551615.jsonl", Some(u64::MAX)),
            ("audit-18446744073709551616.jsonl", None),
            ("audit-1.jsonl", None),
            ("audit-+0000000000000000001.jsonl", None),
            ("audit.jsonl", None),
            ("audit-00000000000000000000.jsonl.gz", None),
        ] {
            assert_eq!(segment_start(name), start, "{name}");
        }
    }
}
