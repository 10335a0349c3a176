//! What may be used up for a request besides its own run?
//!
//! Its text is looked at and its packages are compiled by guests of ours, on its behalf. They take what they need out of the request's own
//! limits, take their turn among those of its subject, end when it is stopped, and are part of what it used.

use crate::error::Error;
use crate::outcome::Usage;
use crate::round_robin::{FairSlots, Slot};
use glovebox_policy::{LimitWishes, Limits, Subject};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The part of a request's time and fuel that looks may take, as a divisor: the rest is the program's own.
const SHARE: u32 = 2;

/// What a request may still use up before its program runs.
///
/// Passed by reference to whoever works for a request; all of them spend from the same one.
#[derive(Debug)]
pub struct Allowance {
    subject: Subject,
    started: Instant,
    wall: Duration,
    fuel: u64,
    memory: u64,
    stop: CancellationToken,
    /// Whether packages are prepared without the request's time: nothing runs afterwards.
    patient: bool,
    /// Looks at once, of everybody.
    places: FairSlots,
    looks: Spent,
    preparation: Spent,
    /// Where it is noted what was used, unless an outcome says it.
    tab: Option<Tab>,
    is_told: AtomicBool,
}

/// Where it is noted what a request has used that comes to no outcome of a run: one that ends in an error, or whose caller goes away, or that
/// runs nothing.
pub(crate) type Tab = Arc<Mutex<Usage>>;

/// Adds to what is noted.
pub(crate) fn note(tab: &Tab, usage: &Usage) {
    tab.lock().unwrap_or_else(PoisonError::into_inner).add(usage);
}

/// How long what is done for a request may go on after its stop. A guest gives way about every millisecond.
const GRACE: Duration = Duration::from_millis(100);

/// The least time of a look: none would be refused.
const LEAST: Duration = Duration::from_millis(1);

/// A look at a program, in its turn. The request pays for it when it is dropped.
#[derive(Debug)]
pub struct Look<'a> {
    allowance: &'a Allowance,
    began: Instant,
    limits: LimitWishes,
    working: Working,
    _slot: Slot,
}

/// What a guest that works for a request uses, which is known when it has ended. Whatever is not told counts as much as it can have been:
/// nobody gains by breaking what measures.
#[derive(Debug)]
struct Working {
    since: Instant,
    used: Option<Usage>,
}

impl Working {
    fn begin() -> Self {
        Self { since: Instant::now(), used: None }
    }

    fn usage(&self) -> Usage {
        let wall = self.since.elapsed();
        self.used.unwrap_or_else(|| Usage { wall, cpu: wall, ..Usage::default() })
    }
}

/// Work on a request's packages by a guest of ours. The request pays for it when it is dropped.
#[derive(Debug)]
pub struct Preparing<'a> {
    allowance: &'a Allowance,
    working: Working,
}

impl Preparing<'_> {
    /// What the guest has used.
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
    /// What it may use up: what is left, and of that no more than this.
    #[must_use]
    pub fn limits(&self, wall: Duration, fuel: u64, memory: u64) -> LimitWishes {
        self.limits.clone().at_most(wall, fuel, memory)
    }

    /// What the guest that looked has used.
    pub fn used(&mut self, usage: &Usage) {
        self.working.used = Some(*usage);
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.allowance.looks.add(&Usage { wall: self.began.elapsed(), ..self.working.usage() });
    }
}

/// What was used so far.
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
        self.wall_nanos.fetch_add(nanos(usage.wall), Ordering::Relaxed);
        self.cpu_nanos.fetch_add(nanos(usage.cpu), Ordering::Relaxed);
        self.fuel.fetch_add(usage.fuel, Ordering::Relaxed);
        self.peak_memory.fetch_max(usage.peak_memory, Ordering::Relaxed);
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
    /// All that a grant's limits allow from here on, until `stop` is cancelled; nothing where nothing was granted.
    #[must_use]
    pub fn new(subject: Subject, limits: Option<&Limits>, stop: CancellationToken) -> Self {
        Self::within(subject, limits, stop, FairSlots::new(1))
    }

    /// As [`Allowance::new`], with the places that all looks of a sandbox share.
    pub(crate) fn within(subject: Subject, limits: Option<&Limits>, stop: CancellationToken, places: FairSlots) -> Self {
        let (wall, fuel, memory) = limits.map_or_else(Default::default, |limits| (limits.wall, limits.fuel, limits.memory));
        Self {
            subject,
            started: Instant::now(),
            wall,
            fuel,
            memory,
            stop,
            patient: false,
            places,
            looks: Spent::default(),
            preparation: Spent::default(),
            tab: None,
            is_told: AtomicBool::new(false),
        }
    }

    /// Notes what was used when this is dropped, unless [`Allowance::told`].
    pub(crate) fn noted(mut self, tab: Option<Tab>) -> Self {
        self.tab = tab;
        self
    }

    /// Adds what was used to what an outcome says, which tells it.
    pub(crate) fn tell(&self, usage: &mut Usage) {
        self.add_to(usage);
        self.told();
    }

    /// An outcome says what was used.
    pub(crate) fn told(&self) {
        self.is_told.store(true, Ordering::Relaxed);
    }

    /// For whom: whoever has to wait for a place waits among others of the same subject.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Ends whatever is done for the request.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// When the request's own time on the clock would be over if it counted from its start; none where that cannot be told.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.started.checked_add(self.wall)
    }

    /// Waits for its subject's turn to look at the program. None where nothing is left of what all looks of the request have together, where
    /// its turn did not come in that time, or where the request was stopped.
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
            slot = tokio::time::timeout(wall, self.places.acquire(&self.subject)) => slot.ok(),
        };
        let waited = began.elapsed();
        let Some(slot) = slot else {
            // Whoever waited in vain has used up its time as well.
            self.looks.add(&Usage { wall: waited, ..Usage::default() });
            return None;
        };
        let wall = Some(wall.saturating_sub(waited).max(LEAST));
        let limits = LimitWishes { wall, fuel: Some(fuel), memory: Some(self.memory), ..LimitWishes::default() };
        Some(Look { allowance: self, began, limits, working: Working::begin(), _slot: slot })
    }

    /// Waits for something that is done for the request, but not for long once that is stopped: what listens to the same handle ends by itself
    /// at once and says what it has used, and what does not is dropped.
    pub(crate) async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let stopped = async {
            self.stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = stopped => None,
        }
    }

    /// The same without a bound on the time that the preparation of packages takes.
    pub(crate) fn patient(mut self) -> Self {
        self.patient = true;
        self
    }

    /// Waits for what finds, fetches or compiles packages, for no longer than the request's own time.
    pub(crate) async fn in_time<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        match self.deadline().filter(|_| !self.patient) {
            Some(deadline) => tokio::time::timeout_at(deadline.into(), work).await.unwrap_or(Err(Error::OutOfTime(self.wall))),
            None => work.await,
        }
    }

    /// Begins to prepare packages in a guest. What that uses is part of what the request used, and the program has all of its limits
    /// nevertheless: else nobody could have a package whose preparation takes longer than a run, although the next one finds it prepared.
    #[must_use]
    pub fn prepare(&self) -> Preparing<'_> {
        Preparing { allowance: self, working: Working::begin() }
    }

    /// What looks have used, which the program cannot use any more.
    #[must_use]
    pub(crate) fn looks(&self) -> Usage {
        self.looks.usage()
    }

    /// What was used for the request so far; `wall` is the time since it came.
    #[must_use]
    pub fn used(&self) -> Usage {
        let mut usage = Usage::default();
        self.add_to(&mut usage);
        usage
    }

    /// Adds what was used before to what the program itself used.
    pub(crate) fn add_to(&self, usage: &mut Usage) {
        for before in [self.looks.usage(), self.preparation.usage()] {
            usage.add(&before);
        }
        usage.wall = self.started.elapsed();
    }
}

impl Drop for Allowance {
    fn drop(&mut self) {
        if let Some(tab) = self.tab.as_ref().filter(|_| !self.is_told.load(Ordering::Relaxed)) {
            note(tab, &self.used());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Facts, Policy, Request, Verdict};

    fn allowance(tab: &Tab) -> Allowance {
        let Verdict::Admit(grant) = Policy::builtin().admit(&Request::new("python", ""), &Facts::wasm(["python"])) else {
            panic!("admitted")
        };
        let stop = CancellationToken::new();
        Allowance::new(grant.subject().clone(), Some(grant.limits()), stop).noted(Some(Arc::clone(tab)))
    }

    fn noted(tab: &Tab) -> Usage {
        *tab.lock().unwrap()
    }

    #[tokio::test]
    async fn what_was_used_is_noted_once_however_it_ends() {
        let tab = Tab::default();
        let first = allowance(&tab);
        first.look().await.unwrap().used(&Usage { fuel: 5, ..Usage::default() });
        first.prepare().used(&Usage { fuel: 7, ..Usage::default() });
        drop(first);
        assert_eq!((noted(&tab).fuel, noted(&tab).cpu), (12, Duration::ZERO));
        // An outcome says it.
        let told = allowance(&tab);
        told.prepare().used(&Usage { fuel: 7, ..Usage::default() });
        told.told();
        drop(told);
        assert_eq!(noted(&tab).fuel, 12);
    }

    #[tokio::test]
    async fn what_nobody_told_counts_as_much_as_it_can_have_been() {
        let tab = Tab::default();
        let broken = allowance(&tab);
        let work = async {
            let _look = broken.look().await.unwrap();
            let _preparing = broken.prepare();
            std::future::pending::<()>().await;
        };
        assert!(tokio::time::timeout(Duration::from_millis(20), work).await.is_err());
        drop(broken);
        assert!(noted(&tab).cpu >= Duration::from_millis(40), "{:?}", noted(&tab));
    }
}
