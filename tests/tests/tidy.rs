//! Repository conventions: is the tree still in the shape that it should have?

use glovebox::Policy;
use glovebox_tests::tree::{files, root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Maximum lines of a source file without its tests.
const MAX_LINES: usize = 600;

/// The allowed dependencies between our crates.
const ARROWS: [(&str, &[&str]); 9] = [
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
        &["glovebox-host", "glovebox-policy", "glovebox"],
    ),
    (
        "glovebox-api",
        &[
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

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn with_extension(extension: &str) -> Vec<(String, String)> {
    let wanted = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|found| found == extension));
    wanted
        .map(|path| {
            (
                relative(&path),
                fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("`{}`: {error}", path.display())),
            )
        })
        .collect()
}

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

#[test]
fn every_source_file_says_which_question_it_answers() {
    let silent: Vec<String> = with_extension("rs")
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(path, _)| path)
        .collect();
    assert!(
        silent.is_empty(),
        "these do not start with `//!`: {silent:?}"
    );
}

/// Paraphrases cannot be searched for; a file that begins with what it is can be found.
#[test]
fn comments_use_the_words_of_the_field() {
    const QUESTIONS: [&str; 12] = [
        "What", "Who", "Whose", "Where", "How", "Whether", "Why", "Which", "When", "May", "Does",
        "Is",
    ];
    let words = [["who", "ever"], ["some", "body"], ["no", "body"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    // The guests' sources are part of what their digest is made from; they follow when the guests change.
    for (path, text) in with_extension("rs")
        .into_iter()
        .filter(|(path, _)| !path.starts_with("guests/"))
    {
        let first = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("//! ");
        if QUESTIONS
            .iter()
            .any(|question| first.split(' ').next() == Some(question))
        {
            found.push(format!(
                "{path} begins with a question, not with what it is"
            ));
        }
        for (number, line) in text.lines().enumerate() {
            let Some(comment) = line
                .trim_start()
                .strip_prefix("//")
                .filter(|comment| !comment.contains('`') && !comment.contains('"'))
            else {
                continue;
            };
            let comment = comment.to_lowercase();
            let mut tokens = comment.split(|letter: char| !letter.is_alphanumeric());
            if let Some(word) = tokens.find(|token| words.iter().any(|word| word == token)) {
                found.push(format!("{path}:{}: `{word}` in a comment: name the client, the caller, the guest or the operator", number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn source_files_stay_readable() {
    let long: Vec<String> = with_extension("rs")
        .into_iter()
        .filter_map(|(path, text)| {
            let lines = text
                .lines()
                .take_while(|line| !line.starts_with("#[cfg(test)]"))
                .count();
            (lines > MAX_LINES && !is_test(&path)).then(|| format!("{path} has {lines} lines"))
        })
        .collect();
    assert!(long.is_empty(), "{long:?}");
    let modules: Vec<PathBuf> = files()
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "mod.rs"))
        .collect();
    assert!(
        modules.is_empty(),
        "`foo.rs` beside `foo/`, not `foo/mod.rs`: {modules:?}"
    );
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("tests.rs")
}

#[test]
fn unsafe_code_is_in_two_modules() {
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
        let may = [
            "runtime/src/memory.rs",
            "runtime/src/memory/written.rs",
            "runtime/src/memory/tests.rs",
            "runtime/src/precompiled.rs",
        ];
        assert!(
            !has || may.contains(&path.as_str()),
            "{path} has unchecked code"
        );
    }
    for path in [
        "runtime/src/memory.rs",
        "runtime/src/memory/written.rs",
        "runtime/src/precompiled.rs",
    ] {
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

/// The text of the tree is about the project, not about the machines or people that made it.
#[test]
fn nothing_of_the_makers_is_in_the_tree() {
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

/// Each promise names the test or bench that keeps it; a name in backticks must exist.
#[test]
fn promises_name_what_keeps_them() {
    let path = root().join("SPECIFICATION.md");
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    let everything: String = with_extension("rs")
        .into_iter()
        .filter(|(path, _)| {
            path.starts_with("tests/")
                || path.starts_with("benches/")
                || path.contains("/tests")
                || path.starts_with("runtime/")
                || path.starts_with("policies/")
                || path.starts_with("hyperlight-fallback/")
                || path.starts_with("api/")
        })
        .map(|(_, text)| text)
        .collect();
    let cases: Vec<String> = files().iter().map(|path| relative(path)).collect();
    let mut promises = 0;
    for line in text
        .lines()
        .filter(|line| {
            line.starts_with('|') && !line.starts_with("|--") && !line.starts_with("| --")
        })
        .skip(1)
    {
        let keeper = line
            .trim_end_matches(['|', ' '])
            .rsplit('|')
            .next()
            .unwrap_or_default();
        let names: Vec<&str> = keeper.split('`').skip(1).step_by(2).collect();
        if names.is_empty() {
            continue;
        }
        promises += 1;
        for name in names {
            let short = name.rsplit("::").next().unwrap_or(name);
            let known = everything.contains(&format!("fn {short}"))
                || cases.iter().any(|path| path.contains(name));
            assert!(known, "`{name}` keeps a promise and is not there: {line}");
        }
    }
    assert!(promises > 0, "there are promises, and each has a keeper");
}

#[test]
fn presets_and_examples_are_policies() {
    for (path, text) in with_extension("toml") {
        if path.starts_with("policies/presets/")
            || path.starts_with("examples/") && text.contains("version = 1")
        {
            // A preset must not define a built-in profile; the policy crate parses it under its own rules, so only its name counts here.
            let name = path
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".toml");
            if path.starts_with("examples/") {
                Policy::parse(&path, &text).unwrap_or_else(|problems| panic!("{problems}"));
            } else if name != "builtin" {
                assert_eq!(
                    Policy::preset_text(name),
                    Some(text.as_str()),
                    "{path} is a preset that is built in"
                );
                let uses = format!("version = 1\ndefault_profile = \"{name}\"\n");
                Policy::parse(&path, &uses).unwrap_or_else(|problems| panic!("{problems}"));
            }
        }
    }
    assert_ne!(
        Policy::builtin(),
        Policy::deny_all(),
        "the built-in policy can be read"
    );
}

#[test]
fn every_attack_is_listed_under_its_class() {
    let classes = [
        ("a_files", "FS"),
        ("b_network", "NET"),
        ("c_process", "PR"),
        ("d_cpu", "CPU"),
        ("e_blocking", "BLK"),
        ("f_memory", "MEM STK"),
        ("g_output", "OUT"),
        ("h_secrets", "SEC"),
        ("j_sessions", "XS"),
        ("k_boundary", "HA"),
        ("l_policy", "POL"),
    ];
    for path in files()
        .iter()
        .map(|path| relative(path))
        .filter(|path| path.starts_with("tests/attacks/") && !path.ends_with(".md"))
    {
        let mut parts = path.split('/').skip(2);
        let (class, name) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let prefixes = classes
            .iter()
            .find(|(known, _)| *known == class)
            .map_or("", |(_, prefixes)| prefixes);
        let letters: String = name.chars().take_while(char::is_ascii_uppercase).collect();
        assert!(
            prefixes.split(' ').any(|prefix| prefix == letters),
            "`{path}` is in the wrong folder or has no row"
        );
    }
}

/// Every limitation of a guest is documented.
#[test]
fn limitations_of_the_guests_are_listed() {
    for (guest, words) in [
        ("python", &["threads", "subprocess", "ctypes", "ssl"][..]),
        ("javascript", &["worker", "child_process"]),
    ] {
        let path = root()
            .join("guests/limitations")
            .join(format!("{guest}.md"));
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
        for word in words {
            assert!(
                text.to_lowercase().contains(word),
                "{guest}.md says nothing of `{word}`"
            );
        }
    }
}
