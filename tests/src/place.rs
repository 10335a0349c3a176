//! Sandbox fixture: where do the tests' programs run?
//!
//! They run in sandboxes over the installed guests, which are loaded once for the whole test
//! process.

use crate::tree::program;
use glovebox::{Controls, Guests, Outcome, Policy, Request, Sandbox};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, OnceLock};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Time beyond a limit after which a run counts as hanging.
pub const GRACE: Duration = Duration::from_secs(2);

/// The default limits of a case: small, so that reaching one is quick.
pub const BASE: &str = r#"
version = 1
default_profile = "base"

[profiles.base]
extends = "offline"
[profiles.base.limits]
wall = "3s"
fuel = 2_000_000_000
memory = "128MiB"
output = "256KiB"
workspace = "4MiB"
files = 200
open_files = 32
host_calls = 50

[[bindings]]
subject = "local"
profiles = ["attack", "base"]

[profiles.attack]
extends = "base"
"#;

/// Creates a cache in a folder, with the guests of this machine and without packages. Returns its
/// path, for `GLOVEBOX_CACHE`.
///
/// # Panics
///
/// If it cannot be created.
#[must_use]
pub fn cache_without_packages(folder: &Path) -> PathBuf {
    let of_machine = glovebox_guests::default_cache_dir().expect("there is a cache");
    let cache = folder.join("cache");
    std::fs::create_dir_all(cache.join("packages")).expect("the folder is writable");
    for shared in ["guests", "compiled"] {
        std::os::unix::fs::symlink(of_machine.join(shared), cache.join(shared))
            .expect("the folder is writable");
    }
    cache
}

/// Loads the installed guests.
///
/// # Panics
///
/// If there are none; the message says how to install them.
#[must_use]
pub fn guests() -> Guests {
    static GUESTS: OnceLock<Guests> = OnceLock::new();
    let load = || {
        Guests::installed().unwrap_or_else(|error| {
            panic!("{error}; run `target/release/glovebox guests build` first")
        })
    };
    GUESTS.get_or_init(load).clone()
}

/// The tests' tokio runtime: two workers, whose blocking threads end soon after their work so that
/// they can be counted.
#[must_use]
pub fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .enable_all()
            .thread_keep_alive(Duration::from_millis(100))
            .build()
            .expect("a runtime can be made")
    });
    &RUNTIME
}

/// [`BASE`] with lines for the profile `attack` and its limits, and tables of it.
///
/// # Panics
///
/// If that is no valid policy.
#[must_use]
pub fn policy(limits: &str, more: &str) -> Policy {
    let text = format!("{BASE}{}\n[profiles.attack.limits]\n{limits}", more);
    Policy::parse("test", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// A sandbox under such a policy.
///
/// # Panics
///
/// As [`policy`], or if there are no guests.
#[must_use]
pub fn sandbox(limits: &str, more: &str) -> Sandbox {
    Sandbox::builder()
        .policy(policy(limits, more))
        .guests(guests())
        .compiler(program())
        .build()
        .expect("a sandbox can be made")
}

/// Runs a request to its end on the tests' runtime.
///
/// # Panics
///
/// If the host failed.
pub fn run(sandbox: &Sandbox, request: Request) -> Outcome {
    run_with(sandbox, request, Controls::default())
}

/// The same with controls.
///
/// # Panics
///
/// If the host failed.
pub fn run_with(sandbox: &Sandbox, request: Request, controls: Controls) -> Outcome {
    runtime()
        .block_on(sandbox.run_with(request, controls))
        .unwrap_or_else(|error| panic!("the host failed: {error}"))
}

/// A request that prints `6 * 7` in a language, under the profile `base`.
#[must_use]
pub fn canary(language: &str) -> Request {
    let mut request = match language {
        "javascript" | "typescript" => Request::new("javascript", "console.log(6 * 7)"),
        _ => Request::new("python", "print(6 * 7)"),
    };
    request.profile = Some("base".to_owned());
    request
}

/// Polls a condition until it holds.
///
/// # Panics
///
/// If it does not hold within `patience`; `what` is in the message.
pub fn eventually(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < patience, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
