//! Driver of task trees: how does a tree get to its end?
//!
//! One tokio task drives each tree: it starts every task whose dependencies have ended, within the tree's own concurrency limit, and each
//! execution waits in the admission queue like all others.

mod claim;

use super::super::App;
use super::super::body::{ExecutionRequest, FileBody};
use super::super::events::EventLog;
use super::super::execution::{ActiveExecution, StartOptions, start};
use super::super::problem::{Code, Problem};
use super::super::store::{ArtifactRow, ExecutionRow, INTERRUPTED, TreeRow, now_ms};
use super::plan::{OnFailure, Plan, TaskBody};
use crate::http::kept::ROW;
use crate::http::memory::Taken;
use crate::wire::to_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claim::Claim;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use glovebox::RunId;
use glovebox::policy::Subject;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use utoipa::ToSchema;

/// The status of a task before it has an execution.
const WAITING: &str = "waiting";
const RUNNING: &str = "running";
pub(super) const SKIPPED: &str = "skipped";
pub(super) const CANCELLED: &str = "cancelled";
pub(super) const SUCCEEDED: &str = "succeeded";

/// Maximum bytes of inputs that a task gets from its dependencies.
const MAX_INPUTS: usize = 64 << 20;

/// Bytes that the execution of a task adds to the stored tree.
const NODE: u64 = 64;

/// Pause of a task that found the queue full.
const AGAIN: Duration = Duration::from_millis(500);

/// Attempts of a task without memory for it before it fails.
const MEMORY_TRIES: u32 = 600;

/// The state of one task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) status: String,
    /// The id of its newest execution.
    pub(super) execution: Option<String>,
    /// The number of attempts.
    pub(super) attempts: u64,
    /// The reason why it could not even begin.
    pub(super) detail: Option<String>,
    /// It has environment variables, which are not stored.
    pub(super) has_environment: bool,
    /// Its program is no longer stored either: the tree was stopped for good.
    #[serde(default)]
    pub(super) is_dropped: bool,
}

impl Node {
    fn new(has_environment: bool) -> Self {
        Self {
            status: WAITING.to_owned(),
            execution: None,
            attempts: 0,
            detail: None,
            has_environment,
            is_dropped: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        ![WAITING, RUNNING].contains(&self.status.as_str())
    }
}

/// Numbers of tasks by state.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(in crate::http) struct Progress {
    /// All tasks.
    pub(super) total: usize,
    /// Tasks that run.
    pub(super) running: usize,
    /// Tasks that have ended, with any status.
    pub(super) ended: usize,
    /// Tasks that succeeded.
    pub(super) succeeded: usize,
}

impl Progress {
    pub(super) fn of<'a>(nodes: impl Iterator<Item = &'a Node>) -> Self {
        let mut progress = Self::default();
        for node in nodes {
            progress.total += 1;
            progress.running += usize::from(node.status == RUNNING);
            progress.ended += usize::from(node.is_over());
            progress.succeeded += usize::from(node.status == SUCCEEDED);
        }
        progress
    }
}

/// A tree of this process.
pub(super) struct Tree {
    pub(super) id: String,
    pub(super) subject: Subject,
    pub(super) created_ms: i64,
    pub(super) plan: Plan,
    /// It was loaded from the store, where no environment variables are kept.
    pub(super) is_kept: bool,
    /// Its approximate size in bytes.
    pub(super) size: usize,
    state: Mutex<State>,
    changed: Notify,
}

/// The state of a tree.
pub(super) struct State {
    pub(super) nodes: Vec<Node>,
    registry: Vec<Option<Arc<ActiveExecution>>>,
    /// Tasks to cancel, whether they have an execution yet or not.
    unwanted: HashSet<usize>,
    pub(super) ended_ms: Option<i64>,
    pub(super) status: String,
    /// Its events, since it began or was retried.
    pub(super) log: Arc<EventLog>,
    /// Set if no further task is started: the status with which the tree ends.
    stopped: Option<&'static str>,
    /// Its owner has stopped it as a whole.
    is_given_up: bool,
    /// It has ended, and a request is about to change that in the database.
    claim: Option<Claim>,
    /// Bytes for which its subject is charged.
    counted: i64,
    /// The memory charged for its plan.
    held: Option<Taken>,
    /// Revision of the stored state, so that nothing older overwrites it.
    revision: i64,
}

impl Tree {
    pub(super) fn new(subject: Subject, plan: Plan, (size, held): (usize, Taken)) -> Self {
        let id = RunId::random().to_string().replacen("run_", "tree_", 1);
        let nodes = plan
            .tasks
            .iter()
            .map(|task| Node::new(!task.execution.environment.is_empty()))
            .collect();
        let tree = Self {
            size,
            ..Self::with(id, subject, now_ms(), plan, nodes)
        };
        tree.hold(held);
        tree
    }

    fn with(id: String, subject: Subject, created_ms: i64, plan: Plan, nodes: Vec<Node>) -> Self {
        let registry = plan.tasks.iter().map(|_| None).collect();
        let state = State {
            nodes,
            registry,
            unwanted: HashSet::new(),
            ended_ms: None,
            status: RUNNING.to_owned(),
            log: Arc::default(),
            stopped: None,
            is_given_up: false,
            claim: None,
            counted: 0,
            held: None,
            revision: 0,
        };
        Self {
            id,
            subject,
            created_ms,
            plan,
            is_kept: false,
            size: 0,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    /// Restores a tree from the store.
    pub(super) fn kept(row: TreeRow) -> Option<Self> {
        let text = row.plan.as_deref()?;
        let plan = Plan::new(serde_json::from_str(text).ok()?).ok()?;
        let (size, nodes) = (text.len(), kept_nodes(&row)?);
        if nodes.len() != plan.tasks.len() {
            return None;
        }
        let tree = Self::with(
            row.id,
            Subject::new(row.subject).ok()?,
            row.created_ms,
            plan,
            nodes,
        );
        {
            let mut state = tree.lock();
            state.ended_ms = row.ended_ms;
            state.status = row.status;
            state.revision = row.revision;
            state.counted = row.bytes;
        }
        Some(Self {
            is_kept: true,
            size,
            ..tree
        })
    }

    /// Holds the memory charge of its plan for as long as the tree is in memory.
    pub(super) fn hold(&self, held: Taken) {
        self.lock().held = Some(held);
    }

    /// Whether it holds one.
    pub(super) fn is_held(&self) -> bool {
        self.lock().held.is_some()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its row for the database; the first time with its plan.
    pub(super) fn row(&self, with_plan: bool) -> TreeRow {
        self.row_with(with_plan.then(|| to_json(&self.plan.kept())))
    }

    /// Returns its last row, and the bytes that this releases: a tree that was stopped for good needs its programs no more.
    fn last_row(&self) -> (TreeRow, u64) {
        let (is_dropped, before) = {
            let state = self.lock();
            (
                state.nodes.iter().any(|node| node.is_dropped),
                state.counted,
            )
        };
        let row = self.row_with(is_dropped.then(|| to_json(&self.plan.outline())));
        let freed = if is_dropped {
            u64::try_from(before - row.bytes).unwrap_or(0)
        } else {
            0
        };
        (row, freed)
    }

    fn row_with(&self, plan: Option<String>) -> TreeRow {
        let mut state = self.lock();
        state.revision += 1;
        let nodes = to_json(&state.nodes);
        if let Some(plan) = &plan {
            let bytes =
                ROW + plan.len() as u64 + nodes.len() as u64 + NODE * state.nodes.len() as u64;
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            // What is stored of it can only shrink.
            state.counted = if state.counted == 0 {
                bytes
            } else {
                bytes.min(state.counted)
            };
        }
        TreeRow {
            bytes: state.counted,
            id: self.id.clone(),
            subject: self.subject.to_string(),
            status: state.status.clone(),
            created_ms: self.created_ms,
            ended_ms: state.ended_ms,
            plan,
            nodes,
            revision: state.revision,
        }
    }

    /// Stops all of it for good.
    pub(super) fn give_up(&self) {
        self.lock().is_given_up = true;
        self.cancel(&self.plan.branches());
    }

    /// Cancels tasks that have not ended.
    pub(super) fn cancel(&self, tasks: &[usize]) {
        let mut state = self.lock();
        for at in tasks {
            state.unwanted.insert(*at);
            if let Some(Some(live)) = state.registry.get(*at) {
                live.stop.cancel();
            }
            self.set(&mut state, *at, |node| {
                if node.status == WAITING {
                    node.status = CANCELLED.to_owned();
                }
            });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Changes the state of a task, and appends an event.
    fn set(&self, state: &mut State, at: usize, change: impl FnOnce(&mut Node)) {
        let Some(node) = state.nodes.get_mut(at) else {
            return;
        };
        let before = (node.status.clone(), node.attempts);
        change(node);
        if before == (node.status.clone(), node.attempts) {
            return;
        }
        let name = self
            .plan
            .tasks
            .get(at)
            .map_or("", |task| task.name.as_str());
        let data = serde_json::json!({
            "name": name, "status": node.status, "execution": node.execution, "attempts": node.attempts,
            "progress": Progress::of(state.nodes.iter()),
        });
        state.log.task(data.to_string());
    }

    /// Returns a task that can begin now. Tasks that never will are marked as skipped.
    fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            let stopped = state.stopped;
            let judged = (0..state.nodes.len()).find_map(|at| match state.nodes.get(at) {
                Some(node) if node.status == WAITING => {
                    self.judge(&state, at).map(|verdict| (at, verdict))
                }
                _ => None,
            });
            match judged {
                // An interrupted tree can be resumed.
                Some(_) if stopped == Some(INTERRUPTED) => return None,
                Some((at, _)) if stopped.is_some() => {
                    self.set(&mut state, at, |node| node.status = CANCELLED.to_owned())
                }
                Some((at, false)) => {
                    self.set(&mut state, at, |node| node.status = SKIPPED.to_owned())
                }
                Some((at, true)) => {
                    self.set(&mut state, at, |node| {
                        node.status = RUNNING.to_owned();
                        node.attempts += 1;
                    });
                    return Some(at);
                }
                None => return None,
            }
        }
    }

    /// Ends the tree, unless a request has just restarted tasks of it.
    fn finish(&self) -> Option<Arc<EventLog>> {
        let mut state = self.lock();
        if state.stopped.is_none() && state.nodes.iter().any(|node| !node.is_over()) {
            return None;
        }
        let all = |is_so: &dyn Fn(&str) -> bool| state.nodes.iter().all(|node| is_so(&node.status));
        let status = match state.stopped {
            Some(status) => status,
            None if all(&|status| status == SUCCEEDED) => SUCCEEDED,
            None if all(&|status| [SUCCEEDED, CANCELLED, SKIPPED].contains(&status)) => CANCELLED,
            None => "failed",
        };
        status.clone_into(&mut state.status);
        state.ended_ms = Some(now_ms());
        if state.is_given_up && status == CANCELLED {
            state
                .nodes
                .iter_mut()
                .for_each(|node| node.is_dropped = true);
        }
        // From here on, another request may retry it, with a log of its own.
        Some(Arc::clone(&state.log))
    }

    fn is_unwanted(&self, at: usize) -> bool {
        let state = self.lock();
        state.stopped.is_some() || state.unwanted.contains(&at)
    }

    /// Whether a task can begin, or never will; `None` if it has to wait.
    fn judge(&self, state: &State, at: usize) -> Option<bool> {
        let mut may = true;
        for parent in self.plan.parents.get(at).into_iter().flatten() {
            let (node, task) = (state.nodes.get(*parent)?, self.plan.tasks.get(*parent)?);
            if !node.is_over() {
                return state.stopped.map(|_| false);
            }
            let goes_on = node.status == SUCCEEDED
                || (task.on_failure == OnFailure::Continue
                    && ![SKIPPED, CANCELLED].contains(&node.status.as_str()));
            may &= goes_on;
        }
        Some(may)
    }
}

/// Returns the task states of a stored tree.
pub(super) fn kept_nodes(row: &TreeRow) -> Option<Vec<Node>> {
    let mut nodes: Vec<Node> = serde_json::from_str(&row.nodes).ok()?;
    for node in &mut nodes {
        // No process runs it any more.
        if row.ended_ms.is_some() && !node.is_over() {
            node.status = INTERRUPTED.to_owned();
        }
    }
    Some(nodes)
}

/// Drives a tree as far as it gets.
pub(super) async fn drive(app: Arc<App>, tree: Arc<Tree>) {
    let mut running = FuturesUnordered::new();
    let parallel = tree
        .plan
        .parallel
        .min(app.config.limits.running_per_subject);
    let log = loop {
        while running.len() < parallel {
            let Some(at) = tree.next() else { break };
            running.push(run(&app, &tree, at));
        }
        if running.is_empty() {
            match tree.finish() {
                Some(log) => break log,
                None => continue,
            }
        }
        tokio::select! {
            Some(()) = running.next() => {
                if let Err(error) = app.store.put_tree_later(tree.row(false)).await {
                    tracing::error!(error, "the state of a task tree could not be kept");
                }
            }
            () = tree.changed.notified() => {}
        }
    };
    let shown = super::json(&tree);
    let (row, freed) = tree.last_row();
    match app.store.put_tree(row).await {
        Ok(()) => app.kept.give_back(tree.subject.as_str(), freed),
        Err(error) => tracing::error!(error, "the end of a task tree could not be kept"),
    }
    log.end(shown, String::new);
}

/// Runs one task, with its retries.
async fn run(app: &Arc<App>, tree: &Arc<Tree>, at: usize) {
    let Some(task) = tree.plan.tasks.get(at) else {
        return;
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let (status, detail) = match attempt(app, tree, at).await {
            Ok(status) => (status, None),
            Err(problem) if problem.code() == Code::ShuttingDown => {
                let mut state = tree.lock();
                state.stopped = Some(INTERRUPTED);
                tree.set(&mut state, at, |node| node.status = INTERRUPTED.to_owned());
                return;
            }
            Err(problem) => ("error".to_owned(), Some(problem.detail())),
        };
        let mut state = tree.lock();
        if let Some(live) = state.registry.get_mut(at) {
            *live = None;
        }
        let is_worth_it = ![SUCCEEDED, CANCELLED, "denied"].contains(&status.as_str())
            && state.stopped.is_none()
            && !state.unwanted.contains(&at);
        if is_worth_it && tries <= task.retries.unwrap_or(0) {
            tree.set(&mut state, at, |node| node.attempts += 1);
            continue;
        }
        tree.set(&mut state, at, |node| {
            node.status.clone_from(&status);
            node.detail = detail;
        });
        if task.on_failure == OnFailure::Stop && status != SUCCEEDED {
            state.stopped = Some("failed");
            state
                .registry
                .iter()
                .flatten()
                .for_each(|live| live.stop.cancel());
        }
        return;
    }
}

/// Runs one attempt of a task; returns its status.
async fn attempt(app: &Arc<App>, tree: &Arc<Tree>, at: usize) -> Result<String, Problem> {
    let task = tree
        .plan
        .tasks
        .get(at)
        .ok_or_else(|| Problem::not_found("task"))?;
    let mut tries = 0;
    // The memory charged for it until it has ended.
    let (execution, _held) = loop {
        match gather(app, tree, at, task).await {
            Err(problem)
                if [Code::MemoryQuota, Code::MemoryExhausted].contains(&problem.code())
                    && tries < MEMORY_TRIES =>
            {
                tries += 1;
                tokio::time::sleep(AGAIN).await;
                if tree.is_unwanted(at) {
                    return Ok(CANCELLED.to_owned());
                }
            }
            gathered => break gathered?,
        }
    };
    let bytes = execution.size();
    loop {
        let (request, input) = execution.clone().read(tree.subject.clone(), true)?;
        let more = StartOptions {
            bytes,
            held: Taken::default(),
            is_followed: true,
            stdin: None,
        };
        let begun = match start(app, RunId::random(), request, input, more) {
            Ok(begun) => begun,
            Err(problem) if [Code::QueueFull, Code::Overloaded].contains(&problem.code()) => {
                tokio::time::sleep(AGAIN).await;
                if tree.is_unwanted(at) {
                    return Ok(CANCELLED.to_owned());
                }
                continue;
            }
            Err(problem) => return Err(problem),
        };
        {
            let mut state = tree.lock();
            if let Some(live) = state.registry.get_mut(at) {
                *live = Some(Arc::clone(&begun.live));
            }
            if let Some(node) = state.nodes.get_mut(at) {
                node.execution = Some(begun.live.id.to_string());
            }
        }
        if tree.is_unwanted(at) {
            begun.live.stop.cancel();
        }
        // As a task of its own: the tasks of a tree must not share one thread.
        let live = Arc::clone(&begun.live);
        drop(begun);
        return Ok(live.finished().await?.status);
    }
}

/// Returns a task with the outputs of its dependencies, and the memory charged for them: once here, and once as what runs.
async fn gather(
    app: &App,
    tree: &Tree,
    at: usize,
    task: &TaskBody,
) -> Result<(ExecutionRequest, Taken), Problem> {
    let mut execution = task.execution.clone();
    let mut held = app
        .memory
        .take(&tree.subject, execution.size().saturating_mul(2))?;
    for parent in tree.plan.parents.get(at).into_iter().flatten() {
        let room = MAX_INPUTS.saturating_sub(execution.files.iter().map(FileBody::size).sum());
        execution
            .files
            .extend(outputs(app, tree, *parent, (room, &mut held)).await?);
    }
    Ok((execution, held))
}

/// Returns the outputs of a task, as input files of its dependents.
async fn outputs(
    app: &App,
    tree: &Tree,
    parent: usize,
    (room, held): (usize, &mut Taken),
) -> Result<Vec<FileBody>, Problem> {
    let Some(task) = tree.plan.tasks.get(parent) else {
        return Ok(Vec::new());
    };
    let node = tree.lock().nodes.get(parent).cloned();
    let Some(node) = node else {
        return Ok(Vec::new());
    };
    let place = |name: &str| format!("inputs/{}/{name}", task.name);
    let mut files = vec![FileBody::text(place("status"), node.status.clone())];
    let Some(id) = node.execution else {
        return Ok(files);
    };
    // A momentary lock of the database must not fail the tree.
    app.store
        .settle()
        .await
        .map_err(|error| Problem::internal(&error))?;
    let Some(row) = app.store.execution(tree.subject.as_str(), &id).await? else {
        return Ok(files);
    };
    files.extend(told(&row, &place));
    let artifacts = app.store.artifacts(&id).await?;
    let said: usize = files.iter().map(FileBody::size).sum();
    let bytes = |artifact: &ArtifactRow| usize::try_from(artifact.bytes).unwrap_or(usize::MAX);
    let all = artifacts
        .iter()
        .map(bytes)
        .fold(said, usize::saturating_add);
    if all > room {
        let detail = format!(
            "the tasks before it left more than {MAX_INPUTS} bytes; have them leave less, or leave it elsewhere"
        );
        return Err(Problem::new(Code::Invalid, detail));
    }
    // Charged before they are read.
    held.grow(all.saturating_mul(2))?;
    for artifact in artifacts {
        let blobs = app.blobs.clone();
        let content = tokio::task::spawn_blocking(move || blobs.get(&artifact.sha256))
            .await
            .map_err(|error| Problem::internal(&error))?;
        let content = content.map_err(|error| Problem::internal(&error))?;
        files.push(FileBody::base64(
            place(&format!("files/{}", artifact.path)),
            STANDARD.encode(content),
        ));
    }
    Ok(files)
}

/// Returns the output of an execution as files.
fn told(row: &ExecutionRow, place: &impl Fn(&str) -> String) -> Vec<FileBody> {
    let result: serde_json::Value = row
        .result
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let text = |name: &str| {
        result
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    let stdout = match text("stdout_base64") {
        Some(base64) => FileBody::base64(place("stdout"), base64),
        None => FileBody::text(place("stdout"), text("stdout").unwrap_or_default()),
    };
    let value = result
        .pointer("/value/json")
        .filter(|value| !value.is_null());
    std::iter::once(stdout)
        .chain(value.map(|value| FileBody::text(place("value.json"), value.to_string())))
        .collect()
}
