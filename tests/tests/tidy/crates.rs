//! Crates: which of ours may depend on which, and where may they do what is dangerous?

use glovebox_tests::tree::{root, with_extension};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The allowed dependencies between our crates.
const ARROWS: [(&str, &[&str]); 12] = [
    ("glovebox-host", &[]),
    ("glovebox-policy", &[]),
    ("glovebox-guests", &["glovebox-host"]),
    (
        "glovebox",
        &["glovebox-host", "glovebox-policy", "glovebox-guests"],
    ),
    (
        "glovebox-fallback",
        &[
            "glovebox-host",
            "glovebox-policy",
            "glovebox-guests",
            "glovebox",
        ],
    ),
    (
        "glovebox-packages",
        &[
            "glovebox-host",
            "glovebox-policy",
            "glovebox-guests",
            "glovebox",
        ],
    ),
    ("glovebox-wire", &["glovebox-policy", "glovebox"]),
    (
        "glovebox-service",
        &[
            "glovebox-host",
            "glovebox-policy",
            "glovebox",
            "glovebox-wire",
        ],
    ),
    (
        "glovebox-http",
        &[
            "glovebox-policy",
            "glovebox",
            "glovebox-wire",
            "glovebox-service",
        ],
    ),
    (
        "glovebox-cli",
        &[
            "glovebox-wire",
            "glovebox-service",
            "glovebox-http",
            "glovebox-host",
            "glovebox-policy",
            "glovebox-guests",
            "glovebox",
            "glovebox-packages",
            "glovebox-fallback",
        ],
    ),
    (
        "glovebox-benches",
        &[
            "glovebox-policy",
            "glovebox-guests",
            "glovebox",
            "glovebox-packages",
            "glovebox-fallback",
        ],
    ),
    (
        "glovebox-tests",
        &[
            "glovebox-policy",
            "glovebox-guests",
            "glovebox",
            "glovebox-packages",
            "glovebox-fallback",
        ],
    ),
];

#[test]
fn crates_depend_on_each_other_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let packages = metadata["packages"].as_array().expect("there are packages");
    assert_eq!(
        packages.len(),
        arrows.len(),
        "a new crate needs a line in the list of arrows"
    );
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let allowed = arrows
            .get(name)
            .unwrap_or_else(|| panic!("`{name}` is in no line of the list of arrows"));
        for dependency in package["dependencies"]
            .as_array()
            .expect("there are dependencies")
        {
            let used = dependency["name"].as_str().unwrap_or_default();
            assert!(
                !arrows.contains_key(used) || allowed.contains(&used),
                "`{name}` must not depend on `{used}`"
            );
        }
    }
}

/// The files with unchecked code: guest memory, the loading of machine code, and the setting of the
/// heap.
const UNSAFE: [&str; 7] = [
    "api/cli/src/heap.rs",
    "runtime/src/memory/dirty.rs",
    "runtime/src/memory/linear.rs",
    "runtime/src/memory/mapping.rs",
    "runtime/src/memory/slot.rs",
    "runtime/src/memory/stack.rs",
    "runtime/src/precompiled.rs",
];

#[test]
fn unsafe_code_is_in_three_modules() {
    let word = ["uns", "afe"].concat();
    for (path, text) in with_extension("rs") {
        let code = text
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default());
        let has = code.clone().any(|line| {
            line.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|token| token == word)
        });
        // The unit tests of guest memory have to read that memory.
        let may = UNSAFE.contains(&path.as_str()) || path == "runtime/src/memory/tests.rs";
        assert!(!has || may, "{path} has unchecked code");
    }
    for path in UNSAFE {
        let text = fs::read_to_string(root().join(path)).expect("the file is there");
        let blocks = text.matches(&format!("{word} {{")).count();
        assert!(
            text.matches("SAFETY:").count() >= blocks,
            "{path}: each block says why it is sound"
        );
    }
}

/// A program started anywhere else would inherit the caller's working directory and environment.
#[test]
fn programs_of_the_host_are_started_in_one_place() {
    let start = ["Command", "::new("].concat();
    for (path, text) in with_extension("rs")
        .into_iter()
        .filter(|(path, _)| !path.starts_with("tests/") && !path.starts_with("benches/"))
    {
        assert!(
            !text.contains(&start) || path == "runtime/host/src/program.rs",
            "`{path}` starts a program by itself"
        );
    }
}

#[test]
fn lints_are_expected_and_not_allowed() {
    let banned = ["#[al", "low("].concat();
    let inner = ["#![al", "low("].concat();
    let found: Vec<String> = with_extension("rs")
        .into_iter()
        .filter(|(_, text)| text.contains(&banned) || text.contains(&inner))
        .map(|(path, _)| path)
        .collect();
    assert!(
        found.is_empty(),
        "use `#[expect(lint, reason = \"..\")]`: {found:?}"
    );
}
