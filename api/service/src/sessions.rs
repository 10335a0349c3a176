//! Sessions: how do clients keep state between programs?
//!
//! A session is a guest that stays. In reading order: [`Sessions::open`] and [`Sessions::evaluate`]
//! here, `sessions/open_session.rs` holds the state of one, `sessions/workspace.rs` and
//! `sessions/packages.rs` change it, and `sessions/eviction.rs` ends idle ones under memory
//! pressure.

mod eviction;
mod open_session;
mod packages;
mod workspace;

pub use open_session::SessionUse;
pub use packages::PackageChange;
pub use workspace::DirectoryPage;

use crate::config::ServiceLimits;
use crate::detached::DetachedChanges;
use crate::error::{Code, ServiceError};
use crate::executions::{ExecutionStart, Executions, Follow, Handle, Work};
use crate::identities::Caller;
use crate::memory::{Memory, MemoryCharge};
use crate::queue::Queue;
use crate::quotas::Quotas;
use crate::records::Records;
use crate::records::rows::ROW_BYTES;
use crate::scheduler::Processors;
use crate::scope::Scope;
use crate::shutdown::Shutdown;
use crate::subject_quotas::SubjectQuotas;
use crate::usage::{Tab, UsageCharge};
use eviction::Evicted;
use glovebox::{Controls, EndReason, Error, Input, RunId, Sandbox, Session};
use glovebox_policy::{Quota, Request, Source, Subject};
use glovebox_wire::session::{EvaluationRequest, SessionBody};
use open_session::{OpenSession, SessionGuard, lock};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Detail of the error when the service is shutting down.
const NO_MORE: &str = "the service opens no more sessions";

/// Grace period of a busy session at shutdown.
const BUSY_GRACE: Duration = Duration::from_secs(5);

/// The sessions of this process. Cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<SessionCore>);

/// The dependencies of sessions.
pub(crate) struct SessionCore {
    pub(crate) sandbox: Sandbox,
    pub(crate) executions: Executions,
    pub(crate) queue: Queue,
    pub(crate) processors: Arc<Processors>,
    pub(crate) records: Records,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) of_subjects: Arc<SubjectQuotas>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) detached: DetachedChanges,
    pub(crate) shutdown: Shutdown,
    pub(crate) limits: SessionLimits,
    pub(crate) open: Mutex<HashMap<String, Arc<OpenSession>>>,
    /// The numbers of sessions that are about to be open.
    pub(crate) opening: Mutex<HashMap<Subject, usize>>,
    pub(crate) evicted: Evicted,
}

/// Limits on sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimits {
    all: usize,
    idle: Duration,
    max_idle: Duration,
}

impl From<&ServiceLimits> for SessionLimits {
    fn from(limits: &ServiceLimits) -> Self {
        Self {
            all: limits.sessions,
            idle: limits.session_idle,
            max_idle: limits.session_idle_max,
        }
    }
}

/// A session to open.
pub struct NewSession {
    /// The language, and what its programs may have.
    pub request: Request,
    /// Idle timeout, in seconds; by default, `limits.session_idle`.
    pub idle_s: Option<u64>,
    /// Bytes that count for its request while it is queued.
    pub bytes: usize,
    /// The memory charged for its files.
    pub charge: MemoryCharge,
}

/// A program to evaluate in a session.
pub struct NewEvaluation {
    /// The program and its parameters.
    pub evaluation: EvaluationRequest,
    /// Bytes that count for its request while it is queued.
    pub bytes: usize,
    /// The memory charged for it until it has ended.
    pub charge: MemoryCharge,
    /// Whether its output becomes events.
    pub follow: Follow,
}

/// The content of the workspace after a reset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workspace {
    /// Its files.
    Keep,
    /// Only the files with which the session was opened.
    Discard,
}

/// A reset of a session.
pub struct Reset {
    /// The content of the workspace afterwards.
    pub workspace: Workspace,
    /// The packages that it is opened with, which choose its tier again; if empty, those that it has.
    pub packages: Vec<String>,
}

/// A slot for a session that is about to be opened; released on drop.
struct SessionSlot(Arc<SessionCore>, Subject);

impl Drop for SessionSlot {
    fn drop(&mut self) {
        let mut opening = lock(&self.0.opening);
        if let Some(count) = opening.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                opening.remove(&self.1);
            }
        }
    }
}

impl Sessions {
    pub(crate) fn new(core: SessionCore) -> Self {
        Self(Arc::new(core))
    }

    /// Checks whether the caller may open one more session, before its request is converted.
    ///
    /// # Errors
    ///
    /// If the caller lacks the scope or has too many sessions, or the service is shutting down.
    pub fn reserve(&self, caller: &Caller) -> Result<SessionReservation, ServiceError> {
        caller.needs(Scope::Run)?;
        self.0.shutdown.check(NO_MORE)?;
        SessionCore::slot(&self.0, &caller.subject).map(SessionReservation)
    }

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// If the policy denies it, a limit is reached, or the service fails.
    pub async fn open(
        &self,
        caller: &Caller,
        reservation: SessionReservation,
        new: NewSession,
    ) -> Result<SessionBody, ServiceError> {
        let core = &self.0;
        let idle = core.limits.idle_timeout(new.idle_s)?;
        let tab = Tab::default();
        let session = core
            .open_guest(&caller.subject, new.bytes, new.request.clone(), &tab)
            .await?;
        let opened = Arc::new(OpenSession::new(&session, new, idle, tab));
        // A client that disconnects must not leave the record of a session that counts for no
        // subject and never ends.
        let (held, begun) = (Arc::clone(core), Arc::clone(&opened));
        core.detached
            .run(&caller.subject, async move {
                held.register(begun, session, reservation.0).await
            })
            .await?;
        Ok(opened.body())
    }

    /// Returns the open sessions of the caller, the newest first.
    #[must_use]
    pub fn list(&self, caller: &Caller) -> Vec<SessionBody> {
        let sessions = self.0.of(&caller.subject);
        sessions.iter().map(|session| session.body()).collect()
    }

    /// Returns a session of the caller.
    ///
    /// # Errors
    ///
    /// If there is none with this id.
    pub fn get(&self, caller: &Caller, id: &str) -> Result<SessionBody, ServiceError> {
        Ok(self.0.get(&caller.subject, id)?.body())
    }

    /// Ends a session of the caller, and stops what runs in it; deletes the record of one that has
    /// ended.
    ///
    /// # Errors
    ///
    /// If there is none with this id.
    pub async fn end(&self, caller: &Caller, id: &str) -> Result<(), ServiceError> {
        let session = match self.0.get(&caller.subject, id) {
            Ok(session) => session,
            Err(error) => return self.delete(caller, id).await?.then_some(()).ok_or(error),
        };
        session.cancel();
        let core = Arc::clone(&self.0);
        // It ends even if the client disconnects.
        let ending = tokio::spawn(async move {
            let guard = session.lock_guest().await;
            core.end(&session, guard, "deleted").await;
        });
        ending.await.map_err(|error| ServiceError::internal(&error))
    }

    /// Deletes the record of a session that has ended; `false` if there is none.
    async fn delete(&self, caller: &Caller, id: &str) -> Result<bool, ServiceError> {
        if id.contains('\0') {
            return Ok(false);
        }
        let core = Arc::clone(&self.0);
        let (subject, id) = (caller.subject.clone(), id.to_owned());
        let deleting = async move {
            let deleted = core.records.delete_session(subject.as_str(), &id).await?;
            core.quotas
                .give_back(subject.as_str(), deleted.unwrap_or(0));
            Ok(deleted.is_some())
        };
        self.0.detached.run(&caller.subject, deleting).await
    }

    /// Starts a program in a session: an execution of its own that sees the state left by earlier
    /// ones.
    ///
    /// # Errors
    ///
    /// If the session is busy or broken, or the execution cannot be started.
    pub fn evaluate(
        &self,
        caller: &Caller,
        id: &str,
        new: NewEvaluation,
    ) -> Result<Handle, ServiceError> {
        caller.needs(Scope::Run)?;
        let session = self.0.get(&caller.subject, id)?;
        let guard = session.take()?;
        let (language, profile) = session.language_and_profile()?;
        let NewEvaluation {
            evaluation,
            bytes,
            mut charge,
            follow,
        } = new;
        let EvaluationRequest {
            source,
            name,
            arguments,
            artifacts,
            stdin,
        } = evaluation;
        let source = source.ok_or_else(|| {
            ServiceError::new(Code::Invalid, "`source` is missing: the program's text")
        })?;
        let source = Source {
            name: name.unwrap_or_else(|| Source::default_name(&language).to_owned()),
            content: source.into_bytes().into(),
        };
        let input = stdin.map_or(Input::Empty, |text| Input::Bytes(text.into_bytes().into()));
        let evaluated = Arc::clone(&session);
        let work = Work::Evaluation(Box::new(move |controls: Controls| {
            charge.shrink_to(bytes);
            Box::pin(async move {
                let _charge = charge;
                let mut guard = guard;
                let guest = guard
                    .as_mut()
                    .ok_or(Error::SessionEnded(EndReason::Closed))?;
                let result = guest
                    .evaluate_with(source, arguments, artifacts, controls)
                    .await;
                evaluated.update(guest);
                *lock(&evaluated.running) = None;
                result
            })
        }));
        let start = ExecutionStart {
            id: RunId::random(),
            subject: caller.subject.clone(),
            session: Some(session.id.clone()),
            language,
            profile: Some(profile),
            bytes,
            follow,
            input,
            stdin: None,
            work,
        };
        // Registered before it begins, so that a client can stop it from then on.
        let mut running = lock(&session.running);
        let handle = self.0.executions.begin(start)?;
        *running = Some(Arc::clone(handle.active()));
        drop(running);
        Ok(handle)
    }

    /// Stops the running evaluation of a session, and waits for its end.
    ///
    /// # Errors
    ///
    /// If there is no session with this id.
    pub async fn interrupt(&self, caller: &Caller, id: &str) -> Result<SessionBody, ServiceError> {
        let session = self.0.get(&caller.subject, id)?;
        let running = lock(&session.running).clone();
        if let Some(active) = running {
            active.cancel();
            let _ = active.finished().await;
        }
        Ok(session.body())
    }

    /// Resets a session: its variables are lost, and its packages stay unless others are named.
    ///
    /// # Errors
    ///
    /// If the session is busy, its files are too many or too large, or it cannot be opened again.
    pub async fn reset(
        &self,
        caller: &Caller,
        id: &str,
        reset: Reset,
    ) -> Result<SessionBody, ServiceError> {
        let core = &self.0;
        let session = core.get(&caller.subject, id)?;
        let mut guard = session.take()?;
        let mut request = session.request();
        let mut charge = MemoryCharge::default();
        if !reset.packages.is_empty() {
            request.wants.packages = reset.packages;
        }
        if reset.workspace == Workspace::Keep
            && let Some(guest) = guard.as_mut()
        {
            (request.files, charge) = core.files_of(&caller.subject, guest).await?;
        }
        let guest = core
            .open_guest(&caller.subject, 0, request, &session.tab)
            .await?;
        drop(charge);
        session.set_packages(guest.asked_packages().to_vec());
        session.update(&guest);
        if let Some(old) = guard.replace(guest) {
            old.close()?;
        }
        drop(guard);
        Ok(session.body())
    }

    /// Returns a guard while a request for a session is received, if the session exists: it is not
    /// idle then, so that the memory of a request never costs the session that it is for.
    #[must_use]
    pub fn in_use(&self, caller: &Caller, id: &str) -> SessionUse {
        SessionUse::new(self.0.get(&caller.subject, id).ok())
    }

    /// Returns the number of open sessions.
    pub(crate) fn count(&self) -> usize {
        lock(&self.0.open).len()
    }

    /// Ends sessions that have reached their idle timeout.
    pub(crate) async fn expire(&self) {
        for session in self.0.all() {
            // Checked again once the lock keeps others from using it.
            if session.is_expired()
                && let Some(guard) = session.try_lock_guest()
                && session.is_expired()
            {
                self.0.end(&session, guard, "expired").await;
            }
        }
    }

    /// Ends all sessions at shutdown.
    pub(crate) async fn end_all(&self) {
        for session in self.0.all() {
            session.cancel();
            match tokio::time::timeout(BUSY_GRACE, session.lock_guest()).await {
                Ok(guard) => self.0.end(&session, guard, "shutdown").await,
                Err(_) => tracing::warn!(session = session.id, "a session is busy to the last"),
            }
        }
    }

    pub(crate) fn downgrade(&self) -> std::sync::Weak<SessionCore> {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn upgrade(weak: &std::sync::Weak<SessionCore>) -> Option<Self> {
        weak.upgrade().map(Self)
    }
}

/// The right to open a session; released on drop.
pub struct SessionReservation(SessionSlot);

impl SessionLimits {
    fn idle_timeout(self, seconds: Option<u64>) -> Result<Duration, ServiceError> {
        match seconds {
            None => Ok(self.idle),
            Some(seconds) if seconds >= 1 && Duration::from_secs(seconds) <= self.max_idle => {
                Ok(Duration::from_secs(seconds))
            }
            Some(_) => Err(ServiceError::new(
                Code::Invalid,
                format!("`idle_s` is 1 to {}", self.max_idle.as_secs()),
            )),
        }
    }
}

impl SessionCore {
    fn all(&self) -> Vec<Arc<OpenSession>> {
        lock(&self.open).values().cloned().collect()
    }

    fn of(&self, subject: &Subject) -> Vec<Arc<OpenSession>> {
        let mut sessions: Vec<_> = lock(&self.open)
            .values()
            .filter(|session| session.subject == *subject)
            .cloned()
            .collect();
        sessions
            .sort_by(|one, other| (other.created_ms, &other.id).cmp(&(one.created_ms, &one.id)));
        sessions
    }

    fn get(&self, subject: &Subject, id: &str) -> Result<Arc<OpenSession>, ServiceError> {
        let session = lock(&self.open)
            .get(id)
            .filter(|session| session.subject == *subject)
            .cloned();
        session.ok_or_else(|| self.evicted.missing(subject, id))
    }

    /// Returns a slot for one more session of a subject.
    ///
    /// # Errors
    ///
    /// If the subject has too many sessions, or all subjects together have.
    fn slot(core: &Arc<Self>, subject: &Subject) -> Result<SessionSlot, ServiceError> {
        let limits = &core.limits;
        let quotas = core.of_subjects.of(subject);
        let mut opening = lock(&core.opening);
        let own = core.of(subject).len() + opening.get(subject).copied().unwrap_or(0);
        let refused = if let Err(denial) = quotas.check(Quota::Sessions, own as u64, 1) {
            let detail = format!(
                "this key has {own} sessions open, which is as many as it may (`{}`); end one",
                denial.rule
            );
            Some(ServiceError::over_quota(Code::QueueFull, detail, denial))
        } else if lock(&core.open).len() + opening.values().sum::<usize>() >= limits.all {
            let detail = "as many sessions are open as may";
            Some(ServiceError::new(Code::Overloaded, detail))
        } else {
            None
        };
        if let Some(refused) = refused {
            return Err(refused.retry_after(Duration::from_secs(10)));
        }
        *opening.entry(subject.clone()).or_insert(0) += 1;
        drop(opening);
        Ok(SessionSlot(Arc::clone(core), subject.clone()))
    }

    /// Opens the guest of a session, in a concurrency slot.
    ///
    /// Usage besides its evaluations goes on the tab, and is counted even if opening fails.
    async fn open_guest(
        &self,
        subject: &Subject,
        bytes: usize,
        request: Request,
        tab: &Tab,
    ) -> Result<Session, ServiceError> {
        let _slot = self.queue.enter(subject, bytes)?.slot().await;
        let charge = UsageCharge::new(&self.records, subject, Arc::clone(tab));
        let controls = Controls {
            spent: Some(Arc::clone(tab)),
            ..Controls::default()
        };
        let session = self
            .processors
            .share(subject.clone(), self.sandbox.open_with(request, controls))
            .await?;
        charge.settle().await?;
        Ok(session)
    }

    /// Registers a new session, with its record.
    async fn register(
        &self,
        session: Arc<OpenSession>,
        guest: Session,
        _slot: SessionSlot,
    ) -> Result<(), ServiceError> {
        *session.lock_guest().await = Some(guest);
        let mut room = self.quotas.room(&session.subject);
        room.take(ROW_BYTES);
        self.records
            .put_session(session.row(None))
            .await
            .map_err(|error| ServiceError::internal(&error))?;
        room.keep();
        let registered = {
            let mut open = lock(&self.open);
            let checked = self.shutdown.check(NO_MORE);
            if checked.is_ok() {
                open.insert(session.id.clone(), Arc::clone(&session));
            }
            checked
        };
        if registered.is_err() {
            self.store_end(&session, "shutdown").await;
        }
        registered
    }

    async fn end(&self, session: &OpenSession, guard: SessionGuard, reason: &str) {
        if self.close(session, guard) {
            self.store_end(session, reason).await;
        }
    }

    /// Ends the guest of a session, which frees its memory; `false` if it has ended already.
    fn close(&self, session: &OpenSession, mut guard: SessionGuard) -> bool {
        lock(&self.open).remove(&session.id);
        let Some(guest) = guard.take() else {
            return false;
        };
        if let Err(error) = guest.close() {
            tracing::error!(%error, "the end of a session could not be audited");
        }
        true
    }

    async fn store_end(&self, session: &OpenSession, reason: &str) {
        if let Err(error) = self.records.put_session(session.row(Some(reason))).await {
            tracing::error!(%error, "the end of a session could not be kept");
        }
    }
}
