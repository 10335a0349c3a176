//! Host mounts (TOCTOU-safe): how does a guest reach a directory of the host, and nothing around
//! it?
//!
//! The only place that accesses host files on behalf of a guest. Each step opens one name below a
//! directory that is already open, through `cap-std`, never following a symlink; only regular files
//! and directories are opened, and none of the kernel's own file systems (`proc`, `sysfs`), which
//! may be mounted anywhere below. An entry may be replaced between two steps, so an opened file is
//! checked again before it is used.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use glovebox_host::own::Access;
use rustix::fs::{OFlags, Timespec, Timestamps};
use tokio::sync::Semaphore;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode,
};

use super::attributes::{Identity, TimeChange, Times, host_identity, stat};
use super::error::FilesystemError;
use super::quota::{NodeCharge, Quota};
use crate::mounts::check_file_system;

mod file;

pub(super) use file::HostFile;

/// Concurrent calls into the host's file system for one mount. Protects the pool of blocking
/// threads.
const JOBS_MAX: usize = 8;

/// Names in one listing of a host directory. Protects the host's memory.
const LISTED_NAMES_MAX: usize = 1 << 16;

/// Names on a path below a mount.
const DEPTH_MAX: usize = 256;

/// A mounted directory of the host. Cloning shares the open directory.
#[derive(Clone)]
pub(crate) struct HostMount {
    guest_path: Arc<str>,
    root: Arc<Dir>,
    writable: bool,
    jobs: Arc<Semaphore>,
}

/// Formats without anything of the host.
impl fmt::Debug for HostMount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("HostMount");
        shown
            .field("guest_path", &self.guest_path)
            .field("writable", &self.writable)
            .finish_non_exhaustive()
    }
}

impl HostMount {
    /// Mounts an open directory at the absolute path `guest_path`.
    ///
    /// # Errors
    /// If it cannot be read; the message has the guest path only.
    pub(crate) fn new(
        directory: OwnedFd,
        guest_path: impl Into<String>,
        access: Access,
    ) -> Result<Self, FilesystemError> {
        let guest_path = guest_path.into();
        // Opened once more for reading: until now it may be open with `O_PATH` only.
        let directory = Dir::from_std_file(directory.into());
        let root = open_directory(&directory, ".").map_err(|error| FilesystemError::Mount {
            path: guest_path.clone(),
            reason: error.kind(),
        })?;
        Ok(Self {
            guest_path: guest_path.into(),
            root: Arc::new(root),
            writable: access == Access::ReadWrite,
            jobs: Arc::new(Semaphore::new(JOBS_MAX)),
        })
    }

    /// Returns the mount point in the guest.
    pub(crate) fn guest_path(&self) -> &str {
        &self.guest_path
    }

    /// Returns whether the mount is writable.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Runs `job` on a blocking thread. A started job runs to its end even when its future is
    /// dropped.
    ///
    /// # Errors
    /// The job's, or `io` if the tokio runtime is shutting down.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, ErrorCode> + Send + 'static,
    ) -> Result<T, ErrorCode> {
        let permit = Arc::clone(&self.jobs)
            .acquire_owned()
            .await
            .map_err(|_| ErrorCode::Io)?;
        let held = move || {
            let _permit = permit;
            job()
        };
        tokio::task::spawn_blocking(held)
            .await
            .map_err(|_| ErrorCode::Io)?
    }

    /// Checks that the mount is writable.
    ///
    /// # Errors
    /// `read-only` if it is not.
    pub(super) fn check_writable(&self) -> Result<(), ErrorCode> {
        if self.writable {
            Ok(())
        } else {
            Err(ErrorCode::ReadOnly)
        }
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }
}

/// An open directory of the host.
#[derive(Clone)]
pub(super) struct HostDirectory {
    pub(super) mount: HostMount,
    directory: Arc<Dir>,
}

impl fmt::Debug for HostDirectory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mount.fmt(formatter)
    }
}

impl HostDirectory {
    /// Returns the root of a mount.
    pub(super) fn root(mount: HostMount) -> Self {
        Self {
            directory: Arc::clone(&mount.root),
            mount,
        }
    }

    /// Returns the attributes of the directory itself. Blocks.
    ///
    /// # Errors
    /// The host's error.
    pub(super) fn stat(&self) -> Result<(DescriptorStat, Identity), ErrorCode> {
        let metadata = self.directory.dir_metadata().map_err(code)?;
        Ok(describe(&metadata))
    }

    /// Lists the names that are UTF-8, sorted, with their types. Blocks.
    ///
    /// # Errors
    /// The host's error, and `insufficient-memory` if there are too many.
    pub(super) fn list(&self) -> Result<Vec<DirectoryEntry>, ErrorCode> {
        let mut found = Vec::new();
        for entry in self.directory.entries().map_err(code)? {
            let entry = entry.map_err(code)?;
            // A name that is not UTF-8 cannot be represented in WASI.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if found.len() >= LISTED_NAMES_MAX {
                return Err(ErrorCode::InsufficientMemory);
            }
            let type_ = entry.file_type().map_or(DescriptorType::Unknown, type_of);
            found.push(DirectoryEntry { type_, name });
        }
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Changes the directory's own times. Blocks.
    ///
    /// # Errors
    /// `read-only`, or the host's error.
    pub(super) fn set_times(&self, change: TimeChange) -> Result<(), ErrorCode> {
        self.mount.check_writable()?;
        rustix::fs::futimens(&*self.directory, &timestamps(change))
            .map_err(|error| code(error.into()))
    }

    /// Syncs the directory to the disk (fsync). Blocks.
    ///
    /// # Errors
    /// The host's error.
    pub(super) fn sync(&self) -> Result<(), ErrorCode> {
        rustix::fs::fsync(&*self.directory).map_err(|error| code(error.into()))
    }

    fn below(&self, name: &str) -> Result<Self, ErrorCode> {
        let directory = open_directory(&self.directory, name).map_err(code)?;
        check_file_system(&directory).map_err(code)?;
        Ok(Self {
            mount: self.mount.clone(),
            directory: Arc::new(directory),
        })
    }
}

/// A path below an open directory of the host. Every method blocks.
#[derive(Debug)]
pub(super) struct HostEntry {
    pub(super) directory: HostDirectory,
    /// Names without `.` and `..`.
    pub(super) path: Vec<String>,
    pub(super) must_be_dir: bool,
}

/// The node that was opened.
#[derive(Debug)]
pub(super) enum Opened {
    /// A directory.
    Directory(HostDirectory),
    /// A regular file.
    File(HostFile),
}

/// The mode of an open.
#[derive(Clone, Copy, Debug)]
pub(super) struct OpenMode {
    pub(super) read: bool,
    pub(super) write: bool,
    pub(super) create: bool,
    pub(super) exclusive: bool,
    pub(super) truncate: bool,
    pub(super) directory: bool,
}

impl OpenMode {
    /// Returns whether the mode is impossible for a directory.
    pub(super) fn changes_file(self) -> bool {
        self.write || self.create || self.truncate
    }
}

impl HostEntry {
    /// Returns the attributes of the entry; of a symlink itself (`lstat`).
    ///
    /// # Errors
    /// The host's error.
    pub(super) fn stat(&self) -> Result<(DescriptorStat, Identity), ErrorCode> {
        let Some((parent, name)) = self.parent()? else {
            return self.directory.stat();
        };
        let metadata = parent.directory.symlink_metadata(name).map_err(code)?;
        if self.must_be_dir && !metadata.is_dir() {
            return Err(ErrorCode::NotDirectory);
        }
        Ok(describe(&metadata))
    }

    /// Opens, and with the flag creates, a regular file or a directory.
    ///
    /// # Errors
    /// `read-only` for any change to a read-only mount, `loop` for a symlink, `access` for every
    /// other file type, and the host's error.
    pub(super) fn open(&self, how: OpenMode, quota: &Arc<Quota>) -> Result<Opened, ErrorCode> {
        let Some((parent, name)) = self.parent()? else {
            return self.directory.clone().opened(how);
        };
        let metadata = match parent.directory.symlink_metadata(name) {
            Ok(metadata) => metadata,
            Err(error) if how.create && error.kind() == io::ErrorKind::NotFound => {
                return self.create(&parent, name, how, quota).map(Opened::File);
            }
            Err(error) => return Err(code(error)),
        };
        if how.create && how.exclusive {
            return Err(ErrorCode::Exist);
        }
        if metadata.is_symlink() {
            return Err(ErrorCode::Loop);
        }
        if metadata.is_dir() {
            return parent.below(name)?.opened(how);
        }
        if self.must_be_dir || how.directory {
            return Err(ErrorCode::NotDirectory);
        }
        // Opening a FIFO may block for ever, and opening a device may have side effects.
        if !metadata.is_file() {
            return Err(ErrorCode::Access);
        }
        let write = how.write || how.truncate;
        if write {
            parent.mount.check_writable()?;
        }
        let mut options = OpenOptions::new();
        options
            .read(how.read || !write)
            .write(write)
            .custom_flags(flags(OFlags::NONBLOCK));
        let file = parent.directory.open_with(name, &options).map_err(code)?;
        if !file.metadata().map_err(code)?.is_file() {
            return Err(ErrorCode::Access);
        }
        check_file_system(&file).map_err(code)?;
        let file = HostFile::new(parent.mount, file, quota);
        if how.truncate {
            // Truncated only now that it is known to be a regular file of a writable mount.
            file.set_size(0)?;
        }
        Ok(Opened::File(file))
    }

    fn create(
        &self,
        parent: &HostDirectory,
        name: &str,
        how: OpenMode,
        quota: &Arc<Quota>,
    ) -> Result<HostFile, ErrorCode> {
        if self.must_be_dir {
            return Err(ErrorCode::IsDirectory);
        }
        parent.mount.check_writable()?;
        let charge = NodeCharge::new(quota, 0)?;
        let mut options = OpenOptions::new();
        options
            .read(how.read)
            .write(true)
            .create_new(true)
            .mode(0o644);
        options.custom_flags(flags(OFlags::NONBLOCK));
        let file = parent.directory.open_with(name, &options).map_err(code)?;
        charge.keep();
        Ok(HostFile::new(parent.mount.clone(), file, quota))
    }

    /// Creates a directory.
    ///
    /// # Errors
    /// `read-only`, the quota's, or the host's error.
    pub(super) fn create_directory(&self, quota: &Arc<Quota>) -> Result<(), ErrorCode> {
        let Some((parent, name)) = self.parent()? else {
            return Err(ErrorCode::Exist);
        };
        if parent.directory.symlink_metadata(name).is_ok() {
            return Err(ErrorCode::Exist);
        }
        parent.mount.check_writable()?;
        let charge = NodeCharge::new(quota, 0)?;
        parent.directory.create_dir(name).map_err(code)?;
        charge.keep();
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `read-only`, `busy` for the root of a mount, or the host's error.
    pub(super) fn remove_directory(&self) -> Result<(), ErrorCode> {
        self.directory.mount.check_writable()?;
        let (parent, name) = self.parent()?.ok_or(ErrorCode::Busy)?;
        parent.directory.remove_dir(name).map_err(code)
    }

    /// Unlinks a name that is no directory's.
    ///
    /// # Errors
    /// `read-only`, `is-directory`, or the host's error.
    pub(super) fn remove_file(&self) -> Result<(), ErrorCode> {
        self.directory.mount.check_writable()?;
        let (parent, name) = self.parent()?.ok_or(ErrorCode::IsDirectory)?;
        let metadata = parent.directory.symlink_metadata(name).map_err(code)?;
        if metadata.is_dir() {
            return Err(ErrorCode::IsDirectory);
        }
        if self.must_be_dir {
            return Err(ErrorCode::NotDirectory);
        }
        parent.directory.remove_file(name).map_err(code)
    }

    /// Renames the entry to `to`.
    ///
    /// # Errors
    /// `cross-device` to another mount, `read-only`, `busy` for the root of a mount, or the host's
    /// error.
    pub(super) fn rename(&self, to: &Self) -> Result<(), ErrorCode> {
        if !self.directory.mount.is(&to.directory.mount) {
            return Err(ErrorCode::CrossDevice);
        }
        self.directory.mount.check_writable()?;
        let (parent, name) = self.parent()?.ok_or(ErrorCode::Busy)?;
        let (new_parent, new_name) = to.parent()?.ok_or(ErrorCode::Busy)?;
        let metadata = parent.directory.symlink_metadata(name).map_err(code)?;
        if (self.must_be_dir || to.must_be_dir) && !metadata.is_dir() {
            return Err(ErrorCode::NotDirectory);
        }
        parent
            .directory
            .rename(name, &new_parent.directory, new_name)
            .map_err(code)
    }

    /// Changes the times of the regular file or directory.
    ///
    /// # Errors
    /// `read-only`, as for [`HostEntry::open`], or the host's error.
    pub(super) fn set_times(
        &self,
        change: TimeChange,
        quota: &Arc<Quota>,
    ) -> Result<(), ErrorCode> {
        self.directory.mount.check_writable()?;
        let how = OpenMode {
            read: true,
            write: false,
            create: false,
            exclusive: false,
            truncate: false,
            directory: self.must_be_dir,
        };
        match self.open(how, quota)? {
            Opened::Directory(directory) => directory.set_times(change),
            Opened::File(file) => file.set_times(change),
        }
    }

    /// Returns the open parent directory and the last name; none for the directory where the path
    /// starts.
    fn parent(&self) -> Result<Option<(HostDirectory, &str)>, ErrorCode> {
        let Some((name, way)) = self.path.split_last() else {
            return Ok(None);
        };
        if way.len() > DEPTH_MAX {
            return Err(ErrorCode::NameTooLong);
        }
        let mut directory = self.directory.clone();
        for name in way {
            directory = directory.below(name)?;
        }
        Ok(Some((directory, name)))
    }
}

impl HostDirectory {
    fn opened(self, how: OpenMode) -> Result<Opened, ErrorCode> {
        if how.create && how.exclusive {
            return Err(ErrorCode::Exist);
        }
        if how.changes_file() {
            return Err(ErrorCode::IsDirectory);
        }
        Ok(Opened::Directory(self))
    }
}

/// Opens the directory `name` of `parent`, for reading too.
fn open_directory(parent: &Dir, name: &str) -> io::Result<Dir> {
    let file = parent.open_with(
        name,
        OpenOptions::new()
            .read(true)
            .custom_flags(flags(OFlags::DIRECTORY)),
    )?;
    Ok(Dir::from_std_file(file.into_std()))
}

/// Returns the flags of every open: a symlink is never followed, whatever the name has become.
fn flags(more: OFlags) -> i32 {
    (OFlags::NOFOLLOW | more).bits().cast_signed()
}

fn describe(metadata: &Metadata) -> (DescriptorStat, Identity) {
    let kind = type_of(metadata.file_type());
    let size = if metadata.is_file() {
        metadata.len()
    } else {
        0
    };
    let since = |seconds: i64, nanoseconds: i64| {
        Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanoseconds).unwrap_or(0).min(999_999_999),
        )
    };
    let times = Times {
        accessed: since(metadata.atime(), metadata.atime_nsec()),
        modified: since(metadata.mtime(), metadata.mtime_nsec()),
        changed: since(metadata.ctime(), metadata.ctime_nsec()),
    };
    (
        stat(kind, size, metadata.nlink(), times),
        host_identity(metadata.dev(), metadata.ino()),
    )
}

fn type_of(kind: cap_std::fs::FileType) -> DescriptorType {
    if kind.is_file() {
        DescriptorType::RegularFile
    } else if kind.is_dir() {
        DescriptorType::Directory
    } else if kind.is_symlink() {
        DescriptorType::SymbolicLink
    } else {
        DescriptorType::Unknown
    }
}

fn timestamps(change: TimeChange) -> Timestamps {
    let timespec = |time: Option<Duration>| match time {
        Some(time) => Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        },
        None => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
    };
    Timestamps {
        last_access: timespec(change.accessed),
        last_modification: timespec(change.modified),
    }
}

/// Maps an error of the host to the guest's; the text, which may contain a path, is dropped.
fn code(error: io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        io::ErrorKind::StorageFull => ErrorCode::InsufficientSpace,
        io::ErrorKind::QuotaExceeded => ErrorCode::Quota,
        io::ErrorKind::CrossesDevices => ErrorCode::CrossDevice,
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            ErrorCode::NotPermitted
        }
        _ => ErrorCode::from(&error),
    }
}
