//! Costs of a change: how many existing files does an addition touch?
//!
//! `CONTRIBUTING.md` says so, and here a sample of each kind is counted: the files of code and
//! policy in which its names occur, without comments, tests, documents and what is generated. The
//! next addition touches the same files, and makes those that are named after it.

use super::{Violations, assert_none};
use glovebox_tests::tree::{root, with_extension};

/// A kind of addition, and a sample of it that is there.
struct Addition {
    /// Its name in `CONTRIBUTING.md`, as in "a new limit".
    what: &'static str,
    /// The names of the sample.
    names: &'static [&'static str],
    /// The folders in which they are looked for.
    folders: &'static [&'static str],
    /// The files and folders that are the sample itself, which an addition has of its own.
    own: &'static [&'static str],
    /// Existing files that may have to be changed.
    files: usize,
}

const CODE: &[&str] = &[
    "policies/",
    "runtime/",
    "hyperlight-fallback/",
    "api/",
    "guests/",
];

const ADDITIONS: [Addition; 5] = [
    Addition {
        what: "limit",
        names: &["open_files", "OpenFiles"],
        folders: CODE,
        // A second tier that enforces it, and a second preset that has an amount of its own.
        own: &[
            "hyperlight-fallback/src/job.rs",
            "policies/presets/offline.toml",
        ],
        files: 3,
    },
    Addition {
        what: "language",
        names: &["typescript", "TypeScript"],
        folders: CODE,
        // The container tier runs it as well, beside the guest.
        own: &[
            "guests/src/build/",
            "hyperlight-fallback/src/images.rs",
            "hyperlight-fallback/src/job.rs",
            "hyperlight-fallback/src/transform.rs",
        ],
        files: 2,
    },
    Addition {
        what: "tier",
        names: &["glovebox_fallback", "glovebox-fallback"],
        folders: CODE,
        own: &["hyperlight-fallback/", "api/cli/src/containers.rs"],
        files: 2,
    },
    Addition {
        what: "route",
        names: &["path = \"/v1/tiers\"", "policies::tiers"],
        folders: &["api/"],
        own: &[],
        files: 2,
    },
    Addition {
        what: "provider of tools",
        names: &["ToolProvider"],
        folders: CODE,
        own: &["runtime/"],
        files: 1,
    },
];

/// The code of a file: without comments, and without its module of unit tests.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .filter(|line| !line.trim_start().starts_with(['#', '/']) || line.contains("#["))
}

/// Whether a line has a name, and not only as a part of another one.
fn names(line: &str, name: &str) -> bool {
    let is_inside = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(name).any(|(at, found)| {
        let before = line[..at].chars().next_back();
        let after = line[at + found.len()..].chars().next();
        !before.is_some_and(is_inside) && !after.is_some_and(is_inside)
    })
}

/// The existing files that an addition touches.
fn touched(addition: &Addition, sources: &[(String, String)]) -> Vec<String> {
    let is_under =
        |path: &str, folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    let is_test = |path: &str| path.contains("/tests") || path.contains("/cases/");
    sources
        .iter()
        .filter(|(path, _)| is_under(path, addition.folders) && !is_under(path, addition.own))
        .filter(|(path, _)| !is_test(path) && !path.contains("/examples/"))
        .filter(|(_, text)| {
            code(text).any(|line| addition.names.iter().any(|name| names(line, name)))
        })
        .map(|(path, _)| path.clone())
        .collect()
}

#[test]
fn additions_touch_as_few_files_as_documented() {
    let sources = [with_extension("rs"), with_extension("toml")].concat();
    let contributing =
        std::fs::read_to_string(root().join("CONTRIBUTING.md")).expect("the document is there");
    let mut found = Violations::new();
    for addition in &ADDITIONS {
        let Addition { what, files, .. } = *addition;
        let touched = touched(addition, &sources);
        assert!(
            addition.what == "provider of tools" || !touched.is_empty(),
            "the sample of a {what} is not there any more: {:?}",
            addition.names
        );
        if touched.len() > files {
            found.insert(
                format!("cost {what}"),
                format!("a {what} touches {touched:?}, not {files}"),
            );
        }
        let claim = match files {
            1 => "1 existing file".to_owned(),
            files => format!("{files} existing files"),
        };
        let paragraphs = contributing.split("\n- ");
        let is_claimed = paragraphs
            .filter(|text| text.to_lowercase().contains(&format!("new {what}")))
            .any(|text| {
                text.split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .contains(&claim)
            });
        if !is_claimed {
            found.insert(
                format!("claim {what}"),
                format!("CONTRIBUTING.md says of a new {what} that it touches {claim}"),
            );
        }
    }
    assert_none(&found);
}
