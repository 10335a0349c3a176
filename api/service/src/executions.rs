//! Executions: how does a program get from a client to its record?
//!
//! In reading order: [`Executions::start`] queues a program, `executions/run.rs` takes it through
//! its concurrency slot to the `Dispatcher`, and `executions/record.rs` stores its outcome. The
//! request that waits for its end drives it, which saves a task. Without such a request, or after
//! its client has disconnected, the execution goes on as a task of its own, so that its end is
//! always recorded.

mod active;
mod artifacts;
mod dispatcher;
mod execution_core;
mod idempotency;
mod record;
mod registry;
mod run;
mod weight;

pub use active::{ActiveExecution, CancelOnDrop, Handle};
pub(crate) use dispatcher::{LocalDispatcher, Work};
pub(crate) use execution_core::ExecutionCore;
pub use idempotency::{Claim, Claimed, Earlier, OnDisconnect};

use crate::blobs::Content;
use crate::error::{Code, ServiceError};
use crate::events::EventLog;
use crate::identities::Caller;
use crate::memory::{MemoryCharge, Wanted};
use crate::records::rows::ExecutionRow;
use crate::records::{ExecutionFilter, now_ms};
use crate::scope::Scope;
use bytes::Bytes;
use glovebox::{CancellationToken, Input, RunId};
use glovebox_policy::{Request, Subject};
use glovebox_wire::execution::ExecutionState;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use tokio::io::DuplexStream;
use tracing::Instrument as _;

/// The executions of this process, and the records of all. Cheap to clone.
#[derive(Clone)]
pub struct Executions(Arc<ExecutionCore>);

/// Whether the output of an execution becomes events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Clients may follow it.
    Events,
    /// One client waits for its end.
    End,
}

/// A program to run.
pub struct NewExecution {
    /// The program and its parameters.
    pub request: Request,
    /// Its standard input.
    pub input: Input,
    /// The pipe to its standard input, if that stays open.
    pub stdin: Option<DuplexStream>,
    /// Bytes that count for its request while it is queued.
    pub bytes: usize,
    /// The memory charged for it until it has ended.
    pub charge: MemoryCharge,
    /// Whether its output becomes events.
    pub follow: Follow,
}

/// An execution that is about to start: its parameters, its input and its work.
pub(crate) struct ExecutionStart {
    pub(crate) id: RunId,
    pub(crate) subject: Subject,
    pub(crate) session: Option<String>,
    pub(crate) language: String,
    pub(crate) profile: Option<String>,
    pub(crate) bytes: usize,
    pub(crate) follow: Follow,
    pub(crate) input: Input,
    pub(crate) stdin: Option<DuplexStream>,
    pub(crate) work: Work,
}

impl NewExecution {
    /// Returns the start of this program under an id, outside of any session.
    pub(crate) fn under(self, id: RunId) -> ExecutionStart {
        let Self {
            request,
            input,
            stdin,
            bytes,
            charge,
            follow,
        } = self;
        ExecutionStart {
            id,
            subject: request.subject.clone(),
            session: None,
            language: request.language.clone(),
            profile: request.profile.clone(),
            bytes,
            follow,
            input,
            stdin,
            work: Work::Program(Box::new(request), charge),
        }
    }
}

/// Filters of a list of executions.
#[derive(Clone, Debug, Default)]
pub struct ExecutionQuery {
    /// Only executions with this status.
    pub status: Option<String>,
    /// Only executions in this language.
    pub language: Option<String>,
    /// Only executions in this session.
    pub session: Option<String>,
    /// Only executions older than this one: its time and its id.
    pub before: Option<(i64, String)>,
    /// Maximum number of executions.
    pub limit: u32,
}

/// An execution that was found.
pub struct Found {
    /// Its current record.
    pub row: Arc<ExecutionRow>,
    /// The execution, if it is active in this process, or has ended recently.
    pub active: Option<Arc<ActiveExecution>>,
}

impl Executions {
    pub(crate) fn new(core: ExecutionCore) -> Self {
        Self(Arc::new(core))
    }

    /// Starts a program outside of any session.
    ///
    /// # Errors
    ///
    /// If the caller lacks the scope, is over a quota, the queue is full, or the service is
    /// shutting down.
    pub fn start(&self, caller: &Caller, new: NewExecution) -> Result<Handle, ServiceError> {
        caller.needs(Scope::Run)?;
        self.begin(new.under(RunId::random()))
    }

    /// Starts an execution.
    ///
    /// # Errors
    ///
    /// If its subject is over a quota, the queue is full, or the service is shutting down.
    pub(crate) fn begin(&self, start: ExecutionStart) -> Result<Handle, ServiceError> {
        let core = &self.0;
        let waiting = core.queue.enter(&start.subject, start.bytes)?;
        let row = ExecutionRow {
            id: start.id.to_string(),
            subject: start.subject.to_string(),
            session: start.session,
            language: start.language,
            profile: start.profile,
            status: if waiting.is_queued() {
                ExecutionState::Queued
            } else {
                ExecutionState::Running
            },
            created_ms: now_ms(),
            ..ExecutionRow::default()
        };
        let log =
            (start.follow == Follow::Events).then(|| EventLog::of(&core.memory, &start.subject));
        let active = Arc::new(ActiveExecution {
            id: start.id,
            subject: start.subject,
            row: Mutex::new(Arc::new(row)),
            log,
            stop: CancellationToken::new(),
            done: CancellationToken::new(),
            failure: Mutex::default(),
            spent: Arc::default(),
            stdin: Mutex::new(start.stdin),
            memory: Mutex::default(),
        });
        core.registry.begin(&active, &core.shutdown)?;
        if let Some(log) = &active.log {
            log.status(active.state());
        }
        let span = tracing::debug_span!("execution", id = %active.id, language = active.row().language.as_str(), status = tracing::field::Empty);
        let run = run::drive(
            Arc::clone(core),
            Arc::clone(&active),
            start.input,
            start.work,
            waiting,
        )
        .instrument(span);
        Ok(Handle::new(active, Box::pin(run)))
    }

    /// Finds an execution of the caller.
    ///
    /// # Errors
    ///
    /// If there is none with this id, or the database cannot be read.
    pub async fn find(&self, caller: &Caller, id: &str) -> Result<Found, ServiceError> {
        // An invalid id is not looked up.
        let id = id
            .parse::<RunId>()
            .map_err(|_| ServiceError::not_found("execution"))?
            .to_string();
        if let Some(active) = self.0.registry.get(&caller.subject, &id) {
            return Ok(Found {
                row: active.row(),
                active: Some(active),
            });
        }
        let subject = caller.subject.as_str();
        let row = self.0.records.execution(subject, &id).await?;
        row.map(|row| Found {
            row: Arc::new(row),
            active: None,
        })
        .ok_or_else(|| ServiceError::not_found("execution"))
    }

    /// Returns executions of the caller, the newest first, without their results.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn list(
        &self,
        caller: &Caller,
        query: ExecutionQuery,
    ) -> Result<Vec<ExecutionRow>, ServiceError> {
        let filter = ExecutionFilter {
            subject: caller.subject.to_string(),
            status: query.status,
            language: query.language,
            session: query.session,
            before: query.before,
            limit: i64::from(query.limit),
        };
        Ok(self.0.records.executions(filter).await?)
    }

    /// Makes sure that a client can find an execution after a crash.
    ///
    /// # Errors
    ///
    /// If the record cannot be written.
    pub async fn store(&self, active: &ActiveExecution) -> Result<(), ServiceError> {
        // Boxed as all that is rare: the future of each request is moved several times.
        let stored = Box::pin(self.0.records.put(active.row())).await;
        stored.map_err(|error| ServiceError::internal(&error))
    }

    /// Cancels an execution of the caller, and waits for its end; returns its record.
    ///
    /// # Errors
    ///
    /// If there is none, or it has already ended.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<Arc<ExecutionRow>, ServiceError> {
        let Found { row, active } = self.find(caller, id).await?;
        match active.filter(|_| !row.has_ended()) {
            Some(active) => Ok(active.cancel_and_wait().await),
            None => Err(ServiceError::new(
                Code::Ended,
                format!("the execution has already ended (`{}`)", row.status),
            )),
        }
    }

    /// Deletes an ended execution of the caller with its record and its artifacts, which frees
    /// their bytes.
    ///
    /// # Errors
    ///
    /// If there is none, or the database cannot be written.
    pub async fn delete(&self, caller: &Caller, id: &str) -> Result<(), ServiceError> {
        let (core, subject, id) = (
            Arc::clone(&self.0),
            caller.subject.to_string(),
            id.to_owned(),
        );
        self.0
            .detached
            .run(
                &caller.subject,
                async move { core.delete(&subject, &id).await },
            )
            .await
    }

    /// Waits until the record of an execution is stored that ended a moment ago.
    pub async fn stored(&self, caller: &Caller, id: &str) {
        if let Some(active) = self.0.registry.get(&caller.subject, id) {
            let _ = active.finished().await;
        }
    }

    /// Reads a range of an artifact; `range` chooses it by the length of the file, and may refuse.
    ///
    /// # Errors
    ///
    /// If there is no such artifact, `range` refuses, or there is no memory for it.
    pub async fn read_artifact<T: Send + 'static>(
        &self,
        caller: &Caller,
        (id, path): (&str, &str),
        range: impl FnOnce(usize) -> Result<(T, Range<usize>), ServiceError> + Send + 'static,
    ) -> Result<(T, Bytes), ServiceError> {
        let missing = || ServiceError::not_found("artifact");
        // Only its id: the record may be large.
        let id = self.find(caller, id).await?.row.id.clone();
        if path.contains('\0') {
            return Err(missing());
        }
        let sha256 = self.0.records.artifact(&id, path).await?;
        let sha256 = sha256.ok_or_else(missing)?;
        let (core, subject) = (Arc::clone(&self.0), caller.subject.clone());
        let read = move || -> Result<_, ServiceError> {
            let content: Content = core.contents.blobs.open(&sha256).map_err(|_| missing())?;
            let (chosen, range) = range(content.bytes())?;
            let charge = core.memory.take(&subject, range.len())?;
            let content = content.read(range).map_err(|_| missing())?;
            Ok((chosen, charge.with(content)))
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|error| ServiceError::internal(&error))?
    }

    /// Returns the events of an execution of which only the end is known.
    #[must_use]
    pub fn ended_events(&self, subject: &Subject, row: &ExecutionRow) -> Arc<EventLog> {
        let log = EventLog::of(&self.0.memory, subject);
        log.end(row);
        log
    }

    /// Returns the executions of this process that have not ended.
    pub(crate) fn unfinished(&self) -> Vec<Arc<ActiveExecution>> {
        self.0.registry.unfinished()
    }

    /// Evicts the events of an ended execution, to free their memory; returns whether there was
    /// one.
    pub(crate) fn evict(&self, wanted: Wanted<'_>) -> bool {
        self.0.registry.evict(&self.0.memory, wanted)
    }

    /// Drops events that are too old.
    pub(crate) fn forget(&self) {
        self.0.registry.forget();
    }

    pub(crate) fn downgrade(&self) -> std::sync::Weak<ExecutionCore> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &std::sync::Weak<ExecutionCore>) -> Option<Self> {
        weak.upgrade().map(Self)
    }
}
