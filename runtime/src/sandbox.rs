//! Sandbox: how does a request become an outcome?
//!
//! The one entry point: get the policy's decision, record it, hand the grant to the tier's executor, record the end.

mod builder;
mod refusals;
mod slots;
mod steps;

pub use builder::SandboxBuilder;
pub use refusals::OpenError;
pub(crate) use slots::ConcurrencySlot;
pub use steps::{Explained, Provision};

use crate::account::{MemoryAccount, RunMemory};
use crate::allowance::{Allowance, Tab};
use crate::audit::{AuditEvent, AuditSink, RunAudit};
use crate::engine::Metering;
use crate::error::Error;
use crate::executor::{Evaluation, Executor, Hold, Job, PoolStats, Report, RunSetup};
use crate::findings;
use crate::outcome::{Limit, Outcome, PolicyReference, RunId, Status, Usage};
use crate::packages::{
    LockedPackage, PackageManager, PackageTarget, PackageTree, Supplies, packages_unsupported,
};
use crate::round_robin::FairSlots;
use crate::stdio::{Input, OutputChunk};
use glovebox_policy::{
    Denial, Facts, Finding, Grant, Limits, Policy, Request, Subject, Tier, Verdict,
};
use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span};

/// Runs untrusted code. Cheap to clone; all clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    policy: Policy,
    facts: RwLock<Arc<Facts>>,
    executors: HashMap<Tier, Arc<dyn Executor>>,
    packages: Option<Arc<dyn PackageManager>>,
    audit: Option<Arc<dyn AuditSink>>,
    memory: Option<Arc<dyn MemoryAccount>>,
    permits: Arc<Semaphore>,
    /// Inspections of programs at once, which happen before a run has its concurrency slot.
    looks: FairSlots,
    running: Mutex<HashMap<Subject, u64>>,
    ended: Notify,
    has_compiler: bool,
}

/// The grant of a request, with its survey and resolutions.
type Admitted = (Arc<Grant>, Supplies);

/// The parameters of a run that are not part of the request, and that no policy checks.
#[derive(Debug, Default)]
pub struct Controls {
    /// The run's id in the audit log and the outcome; random by default. For a session, the id of the one evaluation.
    pub id: Option<RunId>,
    /// Standard input; empty by default.
    pub input: Input,
    /// The receiver of output as it is written, besides the outcome. A receiver that does not read blocks the program (backpressure).
    pub output: Option<mpsc::Sender<OutputChunk>>,
    /// The subscriber to audit events of the run other than its decision and its end, such as host calls and findings.
    pub events: Option<mpsc::UnboundedSender<AuditEvent>>,
    /// Cancels the run.
    pub stop: CancellationToken,
    /// The counter of usage that no outcome reports: of runs that end in an error or are dropped, and of steps that run nothing, such as an
    /// explanation or the opening of a session.
    pub spent: Option<Arc<Mutex<Usage>>>,
}

impl Sandbox {
    /// Starts with the built-in policy (its `default` profile), the installed guests, fuel metering, no audit log, no tools, no compiler
    /// and at most 64 concurrent runs.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            policy: Policy::builtin(),
            guests: None,
            metering: Metering::default(),
            audit: None,
            tools: HashMap::new(),
            executors: Vec::new(),
            packages: None,
            max_running: 64,
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
        let mut trail = RunAudit::new(self.0.audit.clone(), id, &request);
        trail.watch(controls.events.clone());
        let (first, allowance) = self.begin(&request, &controls.stop, controls.spent.clone());
        let result = self
            .go(id, request, controls, first, &mut trail, &allowance)
            .await;
        match &result {
            Ok(_) => allowance.told(),
            Err(error) => trail.aborted(&error.to_string()),
        }
        result
    }

    /// Takes a request from the first decision to its end.
    async fn go(
        &self,
        id: RunId,
        mut request: Request,
        controls: Controls,
        first: Result<Arc<Grant>, Box<Denial>>,
        trail: &mut RunAudit,
        allowance: &Allowance,
    ) -> Result<Outcome, Error> {
        let survey = self
            .survey(&mut request, &first, trail, allowance)
            .instrument(debug_span!("survey"));
        let surveyed = allowance.until_stopped(survey).await;
        let without = || first.map(|grant| (grant, Supplies::default()));
        let (surveyed, late) = match surveyed {
            Some(Ok(surveyed)) => (Ok(surveyed), None),
            Some(Err(OpenError::Denied(denial))) => (Err(denial), None),
            Some(Err(OpenError::Failed(late @ Error::OutOfTime(_)))) => (without(), Some(late)),
            Some(Err(OpenError::Failed(error))) => return Err(error),
            None => (without(), None),
        };
        let (grant, supplies) = match surveyed {
            Ok(admitted) => admitted,
            Err(denial) => {
                return self.denied(
                    id,
                    &request,
                    *denial,
                    Inspection::default(),
                    allowance.used(),
                    trail,
                );
            }
        };
        // Pinned in place, as the execution is: passing it by value would copy it.
        let mut looked = pin!(self.look(&request, &grant, allowance))
            .instrument(debug_span!("look"))
            .await?;
        trail.found(&looked.findings)?;
        if let Some(denial) = looked.denial.take() {
            return self.denied(id, &request, denial, looked, allowance.used(), trail);
        }
        trail.admitted(&request, &grant)?;
        let prepared = match late {
            Some(late) => Some(Err(late)),
            None => {
                allowance
                    .until_stopped(
                        self.prepare(&supplies, &grant, allowance)
                            .instrument(debug_span!("prepare")),
                    )
                    .await
            }
        };
        let looks = allowance.looks();
        let grant = if looks.wall.is_zero() {
            grant
        } else {
            Arc::new(grant.after(looks.wall, looks.fuel))
        };
        let (report, packages) = match prepared {
            Some(Ok(prepared)) => {
                let span = debug_span!("guest", tier = grant.tier().name());
                let report = pin!(self.execute(id, request, prepared, &grant, controls, trail))
                    .instrument(span)
                    .await?;
                (report, locked_packages(&supplies, &grant))
            }
            Some(Err(error @ Error::OutOfTime(_))) => {
                tracing::info!(run = %id, "{error}");
                (
                    Report {
                        limit: Some(Limit::Wall),
                        ..Report::new(Status::Limited)
                    },
                    Vec::new(),
                )
            }
            Some(Err(error)) => return Err(error),
            None => (Report::new(Status::Cancelled), Vec::new()),
        };
        let program = report.usage;
        let mut outcome = outcome(id, report, &grant);
        outcome.packages = packages;
        outcome.findings = looked.findings;
        allowance.add_to(&mut outcome.usage);
        // The usage counts even if its outcome is not returned.
        trail
            .finished(&outcome)
            .inspect_err(|_| allowance.prepare().used(&program))?;
        Ok(outcome)
    }

    /// Surveys a request for what else it needs, and returns the grant with that. Nothing is resolved that the policy does not allow.
    /// `first` is the grant without it.
    async fn survey(
        &self,
        request: &mut Request,
        first: &Result<Arc<Grant>, Box<Denial>>,
        trail: &RunAudit,
        allowance: &Allowance,
    ) -> Result<Admitted, OpenError> {
        // A request that is denied anyway must cost no inspection, and no query to an index.
        let first = first
            .as_ref()
            .map_err(|denial| OpenError::Denied(denial.clone()))?;
        let Some(manager) = &self.0.packages else {
            let asks_for_none = request.wants.packages.is_empty();
            return if asks_for_none {
                Ok((Arc::clone(first), Supplies::default()))
            } else {
                Err(OpenError::Denied(Box::new(packages_unsupported())))
            };
        };
        // Boxed, so that the future of every run, which is moved a few times, is not as large as this one.
        Box::pin(self.survey_packages(manager.as_ref(), request, first, trail, allowance)).await
    }

    async fn survey_packages(
        &self,
        manager: &dyn PackageManager,
        request: &mut Request,
        first: &Arc<Grant>,
        trail: &RunAudit,
        allowance: &Allowance,
    ) -> Result<Admitted, OpenError> {
        let mut supplies = Supplies::new(manager.survey(request, allowance).await?, request);
        if request.wants.packages.is_empty() {
            let is_same = !supplies.has_needs();
            return if is_same {
                Ok((Arc::clone(first), supplies))
            } else {
                self.admit_with(request, supplies)
            };
        }
        let machine = self.facts();
        let facts = supplies.facts(&machine);
        let facts = facts.as_ref().unwrap_or(&machine);
        // A request that would be denied anyway must not cause a query to an index first.
        if let Verdict::Deny(denial) = self.0.policy.admit(request, facts) {
            return Err(OpenError::Denied(Box::new(denial)));
        }
        let grant = self
            .0
            .policy
            .admit_packages(request, facts)
            .map_err(|denial| OpenError::Denied(Box::new(denial)))?;
        let target = |tier: &Tier| {
            self.0
                .executors
                .get(tier)
                .and_then(|executor| executor.package_target(&request.language))
        };
        let targets: Vec<PackageTarget> = grant.tiers().iter().filter_map(target).collect();
        // From here on an index may learn of the request, so it leaves a record whatever its end.
        trail.looked_up(request)?;
        let resolutions = allowance
            .in_time(manager.resolve(&grant, &targets, allowance))
            .await?;
        supplies.resolved(grant, resolutions);
        self.admit_with(request, supplies)
    }

    /// Inspects a granted program, and checks whether the policy accepts the findings.
    pub(crate) async fn look(
        &self,
        request: &Request,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<Inspection, Error> {
        // No program is parsed on the host.
        let Some(executor) = self.0.executors.get(&Tier::Wasm) else {
            return Ok(Inspection::default());
        };
        let mut findings = findings::look(executor.as_ref(), request, grant, allowance).await?;
        let denial = grant.check_findings(&mut findings).err();
        Ok(Inspection { findings, denial })
    }

    /// Makes the first decision, before the survey, and the allowance for the survey.
    fn begin(
        &self,
        request: &Request,
        stop: &CancellationToken,
        tab: Option<Tab>,
    ) -> (Result<Arc<Grant>, Box<Denial>>, Allowance) {
        let first = self.decide(request, &self.facts());
        let limits = first.as_ref().ok().map(|grant| grant.limits());
        let allowance = self.allowance(&request.subject, limits, stop);
        (first, allowance.noted(tab))
    }

    /// Returns the allowance of a request besides its own run.
    pub(crate) fn allowance(
        &self,
        subject: &Subject,
        limits: Option<&Limits>,
        stop: &CancellationToken,
    ) -> Allowance {
        Allowance::within(subject.clone(), limits, stop.clone(), self.0.looks.clone())
            .charged(self.0.memory.clone())
    }

    fn admit_with(&self, request: &Request, supplies: Supplies) -> Result<Admitted, OpenError> {
        let machine = self.facts();
        let facts = supplies.facts(&machine);
        let grant = self
            .decide(request, facts.as_ref().unwrap_or(&machine))
            .map_err(OpenError::Denied)?;
        Ok((grant, supplies))
    }

    fn decide(&self, request: &Request, facts: &Facts) -> Result<Arc<Grant>, Box<Denial>> {
        match self.0.policy.admit(request, facts) {
            Verdict::Admit(grant) => Ok(Arc::from(grant)),
            Verdict::Deny(mut denial) => {
                if request.language == "wasm" && !self.0.has_compiler {
                    denial.reason.push_str("; WebAssembly programs need a compiler, which `SandboxBuilder::compiler` names");
                }
                Err(Box::new(denial))
            }
        }
    }

    async fn fetch(
        &self,
        supplies: &Supplies,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<Option<PackageTree>, Error> {
        match (&self.0.packages, supplies.of_tier(grant.tier())) {
            (Some(manager), Some((packages, resolution))) => {
                Box::pin(allowance.in_time(manager.fetch(packages, resolution, allowance)))
                    .await
                    .map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Fetches the packages, and only then acquires a concurrency slot: a run that waits for packages must not keep others from running.
    async fn prepare(
        &self,
        supplies: &Supplies,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<(Option<PackageTree>, ConcurrencySlot), Error> {
        let packages = self.fetch(supplies, grant, allowance).await?;
        Ok((packages, self.0.acquire_slot(grant).await?))
    }

    async fn execute(
        &self,
        id: RunId,
        request: Request,
        (packages, slot): (Option<PackageTree>, ConcurrencySlot),
        grant: &Arc<Grant>,
        controls: Controls,
        trail: &RunAudit,
    ) -> Result<Report, Error> {
        // Until the report is returned, and for as long as the executor holds it.
        let slot = Hold::new(Some(slot));
        let _taken = slot.clone();
        let _lease = packages.as_ref().map(|tree| tree.lease.clone());
        let job = Job {
            setup: RunSetup {
                id,
                grant: Arc::clone(grant),
                files: request.files,
                packages,
                trail: trail.calls(),
                slot,
                memory: self.memory(grant),
            },
            evaluation: Evaluation {
                source: request.source,
                arguments: request.arguments,
                input: controls.input,
                output: controls.output,
                artifacts: request.artifacts,
                stop: controls.stop,
            },
        };
        self.executor(grant.tier())?.run(job).await
    }

    /// Acquires a concurrency slot for one evaluation of a session.
    pub(crate) async fn acquire_slot(&self, grant: &Grant) -> Result<ConcurrencySlot, Error> {
        self.0.acquire_slot(grant).await
    }

    /// Records that an evaluation of a session was denied; the session goes on.
    pub(crate) fn refused(
        &self,
        id: RunId,
        request: &Request,
        denial: &Denial,
    ) -> Result<(), Error> {
        RunAudit::new(self.0.audit.clone(), id, request).denied(
            request,
            denial,
            self.0.policy.digest(),
        )
    }

    /// Returns a run's side of the memory account.
    fn memory(&self, grant: &Grant) -> RunMemory {
        RunMemory::new(self.0.memory.as_ref(), grant.subject())
    }

    fn executor(&self, tier: Tier) -> Result<&Arc<dyn Executor>, Error> {
        self.0.executors.get(&tier).ok_or_else(|| {
            Error::Host(format!(
                "the policy chose the tier `{tier}`, which nobody offers"
            ))
        })
    }

    fn denied(
        &self,
        id: RunId,
        request: &Request,
        denial: Denial,
        looked: Inspection,
        usage: Usage,
        trail: &mut RunAudit,
    ) -> Result<Outcome, Error> {
        trail.denied(request, &denial, self.0.policy.digest())?;
        let rules = vec![denial.rule.clone()];
        Ok(Outcome {
            id,
            status: Status::Denied,
            exit_code: None,
            stdout: Default::default(),
            stderr: Default::default(),
            value: None,
            exception: None,
            limit: None,
            denial: Some(denial),
            crash: None,
            artifacts: Vec::new(),
            artifacts_truncated: false,
            tier: None,
            tier_reason: String::new(),
            packages: Vec::new(),
            findings: looked.findings,
            usage,
            policy: PolicyReference {
                profile: request.profile.clone().unwrap_or_default(),
                digest: self.0.policy.digest().to_owned(),
                rules,
            },
        })
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

    /// Returns the facts of this sandbox, tier by tier.
    #[must_use]
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.0.facts.read().unwrap_or_else(PoisonError::into_inner))
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
            .filter_map(|(tier, executor)| Some((*tier, executor.stock()?)))
            .collect()
    }

    /// Takes a tier out of service for this reason, or back into service. Runs in progress are left alone; new ones use another tier, or
    /// are denied with the reason.
    pub fn set_unavailable(&self, tier: Tier, reason: Option<String>) {
        let mut facts = self.0.facts.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Facts::clone(&facts);
        for known in changed.tiers.iter_mut().filter(|known| known.tier == tier) {
            known.unavailable.clone_from(&reason);
        }
        *facts = Arc::new(changed);
    }
}

/// The findings in a program.
#[derive(Default)]
pub(crate) struct Inspection {
    pub(crate) findings: Vec<Finding>,
    pub(crate) denial: Option<Denial>,
}

pub(crate) fn outcome(id: RunId, report: Report, grant: &Grant) -> Outcome {
    Outcome {
        id,
        status: report.status,
        exit_code: report.exit_code,
        stdout: report.stdout,
        stderr: report.stderr,
        value: report.value,
        exception: report.exception,
        limit: report.limit,
        denial: None,
        crash: report.crash,
        artifacts: report.artifacts,
        artifacts_truncated: report.artifacts_truncated,
        tier: Some(grant.tier()),
        tier_reason: grant.tier_reason().to_owned(),
        packages: Vec::new(),
        findings: Vec::new(),
        usage: report.usage,
        policy: PolicyReference {
            profile: grant.profile().to_owned(),
            digest: grant.policy_digest().to_owned(),
            rules: grant.rules().iter().map(ToString::to_string).collect(),
        },
    }
}

fn locked_packages(supplies: &Supplies, grant: &Grant) -> Vec<LockedPackage> {
    supplies
        .of_tier(grant.tier())
        .map(|(_, resolution)| resolution.packages.clone())
        .unwrap_or_default()
}
