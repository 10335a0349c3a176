//! What may be used up for a request besides its own run?
//!
//! Its text is looked at and its packages are compiled by guests of ours, on its behalf. They take what they need out of the request's own
//! limits, take their turn among those of its subject, end when it is stopped, and are part of what it used.

use crate::outcome::Usage;
use glovebox_policy::{LimitWishes, Limits, Subject};
use std::sync::atomic::{AtomicU64, Ordering};
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
    looks: Spent,
    preparation: Spent,
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
        let (wall, fuel, memory) = limits.map_or_else(Default::default, |limits| (limits.wall, limits.fuel, limits.memory));
        Self { subject, started: Instant::now(), wall, fuel, memory, stop, looks: Spent::default(), preparation: Spent::default() }
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

    /// The limits of one more look: what is left of the share that all looks have together. None where nothing is left.
    #[must_use]
    pub fn look(&self) -> Option<LimitWishes> {
        let looked = self.looks.usage();
        let wall = (self.wall / SHARE).saturating_sub(looked.wall);
        let fuel = (self.fuel / u64::from(SHARE)).saturating_sub(looked.fuel);
        let is_left = !wall.is_zero() && fuel > 0 && self.memory > 0 && !self.stop.is_cancelled();
        is_left.then(|| LimitWishes { wall: Some(wall), fuel: Some(fuel), memory: Some(self.memory), ..LimitWishes::default() })
    }

    /// Notes what a look has used, and how long the request waited for it in all. It is part of what the request used, and the program has
    /// so much less.
    pub fn looked(&self, usage: &Usage, waited: Duration) {
        self.looks.add(&Usage { wall: waited, ..*usage });
    }

    /// Notes what was used to prepare packages. It is part of what the request used, and the program has all of its limits nevertheless:
    /// else nobody could have a package whose preparation takes longer than a run, although the next one finds it prepared.
    pub fn prepared(&self, usage: &Usage) {
        self.preparation.add(usage);
    }

    /// What looks have used, which the program cannot use any more.
    #[must_use]
    pub fn looks(&self) -> Usage {
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
            usage.cpu = usage.cpu.saturating_add(before.cpu);
            usage.fuel = usage.fuel.saturating_add(before.fuel);
            usage.peak_memory = usage.peak_memory.max(before.peak_memory);
        }
        usage.wall = self.started.elapsed();
    }
}
