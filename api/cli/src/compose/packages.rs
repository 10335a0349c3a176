//! Package manager of this machine: where is its cache, and how large may it be?

use super::PackageSource;
use crate::exit::Failure;
use crate::installation::cache_dir;
use crate::terminal::{self, name};
use glovebox::{Executor, Guests};
use glovebox_packages::{IndexAccess, Packages, PackagesBuilder, ResolutionPolicy};
#[cfg(feature = "containers")]
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Limits on the package cache of a service; a single command has none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PackageQuotas {
    /// Bytes of the cache.
    pub(crate) cache: Option<u64>,
    /// Bytes of disk that the cache leaves free.
    pub(crate) reserve: Option<u64>,
    /// Bytes that one subject may cause to be fetched and unpacked within an hour, where the policy
    /// sets no quota.
    pub(crate) of_subject: Option<u64>,
}

/// Returns the package cache of this machine.
pub(crate) fn package_store() -> Result<PackagesBuilder, Failure> {
    Ok(Packages::builder(cache_dir()?.join("packages")))
}

/// Returns the directory of what sessions in containers have of it.
#[cfg(feature = "containers")]
pub(super) fn folders_of_sessions() -> Result<PathBuf, Failure> {
    Ok(cache_dir()?.join("packages/sessions"))
}

/// Returns a builder of the package manager, which reports its progress.
pub(super) fn manager(
    guests: Guests,
    containers: Option<Arc<dyn Executor>>,
    source: PackageSource,
    quotas: PackageQuotas,
) -> Result<PackagesBuilder, Failure> {
    let (access, resolutions) = match source {
        PackageSource::Any => (IndexAccess::Online, ResolutionPolicy::Cached),
        PackageSource::Cache => (IndexAccess::Offline, ResolutionPolicy::Cached),
        PackageSource::Newest => (IndexAccess::Online, ResolutionPolicy::Upgrade),
    };
    // Each tier resolves the same packages for itself, which is of no interest here.
    let reported = Mutex::new(String::new());
    let mut manager = package_store()?
        .guests(guests)
        .progress(move |text| {
            let mut reported = reported.lock().unwrap_or_else(PoisonError::into_inner);
            if *reported != text {
                text.clone_into(&mut reported);
                terminal::note(&format!("glovebox: {}", name(text)));
            }
        })
        .index_access(access)
        .resolutions(resolutions);
    if let Some(containers) = containers {
        manager = manager.executor(containers);
    }
    if let Some(bytes) = quotas.reserve {
        manager = manager.reserve(bytes);
    }
    if let Some(bytes) = quotas.of_subject {
        manager = manager.share(glovebox_packages::STEPS, bytes);
    }
    if let Some(bytes) = quotas.cache {
        manager = manager.quota(bytes);
    }
    Ok(manager)
}
