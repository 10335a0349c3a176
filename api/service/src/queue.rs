//! Queue for concurrency slots: may a subject begin, and when?

use crate::config::Limits;
use crate::error::{Code, ServiceError};
use crate::metrics::Metrics;
use crate::quotas::Quotas;
use crate::scheduler::{Admission, AdmissionLimits, Admitted, QueueFull};
use glovebox_policy::Subject;
use std::sync::Arc;
use std::time::Duration;

/// Hands out concurrency slots for all work of guests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Queue {
    admission: Arc<Admission>,
    limits: AdmissionLimits,
    quotas: Arc<Quotas>,
    metrics: Arc<Metrics>,
}

impl Queue {
    pub(crate) fn new(limits: &Limits, quotas: Arc<Quotas>, metrics: Arc<Metrics>) -> Self {
        let limits = AdmissionLimits {
            running: limits.running,
            running_of_subject: limits.running_per_subject,
            queue: limits.queue,
            queue_of_subject: limits.queue_per_subject,
            queue_bytes: limits.queue_bytes,
        };
        Self {
            admission: Admission::new(limits),
            limits,
            quotas,
            metrics,
        }
    }

    /// Returns a concurrency slot, now or later; `bytes` count for the request while it is queued.
    ///
    /// # Errors
    ///
    /// If the subject is over a quota, or the queue is full.
    pub(crate) fn enter(&self, subject: &Subject, bytes: usize) -> Result<Admitted, ServiceError> {
        let entered = self.quotas.check(subject.as_str()).and_then(|()| {
            self.admission
                .enter(subject, bytes)
                .map_err(|full| self.refusal(full))
        });
        entered.inspect_err(|_| {
            self.metrics.refused.inc();
        })
    }

    fn refusal(&self, full: QueueFull) -> ServiceError {
        let (code, detail, seconds) = match full {
            QueueFull::Subject => (
                Code::QueueFull,
                format!(
                    "queue full: this key has reached `limits.queue_per_subject` ({})",
                    self.limits.queue_of_subject
                ),
                1,
            ),
            QueueFull::All => (
                Code::Overloaded,
                format!(
                    "queue full: the service has reached `limits.queue` ({})",
                    self.limits.queue
                ),
                2,
            ),
        };
        ServiceError::new(code, detail).retry_after(Duration::from_secs(seconds))
    }

    /// Returns the number of running and of queued executions.
    pub(crate) fn numbers(&self) -> (usize, usize) {
        self.admission.numbers()
    }
}
