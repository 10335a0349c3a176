//! Driver of task trees: how does a tree get to its end?
//!
//! One tokio task drives each tree: it starts every task whose dependencies have ended, within the
//! tree's own concurrency limit, and each waits in the queue of executions like all others.

use super::inputs::gather;
use super::tree::Tree;
use super::{TreeCore, body};
use crate::error::{Code, ServiceError};
use crate::executions::{Follow, NewExecution};
use crate::memory::MemoryCharge;
use crate::subject_quotas::max_running;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use glovebox::{RunId, Status};
use glovebox_wire::execution::ExecutionState;
use glovebox_wire::tree::{OnFailure, TaskState, TreeState};
use std::sync::Arc;
use std::time::Duration;

/// States after which a task is not tried again.
const FINAL: [TaskState; 3] = [
    TaskState::SUCCEEDED,
    TaskState::CANCELLED,
    TaskState::Execution(ExecutionState::Ended(Status::Denied)),
];

/// Pause of a task that found the queue full.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Attempts of a task without memory for it before it fails.
const MAX_MEMORY_TRIES: u32 = 600;

/// Drives a tree as far as it gets.
pub(super) async fn drive(core: Arc<TreeCore>, tree: Arc<Tree>) {
    let mut running = FuturesUnordered::new();
    let most = max_running(&core.of_subjects.of(&tree.subject));
    let parallel = tree.plan.parallel.min(most);
    let log = loop {
        while running.len() < parallel {
            let Some(at) = tree.next() else { break };
            running.push(run(&core, &tree, at));
        }
        if running.is_empty() {
            match tree.finish() {
                Some(log) => break log,
                None => continue,
            }
        }
        tokio::select! {
            Some(()) = running.next() => {
                if let Err(error) = core.records.put_tree_later(tree.row()).await {
                    tracing::error!(error, "the state of a task tree could not be kept");
                }
            }
            () = tree.changed.notified() => {}
        }
    };
    let body = body(&tree);
    let (row, freed) = tree.last_row();
    match core.records.put_tree(row).await {
        Ok(()) => core.quotas.give_back(tree.subject.as_str(), freed),
        Err(error) => tracing::error!(error, "the end of a task tree could not be kept"),
    }
    log.end_tree(&body);
}

/// Runs one task, with its retries.
async fn run(core: &TreeCore, tree: &Arc<Tree>, at: usize) {
    let Some(task) = tree.plan.tasks.get(at) else {
        return;
    };
    let mut tries = 0;
    loop {
        tries += 1;
        let (status, detail) = match attempt(core, tree, at).await {
            Ok(status) => (status, None),
            Err(error) if error.code() == Code::ShuttingDown => {
                let mut state = tree.lock();
                state.stopped = Some(TreeState::Interrupted);
                tree.set(&mut state, at, |node| node.status = TaskState::INTERRUPTED);
                return;
            }
            Err(error) => (
                TaskState::Execution(ExecutionState::Error),
                Some(error.detail().to_owned()),
            ),
        };
        let mut state = tree.lock();
        if let Some(active) = state.registry.get_mut(at) {
            *active = None;
        }
        let is_worth_it =
            !FINAL.contains(&status) && state.stopped.is_none() && !state.unwanted.contains(&at);
        if is_worth_it && tries <= task.retries.unwrap_or(0) {
            tree.set(&mut state, at, |node| node.attempts += 1);
            continue;
        }
        tree.set(&mut state, at, |node| {
            node.status = status;
            node.detail = detail;
        });
        if task.on_failure == OnFailure::Stop && status != TaskState::SUCCEEDED {
            state.stopped = Some(TreeState::Failed);
            state
                .registry
                .iter()
                .flatten()
                .for_each(|active| active.cancel());
        }
        return;
    }
}

/// Runs one attempt of a task; returns its status.
async fn attempt(core: &TreeCore, tree: &Arc<Tree>, at: usize) -> Result<TaskState, ServiceError> {
    let task = tree
        .plan
        .tasks
        .get(at)
        .ok_or_else(|| ServiceError::not_found("task"))?;
    let mut tries = 0;
    // The memory charged for it until it has ended.
    let (execution, _held) = loop {
        match gather(core, tree, at, task).await {
            Err(error)
                if [Code::MemoryQuota, Code::MemoryExhausted].contains(&error.code())
                    && tries < MAX_MEMORY_TRIES =>
            {
                tries += 1;
                tokio::time::sleep(RETRY_INTERVAL).await;
                if tree.is_unwanted(at) {
                    return Ok(TaskState::CANCELLED);
                }
            }
            gathered => break gathered?,
        }
    };
    let bytes = execution.size();
    loop {
        let (request, input) = execution.clone().into_request(tree.subject.clone())?;
        let new = NewExecution {
            request,
            input,
            stdin: None,
            bytes,
            charge: MemoryCharge::default(),
            follow: Follow::Events,
        };
        let handle = match core.executions.begin(new.under(RunId::random())) {
            Ok(handle) => handle,
            Err(error) if [Code::QueueFull, Code::Overloaded].contains(&error.code()) => {
                tokio::time::sleep(RETRY_INTERVAL).await;
                if tree.is_unwanted(at) {
                    return Ok(TaskState::CANCELLED);
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        let active = Arc::clone(handle.active());
        {
            let mut state = tree.lock();
            if let Some(slot) = state.registry.get_mut(at) {
                *slot = Some(Arc::clone(&active));
            }
            if let Some(node) = state.nodes.get_mut(at) {
                node.execution = Some(active.id().to_string());
            }
        }
        if tree.is_unwanted(at) {
            active.cancel();
        }
        // As a task of its own: the tasks of a tree must not share one thread.
        drop(handle);
        return Ok(TaskState::Execution(active.finished().await?.state()));
    }
}
