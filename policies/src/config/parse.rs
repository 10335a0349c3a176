//! TOML parser of a config with error recovery: how are all of its problems reported at once?
//!
//! Deserialization stops at the first error. So the offending entry is removed and the rest
//! deserialized again, until nothing is wrong or enough was reported. The TOML parser bounds
//! nesting (80 levels), [`MAX_TEXT`] bounds the text.

use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::schema::RawPolicy;
use crate::problem::Problems;
use crate::text::{closest, quoted};

/// The maximum size of a config in bytes: 1 MiB. Protects the host from an untrusted config; a
/// written policy has a few KiB.
pub const MAX_TEXT: usize = 1 << 20;

/// Maximum rounds of error recovery; bounds the work on a text that is wrong everywhere.
const MAX_ROUNDS: usize = 20;

/// Parses a text; `None` if it cannot be used at all. Its problems are added to `problems`.
pub(crate) fn parse(text: &str, problems: &mut Problems<'_>) -> Option<RawPolicy> {
    parse_as(text, problems)
}

/// Parses a text as any raw structure.
pub(crate) fn parse_as<T: for<'de> Deserialize<'de>>(
    text: &str,
    problems: &mut Problems<'_>,
) -> Option<T> {
    if text.len() > MAX_TEXT {
        problems.add(
            &(0..0),
            format!(
                "the text has {} bytes, more than the {MAX_TEXT} that are read",
                text.len()
            ),
            None,
        );
        return None;
    }
    let mut table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            problems.add(
                &error.span().unwrap_or_default(),
                one_line(error.message()),
                None,
            );
            return None;
        }
    };
    for _ in 0..MAX_ROUNDS {
        let error = match T::deserialize(toml::de::Deserializer::from(table.clone())) {
            Ok(raw) => return Some(raw),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_default();
        let (message, suggestion) = plain_words(error.message());
        problems.add(&span, message, suggestion);
        if problems.is_full() || !remove_from_table(table.get_mut(), &span) {
            return None;
        }
    }
    None
}

/// Removes the entry whose key or value has exactly this span; returns whether there was one.
fn remove_from_table(table: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    let here = table
        .iter()
        .find(|(key, value)| key.span() == *span || value.span() == *span);
    if let Some(key) = here.map(|(key, _)| key.get_ref().to_string()) {
        return table.remove(key.as_str()).is_some();
    }
    table
        .iter_mut()
        .any(|(_, value)| remove_from_value(value.get_mut(), span))
}

fn remove_from_value(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => remove_from_table(table, span),
        DeValue::Array(array) => {
            if array.iter().any(|item| item.span() == *span) {
                let mut kept = toml::de::DeArray::new();
                array
                    .iter()
                    .filter(|item| item.span() != *span)
                    .for_each(|item| kept.push(item.clone()));
                *array = kept;
                return true;
            }
            array
                .iter_mut()
                .any(|item| remove_from_value(item.get_mut(), span))
        }
        _ => false,
    }
}

/// Translates a message of the deserializer into the terms of this format, with the key that may
/// have been meant.
fn plain_words(message: &str) -> (String, Option<String>) {
    let message = one_line(message);
    if let Some(rest) = message.strip_prefix("unknown field `")
        && let Some((key, known)) = rest
            .rsplit_once("`, expected ")
            .or(rest.rsplit_once("`, there are no fields"))
    {
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        let suggestion = closest(key, known.iter().copied()).map(str::to_owned);
        let list = if suggestion.is_none() {
            format!(" (known: {})", known.join(", "))
        } else {
            String::new()
        };
        return (format!("unknown key {}{list}", quoted(key)), suggestion);
    }
    (message.replacen("missing field", "missing key", 1), None)
}

/// The parser's message as one line that is safe to print: it may repeat parts of the text.
fn one_line(message: &str) -> String {
    message
        .chars()
        .take(400)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
