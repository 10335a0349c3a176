//! Container engine of a command: is it asked only when a decision depends on it?
//!
//! The oracle is a socket in place of the engine's, which counts who connects to it.

use super::text;
use glovebox_tests::place::eventually;
use glovebox_tests::tree::program;
use serde_json::Value;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The behaviour of a socket in place of the engine's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It closes every connection.
    Closes,
    /// It reads nothing, and answers nothing.
    Hangs,
}

/// A socket in place of the engine's.
struct Engine {
    folder: tempfile::TempDir,
    connections: Arc<AtomicUsize>,
}

impl Engine {
    fn new(answer: Answer) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let listener = UnixListener::bind(Self::socket(folder.path())).expect("a socket");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
                if answer == Answer::Hangs {
                    held.push(stream);
                }
            }
        });
        Self {
            folder,
            connections,
        }
    }

    fn socket(folder: &Path) -> PathBuf {
        folder.join("engine.sock")
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Returns a command with a program.
    fn command(&self, arguments: &str, source: &str) -> Command {
        let program_file = self.folder.path().join("program");
        std::fs::write(&program_file, source).expect("the folder is writable");
        let socket = Self::socket(self.folder.path());
        let mut command = Command::new(program());
        command
            .args(arguments.split(' '))
            .arg(&program_file)
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .current_dir(self.folder.path());
        command
    }

    /// Runs a command with a program; returns its exit code, what it printed, and whether it has
    /// asked the engine.
    fn asked(&self, arguments: &str, source: &str) -> (Option<i32>, String, bool) {
        let before = self.connections();
        let output = self.command(arguments, source).output();
        let output = output.expect("the program starts");
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
            self.connections() > before,
        )
    }
}

#[test]
fn engine_is_asked_only_if_a_decision_depends_on_it() {
    let engine = Engine::new(Answer::Closes);
    // What the engine has decides whether its tier is used.
    let policy = "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nlanguages = [\"python\"]\n\
                  tiers = [\"container\", \"wasm\"]\nruntime = \"runsc\"\n";
    std::fs::write(engine.folder.path().join("policy.toml"), policy)
        .expect("the folder is writable");
    let metadata = "# /// script\n# dependencies = [\"numpy\"]\n# ///\nprint(1)";
    for (arguments, source, code, is_asked) in [
        (
            "run --language python",
            "import json\nprint(1)",
            Some(0),
            false,
        ),
        (
            "run --language javascript",
            "console.log(1)",
            Some(0),
            false,
        ),
        (
            "run --language python --tier wasm",
            "print(1)",
            Some(0),
            false,
        ),
        (
            "policy explain --language python",
            "print(1)",
            Some(0),
            false,
        ),
        ("run --language shell", "echo 1", Some(126), true),
        (
            "run --language python --tier container",
            "print(1)",
            Some(126),
            true,
        ),
        ("policy explain --language shell", "echo 1", Some(126), true),
        (
            "run --language python --policy policy.toml",
            "print(1)",
            Some(0),
            true,
        ),
        // What they end with depends on what is in the package cache.
        ("run --offline --language python", metadata, None, true),
        (
            "run --offline --language python --package numpy",
            "print(1)",
            None,
            true,
        ),
    ] {
        let (exit, printed, asked) = engine.asked(arguments, source);
        assert_eq!(asked, is_asked, "{arguments}: {printed}");
        assert!(
            code.is_none() || exit == code,
            "{arguments}: {exit:?} {printed}"
        );
        if code == Some(126) {
            assert!(printed.contains("engine"), "{arguments}: {printed}");
        }
    }
}

#[test]
fn stop_cancels_a_run_that_waits_for_the_engine() {
    let engine = Engine::new(Answer::Hangs);
    let mut command = engine.command("run --json --language shell", "echo 1");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let child = child.expect("the program starts");
    eventually(Duration::from_secs(10), "the engine is asked", || {
        engine.connections() > 0
    });
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.expect("kill is there").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130));
    // It has an outcome, so it did not merely give up waiting.
    let outcome: Value = serde_json::from_slice(&output.stdout).expect("an outcome");
    assert_eq!(outcome["status"], "cancelled", "{outcome}");
}
