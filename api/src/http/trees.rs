//! HTTP API of task trees: how do clients run many programs that depend on one another?

mod drive;
mod plan;

use super::App;
use super::body::Body;
use super::events::EventLog;
use super::execution::timestamp;
use super::executions::{
    Mode, answer_json, cursor, follower, page_size, read_cursor, stream, with_location,
};
use super::kept::NotKept;
use super::keys::{Caller, Scope};
use super::problem::{Code, Problem};
use super::store::TreeRow;
use crate::wire::to_json;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use drive::{Node, Progress, Tree, drive, kept_nodes};
use futures_util::StreamExt as _;
use glovebox::policy::Subject;
use plan::{OnFailure, Plan, TreeRequest};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;
use utoipa::{IntoParams, ToSchema};

/// Time during which an ended tree can be retried with its environment variables, and its events be followed.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// Maximum bytes of ended trees that are cached.
const MAX_REMEMBERED: usize = 64 << 20;

/// Detail of the problem when the service is shutting down.
const NO_MORE: &str = "the service begins no more task trees";

/// Timeout for storing trees at shutdown.
const LAST: Duration = Duration::from_secs(5);

/// A tree of executions. It ends when none of its tasks can make progress.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskTree)]
pub(super) struct TreeBody {
    /// The id of the tree.
    id: String,
    /// `running`; or how it ended: `succeeded`, `failed`, `cancelled`, `interrupted`.
    status: String,
    /// The subject that started it.
    subject: String,
    /// The time of the request.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time at which it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// Progress of all tasks.
    progress: Progress,
    /// The tasks, in the order in which they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskStatus>>,
}

/// The state of a task.
#[derive(Serialize, ToSchema)]
struct TaskStatus {
    /// The name of the task.
    name: String,
    /// `waiting`, `running`, `skipped`; or the status of its execution.
    status: String,
    /// The tasks on which it depends.
    after: Vec<String>,
    /// The effect on other tasks if it does not succeed.
    on_failure: OnFailure,
    /// The number of attempts.
    attempts: u64,
    /// The id of its newest execution.
    execution: Option<String>,
    /// The reason why it could not even begin.
    detail: Option<String>,
    /// Progress of its branch: itself and all tasks that depend on it, directly or not.
    progress: Progress,
}

/// One event of a stream.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskTreeEvent)]
pub(super) struct TreeEvent {
    /// Sequence number, from 1.
    id: String,
    /// `task` or `end`.
    event: String,
    /// JSON: a task's name, status, execution and attempts, and the progress of all tasks; or the tree.
    data: String,
}

/// A page of trees, without their tasks.
#[derive(Serialize, ToSchema)]
pub(super) struct TreeList {
    task_trees: Vec<TreeBody>,
    /// The `cursor` of the next page, with older ones; null on the last one.
    next_cursor: Option<String>,
}

/// Page of a list of trees.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TreeQuery {
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Maximum number of trees.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// The trees of this process.
#[derive(Default)]
pub(super) struct Trees {
    trees: Mutex<HashMap<String, Arc<Tree>>>,
    driven: TaskTracker,
}

impl Trees {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Tree>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, subject: &Subject, id: &str) -> Option<Arc<Tree>> {
        self.lock()
            .get(id)
            .filter(|tree| tree.subject == *subject)
            .cloned()
    }

    /// Adds a new tree, unless its subject has too many unfinished ones.
    fn insert(&self, tree: &Arc<Tree>, most: usize) -> Result<(), Problem> {
        let mut trees = self.lock();
        has_room(&trees, &tree.subject, most)?;
        trees.insert(tree.id.clone(), Arc::clone(tree));
        Ok(())
    }

    /// Adds a tree from the store. Returns the one that is there from now on: another request may have added it a moment ago.
    fn take_in(&self, tree: Arc<Tree>) -> Result<Arc<Tree>, Problem> {
        let mut trees = self.lock();
        if let Some(there) = trees.get(&tree.id) {
            return Ok(Arc::clone(there));
        }
        // A request that has just loaded it from the store must not revive it.
        if tree.is_gone() {
            return Err(Problem::not_found("task tree"));
        }
        if tree.lock().ended_ms.is_none() {
            return Err(Problem::new(
                Code::Busy,
                "another process has the task tree under way; ask there",
            ));
        }
        trees.insert(tree.id.clone(), Arc::clone(&tree));
        Ok(tree)
    }

    /// Drops a tree from the store, unless another request claims or drives it.
    fn let_go(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if tree.is_kept
            && tree.idle_since().is_some()
            && trees
                .get(&tree.id)
                .is_some_and(|there| Arc::ptr_eq(there, tree))
        {
            trees.remove(&tree.id);
        }
    }

    /// Restarts tasks of a tree, or claims the tree for that; see [`Tree::retry`].
    fn retry(&self, tree: &Tree, tasks: &[usize], most: usize) -> Result<bool, Problem> {
        let trees = self.lock();
        let is_idle = tree.lock().ended_ms.is_some();
        if is_idle {
            has_room(&trees, &tree.subject, most)?;
        }
        tree.retry(tasks)
    }

    /// Removes a tree that is not in the database, but not another one with that id, which is being retried.
    fn remove(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if trees
            .get(&tree.id)
            .is_some_and(|there| Arc::ptr_eq(there, tree))
        {
            trees.remove(&tree.id);
        }
    }

    fn drive(&self, app: &Arc<App>, tree: &Arc<Tree>) {
        self.lock().insert(tree.id.clone(), Arc::clone(tree));
        self.driven.spawn(drive(Arc::clone(app), Arc::clone(tree)));
    }

    /// Drops trees that ended long ago, or exceed [`MAX_REMEMBERED`].
    pub(super) fn forget(&self, now_ms: i64) {
        let mut trees = self.lock();
        let idle = trees
            .values()
            .filter_map(|tree| Some((tree.idle_since()?, tree.id.clone(), tree.size)));
        let mut ended: Vec<_> = idle.collect();
        ended.sort();
        let mut bytes: usize = ended.iter().map(|(_, _, size)| size).sum();
        for (ended, id, size) in ended {
            if bytes > MAX_REMEMBERED || now_ms - ended > REMEMBERED_MS {
                bytes -= size;
                trees.remove(&id);
            }
        }
    }

    /// Waits at shutdown until the trees are stored.
    pub(super) async fn end(&self) {
        self.driven.close();
        let _ = tokio::time::timeout(LAST, self.driven.wait()).await;
    }
}

/// # Errors
///
/// If a subject has so many unfinished trees that it may start no further one.
fn has_room(
    trees: &HashMap<String, Arc<Tree>>,
    subject: &Subject,
    most: usize,
) -> Result<(), Problem> {
    let open = trees
        .values()
        .filter(|other| other.subject == *subject && other.idle_since().is_none())
        .count();
    if open >= most {
        let detail = format!(
            "this key has {open} task trees under way, which is as many as it may; wait for one, or cancel it"
        );
        return Err(Problem::new(Code::QueueFull, detail).retry_after(Duration::from_secs(5)));
    }
    Ok(())
}

/// Stops a tree if the client that waits for it disconnects before it has ended.
struct Waiter {
    tree: Arc<Tree>,
    log: Arc<EventLog>,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // After its end, another request may have retried it, which this waiter must not stop.
        if !self.log.has_ended() {
            self.tree.cancel(&self.tree.plan.branches());
        }
    }
}

fn body(tree: &Tree, with_tasks: bool) -> TreeBody {
    let state = tree.lock();
    let nodes = &state.nodes;
    let task = |(at, task): (usize, &plan::TaskBody)| {
        let node = nodes.get(at);
        TaskStatus {
            name: task.name.clone(),
            status: node.map(|node| node.status.clone()).unwrap_or_default(),
            after: task.after.clone(),
            on_failure: task.on_failure,
            attempts: node.map_or(0, |node| node.attempts),
            execution: node.and_then(|node| node.execution.clone()),
            detail: node.and_then(|node| node.detail.clone()),
            progress: Progress::of(
                tree.plan
                    .branch(at)
                    .into_iter()
                    .filter_map(|at| nodes.get(at)),
            ),
        }
    };
    TreeBody {
        id: tree.id.clone(),
        status: state.status.clone(),
        subject: tree.subject.to_string(),
        created_at: timestamp(tree.created_ms),
        ended_at: state.ended_ms.map(timestamp),
        progress: Progress::of(nodes.iter()),
        tasks: with_tasks.then(|| tree.plan.tasks.iter().enumerate().map(task).collect()),
    }
}

/// Returns the JSON of a tree.
fn json(tree: &Tree) -> String {
    to_json(&body(tree, true))
}

/// Finds a tree in this process, or loads it from the store.
async fn find(app: &App, caller: &Caller, id: &str) -> Result<Arc<Tree>, Problem> {
    if let Some(tree) = app.trees.get(&caller.subject, id) {
        return Ok(tree);
    }
    let missing = || Problem::not_found("task tree");
    if id.contains('\0') {
        return Err(missing());
    }
    let row = app
        .store
        .tree(caller.subject.as_str(), id)
        .await?
        .ok_or_else(missing)?;
    let tree =
        Tree::kept(row).ok_or_else(|| Problem::internal(&"a kept task tree cannot be read"))?;
    // No task drives it, so nothing follows.
    let log = Arc::clone(&tree.lock().log);
    log.end(json(&tree), String::new);
    Ok(Arc::new(tree))
}

/// Waits until a tree has ended, and its end is stored.
async fn ended(tree: &Tree) {
    let log = Arc::clone(&tree.lock().log);
    log.follow(0).for_each(|_| std::future::ready(())).await;
}

/// Waits until the end of a tree is stored that ended a moment ago.
async fn written(tree: &Tree) {
    let log = {
        let state = tree.lock();
        state.ended_ms.map(|_| Arc::clone(&state.log))
    };
    if let Some(log) = log {
        log.follow(0).for_each(|_| std::future::ready(())).await;
    }
}

/// Run a tree of tasks.
///
/// A task runs as soon as all tasks on which it depends have ended; independent tasks run concurrently. Waits for the end and responds with
/// the tree; with `Prefer: respond-async` it responds at once, with `Accept: text/event-stream` with the events as they come. If the client
/// disconnects while it waits or reads, the tree is stopped.
#[utoipa::path(post, path = "/v1/task-trees", tag = "task-trees", request_body = TreeRequest,
    params(("Prefer" = Option<String>, Header, description = "`respond-async` answers before the tree has ended.")),
    responses(
        (status = 200, description = "How it went", body = TreeBody),
        (status = 202, description = "It is under way", body = TreeBody),
    ))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<TreeRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    app.takes(NO_MORE)?;
    let mode = Mode::of(&headers);
    let permit = mode.permit(&app, &caller)?;
    let (size, mut held) = (body.bytes.len(), body.held);
    drop(body.bytes);
    let plan = Plan::new(body.value)?;
    for task in &plan.tasks {
        // A program that can never run is reported before anything runs.
        let read = task.execution.clone().read(caller.subject.clone(), true);
        read.map_err(|problem| {
            Problem::new(
                Code::Invalid,
                format!("task `{}`: {}", task.name, problem.detail()),
            )
        })?;
    }
    app.kept.check(caller.subject.as_str())?;
    held.shrink_to(size);
    let tree = Arc::new(Tree::new(caller.subject.clone(), plan, (size, held)));
    let log = Arc::clone(&tree.lock().log);
    // From here on, so that nothing runs for a client that disconnects while the tree is stored.
    let waiter = (mode != Mode::Later).then(|| Waiter {
        tree: Arc::clone(&tree),
        log: Arc::clone(&log),
    });
    app.to_the_end(&caller.subject, begin(Arc::clone(&app), Arc::clone(&tree)))
        .await?;
    let address = format!("/v1/task-trees/{}", tree.id);
    match mode {
        Mode::Later => Ok(with_location(
            answer_json(StatusCode::ACCEPTED, json(&tree)),
            header::LOCATION,
            &address,
        )),
        Mode::Stream => Ok(stream(permit, log, 0, waiter)),
        Mode::Wait => {
            log.follow(0).for_each(|_| std::future::ready(())).await;
            drop(waiter);
            Ok(with_location(
                answer_json(StatusCode::OK, json(&tree)),
                header::CONTENT_LOCATION,
                &address,
            ))
        }
    }
}

/// Stores a new tree, and starts its driver after that: whatever runs can always be found, counted and deleted.
///
/// For [`App::to_the_end`], as are [`remove`] and [`retry`].
async fn begin(app: Arc<App>, tree: Arc<Tree>) -> Result<(), Problem> {
    let first = tree.row(true);
    let bytes = u64::try_from(first.bytes).unwrap_or(0);
    let mut room = app.kept.room(tree.subject.as_str());
    room.try_take(bytes, 0).map_err(|reason| {
        let setting = if reason == NotKept::Quota { "limits.kept_per_subject" } else { "limits.disk_reserve" };
        let detail = format!("there is no room to keep the {bytes} bytes of this plan (`{setting}`); `DELETE` what has ended");
        Problem::new(Code::QuotaExceeded, detail)
    })?;
    app.trees
        .insert(&tree, app.config.limits.trees_per_subject)?;
    // The record of its end omits the plan.
    if let Err(error) = app.store.put_tree(first).await {
        app.trees.remove(&tree);
        let log = Arc::clone(&tree.lock().log);
        log.end(json(&tree), String::new);
        return Err(Problem::internal(&error));
    }
    room.keep();
    app.trees.drive(&app, &tree);
    Ok(())
}

/// List the caller's task trees, the newest first.
#[utoipa::path(get, path = "/v1/task-trees", tag = "task-trees", params(TreeQuery),
    responses((status = 200, description = "One page", body = TreeList)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<TreeQuery>, QueryRejection>,
) -> Result<Json<TreeList>, Problem> {
    caller.needs(Scope::Run)?;
    let Query(query) = query?;
    let limit = page_size(query.limit)?;
    let before = query.cursor.as_deref().map(read_cursor).transpose()?;
    let rows = app
        .store
        .trees(caller.subject.as_str(), before, i64::from(limit))
        .await?;
    let next_cursor = rows
        .last()
        .filter(|_| rows.len() == limit as usize)
        .map(|row| cursor(row.created_ms, &row.id));
    let shown = |row: TreeRow| match app.trees.get(&caller.subject, &row.id) {
        Some(tree) => body(&tree, false),
        None => TreeBody {
            progress: Progress::of(kept_nodes(&row).unwrap_or_default().iter()),
            id: row.id,
            status: row.status,
            subject: row.subject,
            created_at: timestamp(row.created_ms),
            ended_at: row.ended_ms.map(timestamp),
            tasks: None,
        },
    };
    Ok(Json(TreeList {
        task_trees: rows.into_iter().map(shown).collect(),
        next_cursor,
    }))
}

/// Get a task tree.
#[utoipa::path(get, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "How it is doing", body = TreeBody)))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(body(&*find(&app, &caller, &id).await?, true)))
}

/// Stop a task tree, or delete one that has ended.
///
/// A tree that has not ended is stopped: the response comes when it has ended, with its outcome, and its programs are no longer kept, so
/// that it cannot be retried. One that has ended before is deleted with its plan, which frees their bytes; its executions stay, and are
/// deleted one by one.
#[utoipa::path(delete, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended, or is deleted", body = TreeBody)))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    let tree = find(&app, &caller, &id).await?;
    if tree.lock().ended_ms.is_none() {
        // Its driver takes it to its end, even if the client disconnects.
        tree.give_up();
        ended(&tree).await;
        return Ok(Json(body(&tree, true)));
    }
    let held = Arc::clone(&app);
    let tree = app
        .to_the_end(&caller.subject, async move { remove(&held, tree).await })
        .await?;
    Ok(Json(body(&tree, true)))
}

/// Deletes a tree that has ended.
///
/// A request that deletes or retries a tree claims it first; the database then decides, because only an ended tree is deleted there, and
/// only an existing one is reopened. So its bytes are released exactly once.
async fn remove(app: &App, tree: Arc<Tree>) -> Result<Arc<Tree>, Problem> {
    let tree = app.trees.take_in(tree)?;
    written(&tree).await;
    tree.begin_to_delete()?;
    let deleted = delete(app, &tree)
        .await
        .inspect_err(|_| stays(app, &tree))?;
    app.trees.remove(&tree);
    let bytes = deleted.ok_or_else(|| Problem::not_found("task tree"))?;
    app.kept
        .give_back(tree.subject.as_str(), u64::try_from(bytes).unwrap_or(0));
    Ok(tree)
}

async fn delete(app: &App, tree: &Tree) -> Result<Option<i64>, Problem> {
    let (subject, id) = (tree.subject.as_str(), tree.id.as_str());
    let deleted = app.store.delete_tree(subject, id).await?;
    if deleted.is_some() || tree.is_kept {
        return Ok(deleted);
    }
    // The database may not have accepted its end.
    app.store
        .put_tree(tree.row(false))
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(app.store.delete_tree(subject, id).await?)
}

/// Releases a claim; the tree stays as it is.
fn stays(app: &App, tree: &Arc<Tree>) {
    tree.stays();
    app.trees.let_go(tree);
}

/// Stop a branch of a task tree: a task, and all that depend on it.
#[utoipa::path(post, path = "/v1/task-trees/{id}/tasks/{name}/cancel", tag = "task-trees", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It is being stopped", body = TreeBody)))]
pub(super) async fn cancel_branch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TreeBody>), Problem> {
    caller.needs(Scope::Run)?;
    let tree = find(&app, &caller, &id).await?;
    let at = tree.plan.find(&name)?;
    let is_over = tree
        .plan
        .branch(at)
        .into_iter()
        .all(|at| tree.lock().nodes.get(at).is_none_or(Node::is_over));
    if is_over {
        return Err(Problem::new(
            Code::Ended,
            "the whole branch has ended before; there is nothing to stop",
        ));
    }
    tree.cancel(&tree.plan.branch(at));
    Ok((StatusCode::ACCEPTED, Json(body(&tree, true))))
}

/// Retry a branch of a task tree: a task that has ended, and all that depend on it.
///
/// Tasks outside of the branch stay as they are, and the branch gets their outputs.
#[utoipa::path(post, path = "/v1/task-trees/{id}/tasks/{name}/retry", tag = "task-trees", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 202, description = "It is under way", body = TreeBody)))]
pub(super) async fn retry_branch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<(StatusCode, Json<TreeBody>), Problem> {
    caller.needs(Scope::Run)?;
    app.takes(NO_MORE)?;
    let tree = find(&app, &caller, &id).await?;
    let at = tree.plan.find(&name)?;
    let held = Arc::clone(&app);
    let tree = app
        .to_the_end(&caller.subject, async move { retry(&held, tree, at).await })
        .await?;
    Ok((StatusCode::ACCEPTED, Json(body(&tree, true))))
}

/// Retries a branch of a tree.
async fn retry(app: &Arc<App>, tree: Arc<Tree>, at: usize) -> Result<Arc<Tree>, Problem> {
    let tree = app.trees.take_in(tree)?;
    if !tree.is_held() {
        let held = app
            .memory
            .take(&tree.subject, tree.size)
            .inspect_err(|_| app.trees.let_go(&tree))?;
        tree.hold(held);
    }
    written(&tree).await;
    let tasks = tree.plan.branch(at);
    let is_idle = app
        .trees
        .retry(&tree, &tasks, app.config.limits.trees_per_subject)
        .inspect_err(|_| app.trees.let_go(&tree))?;
    if is_idle {
        let is_there = app
            .store
            .reopen_tree(tree.subject.as_str(), &tree.id)
            .await
            .inspect_err(|_| stays(app, &tree))?;
        if !is_there {
            tree.goes();
            app.trees.remove(&tree);
            return Err(Problem::not_found("task tree"));
        }
        tree.begin_again(&tasks);
        app.trees.drive(app, &tree);
    }
    app.store
        .put_tree(tree.row(false))
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(tree)
}

/// Follow a task tree.
///
/// Server-sent events: `task` for each change of a task, with the progress of all tasks, and `end` with the tree. With `Last-Event-ID` the
/// stream resumes after that event.
#[utoipa::path(get, path = "/v1/task-trees/{id}/events", tag = "task-trees",
    params(("id" = String, Path), ("Last-Event-ID" = Option<u64>, Header, description = "The last event that the client has.")),
    responses((status = 200, description = "The events", content_type = "text/event-stream", body = TreeEvent)))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let after = super::executions::last_event(&headers)?;
    let tree = find(&app, &caller, &id).await?;
    let permit = follower(&app, &caller)?;
    let log = Arc::clone(&tree.lock().log);
    Ok(stream(Some(permit), log, after, None::<Waiter>))
}
