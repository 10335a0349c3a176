//! Corpus runner: does a program print what the native interpreter prints?
//!
//! The programs are of the kind that models write. `NAME.stdout` beside each is the output of
//! native CPython 3.14 or Node 22, which `scripts/native-outputs` writes. A program with
//! `api = true` in its header finds the address of a server in `API`; the server answers as the one
//! of that script.

use crate::case::Case;
use crate::conformance;
use crate::place;
use crate::server::{Received, Server, answer};
use glovebox::Sandbox;
use glovebox::policy::Tier;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

static API: LazyLock<Server> = LazyLock::new(|| Server::start(respond));

/// The default profile, and the way to the server.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
    let text = format!(
        "version = 1\ndefault_profile = \"programs\"\n[profiles.programs]\nextends = \"default\"\n\
         [profiles.programs.network]\nprivate_ranges = [\"127.0.0.0/8\"]\n\
         [[profiles.programs.network.allow]]\nhost = \"127.0.0.1\"\nschemes = [\"http\"]\n\
         ports = [{}]\nmethods = [\"GET\", \"POST\", \"PUT\"]\n",
        API.port()
    );
    let policy = glovebox::Policy::parse("programs", &text)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    Sandbox::builder()
        .policy(policy)
        .guests(place::guests())
        .build()
        .expect("a sandbox can be made")
});

/// The reason why a program is known to differ, of `programs/differs.txt`.
fn known_difference(path: &str) -> Option<String> {
    let list = crate::tree::tests_folder().join("programs/differs.txt");
    let list = std::fs::read_to_string(list).expect("the list is there");
    let name = path.strip_prefix("programs/")?;
    let mut lines = list.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
}

/// Runs a program in the wasm tier and compares its streams and its exit code. One that is known to
/// differ must differ, so that the list is true.
///
/// # Panics
///
/// If one of them differs.
pub fn check(path: &str) {
    let case = Case::read(path);
    let mut request = conformance::request(&case);
    if case.is("api") {
        request.environment.push(("API".to_owned(), API.url("")));
    }
    let outcome = conformance::run(&case, request, &SANDBOX, Tier::Wasm);
    let compare = || conformance::check_streams(&case, &outcome);
    match known_difference(path) {
        None => compare(),
        Some(reason) => assert!(
            std::panic::catch_unwind(AssertUnwindSafe(compare)).is_err(),
            "`{path}` prints what it prints natively; take it out of the list ({reason})"
        ),
    }
}

/// Answers `GET` with a file of `programs/api`, everything else with what it received.
fn respond(request: &Received) -> Vec<u8> {
    let (method, target) = request.line.split_once(' ').unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let file = crate::tree::tests_folder()
        .join("programs/api")
        .join(format!("{}.json", path.trim_matches('/')));
    let (status, body) = match (method, std::fs::read(file)) {
        ("GET", Ok(content)) => ("200 OK", content),
        ("GET", Err(_)) => ("404 Not Found", br#"{"error": "not found"}"#.to_vec()),
        _ => {
            let received: &[u8] = if request.body.is_empty() {
                b"null"
            } else {
                &request.body
            };
            let body = [br#"{"id": 101, "received": "#.as_slice(), received, b"}"].concat();
            ("201 Created", body)
        }
    };
    answer(status, &[("Content-Type", "application/json")], &body)
}
