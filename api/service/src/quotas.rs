//! Storage quotas: how many bytes does each subject keep, and how many may it?
//!
//! Records, artifacts, plans and sessions count against the subject that they belong to, in the
//! database (column `bytes`) and here. An artifact whose content is stored once for several
//! subjects counts for each of them. A subject over its quota starts nothing new until it deletes
//! something or retention does; other subjects are unaffected. Where all subjects together exceed
//! the total quota, the largest ones are refused first (max-min fairness). Where the [`disk`]
//! itself is nearly full, only small records are kept, for all subjects; where its reserve is half
//! used up, the subjects that keep the most, or have the largest share of the [`audit`] log, start
//! nothing new. The subjects with the largest share of an audit log that is too large start nothing
//! new either.
//!
//! What is about to be written has a [`Reservation`], which is released on drop unless it is
//! committed with [`Reservation::keep`].

mod audit;
mod disk;

use crate::config::ServiceLimits;
use crate::error::{Code, ServiceError};
use crate::records::{Audited, now_ms};
use crate::subject_quotas::SubjectQuotas;
use audit::Audit;
pub(crate) use disk::Disk;
use disk::DiskSpace;
use glovebox_policy::{Denial, Quota, Subject};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of an artifact's row besides its path.
const ARTIFACT_ROW: u64 = 600;

/// Bytes of output that are kept if there is no room for more.
pub(crate) const SMALL_OUTPUT: usize = 4 << 10;

/// Bytes up to which a record is always kept whole.
const LARGE_RESULT: usize = 64 << 10;

/// The same if the disk is nearly full: the record of outputs of [`SMALL_OUTPUT`].
const SMALL_RESULT: usize = 4 * SMALL_OUTPUT;

/// The advice to a subject that keeps too much.
const FREE: &str = "`DELETE` what has ended, or wait for `retention.executions`";

/// The quotas of all subjects together, in bytes.
#[derive(Clone, Copy, Debug)]
struct TotalQuotas {
    kept: u64,
    /// Of the whole audit log.
    audit: u64,
}

#[derive(Debug)]
struct QuotaState {
    by_subject: HashMap<String, u64>,
    all: u64,
    disk: Disk,
    audit: Audit,
}

/// The account of stored bytes by subject.
#[derive(Debug)]
pub struct Quotas {
    total: TotalQuotas,
    of_subjects: Arc<SubjectQuotas>,
    state: Mutex<QuotaState>,
}

/// The bytes that are stored already when a service starts.
#[derive(Debug, Default)]
pub(crate) struct StoredBytes {
    /// In the database, by subject.
    pub(crate) kept: Vec<(String, i64)>,
    /// Written to the audit log, by subject.
    pub(crate) audited: Audited,
    /// Size of the audit log's files.
    pub(crate) audit_on_disk: u64,
}

/// The reason why something is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotKept {
    /// The quota of the subject, or of all subjects together.
    Quota,
    /// The disk is nearly full.
    Disk,
}

impl NotKept {
    /// Returns its name in the record of an execution.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Disk => "disk",
        }
    }
}

/// A reservation for something that is about to be written: bytes of its subject's account, and
/// disk space. It is released on drop, so that nothing stays reserved for what was never written,
/// also if the writing task is cancelled.
#[derive(Debug)]
pub(crate) struct Reservation {
    kept: Arc<Quotas>,
    subject: Subject,
    bytes: u64,
    space: DiskSpace,
}

impl Reservation {
    /// Returns the bytes reserved.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Reserves bytes for something large, in `files` new files, if there is room.
    ///
    /// # Errors
    ///
    /// The reason why there is none.
    pub(crate) fn try_take(&mut self, bytes: u64, files: u64) -> Result<(), NotKept> {
        let space = DiskSpace::of(bytes, files);
        self.kept.try_take(&self.subject, bytes, space)?;
        self.bytes = self.bytes.saturating_add(bytes);
        self.space += space;
        Ok(())
    }

    /// Reserves bytes for something small that is kept in any case.
    pub(crate) fn take(&mut self, bytes: u64) {
        let mut state = self.kept.lock();
        state.disk.note(bytes);
        state.add(self.subject.as_str(), bytes);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Releases what was reserved for something that could not be written.
    pub(crate) fn give_back(&mut self, bytes: u64, files: u64) {
        let (bytes, space) = (bytes.min(self.bytes), DiskSpace::of(bytes, files));
        let mut state = self.kept.lock();
        state.remove(self.subject.as_str(), bytes);
        state.disk.release(space);
        self.bytes -= bytes;
        self.space -= space;
    }

    /// Commits the reservation once everything is written. From here on it counts until
    /// [`Quotas::give_back`].
    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes == 0 && self.space.is_nothing() {
            return;
        }
        let mut state = self.kept.lock();
        state.remove(self.subject.as_str(), self.bytes);
        state.disk.release(self.space);
    }
}

impl Quotas {
    /// Creates an account of what is stored already.
    pub(crate) fn new(
        limits: &ServiceLimits,
        disk: Disk,
        of_subjects: Arc<SubjectQuotas>,
        stored: StoredBytes,
    ) -> Arc<Self> {
        // A share of the file system that leaves room for everything else on it.
        let total = TotalQuotas {
            kept: limits.kept.map_or(disk.whole / 2, |bytes| bytes as u64),
            audit: limits
                .audit
                .map_or((disk.whole / 4).max(1 << 20), |bytes| bytes as u64),
        };
        let by_subject: HashMap<String, u64> = stored
            .kept
            .into_iter()
            .map(|(subject, bytes)| (subject, u64::try_from(bytes).unwrap_or(0)))
            .collect();
        let all = by_subject.values().sum();
        let mut audit = Audit::default();
        audit.is(stored.audited, stored.audit_on_disk);
        Arc::new(Self {
            total,
            of_subjects,
            state: Mutex::new(QuotaState {
                by_subject,
                all,
                disk,
                audit,
            }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, QuotaState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the stored bytes of a subject, and its quota.
    #[must_use]
    pub fn of(&self, subject: &Subject) -> (u64, u64) {
        let most = self.of_subjects.of(subject).get(Quota::Kept);
        let most = most.map_or(self.total.kept, |most| most.min(self.total.kept));
        (self.lock().used(subject.as_str()), most)
    }

    /// Whether a subject may write more to the audit log within this hour.
    pub(crate) fn has_room_in_audit_log(&self, subject: &Subject) -> bool {
        let quotas = self.of_subjects.of(subject);
        let in_hour = self.lock().audit.in_hour(subject.as_str());
        quotas.check(Quota::AuditPerHour, in_hour, 1).is_ok()
    }

    /// Returns the stored bytes of all subjects together.
    pub(crate) fn all(&self) -> u64 {
        self.lock().all
    }

    /// Returns an empty reservation, for what a subject is about to store.
    pub(crate) fn room(self: &Arc<Self>, subject: &Subject) -> Reservation {
        Reservation {
            kept: Arc::clone(self),
            subject: subject.clone(),
            bytes: 0,
            space: DiskSpace::default(),
        }
    }

    /// Returns the bytes of an artifact with its row.
    pub(crate) fn of_artifact(&self, path: &str, content: usize) -> u64 {
        ARTIFACT_ROW + path.len() as u64 + self.lock().disk.of_file(content)
    }

    /// # Errors
    ///
    /// The denial, if a subject keeps so much that bytes more are over its quota.
    pub(crate) fn check_kept(&self, subject: &Subject, bytes: u64) -> Result<(), Denial> {
        let used = self.lock().used(subject.as_str());
        self.of_subjects.of(subject).check(Quota::Kept, used, bytes)
    }

    /// # Errors
    ///
    /// If a subject is over a quota, so that it may start nothing new.
    pub(crate) fn check(&self, subject: &Subject) -> Result<(), ServiceError> {
        let quotas = self.of_subjects.of(subject);
        self.check_own(&quotas)?;
        self.check_total(subject.as_str())?;
        self.check_hour(&quotas)
    }

    /// Checks what a subject stores against its quota.
    fn check_own(&self, quotas: &glovebox_policy::Quotas<'_>) -> Result<(), ServiceError> {
        let used = self.lock().used(quotas.subject().as_str());
        if let Err(denial) = quotas.check(Quota::Kept, used, 1) {
            let most = quotas.get(Quota::Kept).unwrap_or_default();
            let detail = format!(
                "{used} bytes are kept for this key, of {most} (`{}`): {FREE}",
                denial.rule
            );
            return Err(ServiceError::over_quota(
                Code::QuotaExceeded,
                detail,
                denial,
            ));
        }
        Ok(())
    }

    /// Checks what a subject has written to the audit log within the hour against its quota.
    fn check_hour(&self, quotas: &glovebox_policy::Quotas<'_>) -> Result<(), ServiceError> {
        let state = self.lock();
        let subject = quotas.subject().as_str();
        if let Err(denial) = quotas.check(Quota::AuditPerHour, state.audit.in_hour(subject), 1) {
            let most = quotas.get(Quota::AuditPerHour).unwrap_or_default();
            let detail = format!(
                "this key has filled {most} bytes of the audit log within the hour (`{}`)",
                denial.rule
            );
            let rest = state.audit.rest_of_hour(now_ms());
            return Err(
                ServiceError::over_quota(Code::RateLimited, detail, denial).retry_after(rest)
            );
        }
        Ok(())
    }

    /// Checks whether a subject is among those that exceed what all of them may store.
    fn check_total(&self, subject: &str) -> Result<(), ServiceError> {
        let mut state = self.lock();
        let used = state.used(subject);
        if state.all >= self.total.kept
            && used >= state.fair_level(self.total.kept.saturating_sub(1), subject, used)
        {
            let (all, most) = (state.all, self.total.kept);
            let detail = format!(
                "{all} bytes are kept for everybody, of {most} (`limits.kept`), {used} of them for this key, which is among those that keep the most: {FREE}"
            );
            return Err(ServiceError::new(Code::QuotaExceeded, detail));
        }
        if let Some(missing) = state.disk.missing()
            && let Some(weight) =
                state.is_among_largest(subject, missing, state.disk.reserve() / 16)
        {
            let reserve = state.disk.reserve();
            let detail = format!(
                "less than half of the {reserve} bytes of disk that are held in reserve are free (`limits.disk_reserve`), and this key is among \
                 those that fill the most: {weight} bytes kept, or in the audit log; {FREE}"
            );
            return Err(ServiceError::new(Code::QuotaExceeded, detail));
        }
        if let Some(own) = state.audit.is_too_much(subject, self.total.audit) {
            let (all, most) = (state.audit.on_disk(), self.total.audit);
            let detail = format!(
                "the audit log has {all} bytes, of {most} (`limits.audit`), and this key is among those that have written the most of it: {own} \
                 bytes; wait for `retention.audit`, or have the operator move old segments away"
            );
            return Err(ServiceError::new(Code::QuotaExceeded, detail));
        }
        Ok(())
    }

    fn try_take(&self, subject: &Subject, bytes: u64, space: DiskSpace) -> Result<(), NotKept> {
        let quotas = self.of_subjects.of(subject);
        let subject = subject.as_str();
        let mut state = self.lock();
        let used = state.used(subject);
        let after = used.saturating_add(bytes);
        let is_within_all = state.all.saturating_add(bytes) <= self.total.kept
            || after <= state.fair_level(self.total.kept, subject, after);
        if !is_within_all || quotas.check(Quota::Kept, used, bytes).is_err() {
            return Err(NotKept::Quota);
        }
        if !state.disk.try_reserve(space) {
            return Err(NotKept::Disk);
        }
        state.add(subject, bytes);
        Ok(())
    }

    /// Returns the bytes up to which a record is always kept whole.
    pub(crate) fn small_result(&self) -> usize {
        if self.lock().disk.is_tight() {
            SMALL_RESULT
        } else {
            LARGE_RESULT
        }
    }

    /// Releases bytes that were deleted.
    pub(crate) fn give_back(&self, subject: &str, bytes: u64) {
        self.lock().remove(subject, bytes);
    }

    /// Counts what was written to the audit log since the last call.
    pub(crate) fn audited(&self, written: &HashMap<String, u64>) {
        let mut state = self.lock();
        state.disk.note(
            written
                .values()
                .fold(0, |sum: u64, bytes| sum.saturating_add(*bytes)),
        );
        state.audit.written(written, now_ms());
    }

    /// Takes the part of it that is not in the database yet.
    pub(crate) fn take_untold(&self) -> HashMap<String, u64> {
        self.lock().audit.take_untold()
    }

    /// Puts it back, because the database could not be updated.
    pub(crate) fn tell_again(&self, untold: &HashMap<String, u64>) {
        self.lock().audit.tell_again(untold);
    }

    /// Resets the account of the audit log from the database and from the size of its files.
    pub(crate) fn audit_is(&self, found: Audited, on_disk: u64) {
        self.lock().audit.is(found, on_disk);
    }
}

impl QuotaState {
    fn used(&self, subject: &str) -> u64 {
        self.by_subject.get(subject).copied().unwrap_or(0)
    }

    fn add(&mut self, subject: &str, bytes: u64) {
        match self.by_subject.get_mut(subject) {
            Some(used) => *used = used.saturating_add(bytes),
            None => drop(self.by_subject.insert(subject.to_owned(), bytes)),
        }
        self.all = self.all.saturating_add(bytes);
    }

    fn remove(&mut self, subject: &str, bytes: u64) {
        let Some(used) = self.by_subject.get_mut(subject) else {
            return;
        };
        let given = bytes.min(*used);
        *used -= given;
        if *used == 0 {
            self.by_subject.remove(subject);
        }
        self.all = self.all.saturating_sub(given);
    }

    /// Returns the fair level of storage, if all subjects together may have `most` and this one
    /// uses `used`.
    fn fair_level(&self, most: u64, subject: &str, used: u64) -> u64 {
        let others = self
            .by_subject
            .iter()
            .filter(|(name, _)| *name != subject)
            .map(|(_, bytes)| *bytes);
        fair_level(&others.chain([used]).collect::<Vec<_>>(), most)
    }

    /// Returns the disk usage of a subject, stored data and audit log, if it is among the largest,
    /// which would have to give up what is missing.
    fn is_among_largest(&self, subject: &str, missing: u64, least: u64) -> Option<u64> {
        let mut weights: HashMap<&str, u64> = self.audit.shares().collect();
        for (name, bytes) in &self.by_subject {
            let weight = weights.entry(name).or_default();
            *weight = weight.saturating_add(*bytes);
        }
        let own = weights.get(subject).copied().unwrap_or(0);
        let weights: Vec<u64> = weights.into_values().collect();
        let all = weights
            .iter()
            .fold(0_u64, |sum, weight| sum.saturating_add(*weight));
        // A subject with next to nothing is not why the disk is full.
        (own > least && own >= fair_level(&weights, all.saturating_sub(missing))).then_some(own)
    }
}

/// Returns the level at which amounts are capped so that their sum is `most` (max-min fairness):
/// smaller amounts are kept whole.
fn fair_level(amounts: &[u64], most: u64) -> u64 {
    let mut level = 0;
    loop {
        let (mut below, mut above) = (0_u64, 0_u64);
        for amount in amounts {
            if *amount <= level {
                below = below.saturating_add(*amount);
            } else {
                above += 1;
            }
        }
        match most.saturating_sub(below).checked_div(above) {
            // It rises as long as the unused shares of small amounts are divided among the large
            // ones.
            Some(higher) if higher > level => level = higher,
            Some(_) => return level,
            None => return u64::MAX,
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests {
    use super::*;
    use crate::subject_quotas::{MachineSizes, settings};
    use cap_std::fs::Dir;
    use glovebox_policy::Policy;

    fn subject(name: &str) -> Subject {
        Subject::new(name).unwrap()
    }

    fn account(limits: ServiceLimits, there: &[(&str, i64)]) -> Arc<Quotas> {
        let folder = tempfile::tempdir().unwrap();
        let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let stored = StoredBytes {
            kept: there
                .iter()
                .map(|(subject, bytes)| ((*subject).to_owned(), *bytes))
                .collect(),
            ..StoredBytes::default()
        };
        let disk = Disk::new(&state, &limits).unwrap();
        let sizes = MachineSizes {
            memory: 0,
            disk: disk.whole,
        };
        let of_subjects = SubjectQuotas::new(Policy::builtin(), settings(&limits, sizes));
        Quotas::new(&limits, disk, of_subjects, stored)
    }

    /// Reserves bytes and commits them.
    fn try_take(kept: &Arc<Quotas>, name: &str, bytes: u64) -> Result<(), NotKept> {
        let mut room = kept.room(&subject(name));
        room.try_take(bytes, 1)?;
        room.keep();
        Ok(())
    }

    fn sums(of: &[(&str, u64)]) -> HashMap<String, u64> {
        of.iter()
            .map(|(subject, bytes)| ((*subject).to_owned(), *bytes))
            .collect()
    }

    fn limits(kept: usize, kept_per_subject: usize) -> ServiceLimits {
        ServiceLimits {
            kept: Some(kept),
            kept_per_subject: Some(kept_per_subject),
            disk_reserve: Some(0),
            ..ServiceLimits::default()
        }
    }

    #[test]
    fn a_subject_over_its_quota_begins_nothing_and_others_do() {
        let kept = account(limits(1000, 100), &[("a", 90)]);
        assert!(kept.check(&subject("a")).is_ok() && try_take(&kept, "a", 10).is_ok());
        assert!(kept.check(&subject("a")).is_err() && kept.check(&subject("b")).is_ok());
        assert_eq!(try_take(&kept, "a", 1), Err(NotKept::Quota));
        // Small records are kept in any case, and count.
        let mut room = kept.room(&subject("a"));
        room.take(5);
        assert_eq!(
            (kept.of(&subject("a")), kept.all(), room.bytes()),
            ((105, 100), 105, 5)
        );
        room.keep();
        kept.give_back("a", 50);
        assert!(kept.check(&subject("a")).is_ok() && try_take(&kept, "a", 45).is_ok());
        kept.give_back("a", u64::MAX);
        assert_eq!((kept.of(&subject("a")).0, kept.all()), (0, 0));
    }

    #[test]
    fn largest_subjects_are_refused_where_all_have_too_much() {
        let kept = account(limits(100, 100), &[("large", 90), ("small", 10)]);
        assert!(
            kept.check(&subject("large")).is_err()
                && kept.check(&subject("small")).is_ok()
                && kept.check(&subject("new")).is_ok()
        );
        assert_eq!(try_take(&kept, "large", 1), Err(NotKept::Quota));
        assert_eq!(try_take(&kept, "small", 20), Ok(()));
        assert_eq!(try_take(&kept, "small", 20), Ok(()), "as much as half");
        assert_eq!(try_take(&kept, "small", 1), Err(NotKept::Quota));
        // Many small subjects do not turn a small one into a large one.
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let crowd: Vec<(&str, i64)> = names
            .iter()
            .map(|name| (name.as_str(), 1))
            .chain([("large", 900), ("small", 20)])
            .collect();
        let kept = account(limits(1000, 10_000), &crowd);
        assert!(
            kept.check(&subject("large")).is_err()
                && kept.check(&subject("small")).is_ok()
                && kept.check(&subject("7")).is_ok()
        );
    }

    #[test]
    fn the_level_is_where_the_largest_give_way() {
        for (amounts, most, level) in [
            (&[90, 10][..], 100, u64::MAX),
            (&[91, 10], 100, 90),
            (&[50, 50, 1], 61, 30),
            (&[30, 30, 30], 30, 10),
            (&[5], 0, 0),
            (&[], 10, u64::MAX),
        ] {
            assert_eq!(fair_level(amounts, most), level, "{amounts:?} {most}");
        }
    }

    #[test]
    fn largest_subject_gives_way_where_the_reserve_runs_out() {
        let kept = account(
            limits(10_000, 10_000),
            &[("a", 1000), ("b", 60), ("c", 900)],
        );
        kept.audited(&sums(&[("c", 500), ("d", 50)]));
        let refused = |missing| {
            let state = kept.lock();
            ["a", "b", "c", "d", "new"]
                .map(|subject| state.is_among_largest(subject, missing, 50).is_some())
        };
        assert_eq!(
            refused(100),
            [false, false, true, false, false],
            "the audit log counts"
        );
        assert_eq!(refused(1000), [true, false, true, false, false]);
        assert_eq!(
            refused(u64::MAX),
            [true, true, true, false, false],
            "next to nothing is never the reason"
        );
    }

    #[test]
    fn unwritten_reservation_is_given_back() {
        let kept = account(limits(1000, 1000), &[]);
        let mut room = kept.room(&subject("a"));
        assert_eq!(
            (
                room.try_take(300, 1),
                room.try_take(300, 1),
                room.try_take(500, 1)
            ),
            (Ok(()), Ok(()), Err(NotKept::Quota))
        );
        room.give_back(300, 1);
        assert_eq!((kept.of(&subject("a")).0, room.bytes()), (300, 300));
        // The holder of the reservation panics.
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
            let _room = room;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(died.is_err());
        assert_eq!((kept.of(&subject("a")).0, kept.all()), (0, 0));
    }

    #[test]
    fn a_disk_that_is_nearly_full_takes_nothing_large() {
        let kept = account(
            ServiceLimits {
                disk_reserve: Some(usize::MAX >> 1),
                ..limits(1000, 1000)
            },
            &[],
        );
        assert_eq!(try_take(&kept, "a", 1), Err(NotKept::Disk));
        assert!(kept.check(&subject("a")).is_ok(), "what is small runs");
    }

    #[test]
    fn audit_records_count_for_an_hour_and_in_the_log() {
        let kept = account(
            ServiceLimits {
                audit_per_subject: Some(100),
                audit: Some(200),
                ..limits(1000, 1000)
            },
            &[],
        );
        kept.audited(&sums(&[("a", 60)]));
        assert!(kept.check(&subject("a")).is_ok());
        kept.audited(&sums(&[("a", 60), ("b", 1)]));
        assert_eq!(
            kept.check(&subject("a")).unwrap_err().code(),
            Code::RateLimited
        );
        assert!(kept.check(&subject("b")).is_ok());
        kept.audited(&sums(&[("a", 60), ("b", 30)]));
        assert_eq!(
            kept.check(&subject("a")).unwrap_err().code(),
            Code::QuotaExceeded
        );
        assert!(kept.check(&subject("b")).is_ok() && kept.check(&subject("new")).is_ok());
    }
}
