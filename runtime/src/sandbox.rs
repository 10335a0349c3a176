//! Sandbox: how does a request become an outcome?
//!
//! The one entry point: get the policy's decision, record it, hand the grant to the tier's
//! executor, record the end.

mod builder;
mod machine;
mod plan;
mod refusals;
mod run;
mod slots;
mod steps;

pub use builder::SandboxBuilder;
pub use refusals::OpenError;
pub(crate) use run::outcome;
pub(crate) use slots::ConcurrencySlot;
pub use steps::{Explained, PackageResolution};

use crate::account::MemoryAccount;
use crate::audit::{AuditEvent, AuditSink, RunAudit, record_without_run};
use crate::engine::Metering;
use crate::error::{Error, InternalError};
use crate::executor::{Executor, PoolStats};
use crate::host::calls::HostServices;
use crate::outcome::{Outcome, RunId, Usage};
use crate::packages::{PackageManager, PackageTarget};
use crate::round_robin::FairSlots;
use crate::stdio::{Input, OutputChunk};
use crate::tools::{NamedTools, ToolProvider, ToolSpec};
use glovebox_policy::{Denial, Facts, Grant, Policy, Request, Subject, Tier};
use machine::Machine;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Runs untrusted code. Cheap to clone; all clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<SandboxParts>);

struct SandboxParts {
    policy: Policy,
    machine: RwLock<Machine>,
    executors: HashMap<Tier, Arc<dyn Executor>>,
    packages: Option<Arc<dyn PackageManager>>,
    services: RwLock<Arc<HostServices>>,
    audit: Option<Arc<dyn AuditSink>>,
    memory: Option<Arc<dyn MemoryAccount>>,
    /// Concurrency slots of all subjects; none if their number is not limited here.
    permits: Option<Arc<Semaphore>>,
    /// Inspections of programs at once, which happen before a run has its concurrency slot.
    inspections: FairSlots,
    running: Mutex<HashMap<Subject, u64>>,
    ended: Notify,
    has_compiler: bool,
}

/// The parameters of a run that are not part of the request, and that no policy checks.
#[derive(Debug, Default)]
pub struct Controls {
    /// The run's id in the audit log and the outcome; random by default. For a session, the id of
    /// the one evaluation.
    pub id: Option<RunId>,
    /// Standard input; empty by default.
    pub input: Input,
    /// The receiver of output as it is written, besides the outcome. A receiver that does not read
    /// blocks the program (backpressure).
    pub output: Option<mpsc::Sender<OutputChunk>>,
    /// The subscriber to audit events of the run other than its decision and its end, such as host
    /// calls and findings.
    pub events: Option<mpsc::UnboundedSender<AuditEvent>>,
    /// Cancels the run.
    pub stop: CancellationToken,
    /// The counter of usage that no outcome reports: of runs that end in an error or are dropped,
    /// and of steps that run nothing, such as an explanation or the opening of a session.
    pub spent: Option<Arc<Mutex<Usage>>>,
}

impl Sandbox {
    /// Starts with the built-in policy (its `default` profile), the installed guests, fuel
    /// metering, no audit log, no tools, no compiler and at most 64 concurrent runs.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            policy: Policy::builtin(),
            guests: None,
            metering: Metering::default(),
            audit: None,
            named_tools: NamedTools::default(),
            tools: None,
            executors: Vec::new(),
            packages: None,
            max_running: Some(64),
            compiler: None,
            memory: None,
        }
    }

    /// Runs a request to its end.
    ///
    /// Dropping the future cancels the run.
    ///
    /// # Errors
    ///
    /// If the host failed. Failures of the program, denials and limits are in the outcome.
    pub async fn run(&self, request: Request) -> Result<Outcome, Error> {
        self.run_with(request, Controls::default()).await
    }

    /// Runs a request with input, streaming output or cancellation.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::run`].
    pub async fn run_with(&self, request: Request, controls: Controls) -> Result<Outcome, Error> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let mut run = self
            .begin(id, request, &controls.stop, controls.spent.clone())
            .await;
        run.audit.subscribe(controls.events.clone());
        let result = self.run_to_end(&mut run, controls).await;
        match &result {
            Ok(_) => run.allowance.reported(),
            Err(error) => run.audit.aborted(&error.to_string()),
        }
        result
    }

    /// Acquires a concurrency slot for one evaluation of a session.
    pub(crate) async fn acquire_slot(&self, grant: &Grant) -> Result<ConcurrencySlot, Error> {
        self.0.acquire_slot(grant).await
    }

    /// Returns the records of one evaluation of a session.
    pub(crate) fn evaluation_audit(&self, id: RunId, request: &Request) -> RunAudit {
        RunAudit::new(self.0.audit.clone(), id, request)
    }

    /// Records in the audit log that requests of a subject were refused because of a quota, so that
    /// they never became runs; `times` is their number.
    ///
    /// # Errors
    ///
    /// If the record was not written.
    pub fn record_refusals(
        &self,
        subject: &Subject,
        denial: &Denial,
        times: u64,
    ) -> Result<(), Error> {
        let Some(sink) = &self.0.audit else {
            return Ok(());
        };
        let event = AuditEvent::Refused {
            denial: denial.clone(),
            times,
            policy: self.0.policy.digest().to_owned(),
        };
        record_without_run(sink.as_ref(), subject, event)
    }

    fn services(&self) -> Arc<HostServices> {
        Arc::clone(
            &self
                .0
                .services
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn executor(&self, tier: Tier) -> Result<&Arc<dyn Executor>, Error> {
        let executor = self.0.executors.get(&tier);
        executor.ok_or_else(|| InternalError::NoTier(tier).into())
    }

    /// Returns the policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Returns the targets of packages of a language, tier by tier.
    #[must_use]
    pub fn package_targets(&self, language: &str) -> Vec<PackageTarget> {
        let machine = self.facts();
        let targets = machine
            .tiers
            .iter()
            .filter_map(|facts| self.0.executors.get(&facts.tier)?.package_target(language));
        targets.collect()
    }

    /// Returns the facts of this sandbox, tier by tier; of a tier that is not connected yet, what is
    /// assumed of it.
    #[must_use]
    pub fn facts(&self) -> Arc<Facts> {
        self.machine().facts
    }

    fn machine(&self) -> Machine {
        let machine = self.0.machine.read();
        machine.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the tools that programs with this grant may call.
    #[must_use]
    pub fn tools(&self, grant: &Grant) -> Vec<ToolSpec> {
        self.services().tools(grant)
    }

    /// Replaces the provider of tools. Runs and sessions in progress keep the one that they began
    /// with.
    pub fn set_tools(&self, provider: Arc<dyn ToolProvider>) {
        let changed = Arc::new(self.services().with_tools(provider));
        *self
            .0
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner) = changed;
    }

    /// Checks that a tier works, as far as possible without running a program of a request.
    ///
    /// # Errors
    ///
    /// The problem.
    pub async fn probe(&self, tier: Tier) -> Result<(), Error> {
        self.executor(tier)?.probe().await
    }

    /// Returns the statistics of each tier's warm pool, if it has one.
    #[must_use]
    pub fn pool_stats(&self) -> Vec<(Tier, PoolStats)> {
        self.0
            .executors
            .iter()
            .filter_map(|(tier, executor)| Some((*tier, executor.pool_stats()?)))
            .collect()
    }

    /// Takes a tier out of service for this reason, or back into service. Runs in progress are left
    /// alone; new ones use another tier, or are denied with the reason.
    pub fn set_unavailable(&self, tier: Tier, reason: Option<String>) {
        let machine = self.0.machine.write();
        machine
            .unwrap_or_else(PoisonError::into_inner)
            .change(tier, |known| known.unavailable.clone_from(&reason));
    }
}
