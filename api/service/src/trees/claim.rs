//! Claims on ended trees: which request may retry or delete one?
//!
//! A request that retries or deletes a tree claims it first, then changes the database, and goes on
//! from there. No other request changes the tree meanwhile.

use super::tree::{Node, Tree, TreeData};
use crate::error::{Code, ServiceError};
use crate::events::EventLog;
use glovebox_wire::tree::TreeState;
use std::sync::{Arc, MutexGuard};

/// The intent of a request with a tree that has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TreeClaim {
    Delete,
    Retry,
}

/// The result of restarting tasks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    /// The driver of the tree goes on with them.
    Begun,
    /// The tree has ended, and is claimed to be reopened.
    Claimed,
}

impl TreeClaim {
    fn error(self) -> ServiceError {
        match self {
            Self::Delete => ServiceError::not_found("task tree"),
            Self::Retry => ServiceError::new(
                Code::Busy,
                "the task tree is being tried again; wait for it, or cancel it first",
            ),
        }
    }
}

impl Tree {
    /// Returns when it ended, unless a request is about to retry or delete it.
    pub(super) fn idle_since(&self) -> Option<i64> {
        let state = self.lock();
        state.ended_ms.filter(|_| state.claim.is_none())
    }

    /// Claims an ended tree for deletion.
    ///
    /// # Errors
    ///
    /// If another request has claimed it, or it is running again.
    pub(super) fn begin_to_delete(&self) -> Result<(), ServiceError> {
        let mut state = self.lock();
        if let Some(claim) = state
            .claim
            .or(state.ended_ms.is_none().then_some(TreeClaim::Retry))
        {
            return Err(claim.error());
        }
        state.claim = Some(TreeClaim::Delete);
        Ok(())
    }

    /// Whether it was deleted, or is about to be.
    pub(super) fn is_gone(&self) -> bool {
        self.lock().claim == Some(TreeClaim::Delete)
    }

    /// Records that it was deleted from the database.
    pub(super) fn goes(&self) {
        self.lock().claim = Some(TreeClaim::Delete);
    }

    /// Releases the claim.
    pub(super) fn stays(&self) {
        self.lock().claim = None;
    }

    /// Restarts ended tasks. A tree that has ended is claimed for that: once it is reopened in the
    /// database, [`Tree::begin_again`] goes on from there.
    ///
    /// # Errors
    ///
    /// If one of them cannot be restarted.
    pub(super) fn retry(&self, tasks: &[usize]) -> Result<Retry, ServiceError> {
        let mut state = self.lock();
        let chosen = |state: &TreeData, is_wanted: &dyn Fn(&Node) -> bool| {
            tasks
                .iter()
                .any(|at| state.nodes.get(*at).is_some_and(is_wanted))
        };
        let is_stopping = state.stopped.is_some() && state.ended_ms.is_none();
        if is_stopping || chosen(&state, &|node| !node.is_over()) {
            return Err(ServiceError::new(
                Code::Busy,
                "the task, or one that comes after it, has not ended; cancel it first",
            ));
        }
        if let Some(claim) = state.claim {
            return Err(claim.error());
        }
        if chosen(&state, &|node| node.is_dropped) {
            let detail = "the task tree was stopped with `DELETE`, and its programs are not kept after that; make the tree anew";
            return Err(ServiceError::new(Code::Ended, detail));
        }
        if self.is_kept && chosen(&state, &|node| node.has_environment) {
            let detail = "a task of the branch has environment variables, which are not kept for so long; make the tree anew";
            return Err(ServiceError::new(Code::Ended, detail));
        }
        if state.ended_ms.is_some() {
            state.claim = Some(TreeClaim::Retry);
            return Ok(Retry::Claimed);
        }
        self.anew(state, tasks);
        Ok(Retry::Begun)
    }

    /// Restarts tasks of a tree that was claimed for it; the caller has to start a driver.
    pub(super) fn begin_again(&self, tasks: &[usize]) {
        let mut state = self.lock();
        state.claim = None;
        state.ended_ms = None;
        state.log = state
            .charge
            .as_ref()
            .map_or_else(Arc::default, EventLog::beside);
        state.stopped = None;
        state.is_given_up = false;
        state.status = TreeState::Running;
        self.anew(state, tasks);
    }

    fn anew(&self, mut state: MutexGuard<'_, TreeData>, tasks: &[usize]) {
        for at in tasks {
            state.unwanted.remove(at);
            self.set(&mut state, *at, |node| {
                *node = Node {
                    attempts: node.attempts,
                    has_environment: node.has_environment,
                    ..Node::waiting()
                }
            });
        }
        drop(state);
        self.changed.notify_one();
    }
}
