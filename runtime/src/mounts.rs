//! Mount resolution: where does a granted directory really lie, and may it be mounted?
//!
//! A policy decides without file access, so it cannot see symlinks. Every executor resolves a mount
//! here before it opens it.

use crate::error::Error;
use glovebox_policy::{Mount, check_mount};
use std::io;
use std::path::PathBuf;

/// Resolves the path of a granted directory and checks it like the policy's own paths; none if it
/// does not exist on this machine.
///
/// # Errors
///
/// [`Error::Mount`] if it leads to what must never be mounted, or cannot be read.
pub fn resolve_mount(mount: &Mount) -> Result<Option<PathBuf>, Error> {
    let refused = |reason: String| Error::Mount {
        guest: mount.guest.clone(),
        reason,
    };
    let place = match std::fs::canonicalize(&mount.host) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    let text = place
        .to_str()
        .ok_or_else(|| refused("its path is not UTF-8 text".to_owned()))?;
    check_mount(text).map_err(|reason| {
        tracing::warn!(
            host = mount.host,
            "a granted directory is a link to what must not be mounted"
        );
        refused(format!("its path leads through a symbolic link: {reason}"))
    })?;
    Ok(Some(place))
}
