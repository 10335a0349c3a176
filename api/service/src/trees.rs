//! Task trees: how do clients run many programs that depend on one another?
//!
//! In reading order: `trees/plan.rs` checks the tasks, `trees/tree.rs` holds their states,
//! `trees/drive.rs` runs them with the `trees/inputs.rs` that others left, and `trees/claim.rs`
//! decides which request may retry or delete a tree.

mod claim;
mod drive;
mod inputs;
mod live;
mod plan;
mod tree;

use crate::contents::Contents;
use crate::detached::DetachedChanges;
use crate::error::{Code, ServiceError};
use crate::events::EventLog;
use crate::executions::Executions;
use crate::heavy::HeavyWork;
use crate::identities::Caller;
use crate::memory::{Memory, MemoryCharge, parsed_bytes};
use crate::quotas::{NotKept, Quotas};
use crate::records::Records;
use crate::records::rows::TreeRow;
use crate::scope::Scope;
use crate::shutdown::Shutdown;
use crate::subject_quotas::SubjectQuotas;
use claim::Retry;
use drive::drive;
use futures_util::StreamExt as _;
use glovebox_policy::Subject;
use glovebox_wire::timestamp;
use glovebox_wire::tree::{Progress, TaskRequest, TaskStatus, TreeBody, TreeRequest};
pub(crate) use live::LiveTrees;
use plan::Plan;
use std::sync::Arc;
use std::time::Duration;
use tree::{Node, Tree, TreeData, kept_nodes, progress};

/// Detail of the error when the service is shutting down.
const NO_MORE: &str = "the service begins no more task trees";

/// Timeout for storing trees at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// The task trees of this process, and the records of all. Cheap to clone.
#[derive(Clone)]
pub struct Trees(Arc<TreeCore>);

/// The dependencies of trees.
pub(crate) struct TreeCore {
    pub(crate) executions: Executions,
    pub(crate) records: Records,
    pub(crate) contents: Contents,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) detached: DetachedChanges,
    pub(crate) heavy: HeavyWork,
    pub(crate) shutdown: Shutdown,
    pub(crate) of_subjects: Arc<SubjectQuotas>,
    pub(crate) live: LiveTrees,
}

/// A tree to run.
pub struct NewTree {
    /// The tasks.
    pub request: TreeRequest,
    /// Its size in bytes.
    pub bytes: usize,
    /// The memory charged for it.
    pub charge: MemoryCharge,
}

/// A tree that was found or started.
#[derive(Clone)]
pub struct TreeHandle {
    tree: Arc<Tree>,
    log: Arc<EventLog>,
}

/// Stops a tree when it is dropped, such as when the client that waits for it disconnects, unless
/// the tree has ended.
pub struct CancelTreeOnDrop(TreeHandle);

impl Drop for CancelTreeOnDrop {
    fn drop(&mut self) {
        let TreeHandle { tree, log } = &self.0;
        // After its end, another request may have retried it, which must not be stopped.
        if !log.has_ended() {
            tree.cancel(&tree.plan.branches());
        }
    }
}

impl TreeHandle {
    fn new(tree: Arc<Tree>) -> Self {
        let log = Arc::clone(&tree.lock().log);
        Self { tree, log }
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.tree.id
    }

    /// Returns its events.
    #[must_use]
    pub fn events(&self) -> Arc<EventLog> {
        Arc::clone(&self.log)
    }

    /// Returns its state.
    #[must_use]
    pub fn body(&self) -> TreeBody {
        body(&self.tree)
    }

    /// Returns a guard that stops it when it is dropped.
    #[must_use]
    pub fn cancel_on_drop(&self) -> CancelTreeOnDrop {
        CancelTreeOnDrop(self.clone())
    }

    /// Waits until it has ended, and its end is stored.
    pub async fn ended(&self) {
        ended(&self.log).await;
    }
}

/// A part of a tree: a task, and all that depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Branch<'a> {
    /// The id of the tree.
    pub tree: &'a str,
    /// The name of the task.
    pub task: &'a str,
}

impl Trees {
    pub(crate) fn new(core: TreeCore) -> Self {
        Self(Arc::new(core))
    }

    /// Checks whether the service begins new trees.
    ///
    /// # Errors
    ///
    /// If it is shutting down.
    pub fn check_open(&self) -> Result<(), ServiceError> {
        self.0.shutdown.check(NO_MORE)
    }

    /// Checks a new tree, which [`Trees::start`] then starts.
    ///
    /// # Errors
    ///
    /// If the tasks are invalid, or the caller is over a quota.
    pub async fn prepare(&self, caller: &Caller, new: NewTree) -> Result<TreeHandle, ServiceError> {
        caller.needs(Scope::Run)?;
        self.0.quotas.check(&caller.subject)?;
        let subject = caller.subject.clone();
        let turn = self.0.heavy.turn(&subject).await;
        let tree = turn.run(move || checked(subject, new)).await??;
        Ok(TreeHandle::new(Arc::new(tree)))
    }

    /// Stores a new tree, and starts its driver after that: whatever runs can always be found,
    /// counted and deleted.
    ///
    /// # Errors
    ///
    /// If the caller has too many unfinished trees, or the tree cannot be stored.
    pub async fn start(&self, caller: &Caller, tree: &TreeHandle) -> Result<(), ServiceError> {
        let (core, tree) = (Arc::clone(&self.0), Arc::clone(&tree.tree));
        self.0
            .detached
            .run(&caller.subject, async move { core.begin(tree).await })
            .await
    }

    /// Returns trees of the caller, the newest first, without their tasks.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn list(
        &self,
        caller: &Caller,
        before: Option<(i64, String)>,
        limit: u32,
    ) -> Result<Vec<ListedTree>, ServiceError> {
        let subject = caller.subject.clone();
        // Before the rows are in memory.
        let turn = self.0.heavy.turn(&subject).await;
        let limit = i64::from(limit);
        let rows = self.0.records.trees(subject.as_str(), before, limit);
        let rows = rows.await?;
        let core = Arc::clone(&self.0);
        let listed = move |row: TreeRow| ListedTree {
            created_ms: row.created_ms,
            body: match core.live.get(&subject, &row.id) {
                Some(tree) => summary(&tree, &tree.lock()),
                None => TreeBody {
                    progress: progress(kept_nodes(&row).unwrap_or_default().iter()),
                    id: row.id,
                    status: row.status,
                    subject: row.subject,
                    created_at: timestamp(row.created_ms),
                    ended_at: row.ended_ms.map(timestamp),
                    tasks: None,
                },
            },
        };
        turn.run(move || rows.into_iter().map(listed).collect())
            .await
    }

    /// Finds a tree of the caller.
    ///
    /// # Errors
    ///
    /// If there is none with this id, or the database cannot be read.
    pub async fn find(&self, caller: &Caller, id: &str) -> Result<TreeHandle, ServiceError> {
        Ok(TreeHandle::new(self.0.find(caller, id).await?))
    }

    /// Stops a tree for good and waits for its end, or deletes one that has ended.
    ///
    /// # Errors
    ///
    /// If there is none with this id, or another request is about to change it.
    pub async fn stop_or_delete(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<TreeBody, ServiceError> {
        let tree = self.0.find(caller, id).await?;
        if tree.lock().ended_ms.is_none() {
            // Its driver takes it to its end, even if the client disconnects.
            tree.give_up();
            let log = Arc::clone(&tree.lock().log);
            ended(&log).await;
            return Ok(body(&tree));
        }
        let core = Arc::clone(&self.0);
        let tree = self
            .0
            .detached
            .run(&caller.subject, async move { core.delete(tree).await })
            .await?;
        Ok(body(&tree))
    }

    /// Stops a branch of a tree.
    ///
    /// # Errors
    ///
    /// If there is none, or all of it has ended.
    pub async fn cancel_branch(
        &self,
        caller: &Caller,
        branch: Branch<'_>,
    ) -> Result<TreeBody, ServiceError> {
        let tree = self.0.find(caller, branch.tree).await?;
        let tasks = tree.plan.branch(tree.plan.find(branch.task)?);
        let is_over = {
            let state = tree.lock();
            let mut nodes = tasks.iter().map(|at| state.nodes.get(*at));
            nodes.all(|node| node.is_none_or(Node::is_over))
        };
        if is_over {
            return Err(ServiceError::new(
                Code::Ended,
                "the whole branch has ended before; there is nothing to stop",
            ));
        }
        tree.cancel(&tasks);
        Ok(body(&tree))
    }

    /// Retries a branch of a tree whose tasks have ended.
    ///
    /// # Errors
    ///
    /// If there is none, one of its tasks has not ended, or the caller has too many unfinished
    /// trees.
    pub async fn retry_branch(
        &self,
        caller: &Caller,
        branch: Branch<'_>,
    ) -> Result<TreeBody, ServiceError> {
        self.check_open()?;
        let tree = self.0.find(caller, branch.tree).await?;
        let at = tree.plan.find(branch.task)?;
        let core = Arc::clone(&self.0);
        let tree = self
            .0
            .detached
            .run(&caller.subject, async move { core.retry(tree, at).await })
            .await?;
        Ok(body(&tree))
    }

    /// Drops trees that ended long ago.
    pub(crate) fn forget(&self, now_ms: i64) {
        self.0.live.forget(now_ms);
    }

    /// Waits at shutdown until the trees are stored.
    pub(crate) async fn end(&self) {
        self.0.live.driven.close();
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, self.0.live.driven.wait()).await;
    }
}

/// A tree of a list.
pub struct ListedTree {
    /// The time of its request, in milliseconds since 1970.
    pub created_ms: i64,
    /// Its state, without its tasks.
    pub body: TreeBody,
}

/// Checks a new tree.
fn checked(subject: Subject, new: NewTree) -> Result<Tree, ServiceError> {
    let plan = Plan::new(new.request)?;
    for task in &plan.tasks {
        // A program that can never run is reported before anything runs.
        let read = task.execution.clone().into_request(subject.clone());
        read.map_err(|error| {
            ServiceError::new(Code::Invalid, format!("task `{}`: {error}", task.name))
        })?;
    }
    let mut charge = new.charge;
    charge.shrink_to(new.bytes);
    Ok(Tree::new(subject, plan, new.bytes, charge))
}

/// Returns the state of a tree, without its tasks.
fn summary(tree: &Tree, state: &TreeData) -> TreeBody {
    TreeBody {
        id: tree.id.clone(),
        status: state.status,
        subject: tree.subject.to_string(),
        created_at: timestamp(tree.created_ms),
        ended_at: state.ended_ms.map(timestamp),
        progress: progress(state.nodes.iter()),
        tasks: None,
    }
}

/// Returns the state of a tree, with its tasks.
fn body(tree: &Tree) -> TreeBody {
    let state = tree.lock();
    let nodes = &state.nodes;
    let branches = tree.plan.branch_progress(nodes);
    let task = |((at, task), progress): ((usize, &TaskRequest), Progress)| {
        let node = nodes.get(at)?;
        Some(TaskStatus {
            name: task.name.clone(),
            status: node.status,
            after: task.after.clone(),
            on_failure: task.on_failure,
            attempts: node.attempts,
            execution: node.execution.clone(),
            detail: node.detail.clone(),
            progress,
        })
    };
    let tasks = tree.plan.tasks.iter().enumerate().zip(branches);
    TreeBody {
        tasks: Some(tasks.filter_map(task).collect()),
        ..summary(tree, &state)
    }
}

/// Waits until the end of a log.
async fn ended(log: &Arc<EventLog>) {
    Arc::clone(log)
        .follow(0)
        .for_each(|_| std::future::ready(()))
        .await;
}

/// Waits until the end of a tree is stored that ended a moment ago.
async fn written(tree: &Tree) {
    let log = {
        let state = tree.lock();
        state.ended_ms.map(|_| Arc::clone(&state.log))
    };
    if let Some(log) = log {
        ended(&log).await;
    }
}

impl TreeCore {
    /// Finds a tree in this process, or loads it from the store.
    async fn find(&self, caller: &Caller, id: &str) -> Result<Arc<Tree>, ServiceError> {
        if let Some(tree) = self.live.get(&caller.subject, id) {
            return Ok(tree);
        }
        let missing = || ServiceError::not_found("task tree");
        if id.contains('\0') {
            return Err(missing());
        }
        // Before the plan is in memory.
        let turn = self.heavy.turn(&caller.subject).await;
        let row = self.records.tree(caller.subject.as_str(), id).await?;
        let row = row.ok_or_else(missing)?;
        let bytes = row.plan.as_deref().map_or(0, parsed_bytes);
        let charge = self.memory.take(&caller.subject, bytes)?;
        let kept = turn.run(move || {
            let tree = Tree::kept(row)?;
            tree.hold(charge);
            // No task drives it, so nothing follows.
            let log = Arc::clone(&tree.lock().log);
            log.end_tree(&body(&tree));
            Some(Arc::new(tree))
        });
        kept.await?
            .ok_or_else(|| ServiceError::internal(&"a kept task tree cannot be read"))
    }

    fn drive(self: &Arc<Self>, tree: &Arc<Tree>) {
        self.live.lock().insert(tree.id.clone(), Arc::clone(tree));
        self.live
            .driven
            .spawn(drive(Arc::clone(self), Arc::clone(tree)));
    }

    /// Returns the error of a plan that is not kept.
    fn no_room(&self, tree: &Tree, bytes: u64, reason: NotKept) -> ServiceError {
        let detail = |setting: &str| {
            format!(
                "there is no room to keep the {bytes} bytes of this plan (`{setting}`); `DELETE` what has ended"
            )
        };
        let setting = match reason {
            NotKept::Disk => "limits.disk_reserve",
            NotKept::Quota => match self.quotas.check_kept(&tree.subject, bytes) {
                Ok(()) => "limits.kept",
                Err(denial) => {
                    let detail = detail(&denial.rule);
                    return ServiceError::over_quota(Code::QuotaExceeded, detail, denial);
                }
            },
        };
        ServiceError::new(Code::QuotaExceeded, detail(setting))
    }

    /// Stores a new tree, and starts its driver after that.
    async fn begin(self: Arc<Self>, tree: Arc<Tree>) -> Result<(), ServiceError> {
        let first = tree.first_row();
        let bytes = u64::try_from(first.bytes).unwrap_or(0);
        let mut room = self.quotas.room(&tree.subject);
        room.try_take(bytes, 0)
            .map_err(|reason| self.no_room(&tree, bytes, reason))?;
        self.live
            .insert(&tree, &self.of_subjects.of(&tree.subject))?;
        // The record of its end omits the plan.
        if let Err(error) = self.records.put_tree(first).await {
            self.live.remove(&tree);
            let log = Arc::clone(&tree.lock().log);
            log.end_tree(&body(&tree));
            return Err(ServiceError::internal(&error));
        }
        room.keep();
        self.drive(&tree);
        Ok(())
    }

    /// Deletes a tree that has ended.
    ///
    /// A request that deletes or retries a tree claims it first; the database then decides, because
    /// only an ended tree is deleted there, and only an existing one is reopened. So its bytes are
    /// released exactly once.
    async fn delete(&self, tree: Arc<Tree>) -> Result<Arc<Tree>, ServiceError> {
        let tree = self.live.take_in(tree)?;
        written(&tree).await;
        tree.begin_to_delete()?;
        let deleted = self
            .delete_record(&tree)
            .await
            .inspect_err(|_| self.release(&tree))?;
        self.live.remove(&tree);
        let bytes = deleted.ok_or_else(|| ServiceError::not_found("task tree"))?;
        self.quotas
            .give_back(tree.subject.as_str(), u64::try_from(bytes).unwrap_or(0));
        Ok(tree)
    }

    async fn delete_record(&self, tree: &Tree) -> Result<Option<i64>, ServiceError> {
        let (subject, id) = (tree.subject.as_str(), tree.id.as_str());
        let deleted = self.records.delete_tree(subject, id).await?;
        if deleted.is_some() || tree.is_kept {
            return Ok(deleted);
        }
        // The database may not have accepted its end.
        self.records
            .put_tree(tree.row())
            .await
            .map_err(|error| ServiceError::internal(&error))?;
        Ok(self.records.delete_tree(subject, id).await?)
    }

    /// Releases a claim; the tree stays as it is.
    fn release(&self, tree: &Arc<Tree>) {
        tree.stays();
        self.live.let_go(tree);
    }

    /// Retries a branch of a tree.
    async fn retry(self: Arc<Self>, tree: Arc<Tree>, at: usize) -> Result<Arc<Tree>, ServiceError> {
        let tree = self.live.take_in(tree)?;
        if !tree.is_held() {
            let charge = self
                .memory
                .take(&tree.subject, tree.size)
                .inspect_err(|_| self.live.let_go(&tree))?;
            tree.hold(charge);
        }
        written(&tree).await;
        let tasks = tree.plan.branch(at);
        let retry = self
            .live
            .retry(&tree, &tasks, &self.of_subjects.of(&tree.subject))
            .inspect_err(|_| self.live.let_go(&tree))?;
        if retry == Retry::Claimed {
            let is_there = self
                .records
                .reopen_tree(tree.subject.as_str(), &tree.id)
                .await
                .inspect_err(|_| self.release(&tree))?;
            if !is_there {
                tree.goes();
                self.live.remove(&tree);
                return Err(ServiceError::not_found("task tree"));
            }
            tree.begin_again(&tasks);
            self.drive(&tree);
        }
        self.records
            .put_tree(tree.row())
            .await
            .map_err(|error| ServiceError::internal(&error))?;
        Ok(tree)
    }
}
