//! Idempotency keys: how does a repeated request run only once?
//!
//! The key is claimed in the database before anything begins, and names the execution from then on.
//! A key lives as long as its execution, which counts against the quota of its subject.

use super::execution_core::ExecutionCore;
use super::{ActiveExecution, CancelOnDrop, Executions, Handle, NewExecution};
use crate::error::{Code, ServiceError};
use crate::identities::Caller;
use crate::records::KeyClaim;
use crate::records::rows::ExecutionRow;
use crate::scope::Scope;
use glovebox::RunId;
use std::sync::Arc;
use std::time::Duration;

/// The handling of an execution whose client disconnects before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// It is cancelled.
    Cancel,
    /// It goes on.
    Continue,
}

/// A claim on an idempotency key.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The key.
    pub key: String,
    /// The digest that identifies the request.
    pub digest: String,
    /// The handling of the execution if its client disconnects.
    pub on_disconnect: OnDisconnect,
}

/// The result of claiming an idempotency key.
pub enum Claimed {
    /// A new execution. It is cancelled if the guard is dropped.
    New(Handle, CancelOnDrop),
    /// The key was claimed before, for the execution with this id.
    Before(String),
}

/// The execution of an earlier request with the same key.
pub enum Earlier {
    /// It has ended.
    Ended(Box<ExecutionRow>),
    /// It is queued, runs, or has ended a moment ago.
    Active(Arc<ActiveExecution>),
}

impl Executions {
    /// Claims an idempotency key and starts the execution that `make` returns, or returns the one
    /// that the key was claimed for before.
    ///
    /// A client that disconnects leaves no key behind that belongs to no execution and counts for
    /// no subject.
    ///
    /// # Errors
    ///
    /// If the key belongs to another request, the database cannot be written, `make` fails, or the
    /// execution cannot be started.
    pub async fn start_once(
        &self,
        caller: &Caller,
        claim: Claim,
        make: impl FnOnce() -> Result<NewExecution, ServiceError> + Send + 'static,
    ) -> Result<Claimed, ServiceError> {
        caller.needs(Scope::Run)?;
        let (executions, owner) = (self.clone(), caller.clone());
        let claiming = async move { executions.claim(&owner, claim, make).await };
        self.0.detached.run(&caller.subject, claiming).await
    }

    async fn claim(
        &self,
        caller: &Caller,
        claim: Claim,
        make: impl FnOnce() -> Result<NewExecution, ServiceError> + Send,
    ) -> Result<Claimed, ServiceError> {
        let ExecutionCore {
            records, registry, ..
        } = &*self.0;
        let (subject, id) = (caller.subject.as_str(), RunId::random());
        let is_active = |execution: &str| registry.get(&caller.subject, execution).is_some();
        let execution = id.to_string();
        let key_claim = KeyClaim {
            subject,
            key: &claim.key,
            request_sha256: &claim.digest,
            execution: &execution,
        };
        if let Some((request, execution)) = records.take_key(key_claim, is_active).await? {
            if request != claim.digest {
                let detail = "this idempotency key was used for another request; use a new key for every new request";
                return Err(ServiceError::new(Code::IdempotencyConflict, detail));
            }
            return Ok(Claimed::Before(execution));
        }
        match make().and_then(|new| self.begin(new.under(id))) {
            Ok(handle) => {
                let guard = match claim.on_disconnect {
                    OnDisconnect::Cancel => handle.active().cancel_on_drop(),
                    OnDisconnect::Continue => CancelOnDrop::default(),
                };
                Ok(Claimed::New(handle, guard))
            }
            Err(error) => {
                // Nothing ran, so the key is released.
                records
                    .give_key_back(subject, &claim.key, &execution)
                    .await?;
                Err(error)
            }
        }
    }

    /// Finds the execution that an idempotency key was claimed for.
    ///
    /// # Errors
    ///
    /// If it has only just been claimed, or another process runs it.
    pub async fn earlier(&self, caller: &Caller, id: &str) -> Result<Earlier, ServiceError> {
        let ExecutionCore {
            records, registry, ..
        } = &*self.0;
        let mut active = registry.get(&caller.subject, id);
        let mut row: Option<ExecutionRow> = None;
        for _ in 0..2 {
            if active.is_some() || row.as_ref().is_some_and(ExecutionRow::has_ended) {
                break;
            }
            row = records.execution(caller.subject.as_str(), id).await?;
            // It may have begun between the two lookups, and then its end has to be awaited; or
            // have ended, and then it is in the store.
            active = registry.get(&caller.subject, id);
        }
        match (active, row) {
            (_, Some(row)) if row.has_ended() => Ok(Earlier::Ended(Box::new(row))),
            (Some(active), _) => Ok(Earlier::Active(active)),
            (None, _) => {
                let detail = "the first request with this key has only just come, or another process has it under way; try again";
                Err(ServiceError::new(Code::Busy, detail).retry_after(Duration::from_secs(1)))
            }
        }
    }
}
