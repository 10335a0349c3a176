//! Mount resolution: where does a granted directory really lie, and may it be mounted?
//!
//! A policy decides without file access, so it cannot see symlinks. Every executor resolves a mount
//! here before it opens it.

use crate::error::Error;
use glovebox_host::own::{Access, opened_by_mount};
use glovebox_policy::{Mount, check_mount};
use rustix::fs::{CWD, FsWord, Mode, OFlags};
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// A granted directory of this machine.
#[derive(Debug)]
pub struct ResolvedMount {
    /// Its path, without symlinks.
    pub path: PathBuf,
    /// The directory that the path led to when it was checked, opened with `O_PATH`.
    pub(crate) directory: OwnedFd,
    pub(crate) access: Access,
}

impl ResolvedMount {
    /// Returns the device and inode numbers of the directory that was checked. They stay its own for
    /// as long as this value keeps it open.
    ///
    /// # Errors
    ///
    /// If the kernel does not report them.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        let about = rustix::fs::fstat(&self.directory)?;
        Ok((about.st_dev, about.st_ino))
    }
}

/// Resolves the path of a granted directory, checks it like the policy's own paths, and opens it;
/// none if it does not exist on this machine.
///
/// # Errors
///
/// [`Error::Mount`] if it leads to what must never be mounted, or cannot be opened.
pub fn resolve_mount(mount: &Mount) -> Result<Option<ResolvedMount>, Error> {
    let refused = |reason: String| Error::Mount {
        guest: mount.guest.clone(),
        reason,
    };
    let path = match std::fs::canonicalize(&mount.host) {
        Ok(path) => path,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error.to_string())),
    };
    let text = path
        .to_str()
        .ok_or_else(|| refused("its path is not UTF-8 text".to_owned()))?;
    check_mount(text).map_err(|reason| {
        tracing::warn!(
            host = mount.host,
            "a granted directory is a link to what must not be mounted"
        );
        refused(format!("its path leads through a symbolic link: {reason}"))
    })?;
    let access = if mount.writable {
        Access::ReadWrite
    } else {
        Access::ReadOnly
    };
    if let Some(own) = opened_by_mount(&path, access) {
        tracing::warn!(
            host = mount.host,
            own = %own.display(),
            "a granted directory gives access to files of Glovebox itself"
        );
        return Err(refused(
            "it lies in, or contains, a directory that Glovebox keeps its own files in (cache or state); mount another one"
                .to_owned(),
        ));
    }
    let directory = open(&path).map_err(|error| refused(error.to_string()))?;
    Ok(Some(ResolvedMount {
        path,
        directory,
        access,
    }))
}

/// Opens the directory of a path without symlinks. A program that can rename a directory of the
/// path may have put a symlink in its place since it was checked, so the kernel is asked for the
/// path of the opened directory.
fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
    let opened = std::fs::read_link(format!("/proc/self/fd/{}", directory.as_raw_fd()))?;
    if opened != path {
        return Err(io::Error::other("its path changed while it was opened"));
    }
    check_file_system(&directory)?;
    Ok(directory)
}

/// Magic numbers of the kernel's own file systems (`statfs(2)`), and names for errors: a regular
/// file there can be another process's memory, or a setting of the kernel.
const KERNEL_FILE_SYSTEMS: [(FsWord, &str); 21] = [
    (0x0000_9fa0, "proc"),
    (0x6265_6572, "sysfs"),
    (0x0027_e0eb, "cgroup"),
    (0x6367_7270, "cgroup2"),
    (0x6462_6720, "debugfs"),
    (0x7472_6163, "tracefs"),
    (0x7363_6673, "securityfs"),
    (0xcafe_4a11, "bpf"),
    (0x6265_6570, "configfs"),
    (0x0000_1cd1, "devpts"),
    (0x6e73_6673, "nsfs"),
    (0xf97c_ff8c, "selinuxfs"),
    (0x4341_5d53, "smackfs"),
    (0xde5e_81e4, "efivarfs"),
    (0x6165_676c, "pstore"),
    (0x4249_4e4d, "binfmt_misc"),
    (0x6573_5543, "fusectl"),
    (0x6759_6969, "rpc_pipefs"),
    (0x6e66_7364, "nfsd"),
    (0x0765_5821, "resctrl"),
    (0xabba_1974, "xenfs"),
];

/// Checks that an open file does not belong to the kernel's own file systems.
///
/// # Errors
///
/// `PermissionDenied` if it does.
pub(crate) fn check_file_system(file: impl AsFd) -> io::Result<()> {
    let found = rustix::fs::fstatfs(file)?.f_type;
    match KERNEL_FILE_SYSTEMS
        .iter()
        .find(|(magic, _)| *magic == found)
    {
        Some((_, name)) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the kernel's own file system `{name}` must never be mounted"),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Directories that any machine has; the file systems are the kernel's.
    #[test]
    fn file_systems_of_the_kernel_are_refused() {
        for path in ["/proc", "/sys", "/proc/self"] {
            let opened = open(&std::fs::canonicalize(path).unwrap());
            let message = opened.unwrap_err().to_string();
            assert!(
                message.contains("must never be mounted"),
                "{path}: {message}"
            );
        }
        for path in ["/", "/usr"] {
            open(Path::new(path)).unwrap();
        }
    }

    #[test]
    fn a_path_that_became_a_symlink_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (outside, inside) = (root.join("outside"), root.join("inside"));
        std::fs::create_dir_all(outside.join("deep")).unwrap();
        open(&outside.join("deep")).unwrap();
        std::os::unix::fs::symlink(&outside, &inside).unwrap();
        for path in [inside.clone(), inside.join("deep")] {
            let message = open(&path).unwrap_err().to_string();
            assert!(message.contains("changed while it was opened"), "{message}");
        }
    }
}
