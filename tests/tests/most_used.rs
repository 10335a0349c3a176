//! Most used packages: do they import and do one typical thing, in the tier that the choice gives?
//!
//! The lists are `packages/pypi.txt` and `packages/npm.txt`; `packages/fails.txt` has those that
//! fail, with the reason. The tests ask the public registries for some 450 packages, so they are a
//! step of their own: `cargo test --release --test most_used -- --ignored`.

use glovebox_tests::place::cache_without_packages;
use glovebox_tests::tree::{program, tests_folder};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Of this many in a hundred at most three may fail.
const PERCENT: usize = 97;

/// After this time no further package is begun, and the test fails.
const PATIENCE: Duration = Duration::from_secs(40 * 60);

/// Packages that are tried at a time.
const WORKERS: usize = 4;

/// A package, what a program does with it, and what it prints.
#[derive(Debug, Default)]
struct Use {
    /// Arguments of `--package`; the first is the package of the list.
    packages: Vec<String>,
    source: String,
    expected: String,
}

/// Reads a list: `@ NAME...` begins a package, `> ` is a line of output, the rest is the program.
fn uses(list: &str) -> Vec<Use> {
    let path = tests_folder().join("packages").join(list);
    let text = std::fs::read_to_string(path).expect("the list is there");
    let mut uses: Vec<Use> = Vec::new();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix("@ ") {
            uses.push(Use {
                packages: names.split_whitespace().map(str::to_owned).collect(),
                ..Use::default()
            });
        } else if let Some(found) = uses.last_mut() {
            let (part, line) = match line.strip_prefix('>') {
                Some(rest) => (&mut found.expected, rest.strip_prefix(' ').unwrap_or(rest)),
                None => (&mut found.source, line),
            };
            part.push_str(line);
            part.push('\n');
        }
    }
    uses
}

/// The packages of a list that are known to fail, with the reasons.
fn known_failures(list: &str) -> BTreeMap<String, String> {
    let path = tests_folder().join("packages/fails.txt");
    let text = std::fs::read_to_string(path).expect("the list is there");
    text.lines()
        .filter_map(|line| line.strip_prefix(list)?.strip_prefix(' ')?.split_once(": "))
        .map(|(name, why)| (name.to_owned(), why.to_owned()))
        .collect()
}

/// Runs the program of a package, and returns what is wrong.
fn failure(case: &Use, suffix: &str, cache: &std::path::Path) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join(format!("main.{suffix}"));
    std::fs::write(&file, &case.source).expect("the folder is writable");
    let mut command = Command::new(program());
    command
        .arg("run")
        .arg(&file)
        .env("GLOVEBOX_CACHE", cache)
        .current_dir(folder.path());
    for package in &case.packages {
        command.args(["--package", package]);
    }
    let output = command.output().expect("the program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && printed == case.expected {
        return None;
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Some(format!(
        "printed {printed:?}, not {:?}\n{complaint}",
        case.expected
    ))
}

/// Tries every package of a list.
fn try_all(list: &str, suffix: &str) {
    let began = Instant::now();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let cache = cache_without_packages(folder.path());
    let uses = uses(&format!("{list}.txt"));
    assert!(uses.len() >= 200, "{}", uses.len());
    let known = known_failures(list);
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = uses.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let told = if began.elapsed() < PATIENCE {
                        failure(case, suffix, &cache)
                    } else {
                        Some("the time was up".to_owned())
                    };
                    if let Some(told) = told {
                        let mut failed = failed.lock().expect("no worker panics");
                        failed.insert(case.packages.join(" "), told);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no worker panics");
    let new: Vec<String> = failed
        .iter()
        .filter(|(name, _)| !known.contains_key(*name))
        .map(|(name, told)| format!("{name}: {told}"))
        .collect();
    assert!(
        new.is_empty(),
        "{} that `fails.txt` does not have:\n{}",
        new.len(),
        new.join("\n")
    );
    assert!(
        (uses.len() - failed.len()) * 100 >= uses.len() * PERCENT,
        "{} of {} fail: {:?}",
        failed.len(),
        uses.len(),
        failed.keys()
    );
}

#[test]
#[ignore = "asks PyPI for 200 packages; a step of its own"]
fn the_most_used_packages_of_pypi_do_a_typical_thing() {
    try_all("pypi", "py");
}

#[test]
#[ignore = "asks npm for 200 packages; a step of its own"]
fn the_most_used_packages_of_npm_do_a_typical_thing() {
    try_all("npm", "mjs");
}
