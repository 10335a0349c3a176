//! Runs in a sandbox: how does one request get from the first decision to its outcome?

use super::plan::is_provisional;
use super::plan::{Admitted, Imports, Inspection};
use super::{ConcurrencySlot, Controls, OpenError, Sandbox};
use crate::account::RunMemory;
use crate::allowance::{Allowance, until_stopped};
use crate::audit::RunAudit;
use crate::error::Error;
use crate::executor::{Evaluation, Hold, Report, Run, RunSetup};
use crate::host::calls::HostCalls;
use crate::outcome::{Outcome, PolicyReference, RunId, Status};
use crate::packages::{LockedPackage, PackagePlan, PackageTree};
use glovebox_policy::{Denial, Finding, Grant, Limit, Request, Source};
use std::pin::pin;
use std::sync::Arc;
use tracing::{Instrument as _, debug_span};

/// One request on its way to its end.
pub(super) struct PendingRun {
    pub(super) request: Request,
    /// The budget for work on its behalf besides its own run. Dropped before the audit, so that the
    /// usage is noted when the end is recorded.
    pub(super) allowance: Allowance,
    pub(super) audit: RunAudit,
    /// The decision before anything is known of packages.
    pub(super) first: Result<Arc<Grant>, Box<Denial>>,
}

/// The packages and the concurrency slot that a granted request needs before it runs.
type Prepared = (Option<PackageTree>, ConcurrencySlot);

/// The result of preparing a run.
enum Preparation {
    /// It can run.
    Ready(Prepared),
    /// Its packages took longer than its wall-clock time.
    Late(Error),
    /// It was cancelled meanwhile.
    Stopped,
}

impl Preparation {
    /// Classifies what came of it; `None` if it was cancelled.
    fn of(prepared: Option<Result<Prepared, Error>>) -> Result<Self, Error> {
        match prepared {
            Some(Ok(prepared)) => Ok(Self::Ready(prepared)),
            Some(Err(late @ Error::OutOfTime(_))) => Ok(Self::Late(late)),
            Some(Err(error)) => Err(error),
            None => Ok(Self::Stopped),
        }
    }
}

impl PendingRun {
    /// Returns the first grant, without a plan of packages.
    fn without_packages(&self) -> Result<Admitted, OpenError> {
        match &self.first {
            Ok(grant) => Ok((Arc::clone(grant), PackagePlan::default())),
            Err(denial) => Err(OpenError::Denied(denial.clone())),
        }
    }
}

impl Sandbox {
    /// Takes a request from its plan of packages to its end.
    pub(super) async fn run_to_end(
        &self,
        run: &mut PendingRun,
        controls: Controls,
    ) -> Result<Outcome, Error> {
        let planning = self
            .plan_packages(run, Imports::Try)
            .instrument(debug_span!("survey"));
        let stop = controls.stop.clone();
        let (planned, late) = match until_stopped(&stop, planning).await {
            Some(Err(OpenError::Failed(late @ Error::OutOfTime(_)))) => {
                (run.without_packages(), Some(late))
            }
            Some(planned) => (planned, None),
            None => (run.without_packages(), None),
        };
        let decided = match planned {
            Ok(admitted) => Ok(admitted),
            Err(OpenError::Denied(denial)) => Err(denial),
            Err(OpenError::Failed(error)) => return Err(error),
        };
        let grant = decided.as_ref().ok().map(|(grant, _)| grant.as_ref());
        if stop.is_cancelled() && is_provisional(&self.machine(), grant) {
            return Ok(self.cancelled_undecided(run));
        }
        let (grant, plan) = match decided {
            Ok(admitted) => admitted,
            Err(denial) => return self.denied(run, *denial, Vec::new()),
        };
        // Pinned in place, as the execution is: passing it by value would copy it.
        let inspected = pin!(self.inspect(&run.request, &grant, &run.allowance))
            .instrument(debug_span!("look"))
            .await?;
        let Inspection { findings, denial } = inspected;
        run.audit.found(&findings)?;
        if let Some(denial) = denial {
            return self.denied(run, denial, findings);
        }
        run.audit.admitted(&run.request, None, &grant)?;
        let preparation = match late {
            Some(late) => Preparation::Late(late),
            None => {
                let preparing = self.prepare(&plan, &grant, &run.allowance);
                let preparing = preparing.instrument(debug_span!("prepare"));
                Preparation::of(until_stopped(&stop, preparing).await)?
            }
        };
        let (report, packages) = match preparation {
            Preparation::Ready(prepared) => {
                let span = debug_span!("guest", tier = grant.tier().name());
                let report = pin!(self.execute(run, prepared, &grant, controls))
                    .instrument(span)
                    .await?;
                (report, plan.locked(&grant))
            }
            Preparation::Late(error) => {
                tracing::info!(run = %run.audit.id(), "{error}");
                (Report::limited(Limit::Wall), Vec::new())
            }
            Preparation::Stopped => (Report::new(Status::Cancelled), Vec::new()),
        };
        finished(run, report, &grant, (packages, findings))
    }

    /// Fetches the packages, and only then acquires a concurrency slot: a run that waits for
    /// packages must not keep others from running.
    pub(super) async fn prepare(
        &self,
        plan: &PackagePlan,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<Prepared, Error> {
        let packages = self.fetch(plan, grant, allowance).await?;
        Ok((packages, self.0.acquire_slot(grant).await?))
    }

    async fn execute(
        &self,
        run: &mut PendingRun,
        (packages, slot): Prepared,
        grant: &Arc<Grant>,
        controls: Controls,
    ) -> Result<Report, Error> {
        // Until the report is returned, and for as long as the executor holds it.
        let slot = Hold::new(Some(slot));
        let _taken = slot.clone();
        let _lease = packages.as_ref().map(|tree| tree.lease.clone());
        let setup = self.setup(run, grant, packages, slot);
        let request = &mut run.request;
        let evaluation = Evaluation {
            source: Source {
                name: std::mem::take(&mut request.source.name),
                content: Arc::clone(&request.source.content),
            },
            arguments: std::mem::take(&mut request.arguments),
            input: controls.input,
            output: controls.output,
            artifacts: std::mem::take(&mut request.artifacts),
            stop: controls.stop,
            inspected: run.allowance.looks(),
        };
        let program = Run { setup, evaluation };
        self.executor(grant.tier())?.run(program).await
    }

    /// Returns the initial state of a run or session; takes the request's files.
    pub(super) fn setup(
        &self,
        run: &mut PendingRun,
        grant: &Arc<Grant>,
        packages: Option<PackageTree>,
        slot: Hold,
    ) -> RunSetup {
        let memory = RunMemory::new(self.0.memory.as_ref(), grant.subject());
        // With the tools that there are now.
        let calls = HostCalls::new(
            Arc::clone(grant),
            self.services(),
            run.audit.calls(),
            memory.clone(),
        );
        RunSetup {
            id: run.audit.id(),
            grant: Arc::clone(grant),
            files: std::mem::take(&mut run.request.files),
            packages,
            calls: Arc::new(calls),
            slot,
            memory,
        }
    }

    /// Ends a run that was cancelled while a tier was being connected: there is no decision yet.
    fn cancelled_undecided(&self, run: &mut PendingRun) -> Outcome {
        run.audit.aborted("it was cancelled before it was admitted");
        let report = Report {
            usage: run.allowance.used(),
            ..Report::new(Status::Cancelled)
        };
        let policy = self.undecided(run);
        of_report(run.audit.id(), report, policy)
    }

    /// Returns the policy of a run without a grant, and without rules.
    fn undecided(&self, run: &PendingRun) -> PolicyReference {
        PolicyReference {
            profile: run.request.profile.clone().unwrap_or_default(),
            digest: self.0.policy.digest().to_owned(),
            rules: Vec::new(),
        }
    }

    fn denied(
        &self,
        run: &mut PendingRun,
        denial: Denial,
        findings: Vec<Finding>,
    ) -> Result<Outcome, Error> {
        let mut policy = self.undecided(run);
        run.audit.denied(&run.request, &denial, &policy.digest)?;
        policy.rules.push(denial.rule.clone());
        let report = Report {
            usage: run.allowance.used(),
            ..Report::new(Status::Denied)
        };
        Ok(Outcome {
            denial: Some(denial),
            findings,
            ..of_report(run.audit.id(), report, policy)
        })
    }
}

/// Records the end of a run, and returns its outcome.
fn finished(
    run: &mut PendingRun,
    report: Report,
    grant: &Grant,
    (packages, findings): (Vec<LockedPackage>, Vec<Finding>),
) -> Result<Outcome, Error> {
    let program = report.usage;
    let mut outcome = outcome(run.audit.id(), report, grant);
    outcome.packages = packages;
    outcome.findings = findings;
    run.allowance.add_to(&mut outcome.usage);
    // The usage counts even if its outcome is not returned.
    run.audit
        .finished(&outcome)
        .inspect_err(|_| run.allowance.prepare().used(&program))?;
    Ok(outcome)
}

/// Returns the outcome of a run that was granted.
pub(crate) fn outcome(id: RunId, report: Report, grant: &Grant) -> Outcome {
    let policy = PolicyReference {
        profile: grant.profile().to_owned(),
        digest: grant.policy_digest().to_owned(),
        rules: grant.rules().iter().map(ToString::to_string).collect(),
    };
    let limit = report.limit.map(|limit| grant.limit_hit(limit));
    Outcome {
        limit,
        tier: Some(grant.tier()),
        tier_reason: grant.tier_reason().to_owned(),
        ..of_report(id, report, policy)
    }
}

fn of_report(id: RunId, report: Report, policy: PolicyReference) -> Outcome {
    Outcome {
        id,
        status: report.status,
        exit_code: report.exit_code,
        stdout: report.stdout,
        stderr: report.stderr,
        results: report.results,
        value: report.value,
        exception: report.exception,
        limit: None,
        denial: None,
        crash: report.crash,
        artifacts: report.artifacts,
        artifacts_truncated: report.artifacts_truncated,
        tier: None,
        tier_reason: String::new(),
        packages: Vec::new(),
        findings: Vec::new(),
        usage: report.usage,
        policy,
    }
}
