//! Refusals by quotas: which of them are in the audit log?
//!
//! A client that is refused may ask again at once, so not every refusal has a record: after one,
//! the further refusals of the same subject by the same rule are counted for a minute, and the next
//! record has their number. Each record counts for the subject's hourly quota of the audit log; a
//! subject that has used it up has one record in an hour.

use crate::quotas::Quotas;
use glovebox::Sandbox;
use glovebox_policy::{Denial, Subject};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time after a record during which refusals are only counted.
const PAUSE: Duration = Duration::from_secs(60);

/// The same for a subject over its quota of the audit log.
const PAUSE_OVER_QUOTA: Duration = Duration::from_secs(3600);

/// Subjects and rules that are counted at once; protects the memory of this process. Further ones
/// have no record until others have been quiet for [`PAUSE`].
const MAX_COUNTED: usize = 10_000;

/// The recent refusals of all subjects.
pub struct Refusals {
    sandbox: Sandbox,
    quotas: Arc<Quotas>,
    recent: Mutex<RecentRefusals>,
}

/// The refusals by subject and rule.
#[derive(Default)]
struct RecentRefusals(HashMap<(Subject, String), RefusalCount>);

struct RefusalCount {
    /// The time of the last record.
    recorded: Instant,
    /// Refusals since then.
    since: u64,
}

impl Refusals {
    pub(crate) fn new(sandbox: Sandbox, quotas: Arc<Quotas>) -> Self {
        Self {
            sandbox,
            quotas,
            recent: Mutex::default(),
        }
    }

    /// Counts a request that was refused because of a quota, and records it if it is time.
    pub fn note(&self, subject: &Subject, denial: &Denial) {
        let pause = if self.quotas.has_room_in_audit_log(subject) {
            PAUSE
        } else {
            PAUSE_OVER_QUOTA
        };
        let times = self
            .recent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .count((subject, &denial.rule), pause, Instant::now());
        // The client is refused in any case, so a log that takes nothing more changes nothing.
        if let Some(times) = times
            && let Err(error) = self.sandbox.record_refusals(subject, denial, times)
        {
            tracing::error!(%subject, %error, "a refusal could not be recorded in the audit log");
        }
    }
}

impl RecentRefusals {
    /// Counts a refusal; returns the number that a record is to have, or `None` if it is not yet
    /// time for one.
    fn count(
        &mut self,
        (subject, rule): (&Subject, &str),
        pause: Duration,
        now: Instant,
    ) -> Option<u64> {
        let key = (subject.clone(), rule.to_owned());
        if let Some(count) = self.0.get_mut(&key) {
            if now.duration_since(count.recorded) < pause {
                count.since = count.since.saturating_add(1);
                return None;
            }
            count.recorded = now;
            return Some(std::mem::take(&mut count.since).saturating_add(1));
        }
        if self.0.len() >= MAX_COUNTED {
            self.0
                .retain(|_, count| now.duration_since(count.recorded) < PAUSE);
        }
        if self.0.len() >= MAX_COUNTED {
            return None;
        }
        let first = RefusalCount {
            recorded: now,
            since: 0,
        };
        self.0.insert(key, first);
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    #[test]
    fn refusals_of_a_flood_are_counted_and_not_recorded_one_by_one() {
        let mut recent = RecentRefusals::default();
        let start = Instant::now();
        let mut count = |name: &str, rule: &str, pause, seconds| {
            let now = start + Duration::from_secs(seconds);
            recent.count((&subject(name), rule), pause, now)
        };
        assert_eq!(count("a", "quotas.queued", PAUSE, 0), Some(1));
        for _ in 0..1000 {
            assert_eq!(count("a", "quotas.queued", PAUSE, 59), None);
        }
        assert_eq!(count("a", "quotas.sessions", PAUSE, 59), Some(1));
        assert_eq!(count("b", "quotas.queued", PAUSE, 59), Some(1));
        assert_eq!(count("a", "quotas.queued", PAUSE, 60), Some(1001));
        assert_eq!(count("a", "quotas.queued", PAUSE_OVER_QUOTA, 3600), None);
        assert_eq!(count("a", "quotas.queued", PAUSE_OVER_QUOTA, 3660), Some(2));
    }

    #[test]
    fn subjects_that_are_counted_are_bounded_and_make_room_when_they_are_quiet() {
        let mut recent = RecentRefusals::default();
        let start = Instant::now();
        for number in 0..MAX_COUNTED {
            let name = format!("a-{number}");
            let first = recent.count((&subject(&name), "quotas.queued"), PAUSE, start);
            assert_eq!(first, Some(1));
        }
        let mut count = |seconds| {
            let now = start + Duration::from_secs(seconds);
            recent.count((&subject("b"), "quotas.queued"), PAUSE, now)
        };
        assert_eq!((count(1), count(60)), (None, Some(1)));
        assert_eq!(recent.0.len(), 1);
    }
}
