//! Shutdown flag: does the service still accept something new?

use crate::error::{Code, ServiceError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The state of the service that everything which begins something asks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shutdown(CancellationToken);

impl Shutdown {
    /// From here on, nothing new is accepted.
    pub(crate) fn begin(&self) {
        self.0.cancel();
    }

    /// Whether the service is shutting down.
    pub(crate) fn has_begun(&self) -> bool {
        self.0.is_cancelled()
    }

    /// # Errors
    ///
    /// If the service is shutting down, and so accepts nothing new.
    pub(crate) fn check(&self, detail: &str) -> Result<(), ServiceError> {
        if self.has_begun() {
            return Err(
                ServiceError::new(Code::ShuttingDown, detail).retry_after(Duration::from_secs(5))
            );
        }
        Ok(())
    }
}
