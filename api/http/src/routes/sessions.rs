//! Sessions over HTTP: how do clients keep state between programs?

use super::executions::{Mode, respond};
use crate::extract::{Authenticated, Body, InUse};
use crate::problem::Problem;
use crate::responses::with_location;
use crate::state::ApiState;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use glovebox_service::{NewEvaluation, NewSession, Reset, Scope, Sessions, Workspace};
use glovebox_wire::execution::ExecutionBody;
use glovebox_wire::session::{
    EvaluationRequest, ResetRequest, SessionBody, SessionList, SessionRequest,
};

/// Open a session.
///
/// Variables and files persist from one evaluation to the next.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = SessionRequest,
    responses((status = 201, description = "It is open", body = SessionBody)))]
pub(crate) async fn create(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    body: Body<SessionRequest>,
) -> Result<Response, Problem> {
    let reservation = sessions.reserve(&caller)?;
    let (bytes, mut charge) = (body.size, body.charge);
    drop(body.bytes);
    let idle_s = body.value.idle_s;
    let request = body.value.into_request(caller.subject.clone())?;
    charge.shrink_to(bytes);
    let new = NewSession {
        request,
        idle_s,
        bytes,
        charge,
    };
    let session = sessions.open(&caller, reservation, new).await?;
    let address = format!("/v1/sessions/{}", session.id);
    let response = (StatusCode::CREATED, Json(session)).into_response();
    Ok(with_location(response, header::LOCATION, &address))
}

/// List the caller's sessions, the newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", responses((status = 200, description = "All that are open", body = SessionList)))]
pub(crate) async fn list(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
) -> Result<Json<SessionList>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(SessionList {
        sessions: sessions.list(&caller),
    }))
}

/// Get a session.
#[utoipa::path(get, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "What is known of it", body = SessionBody)))]
pub(crate) async fn get(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(sessions.get(&caller, &id)?))
}

/// End a session, or delete one that has ended.
///
/// A running evaluation is stopped. Deleting frees the bytes of its record; its executions stay,
/// and are deleted one by one.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", params(("id" = String, Path)),
    responses((status = 204, description = "It has ended, or is deleted")))]
pub(crate) async fn delete(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    sessions.end(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Run a program in a session.
///
/// The evaluation is an execution of its own that sees the state left by earlier ones.
#[utoipa::path(post, path = "/v1/sessions/{id}/executions", tag = "sessions", params(("id" = String, Path)), request_body = EvaluationRequest,
    responses(
        (status = 200, description = "How it went", body = ExecutionBody<'static>),
        (status = 202, description = "It is under way", body = ExecutionBody<'static>),
    ))]
pub(crate) async fn evaluate(
    State(state): State<ApiState>,
    Authenticated(caller): Authenticated,
    session: InUse,
    headers: HeaderMap,
    body: Body<EvaluationRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let mode = Mode::of(&headers);
    let permit = mode.permit(state.followers(), &caller)?;
    let bytes = body.bytes.len();
    drop(body.bytes);
    let new = NewEvaluation {
        evaluation: body.value,
        bytes,
        charge: body.charge,
        follow: mode.follow(),
    };
    let handle = state
        .service()
        .sessions
        .evaluate(&caller, &session.id, new)?;
    respond(&state, handle, mode, permit).await
}

/// Stop the running evaluation of a session.
///
/// The program is interrupted (`KeyboardInterrupt` in Python), and the session goes on. If the
/// program does not end by that, the session is `broken` afterwards, because its variables are in
/// an inconsistent state. Reset it to go on.
#[utoipa::path(post, path = "/v1/sessions/{id}/interrupt", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "Nothing runs in it any more", body = SessionBody)))]
pub(crate) async fn interrupt(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(sessions.interrupt(&caller, &id).await?))
}

/// Reset a session.
///
/// Its variables are lost; its packages stay, and its files if requested.
#[utoipa::path(post, path = "/v1/sessions/{id}/reset", tag = "sessions", params(("id" = String, Path)), request_body = ResetRequest,
    responses((status = 200, description = "It is as new", body = SessionBody)))]
pub(crate) async fn reset(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    session: InUse,
    body: Body<ResetRequest>,
) -> Result<Json<SessionBody>, Problem> {
    caller.needs(Scope::Run)?;
    let ResetRequest {
        keep_files,
        packages,
    } = body.value;
    let reset = Reset {
        workspace: if keep_files {
            Workspace::Keep
        } else {
            Workspace::Discard
        },
        packages,
    };
    Ok(Json(sessions.reset(&caller, &session.id, reset).await?))
}
