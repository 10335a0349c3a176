//! File descriptors of a guest: what is open, and which operations are permitted?

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::filesystem::Filesystem;
use crate::filesystem::devices::Device;
use crate::filesystem::host::{HostFile, OpenMode};
use crate::filesystem::node::Node;
use crate::filesystem::quota::Permit;
use crate::filesystem::ramfs::MemoryFile;
use crate::filesystem::streams::{
    HostInput, HostOutput, MemoryInput, MemoryOutput, Position, Source,
};

/// An open file or directory.
#[derive(Debug)]
pub(super) struct Descriptor {
    pub(super) node: Node,
    read: bool,
    write: bool,
    _permit: Permit,
}

/// A file that is open for writing.
pub(super) enum Writable {
    Memory(Arc<MemoryFile>),
    Host(HostFile),
    Device(Device),
}

/// A file that is open for reading.
pub(super) enum Readable {
    Memory(Source),
    Host(HostFile),
    Device(Device),
}

impl Descriptor {
    /// Returns a descriptor of a directory.
    pub(super) fn directory(node: Node, permit: Permit) -> Self {
        Self {
            node,
            read: true,
            write: false,
            _permit: permit,
        }
    }

    /// Returns a descriptor of a node that was opened in the mode `how`.
    pub(super) fn opened(node: Node, how: OpenMode, permit: Permit) -> Self {
        Self {
            node,
            read: how.read,
            write: how.write,
            _permit: permit,
        }
    }

    /// Returns the flags that the guest sees.
    pub(super) fn flags(&self) -> DescriptorFlags {
        let mut flags = DescriptorFlags::empty();
        if self.read {
            flags |= DescriptorFlags::READ;
        }
        if self.write {
            flags |= DescriptorFlags::WRITE;
        }
        let changeable = match &self.node {
            Node::Directory(_) => true,
            Node::HostDirectory(directory) => directory.mount.is_writable(),
            _ => false,
        };
        if changeable {
            flags |= DescriptorFlags::MUTATE_DIRECTORY;
        }
        flags
    }

    /// Returns the file, for reading.
    ///
    /// # Errors
    /// `is-directory`, or `bad-descriptor` if it is not open for reading.
    pub(super) fn readable(&self) -> Result<Readable, ErrorCode> {
        let readable = match &self.node {
            node if node.is_directory() => return Err(ErrorCode::IsDirectory),
            Node::File(file) => Readable::Memory(Source::File(Arc::clone(file))),
            Node::Archive(entry) => {
                Readable::Memory(Source::Bytes(entry.archive.content(entry.node)))
            }
            Node::HostFile(file) => Readable::Host(file.clone()),
            Node::Device(device) => Readable::Device(*device),
            _ => return Err(ErrorCode::BadDescriptor),
        };
        if self.read {
            Ok(readable)
        } else {
            Err(ErrorCode::BadDescriptor)
        }
    }

    /// Returns the file, for writing.
    ///
    /// # Errors
    /// `is-directory`, or `bad-descriptor` if it is not open for writing.
    pub(super) fn writable(&self) -> Result<Writable, ErrorCode> {
        match &self.node {
            node if node.is_directory() => Err(ErrorCode::IsDirectory),
            Node::File(file) if self.write => Ok(Writable::Memory(Arc::clone(file))),
            Node::HostFile(file) if self.write => Ok(Writable::Host(file.clone())),
            Node::Device(device) if self.write => Ok(Writable::Device(*device)),
            _ => Err(ErrorCode::BadDescriptor),
        }
    }
}

impl Readable {
    /// Returns a stream that reads from `offset` on.
    ///
    /// # Errors
    /// `insufficient-memory` if too many streams are open.
    pub(super) fn stream(
        self,
        offset: u64,
        filesystem: &mut Filesystem,
    ) -> Result<DynInputStream, ErrorCode> {
        Ok(match self {
            Self::Memory(source) => {
                let permit = Permit::stream(&filesystem.quota)?;
                Box::new(MemoryInput::new(source, offset, permit))
            }
            Self::Host(file) => {
                let permit = Permit::stream(&filesystem.quota)?;
                Box::new(HostInput::new(file, offset, permit))
            }
            Self::Device(device) => filesystem.device_input(device)?,
        })
    }

    /// Reads at most `length` bytes from `offset` on; empty at the end.
    ///
    /// # Errors
    /// The host's error.
    pub(super) async fn read(
        self,
        offset: u64,
        length: usize,
        filesystem: &mut Filesystem,
    ) -> FsResult<Bytes> {
        match self {
            Self::Memory(source) => Ok(source.read(offset, length)),
            Self::Host(file) => {
                let mount = file.mount.clone();
                Ok(mount.run(move || file.read(offset, length)).await?)
            }
            Self::Device(device) => filesystem.read_device(device, length).await,
        }
    }
}

impl Writable {
    /// Returns a stream that writes at `position`.
    ///
    /// # Errors
    /// `insufficient-memory` if too many streams are open.
    pub(super) fn stream(
        self,
        position: Position,
        filesystem: &Filesystem,
    ) -> Result<DynOutputStream, ErrorCode> {
        Ok(match self {
            Self::Memory(file) => {
                let (clock, permit) = (
                    Arc::clone(&filesystem.clock),
                    Permit::stream(&filesystem.quota)?,
                );
                Box::new(MemoryOutput::new(file, position, clock, permit))
            }
            Self::Host(file) => {
                let permit = Permit::stream(&filesystem.quota)?;
                Box::new(HostOutput::new(file, position, permit))
            }
            Self::Device(device) => filesystem.device_output(device)?,
        })
    }
}
