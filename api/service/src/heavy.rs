//! Heavy work: where are large requests parsed and large records read?
//!
//! On blocking threads, a few at a time, and the subjects take turns: a client that sends many
//! large requests delays no other one.

use crate::error::ServiceError;
use glovebox::{FairSlots, Slot};
use glovebox_policy::Subject;

/// Minimum of concurrent pieces of heavy work, of which one subject has all but one at the most.
const MIN_SLOTS: usize = 2;

/// Does heavy work for subjects. Cheap to clone.
#[derive(Clone)]
pub struct HeavyWork(FairSlots);

/// The turn of a subject, until it is dropped.
pub struct Turn(Slot);

impl HeavyWork {
    pub(crate) fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self(FairSlots::new(processors.max(MIN_SLOTS)))
    }

    /// Waits for the turn of a subject.
    pub async fn turn(&self, subject: &Subject) -> Turn {
        Turn(self.0.acquire(subject).await)
    }
}

impl Turn {
    /// Runs work on a blocking thread, to its end, and gives up the turn.
    ///
    /// # Errors
    ///
    /// If the work panics, or the service shuts down.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let done = tokio::task::spawn_blocking(move || {
            let _turn = self.0;
            work()
        });
        done.await.map_err(|error| ServiceError::internal(&error))
    }
}
