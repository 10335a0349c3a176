//! SelfWake repolling: how does a connection go on when it has woken itself?
//!
//! The body of a request goes through a channel from a connection to itself, so a connection wakes
//! itself for each request with a body. The scheduler would wake another worker thread for that;
//! here the future is polled once more instead.

use futures_util::task::AtomicWaker;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Polls in a row before other tasks have their turn: a program that yields wakes itself as well.
const LOOKS: usize = 2;

/// Not being polled, and not woken.
const RESTS: u8 = 0;
/// Being polled.
const IS_POLLED: u8 = 1;
/// Woken since the current poll began, or while it was at rest.
const WAS_WOKEN: u8 = 2;

/// A future that may wake itself while it is polled.
pub(super) struct SelfWake<F> {
    future: Pin<Box<F>>,
    wakes: Arc<Wakes>,
    waker: Waker,
}

struct Wakes {
    state: AtomicU8,
    task: AtomicWaker,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Written even if it is set already, so that the next poll sees all writes before this one.
        if self.state.fetch_or(WAS_WOKEN, Ordering::AcqRel) == RESTS {
            self.task.wake();
        }
    }
}

impl<F: Future> SelfWake<F> {
    pub(super) fn new(future: F) -> Self {
        let wakes = Arc::new(Wakes {
            state: AtomicU8::new(RESTS),
            task: AtomicWaker::new(),
        });
        Self {
            future: Box::pin(future),
            waker: Waker::from(Arc::clone(&wakes)),
            wakes,
        }
    }

    /// Returns the future.
    pub(super) fn get(&mut self) -> Pin<&mut F> {
        self.future.as_mut()
    }
}

impl<F: Future> Future for SelfWake<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        this.wakes.task.register(context.waker());
        for _ in 0..LOOKS {
            this.wakes.state.swap(IS_POLLED, Ordering::AcqRel);
            if let Poll::Ready(output) = this
                .future
                .as_mut()
                .poll(&mut Context::from_waker(&this.waker))
            {
                return Poll::Ready(output);
            }
            if this.wakes.state.swap(RESTS, Ordering::AcqRel) == IS_POLLED {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// A future that wakes itself a given number of times.
    struct Restless {
        left: usize,
        polls: usize,
        kept: Option<Waker>,
    }

    impl Future for Restless {
        type Output = ();

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            self.polls += 1;
            self.kept = Some(context.waker().clone());
            if self.left > 0 {
                self.left -= 1;
                context.waker().wake_by_ref();
            }
            Poll::Pending
        }
    }

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls once; returns how often the inner future was polled, and how often its task was woken.
    fn polled(left: usize) -> (usize, usize, SelfWake<Restless>, Arc<Count>) {
        let count = Arc::new(Count(AtomicUsize::new(0)));
        let mut inline = SelfWake::new(Restless {
            left,
            polls: 0,
            kept: None,
        });
        assert!(
            Pin::new(&mut inline)
                .poll(&mut Context::from_waker(&Waker::from(Arc::clone(&count))))
                .is_pending()
        );
        (
            inline.get().polls,
            count.0.load(Ordering::Relaxed),
            inline,
            count,
        )
    }

    #[test]
    fn self_woken_connection_is_polled_again_and_not_scheduled() {
        for (wakes, looks, scheduled) in [(0, 1, 0), (1, 2, 0), (2, 2, 1), (1000, 2, 1)] {
            let (polls, woken, ..) = polled(wakes);
            assert_eq!((polls, woken), (looks, scheduled), "{wakes} wakes");
        }
    }

    #[test]
    fn wake_of_a_resting_connection_wakes_its_task() {
        let (_, _, mut inline, count) = polled(1);
        let waker = inline.get().kept.take().unwrap();
        waker.wake_by_ref();
        // The task is woken already.
        waker.wake();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
