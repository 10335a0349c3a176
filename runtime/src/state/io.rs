//! Priced `wasi:io`: what do streams and polling cost a guest?
//!
//! The engine's own `wasi:io` over the table of one run, with every call priced by the bytes that
//! it moves and the pollables that it waits for, and with limits on one call.

use crate::meter::{self, Meter};
use crate::wakeup::WakeUp;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi_io::bindings::wasi::io::{error, poll, streams};
use wasmtime_wasi_io::poll::DynPollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, Error, StreamError, StreamResult,
};

/// Bytes that one read, skip or splice moves at most; more takes further calls.
const MAX_MOVED: u64 = 256 << 10;

/// Pollables that a guest may wait for at once; protects the host's time.
const MAX_POLLED: usize = 4096;

/// The state of one call.
pub(super) struct Io<'a> {
    pub(super) table: &'a mut ResourceTable,
    pub(super) meter: &'a Meter,
    pub(super) wake_up: &'a WakeUp,
}

/// The interfaces of `wasi:io`.
pub(super) struct HasIo;

impl HasData for HasIo {
    type Data<'a> = Io<'a>;
}

impl Io<'_> {
    fn moved(&self, bytes: usize) {
        self.meter.charge(meter::copied(bytes));
    }
}

impl error::Host for Io<'_> {}

impl error::HostError for Io<'_> {
    fn drop(&mut self, error: Resource<Error>) -> wasmtime::Result<()> {
        error::HostError::drop(self.table, error)
    }

    fn to_debug_string(&mut self, error: Resource<Error>) -> wasmtime::Result<String> {
        let text = error::HostError::to_debug_string(self.table, error)?;
        self.meter.charge(meter::text(text.len()));
        Ok(text)
    }
}

impl poll::Host for Io<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.meter
            .charge(meter::WAIT.saturating_mul(pollables.len() as u64));
        if pollables.len() > MAX_POLLED {
            return Err(wasmtime::Error::msg(format!(
                "a program may wait for {MAX_POLLED} things at once, not {}",
                pollables.len()
            )));
        }
        let polled = poll::Host::poll(self.table, pollables);
        // Something has to be ready; that it is not, the guest finds out.
        self.wake_up
            .unless_woken(polled)
            .await
            .unwrap_or_else(|| Ok(vec![0]))
    }
}

impl poll::HostPollable for Io<'_> {
    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.meter.charge(meter::WAIT);
        let blocked = poll::HostPollable::block(self.table, pollable);
        self.wake_up.unless_woken(blocked).await.unwrap_or(Ok(()))
    }

    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        self.meter.charge(meter::WAIT);
        poll::HostPollable::ready(self.table, pollable).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(self.table, pollable)
    }
}

impl streams::Host for Io<'_> {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostInputStream for Io<'_> {
    async fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        streams::HostInputStream::drop(self.table, stream).await
    }

    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        let bytes = streams::HostInputStream::read(self.table, stream, length.min(MAX_MOVED))?;
        self.moved(bytes.len());
        Ok(bytes)
    }

    async fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<Vec<u8>> {
        let read =
            streams::HostInputStream::blocking_read(self.table, stream, length.min(MAX_MOVED));
        let bytes = self.wake_up.unless_woken(read).await.transpose()?;
        let bytes = bytes.unwrap_or_default();
        self.moved(bytes.len());
        Ok(bytes)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        let skipped = streams::HostInputStream::skip(self.table, stream, length.min(MAX_MOVED))?;
        self.moved(usize::try_from(skipped).unwrap_or(usize::MAX));
        Ok(skipped)
    }

    async fn blocking_skip(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let skipped =
            streams::HostInputStream::blocking_skip(self.table, stream, length.min(MAX_MOVED))
                .await?;
        self.moved(usize::try_from(skipped).unwrap_or(usize::MAX));
        Ok(skipped)
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostInputStream::subscribe(self.table, stream)
    }
}

impl streams::HostOutputStream for Io<'_> {
    async fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        streams::HostOutputStream::drop(self.table, stream).await
    }

    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        // Once out of the guest, once into the file.
        self.moved(bytes.len().saturating_mul(2));
        streams::HostOutputStream::write(self.table, stream, bytes)
    }

    async fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.moved(bytes.len().saturating_mul(2));
        streams::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes).await
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        // The stream itself refuses more than it takes at once.
        self.moved(
            usize::try_from(length.min(MAX_MOVED))
                .unwrap_or(usize::MAX)
                .saturating_mul(2),
        );
        streams::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    async fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        length: u64,
    ) -> StreamResult<()> {
        self.moved(
            usize::try_from(length.min(MAX_MOVED))
                .unwrap_or(usize::MAX)
                .saturating_mul(2),
        );
        streams::HostOutputStream::blocking_write_zeroes_and_flush(self.table, stream, length).await
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::flush(self.table, stream)
    }

    async fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::blocking_flush(self.table, stream).await
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let moved = streams::HostOutputStream::splice(self.table, to, from, length.min(MAX_MOVED))?;
        self.moved(
            usize::try_from(moved)
                .unwrap_or(usize::MAX)
                .saturating_mul(2),
        );
        Ok(moved)
    }

    async fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        let moved =
            streams::HostOutputStream::blocking_splice(self.table, to, from, length.min(MAX_MOVED))
                .await?;
        self.moved(
            usize::try_from(moved)
                .unwrap_or(usize::MAX)
                .saturating_mul(2),
        );
        Ok(moved)
    }
}
