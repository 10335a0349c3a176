//! Standard streams of a guest: where does its output go, and where does its input come from?
//!
//! Output is kept up to the granted number of bytes and passed on as it is written. A receiver that
//! does not read blocks the guest, as a full pipe would (backpressure); the host's memory stays
//! flat.

use crate::account::MemoryHold;
use crate::bundle::{MAX_RESULTS, MimeBundle};
use crate::host::error::CallLimit;
use crate::outcome::{Output, Results};
use bytes::Bytes;
use glovebox_policy::{Limit, Limits};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{InputStream, OutputStream, StreamError, StreamResult};

/// Bytes that a guest may hand over in one write; protects the host's memory while a receiver is
/// slow.
const MAX_WRITE: usize = 64 << 10;

/// Time after which a receiver that does not read is dropped, if the program has to end.
const SLOW: Duration = Duration::from_millis(200);

/// Bytes of output for which memory is charged at once; the first of them are free of charge.
const STEP: u64 = 64 << 10;

/// The streams of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamName {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The results that the program shows, each chunk a [`MimeBundle`] as JSON.
    Results,
}

/// A chunk of output, in the order in which the program wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChunk {
    /// The stream.
    pub stream: StreamName,
    /// The bytes.
    pub bytes: Bytes,
}

/// Both streams of a run.
#[derive(Clone, Debug)]
pub(crate) struct Outputs(Arc<Mutex<OutputState>>);

/// Output and results of a run.
pub(crate) struct Written {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) results: Results,
    /// Bytes written to both streams.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct OutputState {
    stdout: Output,
    stderr: Output,
    written: u64,
    limit: u64,
    results: Results,
    results_limit: u64,
    /// Bytes of the results.
    shown: u64,
    sink: Option<mpsc::Sender<OutputChunk>>,
    /// The time since which the receiver has not been seen to read.
    full_since: Option<Instant>,
    /// Ends a wait for the receiver.
    detached: Arc<Notify>,
    /// The buffers' charge to the memory account, and the bytes of output that it covers.
    held: MemoryHold,
    counted: u64,
}

/// The error that ends a run at its output limit.
#[derive(Debug, thiserror::Error)]
#[error("the run reached its limit: {}", .0.name())]
pub(crate) struct LimitReached(pub(crate) Limit);

impl Outputs {
    pub(crate) fn new(limits: &Limits, held: MemoryHold) -> Self {
        let (stdout, stderr) = (Output::default(), Output::default());
        Self(Arc::new(Mutex::new(OutputState {
            stdout,
            stderr,
            written: 0,
            limit: limits.output,
            results: Results::default(),
            results_limit: limits.results,
            shown: 0,
            sink: None,
            full_since: None,
            detached: Arc::default(),
            held,
            counted: STEP,
        })))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, OutputState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a new evaluation: fresh buffers, a fresh limit, another receiver.
    pub(crate) fn restart(&self, limits: &Limits, sink: Option<mpsc::Sender<OutputChunk>>) {
        let mut state = self.state();
        state.stdout = Output::default();
        state.stderr = Output::default();
        state.written = 0;
        state.limit = limits.output;
        state.results = Results::default();
        state.results_limit = limits.results;
        state.shown = 0;
        state.sink = sink;
        state.full_since = None;
        state.held.shrink(u64::MAX);
        state.counted = STEP;
    }

    /// Drops a receiver that has not read for a while, so that the guest goes on; further output is
    /// kept only. Called again and again.
    pub(crate) fn drop_slow_receiver(&self) {
        let mut state = self.state();
        let is_full = state.sink.as_ref().is_some_and(|sink| sink.capacity() == 0);
        let since = state.full_since.filter(|_| is_full);
        state.full_since = is_full.then(|| since.unwrap_or_else(Instant::now));
        if since.is_some_and(|since| since.elapsed() >= SLOW) {
            state.sink = None;
            state.detached.notify_waiters();
        }
    }

    /// Notes that a result was not shown.
    pub(crate) fn leave_out(&self) {
        self.state().results.truncated = true;
    }

    /// Takes the output since the start or the last call; drops the receiver.
    pub(crate) fn take(&self) -> Written {
        let mut state = self.state();
        state.sink = None;
        Written {
            stdout: std::mem::take(&mut state.stdout),
            stderr: std::mem::take(&mut state.stderr),
            results: std::mem::take(&mut state.results),
            bytes: state.written,
        }
    }

    /// Adds a result, and passes it on.
    pub(crate) async fn show(&self, bundle: MimeBundle) -> Result<(), CallLimit> {
        let json = bundle.to_json();
        let (sink, detached) = {
            let mut state = self.state();
            if let Err(limit) = state.admit(&bundle, json.len() as u64) {
                state.results.truncated = true;
                return Err(limit);
            }
            state.results.bundles.push(bundle);
            (state.sink.clone(), Arc::clone(&state.detached))
        };
        if let Some(sink) = sink {
            let chunk = OutputChunk {
                stream: StreamName::Results,
                bytes: json.into(),
            };
            tokio::select! {
                // A program goes on without its receiver.
                _ = sink.send(chunk) => {}
                () = detached.notified() => {}
            }
        }
        Ok(())
    }

    pub(crate) fn stream(&self, name: StreamName) -> GuestOutput {
        GuestOutput {
            outputs: self.clone(),
            name,
        }
    }
}

impl OutputState {
    /// Charges the memory of a result, which is kept and passed on as `json` bytes of JSON, if it
    /// fits.
    fn admit(&mut self, bundle: &MimeBundle, json: u64) -> Result<(), CallLimit> {
        let bytes = bundle.bytes() as u64;
        if self.results.bundles.len() >= MAX_RESULTS {
            return Err(CallLimit::ResultCount { most: MAX_RESULTS });
        }
        let shown = self.shown.saturating_add(bytes);
        if shown > self.results_limit {
            return Err(CallLimit::Results {
                most: self.results_limit,
                bytes,
            });
        }
        self.held
            .grow(bytes.saturating_add(json))
            .map_err(CallLimit::Account)?;
        self.shown = shown;
        Ok(())
    }
}

/// One output stream of the guest.
#[derive(Clone)]
pub(crate) struct GuestOutput {
    outputs: Outputs,
    name: StreamName,
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only WASI 0.3 uses this form, and no guest is given it.
        Box::new(tokio::io::sink())
    }
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut state = self.outputs.state();
        state.written = state.written.saturating_add(bytes.len() as u64);
        let kept = (state.stdout.bytes.len() + state.stderr.bytes.len()) as u64;
        let room = usize::try_from(state.limit.saturating_sub(kept)).unwrap_or(usize::MAX);
        let over = bytes.len() > room;
        let bytes = bytes.slice(..bytes.len().min(room));
        let more = (kept + bytes.len() as u64)
            .saturating_sub(state.counted)
            .next_multiple_of(STEP);
        if more > 0 {
            // A growing buffer doubles its capacity.
            if state.held.grow(more.saturating_mul(2)).is_err() {
                return Err(StreamError::Trap(wasmtime::Error::new(LimitReached(
                    Limit::Memory,
                ))));
            }
            state.counted += more;
        }
        let output = if self.name == StreamName::Stdout {
            &mut state.stdout
        } else {
            &mut state.stderr
        };
        output.bytes.extend_from_slice(&bytes);
        output.truncated |= over;
        if let Some(sink) = &state.sink
            && !bytes.is_empty()
        {
            // `check_write` saw room; a receiver that has gone away since is no error of the
            // program.
            let _ = sink.try_send(OutputChunk {
                stream: self.name,
                bytes,
            });
        }
        if over {
            return Err(StreamError::Trap(wasmtime::Error::new(LimitReached(
                Limit::Output,
            ))));
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match &self.outputs.state().sink {
            Some(sink) if !sink.is_closed() && sink.capacity() == 0 => Ok(0),
            _ => Ok(MAX_WRITE),
        }
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {
        let (sink, detached) = {
            let state = self.outputs.state();
            (state.sink.clone(), Arc::clone(&state.detached))
        };
        if let Some(sink) = sink {
            tokio::select! {
                // A closed channel is ready too: writes to it are kept and go nowhere else.
                _ = sink.reserve() => {}
                () = detached.notified() => {}
            }
        }
    }
}

/// The source of a program's standard input.
#[derive(Default)]
#[non_exhaustive]
pub enum Input {
    /// Nothing: the program reads end-of-file at once.
    #[default]
    Empty,
    /// These bytes.
    Bytes(Bytes),
    /// An asynchronous reader.
    Reader(Box<dyn AsyncRead + Send + Unpin>),
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Reader(_) => f.write_str("Reader"),
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Self::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// Standard input of the guest; all handles share one position.
#[derive(Clone, Default)]
pub(crate) struct GuestInput(Arc<Mutex<InputState>>);

#[derive(Default)]
struct InputState {
    input: Input,
    buffer: Bytes,
    ended: bool,
}

impl GuestInput {
    /// Starts a new evaluation with another input.
    pub(crate) fn restart(&self, input: Input) {
        *self.state() = InputState {
            input,
            buffer: Bytes::new(),
            ended: false,
        };
    }

    fn state(&self) -> std::sync::MutexGuard<'_, InputState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IsTerminal for GuestInput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for GuestInput {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        // Only WASI 0.3 uses this form, and no guest is given it.
        Box::new(tokio::io::empty())
    }
}

impl InputStream for GuestInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut state = self.state();
        if state.buffer.is_empty()
            && let Input::Bytes(bytes) = &mut state.input
        {
            let bytes = std::mem::take(bytes);
            state.buffer = bytes;
            state.input = Input::Empty;
        }
        if !state.buffer.is_empty() {
            let count = size.min(state.buffer.len());
            return Ok(state.buffer.split_to(count));
        }
        if state.ended || matches!(state.input, Input::Empty) {
            return Err(StreamError::Closed);
        }
        Ok(Bytes::new())
    }
}

#[wasmtime_wasi_io::async_trait]
impl Pollable for GuestInput {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.ended || !state.buffer.is_empty() {
                return std::task::Poll::Ready(());
            }
            let Input::Reader(reader) = &mut state.input else {
                return std::task::Poll::Ready(());
            };
            let mut chunk = [0_u8; 8192];
            let mut buffer = tokio::io::ReadBuf::new(&mut chunk);
            let read = std::pin::Pin::new(reader.as_mut()).poll_read(context, &mut buffer);
            read.map(|result| {
                state.ended = result.is_err() || buffer.filled().is_empty();
                state.buffer = Bytes::copy_from_slice(buffer.filled());
            })
        })
        .await;
    }
}
