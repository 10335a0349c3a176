//! Path walk (TOCTOU protection): does a path lead through trusted directories alone?
//!
//! Each step is opened by file descriptor, relative to the one before, and checked; symlinks are
//! followed one by one.

use crate::trust::{FolderError, Groups, STICKY, check_owner, stat, user};
use rustix::fs::{FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Component, Path, PathBuf};

/// Every permission to execute.
pub(crate) const EXECUTE: u32 = 0o111;

/// Symlinks that are followed on one path, the kernel's limit.
const MAX_LINKS: usize = 40;

/// A path walk, each step of which was checked.
pub(crate) struct Walk {
    here: Position,
    /// The mode of the current directory, if others can write there.
    open: u32,
    path: PathBuf,
    links: usize,
    groups: Groups,
}

enum Position {
    Directory(OwnedFd),
    File(OwnedFd),
}

impl Walk {
    /// Starts at `/`.
    pub(crate) fn from_root(groups: Groups) -> Result<Self, FolderError> {
        let mut walk = Self {
            here: Position::Directory(root()?),
            open: 0,
            path: PathBuf::from("/"),
            links: 0,
            groups,
        };
        walk.check_directory(&stat(walk.directory()?, &walk.path)?)?;
        Ok(walk)
    }

    /// Returns the current directory.
    pub(crate) fn directory(&self) -> Result<&OwnedFd, FolderError> {
        match &self.here {
            Position::Directory(directory) => Ok(directory),
            Position::File(_) => Err(FolderError::io(&self.path, Errno::NOTDIR)),
        }
    }

    /// Starts at a directory that was checked before.
    pub(crate) fn from_directory(directory: OwnedFd, path: PathBuf, groups: Groups) -> Self {
        Self {
            here: Position::Directory(directory),
            open: 0,
            path,
            links: 0,
            groups,
        }
    }

    /// Continues along a path.
    pub(crate) fn to(mut self, path: &Path) -> Result<Self, FolderError> {
        let mut ahead = names(path);
        while let Some(name) = ahead.pop() {
            // This path has no symlinks, so `..` is lexical.
            let next = if name == ".." {
                self.path.parent().unwrap_or(&self.path).to_owned()
            } else {
                self.path.join(&name)
            };
            let failed = |error: Errno| FolderError::io(&next, error);
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let found = rustix::fs::openat(self.directory()?, &name, flags, Mode::empty())
                .map_err(failed)?;
            let about = stat(&found, &next)?;
            check_owner(&about, &next)?;
            match FileType::from_raw_mode(about.st_mode) {
                FileType::Symlink => {
                    self.links += 1;
                    if self.links > MAX_LINKS {
                        return Err(failed(Errno::LOOP));
                    }
                    let target = rustix::fs::readlinkat(&found, "", Vec::new()).map_err(failed)?;
                    let target = PathBuf::from(OsString::from_vec(target.into_bytes()));
                    if target.is_absolute() {
                        let links = self.links;
                        self = Self {
                            links,
                            ..Self::from_root(self.groups)?
                        };
                    }
                    ahead.extend(names(&target));
                }
                FileType::Directory => {
                    if self.groups == Groups::Usual && next == Path::new("/proc") {
                        let why = "programs are not taken from `/proc`, which is another one for each process";
                        return Err(FolderError::io(
                            &next,
                            io::Error::new(io::ErrorKind::Unsupported, why),
                        ));
                    }
                    self.here = Position::Directory(found);
                    self.path = next;
                    self.check_directory(&about)?;
                }
                _ => {
                    if self.groups.others_write(&found, &about) {
                        return Err(FolderError::Writable {
                            path: next,
                            mode: about.st_mode & 0o7777,
                        });
                    }
                    self.here = Position::File(found);
                    self.path = next;
                }
            }
        }
        Ok(self)
    }

    fn check_directory(&mut self, about: &Stat) -> Result<(), FolderError> {
        check_owner(about, &self.path)?;
        let mode = about.st_mode & 0o7777;
        self.open = if self.groups.others_write(self.directory()?, about) {
            mode
        } else {
            0
        };
        // With the sticky bit others may add entries, but cannot replace ours; that the next one is
        // ours is checked there.
        if self.open != 0 && mode & STICKY == 0 {
            return Err(FolderError::Writable {
                path: self.path.clone(),
                mode,
            });
        }
        Ok(())
    }

    /// Returns whether the walk ended at an executable file.
    pub(crate) fn is_program(&self) -> Result<bool, FolderError> {
        let Position::File(found) = &self.here else {
            return Ok(false);
        };
        let mode = stat(found, &self.path)?.st_mode;
        Ok(FileType::from_raw_mode(mode) == FileType::RegularFile && mode & EXECUTE != 0)
    }

    /// Opens the directory at which the walk ended, to which no other user may write; returns its
    /// path too.
    pub(crate) fn private_directory(self) -> Result<(OwnedFd, PathBuf), FolderError> {
        if self.open != 0 {
            return Err(FolderError::Shared {
                path: self.path,
                mode: self.open,
                user: user(),
            });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(self.directory()?, ".", flags, Mode::empty());
        let descriptor = descriptor.map_err(|error| FolderError::io(&self.path, error))?;
        Ok((descriptor, self.path))
    }

    /// Opens the file at which the walk ended, for reading.
    pub(crate) fn file(self) -> Result<File, FolderError> {
        let failed = |error: Errno| FolderError::io(&self.path, error);
        let Position::File(found) = &self.here else {
            return Err(failed(Errno::ISDIR));
        };
        if FileType::from_raw_mode(stat(found, &self.path)?.st_mode) != FileType::RegularFile {
            return Err(FolderError::io(
                &self.path,
                io::Error::new(io::ErrorKind::InvalidData, "it is no regular file"),
            ));
        }
        // Reopens the checked file descriptor for reading, whatever has its name by now. Without
        // `/proc`, by the name in a directory that no other user can change.
        let again = format!("/proc/self/fd/{}", found.as_raw_fd());
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let opened = match rustix::fs::open(again, flags, Mode::empty()) {
            Err(Errno::NOENT) => {
                rustix::fs::open(&self.path, flags | OFlags::NOFOLLOW, Mode::empty())
            }
            other => other,
        };
        Ok(File::from(opened.map_err(failed)?))
    }
}

fn root() -> Result<OwnedFd, FolderError> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open("/", flags, Mode::empty())
        .map_err(|error| FolderError::io(Path::new("/"), error))
}

/// Returns the names on a path, the last one first.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}
