//! Limits on followers of events: which client may follow?

use super::lock;
use glovebox_policy::{Denial, Quota, Subject};
use glovebox_service::SubjectQuotas;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Limits the followers of events: all subjects together, and each one.
#[derive(Debug)]
pub(crate) struct Followers {
    all: usize,
    quotas: Arc<SubjectQuotas>,
    state: Mutex<(usize, HashMap<Subject, usize>)>,
}

/// The right to follow events; released on drop.
#[derive(Debug)]
pub(crate) struct FollowerPermit(Arc<Followers>, Subject);

/// The reason why a client may not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoFollower {
    /// All subjects together have reached this limit.
    All(usize),
    /// The subject has so many that one more is over its quota.
    Subject(usize, Box<Denial>),
}

impl Followers {
    /// `all` are the followers of all subjects together.
    pub(crate) fn new(all: usize, quotas: Arc<SubjectQuotas>) -> Arc<Self> {
        Arc::new(Self {
            all,
            quotas,
            state: Mutex::default(),
        })
    }

    /// Returns the right to follow, or why not.
    pub(crate) fn permit(
        self: &Arc<Self>,
        subject: &Subject,
    ) -> Result<FollowerPermit, NoFollower> {
        let quotas = self.quotas.of(subject);
        let (all, of_subject) = &mut *lock(&self.state);
        let own = of_subject.get(subject).copied().unwrap_or(0);
        if *all >= self.all {
            return Err(NoFollower::All(self.all));
        }
        quotas
            .check(Quota::Followers, own as u64, 1)
            .map_err(|denial| NoFollower::Subject(own, Box::new(denial)))?;
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
