//! Other operations on a request: how is it opened as a session, provided for, or explained?
//!
//! To open a session for it, to resolve what it needs, to explain its decision. Each records its end in the audit log and adds its usage to
//! the caller's counter, also if it ends in an error or its caller goes away.

use super::refusals::{sessions_unsupported, wrong_tier};
use super::{Controls, Inspection, OpenError, Sandbox, locked_packages};
use crate::allowance::Tab;
use crate::audit::RunAudit;
use crate::error::Error;
use crate::executor::{Hold, RunSetup};
use crate::outcome::{RunId, Usage};
use crate::packages::{LockedPackage, PackageTree};
use crate::session::{Opened, Session};
use glovebox_policy::{Explanation, Grant, Request, Tier, Verdict};
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
pub struct Provision {
    /// The tier.
    pub tier: Tier,
    /// The reason for that tier.
    pub tier_reason: String,
    /// The packages, each by its exact archive.
    pub packages: Vec<LockedPackage>,
}

/// The packages that a session is given later.
pub(crate) struct Supplied {
    pub(crate) request: Request,
    pub(crate) grant: Arc<Grant>,
    pub(crate) packages: Vec<LockedPackage>,
    pub(crate) tree: Option<PackageTree>,
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

    /// Opens a session with an id in the audit log or a counter for the usage besides its evaluations. Input and output are those of an
    /// evaluation, and are ignored here.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::open`].
    pub async fn open_with(
        &self,
        mut request: Request,
        controls: Controls,
    ) -> Result<Session, OpenError> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let tab = controls.spent.unwrap_or_default();
        let mut trail = RunAudit::new(self.0.audit.clone(), id, &request);
        let (first, allowance) = self.begin(&request, &controls.stop, Some(Arc::clone(&tab)));
        let admitted = self
            .survey(&mut request, &first, &trail, &allowance)
            .await
            .and_then(|(grant, supplies)| {
                let executor = self.0.executors.get(&grant.tier());
                let can = executor.is_none_or(|executor| executor.has_sessions(grant.language()));
                if can {
                    Ok((grant, supplies))
                } else {
                    Err(OpenError::Denied(Box::new(sessions_unsupported(&grant))))
                }
            });
        let (grant, supplies) = self.recorded(admitted, &request, &mut trail)?;
        trail.admitted(&request, &grant)?;
        let prepared = self
            .prepare(&supplies, &grant, &allowance)
            .await
            .map_err(OpenError::Failed);
        let (packages, _place) = self.recorded(prepared, &request, &mut trail)?;
        let files = std::mem::take(&mut request.files);
        // A session acquires a slot for each of its evaluations.
        let slot = Hold::new(None);
        let lease = packages
            .as_ref()
            .map(|tree| tree.lease.clone())
            .unwrap_or_default();
        let setup = RunSetup {
            id,
            grant: Arc::clone(&grant),
            files,
            packages,
            trail: trail.calls(),
            slot,
            memory: self.memory(&grant),
        };
        let live = self
            .executor(grant.tier())?
            .open(setup)
            .await
            .map_err(OpenError::Failed);
        let live = self.recorded(live, &request, &mut trail)?;
        let packages = locked_packages(&supplies, &grant);
        Ok(Session::new(
            live,
            Opened {
                sandbox: self.clone(),
                id,
                request,
                grant,
                packages,
                lease,
                trail: Some(trail),
                tab,
            },
        ))
    }

    /// Resolves and fetches the packages that a session adds. It stays in its tier.
    pub(crate) async fn supply(
        &self,
        session: RunId,
        tier: Tier,
        mut request: Request,
        tab: Tab,
    ) -> Result<Supplied, OpenError> {
        let mut trail = RunAudit::new(self.0.audit.clone(), RunId::random(), &request);
        let (first, allowance) = self.begin(&request, &CancellationToken::new(), Some(tab));
        let admitted = self
            .survey(&mut request, &first, &trail, &allowance)
            .await
            .and_then(|(grant, supplies)| {
                if grant.tier() == tier {
                    Ok((grant, supplies))
                } else {
                    Err(OpenError::Denied(Box::new(wrong_tier(
                        &request, tier, &grant,
                    ))))
                }
            });
        let (grant, supplies) = self.recorded(admitted, &request, &mut trail)?;
        let tree = self
            .fetch(&supplies, &grant, &allowance)
            .await
            .map_err(OpenError::Failed);
        let tree = self.recorded(tree, &request, &mut trail)?;
        let packages = locked_packages(&supplies, &grant);
        trail.provided(&request, Some(session), &packages, self.0.policy.digest())?;
        Ok(Supplied {
            request,
            grant,
            packages,
            tree,
        })
    }

    /// Resolves the packages of a request, and fetches them if `fetch` is set, so that a later run finds them ready; runs nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] if the policy denies it, else as [`Sandbox::run`].
    pub async fn provide(&self, mut request: Request, fetch: bool) -> Result<Provision, OpenError> {
        let mut trail = RunAudit::new(self.0.audit.clone(), RunId::random(), &request);
        let (first, allowance) = self.begin(&request, &CancellationToken::new(), None);
        let allowance = allowance.patient();
        let admitted = self.survey(&mut request, &first, &trail, &allowance).await;
        let (grant, supplies) = self.recorded(admitted, &request, &mut trail)?;
        if fetch {
            let fetched = self
                .fetch(&supplies, &grant, &allowance)
                .await
                .map_err(OpenError::Failed);
            self.recorded(fetched, &request, &mut trail)?;
        }
        let packages = locked_packages(&supplies, &grant);
        trail.provided(&request, None, &packages, self.0.policy.digest())?;
        Ok(Provision {
            tier: grant.tier(),
            tier_reason: grant.tier_reason().to_owned(),
            packages,
        })
    }

    /// Explains why a request would be admitted or denied, its packages included; fetches and runs nothing.
    ///
    /// # Errors
    ///
    /// If the request's needs could not be resolved.
    pub async fn explain(&self, request: Request) -> Result<Explanation, Error> {
        self.explain_with(request, Controls::default())
            .await
            .map(|explained| explained.explanation)
    }

    /// Explains a request, with an id in the audit log, a cancellation token, or a counter of the usage.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::explain`].
    pub async fn explain_with(
        &self,
        mut request: Request,
        controls: Controls,
    ) -> Result<Explained, Error> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let mut trail = RunAudit::new(self.0.audit.clone(), id, &request);
        let (first, allowance) = self.begin(&request, &controls.stop, controls.spent);
        let explained = async {
            let survey = self.survey(&mut request, &first, &trail, &allowance);
            let supplies = match allowance.until_stopped(survey).await {
                Some(Ok((_, supplies))) => supplies,
                Some(Err(OpenError::Failed(error))) => return Err(error),
                // A request that is denied before anything is resolved is denied by the explanation as well.
                Some(Err(OpenError::Denied(_))) | None => Default::default(),
            };
            let machine = self.facts();
            let facts = supplies.facts(&machine);
            let mut explanation = self
                .0
                .policy
                .explain(&request, facts.as_ref().unwrap_or(&machine));
            let mut found = Vec::new();
            if let Verdict::Admit(grant) = &explanation.verdict {
                let Inspection { findings, denial } =
                    self.look(&request, grant, &allowance).await?;
                explanation.found(grant.profile().to_owned(), &findings, denial);
                found = findings;
            }
            trail.found(&found)?;
            Ok(explanation)
        };
        let explanation = explained
            .await
            .inspect_err(|error| trail.aborted(&error.to_string()))?;
        let usage = allowance.used();
        trail.explained(
            &request,
            &explanation.verdict,
            &usage,
            self.0.policy.digest(),
        )?;
        Ok(Explained {
            id,
            explanation,
            usage,
        })
    }

    /// Returns the result of a step, after recording a denial or failure as the request's end.
    fn recorded<T>(
        &self,
        step: Result<T, OpenError>,
        request: &Request,
        trail: &mut RunAudit,
    ) -> Result<T, OpenError> {
        match &step {
            Ok(_) => {}
            Err(OpenError::Denied(denial)) => {
                trail.denied(request, denial, self.0.policy.digest())?
            }
            Err(OpenError::Failed(error)) => trail.aborted(&error.to_string()),
        }
        step
    }
}
