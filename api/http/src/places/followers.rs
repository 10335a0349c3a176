//! Limits on followers of events: which client may follow?

use super::lock;
use glovebox_policy::Subject;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Limits the followers of events: all subjects together, and each one.
#[derive(Debug)]
pub(crate) struct Followers {
    all: usize,
    of_subject: usize,
    state: Mutex<(usize, HashMap<Subject, usize>)>,
}

/// The right to follow events; released on drop.
#[derive(Debug)]
pub(crate) struct FollowerPermit(Arc<Followers>, Subject);

/// The reason why a client may not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoFollower {
    /// All subjects together have reached this limit.
    All(usize),
    /// The subject has reached this limit.
    Subject(usize),
}

impl Followers {
    pub(crate) fn new(all: usize, of_subject: usize) -> Arc<Self> {
        Arc::new(Self {
            all,
            of_subject,
            state: Mutex::default(),
        })
    }

    /// Returns the right to follow, or why not.
    pub(crate) fn permit(
        self: &Arc<Self>,
        subject: &Subject,
    ) -> Result<FollowerPermit, NoFollower> {
        let (all, of_subject) = &mut *lock(&self.state);
        let own = of_subject.get(subject).copied().unwrap_or(0);
        if *all >= self.all {
            return Err(NoFollower::All(self.all));
        }
        if own >= self.of_subject {
            return Err(NoFollower::Subject(self.of_subject));
        }
        *all += 1;
        of_subject.insert(subject.clone(), own + 1);
        Ok(FollowerPermit(Arc::clone(self), subject.clone()))
    }
}

impl Drop for FollowerPermit {
    fn drop(&mut self) {
        let (all, of_subject) = &mut *lock(&self.0.state);
        *all -= 1;
        super::one_less(of_subject, &self.1);
    }
}
