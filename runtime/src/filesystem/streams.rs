//! File streams: how does a guest read and write a file through `wasi:io`?
//!
//! In-memory files are always ready. A failed write is reported once, and the stream stays usable,
//! so that a guest that frees space can go on; the interface would let us close it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use super::Clock;
use super::content::as_u64;
use super::quota::Permit;
use super::ramfs::MemoryFile;

mod host;

pub(super) use host::{HostInput, HostOutput};

/// Bytes in one read or write of a guest. Protects the host's memory: a guest may ask for any
/// length.
pub(super) const TRANSFER_MAX: usize = 256 << 10;

/// The position of a writing stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Position {
    /// At this offset, which advances.
    At(u64),
    /// Always at the end (append).
    End,
}

/// The source of reads in memory.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file of the guest.
    File(Arc<MemoryFile>),
    /// The content of a file in an archive.
    Bytes(Bytes),
}

impl Source {
    /// Reads at most `length` bytes from `offset` on; empty at the end.
    pub(super) fn read(&self, offset: u64, length: usize) -> Bytes {
        let length = length.min(TRANSFER_MAX);
        match self {
            Self::File(file) => file.read(offset, length),
            Self::Bytes(bytes) => {
                let start = super::content::as_usize(offset).min(bytes.len());
                bytes.slice(start..start.saturating_add(length).min(bytes.len()))
            }
        }
    }
}

/// An input stream of an in-memory file.
pub(super) struct MemoryInput {
    source: Source,
    offset: u64,
    _permit: Permit,
}

impl MemoryInput {
    pub(super) fn new(source: Source, offset: u64, permit: Permit) -> Self {
        Self {
            source,
            offset,
            _permit: permit,
        }
    }
}

#[async_trait]
impl Pollable for MemoryInput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for MemoryInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.source.read(self.offset, size);
        if bytes.is_empty() && size > 0 {
            return Err(StreamError::Closed);
        }
        self.offset = self.offset.saturating_add(as_u64(bytes.len()));
        Ok(bytes)
    }
}

/// An output stream of an in-memory file.
pub(super) struct MemoryOutput {
    file: Arc<MemoryFile>,
    position: Position,
    clock: Clock,
    failed: Option<ErrorCode>,
    _permit: Permit,
}

impl MemoryOutput {
    pub(super) fn new(
        file: Arc<MemoryFile>,
        position: Position,
        clock: Clock,
        permit: Permit,
    ) -> Self {
        Self {
            file,
            position,
            clock,
            failed: None,
            _permit: permit,
        }
    }

    fn write_all(&mut self, mut data: &[u8]) -> Result<(), ErrorCode> {
        while !data.is_empty() {
            let now = (self.clock)();
            let written = match &mut self.position {
                Position::At(offset) => {
                    let written = self.file.write(*offset, data, now)?;
                    *offset = offset.saturating_add(as_u64(written));
                    written
                }
                Position::End => self.file.append(data, now)?,
            };
            data = data.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

#[async_trait]
impl Pollable for MemoryOutput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for MemoryOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.failed.is_none() {
            self.failed = self.write_all(&bytes).err();
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.failed
            .take()
            .map_or(Ok(()), |error| Err(failed(error)))
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.flush().map(|()| TRANSFER_MAX)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.flush()?;
        self.write_all(&bytes).map_err(failed)
    }
}

/// Converts an error of the file system to a stream error, from which the guest can get it back.
pub(super) fn failed(error: ErrorCode) -> StreamError {
    StreamError::LastOperationFailed(wasmtime::Error::from(error))
}
