//! Conformance runner: does an ordinary program behave as in a native interpreter, and the same in
//! every tier?
//!
//! The program is a file of `conformance`; its expected output is in `NAME.stdout` beside it,
//! everything else is in its header. A case for the guest alone has `only = "why"` in its header.

use crate::attack::show;
use crate::case::Case;
use crate::place;
use glovebox::policy::{InputFile, Tier};
use glovebox::{Controls, Input, Outcome, Request, Sandbox};
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

/// Ordinary scripts run under the default profile.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    Sandbox::builder()
        .guests(place::guests())
        .build()
        .expect("a sandbox can be made")
});

/// Runs a program in the wasm tier and compares its output.
///
/// # Panics
///
/// If anything differs.
pub fn check(path: &str) {
    check_in(path, &SANDBOX, Tier::Wasm);
}

/// Runs every program that a container can run in one, and returns the differences and the number
/// of runs. `None` without an engine.
///
/// # Panics
///
/// If the corpus cannot be read.
#[must_use]
pub fn differences() -> Option<(Vec<String>, usize)> {
    let languages = ["python", "javascript", "typescript"];
    let sandbox = crate::engine::sandbox_for(&languages, glovebox::Policy::builtin())?;
    let mut differences = Vec::new();
    let mut count = 0;
    for folder in languages {
        let place = crate::tree::tests_folder().join("conformance").join(folder);
        let entries = std::fs::read_dir(place)
            .expect("the corpus is there")
            .flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let extensions = [".py", ".js", ".ts"];
        names.retain(|name| extensions.iter().any(|extension| name.ends_with(extension)));
        names.sort();
        for name in names {
            let path = format!("conformance/{folder}/{name}");
            if Case::read(&path).text("only").is_some() {
                continue;
            }
            count += 1;
            let checked = std::panic::catch_unwind(AssertUnwindSafe(|| {
                check_in(&path, &sandbox, Tier::Container)
            }));
            if let Err(told) = checked {
                let told = told
                    .downcast::<String>()
                    .map_or_else(|_| "it differs".to_owned(), |told| *told);
                differences.push(format!("{path}: {told}"));
            }
        }
    }
    Some((differences, count))
}

/// The request that a case describes.
pub(crate) fn request(case: &Case) -> Request {
    let mut request = Request::new(case.language, case.text.clone());
    if let Some(name) = case.text("name") {
        request.source.name = name.to_owned();
    }
    request.arguments = case.texts("arguments");
    request.environment = case.pairs("environment");
    request.artifacts = case.texts("artifacts");
    for (path, content) in case.pairs("files") {
        request.files.push(InputFile {
            path,
            content: content.into_bytes().into(),
        });
    }
    request
}

/// Runs a request of a case in a tier, with the case's standard input.
pub(crate) fn run(case: &Case, mut request: Request, sandbox: &Sandbox, tier: Tier) -> Outcome {
    request.wants.tier = Some(tier);
    let input = case.text("stdin").map(Input::from).unwrap_or_default();
    place::run_with(
        sandbox,
        request,
        Controls {
            input,
            ..Controls::default()
        },
    )
}

/// Compares the streams and the exit code with the case's.
///
/// # Panics
///
/// If one of them differs.
pub(crate) fn check_streams(case: &Case, outcome: &Outcome) {
    let shown = format!("`{}`: {}", case.path, show(outcome));
    let expected = std::fs::read_to_string(
        crate::tree::tests_folder()
            .join(&case.path)
            .with_extension("stdout"),
    )
    .unwrap_or_default();
    assert_eq!(outcome.stdout.text(), expected, "{}", shown);
    let exit = case
        .header
        .get("exit")
        .and_then(toml::Value::as_integer)
        .unwrap_or(0);
    assert_eq!(outcome.exit_code.map(i64::from), Some(exit), "{}", shown);
    check_stderr(case, outcome, exit == 0, &shown);
}

fn check_in(path: &str, sandbox: &Sandbox, tier: Tier) {
    let case = Case::read(path);
    let outcome = run(&case, request(&case), sandbox, tier);
    let shown = || format!("`{path}`: {}", show(&outcome));
    check_streams(&case, &outcome);
    assert_eq!(
        outcome.value.as_ref().map(|value| value.text.as_str()),
        case.text("value"),
        "the value of {}",
        shown()
    );
    assert_eq!(
        outcome
            .value
            .as_ref()
            .and_then(|value| value.json.as_deref()),
        case.text("json"),
        "the JSON of {}",
        shown()
    );
    assert_eq!(
        outcome
            .exception
            .as_ref()
            .map(|exception| exception.kind.as_str()),
        case.text("raises"),
        "the exception of {}",
        shown()
    );
    let artifacts: Vec<(String, String)> = outcome
        .artifacts
        .iter()
        .map(|artifact| {
            (
                artifact.path.clone(),
                String::from_utf8_lossy(&artifact.content).into_owned(),
            )
        })
        .collect();
    assert_eq!(
        artifacts,
        case.pairs("leaves"),
        "the artifacts of {}",
        shown()
    );
}

/// Standard error is empty, unless the case says what it has or lacks.
fn check_stderr(case: &Case, outcome: &Outcome, has_succeeded: bool, shown: &str) {
    let report = outcome.stderr.text();
    if !case.header.contains_key("stderr") && has_succeeded {
        assert_eq!(report, "", "nothing on standard error: {}", shown);
    }
    for part in case.texts("stderr") {
        assert!(
            report.contains(&part),
            "standard error has `{part}`: {}",
            shown
        );
    }
    for part in case.texts("stderr_lacks") {
        assert!(
            !report.contains(&part),
            "standard error lacks `{part}`: {}",
            shown
        );
    }
}
