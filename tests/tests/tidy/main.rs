//! Repository conventions: is the tree still in the shape that it should have?
//!
//! [`crates`] looks at dependencies and dangerous code, [`shape`] at sizes and signatures,
//! [`words`] at comments and messages, [`costs`] at what an addition
//! touches, and [`promises`] at the names in documents and tables.

mod costs;
mod crates;
mod promises;
mod shape;
mod words;

use std::collections::BTreeMap;

/// Violations, each with a description. A key is a rule, a file or crate, and a name.
type Violations = BTreeMap<String, String>;

fn assert_none(found: &Violations) {
    let lines: Vec<String> = found
        .iter()
        .map(|(key, description)| format!("{key}: {description}"))
        .collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
