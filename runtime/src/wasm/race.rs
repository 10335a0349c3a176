//! Race of a call against its limits: when does a call into a guest end?

use crate::engine::Metering;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// The way in which a call into a guest ended.
pub(super) enum Ending<T> {
    Returned(wasmtime::Result<T>),
    WallTime,
    Stopped,
}

/// Runs a call until it returns, the time is up or it is cancelled; also returns the CPU time.
///
/// A guest that is metered by fuel yields after a millisecond at the latest, so its first time
/// slice is measured by the wall clock: reading the thread's CPU time costs two system calls, which
/// would slow a short run.
pub(super) async fn race<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    metering: Metering,
    (wall, stop): (Duration, &CancellationToken),
) -> (Ending<T>, Duration) {
    let mut cpu = Duration::ZERO;
    let ending = {
        let mut call = pin!(call);
        let mut is_short = metering == Metering::Fuel;
        let started = Instant::now();
        let metered = std::future::poll_fn(|context| {
            if std::mem::take(&mut is_short) {
                let result = call.as_mut().poll(context);
                cpu += started.elapsed();
                return result.map(Some);
            }
            let before = thread_cpu_time();
            let result = call.as_mut().poll(context);
            cpu += thread_cpu_time().saturating_sub(before);
            // A busy tokio runtime checks its timers only now and then.
            if result.is_pending() && started.elapsed() >= wall {
                return Poll::Ready(None);
            }
            result.map(Some)
        });
        tokio::select! {
            biased;
            () = stop.cancelled() => Ending::Stopped,
            result = tokio::time::timeout(wall, metered) => result.ok().flatten().map_or(Ending::WallTime, Ending::Returned),
        }
    };
    (ending, cpu)
}

fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
