//! Usage accounting outside of executions: which subject pays for work that has no record of its
//! own?
//!
//! Explanations, opening sessions and changing their packages run guests for a subject and leave no
//! record. What they use is added to the usage of that subject, even if they fail or the client
//! disconnects.

use crate::error::ServiceError;
use crate::records::{Records, now_ms};
use glovebox::{RunId, Usage};
use glovebox_policy::Subject;
use glovebox_wire::records::UsageDay;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The usage that the sandbox has recorded and that is not counted yet.
pub(crate) type Tab = Arc<Mutex<Usage>>;

/// Counts the usage on a tab when it is dropped.
pub(crate) struct UsageCharge {
    records: Records,
    subject: Subject,
    tab: Tab,
}

impl UsageCharge {
    pub(crate) fn new(records: &Records, subject: &Subject, tab: Tab) -> Self {
        Self {
            records: records.clone(),
            subject: subject.clone(),
            tab,
        }
    }

    /// Counts it now, and waits until it is stored.
    pub(crate) async fn settle(self) -> Result<(), ServiceError> {
        match self.counting() {
            Some(counting) => counting
                .await
                .map_err(|error| ServiceError::internal(&error))?
                .map_err(|error| ServiceError::internal(&error)),
            None => Ok(()),
        }
    }

    /// Counts it on a task of its own, which goes on if the client disconnects.
    fn counting(&self) -> Option<JoinHandle<Result<(), String>>> {
        let runtime = Handle::try_current().ok()?;
        let (records, usage) = (self.records.clone(), self.take()?);
        Some(runtime.spawn(async move {
            let counted = records.add_usage(&RunId::random().to_string(), usage).await;
            counted
                .inspect_err(|error| tracing::error!(error, "what was used could not be counted"))
        }))
    }

    /// Takes the usage off the tab, so that it is not counted twice.
    fn take(&self) -> Option<UsageDay> {
        let usage = std::mem::take(&mut *self.tab.lock().unwrap_or_else(PoisonError::into_inner));
        (usage != Usage::default()).then(|| usage_of_day(self.subject.as_str(), now_ms(), &usage))
    }
}

impl Drop for UsageCharge {
    fn drop(&mut self) {
        drop(self.counting());
    }
}

/// Converts usage of a subject to its usage on a day.
pub(crate) fn usage_of_day(subject: &str, day_ms: i64, usage: &Usage) -> UsageDay {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
    UsageDay {
        subject: subject.to_owned(),
        day_ms,
        executions: 0,
        denied: 0,
        limited: 0,
        wall_us: micros(usage.wall),
        cpu_us: micros(usage.cpu),
        fuel: number(usage.fuel),
        output_bytes: number(usage.output),
    }
}
