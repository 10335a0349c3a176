//! Own folders: which directories does this process keep its guests, machine code, packages and
//! state in?
//!
//! A program that could write to one of them through a mount would have its machine code executed
//! by the next process, and one that could read the state of a service would read the records of
//! other tenants. Every folder is registered where it is opened ([`Folder::open`] and
//! [`Folder::create`]), so that none can be forgotten.
//!
//! [`Folder::open`]: crate::folder::Folder::open
//! [`Folder::create`]: crate::folder::Folder::create

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The contents of an own folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contents {
    /// Programs must not change it.
    Trusted,
    /// They must not read it either.
    Private,
}

/// Most folders that are registered: beyond what one process opens, and a bound for an embedder
/// that opens a sandbox in one temporary directory after another.
const MAX_FOLDERS: usize = 4096;

static FOLDERS: Mutex<BTreeMap<PathBuf, Contents>> = Mutex::new(BTreeMap::new());

/// Keeps programs from changing a folder, even before anything in it is opened.
pub fn protect(folder: &Path) {
    register(whole(folder), Contents::Trusted);
}

/// Returns the path without symlinks, as far as it is known.
fn whole(folder: &Path) -> PathBuf {
    let found = folder
        .canonicalize()
        .or_else(|_| std::path::absolute(folder));
    found.unwrap_or_else(|_| folder.to_owned())
}

/// Registers a folder by its path without symlinks.
pub(crate) fn register(path: PathBuf, contents: Contents) {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if folders.len() >= MAX_FOLDERS {
        folders.retain(|path, _| path.exists());
    }
    let known = folders.entry(path).or_insert(contents);
    *known = contents.max(*known);
}

/// A directory inside an own folder that programs of Glovebox itself work in: it can be mounted
/// until this is dropped.
#[derive(Debug)]
pub struct Lent(PathBuf);

/// The directories that are lent.
static LENT: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Lends a directory.
#[must_use]
pub fn lend(directory: &Path) -> Lent {
    let directory = whole(directory);
    let mut lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
    lent.push(directory.clone());
    Lent(directory)
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = lent.iter().position(|directory| *directory == self.0) {
            lent.swap_remove(found);
        }
    }
}

/// The access of a program to a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing can be changed, including times.
    ReadOnly,
    /// Files can be created, changed and removed.
    ReadWrite,
}

/// Returns the own folder that a mount of this directory would open to a program: one that it lies
/// in, or one inside it, unless that has no secrets and the mount is read-only.
#[must_use]
pub fn opened_by_mount(directory: &Path, access: Access) -> Option<PathBuf> {
    let lent = LENT.lock().unwrap_or_else(PoisonError::into_inner);
    if lent.iter().any(|lent| lent == directory) {
        return None;
    }
    drop(lent);
    let folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut folders = folders.iter();
    let found = folders.find(|(own, contents)| {
        directory.starts_with(own)
            || own.starts_with(directory)
                && (access == Access::ReadWrite || **contents == Contents::Private)
    });
    found.map(|(own, _)| own.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_open_what_they_lie_in_and_what_lies_in_them() {
        register("/own-test/home/.cache/code".into(), Contents::Trusted);
        register("/own-test/state".into(), Contents::Trusted);
        register("/own-test/state".into(), Contents::Private);
        register("/own-test/state".into(), Contents::Trusted);
        for (directory, is_writable, is_open) in [
            ("/own-test/home/.cache/code", false, true),
            ("/own-test/home/.cache/code/a", false, true),
            ("/own-test/home/.cache", true, true),
            ("/own-test/home", true, true),
            ("/own-test/home", false, false),
            ("/own-test/home/.cache/codes", true, false),
            ("/own-test/home/data", true, false),
            ("/own-test/state", false, true),
            ("/own-test/state/blobs", true, true),
            ("/own-test", false, true),
            ("/own-test/states", true, false),
        ] {
            let access = if is_writable {
                Access::ReadWrite
            } else {
                Access::ReadOnly
            };
            let found = opened_by_mount(Path::new(directory), access);
            assert_eq!(found.is_some(), is_open, "{directory} {is_writable}");
        }
        let work = Path::new("/own-test/state/work");
        let lent = [lend(work), lend(work)];
        for lent in lent {
            assert_eq!(opened_by_mount(work, Access::ReadWrite), None);
            assert!(opened_by_mount(&work.join("below"), Access::ReadWrite).is_some());
            drop(lent);
        }
        assert!(opened_by_mount(work, Access::ReadWrite).is_some());
    }
}
