//! Package folder of a session: how do the packages of a container change while it runs?
//!
//! The mounts of a container are fixed when it is created. So the container of a session has a
//! folder of its own at the place of the packages, read-only like every package tree, in which the
//! host puts hard links to the files of the session's tree.

use glovebox_host::folder::Folder;
use glovebox_host::held::{HeldFolder, HeldFolders};
use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Permissions of directories: programs of a container run as another user.
const FOLDER_MODE: u32 = 0o755;

/// The mounted folder, and the places of what comes and of what goes; beside each other, so that
/// renaming is enough.
const MOUNTED: &str = "mounted";
const NEXT: &str = "next";
const FORMER: &str = "former";

/// Directories of a tree within each other, at most.
const MAX_DEPTH: usize = 64;

/// Creates package folders, below a directory on the file system of the package store.
#[derive(Clone, Debug)]
pub(crate) struct PackageFolders {
    path: PathBuf,
    /// Opened when the first one is created.
    opened: Arc<Mutex<Option<HeldFolders>>>,
}

/// The packages of one container, on the host. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct PackageFolder(HeldFolder);

impl PackageFolders {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            opened: Arc::default(),
        }
    }

    /// Creates an empty folder.
    pub(crate) fn create(&self) -> io::Result<PackageFolder> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let folders = match opened.take() {
            Some(folders) => folders,
            None => {
                let folder = Folder::create(&self.path)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                // Containers mount it by its path, so it has to be the real one.
                let folders = HeldFolders::new(folder.path());
                folders.clear()?;
                folders
            }
        };
        let folder = PackageFolder(opened.insert(folders).begin(0o700)?);
        drop(opened);
        make(&folder.mounted())?;
        Ok(folder)
    }
}

impl PackageFolder {
    /// Returns the directory to mount into the container.
    pub(crate) fn mounted(&self) -> PathBuf {
        self.0.path().join(MOUNTED)
    }

    /// Replaces its content by the files of a tree. A file that is open stays as it was.
    ///
    /// # Errors
    ///
    /// If a file could not be linked or copied; then the former content stays.
    pub(crate) fn supply(&self, tree: Option<&Path>) -> io::Result<()> {
        let place = |name| self.0.path().join(name);
        for name in [NEXT, FORMER] {
            remove(&place(name))?;
            make(&place(name))?;
        }
        if let Some(tree) = tree {
            link(tree, &place(NEXT), 0)?;
        }
        // The mounted directory itself has to stay.
        let move_all = |from, to| -> io::Result<()> {
            for entry in std::fs::read_dir(place(from))? {
                let entry = entry?;
                std::fs::rename(entry.path(), place(to).join(entry.file_name()))?;
            }
            Ok(())
        };
        move_all(MOUNTED, FORMER).inspect_err(|_| drop(move_all(FORMER, MOUNTED)))?;
        move_all(NEXT, MOUNTED).inspect_err(|_| {
            drop(move_all(MOUNTED, NEXT).and_then(|()| move_all(FORMER, MOUNTED)));
        })?;
        remove(&place(FORMER))
    }
}

/// Creates a directory that every user can read.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)?;
    // The umask of this process may have taken something away.
    std::fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
}

/// Links the files of a directory into another one, and copies those that cannot be linked.
fn link(from: &Path, into: &Path, depth: usize) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("its directories are nested too deeply"));
    }
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            make(&target)?;
            link(&source, &target, depth + 1)?;
        } else if std::fs::hard_link(&source, &target).is_err() {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "directories of our own making, which no other user can write to"
)]
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("it can be read");
        let name = |entry: io::Result<std::fs::DirEntry>| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn package_folder_has_the_files_of_its_last_tree() {
        let place = tempfile::tempdir().expect("a folder can be made");
        let tree = |name: &str, files: &[&str]| {
            let tree = place.path().join(name);
            for file in files {
                let path = tree.join(file);
                let parent = path.parent().expect("it has one");
                DirBuilder::new()
                    .recursive(true)
                    .create(parent)
                    .expect("it can be made");
                #[expect(clippy::disallowed_methods, reason = "a file of the test")]
                std::fs::write(path, file).expect("it can be written");
            }
            tree
        };
        let first = tree("first", &["a/b/c.py", "a.py"]);
        let second = tree("second", &["a/d.py"]);
        let folders = PackageFolders::new(place.path().join("folders"));
        let folder = folders.create().expect("it can be made");
        let mounted = folder.mounted();
        assert!(names(&mounted).is_empty());
        folder.supply(Some(&first)).expect("it can be linked");
        assert_eq!(names(&mounted), ["a", "a.py"]);
        assert_eq!(names(&mounted.join("a/b")), ["c.py"]);
        folder.supply(Some(&second)).expect("it can be linked");
        assert_eq!(names(&mounted), ["a"]);
        assert_eq!(names(&mounted.join("a")), ["d.py"]);
        assert!(folder.supply(Some(&place.path().join("absent"))).is_err());
        assert_eq!(names(&mounted), ["a"]);
        folder.supply(None).expect("it can be emptied");
        assert!(names(&mounted).is_empty());
        drop(folder);
        assert!(!mounted.exists());
        assert_eq!(names(&second.join("a")), ["d.py"]);
    }
}
