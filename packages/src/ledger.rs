//! How much may one subject cause to be fetched?
//!
//! What is fetched is shared by everybody, so only the one for whom it was fetched pays for it. Who is over its share waits until some of it
//! is longer ago; the others go on.

use glovebox::Error;
use glovebox_policy::Subject;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is remembered.
const WINDOW: Duration = Duration::from_secs(3600);

/// Questions to an index and sets that one subject may cause within an hour, unless somebody says another number.
pub const STEPS: usize = 600;

/// What one subject may cause in that time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    /// Questions that an index is asked, and sets that are made.
    pub(crate) steps: usize,
    /// Bytes that are fetched and unpacked.
    pub(crate) bytes: u64,
}

impl Default for Share {
    fn default() -> Self {
        Self { steps: STEPS, bytes: 8 << 30 }
    }
}

/// What each subject has caused lately.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    share: Share,
    spent: Mutex<HashMap<Subject, VecDeque<(Instant, u64)>>>,
}

impl Ledger {
    pub(crate) fn new(share: Share) -> Self {
        Self { share, spent: Mutex::default() }
    }

    /// Begins something for a subject, if that has not caused too much lately.
    pub(crate) fn begin(&self, subject: &Subject) -> Result<(), Error> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        spent.retain(|_, steps| {
            while steps.front().is_some_and(|(when, _)| now.duration_since(*when) > WINDOW) {
                steps.pop_front();
            }
            !steps.is_empty()
        });
        let steps = spent.entry(subject.clone()).or_default();
        let bytes: u64 = steps.iter().map(|step| step.1).sum();
        if steps.len() >= self.share.steps || bytes >= self.share.bytes {
            let wait = steps.front().map_or(WINDOW, |(when, _)| WINDOW.saturating_sub(now.duration_since(*when)));
            return Err(Error::Packages(format!(
                "`{subject}` has caused {} sets of packages to be looked up or fetched within an hour, {} MiB in all, and may cause {} and {} MiB; \
                 packages that are there already can be used, and more can be had in {} s",
                steps.len(),
                bytes >> 20,
                self.share.steps,
                self.share.bytes >> 20,
                wait.as_secs() + 1
            )));
        }
        steps.push_back((now, 0));
        Ok(())
    }

    /// Notes bytes that were fetched or unpacked for a subject.
    pub(crate) fn charge(&self, subject: &Subject, bytes: u64) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(step) = spent.get_mut(subject).and_then(VecDeque::back_mut) {
            step.1 = step.1.saturating_add(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fetched_too_much_waits_and_the_others_do_not() {
        let ledger = Ledger::new(Share { steps: 3, bytes: 1000 });
        let [a, b, c] = ["a", "b", "c"].map(|name| Subject::new(name).unwrap());
        for _ in 0..3 {
            ledger.begin(&a).unwrap();
        }
        assert!(ledger.begin(&a).unwrap_err().to_string().contains("may cause 3"));
        ledger.begin(&b).unwrap();
        ledger.charge(&b, 1000);
        assert!(ledger.begin(&b).is_err());
        ledger.begin(&c).unwrap();
    }
}
