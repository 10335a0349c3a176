//! HTTP API of executions: how do clients run programs, and look at the results?

mod answers;
mod idempotency;
mod schema;
mod socket;

use answers::answer_row;
pub(super) use answers::{Part, file};
use idempotency::Taken;
use schema::{EventBody, ExecutionList};
pub(super) use schema::{Execution, PackageBody};

use super::App;
use super::body::{Body, ExecutionRequest};
use super::events::EventLog;
use super::execution::{
    ActiveExecution, StartOptions, StartedExecution, execution_json, start, summary_json,
};
use super::keys::{Caller, Scope};
use super::places::{FollowerPermit, NoFollower};
use super::problem::{Code, Problem};
use super::store::{ExecutionFilter, ExecutionRow};
use crate::wire;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{Stream, StreamExt as _};
use glovebox::policy::Subject;
use glovebox::{CancellationToken, RunId};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;

/// Default page size of lists.
const PAGE: u32 = 50;

/// Cancels an execution when the client that waits for it disconnects.
struct Waiter(Option<CancellationToken>);

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(stop) = &self.0 {
            stop.cancel();
        }
    }
}

/// Returns a response whose body is JSON already.
pub(super) fn answer_json(status: StatusCode, text: String) -> Response {
    (
        status,
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        text,
    )
        .into_response()
}

/// Adds a header with the URL of the resource.
pub(super) fn with_location(
    mut response: Response,
    name: header::HeaderName,
    address: &str,
) -> Response {
    if let Ok(location) = HeaderValue::from_str(address) {
        response.headers_mut().insert(name, location);
    }
    response
}

/// Returns the path of an execution.
fn address(id: &impl std::fmt::Display) -> String {
    format!("/v1/executions/{id}")
}

/// The way in which a client receives the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In the response.
    Wait,
    /// Later: the response comes at once.
    Later,
    /// As a stream of events, which is the response.
    Stream,
}

impl Mode {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let has = |name: &str, wanted: &str| {
            let values = headers
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|part| {
                part.split(';')
                    .next()
                    .is_some_and(|part| part.trim().eq_ignore_ascii_case(wanted))
            })
        };
        if has("prefer", "respond-async") {
            Self::Later
        } else if has("accept", "text/event-stream") {
            Self::Stream
        } else {
            Self::Wait
        }
    }

    /// Returns the permit to follow events, if the response is a stream of them.
    pub(super) fn permit(
        self,
        app: &App,
        caller: &Caller,
    ) -> Result<Option<FollowerPermit>, Problem> {
        (self == Self::Stream)
            .then(|| follower(app, caller))
            .transpose()
    }
}

/// Responds in the way that the client has chosen.
pub(super) async fn answer(
    app: &Arc<App>,
    begun: StartedExecution,
    mode: Mode,
    permit: Option<FollowerPermit>,
) -> Result<Response, Problem> {
    let live = Arc::clone(&begun.live);
    match mode {
        Mode::Later => {
            drop(begun);
            // What was promised to the client has to survive a crash.
            app.store
                .put(live.row())
                .await
                .map_err(|error| Problem::internal(&error))?;
            let mut response = answer_json(StatusCode::ACCEPTED, execution_json(&live.row()));
            response.headers_mut().insert(
                "preference-applied",
                HeaderValue::from_static("respond-async"),
            );
            Ok(with_location(
                response,
                header::LOCATION,
                &address(&live.id),
            ))
        }
        Mode::Stream => {
            drop(begun);
            let waiter = Waiter(Some(live.stop.clone()));
            let log = live.log.clone().unwrap_or_default();
            let response = stream(permit, log, 0, Some(waiter));
            Ok(with_location(
                response,
                header::CONTENT_LOCATION,
                &address(&live.id),
            ))
        }
        Mode::Wait => {
            let waiter = Waiter(Some(live.stop.clone()));
            let row = begun.finish().await?;
            drop(waiter);
            let response =
                answer_row(app, &live.subject, &row).unwrap_or_else(IntoResponse::into_response);
            Ok(with_location(
                response,
                header::CONTENT_LOCATION,
                &address(&row.id),
            ))
        }
    }
}

/// Returns a stream of events as the response; `held` is dropped when the client disconnects.
pub(super) fn stream(
    permit: Option<FollowerPermit>,
    log: Arc<EventLog>,
    after: u64,
    waiter: Option<impl Send + Sync + 'static>,
) -> Response {
    sse(told(log, after, (permit, waiter)))
}

fn told(
    log: Arc<EventLog>,
    after: u64,
    held: impl Send + Sync + 'static,
) -> impl Stream<Item = Result<axum::response::sse::Event, Infallible>> + Send + 'static {
    let events = Arc::clone(&log).follow(after);
    events.scan(None, move |sent, event| {
        let _held = &held;
        // The previous event has been sent by now. Without memory for this one, the client resumes after it in another connection.
        drop(sent.take());
        let told = log.sending(&event).ok().map(|taken| {
            *sent = taken;
            Ok(event.to_sse())
        });
        std::future::ready(told)
    })
}

fn sse(
    events: impl Stream<Item = Result<axum::response::sse::Event, Infallible>> + Send + 'static,
) -> Response {
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(Duration::from_secs(10)))
        .into_response();
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Returns the permit to follow events.
pub(super) fn follower(app: &App, caller: &Caller) -> Result<FollowerPermit, Problem> {
    app.followers.permit(&caller.subject).map_err(|none| {
        let (code, detail) = match none {
            NoFollower::All(most) => (
                Code::Overloaded,
                format!("too many event streams: {most} (`limits.followers`)"),
            ),
            NoFollower::Subject(most) => (
                Code::QueueFull,
                format!(
                    "too many event streams of this key: {most} (`limits.followers_per_subject`)"
                ),
            ),
        };
        Problem::new(code, detail).retry_after(Duration::from_secs(5))
    })
}

/// Run a program.
///
/// Waits for the end and responds with the execution. With `Prefer: respond-async` it responds at once, with `Accept: text/event-stream`
/// with the events as they come. If the client disconnects while it waits or reads, the program is stopped.
#[utoipa::path(post, path = "/v1/executions", tag = "executions", request_body = ExecutionRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and the same body run once: further requests get the first one's answer."),
        ("Prefer" = Option<String>, Header, description = "`respond-async` answers before the program has ended."),
    ),
    responses(
        (status = 200, description = "How it went", body = Execution),
        (status = 202, description = "It is under way", body = Execution),
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<ExecutionRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let mode = Mode::of(&headers);
    // Before anything starts that would have to be cancelled again.
    let permit = mode.permit(&app, &caller)?;
    let Some(key) = idempotency::key(&headers)? else {
        let begun = launch(&app, &caller, body, RunId::random(), mode)?;
        return answer(&app, begun, mode, permit).await;
    };
    let taking = idempotency::take(Arc::clone(&app), caller.clone(), key, body, mode);
    match app.to_the_end(&caller.subject, taking).await? {
        Taken::New(mut waiter, begun) => {
            // From here on, the response has a guard of its own.
            waiter.0 = None;
            answer(&app, begun, mode, permit).await
        }
        Taken::Before(execution) => idempotency::replay(&app, &caller, &headers, &execution).await,
    }
}

fn launch(
    app: &Arc<App>,
    caller: &Caller,
    body: Body<ExecutionRequest>,
    id: RunId,
    mode: Mode,
) -> Result<StartedExecution, Problem> {
    let (bytes, mut held) = (body.bytes.len(), body.held);
    drop(body.bytes);
    let is_open = body.value.stdin_open;
    if is_open && mode == Mode::Wait {
        return Err(Problem::new(
            Code::Invalid,
            "with `stdin_open` send `Prefer: respond-async`, and then follow its events by a WebSocket",
        ));
    }
    let (request, input) = body.value.read(caller.subject.clone(), true)?;
    held.shrink_to(bytes);
    let (input, stdin) = if is_open {
        socket::kept_open(input)
    } else {
        (input, None)
    };
    start(
        app,
        id,
        request,
        input,
        StartOptions {
            bytes,
            held,
            is_followed: mode != Mode::Wait,
            stdin,
        },
    )
}

/// Filters of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only executions with this status.
    status: Option<String>,
    /// Only executions in this language.
    language: Option<String>,
    /// Only executions in this session.
    session: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Maximum number of entries.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// List executions, the newest first.
#[utoipa::path(get, path = "/v1/executions", tag = "executions", params(ListQuery),
    responses((status = 200, description = "One page", body = ExecutionList)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let Query(query) = query?;
    let limit = page_size(query.limit)?;
    if [&query.status, &query.language, &query.session]
        .into_iter()
        .flatten()
        .any(|text| text.contains('\0'))
    {
        return Err(Problem::new(Code::Invalid, "a filter has no zero byte"));
    }
    let filter = ExecutionFilter {
        subject: caller.subject.to_string(),
        status: query.status,
        language: query.language,
        session: query.session,
        before: query.cursor.as_deref().map(read_cursor).transpose()?,
        limit: i64::from(limit),
    };
    let rows = app.store.executions(filter).await?;
    let next = rows
        .last()
        .filter(|_| rows.len() == limit as usize)
        .map(|row| cursor(row.created_ms, &row.id));
    let rows: Vec<String> = rows.iter().map(summary_json).collect();
    Ok(answer_json(
        StatusCode::OK,
        format!(
            r#"{{"executions":[{}],"next_cursor":{}}}"#,
            rows.join(","),
            wire::to_json(&next)
        ),
    ))
}

pub(super) fn page_size(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=500).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::new(Code::Invalid, "`limit` is 1 to 500"))
    }
}

pub(super) fn cursor(ms: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{ms} {id}"))
}

pub(super) fn read_cursor(cursor: &str) -> Result<(i64, String), Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (ms, id) = text.split_once(' ')?;
        // A NUL, which databases refuse in text, is in no valid cursor.
        (!id.contains('\0')).then_some((ms.parse().ok()?, id.to_owned()))
    };
    read().ok_or_else(|| Problem::not_found("page; `cursor` is none that a list has given"))
}

async fn find(
    app: &App,
    caller: &Caller,
    id: &str,
) -> Result<(ExecutionRow, Option<Arc<ActiveExecution>>), Problem> {
    // An invalid id is not looked up.
    let id = id
        .parse::<RunId>()
        .map_err(|_| Problem::not_found("execution"))?
        .to_string();
    if let Some(live) = app.registry.get(&caller.subject, &id) {
        return Ok((live.row(), Some(live)));
    }
    let row = app.store.execution(caller.subject.as_str(), &id).await?;
    row.map(|row| (row, None))
        .ok_or_else(|| Problem::not_found("execution"))
}

/// Get an execution.
#[utoipa::path(get, path = "/v1/executions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "What is known of it", body = Execution)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let (row, _) = find(&app, &caller, &id).await?;
    answer_row(&app, &caller.subject, &row)
}

/// Stop an execution, or delete one that has ended.
///
/// An execution that has not ended is stopped: the response comes when it has ended, with its outcome, and its record stays. One that has
/// ended before is deleted with its output, its artifacts and its idempotency key, which frees their bytes; the response is its last
/// representation. What it used stays counted, and the audit log keeps its records. To stop it only, use `/v1/executions/{id}/cancel`.
#[utoipa::path(delete, path = "/v1/executions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended, or is deleted", body = Execution)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let (row, live) = find(&app, &caller, &id).await?;
    if let Some(live) = live.filter(|_| row.ended_ms.is_none()) {
        return stopped(&app, &live).await;
    }
    if let Some(live) = app.registry.get(&caller.subject, &id) {
        // The record of one that ended a moment ago is still being written.
        let _ = live.finished().await;
    }
    // If the last representation cannot be sent, the execution is not deleted.
    let response = answer_row(&app, &caller.subject, &row)?;
    let (held, subject) = (Arc::clone(&app), caller.subject.clone());
    app.to_the_end(&caller.subject, async move {
        remove(&held, subject.as_str(), &id).await
    })
    .await?;
    Ok(response)
}

/// Deletes an execution with the contents that no other one refers to.
async fn remove(app: &App, subject: &str, id: &str) -> Result<(), Problem> {
    let deleted = app.store.delete_execution(subject, id).await?;
    app.registry.remove(id);
    let deleted = deleted.ok_or_else(|| Problem::not_found("execution"))?;
    app.kept
        .give_back(subject, u64::try_from(deleted.bytes).unwrap_or(0));
    for sha256 in deleted.contents {
        if let Err(error) = app.drop_content(&sha256).await {
            tracing::warn!(%error, "whether a content is needed could not be found out; it stays for now");
        }
    }
    Ok(())
}

async fn stopped(app: &App, live: &ActiveExecution) -> Result<Response, Problem> {
    live.stop.cancel();
    // The record has the reason of a failure.
    let _ = live.finished().await;
    answer_row(app, &live.subject, &live.row())
}

/// Stop an execution.
///
/// Responds when it has ended, with its outcome. One that has ended before stays as it is.
#[utoipa::path(post, path = "/v1/executions/{id}/cancel", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended", body = Execution)))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let (row, live) = find(&app, &caller, &id).await?;
    let live = live.filter(|_| row.ended_ms.is_none());
    let live = live.ok_or_else(|| {
        Problem::new(
            Code::Ended,
            format!("the execution has already ended (`{}`)", row.status),
        )
    })?;
    stopped(&app, &live).await
}

/// Returns the sequence number after which a client resumes.
pub(super) fn last_event(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(0);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|number| *number <= i64::MAX as u64);
    number.ok_or_else(|| Problem::new(Code::Invalid, "`Last-Event-ID` is the number of an event"))
}

/// Follow an execution.
///
/// Server-sent events: `status`, `finding`, `call` for a host call, `stdout` and `stderr` with chunks of output, and `end` with the
/// execution. With `Last-Event-ID` the stream resumes after that event. Of an execution that ended long ago, only the event `end` is sent.
///
/// As a WebSocket, each event is a message `{"id", "event", "data"}`. If the execution was started with `stdin_open`, the client's messages
/// go to its standard input: binary messages as they are, `{"stdin": "text"}` and `{"stdin_base64": ".."}`; `{"stdin_end": true}` closes
/// it. `{"cancel": true}` stops the execution.
#[utoipa::path(get, path = "/v1/executions/{id}/events", tag = "executions",
    params(("id" = String, Path), ("Last-Event-ID" = Option<u64>, Header, description = "The last event that the client has.")),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = EventBody),
        (status = 101, description = "The events, as messages of a WebSocket"),
    ))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let after = last_event(&headers)?;
    let (row, live) = find(&app, &caller, &id).await?;
    let log = live.as_ref().map_or_else(
        || Some(ended(&app, &caller.subject, &row)),
        |live| live.log.clone(),
    );
    // A slow reader must not keep the rest of the record in memory.
    drop(row);
    if let Ok(upgrade) = upgrade {
        let permit = follower(&app, &caller)?;
        return Ok(socket::upgrade(app, upgrade, (log, live), after, permit));
    }
    match (live, log) {
        (live, Some(log)) => {
            let permit = live
                .is_some()
                .then(|| follower(&app, &caller))
                .transpose()?;
            let after = if live.is_some() { after } else { 0 };
            Ok(stream(permit, log, after, None::<Waiter>))
        }
        (None, None) => Err(Problem::not_found("execution")),
        (Some(live), None) => {
            // Another request waits for it and receives its output: here only its end is sent.
            let permit = follower(&app, &caller)?;
            let end = futures_util::stream::once(async move {
                let _ = live.finished().await;
                told(ended(&app, &live.subject, &live.row()), 0, permit)
            });
            Ok(sse(end.flatten()))
        }
    }
}

/// Returns the events of an execution of which only the end is known.
fn ended(app: &App, subject: &Subject, row: &ExecutionRow) -> Arc<EventLog> {
    let log = EventLog::of(&app.memory, subject);
    log.end(execution_json(row), || summary_json(row));
    log
}

/// Download an artifact.
#[utoipa::path(get, path = "/v1/executions/{id}/artifacts/{*path}", tag = "executions",
    params(("id" = String, Path), ("path" = String, Path, description = "As the execution lists it.")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "A part of the file", content_type = "application/octet-stream", body = Vec<u8>),
    ))]
pub(super) async fn artifact(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let missing = || Problem::not_found("artifact");
    // Only its id: the record may be large.
    let id = find(&app, &caller, &id).await?.0.id;
    if path.contains('\0') {
        return Err(missing());
    }
    let sha256 = app.store.artifact(&id, &path).await?.ok_or_else(missing)?;
    let blobs = app.blobs.clone();
    let read = move || -> Result<_, Problem> {
        let content = blobs.open(&sha256).map_err(|_| missing())?;
        let part = Part::of(&headers, content.bytes())?;
        let taken = app.memory.take(&caller.subject, part.range().len())?;
        let content = content.read(part.range()).map_err(|_| missing())?;
        Ok((part, taken.with(content)))
    };
    let (part, content) = tokio::task::spawn_blocking(read)
        .await
        .map_err(|error| Problem::internal(&error))??;
    Ok(file(&path, &part, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_only_what_was_given_out() {
        assert_eq!(
            read_cursor(&cursor(5, "run_1")).unwrap(),
            (5, "run_1".to_owned())
        );
        for wrong in [
            "",
            "x",
            "!!",
            &URL_SAFE_NO_PAD.encode("a b"),
            &URL_SAFE_NO_PAD.encode("1 \0"),
        ] {
            assert!(read_cursor(wrong).is_err(), "{wrong}");
        }
    }
}
