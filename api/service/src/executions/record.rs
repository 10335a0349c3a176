//! Record of an execution: what is stored of its end?

use super::active::{ActiveExecution, lock};
use super::artifacts::{KeptFiles, keep_files};
use super::execution_core::ExecutionCore;
use super::weight::{fit, shorten};
use crate::error::{Code, ServiceError};
use crate::quotas::NotKept;
use crate::records::now_ms;
use crate::records::rows::{ArtifactRow, ROW_BYTES};
use crate::usage::usage_of_day;
use glovebox::{Error, ErrorClass, Outcome, Status};
use glovebox_wire::execution::{ExecutionState, failure_json};
use glovebox_wire::outcome::{ArtifactBody, OutcomeBody};
use glovebox_wire::records::{AlertKind, UsageDay};

/// The end of an execution.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one of each execution, and nearly always an outcome"
)]
pub(super) enum Ending {
    /// It has an outcome.
    Outcome(Outcome),
    /// The sandbox failed to run it.
    Failed(Error),
    /// The service failed.
    Panicked,
    /// It was stopped in the queue.
    Cancelled,
}

/// Stores the end of an execution. An outcome that could not be stored is a failure, because no
/// client could find it again.
pub(super) async fn record(
    core: &ExecutionCore,
    active: &ActiveExecution,
    ending: Ending,
) -> Result<(), (Code, String)> {
    let (mut usage, mut kept) = (None, None);
    let failure = match ending {
        Ending::Cancelled => {
            active.update_row(|row| row.status = ExecutionState::CANCELLED);
            None
        }
        Ending::Outcome(outcome) => {
            usage = Some(active.with_row(|row| UsageDay {
                executions: 1,
                denied: i64::from(outcome.status == Status::Denied),
                limited: i64::from(outcome.status == Status::Limited),
                ..usage_of_day(&row.subject, row.created_ms, &outcome.usage)
            }));
            store_outcome(core, active, outcome)
                .await
                .map(|files| kept = Some(files))
                .err()
        }
        Ending::Failed(error) => {
            usage = Some(unfinished(active));
            Some(failed(core, active, error))
        }
        Ending::Panicked => {
            tracing::error!(execution = %active.id, "an execution panicked");
            usage = Some(unfinished(active));
            Some((
                Code::Internal,
                "the service failed; its log says why".to_owned(),
            ))
        }
    };
    let (mut room, held) = match kept {
        Some(KeptFiles { room, held, .. }) => (room, held),
        None => (core.quotas.room(&active.subject), Vec::new()),
    };
    active.update_row(|row| {
        row.ended_ms = Some(now_ms());
        if let Some((code, detail)) = &failure {
            row.status = ExecutionState::Error;
            row.result = Some(failure_json(*code, detail));
        }
        // The size of large results was reserved before; the rest is stored in any case.
        let result = if room.bytes() > 0 {
            0
        } else {
            row.result_bytes()
        };
        room.take(ROW_BYTES + result as u64);
        row.bytes = i64::try_from(room.bytes()).unwrap_or(i64::MAX);
    });
    core.records
        .put_ended(active.row(), usage)
        .await
        .map_err(|error| parts(&ServiceError::internal(&error)))?;
    room.keep();
    // From here on, the record refers to the contents.
    drop(held);
    failure.map_or(Ok(()), Err)
}

fn parts(error: &ServiceError) -> (Code, String) {
    (error.code(), error.detail().to_owned())
}

/// Reports an execution without an outcome; returns what its client learns of it.
fn failed(core: &ExecutionCore, active: &ActiveExecution, error: Error) -> (Code, String) {
    let is_host = error.class() == ErrorClass::Host;
    let failure = parts(&ServiceError::from(error));
    if is_host {
        core.host_failed.notify_one();
        core.alerts.happened(
            AlertKind::Error,
            active.subject.as_str(),
            Some(active.id.to_string()),
            &failure.1,
        );
    }
    failure
}

/// Returns the usage of an execution without an outcome.
fn unfinished(active: &ActiveExecution) -> UsageDay {
    let spent = *lock(&active.spent);
    UsageDay {
        executions: 1,
        ..active.with_row(|row| usage_of_day(&row.subject, row.created_ms, &spent))
    }
}

/// Fills the record from an outcome; returns the artifacts that were kept.
async fn store_outcome(
    core: &ExecutionCore,
    active: &ActiveExecution,
    mut outcome: Outcome,
) -> Result<KeptFiles, (Code, String)> {
    let mut memory = fit(core, active, &mut outcome);
    active.with_row(|row| core.metrics.ended(&row.language, &outcome));
    core.alerts.ended(&active.subject, &outcome);
    let files = std::mem::take(&mut outcome.artifacts);
    let mut kept = keep_files(core, &active.subject, files)
        .await
        .map_err(|error| parts(&error))?;
    outcome.artifacts_truncated |= kept.not_kept.is_some();
    let artifacts = std::mem::take(&mut kept.artifacts);
    let bodies = || -> Vec<ArtifactBody<'_>> { artifacts.iter().map(artifact_body).collect() };
    let not_kept = kept.not_kept.map(NotKept::name);
    let mut result = OutcomeBody::new(&outcome, bodies(), not_kept).to_json();
    if result.len() <= core.quotas.small_result() {
        kept.room.take(result.len() as u64);
    } else if let Err(reason) = kept.room.try_take(result.len() as u64, 0) {
        shorten(&mut outcome);
        result = OutcomeBody::new(&outcome, bodies(), Some(reason.name())).to_json();
        kept.room.take(result.len() as u64);
    }
    let length = result.len();
    active.update_row(|row| {
        row.status = ExecutionState::Ended(outcome.status);
        if !outcome.policy.profile.is_empty() {
            row.profile = Some(outcome.policy.profile.clone());
        }
        row.result = Some(result);
        row.artifacts = artifacts;
    });
    drop(outcome);
    memory.shrink_to(length);
    lock(&active.memory).join(memory);
    Ok(kept)
}

fn artifact_body(file: &ArtifactRow) -> ArtifactBody<'_> {
    ArtifactBody {
        path: &file.path,
        bytes: usize::try_from(file.bytes).unwrap_or(0),
        sha256: file.sha256.as_str().into(),
        saved_to: None,
    }
}
