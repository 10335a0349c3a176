//! Trust in files: which owners, modes and groups keep other users from changing one?

use rustix::fs::Stat;
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// Write permission of the group and of others.
pub(crate) const OTHERS_WRITE: u32 = 0o022;

/// The sticky bit: only the owner of an entry may remove or rename it.
pub(crate) const STICKY: u32 = 0o1000;

/// Write permission of the group.
const GROUP_WRITES: u32 = 0o020;

/// Groups below this number are the distribution's own, such as `root`, and Debian's `staff`, which
/// may write to `/usr/local`.
const FIRST_OTHER_GROUP: u32 = 100;

/// The extended attribute of a POSIX ACL.
const ACCESS_LIST: &str = "system.posix_acl_access";

/// The reason why a folder or a file in it is not trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It belongs to a user other than this one and root.
    #[error(
        "`{path}` belongs to user {owner}, and only what belongs to user {user} or to root is used; \
         `chown {user} '{path}'` (as root) mends that, or name a folder of your own"
    )]
    Owner {
        /// The path that belongs to another user.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The user of this process.
        user: u32,
    },
    /// It is writable by users other than its owner.
    #[error(
        "`{path}` can be written by others than its owner (mode {mode:04o}); `chmod go-w '{path}'` mends that, or name a folder of your own"
    )]
    Writable {
        /// The path that is writable.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is world-writable, with the sticky bit.
    #[error(
        "everybody may put files into `{path}` (mode {mode:04o}); name a folder in it that belongs to user {user} alone"
    )]
    Shared {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The user of this process.
        user: u32,
    },
    /// It can't be opened.
    #[error("`{path}` cannot be used: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

impl FolderError {
    /// Returns the error of a system call on this path.
    pub(crate) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// Returns whether the path does not exist.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Returns whether the path exists and is not trusted.
    #[must_use]
    pub fn is_distrust(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }
}

/// Groups that may have write permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Groups {
    /// None.
    None,
    /// System groups, on root's entries, and this user's own group, on this user's: the defaults of
    /// distributions.
    Usual,
}

impl Groups {
    /// Returns whether a user other than the owner has write permission.
    pub(crate) fn others_write(self, found: &OwnedFd, about: &Stat) -> bool {
        let others = about.st_mode & OTHERS_WRITE;
        if self == Self::None || others != GROUP_WRITES {
            return others != 0;
        }
        let is_usual = match about.st_uid {
            0 => about.st_gid < FIRST_OTHER_GROUP,
            owner => about.st_gid == owner,
        };
        // With a POSIX ACL, the group bits are its mask: the most that any entry of it grants.
        !is_usual || has_access_list(found)
    }
}

fn has_access_list(found: &OwnedFd) -> bool {
    let path = format!("/proc/self/fd/{}", found.as_raw_fd());
    let read = rustix::fs::getxattr(path, ACCESS_LIST, &mut [0_u8; 256][..]);
    !matches!(read, Err(Errno::NODATA | Errno::OPNOTSUPP))
}

/// Returns the status of an open file.
pub(crate) fn stat(descriptor: &OwnedFd, path: &Path) -> Result<Stat, FolderError> {
    rustix::fs::fstat(descriptor).map_err(|error| FolderError::io(path, error))
}

/// Returns the effective user of this process.
pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Checks that an entry belongs to this user or to root.
pub(crate) fn check_owner(about: &Stat, path: &Path) -> Result<(), FolderError> {
    let (owner, user) = (about.st_uid, user());
    if owner == user || owner == 0 {
        Ok(())
    } else {
        Err(FolderError::Owner {
            path: path.to_owned(),
            owner,
            user,
        })
    }
}
