//! Validated config: which profiles are there, and which of them may a subject use?

use std::collections::BTreeMap;
use std::sync::Arc;

use super::profile::Profile;
use crate::names::NamePattern;
use crate::request::Subject;

/// The profiles by name.
pub(crate) type Profiles = BTreeMap<String, Arc<Profile>>;

/// The profiles that a subject may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) subject: NamePattern,
    pub(crate) profiles: Vec<String>,
}

/// A validated config.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    pub(crate) default_profile: Option<String>,
    /// The most specific first.
    pub(crate) bindings: Vec<Binding>,
    pub(crate) profiles: Profiles,
}

impl Rules {
    /// Returns the most specific binding of a subject: its pattern, and the profiles.
    pub(crate) fn binding(&self, subject: &Subject) -> Option<(String, &[String])> {
        let binding = self
            .bindings
            .iter()
            .find(|binding| binding.subject.matches(subject.as_str()))?;
        Some((binding.subject.to_string(), &binding.profiles))
    }

    /// The profile of subjects that no binding matches, as the list that bindings have.
    pub(crate) fn default_profiles(&self) -> &[String] {
        self.default_profile.as_slice()
    }
}
