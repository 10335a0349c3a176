//! How is a figure taken and printed?

use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sorted durations of one thing.
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Sorts what was measured.
    pub(crate) fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// This many percent are below.
    pub(crate) fn quantile(&self, percent: usize) -> Duration {
        let index = self.0.len().saturating_sub(1) * percent / 100;
        self.0.get(index).copied().unwrap_or_default()
    }

    /// Half are below.
    pub(crate) fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// Prints one line.
    pub(crate) fn print(&self, name: &str) {
        println!(
            "  {name:<34} p50 {:>10.1?}  p99 {:>10.1?}  min {:>10.1?}  ({} runs)",
            self.median(),
            self.quantile(99),
            self.quantile(0),
            self.0.len()
        );
    }
}

/// Prints how two things compare.
pub(crate) fn ratio(name: &str, baseline: Duration, ours: Duration) {
    println!("  {name:<34} {:.1}x", baseline.as_secs_f64() / ours.as_secs_f64());
}

/// Times a native command, whole, after one run that warms the caches; nothing where it is not installed.
pub(crate) fn command(program: &str, arguments: &[&str], runs: usize) -> Result<Option<Samples>> {
    #[expect(clippy::disallowed_methods, reason = "the baseline is a native interpreter")]
    let run = || Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if run().is_err() {
        println!("  (no `{program}` here to compare with)");
        return Ok(None);
    }
    let mut samples = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        let status = run().with_context(|| format!("cannot run `{program}`"))?;
        samples.push(started.elapsed());
        ensure!(status.success(), "`{program}` failed");
    }
    Ok(Some(Samples::new(samples)))
}
