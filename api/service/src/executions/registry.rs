//! Registry of executions: which are active, and which have ended recently and can still be
//! followed?

use super::active::ActiveExecution;
use crate::error::ServiceError;
use crate::memory::{Memory, Wanted};
use crate::shutdown::Shutdown;
use glovebox_policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time during which the events of an ended execution can be followed.
const CACHE_TTL: Duration = Duration::from_secs(300);

/// Maximum bytes of events of ended executions that are cached.
const CACHED_BYTES: usize = 64 << 20;

/// The active executions of this process, and those that ended recently and can still be followed.
#[derive(Default)]
pub(crate) struct Registry {
    active: Mutex<HashMap<String, Arc<ActiveExecution>>>,
    ended: Mutex<Ended>,
}

/// Ended executions, and the bytes of their events.
#[derive(Default)]
struct Ended {
    executions: VecDeque<(Instant, usize, Arc<ActiveExecution>)>,
    bytes: usize,
}

impl Registry {
    pub(super) fn get(&self, subject: &Subject, id: &str) -> Option<Arc<ActiveExecution>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .get(id)
            .filter(|execution| execution.subject == *subject)
            .cloned()
    }

    /// Drops an execution that was deleted.
    pub(super) fn remove(&self, id: &str) {
        self.active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Returns the executions that have not ended.
    pub(super) fn unfinished(&self) -> Vec<Arc<ActiveExecution>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .values()
            .filter(|execution| !execution.done.is_cancelled())
            .cloned()
            .collect()
    }

    /// Registers an execution; refused during shutdown, so that it waits for every execution that
    /// has begun.
    pub(super) fn begin(
        &self,
        execution: &Arc<ActiveExecution>,
        shutdown: &Shutdown,
    ) -> Result<(), ServiceError> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        shutdown.check("the service takes no more executions")?;
        active.insert(execution.id.to_string(), Arc::clone(execution));
        Ok(())
    }

    pub(super) fn end(&self, execution: &Arc<ActiveExecution>) {
        if let Some(log) = &execution.log {
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = log.bytes();
            ended.bytes += bytes;
            ended
                .executions
                .push_back((Instant::now(), bytes, Arc::clone(execution)));
            drop(ended);
            self.forget();
        } else {
            self.active
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&execution.id.to_string());
        }
    }

    /// Evicts the events of an ended execution, to free their memory; returns whether there was
    /// one. Those of the subject that asks go first, else those of one with more than its share.
    pub(super) fn evict(&self, memory: &Memory, wanted: Wanted<'_>) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let may = |execution: &ActiveExecution| {
            execution.subject == *wanted.subject
                || wanted
                    .share
                    .is_some_and(|share| memory.of(&execution.subject) > share)
        };
        // Events that a client still reads free their memory only once they are sent.
        let is_kept_only_here = |execution: &Arc<ActiveExecution>| {
            execution
                .log
                .as_ref()
                .is_some_and(|log| Arc::strong_count(log) == 1)
        };
        let at = ended
            .executions
            .iter()
            .position(|(_, _, execution)| may(execution) && is_kept_only_here(execution));
        let Some((_, bytes, execution)) = at.and_then(|at| ended.executions.remove(at)) else {
            return false;
        };
        ended.bytes -= bytes;
        drop(ended);
        self.remove(&execution.id.to_string());
        true
    }

    /// Drops events that are too old, or exceed [`CACHED_BYTES`].
    pub(super) fn forget(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while ended
            .executions
            .front()
            .is_some_and(|(since, ..)| since.elapsed() > CACHE_TTL || ended.bytes > CACHED_BYTES)
        {
            let Some((_, bytes, execution)) = ended.executions.pop_front() else {
                break;
            };
            ended.bytes -= bytes;
            self.active
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&execution.id.to_string());
        }
    }
}
