//! Active execution: what is known of one while it is queued and runs?

use crate::error::{Code, ServiceError};
use crate::events::EventLog;
use crate::memory::MemoryCharge;
use crate::records::rows::ExecutionRow;
use futures_util::future::BoxFuture;
use glovebox::{CancellationToken, RunId, Usage};
use glovebox_policy::Subject;
use glovebox_wire::execution::ExecutionState;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::io::DuplexStream;

/// An execution of this process.
pub struct ActiveExecution {
    pub(super) id: RunId,
    pub(super) subject: Subject,
    /// Its record. The writer of records and the response share it.
    pub(super) row: Mutex<Arc<ExecutionRow>>,
    /// Its events, if a client may follow it.
    pub(super) log: Option<Arc<EventLog>>,
    pub(super) stop: CancellationToken,
    pub(super) done: CancellationToken,
    /// The reason why there is no outcome.
    pub(super) failure: Mutex<Option<(Code, String)>>,
    /// Usage, if there is no outcome.
    pub(super) spent: Arc<Mutex<Usage>>,
    /// The pipe to its standard input, while no client writes to it.
    pub(super) stdin: Mutex<Option<DuplexStream>>,
    /// The memory charged for its output.
    pub(super) memory: Mutex<MemoryCharge>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ActiveExecution {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// Returns the subject that started it.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns its current record.
    #[must_use]
    pub fn row(&self) -> Arc<ExecutionRow> {
        Arc::clone(&lock(&self.row))
    }

    /// Returns its state.
    #[must_use]
    pub fn state(&self) -> ExecutionState {
        lock(&self.row).status
    }

    /// Returns its events, if a client may follow it.
    #[must_use]
    pub fn events(&self) -> Option<Arc<EventLog>> {
        self.log.clone()
    }

    /// Stops it.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Returns a guard that stops it when it is dropped.
    #[must_use]
    pub fn cancel_on_drop(&self) -> CancelOnDrop {
        CancelOnDrop(Some(self.stop.clone()))
    }

    /// Stops it, and waits for its end; the record that is returned has the reason of a failure.
    pub async fn cancel_and_wait(&self) -> Arc<ExecutionRow> {
        self.cancel();
        let _ = self.finished().await;
        self.row()
    }

    /// Waits until its record is stored.
    ///
    /// # Errors
    ///
    /// If it has no outcome.
    pub async fn finished(&self) -> Result<Arc<ExecutionRow>, ServiceError> {
        self.done.cancelled().await;
        match &*lock(&self.failure) {
            Some((code, detail)) => Err(ServiceError::new(*code, detail.clone())),
            None => Ok(self.row()),
        }
    }

    /// Takes the pipe to its standard input, if it is open and no other client has it.
    #[must_use]
    pub fn take_stdin(&self) -> Option<DuplexStream> {
        lock(&self.stdin).take()
    }

    /// Returns the pipe, for another client.
    pub fn return_stdin(&self, pipe: DuplexStream) {
        *lock(&self.stdin) = Some(pipe);
    }

    pub(super) fn with_row<T>(&self, read: impl FnOnce(&ExecutionRow) -> T) -> T {
        read(&lock(&self.row))
    }

    pub(super) fn update_row(&self, update: impl FnOnce(&mut ExecutionRow)) {
        update(Arc::make_mut(&mut lock(&self.row)));
    }
}

/// Stops an execution when it is dropped, such as when the client that waits for it disconnects.
#[derive(Debug, Default)]
pub struct CancelOnDrop(Option<CancellationToken>);

impl CancelOnDrop {
    /// Leaves the execution alone from here on.
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.cancel();
        }
    }
}

/// An execution that was started. If it is dropped, the execution goes on as a task.
pub struct Handle {
    active: Arc<ActiveExecution>,
    run: Option<BoxFuture<'static, ()>>,
}

impl Handle {
    pub(super) fn new(active: Arc<ActiveExecution>, run: BoxFuture<'static, ()>) -> Self {
        Self {
            active,
            run: Some(run),
        }
    }

    /// Returns the execution.
    #[must_use]
    pub fn active(&self) -> &Arc<ActiveExecution> {
        &self.active
    }

    /// Returns its events, if a client may follow it.
    #[must_use]
    pub fn events(&self) -> Option<Arc<EventLog>> {
        self.active.events()
    }

    /// Stops it.
    pub fn cancel(&self) {
        self.active.cancel();
    }

    /// Drives it to its end.
    ///
    /// # Errors
    ///
    /// If it has no outcome.
    pub async fn wait(mut self) -> Result<Arc<ExecutionRow>, ServiceError> {
        poll_fn(|context| match &mut self.run {
            Some(run) => run.as_mut().poll(context),
            None => Poll::Ready(()),
        })
        .await;
        self.run = None;
        self.active.finished().await
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let (Some(run), Ok(runtime)) = (self.run.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(run);
        }
    }
}
