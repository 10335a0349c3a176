//! Concurrency slots: how many runs may be under way at once, in all and for each subject?

use super::SandboxParts;
use crate::error::{Error, InternalError};
use glovebox_policy::{Grant, Subject};
use std::sync::{Arc, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

/// A run's concurrency slot; released when dropped.
pub(crate) struct ConcurrencySlot {
    _counted: CountedRun,
    _permit: Option<OwnedSemaphorePermit>,
}

/// One counted run of a subject, also while it waits for a slot; no longer counted when dropped.
struct CountedRun {
    sandbox: Arc<SandboxParts>,
    subject: Subject,
}

impl Drop for CountedRun {
    fn drop(&mut self) {
        self.sandbox.uncount(&self.subject);
    }
}

impl SandboxParts {
    /// Waits until the subject is below its quota and a slot is free.
    pub(super) async fn acquire_slot(
        self: &Arc<Self>,
        grant: &Grant,
    ) -> Result<ConcurrencySlot, Error> {
        let subject = grant.subject().clone();
        if !self.count(&subject, grant) {
            Box::pin(self.wait_for_turn(&subject, grant)).await;
        }
        let counted = CountedRun {
            sandbox: Arc::clone(self),
            subject,
        };
        let permit = match &self.permits {
            None => None,
            // None is free while a run waits, so this overtakes none.
            Some(permits) => match Arc::clone(permits).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => Some(
                    Box::pin(Arc::clone(permits).acquire_owned())
                        .await
                        .map_err(InternalError::Slot)?,
                ),
            },
        };
        Ok(ConcurrencySlot {
            _counted: counted,
            _permit: permit,
        })
    }

    async fn wait_for_turn(&self, subject: &Subject, grant: &Grant) {
        loop {
            // Registers before it checks, so that an end in between is not missed.
            let ended = self.ended.notified();
            if self.count(subject, grant) {
                return;
            }
            ended.await;
        }
    }

    fn count(&self, subject: &Subject, grant: &Grant) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.get(subject).copied().unwrap_or(0);
        let may = grant.check_concurrency(count).is_ok();
        if may {
            running.insert(subject.clone(), count + 1);
        }
        may
    }

    fn uncount(&self, subject: &Subject) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(subject) {
            *count -= 1;
            if *count == 0 {
                running.remove(subject);
            }
        }
        drop(running);
        self.ended.notify_waiters();
    }
}
