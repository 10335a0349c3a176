//! Bindings of a config: which profiles may each subject use?

use std::collections::BTreeSet;

use super::lists::limited;
use super::quotas::validate_quotas;
use crate::config::rules::Binding;
use crate::config::schema::RawBinding;
use crate::config::spanned::Spanned;
use crate::names::{NamePattern, is_subject_byte};
use crate::problem::Problems;
use crate::text::quoted;

/// The maximum number of bindings.
const MAX_BINDINGS: usize = 5000;

pub(super) fn validate_bindings(
    raw: &[RawBinding],
    known: impl Fn(&Spanned<String>, &mut Problems<'_>) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Vec<Binding> {
    if let Some(first_extra) = raw.get(MAX_BINDINGS) {
        problems.add(
            &first_extra.subject.span(),
            format!("there are more than {MAX_BINDINGS} bindings"),
            None,
        );
    }
    let mut seen = BTreeSet::new();
    let mut bindings = Vec::new();
    for binding in raw.iter().take(MAX_BINDINGS) {
        let (text, span) = (binding.subject.get(), binding.subject.span());
        let Some(subject) = NamePattern::parse(text, is_subject_byte) else {
            let message = format!(
                "{} is not a subject, nor the start of one and `*`",
                quoted(text)
            );
            problems.add(&span, message, None);
            continue;
        };
        if !seen.insert(subject.clone()) {
            problems.add(
                &span,
                format!("subject {} is bound twice", quoted(text)),
                None,
            );
        }
        if binding.profiles.get().is_empty() {
            problems.add(
                &binding.profiles.span(),
                "a binding needs at least one profile",
                None,
            );
        }
        let profiles = limited(binding.profiles.get(), problems)
            .iter()
            .filter_map(|name| known(name, problems))
            .collect();
        bindings.push(Binding {
            subject,
            profiles,
            quotas: validate_quotas(&binding.quotas, problems),
        });
    }
    // Order in the file must not matter: exact names first, then the longest prefix.
    bindings.sort_by_key(|binding| match &binding.subject {
        NamePattern::Exact(_) => (0, 0),
        NamePattern::Prefix(prefix) => (1, usize::MAX - prefix.len()),
    });
    bindings
}
