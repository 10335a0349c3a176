//! Guest location: where are guests on this machine, and which of them fit this build?

#![expect(
    clippy::disallowed_methods,
    reason = "the place of the installation is the environment's to say"
)]

use crate::installation::{Bundle, BundleError};
use std::env;
use std::path::{Path, PathBuf};

include!(concat!(env!("OUT_DIR"), "/key.rs"));

/// `$GLOVEBOX_CACHE`, or else `$XDG_CACHE_HOME/glovebox`, or else `~/.cache/glovebox`. Nothing
/// where the user has no home.
///
/// Empty and relative values count as unset, as the XDG convention wants it.
pub fn default_cache_dir() -> Option<PathBuf> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("GLOVEBOX_CACHE")
        .or_else(|| Some(absolute("XDG_CACHE_HOME")?.join("glovebox")))
        .or_else(|| {
            Some(
                env::home_dir()
                    .filter(|home| home.is_absolute())?
                    .join(".cache/glovebox"),
            )
        })
}

/// Names the sources and pinned tools that this build's guests are made from: 16 hexadecimal
/// digits.
pub fn source_key() -> &'static str {
    SOURCE_KEY
}

/// The guests of this build, if they are in the default cache directory.
///
/// # Errors
///
/// As for [`installed_in`].
pub fn installed() -> Result<Option<Bundle>, BundleError> {
    default_cache_dir().map_or(Ok(None), |cache| installed_in(&cache))
}

/// The guests of this build, if they are in this cache directory. Guests of other sources are never
/// taken.
///
/// # Errors
///
/// Where others than this user and root can have put them there. Whatever else keeps them from
/// being used counts as if there were none.
pub fn installed_in(cache: &Path) -> Result<Option<Bundle>, BundleError> {
    match Bundle::open(directory(cache)) {
        Err(BundleError::Folder(error)) if error.is_distrust() => Err(error.into()),
        found => Ok(found
            .ok()
            .filter(|bundle| bundle.manifest().key == SOURCE_KEY)),
    }
}

/// Returns the directory of this build's guests.
pub(crate) fn directory(cache: &Path) -> PathBuf {
    cache.join("guests").join(SOURCE_KEY)
}
