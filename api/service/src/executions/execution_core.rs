//! Core of executions: what do they need?

use super::dispatcher::Dispatcher;
use super::registry::Registry;
use crate::alerts::Alerts;
use crate::contents::Contents;
use crate::detached::DetachedChanges;
use crate::error::ServiceError;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::quotas::Quotas;
use crate::records::Records;
use crate::scheduler::Processors;
use crate::shutdown::Shutdown;
use std::sync::Arc;
use tokio::sync::Notify;

/// The dependencies of executions.
pub(crate) struct ExecutionCore {
    pub(crate) dispatcher: Arc<dyn Dispatcher>,
    pub(crate) queue: Queue,
    pub(crate) processors: Arc<Processors>,
    pub(crate) records: Records,
    pub(crate) contents: Contents,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) metrics: Arc<Metrics>,
    /// Wakes the supervisor at once.
    pub(crate) host_failed: Arc<Notify>,
    pub(crate) detached: DetachedChanges,
    pub(crate) shutdown: Shutdown,
    pub(crate) registry: Registry,
}

impl ExecutionCore {
    pub(super) async fn delete(&self, subject: &str, id: &str) -> Result<(), ServiceError> {
        let deleted = self.records.delete_execution(subject, id).await?;
        self.registry.remove(id);
        let deleted = deleted.ok_or_else(|| ServiceError::not_found("execution"))?;
        self.quotas
            .give_back(subject, u64::try_from(deleted.bytes).unwrap_or(0));
        for sha256 in deleted.contents {
            if let Err(error) = self.contents.remove_unused(&sha256).await {
                tracing::warn!(%error, "whether a content is needed could not be found out; it stays for now");
            }
        }
        Ok(())
    }
}
