//! Detached changes: which ones go on if their client disconnects?

use crate::error::ServiceError;
use glovebox::FairSlots;
use glovebox_policy::Subject;

/// Concurrent changes of stored data that run to completion even if their clients disconnect; the
/// subjects take turns, and none has all of the slots.
const CHANGES: usize = 64;

/// Runs changes of stored data to completion. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct DetachedChanges(FairSlots);

impl DetachedChanges {
    pub(crate) fn new() -> Self {
        Self(FairSlots::new(CHANGES))
    }

    /// Runs a change of stored data to completion once it has begun, even if the client disconnects
    /// and this future is dropped: half of it would leave data that counts for no subject. The
    /// number of such changes is bounded, because the connections of their clients do not bound it.
    ///
    /// # Errors
    ///
    /// Those of the change.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        subject: &Subject,
        change: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let slot = self.0.acquire(subject).await;
        let changing = tokio::spawn(async move {
            let _slot = slot;
            change.await
        });
        changing
            .await
            .map_err(|error| ServiceError::internal(&error))?
    }
}
