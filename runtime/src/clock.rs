//! Virtual clocks: what time does a guest see?
//!
//! A fine clock enables timing attacks, so guests see time in steps of the granted resolution, and
//! the monotonic clock starts with the run so that it does not reveal the host's uptime.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// The clocks of one run or session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GuestClock {
    start: Instant,
    resolution: Duration,
}

impl GuestClock {
    pub(crate) fn new(resolution: Duration) -> Self {
        Self {
            start: Instant::now(),
            resolution: resolution.max(Duration::from_nanos(1)),
        }
    }

    fn coarse(&self, time: Duration) -> Duration {
        let step = self.resolution.as_nanos();
        let nanos = time.as_nanos() / step * step;
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Returns the wall-clock time since the Unix epoch.
    pub(crate) fn wall(&self) -> Duration {
        self.coarse(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default(),
        )
    }
}

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        self.resolution
    }

    fn now(&self) -> Duration {
        self.wall()
    }
}

impl HostMonotonicClock for GuestClock {
    fn resolution(&self) -> u64 {
        u64::try_from(self.resolution.as_nanos()).unwrap_or(u64::MAX)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.coarse(self.start.elapsed()).as_nanos()).unwrap_or(u64::MAX)
    }
}
