//! Event log of an execution: what happens in it, while it happens?
//!
//! Any number of clients reads the log of an execution, each at its own pace: a slow reader blocks
//! no other one and needs no buffer of its own. Events have consecutive numbers, so a client that
//! lost its connection resumes where it was.

use crate::memory::{Memory, MemoryCharge, NoMemory};
use crate::records::rows::ExecutionRow;
use futures_util::Stream;
use futures_util::stream::unfold;
use glovebox::{AuditEvent, OutputChunk, StreamName};
use glovebox_policy::Subject;
use glovebox_wire::event::{CallEvent, OutputEvent, StatusEvent};
use glovebox_wire::execution::ExecutionState;
use glovebox_wire::outcome::FindingBody;
use glovebox_wire::raw_json;
use glovebox_wire::tree::{TaskEvent, TreeBody};
use serde_json::value::RawValue;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Events of an execution after which output is batched for longer.
const BATCH_AFTER_EVENTS: usize = 500;

/// Overhead of an event besides its data, in bytes.
const EVENT_BYTES: usize = 128;

/// Size up to which an event is sent without charging memory; a connection has as much in its
/// buffers.
const UNCHARGED_BYTES: usize = 64 << 10;

/// Batching interval of output after [`BATCH_AFTER_EVENTS`] events.
const BATCH_INTERVAL: Duration = Duration::from_millis(50);

/// The kind of the last event.
const END: &str = "end";

/// An event of an execution or a tree.
#[derive(Debug)]
pub struct Event {
    /// Sequence number, from 1.
    pub number: u64,
    /// `status`, `finding`, `call`, `stdout`, `stderr`, `result` or `end`.
    pub kind: &'static str,
    /// Its content.
    pub data: Box<RawValue>,
}

/// All events so far.
#[derive(Debug, Default)]
pub struct EventLog {
    /// The memory account that is charged; `None` for a log that is not counted.
    account: Option<(Arc<Memory>, Subject)>,
    state: Mutex<LogState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct LogState {
    events: Vec<Arc<Event>>,
    bytes: usize,
    has_ended: bool,
    /// The memory charged so far.
    charge: MemoryCharge,
    /// An event was dropped because there was no memory for it.
    has_gap: bool,
}

impl EventLog {
    /// Creates a log that charges the subject to which a charge belongs.
    pub(crate) fn beside(charge: &MemoryCharge) -> Arc<Self> {
        match charge.account() {
            Some((memory, subject)) => Self::of(memory, subject),
            None => Arc::default(),
        }
    }

    /// Creates a log that charges a subject's memory.
    pub(crate) fn of(memory: &Arc<Memory>, subject: &Subject) -> Arc<Self> {
        let charge = memory.take(subject, 0).unwrap_or_default();
        let state = Mutex::new(LogState {
            charge,
            ..LogState::default()
        });
        Arc::new(Self {
            account: Some((Arc::clone(memory), subject.clone())),
            state,
            changed: Notify::new(),
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut LogState) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends an event. Events without memory leave a gap, which is reported once.
    fn push(&self, kind: &'static str, data: Box<RawValue>) {
        match self.grow(data.get().len() + EVENT_BYTES) {
            Ok(()) => self.add(kind, data),
            Err(_) if self.with(|state| std::mem::replace(&mut state.has_gap, true)) => {}
            Err(why) => self.add(
                "status",
                raw_json(&StatusEvent {
                    left_out: Some(&why.to_string()),
                    status: ExecutionState::Running,
                }),
            ),
        }
    }

    fn add(&self, kind: &'static str, data: Box<RawValue>) {
        self.with(|state| {
            state.bytes += data.get().len() + EVENT_BYTES;
            let number = state.events.len() as u64 + 1;
            state.events.push(Arc::new(Event { number, kind, data }));
            state.has_ended |= kind == END;
        });
        self.changed.notify_waiters();
    }

    /// Charges memory for an event. Not under the lock of the log: making room may evict other
    /// logs.
    fn grow(&self, bytes: usize) -> Result<(), NoMemory> {
        let Some((memory, subject)) = &self.account else {
            return Ok(());
        };
        let more = memory.take(subject, bytes)?;
        self.with(|state| state.charge.join(more));
        Ok(())
    }

    /// Charges the memory for sending an event to one more client, for as long as it is being sent.
    /// A client without memory for it loses its connection, and resumes after the last event that
    /// it has.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn sending(&self, event: &Event) -> Result<Option<MemoryCharge>, NoMemory> {
        let bytes = event.data.get().len();
        match &self.account {
            Some((memory, subject)) if bytes > UNCHARGED_BYTES => {
                memory.take(subject, bytes.saturating_mul(2)).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Appends a change of state.
    pub(crate) fn status(&self, status: ExecutionState) {
        let event = StatusEvent {
            left_out: None,
            status,
        };
        self.push("status", raw_json(&event));
    }

    /// Appends a change of a task of a tree.
    pub(crate) fn task(&self, event: &TaskEvent<'_>) {
        self.push("task", raw_json(event));
    }

    /// Appends an event that was recorded in the audit log.
    pub(crate) fn happened(&self, event: &AuditEvent) {
        match event {
            AuditEvent::Found { findings } => {
                for finding in findings {
                    self.push("finding", raw_json(&FindingBody::from(finding)));
                }
            }
            AuditEvent::Called {
                function,
                target,
                verdict,
                sent,
                received,
            } => {
                let call = CallEvent {
                    allowed_by: verdict.as_ref().ok(),
                    function,
                    received_bytes: *received,
                    refused: verdict.as_ref().err(),
                    sent_bytes: *sent,
                    target: CallEvent::target(target),
                };
                self.push("call", raw_json(&call));
            }
            // The decision and the end are reported as its status.
            _ => {}
        }
    }

    /// Appends the end of an execution, after which nothing follows. If there is no memory for all
    /// of it, the end is sent without its output.
    pub(crate) fn end(&self, row: &ExecutionRow) {
        let whole = RawValue::from_string(row.body().to_json()).unwrap_or_default();
        let data = if self.grow(whole.get().len() + EVENT_BYTES).is_ok() {
            whole
        } else {
            raw_json(&row.summary())
        };
        self.add(END, data);
    }

    /// Appends the end of a task tree, after which nothing follows.
    pub(crate) fn end_tree(&self, tree: &TreeBody) {
        self.add(END, raw_json(tree));
    }

    /// Whether the log is complete.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.with(|state| state.has_ended)
    }

    /// Returns the bytes that the log holds.
    pub(crate) fn bytes(&self) -> usize {
        self.with(|state| state.bytes)
    }

    /// Returns how long output is batched before it becomes an event: programs that write byte by
    /// byte must not produce endless events.
    pub(crate) fn batching(&self) -> Option<Duration> {
        self.with(|state| (state.events.len() > BATCH_AFTER_EVENTS).then_some(BATCH_INTERVAL))
    }

    /// Streams events after one that the client has, as they come, until the end.
    pub fn follow(self: Arc<Self>, after: u64) -> impl Stream<Item = Arc<Event>> {
        let next = usize::try_from(after).unwrap_or(usize::MAX);
        unfold((self, next), |(log, next)| async move {
            loop {
                let mut changed = pin!(log.changed.notified());
                changed.as_mut().enable();
                let (event, has_ended) =
                    log.with(|state| (state.events.get(next).cloned(), state.has_ended));
                match event {
                    Some(event) => {
                        let log = Arc::clone(&log);
                        return Some((event, (log, next + 1)));
                    }
                    None if has_ended => return None,
                    None => changed.await,
                }
            }
        })
    }
}

/// Batches output into events of whole UTF-8 characters.
#[derive(Debug, Default)]
pub(crate) struct OutputBatcher {
    rest: [Vec<u8>; 2],
}

impl OutputBatcher {
    /// Takes chunks of output in the order in which they were written.
    pub(crate) fn take(&mut self, log: &EventLog, chunks: &mut [OutputChunk]) {
        if log.batching().is_some() {
            // However a program alternates between its streams, a batch becomes at most two events
            // besides its results.
            chunks.sort_by_key(|chunk| chunk.stream == StreamName::Stderr);
        }
        let mut chunks = chunks.iter().peekable();
        while let Some(chunk) = chunks.next() {
            if chunk.stream == StreamName::Results {
                show(log, &chunk.bytes);
                continue;
            }
            let mut bytes = std::mem::take(self.rest_of(chunk.stream));
            bytes.extend_from_slice(&chunk.bytes);
            while let Some(more) = chunks.next_if(|next| next.stream == chunk.stream) {
                bytes.extend_from_slice(&more.bytes);
            }
            // An incomplete character waits for its other bytes.
            if let Err(error) = std::str::from_utf8(&bytes)
                && error.error_len().is_none()
            {
                *self.rest_of(chunk.stream) = bytes.split_off(error.valid_up_to());
            }
            emit(log, chunk.stream, &bytes);
        }
    }

    /// Emits what was held back.
    pub(crate) fn finish(&mut self, log: &EventLog) {
        for stream in [StreamName::Stdout, StreamName::Stderr] {
            let rest = std::mem::take(self.rest_of(stream));
            emit(log, stream, &rest);
        }
    }

    fn rest_of(&mut self, stream: StreamName) -> &mut Vec<u8> {
        let [stdout, stderr] = &mut self.rest;
        if stream == StreamName::Stdout {
            stdout
        } else {
            stderr
        }
    }
}

/// Appends a result.
fn show(log: &EventLog, json: &[u8]) {
    let json = String::from_utf8_lossy(json).into_owned();
    if let Ok(data) = RawValue::from_string(json) {
        log.push(OutputEvent::kind(StreamName::Results), data);
    }
}

fn emit(log: &EventLog, stream: StreamName, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    log.push(
        OutputEvent::kind(stream),
        raw_json(&OutputEvent::new(bytes)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt as _;

    fn chunk(stream: StreamName, bytes: &'static [u8]) -> OutputChunk {
        OutputChunk {
            stream,
            bytes: bytes.into(),
        }
    }

    #[tokio::test]
    async fn events_hold_whole_characters_and_can_be_resumed() {
        let log = Arc::new(EventLog::default());
        let mut batcher = OutputBatcher::default();
        log.status(ExecutionState::Running);
        let (out, err) = (StreamName::Stdout, StreamName::Stderr);
        batcher.take(
            &log,
            &mut [chunk(out, b"a"), chunk(out, b"\xc3"), chunk(err, b"e")],
        );
        batcher.take(&log, &mut [chunk(out, b"\xa4b"), chunk(out, b"\xff")]);
        batcher.take(&log, &mut [chunk(out, b"\xe2\x82")]);
        batcher.finish(&log);
        log.add(END, raw_json(&serde_json::json!({})));
        let told: Vec<String> = Arc::clone(&log)
            .follow(0)
            .map(|event| format!("{} {}", event.kind, event.data.get()))
            .collect()
            .await;
        let expected = [
            r#"status {"status":"running"}"#,
            r#"stdout {"text":"a"}"#,
            r#"stderr {"text":"e"}"#,
            r#"stdout {"base64":"w6Ri/w==","text":"äb�"}"#,
            r#"stdout {"base64":"4oI=","text":"�"}"#,
            "end {}",
        ];
        assert_eq!(told, expected);
        let rest: Vec<u64> = Arc::clone(&log)
            .follow(4)
            .map(|event| event.number)
            .collect()
            .await;
        assert_eq!(rest, [5, 6]);
        assert_eq!(log.follow(u64::MAX).count().await, 0);
    }
}
