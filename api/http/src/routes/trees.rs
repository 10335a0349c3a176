//! Task trees over HTTP: how do clients run many programs that depend on one another?

use super::executions::{Mode, last_event};
use crate::extract::{Authenticated, Body};
use crate::places::Followers;
use crate::problem::Problem;
use crate::responses::{cursor, json, page_size, read_cursor, with_location};
use crate::sse;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use glovebox_service::{Branch, NewTree, Scope, Trees};
use glovebox_wire::event::EventBody;
use glovebox_wire::to_json;
use glovebox_wire::tree::{TreeBody, TreeList, TreeRequest};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// Page of a list of trees.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TreeQuery {
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Maximum number of trees.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Run a tree of tasks.
///
/// A task runs as soon as all tasks on which it depends have ended; independent tasks run
/// concurrently. Waits for the end and responds with the tree; with `Prefer: respond-async` it
/// responds at once, with `Accept: text/event-stream` with the events as they come. If the client
/// disconnects while it waits or reads, the tree is stopped.
#[utoipa::path(post, path = "/v1/task-trees", tag = "task-trees", request_body = TreeRequest,
    params(("Prefer" = Option<String>, Header, description = "`respond-async` answers before the tree has ended.")),
    responses(
        (status = 200, description = "How it went", body = TreeBody),
        (status = 202, description = "It is under way", body = TreeBody),
    ))]
pub(crate) async fn create(
    State(trees): State<Trees>,
    State(followers): State<Arc<Followers>>,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
    body: Body<TreeRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    trees.check_open()?;
    let mode = Mode::of(&headers);
    let permit = mode.permit(&followers, &caller)?;
    drop(body.bytes);
    let new = NewTree {
        request: body.value,
        bytes: body.size,
        charge: body.charge,
    };
    let tree = trees.prepare(&caller, new).await?;
    // From here on, so that nothing runs for a client that disconnects while the tree is stored.
    let guard = (mode != Mode::Later).then(|| tree.cancel_on_drop());
    trees.start(&caller, &tree).await?;
    let address = format!("/v1/task-trees/{}", tree.id());
    match mode {
        Mode::Later => Ok(with_location(
            json(StatusCode::ACCEPTED, to_json(&tree.body())),
            header::LOCATION,
            &address,
        )),
        Mode::Stream => Ok(sse::stream(tree.events(), 0, (permit, guard))),
        Mode::Wait => {
            tree.ended().await;
            drop(guard);
            Ok(with_location(
                json(StatusCode::OK, to_json(&tree.body())),
                header::CONTENT_LOCATION,
                &address,
            ))
        }
    }
}

/// List the caller's task trees, the newest first.
#[utoipa::path(get, path = "/v1/task-trees", tag = "task-trees", params(TreeQuery),
    responses((status = 200, description = "One page", body = TreeList)))]
pub(crate) async fn list(
    State(trees): State<Trees>,
    Authenticated(caller): Authenticated,
    query: Result<Query<TreeQuery>, QueryRejection>,
) -> Result<Json<TreeList>, Problem> {
    caller.needs(Scope::Run)?;
    let Query(query) = query?;
    let limit = page_size(query.limit)?;
    let before = query.cursor.as_deref().map(read_cursor).transpose()?;
    let listed = trees.list(&caller, before, limit).await?;
    let next_cursor = listed
        .last()
        .filter(|_| listed.len() == limit as usize)
        .map(|last| cursor(last.created_ms, &last.body.id));
    Ok(Json(TreeList {
        task_trees: listed.into_iter().map(|tree| tree.body).collect(),
        next_cursor,
    }))
}

/// Get a task tree.
#[utoipa::path(get, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "How it is doing", body = TreeBody)))]
pub(crate) async fn get(
    State(trees): State<Trees>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(trees.find(&caller, &id).await?.body()))
}

/// Stop a task tree, or delete one that has ended.
///
/// A tree that has not ended is stopped: the response comes when it has ended, with its outcome,
/// and its programs are no longer kept, so that it cannot be retried. One that has ended before is
/// deleted with its plan, which frees their bytes; its executions stay, and are deleted one by one.
#[utoipa::path(delete, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended, or is deleted", body = TreeBody)))]
pub(crate) async fn cancel(
    State(trees): State<Trees>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(trees.stop_or_delete(&caller, &id).await?))
}

/// Stop a branch of a task tree: a task, and all that depend on it.
#[utoipa::path(post, path = "/v1/task-trees/{id}/tasks/{name}/cancel", tag = "task-trees", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It is being stopped", body = TreeBody)))]
pub(crate) async fn cancel_branch(
    State(trees): State<Trees>,
    Authenticated(caller): Authenticated,
    Path((tree, task)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TreeBody>), Problem> {
    caller.needs(Scope::Run)?;
    let (tree, task) = (tree.as_str(), task.as_str());
    let body = trees.cancel_branch(&caller, Branch { tree, task }).await?;
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Retry a branch of a task tree: a task that has ended, and all that depend on it.
///
/// Tasks outside of the branch stay as they are, and the branch gets their outputs.
#[utoipa::path(post, path = "/v1/task-trees/{id}/tasks/{name}/retry", tag = "task-trees", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It is under way", body = TreeBody)))]
pub(crate) async fn retry_branch(
    State(trees): State<Trees>,
    Authenticated(caller): Authenticated,
    Path((tree, task)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TreeBody>), Problem> {
    caller.needs(Scope::Run)?;
    let (tree, task) = (tree.as_str(), task.as_str());
    let body = trees.retry_branch(&caller, Branch { tree, task }).await?;
    Ok((StatusCode::ACCEPTED, Json(body)))
}

/// Follow a task tree.
///
/// Server-sent events: `task` for each change of a task, with the progress of all tasks, and `end`
/// with the tree. With `Last-Event-ID` the stream resumes after that event.
#[utoipa::path(get, path = "/v1/task-trees/{id}/events", tag = "task-trees",
    params(("id" = String, Path), ("Last-Event-ID" = Option<u64>, Header, description = "The last event that the client has.")),
    responses((status = 200, description = "The events", content_type = "text/event-stream", body = EventBody<'static>)))]
pub(crate) async fn events(
    State(trees): State<Trees>,
    State(followers): State<Arc<Followers>>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let after = last_event(&headers)?;
    let tree = trees.find(&caller, &id).await?;
    let permit = sse::permit(&followers, &caller)?;
    Ok(sse::stream(tree.events(), after, permit))
}
