//! What does an audit log prove after somebody could write to it?
//!
//! Whoever can write the file computes every hash anew. That shows where a key seals the records, where the database has seen the newest
//! one, and where a head was kept elsewhere.

use glovebox::{AuditKey, AuditLogOptions, ChainError, JsonLines, Request, Sandbox};
use glovebox_tests::place::guests;
use glovebox_tests::service::{RUN, Service, python};
use glovebox_tests::tree::program;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

/// Changes a text in every line of a log, and links the lines anew by plain hashes, as anybody can who writes the file.
fn rechained(log: &str, from: &str, to: &str) -> String {
    let mut previous = "0".repeat(64);
    log.lines().fold(String::new(), |whole, line| {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let said = record["previous"].as_str().expect("a line follows from another");
        let end = line.rfind(",\"hash\":\"").or_else(|| line.rfind(",\"hmac\":\"")).expect("a line has a seal");
        let line = line[..end].replacen(said, &previous, 1).replace(from, to);
        previous = Sha256::digest(&line).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{whole}{line},\"hash\":\"{previous}\"}}\n")
    })
}

fn verify(path: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program()).args(["audit", "verify"]).arg(path).args(arguments).output().expect("the program starts");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The head that `audit verify` tells.
fn head(path: &Path, arguments: &[&str]) -> String {
    let (is_whole, said) = verify(path, arguments);
    assert!(is_whole, "{said}");
    said.lines().find_map(|line| line.strip_prefix("head ")).unwrap_or_else(|| panic!("no head: {said}")).to_owned()
}

fn key_file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode can be set");
    path.display().to_string()
}

fn write_log(path: &Path, key: Option<&AuditKey>, runs: usize) {
    let log = AuditLogOptions::default().key(key.cloned()).open(path).expect("the log opens");
    let sandbox = Sandbox::builder().guests(guests()).audit(Arc::new(log)).build().expect("a sandbox can be made");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    for _ in 0..runs {
        runtime.block_on(sandbox.run(Request::new("python", "1"))).expect("the host works");
    }
}

#[test]
fn a_log_that_is_sealed_with_a_key_cannot_be_written_anew() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let secret = "0123456789abcdef0123456789abcdef";
    let key = AuditKey::new(secret.as_bytes()).expect("it is long enough");
    let (named, other) = (key_file(folder.path(), "key", &format!("{secret}\n")), key_file(folder.path(), "other", &"x".repeat(32)));
    write_log(&path, Some(&key), 2);
    let written = fs::read_to_string(&path).expect("there is a log");
    assert!(verify(&path, &["--key-file", &named]).0);
    for (what, arguments) in [("no key", vec![]), ("another key", vec!["--key-file", other.as_str()])] {
        assert!(!verify(&path, &arguments).0, "{what}");
    }
    assert!(JsonLines::open(&path).is_err(), "a log with a key is not continued without it");

    let anew = rechained(&written, "local", "other");
    fs::write(&path, &anew).expect("the log can be written");
    let (is_whole, said) = verify(&path, &["--key-file", &named]);
    assert!(!is_whole && said.contains("not sealed with the key"), "{said}");
    // Without a key only the chain can be looked at, and anybody can make one.
    assert!(verify(&path, &[]).0);
    // Half of it anew, and the rest as it was.
    let half: Vec<&str> = anew.lines().take(2).chain(written.lines().skip(2)).collect();
    fs::write(&path, half.join("\n") + "\n").expect("the log can be written");
    assert!(!verify(&path, &["--key-file", &named]).0);

    // A log that was begun without a key goes on with one.
    fs::remove_file(&path).expect("the log can be removed");
    write_log(&path, None, 1);
    write_log(&path, Some(&key), 1);
    assert!(!verify(&path, &["--key-file", &named]).0);
    assert!(verify(&path, &["--key-file", &named, "--unkeyed", "2"]).0);
    write_log(&path, Some(&key), 1);
    assert!(verify(&path, &["--key-file", &named, "--unkeyed", "2"]).0);

    // A key that others can read, or that is short, seals nothing.
    fs::set_permissions(&named, fs::Permissions::from_mode(0o644)).expect("a mode can be set");
    let (is_whole, said) = verify(&path, &["--key-file", &named]);
    assert!(!is_whole && said.contains("chmod 600"), "{said}");
    let (is_whole, said) = verify(&path, &["--key-file", &key_file(folder.path(), "short", "short")]);
    assert!(!is_whole && said.contains("needs at least 32"), "{said}");
}

#[test]
fn a_head_that_was_kept_elsewhere_shows_what_was_cut_or_replaced() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    write_log(&path, None, 2);
    let before = head(&path, &[]);
    write_log(&path, None, 1);
    let written = fs::read_to_string(&path).expect("there is a log");
    assert!(verify(&path, &["--expect", &before]).0 && verify(&path, &["--expect", &head(&path, &[])]).0);
    let cut: String = written.split_inclusive('\n').take(3).collect();
    for (what, text) in [("emptied", String::new()), ("cut", cut), ("rewritten", rechained(&written, "local", "other"))] {
        fs::write(&path, text).expect("the log can be written");
        // Each of them is a whole chain.
        assert!(verify(&path, &[]).0, "{what}");
        let (is_whole, said) = verify(&path, &["--expect", &before]);
        assert!(!is_whole && said.contains("cut, replaced or rewritten"), "{what}: {said}");
    }
    let opened = AuditLogOptions::default().expect(Some(before.parse().expect("it is a head"))).open(&path);
    assert!(matches!(opened, Err(ChainError::Expected { .. })));
    assert_eq!(Command::new(program()).args(["audit", "verify", "log", "--expect", "12"]).status().expect("it starts").code(), Some(2));
}

/// Starts a service that should not start; gives what it says.
fn refused(state: &Path, arguments: &[&str]) -> Output {
    let serve =
        ["60", &program().display().to_string(), "serve", "--listen", "127.0.0.1:0", "--insecure-local", "--state"].map(str::to_owned);
    Command::new("timeout").args(serve).arg(state).args(arguments).output().expect("the program starts")
}

#[test]
fn a_service_does_not_go_on_with_a_log_that_is_not_the_one_it_wrote() {
    let mut service = Service::local("");
    let (folder, state) = (service.folder(), service.state());
    for _ in 0..3 {
        let _ = service.run(RUN, &python("1"));
    }
    assert!(service.stop());
    // Untouched, it goes on, also after a kill.
    let mut service = Service::start(&folder, "", true);
    let _ = service.run(RUN, &python("1"));
    service.kill();
    let mut service = Service::start(&folder, "", true);
    assert!(service.stop());
    let log = state.join("audit.jsonl");
    let written = fs::read_to_string(&log).expect("there is a log");
    let cut: String = written.split_inclusive('\n').take(2).collect();
    for (what, text) in [
        ("removed", None),
        ("emptied", Some(String::new())),
        ("cut", Some(cut)),
        ("rewritten", Some(rechained(&written, "local", "other"))),
    ] {
        fs::remove_file(&log).expect("the log can be removed");
        if let Some(text) = text {
            fs::write(&log, text).expect("the log can be written");
        }
        let output = refused(&state, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("cut, replaced or rewritten") && said.contains("--accept-audit-gap"),
            "{what}: {said}"
        );
        assert!(fs::metadata(&log).map_or(0, |file| file.len()) < written.len() as u64 + 1, "{what}: nothing is added");
        fs::write(&log, &written).expect("the log can be written");
    }
    // An operator who knows why goes on, and the gap stays in the log.
    fs::remove_file(&log).expect("the log can be removed");
    let mut process = Command::new(program())
        .args(["serve", "--listen", "127.0.0.1:0", "--insecure-local", "--accept-audit-gap", "--state"])
        .arg(&state)
        .spawn()
        .expect("the program starts");
    let gap = || fs::read_to_string(&log).is_ok_and(|text| text.contains("\"event\":\"gap\""));
    for _ in 0..600 {
        if gap() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(gap());
    // Its head reaches the database, so that the next one goes on without being told to.
    let _ = Command::new("kill").args(["-TERM", &process.id().to_string()]).status();
    assert!(process.wait().is_ok_and(|status| status.success()));
    let mut service = Service::start(&folder, "", true);
    assert!(service.stop());
}

/// Every run that was admitted has exactly one end in the log, also where the process was killed in its middle, and in whatever file the
/// end is.
#[test]
fn every_run_has_one_end_in_the_log_after_a_crash() {
    for config in ["", "[limits]\naudit_segment = \"1KiB\"\n"] {
        let mut service = Service::local(config);
        let state = service.state();
        let admitted = || whole_log(&state).matches("\"event\":\"admitted\"").count();
        let mut under_way = Vec::new();
        for begun in 1..=3 {
            let body = python("while True: pass").to_string();
            under_way.push(service.begin("POST", RUN, &[("Content-Type", "application/json")], body.as_bytes()));
            while admitted() < begun {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        let _ = service.run(RUN, &python("1"));
        service.kill();
        drop(under_way);
        let mut service = Service::start(&service.folder(), config, true);
        let _ = service.run(RUN, &python("1"));
        assert!(service.stop());
        let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in whole_log(&state).lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let (event, run) = (record["event"].as_str().unwrap_or_default(), record["run"].as_str().unwrap_or_default());
            match event {
                "admitted" => drop(ends.insert(run.to_owned(), Vec::new())),
                "finished" | "aborted" | "denied" => {
                    ends.get_mut(run).unwrap_or_else(|| panic!("{run} was not admitted")).push(event.to_owned())
                }
                _ => {}
            }
        }
        assert_eq!(ends.len(), 5, "{config}");
        assert!(ends.values().all(|ends| ends.len() == 1), "{config}: {ends:?}");
        assert_eq!(ends.values().filter(|ends| ends[0] == "aborted").count(), 3, "{config}: {ends:?}");
        assert!(verify(&state, &[]).0, "{config}");
    }
}

fn whole_log(state: &Path) -> String {
    glovebox::audit_segments(state).into_iter().flatten().filter_map(|path| fs::read_to_string(path).ok()).collect()
}
