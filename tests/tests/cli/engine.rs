//! Container engine of a command: is it asked only when a decision depends on it?
//!
//! The oracle is a socket in place of the engine's, which counts who connects to it.

use super::text;
use glovebox_tests::tree::program;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A socket that closes every connection.
struct Engine {
    folder: tempfile::TempDir,
    connections: Arc<AtomicUsize>,
}

impl Engine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let listener = UnixListener::bind(Self::socket(folder.path())).expect("a socket");
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for _ in listener.incoming().flatten() {
                count.fetch_add(1, Ordering::Relaxed);
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

    /// Runs a command with a program; returns its exit code, what it printed, and whether it has
    /// asked the engine.
    fn asked(&self, arguments: &str, source: &str) -> (Option<i32>, String, bool) {
        let program_file = self.folder.path().join("program");
        std::fs::write(&program_file, source).expect("the folder is writable");
        let before = self.connections.load(Ordering::Relaxed);
        let socket = Self::socket(self.folder.path());
        let output = Command::new(program())
            .args(arguments.split(' '))
            .arg(&program_file)
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .current_dir(self.folder.path())
            .output()
            .expect("the program starts");
        (
            output.status.code(),
            text(&output.stdout) + &text(&output.stderr),
            self.connections.load(Ordering::Relaxed) > before,
        )
    }
}

#[test]
fn engine_is_asked_only_if_a_decision_depends_on_it() {
    let engine = Engine::new();
    // What the engine has decides whether its tier is used.
    let policy = "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nlanguages = [\"python\"]\n\
                  tiers = [\"container\", \"wasm\"]\nruntime = \"runsc\"\n";
    std::fs::write(engine.folder.path().join("policy.toml"), policy)
        .expect("the folder is writable");
    let metadata = "# /// script\n# dependencies = [\"numpy\"]\n# ///\nprint(1)";
    for (arguments, source, code, is_asked) in [
        ("run --language python", "import json\nprint(1)", 0, false),
        ("run --language javascript", "console.log(1)", 0, false),
        ("run --language python --tier wasm", "print(1)", 0, false),
        ("policy explain --language python", "print(1)", 0, false),
        ("run --language shell", "echo 1", 126, true),
        (
            "run --language python --tier container",
            "print(1)",
            126,
            true,
        ),
        ("policy explain --language shell", "echo 1", 126, true),
        (
            "run --language python --policy policy.toml",
            "print(1)",
            0,
            true,
        ),
        ("run --offline --language python", metadata, 126, true),
        (
            "run --offline --language python --package numpy",
            "print(1)",
            126,
            true,
        ),
    ] {
        let (exit, printed, asked) = engine.asked(arguments, source);
        assert_eq!(
            (exit, asked),
            (Some(code), is_asked),
            "{arguments}: {printed}"
        );
        if code == 126 {
            assert!(printed.contains("engine"), "{arguments}: {printed}");
        }
    }
}
