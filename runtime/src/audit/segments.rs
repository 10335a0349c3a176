//! How does an audit log stay small enough to be opened, and to be taken away piece by piece?
//!
//! A log in a folder is written to `audit.jsonl`. When that is large it becomes `audit-N.jsonl`, where N is how many bytes were written
//! before it, and a new one goes on with its chain. So a place in the whole log keeps its number, whatever becomes of the files.

use super::check::ChainError;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The file that is written to.
pub const CURRENT: &str = "audit.jsonl";

/// What it is called before it is that.
const NEXT: &str = "audit.jsonl.next";

/// Digits of the number in a name: names sort like numbers.
const DIGITS: usize = 20;

/// How many bytes of a log in a folder were written before the segment of this name; none for the one that is written to, and for files
/// that are no segments.
#[must_use]
pub fn segment_start(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("audit-")?.strip_suffix(".jsonl")?;
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// The segments of the log in a folder, the oldest first and the one that is written to, if there is one, last.
///
/// # Errors
///
/// Where the folder cannot be read.
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
    Ok(found.into_iter().map(|(_, path)| path).chain(current).collect())
}

/// Opens a log for whoever is the only one to write to it.
#[expect(clippy::disallowed_methods, reason = "the log is a file that the operator named")]
pub(super) fn open(path: &Path) -> Result<File, ChainError> {
    let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => ChainError::InUse,
        std::fs::TryLockError::Error(error) => ChainError::Unreadable(error),
    })?;
    Ok(file)
}

/// Opens a segment to read it.
#[expect(clippy::disallowed_methods, reason = "the operator named the folder that it is in")]
pub(super) fn read(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether a file has at least one whole line.
fn has_record(mut file: &File) -> io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(file).read_until(b'\n', &mut line)?;
    file.rewind()?;
    Ok(line.ends_with(b"\n"))
}

/// Where segments go.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    /// Bytes of all segments before the one that is written to.
    start: u64,
    /// Bytes after which a segment is complete.
    most: u64,
    /// The complete one that is gone on with.
    taken: Option<PathBuf>,
}

impl Segments {
    /// The segments in a folder. Gives the file that is written to and the complete ones, the oldest first.
    ///
    /// A process that was killed between two segments leaves one without a whole record. The one before it is gone on with instead, as if it
    /// had not been complete: see [`Segments::take_back`].
    pub(super) fn open(folder: &Path, most: u64) -> Result<(File, Vec<PathBuf>, Self), ChainError> {
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
                let start = path.file_name().and_then(|name| segment_start(name.to_str()?)).unwrap_or(0);
                start.saturating_add(std::fs::metadata(path)?.len())
            }
        };
        Ok((file, complete, Self { folder: folder.to_owned(), start, most: most.max(1), taken }))
    }

    /// Gives the name of the file that is written to to the segment that is gone on with. Not before the log is known to be the right one:
    /// what is refused stays as it was found.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        if let Some(taken) = &self.taken {
            std::fs::rename(taken, self.current())?;
            self.taken = None;
        }
        Ok(())
    }

    /// The file that is written to.
    pub(super) fn current(&self) -> PathBuf {
        self.folder.join(CURRENT)
    }

    /// Whether there is no segment before the one that is written to.
    pub(super) fn is_first(&self) -> bool {
        self.start == 0
    }

    /// The folder itself, whose names can be brought to the disk.
    pub(super) fn folder(&self) -> io::Result<File> {
        read(&self.folder)
    }

    pub(super) fn is_complete(&self, bytes: u64) -> bool {
        bytes >= self.most
    }

    /// Puts the segment that is written to, which has so many bytes, beside the complete ones; gives the next one.
    #[expect(clippy::disallowed_methods, reason = "the operator named this folder")]
    pub(super) fn rotate(&mut self, bytes: u64) -> Result<File, ChainError> {
        let (next, current) = (self.folder.join(NEXT), self.current());
        let complete = self.folder.join(format!("audit-{:0DIGITS$}.jsonl", self.start));
        // What a process that was killed here has left is empty.
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
