//! Life cycle of an execution: how does it get from the queue to its record?
//!
//! The request that waits for its end drives it, which saves a task. Without such a request, or after its client has disconnected, the
//! execution goes on as a task of its own, so that its end is always recorded.

mod files;
mod registry;
mod weight;

pub(super) use registry::ExecutionRegistry;

use super::App;
use super::config::AlertKind;
use super::events::{EventLog, Gatherer};
use super::kept::{NotKept, ROW, SMALL_OUTPUT};
use super::memory::Taken;
use super::problem::{Code, Problem};
use super::scheduler::{Admitted, QueueFull};
use super::store::{ExecutionRow, UsageRow, now_ms};
use crate::wire;
use files::{KeptFiles, keep_files};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use glovebox::policy::{Request, Subject};
use glovebox::{
    CancellationToken, Controls, Error, Input, Outcome, OutputChunk, RunId, Status, Usage,
};
use serde::Serialize;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tracing::Instrument as _;

/// Chunks of output that are buffered before they become events; then the program blocks (backpressure).
const WAITING_PIECES: usize = 64;

/// The work of an execution, called once it has its slot.
pub(super) type ExecutionFuture =
    Box<dyn FnOnce(Controls) -> BoxFuture<'static, Result<Outcome, Error>> + Send>;

/// An execution of this process.
pub(super) struct ActiveExecution {
    pub(super) id: RunId,
    pub(super) subject: Subject,
    row: Mutex<ExecutionRow>,
    /// Its events, if a client may follow it.
    pub(super) log: Option<Arc<EventLog>>,
    pub(super) stop: CancellationToken,
    done: CancellationToken,
    /// The reason why there is no outcome.
    failure: Mutex<Option<(Code, String)>>,
    /// Usage, if there is no outcome.
    spent: Arc<Mutex<Usage>>,
    /// The pipe to its standard input, while no client writes to it.
    pub(super) stdin: Mutex<Option<DuplexStream>>,
    /// The memory charged for its output.
    memory: Mutex<Taken>,
}

/// An execution that has begun.
pub(super) struct StartedExecution {
    pub(super) live: Arc<ActiveExecution>,
    rest: Option<BoxFuture<'static, ()>>,
}

impl StartedExecution {
    /// Drives it to its end.
    pub(super) async fn finish(mut self) -> Result<ExecutionRow, Problem> {
        poll_fn(|context| match &mut self.rest {
            Some(rest) => rest.as_mut().poll(context),
            None => Poll::Ready(()),
        })
        .await;
        self.rest = None;
        self.live.finished().await
    }
}

impl Drop for StartedExecution {
    fn drop(&mut self) {
        if let (Some(rest), Ok(runtime)) = (self.rest.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(rest);
        }
    }
}

impl ActiveExecution {
    /// Returns its current record.
    pub(super) fn row(&self) -> ExecutionRow {
        self.row
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads its record without a copy.
    fn with_row<T>(&self, read: impl FnOnce(&ExecutionRow) -> T) -> T {
        read(&self.row.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn update_row(&self, update: impl FnOnce(&mut ExecutionRow)) {
        update(&mut self.row.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits until its record is stored.
    pub(super) async fn finished(&self) -> Result<ExecutionRow, Problem> {
        self.done.cancelled().await;
        match &*self.failure.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((code, detail)) => Err(Problem::new(*code, detail.clone())),
            None => Ok(self.row()),
        }
    }
}

/// The parameters of a new execution.
pub(super) struct NewExecution {
    pub(super) id: RunId,
    pub(super) subject: Subject,
    pub(super) session: Option<String>,
    pub(super) language: String,
    pub(super) profile: Option<String>,
    /// Bytes that count for its request while it is queued.
    pub(super) bytes: usize,
    /// Whether its output becomes events.
    pub(super) is_followed: bool,
    /// The pipe to its standard input.
    pub(super) stdin: Option<DuplexStream>,
}

/// Starts a program outside of any session, or reports why the queue is full.
pub(super) fn start(
    app: &Arc<App>,
    id: RunId,
    request: Request,
    input: Input,
    more: StartOptions,
) -> Result<StartedExecution, Problem> {
    let about = NewExecution {
        id,
        subject: request.subject.clone(),
        session: None,
        language: request.language.clone(),
        profile: request.profile.clone(),
        bytes: more.bytes,
        is_followed: more.is_followed,
        stdin: more.stdin,
    };
    let (sandbox, held) = (app.sandbox.clone(), more.held);
    let run = move |controls| -> BoxFuture<'static, _> {
        Box::pin(async move {
            let _held = held;
            sandbox.run_with(request, controls).await
        })
    };
    start_in(app, about, input, Box::new(run))
}

/// Parameters of [`start`] that the request does not contain.
pub(super) struct StartOptions {
    /// Bytes that count for its request while it is queued.
    pub(super) bytes: usize,
    /// The memory charged for it until it has ended.
    pub(super) held: Taken,
    /// Whether its output becomes events.
    pub(super) is_followed: bool,
    /// The pipe to its standard input.
    pub(super) stdin: Option<DuplexStream>,
}

/// Returns a concurrency slot, now or later, or why there is none; for all work of a guest for a subject.
pub(super) fn enter(app: &App, subject: &Subject, bytes: usize) -> Result<Admitted, Problem> {
    app.kept.check(subject.as_str()).inspect_err(|_| {
        app.metrics.refused.inc();
    })?;
    app.admission.enter(subject, bytes).map_err(|full| {
        app.metrics.refused.inc();
        let limits = &app.config.limits;
        match full {
            QueueFull::Subject => {
                let detail = format!(
                    "queue full: this key has reached `limits.queue_per_subject` ({})",
                    limits.queue_per_subject
                );
                Problem::new(Code::QueueFull, detail).retry_after(Duration::from_secs(1))
            }
            QueueFull::All => {
                let detail = format!(
                    "queue full: the service has reached `limits.queue` ({})",
                    limits.queue
                );
                Problem::new(Code::Overloaded, detail).retry_after(Duration::from_secs(2))
            }
        }
    })
}

/// Starts an execution, or reports why the queue is full.
pub(super) fn start_in(
    app: &Arc<App>,
    about: NewExecution,
    input: Input,
    work: ExecutionFuture,
) -> Result<StartedExecution, Problem> {
    let waiting = enter(app, &about.subject, about.bytes)?;
    let row = ExecutionRow {
        id: about.id.to_string(),
        subject: about.subject.to_string(),
        session: about.session,
        language: about.language,
        profile: about.profile,
        status: if waiting.is_queued() {
            "queued"
        } else {
            "running"
        }
        .to_owned(),
        created_ms: now_ms(),
        ..ExecutionRow::default()
    };
    let log = about
        .is_followed
        .then(|| EventLog::of(&app.memory, &about.subject));
    let live = Arc::new(ActiveExecution {
        id: about.id,
        subject: about.subject,
        row: Mutex::new(row),
        log,
        stop: CancellationToken::new(),
        done: CancellationToken::new(),
        failure: Mutex::default(),
        spent: Arc::default(),
        stdin: Mutex::new(about.stdin),
        memory: Mutex::default(),
    });
    app.registry.begin(&live, app)?;
    if let Some(log) = &live.log {
        log.status(&live.row().status);
    }
    let span = tracing::debug_span!("execution", id = %live.id, language = live.row().language, status = tracing::field::Empty);
    let rest =
        run_to_end(Arc::clone(app), Arc::clone(&live), input, work, waiting).instrument(span);
    Ok(StartedExecution {
        live,
        rest: Some(Box::pin(rest)),
    })
}

/// Runs an execution and stores its record.
async fn run_to_end(
    app: Arc<App>,
    live: Arc<ActiveExecution>,
    input: Input,
    work: ExecutionFuture,
    waiting: Admitted,
) {
    let _finish = Finish(&app, &live);
    let was_queued = waiting.is_queued();
    let place = tokio::select! {
        biased;
        () = live.stop.cancelled() => None,
        place = waiting.slot().instrument(tracing::debug_span!("queue")) => place,
    };
    let result = match &place {
        Some(_) => {
            live.update_row(|row| {
                row.started_ms = Some(now_ms());
                row.status = "running".to_owned();
            });
            if let (true, Some(log)) = (was_queued, &live.log) {
                log.status("running");
            }
            // If the process dies, the next one can tell by this that the execution had begun.
            let _ = app.store.put_later(live.row()).await;
            Some(
                AssertUnwindSafe(stream_output(&app, &live, input, work))
                    .catch_unwind()
                    .await,
            )
        }
        None => {
            // The work holds the lock of its session, for which others wait.
            drop(work);
            None
        }
    };
    drop(place);
    let ended = record(&app, &live, result).await;
    let span = tracing::Span::current();
    if !span.is_disabled() {
        span.record("status", live.row().status);
    }
    if let Err((code, detail)) = ended {
        *live.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some((code, detail));
    }
    if let Some(log) = &live.log {
        let row = live.row();
        log.end(execution_json(&row), || summary_json(&row));
    }
}

/// Notifies all waiters when dropped, however the execution ended.
struct Finish<'a>(&'a App, &'a Arc<ActiveExecution>);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        let Self(app, live) = self;
        *live.stdin.lock().unwrap_or_else(PoisonError::into_inner) = None;
        live.done.cancel();
        app.registry.end(live);
    }
}

/// Runs it, and turns its output into events meanwhile.
async fn stream_output(
    app: &App,
    live: &ActiveExecution,
    input: Input,
    work: ExecutionFuture,
) -> Result<Outcome, Error> {
    let controls = Controls {
        id: Some(live.id),
        input,
        stop: live.stop.clone(),
        spent: Some(Arc::clone(&live.spent)),
        ..Controls::default()
    };
    let Some(log) = &live.log else {
        return app
            .processors
            .share(live.subject.clone(), work(controls))
            .await;
    };
    let (output, mut pieces) = mpsc::channel(WAITING_PIECES);
    let (events, mut happened) = mpsc::unbounded_channel();
    let controls = Controls {
        output: Some(output),
        events: Some(events),
        ..controls
    };
    let mut run = pin!(app.processors.share(live.subject.clone(), work(controls)));
    let mut gatherer = Gatherer::default();
    let mut gathered: Vec<OutputChunk> = Vec::new();
    let mut told_at: Option<tokio::time::Instant> = None;
    let (mut are_more, mut more_happens) = (true, true);
    let result = loop {
        let now_or_then = async {
            match told_at {
                Some(time) => tokio::time::sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            received = pieces.recv_many(&mut gathered, WAITING_PIECES), if are_more => {
                are_more = received > 0;
                match log.gathering() {
                    None => {
                        gatherer.take(log, &mut gathered);
                        gathered.clear();
                    }
                    // The program goes on meanwhile: its output is taken at once, and becomes an event a little later.
                    Some(pause) => told_at = told_at.or_else(|| Some(tokio::time::Instant::now() + pause)),
                }
            }
            event = happened.recv(), if more_happens => match event {
                Some(event) => log.happened(&event),
                None => more_happens = false,
            },
            () = now_or_then => {
                gatherer.take(log, &mut gathered);
                gathered.clear();
                told_at = None;
            }
            result = &mut run => break result,
        }
    };
    while let Ok(event) = happened.try_recv() {
        log.happened(&event);
    }
    while let Ok(piece) = pieces.try_recv() {
        gathered.push(piece);
    }
    gatherer.take(log, &mut gathered);
    gatherer.finish(log);
    result
}

type Advanced = Result<Result<Outcome, Error>, Box<dyn std::any::Any + Send>>;

/// Stores the outcome. An outcome that could not be stored is a failure, because no client could find it again.
async fn record(
    app: &App,
    live: &ActiveExecution,
    ended: Option<Advanced>,
) -> Result<(), (Code, String)> {
    let (mut usage, mut kept) = (None, None);
    let failure = match ended {
        None => {
            live.update_row(|row| row.status = Status::Cancelled.name().to_owned());
            None
        }
        Some(Ok(Ok(outcome))) => {
            usage = Some(live.with_row(|row| used(row, &outcome)));
            store_outcome(app, live, outcome)
                .await
                .map(|files| kept = Some(files))
                .err()
        }
        Some(Ok(Err(error))) => {
            let is_host = !matches!(
                error,
                Error::Invalid(_)
                    | Error::Memory(_)
                    | Error::SessionEnded(_)
                    | Error::Packages(_)
                    | Error::OutOfTime(_)
            );
            let told = client_error(error);
            usage = Some(unfinished(live));
            if is_host {
                app.host_failed.notify_one();
                app.alerts.happened(
                    AlertKind::Error,
                    live.subject.as_str(),
                    Some(live.id.to_string()),
                    &told.1,
                );
            }
            Some(told)
        }
        Some(Err(_)) => {
            tracing::error!(execution = %live.id, "an execution panicked");
            usage = Some(unfinished(live));
            Some((
                Code::Internal,
                "the service failed; its log says why".to_owned(),
            ))
        }
    };
    let (mut room, held) = match kept {
        Some(KeptFiles { room, held, .. }) => (room, held),
        None => (app.kept.room(live.subject.as_str()), Vec::new()),
    };
    live.update_row(|row| {
        row.ended_ms = Some(now_ms());
        if let Some((code, detail)) = &failure {
            row.status = "error".to_owned();
            row.result = Some(
                serde_json::json!({ "error": { "code": code, "detail": detail } }).to_string(),
            );
        }
        // The size of large results was reserved before; the rest is stored in any case.
        room.take(
            ROW + if room.bytes() > 0 {
                0
            } else {
                row.result.as_ref().map_or(0, String::len) as u64
            },
        );
        row.bytes = number(room.bytes());
    });
    app.store
        .put_ended(live.row(), usage)
        .await
        .map_err(|error| (Code::Internal, Problem::internal(&error).detail()))?;
    room.keep();
    // From here on, the record refers to the contents.
    drop(held);
    failure.map_or(Ok(()), Err)
}

fn client_error(error: Error) -> (Code, String) {
    let problem = Problem::from(error);
    (problem.code(), problem.detail())
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Returns the usage of an execution.
fn used(row: &ExecutionRow, outcome: &Outcome) -> UsageRow {
    UsageRow {
        executions: 1,
        denied: i64::from(outcome.status == Status::Denied),
        limited: i64::from(outcome.status == Status::Limited),
        ..usage_row(&row.subject, row.created_ms, &outcome.usage)
    }
}

/// Returns the usage of an execution without an outcome.
fn unfinished(live: &ActiveExecution) -> UsageRow {
    let spent = *live.spent.lock().unwrap_or_else(PoisonError::into_inner);
    UsageRow {
        executions: 1,
        ..live.with_row(|row| usage_row(&row.subject, row.created_ms, &spent))
    }
}

/// Converts usage of a subject to a row of the database.
pub(super) fn usage_row(subject: &str, day_ms: i64, usage: &Usage) -> UsageRow {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    UsageRow {
        subject: subject.to_owned(),
        day_ms,
        executions: 0,
        denied: 0,
        limited: 0,
        wall_us: micros(usage.wall),
        cpu_us: micros(usage.cpu),
        fuel: number(usage.fuel),
        output_bytes: number(usage.output),
    }
}

/// Fills the record from an outcome; returns the artifacts that were kept.
async fn store_outcome(
    app: &App,
    live: &ActiveExecution,
    mut outcome: Outcome,
) -> Result<KeptFiles, (Code, String)> {
    let mut memory = weight::fit(app, live, &mut outcome);
    live.with_row(|row| app.metrics.ended(&row.language, &outcome));
    app.alerts.ended(&live.subject, &outcome);
    let subject = live.subject.as_str();
    let mut kept = keep_files(app, subject, std::mem::take(&mut outcome.artifacts)).await?;
    outcome.artifacts_truncated |= kept.not_kept.is_some();
    let artifacts = std::mem::take(&mut kept.artifacts);
    let files = artifacts.iter().map(|file| wire::ArtifactObject {
        path: &file.path,
        bytes: usize::try_from(file.bytes).unwrap_or(0),
        sha256: file.sha256.clone(),
        saved_to: None,
    });
    let files: Vec<_> = files.collect();
    let mut result =
        wire::outcome_fields(&outcome, files.clone(), kept.not_kept.map(NotKept::name));
    if result.len() <= app.kept.small_result() {
        kept.room.take(result.len() as u64);
    } else if let Err(reason) = kept.room.try_take(result.len() as u64, 0) {
        weight::shorten(&mut outcome);
        result = wire::outcome_fields(&outcome, files, Some(reason.name()));
        kept.room.take(result.len() as u64);
    }
    let length = result.len();
    live.update_row(|row| {
        row.status = outcome.status.name().to_owned();
        if !outcome.policy.profile.is_empty() {
            row.profile = Some(outcome.policy.profile.clone());
        }
        row.result = Some(result);
        row.artifacts = artifacts;
    });
    drop(outcome);
    memory.shrink_to(length);
    live.memory
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .join(memory);
    Ok(kept)
}

/// Truncates a text to what is kept if there is no room for more.
fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(SMALL_OUTPUT));
}

#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    status: &'a str,
    subject: &'a str,
    session: Option<&'a str>,
    language: &'a str,
    profile: Option<&'a str>,
    created_at: String,
    started_at: Option<String>,
    ended_at: Option<String>,
}

/// Formats a time (RFC 3339).
pub(super) fn timestamp(ms: i64) -> String {
    let time = std::time::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    humantime::format_rfc3339_millis(time).to_string()
}

fn head(row: &ExecutionRow) -> String {
    let head = Head {
        id: &row.id,
        status: &row.status,
        subject: &row.subject,
        session: row.session.as_deref(),
        language: &row.language,
        profile: row.profile.as_deref(),
        created_at: timestamp(row.created_ms),
        started_at: row.started_ms.map(timestamp),
        ended_at: row.ended_ms.map(timestamp),
    };
    wire::to_json(&head)
}

/// Returns the JSON of an execution.
pub(super) fn execution_json(row: &ExecutionRow) -> String {
    let mut head = head(row);
    match row
        .result
        .as_deref()
        .and_then(|result| result.strip_prefix('{'))
    {
        Some(rest) if rest != "}" => {
            head.pop();
            format!("{head},{rest}")
        }
        _ => head,
    }
}

/// Returns the JSON of an execution in lists: without its output.
pub(super) fn summary_json(row: &ExecutionRow) -> String {
    head(row)
}
