//! Streams of device files: what do they read and write?

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use wasmtime_wasi::cli::{StdinStream as _, StdoutStream as _};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

use super::Filesystem;
use super::devices::{Device, Devices};
use super::quota::{Permit, Quota};
use super::streams::{TRANSFER_MAX, failed};
use crate::meter;
use crate::stdio::StreamName;

impl Filesystem {
    /// Connects the device files.
    pub(crate) fn connect(&mut self, devices: Devices) {
        self.devices = Some(devices);
    }

    fn random(&mut self) -> Option<Box<StdRng>> {
        let seed = self.devices.as_ref()?.seed?;
        // Files that are opened one after another read different bytes.
        let number = self.take_id();
        Some(Box::new(StdRng::seed_from_u64(
            seed.rotate_left(32).wrapping_add(number),
        )))
    }

    /// Returns a stream that reads from a device.
    ///
    /// # Errors
    /// `bad-descriptor` if it cannot be read, `insufficient-memory` if too many streams are open.
    pub(super) fn device_input(&mut self, device: Device) -> Result<DynInputStream, ErrorCode> {
        let source = match device {
            Device::Null => DeviceSource::End,
            Device::Zero | Device::Full => DeviceSource::Zeros,
            Device::Random => DeviceSource::Random(self.random()),
            Device::Stdin => {
                let devices = self.devices.as_ref().ok_or(ErrorCode::NoDevice)?;
                return Ok(devices.input.p2_stream());
            }
            Device::Stdout | Device::Stderr => return Err(ErrorCode::BadDescriptor),
        };
        Ok(Box::new(DeviceInput {
            source,
            quota: Arc::clone(&self.quota),
            _permit: Permit::stream(&self.quota)?,
        }))
    }

    /// Returns a stream that writes to a device.
    ///
    /// # Errors
    /// As for [`Filesystem::device_input`].
    pub(super) fn device_output(&self, device: Device) -> Result<DynOutputStream, ErrorCode> {
        let name = match device {
            Device::Stdout => StreamName::Stdout,
            Device::Stderr => StreamName::Stderr,
            Device::Stdin => return Err(ErrorCode::BadDescriptor),
            Device::Null | Device::Zero | Device::Full | Device::Random => {
                return Ok(Box::new(DeviceOutput {
                    is_full: device == Device::Full,
                    has_failed: false,
                    _permit: Permit::stream(&self.quota)?,
                }));
            }
        };
        let devices = self.devices.as_ref().ok_or(ErrorCode::NoDevice)?;
        Ok(devices.outputs.stream(name).p2_stream())
    }

    /// Reads at most `length` bytes from a device, at whatever offset; empty at the end.
    ///
    /// # Errors
    /// As for [`Filesystem::device_input`], or a trap.
    pub(super) async fn read_device(&mut self, device: Device, length: usize) -> FsResult<Bytes> {
        let mut stream = self.device_input(device)?;
        match stream.blocking_read(length).await {
            Err(StreamError::Closed) => Ok(Bytes::new()),
            read => read.map_err(of_stream),
        }
    }

    /// Writes to a device, at whatever offset.
    ///
    /// # Errors
    /// As for [`Filesystem::device_output`], `insufficient-space` if it is full, or a trap.
    pub(super) async fn write_device(&self, device: Device, bytes: Bytes) -> FsResult<()> {
        let mut stream = self.device_output(device)?;
        let written = stream.blocking_write_and_flush(bytes).await;
        written.map_err(of_stream)
    }
}

/// Converts an error of a stream to one of the file system.
fn of_stream(error: StreamError) -> FsError {
    match error {
        StreamError::Closed => ErrorCode::Pipe.into(),
        StreamError::LastOperationFailed(error) => match error.downcast::<ErrorCode>() {
            Ok(code) => code.into(),
            Err(error) => FsError::trap(error),
        },
        StreamError::Trap(error) => FsError::trap(error),
    }
}

/// The bytes that are read from a device.
enum DeviceSource {
    End,
    Zeros,
    /// From a seeded generator, or the system's.
    Random(Option<Box<StdRng>>),
}

impl DeviceSource {
    fn read(&mut self, length: usize, quota: &Quota) -> Bytes {
        let length = length.min(TRANSFER_MAX);
        match self {
            Self::End => Bytes::new(),
            Self::Zeros => vec![0; length].into(),
            Self::Random(generator) => {
                quota
                    .meter
                    .charge(meter::random(super::content::as_u64(length)));
                let mut bytes = vec![0; length];
                match generator {
                    Some(seeded) => seeded.fill_bytes(&mut bytes),
                    None => rand::rng().fill_bytes(&mut bytes),
                }
                bytes.into()
            }
        }
    }
}

/// An input stream of a device.
struct DeviceInput {
    source: DeviceSource,
    quota: Arc<Quota>,
    _permit: Permit,
}

#[async_trait]
impl Pollable for DeviceInput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for DeviceInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let bytes = self.source.read(size, &self.quota);
        if bytes.is_empty() && size > 0 {
            return Err(StreamError::Closed);
        }
        Ok(bytes)
    }
}

/// An output stream of a device.
struct DeviceOutput {
    is_full: bool,
    has_failed: bool,
    _permit: Permit,
}

#[async_trait]
impl Pollable for DeviceOutput {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for DeviceOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.has_failed |= self.is_full && !bytes.is_empty();
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        if std::mem::take(&mut self.has_failed) {
            return Err(failed(ErrorCode::InsufficientSpace));
        }
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.flush().map(|()| TRANSFER_MAX)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.write(bytes)?;
        self.flush()
    }
}
