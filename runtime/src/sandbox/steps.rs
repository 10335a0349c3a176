//! Other operations on a request: how is it opened as a session, provided for, or explained?
//!
//! To open a session for it, to resolve what it needs, to explain its decision. Each records its
//! end in the audit log and adds its usage to the caller's counter, also if it ends in an error or
//! its caller goes away.

use super::plan::{Admitted, Imports, Inspection};
use super::run::PendingRun;
use super::{Controls, OpenError, Sandbox};
use crate::allowance::{Tab, until_stopped};
use crate::error::Error;
use crate::executor::{Hold, SessionHandle};
use crate::outcome::{RunId, Usage};
use crate::packages::{Lease, LockedPackage, PackageTree};
use crate::session::{OpenedSession, Session};
use glovebox_policy::{Denial, Explanation, Grant, Request, Tier, Verdict};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The explanation of a decision, and the usage of finding it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explained {
    /// The id in the audit log.
    pub id: RunId,
    /// The decision, step by step.
    pub explanation: Explanation,
    /// The usage of guests that inspected the program.
    pub usage: Usage,
}

/// The tier and the packages that a request would run with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackageResolution {
    /// The tier.
    pub tier: Tier,
    /// The reason for that tier.
    pub tier_reason: String,
    /// The packages, each by its exact archive.
    pub packages: Vec<LockedPackage>,
}

/// The packages that a session is given later.
pub(crate) struct PackageUpdate {
    pub(crate) request: Request,
    pub(crate) grant: Arc<Grant>,
    pub(crate) packages: Vec<LockedPackage>,
    pub(crate) tree: Option<PackageTree>,
}

/// The grant of a session that was opened, and its packages.
struct GrantedSession {
    grant: Arc<Grant>,
    packages: Vec<LockedPackage>,
    lease: Lease,
}

/// The last step of providing packages.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastStep {
    Resolve,
    Fetch,
}

impl Sandbox {
    /// Opens a session: an instance that keeps state between evaluations.
    ///
    /// The request's source is not evaluated; its files are written into the workspace.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] if the policy denies it, else as [`Sandbox::run`].
    pub async fn open(&self, request: Request) -> Result<Session, OpenError> {
        self.open_with(request, Controls::default()).await
    }

    /// Opens a session with an id in the audit log or a counter for the usage besides its
    /// evaluations. Input and output are those of an evaluation, and are ignored here.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::open`].
    pub async fn open_with(
        &self,
        request: Request,
        controls: Controls,
    ) -> Result<Session, OpenError> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let tab = controls.spent.unwrap_or_default();
        let mut run = self
            .begin(id, request, &controls.stop, Some(Arc::clone(&tab)))
            .await;
        let opened = self.open_pending(&mut run).await;
        let (live, opened) = self.recorded(opened, &mut run)?;
        let PendingRun { request, audit, .. } = run;
        let session = OpenedSession {
            sandbox: self.clone(),
            id,
            request,
            grant: opened.grant,
            packages: opened.packages,
            lease: opened.lease,
            audit: Some(audit),
            tab,
        };
        Ok(Session::new(live, session))
    }

    async fn open_pending(
        &self,
        run: &mut PendingRun,
    ) -> Result<(Box<dyn SessionHandle>, GrantedSession), OpenError> {
        let (grant, plan) = self.plan_packages(run, Imports::Try).await?;
        let executor = self.executor(grant.tier())?;
        if !executor.has_sessions(grant.language()) {
            return Err(OpenError::Denied(Box::new(Denial::sessions_unsupported(
                grant.language(),
                grant.tier(),
                grant.tier_reason(),
            ))));
        }
        run.audit.admitted(&run.request, None, &grant)?;
        let (packages, _slot) = self.prepare(&plan, &grant, &run.allowance).await?;
        let lease = packages
            .as_ref()
            .map(|tree| tree.lease.clone())
            .unwrap_or_default();
        // A session acquires a slot for each of its evaluations.
        let setup = self.setup(run, &grant, packages, Hold::new(None));
        let live = executor.open(setup).await?;
        let packages = plan.locked(&grant);
        let granted = GrantedSession {
            grant,
            packages,
            lease,
        };
        Ok((live, granted))
    }

    /// Resolves and fetches the packages that a session adds. It stays in its tier.
    pub(crate) async fn update_packages(
        &self,
        session: RunId,
        tier: Tier,
        request: Request,
        tab: Tab,
    ) -> Result<PackageUpdate, OpenError> {
        let stop = CancellationToken::new();
        let mut run = self.begin(RunId::random(), request, &stop, Some(tab)).await;
        let updated = async {
            let (grant, plan) = self.plan_in_tier(&mut run, tier).await?;
            let tree = self.fetch(&plan, &grant, &run.allowance).await?;
            let packages = plan.locked(&grant);
            let digest = self.0.policy.digest();
            run.audit
                .provided(&run.request, Some(session), &packages, digest)?;
            Ok::<_, OpenError>((grant, packages, tree))
        };
        let updated = updated.await;
        let (grant, packages, tree) = self.recorded(updated, &mut run)?;
        Ok(PackageUpdate {
            request: run.request,
            grant,
            packages,
            tree,
        })
    }

    /// Plans the packages of a session in its tier.
    async fn plan_in_tier(&self, run: &mut PendingRun, tier: Tier) -> Result<Admitted, OpenError> {
        let wanted = run.request.wants.tier.replace(tier);
        let planned = self.plan_packages(run, Imports::Omit).await;
        run.request.wants.tier = wanted;
        if wanted.is_some() || !matches!(planned, Err(OpenError::Denied(_))) {
            return planned;
        }
        // If another tier could have them, that is what there is to say.
        match self.plan_packages(run, Imports::Omit).await {
            Ok((grant, _)) if grant.tier() != tier => {
                let denial = Denial::wrong_tier(
                    &run.request.wants.packages,
                    tier,
                    grant.tier(),
                    grant.tier_reason(),
                );
                Err(OpenError::Denied(Box::new(denial)))
            }
            _ => planned,
        }
    }

    /// Resolves the packages of a request; fetches and runs nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] if the policy denies it, else as [`Sandbox::run`].
    pub async fn resolve_packages(&self, request: Request) -> Result<PackageResolution, OpenError> {
        self.prepare_packages(request, LastStep::Resolve).await
    }

    /// Resolves and fetches the packages of a request, so that a later run finds them ready; runs
    /// nothing.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::resolve_packages`].
    pub async fn fetch_packages(&self, request: Request) -> Result<PackageResolution, OpenError> {
        self.prepare_packages(request, LastStep::Fetch).await
    }

    async fn prepare_packages(
        &self,
        request: Request,
        last: LastStep,
    ) -> Result<PackageResolution, OpenError> {
        let stop = CancellationToken::new();
        let mut run = self.begin(RunId::random(), request, &stop, None).await;
        run.allowance.without_deadline();
        let resolved = async {
            let imports = match last {
                LastStep::Resolve => Imports::Omit,
                LastStep::Fetch => Imports::Try,
            };
            let (grant, plan) = self.plan_packages(&mut run, imports).await?;
            if last == LastStep::Fetch {
                self.fetch(&plan, &grant, &run.allowance).await?;
            }
            let packages = plan.locked(&grant);
            let digest = self.0.policy.digest();
            run.audit.provided(&run.request, None, &packages, digest)?;
            Ok::<_, OpenError>(PackageResolution {
                tier: grant.tier(),
                tier_reason: grant.tier_reason().to_owned(),
                packages,
            })
        };
        let resolved = resolved.await;
        self.recorded(resolved, &mut run)
    }

    /// Explains why a request would be admitted or denied, its packages included; fetches and runs
    /// nothing.
    ///
    /// # Errors
    ///
    /// If the request's needs could not be resolved.
    pub async fn explain(&self, request: Request) -> Result<Explanation, Error> {
        self.explain_with(request, Controls::default())
            .await
            .map(|explained| explained.explanation)
    }

    /// Explains a request, with an id in the audit log, a cancellation token, or a counter of the
    /// usage.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::explain`].
    pub async fn explain_with(
        &self,
        request: Request,
        controls: Controls,
    ) -> Result<Explained, Error> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let mut run = self
            .begin(id, request, &controls.stop, controls.spent)
            .await;
        let explained = self.explain_pending(&mut run, &controls.stop).await;
        let explanation = explained.inspect_err(|error| run.audit.aborted(&error.to_string()))?;
        let usage = run.allowance.used();
        let (verdict, digest) = (&explanation.verdict, self.0.policy.digest());
        run.audit.explained(&run.request, verdict, &usage, digest)?;
        Ok(Explained {
            id,
            explanation,
            usage,
        })
    }

    async fn explain_pending(
        &self,
        run: &mut PendingRun,
        stop: &CancellationToken,
    ) -> Result<Explanation, Error> {
        let plan = match until_stopped(stop, self.plan_packages(run, Imports::Omit)).await {
            Some(Ok((_, plan))) => plan,
            Some(Err(OpenError::Failed(error))) => return Err(error),
            // A request that is denied before anything is resolved is denied by the explanation as
            // well.
            Some(Err(OpenError::Denied(_))) | None => Default::default(),
        };
        let machine = self.facts();
        let facts = plan.facts(&machine);
        let facts = facts.as_ref().unwrap_or(&machine);
        let mut explanation = self.0.policy.explain(&run.request, facts);
        if let Verdict::Admit(grant) = &explanation.verdict {
            let inspected = self.inspect(&run.request, grant, &run.allowance).await?;
            let Inspection { findings, denial } = inspected;
            run.audit.found(&findings)?;
            explanation.found(grant.profile().to_owned(), &findings, denial);
        }
        Ok(explanation)
    }

    /// Returns the result of an operation, after recording a denial or failure as the request's
    /// end.
    fn recorded<T>(
        &self,
        result: Result<T, OpenError>,
        run: &mut PendingRun,
    ) -> Result<T, OpenError> {
        match &result {
            Ok(_) => {}
            Err(OpenError::Denied(denial)) => {
                let digest = self.0.policy.digest();
                run.audit.denied(&run.request, denial, digest)?;
            }
            Err(OpenError::Failed(error)) => run.audit.aborted(&error.to_string()),
        }
        result
    }
}
