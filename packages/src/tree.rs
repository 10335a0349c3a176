//! How does what was fetched become a tree that runs can share?
//!
//! Regular files and directories only, none larger than it may be, in the order of their names and without times: the same packages are the
//! same bytes.

use crate::unpack::{MAX_DEPTH, make_directory};
use cap_std::fs::{Dir, DirEntry, MetadataExt as _, PermissionsExt as _};
use glovebox::Error;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read as _, Write};
use std::path::PathBuf;

/// Bytes of all files of one tree.
pub(crate) const MAX_BYTES: u64 = 2 << 30;

/// Files of one tree.
pub(crate) const MAX_FILES: u64 = 200_000;

/// Bytes of the unit in which the system counts what a file occupies.
const BLOCK: u64 = 512;

/// The files of a directory, by their paths below it, with their lengths.
pub(crate) type Files = BTreeMap<String, u64>;

/// Lists a directory, and makes every file readable and none executable by others than its owner's tools need.
pub(crate) fn list(directory: &Dir) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut bytes = 0;
    walk(directory, "", 0, &mut |path, length| {
        bytes += length;
        if bytes > MAX_BYTES || files.len() as u64 >= MAX_FILES {
            let what = format!("they come to more than {} files or {} GiB", MAX_FILES, MAX_BYTES >> 30);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        files.insert(path, length);
        Ok(())
    })
    .map_err(|error| Error::Packages(format!("what was fetched cannot be used: {error}")))?;
    Ok(files)
}

fn walk(directory: &Dir, prefix: &str, depth: usize, found: &mut dyn FnMut(String, u64) -> io::Result<()>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("its directories lie too deep in each other"));
    }
    for entry in directory.entries()? {
        let entry: DirEntry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::Error::other("a file's name is not UTF-8"))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // What runs inside is somebody else than who fetched.
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o755))?;
            walk(&entry.open_dir()?, &format!("{path}/"), depth + 1, found)?;
        } else if kind.is_file() {
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o644))?;
            found(path, entry.metadata()?.len())?;
        } else {
            return Err(io::Error::other(format!("`{}` is neither a file nor a directory", path.escape_debug())));
        }
    }
    Ok(())
}

/// Bytes on disk and files of a directory that somebody else is writing to: what can be seen of it.
pub(crate) fn used(directory: &Dir) -> (u64, u64) {
    let mut total = (0, 0);
    // By their names: as many open directories as somebody makes would be too many.
    let mut left = vec![PathBuf::from(".")];
    while let Some(path) = left.pop() {
        for entry in directory.read_dir(&path).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            total = (total.0 + found.blocks() * BLOCK, total.1 + 1);
            if found.is_dir() {
                left.push(path.join(entry.file_name()));
            }
        }
    }
    total
}

/// Files from several directories that lie over each other: the path of each, the directory it comes from, its path there, and its length.
#[derive(Default)]
pub(crate) struct Layers<'a>(BTreeMap<String, (&'a Dir, &'a str, u64)>);

impl<'a> Layers<'a> {
    /// Lays files over those that are there, below `prefix`, which is empty or ends with a slash.
    pub(crate) fn add(&mut self, prefix: &str, directory: &'a Dir, files: &'a Files) -> Result<(), Error> {
        self.0.extend(files.iter().map(|(path, length)| (format!("{prefix}{path}"), (directory, path.as_str(), *length))));
        // The same archive may lie in many places.
        self.bytes().map(drop)
    }

    /// Bytes of all files, if they are no more than a tree may have.
    pub(crate) fn bytes(&self) -> Result<u64, Error> {
        let bytes = self.0.values().map(|(.., length)| length).sum();
        if bytes > MAX_BYTES || self.0.len() as u64 > MAX_FILES {
            return Err(Error::Packages(format!("they come to more than {MAX_FILES} files or {} GiB", MAX_BYTES >> 30)));
        }
        Ok(bytes)
    }

    /// Writes a tar archive.
    pub(crate) fn archive(&self, into: impl Write) -> Result<(), Error> {
        let mut builder = tar::Builder::new(into);
        for (path, (directory, source, length)) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_size(*length);
            header.set_mode(0o644);
            // A file that grew since it was measured would not fit its header.
            let content = directory.open(source).map_err(failed)?.take(*length);
            builder.append_data(&mut header, path, content).map_err(failed)?;
        }
        builder.into_inner().and_then(|mut whole| whole.flush()).map_err(failed)
    }

    /// Makes them the files of a directory, without copying them where that can be.
    pub(crate) fn link(&self, into: &Dir) -> Result<(), Error> {
        let mut directories = HashSet::new();
        for (path, (directory, source, _)) in &self.0 {
            for (at, _) in path.match_indices('/') {
                let parent = path.get(..at).unwrap_or_default();
                if directories.insert(parent) {
                    make_directory(into, parent).map_err(failed)?;
                }
            }
            // A file has a bounded number of names.
            if directory.hard_link(source, into, path).is_err() {
                directory.copy(source, into, path).map_err(failed)?;
                into.set_permissions(path, cap_std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn failed(error: io::Error) -> Error {
    Error::Packages(format!("the packages cannot be put together: {error}"))
}

/// Copies files into another directory.
pub(crate) fn copy(from: &Dir, files: &Files, into: &Dir) -> Result<(), Error> {
    for path in files.keys() {
        for (at, _) in path.match_indices('/') {
            make_directory(into, path.get(..at).unwrap_or_default()).map_err(failed)?;
        }
        from.copy(path, into, path).map_err(failed)?;
        into.set_permissions(path, cap_std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    Ok(())
}
