//! Environment of a profile: which variables does it set, and which may a request set?

use super::lists::{limited, limited_by};
use crate::config::profile::EnvironmentRules;
use crate::config::schema::RawEnvironment;
use crate::names::{NamePattern, is_variable_byte, is_variable_name};
use crate::problem::Problems;
use crate::text::quoted;

pub(super) fn validate_environment(
    rules: &mut EnvironmentRules,
    raw: &RawEnvironment,
    problems: &mut Problems<'_>,
) {
    let set: Vec<_> = raw.set.iter().flatten().collect();
    for (name, value) in limited_by(&set, |(name, _)| name.span(), problems) {
        if !is_variable_name(name.get()) {
            problems.add(
                &name.span(),
                format!("{} is not a variable's name", quoted(name.get())),
                None,
            );
        } else if value.get().contains('\0') {
            problems.add(
                &value.span(),
                "a variable's value must not hold a zero byte",
                None,
            );
        } else {
            rules.set.insert(name.get().clone(), value.get().clone());
        }
    }
    let Some(allow) = &raw.allow else { return };
    rules.allow.clear();
    for pattern in limited(allow, problems) {
        match NamePattern::parse(pattern.get(), is_variable_byte) {
            Some(parsed) => rules.allow.push(parsed),
            None => {
                let message = format!(
                    "{} is not a variable's name, nor the start of one and `*`",
                    quoted(pattern.get())
                );
                problems.add(&pattern.span(), message, None);
            }
        }
    }
}
