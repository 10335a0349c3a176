//! Task tree: how far are its tasks, and which one can begin?

use super::claim::TreeClaim;
use super::plan::Plan;
use crate::events::EventLog;
use crate::executions::ActiveExecution;
use crate::memory::MemoryCharge;
use crate::records::now_ms;
use crate::records::rows::{ROW_BYTES, TreeRow};
use glovebox::RunId;
use glovebox_policy::Subject;
use glovebox_wire::to_json;
use glovebox_wire::tree::{OnFailure, Progress, TaskEvent, TaskState, TreeState};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Bytes that the execution of a task adds to the stored tree.
const NODE_BYTES: u64 = 64;

/// The state of one task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) status: TaskState,
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
    /// Returns a task that waits.
    pub(super) fn waiting() -> Self {
        Self {
            status: TaskState::Waiting,
            execution: None,
            attempts: 0,
            detail: None,
            has_environment: false,
            is_dropped: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        ![TaskState::Waiting, TaskState::RUNNING].contains(&self.status)
    }
}

/// Counts tasks by state.
pub(super) fn progress<'a>(nodes: impl Iterator<Item = &'a Node>) -> Progress {
    let mut progress = Progress::default();
    for node in nodes {
        progress.total += 1;
        progress.running += usize::from(node.status == TaskState::RUNNING);
        progress.ended += usize::from(node.is_over());
        progress.succeeded += usize::from(node.status == TaskState::SUCCEEDED);
    }
    progress
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
    state: Mutex<TreeData>,
    pub(super) changed: Notify,
}

/// The state of a tree.
pub(super) struct TreeData {
    pub(super) nodes: Vec<Node>,
    pub(super) registry: Vec<Option<Arc<ActiveExecution>>>,
    /// Tasks to cancel, whether they have an execution yet or not.
    pub(super) unwanted: HashSet<usize>,
    pub(super) ended_ms: Option<i64>,
    pub(super) status: TreeState,
    /// Its events, since it began or was retried.
    pub(super) log: Arc<EventLog>,
    /// Set if no further task is started: the status with which the tree ends.
    pub(super) stopped: Option<TreeState>,
    /// Its owner has stopped it as a whole.
    pub(super) is_given_up: bool,
    /// It has ended, and a request is about to change that in the database.
    pub(super) claim: Option<TreeClaim>,
    /// Bytes for which its subject is charged.
    counted: i64,
    /// The memory charged for its plan.
    pub(super) charge: Option<MemoryCharge>,
    /// Revision of the stored state, so that nothing older overwrites it.
    revision: i64,
}

impl Tree {
    pub(super) fn new(subject: Subject, plan: Plan, size: usize, charge: MemoryCharge) -> Self {
        let id = RunId::random().to_string().replacen("run_", "tree_", 1);
        let nodes = plan
            .tasks
            .iter()
            .map(|task| Node {
                has_environment: task.has_environment(),
                ..Node::waiting()
            })
            .collect();
        let tree = Self {
            size,
            ..Self::with(id, subject, now_ms(), plan, nodes)
        };
        tree.hold(charge);
        tree
    }

    fn with(id: String, subject: Subject, created_ms: i64, plan: Plan, nodes: Vec<Node>) -> Self {
        let registry = plan.tasks.iter().map(|_| None).collect();
        let state = TreeData {
            nodes,
            registry,
            unwanted: HashSet::new(),
            ended_ms: None,
            status: TreeState::Running,
            log: Arc::default(),
            stopped: None,
            is_given_up: false,
            claim: None,
            counted: 0,
            charge: None,
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

    /// Holds the memory charge of its plan for as long as the tree is in memory. Its subject is
    /// charged for its events, too.
    pub(super) fn hold(&self, charge: MemoryCharge) {
        let mut state = self.lock();
        if state.log.bytes() == 0 {
            state.log = EventLog::beside(&charge);
        }
        state.charge = Some(charge);
    }

    /// Whether it holds one.
    pub(super) fn is_held(&self) -> bool {
        self.lock().charge.is_some()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, TreeData> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns its first row for the database, which has its plan.
    pub(super) fn first_row(&self) -> TreeRow {
        self.row_with(Some(to_json(&self.plan.kept())))
    }

    /// Returns its row for the database, without its plan.
    pub(super) fn row(&self) -> TreeRow {
        self.row_with(None)
    }

    /// Returns its last row, and the bytes that this releases: a tree that was stopped for good
    /// needs its programs no more.
    pub(super) fn last_row(&self) -> (TreeRow, u64) {
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
            let bytes = ROW_BYTES
                + plan.len() as u64
                + nodes.len() as u64
                + NODE_BYTES * state.nodes.len() as u64;
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
            status: state.status,
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
            if let Some(Some(active)) = state.registry.get(*at) {
                active.cancel();
            }
            self.set(&mut state, *at, |node| {
                if node.status == TaskState::Waiting {
                    node.status = TaskState::CANCELLED;
                }
            });
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Changes the state of a task, and appends an event.
    pub(super) fn set(&self, state: &mut TreeData, at: usize, change: impl FnOnce(&mut Node)) {
        let Some(node) = state.nodes.get_mut(at) else {
            return;
        };
        let before = (node.status, node.attempts);
        change(node);
        if before == (node.status, node.attempts) {
            return;
        }
        let name = self
            .plan
            .tasks
            .get(at)
            .map_or("", |task| task.name.as_str());
        let Some(node) = state.nodes.get(at) else {
            return;
        };
        state.log.task(&TaskEvent {
            attempts: node.attempts,
            execution: node.execution.as_deref(),
            name,
            progress: progress(state.nodes.iter()),
            status: node.status,
        });
    }

    /// Returns a task that can begin now. Tasks that never will are marked as skipped.
    pub(super) fn next(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            let stopped = state.stopped;
            let judged = (0..state.nodes.len()).find_map(|at| match state.nodes.get(at) {
                Some(node) if node.status == TaskState::Waiting => {
                    self.judge(&state, at).map(|verdict| (at, verdict))
                }
                _ => None,
            });
            match judged {
                // An interrupted tree can be resumed.
                Some(_) if stopped == Some(TreeState::Interrupted) => return None,
                Some((at, _)) if stopped.is_some() => {
                    self.set(&mut state, at, |node| node.status = TaskState::CANCELLED)
                }
                Some((at, false)) => {
                    self.set(&mut state, at, |node| node.status = TaskState::Skipped)
                }
                Some((at, true)) => {
                    self.set(&mut state, at, |node| {
                        node.status = TaskState::RUNNING;
                        node.attempts += 1;
                    });
                    return Some(at);
                }
                None => return None,
            }
        }
    }

    /// Ends the tree, unless a request has just restarted tasks of it.
    pub(super) fn finish(&self) -> Option<Arc<EventLog>> {
        let mut state = self.lock();
        if state.stopped.is_none() && state.nodes.iter().any(|node| !node.is_over()) {
            return None;
        }
        let all = |states: &[TaskState]| {
            let mut nodes = state.nodes.iter();
            nodes.all(|node| states.contains(&node.status))
        };
        let stops = [
            TaskState::SUCCEEDED,
            TaskState::CANCELLED,
            TaskState::Skipped,
        ];
        let status = match state.stopped {
            Some(status) => status,
            None if all(&[TaskState::SUCCEEDED]) => TreeState::Succeeded,
            None if all(&stops) => TreeState::Cancelled,
            None => TreeState::Failed,
        };
        state.status = status;
        state.ended_ms = Some(now_ms());
        if state.is_given_up && status == TreeState::Cancelled {
            state
                .nodes
                .iter_mut()
                .for_each(|node| node.is_dropped = true);
        }
        // From here on, another request may retry it, with a log of its own.
        Some(Arc::clone(&state.log))
    }

    pub(super) fn is_unwanted(&self, at: usize) -> bool {
        let state = self.lock();
        state.stopped.is_some() || state.unwanted.contains(&at)
    }

    /// Whether a task can begin, or never will; `None` if it has to wait.
    fn judge(&self, state: &TreeData, at: usize) -> Option<bool> {
        let mut may = true;
        for parent in self.plan.parents.get(at).into_iter().flatten() {
            let (node, task) = (state.nodes.get(*parent)?, self.plan.tasks.get(*parent)?);
            if !node.is_over() {
                return state.stopped.map(|_| false);
            }
            let goes_on = node.status == TaskState::SUCCEEDED
                || (task.on_failure == OnFailure::Continue
                    && ![TaskState::Skipped, TaskState::CANCELLED].contains(&node.status));
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
            node.status = TaskState::INTERRUPTED;
        }
    }
    Some(nodes)
}
