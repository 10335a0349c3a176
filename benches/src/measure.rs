//! Sampling and reporting: how is a figure measured and printed?

use anyhow::{Context as _, Result, ensure};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Sorted durations of one measurement.
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Sorts the samples.
    pub(crate) fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// Returns the percentile.
    pub(crate) fn quantile(&self, percent: usize) -> Duration {
        let index = self.0.len().saturating_sub(1) * percent / 100;
        self.0.get(index).copied().unwrap_or_default()
    }

    /// Returns the median.
    pub(crate) fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// Prints p50, p99 and the minimum in one line.
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

/// Prints the ratio of two durations.
pub(crate) fn ratio(name: &str, baseline: Duration, ours: Duration) {
    println!(
        "  {name:<34} {:.1}x",
        baseline.as_secs_f64() / ours.as_secs_f64()
    );
}

/// Times a native command from start to exit, after one warm-up run; `None` if it is not installed.
pub(crate) fn command(program: &str, arguments: &[&str], runs: usize) -> Result<Option<Samples>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the baseline is a native interpreter"
    )]
    let run = || {
        Command::new(program)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
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
