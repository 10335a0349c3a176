//! Nodes (virtual inodes): which kinds are there, and what does each answer?
//!
//! In-memory and fixed directories hold nodes, so [`ramfs`](super::ramfs), [`fixed`](super::fixed)
//! and this module know one another; they know nothing of paths and layouts.

use std::sync::Arc;
use std::time::Duration;

use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorStat, DescriptorType, ErrorCode};

use super::archive::{self, Archive};
use super::attributes::{Identity, TimeChange, Times, stat};
use super::content::as_u64;
use super::devices::Device;
use super::fixed::FixedNode;
use super::host::{HostDirectory, HostFile};
use super::ramfs::{MemoryDirectory, MemoryFile, Symlink};

/// A reference to one node of the tree. Cloning copies the reference.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A directory of the guest.
    Directory(Arc<MemoryDirectory>),
    /// A file of the guest.
    File(Arc<MemoryFile>),
    /// A symlink of the guest.
    Symlink(Arc<Symlink>),
    /// A directory that only leads to mount points.
    Fixed(FixedNode),
    /// A file or directory of a read-only archive.
    Archive(ArchiveEntry),
    /// A directory of the host.
    HostDirectory(HostDirectory),
    /// An open file of the host.
    HostFile(HostFile),
    /// A device file.
    Device(Device),
}

/// A file or directory of a mounted archive.
#[derive(Clone, Debug)]
pub(super) struct ArchiveEntry {
    pub(super) archive: Arc<Archive>,
    /// The number of the mount, so that one archive mounted twice is two trees.
    pub(super) mount: u32,
    pub(super) node: u32,
    /// The time when it replaced another archive, which its root shows as its modification time.
    /// Zero for the first one.
    pub(super) since: Duration,
}

impl ArchiveEntry {
    /// Returns the root directory of an archive.
    pub(super) fn root(archive: &Arc<Archive>, mount: u32, since: Duration) -> Self {
        Self {
            archive: Arc::clone(archive),
            mount,
            node: archive::ROOT,
            since,
        }
    }

    fn with(&self, node: u32) -> Self {
        Self {
            archive: Arc::clone(&self.archive),
            node,
            ..*self
        }
    }

    fn stat(&self) -> (u64, Duration) {
        let (size, modified) = self.archive.stat(self.node);
        (
            size,
            if self.node == archive::ROOT {
                modified.max(self.since)
            } else {
                modified
            },
        )
    }
}

impl Node {
    /// Returns whether it is a directory.
    pub(super) fn is_directory(&self) -> bool {
        match self {
            Self::Directory(_) | Self::Fixed(_) | Self::HostDirectory(_) => true,
            Self::Archive(entry) => entry.archive.is_directory(entry.node),
            Self::File(_) | Self::Symlink(_) | Self::HostFile(_) | Self::Device(_) => false,
        }
    }

    /// Returns whether it is the root of a mount, which cannot be moved.
    pub(super) fn is_mount(&self) -> bool {
        matches!(
            self,
            Self::Fixed(_)
                | Self::Archive(_)
                | Self::HostDirectory(_)
                | Self::HostFile(_)
                | Self::Device(_)
        )
    }

    /// Returns the file type.
    pub(super) fn kind(&self) -> DescriptorType {
        match self {
            Self::Symlink(_) => DescriptorType::SymbolicLink,
            Self::Device(_) => DescriptorType::CharacterDevice,
            node if node.is_directory() => DescriptorType::Directory,
            _ => DescriptorType::RegularFile,
        }
    }

    /// Looks `name` up in this directory. Not for directories of the host.
    pub(super) fn child(&self, name: &str) -> Option<Self> {
        match self {
            Self::Directory(directory) => directory.get(name),
            Self::Fixed(directory) => directory.child(name),
            Self::Archive(entry) => {
                let node = entry.archive.child(entry.node, name)?;
                Some(Self::Archive(entry.with(node)))
            }
            Self::File(_)
            | Self::Symlink(_)
            | Self::HostDirectory(_)
            | Self::HostFile(_)
            | Self::Device(_) => None,
        }
    }

    /// Returns the attributes that the guest sees; not for nodes of the host.
    ///
    /// # Errors
    /// `unsupported` for nodes of the host.
    pub(super) fn stat(&self) -> Result<DescriptorStat, ErrorCode> {
        let (size, links, times) = match self {
            Self::Directory(directory) => (0, 1, directory.times()),
            Self::File(file) => file.stat(),
            Self::Symlink(link) => (as_u64(link.target.len()), 1, link.times()),
            Self::Fixed(_) | Self::Device(_) => (0, 1, Times::at(Duration::ZERO)),
            Self::Archive(entry) => {
                let (size, modified) = entry.stat();
                (size, 1, Times::at(modified))
            }
            Self::HostDirectory(_) | Self::HostFile(_) => return Err(ErrorCode::Unsupported),
        };
        Ok(stat(self.kind(), size, links, times))
    }

    /// Changes the times.
    ///
    /// # Errors
    /// `read-only` for nodes that are not the guest's.
    pub(super) fn set_times(&self, change: TimeChange) -> Result<(), ErrorCode> {
        match self {
            Self::Directory(directory) => directory.change_times(|times| change.apply(times)),
            Self::File(file) => file.change_times(|times| change.apply(times)),
            Self::Symlink(link) => link.change_times(|times| change.apply(times)),
            // Taken and not kept, like what is written to it.
            Self::Device(_) => {}
            Self::Fixed(_) | Self::Archive(_) => return Err(ErrorCode::ReadOnly),
            Self::HostDirectory(_) | Self::HostFile(_) => return Err(ErrorCode::Unsupported),
        }
        Ok(())
    }

    /// Returns the identity among all nodes; not for nodes of the host.
    ///
    /// # Errors
    /// `unsupported` for nodes of the host.
    pub(super) fn identity(&self) -> Result<Identity, ErrorCode> {
        Ok(match self {
            Self::Directory(directory) => (1, directory.id),
            Self::File(file) => (1, file.id),
            Self::Symlink(link) => (1, link.id),
            Self::Fixed(directory) => (2, directory.id()),
            Self::Archive(entry) => (3, u64::from(entry.mount) << 32 | u64::from(entry.node)),
            Self::Device(device) => (4, device.id()),
            Self::HostDirectory(_) | Self::HostFile(_) => return Err(ErrorCode::Unsupported),
        })
    }
}
