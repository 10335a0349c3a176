//! How does a request become an outcome?
//!
//! The one way in: ask the policy, write the decision down, hand the grant to the tier's executor, write down how it ended.

use crate::audit::{AuditSink, Trail};
use crate::engine::Metering;
use crate::error::Error;
use crate::executor::{Evaluation, Executor, Job, Opening, Report};
use crate::guest::Guests;
use crate::host_calls::Tool;
use crate::outcome::{Outcome, PolicyReference, RunId, Status, Usage};
use crate::packages::{LockedPackage, PackageManager, PackageTarget, PackageTree, Supplies, no_manager};
use crate::session::{Opened, Session};
use crate::stdio::{Input, OutputChunk};
use crate::wasm::WasmExecutor;
use glovebox_policy::{Denial, Explanation, Facts, Grant, Policy, Request, Subject, Tier, Verdict};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Runs code that nobody has vetted. Cheap to clone; all clones are the same sandbox.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    policy: Policy,
    facts: Facts,
    executors: HashMap<Tier, Arc<dyn Executor>>,
    packages: Option<Arc<dyn PackageManager>>,
    audit: Option<Arc<dyn AuditSink>>,
    permits: Arc<Semaphore>,
    running: Mutex<HashMap<Subject, u64>>,
    ended: Notify,
}

/// Makes a [`Sandbox`].
#[must_use]
pub struct SandboxBuilder {
    policy: Policy,
    guests: Option<Guests>,
    metering: Metering,
    audit: Option<Arc<dyn AuditSink>>,
    tools: HashMap<String, Arc<dyn Tool>>,
    executors: Vec<Arc<dyn Executor>>,
    packages: Option<Arc<dyn PackageManager>>,
    max_running: usize,
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
    /// Stops the run.
    pub stop: CancellationToken,
}

impl Sandbox {
    /// Starts with the built-in policy (its `default` profile), the installed guests, fuel metering, no audit log, no tools and at most 64
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
    pub async fn run_with(&self, mut request: Request, controls: Controls) -> Result<Outcome, Error> {
        let started = Instant::now();
        let id = controls.id.unwrap_or_else(RunId::random);
        let mut trail = Trail::new(self.0.audit.clone(), id, &request);
        let supplies = tokio::select! {
            biased;
            () = controls.stop.cancelled() => Ok(Supplies::default()),
            supplies = self.survey(&mut request, &mut trail) => supplies?,
        };
        let (grant, supplies) = match supplies.and_then(|supplies| self.admit(&request, supplies)) {
            Ok(admitted) => admitted,
            Err(denial) => return self.denied(id, &request, *denial, &mut trail),
        };
        trail.admitted(&request, &grant)?;
        let prepared = tokio::select! {
            biased;
            () = controls.stop.cancelled() => None,
            prepared = self.prepare(&supplies, &grant) => Some(prepared),
        };
        let ended = match prepared {
            Some(Ok((packages, _place))) => {
                let report = self.execute(id, request, packages, &grant, controls, &trail).await;
                report.map(|report| (report, locked_packages(&supplies, &grant)))
            }
            Some(Err(error)) => Err(error),
            None => Ok((Report::new(Status::Cancelled), Vec::new())),
        };
        match ended {
            Ok((report, packages)) => {
                let mut outcome = outcome(id, report, &grant);
                outcome.packages = packages;
                outcome.usage.wall = started.elapsed();
                trail.finished(&outcome)?;
                Ok(outcome)
            }
            Err(error) => {
                trail.aborted(&error.to_string());
                Err(error)
            }
        }
    }

    /// Finds out what a request needs besides what it says. Nothing is looked up that the policy does not allow.
    async fn survey(&self, request: &mut Request, trail: &mut Trail) -> Result<Result<Supplies, Box<Denial>>, Error> {
        let Some(manager) = &self.0.packages else {
            let nothing = request.wants.packages.is_empty();
            return Ok(if nothing { Ok(Supplies::default()) } else { Err(Box::new(no_manager())) });
        };
        let mut supplies = Supplies::new(manager.survey(request).await?, request);
        if request.wants.packages.is_empty() {
            return Ok(Ok(supplies));
        }
        let facts = supplies.facts(&self.0.facts);
        let facts = facts.as_ref().unwrap_or(&self.0.facts);
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
        let resolutions = manager.resolve(&grant, &targets).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        supplies.resolved(grant, resolutions);
        Ok(Ok(supplies))
    }

    fn admit(&self, request: &Request, supplies: Supplies) -> Result<(Arc<Grant>, Supplies), Box<Denial>> {
        let facts = supplies.facts(&self.0.facts);
        match self.0.policy.admit(request, facts.as_ref().unwrap_or(&self.0.facts)) {
            Verdict::Admit(grant) => Ok((Arc::from(grant), supplies)),
            Verdict::Deny(denial) => Err(Box::new(denial)),
        }
    }

    async fn fetch(&self, supplies: &Supplies, grant: &Grant) -> Result<Option<PackageTree>, Error> {
        match (&self.0.packages, supplies.of_tier(grant.tier())) {
            (Some(manager), Some((packages, resolution))) => manager.fetch(packages, resolution).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Fetches the packages, and only then takes a place: who waits for packages must not keep others from running.
    async fn prepare(&self, supplies: &Supplies, grant: &Grant) -> Result<(Option<PackageTree>, Place), Error> {
        let packages = self.fetch(supplies, grant).await?;
        Ok((packages, self.0.place(grant).await?))
    }

    async fn execute(
        &self,
        id: RunId,
        request: Request,
        packages: Option<PackageTree>,
        grant: &Arc<Grant>,
        controls: Controls,
        trail: &Trail,
    ) -> Result<Report, Error> {
        let job = Job {
            opening: Opening { id, grant: Arc::clone(grant), files: request.files, packages, trail: trail.calls() },
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
        let mut trail = Trail::new(self.0.audit.clone(), id, &request);
        let supplies = self.survey(&mut request, &mut trail).await?;
        let admitted = supplies.and_then(|supplies| self.admit(&request, supplies)).and_then(|(grant, supplies)| {
            let executor = self.0.executors.get(&grant.tier());
            let can = executor.is_none_or(|executor| executor.has_sessions(grant.language()));
            if can { Ok((grant, supplies)) } else { Err(Box::new(no_session(&grant))) }
        });
        let (grant, supplies) = match admitted {
            Ok(admitted) => admitted,
            Err(denial) => {
                trail.denied(&request, &denial, self.0.policy.digest())?;
                return Err(OpenError::Denied(denial));
            }
        };
        trail.admitted(&request, &grant)?;
        let (packages, _place) = self.prepare(&supplies, &grant).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let files = std::mem::take(&mut request.files);
        let opening = Opening { id, grant: Arc::clone(&grant), files, packages, trail: trail.calls() };
        let live = self.executor(grant.tier())?.open(opening).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let packages = locked_packages(&supplies, &grant);
        Ok(Session::new(live, Opened { sandbox: self.clone(), id, request, grant, packages, trail: Some(trail) }))
    }

    /// A place among those that run at once, for one evaluation of a session.
    pub(crate) async fn place(&self, grant: &Grant) -> Result<Place, Error> {
        self.0.place(grant).await
    }

    /// Finds and fetches what a session asks for besides what it has. It stays in its tier.
    pub(crate) async fn supply(&self, session: RunId, tier: Tier, mut request: Request) -> Result<Supplied, OpenError> {
        let mut trail = Trail::new(self.0.audit.clone(), RunId::random(), &request);
        let supplies = self.survey(&mut request, &mut trail).await?;
        let admitted = supplies.and_then(|supplies| self.admit(&request, supplies)).and_then(|(grant, supplies)| {
            if grant.tier() == tier { Ok((grant, supplies)) } else { Err(Box::new(elsewhere(&request, tier, &grant))) }
        });
        let (grant, supplies) = match admitted {
            Ok(admitted) => admitted,
            Err(denial) => {
                trail.denied(&request, &denial, self.0.policy.digest())?;
                return Err(OpenError::Denied(denial));
            }
        };
        let tree = self.fetch(&supplies, &grant).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
        let packages = locked_packages(&supplies, &grant);
        trail.provided(&request, Some(session), &packages, self.0.policy.digest())?;
        Ok(Supplied { request, grant, packages, tree })
    }

    fn executor(&self, tier: Tier) -> Result<&Arc<dyn Executor>, Error> {
        self.0.executors.get(&tier).ok_or_else(|| Error::Host(format!("the policy chose the tier `{tier}`, which nobody offers")))
    }

    fn denied(&self, id: RunId, request: &Request, denial: Denial, trail: &mut Trail) -> Result<Outcome, Error> {
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
            usage: Usage::default(),
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
        let supplies = self.survey(&mut request, &mut trail).await?;
        let (grant, supplies) = match supplies.and_then(|supplies| self.admit(&request, supplies)) {
            Ok(admitted) => admitted,
            Err(denial) => {
                trail.denied(&request, &denial, self.0.policy.digest())?;
                return Err(OpenError::Denied(denial));
            }
        };
        if fetch {
            self.fetch(&supplies, &grant).await.inspect_err(|error| trail.aborted(&error.to_string()))?;
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
    pub async fn explain(&self, mut request: Request) -> Result<Explanation, Error> {
        let mut trail = Trail::new(self.0.audit.clone(), RunId::random(), &request);
        // What is refused before anything is looked up is refused by the explanation as well.
        let supplies = self.survey(&mut request, &mut trail).await?.unwrap_or_default();
        trail.aborted("it was to be explained only");
        let facts = supplies.facts(&self.0.facts);
        Ok(self.0.policy.explain(&request, facts.as_ref().unwrap_or(&self.0.facts)))
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// What packages of a language have to be like, tier by tier.
    #[must_use]
    pub fn package_targets(&self, language: &str) -> Vec<PackageTarget> {
        let targets = self.0.facts.tiers.iter().filter_map(|facts| self.0.executors.get(&facts.tier)?.package_target(language));
        targets.collect()
    }

    /// What this sandbox offers, tier by tier.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }
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
}

/// The refusal where the tier keeps nothing between programs.
fn no_session(grant: &Grant) -> Denial {
    Denial {
        rule: "request.tier".to_owned(),
        asked: format!("a session in `{}`", grant.language()),
        reason: format!("tier `{}` has no sessions for it: {}", grant.tier(), grant.tier_reason()),
        fix: "# no line of a policy allows this: run each program by itself".to_owned(),
    }
}

/// The refusal where packages would need another tier than the one that a session is in.
fn elsewhere(request: &Request, tier: Tier, grant: &Grant) -> Denial {
    Denial {
        rule: "request.wants.packages".to_owned(),
        asked: format!("packages {}", request.wants.packages.join(", ")),
        reason: format!("the session is in tier `{tier}`, and these need tier `{}`: {}", grant.tier(), grant.tier_reason()),
        fix: "# no line of a policy moves a session: ask for these packages when it is opened, or run the program by itself".to_owned(),
    }
}

/// Why there is no session, or why it cannot have what it asks for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The policy refused.
    #[error(transparent)]
    Denied(Box<Denial>),
    /// The host failed.
    #[error(transparent)]
    Failed(#[from] Error),
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

/// A run's place among those that run at once; given back when dropped.
pub(crate) struct Place {
    _counted: Counted,
    _permit: OwnedSemaphorePermit,
}

/// One run of a subject, also while it waits for room; no longer counted when dropped.
struct Counted {
    inner: Arc<Inner>,
    subject: Subject,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.inner.uncount(&self.subject);
    }
}

impl Inner {
    /// Waits until the subject may run one more and there is room for it.
    async fn place(self: &Arc<Self>, grant: &Grant) -> Result<Place, Error> {
        let subject = grant.subject().clone();
        loop {
            // Listens before it looks, so that an end in between is not missed.
            let ended = self.ended.notified();
            if self.count(&subject, grant) {
                break;
            }
            ended.await;
        }
        let counted = Counted { inner: Arc::clone(self), subject };
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(Error::host)?;
        Ok(Place { _counted: counted, _permit: permit })
    }

    fn count(&self, subject: &Subject, grant: &Grant) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.get(subject).copied().unwrap_or(0);
        let may = grant.check_concurrency(count).is_ok();
        if may {
            running.insert(subject.clone(), count + 1);
        }
        may
    }

    fn uncount(&self, subject: &Subject) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(subject) {
            *count -= 1;
            if *count == 0 {
                running.remove(subject);
            }
        }
        drop(running);
        self.ended.notify_waiters();
    }
}

impl SandboxBuilder {
    /// The policy that decides everything.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The guests; without them, those that are installed.
    pub fn guests(mut self, guests: Guests) -> Self {
        self.guests = Some(guests);
        self
    }

    /// How CPU time is limited.
    pub fn metering(mut self, metering: Metering) -> Self {
        self.metering = metering;
        self
    }

    /// Where decisions and ends are written.
    pub fn audit(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.audit = Some(sink);
        self
    }

    /// Offers a function to guests whose grant names it.
    pub fn tool(mut self, name: impl Into<String>, tool: Arc<dyn Tool>) -> Self {
        self.tools.insert(name.into(), tool);
        self
    }

    /// Offers another tier.
    pub fn executor(mut self, executor: Arc<dyn Executor>) -> Self {
        self.executors.push(executor);
        self
    }

    /// Who finds and fetches packages; without one, a request that needs any is refused.
    pub fn packages(mut self, manager: Arc<dyn PackageManager>) -> Self {
        self.packages = Some(manager);
        self
    }

    /// Runs and evaluations of sessions at once, whoever asks; further ones wait. A session between two evaluations does not count.
    pub fn max_running(mut self, runs: usize) -> Self {
        self.max_running = runs;
        self
    }

    /// Makes the sandbox.
    ///
    /// # Errors
    ///
    /// Where there are no guests, or `max_running` is zero.
    pub fn build(self) -> Result<Sandbox, Error> {
        if self.max_running == 0 || self.max_running > Semaphore::MAX_PERMITS {
            return Err(Error::Invalid(format!("`max_running` is between 1 and {}, not {}", Semaphore::MAX_PERMITS, self.max_running)));
        }
        let guests = match self.guests {
            Some(guests) => guests,
            None => Guests::installed()?,
        };
        let wasm: Arc<dyn Executor> = Arc::new(WasmExecutor::new(guests, self.metering, self.tools)?);
        let mut tiers = Vec::new();
        let mut executors = HashMap::new();
        for executor in std::iter::once(wasm).chain(self.executors) {
            let facts = executor.facts();
            executors.insert(facts.tier, executor);
            tiers.push(facts);
        }
        Ok(Sandbox(Arc::new(Inner {
            policy: self.policy,
            facts: Facts { tiers, ..Facts::default() },
            executors,
            packages: self.packages,
            audit: self.audit,
            permits: Arc::new(Semaphore::new(self.max_running)),
            running: Mutex::default(),
            ended: Notify::new(),
        })))
    }
}
