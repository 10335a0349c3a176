//! State folder: is it ours alone?

use crate::identities::Anonymous;
use crate::start_error::StartError;
use cap_std::fs::{Dir, OpenOptions};
use glovebox_host::folder::Folder;
use glovebox_host::lock::LockedFile;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

/// The state of a service, from its command line.
#[derive(Clone, Debug)]
pub struct State {
    /// The folder.
    pub folder: PathBuf,
    /// Whether to start although the audit log lacks the newest record that the database has seen.
    /// The gap is recorded.
    pub accept_audit_gap: bool,
    /// Whether callers without credentials are served.
    pub anonymous: Anonymous,
}

/// Opens the state folder, and creates it if there is none. Other users of this machine must not be
/// able to read or to have changed it.
pub(crate) fn state_folder(path: &Path) -> io::Result<Dir> {
    let folder = Folder::create(path).map_err(io::Error::other)?;
    let tightened = folder.make_private().map_err(|error| {
        let user = rustix::process::geteuid().as_raw();
        io::Error::other(format!(
            "{error}; others may look into it: `chown {user} '{0}' && chmod 700 '{0}'` mends that",
            path.display()
        ))
    })?;
    if let Some(mode) = tightened {
        tracing::warn!(path = %path.display(), "others could look into the state folder (mode {mode:04o}); its mode is 0700 now");
    }
    // A user who could write here before may have left files of their own, or still have them open.
    folder.check_inside().map_err(io::Error::other)?;
    Ok(Dir::from_std_file(folder.to_file()?))
}

/// Locks the state folder against other processes.
///
/// # Errors
///
/// If another process has locked it.
pub(crate) fn lock_folder(path: &Path, state: &Dir) -> Result<LockedFile, StartError> {
    let failed = |error| StartError::State(path.to_owned(), error);
    let lock = state
        .open_with("lock", OpenOptions::new().create(true).write(true))
        .map_err(failed)?;
    LockedFile::try_lock(lock.into_std()).map_err(|error| match error {
        TryLockError::WouldBlock => StartError::InUse(path.to_owned()),
        TryLockError::Error(error) => failed(error),
    })
}
