//! Problems of a configuration: where is a mistake, and what would be valid there?

use super::super::{Config, ConfigError};
use glovebox_policy::{Problem, closest};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Samples of values, and the form that each is of. The first one that a key takes says what it is:
/// a list of keys with their forms would have to be kept up to date.
const FORMS: [(&str, &str); 7] = [
    ("\"?\"", "text in quotes"),
    (
        "\"16GiB\"",
        "a size: text with a unit, such as `\"16GiB\"` or `\"512MiB\"`",
    ),
    (
        "\"7d\"",
        "a retention period: text with a unit, such as `\"7d\"`",
    ),
    (
        "\"10s\"",
        "a duration: text with a unit, such as `\"10s\"` or `\"500ms\"`",
    ),
    ("10", "a whole number without quotes, such as `10`"),
    ("true", "`true` or `false`, without quotes"),
    ("[\"run\"]", "a list in brackets, such as `[\"a\", \"b\"]`"),
];

impl ConfigError {
    /// Returns the problem, with its position in the text that was parsed and the key that it is
    /// about. `origin` is the name of the text, such as a file name.
    #[must_use]
    pub fn problem(&self, origin: &str, text: &str) -> Problem {
        let (line, column, message, suggestion) = match self {
            Self::Value {
                line,
                column,
                message,
            } => (*line, *column, message.clone(), None),
            Self::Text(error) => {
                let span = error.span().unwrap_or_default();
                let (line, column) = super::line_and_column(text, span.start);
                let (message, suggestion) = described(error.message(), text, &span);
                (line, column, message, suggestion)
            }
        };
        Problem {
            origin: origin.to_owned(),
            line,
            column,
            message,
            suggestion,
        }
    }
}

/// Returns the message of a mistake at a place of the text, and the likely replacement.
fn described(message: &str, text: &str, span: &Range<usize>) -> (String, Option<String>) {
    let table = DeTable::parse(text).ok();
    let path = table.and_then(|table| path_at(table.get_ref(), span.start));
    let Some(key) = path.map(|path| path.join(".")) else {
        return (message.to_owned(), None);
    };
    if message.starts_with("unknown field `") {
        let what = format!("there is no key `{key}`");
        return chosen(message, what, "the keys there are");
    }
    if message.starts_with("unknown variant `") {
        let what = format!("that is no value of `{key}`");
        return chosen(message, what, "its values are");
    }
    if let Some(missing) = message.strip_prefix("missing field ") {
        return (format!("`{key}` needs the key {missing}"), None);
    }
    if let Some(found) = message.strip_prefix("invalid type: ")
        && let Some((_, form)) = FORMS.iter().find(|(sample, _)| takes(text, span, sample))
    {
        let found = found.split(", expected").next().unwrap_or(found);
        return (format!("`{key}` is {form}, not {found}"), None);
    }
    (format!("`{key}`: {message}"), None)
}

/// Returns a message about a wrong word, and the known word that is close to it, or else all of
/// them. The parser's message quotes the wrong one first, then those that it knows.
fn chosen(message: &str, what: String, known_are: &str) -> (String, Option<String>) {
    let mut words = message.split('`').skip(1).step_by(2);
    let wrong = words.next().unwrap_or_default();
    let known: Vec<&str> = words.collect();
    match closest(wrong, known.iter().copied()) {
        Some(close) => (what, Some(close.to_owned())),
        None => (format!("{what}; {known_are} {}", known.join(", ")), None),
    }
}

/// Returns whether a value could be read in place of the one at `span`.
fn takes(text: &str, span: &Range<usize>, value: &str) -> bool {
    let (Some(before), Some(after)) = (text.get(..span.start), text.get(span.end..)) else {
        return false;
    };
    match toml::from_str::<Config>(&[before, value, after].concat()) {
        Ok(_) => true,
        // Another mistake may be before it or behind it.
        Err(error) => error.span().is_none_or(|found| found.start != span.start),
    }
}

/// Returns the keys that lead to the key or value at a position.
fn path_at(table: &DeTable<'_>, at: usize) -> Option<Vec<String>> {
    table.iter().find_map(|(key, value)| {
        let is_here = key.span().contains(&at) || value.span().contains(&at);
        let mut path = path_in(value.get_ref(), at).or(is_here.then(Vec::new))?;
        path.insert(0, key.get_ref().to_string());
        Some(path)
    })
}

fn path_in(value: &DeValue<'_>, at: usize) -> Option<Vec<String>> {
    match value {
        DeValue::Table(table) => path_at(table, at),
        DeValue::Array(values) => values.iter().find_map(|value| {
            let is_here = value.span().contains(&at);
            path_in(value.get_ref(), at).or(is_here.then(Vec::new))
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_names_its_place_its_key_and_what_would_be_valid() {
        for (text, says) in [
            (
                "[limits]\nmemroy = \"1GiB\"",
                "c.toml:2:1: there is no key `limits.memroy`; did you mean `memory`?",
            ),
            (
                "[limts]\nmemory = \"1GiB\"",
                "c.toml:1:2: there is no key `limts`; did you mean `limits`?",
            ),
            (
                "[audit]\nfile = \"x\"",
                "c.toml:2:1: there is no key `audit.file`; the keys there are key_file",
            ),
            (
                "[limits]\nmemory = 16",
                "c.toml:2:10: `limits.memory` is a size: text with a unit, such as `\"16GiB\"` \
                 or `\"512MiB\"`, not integer `16`",
            ),
            (
                "limits = { head_time = 5 }",
                "c.toml:1:24: `limits.head_time` is a duration: text with a unit",
            ),
            (
                "[retention]\naudit = 3",
                "c.toml:2:9: `retention.audit` is a retention period: text with a unit",
            ),
            (
                "[limits]\nqueue = \"3\"",
                "c.toml:2:9: `limits.queue` is a whole number without quotes",
            ),
            (
                "[containers]\nenabled = \"yes\"",
                "`containers.enabled` is `true` or `false`, without quotes, not string \"yes\"",
            ),
            (
                "hosts = \"a.example.org\"",
                "c.toml:1:9: `hosts` is a list in brackets",
            ),
            (
                "[telemetry]\notlp = 3",
                "`telemetry.otlp` is text in quotes, not integer `3`",
            ),
            (
                "[limits]\nmemory = \"16G\"",
                "c.toml:2:10: `limits.memory`: `16G` has an unknown unit",
            ),
            (
                "[tls]\nkey = \"k.pem\"",
                "`tls` needs the key `certificate`",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"denid\"",
                "c.toml:3:6: that is no value of `alerts.on`; did you mean `denied`?",
            ),
            (
                "[limits]\nmemory = \"1GiB\"\nmemory_per_subject = \"2GiB\"",
                "c.toml:3:22: `limits.memory_per_subject` is 2147483648 bytes",
            ),
            ("[limits", "c.toml:1:8: "),
        ] {
            let error = Config::parse(text).unwrap_err();
            let problem = error.problem("c.toml", text).to_string();
            assert!(problem.contains(says), "{text}: {problem}");
        }
    }
}
