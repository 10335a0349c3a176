//! How do programs get packages that are not theirs?
//!
//! The policy says what may be looked up, a [`PackageManager`] finds out what that comes to, the policy judges it version by version, and
//! only then anything is fetched. All of it is done for one request, out of its [`Allowance`]. Executors are handed a finished, read-only tree; nothing of a package ever runs outside a sandbox.

use crate::allowance::Allowance;
use crate::error::Error;
use async_trait::async_trait;
use glovebox_policy::packages::{MissingModule, Needs, PackageGrant, ResolvedPackage, TierNeeds};
use glovebox_policy::{Denial, Facts, Request, Tier};
use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Finds and fetches packages.
#[async_trait]
pub trait PackageManager: Send + Sync {
    /// What a program's text says of its needs. Called for every run, so a text that says nothing must cost nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where the text says it wrongly.
    async fn survey(&self, request: &Request, allowance: &Allowance) -> Result<Survey, Error>;

    /// Finds what is granted for each of these places in turn, until one can have it. Fetches no package.
    ///
    /// # Errors
    ///
    /// Where the index could not be asked; that something does not exist is in the answer.
    async fn resolve(&self, grant: &PackageGrant, targets: &[PackageTarget], allowance: &Allowance) -> Result<Vec<Resolution>, Error>;

    /// Fetches what was found, where that has not been done, and says where it lies.
    ///
    /// # Errors
    ///
    /// Where it could not be fetched, or is not what was found.
    async fn fetch(&self, grant: &PackageGrant, resolution: &Resolution, allowance: &Allowance) -> Result<PackageTree, Error>;
}

/// What a program's text says of its needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Packages that it asks for itself.
    pub packages: Vec<String>,
    /// Modules that it imports first of all and that nothing provides.
    pub missing: Vec<MissingModule>,
    /// What tiers lack for it, such as ``has no module `ctypes` ``.
    pub lacks: Vec<(Tier, String)>,
}

/// A place that packages are for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageTarget {
    /// The tier.
    pub tier: Tier,
    /// The interpreter's version, such as `3.14`.
    pub interpreter: String,
    /// What native code can run there; none for a place that has no processor of its own.
    pub native: Option<NativePlatform>,
}

/// A place where native code runs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NativePlatform {
    /// The processor, such as `x86_64`.
    pub architecture: String,
    /// The version of the GNU C library, such as `2.36`.
    pub libc: String,
}

/// What packages come to in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The place.
    pub target: PackageTarget,
    /// Every package with its exact archive: the lock.
    pub packages: Vec<LockedPackage>,
    /// Why the place cannot have them.
    pub lacks: Option<String>,
}

/// One package in one version, by its archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file name of its archive; for JavaScript where it lies among the others, which decides who sees it.
    pub file: String,
    /// The archive's digest, such as `sha256:...`.
    pub digest: String,
}

/// Packages that lie ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageTree {
    /// Tells it from every other one: by what is in it.
    pub digest: String,
    /// A tar archive for the wasm tier, a directory for the others.
    pub path: PathBuf,
    /// Keeps it there for as long as somebody has a copy.
    pub lease: Lease,
}

/// Something that stays where it is for as long as this or a copy of it lives.
#[derive(Clone, Default)]
pub struct Lease(Option<Arc<dyn Any + Send + Sync>>);

impl Lease {
    /// Held by this value, such as an open file that is locked.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Some(Arc::new(held)))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Lease(held)" } else { "Lease(nothing)" })
    }
}

/// How something is held is no part of what it is.
impl PartialEq for Lease {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

impl Resolution {
    /// What the decision has to know of it.
    #[must_use]
    pub fn needs(&self) -> TierNeeds {
        let package = |package: &LockedPackage| ResolvedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            digest: package.digest.clone(),
        };
        TierNeeds { tier: self.target.tier, packages: self.packages.iter().map(package).collect(), lacks: self.lacks.clone() }
    }
}

/// What was found out about one request, and what it leads to.
#[derive(Default)]
pub(crate) struct Supplies {
    grant: Option<PackageGrant>,
    resolutions: Vec<Resolution>,
    needs: Needs,
}

impl Supplies {
    /// What a survey says, before anything is looked up.
    pub(crate) fn new(survey: Survey, request: &mut Request) -> Self {
        // Too many are refused by their number, whether the request or the text asks for them.
        let mut known: HashSet<String> = request.wants.packages.iter().cloned().collect();
        for package in survey.packages {
            if known.insert(package.clone()) {
                request.wants.packages.push(package);
            }
        }
        let lacks = |(tier, lacks)| TierNeeds { tier, packages: Vec::new(), lacks: Some(lacks) };
        let needs = Needs { tiers: survey.lacks.into_iter().map(lacks).collect(), missing: survey.missing };
        Self { needs, ..Self::default() }
    }

    /// Adds what packages come to.
    pub(crate) fn resolved(&mut self, grant: PackageGrant, resolutions: Vec<Resolution>) {
        for resolution in &resolutions {
            if self.needs.tiers.iter().all(|needs| needs.tier != resolution.target.tier) {
                self.needs.tiers.push(resolution.needs());
            }
        }
        self.grant = Some(grant);
        self.resolutions = resolutions;
    }

    /// Whether the text says that the request needs something which not everybody offers.
    pub(crate) fn has_needs(&self) -> bool {
        self.needs != Needs::default()
    }

    /// The facts of this request; none where they are the machine's.
    pub(crate) fn facts(&self, machine: &Facts) -> Option<Facts> {
        self.has_needs().then(|| Facts { tiers: machine.tiers.clone(), needs: self.needs.clone() })
    }

    /// What to fetch for a run in a tier.
    pub(crate) fn of_tier(&self, tier: Tier) -> Option<(&PackageGrant, &Resolution)> {
        let resolution = self.resolutions.iter().find(|resolution| resolution.target.tier == tier)?;
        Some((self.grant.as_ref()?, resolution))
    }
}

/// The refusal where nobody is there to fetch packages.
pub(crate) fn packages_unsupported() -> Denial {
    Denial {
        rule: "request.wants.packages".to_owned(),
        asked: "packages".to_owned(),
        reason: "this sandbox has no package manager".to_owned(),
        fix: "# no policy change can allow this: the sandbox has to be made with a package manager".to_owned(),
    }
}
