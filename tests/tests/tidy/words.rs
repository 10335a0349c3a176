//! Words: do comments and messages use the terms that an engineer would search for?

use super::{Violations, assert_none};
use glovebox_tests::measure::read;
use glovebox_tests::tree::{files, relative, with_extension};
use std::fs;

/// Maximum columns of a comment.
const MAX_COLUMNS: usize = 100;

/// Words with which neither a file nor a documentation comment begins: the thing itself or a verb
/// can be searched for.
const QUESTIONS: [&str; 13] = [
    "What", "Who", "Whose", "Whoever", "Where", "How", "Whether", "Why", "Which", "When", "May",
    "Does", "Is",
];

/// Questions that documentation comments of items may begin with: `true` answers "whether", and
/// "may" and "is" can be said of a subject.
const OF_ITEMS: [&str; 5] = ["Whether", "When", "May", "Does", "Is"];

/// Returns the words and phrases that paraphrase a term, in parts so that this file has none.
fn paraphrases() -> [String; 6] {
    [
        ["who", "ever"],
        ["some", "body"],
        ["no", "body"],
        ["to be ", "had"],
        ["one", "'s"],
        ["to", "ld"],
    ]
    .map(|parts| parts.concat())
}

/// Returns the phrase of a text that paraphrases a term.
fn paraphrase(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '\'';
    paraphrases().into_iter().find(|phrase| {
        text.match_indices(phrase.as_str()).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            !before.is_some_and(is_inside) && !after.is_some_and(is_inside)
        })
    })
}

/// Removes what is between backticks or quotation marks: code and quotations are what they are.
fn without_quotations(comment: &str) -> String {
    let mut kept = String::new();
    let mut end = None;
    for letter in comment.chars() {
        match end {
            Some(mark) if letter == mark => end = None,
            Some(_) => {}
            None if letter == '`' || letter == '"' => end = Some(letter),
            None => kept.push(letter),
        }
    }
    kept
}

/// The lines of comments of a file, with their numbers.
fn comments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_start()))
        .filter(|(_, line)| line.starts_with("//"))
}

#[test]
fn source_files_begin_with_what_they_are() {
    let found: Vec<String> = with_extension("rs")
        .into_iter()
        .filter_map(|(path, text)| {
            let first = text.strip_prefix("//! ");
            let word = first.and_then(|first| first.split_whitespace().next());
            match word {
                None => Some(format!("{path} does not begin with `//!`")),
                Some(word) if QUESTIONS.contains(&word) => Some(format!(
                    "{path} begins with a question, not with what it is"
                )),
                Some(_) => None,
            }
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn comments_use_the_words_of_the_field() {
    let mut found = Violations::new();
    for (path, text) in with_extension("rs") {
        let mut documented = 0;
        for (number, line) in comments(&text) {
            if let Some(word) = paraphrase(&without_quotations(line)) {
                let advice = "name the client, the caller, the guest or the operator";
                found.insert(
                    format!("comment {path} {word}"),
                    format!("line {number}: {advice}"),
                );
            }
            if !line.starts_with("///") {
                continue;
            }
            let is_first = documented + 1 != number;
            documented = number;
            let comment = line.trim_start_matches('/').trim_start();
            let first = comment.split([' ', ',']).next().unwrap_or_default();
            if is_first && QUESTIONS.contains(&first) && !OF_ITEMS.contains(&first) {
                found.insert(
                    format!("comment {path} {first}"),
                    format!("line {number}: begin with the thing or a verb"),
                );
            }
        }
    }
    assert_none(&found);
}

#[test]
fn messages_use_the_words_of_the_field() {
    let mut found = Violations::new();
    for (path, text) in with_extension("rs") {
        let is_test = path.starts_with("tests/") || path.contains("/tests");
        if is_test {
            continue;
        }
        for literal in read(&path, &text).literals {
            if let Some(word) = paraphrase(&literal.text) {
                found.insert(
                    format!("message {path} {word}"),
                    format!("line {}: state the fact, name the setting", literal.line),
                );
            }
        }
    }
    assert_none(&found);
}

#[test]
fn comments_have_a_hundred_columns() {
    let mut found = Violations::new();
    for (path, text) in with_extension("rs") {
        for (number, line) in comments(&text) {
            // An address cannot be broken.
            let columns = line.chars().count();
            if columns > MAX_COLUMNS && !line.contains("://") {
                found.insert(
                    format!("columns {path}"),
                    format!("line {number}: {columns} columns, not {MAX_COLUMNS}"),
                );
            }
        }
    }
    assert_none(&found);
}

/// The text of the tree is about the project, not about the machines or people that made it.
#[test]
fn makers_and_their_machines_are_not_in_the_tree() {
    let words: [String; 6] = [
        ["/wo", "rk/main/"],
        ["/wo", "rk/shared"],
        ["/root/", ".cargo"],
        ["TO", "DO"],
        ["FIX", "ME"],
        ["X", "XX "],
    ]
    .map(|parts| parts.concat());
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for word in &words {
            assert!(
                !text.contains(word.as_str()),
                "`{}` contains `{word}`",
                relative(&path)
            );
        }
    }
}
