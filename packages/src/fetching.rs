//! How does what was locked become a tree?
//!
//! Archive by archive: each is fetched, judged, unpacked and compiled once, and kept as a part. Sets are put together from parts, so another
//! set with the same packages in it costs next to nothing.

use crate::download::{Archive, Downloads};
use crate::javascript;
use crate::ledger::Ledger;
use crate::store::{Lock, Locked, Part, PartFiles, Store, Work, about, digest, failed, target_parts};
use crate::tree::{self, Layers};
use crate::unpack::{self, Room, Writer};
use crate::workshop::Workshop;
use cap_std::fs::PermissionsExt as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use glovebox::{Allowance, Error, Lease, Resolution};
use glovebox_policy::{Ecosystem, Tier};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Archives of one set that are fetched at once.
const AT_ONCE: usize = 4;

/// To be raised when parts are made in another way.
const PARTS: &str = "1";

/// Makes one tree.
pub(crate) struct Fetching<'a> {
    pub(crate) store: &'a Arc<Store>,
    pub(crate) workshop: &'a Workshop,
    pub(crate) downloads: &'a Downloads,
    pub(crate) ledger: &'a Ledger,
    pub(crate) offline: bool,
    pub(crate) progress: &'a (dyn Fn(&str) + Send + Sync),
    pub(crate) allowance: &'a Allowance,
    pub(crate) ecosystem: Ecosystem,
}

/// Tells what unpacks that nobody waits for it any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Fetching<'_> {
    /// Makes the tree of that digest.
    pub(crate) async fn tree(&self, lock: &Lock, resolution: &Resolution, digest: &str) -> Result<(PathBuf, Lease), Error> {
        self.ledger.begin(self.allowance.subject())?;
        let tier = resolution.target.tier;
        let key = |package: &Locked| self.key(package, resolution);
        let work = Arc::new(self.store.work()?);
        let mut room = Room { bytes: tree::MAX_BYTES, files: tree::MAX_FILES };
        let mut parts: HashMap<String, Part> = HashMap::new();
        let mut missing: BTreeMap<String, &Locked> = BTreeMap::new();
        for package in &lock.packages {
            let key = key(package);
            if parts.contains_key(&key) || missing.contains_key(&key) {
                continue;
            }
            match self.store.part(&key) {
                Some(part) => {
                    let files = part.about.files.len() as u64;
                    room.take(part.about.bytes, files).map_err(|error| Error::Packages(error.to_string()))?;
                    parts.insert(key, part);
                }
                None => drop(missing.insert(key, package)),
            }
        }
        if !missing.is_empty() {
            parts.extend(self.make_parts(&work, &missing, room, tier).await?);
        }
        let mut layers = Vec::new();
        for package in &lock.packages {
            let prefix = match self.ecosystem {
                Ecosystem::Python => String::new(),
                Ecosystem::JavaScript => javascript::place(&package.file)?,
            };
            layers.push((prefix, key(package)));
        }
        let about = about(digest, self.ecosystem, tier, &resolution.packages, 0);
        let (store, work) = (Arc::clone(self.store), Arc::clone(&work));
        let made = tokio::task::spawn_blocking(move || put_together(&store, &work, &layers, &parts, about, tier));
        let bytes = made.await.map_err(|error| Error::Packages(error.to_string()))??;
        self.ledger.charge(self.allowance.subject(), bytes);
        self.store.tree(digest, tier).ok_or_else(|| Error::Packages("they were removed as soon as they were there".to_owned()))
    }

    /// Names the files of an archive: compiled for one interpreter, where they are compiled.
    fn key(&self, package: &Locked, resolution: &Resolution) -> String {
        let what = [PARTS.to_owned(), self.ecosystem.name().to_owned(), package.digest.clone()];
        match self.ecosystem {
            Ecosystem::Python => digest(what.into_iter().chain(target_parts(&resolution.target))),
            Ecosystem::JavaScript => digest(what),
        }
    }

    async fn make_parts(
        &self,
        work: &Arc<Work>,
        missing: &BTreeMap<String, &Locked>,
        mut room: Room,
        tier: Tier,
    ) -> Result<Vec<(String, Part)>, Error> {
        let names: Vec<String> = missing.values().map(|package| format!("{} {}", package.name, package.version)).collect();
        let names = names.join(", ");
        if self.offline {
            return Err(Error::Packages(format!("{names} were never fetched, and nothing may be fetched now")));
        }
        (self.progress)(&format!("fetching {names}"));
        self.make_room(0).await?;
        let here = failed(&work.path);
        for folder in ["archives", "new", "compiled"] {
            work.directory.create_dir(folder).map_err(&here)?;
        }
        let archives = work.directory.open_dir("archives").map_err(&here)?;
        let left = AtomicU64::new(tree::MAX_BYTES);
        let fetch = async |(at, package): (usize, &&Locked)| {
            let archive = Archive { name: &package.name, url: &package.url, digest: &package.digest };
            let length = self.downloads.fetch(&archive, &left, self.store, &archives, &at.to_string()).await?;
            self.ledger.charge(self.allowance.subject(), length);
            Ok::<(), Error>(())
        };
        let fetches: Vec<_> = missing.values().enumerate().map(fetch).collect();
        futures_util::stream::iter(fetches).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        let before = room.bytes;
        for (at, package) in missing.values().enumerate() {
            room = self.unpack(work, at, package, room).await?;
        }
        let unpacked = before.saturating_sub(room.bytes);
        self.ledger.charge(self.allowance.subject(), unpacked);
        self.make_room(unpacked).await?;
        work.directory.remove_dir_all("archives").map_err(&here)?;
        let new = work.directory.open_dir("new").map_err(&here)?;
        let compiled = work.directory.open_dir("compiled").map_err(&here)?;
        if self.ecosystem == Ecosystem::Python {
            (self.progress)(&format!("compiling {names} in the sandbox"));
            // Whoever runs inside a container is nobody, has to be able to read, and to write.
            for (folder, mode) in [("new", 0o755), ("compiled", 0o777)] {
                work.directory.set_permissions(folder, cap_std::fs::Permissions::from_mode(mode)).map_err(&here)?;
            }
            let (from, into) = (work.path.join("new"), work.path.join("compiled"));
            // What compiles writes to a folder of the host in a container, where no quota stops it.
            tokio::select! {
                made = self.workshop.compile(tier, (&from, &into), self.allowance) => made?,
                grown = crate::tools::grown(&compiled, "compiling bytecode") => return Err(grown),
            }
            let (bytes, _) = tree::used(&compiled);
            self.ledger.charge(self.allowance.subject(), bytes);
            self.make_room(bytes).await?;
        }
        let mut made = Vec::new();
        for (at, key) in missing.keys().enumerate() {
            let at = at.to_string();
            let files = new.open_dir(&at).map_err(&here)?;
            if let Ok(bytecode) = compiled.open_dir(&at) {
                tree::copy(&bytecode, &tree::list(&bytecode)?, &files)?;
            }
            let files = tree::list(&files)?;
            let about = PartFiles { bytes: files.values().sum(), files };
            made.push((key.clone(), work.publish_part(&format!("new/{at}"), &about, key)?));
        }
        Ok(made)
    }

    /// Removes what was not used for long, which may take a while.
    async fn make_room(&self, need: u64) -> Result<(), Error> {
        let store = Arc::clone(self.store);
        let made = tokio::task::spawn_blocking(move || store.make_room(need)).await;
        made.map_err(|error| Error::Packages(error.to_string()))?
    }

    /// Unpacks one archive, and says what room is left.
    async fn unpack(&self, work: &Arc<Work>, at: usize, package: &Locked, mut room: Room) -> Result<Room, Error> {
        let here = failed(&work.path);
        let place = format!("new/{at}");
        unpack::make_directory(&work.directory, &place).map_err(&here)?;
        let into = work.directory.open_dir(&place).map_err(&here)?;
        let mut archive = work.directory.open(format!("archives/{at}")).map_err(&here)?;
        let stop = StopOnDrop(Arc::default());
        let (flag, store, held, ecosystem) = (Arc::clone(&stop.0), Arc::clone(self.store), Arc::clone(work), self.ecosystem);
        let unpacked = tokio::task::spawn_blocking(move || {
            // The directory stays until this is done, whether somebody waits or not.
            let _held = held;
            let reserve = |bytes: u64| store.make_disk(bytes).map_err(|error| unpack::bad(error.to_string()));
            let mut writer = Writer::new(&into, &mut room, &flag, &reserve);
            match ecosystem {
                Ecosystem::Python => unpack::wheel(&mut archive, &mut writer),
                Ecosystem::JavaScript => unpack::tarball(&mut archive, &mut writer),
            }?;
            Ok(room)
        });
        let unpacked = unpacked.await.map_err(|error| Error::Packages(error.to_string()))?;
        unpacked.map_err(|error: std::io::Error| Error::Packages(format!("`{}` cannot be used: {error}", package.name.escape_debug())))
    }
}

fn put_together(
    store: &Arc<Store>,
    work: &Work,
    places: &[(String, String)],
    parts: &HashMap<String, Part>,
    mut about: crate::store::StoredTree,
    tier: Tier,
) -> Result<u64, Error> {
    let here = failed(&work.path);
    let mut layers = Layers::default();
    for (prefix, key) in places {
        let part = parts.get(key).ok_or_else(|| Error::Packages("a package is not there".to_owned()))?;
        layers.add(prefix, &part.directory, &part.about.files)?;
    }
    about.bytes = layers.bytes()?;
    store.make_room(about.bytes)?;
    if tier == Tier::Wasm {
        let archive = work.directory.create("tree").map_err(&here)?;
        layers.archive(std::io::BufWriter::new(archive))?;
    } else {
        unpack::make_directory(&work.directory, "tree").map_err(&here)?;
        layers.link(&work.directory.open_dir("tree").map_err(&here)?)?;
    }
    work.publish("tree", &about, tier)?;
    Ok(about.bytes)
}
