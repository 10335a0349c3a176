//! Streams of host files: how are they read and written without blocking the tokio runtime?
//!
//! Each stream has at most one job on a blocking thread. A job goes on if its waiter is dropped,
//! and its result is kept.

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

use super::{Position, TRANSFER_MAX, failed};
use crate::filesystem::content::as_u64;
use crate::filesystem::host::HostFile;
use crate::filesystem::quota::Permit;

/// Bytes of read-ahead if a guest polls before it reads.
const READ_AHEAD: usize = 16 << 10;

type Job<T> = JoinHandle<Result<T, ErrorCode>>;

async fn join<T>(job: &mut Job<T>) -> Result<T, ErrorCode> {
    job.await.unwrap_or(Err(ErrorCode::Io))
}

/// An input stream of a host file.
pub(in crate::filesystem) struct HostInput {
    file: HostFile,
    offset: u64,
    state: ReadState,
    _permit: Permit,
}

enum ReadState {
    Idle,
    Reading(Job<Bytes>),
    Done(Result<Bytes, ErrorCode>),
    /// Cancelled.
    Ended,
}

impl HostInput {
    pub(in crate::filesystem) fn new(file: HostFile, offset: u64, permit: Permit) -> Self {
        Self {
            file,
            offset,
            state: ReadState::Idle,
            _permit: permit,
        }
    }

    fn start(&mut self, size: usize) {
        let (file, offset, length) = (self.file.clone(), self.offset, size.clamp(1, TRANSFER_MAX));
        let mount = file.mount.clone();
        self.state = ReadState::Reading(tokio::spawn(async move {
            mount.run(move || file.read(offset, length)).await
        }));
    }
}

#[async_trait]
impl Pollable for HostInput {
    async fn ready(&mut self) {
        if matches!(self.state, ReadState::Idle) {
            self.start(READ_AHEAD);
        }
        if let ReadState::Reading(job) = &mut self.state {
            self.state = ReadState::Done(join(job).await);
        }
    }
}

#[async_trait]
impl InputStream for HostInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size == 0 {
            return Ok(Bytes::new());
        }
        match std::mem::replace(&mut self.state, ReadState::Ended) {
            ReadState::Idle => {
                self.start(size);
                Ok(Bytes::new())
            }
            ReadState::Done(Ok(mut bytes)) if !bytes.is_empty() => {
                let now = bytes.split_to(size.min(bytes.len()));
                self.offset = self.offset.saturating_add(as_u64(now.len()));
                self.state = if bytes.is_empty() {
                    ReadState::Idle
                } else {
                    ReadState::Done(Ok(bytes))
                };
                Ok(now)
            }
            // A read after an error or the end tries again: the file may have grown since.
            ReadState::Done(result) => {
                self.state = ReadState::Idle;
                Err(result.map_or_else(failed, |_| StreamError::Closed))
            }
            ReadState::Ended => Err(StreamError::Closed),
            reading @ ReadState::Reading(_) => {
                self.state = reading;
                Ok(Bytes::new())
            }
        }
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if matches!(self.state, ReadState::Idle) && size > 0 {
            self.start(size);
        }
        self.ready().await;
        self.read(size)
    }

    async fn cancel(&mut self) {
        if let ReadState::Reading(job) = &mut self.state {
            // Waiting here bounds the jobs that a guest can leave behind.
            let _ = join(job).await;
        }
        self.state = ReadState::Ended;
    }
}

/// An output stream of a host file.
pub(in crate::filesystem) struct HostOutput {
    file: HostFile,
    position: Position,
    state: WriteState,
    _permit: Permit,
}

enum WriteState {
    Ready,
    Writing(Job<usize>),
    Failed(ErrorCode),
}

impl HostOutput {
    pub(in crate::filesystem) fn new(file: HostFile, position: Position, permit: Permit) -> Self {
        Self {
            file,
            position,
            state: WriteState::Ready,
            _permit: permit,
        }
    }

    fn take_error(&mut self) -> StreamResult<()> {
        if let WriteState::Failed(error) = self.state {
            self.state = WriteState::Ready;
            return Err(failed(error));
        }
        Ok(())
    }
}

#[async_trait]
impl Pollable for HostOutput {
    async fn ready(&mut self) {
        if let WriteState::Writing(job) = &mut self.state {
            self.state = match join(job).await {
                Ok(written) => {
                    if let Position::At(offset) = &mut self.position {
                        *offset = offset.saturating_add(as_u64(written));
                    }
                    WriteState::Ready
                }
                Err(error) => WriteState::Failed(error),
            };
        }
    }
}

#[async_trait]
impl OutputStream for HostOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !matches!(self.state, WriteState::Ready) {
            return Err(StreamError::trap("written to a stream that is not ready"));
        }
        let (file, position) = (self.file.clone(), self.position);
        let mount = file.mount.clone();
        let job = move || match position {
            Position::At(offset) => file.write(offset, &bytes),
            Position::End => file.append(&bytes),
        };
        self.state = WriteState::Writing(tokio::spawn(async move { mount.run(job).await }));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.take_error()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.take_error()?;
        Ok(if matches!(self.state, WriteState::Writing(_)) {
            0
        } else {
            TRANSFER_MAX
        })
    }

    async fn cancel(&mut self) {
        // A write whose result the guest never reads still happens, as with a file that is closed.
        self.ready().await;
    }
}
