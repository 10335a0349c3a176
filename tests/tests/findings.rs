//! Findings of static analysis: are all suspicious programs detected, without false positives?
//!
//! Each file of the corpus has its expected findings in its first line. Programs that must run have
//! no finding for which a policy may deny.

use glovebox::policy::{Request, Severity};
use glovebox::{Limit, Outcome, Policy, Sandbox};
use glovebox_tests::tree::{files, root, tests_folder};
use std::path::Path;

/// A sandbox that inspects every program and lets it run, though not for long: half of its time is
/// for the inspection.
fn sandbox() -> Sandbox {
    let policy = "version = 1\ndefault_profile = \"look\"\n[profiles.look]\nextends = \"offline\"\n[profiles.look.limits]\nwall = \"2s\"\nsource = \"16MiB\"\n";
    Sandbox::builder()
        .policy(Policy::parse("findings", policy).expect("it is a policy"))
        .build()
        .expect("the guests are there")
}

/// The time and fuel of inspecting a program are its own, in a run and in a session.
#[tokio::test]
async fn inspections_are_paid_from_the_limits_of_the_program() {
    const FUEL: u64 = 2_000_000_000;
    let policy = format!(
        "version = 1\ndefault_profile = \"look\"\n[profiles.look]\nextends = \"offline\"\n\
         [profiles.look.limits]\nwall = \"60s\"\nfuel = {FUEL}\nsource = \"16MiB\"\n"
    );
    let sandbox = Sandbox::builder()
        .policy(Policy::parse("findings", &policy).expect("it is a policy"))
        .build()
        .expect("the guests are there");
    let line = "a=b.c(d,e)[f]+g\n";
    let long = format!("while True: pass\n{}", line.repeat((1 << 20) / line.len()));
    let open = sandbox.open(Request::new("python", ""));
    let mut session = open.await.expect("it is granted");
    let evaluated = session.evaluate(long.clone()).await;
    for outcome in [
        run(&sandbox, "python", &long).await,
        evaluated.expect("the host does not fail"),
        // The benign twin costs no inspection.
        run(&sandbox, "python", "while True: pass").await,
    ] {
        let hit = outcome.limit.expect("it reached a limit");
        let granted = hit.granted.map(|amount| amount.to_string());
        assert_eq!((hit.limit, granted), (Limit::Fuel, Some(FUEL.to_string())));
        // The last slice may end a little later.
        let used = outcome.usage.fuel;
        assert!((FUEL..FUEL + FUEL / 20).contains(&used), "{used}");
    }
}

fn language(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "py" => Some("python"),
        "js" | "mjs" => Some("javascript"),
        "ts" => Some("typescript"),
        _ => None,
    }
}

async fn run(sandbox: &Sandbox, language: &str, text: &str) -> Outcome {
    sandbox
        .run(Request::new(language, text))
        .await
        .expect("the host does not fail")
}

fn shown(outcome: &Outcome) -> Vec<String> {
    outcome
        .findings
        .iter()
        .map(|finding| format!("{}:{}", finding.rule, finding.line.unwrap_or(0)))
        .collect()
}

#[tokio::test]
async fn the_corpus_is_found_to_the_line() {
    let sandbox = sandbox();
    let folder = tests_folder().join("findings");
    let (mut looked, mut rules, mut wrong) = (0, std::collections::BTreeSet::new(), Vec::new());
    for path in files()
        .into_iter()
        .map(|path| root().join(path))
        .filter(|path| path.starts_with(&folder))
    {
        let Some(language) = language(&path) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let expected = text
            .lines()
            .next()
            .and_then(|line| line.split_once("expect:"))
            .expect("it says what is to be found")
            .1;
        let mut expected: Vec<String> = expected.split_whitespace().map(str::to_owned).collect();
        let mut found = shown(&run(&sandbox, language, &text).await);
        expected.sort();
        found.sort();
        rules.extend(
            found
                .iter()
                .filter_map(|one| one.split(':').next().map(str::to_owned)),
        );
        if found != expected {
            wrong.push(format!("{}: {found:?}, not {expected:?}", path.display()));
        }
        looked += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(looked >= 60, "{looked}");
    let known = std::fs::read_to_string(root().join("runtime/src/findings/rules.txt"))
        .expect("it is in the tree");
    for rule in known
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(' ').next())
    {
        assert!(
            rules.contains(rule) || rule == "not-inspected",
            "no file of the corpus has the finding {rule}"
        );
    }
}

#[tokio::test]
async fn ordinary_programs_have_no_finding_that_could_refuse_them() {
    let sandbox = sandbox();
    let folder = tests_folder().join("conformance");
    let (mut looked, mut wrong) = (0, Vec::new());
    for path in files()
        .into_iter()
        .map(|path| root().join(path))
        .filter(|path| path.starts_with(&folder))
    {
        let Some(language) = language(&path) else {
            continue;
        };
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let outcome = run(&sandbox, language, &text).await;
        let high = outcome
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::High);
        wrong.extend(high.map(|finding| {
            format!(
                "{}: {} in line {:?}",
                path.display(),
                finding.rule,
                finding.line
            )
        }));
        looked += 1;
    }
    assert!(looked > 50, "{looked}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_text_that_breaks_the_look_is_said_to_be_unread() {
    let sandbox = sandbox();
    for (language, text) in [
        (
            "python",
            format!(
                "import subprocess\nx = {}1{}",
                "(".repeat(150_000),
                ")".repeat(150_000)
            ),
        ),
        (
            "python",
            format!("# subprocess\n{}", "x = 1\n".repeat(800_000)),
        ),
    ] {
        let found = shown(&run(&sandbox, language, &text).await);
        assert!(found.len() <= 1, "{found:?}");
    }
    // A syntax error has no findings: the run reports the error.
    assert_eq!(
        shown(&run(&sandbox, "python", "import subprocess (").await),
        Vec::<String>::new()
    );
    let plain = run(&sandbox, "python", "print(1)").await;
    assert!(plain.findings.is_empty());
}
