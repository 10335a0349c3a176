//! Package manager interface: how does a request get the packages that it needs?
//!
//! The policy grants what may be resolved, a [`PackageManager`] resolves it, the policy checks each
//! version, and only then anything is fetched. All of it is done for one request, out of its
//! [`Allowance`]. Executors are handed a finished, read-only tree; no code of a package ever runs
//! outside a sandbox.

use crate::allowance::Allowance;
use crate::error::Error;
use async_trait::async_trait;
use glovebox_policy::packages::{MissingModule, Needs, PackageGrant, ResolvedPackage, TierNeeds};
use glovebox_policy::{Facts, Grant, Request, Tier};
use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Resolves and fetches packages.
#[async_trait]
pub trait PackageManager: Send + Sync {
    /// Surveys a program's text for its needs. Called for every run, so a text without needs must
    /// cost nothing.
    ///
    /// # Errors
    ///
    /// [`Error::RequestInvalid`] if the text states them wrongly.
    async fn survey(&self, request: &Request, allowance: &Allowance) -> Result<Survey, Error>;

    /// Resolves what is granted for each of these targets in turn, until one can have it. Fetches
    /// no package.
    ///
    /// # Errors
    ///
    /// If the index could not be queried; that a package does not exist is in the resolution.
    async fn resolve(
        &self,
        grant: &PackageGrant,
        targets: &[PackageTarget],
        allowance: &Allowance,
    ) -> Result<Vec<Resolution>, Error>;

    /// Fetches the packages of a resolution, if that has not been done, and returns their tree.
    ///
    /// # Errors
    ///
    /// If they could not be fetched, or do not match the resolution.
    async fn fetch(
        &self,
        grant: &PackageGrant,
        resolution: &Resolution,
        allowance: &Allowance,
    ) -> Result<PackageTree, Error>;

    /// Tries whether packages can be imported in the tier that they are resolved for, and returns
    /// what that tier lacks for it, if anything. Fetches them for that. `imports` are the modules that
    /// the program imports; if there are none, all packages that were asked for are tried.
    ///
    /// # Errors
    ///
    /// If they could not be fetched, or the trial could not be made.
    async fn try_imports(
        &self,
        grant: &PackageGrant,
        resolution: &Resolution,
        imports: &[String],
        allowance: &Allowance,
    ) -> Result<Option<String>, Error> {
        let _ = (grant, resolution, imports, allowance);
        Ok(None)
    }
}

/// The needs that a program's text states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Packages that it declares (inline metadata).
    pub packages: Vec<String>,
    /// Modules that it imports at its beginning and that nothing provides.
    pub missing: Vec<MissingModule>,
    /// Capabilities that tiers lack for it, such as ``has no module `ctypes` ``.
    pub lacks: Vec<(Tier, String)>,
    /// The same, where the program may do without.
    pub unfit: Vec<(Tier, String)>,
    /// Modules that it imports and that packages have to provide.
    pub imports: Vec<String>,
}

/// The target that packages are resolved for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PackageTarget {
    /// The tier.
    pub tier: Tier,
    /// The interpreter's version, such as `3.14`.
    pub interpreter: String,
    /// The platform of native code; none for a target that runs none.
    pub native: Option<NativePlatform>,
}

/// A platform of native code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NativePlatform {
    /// The processor architecture, such as `x86_64`.
    pub architecture: String,
    /// The version of the GNU C library, such as `2.43`.
    pub libc: String,
}

/// The resolution of packages for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The target.
    pub target: PackageTarget,
    /// Every package with its exact archive: the lock.
    pub packages: Vec<LockedPackage>,
    /// The reason why the target cannot have them.
    pub lacks: Option<String>,
}

/// One package in one version, by its archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedPackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file name of its archive; for JavaScript its path in `node_modules`, which decides which
    /// packages see it.
    pub file: String,
    /// The archive's digest, such as `sha256:...`.
    pub digest: String,
}

/// A package set, ready to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageTree {
    /// The digest of its contents.
    pub digest: String,
    /// A tar archive for the wasm tier, a directory for the others.
    pub path: PathBuf,
    /// Keeps it in the store for as long as a copy of this lives.
    pub lease: Lease,
}

/// A reference-counted hold: the resource stays in place for as long as this or a copy of it lives.
#[derive(Clone, Default)]
pub struct Lease(Option<Arc<dyn Any + Send + Sync>>);

impl Lease {
    /// Wraps a value, such as a locked file, that holds the resource.
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Some(Arc::new(held)))
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Lease(held)"
        } else {
            "Lease(nothing)"
        })
    }
}

/// The hold is no part of the identity of the resource.
impl PartialEq for Lease {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

impl Resolution {
    /// Returns the facts that the decision needs of it.
    #[must_use]
    pub fn needs(&self) -> TierNeeds {
        let package = |package: &LockedPackage| ResolvedPackage {
            name: package.name.clone(),
            version: package.version.clone(),
            digest: package.digest.clone(),
        };
        TierNeeds {
            tier: self.target.tier,
            packages: self.packages.iter().map(package).collect(),
            lacks: self.lacks.clone(),
        }
    }
}

/// The packages of one request: its survey and resolutions.
#[derive(Default)]
pub(crate) struct PackagePlan {
    grant: Option<PackageGrant>,
    resolutions: Vec<Resolution>,
    needs: Needs,
    imports: Vec<String>,
}

impl PackagePlan {
    /// Starts with a survey, before anything is resolved.
    pub(crate) fn new(survey: Survey, request: &mut Request) -> Self {
        // Too many packages are denied by their number, whether the request or the text declares
        // them.
        let mut known: HashSet<String> = request.wants.packages.iter().cloned().collect();
        for package in survey.packages {
            if known.insert(package.clone()) {
                request.wants.packages.push(package);
            }
        }
        let lacks = |(tier, lacks)| TierNeeds {
            tier,
            packages: Vec::new(),
            lacks: Some(lacks),
        };
        let needs = Needs {
            tiers: survey.lacks.into_iter().map(lacks).collect(),
            missing: survey.missing,
            unfit: survey.unfit,
        };
        Self {
            needs,
            imports: survey.imports,
            ..Self::default()
        }
    }

    /// Returns the modules that packages have to provide, as far as the program's text shows.
    pub(crate) fn imports(&self) -> &[String] {
        &self.imports
    }

    /// Returns whether packages were resolved for a tier.
    pub(crate) fn is_resolved_for(&self, tier: Tier) -> bool {
        let mut resolutions = self.resolutions.iter();
        resolutions.any(|resolution| resolution.target.tier == tier)
    }

    /// Adds that the packages would fail in a tier, and resolutions for others.
    pub(crate) fn unfit(&mut self, tier: Tier, lacks: String, others: Vec<Resolution>) {
        self.needs.unfit.push((tier, lacks));
        self.add(&others);
        self.resolutions.extend(others);
    }

    /// Adds resolutions.
    pub(crate) fn resolved(&mut self, grant: PackageGrant, resolutions: Vec<Resolution>) {
        self.add(&resolutions);
        self.grant = Some(grant);
        self.resolutions = resolutions;
    }

    /// Adds the needs of resolutions, for tiers that the text has none for.
    fn add(&mut self, resolutions: &[Resolution]) {
        let tiers = &mut self.needs.tiers;
        for resolution in resolutions {
            if tiers
                .iter()
                .all(|needs| needs.tier != resolution.target.tier)
            {
                tiers.push(resolution.needs());
            }
        }
    }

    /// Returns whether the text states a need that not every tier meets.
    pub(crate) fn has_needs(&self) -> bool {
        self.needs != Needs::default()
    }

    /// Returns the facts of this request; none if they are the machine's.
    pub(crate) fn facts(&self, machine: &Facts) -> Option<Facts> {
        self.has_needs().then(|| Facts {
            tiers: machine.tiers.clone(),
            needs: self.needs.clone(),
        })
    }

    /// Returns what to fetch for a run in a tier.
    pub(crate) fn of_tier(&self, tier: Tier) -> Option<(&PackageGrant, &Resolution)> {
        let resolution = self
            .resolutions
            .iter()
            .find(|resolution| resolution.target.tier == tier)?;
        Some((self.grant.as_ref()?, resolution))
    }

    /// Returns the packages of a run with this grant.
    pub(crate) fn locked(&self, grant: &Grant) -> Vec<LockedPackage> {
        self.of_tier(grant.tier())
            .map(|(_, resolution)| resolution.packages.clone())
            .unwrap_or_default()
    }
}
