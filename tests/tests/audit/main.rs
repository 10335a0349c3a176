//! Audit log integrity: what does the hash chain prove after an attacker could write to the log?
//!
//! An attacker with write access can recompute every hash. That is detected if a key seals the
//! records (HMAC), if the database has recorded the head, and if a head was kept elsewhere.

mod attacks;
mod chain;
mod cut;

use glovebox::{AuditKey, AuditLogOptions, ChainError, JsonLines, Request, Sandbox};
use glovebox_tests::place::{eventually, guests};
use glovebox_tests::service::{Access, RUN, Service, python};
use glovebox_tests::tree::program;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

/// Changes a text in every line of a log and recomputes the hash chain without a key, as an
/// attacker with write access can.
fn rechained(log: &str, from: &str, to: &str) -> String {
    rechained_after("0".repeat(64), log, (from, to))
}

/// The same for lines that follow a seal.
fn rechained_after(mut previous: String, log: &str, (from, to): (&str, &str)) -> String {
    log.lines().fold(String::new(), |whole, line| {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let said = record["previous"]
            .as_str()
            .expect("a line follows from another");
        let end = line
            .rfind(",\"hash\":\"")
            .or_else(|| line.rfind(",\"hmac\":\""))
            .expect("a line has a seal");
        let line = line[..end].replacen(said, &previous, 1).replace(from, to);
        previous = Sha256::digest(&line)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("{whole}{line},\"hash\":\"{previous}\"}}\n")
    })
}

fn verify(path: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program())
        .args(["audit", "verify"])
        .arg(path)
        .args(arguments)
        .output()
        .expect("the program starts");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr),
    )
}

/// The head that `audit verify` prints.
fn head(path: &Path, arguments: &[&str]) -> String {
    let (is_whole, said) = verify(path, arguments);
    assert!(is_whole, "{said}");
    said.lines()
        .find_map(|line| line.strip_prefix("head "))
        .unwrap_or_else(|| panic!("no head: {said}"))
        .to_owned()
}

fn key_file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode can be set");
    path.display().to_string()
}

fn write_log(path: &Path, key: Option<&AuditKey>, runs: usize) {
    let log = AuditLogOptions::default()
        .key(key.cloned())
        .open(path)
        .expect("the log opens");
    let sandbox = Sandbox::builder()
        .guests(guests())
        .audit(Arc::new(log))
        .build()
        .expect("a sandbox can be made");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    for _ in 0..runs {
        runtime
            .block_on(sandbox.run(Request::new("python", "1")))
            .expect("the host works");
    }
}

/// Starts a service that must refuse to start; returns its output.
fn refused(state: &Path, arguments: &[&str]) -> Output {
    let serve = [
        "60",
        &program().display().to_string(),
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--insecure-local",
        "--state",
    ]
    .map(str::to_owned);
    Command::new("timeout")
        .args(serve)
        .arg(state)
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn whole_log(state: &Path) -> String {
    glovebox::audit_segments(state)
        .into_iter()
        .flatten()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
