//! HTTP API of sessions: how do clients keep state between programs?

mod giving;
pub(super) mod parts;

use giving::InUse;
pub(super) use giving::give_way;

use super::App;
use super::body::{Body, ExecutionRequest, FileBody, LimitsBody, TierName, number, object};
use super::bounded::{Arguments, Artifacts, Environment, Files, Mounts, Network, Packages, Tools};
use super::bounded::{maybe_texts, named_texts, objects, texts};
use super::charge::{Charge, Tab};
use super::execution::{
    ActiveExecution, ExecutionFuture, NewExecution, enter, start_in, timestamp,
};
use super::executions::{Execution, Mode, PackageBody, answer};
use super::kept::ROW;
use super::keys::{Caller, Scope};
use super::memory::Taken;
use super::problem::{Code, Problem};
use super::store::{SessionRow, now_ms};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use giving::Gone;
use glovebox::policy::{Request, Source, Subject};
use glovebox::{Controls, LockedPackage, RunId, Session};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedMappedMutexGuard, OwnedMutexGuard};
use utoipa::ToSchema;

/// Detail of the problem when the service is shutting down.
const NO_MORE: &str = "the service opens no more sessions";

/// Grace period of a busy session at shutdown.
const LAST: Duration = Duration::from_secs(5);

/// A session to open.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "language": "python" }))]
pub(super) struct SessionRequest {
    /// `python`, `javascript` or `typescript`.
    #[schema(required = true, default = json!(null), min_length = 1)]
    language: String,
    /// The profile of the policy to run under; by default, the policy's own choice.
    profile: Option<String>,
    /// Idle timeout, in seconds.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 1, maximum = 86400)]
    idle_s: Option<u64>,
    /// Environment variables, in addition to those of the profile.
    #[serde(deserialize_with = "named_texts::<_, Environment>")]
    environment: BTreeMap<String, String>,
    /// Files that are in the workspace at the start.
    #[serde(deserialize_with = "objects::<_, Files, _>")]
    files: Vec<FileBody>,
    /// Seeds all randomness, so that runs of the same programs are reproducible.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    seed: Option<u64>,
    /// Packages that its programs need.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    packages: Vec<String>,
    /// Smaller limits than those of the profile, for each evaluation separately.
    #[serde(deserialize_with = "object")]
    limits: LimitsBody,
    /// The only tier to run in.
    tier: Option<TierName>,
    /// The minimum isolation.
    min_isolation: Option<TierName>,
    /// Guest paths of the mounts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Mounts>")]
    mounts: Option<Vec<String>>,
    /// Hosts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Network>")]
    network: Option<Vec<String>>,
    /// Tools to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Tools>")]
    tools: Option<Vec<String>>,
}

impl SessionRequest {
    fn place(self) -> ExecutionRequest {
        let Self {
            language,
            profile,
            environment,
            files,
            seed,
            packages,
            limits,
            tier,
            min_isolation,
            mounts,
            network,
            tools,
            ..
        } = self;
        ExecutionRequest {
            language,
            profile,
            environment,
            files,
            seed,
            packages,
            limits,
            tier,
            min_isolation,
            mounts,
            network,
            tools,
            ..ExecutionRequest::default()
        }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub(super) struct SessionBody {
    /// The id of the session.
    id: String,
    /// `idle`, `busy`; `broken` after an evaluation that hit a limit, was stopped or crashed the guest: reset it to go on.
    status: &'static str,
    /// The language.
    language: String,
    /// The profile of the policy under which it runs.
    profile: String,
    /// The tier in which it runs.
    tier: String,
    /// The time at which it was opened.
    #[schema(format = DateTime)]
    created_at: String,
    /// Idle timeout, in seconds.
    idle_s: u64,
    /// The packages that its programs can import.
    packages: Vec<PackageBody>,
}

/// The caller's sessions.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionList {
    sessions: Vec<SessionBody>,
}

/// Options of a reset.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ResetRequest {
    /// Whether the files of the workspace are kept.
    keep_files: bool,
}

/// A program to evaluate in a session.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EvaluationRequest {
    /// The program's text.
    #[schema(value_type = String, required = true, default = json!(null))]
    source: Option<String>,
    /// The file name that tracebacks show.
    name: Option<String>,
    /// The program's command-line arguments.
    #[serde(deserialize_with = "texts::<_, Arguments>")]
    arguments: Vec<String>,
    /// Globs of the files to return as artifacts.
    #[serde(deserialize_with = "texts::<_, Artifacts>")]
    artifacts: Vec<String>,
    /// Standard input, as text.
    stdin: Option<String>,
}

/// A session of this process.
pub(super) struct Entry {
    id: String,
    subject: Subject,
    created_ms: i64,
    idle: Duration,
    session: Arc<tokio::sync::Mutex<Option<Session>>>,
    /// The request to open it again with.
    request: Mutex<Request>,
    /// Its representation, also while it is busy.
    shown: Mutex<Shown>,
    used: Mutex<Instant>,
    running: Mutex<Option<Arc<ActiveExecution>>>,
    /// Usage besides its evaluations that is not counted yet.
    tab: Tab,
    /// Requests for it whose bodies are on their way.
    requests: AtomicUsize,
    /// The memory charged for its files: a reset starts with them again.
    _held: Taken,
}

#[derive(Clone, Default)]
struct Shown {
    is_broken: bool,
    profile: String,
    tier: String,
    packages: Vec<LockedPackage>,
}

type Guard = OwnedMutexGuard<Option<Session>>;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    /// Locks the session for exclusive use.
    fn take(&self) -> Result<Guard, Problem> {
        let busy = |_| {
            Problem::new(
                Code::Busy,
                "the session evaluates a program; wait for it, or interrupt it",
            )
            .retry_after(Duration::from_secs(1))
        };
        let guard = Arc::clone(&self.session).try_lock_owned().map_err(busy)?;
        if guard.is_none() {
            return Err(Problem::not_found("session"));
        }
        *lock(&self.used) = Instant::now();
        Ok(guard)
    }

    /// Locks the session like [`Entry::take`], without its other state.
    fn open(&self) -> Result<OwnedMappedMutexGuard<Option<Session>, Session>, Problem> {
        OwnedMutexGuard::try_map(self.take()?, Option::as_mut)
            .map_err(|_| Problem::not_found("session"))
    }

    fn show(&self, session: &Session) {
        *lock(&self.shown) = Shown {
            is_broken: !session.is_alive(),
            profile: session.grant().profile().to_owned(),
            tier: session.grant().tier().to_string(),
            packages: session.packages().to_vec(),
        };
        *lock(&self.used) = Instant::now();
    }

    fn body(&self) -> SessionBody {
        let shown = lock(&self.shown).clone();
        let status = if self.session.try_lock().is_err() {
            "busy"
        } else if shown.is_broken {
            "broken"
        } else {
            "idle"
        };
        SessionBody {
            id: self.id.clone(),
            status,
            language: lock(&self.request).language.clone(),
            profile: shown.profile,
            tier: shown.tier,
            created_at: timestamp(self.created_ms),
            idle_s: self.idle.as_secs(),
            packages: bodies(&shown.packages),
        }
    }

    fn row(&self, end: Option<&str>) -> SessionRow {
        SessionRow {
            id: self.id.clone(),
            subject: self.subject.to_string(),
            language: lock(&self.request).language.clone(),
            profile: Some(lock(&self.shown).profile.clone()),
            created_ms: self.created_ms,
            ended_ms: end.map(|_| now_ms()),
            end_reason: end.map(str::to_owned),
        }
    }
}

fn bodies(packages: &[LockedPackage]) -> Vec<PackageBody> {
    let body = |package: &LockedPackage| PackageBody {
        name: package.name.clone(),
        version: package.version.clone(),
        file: package.file.clone(),
        digest: package.digest.clone(),
    };
    packages.iter().map(body).collect()
}

/// The sessions of this process.
#[derive(Default)]
pub(super) struct Sessions(
    Mutex<HashMap<String, Arc<Entry>>>,
    Mutex<HashMap<Subject, usize>>,
    Gone,
);

/// A slot for a session that is about to be opened; released on drop.
struct Place(Arc<App>, Subject);

impl Drop for Place {
    fn drop(&mut self) {
        let mut opening = lock(&self.0.sessions.1);
        if let Some(count) = opening.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                opening.remove(&self.1);
            }
        }
    }
}

impl Sessions {
    /// Returns a slot for one more session of a subject, or why there is none.
    fn place(&self, app: &Arc<App>, subject: &Subject) -> Result<Place, Problem> {
        let limits = &app.config.limits;
        let mut opening = lock(&self.1);
        let of_subject = self.of(subject).len() + opening.get(subject).copied().unwrap_or(0);
        if of_subject >= limits.sessions_per_subject {
            let detail = format!(
                "this key has {} sessions open, which is as many as it may; end one",
                limits.sessions_per_subject
            );
            return Err(Problem::new(Code::QueueFull, detail).retry_after(Duration::from_secs(10)));
        }
        if self.count() + opening.values().sum::<usize>() >= limits.sessions {
            return Err(
                Problem::new(Code::Overloaded, "as many sessions are open as may")
                    .retry_after(Duration::from_secs(10)),
            );
        }
        *opening.entry(subject.clone()).or_insert(0) += 1;
        Ok(Place(Arc::clone(app), subject.clone()))
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.0).len()
    }

    fn of(&self, subject: &Subject) -> Vec<Arc<Entry>> {
        let mut entries: Vec<_> = lock(&self.0)
            .values()
            .filter(|entry| entry.subject == *subject)
            .cloned()
            .collect();
        entries.sort_by(|one, other| (other.created_ms, &other.id).cmp(&(one.created_ms, &one.id)));
        entries
    }

    fn get(&self, subject: &Subject, id: &str) -> Result<Arc<Entry>, Problem> {
        let entry = lock(&self.0)
            .get(id)
            .filter(|entry| entry.subject == *subject)
            .cloned();
        entry.ok_or_else(|| self.2.why(subject, id))
    }
}

/// Ends sessions that have reached their idle timeout.
pub(super) async fn expire(app: &App) {
    let entries: Vec<_> = lock(&app.sessions.0).values().cloned().collect();
    for entry in entries {
        let is_over = || lock(&entry.used).elapsed() > entry.idle;
        // Checked again once the lock keeps others from using it.
        if is_over()
            && let Ok(guard) = Arc::clone(&entry.session).try_lock_owned()
            && is_over()
        {
            end(app, &entry, guard, "expired").await;
        }
    }
}

/// Ends all sessions at shutdown.
pub(super) async fn end_all(app: &App) {
    let entries: Vec<_> = lock(&app.sessions.0).values().cloned().collect();
    for entry in entries {
        if let Some(live) = &*lock(&entry.running) {
            live.stop.cancel();
        }
        match tokio::time::timeout(LAST, Arc::clone(&entry.session).lock_owned()).await {
            Ok(guard) => end(app, &entry, guard, "shutdown").await,
            Err(_) => tracing::warn!(session = entry.id, "a session is busy to the last"),
        }
    }
}

async fn end(app: &App, entry: &Entry, guard: Guard, reason: &str) {
    if over(app, entry, guard) {
        kept_end(app, entry, reason).await;
    }
}

/// Ends a session, unless it has ended already; this frees its memory.
fn over(app: &App, entry: &Entry, mut guard: Guard) -> bool {
    lock(&app.sessions.0).remove(&entry.id);
    let Some(session) = guard.take() else {
        return false;
    };
    if let Err(error) = session.close() {
        tracing::error!(%error, "the end of a session could not be audited");
    }
    true
}

async fn kept_end(app: &App, entry: &Entry, reason: &str) {
    if let Err(error) = app.store.put_session(entry.row(Some(reason))).await {
        tracing::error!(%error, "the end of a session could not be kept");
    }
}

/// Opens a new session, in a concurrency slot.
///
/// Usage besides its evaluations goes on the tab, and is counted even if opening fails.
async fn opened(
    app: &Arc<App>,
    subject: &Subject,
    bytes: usize,
    request: Request,
    tab: &Tab,
) -> Result<Session, Problem> {
    let _place = enter(app, subject, bytes)?.slot().await;
    let charge = Charge::new(app, subject, Arc::clone(tab));
    let controls = Controls {
        spent: Some(Arc::clone(tab)),
        ..Controls::default()
    };
    let session = app
        .processors
        .share(subject.clone(), app.sandbox.open_with(request, controls))
        .await?;
    charge.settle().await?;
    Ok(session)
}

/// Open a session.
///
/// Variables and files persist from one evaluation to the next.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SessionRequest,
    responses((status = 201, description = "It is open", body = SessionBody)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    body: Body<SessionRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    app.takes(NO_MORE)?;
    let limits = &app.config.limits;
    let place = app.sessions.place(&app, &caller.subject)?;
    let idle = match body.value.idle_s {
        None => limits.session_idle,
        Some(seconds)
            if seconds >= 1 && Duration::from_secs(seconds) <= limits.session_idle_max =>
        {
            Duration::from_secs(seconds)
        }
        Some(_) => {
            return Err(Problem::new(
                Code::Invalid,
                format!("`idle_s` is 1 to {}", limits.session_idle_max.as_secs()),
            ));
        }
    };
    let (body_bytes, mut held) = (body.bytes.len(), body.held);
    drop(body.bytes);
    let (request, _) = body.value.place().read(caller.subject.clone(), false)?;
    held.shrink_to(body_bytes);
    let tab = Tab::default();
    let session = opened(&app, &caller.subject, body_bytes, request.clone(), &tab).await?;
    let entry = Arc::new(Entry {
        id: session.id().to_string().replacen("run_", "session_", 1),
        subject: caller.subject.clone(),
        created_ms: now_ms(),
        idle,
        session: Arc::default(),
        request: Mutex::new(request),
        shown: Mutex::default(),
        used: Mutex::new(Instant::now()),
        running: Mutex::default(),
        tab,
        requests: AtomicUsize::new(0),
        _held: held,
    });
    entry.show(&session);
    // A client that disconnects must not leave the record of a session that counts for no subject and never ends.
    let (held, begun) = (Arc::clone(&app), Arc::clone(&entry));
    app.to_the_end(&caller.subject, async move {
        begin_with(&held, begun, session, place).await
    })
    .await?;
    let mut response = (StatusCode::CREATED, Json(entry.body())).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/sessions/{}", entry.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Registers a new session, with its record.
async fn begin_with(
    app: &App,
    entry: Arc<Entry>,
    session: Session,
    _place: Place,
) -> Result<(), Problem> {
    *entry.session.lock().await = Some(session);
    let mut room = app.kept.room(entry.subject.as_str());
    room.take(ROW);
    app.store
        .put_session(entry.row(None))
        .await
        .map_err(|error| Problem::internal(&error))?;
    room.keep();
    let is_taken_in = {
        let mut sessions = lock(&app.sessions.0);
        let takes = app.takes(NO_MORE);
        if takes.is_ok() {
            sessions.insert(entry.id.clone(), Arc::clone(&entry));
        }
        takes
    };
    if is_taken_in.is_err() {
        kept_end(app, &entry, "shutdown").await;
    }
    is_taken_in
}

/// List the caller's sessions, the newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", responses((status = 200, description = "All that are open", body = SessionList)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<SessionList>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(SessionList {
        sessions: app
            .sessions
            .of(&caller.subject)
            .iter()
            .map(|entry| entry.body())
            .collect(),
    }))
}

/// Get a session.
#[utoipa::path(get, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "What is known of it", body = SessionBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(app.sessions.get(&caller.subject, &id)?.body()))
}

/// End a session.
///
/// A running evaluation is stopped.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204, description = "It has ended")))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    if let Some(live) = &*lock(&entry.running) {
        live.stop.cancel();
    }
    // It ends even if the client disconnects.
    let ending = tokio::spawn(async move {
        let guard = Arc::clone(&entry.session).lock_owned().await;
        end(&app, &entry, guard, "deleted").await;
    });
    ending.await.map_err(|error| Problem::internal(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Run a program in a session.
///
/// The evaluation is an execution of its own that sees the state left by earlier ones.
#[utoipa::path(post, path = "/v1/sessions/{id}/executions", tag = "sessions", params(("id" = String, Path)), request_body = EvaluationRequest,
    responses(
        (status = 200, description = "How it went", body = Execution),
        (status = 202, description = "It is under way", body = Execution),
    ))]
pub(super) async fn evaluate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    _in_use: InUse,
    body: Body<EvaluationRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let guard = entry.take()?;
    let (language, profile) = (
        lock(&entry.request).language.clone(),
        lock(&entry.shown).profile.clone(),
    );
    if lock(&entry.shown).is_broken {
        return Err(Problem::new(
            Code::Ended,
            "the session broke, hit a limit or was stopped; reset it to go on",
        ));
    }
    let (bytes, mut held) = (body.bytes.len(), body.held);
    drop(body.bytes);
    let EvaluationRequest {
        source,
        name,
        arguments,
        artifacts,
        stdin,
    } = body.value;
    let source = source
        .ok_or_else(|| Problem::new(Code::Invalid, "`source` is missing: the program's text"))?;
    let name = name.unwrap_or_else(|| Source::default_name(&language).to_owned());
    let source = Source {
        name,
        content: source.into_bytes().into(),
    };
    let mode = Mode::of(&headers);
    let about = NewExecution {
        id: RunId::random(),
        subject: caller.subject.clone(),
        session: Some(entry.id.clone()),
        language,
        profile: Some(profile),
        bytes,
        is_followed: mode != Mode::Wait,
        stdin: None,
    };
    let input = stdin.map_or(glovebox::Input::Empty, |text| {
        glovebox::Input::Bytes(text.into_bytes().into())
    });
    let evaluated = Arc::clone(&entry);
    let work: ExecutionFuture = Box::new(move |controls: Controls| {
        held.shrink_to(bytes);
        Box::pin(async move {
            let _held = held;
            let mut guard = guard;
            let session = guard
                .as_mut()
                .ok_or(glovebox::Error::SessionEnded("it was ended meanwhile"))?;
            let result = session
                .evaluate_with(source, arguments, artifacts, controls)
                .await;
            evaluated.show(session);
            *lock(&evaluated.running) = None;
            result
        })
    });
    let permit = mode.permit(&app, &caller)?;
    let begun = {
        // Registered before it begins, so that a client can stop it from then on.
        let mut running = lock(&entry.running);
        let begun = start_in(&app, about, input, work)?;
        *running = Some(Arc::clone(&begun.live));
        begun
    };
    answer(&app, begun, mode, permit).await
}

/// Stop the running evaluation of a session.
///
/// The session is `broken` after that, because its variables are in an inconsistent state. Reset it to go on.
#[utoipa::path(post, path = "/v1/sessions/{id}/interrupt", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "Nothing runs in it any more", body = SessionBody)))]
pub(super) async fn interrupt(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let running = lock(&entry.running).clone();
    if let Some(live) = running {
        live.stop.cancel();
        let _ = live.finished().await;
    }
    Ok(Json(entry.body()))
}

/// Reset a session.
///
/// Its variables are lost; its packages stay, and its files if requested.
#[utoipa::path(post, path = "/v1/sessions/{id}/reset", tag = "sessions", params(("id" = String, Path)), request_body = ResetRequest,
    responses((status = 200, description = "It is as new", body = SessionBody)))]
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    _in_use: InUse,
    body: Body<ResetRequest>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let mut guard = entry.take()?;
    let mut request = lock(&entry.request).clone();
    let mut held = Taken::default();
    if body.value.keep_files
        && let Some(session) = guard.as_mut()
    {
        (request.files, held) = parts::files_of(&app, &caller.subject, session).await?;
    }
    let session = opened(&app, &caller.subject, 0, request, &entry.tab).await?;
    drop(held);
    entry.show(&session);
    if let Some(old) = guard.replace(session) {
        old.close()?;
    }
    drop(guard);
    Ok(Json(entry.body()))
}
