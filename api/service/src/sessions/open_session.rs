//! Open session: what is known of one in this process?

use super::NewSession;
use crate::error::{Code, ServiceError};
use crate::executions::ActiveExecution;
use crate::memory::MemoryCharge;
use crate::records::now_ms;
use crate::records::rows::SessionRow;
use crate::usage::Tab;
use glovebox::{LockedPackage, Session};
use glovebox_policy::{Request, Subject};
use glovebox_wire::outcome::PackageBody;
use glovebox_wire::session::{SessionBody, SessionState};
use glovebox_wire::timestamp;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMappedMutexGuard, OwnedMutexGuard};

/// A session of this process.
pub(crate) struct OpenSession {
    pub(super) id: String,
    pub(super) subject: Subject,
    pub(super) created_ms: i64,
    idle: Duration,
    guest: Arc<tokio::sync::Mutex<Option<Session>>>,
    /// The request to open it again with.
    request: Mutex<Request>,
    /// Its representation, also while it is busy.
    view: Mutex<SessionView>,
    used: Mutex<Instant>,
    pub(super) running: Mutex<Option<Arc<ActiveExecution>>>,
    /// Usage besides its evaluations that is not counted yet.
    pub(super) tab: Tab,
    /// Requests for it whose bodies are on their way.
    requests: AtomicUsize,
    /// The memory charged for its files: a reset starts with them again.
    _charge: MemoryCharge,
}

#[derive(Clone, Default)]
struct SessionView {
    is_broken: bool,
    profile: String,
    tier: String,
    packages: Vec<LockedPackage>,
}

/// Exclusive use of the guest of a session; `None` inside once it has ended.
pub(super) type SessionGuard = OwnedMutexGuard<Option<Session>>;

/// Exclusive use of the guest of a session.
pub(super) type GuestGuard = OwnedMappedMutexGuard<Option<Session>, Session>;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl OpenSession {
    pub(super) fn new(guest: &Session, new: NewSession, idle: Duration, tab: Tab) -> Self {
        let session = Self {
            id: guest.id().to_string().replacen("run_", "session_", 1),
            subject: new.request.subject.clone(),
            created_ms: now_ms(),
            idle,
            guest: Arc::default(),
            request: Mutex::new(new.request),
            view: Mutex::default(),
            used: Mutex::new(Instant::now()),
            running: Mutex::default(),
            tab,
            requests: AtomicUsize::new(0),
            _charge: new.charge,
        };
        session.update(guest);
        session
    }

    /// Locks the session for exclusive use.
    ///
    /// # Errors
    ///
    /// If it is busy, or has ended.
    pub(super) fn take(&self) -> Result<SessionGuard, ServiceError> {
        let guard = self.try_lock_guest().ok_or_else(|| {
            ServiceError::new(
                Code::Busy,
                "the session evaluates a program; wait for it, or interrupt it",
            )
            .retry_after(Duration::from_secs(1))
        })?;
        if guard.is_none() {
            return Err(ServiceError::not_found("session"));
        }
        *lock(&self.used) = Instant::now();
        Ok(guard)
    }

    /// Locks the guest of the session like [`OpenSession::take`].
    ///
    /// # Errors
    ///
    /// If it is busy, or has ended.
    pub(super) fn take_guest(&self) -> Result<GuestGuard, ServiceError> {
        OwnedMutexGuard::try_map(self.take()?, Option::as_mut)
            .map_err(|_| ServiceError::not_found("session"))
    }

    pub(super) fn try_lock_guest(&self) -> Option<SessionGuard> {
        Arc::clone(&self.guest).try_lock_owned().ok()
    }

    pub(super) async fn lock_guest(&self) -> SessionGuard {
        Arc::clone(&self.guest).lock_owned().await
    }

    /// Stops what runs in it.
    pub(super) fn cancel(&self) {
        if let Some(active) = &*lock(&self.running) {
            active.cancel();
        }
    }

    /// Whether it has reached its idle timeout.
    pub(super) fn is_expired(&self) -> bool {
        lock(&self.used).elapsed() > self.idle
    }

    /// Returns when it was last used.
    pub(super) fn used(&self) -> Instant {
        *lock(&self.used)
    }

    /// Whether a request for it is being received.
    pub(super) fn is_awaited(&self) -> bool {
        self.requests.load(Ordering::Relaxed) > 0
    }

    /// Returns the request to open it again with.
    pub(super) fn request(&self) -> Request {
        lock(&self.request).clone()
    }

    pub(super) fn set_packages(&self, packages: Vec<String>) {
        lock(&self.request).wants.packages = packages;
    }

    /// Returns its language and profile.
    ///
    /// # Errors
    ///
    /// If it is broken, and has to be reset first.
    pub(super) fn language_and_profile(&self) -> Result<(String, String), ServiceError> {
        let view = lock(&self.view);
        if view.is_broken {
            return Err(ServiceError::new(
                Code::Ended,
                "the session broke, hit a limit or was stopped; reset it to go on",
            ));
        }
        Ok((lock(&self.request).language.clone(), view.profile.clone()))
    }

    /// Updates its representation.
    pub(super) fn update(&self, guest: &Session) {
        *lock(&self.view) = SessionView {
            is_broken: !guest.is_alive(),
            profile: guest.grant().profile().to_owned(),
            tier: guest.grant().tier().to_string(),
            packages: guest.packages().to_vec(),
        };
        *lock(&self.used) = Instant::now();
    }

    /// Returns its packages.
    pub(super) fn packages(&self) -> Vec<PackageBody<'static>> {
        bodies(&lock(&self.view).packages)
    }

    pub(super) fn body(&self) -> SessionBody {
        let view = lock(&self.view).clone();
        let status = if self.guest.try_lock().is_err() {
            SessionState::Busy
        } else if view.is_broken {
            SessionState::Broken
        } else {
            SessionState::Idle
        };
        SessionBody {
            id: self.id.clone(),
            status,
            language: lock(&self.request).language.clone(),
            profile: view.profile,
            tier: view.tier,
            created_at: timestamp(self.created_ms),
            idle_s: self.idle.as_secs(),
            packages: bodies(&view.packages),
        }
    }

    pub(super) fn row(&self, end: Option<&str>) -> SessionRow {
        SessionRow {
            id: self.id.clone(),
            subject: self.subject.to_string(),
            language: lock(&self.request).language.clone(),
            profile: Some(lock(&self.view).profile.clone()),
            created_ms: self.created_ms,
            ended_ms: end.map(|_| now_ms()),
            end_reason: end.map(str::to_owned),
        }
    }
}

pub(super) fn bodies(packages: &[LockedPackage]) -> Vec<PackageBody<'static>> {
    let body = |package| PackageBody::from(package).into_owned();
    packages.iter().map(body).collect()
}

/// A request for a session that is being received.
pub struct SessionUse(Option<Arc<OpenSession>>);

impl SessionUse {
    pub(super) fn new(session: Option<Arc<OpenSession>>) -> Self {
        if let Some(session) = &session {
            session.requests.fetch_add(1, Ordering::Relaxed);
        }
        Self(session)
    }
}

impl Drop for SessionUse {
    fn drop(&mut self) {
        if let Some(session) = &self.0 {
            session.requests.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
