//! Process metrics: how many threads and file descriptors, and how much memory, does this process
//! use?
//!
//! The kernel's numbers, not the sandbox's: they are the oracle for leaks of memory, threads and
//! file descriptors.

use std::fs;
use std::time::{Duration, Instant};

/// Threads and open file descriptors at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Open file descriptors.
    pub files: usize,
    /// Threads of the runtime; those of the test runner come and go.
    pub threads: usize,
}

impl Vitals {
    /// Counts now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            files: count("/proc/self/fd"),
            threads: workers(),
        }
    }

    /// Waits up to fifteen seconds (an idle blocking thread lives for ten) until no more is in use
    /// than before; otherwise returns what leaked.
    #[must_use]
    pub fn left_over(self) -> Option<Self> {
        let patience = Instant::now() + Duration::from_secs(15);
        loop {
            let now = Self::now();
            if now.files <= self.files && now.threads <= self.threads {
                return None;
            }
            if Instant::now() > patience {
                return Some(now);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn workers() -> usize {
    let threads = fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten();
    threads
        .filter(|thread| {
            fs::read_to_string(thread.path().join("comm"))
                .is_ok_and(|name| name.starts_with("tokio"))
        })
        .count()
}

fn count(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// Resident memory in bytes.
#[must_use]
pub fn resident() -> u64 {
    status("VmRSS:")
}

/// Returns the peak of resident memory in bytes since [`forget_peak`].
#[must_use]
pub fn peak_resident() -> u64 {
    status("VmHWM:")
}

/// Resets the peak to the current resident memory.
pub fn forget_peak() {
    // On a kernel without `clear_refs` the old peak stays, and a test may blame a run for an
    // usage of an earlier one.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .unwrap_or("0");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .unwrap_or(0)
        << 10
}
