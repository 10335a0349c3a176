//! Validated config: which profiles are there, and which of them may a subject use?

use std::collections::BTreeMap;
use std::sync::Arc;

use super::profile::Profile;
use crate::names::NamePattern;
use crate::quotas::rules::QuotaRules;
use crate::request::Subject;

/// The profiles by name.
pub(crate) type Profiles = BTreeMap<String, Arc<Profile>>;

/// The profiles that a subject may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) subject: NamePattern,
    pub(crate) profiles: Vec<String>,
    pub(crate) quotas: QuotaRules,
}

/// A validated config.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) default_profile: Option<String>,
    /// The most specific first.
    pub(crate) bindings: Vec<Binding>,
    pub(crate) profiles: Profiles,
    /// The quotas of every subject whose binding does not set its own.
    pub(crate) quotas: QuotaRules,
    /// Whether any binding sets a quota: quotas are looked up far more often than decisions are
    /// made.
    pub(crate) has_bound_quotas: bool,
}

impl Rules {
    /// Returns the most specific binding of a subject.
    pub(crate) fn binding(&self, subject: &Subject) -> Option<&Binding> {
        self.bindings
            .iter()
            .find(|binding| binding.subject.matches(subject.as_str()))
    }

    /// Returns the binding whose quotas apply to a subject; `None` if no binding sets any.
    pub(crate) fn quota_binding(&self, subject: &Subject) -> Option<&Binding> {
        self.has_bound_quotas
            .then(|| self.binding(subject))
            .flatten()
    }

    /// The profile of subjects that no binding matches, as the list that bindings have.
    pub(crate) fn default_profiles(&self) -> &[String] {
        self.default_profile.as_slice()
    }
}
