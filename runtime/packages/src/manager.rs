//! Package manager of the sandbox: how does a request get its survey, its resolution and its tree?

use crate::disk::Need;
use crate::download::{Downloads, Keys};
use crate::entry::StoredTree;
use crate::fetching::Fetching;
use crate::job::{Job, Waiting};
use crate::ledger::{Ledger, Share};
use crate::lock::{Lock, digest, target_parts};
use crate::python::Uv;
use crate::store::{Bounds, Store, failed};
use crate::tools::requirements;
use crate::trial::{Kept, Trial};
use crate::workshop::Workshop;
use crate::{javascript, python, survey, tools};
use async_trait::async_trait;
use glovebox::{
    Allowance, Error, Executor, FairSlots, Guests, Lease, LockedPackage, PackageManager,
    PackageTarget, PackageTree, ProcessMemory, Request, Resolution, Survey,
};
use glovebox_host::program::Program;
use glovebox_policy::{Ecosystem, PackageGrant, Policy};
use reqwest::Url;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::OnceCell;

/// The lifetime of a resolution, in seconds: a day. A stale one is still better than none.
const RESOLUTION_TTL_SECONDS: u64 = 24 * 60 * 60;

/// Concurrent resolvers, of which one subject holds all but one.
const MAX_RESOLVERS: usize = 3;

/// Sets that are made concurrently, likewise.
const MAX_CONCURRENT_SETS: usize = 3;

/// Resolutions cached in memory.
const MAX_CACHED_RESOLUTIONS: usize = 1000;

/// The largest of them in bytes; a longer one is read again from the store.
const MAX_CACHED_BYTES: usize = 128 << 10;

/// The most packages of one set, with all dependencies.
const MAX_PACKAGES: usize = 2000;

/// The version of the resolution's key; raised when resolvers are run differently.
const RESOLUTION_KEY_VERSION: &str = "3";

pub use crate::tools::IndexAccess;

/// The resolutions of the store that are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResolutionPolicy {
    /// Those of the last day.
    #[default]
    Cached,
    /// None: packages are resolved again, to newer versions where there are some.
    Upgrade,
}

/// A callback that reports slow steps.
type Progress = Arc<dyn Fn(&str) + Send + Sync>;

/// Resolves, fetches and keeps packages. Cheap to clone; all clones share one store.
#[derive(Clone)]
pub struct Packages(Arc<Manager>);

struct Manager {
    place: PathBuf,
    /// Opened on first use: most runs need no package.
    store: OnceLock<Result<Arc<Store>, String>>,
    workshop: Workshop,
    access: IndexAccess,
    resolutions: ResolutionPolicy,
    progress: Progress,
    uv: OnceCell<(Program, Program)>,
    /// Resolutions that this process has read or made; reading one again takes longer than many a
    /// run.
    cached: Mutex<HashMap<String, Arc<Lock>>>,
    /// One lock for each set in progress: two jobs for the same set would do the work twice.
    fetching: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
    /// Slots of resolvers, by subject; protects the machine from many requests, and subjects from
    /// each other.
    asking: FairSlots,
    /// Slots of sets in progress.
    making: FairSlots,
    ledger: Arc<Ledger>,
    bounds: Bounds,
    downloads: OnceCell<Downloads>,
    survey: survey::Surveyor,
}

/// Builder of [`Packages`].
#[must_use]
pub struct PackagesBuilder {
    store: PathBuf,
    guests: Option<Guests>,
    executors: Vec<Arc<dyn Executor>>,
    access: IndexAccess,
    resolutions: ResolutionPolicy,
    progress: Progress,
    bounds: Bounds,
    share: Share,
    policy: Policy,
}

impl Packages {
    /// Starts with a store below `store`.
    pub fn builder(store: impl Into<PathBuf>) -> PackagesBuilder {
        PackagesBuilder {
            store: store.into(),
            guests: None,
            executors: Vec::new(),
            access: IndexAccess::Online,
            resolutions: ResolutionPolicy::Cached,
            progress: Arc::new(|_| ()),
            bounds: Bounds::default(),
            share: Share::default(),
            policy: Policy::builtin(),
        }
    }

    /// Lists the package sets in the store.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn list(&self) -> Result<Vec<StoredTree>, Error> {
        self.0.store()?.trees()
    }

    /// Removes everything that can be fetched again, and returns the number of sets.
    ///
    /// # Errors
    ///
    /// If something cannot be removed.
    pub fn clean(&self) -> Result<usize, Error> {
        self.0
            .cached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.0.store()?.clean()
    }
}

impl PackagesBuilder {
    /// Sets the guests that inspect packages and programs; by default, those that are installed.
    pub fn guests(mut self, guests: Guests) -> Self {
        self.guests = Some(guests);
        self
    }

    /// Adds a tier for which packages are prepared.
    pub fn executor(mut self, executor: Arc<dyn Executor>) -> Self {
        self.executors.push(executor);
        self
    }

    /// Sets whether package indexes may be contacted. Default: they may.
    pub fn index_access(mut self, access: IndexAccess) -> Self {
        self.access = access;
        self
    }

    /// Sets which resolutions of the store are used. Default: those of the last day.
    pub fn resolutions(mut self, resolutions: ResolutionPolicy) -> Self {
        self.resolutions = resolutions;
        self
    }

    /// Sets the callback that reports slow steps.
    pub fn progress(mut self, progress: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.progress = Arc::new(progress);
        self
    }

    /// Sets the quota of the store in bytes; the least recently used packages are evicted first. By
    /// default 8 GiB or a tenth of the disk, whichever is less, and 1 GiB at least.
    pub fn quota(mut self, bytes: u64) -> Self {
        self.bounds.quota = Some(bytes);
        self
    }

    /// Sets the bytes of the disk that stay free: with less, nothing is fetched. By default 512
    /// MiB.
    pub fn reserve(mut self, bytes: u64) -> Self {
        self.bounds.reserve = bytes;
        self
    }

    /// Sets the rate limit of one subject per hour: resolutions and sets that are made, and bytes
    /// that are downloaded and unpacked. What is in the store already is free. By default 600 and 8
    /// GiB.
    pub fn share(mut self, steps: usize, bytes: u64) -> Self {
        self.share = Share { steps, bytes };
        self
    }

    /// Sets the policy, whose quota `packages_per_hour` takes precedence over the bytes of
    /// [`PackagesBuilder::share`]. It decides nothing else here.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Builds the manager. The store is opened when the first package is needed.
    pub fn build(self) -> Packages {
        Packages(Arc::new(Manager {
            place: self.store,
            store: OnceLock::new(),
            workshop: Workshop {
                guests: self.guests,
                executors: self.executors,
            },
            access: self.access,
            resolutions: self.resolutions,
            progress: self.progress,
            uv: OnceCell::new(),
            cached: Mutex::default(),
            fetching: Mutex::default(),
            asking: FairSlots::new(MAX_RESOLVERS),
            making: FairSlots::new(MAX_CONCURRENT_SETS),
            ledger: Arc::new(Ledger::new(self.share, self.policy)),
            bounds: self.bounds,
            downloads: OnceCell::new(),
            survey: survey::Surveyor::default(),
        }))
    }
}

#[async_trait]
impl PackageManager for Packages {
    async fn survey(&self, request: &Request, allowance: &Allowance) -> Result<Survey, Error> {
        self.0
            .survey
            .survey(&self.0.workshop, request, allowance)
            .await
    }

    async fn resolve(
        &self,
        grant: &PackageGrant,
        targets: &[PackageTarget],
        allowance: &Allowance,
    ) -> Result<Vec<Resolution>, Error> {
        let mut resolutions = Vec::new();
        for target in targets {
            let lock = self.0.lock(grant, target, allowance).await?;
            let lacks = lock.lacks.clone();
            let packages = lock.packages.iter().map(Into::into).collect();
            let fits = lacks.is_none();
            resolutions.push(Resolution {
                target: target.clone(),
                packages,
                lacks,
            });
            if fits {
                break;
            }
        }
        Ok(resolutions)
    }

    async fn fetch(
        &self,
        grant: &PackageGrant,
        resolution: &Resolution,
        allowance: &Allowance,
    ) -> Result<PackageTree, Error> {
        let inner = &self.0;
        let digest = tree_digest(grant.ecosystem(), resolution);
        let tier = resolution.target.tier;
        if let Some((path, lease)) = inner.store()?.tree(&digest, tier) {
            return Ok(PackageTree {
                digest,
                path,
                lease,
            });
        }
        let one = Arc::clone(inner.fetching().entry(digest.clone()).or_default());
        let made = {
            let _one = one.lock().await;
            match inner.store()?.tree(&digest, tier) {
                Some(there) => Ok(there),
                None => inner.make_tree(grant, resolution, &digest, allowance).await,
            }
        };
        inner.fetching().retain(|_, one| Arc::strong_count(one) > 1);
        let (path, lease) = made?;
        Ok(PackageTree {
            digest,
            path,
            lease,
        })
    }

    async fn try_imports(
        &self,
        grant: &PackageGrant,
        resolution: &Resolution,
        imports: &[String],
        allowance: &Allowance,
    ) -> Result<Option<String>, Error> {
        let target = &resolution.target;
        // A target with native code has a full standard library.
        if target.native.is_some() {
            return Ok(None);
        }
        let trial = Trial::new(grant, imports);
        let key = digest(trial.key(&tree_digest(grant.ecosystem(), resolution)));
        if let Some(known) = self.0.known(&key)? {
            return Ok(known.lacks.clone());
        }
        let tree = self.fetch(grant, resolution, allowance).await?;
        let _slot = self.0.making.acquire(allowance.subject()).await;
        // Another request may have tried them meanwhile.
        if let Some(known) = self.0.known(&key)? {
            return Ok(known.lacks.clone());
        }
        self.0.ledger.begin(allowance.subject())?;
        let trial = trial.run(&self.0.workshop, (target, tree), allowance);
        let (lacks, kept) = trial.await?;
        if kept == Kept::No {
            return Ok(lacks);
        }
        let tried = Lock::new(Vec::new(), lacks.clone());
        self.0.store()?.keep_lock(&key, &tried)?;
        self.0.remember(key, Arc::new(tried));
        Ok(lacks)
    }
}

fn tree_digest(ecosystem: Ecosystem, resolution: &Resolution) -> String {
    let packages = resolution.packages.iter().flat_map(|package| {
        [
            package.name.clone(),
            package.version.clone(),
            package.file.clone(),
            package.digest.clone(),
        ]
    });
    digest(
        [
            RESOLUTION_KEY_VERSION.to_owned(),
            ecosystem.name().to_owned(),
        ]
        .into_iter()
        .chain(target_parts(&resolution.target))
        .chain(packages),
    )
}

impl Manager {
    fn fetching(&self) -> MutexGuard<'_, HashMap<String, Arc<tokio::sync::Mutex<()>>>> {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> Result<&Arc<Store>, Error> {
        let store = self.store.get_or_init(|| {
            Store::open(&self.place, self.bounds)
                .map(Arc::new)
                .map_err(|error| error.to_string())
        });
        store
            .as_ref()
            .map_err(|error| Error::packages(error.clone()))
    }

    async fn uv(&self, memory: Arc<ProcessMemory>) -> Result<Uv, Error> {
        let store = self.store()?;
        let found = self.uv.get_or_try_init(async || {
            Ok::<_, Error>((
                tools::uv(store, self.access, &*self.progress).await?,
                tools::interpreter().await?,
            ))
        });
        let (program, python) = found.await?.clone();
        Ok(Uv {
            program,
            python,
            access: self.access,
            keys: Keys::new(),
            memory,
        })
    }

    fn resolution_key(grant: &PackageGrant, target: &PackageTarget) -> String {
        let mut requirements = requirements(grant);
        requirements.sort();
        let mut constraints = grant.constraints();
        constraints.sort();
        let parts = [
            RESOLUTION_KEY_VERSION.to_owned(),
            grant.ecosystem().name().to_owned(),
            grant.index().unwrap_or_default().to_owned(),
        ];
        let lists = [requirements.join("\n"), constraints.join("\n")];
        digest(parts.into_iter().chain(lists).chain(target_parts(target)))
    }

    /// Returns the resolution of a request: a cached one if it is fresh.
    async fn lock(
        &self,
        grant: &PackageGrant,
        target: &PackageTarget,
        allowance: &Allowance,
    ) -> Result<Arc<Lock>, Error> {
        let key = Self::resolution_key(grant, target);
        if let Some(answered) = self.remembered(&key) {
            return Ok(answered);
        }
        let answer = Arc::new(self.answer(grant, target, &key, allowance).await?);
        if answer.packages.len() > MAX_PACKAGES {
            let count = answer.packages.len();
            return Err(Error::packages(format!(
                "with all dependencies these are {count} packages, and at most {MAX_PACKAGES} are possible"
            )));
        }
        self.remember(key, Arc::clone(&answer));
        Ok(answer)
    }

    /// Returns a fresh answer of the cache in memory.
    fn remembered(&self, key: &str) -> Option<Arc<Lock>> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = cached.get(key).cloned();
        answer.filter(|answer| answer.age() < RESOLUTION_TTL_SECONDS)
    }

    /// Keeps an answer in the cache in memory, unless it is large.
    fn remember(&self, key: String, answer: Arc<Lock>) {
        if answer.size() > MAX_CACHED_BYTES {
            return;
        }
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if cached.len() >= MAX_CACHED_RESOLUTIONS {
            cached.clear();
        }
        cached.insert(key, answer);
    }

    /// Returns a fresh answer of either cache.
    fn known(&self, key: &str) -> Result<Option<Arc<Lock>>, Error> {
        if let Some(answer) = self.remembered(key) {
            return Ok(Some(answer));
        }
        let stored = self.store()?.lock(key).map(Arc::new);
        let stored = stored.filter(|answer| answer.age() < RESOLUTION_TTL_SECONDS);
        if let Some(answer) = &stored {
            self.remember(key.to_owned(), Arc::clone(answer));
        }
        Ok(stored)
    }

    async fn answer(
        &self,
        grant: &PackageGrant,
        target: &PackageTarget,
        key: &str,
        allowance: &Allowance,
    ) -> Result<Lock, Error> {
        let known = self.store()?.lock(key);
        if let Some(known) = known
            .clone()
            .filter(|known| match (self.access, self.resolutions) {
                (IndexAccess::Offline, _) => true,
                (IndexAccess::Online, ResolutionPolicy::Cached) => {
                    known.age() < RESOLUTION_TTL_SECONDS
                }
                (IndexAccess::Online, ResolutionPolicy::Upgrade) => false,
            })
        {
            return Ok(known);
        }
        match self.ask(grant, target, allowance).await {
            Ok(lock) => {
                self.store()?.keep_lock(key, &lock)?;
                Ok(lock)
            }
            Err(error) => match known {
                Some(known) => {
                    tracing::warn!(%error, "cannot resolve packages again; the former resolution is used");
                    Ok(known)
                }
                None => Err(error),
            },
        }
    }

    async fn ask(
        &self,
        grant: &PackageGrant,
        target: &PackageTarget,
        allowance: &Allowance,
    ) -> Result<Lock, Error> {
        let names = requirements(grant).join(", ");
        if self.access == IndexAccess::Offline && grant.ecosystem() == Ecosystem::JavaScript {
            return Err(tools::unresolved(grant, None));
        }
        let slot = self.asking.acquire(allowance.subject()).await;
        self.ledger.begin(allowance.subject())?;
        let (waiting, job) =
            Waiting::begin(self.store()?, &self.ledger, allowance.subject(), slot)?;
        job.blocking(|job| job.store.make_disk(Need::default(), &|| job.go_on()))
            .await?;
        (self.progress)(&format!("looking up {names}"));
        let answer = self.ask_for(grant, target, &job, allowance).await;
        waiting.end(job).await;
        answer
    }

    async fn ask_for(
        &self,
        grant: &PackageGrant,
        target: &PackageTarget,
        job: &Job,
        allowance: &Allowance,
    ) -> Result<Lock, Error> {
        let work = &job.work;
        let memory = match grant.ecosystem() {
            Ecosystem::Python => python::UV_MEMORY,
            Ecosystem::JavaScript => javascript::NPM_MEMORY,
        };
        // Before anything is started for it, and until its process is gone.
        let memory = Arc::new(allowance.process_memory(memory).await?);
        match grant.ecosystem() {
            Ecosystem::Python => {
                work.directory
                    .write("constraints.txt", python::constraints(grant))
                    .map_err(failed(&work.path))?;
                self.uv(memory).await?.resolve(grant, target, work).await
            }
            Ecosystem::JavaScript => javascript::resolve(grant, target, work, &memory).await,
        }
    }

    async fn make_tree(
        &self,
        grant: &PackageGrant,
        resolution: &Resolution,
        digest: &str,
        allowance: &Allowance,
    ) -> Result<(PathBuf, Lease), Error> {
        let lock = self.lock(grant, &resolution.target, allowance).await?;
        // Exactly the checked versions are fetched, and nothing that was published meanwhile.
        if !lock
            .packages
            .iter()
            .map(LockedPackage::from)
            .eq(resolution.packages.iter().cloned())
        {
            return Err(Error::packages(
                "the resolution has changed since it was checked; try again".to_owned(),
            ));
        }
        let slot = self.making.acquire(allowance.subject()).await;
        self.ledger.begin(allowance.subject())?;
        let (waiting, job) =
            Waiting::begin(self.store()?, &self.ledger, allowance.subject(), slot)?;
        let index = grant.index().unwrap_or(match grant.ecosystem() {
            Ecosystem::Python => python::DEFAULT_INDEX,
            Ecosystem::JavaScript => javascript::DEFAULT_REGISTRY,
        });
        let index = Url::parse(index)
            .map_err(|error| Error::packages(format!("`{}`: {error}", index.escape_debug())))?;
        let downloads = self
            .downloads
            .get_or_try_init(async || Downloads::new())
            .await?
            .of_index(index)?;
        let fetching = Fetching {
            job: &job,
            workshop: &self.workshop,
            downloads: &downloads,
            access: self.access,
            progress: &*self.progress,
            allowance,
            ecosystem: grant.ecosystem(),
        };
        let made = fetching.tree(&lock, resolution, digest).await;
        waiting.end(job).await;
        made
    }
}
