//! Rate limit of requests: has a subject sent more in a second than it may?

use crate::error::{Code, ServiceError};
use crate::subject_quotas::SubjectQuotas;
use glovebox_policy::{Quota, Subject};
use governor::DefaultKeyedRateLimiter;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The requests of all subjects that have a rate limit.
pub(super) struct RateLimiter {
    quotas: Arc<SubjectQuotas>,
    /// A limiter for each rate that some subject has: as many as the policy and the config name.
    by_rate: RwLock<HashMap<NonZeroU32, Arc<DefaultKeyedRateLimiter<Subject>>>>,
}

impl RateLimiter {
    pub(super) fn new(quotas: Arc<SubjectQuotas>) -> Self {
        Self {
            quotas,
            by_rate: RwLock::default(),
        }
    }

    /// Counts a request of a subject.
    ///
    /// # Errors
    ///
    /// If it has sent more than it may.
    pub(super) fn check(&self, subject: &Subject) -> Result<(), ServiceError> {
        let quotas = self.quotas.of(subject);
        let Some(most) = quotas.get(Quota::RequestsPerSecond) else {
            return Ok(());
        };
        let rate = u32::try_from(most).unwrap_or(u32::MAX);
        let Some(rate) = NonZeroU32::new(rate) else {
            return Ok(());
        };
        if self.limiter(rate).check_key(subject).is_ok() {
            return Ok(());
        }
        // The limiter has counted as many as the subject may have.
        quotas
            .check(Quota::RequestsPerSecond, most, 1)
            .map_err(|denial| {
                let detail = format!(
                    "this key has sent more requests than it may in a second: {most} (`{}`)",
                    denial.rule
                );
                ServiceError::over_quota(Code::RateLimited, detail, denial)
                    .retry_after(Duration::from_secs(1))
            })
    }

    fn limiter(&self, rate: NonZeroU32) -> Arc<DefaultKeyedRateLimiter<Subject>> {
        let known = self.by_rate.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limiter) = known.get(&rate) {
            return Arc::clone(limiter);
        }
        drop(known);
        let mut limiters = self.by_rate.write().unwrap_or_else(PoisonError::into_inner);
        let limiter = limiters.entry(rate).or_insert_with(|| {
            Arc::new(governor::RateLimiter::keyed(governor::Quota::per_second(
                rate,
            )))
        });
        Arc::clone(limiter)
    }

    /// Drops the counts of subjects that have not called for a while.
    pub(super) fn forget(&self) {
        let limiters = self.by_rate.read().unwrap_or_else(PoisonError::into_inner);
        for limiter in limiters.values() {
            limiter.retain_recent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::{Policy, QuotaSettings};

    #[test]
    fn a_rate_of_the_policy_applies_to_its_subjects_alone() {
        let policy = "version = 1\n[[bindings]]\nsubject = \"slow\"\nprofiles = [\"offline\"]\nquotas = { requests_per_second = 2 }\n";
        let settings = QuotaSettings::default().with(
            Quota::RequestsPerSecond,
            5,
            "limits.requests_per_second",
        );
        let quotas = SubjectQuotas::new(Policy::check(policy).unwrap(), settings);
        let limiter = RateLimiter::new(quotas);
        for (name, most, rule) in [
            ("slow", 2, "bindings.\"slow\".quotas.requests_per_second"),
            ("other", 5, "limits.requests_per_second"),
        ] {
            let subject = Subject::new(name).unwrap();
            // One more may have come in as time went by.
            let refused = (0..most + 2).find_map(|_| limiter.check(&subject).err());
            let refused = refused.unwrap();
            assert_eq!(refused.code(), Code::RateLimited);
            assert_eq!(
                refused.refusal().map(|denial| denial.rule.as_str()),
                Some(rule)
            );
        }
        let unlimited = SubjectQuotas::new(Policy::builtin(), QuotaSettings::default());
        let limiter = RateLimiter::new(unlimited);
        assert!((0..1000).all(|_| limiter.check(&Subject::local()).is_ok()));
    }
}
