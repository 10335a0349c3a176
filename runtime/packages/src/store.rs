//! What is kept, and where?
//!
//! Locks say what a question came to, trees hold what was fetched. Both are named by digests, appear whole or not at all, and are never
//! changed afterwards, so processes share a store without asking each other.

use crate::quota::{Bounds, MAX_ABOUT, Size};
use crate::tree::Files;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions, Permissions, PermissionsExt as _};
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

/// Characters of why a place cannot have packages.
const MAX_REASON: usize = 2000;

/// Bytes of a package's name, of its version, and of where it lies.
const MAX_WORD: usize = 1024;

/// To be raised when what is kept is kept in another way.
const FORMAT: u32 = 3;

/// Bytes of a lock, and of the listing of a part, that are read.
const MAX_LOCK: u64 = 32 << 20;
const MAX_LISTING: u64 = 512 << 20;

/// Permissions of what lies ready: everybody reads it, also whoever runs in a container, and nobody else writes it, whatever the mask is.
const FOLDER_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// After this time nobody works in a directory any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a store always has.
const FOLDERS: [&str; 5] = ["locks", "trees", "parts", "work", "tools"];

/// What earlier versions kept here.
const FORMER: [&str; 2] = ["uv", "npm"];

/// How often, and how long after each other, a working directory is removed that somebody still writes to.
const REMOVALS: u32 = 5;
const REMOVAL: Duration = Duration::from_millis(20);

/// The description of a tree or of a part, beside it.
pub(crate) const ABOUT: &str = "about.json";

/// The files of a part, beside it. The description says only how much they are: it is read more often.
const LISTING: &str = "files.json";

/// A directory with all that is kept.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) path: PathBuf,
    pub(crate) root: Dir,
    pub(crate) bounds: Bounds,
    /// The same, where each step to what is in it is checked: whose it is, and that nobody else can write to it.
    ///
    /// The store may have been open to others before, so that having checked the way to it says nothing about what is in it. Of a tree or a
    /// part its own directory, its description and its root are checked, and nothing below: these lie in a folder that nobody else can write
    /// to any more, and whoever could at an earlier time could not make directories that are this user's. Below such a root nobody but this
    /// user ever wrote: it is made where nobody else comes in (0700), and every directory in it is 0755 from the start. That somebody put one
    /// tree in the place of another shows in what it says of itself.
    pub(crate) folder: Folder,
}

/// What a question came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lock {
    format: u32,
    /// Which question it answers.
    #[serde(default)]
    key: String,
    /// When, in seconds since the Unix epoch.
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
    /// Where the index has it.
    pub(crate) url: String,
}

/// The files of one archive, ready to become a part of sets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartFiles {
    /// Which archive's they are.
    #[serde(default)]
    pub(crate) key: String,
    /// On the disk, with directories and entries.
    pub(crate) bytes: u64,
    pub(crate) files: Files,
}

/// A part of the store; it stays there for as long as this lives.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) about: PartFiles,
    pub(crate) directory: Dir,
    _held: std::fs::File,
}

/// A set of packages that was fetched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTree {
    /// Tells it from every other one.
    pub digest: String,
    /// The language that it is for.
    pub language: String,
    /// The tier that it is for.
    pub tier: String,
    /// The packages, as `name version`.
    pub packages: Vec<String>,
    /// Bytes on disk.
    pub bytes: u64,
}

impl From<&Locked> for LockedPackage {
    fn from(locked: &Locked) -> Self {
        Self { name: locked.name.clone(), version: locked.version.clone(), file: locked.file.clone(), digest: locked.digest.clone() }
    }
}

impl Locked {
    /// What an index says of a package, if it is what such words are: it is shown to people, kept, and written to logs.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let texts = [&self.name, &self.version, &self.file];
        let is_plain =
            |text: &&String| !text.is_empty() && text.len() <= MAX_WORD && !text.contains(|c: char| c.is_control() || c == '\u{2028}');
        if texts.iter().all(is_plain) {
            return Ok(self);
        }
        let shown: String = self.name.chars().take(80).collect();
        Err(Error::Packages(format!("the index offers `{}` with a name or version that is none", shown.escape_debug())))
    }
}

impl Lock {
    pub(crate) fn new(packages: Vec<Locked>, lacks: Option<String>) -> Self {
        // The names in it are the index's.
        let lacks = lacks.map(|lacks| lacks.chars().take(MAX_REASON).collect());
        Self { format: FORMAT, key: String::new(), made: now(), lacks, packages }
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn size(&self) -> usize {
        let of = |locked: &Locked| [&locked.name, &locked.version, &locked.file, &locked.digest, &locked.url].map(|text| text.len() + 24);
        self.packages.iter().flat_map(of).sum()
    }

    /// Seconds since it was made.
    pub(crate) fn age(&self) -> u64 {
        now().saturating_sub(self.made)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A name for a question or a set: the digest of its parts.
pub(crate) fn digest(parts: impl IntoIterator<Item = String>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The parts of a target that tell it from others.
pub(crate) fn target_parts(target: &PackageTarget) -> [String; 4] {
    let native = target.native.as_ref();
    [
        target.tier.name().to_owned(),
        target.interpreter.clone(),
        native.map(|native| native.architecture.clone()).unwrap_or_default(),
        native.map(|native| native.libc.clone()).unwrap_or_default(),
    ]
}

/// Why a place is not used, as an error.
fn refused(error: FolderError) -> Error {
    Error::Packages(error.to_string())
}

/// What the system says about a place, as an error.
pub(crate) fn failed(what: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| Error::Packages(format!("`{}`: {error}", what.display()))
}

impl Store {
    /// Opens a store, or makes one. Nobody but this user and root may be able to change it: programs are run from it.
    pub(crate) fn open(path: &Path, bounds: Bounds) -> Result<Self, Error> {
        let folder = Folder::create(path).map_err(refused)?;
        // Containers are told the path, so it has to be the real one.
        let path = folder.path().to_owned();
        let root = Dir::from_std_file(folder.to_file().map_err(failed(&path))?);
        for name in FOLDERS {
            make_folder(&root, name).or_else(exists).map_err(failed(&path))?;
            folder.folder(name).map_err(refused)?;
        }
        root.open_with("lock", OpenOptions::new().write(true).create(true)).map_err(failed(&path))?;
        let store = Self { path, root, bounds, folder };
        store.clear_work();
        Ok(store)
    }

    /// Removes what processes that were killed have left: every directory that nobody holds. What earlier versions kept goes as well.
    fn clear_work(&self) {
        // Nobody begins to work meanwhile: a directory that was just made is not held yet.
        let Ok(_alone) = self.root.open("lock").map(cap_std::fs::File::into_std).and_then(|lock| lock.lock().map(|()| lock)) else {
            return;
        };
        for former in FORMER {
            let _ = self.root.rename(former, &self.root, format!("work/{:032x}", rand::random::<u128>()));
        }
        for entry in self.root.read_dir("work").into_iter().flatten().flatten() {
            let path = Path::new("work").join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if lock_directory(&self.root, &path).is_ok() {
                    let _ = self.root.remove_dir_all(&path);
                }
            } else {
                let modified = entry.metadata().and_then(|metadata| metadata.modified());
                let age = modified.ok().and_then(|modified| modified.into_std().elapsed().ok());
                if age.is_some_and(|age| age > ABANDONED) {
                    let _ = self.root.remove_file(&path);
                }
            }
        }
    }

    /// A directory to work in, which is held until it is dropped, and then removed.
    pub(crate) fn begin(&self) -> Result<Begun, Error> {
        let here = failed(&self.path);
        let name = format!("work/{:032x}", rand::random::<u128>());
        let lock = self.root.open("lock").map_err(&here)?.into_std();
        lock.lock_shared().map_err(&here)?;
        // Others must not reach what is being made: parts of it are for every user of a container to write.
        let mut private = DirBuilder::new();
        private.mode(0o700);
        self.root.create_dir_with(&name, &private).map_err(&here)?;
        let directory = self.root.open_dir(&name).map_err(&here)?;
        let held = lock_directory(&self.root, &name).map_err(&here)?;
        Ok(Begun { directory, _held: held, name, root: self.root.try_clone().map_err(&here)? })
    }

    /// Where a program of the store lies, if it is there.
    ///
    /// # Errors
    ///
    /// Where others than this user and root can have changed it or a directory above.
    pub(crate) fn program(&self, inside: &Path) -> Result<Option<Program>, Error> {
        match self.folder.file(inside) {
            Ok(_) => Program::absolute(self.path.join(inside)).map(Some).map_err(|error| Error::Packages(error.to_string())),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    /// Where a part of the store lies.
    pub(crate) fn at(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// What a question came to.
    pub(crate) fn lock(&self, key: &str) -> Option<Lock> {
        // One that is not to be trusted is as good as none: what the question comes to is put in its place.
        let text = self.read(&format!("locks/{key}.json"), MAX_LOCK)?;
        serde_json::from_slice(&text).ok().filter(|lock: &Lock| lock.format == FORMAT && lock.key == key)
    }

    /// Keeps what a question came to.
    pub(crate) fn keep_lock(&self, key: &str, lock: &Lock) -> Result<(), Error> {
        let path = self.at("locks");
        let lock = Lock { key: key.to_owned(), ..lock.clone() };
        let text = serde_json::to_vec_pretty(&lock).map_err(|error| Error::Packages(error.to_string()))?;
        let temporary = format!("work/{:032x}", rand::random::<u128>());
        let written = || {
            let mut file = self.root.create(&temporary)?;
            file.set_permissions(Permissions::from_mode(FILE_MODE))?;
            file.write_all(&text)?;
            file.sync_all()?;
            self.root.rename(&temporary, &self.root, format!("locks/{key}.json"))
        };
        written().map_err(failed(&path))?;
        self.prune_locks();
        Ok(())
    }

    /// A directory to work in, which goes when it is dropped.
    pub(crate) fn work(self: &Arc<Self>) -> Result<Work, Error> {
        let begun = self.begin()?;
        let directory = begun.directory.try_clone().map_err(failed(&self.path))?;
        Ok(Work { path: self.at(&begun.name), directory, _begun: begun })
    }

    /// The files of an archive, if they are there.
    pub(crate) fn part(&self, key: &str) -> Option<Part> {
        let place = format!("parts/{key}");
        let held = self.hold(&place)?;
        let about: PartFiles = serde_json::from_slice(&self.read(&format!("{place}/{LISTING}"), MAX_LISTING)?).ok()?;
        let files = self.trusted(&place, self.folder.folder(format!("{place}/files")))?;
        let part = Part { about, directory: Dir::from_std_file(files.to_file().ok()?), _held: held };
        if part.about.key == key {
            return Some(part);
        }
        self.set_aside(&place);
        None
    }

    /// Where a tree lies, if it is there, and what keeps it there.
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

    /// All trees.
    pub(crate) fn trees(&self) -> Result<Vec<StoredTree>, Error> {
        let path = self.at("trees");
        let mut trees = Vec::new();
        for entry in self.root.read_dir("trees").map_err(failed(&path))? {
            let entry = entry.map_err(failed(&path))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let about = self.read(&format!("trees/{name}/{ABOUT}"), MAX_ABOUT).and_then(|text| serde_json::from_slice(&text).ok());
            trees.extend(about);
        }
        trees.sort_by(|one: &StoredTree, other| {
            (&one.language, &one.packages, &one.tier).cmp(&(&other.language, &other.packages, &other.tier))
        });
        Ok(trees)
    }

    /// Removes everything that can be fetched again, and says how many sets that were.
    pub(crate) fn clean(&self) -> Result<usize, Error> {
        let count = self.trees()?.len();
        for folder in ["locks", "trees", "parts", "work", "uv", "npm"] {
            let path = self.at(folder);
            match self.root.remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(&path)(error)),
                _ => {}
            }
        }
        for folder in FOLDERS {
            make_folder(&self.root, folder).or_else(exists).map_err(failed(&self.path))?;
        }
        Ok(count)
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Packages(error.to_string()))
}

/// Processes may make it at the same time.
fn exists(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn make_folder(within: &Dir, name: &str) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(FOLDER_MODE);
    within.create_dir_with(name, &builder)?;
    // The mask of this process may have taken more than others' right to write, or an access list of the directory above added it.
    within.set_permissions(name, Permissions::from_mode(FOLDER_MODE))
}

fn tree_name(tier: Tier) -> &'static str {
    if tier == Tier::Wasm { "tree.tar" } else { "files" }
}

/// Locks a directory for whoever works in it, for as long as the file is open.
fn lock_directory(root: &Dir, path: impl AsRef<Path>) -> std::io::Result<File> {
    let directory = root.open(path)?;
    rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive)?;
    Ok(directory)
}

/// A directory that is held, and removed when it is dropped.
pub(crate) struct Begun {
    directory: Dir,
    /// The lock, on a descriptor of its own: that of a `Dir` is only for looking things up (`O_PATH`), and cannot be locked.
    _held: File,
    name: String,
    root: Dir,
}

impl Begun {
    /// The directory.
    pub(crate) fn directory(&self) -> &Dir {
        &self.directory
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // A program that was killed a moment ago may still be making files.
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

/// A directory to work in.
pub(crate) struct Work {
    pub(crate) path: PathBuf,
    pub(crate) directory: Dir,
    _begun: Begun,
}

impl Work {
    /// Makes what lies under `from` the tree of that digest.
    pub(crate) fn publish(&self, store: &Store, from: &str, about: &StoredTree, tier: Tier) -> Result<(), Error> {
        let made = self.keep(store, from, tree_name(tier), &[(ABOUT, json(about)?)], &format!("trees/{}", about.digest));
        // Another process may have been quicker, and its tree is the same.
        if store.tree(&about.digest, tier).is_some() { Ok(()) } else { made }
    }

    /// Makes what lies under `from` the part of its key.
    pub(crate) fn publish_part(&self, store: &Store, from: &str, about: &PartFiles) -> Result<Part, Error> {
        let described = [(ABOUT, json(&Size { bytes: about.bytes })?), (LISTING, json(about)?)];
        let made = self.keep(store, from, "files", &described, &format!("parts/{}", about.key));
        match store.part(&about.key) {
            Some(part) => Ok(part),
            None => Err(made.err().unwrap_or_else(|| Error::Packages("a package was removed as soon as it was there".to_owned()))),
        }
    }

    fn keep(&self, store: &Store, from: &str, name: &str, described: &[(&str, Vec<u8>)], place: &str) -> Result<(), Error> {
        let here = failed(&self.path);
        let whole = format!("whole-{:016x}", rand::random::<u64>());
        make_folder(&self.directory, &whole).map_err(&here)?;
        for (name, text) in described {
            let path = format!("{whole}/{name}");
            self.directory.write(&path, text).map_err(&here)?;
            self.directory.set_permissions(&path, Permissions::from_mode(FILE_MODE)).map_err(&here)?;
        }
        self.directory.rename(from, &self.directory, format!("{whole}/{name}")).map_err(&here)?;
        self.directory.rename(&whole, &store.root, place).map_err(&here)
    }
}

/// What a tree is, for people who look at the store.
pub(crate) fn about(digest: &str, ecosystem: Ecosystem, tier: Tier, packages: &[LockedPackage], bytes: u64) -> StoredTree {
    StoredTree {
        digest: digest.to_owned(),
        language: ecosystem.name().to_owned(),
        tier: tier.name().to_owned(),
        packages: packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect(),
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

    /// A store with a lock, a part and a tree, all named `a`, as they are made.
    fn filled() -> (tempfile::TempDir, Arc<Store>) {
        let place = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(place.path(), Bounds { quota: Some(1 << 30), reserve: 0 }).unwrap());
        let work = store.work().unwrap();
        for folder in ["tree", "part"] {
            make_folder(&work.directory, folder).unwrap();
        }
        store.keep_lock("a", &Lock::new(Vec::new(), None)).unwrap();
        work.publish_part(&store, "part", &PartFiles { key: "a".to_owned(), bytes: 1, files: Files::new() }).unwrap();
        work.publish(&store, "tree", &about("a", Ecosystem::Python, Tier::Container, &[], 1), Tier::Container).unwrap();
        (place, store)
    }

    /// Who could write to a store once could move what is in it.
    #[test]
    fn one_tree_in_the_place_of_another_is_not_used() {
        let (place, store) = filled();
        assert!(store.lock("a").is_some() && store.part("a").is_some() && store.tree("a", Tier::Container).is_some());
        for (from, to) in [("locks/a.json", "locks/b.json"), ("parts/a", "parts/b"), ("trees/a", "trees/b")] {
            fs::rename(place.path().join(from), place.path().join(to)).unwrap();
        }
        assert!(store.lock("b").is_none() && store.part("b").is_none() && store.tree("b", Tier::Container).is_none());
        assert!(!place.path().join("parts/b").exists() && !place.path().join("trees/b").exists());
    }

    #[test]
    fn what_others_can_write_to_is_not_used_and_can_be_made_anew() {
        let (place, store) = filled();
        for (path, bits) in [("locks/a.json", 0o666), ("parts/a/files", 0o777), ("trees/a/files", 0o775)] {
            mode(&place.path().join(path), bits);
        }
        assert!(store.lock("a").is_none() && store.part("a").is_none() && store.tree("a", Tier::Container).is_none());
        let work = store.work().unwrap();
        make_folder(&work.directory, "tree").unwrap();
        store.keep_lock("a", &Lock::new(Vec::new(), None)).unwrap();
        work.publish(&store, "tree", &about("a", Ecosystem::Python, Tier::Container, &[], 1), Tier::Container).unwrap();
        assert!(store.lock("a").is_some() && store.tree("a", Tier::Container).is_some());
        // Its list shows nothing that is not used.
        assert_eq!(store.trees().unwrap().len(), 1);
        mode(&place.path().join("trees/a/about.json"), 0o666);
        assert!(store.trees().unwrap().is_empty());
    }

    #[test]
    fn words_of_an_index_are_plain() {
        let locked = |name: &str, version: &str, file: &str| {
            let [name, version, file] = [name, version, file].map(str::to_owned);
            Locked { name, version, file, digest: String::new(), url: String::new() }.checked().is_ok()
        };
        assert!(locked("@own/scoped", "1.0.0+é", "node_modules/@own/scoped"));
        for (name, version, file) in [("", "1", "f"), ("a\n", "1", "f"), ("a", "1\n2", "f"), ("a", "\u{1b}[2J", "f"), ("a", "1", "f\0")] {
            assert!(!locked(name, version, file), "{name:?} {version:?} {file:?}");
        }
        assert!(!locked("a", &"1".repeat(2000), "f"));
    }
}
