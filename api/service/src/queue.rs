//! Queue for concurrency slots: may a subject begin, and when?

use crate::config::ServiceLimits;
use crate::error::{Code, ServiceError};
use crate::metrics::Metrics;
use crate::quotas::Quotas;
use crate::scheduler::{Admission, AdmissionLimits, QueueEntry, QueueFull};
use crate::subject_quotas::SubjectQuotas;
use glovebox_policy::{Quota, Subject};
use std::sync::Arc;
use std::time::Duration;

/// Hands out concurrency slots for all work of guests. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Queue {
    admission: Arc<Admission>,
    limits: AdmissionLimits,
    quotas: Arc<Quotas>,
    of_subjects: Arc<SubjectQuotas>,
    metrics: Arc<Metrics>,
}

impl Queue {
    pub(crate) fn new(
        limits: &ServiceLimits,
        quotas: Arc<Quotas>,
        of_subjects: Arc<SubjectQuotas>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let limits = AdmissionLimits {
            running: limits.running,
            queue: limits.queue,
            queue_bytes: limits.queue_bytes,
        };
        Self {
            admission: Admission::new(limits, Arc::clone(&of_subjects)),
            limits,
            quotas,
            of_subjects,
            metrics,
        }
    }

    /// Returns a concurrency slot, now or later; `bytes` count for the request while it is queued.
    ///
    /// # Errors
    ///
    /// If the subject is over a quota, or the queue is full.
    pub(crate) fn enter(
        &self,
        subject: &Subject,
        bytes: usize,
    ) -> Result<QueueEntry, ServiceError> {
        let entered = self.quotas.check(subject).and_then(|()| {
            self.admission
                .enter(subject, bytes)
                .map_err(|full| self.refusal(subject, full))
        });
        entered.inspect_err(|_| {
            self.metrics.refused.inc();
        })
    }

    fn refusal(&self, subject: &Subject, full: QueueFull) -> ServiceError {
        let soon = Duration::from_secs(1);
        match full {
            QueueFull::Subject(denial) => {
                let most = self.of_subjects.of(subject).get(Quota::Queued);
                let detail = format!(
                    "queue full: this key has reached `{}` ({})",
                    denial.rule,
                    most.unwrap_or_default()
                );
                ServiceError::over_quota(Code::QueueFull, detail, *denial).retry_after(soon)
            }
            QueueFull::SubjectBytes => {
                let detail = format!(
                    "queue full: the queued requests of this key have reached half of `limits.queue_bytes` ({})",
                    self.limits.queue_bytes
                );
                ServiceError::new(Code::QueueFull, detail).retry_after(soon)
            }
            QueueFull::All => {
                let detail = format!(
                    "queue full: the service has reached `limits.queue` ({})",
                    self.limits.queue
                );
                ServiceError::new(Code::Overloaded, detail).retry_after(Duration::from_secs(2))
            }
        }
    }

    /// Returns the number of running and of queued executions.
    pub(crate) fn numbers(&self) -> (usize, usize) {
        self.admission.numbers()
    }
}
