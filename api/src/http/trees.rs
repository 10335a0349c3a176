//! HTTP API of task trees: how do clients run many programs that depend on one another?

mod drive;
mod plan;

use super::App;
use super::body::Body;
use super::events::EventLog;
use super::execution::timestamp;
use super::executions::{Mode, answer_json, cursor, follower, page_size, read_cursor, stream, with_location};
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

/// How long a tree that has ended can be tried again with its environment variables, and its events be followed.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// Bytes of the trees that have ended and are remembered.
const MAX_REMEMBERED: usize = 64 << 20;

/// Why there is no further tree when the service ends.
const NO_MORE: &str = "the service begins no more task trees";

/// How long trees may take to be written down when the service ends.
const LAST: Duration = Duration::from_secs(5);

/// A tree of executions. It ends when none of its tasks can go on.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskTree)]
pub(super) struct TreeBody {
    /// Its name.
    id: String,
    /// `running`; or how it ended: `succeeded`, `failed`, `cancelled`, `interrupted`.
    status: String,
    /// Who asked for it.
    subject: String,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// How far all of it is.
    progress: Progress,
    /// The tasks, in the order in which they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskStatus>>,
}

/// How one task is doing.
#[derive(Serialize, ToSchema)]
struct TaskStatus {
    /// Its name.
    name: String,
    /// `waiting`, `running`, `skipped`; or how its execution ended.
    status: String,
    /// The tasks before it.
    after: Vec<String>,
    /// What becomes of the others if it does not succeed.
    on_failure: OnFailure,
    /// How often it was begun.
    attempts: u64,
    /// Its newest execution.
    execution: Option<String>,
    /// Why it could not even be begun.
    detail: Option<String>,
    /// How far its branch is: itself and all that come after it.
    progress: Progress,
}

/// One event of a stream.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskTreeEvent)]
pub(super) struct TreeEvent {
    /// Counts from 1.
    id: String,
    /// `task` or `end`.
    event: String,
    /// JSON: a task's name, status, execution and attempts, and the progress of all; or the tree.
    data: String,
}

/// Trees, without their tasks.
#[derive(Serialize, ToSchema)]
pub(super) struct TreeList {
    task_trees: Vec<TreeBody>,
    /// Ask with this as `cursor` for older ones; null on the last page.
    next_cursor: Option<String>,
}

/// Which trees.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TreeQuery {
    /// Where the page before this one ended.
    cursor: Option<String>,
    /// How many.
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
        self.lock().get(id).filter(|tree| tree.subject == *subject).cloned()
    }

    /// Takes a new tree in, unless its subject has too many that have not ended.
    fn insert(&self, tree: &Arc<Tree>, most: usize) -> Result<(), Problem> {
        let mut trees = self.lock();
        has_room(&trees, &tree.subject, most)?;
        trees.insert(tree.id.clone(), Arc::clone(tree));
        Ok(())
    }

    /// Takes in one that was kept. Gives the one that is there from now on: somebody may have taken in the same one a moment ago.
    fn take_in(&self, tree: Arc<Tree>) -> Result<Arc<Tree>, Problem> {
        let mut trees = self.lock();
        if let Some(there) = trees.get(&tree.id) {
            return Ok(Arc::clone(there));
        }
        // Whoever found it a moment ago must not bring it back.
        if tree.is_gone() {
            return Err(Problem::not_found("task tree"));
        }
        if tree.lock().ended_ms.is_none() {
            return Err(Problem::new(Code::Busy, "another process has the task tree under way; ask there"));
        }
        trees.insert(tree.id.clone(), Arc::clone(&tree));
        Ok(tree)
    }

    /// Lets go of one that was taken in, unless somebody claims or drives it.
    fn let_go(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if tree.is_kept && tree.idle_since().is_some() && trees.get(&tree.id).is_some_and(|there| Arc::ptr_eq(there, tree)) {
            trees.remove(&tree.id);
        }
    }

    /// Begins tasks of a tree anew, or claims the tree for that; see [`Tree::retry`].
    fn retry(&self, tree: &Tree, tasks: &[usize], most: usize) -> Result<bool, Problem> {
        let trees = self.lock();
        let is_idle = tree.lock().ended_ms.is_some();
        if is_idle {
            has_room(&trees, &tree.subject, most)?;
        }
        tree.retry(tasks)
    }

    /// Forgets one that is not in the database, but not another one of that name, which somebody tries again.
    fn remove(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if trees.get(&tree.id).is_some_and(|there| Arc::ptr_eq(there, tree)) {
            trees.remove(&tree.id);
        }
    }

    fn drive(&self, app: &Arc<App>, tree: &Arc<Tree>) {
        self.lock().insert(tree.id.clone(), Arc::clone(tree));
        self.driven.spawn(drive(Arc::clone(app), Arc::clone(tree)));
    }

    /// Forgets trees that ended long ago, or are too many.
    pub(super) fn forget(&self, now_ms: i64) {
        let mut trees = self.lock();
        let idle = trees.values().filter_map(|tree| Some((tree.idle_since()?, tree.id.clone(), tree.size)));
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

    /// Waits until the trees are written down, because the service ends.
    pub(super) async fn end(&self) {
        self.driven.close();
        let _ = tokio::time::timeout(LAST, self.driven.wait()).await;
    }
}

/// # Errors
///
/// Where a subject has so many trees under way that it may begin no further one.
fn has_room(trees: &HashMap<String, Arc<Tree>>, subject: &Subject, most: usize) -> Result<(), Problem> {
    let open = trees.values().filter(|other| other.subject == *subject && other.idle_since().is_none()).count();
    if open >= most {
        let detail = format!("this key has {open} task trees under way, which is as many as it may; wait for one, or cancel it");
        return Err(Problem::new(Code::QueueFull, detail).retry_after(Duration::from_secs(5)));
    }
    Ok(())
}

/// Stops a tree when whoever waits for it goes away before it has ended.
struct Waiter {
    tree: Arc<Tree>,
    log: Arc<EventLog>,
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // After its end somebody else may have tried it again, which is none of this one's business.
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
            progress: Progress::of(tree.plan.branch(at).into_iter().filter_map(|at| nodes.get(at))),
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

/// A tree as clients see it.
fn json(tree: &Tree) -> String {
    to_json(&body(tree, true))
}

/// One of this process, or one that was kept.
async fn find(app: &App, caller: &Caller, id: &str) -> Result<Arc<Tree>, Problem> {
    if let Some(tree) = app.trees.get(&caller.subject, id) {
        return Ok(tree);
    }
    let missing = || Problem::not_found("task tree");
    if id.contains('\0') {
        return Err(missing());
    }
    let row = app.store.tree(caller.subject.as_str(), id).await?.ok_or_else(missing)?;
    let tree = Tree::kept(row).ok_or_else(|| Problem::internal(&"a kept task tree cannot be read"))?;
    // Nobody here drives it, so nothing follows.
    let log = Arc::clone(&tree.lock().log);
    log.end(json(&tree), String::new);
    Ok(Arc::new(tree))
}

/// Waits until a tree that has not ended has, and its end is written.
async fn ended(tree: &Tree) {
    let log = Arc::clone(&tree.lock().log);
    log.follow(0).for_each(|_| std::future::ready(())).await;
}

/// Waits until the end of a tree is written that has ended a moment ago.
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
/// Tasks run as soon as those that they come after have ended, at once where they can. Waits for the end and answers with the tree; with
/// `Prefer: respond-async` it answers at once, with `Accept: text/event-stream` with the events as they come. A client that goes away while
/// it waits or reads stops the tree.
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
        // What can never run is said before anything runs.
        let read = task.execution.clone().read(caller.subject.clone(), true);
        read.map_err(|problem| Problem::new(Code::Invalid, format!("task `{}`: {}", task.name, problem.detail())))?;
    }
    app.kept.check(caller.subject.as_str())?;
    held.shrink_to(size);
    let tree = Arc::new(Tree::new(caller.subject.clone(), plan, (size, held)));
    let log = Arc::clone(&tree.lock().log);
    // From here on, so that nothing runs for a client that goes away while the tree is written.
    let waiter = (mode != Mode::Later).then(|| Waiter { tree: Arc::clone(&tree), log: Arc::clone(&log) });
    app.to_the_end(&caller.subject, begin(Arc::clone(&app), Arc::clone(&tree))).await?;
    let address = format!("/v1/task-trees/{}", tree.id);
    match mode {
        Mode::Later => Ok(with_location(answer_json(StatusCode::ACCEPTED, json(&tree)), header::LOCATION, &address)),
        Mode::Stream => Ok(stream(permit, log, 0, waiter)),
        Mode::Wait => {
            log.follow(0).for_each(|_| std::future::ready(())).await;
            drop(waiter);
            Ok(with_location(answer_json(StatusCode::OK, json(&tree)), header::CONTENT_LOCATION, &address))
        }
    }
}

/// Writes a new tree down, and has it driven after that: what runs is always there to be found, counted and deleted.
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
    app.trees.insert(&tree, app.config.limits.trees_per_subject)?;
    // Its end does not say again what it was asked for.
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

/// List one's task trees, the newest first.
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
    let rows = app.store.trees(caller.subject.as_str(), before, i64::from(limit)).await?;
    let next_cursor = rows.last().filter(|_| rows.len() == limit as usize).map(|row| cursor(row.created_ms, &row.id));
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
    Ok(Json(TreeList { task_trees: rows.into_iter().map(shown).collect(), next_cursor }))
}

/// Look at a task tree.
#[utoipa::path(get, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "How it is doing", body = TreeBody)))]
pub(super) async fn get(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(body(&*find(&app, &caller, &id).await?, true)))
}

/// Stop a task tree, or delete one that has ended.
///
/// One that has not ended is stopped: the answer comes when it has ended, with how, and its programs are not kept any longer, so that it cannot
/// be tried again. One that has ended before is deleted with its plan, which gives their bytes back; its executions stay, and are deleted one by
/// one.
#[utoipa::path(delete, path = "/v1/task-trees/{id}", tag = "task-trees", params(("id" = String, Path)),
    responses((status = 200, description = "It has ended, or is deleted", body = TreeBody)))]
pub(super) async fn cancel(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Json<TreeBody>, Problem> {
    caller.needs(Scope::Run)?;
    let tree = find(&app, &caller, &id).await?;
    if tree.lock().ended_ms.is_none() {
        // Whoever drives it takes it to its end, also if nobody waits for that.
        tree.give_up();
        ended(&tree).await;
        return Ok(Json(body(&tree, true)));
    }
    let held = Arc::clone(&app);
    let tree = app.to_the_end(&caller.subject, async move { remove(&held, tree).await }).await?;
    Ok(Json(body(&tree, true)))
}

/// Deletes a tree that has ended.
///
/// Whoever deletes a tree or tries it again claims it before; what is decided then is decided in the database, where only what has ended is
/// deleted, and only what is there is tried again. So its bytes are given back once.
async fn remove(app: &App, tree: Arc<Tree>) -> Result<Arc<Tree>, Problem> {
    let tree = app.trees.take_in(tree)?;
    written(&tree).await;
    tree.begin_to_delete()?;
    let deleted = delete(app, &tree).await.inspect_err(|_| stays(app, &tree))?;
    app.trees.remove(&tree);
    let bytes = deleted.ok_or_else(|| Problem::not_found("task tree"))?;
    app.kept.give_back(tree.subject.as_str(), u64::try_from(bytes).unwrap_or(0));
    Ok(tree)
}

async fn delete(app: &App, tree: &Tree) -> Result<Option<i64>, Problem> {
    let (subject, id) = (tree.subject.as_str(), tree.id.as_str());
    let deleted = app.store.delete_tree(subject, id).await?;
    if deleted.is_some() || tree.is_kept {
        return Ok(deleted);
    }
    // The database may not have taken its end.
    app.store.put_tree(tree.row(false)).await.map_err(|error| Problem::internal(&error))?;
    Ok(app.store.delete_tree(subject, id).await?)
}

/// A tree that was claimed stays as it is.
fn stays(app: &App, tree: &Arc<Tree>) {
    tree.stays();
    app.trees.let_go(tree);
}

/// Stop a branch of a task tree: a task, and all that come after it.
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
    let is_over = tree.plan.branch(at).into_iter().all(|at| tree.lock().nodes.get(at).is_none_or(Node::is_over));
    if is_over {
        return Err(Problem::new(Code::Ended, "the whole branch has ended before; there is nothing to stop"));
    }
    tree.cancel(&tree.plan.branch(at));
    Ok((StatusCode::ACCEPTED, Json(body(&tree, true))))
}

/// Run a branch of a task tree again: a task that has ended, and all that come after it.
///
/// What is not in the branch stays as it is, and what it left is there for the branch.
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
    let tree = app.to_the_end(&caller.subject, async move { retry(&held, tree, at).await }).await?;
    Ok((StatusCode::ACCEPTED, Json(body(&tree, true))))
}

/// Runs a branch of a tree again.
async fn retry(app: &Arc<App>, tree: Arc<Tree>, at: usize) -> Result<Arc<Tree>, Problem> {
    let tree = app.trees.take_in(tree)?;
    if !tree.is_held() {
        let held = app.memory.take(&tree.subject, tree.size).inspect_err(|_| app.trees.let_go(&tree))?;
        tree.hold(held);
    }
    written(&tree).await;
    let tasks = tree.plan.branch(at);
    let is_idle = app.trees.retry(&tree, &tasks, app.config.limits.trees_per_subject).inspect_err(|_| app.trees.let_go(&tree))?;
    if is_idle {
        let is_there = app.store.reopen_tree(tree.subject.as_str(), &tree.id).await.inspect_err(|_| stays(app, &tree))?;
        if !is_there {
            tree.goes();
            app.trees.remove(&tree);
            return Err(Problem::not_found("task tree"));
        }
        tree.begin_again(&tasks);
        app.trees.drive(app, &tree);
    }
    app.store.put_tree(tree.row(false)).await.map_err(|error| Problem::internal(&error))?;
    Ok(tree)
}

/// Follow a task tree.
///
/// Server-sent events: `task` whenever one is doing something else, with the progress of all, and `end` with the tree. With `Last-Event-ID` it
/// goes on after that event.
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
