//! Quota of the audit log: how many bytes of it has each subject written?
//!
//! A record is never omitted and never removed before its time, so the log is bounded by refusing
//! new work of the subjects that have written the most of it. What each subject has written is in
//! the database too, by day for as long as the log keeps it and by hour for the hourly quota, so
//! that it survives a restart. The size of the log is that of its files: segments that an operator
//! has moved away no longer count.

use super::fair_level;
use crate::records::{Audited, HOUR_MS};
use std::collections::HashMap;
use std::time::Duration;

/// Bytes in the audit log by subject.
#[derive(Debug, Default)]
pub(super) struct Audit {
    /// The start of the current hour.
    hour_ms: i64,
    in_hour: HashMap<String, u64>,
    /// Bytes of each subject that the log still holds, and their sum.
    held: HashMap<String, u64>,
    all: u64,
    /// Size of its files in bytes.
    on_disk: u64,
    /// Bytes that are not in the database yet.
    untold: HashMap<String, u64>,
    /// Cached fair level for a log of so many bytes, valid until something is written: every new
    /// execution needs it.
    level: Option<(u64, u64)>,
}

fn sum(of: &HashMap<String, u64>) -> u64 {
    of.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

fn add(to: &mut HashMap<String, u64>, more: &HashMap<String, u64>) {
    for (subject, bytes) in more {
        match to.get_mut(subject) {
            Some(sum) => *sum = sum.saturating_add(*bytes),
            None => drop(to.insert(subject.clone(), *bytes)),
        }
    }
}

impl Audit {
    /// Counts what was written since the last call.
    pub(super) fn written(&mut self, written: &HashMap<String, u64>, now_ms: i64) {
        let hour_ms = now_ms - now_ms.rem_euclid(HOUR_MS);
        if hour_ms != self.hour_ms {
            self.hour_ms = hour_ms;
            self.in_hour.clear();
        }
        for sums in [&mut self.in_hour, &mut self.held, &mut self.untold] {
            add(sums, written);
        }
        if !written.is_empty() {
            let bytes = sum(written);
            self.on_disk = self.on_disk.saturating_add(bytes);
            self.all = self.all.saturating_add(bytes);
            self.level = None;
        }
    }

    /// Takes what the database has yet to store.
    pub(super) fn take_untold(&mut self) -> HashMap<String, u64> {
        std::mem::take(&mut self.untold)
    }

    /// Puts it back for the next time, because the database could not be updated.
    pub(super) fn tell_again(&mut self, untold: &HashMap<String, u64>) {
        add(&mut self.untold, untold);
    }

    /// Resets the account from the database and the size of the files.
    pub(super) fn is(&mut self, found: Audited, on_disk: u64) {
        self.held = found.held;
        add(&mut self.held, &self.untold);
        self.all = sum(&self.held);
        self.level = None;
        if self.hour_ms < found.hour_ms {
            self.hour_ms = found.hour_ms;
            self.in_hour = found.in_hour;
        }
        self.on_disk = on_disk;
    }

    /// Returns what a subject has written within the hour.
    pub(super) fn in_hour(&self, subject: &str) -> u64 {
        self.in_hour.get(subject).copied().unwrap_or(0)
    }

    /// Returns the rest of the hour.
    pub(super) fn rest_of_hour(&self, now_ms: i64) -> Duration {
        let end_ms = self.hour_ms.saturating_add(HOUR_MS);
        Duration::from_millis(u64::try_from(end_ms.saturating_sub(now_ms)).unwrap_or(0))
            .max(Duration::from_secs(1))
    }

    /// Returns the size of the log in bytes.
    pub(super) fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// Scales written bytes to the log as it is on disk: it is unknown which subjects wrote the
    /// files that an operator has moved away.
    fn share(&self, bytes: u64) -> u64 {
        if self.all <= self.on_disk {
            return bytes;
        }
        u64::try_from(u128::from(bytes) * u128::from(self.on_disk) / u128::from(self.all))
            .unwrap_or(u64::MAX)
    }

    /// Returns the share of each subject in the log as it is on disk.
    pub(super) fn shares(&self) -> impl Iterator<Item = (&str, u64)> {
        self.held
            .iter()
            .map(|(subject, bytes)| (subject.as_str(), self.share(*bytes)))
    }

    /// Returns the share of a subject in a log of more than `most` bytes, if it is among the
    /// largest.
    pub(super) fn is_too_much(&mut self, subject: &str, most: u64) -> Option<u64> {
        if self.on_disk < most {
            return None;
        }
        let own = self.share(self.held.get(subject).copied().unwrap_or(0));
        // A subject with next to nothing is not why the log is large.
        (own > most / 256 && own >= self.level(most)).then_some(own)
    }

    fn level(&mut self, most: u64) -> u64 {
        if let Some((_, level)) = self.level.filter(|(of, _)| *of == most) {
            return level;
        }
        // Bytes of unknown origin count as one more subject.
        let nobodys = self.on_disk.saturating_sub(self.all);
        let amounts: Vec<u64> = self
            .shares()
            .map(|(_, bytes)| bytes)
            .chain([nobodys])
            .collect();
        let level = fair_level(&amounts, most.saturating_sub(1));
        self.level = Some((most, level));
        level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(of: &[(&str, u64)]) -> HashMap<String, u64> {
        of.iter()
            .map(|(subject, bytes)| ((*subject).to_owned(), *bytes))
            .collect()
    }

    /// Returns the bytes of each subject, and those of unknown origin.
    fn shares(audit: &Audit) -> (HashMap<String, u64>, u64) {
        (
            audit
                .shares()
                .map(|(subject, bytes)| (subject.to_owned(), bytes))
                .collect(),
            audit.on_disk.saturating_sub(audit.all),
        )
    }

    #[test]
    fn an_hour_is_counted_by_itself_and_the_log_as_a_whole() {
        let mut audit = Audit::default();
        audit.written(&sums(&[("a", 60)]), 10);
        audit.written(&sums(&[("a", 60), ("b", 1)]), HOUR_MS - 1);
        assert_eq!(
            (audit.in_hour("a"), audit.rest_of_hour(HOUR_MS - 10_000)),
            (120, Duration::from_secs(10))
        );
        audit.written(&sums(&[("b", 5)]), HOUR_MS);
        assert_eq!(
            (audit.in_hour("a"), audit.in_hour("b"), audit.on_disk()),
            (0, 5, 126)
        );
        assert_eq!(shares(&audit), (sums(&[("a", 120), ("b", 6)]), 0));
        // After a restart, the account goes on from the database.
        let untold = audit.take_untold();
        assert_eq!(
            (untold, audit.take_untold()),
            (sums(&[("a", 120), ("b", 6)]), HashMap::new())
        );
        let mut again = Audit::default();
        again.is(
            Audited {
                hour_ms: HOUR_MS,
                in_hour: sums(&[("b", 5)]),
                held: sums(&[("a", 120), ("b", 6)]),
            },
            130,
        );
        assert_eq!(
            (again.in_hour("b"), shares(&again)),
            (5, (sums(&[("a", 120), ("b", 6)]), 4))
        );
    }

    #[test]
    fn a_log_that_is_too_large_is_kept_from_those_who_have_the_most_of_it() {
        let held = sums(&[("a", 700), ("b", 290), ("c", 10)]);
        let audit = |on_disk| Audit {
            held: held.clone(),
            all: 1000,
            on_disk,
            ..Audit::default()
        };
        let refused = |audit: &mut Audit, most| {
            ["a", "b", "c", "new"].map(|subject| audit.is_too_much(subject, most).is_some())
        };
        assert_eq!(refused(&mut audit(1000), 1001), [false; 4]);
        assert_eq!(refused(&mut audit(1000), 1000), [true, false, false, false]);
        assert_eq!(refused(&mut audit(1000), 500), [true, true, false, false]);
        // Bytes from before the accounting count as one more subject.
        assert_eq!(refused(&mut audit(3000), 1000), [true, false, false, false]);
        // Files that were moved away do not count.
        assert_eq!(refused(&mut audit(100), 1000), [false; 4]);
        assert_eq!(
            shares(&audit(100)),
            (sums(&[("a", 70), ("b", 29), ("c", 1)]), 0)
        );
        assert_eq!(refused(&mut audit(100), 100), [true, false, false, false]);
        // As others write, their turn comes.
        let mut audit = audit(1000);
        assert_eq!(refused(&mut audit, 1000), [true, false, false, false]);
        audit.written(&sums(&[("b", 300), ("c", 200)]), 0);
        assert_eq!(refused(&mut audit, 1000), [true, true, false, false]);
    }
}
