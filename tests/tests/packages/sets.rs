//! Package sets: do they share what they have in common, and do sessions change theirs?

use super::hostile::*;
use super::*;
use glovebox::policy::Tier;

/// Packages that were downloaded and compiled for one set are shared with every other.
#[test]
fn another_set_costs_only_what_is_new_in_it() {
    let hostile = Hostile::new("allow = [\"*\"]");
    let archives = || {
        hostile
            .index
            .received()
            .iter()
            .filter(|request| request.line.contains("/files/") && request.line.starts_with("GET"))
            .count()
    };
    assert_eq!(
        hostile.outcome("good", "import good").status.code(),
        Some(0)
    );
    let before = archives();
    hostile
        .machine
        .write("main.py", "import good, bad\nprint(good.version)");
    let output = hostile.machine.glovebox(&[
        "run",
        "--policy",
        "policy.toml",
        "--package=good",
        "--package=bad",
        "main.py",
    ]);
    let said = text(&output.stderr);
    assert_eq!(text(&output.stdout), "2.0\n", "{said}");
    assert!(
        said.contains("fetching bad 1.0") && !said.contains("good 2.0"),
        "{said}"
    );
    assert!(archives() > before);
    assert_eq!(hostile.machine.trees(), 2);
}

/// Programs that first need the same packages concurrently download them once, and each gets them
/// complete.
#[test]
fn many_at_once_share_one_tree() {
    let hostile = Arc::new(Hostile::new("allow = [\"good\"]"));
    hostile
        .machine
        .write("main.py", "import good\nprint(good.version)");
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let hostile = Arc::clone(&hostile);
            std::thread::spawn(move || {
                hostile.machine.glovebox(&[
                    "run",
                    "--policy",
                    "policy.toml",
                    "--package",
                    "good",
                    "main.py",
                ])
            })
        })
        .collect();
    for run in runs {
        let output = run.join().expect("no panic");
        assert_eq!(text(&output.stdout), "2.0\n", "{}", text(&output.stderr));
    }
    assert_eq!(hostile.machine.trees(), 1);
}

/// Returns the output of an evaluation in a session.
fn said(session: &mut Session, source: &str) -> String {
    let outcome = runtime()
        .block_on(session.evaluate(source))
        .expect("the session lives");
    format!(
        "{}{}",
        outcome.stdout.text(),
        outcome
            .exception
            .map(|exception| exception.kind)
            .unwrap_or_default()
    )
}

/// The names of packages.
fn names(packages: &[LockedPackage]) -> String {
    packages
        .iter()
        .map(|package| package.name.clone())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Packages of a language, and programs with and without them.
struct Installed {
    language: &'static str,
    package: &'static str,
    /// A program that fails without it.
    missing: &'static str,
    /// A program that works with it.
    present: &'static str,
    /// Another package.
    other: &'static str,
}

/// Installs and removes packages in a session, lists them, and tries denied ones.
fn install_and_remove(sandbox: &Sandbox, case: &Installed, tier: Tier) {
    let Installed {
        language,
        package,
        missing,
        present,
        other,
    } = *case;
    let name = package.split(['=', '@']).next().unwrap_or_default();
    let mut request = Request::new(language, "");
    request.wants.tier = Some(tier);
    let mut session = runtime()
        .block_on(sandbox.open(request))
        .expect("a session opens");
    assert!(said(&mut session, missing).contains("Error"), "{language}");
    assert_eq!(
        names(
            runtime()
                .block_on(session.install(&[package.to_owned()]))
                .expect("it can be had")
        ),
        name
    );
    assert!(!said(&mut session, present).contains("Error"), "{language}");
    // Requested again, in other versions, and together with another.
    let both = runtime()
        .block_on(session.install(&[name.to_owned(), other.to_owned()]))
        .expect("they can be had");
    assert_eq!(both.len(), 2, "{both:?}");
    assert_eq!(
        names(
            runtime()
                .block_on(session.uninstall(&[other.to_owned()]))
                .expect("it was there")
        ),
        name
    );
    let gone = if language == "python" {
        format!("import {other}")
    } else {
        format!("await import('{other}')")
    };
    assert!(said(&mut session, &gone).contains("Error"), "{language}");
    let error = runtime()
        .block_on(session.uninstall(&[other.to_owned()]))
        .expect_err("it is not there any more");
    assert!(error.to_string().contains("was not asked for"), "{error}");
    // A denied package changes nothing.
    for refused in ["requestz", "git+https://example.org/x"] {
        let denied = runtime().block_on(session.install(&[refused.to_owned()]));
        assert!(matches!(denied, Err(OpenError::Denied(_))), "{refused}");
    }
    assert_eq!(names(session.packages()), name);
    let outcome = runtime()
        .block_on(session.evaluate("1"))
        .expect("the session lives");
    assert_eq!(names(&outcome.packages), name);
    session.close().expect("it can be told");
}

/// Packages in a session: those that it asked for, and the records of them.
#[test]
fn a_session_installs_lists_and_removes_packages() {
    let audit = tempfile::tempdir().expect("a folder can be made");
    let log = Arc::new(JsonLines::open(audit.path().join("log")).expect("the log can be made"));
    let builder = Containers::builder().package_folders(CACHE.join("packages/sessions"));
    let containers = engine::sandbox_for(&["python", "javascript"], Policy::builtin())
        .map(|_| Arc::new(runtime().block_on(builder.connect())));
    let mut builder = Sandbox::builder().guests(guests()).audit(log);
    let mut manager = glovebox_packages::Packages::builder(CACHE.join("packages")).guests(guests());
    if let Some(containers) = &containers {
        manager = manager.executor(containers.clone());
        builder = builder.executor(containers.clone());
    }
    let sandbox = builder
        .packages(Arc::new(manager.build()))
        .build()
        .expect("a sandbox can be made");
    for case in [
        Installed {
            language: "python",
            package: "six==1.16.*",
            missing: "import six",
            present: "import six\nprint(six.__name__)",
            other: "toolz",
        },
        Installed {
            language: "javascript",
            package: "ms@2",
            missing: "await import('ms')",
            present: "console.log((await import('ms')).default.name)",
            other: "lodash",
        },
    ] {
        install_and_remove(&sandbox, &case, Tier::Wasm);
        if containers.is_some() {
            install_and_remove(&sandbox, &case, Tier::Container);
        }
    }
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let error = runtime()
        .block_on(session.install(&["numpy".to_owned()]))
        .expect_err("it has native code");
    let why = if containers.is_some() {
        "the session is in tier `wasm`"
    } else {
        "native code"
    };
    assert!(
        matches!(&error, OpenError::Denied(denial) if denial.reason.contains(why)),
        "{error}"
    );
    assert_eq!(said(&mut session, "print(1)"), "1\n");
    drop(session);
    let log = std::fs::read_to_string(audit.path().join("log")).expect("there is a log");
    let records: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    let provided = records
        .iter()
        .filter(|record| record["event"] == "provided")
        .collect::<Vec<_>>();
    assert_eq!(
        provided.len(),
        if containers.is_some() { 12 } else { 6 },
        "{log}"
    );
    assert!(
        provided
            .iter()
            .all(|record| record["session"].is_string() && record["packages"][0].is_string()),
        "{log}"
    );
}
