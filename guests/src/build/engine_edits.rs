//! Edits of the engine: how are its published sources changed before they are compiled?
//!
//! The edits are data, `javascript/engine_edits.txt`. Each replaces a text that must occur as often
//! as it says, so that an engine of another version fails the build and is not edited wrongly.

use super::sources::source_text;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The edits, among our sources.
const EDITS: &str = "javascript/engine_edits.txt";

/// The line that begins an edit, before the name of its file.
const HEAD: &str = "=== ";

/// The line between the text that is replaced and its replacement.
const MIDDLE: &str = "---";

/// One edit.
#[derive(Debug, PartialEq, Eq)]
struct Edit<'a> {
    file: &'a str,
    count: usize,
    old: String,
    new: String,
}

/// Writes the edited files of the engine into a directory, where they are found before the
/// published ones.
pub(super) fn write_edited_engine(engine: &Path, directory: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    for edit in parse(source_text(EDITS)?)? {
        let text = match files.remove(edit.file) {
            Some(text) => text,
            None => fs::read_to_string(engine.join(edit.file))
                .with_context(|| format!("the engine has no `{}`", edit.file))?,
        };
        files.insert(edit.file, apply(&edit, &text)?);
    }
    for (name, text) in files {
        fs::write(directory.join(name), text)?;
    }
    Ok(())
}

/// Returns a text with an edit done.
fn apply(edit: &Edit<'_>, text: &str) -> Result<String> {
    let found = text.matches(&edit.old).count();
    ensure!(
        found == edit.count,
        "`{}` has this {found} times, and `{EDITS}` wants {}:\n{}",
        edit.file,
        edit.count,
        edit.old
    );
    Ok(text.replace(&edit.old, &edit.new))
}

/// Reads the edits. Empty lines and comments (`#`) are skipped outside of the text to replace.
fn parse(text: &str) -> Result<Vec<Edit<'_>>> {
    let mut edits = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if is_filler(line) {
            continue;
        }
        let head = line
            .strip_prefix(HEAD)
            .with_context(|| format!("an edit begins with `{HEAD}`, not with `{line}`"))?;
        let (file, count) = head.split_once(' ').unwrap_or((head, "1"));
        let old: Vec<&str> = lines.by_ref().take_while(|line| *line != MIDDLE).collect();
        let mut new = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with(HEAD)) {
            if !is_filler(line) {
                new.push(line);
            }
        }
        edits.push(Edit {
            file,
            count: count
                .parse()
                .with_context(|| format!("`{head}` has no count"))?,
            old: old.join("\n"),
            new: new.join("\n"),
        });
    }
    Ok(edits)
}

fn is_filler(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_replaces_its_text_as_often_as_it_says() {
        let text = "# why\n\n=== a.c 2\nold\n\nline\n---\nnew\n# why not\n=== b.c\nx\n---\ny\n";
        let edits = parse(text).unwrap();
        let expected = Edit {
            file: "a.c",
            count: 2,
            old: "old\n\nline".to_owned(),
            new: "new".to_owned(),
        };
        assert_eq!((edits.len(), &edits[0]), (2, &expected));
        assert_eq!(
            apply(&edits[0], "old\n\nline; old\n\nline").unwrap(),
            "new; new"
        );
        let error = apply(&edits[1], "xx").unwrap_err().to_string();
        assert!(error.starts_with("`b.c` has this 2 times"), "{error}");
    }

    #[test]
    fn every_edit_of_the_tree_can_be_read() {
        let edits = parse(source_text(EDITS).unwrap()).unwrap();
        assert!(edits.iter().all(|edit| !edit.old.is_empty()));
    }
}
