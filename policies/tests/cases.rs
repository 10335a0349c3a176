//! Decision tables of `cases/`: do all of them pass?

use std::collections::BTreeSet;
use std::path::Path;

use glovebox_policy::{Policy, cases::run_cases};

#[test]
#[expect(clippy::disallowed_methods, reason = "the tables lie beside the tests")]
fn every_table_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut names = BTreeSet::new();
    let mut failed = Vec::new();
    for file in files.iter().filter(|file| {
        file.extension()
            .is_some_and(|extension| extension == "toml")
    }) {
        let origin = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let reports =
            run_cases(&origin, &text, &Policy::builtin()).unwrap_or_else(|error| panic!("{error}"));
        for report in reports {
            assert!(
                names.insert(format!("{origin} {}", report.name)),
                "{origin}: `{}` comes twice",
                report.name
            );
            if !report.passed() {
                failed.push(format!("{origin}: {report}"));
            }
        }
    }
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        names.len(),
        failed.join("\n")
    );
    assert!(names.len() >= 100, "only {} cases were found", names.len());
}

#[test]
fn a_wrong_expectation_is_reported() {
    let text = "[[case]]\nname = \"x\"\nexpect = \"deny\"\n[[case]]\nname = \"y\"\nlimits = { wall = \"1s\" }\nexpect = \"admit\"\n";
    let reports = run_cases("t", text, &Policy::builtin()).unwrap();
    let shown: Vec<String> = reports.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "FAILED `x` (line 2): expected deny, got admit",
            "FAILED `y` (line 5): expected wall `1s`, got `30s`"
        ]
    );
}

#[test]
fn a_wrong_table_is_an_error() {
    for text in [
        "[[case]]\nname = \"x\"\n",
        "[[case]]\nname = \"x\"\nexpect = \"maybe\"",
        "[[case]]\nnaem = \"x\"\nexpect = \"deny\"",
        "x",
    ] {
        assert!(run_cases("t", text, &Policy::builtin()).is_err(), "{text}");
    }
}
