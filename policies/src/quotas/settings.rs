//! Settings of a service: which quotas apply where the policy sets none?

use std::collections::BTreeMap;

use super::rules::Quota;

/// The quotas that a service sets for every subject, each with the name of its setting. A quota of
/// the policy takes precedence.
#[derive(Debug, Clone, Default)]
pub struct QuotaSettings(BTreeMap<Quota, (u64, &'static str)>);

impl QuotaSettings {
    /// Sets a quota in its unit; `setting` is its name in denials, such as
    /// `limits.queue_per_subject`.
    #[must_use]
    pub fn with(mut self, quota: Quota, most: u64, setting: &'static str) -> Self {
        self.0.insert(quota, (most, setting));
        self
    }

    pub(super) fn get(&self, quota: Quota) -> Option<(u64, &'static str)> {
        self.0.get(&quota).copied()
    }
}
