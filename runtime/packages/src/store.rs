//! Package store: what is kept, and where?
//!
//! Locks are resolutions, trees and parts are unpacked archives. All are named by digests, written atomically, and immutable afterwards, so
//! processes share a store without coordination.

use crate::quota::{Bounds, MAX_ABOUT, Size};
use crate::tree::Files;
use cap_std::fs::{
    Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions, Permissions, PermissionsExt as _,
};
use glovebox::{Error, Lease, LockedPackage, PackageTarget};
use glovebox_host::folder::{Folder, FolderError};
use glovebox_host::program::Program;
use glovebox_policy::{Ecosystem, Tier};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest reason in characters why a target cannot have packages.
const MAX_REASON: usize = 2000;

/// Bytes of a package's name, of its version, and of its path.
const MAX_WORD: usize = 1024;

/// The version of the store's format; raised when it changes.
const FORMAT: u32 = 3;

/// The largest lock, and the largest file list of a part, in bytes.
const MAX_LOCK: u64 = 32 << 20;
const MAX_LISTING: u64 = 512 << 20;

/// Permissions of published directories: world-readable, also for the user in a container, and writable by the owner only, whatever the
/// umask is.
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// Age at which a working directory is abandoned.
const ABANDONED: Duration = Duration::from_secs(3600);

/// The directories of a store.
const FOLDERS: [&str; 5] = ["locks", "trees", "parts", "work", "tools"];

/// Directories of earlier versions.
const FORMER: [&str; 2] = ["uv", "npm"];

/// The number of attempts to remove a working directory that a process still writes to, and the delay between them.
const REMOVALS: u32 = 5;
const REMOVAL: Duration = Duration::from_millis(20);

/// The name of a tree's or part's description, beside it.
pub(crate) const ABOUT: &str = "about.json";

/// The file list of a part, beside it. The description has only their size: it is read more often.
const LISTING: &str = "files.json";

/// A directory with all packages.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) root: Dir,
    pub(crate) bounds: Bounds,
    /// The same directory, opened so that the owner and permissions of each step inside are checked.
    ///
    /// The store may have been writable by other users before, so checking the path to it does not cover its contents. Of a tree or a part
    /// its own directory, its description and its root are checked, and nothing below: these lie in a folder that no other user can write
    /// to any more, and other users could at no time create directories that are this user's. Below such a root only this user ever wrote:
    /// it is made in a private directory (0700), and every directory in it is 0755 from the start. A tree that was swapped for another one
    /// shows in its description.
    pub(crate) folder: Folder,
}

/// A resolution.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lock {
    format: u32,
    /// The key of the request that it resolves.
    #[serde(default)]
    key: String,
    /// The time, in seconds since the Unix epoch.
    pub(crate) made: u64,
    pub(crate) lacks: Option<String>,
    pub(crate) packages: Vec<Locked>,
}

/// One package of a lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: String,
    pub(crate) digest: String,
    /// The URL at the index.
    pub(crate) url: String,
}

/// The files of one archive, ready to become a part of sets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartFiles {
    /// The key of their archive.
    #[serde(default)]
    pub(crate) key: String,
    /// Bytes on disk, with directories and directory entries.
    pub(crate) bytes: u64,
    pub(crate) files: Files,
}

/// A part of the store; it is kept for as long as this lives.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) about: PartFiles,
    pub(crate) directory: Dir,
    _held: std::fs::File,
}

/// A package set in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTree {
    /// Its digest.
    pub digest: String,
    /// Its language.
    pub language: String,
    /// Its tier.
    pub tier: String,
    /// The packages, as `name version`.
    pub packages: Vec<String>,
    /// Bytes on disk.
    pub bytes: u64,
}

impl From<&Locked> for LockedPackage {
    fn from(locked: &Locked) -> Self {
        Self {
            name: locked.name.clone(),
            version: locked.version.clone(),
            file: locked.file.clone(),
            digest: locked.digest.clone(),
        }
    }
}

impl Locked {
    /// Validates an index's metadata of a package: it is shown to users, kept, and written to logs.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let texts = [&self.name, &self.version, &self.file];
        let is_plain = |text: &&String| {
            !text.is_empty()
                && text.len() <= MAX_WORD
                && !text.contains(|c: char| c.is_control() || c == '\u{2028}')
        };
        if texts.iter().all(is_plain) {
            return Ok(self);
        }
        let shown: String = self.name.chars().take(80).collect();
        Err(Error::Packages(format!(
            "the index offers `{}` with a name or version that is none",
            shown.escape_debug()
        )))
    }
}

impl Lock {
    pub(crate) fn new(packages: Vec<Locked>, lacks: Option<String>) -> Self {
        // The names in it are the index's.
        let lacks = lacks.map(|lacks| lacks.chars().take(MAX_REASON).collect());
        Self {
            format: FORMAT,
            key: String::new(),
            made: now(),
            lacks,
            packages,
        }
    }

    /// Returns its approximate size in memory in bytes.
    pub(crate) fn size(&self) -> usize {
        let of = |locked: &Locked| {
            [
                &locked.name,
                &locked.version,
                &locked.file,
                &locked.digest,
                &locked.url,
            ]
            .map(|text| text.len() + 24)
        };
        self.packages.iter().flat_map(of).sum()
    }

    /// Returns its age in seconds.
    pub(crate) fn age(&self) -> u64 {
        now().saturating_sub(self.made)
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns the key of a resolution or a set: the digest of its parts.
pub(crate) fn digest(parts: impl IntoIterator<Item = String>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns the parts of a target that are in keys.
pub(crate) fn target_parts(target: &PackageTarget) -> [String; 4] {
    let native = target.native.as_ref();
    [
        target.tier.name().to_owned(),
        target.interpreter.clone(),
        native
            .map(|native| native.architecture.clone())
            .unwrap_or_default(),
        native.map(|native| native.libc.clone()).unwrap_or_default(),
    ]
}

/// Converts the distrust of a path to an error.
fn refused(error: FolderError) -> Error {
    Error::Packages(error.to_string())
}

/// Converts a system error about a path to an error.
pub(crate) fn failed(what: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| Error::Packages(format!("`{}`: {error}", what.display()))
}

impl Store {
    /// Opens a store, or creates one. Only this user and root may be able to change it: programs are run from it.
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
        root.open_with("lock", OpenOptions::new().write(true).create(true))
            .map_err(failed(&path))?;
        let store = Self {
            path,
            root,
            bounds,
            folder,
        };
        store.clear_work();
        Ok(store)
    }

    /// Removes working directories that no process holds, such as those of killed processes, and the directories of earlier versions.
    fn clear_work(&self) {
        // Under a lock: a directory that was just created is not held yet.
        let Ok(_alone) = self
            .root
            .open("lock")
            .map(cap_std::fs::File::into_std)
            .and_then(|lock| lock.lock().map(|()| lock))
        else {
            return;
        };
        for former in FORMER {
            let _ = self.root.rename(
                former,
                &self.root,
                format!("work/{:032x}", rand::random::<u128>()),
            );
        }
        for entry in self.root.read_dir("work").into_iter().flatten().flatten() {
            let path = Path::new("work").join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if lock_directory(&self.root, &path).is_ok() {
                    let _ = self.root.remove_dir_all(&path);
                }
            } else {
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                let age = modified
                    .ok()
                    .and_then(|modified| modified.into_std().elapsed().ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    let _ = self.root.remove_file(&path);
                }
            }
        }
    }

    /// Creates a working directory, which is held until it is dropped, and then removed.
    pub(crate) fn begin(&self) -> Result<Begun, Error> {
        let here = failed(&self.path);
        let name = format!("work/{:032x}", rand::random::<u128>());
        let lock = self.root.open("lock").map_err(&here)?.into_std();
        lock.lock_shared().map_err(&here)?;
        // Other users must not reach unfinished files: parts of it are writable by every user of a container.
        let mut private = DirBuilder::new();
        private.mode(0o700);
        self.root.create_dir_with(&name, &private).map_err(&here)?;
        let directory = self.root.open_dir(&name).map_err(&here)?;
        let held = lock_directory(&self.root, &name).map_err(&here)?;
        Ok(Begun {
            directory,
            _held: held,
            name,
            root: self.root.try_clone().map_err(&here)?,
        })
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
                .map_err(|error| Error::Packages(error.to_string())),
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
        serde_json::from_slice(&text)
            .ok()
            .filter(|lock: &Lock| lock.format == FORMAT && lock.key == key)
    }

    /// Writes a lock.
    pub(crate) fn keep_lock(&self, key: &str, lock: &Lock) -> Result<(), Error> {
        let path = self.at("locks");
        let lock = Lock {
            key: key.to_owned(),
            ..lock.clone()
        };
        let text =
            serde_json::to_vec_pretty(&lock).map_err(|error| Error::Packages(error.to_string()))?;
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
    pub(crate) fn work(self: &Arc<Self>) -> Result<Work, Error> {
        let begun = self.begin()?;
        let directory = begun.directory.try_clone().map_err(failed(&self.path))?;
        Ok(Work {
            path: self.at(&begun.name),
            directory,
            _begun: begun,
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
            _held: held,
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

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Packages(error.to_string()))
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
    // This process's umask may have removed more than the write permission of others, or a default ACL of the directory above added it.
    within.set_permissions(name, Permissions::from_mode(FOLDER_MODE))
}

fn tree_name(tier: Tier) -> &'static str {
    if tier == Tier::Wasm {
        "tree.tar"
    } else {
        "files"
    }
}

/// Locks a directory for its user, for as long as the file is open.
fn lock_directory(root: &Dir, path: impl AsRef<Path>) -> std::io::Result<File> {
    let directory = root.open(path)?;
    rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
    Ok(directory)
}

/// A held directory, which is removed when it is dropped.
pub(crate) struct Begun {
    directory: Dir,
    /// The lock, on a file descriptor of its own: that of a `Dir` is opened with `O_PATH`, and cannot be locked.
    _held: File,
    name: String,
    root: Dir,
}

impl Begun {
    /// Returns the directory.
    pub(crate) fn directory(&self) -> &Dir {
        &self.directory
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // A program that was killed a moment ago may still be creating files.
        for _ in 0..REMOVALS {
            match self.root.remove_dir_all(&self.name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    tracing::debug!(path = %self.name, %error, "a working directory stays behind");
                    std::thread::sleep(REMOVAL);
                }
                _ => return,
            }
        }
    }
}

/// A working directory.
pub(crate) struct Work {
    pub(crate) path: PathBuf,
    pub(crate) directory: Dir,
    _begun: Begun,
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
        let made = self.keep(
            store,
            from,
            tree_name(tier),
            &[(ABOUT, json(about)?)],
            &format!("trees/{}", about.digest),
        );
        // Another process may have been quicker, and its tree is the same.
        if store.tree(&about.digest, tier).is_some() {
            Ok(())
        } else {
            made
        }
    }

    /// Publishes the files under `from` as the part of its key.
    pub(crate) fn publish_part(
        &self,
        store: &Store,
        from: &str,
        about: &PartFiles,
    ) -> Result<Part, Error> {
        let described = [
            (ABOUT, json(&Size { bytes: about.bytes })?),
            (LISTING, json(about)?),
        ];
        let made = self.keep(
            store,
            from,
            "files",
            &described,
            &format!("parts/{}", about.key),
        );
        match store.part(&about.key) {
            Some(part) => Ok(part),
            None => Err(made.err().unwrap_or_else(|| {
                Error::Packages("a package was removed as soon as it was there".to_owned())
            })),
        }
    }

    fn keep(
        &self,
        store: &Store,
        from: &str,
        name: &str,
        described: &[(&str, Vec<u8>)],
        place: &str,
    ) -> Result<(), Error> {
        let here = failed(&self.path);
        let whole = format!("whole-{:016x}", rand::random::<u64>());
        make_folder(&self.directory, &whole).map_err(&here)?;
        for (name, text) in described {
            let path = format!("{whole}/{name}");
            self.directory.write(&path, text).map_err(&here)?;
            self.directory
                .set_permissions(&path, Permissions::from_mode(FILE_MODE))
                .map_err(&here)?;
        }
        self.directory
            .rename(from, &self.directory, format!("{whole}/{name}"))
            .map_err(&here)?;
        self.directory
            .rename(&whole, &store.root, place)
            .map_err(&here)
    }
}

/// Returns the description of a tree, for people who look at the store.
pub(crate) fn about(
    digest: &str,
    ecosystem: Ecosystem,
    tier: Tier,
    packages: &[LockedPackage],
    bytes: u64,
) -> StoredTree {
    StoredTree {
        digest: digest.to_owned(),
        language: ecosystem.name().to_owned(),
        tier: tier.name().to_owned(),
        packages: packages
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect(),
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
            &about("a", Ecosystem::Python, Tier::Container, &[], 1),
            Tier::Container,
        )
        .unwrap();
        (place, store)
    }

    /// Tests that a swapped tree is not used: another user who once had write permission could have moved it.
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
    fn what_others_can_write_to_is_not_used_and_can_be_made_anew() {
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
            &about("a", Ecosystem::Python, Tier::Container, &[], 1),
            Tier::Container,
        )
        .unwrap();
        assert!(store.lock("a").is_some() && store.tree("a", Tier::Container).is_some());
        // Its listing shows no entry that is not used.
        assert_eq!(store.trees().unwrap().len(), 1);
        mode(&place.path().join("trees/a/about.json"), 0o666);
        assert!(store.trees().unwrap().is_empty());
    }

    #[test]
    fn words_of_an_index_are_plain() {
        let locked = |name: &str, version: &str, file: &str| {
            let [name, version, file] = [name, version, file].map(str::to_owned);
            Locked {
                name,
                version,
                file,
                digest: String::new(),
                url: String::new(),
            }
            .checked()
            .is_ok()
        };
        assert!(locked("@own/scoped", "1.0.0+é", "node_modules/@own/scoped"));
        for (name, version, file) in [
            ("", "1", "f"),
            ("a\n", "1", "f"),
            ("a", "1\n2", "f"),
            ("a", "\u{1b}[2J", "f"),
            ("a", "1", "f\0"),
        ] {
            assert!(
                !locked(name, version, file),
                "{name:?} {version:?} {file:?}"
            );
        }
        assert!(!locked("a", &"1".repeat(2000), "f"));
    }
}
