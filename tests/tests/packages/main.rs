//! Package sets: do programs get the packages that they may have, and nothing else?
//!
//! Through the program `glovebox`, with the public registries for ordinary use, and with an index
//! of our own full of malicious archives for attacks (API16 and FS23 of the catalogue). The oracles
//! are outside: the requests to the index, and files of the host.

mod hostile;
mod index;
mod ordinary;
mod sets;
mod tiers;

use glovebox::{JsonLines, LockedPackage, OpenError, Policy, Request, Sandbox, Session};
use glovebox_fallback::Containers;
use glovebox_tests::engine;
use glovebox_tests::place::{cache_without_packages, guests, runtime};
use glovebox_tests::server::{Authority, Received, Server, answer};
use glovebox_tests::service::{Access, RUN, Service};
use glovebox_tests::tree::{program, root};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

/// The cache of this machine, with the guests and the resolver in it.
static CACHE: LazyLock<PathBuf> = LazyLock::new(|| {
    let cache = glovebox_guests::default_cache_dir().expect("there is a cache");
    let output = Command::new(program())
        .args(["packages", "resolve", "six"])
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    cache
});

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A machine with an empty package store.
struct Machine {
    folder: tempfile::TempDir,
    environment: Vec<(String, String)>,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let cache = cache_without_packages(folder.path());
        let tools = "packages/tools";
        std::os::unix::fs::symlink(CACHE.join(tools), cache.join(tools))
            .expect("the folder is writable");
        let environment = vec![("GLOVEBOX_CACHE".to_owned(), cache.display().to_string())];
        Self {
            folder,
            environment,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("the folder is writable");
        path
    }

    /// Sends all outgoing requests to an unreachable proxy.
    fn unplug(&mut self) {
        for name in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
        ] {
            self.environment
                .push((name.to_owned(), "http://127.0.0.1:1".to_owned()));
        }
    }

    fn glovebox(&self, arguments: &[&str]) -> Output {
        Command::new(program())
            .args(arguments)
            .current_dir(self.folder.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("the program starts")
    }

    /// Runs a program and returns its output.
    fn run(&self, arguments: &[&str], name: &str, source: &str) -> String {
        self.write(name, source);
        let output = self.glovebox(&[&["run", name], arguments].concat());
        assert!(
            output.status.success(),
            "{source}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// The outcome of a program, as JSON.
    fn outcome(&self, arguments: &[&str], name: &str, source: &str) -> serde_json::Value {
        self.write(name, source);
        let output = self.glovebox(&[&["run", "--json", name], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            panic!("{source}: {}{}", text(&output.stdout), text(&output.stderr))
        })
    }

    /// Returns the bytes of everything below the store except the resolver.
    fn kept(&self) -> u64 {
        let mut left = vec![self.path("cache/packages")];
        let mut bytes = 0;
        while let Some(folder) = left.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let found = entry.metadata().expect("it is there");
                // Symlinks lead to what the machines share.
                if found.is_dir() {
                    left.push(entry.path())
                } else {
                    bytes += found.len()
                }
            }
        }
        bytes
    }

    /// Returns the number of package trees in the store.
    fn trees(&self) -> usize {
        std::fs::read_dir(self.path("cache/packages/trees")).map_or(0, Iterator::count)
    }
}
