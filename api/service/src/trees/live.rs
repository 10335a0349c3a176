//! Trees of this process: which are there, and how many may be unfinished?

use super::claim::Retry;
use super::tree::Tree;
use crate::error::{Code, ServiceError};
use glovebox_policy::{Quota, Quotas, Subject};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Time during which an ended tree can be retried with its environment variables, and its events be
/// followed.
const CACHE_TTL_MS: i64 = 60 * 60 * 1000;

/// Maximum bytes of ended trees that are cached.
const MAX_CACHED_BYTES: usize = 64 << 20;

/// The trees of this process.
#[derive(Default)]
pub(crate) struct LiveTrees {
    trees: Mutex<HashMap<String, Arc<Tree>>>,
    pub(super) driven: TaskTracker,
}

impl LiveTrees {
    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Tree>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn get(&self, subject: &Subject, id: &str) -> Option<Arc<Tree>> {
        self.lock()
            .get(id)
            .filter(|tree| tree.subject == *subject)
            .cloned()
    }

    /// Adds a new tree, unless its subject has too many unfinished ones.
    pub(super) fn insert(&self, tree: &Arc<Tree>, quotas: &Quotas<'_>) -> Result<(), ServiceError> {
        let mut trees = self.lock();
        check_unfinished(&trees, quotas)?;
        trees.insert(tree.id.clone(), Arc::clone(tree));
        Ok(())
    }

    /// Adds a tree from the store. Returns the one that is there from now on: another request may
    /// have added it a moment ago.
    pub(super) fn take_in(&self, tree: Arc<Tree>) -> Result<Arc<Tree>, ServiceError> {
        let mut trees = self.lock();
        if let Some(there) = trees.get(&tree.id) {
            return Ok(Arc::clone(there));
        }
        // A request that has just loaded it from the store must not revive it.
        if tree.is_gone() {
            return Err(ServiceError::not_found("task tree"));
        }
        if tree.lock().ended_ms.is_none() {
            return Err(ServiceError::new(
                Code::Busy,
                "another process has the task tree under way; ask there",
            ));
        }
        trees.insert(tree.id.clone(), Arc::clone(&tree));
        Ok(tree)
    }

    /// Drops a tree from the store, unless another request claims or drives it.
    pub(super) fn let_go(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if tree.is_kept && tree.idle_since().is_some() && holds(&trees, tree) {
            trees.remove(&tree.id);
        }
    }

    /// Restarts tasks of a tree, or claims the tree for that; see [`Tree::retry`].
    pub(super) fn retry(
        &self,
        tree: &Tree,
        tasks: &[usize],
        quotas: &Quotas<'_>,
    ) -> Result<Retry, ServiceError> {
        let trees = self.lock();
        let has_ended = tree.lock().ended_ms.is_some();
        if has_ended {
            check_unfinished(&trees, quotas)?;
        }
        tree.retry(tasks)
    }

    /// Removes a tree that is not in the database, but not another one with that id, which is being
    /// retried.
    pub(super) fn remove(&self, tree: &Arc<Tree>) {
        let mut trees = self.lock();
        if holds(&trees, tree) {
            trees.remove(&tree.id);
        }
    }

    /// Drops trees that ended long ago, or exceed [`MAX_CACHED_BYTES`].
    pub(super) fn forget(&self, now_ms: i64) {
        let mut trees = self.lock();
        let idle = trees
            .values()
            .filter_map(|tree| Some((tree.idle_since()?, tree.id.clone(), tree.size)));
        let mut ended: Vec<_> = idle.collect();
        ended.sort();
        let mut bytes: usize = ended.iter().map(|(_, _, size)| size).sum();
        for (ended, id, size) in ended {
            if bytes > MAX_CACHED_BYTES || now_ms - ended > CACHE_TTL_MS {
                bytes -= size;
                trees.remove(&id);
            }
        }
    }
}

fn holds(trees: &HashMap<String, Arc<Tree>>, tree: &Arc<Tree>) -> bool {
    trees
        .get(&tree.id)
        .is_some_and(|there| Arc::ptr_eq(there, tree))
}

/// # Errors
///
/// If a subject has so many unfinished trees that it may start no further one.
fn check_unfinished(
    trees: &HashMap<String, Arc<Tree>>,
    quotas: &Quotas<'_>,
) -> Result<(), ServiceError> {
    let open = trees
        .values()
        .filter(|other| other.subject == *quotas.subject() && other.idle_since().is_none())
        .count();
    quotas
        .check(Quota::Trees, open as u64, 1)
        .map_err(|denial| {
            let detail = format!(
                "this key has {open} task trees under way, which is as many as it may (`{}`); wait for one, or cancel it",
                denial.rule
            );
            ServiceError::over_quota(Code::QueueFull, detail, denial)
                .retry_after(Duration::from_secs(5))
        })
}
