//! Rate limit of package downloads: how much may one subject cause to be fetched?
//!
//! Fetched packages are shared by all tenants, so only the subject that caused a download is
//! charged. A subject over its share waits until the sliding window has moved on; the others are
//! not affected.

use glovebox::Error;
use glovebox_policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The sliding window.
const WINDOW: Duration = Duration::from_secs(3600);

/// Resolutions and sets that one subject may cause within an hour by default.
pub const STEPS: usize = 600;

/// The share of one subject in that window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// Resolutions, and sets that are made.
    pub(crate) steps: usize,
    /// Bytes that are downloaded and unpacked.
    pub(crate) bytes: u64,
}

impl Default for Share {
    fn default() -> Self {
        Self {
            steps: STEPS,
            bytes: 8 << 30,
        }
    }
}

/// The recent work of each subject.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    share: Share,
    spent: Mutex<HashMap<Subject, Spent>>,
}

/// The recent work of one subject.
#[derive(Debug, Default)]
struct Spent {
    steps: VecDeque<(Instant, u64)>,
    /// The bytes of all these steps.
    bytes: u64,
}

impl Spent {
    fn forget(&mut self, now: Instant) {
        while let Some((_, bytes)) = self
            .steps
            .pop_front_if(|(when, _)| now.duration_since(*when) > WINDOW)
        {
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }
}

impl Ledger {
    pub(crate) fn new(share: Share) -> Self {
        Self {
            share,
            spent: Mutex::default(),
        }
    }

    /// Counts a step of a subject, unless it is over its share.
    pub(crate) fn begin(&self, subject: &Subject) -> Result<(), Error> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        spent.retain(|_, spent| {
            spent.forget(now);
            !spent.steps.is_empty()
        });
        let spent = spent.entry(subject.clone()).or_default();
        if spent.steps.len() >= self.share.steps || spent.bytes >= self.share.bytes {
            return Err(self.refused(subject, spent, now));
        }
        spent.steps.push_back((now, 0));
        Ok(())
    }

    /// Charges bytes that are downloaded or written for a subject, whether they are kept or not.
    ///
    /// # Errors
    ///
    /// If the subject is over its share.
    pub(crate) fn charge(&self, subject: &Subject, bytes: u64) -> Result<(), Error> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let spent = spent.entry(subject.clone()).or_default();
        spent.forget(now);
        match spent.steps.back_mut() {
            Some(step) => step.1 = step.1.saturating_add(bytes),
            None => spent.steps.push_back((now, bytes)),
        }
        spent.bytes = spent.bytes.saturating_add(bytes);
        if spent.bytes > self.share.bytes {
            Err(self.refused(subject, spent, now))
        } else {
            Ok(())
        }
    }

    fn refused(&self, subject: &Subject, spent: &Spent, now: Instant) -> Error {
        let wait = spent.steps.front().map_or(WINDOW, |(when, _)| {
            WINDOW.saturating_sub(now.duration_since(*when))
        });
        Error::packages(format!(
            "`{subject}` has caused {} sets of packages to be looked up or fetched within an hour, {} MiB in all, and may cause {} and {} MiB; \
             packages that are there already can be used, and more can be had in {} s",
            spent.steps.len(),
            spent.bytes >> 20,
            self.share.steps,
            self.share.bytes >> 20,
            wait.as_secs() + 1
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_that_fetched_too_much_waits_and_others_do_not() {
        let ledger = Ledger::new(Share {
            steps: 3,
            bytes: 1000,
        });
        let [a, b, c] = ["a", "b", "c"].map(|name| Subject::new(name).unwrap());
        for _ in 0..3 {
            ledger.begin(&a).unwrap();
        }
        assert!(
            ledger
                .begin(&a)
                .unwrap_err()
                .to_string()
                .contains("may cause 3")
        );
        ledger.begin(&b).unwrap();
        ledger.charge(&b, 1000).unwrap();
        assert!(ledger.begin(&b).is_err());
        ledger.begin(&c).unwrap();
        ledger.charge(&c, 999).unwrap();
        assert!(
            ledger
                .charge(&c, 2)
                .unwrap_err()
                .to_string()
                .contains("may cause")
        );
        assert!(ledger.charge(&c, u64::MAX).is_err() && ledger.begin(&c).is_err());
    }
}
