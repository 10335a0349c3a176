//! Plan of a run: what is decided, resolved and inspected before a request runs?

use super::machine::Machine;
use super::run::PendingRun;
use super::{OpenError, Sandbox};
use crate::allowance::{Allowance, Tab, until_stopped};
use crate::audit::RunAudit;
use crate::error::Error;
use crate::findings;
use crate::outcome::RunId;
use crate::packages::{PackageManager, PackagePlan, PackageTarget, PackageTree};
use glovebox_policy::{
    Denial, Finding, Grant, Limits, PackageGrant, Request, Subject, Tier, Verdict,
};
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// The grant of a request, with its plan of packages.
pub(super) type Admitted = (Arc<Grant>, PackagePlan);

/// Whether packages are fetched and imported before a tier is chosen for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Imports {
    /// If they are used afterwards.
    Try,
    /// If nothing may be fetched.
    Omit,
}

/// The findings in a program.
pub(crate) struct Inspection {
    pub(crate) findings: Vec<Finding>,
    pub(crate) denial: Option<Denial>,
}

impl Sandbox {
    /// Finds out what else a request needs, and returns the grant with that. Nothing is resolved
    /// that the policy does not allow.
    pub(super) async fn plan_packages(
        &self,
        run: &mut PendingRun,
        imports: Imports,
    ) -> Result<Admitted, OpenError> {
        // A request that is denied anyway must cost no inspection, and no query to an index.
        let first = match &run.first {
            Ok(grant) => Arc::clone(grant),
            Err(denial) => return Err(OpenError::Denied(denial.clone())),
        };
        let Some(manager) = &self.0.packages else {
            let asks_for_none = run.request.wants.packages.is_empty();
            return if asks_for_none {
                Ok((first, PackagePlan::default()))
            } else {
                Err(OpenError::Denied(Box::new(Denial::packages_unsupported())))
            };
        };
        // Boxed, so that the future of every run, which is moved a few times, is not as large as
        // this one.
        Box::pin(self.resolve(manager.as_ref(), run, (first, imports))).await
    }

    async fn resolve(
        &self,
        manager: &dyn PackageManager,
        run: &mut PendingRun,
        (first, imports): (Arc<Grant>, Imports),
    ) -> Result<Admitted, OpenError> {
        let survey = manager.survey(&run.request, &run.allowance).await?;
        let mut plan = PackagePlan::new(survey, &mut run.request);
        if run.request.wants.packages.is_empty() {
            return if plan.has_needs() {
                self.admit_with(run, plan).await
            } else {
                Ok((first, plan))
            };
        }
        // The same packages may need native code, or may not exist, for one tier and not for
        // another one.
        if !self.machine().assumed().is_empty() {
            self.connect_for(&mut run.allowance).await;
        }
        let (request, allowance) = (&run.request, &run.allowance);
        let machine = self.facts();
        let facts = plan.facts(&machine);
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
        let targets = self.targets(&grant);
        // From here on an index may learn of the request, so it leaves a record whatever its end.
        run.audit.looked_up(request)?;
        let resolutions = allowance
            .in_time(manager.resolve(&grant, &targets, allowance))
            .await?;
        plan.resolved(grant, resolutions);
        let admitted = self.admit_with(run, plan).await?;
        match imports {
            Imports::Omit => Ok(admitted),
            Imports::Try => self.fit(manager, run, admitted).await,
        }
    }

    /// Returns the targets of a grant's packages, in order of preference.
    fn targets(&self, grant: &PackageGrant) -> Vec<PackageTarget> {
        let target = |tier: &Tier| {
            let executor = self.0.executors.get(tier)?;
            executor.package_target(grant.language())
        };
        grant.tiers().iter().filter_map(target).collect()
    }

    /// Plans for another tier if the packages cannot be imported in the chosen one, for what that
    /// lacks, and another one is granted.
    async fn fit(
        &self,
        manager: &dyn PackageManager,
        run: &mut PendingRun,
        (grant, mut plan): Admitted,
    ) -> Result<Admitted, OpenError> {
        let tier = grant.tier();
        let Some((packages, resolution)) = plan.of_tier(tier) else {
            return Ok((grant, plan));
        };
        let mut others = self.targets(packages);
        others.retain(|target| !plan.is_resolved_for(target.tier));
        if others.is_empty() {
            return Ok((grant, plan));
        }
        let allowance = &run.allowance;
        let tried = manager.try_imports(packages, resolution, plan.imports(), allowance);
        let Some(lacks) = allowance.in_time(tried).await? else {
            return Ok((grant, plan));
        };
        let resolved = manager.resolve(packages, &others, allowance);
        match allowance.in_time(resolved).await {
            Ok(others) => plan.unfit(tier, lacks, others),
            Err(late @ Error::OutOfTime(_)) => return Err(late.into()),
            Err(error) => {
                tracing::warn!(%error, "packages that `{tier}` lacks something for were not resolved for another tier");
                return Ok((grant, plan));
            }
        }
        self.admit_with(run, plan).await
    }

    /// Inspects a granted program, and checks whether the policy accepts the findings.
    pub(crate) async fn inspect(
        &self,
        request: &Request,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<Inspection, Error> {
        let executor = self.0.executors.get(&Tier::Wasm).map(AsRef::as_ref);
        let mut findings = findings::inspect(executor, request, grant, allowance).await?;
        let denial = grant.check_findings(&mut findings).err();
        Ok(Inspection { findings, denial })
    }

    /// Makes the first decision, before anything is known of packages.
    pub(super) async fn begin(
        &self,
        id: RunId,
        request: Request,
        stop: &CancellationToken,
        tab: Option<Tab>,
    ) -> PendingRun {
        let audit = RunAudit::new(self.0.audit.clone(), id, &request);
        let unplanned = PackagePlan::default();
        let machine = self.machine();
        let mut first = self.decide(&machine, &request, &unplanned);
        if is_provisional(&machine, first.as_deref().ok())
            && until_stopped(stop, self.connect()).await.is_some()
        {
            first = self.decide(&self.machine(), &request, &unplanned);
        }
        let limits = first.as_ref().ok().map(|grant| grant.limits());
        let allowance = self.allowance(&request.subject, limits, stop).noted(tab);
        PendingRun {
            request,
            audit,
            allowance,
            first,
        }
    }

    /// Returns the allowance of a request besides its own run.
    pub(crate) fn allowance(
        &self,
        subject: &Subject,
        limits: Option<&Limits>,
        stop: &CancellationToken,
    ) -> Allowance {
        Allowance::within(
            subject.clone(),
            limits,
            stop.clone(),
            self.0.inspections.clone(),
        )
        .charged(self.0.memory.clone())
    }

    async fn admit_with(
        &self,
        run: &mut PendingRun,
        plan: PackagePlan,
    ) -> Result<Admitted, OpenError> {
        let machine = self.machine();
        let mut decided = self.decide(&machine, &run.request, &plan);
        if is_provisional(&machine, decided.as_deref().ok()) {
            self.connect_for(&mut run.allowance).await;
            decided = self.decide(&self.machine(), &run.request, &plan);
        }
        Ok((decided.map_err(OpenError::Denied)?, plan))
    }

    fn decide(
        &self,
        machine: &Machine,
        request: &Request,
        plan: &PackagePlan,
    ) -> Result<Arc<Grant>, Box<Denial>> {
        let facts = plan.facts(&machine.facts);
        let facts = facts.as_ref().unwrap_or(&machine.facts);
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

    /// Connects the tiers that are not connected, so that their facts are no assumptions.
    async fn connect(&self) {
        for tier in self.machine().assumed() {
            if let Some(executor) = self.0.executors.get(tier) {
                executor.connect().await;
                let machine = self.0.machine.write();
                machine
                    .unwrap_or_else(PoisonError::into_inner)
                    .connected(executor.facts());
            }
        }
    }

    /// Connects on behalf of a request, whose own time does not pass meanwhile.
    async fn connect_for(&self, allowance: &mut Allowance) {
        let began = Instant::now();
        self.connect().await;
        allowance.postpone(began.elapsed());
    }

    pub(super) async fn fetch(
        &self,
        plan: &PackagePlan,
        grant: &Grant,
        allowance: &Allowance,
    ) -> Result<Option<PackageTree>, Error> {
        match (&self.0.packages, plan.of_tier(grant.tier())) {
            (Some(manager), Some((packages, resolution))) => {
                Box::pin(allowance.in_time(manager.fetch(packages, resolution, allowance)))
                    .await
                    .map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Returns whether a decision depends on a tier that is not connected: the chosen one, or one that
/// would have been preferred. A denial, which is no grant, depends on all of them.
pub(super) fn is_provisional(machine: &Machine, decided: Option<&Grant>) -> bool {
    let assumed = machine.assumed();
    match decided {
        Some(grant) => {
            assumed.contains(&grant.tier())
                || grant.passed_over().any(|tier| assumed.contains(&tier))
        }
        None => !assumed.is_empty(),
    }
}
