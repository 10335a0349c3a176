//! Composition root: how do policy, guests, tiers and packages become a sandbox?
//!
//! The only place that puts one together, so that all commands decide from the same facts.

#[cfg(feature = "packages")]
mod packages;

#[cfg(feature = "packages")]
pub(crate) use packages::{PackageQuotas, package_store};

use crate::cli::RequestArguments;
use crate::doctor::diagnosis::TierDiagnosis;
use crate::exit::Failure;
use crate::installation::{COMPILER, Installation};
use glovebox::{Executor, Metering, Sandbox, SandboxBuilder};
use glovebox_policy::Policy;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// The container tier of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ContainerTier {
    /// There is none.
    Absent,
    /// The engine, which takes milliseconds to answer, is asked only if a decision depends on it.
    Lazy,
    /// The engine is asked before the sandbox is built.
    #[cfg(feature = "serve")]
    Connected {
        /// The OCI runtime; by default, the engine's own.
        runtime: Option<String>,
        /// Containers that are kept ready.
        idle: usize,
    },
}

impl ContainerTier {
    #[cfg(feature = "containers")]
    fn executor(self, runtime: &Runtime) -> Option<Arc<dyn Executor>> {
        let builder = glovebox_fallback::Containers::builder();
        #[cfg(feature = "packages")]
        let builder = match packages::folders_of_sessions() {
            Ok(path) => builder.package_folders(path),
            // The package manager reports it.
            Err(_) => builder,
        };
        Some(Arc::new(match self {
            Self::Absent => return None,
            Self::Lazy => builder.lazy(),
            #[cfg(feature = "serve")]
            Self::Connected {
                runtime: name,
                idle,
            } => {
                let builder = name
                    .iter()
                    .fold(builder.idle(idle), |builder, name| builder.runtime(name));
                runtime.block_on(builder.connect())
            }
        }))
    }

    #[cfg(not(feature = "containers"))]
    fn executor(self, _: &Runtime) -> Option<Arc<dyn Executor>> {
        None
    }
}

/// Diagnoses the tiers that are not in every build, with advice.
pub(crate) fn diagnose_tiers() -> Result<Vec<(TierDiagnosis, Vec<String>)>, Failure> {
    #[cfg(feature = "containers")]
    let containers = crate::containers::diagnose()?;
    #[cfg(not(feature = "containers"))]
    let containers = (TierDiagnosis::absent("container"), Vec::new());
    Ok(vec![
        containers,
        (TierDiagnosis::absent("microvm"), Vec::new()),
    ])
}

/// The source of packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PackageSource {
    /// The cache, or else the indexes.
    #[default]
    Any,
    /// The cache alone.
    Cache,
    /// The indexes, for newer versions than those of the cache.
    Newest,
}

impl From<&RequestArguments> for PackageSource {
    fn from(arguments: &RequestArguments) -> Self {
        if arguments.offline {
            Self::Cache
        } else {
            Self::Any
        }
    }
}

/// The parts and settings of a sandbox.
pub(crate) struct Composition<'a> {
    pub(crate) installation: &'a Installation,
    pub(crate) policy: Policy,
    pub(crate) metering: Metering,
    pub(crate) containers: ContainerTier,
    pub(crate) packages: PackageSource,
    #[cfg(feature = "packages")]
    pub(crate) quotas: PackageQuotas,
}

/// Ends what the tiers of this process have left outside of it.
#[cfg(feature = "serve")]
pub(crate) async fn close() {
    #[cfg(feature = "containers")]
    glovebox_fallback::remove_own_containers().await;
}

impl<'a> Composition<'a> {
    /// Starts with fuel metering, no container tier, and packages from anywhere.
    pub(crate) fn new(installation: &'a Installation, policy: Policy) -> Self {
        Self {
            installation,
            policy,
            metering: Metering::Fuel,
            containers: ContainerTier::Absent,
            packages: PackageSource::Any,
            #[cfg(feature = "packages")]
            quotas: PackageQuotas::default(),
        }
    }

    /// Returns a builder of the sandbox, for what only one command adds.
    pub(crate) fn builder(self, runtime: &Runtime) -> Result<SandboxBuilder, Failure> {
        let guests = self.installation.guests(self.metering)?;
        let mut builder = Sandbox::builder()
            .policy(self.policy.clone())
            .guests(guests.clone())
            .metering(self.metering)
            .compiler(COMPILER);
        let containers = self.containers.executor(runtime);
        if let Some(containers) = &containers {
            builder = builder.executor(Arc::clone(containers));
        }
        #[cfg(feature = "packages")]
        {
            let manager = packages::manager(guests, containers, self.packages, self.quotas)?;
            let manager = manager.policy(self.policy).build();
            builder = builder.packages(Arc::new(manager));
        }
        Ok(builder)
    }

    /// Returns the sandbox.
    pub(crate) fn build(self, runtime: &Runtime) -> Result<Sandbox, Failure> {
        self.builder(runtime)?
            .build()
            .map_err(|error| Failure::from(&error))
    }
}
