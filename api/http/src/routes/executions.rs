//! Executions over HTTP: how do clients run programs, and look at the results?

use crate::extract::{Authenticated, Body};
use crate::places::{FollowerPermit, Followers};
use crate::problem::Problem;
use crate::responses::{self, Part, cursor, file, json, page_size, read_cursor, with_location};
use crate::socket::{self, Followed};
use crate::sse;
use crate::state::ApiState;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use glovebox_service::{
    Caller, Claim, Claimed, Code, Earlier, ExecutionQuery, ExecutionRow, Executions, Follow, Found,
    Handle, NewExecution, OnDisconnect, Scope, ServiceError,
};
use glovebox_wire::event::EventBody;
use glovebox_wire::execution::{ExecutionBody, ExecutionList};
use glovebox_wire::request::ExecutionRequest;
use glovebox_wire::to_json;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use utoipa::IntoParams;

/// Maximum length of an idempotency key.
const MAX_KEY: usize = 255;

/// Returns the path of an execution.
fn address(id: &impl std::fmt::Display) -> String {
    format!("/v1/executions/{id}")
}

/// The way in which a client receives the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In the response.
    Wait,
    /// Later: the response comes at once.
    Later,
    /// As a stream of events, which is the response.
    Stream,
}

impl Mode {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
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
    pub(crate) fn permit(
        self,
        followers: &Arc<Followers>,
        caller: &Caller,
    ) -> Result<Option<FollowerPermit>, Problem> {
        (self == Self::Stream)
            .then(|| sse::permit(followers, caller))
            .transpose()
    }

    pub(crate) fn follow(self) -> Follow {
        match self {
            Self::Wait => Follow::End,
            Self::Later | Self::Stream => Follow::Events,
        }
    }

    fn on_disconnect(self) -> OnDisconnect {
        match self {
            Self::Wait | Self::Stream => OnDisconnect::Cancel,
            Self::Later => OnDisconnect::Continue,
        }
    }
}

/// Responds with an execution that was started, in the way that the client has chosen.
pub(crate) async fn respond(
    state: &ApiState,
    handle: Handle,
    mode: Mode,
    permit: Option<FollowerPermit>,
) -> Result<Response, Problem> {
    let service = state.service();
    let active = Arc::clone(handle.active());
    let address = address(&active.id());
    match mode {
        Mode::Later => {
            drop(handle);
            // What was promised to the client has to survive a crash.
            service.executions.store(&active).await?;
            let mut response = json(StatusCode::ACCEPTED, active.row().body().to_json());
            response.headers_mut().insert(
                "preference-applied",
                HeaderValue::from_static("respond-async"),
            );
            Ok(with_location(response, header::LOCATION, &address))
        }
        Mode::Stream => {
            let log = handle.events().unwrap_or_default();
            drop(handle);
            let response = sse::stream(log, 0, (permit, active.cancel_on_drop()));
            Ok(with_location(response, header::CONTENT_LOCATION, &address))
        }
        Mode::Wait => {
            let guard = active.cancel_on_drop();
            let row = handle.wait().await?;
            drop(guard);
            let response = responses::execution(&service.memory, active.subject(), &row)
                .unwrap_or_else(Problem::into_response);
            Ok(with_location(response, header::CONTENT_LOCATION, &address))
        }
    }
}

/// Run a program.
///
/// Waits for the end and responds with the execution. With `Prefer: respond-async` it responds at
/// once, with `Accept: text/event-stream` with the events as they come. If the client disconnects
/// while it waits or reads, the program is stopped.
#[utoipa::path(post, path = "/v1/executions", tag = "executions", request_body = ExecutionRequest,
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and the same body run once: further requests get the answer of the first."),
        ("Prefer" = Option<String>, Header, description = "`respond-async` answers before the program has ended."),
    ),
    responses(
        (status = 200, description = "How it went", body = ExecutionBody<'static>),
        (status = 202, description = "It is under way", body = ExecutionBody<'static>),
    ))]
pub(crate) async fn create(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    StartHeaders { mode, key }: StartHeaders,
    body: Body<ExecutionRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let executions = &state.service().executions;
    // Before anything starts that would have to be cancelled again.
    let permit = mode.permit(state.followers(), &caller)?;
    let Some(key) = key.as_ref().map(idempotency_key).transpose()? else {
        let handle = executions.start(&caller, new_execution(&caller, body, mode)?)?;
        return respond(&state, handle, mode, permit).await;
    };
    let claim = Claim {
        key,
        digest: body.sha256(),
        on_disconnect: mode.on_disconnect(),
    };
    let owner = caller.clone();
    let make = move || new_execution(&owner, body, mode);
    // Boxed as all that is rare: the future of each request is moved several times.
    Box::pin(async {
        match executions.start_once(&caller, claim, make).await? {
            Claimed::New(handle, guard) => {
                // From here on, the response has a guard of its own.
                guard.disarm();
                respond(&state, handle, mode, permit).await
            }
            Claimed::Before(id) => {
                let earlier = executions.earlier(&caller, &id).await?;
                replay(&state, &caller, earlier, mode).await
            }
        }
    })
    .await
}

/// The headers of a request that starts an execution.
pub(crate) struct StartHeaders {
    mode: Mode,
    /// The idempotency key, unchecked.
    key: Option<HeaderValue>,
}

impl<S: Send + Sync> FromRequestParts<S> for StartHeaders {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            mode: Mode::of(&parts.headers),
            key: parts.headers.get("idempotency-key").cloned(),
        })
    }
}

/// Checks an idempotency key.
fn idempotency_key(key: &HeaderValue) -> Result<String, Problem> {
    let key = key.to_str().ok().filter(|key| {
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    });
    let key = key.ok_or_else(|| {
        Problem::new(
            Code::Invalid,
            format!("an idempotency key has 1 to {MAX_KEY} printable characters"),
        )
    })?;
    Ok(key.to_owned())
}

/// Converts a request.
fn new_execution(
    caller: &Caller,
    body: Body<ExecutionRequest>,
    mode: Mode,
) -> Result<NewExecution, ServiceError> {
    let (bytes, mut charge) = (body.size, body.charge);
    drop(body.bytes);
    let is_open = body.value.stdin_open();
    if is_open && mode == Mode::Wait {
        return Err(ServiceError::new(
            Code::Invalid,
            "with `stdin_open` send `Prefer: respond-async`, and then follow its events by a WebSocket",
        ));
    }
    let (request, input) = body.value.into_request(caller.subject.clone())?;
    charge.shrink_to(bytes);
    let (input, stdin) = if is_open {
        socket::open_stdin(input)
    } else {
        (input, None)
    };
    Ok(NewExecution {
        request,
        input,
        stdin,
        bytes,
        charge,
        follow: mode.follow(),
    })
}

/// Responds to a repeated request.
async fn replay(
    state: &ApiState,
    caller: &Caller,
    earlier: Earlier,
    mode: Mode,
) -> Result<Response, Problem> {
    let whole =
        |row: &ExecutionRow| responses::execution(&state.service().memory, &caller.subject, row);
    let (id, mut response) = match earlier {
        Earlier::Ended(row) => (row.id().to_owned(), whole(&row)?),
        // A repeated request must not cancel what the first one waits for.
        Earlier::Active(active) => {
            let response = match mode {
                Mode::Later => json(StatusCode::ACCEPTED, active.row().body().to_json()),
                Mode::Stream => {
                    let permit = sse::permit(state.followers(), caller)?;
                    sse::stream(active.events().unwrap_or_default(), 0, permit)
                }
                Mode::Wait => whole(active.finished().await?.as_ref())?,
            };
            (active.id().to_string(), response)
        }
    };
    response
        .headers_mut()
        .insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(with_location(
        response,
        header::CONTENT_LOCATION,
        &address(&id),
    ))
}

/// Filters of a list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
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
    responses((status = 200, description = "One page", body = ExecutionList<'static>)))]
pub(crate) async fn list(
    State(executions): State<Executions>,
    Authenticated(caller): Authenticated,
    query: Result<Query<ListQuery>, QueryRejection>,
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
    let query = ExecutionQuery {
        status: query.status,
        language: query.language,
        session: query.session,
        before: query.cursor.as_deref().map(read_cursor).transpose()?,
        limit,
    };
    let rows = executions.list(&caller, query).await?;
    let next_cursor = rows
        .last()
        .filter(|_| rows.len() == limit as usize)
        .map(|row| cursor(row.created_ms(), row.id()));
    let list = ExecutionList {
        executions: rows.iter().map(ExecutionRow::summary).collect(),
        next_cursor,
    };
    Ok(json(StatusCode::OK, to_json(&list)))
}

/// Get an execution.
#[utoipa::path(get, path = "/v1/executions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "What is known of it", body = ExecutionBody<'static>)))]
pub(crate) async fn get(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let found = state.service().executions.find(&caller, &id).await?;
    responses::execution(&state.service().memory, &caller.subject, &found.row)
}

/// Stop an execution, or delete one that has ended.
///
/// An execution that has not ended is stopped: the response comes when it has ended, with its
/// outcome, and its record stays. One that has ended before is deleted with its output, its
/// artifacts and its idempotency key, which frees their bytes; the response is its last
/// representation. What it used stays counted, and the audit log keeps its records. To stop it
/// only, use `/v1/executions/{id}/cancel`.
#[utoipa::path(delete, path = "/v1/executions/{id}", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended, or is deleted", body = ExecutionBody<'static>)))]
pub(crate) async fn delete(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let service = state.service();
    let whole = |row: &ExecutionRow| responses::execution(&service.memory, &caller.subject, row);
    let Found { row, active } = service.executions.find(&caller, &id).await?;
    if let Some(active) = active.filter(|_| !row.has_ended()) {
        return whole(active.cancel_and_wait().await.as_ref());
    }
    service.executions.stored(&caller, &id).await;
    // If the last representation cannot be sent, the execution is not deleted.
    let response = whole(&row)?;
    service.executions.delete(&caller, &id).await?;
    Ok(response)
}

/// Stop an execution.
///
/// Responds when it has ended, with its outcome. One that has ended before stays as it is.
#[utoipa::path(post, path = "/v1/executions/{id}/cancel", tag = "executions", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended", body = ExecutionBody<'static>)))]
pub(crate) async fn cancel(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let row = state.service().executions.cancel(&caller, &id).await?;
    responses::execution(&state.service().memory, &caller.subject, &row)
}

/// Returns the sequence number after which a client resumes.
pub(crate) fn last_event(headers: &HeaderMap) -> Result<u64, Problem> {
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
/// Server-sent events: `status`, `finding`, `call` for a host call, `stdout` and `stderr` with
/// chunks of output, and `end` with the execution. With `Last-Event-ID` the stream resumes after
/// that event. Of an execution that ended long ago, only the event `end` is sent.
///
/// As a WebSocket, each event is a message `{"id", "event", "data"}`. If the execution was started
/// with `stdin_open`, the client's messages go to its standard input: binary messages as they are,
/// `{"stdin": "text"}` and `{"stdin_base64": ".."}`; `{"stdin_end": true}` closes it.
/// `{"cancel": true}` stops the execution.
#[utoipa::path(get, path = "/v1/executions/{id}/events", tag = "executions",
    params(("id" = String, Path), ("Last-Event-ID" = Option<u64>, Header, description = "The last event that the client has.")),
    responses(
        (status = 200, description = "The events", content_type = "text/event-stream", body = EventBody<'static>),
        (status = 101, description = "The events, as messages of a WebSocket"),
    ))]
pub(crate) async fn events(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let after = last_event(&headers)?;
    let (executions, followers) = (state.service().executions.clone(), state.followers());
    let Found { row, active } = executions.find(&caller, &id).await?;
    let log = match &active {
        Some(active) => active.events(),
        None => Some(executions.ended_events(&caller.subject, &row)),
    };
    // A slow reader must not keep the rest of the record in memory.
    drop(row);
    if let Ok(upgrade) = upgrade {
        let permit = sse::permit(followers, &caller)?;
        let followed = Followed { log, active, after };
        return Ok(socket::upgrade(executions, upgrade, followed, permit));
    }
    match (active, log) {
        (None, Some(log)) => Ok(sse::stream(log, 0, ())),
        (Some(_), Some(log)) => {
            let permit = sse::permit(followers, &caller)?;
            Ok(sse::stream(log, after, permit))
        }
        (None, None) => Err(Problem::not_found("execution")),
        (Some(active), None) => {
            // Another request waits for it and receives its output: here only its end is sent.
            let permit = sse::permit(followers, &caller)?;
            let end = futures_util::stream::once(async move {
                let _ = active.finished().await;
                let log = executions.ended_events(active.subject(), &active.row());
                sse::events(log, 0, permit)
            });
            Ok(sse::response(end.flatten()))
        }
    }
}

/// Download an artifact.
#[utoipa::path(get, path = "/v1/executions/{id}/artifacts/{*path}", tag = "executions",
    params(("id" = String, Path), ("path" = String, Path, description = "As the execution lists it.")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "A part of the file", content_type = "application/octet-stream", body = Vec<u8>),
    ))]
pub(crate) async fn artifact(
    State(executions): State<Executions>,
    Authenticated(caller): Authenticated,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let range = move |length| {
        let part = Part::of(&headers, length)?;
        let range = part.range();
        Ok((part, range))
    };
    let (part, content) = executions
        .read_artifact(&caller, (&id, &path), range)
        .await?;
    Ok(file(&path, &part, content))
}
