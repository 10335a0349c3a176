//! Container engine fixture: is there an engine to test with?
//!
//! The tests start one themselves if it is installed and they are permitted to; without one they
//! are skipped, and print so. With `GLOVEBOX_NEED_ENGINE` in the environment none may be skipped.

use glovebox::{Executor as _, Guests, MemoryAccount, Policy, Sandbox, SandboxBuilder};
use glovebox_fallback::{Containers, ImageBase, build_images};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Timeout of an engine's start.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects the container tier and builds images for these languages; the error is the reason why
/// there is none.
fn containers(wanted: &[&str]) -> Result<Containers, String> {
    static FOUND: Mutex<Option<Result<Containers, String>>> = Mutex::new(None);
    let runtime = crate::place::runtime();
    let mut known = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = |containers: &Containers| -> Vec<String> {
        let facts = containers.facts();
        let has = |language: &str| {
            facts.unavailable.is_none() && facts.languages.iter().any(|known| known == language)
        };
        wanted
            .iter()
            .filter(|language| !has(language))
            .map(|language| (*language).to_owned())
            .collect()
    };
    let find = || {
        if !is_answering() {
            start()?;
        }
        Ok(runtime.block_on(Containers::connect()))
    };
    let mut found = known.take().unwrap_or_else(find);
    if let Some(missing) = found
        .as_ref()
        .ok()
        .map(missing)
        .filter(|missing| !missing.is_empty())
    {
        let built = runtime.block_on(build_images(&missing, ImageBase::Packages, |_| {}));
        found = built
            .map_err(|error| error.to_string())
            .map(|()| runtime.block_on(Containers::connect()));
    }
    known.insert(found).clone()
}

fn is_answering() -> bool {
    let status = Command::new("docker")
        .arg("version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Starts an engine, which outlives the tests.
fn start() -> Result<(), String> {
    let engine = Command::new("setsid")
        .arg("dockerd")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut engine = engine.map_err(|error| format!("cannot start dockerd: {error}"))?;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if is_answering() {
            return Ok(());
        }
        if let Ok(Some(status)) = engine.try_wait() {
            return Err(format!(
                "dockerd ended at once ({status}); it has to run as root"
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Err("dockerd does not answer".to_owned())
}

/// A sandbox with the container tier, for shell, under a policy; `None` if the test has to be
/// skipped.
///
/// # Panics
///
/// If there is no engine and the environment requires one, or if there are no guests.
#[must_use]
pub fn sandbox(policy: Policy) -> Option<Sandbox> {
    sandbox_for(&["shell"], policy)
}

/// The same for other languages.
///
/// # Panics
///
/// As [`sandbox`].
#[must_use]
pub fn sandbox_for(languages: &[&str], policy: Policy) -> Option<Sandbox> {
    sandbox_from(languages, Sandbox::builder().policy(policy))
}

/// The same for shell, with a memory account.
///
/// # Panics
///
/// As [`sandbox`].
#[must_use]
pub fn sandbox_within(memory: Arc<dyn MemoryAccount>, policy: Policy) -> Option<Sandbox> {
    sandbox_from(&["shell"], Sandbox::builder().policy(policy).memory(memory))
}

/// Returns a sandbox from this builder, with the container tier for these languages; `None` if the
/// test has to be skipped.
///
/// # Panics
///
/// As [`sandbox`].
#[must_use]
pub fn sandbox_from(languages: &[&str], builder: SandboxBuilder) -> Option<Sandbox> {
    match containers(languages) {
        Ok(containers) => {
            let guests = Guests::installed().expect("the guests are installed");
            Some(
                builder
                    .guests(guests)
                    .executor(Arc::new(containers))
                    .build()
                    .expect("a sandbox can be made"),
            )
        }
        Err(reason) => {
            assert!(
                std::env::var_os("GLOVEBOX_NEED_ENGINE").is_none(),
                "there is no container engine: {reason}"
            );
            eprintln!("SKIPPED: no container engine to test with: {reason}");
            None
        }
    }
}

/// Returns the output of the engine's own client.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("the client is there");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
