//! Policies: what does the policy in force decide, and what do the tiers offer?

use crate::error::ServiceError;
use crate::identities::Caller;
use crate::memory::MemoryCharge;
use crate::queue::Queue;
use crate::records::Records;
use crate::scheduler::Processors;
use crate::scope::Scope;
use crate::shutdown::Shutdown;
use crate::subject_quotas::SubjectQuotas;
use crate::usage::{Tab, UsageCharge};
use glovebox::{CancellationToken, Controls, Sandbox};
use glovebox_policy::{Explanation, Request};
use glovebox_wire::policy::{PolicyBody, TierBody, TierList};
use std::sync::Arc;

/// The policy in force, and the tiers that it decides by. Cheap to clone.
#[derive(Clone)]
pub struct Policies(Arc<PolicyCore>);

/// The dependencies of explanations.
pub(crate) struct PolicyCore {
    pub(crate) sandbox: Sandbox,
    pub(crate) queue: Queue,
    pub(crate) processors: Arc<Processors>,
    pub(crate) records: Records,
    pub(crate) of_subjects: Arc<SubjectQuotas>,
    pub(crate) shutdown: Shutdown,
}

impl Policies {
    pub(crate) fn new(core: PolicyCore) -> Self {
        Self(Arc::new(core))
    }

    /// Returns the policy in force.
    #[must_use]
    pub fn policy(&self) -> PolicyBody {
        PolicyBody::from(self.0.sandbox.policy())
    }

    /// Returns the tiers and their state.
    #[must_use]
    pub fn tiers(&self) -> TierList {
        TierList {
            tiers: self
                .0
                .sandbox
                .facts()
                .tiers
                .iter()
                .map(TierBody::from)
                .collect(),
        }
    }

    /// Checks whether the service still takes programs.
    ///
    /// # Errors
    ///
    /// If it is shutting down.
    pub fn check_open(&self) -> Result<(), ServiceError> {
        self.0
            .shutdown
            .check("the service takes no more executions")
    }

    /// Explains the decision on a request, and runs nothing; `bytes` count for it while it is
    /// queued, and the charge until it is explained.
    ///
    /// # Errors
    ///
    /// If the caller lacks the scope, the queue is full, or the program cannot be inspected.
    pub async fn explain(
        &self,
        caller: &Caller,
        request: Request,
        bytes: usize,
        charge: MemoryCharge,
    ) -> Result<Explanation, ServiceError> {
        caller.needs(Scope::Run)?;
        let core = Arc::clone(&self.0);
        let subject = caller.subject.clone();
        // The program is inspected in a guest, which takes a slot and processors like any other.
        let waiting = core.queue.enter(&subject, bytes)?;
        let slot = waiting
            .slot()
            .await
            .ok_or_else(|| ServiceError::internal(&"an explanation has lost its slot"))?;
        let stop = CancellationToken::new();
        // A client that disconnects needs no explanation, but pays for the inspection.
        let _stop = stop.clone().drop_guard();
        let explaining = tokio::spawn(async move {
            let _charge = charge;
            let tab = Tab::default();
            let usage = UsageCharge::new(&core.records, &subject, Arc::clone(&tab));
            let controls = Controls {
                stop,
                spent: Some(tab),
                ..Controls::default()
            };
            let explaining = core.sandbox.explain_with(request, controls);
            let explained = core.processors.share(subject.clone(), explaining).await?;
            drop(slot);
            usage.settle().await?;
            let mut explanation = explained.explanation;
            // With those that the settings of the service add.
            explanation.quotas = core.of_subjects.of(&subject).explained();
            Ok::<_, ServiceError>(explanation)
        });
        explaining
            .await
            .map_err(|error| ServiceError::internal(&error))?
    }
}
