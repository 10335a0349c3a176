//! Race of a call against its limits: when does a call into a guest end?

use super::interrupt::Interrupter;
use super::report::trapped;
use crate::engine::Metering;
use crate::executor::Report;
use crate::outcome::Status;
use glovebox_policy::Limit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Time for an interrupted program to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Interval at which the interrupt is repeated in that time: a program may have caught it.
const REPEAT: Duration = Duration::from_millis(250);

/// Interval at which a guest is asked that could not be interrupted.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// The reason why a call has to end before it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndCause {
    WallTime,
    Stopped,
}

impl EndCause {
    /// Returns the report of a run that ended for it.
    pub(super) fn report(self) -> Report {
        match self {
            Self::WallTime => Report::limited(Limit::Wall),
            Self::Stopped => Report::new(Status::Cancelled),
        }
    }
}

/// The way in which a call into a guest ended.
pub(super) enum Ending<T> {
    Returned(wasmtime::Result<T>),
    /// It returned because it was interrupted.
    Interrupted(EndCause, wasmtime::Result<T>),
    /// It was dropped half-way, which leaves the instance in an inconsistent state.
    GivenUp(EndCause),
}

impl<T> Ending<T> {
    /// Returns the report of a run; `completed` makes it of what the call returned.
    pub(super) fn report(self, completed: impl FnOnce(T) -> Report) -> Report {
        match self {
            Self::Returned(Ok(result)) => completed(result),
            Self::Returned(Err(error)) => trapped(&error),
            Self::Interrupted(cause, _) | Self::GivenUp(cause) => cause.report(),
        }
    }
}

/// The limits of a call.
pub(super) struct CallBounds<'a> {
    pub(super) metering: Metering,
    pub(super) wall: Duration,
    pub(super) stop: &'a CancellationToken,
    /// None if the call is given up when its time is up.
    pub(super) interrupter: Option<&'a Interrupter>,
}

/// Runs a call until it returns, the time is up or it is cancelled; also returns the CPU time. With
/// an interrupter the call is interrupted then, and given up if it does not return.
pub(super) async fn race<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    bounds: CallBounds<'_>,
) -> (Ending<T>, Duration) {
    let CallBounds {
        wall,
        stop,
        interrupter,
        ..
    } = bounds;
    let mut call = Timed {
        call: pin!(call),
        is_short: bounds.metering == Metering::Fuel,
        cpu: Duration::ZERO,
    };
    let mut end = Instant::now().checked_add(wall);
    let mut next = end;
    let mut cause = None;
    let ending = loop {
        let found = tokio::select! {
            biased;
            () = stop.cancelled(), if cause.is_none() => EndCause::Stopped,
            result = call.until(next) => match (result, cause) {
                (Some(result), None) => break Ending::Returned(result),
                (Some(result), Some(cause)) => break Ending::Interrupted(cause, result),
                (None, _) => EndCause::WallTime,
            },
        };
        let now = Instant::now();
        let Some(interrupter) = interrupter else {
            break Ending::GivenUp(found);
        };
        if cause.is_none() {
            cause = Some(found);
            end = now.checked_add(GRACE);
        } else if let Some(cause) = cause.filter(|_| end.is_none_or(|end| end <= now)) {
            break Ending::GivenUp(cause);
        }
        // The call was not ready, so the guest is suspended.
        let interval = if interrupter.interrupt() {
            REPEAT
        } else {
            ASK_AGAIN
        };
        next = now.checked_add(interval).min(end);
    };
    if cause.is_some()
        && let Some(interrupter) = interrupter
    {
        interrupter.withdraw();
    }
    (ending, call.cpu)
}

/// A call whose CPU time is measured.
///
/// A guest that is metered by fuel yields after a millisecond at the latest, so its first time
/// slice is measured by the wall clock: reading the thread's CPU time costs two system calls, which
/// would slow a short run.
struct Timed<'a, F> {
    call: Pin<&'a mut F>,
    is_short: bool,
    cpu: Duration,
}

impl<T, F: Future<Output = wasmtime::Result<T>>> Timed<'_, F> {
    /// Runs the call until it returns or a time.
    async fn until(&mut self, end: Option<Instant>) -> Option<wasmtime::Result<T>> {
        let mut timer = pin!(async move {
            match end {
                Some(end) => tokio::time::sleep_until(end.into()).await,
                None => std::future::pending().await,
            }
        });
        std::future::poll_fn(|context| {
            let result = self.poll(context);
            // A busy tokio runtime checks its timers only now and then.
            if result.is_pending()
                && (timer.as_mut().poll(context).is_ready()
                    || end.is_some_and(|end| end <= Instant::now()))
            {
                return Poll::Ready(None);
            }
            result.map(Some)
        })
        .await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<wasmtime::Result<T>> {
        if std::mem::take(&mut self.is_short) {
            let started = Instant::now();
            let result = self.call.as_mut().poll(context);
            self.cpu += started.elapsed();
            return result;
        }
        let before = thread_cpu_time();
        let result = self.call.as_mut().poll(context);
        self.cpu += thread_cpu_time().saturating_sub(before);
        result
    }
}

fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
