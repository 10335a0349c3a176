//! Who owns the bytes that are kept, and how many may each subject have?
//!
//! Records, artifacts, plans and sessions count for the subject that they belong to, in the database (column `bytes`) and here. An artifact
//! whose content is stored once for several subjects counts for each of them. A subject over its quota starts nothing new until it deletes
//! something or the retention does; nobody else notices. Where all together have too much, the largest keepers are refused first (max-min
//! fairness). Where the disk itself is nearly full, only what is small is kept, for everybody; where the reserve for that is half used up, those
//! who keep the most, or write the most to the audit log, begin nothing new.

use super::config::Limits;
use super::problem::{Code, Problem};
use cap_std::fs::Dir;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a row takes besides the texts in it: its columns, indexes, and what the audit log and the journal say of it.
pub(super) const ROW: u64 = 512;

/// What a block of the disk has.
const BLOCK: u64 = 4096;

/// What the row of an artifact takes besides its path.
const ARTIFACT_ROW: u64 = 600;

/// What of an output is kept where there is no room for more.
pub(super) const SMALL_OUTPUT: usize = 4 << 10;

/// Bytes of a record that is kept whole in any case.
const LARGE_RESULT: usize = 64 << 10;

/// The same, where the disk is nearly full: as much as outputs of [`SMALL_OUTPUT`] come to.
const SMALL_RESULT: usize = 4 * SMALL_OUTPUT;

/// How long audit records count.
const AUDIT_WINDOW: Duration = Duration::from_secs(3600);

/// The quotas, all in bytes.
#[derive(Clone, Copy, Debug)]
struct Quotas {
    of_subject: u64,
    all: u64,
    reserve: u64,
    audit: u64,
}

#[derive(Debug, Default)]
struct State {
    by_subject: HashMap<String, u64>,
    all: u64,
    /// Audit records of this window.
    audit: HashMap<String, u64>,
    window: Option<Instant>,
}

/// The account of kept bytes.
#[derive(Debug)]
pub(super) struct Kept {
    quotas: Quotas,
    folder: Arc<Dir>,
    state: Mutex<State>,
}

/// Why something is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotKept {
    /// The subject's quota, or the one of all.
    Quota,
    /// The disk is nearly full.
    Disk,
}

impl NotKept {
    /// For the record of an execution.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Quota => "quota",
            Self::Disk => "disk",
        }
    }
}

/// The bytes of an artifact with its row.
pub(super) fn artifact_bytes(path: &str, content: usize) -> u64 {
    // A file takes whole blocks of the disk.
    ARTIFACT_ROW + path.len() as u64 + (content as u64).next_multiple_of(BLOCK)
}

impl Kept {
    /// An account that begins with what is there already.
    pub(super) fn new(limits: &Limits, state: &Dir, there: Vec<(String, i64)>) -> io::Result<Self> {
        let folder = Arc::new(state.try_clone()?);
        let whole = file_system(&folder)?.whole;
        // A share of the file system that leaves room for everything else on it, and a tenant no more than a share of that.
        let all = limits.kept.map_or(whole / 2, |bytes| bytes as u64);
        let of_subject = limits.kept_per_subject.map_or((1 << 30).min(all / 4), |bytes| bytes as u64);
        let reserve = limits.disk_reserve.map_or((256 << 20).min(whole / 20), |bytes| bytes as u64);
        let audit = limits.audit_per_subject.map_or((1 << 30).min(whole / 16).max(1 << 20), |bytes| bytes as u64);
        let quotas = Quotas { of_subject, all, reserve, audit };
        let by_subject: HashMap<String, u64> =
            there.into_iter().map(|(subject, bytes)| (subject, u64::try_from(bytes).unwrap_or(0))).collect();
        let all = by_subject.values().sum();
        Ok(Self { quotas, folder, state: Mutex::new(State { by_subject, all, ..State::default() }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a subject has, and may have.
    pub(super) fn of(&self, subject: &str) -> (u64, u64) {
        (self.lock().used(subject), self.quotas.of_subject)
    }

    /// What all have together.
    pub(super) fn all(&self) -> u64 {
        self.lock().all
    }

    /// # Errors
    ///
    /// Where a subject has so much that it may begin nothing new.
    pub(super) fn check(&self, subject: &str) -> Result<(), Problem> {
        let state = self.lock();
        let used = state.used(subject);
        let free = "`DELETE` what has ended, or wait for `retention.executions`";
        if used >= self.quotas.of_subject {
            let most = self.quotas.of_subject;
            let detail = format!("{used} bytes are kept for this key, of {most} (`limits.kept_per_subject`): {free}");
            return Err(Problem::new(Code::QuotaExceeded, detail));
        }
        if state.all >= self.quotas.all && used >= state.fair_level(self.quotas.all.saturating_sub(1), subject, used) {
            let (all, most) = (state.all, self.quotas.all);
            let detail = format!(
                "{all} bytes are kept for everybody, of {most} (`limits.kept`), {used} of them for this key, which is among those that keep the most: {free}"
            );
            return Err(Problem::new(Code::QuotaExceeded, detail));
        }
        if let Some(missing) = self.missing_reserve()
            && let Some(weight) = state.is_among_largest(subject, missing, self.quotas.reserve / 16)
        {
            let reserve = self.quotas.reserve;
            let detail = format!(
                "less than half of the {reserve} bytes of disk that are held in reserve are free (`limits.disk_reserve`), and this key is among \
                 those that fill the most: {weight} bytes kept, or written to the audit log within the hour; {free}"
            );
            return Err(Problem::new(Code::QuotaExceeded, detail));
        }
        if state.audit.get(subject).is_some_and(|bytes| *bytes >= self.quotas.audit) {
            let most = self.quotas.audit;
            let detail = format!("this key has filled {most} bytes of the audit log within the hour (`limits.audit_per_subject`)");
            let left = state.window.map_or(AUDIT_WINDOW, |since| AUDIT_WINDOW.saturating_sub(since.elapsed()));
            return Err(Problem::new(Code::RateLimited, detail).retry_after(left.max(Duration::from_secs(1))));
        }
        Ok(())
    }

    /// Takes bytes for something large, where there is room for it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub(super) fn try_take(&self, subject: &str, bytes: u64) -> Result<(), NotKept> {
        // Where the system does not say, the disk has room.
        if file_system(&self.folder).is_ok_and(|found| found.free < self.quotas.reserve.saturating_add(bytes)) {
            return Err(NotKept::Disk);
        }
        let mut state = self.lock();
        let after = state.used(subject).saturating_add(bytes);
        let is_within_all =
            state.all.saturating_add(bytes) <= self.quotas.all || after <= state.fair_level(self.quotas.all, subject, after);
        if after > self.quotas.of_subject || !is_within_all {
            return Err(NotKept::Quota);
        }
        state.add(subject, bytes);
        Ok(())
    }

    /// Bytes of a record up to which it is kept whole in any case.
    pub(super) fn small_result(&self) -> usize {
        let is_tight = file_system(&self.folder).is_ok_and(|found| found.free < self.quotas.reserve);
        if is_tight { SMALL_RESULT } else { LARGE_RESULT }
    }

    /// What of the reserve is missing beyond its half; nothing where that is free.
    fn missing_reserve(&self) -> Option<u64> {
        let free = file_system(&self.folder).ok()?.free;
        (self.quotas.reserve / 2).checked_sub(free).filter(|missing| *missing > 0)
    }

    /// Takes bytes for something small that is kept in any case.
    pub(super) fn take(&self, subject: &str, bytes: u64) {
        self.lock().add(subject, bytes);
    }

    /// Gives bytes back.
    pub(super) fn give_back(&self, subject: &str, bytes: u64) {
        let mut state = self.lock();
        let Some(used) = state.by_subject.get_mut(subject) else { return };
        let given = bytes.min(*used);
        *used -= given;
        if *used == 0 {
            state.by_subject.remove(subject);
        }
        state.all = state.all.saturating_sub(given);
    }

    /// Counts what was written to the audit log since the last time.
    pub(super) fn audited(&self, written: HashMap<String, u64>) {
        let mut state = self.lock();
        if state.window.is_none_or(|since| since.elapsed() >= AUDIT_WINDOW) {
            state.window = Some(Instant::now());
            state.audit.clear();
        }
        for (subject, bytes) in written {
            let sum = state.audit.entry(subject).or_default();
            *sum = sum.saturating_add(bytes);
        }
    }
}

impl State {
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

    /// What each subject may have, where all together may have so much and this one has so much.
    fn fair_level(&self, most: u64, subject: &str, used: u64) -> u64 {
        let others = self.by_subject.iter().filter(|(name, _)| *name != subject).map(|(_, bytes)| *bytes);
        fair_level(&others.chain([used]).collect::<Vec<_>>(), most)
    }

    /// What a subject fills of the disk, kept and in the audit log, if it is among those who would have to give up most of what is missing.
    fn is_among_largest(&self, subject: &str, missing: u64, least: u64) -> Option<u64> {
        let mut weights: HashMap<&str, u64> = self.audit.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
        for (name, bytes) in &self.by_subject {
            let weight = weights.entry(name).or_default();
            *weight = weight.saturating_add(*bytes);
        }
        let own = weights.get(subject).copied().unwrap_or(0);
        let weights: Vec<u64> = weights.into_values().collect();
        let all = weights.iter().fold(0_u64, |sum, weight| sum.saturating_add(*weight));
        // Whoever has next to nothing is not why the disk is full.
        (own > least && own >= fair_level(&weights, all.saturating_sub(missing))).then_some(own)
    }
}

/// The level at which amounts are cut so that what is left of them comes to so much (max-min fairness): whoever has less keeps all of it.
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
            // It rises as long as what small ones leave is shared out among the large ones.
            Some(higher) if higher > level => level = higher,
            Some(_) => return level,
            None => return u64::MAX,
        }
    }
}

struct FileSystem {
    whole: u64,
    free: u64,
}

fn file_system(folder: &Dir) -> io::Result<FileSystem> {
    let found = rustix::fs::fstatvfs(folder)?;
    Ok(FileSystem { whole: found.f_blocks.saturating_mul(found.f_frsize), free: found.f_bavail.saturating_mul(found.f_frsize) })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests look into folders of their own")]
mod tests {
    use super::*;

    fn account(limits: Limits, there: &[(&str, i64)]) -> Kept {
        let folder = tempfile::tempdir().unwrap();
        let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        Kept::new(&limits, &state, there.iter().map(|(subject, bytes)| ((*subject).to_owned(), *bytes)).collect()).unwrap()
    }

    fn limits(kept: usize, kept_per_subject: usize) -> Limits {
        Limits { kept: Some(kept), kept_per_subject: Some(kept_per_subject), disk_reserve: Some(0), ..Limits::default() }
    }

    #[test]
    fn a_subject_over_its_quota_begins_nothing_and_others_do() {
        let kept = account(limits(1000, 100), &[("a", 90)]);
        assert!(kept.check("a").is_ok() && kept.try_take("a", 10).is_ok());
        assert!(kept.check("a").is_err() && kept.check("b").is_ok());
        assert_eq!(kept.try_take("a", 1), Err(NotKept::Quota));
        // What is small is kept in any case, and counts.
        kept.take("a", 5);
        assert_eq!((kept.of("a"), kept.all()), ((105, 100), 105));
        kept.give_back("a", 50);
        assert!(kept.check("a").is_ok() && kept.try_take("a", 45).is_ok());
        kept.give_back("a", u64::MAX);
        assert_eq!((kept.of("a").0, kept.all()), (0, 0));
    }

    #[test]
    fn where_all_have_too_much_the_largest_are_refused() {
        let kept = account(limits(100, 100), &[("large", 90), ("small", 10)]);
        assert!(kept.check("large").is_err() && kept.check("small").is_ok() && kept.check("new").is_ok());
        assert_eq!(kept.try_take("large", 1), Err(NotKept::Quota));
        assert_eq!(kept.try_take("small", 20), Ok(()));
        assert_eq!(kept.try_take("small", 20), Ok(()), "as much as half");
        assert_eq!(kept.try_take("small", 1), Err(NotKept::Quota));
        // A crowd of small ones does not make one that is small itself a large one.
        let names: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let crowd: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).chain([("large", 900), ("small", 20)]).collect();
        let kept = account(limits(1000, 10_000), &crowd);
        assert!(kept.check("large").is_err() && kept.check("small").is_ok() && kept.check("7").is_ok());
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
    fn where_the_reserve_itself_runs_out_whoever_fills_the_most_gives_way() {
        let state = State {
            by_subject: HashMap::from([("a".to_owned(), 1000), ("b".to_owned(), 60), ("c".to_owned(), 900)]),
            audit: HashMap::from([("c".to_owned(), 500), ("d".to_owned(), 50)]),
            ..State::default()
        };
        let refused = |missing| ["a", "b", "c", "d", "new"].map(|subject| state.is_among_largest(subject, missing, 50).is_some());
        assert_eq!(refused(100), [false, false, true, false, false], "the audit log counts");
        assert_eq!(refused(1000), [true, false, true, false, false]);
        assert_eq!(refused(u64::MAX), [true, true, true, false, false], "next to nothing is never the reason");
    }

    #[test]
    fn a_disk_that_is_nearly_full_takes_nothing_large() {
        let kept = account(Limits { disk_reserve: Some(usize::MAX >> 1), ..limits(1000, 1000) }, &[]);
        assert_eq!(kept.try_take("a", 1), Err(NotKept::Disk));
        assert!(kept.check("a").is_ok(), "what is small runs");
    }

    #[test]
    fn audit_records_count_for_an_hour() {
        let kept = account(Limits { audit_per_subject: Some(100), ..limits(1000, 1000) }, &[]);
        kept.audited(HashMap::from([("a".to_owned(), 60)]));
        assert!(kept.check("a").is_ok());
        kept.audited(HashMap::from([("a".to_owned(), 60), ("b".to_owned(), 1)]));
        assert!(kept.check("a").is_err() && kept.check("b").is_ok());
    }
}
