//! Quotas of subjects: which does each one have, by the policy or by a setting?
//!
//! The policy's own take precedence; `[limits]` of the config apply to all other subjects. The
//! bounds of the whole machine are not here: they hold whatever a subject may have.

use crate::config::ServiceLimits;
use glovebox_policy::{Policy, Quota, QuotaSettings, Quotas, Subject};
use std::sync::Arc;

/// Share of the largest storage quota that a subject has by default: one part in so many.
const KEPT_SHARE: u64 = 4;

/// The largest storage and audit quota that a subject has by default: 1 GiB.
const MAX_DEFAULT_BYTES: u64 = 1 << 30;

/// The quotas of all subjects.
#[derive(Debug)]
pub struct SubjectQuotas {
    policy: Policy,
    settings: QuotaSettings,
}

/// The sizes of the machine, of which default settings are shares.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MachineSizes {
    /// Bytes of memory for all subjects together.
    pub(crate) memory: u64,
    /// Bytes of the file system of the state folder.
    pub(crate) disk: u64,
}

impl MachineSizes {
    /// Returns the bytes that all subjects together may keep.
    pub(crate) fn kept(self, limits: &ServiceLimits) -> u64 {
        limits.kept.map_or(self.disk / 2, |bytes| bytes as u64)
    }
}

impl SubjectQuotas {
    /// Combines the quotas of a policy with settings that apply where it sets none.
    #[must_use]
    pub fn new(policy: Policy, settings: QuotaSettings) -> Arc<Self> {
        Arc::new(Self { policy, settings })
    }

    /// Returns the quotas of a subject.
    #[must_use]
    pub fn of<'a>(&'a self, subject: &'a Subject) -> Quotas<'a> {
        self.policy.quotas(subject).or(&self.settings)
    }
}

/// Returns the number of executions that a subject may have running at once; further ones wait.
pub(crate) fn max_running(quotas: &Quotas<'_>) -> usize {
    let most = quotas.get(Quota::Running);
    most.map_or(usize::MAX, |most| {
        usize::try_from(most).unwrap_or(usize::MAX)
    })
}

/// Returns the quotas that the config of a service sets for every subject.
pub(crate) fn settings(limits: &ServiceLimits, sizes: MachineSizes) -> QuotaSettings {
    let bytes = |setting: Option<usize>, default: u64| setting.map_or(default, |set| set as u64);
    let requests = limits
        .connections_per_subject
        .unwrap_or((limits.connections / 2).max(1));
    let followers = limits
        .followers_per_subject
        .unwrap_or(limits.followers.div_ceil(4));
    let kept = MAX_DEFAULT_BYTES.min(sizes.kept(limits) / KEPT_SHARE);
    let audit = MAX_DEFAULT_BYTES.min(sizes.disk / 16).max(1 << 20);
    let rows = [
        (
            Quota::Running,
            limits.running_per_subject as u64,
            "limits.running_per_subject",
        ),
        (
            Quota::Queued,
            limits.queue_per_subject as u64,
            "limits.queue_per_subject",
        ),
        (
            Quota::Sessions,
            limits.sessions_per_subject as u64,
            "limits.sessions_per_subject",
        ),
        (
            Quota::Trees,
            limits.trees_per_subject as u64,
            "limits.trees_per_subject",
        ),
        (
            Quota::Requests,
            requests as u64,
            "limits.connections_per_subject",
        ),
        (
            Quota::Followers,
            followers as u64,
            "limits.followers_per_subject",
        ),
        (
            Quota::Memory,
            bytes(limits.memory_per_subject, sizes.memory / 2).min(sizes.memory),
            "limits.memory_per_subject",
        ),
        (
            Quota::Kept,
            bytes(limits.kept_per_subject, kept),
            "limits.kept_per_subject",
        ),
        (
            Quota::PackagesPerHour,
            limits.packages_per_subject as u64,
            "limits.packages_per_subject",
        ),
        (
            Quota::AuditPerHour,
            bytes(limits.audit_per_subject, audit),
            "limits.audit_per_subject",
        ),
    ];
    let settings = rows
        .into_iter()
        .fold(QuotaSettings::default(), |settings, (quota, most, name)| {
            settings.with(quota, most, name)
        });
    match limits.requests_per_second {
        Some(rate) => settings.with(
            Quota::RequestsPerSecond,
            rate.into(),
            "limits.requests_per_second",
        ),
        None => settings,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_config_apply_where_the_policy_sets_nothing() {
        let sizes = MachineSizes {
            memory: 8 << 30,
            disk: 64 << 30,
        };
        let limits = ServiceLimits {
            sessions_per_subject: 3,
            ..ServiceLimits::default()
        };
        let policy = Policy::check(
            "version = 1\n[quotas]\nqueued = 7\n[[bindings]]\nsubject = \"key:ci-*\"\nprofiles = [\"offline\"]\nquotas = { queued = 9, memory = \"16GiB\" }\n",
        )
        .unwrap();
        let quotas = SubjectQuotas::new(policy, settings(&limits, sizes));
        let of = |name: &str, quota| quotas.of(&Subject::new(name).unwrap()).get(quota);
        for (name, quota, most) in [
            ("a", Quota::Queued, Some(7)),
            ("key:ci-1", Quota::Queued, Some(9)),
            ("a", Quota::Sessions, Some(3)),
            ("key:ci-1", Quota::Sessions, Some(3)),
            ("a", Quota::Memory, Some(4 << 30)),
            ("key:ci-1", Quota::Memory, Some(16 << 30)),
            ("a", Quota::Kept, Some(1 << 30)),
            ("a", Quota::AuditPerHour, Some(1 << 30)),
            ("a", Quota::Requests, Some(1000)),
            ("a", Quota::Followers, Some(125)),
            ("a", Quota::RequestsPerSecond, None),
        ] {
            assert_eq!(of(name, quota), most, "{name} {quota}");
        }
    }
}
