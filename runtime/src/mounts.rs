//! Where does a granted directory really lie?
//!
//! A policy decides without looking at any file, so it cannot see symbolic links. Whoever opens a mount asks here first.

use crate::error::Error;
use glovebox_policy::{Mount, check_mount};
use std::io;
use std::path::PathBuf;

/// The place that a granted directory's path leads to, checked like what the policy says, or none where there is nothing on this machine.
///
/// # Errors
///
/// [`Error::Mount`] where it leads to what must never be mounted, or cannot be looked at.
pub fn resolve_mount(mount: &Mount) -> Result<Option<PathBuf>, Error> {
    let refused = |reason: String| Error::Mount { guest: mount.guest.clone(), reason };
    let place = match std::fs::canonicalize(&mount.host) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    let text = place.to_str().ok_or_else(|| refused("its path is not UTF-8 text".to_owned()))?;
    check_mount(text).map_err(|reason| {
        tracing::warn!(host = mount.host, "a granted directory is a link to what must not be mounted");
        refused(format!("its path leads through a symbolic link: {reason}"))
    })?;
    Ok(Some(place))
}
