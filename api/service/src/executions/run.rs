//! Run of an execution: how does it get from the queue to its end, and what do its followers see
//! meanwhile?

use super::active::{ActiveExecution, lock};
use super::dispatcher::Work;
use super::execution_core::ExecutionCore;
use super::record::{Ending, record};
use crate::events::{EventLog, OutputBatcher};
use crate::memory::MemoryCharge;
use crate::records::now_ms;
use crate::scheduler::QueueEntry;
use futures_util::FutureExt as _;
use glovebox::{AuditEvent, Controls, Error, Input, Outcome, OutputChunk};
use glovebox_wire::execution::ExecutionState;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::Instrument as _;

/// Chunks of output that are buffered before they become events; then the program blocks
/// (backpressure).
const WAITING_CHUNKS: usize = 64;

/// Runs an execution and stores its record.
pub(super) async fn drive(
    core: Arc<ExecutionCore>,
    active: Arc<ActiveExecution>,
    input: Input,
    work: Work,
    waiting: QueueEntry,
) {
    let _end = EndGuard(&core, &active);
    let was_queued = waiting.is_queued();
    let slot = tokio::select! {
        biased;
        () = active.stop.cancelled() => None,
        slot = waiting.slot().instrument(tracing::debug_span!("queue")) => slot,
    };
    let ending = match &slot {
        Some(_) => {
            active.update_row(|row| {
                row.started_ms = Some(now_ms());
                row.status = ExecutionState::Running;
            });
            if let (true, Some(log)) = (was_queued, &active.log) {
                log.status(ExecutionState::Running);
            }
            // If the process dies, the next one can tell by this that the execution had begun.
            let _ = core.records.put_later(active.row()).await;
            let run = run_work(&core, &active, input, work)
                .map(|ran| ran.map_or_else(Ending::Failed, Ending::Outcome));
            let run = AssertUnwindSafe(run).catch_unwind().await;
            run.unwrap_or(Ending::Panicked)
        }
        None => {
            // The work holds the lock of its session, for which others wait.
            drop(work);
            Ending::Cancelled
        }
    };
    drop(slot);
    let ended = record(&core, &active, ending).await;
    let span = tracing::Span::current();
    if !span.is_disabled() {
        span.record("status", active.state().name());
    }
    if let Err(failure) = ended {
        *lock(&active.failure) = Some(failure);
    }
    if let Some(log) = &active.log {
        log.end(&active.row());
    }
}

/// Notifies all waiters when dropped, however the execution ended.
struct EndGuard<'a>(&'a ExecutionCore, &'a Arc<ActiveExecution>);

impl Drop for EndGuard<'_> {
    fn drop(&mut self) {
        let Self(core, active) = self;
        *lock(&active.stdin) = None;
        active.done.cancel();
        core.registry.end(active);
    }
}

/// Runs the work of an execution, and turns its output into events meanwhile.
async fn run_work(
    core: &ExecutionCore,
    active: &ActiveExecution,
    input: Input,
    work: Work,
) -> Result<Outcome, Error> {
    let controls = Controls {
        id: Some(active.id),
        input,
        stop: active.stop.clone(),
        spent: Some(Arc::clone(&active.spent)),
        ..Controls::default()
    };
    let dispatch = |controls: Controls| match work {
        Work::Program(request, charge) => (core.dispatcher.run(*request, controls), charge),
        Work::Evaluation(evaluate) => (evaluate(controls), MemoryCharge::default()),
    };
    let subject = active.subject.clone();
    let Some(log) = &active.log else {
        let (run, _charge) = dispatch(controls);
        return core.processors.share(subject, run).await;
    };
    let (output, chunks) = mpsc::channel(WAITING_CHUNKS);
    let (events, happened) = mpsc::unbounded_channel();
    let (run, _charge) = dispatch(Controls {
        output: Some(output),
        events: Some(events),
        ..controls
    });
    let run = core.processors.share(subject, run);
    let mut following = Following {
        log,
        chunks,
        happened,
        batcher: OutputBatcher::default(),
        pending: Vec::new(),
    };
    let result = following.until(run).await;
    following.finish();
    result
}

/// The stream of output and events of a run.
struct Following<'a> {
    log: &'a EventLog,
    chunks: mpsc::Receiver<OutputChunk>,
    happened: mpsc::UnboundedReceiver<AuditEvent>,
    batcher: OutputBatcher,
    /// Chunks that are no events yet.
    pending: Vec<OutputChunk>,
}

impl Following<'_> {
    fn emit(&mut self) {
        self.batcher.take(self.log, &mut self.pending);
        self.pending.clear();
    }

    /// Turns output into events until the run has ended.
    async fn until<T>(&mut self, run: impl Future<Output = T>) -> T {
        let mut run = pin!(run);
        let mut emit_at: Option<Instant> = None;
        let (mut has_more_output, mut has_more_events) = (true, true);
        loop {
            let batch_is_due = async {
                match emit_at {
                    Some(time) => tokio::time::sleep_until(time).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                received = self.chunks.recv_many(&mut self.pending, WAITING_CHUNKS), if has_more_output => {
                    has_more_output = received > 0;
                    match self.log.batching() {
                        None => self.emit(),
                        // The program goes on meanwhile: its output is taken at once, and becomes
                        // an event a little later.
                        Some(pause) => emit_at = emit_at.or_else(|| Some(Instant::now() + pause)),
                    }
                }
                event = self.happened.recv(), if has_more_events => match event {
                    Some(event) => self.log.happened(&event),
                    None => has_more_events = false,
                },
                () = batch_is_due => {
                    self.emit();
                    emit_at = None;
                }
                result = &mut run => return result,
            }
        }
    }

    /// Turns into events what is left.
    fn finish(mut self) {
        while let Ok(event) = self.happened.try_recv() {
            self.log.happened(&event);
        }
        while let Ok(chunk) = self.chunks.try_recv() {
            self.pending.push(chunk);
        }
        self.emit();
        self.batcher.finish(self.log);
    }
}
