//! Wake-up of a waiting guest: how does a wait in the host end early?
//!
//! An interrupt changes the guest's memory, at which it looks only when it runs again.

use futures_util::task::AtomicWaker;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// Ends one wait of a guest, the current one or the next. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WakeUp(Arc<WakeUpState>);

#[derive(Debug, Default)]
struct WakeUpState {
    is_due: AtomicBool,
    is_ending: AtomicBool,
    waiting: AtomicWaker,
}

impl WakeUp {
    /// Ends the current wait, or the next one.
    pub(crate) fn wake(&self) {
        self.0.is_ending.store(true, Ordering::Relaxed);
        self.0.is_due.store(true, Ordering::Release);
        self.0.waiting.wake();
    }

    /// Ends the interrupt, and takes back a wake-up that has ended no wait.
    pub(crate) fn withdraw(&self) {
        self.0.is_ending.store(false, Ordering::Relaxed);
        self.0.is_due.store(false, Ordering::Relaxed);
    }

    /// Returns whether the evaluation was interrupted, and has to end.
    pub(crate) fn is_ending(&self) -> bool {
        self.0.is_ending.load(Ordering::Relaxed)
    }

    /// Waits for a wake-up.
    pub(crate) async fn woken(&self) {
        poll_fn(|context| {
            self.0.waiting.register(context.waker());
            if self.0.is_due.swap(false, Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Waits for a future; returns `None` if it is woken first.
    pub(crate) async fn unless_woken<T>(&self, wait: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            result = wait => Some(result),
            () = self.woken() => None,
        }
    }
}
