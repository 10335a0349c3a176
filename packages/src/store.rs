//! What is kept, and where?
//!
//! Locks say what a question came to, trees hold what was fetched. Both are named by digests, appear whole or not at all, and are never
//! changed afterwards, so processes share a store without asking each other.

use crate::quota::{Bounds, Size};
use crate::tree::Files;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions};
use glovebox::{Error, Lease, LockedPackage, PackageTarget};
use glovebox_host::folder::{Folder, FolderError};
use glovebox_host::program::Program;
use glovebox_policy::{Ecosystem, Tier};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Characters of why a place cannot have packages.
const MAX_REASON: usize = 2000;

/// To be raised when what is kept is kept in another way.
const FORMAT: u32 = 2;

/// After this time nobody works in a directory any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a store always has.
const FOLDERS: [&str; 5] = ["locks", "trees", "parts", "work", "tools"];

/// What earlier versions kept here.
const FORMER: [&str; 2] = ["uv", "npm"];

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
    folder: Folder,
}

/// What a question came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lock {
    format: u32,
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

impl Lock {
    pub(crate) fn new(packages: Vec<Locked>, lacks: Option<String>) -> Self {
        // The names in it are the index's.
        let lacks = lacks.map(|lacks| lacks.chars().take(MAX_REASON).collect());
        Self { format: FORMAT, made: now(), lacks, packages }
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
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o755);
        let folder = Folder::create(path).map_err(refused)?;
        // Containers are told the path, so it has to be the real one.
        let path = folder.path().to_owned();
        let root = Dir::from_std_file(folder.to_file().map_err(failed(&path))?);
        for name in FOLDERS {
            root.create_dir_with(name, &builder).or_else(exists).map_err(failed(&path))?;
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
        let text = self.root.read(format!("locks/{key}.json")).ok()?;
        serde_json::from_slice(&text).ok().filter(|lock: &Lock| lock.format == FORMAT)
    }

    /// Keeps what a question came to.
    pub(crate) fn keep_lock(&self, key: &str, lock: &Lock) -> Result<(), Error> {
        let path = self.at("locks");
        let text = serde_json::to_vec_pretty(lock).map_err(|error| Error::Packages(error.to_string()))?;
        let temporary = format!("work/{:032x}", rand::random::<u128>());
        let written = || {
            let mut file = self.root.create(&temporary)?;
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
        Ok(Work { path: self.at(&begun.name), directory, _begun: begun, store: Arc::clone(self) })
    }

    /// The files of an archive, if they are there.
    pub(crate) fn part(&self, key: &str) -> Option<Part> {
        let place = format!("parts/{key}");
        let held = self.hold(&place)?;
        let about = serde_json::from_slice(&self.root.read(format!("{place}/{LISTING}")).ok()?).ok()?;
        Some(Part { about, directory: self.root.open_dir(format!("{place}/files")).ok()?, _held: held })
    }

    /// Where a tree lies, if it is there, and what keeps it there.
    pub(crate) fn tree(&self, digest: &str, tier: Tier) -> Option<(PathBuf, Lease)> {
        let held = self.hold(&format!("trees/{digest}"))?;
        let name = format!("trees/{digest}/{}", tree_name(tier));
        self.root.exists(&name).then(|| (self.at(&name), Lease::new(held)))
    }

    /// All trees.
    pub(crate) fn trees(&self) -> Result<Vec<StoredTree>, Error> {
        let path = self.at("trees");
        let mut trees = Vec::new();
        for entry in self.root.read_dir("trees").map_err(failed(&path))? {
            let entry = entry.map_err(failed(&path))?;
            let Ok(directory) = entry.open_dir() else { continue };
            let about = directory.read(ABOUT).ok().and_then(|text| serde_json::from_slice(&text).ok());
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
            self.root.create_dir(folder).or_else(exists).map_err(failed(&self.path))?;
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
        if let Err(error) = self.root.remove_dir_all(&self.name) {
            tracing::debug!(path = %self.name, %error, "a working directory stays behind");
        }
    }
}

/// A directory to work in.
pub(crate) struct Work {
    pub(crate) path: PathBuf,
    pub(crate) directory: Dir,
    _begun: Begun,
    store: Arc<Store>,
}

impl Work {
    /// Makes what lies under `from` the tree of that digest.
    pub(crate) fn publish(&self, from: &str, about: &StoredTree, tier: Tier) -> Result<(), Error> {
        let made = self.keep(from, tree_name(tier), &[(ABOUT, json(about)?)], &format!("trees/{}", about.digest));
        // Another process may have been quicker, and its tree is the same.
        if self.store.tree(&about.digest, tier).is_some() { Ok(()) } else { made }
    }

    /// Makes what lies under `from` the part of that name.
    pub(crate) fn publish_part(&self, from: &str, about: &PartFiles, key: &str) -> Result<Part, Error> {
        let made =
            self.keep(from, "files", &[(ABOUT, json(&Size { bytes: about.bytes })?), (LISTING, json(about)?)], &format!("parts/{key}"));
        match self.store.part(key) {
            Some(part) => Ok(part),
            None => Err(made.err().unwrap_or_else(|| Error::Packages("a package was removed as soon as it was there".to_owned()))),
        }
    }

    fn keep(&self, from: &str, name: &str, described: &[(&str, Vec<u8>)], place: &str) -> Result<(), Error> {
        let here = failed(&self.path);
        let whole = format!("whole-{:016x}", rand::random::<u64>());
        self.directory.create_dir(&whole).map_err(&here)?;
        for (name, text) in described {
            self.directory.write(format!("{whole}/{name}"), text).map_err(&here)?;
        }
        self.directory.rename(from, &self.directory, format!("{whole}/{name}")).map_err(&here)?;
        self.directory.rename(&whole, &self.store.root, place).map_err(&here)
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
