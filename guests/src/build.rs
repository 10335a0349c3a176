//! Guest builder: how are the guests made?
//!
//! From registry packages whose digests are pinned, and from our own sources, in steps that are
//! cached by the digest of what went in: a step that was done once is not repeated, and works
//! without a network afterwards.

#![expect(
    clippy::disallowed_methods,
    reason = "makes an installation: runs pinned tools and writes to the cache directory only"
)]

mod commonjs;
mod component;
mod compression;
mod direct;
mod engine_edits;
mod flatten;
mod heap_layout;
mod image;
mod javascript;
mod link_graph;
mod locales;
mod merge;
mod module;
mod native;
mod node_library;
mod order;
mod preinitialise;
mod process;
mod product;
mod progress;
mod python;
mod sources;
mod stdlib;
mod steps;
mod toolchain;

pub use flatten::{Flat, flatten};
pub use progress::Progress;

use crate::installation::{Bundle, install, measure};
use crate::location::{directory, installed_in, source_key};
use crate::manifest::{Artefact, FORMAT, MANIFEST_FILE, Manifest, Tree};
use anyhow::{Context as _, Result, bail};
use glovebox_host::folder::Folder;
use product::Product;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use steps::{Registries, Steps};

/// The guests to make, and where to make them.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The cache directory; see [`crate::default_cache_dir`].
    pub cache: PathBuf,
    /// Fail rather than fetch anything.
    pub offline: bool,
    /// Make only this guest, for its development. Such a bundle lies beside the whole one and is
    /// never used in its place.
    pub only: Option<String>,
}

/// Makes the guests, unless they are there.
///
/// Needs `python3` with `pip`, `npm` and `cargo`, and the network for what was not fetched before.
///
/// # Errors
///
/// Where a tool is missing (the message says how to get it), a download fails or is not what was
/// pinned, or a guest does not compile.
pub fn build(options: &BuildOptions, progress: &dyn Progress) -> Result<Bundle> {
    let target = match &options.only {
        None => directory(&options.cache),
        Some(name) => options
            .cache
            .join("guests")
            .join(format!("{}-{name}", source_key())),
    };
    if let (None, Some(bundle)) = (&options.only, installed_in(&options.cache)?) {
        return Ok(bundle);
    }
    let root = options.cache.join("build");
    // The tools that run come from below this folder.
    Folder::create(&root).context("the folder in which guests are made cannot be used")?;
    let _lock = lock(&root, progress)?;
    // Another build may have made them while this one waited.
    if let (None, Some(bundle)) = (&options.only, installed_in(&options.cache)?) {
        return Ok(bundle);
    }
    let registries = if options.offline {
        Registries::Offline
    } else {
        Registries::Online
    };
    let steps = Steps::new(root, registries, progress);
    let products = match options.only.as_deref() {
        None => all(&steps)?,
        Some("python") => python::guests(&steps)?,
        Some("javascript" | "typescript") => javascript::guests(&steps)?,
        Some(other) => bail!(
            "there is no guest called `{other}`; the guests are `python`, `javascript` and `typescript`"
        ),
    };
    if options.only.is_some() && target.exists() {
        fs::remove_dir_all(&target)
            .with_context(|| format!("cannot replace `{}`", target.display()))?;
    }
    let bundle = install(&target, |new| write(new, products))?;
    steps.prune();
    Ok(bundle)
}

/// The guests have nothing in common but the fetched tools, so they are made side by side.
fn all(steps: &Steps<'_>) -> Result<Vec<Product>> {
    toolchain::fetch(steps)?;
    std::thread::scope(|scope| {
        let javascript = scope.spawn(|| javascript::guests(steps));
        let mut products = python::guests(steps)?;
        match javascript.join() {
            Ok(more) => products.extend(more?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        Ok(products)
    })
}

/// Holds the cache for one builder; released when dropped, also by a process that dies.
fn lock(root: &Path, progress: &dyn Progress) -> Result<File> {
    let path = root.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot make `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.message("guests", "another process is making them; waiting for it");
            file.lock().context("cannot wait for the other builder")?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache"),
    }
    Ok(file)
}

/// Writes a bundle's files and its manifest.
fn write(new: &Path, products: Vec<Product>) -> Result<()> {
    let mut guests = Vec::new();
    for Product { mut guest, files } in products {
        for (name, from) in files {
            let to = new.join(&name);
            if !to.exists() {
                steps::copy_sparse(&from, &to)?;
            }
        }
        let describe = |artefact: &mut Artefact| -> Result<()> {
            *artefact = measure(&new.join(&artefact.file))?;
            Ok(())
        };
        describe(&mut guest.component)?;
        describe(&mut guest.image)?;
        for Tree { archive, .. } in &mut guest.trees {
            describe(archive)?;
        }
        for artefact in guest.transform.iter_mut().chain(&mut guest.compiler) {
            describe(artefact)?;
        }
        guests.push(guest);
    }
    let mut manifest = Manifest {
        format: FORMAT,
        key: source_key().to_owned(),
        digest: String::new(),
        guests,
    };
    manifest.digest = manifest.computed_digest();
    let text = serde_json::to_string_pretty(&manifest)?;
    fs::write(new.join(MANIFEST_FILE), text + "\n").context("cannot write the manifest")
}
