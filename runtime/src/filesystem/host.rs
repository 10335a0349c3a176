//! How does a guest reach a directory of the host, and nothing around it?
//!
//! The only place that touches the host's files on behalf of a guest. Each step opens one name below a directory that
//! is already open, through `cap-std`, never following a link; only regular files and directories are opened. What lies
//! at a name may change between two steps, so what was opened is checked again before it is used.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cap_std::fs::{Dir, Metadata, MetadataExt, OpenOptions, OpenOptionsExt};
use rustix::fs::{OFlags, Timespec, Timestamps};
use tokio::sync::Semaphore;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode};

use super::FilesystemError;
use super::node::{Identity, TimeChange, host_identity, stat};
use super::quota::{NodeCharge, Quota};
use super::ramfs::Times;

mod file;

pub(super) use file::HostFile;

/// Calls into the host's file system that one mount may have under way. Protects the pool of blocking threads.
const JOBS_MAX: usize = 8;

/// Names in one listing of a host directory. Protects the host's memory.
const LISTED_NAMES_MAX: usize = 1 << 16;

/// Names on a path below a mount.
const DEPTH_MAX: usize = 256;

/// A directory of the host that guests see. Cloning shares the open directory.
#[derive(Clone)]
pub(crate) struct HostMount {
    guest_path: Arc<str>,
    root: Arc<Dir>,
    writable: bool,
    jobs: Arc<Semaphore>,
}

/// Shows nothing of the host.
impl fmt::Debug for HostMount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("HostMount");
        shown.field("guest_path", &self.guest_path).field("writable", &self.writable).finish_non_exhaustive()
    }
}

/// What a guest may do with the files of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MountAccess {
    /// Nothing can be changed, times included.
    ReadOnly,
    /// Files can be made, changed and removed. What is written counts against the workspace's quota.
    ReadWrite,
}

impl HostMount {
    /// Opens `directory`, which guests will see at the absolute path `guest_path`.
    ///
    /// # Errors
    /// When it is no directory or cannot be opened; the message names the guest's path only.
    #[expect(clippy::disallowed_methods, reason = "the one place where a host path becomes a directory for a guest")]
    pub(crate) fn open(directory: &Path, guest_path: impl Into<String>, access: MountAccess) -> Result<Self, FilesystemError> {
        let guest_path = guest_path.into();
        let unusable = |error: io::Error| FilesystemError::Mount { path: guest_path.clone(), reason: error.kind() };
        let directory = Dir::open_ambient_dir(directory, cap_std::ambient_authority()).map_err(unusable)?;
        // Opened once more to be read: what `cap-std` opens first is good for looking up names only.
        let root = open_directory(&directory, ".").map_err(unusable)?;
        Ok(Self {
            guest_path: guest_path.into(),
            root: Arc::new(root),
            writable: access == MountAccess::ReadWrite,
            jobs: Arc::new(Semaphore::new(JOBS_MAX)),
        })
    }

    /// Where guests see it.
    pub(crate) fn guest_path(&self) -> &str {
        &self.guest_path
    }

    /// Whether guests may change it.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Runs `job` on a thread that may block. A job that was started ends even when nobody waits for it any more.
    ///
    /// # Errors
    /// The job's, or `io` when the runtime is shutting down.
    pub(super) async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> Result<T, ErrorCode> + Send + 'static) -> Result<T, ErrorCode> {
        let permit = Arc::clone(&self.jobs).acquire_owned().await.map_err(|_| ErrorCode::Io)?;
        let held = move || {
            let _permit = permit;
            job()
        };
        tokio::task::spawn_blocking(held).await.map_err(|_| ErrorCode::Io)?
    }

    /// That it may be changed.
    ///
    /// # Errors
    /// `read-only` when it may not.
    pub(super) fn check_writable(&self) -> Result<(), ErrorCode> {
        if self.writable { Ok(()) } else { Err(ErrorCode::ReadOnly) }
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
    /// The root of a mount.
    pub(super) fn root(mount: HostMount) -> Self {
        Self { directory: Arc::clone(&mount.root), mount }
    }

    /// Attributes of the directory itself. Blocks.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn stat(&self) -> Result<(DescriptorStat, Identity), ErrorCode> {
        let metadata = self.directory.dir_metadata().map_err(code)?;
        Ok(describe(&metadata))
    }

    /// The names in it that are UTF-8, sorted, with their types. Blocks.
    ///
    /// # Errors
    /// What the host says, and `insufficient-memory` when there are too many.
    pub(super) fn list(&self) -> Result<Vec<DirectoryEntry>, ErrorCode> {
        let mut found = Vec::new();
        for entry in self.directory.entries().map_err(code)? {
            let entry = entry.map_err(code)?;
            // A name that is not UTF-8 cannot be given to the guest.
            let Ok(name) = entry.file_name().into_string() else { continue };
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
    /// `read-only`, or what the host says.
    pub(super) fn set_times(&self, change: TimeChange) -> Result<(), ErrorCode> {
        self.mount.check_writable()?;
        rustix::fs::futimens(&*self.directory, &timestamps(change)).map_err(|error| code(error.into()))
    }

    /// Writes out what the host holds back. Blocks.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn sync(&self) -> Result<(), ErrorCode> {
        rustix::fs::fsync(&*self.directory).map_err(|error| code(error.into()))
    }

    fn below(&self, name: &str) -> Result<Self, ErrorCode> {
        let directory = open_directory(&self.directory, name).map_err(code)?;
        Ok(Self { mount: self.mount.clone(), directory: Arc::new(directory) })
    }
}

/// A place below an open directory of the host. Every method blocks.
#[derive(Debug)]
pub(super) struct HostEntry {
    pub(super) directory: HostDirectory,
    /// Plain names: no `.`, no `..`.
    pub(super) path: Vec<String>,
    pub(super) must_be_dir: bool,
}

/// What was opened at a place.
#[derive(Debug)]
pub(super) enum Opened {
    /// A directory.
    Directory(HostDirectory),
    /// A regular file.
    File(HostFile),
}

/// How a place is to be opened.
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
    /// Whether a directory cannot be opened like this.
    pub(super) fn changes_file(self) -> bool {
        self.write || self.create || self.truncate
    }
}

impl HostEntry {
    /// Attributes of what is there; of a link itself.
    ///
    /// # Errors
    /// What the host says.
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

    /// Opens, and makes where that is asked for, a regular file or a directory.
    ///
    /// # Errors
    /// `read-only` for any change to a read-only mount, `loop` for a link, `access` for whatever else is no file, and
    /// what the host says.
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
        // Opening a pipe may wait for ever, and opening a device may do anything.
        if !metadata.is_file() {
            return Err(ErrorCode::Access);
        }
        let write = how.write || how.truncate;
        if write {
            parent.mount.check_writable()?;
        }
        let mut options = OpenOptions::new();
        options.read(how.read || !write).write(write).custom_flags(flags(OFlags::NONBLOCK));
        let file = parent.directory.open_with(name, &options).map_err(code)?;
        if !file.metadata().map_err(code)?.is_file() {
            return Err(ErrorCode::Access);
        }
        let file = HostFile::new(parent.mount, file, quota);
        if how.truncate {
            // Only now, when it is known to be a regular file of a writable mount.
            file.set_size(0)?;
        }
        Ok(Opened::File(file))
    }

    fn create(&self, parent: &HostDirectory, name: &str, how: OpenMode, quota: &Arc<Quota>) -> Result<HostFile, ErrorCode> {
        if self.must_be_dir {
            return Err(ErrorCode::IsDirectory);
        }
        parent.mount.check_writable()?;
        let charge = NodeCharge::new(quota, 0)?;
        let mut options = OpenOptions::new();
        options.read(how.read).write(true).create_new(true).mode(0o644);
        options.custom_flags(flags(OFlags::NONBLOCK));
        let file = parent.directory.open_with(name, &options).map_err(code)?;
        charge.keep();
        Ok(HostFile::new(parent.mount.clone(), file, quota))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// `read-only`, the quota's, or what the host says.
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
    /// `read-only`, `busy` for the root of a mount, or what the host says.
    pub(super) fn remove_directory(&self) -> Result<(), ErrorCode> {
        self.directory.mount.check_writable()?;
        let (parent, name) = self.parent()?.ok_or(ErrorCode::Busy)?;
        parent.directory.remove_dir(name).map_err(code)
    }

    /// Removes a name that is no directory's.
    ///
    /// # Errors
    /// `read-only`, `is-directory`, or what the host says.
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

    /// Moves what is here to `to`.
    ///
    /// # Errors
    /// `cross-device` to another mount, `read-only`, `busy` for the root of a mount, or what the host says.
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
        parent.directory.rename(name, &new_parent.directory, new_name).map_err(code)
    }

    /// Changes the times of the regular file or directory that is here.
    ///
    /// # Errors
    /// `read-only`, as for [`HostEntry::open`], or what the host says.
    pub(super) fn set_times(&self, change: TimeChange, quota: &Arc<Quota>) -> Result<(), ErrorCode> {
        self.directory.mount.check_writable()?;
        let how = OpenMode { read: true, write: false, create: false, exclusive: false, truncate: false, directory: self.must_be_dir };
        match self.open(how, quota)? {
            Opened::Directory(directory) => directory.set_times(change),
            Opened::File(file) => file.set_times(change),
        }
    }

    /// The open parent directory and the last name; none for the directory where the path starts.
    fn parent(&self) -> Result<Option<(HostDirectory, &str)>, ErrorCode> {
        let Some((name, way)) = self.path.split_last() else { return Ok(None) };
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

/// Opens the directory `name` of `parent`, to be read too.
fn open_directory(parent: &Dir, name: &str) -> io::Result<Dir> {
    let file = parent.open_with(name, OpenOptions::new().read(true).custom_flags(flags(OFlags::DIRECTORY)))?;
    Ok(Dir::from_std_file(file.into_std()))
}

/// The flags of every opening: whatever the name has become, it is not followed.
fn flags(more: OFlags) -> i32 {
    (OFlags::NOFOLLOW | more).bits().cast_signed()
}

fn describe(metadata: &Metadata) -> (DescriptorStat, Identity) {
    let kind = type_of(metadata.file_type());
    let size = if metadata.is_file() { metadata.len() } else { 0 };
    let since = |seconds: i64, nanoseconds: i64| {
        Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0).min(999_999_999))
    };
    let times = Times {
        accessed: since(metadata.atime(), metadata.atime_nsec()),
        modified: since(metadata.mtime(), metadata.mtime_nsec()),
        changed: since(metadata.ctime(), metadata.ctime_nsec()),
    };
    (stat(kind, size, metadata.nlink(), times), host_identity(metadata.dev(), metadata.ino()))
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
        Some(time) => Timespec { tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX), tv_nsec: time.subsec_nanos().into() },
        None => Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
    };
    Timestamps { last_access: timespec(change.accessed), last_modification: timespec(change.modified) }
}

/// The guest's error for one of the host; the text of the host's error, which may hold a path, is dropped.
fn code(error: io::Error) -> ErrorCode {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
        io::ErrorKind::StorageFull => ErrorCode::InsufficientSpace,
        io::ErrorKind::QuotaExceeded => ErrorCode::Quota,
        io::ErrorKind::CrossesDevices => ErrorCode::CrossDevice,
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => ErrorCode::NotPermitted,
        _ => ErrorCode::from(&error),
    }
}
