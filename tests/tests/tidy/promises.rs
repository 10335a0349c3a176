//! Promises: is what the documents and tables name really there?

use glovebox::Policy;
use glovebox_tests::tree::{files, relative, root, with_extension};
use std::fs;

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
            // A preset must not define a built-in profile; the policy crate parses it under its own
            // rules, so only its name counts here.
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
