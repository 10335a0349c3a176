//! Usage accounting outside of executions: which subject pays for work that has no record of its own?
//!
//! Explanations, opening sessions and changing their packages run guests for a subject and leave no record. What they use is added to the
//! usage of that subject, even if they fail or the client disconnects.

use super::App;
use super::execution::usage_row;
use super::problem::Problem;
use super::store::{UsageRow, now_ms};
use glovebox::policy::Subject;
use glovebox::{RunId, Usage};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The usage that the sandbox has recorded and that is not counted yet.
pub(super) type Tab = Arc<Mutex<Usage>>;

/// Counts the usage on a tab when it is dropped.
pub(super) struct Charge {
    app: Arc<App>,
    subject: Subject,
    tab: Tab,
}

impl Charge {
    pub(super) fn new(app: &Arc<App>, subject: &Subject, tab: Tab) -> Self {
        Self {
            app: Arc::clone(app),
            subject: subject.clone(),
            tab,
        }
    }

    /// Counts it now, and waits until it is stored.
    pub(super) async fn settle(self) -> Result<(), Problem> {
        match self.counting() {
            Some(counting) => counting
                .await
                .map_err(|error| Problem::internal(&error))?
                .map_err(|error| Problem::internal(&error)),
            None => Ok(()),
        }
    }

    /// Counts it on a task of its own, which goes on if the client disconnects.
    fn counting(&self) -> Option<JoinHandle<Result<(), String>>> {
        let runtime = Handle::try_current().ok()?;
        let (app, usage) = (Arc::clone(&self.app), self.take()?);
        Some(runtime.spawn(async move {
            let counted = app
                .store
                .add_usage(&RunId::random().to_string(), usage)
                .await;
            counted
                .inspect_err(|error| tracing::error!(error, "what was used could not be counted"))
        }))
    }

    /// Takes the usage off the tab, so that it is not counted twice.
    fn take(&self) -> Option<UsageRow> {
        let usage = std::mem::take(&mut *self.tab.lock().unwrap_or_else(PoisonError::into_inner));
        (usage != Usage::default()).then(|| usage_row(self.subject.as_str(), now_ms(), &usage))
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        drop(self.counting());
    }
}
