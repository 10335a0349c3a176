//! Collection of artifacts: which files of a program's workspace does the caller get?

use super::race::{CallBounds, EndCause, Ending, race};
use crate::account::MemoryHold;
use crate::engine::Metering;
use crate::executor::Report;
use crate::filesystem::{CollectLimits, Filesystem};
use crate::outcome::Status;
use globset::GlobSet;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The least time for collecting artifacts, whatever time the program has left.
const LEAST_COLLECTING: Duration = Duration::from_secs(1);

/// The most artifacts of one run.
const MAX_ARTIFACTS: usize = 1000;

/// Collects the artifacts that a request asked for, within what its limits have left.
pub(super) struct Collecting<'a> {
    pub(super) globs: &'a GlobSet,
    pub(super) bytes: u64,
    pub(super) metering: Metering,
    pub(super) wall: Duration,
    pub(super) stop: &'a CancellationToken,
}

impl Collecting<'_> {
    pub(super) async fn collect(
        &self,
        report: &mut Report,
        (files, mut held): (&Filesystem, MemoryHold),
        began: Instant,
    ) {
        if self.globs.is_empty() {
            return;
        }
        let limits = CollectLimits {
            files: MAX_ARTIFACTS,
            bytes: self.bytes,
        };
        // A program that used all of its time still gets what can be found quickly.
        let left = self
            .wall
            .saturating_sub(began.elapsed())
            .max(LEAST_COLLECTING);
        let collecting = async { Ok(files.collect(self.globs, limits, &mut held).await) };
        let bounds = CallBounds {
            metering: self.metering,
            wall: left,
            stop: self.stop,
            interrupter: None,
        };
        let (ending, cpu) = race(collecting, bounds).await;
        report.usage.cpu = report.usage.cpu.saturating_add(cpu);
        match ending {
            Ending::Returned(Ok(collected)) => {
                report.artifacts_truncated = collected.truncated;
                report.artifacts = collected.artifacts;
            }
            Ending::GivenUp(EndCause::Stopped) => {
                report.artifacts_truncated = true;
                report.status = Status::Cancelled;
            }
            Ending::Returned(Err(_)) | Ending::Interrupted(..) | Ending::GivenUp(_) => {
                report.artifacts_truncated = true;
            }
        }
    }
}
