//! Claims on ended trees: which request may retry or delete one?
//!
//! A request that retries or deletes a tree claims it first, then changes the database, and goes on from there. No other request changes
//! the tree meanwhile.

use super::{Node, Problem, RUNNING, State, Tree};
use crate::http::problem::Code;
use std::sync::{Arc, MutexGuard};

/// The intent of a request with a tree that has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Delete,
    Retry,
}

impl Claim {
    fn problem(self) -> Problem {
        match self {
            Self::Delete => Problem::not_found("task tree"),
            Self::Retry => Problem::new(
                Code::Busy,
                "the task tree is being tried again; wait for it, or cancel it first",
            ),
        }
    }
}

impl Tree {
    /// Returns when it ended, unless a request is about to retry or delete it.
    pub(in crate::http::trees) fn idle_since(&self) -> Option<i64> {
        let state = self.lock();
        state.ended_ms.filter(|_| state.claim.is_none())
    }

    /// Claims an ended tree for deletion.
    ///
    /// # Errors
    ///
    /// If another request has claimed it, or it is running again.
    pub(in crate::http::trees) fn begin_to_delete(&self) -> Result<(), Problem> {
        let mut state = self.lock();
        if let Some(claim) = state
            .claim
            .or(state.ended_ms.is_none().then_some(Claim::Retry))
        {
            return Err(claim.problem());
        }
        state.claim = Some(Claim::Delete);
        Ok(())
    }

    /// Whether it was deleted, or is about to be.
    pub(in crate::http::trees) fn is_gone(&self) -> bool {
        self.lock().claim == Some(Claim::Delete)
    }

    /// Records that it was deleted from the database.
    pub(in crate::http::trees) fn goes(&self) {
        self.lock().claim = Some(Claim::Delete);
    }

    /// Releases the claim.
    pub(in crate::http::trees) fn stays(&self) {
        self.lock().claim = None;
    }

    /// Restarts ended tasks. A tree that has ended is claimed for that, and `true` is returned: once it is reopened in the database,
    /// [`Tree::begin_again`] goes on from there.
    ///
    /// # Errors
    ///
    /// If one of them cannot be restarted.
    pub(in crate::http::trees) fn retry(&self, tasks: &[usize]) -> Result<bool, Problem> {
        let mut state = self.lock();
        let chosen = |state: &State, is_wanted: &dyn Fn(&Node) -> bool| {
            tasks
                .iter()
                .any(|at| state.nodes.get(*at).is_some_and(is_wanted))
        };
        let is_stopping = state.stopped.is_some() && state.ended_ms.is_none();
        if is_stopping || chosen(&state, &|node| !node.is_over()) {
            return Err(Problem::new(
                Code::Busy,
                "the task, or one that comes after it, has not ended; cancel it first",
            ));
        }
        if let Some(claim) = state.claim {
            return Err(claim.problem());
        }
        if chosen(&state, &|node| node.is_dropped) {
            let detail = "the task tree was stopped with `DELETE`, and its programs are not kept after that; make the tree anew";
            return Err(Problem::new(Code::Ended, detail));
        }
        if self.is_kept && chosen(&state, &|node| node.has_environment) {
            let detail = "a task of the branch has environment variables, which are not kept for so long; make the tree anew";
            return Err(Problem::new(Code::Ended, detail));
        }
        if state.ended_ms.is_some() {
            state.claim = Some(Claim::Retry);
            return Ok(true);
        }
        self.anew(state, tasks);
        Ok(false)
    }

    /// Restarts tasks of a tree that was claimed for it; the caller has to start a driver.
    pub(in crate::http::trees) fn begin_again(&self, tasks: &[usize]) {
        let mut state = self.lock();
        state.claim = None;
        state.ended_ms = None;
        state.log = Arc::default();
        state.stopped = None;
        state.is_given_up = false;
        state.status = RUNNING.to_owned();
        self.anew(state, tasks);
    }

    fn anew(&self, mut state: MutexGuard<'_, State>, tasks: &[usize]) {
        for at in tasks {
            state.unwanted.remove(at);
            self.set(&mut state, *at, |node| {
                *node = Node {
                    attempts: node.attempts,
                    ..Node::new(node.has_environment)
                }
            });
        }
        drop(state);
        self.changed.notify_one();
    }
}
