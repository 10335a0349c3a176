//! Allowance of a request: how much may be used on its behalf besides its own run?
//!
//! Our own guests inspect its text and compile its packages. They spend from the request's own
//! limits, queue with the other work of its subject, end when it is cancelled, and count towards
//! its usage.

use crate::account::{MemoryAccount, ProcessMemory, RunMemory};
use crate::error::Error;
use crate::outcome::Usage;
use crate::round_robin::{FairSlots, Slot};
use glovebox_policy::{LimitWishes, Limits, Subject};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The part of a request's time and fuel that inspections may take, as a divisor: the rest is the
/// program's own.
const SHARE: u32 = 2;

/// The longest wait for the memory of a process that works for a request.
const MEMORY_PATIENCE: Duration = Duration::from_secs(5);

/// The budget of a request before its program runs.
///
/// Passed by reference to everything that works for the request; all of it spends from the same
/// budget.
#[derive(Debug)]
pub struct Allowance {
    subject: Subject,
    started: Instant,
    wall: Duration,
    fuel: u64,
    memory: u64,
    account: Option<Arc<dyn MemoryAccount>>,
    stop: CancellationToken,
    /// Packages are prepared without a bound by the request's time: nothing runs afterwards.
    patient: bool,
    /// Concurrency slots for inspections, shared by all subjects.
    slots: FairSlots,
    looks: Spent,
    preparation: Spent,
    /// The counter that usage is added to on drop, unless an outcome reports it.
    tab: Option<Tab>,
    is_reported: AtomicBool,
}

/// The usage of requests that no outcome of a run reports: it ended in an error, its caller went
/// away, or it ran nothing.
pub(crate) type Tab = Arc<Mutex<Usage>>;

/// Adds usage to a tab.
pub(crate) fn note(tab: &Tab, usage: &Usage) {
    tab.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .add(usage);
}

/// Waits for work on a request, with a grace period after cancellation: work that listens to the
/// same token ends at once and reports its usage; other work is dropped.
pub(crate) async fn until_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Option<T> {
    let stopped = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stopped => None,
    }
}

/// Grace period of a request's work after cancellation. A guest yields about every millisecond.
const GRACE: Duration = Duration::from_millis(100);

/// The shortest time of an inspection: zero would be refused.
const LEAST: Duration = Duration::from_millis(1);

/// An inspection of a program that holds its slot. The request is charged when it is dropped.
#[derive(Debug)]
pub struct Look<'a> {
    allowance: &'a Allowance,
    began: Instant,
    limits: LimitWishes,
    working: Working,
    _slot: Slot,
}

/// The usage of a guest that works for a request, known when it has ended. What is not reported is
/// charged in full, so that breaking the measurement gains nothing.
#[derive(Debug)]
struct Working {
    since: Instant,
    used: Option<Usage>,
}

impl Working {
    fn begin() -> Self {
        Self {
            since: Instant::now(),
            used: None,
        }
    }

    fn usage(&self) -> Usage {
        let wall = self.since.elapsed();
        self.used.unwrap_or_else(|| Usage {
            wall,
            cpu: wall,
            ..Usage::default()
        })
    }
}

/// Preparation of a request's packages by our own guest. The request is charged when it is dropped.
#[derive(Debug)]
pub struct Preparing<'a> {
    allowance: &'a Allowance,
    working: Working,
}

impl Preparing<'_> {
    /// Records what the guest used.
    pub fn used(&mut self, usage: &Usage) {
        self.working.used = Some(*usage);
    }
}

impl Drop for Preparing<'_> {
    fn drop(&mut self) {
        self.allowance.preparation.add(&self.working.usage());
    }
}

impl Look<'_> {
    /// Returns the limits of the inspection: what is left, capped at the arguments.
    #[must_use]
    pub fn limits(&self, wall: Duration, fuel: u64, memory: u64) -> LimitWishes {
        self.limits.clone().at_most(wall, fuel, memory)
    }

    /// Records what the inspecting guest used.
    pub fn used(&mut self, usage: &Usage) {
        self.working.used = Some(*usage);
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.allowance.looks.add(&Usage {
            wall: self.began.elapsed(),
            ..self.working.usage()
        });
    }
}

/// The usage so far.
#[derive(Debug, Default)]
struct Spent {
    wall_nanos: AtomicU64,
    cpu_nanos: AtomicU64,
    fuel: AtomicU64,
    peak_memory: AtomicU64,
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Spent {
    fn add(&self, usage: &Usage) {
        self.wall_nanos
            .fetch_add(nanos(usage.wall), Ordering::Relaxed);
        self.cpu_nanos
            .fetch_add(nanos(usage.cpu), Ordering::Relaxed);
        self.fuel.fetch_add(usage.fuel, Ordering::Relaxed);
        self.peak_memory
            .fetch_max(usage.peak_memory, Ordering::Relaxed);
    }

    fn usage(&self) -> Usage {
        Usage {
            wall: Duration::from_nanos(self.wall_nanos.load(Ordering::Relaxed)),
            cpu: Duration::from_nanos(self.cpu_nanos.load(Ordering::Relaxed)),
            fuel: self.fuel.load(Ordering::Relaxed),
            peak_memory: self.peak_memory.load(Ordering::Relaxed),
            ..Usage::default()
        }
    }
}

impl Allowance {
    /// Allows all that a grant's limits allow from here on, until `stop` is cancelled; nothing
    /// where nothing was granted.
    #[must_use]
    pub fn new(subject: Subject, limits: Option<&Limits>, stop: CancellationToken) -> Self {
        Self::within(subject, limits, stop, FairSlots::new(1))
    }

    /// As [`Allowance::new`], with the slots that all inspections of a sandbox share.
    pub(crate) fn within(
        subject: Subject,
        limits: Option<&Limits>,
        stop: CancellationToken,
        slots: FairSlots,
    ) -> Self {
        let (wall, fuel, memory) = limits.map_or_else(Default::default, |limits| {
            (limits.wall, limits.fuel, limits.memory)
        });
        Self {
            subject,
            started: Instant::now(),
            wall,
            fuel,
            memory,
            account: None,
            stop,
            patient: false,
            slots,
            looks: Spent::default(),
            preparation: Spent::default(),
            tab: None,
            is_reported: AtomicBool::new(false),
        }
    }

    /// Sets the account of the memory that processes take which work for the request.
    pub(crate) fn charged(mut self, account: Option<Arc<dyn MemoryAccount>>) -> Self {
        self.account = account;
        self
    }

    /// Adds the usage to `tab` when this is dropped, unless [`Allowance::told`].
    pub(crate) fn noted(mut self, tab: Option<Tab>) -> Self {
        self.tab = tab;
        self
    }

    /// Adds the usage to that of an outcome, which reports it.
    pub(crate) fn report_in(&self, usage: &mut Usage) {
        self.add_to(usage);
        self.reported();
    }

    /// Marks the usage as reported by an outcome.
    pub(crate) fn reported(&self) {
        self.is_reported.store(true, Ordering::Relaxed);
    }

    /// Returns the subject; work that queues for a slot queues with that of the same subject.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Returns the cancellation token of all work for the request.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Returns the account of all runs, if there is one: for a guest that works for the request.
    #[must_use]
    pub fn memory_account(&self) -> Option<Arc<dyn MemoryAccount>> {
        self.account.clone()
    }

    /// Returns the side of the account of a guest that works for the request.
    pub(crate) fn run_memory(&self) -> RunMemory {
        RunMemory::new(self.account.as_ref(), &self.subject)
    }

    /// Charges the memory of a process that works for the request, such as a resolver of packages,
    /// to the account of all runs: what there is within this range, and the most of it without an
    /// account. Waits a few seconds for the least, and no longer than half of the time that the
    /// request has left.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] if there is no room for it.
    pub async fn process_memory(&self, range: RangeInclusive<u64>) -> Result<ProcessMemory, Error> {
        let left = self
            .deadline()
            .filter(|_| !self.patient)
            .map(|deadline| deadline.saturating_duration_since(Instant::now()) / 2);
        let patience = left.map_or(MEMORY_PATIENCE, |left| left.min(MEMORY_PATIENCE));
        self.run_memory()
            .of_process(range, patience)
            .await
            .map_err(Error::Memory)
    }

    /// Returns the deadline of the request's wall-clock time if it counted from its start; none if
    /// it cannot be represented.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.started.checked_add(self.wall)
    }

    /// Waits for a slot to inspect the program, round-robin between subjects. None if the request's
    /// share for inspections is used up, if no slot came in that time, or if the request was
    /// cancelled.
    pub async fn look(&self) -> Option<Look<'_>> {
        let began = Instant::now();
        let looked = self.looks.usage();
        let wall = (self.wall / SHARE).saturating_sub(looked.wall);
        let fuel = (self.fuel / u64::from(SHARE)).saturating_sub(looked.fuel);
        if wall.is_zero() || fuel == 0 || self.memory == 0 {
            return None;
        }
        let slot = tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            slot = tokio::time::timeout(wall, self.slots.acquire(&self.subject)) => slot.ok(),
        };
        let waited = began.elapsed();
        let Some(slot) = slot else {
            // Waiting in vain uses up the time as well.
            self.looks.add(&Usage {
                wall: waited,
                ..Usage::default()
            });
            return None;
        };
        let wall = Some(wall.saturating_sub(waited).max(LEAST));
        let limits = LimitWishes {
            wall,
            fuel: Some(fuel),
            memory: Some(self.memory),
            ..LimitWishes::default()
        };
        Some(Look {
            allowance: self,
            began,
            limits,
            working: Working::begin(),
            _slot: slot,
        })
    }

    /// Moves its start by a time that does not count.
    pub(crate) fn postpone(&mut self, by: Duration) {
        self.started = self.started.checked_add(by).unwrap_or(self.started);
    }

    /// Removes the time bound on the preparation of packages.
    pub(crate) fn without_deadline(&mut self) {
        self.patient = true;
    }

    /// Waits for packages to be found, fetched or compiled, bounded by the request's wall-clock
    /// time.
    pub(crate) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        match self.deadline().filter(|_| !self.patient) {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), work)
                .await
                .unwrap_or(Err(Error::OutOfTime(self.wall))),
            None => work.await,
        }
    }

    /// Begins to prepare packages in a guest. That usage is part of the request's, but is not taken
    /// from the program's limits: else a package whose preparation takes longer than a run could
    /// never be used, although the next run finds it prepared.
    #[must_use]
    pub fn prepare(&self) -> Preparing<'_> {
        Preparing {
            allowance: self,
            working: Working::begin(),
        }
    }

    /// Returns what inspections have used, which is no longer available to the program.
    #[must_use]
    pub(crate) fn looks(&self) -> Usage {
        self.looks.usage()
    }

    /// Returns what was used for the request so far; `wall` is the time since it arrived.
    #[must_use]
    pub fn used(&self) -> Usage {
        let mut usage = Usage::default();
        self.add_to(&mut usage);
        usage
    }

    /// Adds the earlier usage to that of the program itself.
    pub(crate) fn add_to(&self, usage: &mut Usage) {
        for before in [self.looks.usage(), self.preparation.usage()] {
            usage.add(&before);
        }
        usage.wall = self.started.elapsed();
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        if let Some(tab) = self
            .tab
            .as_ref()
            .filter(|_| !self.is_reported.load(Ordering::Relaxed))
        {
            note(tab, &self.used());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Facts, Policy, Request, Verdict};

    fn allowance(tab: &Tab) -> Allowance {
        let Verdict::Admit(grant) =
            Policy::builtin().admit(&Request::new("python", ""), &Facts::wasm(["python"]))
        else {
            panic!("admitted")
        };
        let stop = CancellationToken::new();
        Allowance::new(grant.subject().clone(), Some(grant.limits()), stop)
            .noted(Some(Arc::clone(tab)))
    }

    fn noted(tab: &Tab) -> Usage {
        *tab.lock().unwrap()
    }

    #[tokio::test]
    async fn usage_is_noted_once_however_a_run_ends() {
        let tab = Tab::default();
        let first = allowance(&tab);
        first.look().await.unwrap().used(&Usage {
            fuel: 5,
            ..Usage::default()
        });
        first.prepare().used(&Usage {
            fuel: 7,
            ..Usage::default()
        });
        drop(first);
        assert_eq!((noted(&tab).fuel, noted(&tab).cpu), (12, Duration::ZERO));
        // An outcome reports it.
        let told = allowance(&tab);
        told.prepare().used(&Usage {
            fuel: 7,
            ..Usage::default()
        });
        told.reported();
        drop(told);
        assert_eq!(noted(&tab).fuel, 12);
    }

    #[tokio::test]
    async fn unreported_usage_counts_as_its_maximum() {
        let tab = Tab::default();
        let broken = allowance(&tab);
        let work = async {
            let _look = broken.look().await.unwrap();
            let _preparing = broken.prepare();
            std::future::pending::<()>().await;
        };
        assert!(
            tokio::time::timeout(Duration::from_millis(20), work)
                .await
                .is_err()
        );
        drop(broken);
        assert!(
            noted(&tab).cpu >= Duration::from_millis(40),
            "{:?}",
            noted(&tab)
        );
    }
}
