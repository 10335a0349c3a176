//! Eviction of idle sessions: which one gives way under memory pressure, and how does its client
//! learn of it?

use super::open_session::{OpenSession, lock};
use super::{SessionCore, Sessions};
use crate::error::{Code, ServiceError};
use crate::memory::Wanted;
use glovebox_policy::Subject;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Evicted sessions that are remembered.
const MAX_REMEMBERED: usize = 1000;

/// Evicted sessions, so that a later request for one gets the reason.
#[derive(Default)]
pub(crate) struct Evicted(Mutex<VecDeque<(Subject, String)>>);

impl Evicted {
    fn remember(&self, session: &OpenSession) {
        let mut gone = lock(&self.0);
        if gone.len() >= MAX_REMEMBERED {
            gone.pop_front();
        }
        gone.push_back((session.subject.clone(), session.id.clone()));
    }

    /// Returns the error of a session that is not there.
    pub(super) fn missing(&self, subject: &Subject, id: &str) -> ServiceError {
        if lock(&self.0)
            .iter()
            .any(|(owner, gone)| gone == id && owner == subject)
        {
            let detail = "the session was ended while it was idle, because its memory was needed (`limits.memory` and `limits.memory_per_subject` of the service); open another one";
            return ServiceError::new(Code::Ended, detail);
        }
        ServiceError::not_found("session")
    }
}

impl Sessions {
    /// Evicts an idle session to free its memory; returns whether that freed any: of the subject
    /// that asks, else of the subjects with more than their share, the largest first. Within a
    /// subject the order is LRU.
    pub(crate) fn evict(&self, wanted: Wanted<'_>) -> bool {
        let core = &self.0;
        let ranked = |session: Arc<OpenSession>| {
            if session.subject == *wanted.subject {
                return Some((Reverse(u64::MAX), session.used(), session));
            }
            let has = core.memory.of(&session.subject);
            (has > wanted.share?).then(|| (Reverse(has), session.used(), session))
        };
        let mut candidates: Vec<_> = core.all().into_iter().filter_map(ranked).collect();
        candidates.sort_by_key(|(has, used, _)| (*has, *used));
        for (_, _, session) in candidates {
            let subject = session.subject.clone();
            let before = core.memory.of(&subject);
            if SessionCore::try_evict(core, session) {
                // The memory of a container is released when the container is gone. Until then the
                // caller is refused, and no other session gives way for the same bytes.
                return core.memory.of(&subject) < before;
            }
        }
        false
    }
}

impl SessionCore {
    /// Ends a session, unless it is in use.
    fn try_evict(core: &Arc<Self>, session: Arc<OpenSession>) -> bool {
        let Some(guard) = session.try_lock_guest() else {
            return false;
        };
        if guard.is_none() || session.is_awaited() {
            return false;
        }
        core.evicted.remember(&session);
        tracing::info!(
            session = session.id,
            subject = session.subject.as_str(),
            "an idle session ends, because memory is needed"
        );
        core.close(&session, guard);
        let core = Arc::clone(core);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { core.store_end(&session, "memory").await });
        }
        true
    }
}
