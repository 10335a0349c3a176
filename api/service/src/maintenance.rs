//! Maintenance: what is done at intervals while the service runs?
//!
//! Idle sessions end, what is past its retention is deleted, and what each subject has written to
//! the audit log gets into the database.

use crate::alerts::Alerts;
use crate::audit_search;
use crate::config::Retention;
use crate::contents::Contents;
use crate::executions::Executions;
use crate::identities::Identities;
use crate::quotas::Quotas;
use crate::records::{Records, now_ms};
use crate::sessions::Sessions;
use crate::trees::Trees;
use cap_std::fs::Dir;
use glovebox::JsonLines;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Interval of the sweep for expired sessions.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Sweeps between two runs of retention.
const SWEEPS_PER_RETENTION: u64 = 300;

/// Sweeps between two updates of audit log usage in the database.
const SWEEPS_PER_AUDIT_UPDATE: u64 = 5;

/// Grace period of content without a record: its record may be about to be written.
const ORPHAN_GRACE: Duration = Duration::from_secs(3600);

/// The parts of the service that need maintenance. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Maintenance {
    pub(crate) executions: Executions,
    pub(crate) sessions: Sessions,
    pub(crate) trees: Trees,
    pub(crate) identities: Identities,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) records: Records,
    pub(crate) contents: Contents,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) audit: Arc<JsonLines>,
    pub(crate) state: Arc<Dir>,
    pub(crate) retention: Retention,
}

impl Maintenance {
    /// Sweeps for as long as the service runs.
    pub(crate) async fn run(self) {
        let mut sweeps = 0_u64;
        loop {
            tokio::time::sleep(SWEEP_INTERVAL).await;
            self.sessions.expire().await;
            self.quotas.audited(&self.audit.take_written());
            if sweeps.is_multiple_of(SWEEPS_PER_AUDIT_UPDATE) {
                self.store_audited().await;
            }
            self.executions.forget();
            self.trees.forget(now_ms());
            if sweeps.is_multiple_of(SWEEPS_PER_RETENTION) {
                self.identities.forget();
                self.alerts.forget();
                if let Err(error) = self.forget().await {
                    tracing::error!(%error, "retention sweep failed");
                }
            }
            sweeps += 1;
        }
    }

    /// Adds to the database what each subject has written to the audit log.
    pub(crate) async fn store_audited(&self) {
        let mut untold = self.quotas.take_untold();
        if let Err(error) = self.records.add_audited(&mut untold, now_ms()).await {
            tracing::warn!(%error, "usage of the audit log could not be stored; it is tried again");
            self.quotas.tell_again(&untold);
        }
    }

    /// Measures the audit log anew, as segments of it may be gone.
    async fn measure_audit(&self) -> Result<(), sqlx::Error> {
        let now = now_ms();
        let kept = self
            .retention
            .audit
            .map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        self.records.forget_audited(now, kept).await?;
        let written = self.records.audited(now).await?;
        self.quotas
            .audit_is(written, audit_search::bytes(&self.state)?);
        Ok(())
    }

    /// Deletes segments of the audit log that are past their retention.
    async fn forget_segments(&self, age: Duration) {
        let state = Arc::clone(&self.state);
        let gone = tokio::task::spawn_blocking(move || audit_search::forget(&state, age))
            .await
            .map_err(io::Error::other)
            .flatten();
        match gone {
            Ok(0) => {}
            Ok(segments) => tracing::info!(
                segments,
                "segments of the audit log are forgotten, as the retention says"
            ),
            Err(error) => {
                tracing::error!(%error, "retention sweep of the audit log failed");
            }
        }
    }

    /// Deletes what is past its retention.
    async fn forget(&self) -> Result<(), sqlx::Error> {
        if let Some(age) = self.retention.audit {
            self.forget_segments(age).await;
        }
        if let Err(error) = self.measure_audit().await {
            tracing::error!(%error, "the audit log could not be measured");
        }
        let age = i64::try_from(self.retention.executions.as_millis()).unwrap_or(i64::MAX);
        let mut freed = Vec::new();
        let gone = self
            .records
            .forget(now_ms().saturating_sub(age), &mut freed)
            .await;
        for (subject, bytes) in freed {
            self.quotas
                .give_back(&subject, u64::try_from(bytes).unwrap_or(0));
        }
        match gone {
            Ok(0) => {}
            Ok(executions) => tracing::info!(executions, "forgotten, as the retention says"),
            Err(error) => {
                tracing::error!(%error, "retention sweep of executions failed");
            }
        }
        let blobs = self.contents.blobs.clone();
        let old = tokio::task::spawn_blocking(move || blobs.older_than(ORPHAN_GRACE))
            .await
            .map_err(|error| sqlx::Error::Io(io::Error::other(error)))?;
        let mut result = Ok(());
        for sha256 in old.map_err(sqlx::Error::Io)? {
            // A failed lookup of one content does not keep the others from being removed.
            result = result.and(self.contents.remove_unused(&sha256).await);
        }
        result
    }
}
