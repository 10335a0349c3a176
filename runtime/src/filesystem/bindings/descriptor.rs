//! File descriptors of a guest: what is open, and which operations are permitted?

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use crate::filesystem::Clock;
use crate::filesystem::host::{HostFile, OpenMode};
use crate::filesystem::node::Node;
use crate::filesystem::quota::{Permit, Quota};
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
}

/// A file that is open for reading.
pub(super) enum Readable {
    Memory(Source),
    Host(HostFile),
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
            _ => Err(ErrorCode::BadDescriptor),
        }
    }

    /// Returns a stream that reads from `offset` on.
    ///
    /// # Errors
    /// As for [`Descriptor::readable`], and `insufficient-memory` if too many streams are open.
    pub(super) fn input(
        &self,
        offset: u64,
        quota: &Arc<Quota>,
    ) -> Result<DynInputStream, ErrorCode> {
        let readable = self.readable()?;
        let permit = Permit::stream(quota)?;
        Ok(match readable {
            Readable::Memory(source) => Box::new(MemoryInput::new(source, offset, permit)),
            Readable::Host(file) => Box::new(HostInput::new(file, offset, permit)),
        })
    }

    /// Returns a stream that writes at `position`.
    ///
    /// # Errors
    /// As for [`Descriptor::writable`], and `insufficient-memory` if too many streams are open.
    pub(super) fn output(
        &self,
        position: Position,
        quota: &Arc<Quota>,
        clock: &Clock,
    ) -> Result<DynOutputStream, ErrorCode> {
        let writable = self.writable()?;
        let permit = Permit::stream(quota)?;
        Ok(match writable {
            Writable::Memory(file) => {
                Box::new(MemoryOutput::new(file, position, Arc::clone(clock), permit))
            }
            Writable::Host(file) => Box::new(HostOutput::new(file, position, permit)),
        })
    }
}

impl Readable {
    /// Reads at most `length` bytes from `offset` on; empty at the end.
    ///
    /// # Errors
    /// The host's error.
    pub(super) async fn read(self, offset: u64, length: usize) -> Result<Bytes, ErrorCode> {
        match self {
            Self::Memory(source) => Ok(source.read(offset, length)),
            Self::Host(file) => {
                file.mount
                    .clone()
                    .run(move || file.read(offset, length))
                    .await
            }
        }
    }
}
