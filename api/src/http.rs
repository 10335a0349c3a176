//! HTTP service: how do clients reach the sandbox over the network?
//!
//! In reading order: [`config`] says what an operator can set, [`auth`] authenticates a request, [`executions`] and [`sessions`] answer it,
//! [`execution`] takes a program through the queues of [`scheduler`] to its record in the [`store`], and [`events`] streams its progress.
//!
//! HTTP/1.1 only: it has what this API needs, and a smaller attack surface.

mod alerts;
mod audit_log;
mod auth;
mod blobs;
mod body;
mod bounded;
mod charge;
mod config;
mod connection;
mod events;
mod execution;
mod executions;
mod info;
mod jwt;
mod kept;
mod keys;
mod memory;
mod metrics;
mod openapi;
mod outgoing;
mod places;
mod problem;
mod scheduler;
mod search;
mod sessions;
mod store;
mod supervisor;
pub mod telemetry;
mod trees;

pub use audit_log::NAME_FILE as AUDIT_NAME_FILE;
pub use config::{
    AlertKind, AlertRule, AuditConfig, Config, ConfigError, ContainerConfig, Jwt, Limits, Listen,
    Retention, Telemetry, Tls,
};
pub use keys::{NewKey, Scope};
pub use openapi::openapi_json;

use alerts::Alerts;
use audit_log::AuditLog;
use auth::Rates;
use blobs::Blobs;
use cap_std::fs::{Dir, File, OpenOptions};
use connection::Front;
use execution::ExecutionRegistry;
use glovebox::policy::Subject;
use glovebox::{
    AuditKey, AuditSink, CancellationToken, ChainError, FairSlots, JsonLines, MemoryAccount,
    Sandbox, SandboxBuilder,
};
use glovebox_host::folder::Folder;
use jwt::Tokens;
use kept::Kept;
use keys::KeyRing;
use memory::Memory;
use metrics::Metrics;
use places::{Followers, PlaceLimits, Places};
use problem::{Code, Problem};
use scheduler::{Admission, AdmissionLimits, Processors};
use sessions::Sessions;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Purpose, Store, now_ms};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use trees::Trees;

/// Interval of the sweep for expired sessions.
const SWEEP: Duration = Duration::from_secs(1);

/// Sweeps between two runs of retention.
const FORGET_EVERY: u64 = 300;

/// Sweeps between two updates of audit log usage in the database.
const TELL_EVERY: u64 = 5;

/// Concurrent searches of the audit log; the subjects take turns, and none has all of the slots.
const SEARCHES: usize = 2;

/// Concurrent changes of stored data that run to completion even if their clients disconnect; the subjects take turns, and none has all of
/// the slots.
const DETACHED: usize = 64;

/// Grace period of content without a record: its record may be about to be written.
const ORPHAN: Duration = Duration::from_secs(3600);

/// The shared state of all request handlers.
struct App {
    sandbox: Sandbox,
    store: Store,
    blobs: Blobs,
    kept: Arc<Kept>,
    audit: Arc<JsonLines>,
    memory: Arc<Memory>,
    admission: Arc<Admission>,
    processors: Arc<Processors>,
    registry: ExecutionRegistry,
    sessions: Sessions,
    trees: Trees,
    keys: KeyRing,
    tokens: Option<Tokens>,
    alerts: Alerts,
    /// Wakes the supervisor at once.
    host_failed: Notify,
    rates: Rates,
    followers: Arc<Followers>,
    places: Arc<Places>,
    /// Slots for searches of the audit log.
    searches: FairSlots,
    /// Slots for changes of stored data; see [`App::to_the_end`].
    detached: FairSlots,
    metrics: Metrics,
    config: Config,
    hosts: Vec<String>,
    insecure_local: bool,
    state: Dir,
    /// The service is shutting down and accepts nothing new.
    closing: CancellationToken,
}

impl App {
    /// Removes a content if no record refers to it, and none is about to.
    ///
    /// # Errors
    ///
    /// Those of the database. The content then stays until the next sweep.
    async fn drop_content(&self, sha256: &str) -> Result<(), sqlx::Error> {
        if !self.blobs.begin_to_remove(sha256) {
            return Ok(());
        }
        let is_needed = self.store.needs_content(sha256).await;
        self.blobs
            .remove_begun(sha256, *is_needed.as_ref().unwrap_or(&true));
        is_needed.map(drop)
    }

    /// Runs a change of stored data to completion once it has begun, even if the client disconnects and this future is dropped: half of it
    /// would leave data that counts for no subject. The number of such changes is bounded, because the connections of their clients do not
    /// bound it.
    ///
    /// # Errors
    ///
    /// Those of the change.
    async fn to_the_end<T: Send + 'static>(
        &self,
        subject: &Subject,
        change: impl Future<Output = Result<T, Problem>> + Send + 'static,
    ) -> Result<T, Problem> {
        let slot = self.detached.acquire(subject).await;
        let changing = tokio::spawn(async move {
            let _slot = slot;
            change.await
        });
        changing.await.map_err(|error| Problem::internal(&error))?
    }

    /// # Errors
    ///
    /// If the service is shutting down, and so accepts nothing new.
    fn takes(&self, detail: &str) -> Result<(), Problem> {
        if self.closing.is_cancelled() {
            return Err(
                Problem::new(Code::ShuttingDown, detail).retry_after(Duration::from_secs(5))
            );
        }
        Ok(())
    }
}

/// The reason why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// `--insecure-local` with an address that is not loopback.
    #[error(
        "`{0}` is not a loopback address: without keys only this machine may call; make keys, or listen on 127.0.0.1"
    )]
    NotLocal(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on `{0}`: {1}")]
    Listen(SocketAddr, io::Error),
    /// The state folder cannot be used.
    #[error("the state folder `{0}` cannot be used: {1}")]
    State(PathBuf, io::Error),
    /// Another process uses the state folder.
    #[error("another process serves from the state folder `{0}`")]
    InUse(PathBuf),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Store(#[from] sqlx::Error),
    /// The audit log differs from the one that was written.
    #[error("{0}")]
    AuditGap(ChainError),
    /// The name of the audit log differs from the one that the database has for the state folder.
    #[error(
        "the audit log in `{state}` is named `{known}`, as the database has it, but the file `audit.id` there {said}: it or the log was cut, \
         replaced or rewritten"
    )]
    AuditName {
        /// The state folder.
        state: PathBuf,
        /// The name in the database.
        known: String,
        /// The name in the file.
        said: String,
    },
    /// The key of the audit log cannot be used.
    #[error("the key of the audit log, `{0}` (`audit.key_file`), cannot be used: {1}")]
    AuditKey(PathBuf, String),
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Tls(String),
    /// Tokens or webhooks cannot be used.
    #[error("tokens or webhooks cannot be used: {0}")]
    Client(String),
    /// The sandbox cannot be created.
    #[error(transparent)]
    Sandbox(#[from] glovebox::Error),
}

/// A service that is bound to its address and ready to run.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    tls: Option<tokio_rustls::TlsAcceptor>,
    audit: Arc<AuditLog>,
    /// Locks the state folder against other processes.
    _lock: File,
}

impl Server {
    /// Opens the state, builds the sandbox and binds the address. Connections are not accepted yet.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn bind(
        listen: Listen,
        config: Config,
        sandbox: SandboxBuilder,
    ) -> Result<Self, ServeError> {
        if listen.insecure_local && !listen.address.ip().is_loopback() {
            return Err(ServeError::NotLocal(listen.address));
        }
        let failed = |error| ServeError::State(listen.state.clone(), error);
        let state = state_folder(&listen.state).map_err(failed)?;
        let lock = lock_folder(&listen.state, &state)?;
        let tls = config
            .tls
            .as_ref()
            .map(connection::acceptor)
            .transpose()
            .map_err(ServeError::Tls)?;
        let store = Store::open(config.database.as_deref(), &listen.state, Purpose::Serve).await?;
        let audit_log = audit_log::open(
            &listen.state,
            &state,
            &config,
            &store,
            listen.accept_audit_gap,
        )
        .await?;
        let audit = Arc::clone(&audit_log.log);
        let memory = Memory::new(&config.limits);
        let sandbox = sandbox.memory(Arc::clone(&memory) as Arc<dyn MemoryAccount>);
        let sandbox = sandbox
            .audit(Arc::clone(&audit) as Arc<dyn AuditSink>)
            .max_running(usize::MAX >> 4)
            .build()?;
        let interrupted = store.mark_interrupted().await?;
        if interrupted > 0 {
            tracing::warn!(
                executions = interrupted,
                "the process before this one ended in the middle of executions; they are marked `interrupted`"
            );
        }
        let listener = TcpListener::bind(listen.address)
            .await
            .map_err(|error| ServeError::Listen(listen.address, error))?;
        let address = listener
            .local_addr()
            .map_err(|error| ServeError::Listen(listen.address, error))?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let limits = &config.limits;
        let audited = (
            store.audited(now_ms()).await?,
            search::bytes(&state).map_err(failed)?,
        );
        let admission = AdmissionLimits {
            running: limits.running,
            running_of_subject: limits.running_per_subject,
            queue: limits.queue,
            queue_of_subject: limits.queue_per_subject,
            queue_bytes: limits.queue_bytes,
        };
        let app = Arc::new(App {
            sandbox,
            blobs: Blobs::new(&state).map_err(failed)?,
            kept: Kept::new(&config.limits, &state, store.kept().await?, audited)
                .map_err(failed)?,
            audit,
            memory,
            admission: Admission::new(admission),
            processors: Processors::new(processors),
            registry: ExecutionRegistry::default(),
            sessions: Sessions::default(),
            trees: Trees::default(),
            keys: KeyRing::new(store.clone()),
            tokens: config
                .jwt
                .clone()
                .map(Tokens::new)
                .transpose()
                .map_err(ServeError::Client)?,
            alerts: Alerts::new(config.alerts.clone()).map_err(ServeError::Client)?,
            host_failed: Notify::new(),
            rates: Rates::new(limits.requests_per_second),
            searches: FairSlots::new(SEARCHES),
            detached: FairSlots::new(DETACHED),
            followers: Followers::new(
                limits.followers,
                limits
                    .followers_per_subject
                    .unwrap_or(limits.followers.div_ceil(4)),
            ),
            places: Places::new(PlaceLimits::of(limits)),
            metrics: Metrics::new(),
            hosts: auth::host_names(address, &config.hosts),
            insecure_local: listen.insecure_local,
            state,
            closing: CancellationToken::new(),
            store,
            config,
        });
        memory::make_room(&app);
        Ok(Self {
            app,
            listener,
            tls,
            audit: Arc::new(audit_log),
            _lock: lock,
        })
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    ///
    /// If the operating system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether connections use TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until it is stopped, then shuts down gracefully: it accepts nothing new, waits for what runs, cancels what does not end in
    /// time, and writes all records.
    pub async fn run(self, stop: CancellationToken) {
        let Self {
            app,
            listener,
            tls,
            audit,
            _lock,
        } = self;
        let router = openapi::router(&app);
        let over = CancellationToken::new();
        let sweeper = tokio::spawn(sweep(Arc::clone(&app)));
        let kept = Arc::clone(&audit);
        let heads = tokio::spawn(async move { kept.keep_heads().await });
        let supervisor = tokio::spawn(supervisor::watch(Arc::clone(&app)));
        let (limits, places) = (app.config.limits.clone(), Arc::clone(&app.places));
        let accepting = tokio::spawn(connection::accept(
            listener,
            Front {
                tls,
                router,
                limits,
                places,
                over: over.clone(),
            },
        ));
        stop.cancelled().await;
        app.closing.cancel();
        tracing::info!("shutting down: draining executions");
        let patience = tokio::time::Instant::now() + app.config.limits.drain;
        while !app.registry.unfinished().is_empty() && tokio::time::Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for live in app.registry.unfinished() {
            live.stop.cancel();
            let _ = live.finished().await;
        }
        app.trees.end().await;
        sessions::end_all(&app).await;
        sweeper.abort();
        supervisor.abort();
        over.cancel();
        // Clients that waited have their response by now, or are not reading it.
        let _ = tokio::time::timeout(Duration::from_secs(5), accepting).await;
        heads.abort();
        audit.keep_head(None).await;
        app.kept.audited(&app.audit.take_written());
        tell_audited(&app).await;
        tracing::info!(head = %app.audit.head(), "the audit log ends");
        app.store.close().await;
    }
}

/// Opens the state folder, and creates it if there is none. Other users of this machine must not be able to read or to have changed it.
fn state_folder(path: &Path) -> io::Result<Dir> {
    let folder = Folder::create(path).map_err(io::Error::other)?;
    let tightened = folder.make_private().map_err(|error| {
        let user = rustix::process::geteuid().as_raw();
        io::Error::other(format!(
            "{error}; others may look into it: `chown {user} '{0}' && chmod 700 '{0}'` mends that",
            path.display()
        ))
    })?;
    if let Some(mode) = tightened {
        tracing::warn!(path = %path.display(), "others could look into the state folder (mode {mode:04o}); its mode is 0700 now");
    }
    // A user who could write here before may have left files of their own, or still have them open.
    folder.check_inside().map_err(io::Error::other)?;
    Ok(Dir::from_std_file(folder.to_file()?))
}

fn lock_folder(path: &Path, state: &Dir) -> Result<File, ServeError> {
    let failed = |error| ServeError::State(path.to_owned(), error);
    let lock = state
        .open_with("lock", OpenOptions::new().create(true).write(true))
        .map_err(failed)?;
    match rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(ServeError::InUse(path.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

/// Does periodic maintenance: expires sessions, and deletes what is past its retention.
async fn sweep(app: Arc<App>) {
    let mut sweeps = 0_u64;
    loop {
        tokio::time::sleep(SWEEP).await;
        sessions::expire(&app).await;
        app.kept.audited(&app.audit.take_written());
        if sweeps.is_multiple_of(TELL_EVERY) {
            tell_audited(&app).await;
        }
        app.registry.forget();
        app.trees.forget(now_ms());
        if sweeps.is_multiple_of(FORGET_EVERY) {
            app.rates.forget();
            app.alerts.forget();
            if let Err(error) = forget(&app).await {
                tracing::error!(%error, "retention sweep failed");
            }
        }
        sweeps += 1;
    }
}

/// Adds to the database what each subject has written to the audit log.
async fn tell_audited(app: &App) {
    let mut untold = app.kept.take_untold();
    if let Err(error) = app.store.add_audited(&mut untold, now_ms()).await {
        tracing::warn!(%error, "who has written to the audit log could not be kept; it is tried again");
        app.kept.tell_again(&untold);
    }
}

/// Measures the audit log anew, as segments of it may be gone.
async fn measure_audit(app: &App) -> Result<(), sqlx::Error> {
    let now = now_ms();
    let kept = app
        .config
        .retention
        .audit
        .map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    app.store.forget_audited(now, kept).await?;
    app.kept
        .audit_is(app.store.audited(now).await?, search::bytes(&app.state)?);
    Ok(())
}

async fn forget(app: &Arc<App>) -> Result<(), sqlx::Error> {
    if let Some(age) = app.config.retention.audit {
        let held = Arc::clone(app);
        let gone = tokio::task::spawn_blocking(move || search::forget(&held.state, age))
            .await
            .map_err(io::Error::other)
            .flatten();
        match gone {
            Ok(0) => {}
            Ok(segments) => tracing::info!(
                segments,
                "segments of the audit log are forgotten, as the retention says"
            ),
            Err(error) => {
                tracing::error!(%error, "segments of the audit log could not be forgotten")
            }
        }
    }
    if let Err(error) = measure_audit(app).await {
        tracing::error!(%error, "what the audit log has could not be found out");
    }
    let age = i64::try_from(app.config.retention.executions.as_millis()).unwrap_or(i64::MAX);
    let mut freed = Vec::new();
    let gone = app
        .store
        .forget(now_ms().saturating_sub(age), &mut freed)
        .await;
    for (subject, bytes) in freed {
        app.kept
            .give_back(&subject, u64::try_from(bytes).unwrap_or(0));
    }
    match gone {
        Ok(0) => {}
        Ok(executions) => tracing::info!(executions, "forgotten, as the retention says"),
        Err(error) => tracing::error!(%error, "executions that are too old could not be forgotten"),
    }
    let blobs = app.blobs.clone();
    let old = tokio::task::spawn_blocking(move || blobs.older_than(ORPHAN))
        .await
        .map_err(|error| sqlx::Error::Io(io::Error::other(error)))?;
    let mut result = Ok(());
    for sha256 in old.map_err(sqlx::Error::Io)? {
        // A failed lookup of one content does not keep the others from being removed.
        result = result.and(app.drop_content(&sha256).await);
    }
    result
}

/// Reads a key that seals an audit log.
///
/// # Errors
///
/// If other users than its owner can read it, or it is too short.
pub fn audit_key(path: &Path) -> Result<AuditKey, ServeError> {
    audit_log::read_key(path)
}

/// The keys of a state folder, for a caller that may write there.
pub struct Keys(Store);

/// An API key, without its secret.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// Its public id.
    pub id: String,
    /// The subject that holds it.
    pub subject: String,
    /// Its scopes, separated by spaces.
    pub scopes: String,
    /// Creation time (RFC 3339).
    pub created_at: String,
    /// Expiry time (RFC 3339).
    pub expires_at: Option<String>,
    /// Whether it was revoked, or has expired.
    pub is_over: bool,
}

impl Keys {
    /// Opens the database of a service, whether it runs or not.
    ///
    /// # Errors
    ///
    /// If it cannot be used.
    pub async fn open(state: &Path, database: Option<&str>) -> Result<Self, ServeError> {
        state_folder(state).map_err(|error| ServeError::State(state.to_owned(), error))?;
        Ok(Self(Store::open(database, state, Purpose::Keys).await?))
    }

    /// Creates a key.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn create(
        &self,
        subject: &Subject,
        scopes: &[Scope],
        lifetime: Option<Duration>,
    ) -> Result<NewKey, ServeError> {
        Ok(keys::create(&self.0, subject, scopes, lifetime).await?)
    }

    /// Returns all keys, revoked and expired ones included.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn list(&self) -> Result<Vec<KeyInfo>, ServeError> {
        let now = now_ms();
        let info = |key: store::KeyRow| KeyInfo {
            id: key.id,
            subject: key.subject,
            scopes: key.scopes,
            created_at: execution::timestamp(key.created_ms),
            expires_at: key.expires_ms.map(execution::timestamp),
            is_over: key.revoked_ms.is_some() || key.expires_ms.is_some_and(|end| end <= now),
        };
        Ok(self.0.keys().await?.into_iter().map(info).collect())
    }

    /// Revokes a key; returns whether there was one.
    ///
    /// # Errors
    ///
    /// If the database cannot be used.
    pub async fn revoke(&self, id: &str) -> Result<bool, ServeError> {
        Ok(self.0.revoke_key(id).await?)
    }
}
