//! Store entries: what describes the trees and parts of the package store?

use crate::disk::Files;
use glovebox::{Error, LockedPackage};
use glovebox_policy::{Ecosystem, Tier};
use serde::{Deserialize, Serialize};

/// The name of a tree's or part's description, beside it.
pub(crate) const ABOUT: &str = "about.json";

/// The file list of a part, beside it. The description has only their size: it is read more often.
pub(crate) const LISTING: &str = "files.json";

/// Maximum bytes of a description.
pub(crate) const MAX_ABOUT: u64 = 4 << 20;

/// Maximum bytes of a part's file list.
pub(crate) const MAX_LISTING: u64 = 512 << 20;

/// The field of every description that is read here.
#[derive(Serialize, Deserialize)]
pub(crate) struct Size {
    /// Bytes on disk, with directories and directory entries.
    pub(crate) bytes: u64,
}

/// The files of one archive, ready to become a part of sets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PartFiles {
    /// The key of their archive.
    #[serde(default)]
    pub(crate) key: String,
    /// Bytes on disk, with directories and directory entries.
    pub(crate) bytes: u64,
    pub(crate) files: Files,
}

/// A package set in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTree {
    /// Its digest.
    pub digest: String,
    /// Its language.
    pub language: String,
    /// Its tier.
    pub tier: String,
    /// The packages, as `name version`.
    pub packages: Vec<String>,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Returns the description of a tree.
pub(crate) fn tree_description(
    digest: &str,
    ecosystem: Ecosystem,
    tier: Tier,
    packages: &[LockedPackage],
    bytes: u64,
) -> StoredTree {
    StoredTree {
        digest: digest.to_owned(),
        language: ecosystem.name().to_owned(),
        tier: tier.name().to_owned(),
        packages: packages
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect(),
        bytes,
    }
}

/// Returns the name of a tree below its directory.
pub(crate) fn tree_name(tier: Tier) -> &'static str {
    if tier == Tier::Wasm {
        "tree.tar"
    } else {
        "files"
    }
}

/// Serializes a description.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::packages(error.to_string()))
}
