//! Cache of file system layouts: with which files do runs start?
//!
//! The shared part of the file systems of similar runs is built once, outside of the lock: only
//! runs that need it wait while it is built. The cache is bounded.

use crate::error::{Error, RequestError};
use crate::executor::RunSetup;
use crate::filesystem::{Archive, FilesystemSetup, HostMount, Layout};
use crate::guest::Guest;
use crate::memory::map_file;
use crate::mounts::resolve_mount;
use crate::packages::PackageTree;
use glovebox_policy::Grant;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// The language, the granted mounts as (guest path, host path, writable), and the digest of the
/// packages.
type Key = (String, Vec<(String, String, bool)>, Option<String>);

/// Cached layouts; one for each language, set of mounts and package set.
const MAX_LAYOUTS: usize = 256;

/// Bytes of the package indexes in the cache. Protects the host's memory from many sets of many
/// files.
const MAX_INDEX_BYTES: u64 = 64 << 20;

/// The cache.
#[derive(Default)]
pub(super) struct Layouts(Mutex<Known>);

#[derive(Default)]
struct Known {
    layouts: HashMap<Key, Arc<OnceCell<Arc<SharedLayout>>>>,
    index_bytes: u64,
}

/// The part that runs share.
pub(super) struct SharedLayout {
    pub(super) layout: Layout,
    /// Bytes of its package index, which each run is charged for: it may be the last one that holds
    /// it.
    pub(super) index: u64,
}

impl Layouts {
    /// Returns the part that runs with this setup share.
    pub(super) async fn of(
        &self,
        setup: &RunSetup,
        guest: Option<&Guest>,
    ) -> Result<Arc<SharedLayout>, Error> {
        let grant = &setup.grant;
        let mounts: Vec<_> = grant
            .mounts()
            .iter()
            .map(|mount| (mount.guest.clone(), mount.host.clone(), mount.writable))
            .collect();
        let key = (
            grant.language().to_owned(),
            mounts,
            setup.packages.as_ref().map(|tree| tree.digest.clone()),
        );
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if known.layouts.len() >= MAX_LAYOUTS && !known.layouts.contains_key(&key) {
                *known = Known::default();
            }
            Arc::clone(known.layouts.entry(key).or_default())
        };
        match cell.get() {
            Some(shared) => Ok(Arc::clone(shared)),
            // Boxed: the future of every run is moved, and this one is seldom needed.
            None => Box::pin(cell.get_or_try_init(|| self.make(setup, guest)))
                .await
                .cloned(),
        }
    }

    async fn make(
        &self,
        setup: &RunSetup,
        guest: Option<&Guest>,
    ) -> Result<Arc<SharedLayout>, Error> {
        let shared = make(setup, guest).await?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.index_bytes = known.index_bytes.saturating_add(shared.index);
        if known.index_bytes > MAX_INDEX_BYTES {
            *known = Known::default();
        }
        Ok(Arc::new(shared))
    }
}

async fn make(setup: &RunSetup, guest: Option<&Guest>) -> Result<SharedLayout, Error> {
    let grant = &setup.grant;
    let mounts = grant
        .mounts()
        .iter()
        .map(|mount| {
            let unusable = |reason: String| Error::Mount {
                guest: mount.guest.clone(),
                reason,
            };
            let found = resolve_mount(mount)?.ok_or_else(|| {
                tracing::warn!(host = mount.host, "a granted directory does not exist");
                unusable("its directory does not exist".to_owned())
            })?;
            HostMount::new(found.directory, mount.guest.clone(), found.access)
                .map_err(|error| unusable(error.to_string()))
        })
        .collect::<Result<_, _>>()?;
    let mut archives = guest.map(|guest| guest.trees.clone()).unwrap_or_default();
    let mut index = 0;
    match (
        guest.and_then(|guest| guest.packages.clone()),
        setup.packages.clone(),
    ) {
        // Indexing takes time in proportion to the number of files: not on an async worker thread.
        (Some(place), Some(tree)) => {
            let archive =
                tokio::task::spawn_blocking(move || package_archive(Some(&tree))).await??;
            index = archive.index_bytes();
            archives.push((place, archive));
        }
        // Without packages the mount point is empty: a session may be given some later.
        (Some(place), None) => archives.push((place, Arc::default())),
        (None, Some(_)) => return Err(no_place(grant)),
        (None, None) => {}
    }
    let workspace = Some(
        guest
            .map_or("/", |guest| guest.workspace.as_str())
            .to_owned(),
    );
    let layout = Layout::new(FilesystemSetup {
        workspace,
        temporary: true,
        devices: true,
        archives,
        mounts,
    });
    Ok(SharedLayout {
        layout: layout.map_err(RequestError::File)?,
        index,
    })
}

/// Returns the index of packages.
pub(super) fn package_archive(tree: Option<&PackageTree>) -> Result<Arc<Archive>, Error> {
    let Some(tree) = tree else {
        return Ok(Arc::default());
    };
    let unusable = |error: &dyn std::fmt::Display| {
        Error::packages(format!("`{}` cannot be used: {error}", tree.path.display()))
    };
    let bytes = map_file(&tree.path).map_err(|error| unusable(&error))?;
    Archive::index(bytes)
        .map(Arc::new)
        .map_err(|error| unusable(&error))
}

/// Returns the error of a language whose guest has no packages.
pub(super) fn no_place(grant: &Grant) -> Error {
    let language = grant.language().to_owned();
    RequestError::NoPackages { language }.into()
}
