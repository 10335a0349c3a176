//! Known violations: what is not in shape yet?
//!
//! `tests/known-violations.txt` only shrinks: a test fails for a violation that is not in it, and
//! for a line that is none any more. `GLOVEBOX_WRITE=1` removes such lines.

use glovebox_tests::tree::root;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Violations by their key, each with a description.
///
/// A key is a rule, a file or crate, and a name; it has neither line nor count, so that edits
/// elsewhere in a file leave it as it is.
pub(crate) type Violations = BTreeMap<String, String>;

/// Fails if the violations of some rules are not those that are known.
pub(crate) fn check(rules: &[&str], found: &Violations) {
    static FILE: Mutex<()> = Mutex::new(());
    let _alone = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = root().join("tests/known-violations.txt");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let is_of_rules = |line: &&str| {
        rules
            .iter()
            .any(|rule| line.split(' ').next() == Some(rule))
    };
    let known: BTreeSet<&str> = text.lines().filter(is_of_rules).collect();
    let is_gone = |line: &str| known.contains(line) && !found.contains_key(line);
    let gone: Vec<&str> = known.iter().copied().filter(|line| is_gone(line)).collect();
    if std::env::var_os("GLOVEBOX_WRITE").is_some() && !gone.is_empty() {
        let kept = text.lines().filter(|line| !is_gone(line));
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        std::fs::write(&path, kept).expect("the tree is writable");
    } else {
        assert!(
            gone.is_empty(),
            "these are no violations any more; remove them from `tests/known-violations.txt`: \
             {gone:#?}"
        );
    }
    let new: Vec<String> = found
        .iter()
        .filter(|(key, _)| !known.contains(key.as_str()))
        .map(|(key, description)| format!("{key}: {description}"))
        .collect();
    assert!(new.is_empty(), "{}", new.join("\n"));
}
