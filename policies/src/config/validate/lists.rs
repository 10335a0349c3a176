//! Lists of a config: how many entries may one have, and how is each parsed?

use std::ops::Range;

use crate::config::spanned::Spanned;
use crate::problem::Problems;
use crate::rule::ProfileKey;
use crate::text::{closest, quoted};

/// The maximum number of entries in one list or table.
const MAX_LIST: usize = 500;

/// Parses every line of a list; an invalid line is left out.
pub(super) fn parse_rules<T>(
    profile: &ProfileKey,
    key: &str,
    list: &[Spanned<String>],
    read: impl Fn(String, &str) -> Result<T, String>,
    problems: &mut Problems<'_>,
) -> Vec<T> {
    let mut rules = Vec::new();
    for (index, name) in limited(list, problems).iter().enumerate() {
        match read(profile.rule(&format!("{key}[{index}]")), name.get()) {
            Ok(rule) => rules.push(rule),
            Err(reason) => problems.add(
                &name.span(),
                format!("{}: {reason}", quoted(name.get())),
                None,
            ),
        }
    }
    rules
}

/// The list, or its start and a problem if it is too long.
pub(super) fn limited<'a, T>(
    list: &'a [Spanned<T>],
    problems: &mut Problems<'_>,
) -> &'a [Spanned<T>] {
    limited_by(list, Spanned::span, problems)
}

/// Like [`limited`], for entries without a [`Spanned`].
pub(super) fn limited_by<'a, T>(
    list: &'a [T],
    span: impl Fn(&T) -> Range<usize>,
    problems: &mut Problems<'_>,
) -> &'a [T] {
    if let Some(first_extra) = list.get(MAX_LIST) {
        problems.add(
            &span(first_extra),
            format!("a list has at most {MAX_LIST} entries"),
            None,
        );
    }
    list.get(..MAX_LIST).unwrap_or(list)
}

/// Reports a name that is none of the known ones.
pub(super) fn unknown_name(
    name: &Spanned<String>,
    noun: &str,
    known: &[&str],
    problems: &mut Problems<'_>,
) {
    let message = format!(
        "{} is not a {noun} (known: {})",
        quoted(name.get()),
        known.join(", ")
    );
    problems.add(
        &name.span(),
        message,
        closest(name.get(), known.iter().copied()).map(str::to_owned),
    );
}
