//! Registry of executions: which are active, and which have ended recently and can still be followed?

use super::ActiveExecution;
use crate::http::App;
use crate::http::memory::{Memory, Wanted};
use crate::http::problem::Problem;
use glovebox::policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time during which the events of an ended execution can be followed.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Maximum bytes of events of ended executions that are cached.
const REMEMBERED_BYTES: usize = 64 << 20;

/// The active executions of this process, and those that ended recently and can still be followed.
#[derive(Default)]
pub(in crate::http) struct ExecutionRegistry {
    active: Mutex<HashMap<String, Arc<ActiveExecution>>>,
    ended: Mutex<Ended>,
}

/// Ended executions, and the bytes of their events.
#[derive(Default)]
struct Ended {
    executions: VecDeque<(Instant, usize, Arc<ActiveExecution>)>,
    bytes: usize,
}

impl ExecutionRegistry {
    pub(in crate::http) fn get(&self, subject: &Subject, id: &str) -> Option<Arc<ActiveExecution>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .get(id)
            .filter(|live| live.subject == *subject)
            .cloned()
    }

    /// Drops an execution that was deleted.
    pub(in crate::http) fn remove(&self, id: &str) {
        self.active
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Returns the executions that have not ended.
    pub(in crate::http) fn unfinished(&self) -> Vec<Arc<ActiveExecution>> {
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        active
            .values()
            .filter(|live| !live.done.is_cancelled())
            .cloned()
            .collect()
    }

    /// Registers an execution; refused during shutdown, so that it waits for every execution that has begun.
    pub(in crate::http) fn begin(
        &self,
        live: &Arc<ActiveExecution>,
        app: &App,
    ) -> Result<(), Problem> {
        let mut active = self.active.lock().unwrap_or_else(PoisonError::into_inner);
        app.takes("the service takes no more executions")?;
        active.insert(live.id.to_string(), Arc::clone(live));
        Ok(())
    }

    pub(in crate::http) fn end(&self, live: &Arc<ActiveExecution>) {
        if let Some(log) = &live.log {
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let bytes = log.bytes();
            ended.bytes += bytes;
            ended
                .executions
                .push_back((Instant::now(), bytes, Arc::clone(live)));
            drop(ended);
            self.forget();
        } else {
            self.active
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&live.id.to_string());
        }
    }

    /// Evicts the events of an ended execution, to free their memory; returns whether there was one. Those of the subject that asks go
    /// first, else those of one with more than its share.
    pub(in crate::http) fn give_way(&self, memory: &Memory, wanted: Wanted<'_>) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let may = |live: &ActiveExecution| {
            live.subject == *wanted.subject
                || wanted
                    .share
                    .is_some_and(|share| memory.of(&live.subject) > share)
        };
        // Events that a client still reads free their memory only once they are sent.
        let is_kept_only_here = |live: &Arc<ActiveExecution>| {
            live.log
                .as_ref()
                .is_some_and(|log| Arc::strong_count(log) == 1)
        };
        let at = ended
            .executions
            .iter()
            .position(|(_, _, live)| may(live) && is_kept_only_here(live));
        let Some((_, bytes, live)) = at.and_then(|at| ended.executions.remove(at)) else {
            return false;
        };
        ended.bytes -= bytes;
        drop(ended);
        self.remove(&live.id.to_string());
        true
    }

    /// Drops events that are too old, or exceed [`REMEMBERED_BYTES`].
    pub(in crate::http) fn forget(&self) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while ended.executions.front().is_some_and(|(since, ..)| {
            since.elapsed() > REMEMBERED || ended.bytes > REMEMBERED_BYTES
        }) {
            let Some((_, bytes, live)) = ended.executions.pop_front() else {
                break;
            };
            ended.bytes -= bytes;
            self.active
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&live.id.to_string());
        }
    }
}
