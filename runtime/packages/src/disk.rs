//! Disk use: how much do files take, and what are the limits of one package tree?

use cap_std::fs::{Dir, MetadataExt as _, Permissions, PermissionsExt as _};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::PathBuf;

/// Maximum bytes of all files of one tree.
pub(crate) const MAX_BYTES: u64 = 2 << 30;

/// Maximum files of one tree.
pub(crate) const MAX_FILES: u64 = 200_000;

/// The unit in bytes of `st_blocks`.
const SECTOR_BYTES: u64 = 512;

/// The block size of the disk in bytes: files and directories take whole blocks.
pub(crate) const BLOCK_BYTES: u64 = 4096;

/// Bytes of an entry besides its content: its inode, its name in its directory, and in the file
/// list of a part.
pub(crate) const ENTRY_BYTES: u64 = 512;

/// The files of a directory, by their paths below it, with their lengths.
pub(crate) type Files = BTreeMap<String, u64>;

/// Maximum depth of nested directories.
pub(crate) const MAX_DEPTH: usize = 60;

/// The need of a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes on disk.
    pub(crate) bytes: u64,
    /// Files and directories, each of which is an inode.
    pub(crate) entries: u64,
}

/// Returns the bytes on disk of a file of that length.
pub(crate) fn occupied(length: u64) -> u64 {
    length
        .checked_next_multiple_of(BLOCK_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(ENTRY_BYTES)
}

/// Returns the bytes on disk of files, with their directories.
pub(crate) fn occupied_by<'a>(files: impl Iterator<Item = (&'a String, u64)>) -> u64 {
    let mut directories = HashSet::from([""]);
    let mut bytes = 0_u64;
    for (path, length) in files {
        bytes = bytes
            .saturating_add(occupied(length))
            .saturating_add(path.len() as u64);
        directories.extend(path.match_indices('/').filter_map(|(at, _)| path.get(..at)));
    }
    bytes.saturating_add(directories.len() as u64 * occupied(1))
}

/// Returns the bytes on disk and the number of files of a directory that another process is writing
/// to, as far as visible.
pub(crate) fn used(directory: &Dir) -> (u64, u64) {
    let mut total = (0, 0);
    // By name: an open file descriptor for each directory could be too many.
    let mut left = vec![PathBuf::from(".")];
    while let Some(path) = left.pop() {
        for entry in directory.read_dir(&path).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else {
                continue;
            };
            total = (total.0 + found.blocks() * SECTOR_BYTES, total.1 + 1);
            if found.is_dir() {
                left.push(path.join(entry.file_name()));
            }
        }
    }
    total
}

/// Returns whether there are more files and directories below a directory than this, without
/// visiting many more.
pub(crate) fn has_many(directory: &Dir, few: usize) -> bool {
    let mut count = 0;
    let mut left = vec![PathBuf::from(".")];
    while let Some(path) = left.pop() {
        for entry in directory.read_dir(&path).into_iter().flatten().flatten() {
            count += 1;
            if count > few {
                return true;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                left.push(path.join(entry.file_name()));
            }
        }
    }
    false
}

/// Creates a world-readable directory, if it does not exist.
pub(crate) fn make_directory(into: &Dir, path: &str) -> io::Result<()> {
    match into.create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if !into.symlink_metadata(path)?.is_dir() => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("`{}` is a file and a directory", path.escape_debug()),
        )),
        _ => into.set_permissions(path, Permissions::from_mode(0o755)),
    }
}
