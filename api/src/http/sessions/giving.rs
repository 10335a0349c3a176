//! Eviction of idle sessions: which one gives way under memory pressure, and how does its client learn of it?

use super::{Entry, kept_end, lock, over};
use crate::http::App;
use crate::http::keys::Caller;
use crate::http::memory::Wanted;
use crate::http::problem::{Code, Problem};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use glovebox::policy::Subject;
use std::cmp::Reverse;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// Evicted sessions that are remembered.
const MOST: usize = 1000;

/// Evicted sessions, so that a later request for one gets the reason.
#[derive(Default)]
pub(super) struct Gone(Mutex<VecDeque<(Subject, String)>>);

impl Gone {
    fn remember(&self, entry: &Entry) {
        let mut gone = lock(&self.0);
        if gone.len() >= MOST {
            gone.pop_front();
        }
        gone.push_back((entry.subject.clone(), entry.id.clone()));
    }

    /// Returns the problem of a session that is not there.
    pub(super) fn why(&self, subject: &Subject, id: &str) -> Problem {
        if lock(&self.0)
            .iter()
            .any(|(owner, gone)| gone == id && owner == subject)
        {
            let detail = "the session was ended while it was idle, because its memory was needed (`limits.memory` and `limits.memory_per_subject` of the service); open another one";
            return Problem::new(Code::Ended, detail);
        }
        Problem::not_found("session")
    }
}

/// A session whose next request is being received, if it exists: not idle, so that the memory of a request never costs the session that it is
/// for. Extracted before the body.
pub(in crate::http) struct InUse(Option<Arc<Entry>>);

impl FromRequestParts<Arc<App>> for InUse {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        // Whether the caller may, and what is wrong otherwise, is for the handler to say.
        let (Some(caller), Ok(parameters)) = (
            parts.extensions.get::<Caller>().cloned(),
            RawPathParams::from_request_parts(parts, app).await,
        ) else {
            return Ok(Self(None));
        };
        let id = parameters
            .iter()
            .find(|(name, _)| *name == "id")
            .map(|(_, id)| id);
        let entry = id.and_then(|id| app.sessions.get(&caller.subject, id).ok());
        if let Some(entry) = &entry {
            entry.requests.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Self(entry))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if let Some(entry) = &self.0 {
            entry.requests.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Evicts an idle session to free its memory; returns whether there was one: of the subject that asks, else of the subjects with more than
/// their share, the largest first. Within a subject the order is LRU.
pub(in crate::http) fn give_way(app: &Arc<App>, wanted: Wanted<'_>) -> bool {
    let entries: Vec<_> = lock(&app.sessions.0).values().cloned().collect();
    let may = |entry: Arc<Entry>| {
        if entry.subject == *wanted.subject {
            let used = *lock(&entry.used);
            return Some((Reverse(u64::MAX), used, entry));
        }
        let has = app.memory.of(&entry.subject);
        let used = *lock(&entry.used);
        (has > wanted.share?).then_some((Reverse(has), used, entry))
    };
    let mut candidates: Vec<_> = entries.into_iter().filter_map(may).collect();
    candidates.sort_by_key(|(has, used, _)| (*has, *used));
    for (_, _, entry) in candidates {
        let Ok(guard) = Arc::clone(&entry.session).try_lock_owned() else {
            continue;
        };
        if guard.is_none() || entry.requests.load(Ordering::Relaxed) > 0 {
            continue;
        }
        app.sessions.2.remember(&entry);
        tracing::info!(
            session = entry.id,
            subject = entry.subject.as_str(),
            "an idle session ends, because memory is needed"
        );
        over(app, &entry, guard);
        let app = Arc::clone(app);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { kept_end(&app, &entry, "memory").await });
        }
        return true;
    }
    false
}
