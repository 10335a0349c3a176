//! Rate limit of package downloads: how much may one subject cause to be fetched?
//!
//! Fetched packages are shared by all tenants, so only the subject that caused a download is
//! charged. A subject over its share waits until the sliding window has moved on; the others are
//! not affected.

use glovebox::Error;
use glovebox_policy::{Denial, Policy, Quota, QuotaSettings, Subject};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The sliding window.
const WINDOW: Duration = Duration::from_secs(3600);

/// Resolutions and sets that one subject may cause within an hour by default.
pub const STEPS: usize = 600;

/// The setting of a service that bounds the bytes of a subject.
const SETTING: &str = "limits.packages_per_subject";

/// The share of one subject in that window, where the policy sets no quota of bytes.
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
#[derive(Debug)]
pub(crate) struct Ledger {
    steps: usize,
    policy: Policy,
    settings: QuotaSettings,
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

    /// Returns the time until the oldest step leaves the window.
    fn wait(&self, now: Instant) -> Duration {
        self.steps.front().map_or(WINDOW, |(when, _)| {
            WINDOW.saturating_sub(now.duration_since(*when))
        })
    }
}

impl Ledger {
    pub(crate) fn new(share: Share, policy: Policy) -> Self {
        Self {
            steps: share.steps,
            policy,
            settings: QuotaSettings::default().with(Quota::PackagesPerHour, share.bytes, SETTING),
            spent: Mutex::default(),
        }
    }

    /// Checks whether a subject may have `more` bytes after those that it has had.
    fn check(&self, subject: &Subject, spent: &Spent, more: u64) -> Result<(), Denial> {
        self.policy.quotas(subject).or(&self.settings).check(
            Quota::PackagesPerHour,
            spent.bytes,
            more,
        )
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
        if let Err(denial) = self.check(subject, spent, 1) {
            return Err(over_quota((subject, &denial), spent, now));
        }
        if spent.steps.len() >= self.steps {
            return Err(self.too_many_steps(subject, spent, now));
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
        self.check(subject, spent, 0)
            .map_err(|denial| over_quota((subject, &denial), spent, now))
    }

    fn too_many_steps(&self, subject: &Subject, spent: &Spent, now: Instant) -> Error {
        Error::packages(format!(
            "`{subject}` has caused {} sets of packages to be looked up or fetched within an hour, and may cause {}; \
             packages that are there already can be used, and more can be had in {} s",
            spent.steps.len(),
            self.steps,
            spent.wait(now).as_secs() + 1
        ))
    }
}

fn over_quota((subject, denial): (&Subject, &Denial), spent: &Spent, now: Instant) -> Error {
    let Denial { rule, reason, .. } = denial;
    Error::packages(format!(
        "`{subject}` has caused {} MiB of packages to be fetched and unpacked within an hour, and may cause no more: {reason} (`{rule}`); \
         packages that are there already can be used, and more can be had in {} s",
        spent.bytes >> 20,
        spent.wait(now).as_secs() + 1
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subject_that_fetched_too_much_waits_and_others_do_not() {
        let share = Share {
            steps: 3,
            bytes: 1000,
        };
        let ledger = Ledger::new(share, Policy::builtin());
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

    #[test]
    fn quota_of_the_policy_takes_precedence_for_its_subject() {
        let policy = "version = 1\n[[bindings]]\nsubject = \"a\"\nprofiles = [\"offline\"]\nquotas = { packages_per_hour = \"2KiB\" }\n";
        let share = Share {
            steps: 3,
            bytes: 1000,
        };
        let ledger = Ledger::new(share, Policy::check(policy).unwrap());
        let [a, b] = ["a", "b"].map(|name| Subject::new(name).unwrap());
        ledger.charge(&a, 2048).unwrap();
        for (subject, rule) in [
            (&a, "`bindings.\"a\".quotas.packages_per_hour`"),
            (&b, "`limits.packages_per_subject`"),
        ] {
            let refused = ledger.charge(subject, 1001).unwrap_err().to_string();
            assert!(refused.contains(rule), "{refused}");
        }
    }
}
