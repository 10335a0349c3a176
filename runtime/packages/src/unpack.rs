//! Archive extraction (zip bomb protection): how does an archive become files, within its limits?
//!
//! An archive is measured before anything of it is written, and counted again while it is written:
//! bytes, files and directories are taken from one [`Room`] that all archives of a set share. Only
//! regular files and their directories are ever created.

mod tarball;
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests;
mod wheel;

pub(crate) use tarball::tarball;
pub(crate) use wheel::wheel;

use crate::disk::{
    BLOCK_BYTES, ENTRY_BYTES, MAX_BYTES, MAX_DEPTH, MAX_FILES, Need, make_directory,
};
use cap_std::fs::{Dir, OpenOptions, PermissionsExt as _};
use std::collections::HashSet;
use std::io::{self, Read, Write as _};

/// The longest path in bytes.
const MAX_PATH: usize = 1024;

/// The longest name in a path in bytes, the limit of file systems.
const MAX_NAME: usize = 255;

/// Bytes that are written between two checks for cancellation.
const CHUNK: usize = 64 << 10;

/// Content from this size on has its compression ratio checked.
const LARGE: u64 = 64 << 20;

/// The highest compression ratio of a large content. Ordinary packages are below 20.
const MAX_RATIO: u64 = 100;

/// The remaining limits of a whole set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

impl Room {
    /// Takes this much of it, or fails.
    pub(crate) fn take(&mut self, bytes: u64, files: u64) -> io::Result<()> {
        match (self.bytes.checked_sub(bytes), self.files.checked_sub(files)) {
            (Some(bytes), Some(files)) => {
                *self = Self { bytes, files };
                Ok(())
            }
            _ => Err(bad(format!(
                "they come to more than a set of packages may have ({} files and directories, {} GiB)",
                MAX_FILES,
                MAX_BYTES >> 30
            ))),
        }
    }
}

/// Returns an error about an invalid archive.
pub(crate) fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Refuses the compression ratio of a zip bomb.
fn judge_ratio(content: u64, archive: u64) -> io::Result<()> {
    if content > LARGE && content / MAX_RATIO > archive {
        return Err(bad(format!(
            "{archive} bytes would become {content}, more than {MAX_RATIO} times as much"
        )));
    }
    Ok(())
}

/// Validates a path below the directory where an archive is unpacked.
pub(crate) fn path(name: &[u8]) -> io::Result<String> {
    let shown = || {
        String::from_utf8_lossy(name.get(..80).unwrap_or(name))
            .escape_debug()
            .to_string()
    };
    let text =
        str::from_utf8(name).map_err(|_| bad(format!("the name `{}` is not UTF-8", shown())))?;
    if name.len() > MAX_PATH {
        return Err(bad(format!(
            "the name `{}..` has more than {MAX_PATH} bytes",
            shown()
        )));
    }
    let mut depth = 0;
    for part in text.split('/') {
        depth += 1;
        if matches!(part, "" | "." | "..")
            || part.len() > MAX_NAME
            || part.contains(|c: char| c.is_control() || c == '\\')
        {
            return Err(bad(format!(
                "the name `{}` leads elsewhere, or no file has such a name",
                shown()
            )));
        }
    }
    if depth > MAX_DEPTH {
        return Err(bad(format!(
            "the name `{}..` has more than {MAX_DEPTH} directories",
            shown()
        )));
    }
    Ok(text.to_owned())
}

/// The directories of files, which take up room as well.
#[derive(Default)]
struct Directories(HashSet<String>);

impl Directories {
    /// Adds the directories above a file, and returns the number of new ones.
    fn new_above(&mut self, path: &str) -> u64 {
        let mut new = 0;
        for (at, _) in path.rmatch_indices('/') {
            // Everything above a known one is known.
            if !self.0.insert(path.get(..at).unwrap_or_default().to_owned()) {
                break;
            }
            new += 1;
        }
        new
    }
}

/// Writes the files of one archive.
pub(crate) struct Writer<'a> {
    into: &'a Dir,
    room: &'a mut Room,
    account: &'a Account<'a>,
    directories: HashSet<String>,
}

/// The account of an extraction, which may cancel it.
pub(crate) struct Account<'a> {
    /// Called with the total before the first write.
    pub(crate) reserve: &'a dyn Fn(Need) -> io::Result<()>,
    /// Called for each chunk.
    pub(crate) spend: &'a dyn Fn(u64) -> io::Result<()>,
}

impl<'a> Writer<'a> {
    /// Writes below `into`, within the room, for as long as the account permits.
    pub(crate) fn new(into: &'a Dir, room: &'a mut Room, account: &'a Account<'a>) -> Self {
        Self {
            into,
            room,
            account,
            directories: HashSet::new(),
        }
    }

    /// Reserves the total: so many bytes of content in so many files and directories.
    fn reserve(&self, bytes: u64, entries: u64) -> io::Result<()> {
        // Each takes less than a block more than its content.
        let bytes = bytes.saturating_add(entries.saturating_mul(BLOCK_BYTES + ENTRY_BYTES));
        (self.account.reserve)(Need { bytes, entries })
    }

    /// Writes a file; `path` was validated by [`path`]. Its content has exactly this length.
    pub(crate) fn file(
        &mut self,
        path: &str,
        length: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        self.room.take(length, 1)?;
        (self.account.spend)(ENTRY_BYTES)?;
        self.parents(path)?;
        let mut file = self.into.open_with(
            path,
            OpenOptions::new().write(true).create(true).truncate(true),
        )?;
        // Containers run as another user than the one that fetched the package.
        file.set_permissions(cap_std::fs::Permissions::from_mode(0o644))?;
        let mut buffer = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK);
            let got = content.read(buffer.get_mut(..wanted).unwrap_or_default())?;
            if got == 0 {
                return Err(bad(format!(
                    "`{}` is shorter than the archive says",
                    path.escape_debug()
                )));
            }
            (self.account.spend)(got as u64)?;
            file.write_all(buffer.get(..got).unwrap_or_default())?;
            left = left.saturating_sub(got as u64);
        }
        if content.read(&mut [0])? > 0 {
            return Err(bad(format!(
                "`{}` is longer than the archive says",
                path.escape_debug()
            )));
        }
        Ok(())
    }

    fn parents(&mut self, path: &str) -> io::Result<()> {
        for (at, _) in path.match_indices('/') {
            let directory = path.get(..at).unwrap_or_default();
            if self.directories.contains(directory) {
                continue;
            }
            self.room.take(0, 1)?;
            (self.account.spend)(BLOCK_BYTES + ENTRY_BYTES)?;
            make_directory(self.into, directory)?;
            self.directories.insert(directory.to_owned());
        }
        Ok(())
    }
}
