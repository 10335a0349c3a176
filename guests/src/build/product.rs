//! Build product: what does a build of one guest leave?

use crate::manifest::{Artefact, Guest};
use std::path::PathBuf;

/// A built guest whose files are still in the cache.
pub(super) struct Product {
    pub(super) guest: Guest,
    /// The files of the guest, with their paths in the cache. Digests in `guest` are filled in when
    /// the bundle is written.
    pub(super) files: Vec<(String, PathBuf)>,
}

/// Returns the description of a file that is not measured yet.
pub(super) fn unmeasured(file: &str) -> Artefact {
    Artefact {
        file: file.to_owned(),
        sha256: String::new(),
        bytes: 0,
    }
}
