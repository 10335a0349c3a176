//! Package store: what is kept, and where?
//!
//! Locks are resolutions, trees and parts are unpacked archives. All are named by digests, written
//! atomically, and immutable afterwards, so processes share a store without coordination.

use crate::entry::{
    ABOUT, LISTING, MAX_ABOUT, MAX_LISTING, PartFiles, Size, StoredTree, json, tree_name,
};
use crate::lock::Lock;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, Permissions, PermissionsExt as _};
use glovebox::{Error, Lease};
use glovebox_host::folder::{Folder, FolderError};
use glovebox_host::held::{HeldFolder, HeldFolders};
use glovebox_host::program::Program;
use glovebox_policy::Tier;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes and number of locks (resolutions).
const MAX_LOCKS: (u64, usize) = (64 << 20, 5000);

/// Maximum bytes of a lock.
const MAX_LOCK: u64 = 32 << 20;

/// Permissions of published directories: world-readable, also for the user in a container, and
/// writable by the owner only, whatever the umask is.
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// Age at which a working directory is abandoned.
const WORK_TTL: Duration = Duration::from_secs(3600);

/// The directories of a store.
const FOLDERS: [&str; 5] = ["locks", "trees", "parts", "work", "tools"];

/// Directories of earlier versions.
const FORMER_FOLDERS: [&str; 2] = ["uv", "npm"];

/// The default reserve in bytes: disk space that stays free.
pub(crate) const DEFAULT_RESERVE: u64 = 512 << 20;

/// The limits of the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// None for the default share of the disk.
    pub(crate) quota: Option<u64>,
    pub(crate) reserve: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            quota: None,
            reserve: DEFAULT_RESERVE,
        }
    }
}

/// A directory with all packages.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) root: Dir,
    pub(crate) bounds: Bounds,
    /// The same directory, opened so that the owner and permissions of each step inside are
    /// checked.
    ///
    /// The store may have been writable by other users before, so checking the path to it does not
    /// cover its contents. Of a tree or a part its own directory, its description and its root are
    /// checked, and nothing below: these lie in a folder that no other user can write to any more,
    /// and other users could at no time create directories that are this user's. Below such a root
    /// only this user ever wrote: it is made in a private directory (0700), and every directory in
    /// it is 0755 from the start. A tree that was swapped for another one shows in its description.
    pub(crate) folder: Folder,
    /// The working directories.
    held: HeldFolders,
}

/// A part of the store; it is kept for as long as this lives.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) about: PartFiles,
    pub(crate) directory: Dir,
    _lock: std::fs::File,
}

/// Converts the distrust of a path to an error.
fn refused(error: FolderError) -> Error {
    Error::packages(error.to_string())
}

/// Converts a system error about a path to an error.
pub(crate) fn failed(what: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| Error::packages(format!("`{}`: {error}", what.display()))
}

impl Store {
    /// Opens a store, or creates one. Only this user and root may be able to change it: programs
    /// are run from it.
    pub(crate) fn open(path: &Path, bounds: Bounds) -> Result<Self, Error> {
        let folder = Folder::create(path).map_err(refused)?;
        // Containers mount it by its path, so it has to be the real one.
        let path = folder.path().to_owned();
        let root = Dir::from_std_file(folder.to_file().map_err(failed(&path))?);
        for name in FOLDERS {
            make_folder(&root, name)
                .or_else(exists)
                .map_err(failed(&path))?;
            folder.folder(name).map_err(refused)?;
        }
        let store = Self {
            held: HeldFolders::new(path.join("work")),
            path,
            root,
            bounds,
            folder,
        };
        store.clear_work();
        Ok(store)
    }

    /// Removes working directories that no process holds, such as those of killed processes, and
    /// the directories of earlier versions.
    fn clear_work(&self) {
        for former in FORMER_FOLDERS {
            let _ = self.root.rename(
                former,
                &self.root,
                format!("work/{:032x}", rand::random::<u128>()),
            );
        }
        if let Err(error) = self.held.clear() {
            tracing::debug!(%error, "working directories stay behind");
        }
        for entry in self.root.read_dir("work").into_iter().flatten().flatten() {
            let path = Path::new("work").join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                let age = modified
                    .ok()
                    .and_then(|modified| modified.into_std().elapsed().ok());
                if age.is_some_and(|age| age > WORK_TTL) {
                    let _ = self.root.remove_file(&path);
                }
            }
        }
    }

    /// Returns a program of the store, if it exists.
    ///
    /// # Errors
    ///
    /// If users other than this one and root can have changed it or a directory above.
    pub(crate) fn program(&self, inside: &Path) -> Result<Option<Program>, Error> {
        match self.folder.file(inside) {
            Ok(_) => Program::absolute(self.path.join(inside))
                .map(Some)
                .map_err(|error| Error::packages(error.to_string())),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Returns the path of an entry of the store.
    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Reads a lock.
    pub(crate) fn lock(&self, key: &str) -> Option<Lock> {
        // An untrusted lock is as good as none: it is replaced.
        let text = self.read(&format!("locks/{key}.json"), MAX_LOCK)?;
        Lock::parse(&text, key)
    }

    /// Writes a lock.
    pub(crate) fn keep_lock(&self, key: &str, lock: &Lock) -> Result<(), Error> {
        let path = self.at("locks");
        let text = lock.to_json(key)?;
        let temporary = format!("work/{:032x}", rand::random::<u128>());
        let written = || {
            let mut file = self.root.create(&temporary)?;
            file.set_permissions(Permissions::from_mode(FILE_MODE))?;
            file.write_all(&text)?;
            file.sync_all()?;
            self.root
                .rename(&temporary, &self.root, format!("locks/{key}.json"))
        };
        written().map_err(failed(&path))?;
        self.prune_locks();
        Ok(())
    }

    /// Creates a working directory, which is removed when it is dropped.
    pub(crate) fn work(&self) -> Result<Work, Error> {
        let here = failed(&self.path);
        // Other users must not reach unfinished files: parts of it are writable by every user of a
        // container.
        let folder = self.held.begin(0o700).map_err(&here)?;
        Ok(Work {
            path: folder.path().to_owned(),
            directory: Dir::from_std_file(folder.to_file().map_err(&here)?),
            _folder: folder,
        })
    }

    /// Returns the part of an archive, if it exists.
    pub(crate) fn part(&self, key: &str) -> Option<Part> {
        let place = format!("parts/{key}");
        let held = self.hold(&place)?;
        let about: PartFiles =
            serde_json::from_slice(&self.read(&format!("{place}/{LISTING}"), MAX_LISTING)?).ok()?;
        let files = self.trusted(&place, self.folder.folder(format!("{place}/files")))?;
        let part = Part {
            about,
            directory: Dir::from_std_file(files.to_file().ok()?),
            _lock: held,
        };
        if part.about.key == key {
            return Some(part);
        }
        self.set_aside(&place);
        None
    }

    /// Returns the path of a tree, if it exists, and the lock that keeps it.
    pub(crate) fn tree(&self, digest: &str, tier: Tier) -> Option<(PathBuf, Lease)> {
        let place = format!("trees/{digest}");
        let name = format!("{place}/{}", tree_name(tier));
        let held = self.hold(&place)?;
        match tier {
            Tier::Wasm => self.trusted(&place, self.folder.file(&name)).map(drop)?,
            _ => self.trusted(&place, self.folder.folder(&name)).map(drop)?,
        }
        let mut text = Vec::new();
        (&held).take(MAX_ABOUT).read_to_end(&mut text).ok()?;
        if serde_json::from_slice::<StoredTree>(&text).is_ok_and(|about| about.digest == digest) {
            return Some((self.at(&name), Lease::new(held)));
        }
        self.set_aside(&place);
        None
    }

    /// Takes a shared lock on a tree or part: it stays for as long as the file is open. None if
    /// there is none, if it is being removed, or if users other than this one and root can have
    /// changed it.
    pub(crate) fn hold(&self, place: &str) -> Option<std::fs::File> {
        let path = format!("{place}/{ABOUT}");
        let file = self.trusted(place, self.folder.file(&path))?;
        file.try_lock_shared().ok()?;
        // It may have been removed, and even made again, before it was locked.
        let is_there = self
            .root
            .open(&path)
            .ok()?
            .into_std()
            .metadata()
            .ok()?
            .ino()
            == file.metadata().ok()?.ino();
        // The modification time is the time of last use (LRU). A read-only store can still be used.
        let _ = file.set_modified(SystemTime::now());
        is_there.then_some(file)
    }

    /// Returns an opened entry, if it is trusted. An untrusted one is removed, so that it can be
    /// made anew.
    pub(crate) fn trusted<T>(&self, place: &str, opened: Result<T, FolderError>) -> Option<T> {
        match opened {
            Ok(opened) => Some(opened),
            Err(error) => {
                if error.is_distrust() {
                    let removed = self.set_aside(place);
                    tracing::warn!(%error, removed, "something in the package store is not used");
                }
                None
            }
        }
    }

    /// Reads a file of the store, if it is trusted and no longer than this.
    pub(crate) fn read(&self, path: &str, most: u64) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        self.folder
            .file(path)
            .ok()?
            .take(most.saturating_add(1))
            .read_to_end(&mut text)
            .ok()?;
        (text.len() as u64 <= most).then_some(text)
    }

    /// Removes an entry without its lock. It must not be in use: another user who made it may hold
    /// a lock on it.
    pub(crate) fn set_aside(&self, place: &str) -> bool {
        // Renamed atomically; after a crash it is left in the working directory, where the next
        // process removes it.
        let Ok(work) = self.work() else { return false };
        self.root.rename(place, &work.directory, "removed").is_ok()
    }

    /// Keeps the locks within their limits.
    pub(crate) fn prune_locks(&self) {
        let entries = self.root.read_dir("locks").into_iter().flatten().flatten();
        let mut locks: Vec<(SystemTime, u64, _)> = entries
            .filter_map(|entry| {
                let found = entry.metadata().ok()?;
                Some((
                    found.modified().ok()?.into_std(),
                    found.len(),
                    entry.file_name(),
                ))
            })
            .collect();
        let (bytes, count) = MAX_LOCKS;
        let mut total = locks
            .iter()
            .fold(0_u64, |total, lock| total.saturating_add(lock.1));
        if total <= bytes && locks.len() <= count {
            return;
        }
        locks.sort();
        let mut left = locks.len();
        for (_, length, name) in locks {
            if total <= bytes / 2 && left <= count / 2 {
                break;
            }
            let _ = self.root.remove_file(Path::new("locks").join(name));
            total = total.saturating_sub(length);
            left -= 1;
        }
    }

    /// Lists all trees.
    pub(crate) fn trees(&self) -> Result<Vec<StoredTree>, Error> {
        let path = self.at("trees");
        let mut trees = Vec::new();
        for entry in self.root.read_dir("trees").map_err(failed(&path))? {
            let entry = entry.map_err(failed(&path))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let about = self
                .read(&format!("trees/{name}/{ABOUT}"), MAX_ABOUT)
                .and_then(|text| serde_json::from_slice(&text).ok());
            trees.extend(about);
        }
        trees.sort_by(|one: &StoredTree, other| {
            (&one.language, &one.packages, &one.tier).cmp(&(
                &other.language,
                &other.packages,
                &other.tier,
            ))
        });
        Ok(trees)
    }

    /// Removes everything that can be fetched again, and returns the number of sets.
    pub(crate) fn clean(&self) -> Result<usize, Error> {
        let count = self.trees()?.len();
        for folder in ["locks", "trees", "parts", "work", "uv", "npm"] {
            let path = self.at(folder);
            match self.root.remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed(&path)(error));
                }
                _ => {}
            }
        }
        for folder in FOLDERS {
            make_folder(&self.root, folder)
                .or_else(exists)
                .map_err(failed(&self.path))?;
        }
        Ok(count)
    }
}

/// Ignores that it exists: processes may create it at the same time.
fn exists(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        Ok(())
    } else {
        Err(error)
    }
}

fn make_folder(within: &Dir, name: &str) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(FOLDER_MODE);
    within.create_dir_with(name, &builder)?;
    // This process's umask may have removed more than the write permission of others, or a default
    // ACL of the directory above added it.
    within.set_permissions(name, Permissions::from_mode(FOLDER_MODE))
}

/// A working directory.
pub(crate) struct Work {
    pub(crate) path: PathBuf,
    pub(crate) directory: Dir,
    _folder: HeldFolder,
}

impl Work {
    /// Publishes the files under `from` as the tree of that digest.
    pub(crate) fn publish(
        &self,
        store: &Store,
        from: &str,
        about: &StoredTree,
        tier: Tier,
    ) -> Result<(), Error> {
        let entry = NewEntry {
            path: format!("trees/{}", about.digest),
            content: tree_name(tier),
            descriptions: vec![(ABOUT, json(about)?)],
        };
        let published = self.publish_entry(store, from, &entry);
        // Another process may have been quicker, and its tree is the same.
        if store.tree(&about.digest, tier).is_some() {
            Ok(())
        } else {
            published
        }
    }

    /// Publishes the files under `from` as the part of its key.
    pub(crate) fn publish_part(
        &self,
        store: &Store,
        from: &str,
        about: &PartFiles,
    ) -> Result<Part, Error> {
        let entry = NewEntry {
            path: format!("parts/{}", about.key),
            content: "files",
            descriptions: vec![
                (ABOUT, json(&Size { bytes: about.bytes })?),
                (LISTING, json(about)?),
            ],
        };
        let published = self.publish_entry(store, from, &entry);
        match store.part(&about.key) {
            Some(part) => Ok(part),
            None => Err(published.err().unwrap_or_else(|| {
                Error::packages("a package was evicted right after it was added".to_owned())
            })),
        }
    }

    /// Moves the files under `from` into the store as an entry.
    fn publish_entry(&self, store: &Store, from: &str, entry: &NewEntry<'_>) -> Result<(), Error> {
        let here = failed(&self.path);
        let whole = format!("whole-{:016x}", rand::random::<u64>());
        make_folder(&self.directory, &whole).map_err(&here)?;
        for (name, text) in &entry.descriptions {
            let path = format!("{whole}/{name}");
            self.directory.write(&path, text).map_err(&here)?;
            self.directory
                .set_permissions(&path, Permissions::from_mode(FILE_MODE))
                .map_err(&here)?;
        }
        self.directory
            .rename(from, &self.directory, format!("{whole}/{}", entry.content))
            .map_err(&here)?;
        self.directory
            .rename(&whole, &store.root, &entry.path)
            .map_err(&here)
    }
}

/// An entry to be published.
struct NewEntry<'a> {
    /// Its path in the store.
    path: String,
    /// The name of its files below that.
    content: &'a str,
    /// The files that describe it, by name.
    descriptions: Vec<(&'a str, Vec<u8>)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Files;
    use crate::entry::tree_description;
    use glovebox_policy::Ecosystem;
    use std::fs;
    use std::sync::Arc;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }

    /// Makes a store with a lock, a part and a tree, all named `a`.
    fn filled() -> (tempfile::TempDir, Arc<Store>) {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(
            Store::open(
                place.path(),
                Bounds {
                    quota: Some(1 << 30),
                    reserve: 0,
                },
            )
            .unwrap(),
        );
        let work = store.work().unwrap();
        for folder in ["tree", "part"] {
            make_folder(&work.directory, folder).unwrap();
        }
        store.keep_lock("a", &Lock::new(Vec::new(), None)).unwrap();
        work.publish_part(
            &store,
            "part",
            &PartFiles {
                key: "a".to_owned(),
                bytes: 1,
                files: Files::new(),
            },
        )
        .unwrap();
        work.publish(
            &store,
            "tree",
            &tree_description("a", Ecosystem::Python, Tier::Container, &[], 1),
            Tier::Container,
        )
        .unwrap();
        (place, store)
    }

    /// Tests that a swapped tree is not used: another user who once had write permission could have
    /// moved it.
    #[test]
    fn one_tree_in_the_place_of_another_is_not_used() {
        let (place, store) = filled();
        assert!(
            store.lock("a").is_some()
                && store.part("a").is_some()
                && store.tree("a", Tier::Container).is_some()
        );
        for (from, to) in [
            ("locks/a.json", "locks/b.json"),
            ("parts/a", "parts/b"),
            ("trees/a", "trees/b"),
        ] {
            fs::rename(place.path().join(from), place.path().join(to)).unwrap();
        }
        assert!(
            store.lock("b").is_none()
                && store.part("b").is_none()
                && store.tree("b", Tier::Container).is_none()
        );
        assert!(!place.path().join("parts/b").exists() && !place.path().join("trees/b").exists());
    }

    #[test]
    fn tree_that_others_can_write_to_is_not_used_and_is_made_anew() {
        let (place, store) = filled();
        for (path, bits) in [
            ("locks/a.json", 0o666),
            ("parts/a/files", 0o777),
            ("trees/a/files", 0o775),
        ] {
            mode(&place.path().join(path), bits);
        }
        assert!(
            store.lock("a").is_none()
                && store.part("a").is_none()
                && store.tree("a", Tier::Container).is_none()
        );
        let work = store.work().unwrap();
        make_folder(&work.directory, "tree").unwrap();
        store.keep_lock("a", &Lock::new(Vec::new(), None)).unwrap();
        work.publish(
            &store,
            "tree",
            &tree_description("a", Ecosystem::Python, Tier::Container, &[], 1),
            Tier::Container,
        )
        .unwrap();
        assert!(store.lock("a").is_some() && store.tree("a", Tier::Container).is_some());
        // Its listing shows no entry that is not used.
        assert_eq!(store.trees().unwrap().len(), 1);
        mode(&place.path().join("trees/a/about.json"), 0o666);
        assert!(store.trees().unwrap().is_empty());
    }
}
