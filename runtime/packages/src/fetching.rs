//! Installation from a lock: how do locked archives become a tree?
//!
//! Each archive is fetched, verified, unpacked and compiled once, and kept as a part. Sets are
//! composed of parts, so another set with the same packages costs next to nothing.

use crate::disk::{
    BLOCK_BYTES, ENTRY_BYTES, MAX_BYTES, MAX_FILES, Need, make_directory, occupied_by, used,
};
use crate::download::{Archive, Destination, FromIndex};
use crate::entry::{PartFiles, StoredTree, tree_description};
use crate::javascript;
use crate::job::{Job, Watched};
use crate::lock::{Lock, Locked, digest, target_parts};
use crate::store::{Part, failed};
use crate::tools::{IndexAccess, exceeds_folder};
use crate::tree::{self, Layers};
use crate::unpack::{self, Account, Room, Writer};
use crate::workshop::Workshop;
use cap_std::fs::PermissionsExt as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use glovebox::{Allowance, Error, Lease, Resolution};
use glovebox_policy::{Ecosystem, Tier};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Archives of one set that are fetched concurrently.
const MAX_CONCURRENT_DOWNLOADS: usize = 4;

/// The version of the format of parts; raised when it changes.
const PART_VERSION: &str = "1";

/// The making of one tree.
pub(crate) struct Fetching<'a> {
    pub(crate) job: &'a Arc<Job>,
    pub(crate) workshop: &'a Workshop,
    pub(crate) downloads: &'a FromIndex,
    pub(crate) access: IndexAccess,
    pub(crate) progress: &'a (dyn Fn(&str) + Send + Sync),
    pub(crate) allowance: &'a Allowance,
    pub(crate) ecosystem: Ecosystem,
}

impl Fetching<'_> {
    /// Makes the tree of that digest.
    pub(crate) async fn tree(
        &self,
        lock: &Lock,
        resolution: &Resolution,
        digest: &str,
    ) -> Result<(PathBuf, Lease), Error> {
        let tier = resolution.target.tier;
        let key = |package: &Locked| self.key(package, resolution);
        let mut room = Room {
            bytes: MAX_BYTES,
            files: MAX_FILES,
        };
        let mut parts: HashMap<String, Part> = HashMap::new();
        let mut missing: BTreeMap<String, &Locked> = BTreeMap::new();
        for package in &lock.packages {
            let key = key(package);
            if parts.contains_key(&key) || missing.contains_key(&key) {
                continue;
            }
            match self.job.store.part(&key) {
                Some(part) => {
                    let files = part.about.files.len() as u64;
                    let bytes = part
                        .about
                        .files
                        .values()
                        .fold(0_u64, |bytes, length| bytes.saturating_add(*length));
                    room.take(bytes, files)
                        .map_err(|error| Error::packages(error.to_string()))?;
                    parts.insert(key, part);
                }
                None => drop(missing.insert(key, package)),
            }
        }
        if !missing.is_empty() {
            parts.extend(self.make_parts(&missing, room, tier).await?);
        }
        let mut layers = Vec::new();
        for package in &lock.packages {
            let prefix = match self.ecosystem {
                Ecosystem::Python => String::new(),
                Ecosystem::JavaScript => javascript::place(&package.file)?,
            };
            layers.push((prefix, key(package)));
        }
        let about = tree_description(digest, self.ecosystem, tier, &resolution.packages, 0);
        self.job
            .blocking(move |job| compose(job, &layers, &parts, about, tier))
            .await?;
        self.job.store.tree(digest, tier).ok_or_else(|| {
            Error::packages("the packages were evicted right after they were added".to_owned())
        })
    }

    /// Returns the key of an archive's files: with the interpreter if they are compiled.
    fn key(&self, package: &Locked, resolution: &Resolution) -> String {
        let what = [
            PART_VERSION.to_owned(),
            self.ecosystem.name().to_owned(),
            package.digest.clone(),
        ];
        match self.ecosystem {
            Ecosystem::Python => digest(what.into_iter().chain(target_parts(&resolution.target))),
            Ecosystem::JavaScript => digest(what),
        }
    }

    async fn make_parts(
        &self,
        missing: &BTreeMap<String, &Locked>,
        mut room: Room,
        tier: Tier,
    ) -> Result<Vec<(String, Part)>, Error> {
        let mut names: Vec<String> = missing
            .values()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect();
        names.sort_unstable();
        let names = names.join(", ");
        if self.access == IndexAccess::Offline {
            return Err(Error::packages(format!(
                "the run is offline, and the package cache lacks {names}; \
                 `glovebox packages prefetch` with the packages of this run fetches that beforehand"
            )));
        }
        (self.progress)(&format!("fetching {names}"));
        self.job.make_room(Need::default()).await?;
        let work = &self.job.work;
        let here = failed(&work.path);
        for folder in ["archives", "new", "compiled"] {
            work.directory.create_dir(folder).map_err(&here)?;
        }
        let archives = work.directory.open_dir("archives").map_err(&here)?;
        let left = AtomicU64::new(MAX_BYTES);
        let fetch = async |(at, package): (usize, &&Locked)| {
            let archive = Archive {
                name: &package.name,
                url: &package.url,
                digest: &package.digest,
            };
            let into = Destination {
                folder: &archives,
                file: &at.to_string(),
                left: &left,
            };
            self.downloads.fetch(&archive, &into, self.job).await
        };
        let fetches: Vec<_> = missing.values().enumerate().map(fetch).collect();
        futures_util::stream::iter(fetches)
            .buffer_unordered(MAX_CONCURRENT_DOWNLOADS)
            .try_collect::<()>()
            .await?;
        let before = room;
        for (at, package) in missing.values().enumerate() {
            room = self.unpack(at, package, room).await?;
        }
        let entries = before.files.saturating_sub(room.files);
        let bytes = before
            .bytes
            .saturating_sub(room.bytes)
            .saturating_add(entries.saturating_mul(BLOCK_BYTES + ENTRY_BYTES));
        self.job.make_room(Need { bytes, entries: 0 }).await?;
        work.directory.remove_dir_all("archives").map_err(&here)?;
        let compiled = work.directory.open_dir("compiled").map_err(&here)?;
        if self.ecosystem == Ecosystem::Python {
            (self.progress)(&format!("compiling {names} in the sandbox"));
            // Containers run as another user, which needs to read and to write.
            for (folder, mode) in [("new", 0o755), ("compiled", 0o777)] {
                work.directory
                    .set_permissions(folder, cap_std::fs::Permissions::from_mode(mode))
                    .map_err(&here)?;
            }
            let (from, into) = (work.path.join("new"), work.path.join("compiled"));
            // The compiler in a container writes to a folder of the host, where no quota stops it.
            tokio::select! {
                made = self.workshop.compile(tier, (&from, &into), self.allowance) => made?,
                error = exceeds_folder(&compiled, "compiling bytecode") => return Err(error),
            }
            let (bytes, entries) = self.job.blocking(move |_| Ok(used(&compiled))).await?;
            self.job.make_room(Need { bytes, entries }).await?;
        }
        let keys: Vec<String> = missing.keys().cloned().collect();
        self.job.blocking(move |job| publish(job, keys)).await
    }

    /// Unpacks one archive, and returns the room that is left.
    async fn unpack(&self, at: usize, package: &Locked, mut room: Room) -> Result<Room, Error> {
        let work = &self.job.work;
        let here = failed(&work.path);
        let place = format!("new/{at}");
        make_directory(&work.directory, &place).map_err(&here)?;
        let into = work.directory.open_dir(&place).map_err(&here)?;
        let archive = work
            .directory
            .open(format!("archives/{at}"))
            .map_err(&here)?;
        let (ecosystem, name) = (self.ecosystem, package.name.clone());
        let unpacked = self.job.blocking(move |job| {
            let go_on = || job.go_on();
            let reserve = |need: Need| {
                job.store
                    .make_disk(need, &go_on)
                    .map_err(|error| unpack::bad(error.to_string()))
            };
            let account = Account {
                reserve: &reserve,
                spend: &|bytes| job.spend(bytes),
            };
            let mut archive = Watched::new(archive, &go_on);
            let mut writer = Writer::new(&into, &mut room, &account);
            let unpacked = match ecosystem {
                Ecosystem::Python => unpack::wheel(&mut archive, &mut writer),
                Ecosystem::JavaScript => unpack::tarball(&mut archive, &mut writer),
            };
            unpacked.map_err(|error| {
                Error::packages(format!("`{}` cannot be used: {error}", name.escape_debug()))
            })?;
            Ok(room)
        });
        unpacked.await
    }
}

/// Publishes unpacked files and their bytecode as parts with those keys.
fn publish(job: &Job, keys: Vec<String>) -> Result<Vec<(String, Part)>, Error> {
    let here = failed(&job.work.path);
    let [new, compiled] =
        ["new", "compiled"].map(|name| job.work.directory.open_dir(name).map_err(&here));
    let (new, compiled) = (new?, compiled?);
    let mut room = Room {
        bytes: MAX_BYTES,
        files: MAX_FILES,
    };
    let mut made = Vec::new();
    for (at, key) in keys.into_iter().enumerate() {
        let at = at.to_string();
        let files = new.open_dir(&at).map_err(&here)?;
        if let Ok(bytecode) = compiled.open_dir(&at) {
            let listed = tree::list(&bytecode, job)?;
            let bytes = listed
                .values()
                .fold(0_u64, |bytes, length| bytes.saturating_add(*length));
            room.take(bytes, listed.len() as u64)
                .map_err(|error| Error::packages(error.to_string()))?;
            tree::copy(&bytecode, &listed, &files, job)?;
        }
        let files = tree::list(&files, job)?;
        let bytes = occupied_by(files.iter().map(|(path, length)| (path, *length)));
        let about = PartFiles {
            key: key.clone(),
            bytes,
            files,
        };
        made.push((
            key,
            job.work
                .publish_part(&job.store, &format!("new/{at}"), &about)?,
        ));
    }
    Ok(made)
}

fn compose(
    job: &Job,
    places: &[(String, String)],
    parts: &HashMap<String, Part>,
    mut about: StoredTree,
    tier: Tier,
) -> Result<(), Error> {
    let (work, go_on) = (&job.work, || job.go_on());
    let here = failed(&work.path);
    let mut layers = Layers::default();
    for (prefix, key) in places {
        go_on().map_err(&here)?;
        let part = parts
            .get(key)
            .ok_or_else(|| Error::packages("a package is missing".to_owned()))?;
        layers.add(prefix, &part.directory, &part.about.files)?;
    }
    let need = layers.need()?;
    about.bytes = need.bytes;
    job.store.make_room(need, &go_on)?;
    if tier == Tier::Wasm {
        let archive = work.directory.create("tree").map_err(&here)?;
        archive
            .set_permissions(cap_std::fs::Permissions::from_mode(0o644))
            .map_err(&here)?;
        layers.archive(std::io::BufWriter::new(archive), job)?;
    } else {
        make_directory(&work.directory, "tree").map_err(&here)?;
        layers.link(&work.directory.open_dir("tree").map_err(&here)?, job)?;
    }
    work.publish(&job.store, "tree", &about, tier)?;
    // Other jobs may have made room for theirs at the same time.
    let _ = job.store.make_room(Need::default(), &go_on);
    Ok(())
}
