//! What is kept, and where?
//!
//! Locks say what a question came to, trees hold what was fetched. Both are named by digests, appear whole or not at all, and are never
//! changed afterwards, so processes share a store without asking each other.

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};
use glovebox::{Error, LockedPackage, PackageTarget};
use glovebox_host::folder::{Folder, FolderError};
use glovebox_host::program::Program;
use glovebox_policy::{Ecosystem, Tier};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// To be raised when what is kept is kept in another way.
const FORMAT: u32 = 1;

/// After this time nobody works in a directory any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What a store always has.
const FOLDERS: [&str; 4] = ["locks", "trees", "work", "tools"];

/// The description of a tree, beside it.
const ABOUT: &str = "about.json";

/// A directory with all that is kept.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    root: Dir,
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
    /// What the resolver itself wrote, where it needs that again to fetch.
    pub(crate) original: Option<String>,
}

/// One package of a lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: String,
    pub(crate) digest: String,
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
    pub(crate) fn new(packages: Vec<Locked>, lacks: Option<String>, original: Option<String>) -> Self {
        Self { format: FORMAT, made: now(), lacks, packages, original }
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
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
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
        let store = Self { path, root, folder };
        store.clear_work();
        Ok(store)
    }

    /// Removes what processes that were killed have left, after a time in which no work goes on.
    fn clear_work(&self) {
        let Ok(entries) = self.root.read_dir("work") else { return };
        for entry in entries.flatten() {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|modified| modified.into_std().elapsed().ok());
            if age.is_some_and(|age| age > ABANDONED) {
                let path = Path::new("work").join(entry.file_name());
                let _ = self.root.remove_dir_all(&path).or_else(|_| self.root.remove_file(&path));
            }
        }
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
        written().map_err(failed(&path))
    }

    /// A directory to work in, which goes when it is dropped.
    pub(crate) fn work(&self) -> Result<Work<'_>, Error> {
        let name = format!("work/{:032x}", rand::random::<u128>());
        self.root.create_dir(&name).map_err(failed(&self.path))?;
        Ok(Work { path: self.at(&name), directory: self.root.open_dir(&name).map_err(failed(&self.path))?, name, store: self })
    }

    /// Where a tree lies, if it is there.
    pub(crate) fn tree(&self, digest: &str, tier: Tier) -> Option<PathBuf> {
        let name = format!("trees/{digest}/{}", tree_name(tier));
        self.root.exists(&name).then(|| self.at(&name))
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
        for folder in ["locks", "trees", "work", "uv", "npm"] {
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

/// Processes may make it at the same time.
fn exists(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn tree_name(tier: Tier) -> &'static str {
    if tier == Tier::Wasm { "tree.tar" } else { "files" }
}

/// A directory to work in.
pub(crate) struct Work<'a> {
    pub(crate) path: PathBuf,
    pub(crate) directory: Dir,
    name: String,
    store: &'a Store,
}

impl Work<'_> {
    /// Makes what lies under `from` the tree of that digest.
    pub(crate) fn publish(&self, from: &str, about: &StoredTree, tier: Tier) -> Result<PathBuf, Error> {
        let here = failed(&self.path);
        let text = serde_json::to_vec_pretty(about).map_err(|error| Error::Packages(error.to_string()))?;
        self.directory.create_dir("whole").map_err(&here)?;
        self.directory.write(format!("whole/{ABOUT}"), text).map_err(&here)?;
        self.directory.rename(from, &self.directory, format!("whole/{}", tree_name(tier))).map_err(&here)?;
        let place = format!("trees/{}", about.digest);
        match self.directory.rename("whole", &self.store.root, &place) {
            Ok(()) => {}
            // Another process was quicker, and its tree is the same.
            Err(_) if self.store.tree(&about.digest, tier).is_some() => {}
            Err(error) => return Err(here(error)),
        }
        Ok(self.store.at(&place).join(tree_name(tier)))
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.root.remove_dir_all(&self.name) {
            tracing::debug!(path = %self.path.display(), %error, "a working directory stays behind");
        }
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
