//! Escaping of untrusted text in messages: how is it shown safely?
//!
//! Names, hosts and paths come from requests and running programs and end in logs and on terminals,
//! so they are escaped against log and terminal injection and truncated here, once, before they
//! enter any message.

use std::fmt::Write;

/// The maximum length of untrusted text in a message, in characters; protects logs from flooding.
const MAX_SHOWN: usize = 120;

/// Quotes the text in backticks, with control and invisible characters escaped and the rest
/// truncated.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_SHOWN) + 2);
    out.push('`');
    push_escaped(&mut out, text);
    out.push('`');
    out
}

/// Formats the text as a TOML basic string, truncated like [`quoted`].
pub(crate) fn toml_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().take(MAX_SHOWN) {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            c if is_plain(c) => out.push(c),
            // Writing to a string cannot fail.
            c => drop(write!(out, "\\U{:08X}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Formats a TOML array of strings on one line.
pub(crate) fn toml_strings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| toml_string(item.as_ref()))
        .collect();
    format!("[{}]", items.join(", "))
}

/// Formats a TOML key: bare if possible, else quoted.
pub(crate) fn toml_key(text: &str) -> String {
    let bare = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare {
        text.to_owned()
    } else {
        toml_string(text)
    }
}

fn push_escaped(out: &mut String, text: &str) {
    for (index, character) in text.chars().enumerate() {
        if index == MAX_SHOWN {
            out.push('…');
            return;
        }
        match character {
            '`' => out.push_str("\\`"),
            c if is_plain(c) => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
}

/// Returns whether a character is printable: no control, no bidirectional override, no zero-width
/// and no tag character.
fn is_plain(character: char) -> bool {
    !character.is_control()
        && !matches!(u32::from(character),
            0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFE00..=0xFE0F | 0xFEFF
            | 0xFFF0..=0xFFFB | 0xE000..=0xF8FF | 0xE0000..=0xE0FFF)
}

/// Returns the candidate with the smallest edit distance to `word`, if one is close enough to be a
/// suggestion.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Long words are not compared: the table is quadratic in their length.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let allowed = 1 + word.chars().count() / 4;
    let ranked = candidates
        .into_iter()
        .filter(|c| c.len() <= LONGEST)
        .map(|candidate| (distance(word, candidate), candidate));
    ranked
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns whether two names differ by one edit: a letter inserted, deleted, replaced, or two
/// swapped (Damerau-Levenshtein distance 1). Short names are exempt: they all differ by that
/// little.
pub(crate) fn is_lookalike(name: &str, known: &str) -> bool {
    if name == known || known.len() < 5 || name.len().abs_diff(known.len()) > 1 {
        return false;
    }
    // Every requested package is compared with every known name, so this is one pass in linear
    // time.
    let (name, known) = (name.as_bytes(), known.as_bytes());
    let mut differing = name.iter().zip(known).filter(|(one, other)| one != other);
    let differing = (differing.next(), differing.next(), differing.next());
    let swapped = matches!(differing, (Some((a, b)), Some((c, d)), None) if a == d && b == c);
    let start = name
        .iter()
        .zip(known)
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count();
    let (left, right) = (
        name.get(start..).unwrap_or_default(),
        known.get(start..).unwrap_or_default(),
    );
    let end = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take_while(|(one, other)| one.eq_ignore_ascii_case(other))
        .count();
    let one_edit = matches!((left.len() - end, right.len() - end), (0 | 1, 1) | (1, 0));
    (swapped && name.len() == known.len()) || one_edit
}

/// Returns the Levenshtein distance between two words, ignoring ASCII case.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().map(|c| c.to_ascii_lowercase()).enumerate() {
        let mut diagonal = index;
        let mut previous = index + 1;
        let mut next = vec![previous];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal + usize::from(from != *to);
            previous = replaced.min(previous + 1).min(above + 1);
            next.push(previous);
            diagonal = *above;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_does_not_show() {
        assert_eq!(quoted("a\n\u{202e}`b"), "`a\\u{a}\\u{202e}\\`b`");
        assert_eq!(toml_string("a\"\n"), "\"a\\\"\\U0000000A\"");
        assert!(quoted(&"x".repeat(10_000)).len() < 500);
    }

    #[test]
    fn suggests_only_close_words() {
        let words = ["wall", "fuel", "memory"];
        assert_eq!(closest("wal", words), Some("wall"));
        assert_eq!(closest("memroy", words), Some("memory"));
        assert_eq!(closest("network", words), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_name_is_mistaken_for_one_that_is_one_slip_away() {
        for (name, is_one) in [
            ("requests", false),
            ("request", true),
            ("requestss", true),
            ("rrequests", true),
            ("requezts", true),
            ("reqeusts", true),
            ("sequestr", true),
            ("reqestu", false),
            ("REQUESTS", false),
            ("requ", false),
            ("flask", false),
        ] {
            assert_eq!(is_lookalike(name, "requests"), is_one, "{name}");
        }
        assert!(!is_lookalike("six", "sox"), "too short to say anything");
    }
}
