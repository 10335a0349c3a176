//! How does a request become an outcome?
//!
//! The one way in: ask the policy, write the decision down, hand the grant to the tier's executor, write down how it ended.

mod builder;
mod place;
mod refusals;

pub use builder::SandboxBuilder;
pub(crate) use place::Place;
pub use refusals::OpenError;
use refusals::{elsewhere, no_session};

use crate::allowance::Allowance;
use crate::audit::{AuditEvent, AuditSink, Trail};
use crate::engine::Metering;
use crate::error::Error;
use crate::executor::{Evaluation, Executor, Hold, Job, Opening, Report, Stock};
use crate::fair::FairSlots;
use crate::findings;
use crate::outcome::{Limit, Outcome, PolicyReference, RunId, Status, Usage};
use crate::packages::{LockedPackage, PackageManager, PackageTarget, PackageTree, Supplies, no_manager};
use crate::session::{Opened, Session};
use crate::stdio::{Input, OutputChunk};
use glovebox_policy::{Denial, Explanation, Facts, Finding, Grant, Limits, Policy, Request, Subject, Tier, Verdict};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span};

/// Runs code that nobody has vetted. Cheap to clone; all clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    policy: Policy,
    facts: RwLock<Arc<Facts>>,
    executors: HashMap<Tier, Arc<dyn Executor>>,
    packages: Option<Arc<dyn PackageManager>>,
    audit: Option<Arc<dyn AuditSink>>,
    permits: Arc<Semaphore>,
    /// Looks at programs at once, which happen before a run has its place.
    looks: FairSlots,
    running: Mutex<HashMap<Subject, u64>>,
    ended: Notify,
    has_compiler: bool,
}

/// What comes with a run besides the request, and none of which a policy judges.
#[derive(Debug, Default)]
pub struct Controls {
    /// Names the run in the audit log and the outcome; a new name unless said. Of a session, it names the one evaluation.
    pub id: Option<RunId>,
    /// Standard input; empty unless said.
    pub input: Input,
    /// Where output goes as it happens, besides into the outcome. A receiver that does not read makes the program wait.
    pub output: Option<mpsc::Sender<OutputChunk>>,
    /// Told of what is recorded about the run besides its decision and its end, such as calls of tools and findings.
    pub events: Option<mpsc::UnboundedSender<AuditEvent>>,
    /// Stops the run.
    pub stop: CancellationToken,
    /// Told what was used where the run ends in an error, so that no outcome says it.
    pub spent: Option<Arc<Mutex<Usage>>>,
}

impl Sandbox {
    /// Starts with the built-in policy (its `default` profile), the installed guests, fuel metering, no audit log, no tools, no compiler and at most 64
    /// runs at once.
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
    /// Dropping the future stops the run.
    ///
    /// # Errors
    ///
    /// Where the host failed. What the program did, what the policy refused and which limit was hit is in the outcome.
    pub async fn run(&self, request: Request) -> Result<Outcome, Error> {
        self.run_with(request, Controls::default()).await
    }

    /// Runs a request with input, streaming output or a handle to stop it.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::run`].
    pub async fn run_with(&self, request: Request, controls: Controls) -> Result<Outcome, Error> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let trail = Trail::new(self.0.audit.clone(), id, &request);
        trail.watch(controls.events.clone());
        let (first, allowance) = self.begin(&request, &controls.stop);
        let spent = controls.spent.clone();
        let result = self.go(id, request, controls, first, trail, &allowance).await;
        if let (Err(_), Some(spent)) = (&result, spent) {
            *spent.lock().unwrap_or_else(PoisonError::into_inner) = allowance.used();
        }
        result
    }

    /// Takes a request from the policy's first word to its end.
    async fn go(
        &self,
        id: RunId,
        mut request: Request,
        controls: Controls,
        first: Result<Arc<Grant>, Box<Denial>>,
        mut trail: Trail,
        allowance: &Allowance,
    ) -> Result<Outcome, Error> {
        let survey = self.survey(&mut request, &first, &mut trail, allowance).instrument(debug_span!("survey"));
        let surveyed = allowance.until_stopped(survey).await;
        let without = || first.map(|grant| (grant, Supplies::default()));
        let (surveyed, late) = match surveyed {
            Some(Ok(surveyed)) => (surveyed, None),
            Some(Err(late @ Error::OutOfTime(_))) => (without(), Some(late)),
            Some(Err(error)) => {
                trail.aborted(&error.to_string());
                return Err(error);
            }
            None => (without(), None),
        };
        let (grant, supplies) = match surveyed {
            Ok(admitted) => admitted,
            Err(denial) => return self.denied(id, &request, *denial, Looked::default(), allowance.used(), &mut trail),
        };
        let mut looked = self.look(&request, &grant, allowance).instrument(debug_span!("look")).await?;
        trail.found(&looked.findings)?;
        if let Some(denial) = looked.denial.take() {
            return self.denied(id, &request, denial, looked, allowance.used(), &mut trail);
        }
        trail.admitted(&request, &grant)?;
        let prepared = match late {
            Some(late) => Some(Err(late)),
            None => allowance.until_stopped(self.prepare(&supplies, &grant, allowance).instrument(debug_span!("prepare"))).await,
        };
        let looks = allowance.looks();
        let grant = if looks.wall.is_zero() { grant } else { Arc::new(grant.after(looks.wall, looks.fuel)) };
        let ended = match prepared {
            Some(Ok(prepared)) => {
                let span = debug_span!("guest", tier = grant.tier().name());
                let report = self.execute(id, request, prepared, &grant, controls, &trail).instrument(span).await;
                report.map(|report| (report, locked_packages(&supplies, &grant)))
            }
            Some(Err(error @ Error::OutOfTime(_))) => {
                tracing::info!(run = %id, "{error}");
                Ok((Report { limit: Some(Limit::Wall), ..Report::new(Status::Limited) }, Vec::new()))
            }
            Some(Err(error)) => Err(error),
            None => Ok((Report::new(Status::Cancelled), Vec::new())),
        };
        match ended {
            Ok((report, packages)) => {
                let mut outcome = outcome(id, report, &grant);
                outcome.packages = packages;
                outcome.findings = looked.findings;
                allowance.add_to(&mut outcome.usage);
                trail.finished(&outcome)?;
                Ok(outcome)
            }
            Err(error) => {
                trail.aborted(&error.to_string());
                Err(error)
            }
        }
    }

    /// Finds out what a request needs besides what it says, and what it is granted with that. Nothing is looked up that the policy does not
    /// allow. `first` is what it was granted without.
    async fn survey(
        &self,
        request: &mut Request,
        first: &Result<Arc<Grant>, Box<Denial>>,
        trail: &mut Trail,
        allowance: &Allowance,
    ) -> Result<Result<(Arc<Grant>, Supplies), Box<Denial>>, Error> {
        let first = match first {
            Ok(grant) => grant,
            // Whatever is refused anyway costs no look, and must not send anybody to an index.
            Err(denial) => return Ok(Err(denial.clone())),
        };
        let asked = request.wants.packages.len();
        let Some(manager) = &self.0.packages else {
            return Ok(if asked == 0 { Ok((Arc::clone(first), Supplies::default())) } else { Err(Box::new(no_manager())) });
        };
        // In a box, so that the future of every run, which is moved a few times, is not as large as this one.
        Box::pin(self.survey_packages(manager.as_ref(), request, first, trail, allowance)).await
    }

    async fn survey_packages(
        &self,
        manager: &dyn PackageManager,
        request: &mut Request,
        first: &Arc<Grant>,
        trail: &mut Trail,
        allowance: &Allowance,
    ) -> Result<Result<(Arc<Grant>, Supplies), Box<Denial>>, Error> {
        let mut supplies = Supplies::new(manager.survey(request, allowance).await?, request);
        if request.wants.packages.is_empty() {
            let is_same = !supplies.has_needs();
            return Ok(if is_same { Ok((Arc::clone(first), supplies)) } else { self.admit_with(request, supplies) });
        }
        let machine = self.facts();
        let facts = supplies.facts(&machine);
        let facts = facts.as_ref().unwrap_or(&machine);
        // Whatever would be refused anyway must not send anybody to an index first.
        if let Verdict::Deny(denial) = self.0.policy.admit(request, facts) {
            return Ok(Err(Box::new(denial)));
        }
        let grant = match self.0.policy.admit_packages(request, facts) {
            Ok(grant) => grant,
            Err(denial) => return Ok(Err(Box::new(denial))),
        };
        let target = |tier: &Tier| self.0.executors.get(tier).and_then(|executor| executor.package_target(&request.language));
        let targets: Vec<PackageTarget> = grant.tiers().iter().filter_map(target).collect();
        // From here on somebody else may learn of the request, so it leaves a record whatever becomes of it.
        trail.looked_up(request)?;
        let resolutions = allowance.in_time(manager.resolve(&grant, &targets, allowance)).await?;
        supplies.resolved(grant, resolutions);
        Ok(self.admit_with(request, supplies))
    }

    /// As [`Sandbox::survey`]; an error ends the record.
    async fn surveyed(
        &self,
        request: &mut Request,
        first: &Result<Arc<Grant>, Box<Denial>>,
        trail: &mut Trail,
        allowance: &Allowance,
    ) -> Result<Result<(Arc<Grant>, Supplies), Box<Denial>>, Error> {
        self.survey(request, first, trail, allowance).await.inspect_err(|error| trail.aborted(&error.to_string()))
    }

    /// What there is to find in a program that was granted, and whether that is acceptable.
    pub(crate) async fn look(&self, request: &Request, grant: &Grant, allowance: &Allowance) -> Result<Looked, Error> {
        // Nothing reads a program on the host.
        let Some(executor) = self.0.executors.get(&Tier::Wasm) else { return Ok(Looked::default()) };
        let mut findings = findings::look(executor.as_ref(), request, grant, allowance).await?;
        let denial = grant.check_findings(&mut findings).err();
        Ok(Looked { findings, denial })
    }

    /// What a request is granted before anything is known of what it needs besides, and what finding that out may use up.
    fn begin(&self, request: &Request, stop: &CancellationToken) -> (Result<Arc<Grant>, Box<Denial>>, Allowance) {
        let first = self.decide(request, &self.facts());
        let limits = first.as_ref().ok().map(|grant| grant.limits());
        let allowance = self.allowance(&request.subject, limits, stop);
        (first, allowance)
    }

    /// What may be used up for a request besides its own run.
    pub(crate) fn allowance(&self, subject: &Subject, limits: Option<&Limits>, stop: &CancellationToken) -> Allowance {
        Allowance::within(subject.clone(), limits, stop.clone(), self.0.looks.clone())
    }

    fn admit_with(&self, request: &Request, supplies: Supplies) -> Result<(Arc<Grant>, Supplies), Box<Denial>> {
        let machine = self.facts();
        let facts = supplies.facts(&machine);
        self.decide(request, facts.as_ref().unwrap_or(&machine)).map(|grant| (grant, supplies))
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

    async fn fetch(&self, supplies: &Supplies, grant: &Grant, allowance: &Allowance) -> Result<Option<PackageTree>, Error> {
        match (&self.0.packages, supplies.of_tier(grant.tier())) {
            (Some(manager), Some((packages, resolution))) => {
                Box::pin(allowance.in_time(manager.fetch(packages, resolution, allowance))).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Fetches the packages, and only then takes a place: who waits for packages must not keep others from running.
    async fn prepare(&self, supplies: &Supplies, grant: &Grant, allowance: &Allowance) -> Result<(Option<PackageTree>, Place), Error> {
        let packages = self.fetch(supplies, grant, allowance).await?;
        Ok((packages, self.0.place(grant).await?))
    }

    async fn execute(
        &self,
        id: RunId,
        request: Request,
        (packages, place): (Option<PackageTree>, Place),
        grant: &Arc<Grant>,
        controls: Controls,
        trail: &Trail,
    ) -> Result<Report, Error> {
        // Until the report is there, and for as long as the executor holds it.
        let place = Hold::new(Some(place));
        let _taken = place.clone();
        let _lease = packages.as_ref().map(|tree| tree.lease.clone());
        let job = Job {
            opening: Opening { id, grant: Arc::clone(grant), files: request.files, packages, trail: trail.calls(), place },
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

    /// Makes a session: a place where one evaluation sees what the one before it left.
    ///
    /// The request's source is not evaluated; its files are put into the workspace.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] where the policy refuses, else as [`Sandbox::run`].
    pub async fn open(&self, mut request: Request) -> Result<Session, OpenError> {
        let id = RunId::random();
        let stop = CancellationToken::new();
        let mut trail = Trail::new(self.0.audit.clone(), id, &request);
        let (first, allowance) = self.begin(&request, &stop);
        let admitted = self.surveyed(&mut request, &first, &mut trail, &allowance).await?.and_then(|(grant, supplies)| {
            let executor = self.0.executors.get(&grant.tier());
            let can = executor.is_none_or(|executor| executor.has_sessions(grant.language()));
            if can { Ok((grant, supplies)) } else { Err(Box::new(no_session(&grant))) }
        });
        let (grant, supplies) = self.or_refused(admitted, &request, &mut trail)?;
        trail.admitted(&request, &grant)?;
        let (packages, _place) =
            self.prepare(&supplies, &grant, &allowance).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let files = std::mem::take(&mut request.files);
        // A session takes a place for each of its evaluations.
        let place = Hold::new(None);
        let lease = packages.as_ref().map(|tree| tree.lease.clone()).unwrap_or_default();
        let opening = Opening { id, grant: Arc::clone(&grant), files, packages, trail: trail.calls(), place };
        let live = self.executor(grant.tier())?.open(opening).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let packages = locked_packages(&supplies, &grant);
        let preparation = allowance.used();
        Ok(Session::new(live, Opened { sandbox: self.clone(), id, request, grant, packages, lease, trail: Some(trail), preparation }))
    }

    /// A place among those that run at once, for one evaluation of a session.
    pub(crate) async fn place(&self, grant: &Grant) -> Result<Place, Error> {
        self.0.place(grant).await
    }

    /// Finds and fetches what a session asks for besides what it has. It stays in its tier.
    pub(crate) async fn supply(&self, session: RunId, tier: Tier, mut request: Request) -> Result<Supplied, OpenError> {
        let mut trail = Trail::new(self.0.audit.clone(), RunId::random(), &request);
        let (first, allowance) = self.begin(&request, &CancellationToken::new());
        let admitted = self.surveyed(&mut request, &first, &mut trail, &allowance).await?.and_then(|(grant, supplies)| {
            if grant.tier() == tier { Ok((grant, supplies)) } else { Err(Box::new(elsewhere(&request, tier, &grant))) }
        });
        let (grant, supplies) = self.or_refused(admitted, &request, &mut trail)?;
        let tree = self.fetch(&supplies, &grant, &allowance).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let packages = locked_packages(&supplies, &grant);
        trail.provided(&request, Some(session), &packages, self.0.policy.digest())?;
        Ok(Supplied { request, grant, packages, tree, usage: allowance.used() })
    }

    /// Records that an evaluation of a session was refused; the session goes on.
    pub(crate) fn refused(&self, id: RunId, request: &Request, denial: &Denial) -> Result<(), Error> {
        Trail::new(self.0.audit.clone(), id, request).denied(request, denial, self.0.policy.digest())
    }

    /// What was admitted, or the refusal, once that is recorded.
    fn or_refused<T>(&self, admitted: Result<T, Box<Denial>>, request: &Request, trail: &mut Trail) -> Result<T, OpenError> {
        if let Err(denial) = &admitted {
            trail.denied(request, denial, self.0.policy.digest())?;
        }
        admitted.map_err(OpenError::Denied)
    }

    fn executor(&self, tier: Tier) -> Result<&Arc<dyn Executor>, Error> {
        self.0.executors.get(&tier).ok_or_else(|| Error::Host(format!("the policy chose the tier `{tier}`, which nobody offers")))
    }

    fn denied(
        &self,
        id: RunId,
        request: &Request,
        denial: Denial,
        looked: Looked,
        usage: Usage,
        trail: &mut Trail,
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

    /// Finds the packages of a request, and fetches them where that is wanted, so that a later run finds them ready; runs nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError::Denied`] where the policy refuses, else as [`Sandbox::run`].
    pub async fn provide(&self, mut request: Request, fetch: bool) -> Result<Provision, OpenError> {
        let mut trail = Trail::new(self.0.audit.clone(), RunId::random(), &request);
        let (first, allowance) = self.begin(&request, &CancellationToken::new());
        let allowance = allowance.patient();
        let admitted = self.surveyed(&mut request, &first, &mut trail, &allowance).await?;
        let (grant, supplies) = self.or_refused(admitted, &request, &mut trail)?;
        if fetch {
            self.fetch(&supplies, &grant, &allowance).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        }
        let packages = locked_packages(&supplies, &grant);
        trail.provided(&request, None, &packages, self.0.policy.digest())?;
        Ok(Provision { tier: grant.tier(), tier_reason: grant.tier_reason().to_owned(), packages })
    }

    /// Why a request would be admitted or denied, its packages included; fetches and runs nothing.
    ///
    /// # Errors
    ///
    /// Where what the request needs could not be found out.
    pub async fn explain(&self, request: Request) -> Result<Explanation, Error> {
        self.explain_with(request, Controls::default()).await.map(|explained| explained.explanation)
    }

    /// Explains a request, with a name for it in the audit log or a handle to stop it; tells what that used up.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::explain`].
    pub async fn explain_with(&self, mut request: Request, controls: Controls) -> Result<Explained, Error> {
        let id = controls.id.unwrap_or_else(RunId::random);
        let stop = controls.stop;
        let mut trail = Trail::new(self.0.audit.clone(), id, &request);
        let (first, allowance) = self.begin(&request, &stop);
        let survey = self.surveyed(&mut request, &first, &mut trail, &allowance);
        let surveyed = allowance.until_stopped(survey).await.unwrap_or_else(|| Ok(first.map(|grant| (grant, Supplies::default()))));
        // What is refused before anything is looked up is refused by the explanation as well.
        let supplies = surveyed?.map(|(_, supplies)| supplies).unwrap_or_default();
        let machine = self.facts();
        let facts = supplies.facts(&machine);
        let mut explanation = self.0.policy.explain(&request, facts.as_ref().unwrap_or(&machine));
        let mut found = Vec::new();
        if let Verdict::Admit(grant) = &explanation.verdict {
            let Looked { findings, denial } = self.look(&request, grant, &allowance).await?;
            explanation.found(grant.profile().to_owned(), &findings, denial);
            found = findings;
        }
        let usage = allowance.used();
        trail.found(&found)?;
        trail.explained(&request, &explanation.verdict, &usage, self.0.policy.digest())?;
        Ok(Explained { id, explanation, usage })
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// What packages of a language have to be like, tier by tier.
    #[must_use]
    pub fn package_targets(&self, language: &str) -> Vec<PackageTarget> {
        let machine = self.facts();
        let targets = machine.tiers.iter().filter_map(|facts| self.0.executors.get(&facts.tier)?.package_target(language));
        targets.collect()
    }

    /// What this sandbox offers, tier by tier.
    #[must_use]
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.0.facts.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a tier works, as far as can be told without running somebody's program.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub async fn probe(&self, tier: Tier) -> Result<(), Error> {
        self.executor(tier)?.probe().await
    }

    /// How each tier's stock of places is doing, where it keeps one.
    #[must_use]
    pub fn stocks(&self) -> Vec<(Tier, Stock)> {
        self.0.executors.iter().filter_map(|(tier, executor)| Some((*tier, executor.stock()?))).collect()
    }

    /// Takes a tier out of use for this reason, or back into use. What runs there is left alone; what comes finds another tier, or is
    /// refused with the reason.
    pub fn set_unavailable(&self, tier: Tier, reason: Option<String>) {
        let mut facts = self.0.facts.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Facts::clone(&facts);
        for known in changed.tiers.iter_mut().filter(|known| known.tier == tier) {
            known.unavailable.clone_from(&reason);
        }
        *facts = Arc::new(changed);
    }
}

/// What was found in a program.
#[derive(Default)]
pub(crate) struct Looked {
    pub(crate) findings: Vec<Finding>,
    pub(crate) denial: Option<Denial>,
}

/// Why a request would be admitted or denied, and what it took to find that out.
#[derive(Debug)]
#[non_exhaustive]
pub struct Explained {
    /// Names it in the audit log.
    pub id: RunId,
    /// The decision, step by step.
    pub explanation: Explanation,
    /// What was used up by guests that looked at the program.
    pub usage: Usage,
}

/// What a request would find in the tier that it would run in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provision {
    /// The tier.
    pub tier: Tier,
    /// Why that one.
    pub tier_reason: String,
    /// Every package that would be there, by its exact archive.
    pub packages: Vec<LockedPackage>,
}

/// What a session is given later.
pub(crate) struct Supplied {
    pub(crate) request: Request,
    pub(crate) grant: Arc<Grant>,
    pub(crate) packages: Vec<LockedPackage>,
    pub(crate) tree: Option<PackageTree>,
    pub(crate) usage: Usage,
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
    supplies.of_tier(grant.tier()).map(|(_, resolution)| resolution.packages.clone()).unwrap_or_default()
}
