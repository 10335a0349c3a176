//! Package sets: do programs get the packages that they may have, and nothing else?
//!
//! Through the program `glovebox`, with the public registries for ordinary use, and with an index of our own full of malicious archives for
//! attacks (API16 and FS23 of the catalogue). The oracles are outside: the requests to the index, and files of the host.

use glovebox::{JsonLines, LockedPackage, OpenError, Policy, Request, Sandbox, Session};
use glovebox_fallback::Containers;
use glovebox_tests::engine;
use glovebox_tests::place::{guests, runtime};
use glovebox_tests::server::{Authority, Received, Server, answer};
use glovebox_tests::service::{RUN, Service};
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
        let cache = folder.path().join("cache");
        std::fs::create_dir_all(cache.join("packages")).expect("the folder is writable");
        for shared in ["guests", "compiled", "packages/tools"] {
            std::os::unix::fs::symlink(CACHE.join(shared), cache.join(shared))
                .expect("the folder is writable");
        }
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

#[test]
fn a_pure_package_runs_in_the_wasm_tier_and_needs_no_network_afterwards() {
    let mut machine = Machine::new();
    let table = "from rich.console import Console\nfrom rich.table import Table\nt = Table(title='T')\nt.add_column('a')\nt.add_row('1')\nConsole().print(t)\n";
    let printed = machine.run(&["--package", "rich"], "table.py", table);
    assert!(
        printed.contains("┃ a ┃") && printed.contains("│ 1 │"),
        "{printed}"
    );
    machine.unplug();
    let outcome = machine.outcome(&["--package", "rich"], "table.py", table);
    assert_eq!(
        (&outcome["status"], &outcome["tier"]),
        (&"succeeded".into(), &"wasm".into()),
        "{outcome}"
    );
    let locked = outcome["packages"].as_array().expect("there is a lock");
    assert!(
        locked.iter().any(|package| package["name"] == "rich"),
        "{outcome}"
    );
    for package in locked {
        let digest = package["digest"].as_str().unwrap_or_default();
        assert!(
            digest.len() == 7 + 64
                && digest.starts_with("sha256:")
                && package["file"]
                    .as_str()
                    .unwrap_or_default()
                    .ends_with("-none-any.whl"),
            "{outcome}"
        );
    }
    assert_eq!(
        machine.run(&["--offline", "--package", "rich"], "table.py", table),
        printed
    );
    let output = machine.glovebox(&["run", "--offline", "--package", "flask", "table.py"]);
    assert_eq!(output.status.code(), Some(125), "{}", text(&output.stderr));
    let output = machine.glovebox(&["run", "--package", "flask", "table.py"]);
    assert_eq!(
        output.status.code(),
        Some(125),
        "without a network: {}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("could not be asked"),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&machine.glovebox(&["packages", "list"]).stdout).contains("rich "));
    assert!(machine.glovebox(&["packages", "clean"]).status.success());
    assert_eq!(machine.trees(), 0);
}

#[test]
fn a_program_says_itself_what_it_needs() {
    let machine = Machine::new();
    let script = "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"six>=1.16,<2\"]\n# ///\nimport six\nprint(six.PY3)\n";
    assert_eq!(machine.run(&[], "inline.py", script), "True\n");
    let script = "import { chunk } from 'npm:lodash-es@^4.17';\nconst size: number = 2;\nconsole.log(chunk([1, 2, 3], size));\n";
    assert_eq!(
        machine.run(&[], "inline.ts", script),
        "[ [ 1, 2 ], [ 3 ] ]\n"
    );
    let script = "const _ = require('lodash');\nconst { z } = require('zod');\nconsole.log(_.sum([1, 2]), z.string().parse('x'));\n";
    assert_eq!(
        machine.run(
            &["--package", "lodash@4", "--package", "zod"],
            "common.cjs",
            script
        ),
        "3 x\n"
    );
    // Missing modules of the first imports are reported before the run, with the package to request.
    for (name, source, package) in [
        ("a.py", "import os\nimport yaml\nprint('ran')", "pyyaml"),
        (
            "b.py",
            "'doc'\nfrom PIL import Image\nprint('ran')",
            "pillow",
        ),
        (
            "c.mjs",
            "console.log('ran');\nimport x from 'lodash-es/chunk.js';",
            "lodash-es",
        ),
    ] {
        let outcome = machine.outcome(&[], name, source);
        assert_eq!(
            (&outcome["status"], &outcome["stdout"]),
            (&"denied".into(), &"".into()),
            "{outcome}"
        );
        assert!(
            outcome["denial"]["reason"]
                .as_str()
                .unwrap_or_default()
                .contains(&format!("`{package}`")),
            "{outcome}"
        );
    }
    // Optional imports, and those that may exist by then, are not reported.
    for (name, source) in [
        (
            "a.py",
            "try:\n    import yaml\nexcept ImportError:\n    print('ran')",
        ),
        (
            "b.py",
            "import sys, types\nsys.modules['yaml'] = types.ModuleType('yaml')\nimport yaml\nprint('ran')",
        ),
        ("c.py", "def f():\n    import yaml\nprint('ran')"),
        (
            "d.mjs",
            "if (0) await import('lodash-es');\nconsole.log('ran');",
        ),
    ] {
        assert_eq!(machine.run(&[], name, source), "ran\n", "{source}");
    }
}

#[test]
fn native_code_goes_to_a_container_and_says_why() {
    let languages = ["python", "javascript"];
    if engine::sandbox_for(&languages, glovebox::Policy::builtin()).is_none() {
        return;
    }
    let machine = Machine::new();
    machine.write(
        "sum.py",
        "import numpy as np\nprint(np.arange(6).reshape(2, 3).sum())",
    );
    let output = machine.glovebox(&["run", "--package", "numpy", "sum.py"]);
    assert_eq!(text(&output.stdout), "15\n", "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("`wasm` cannot run `numpy`, which has native code"),
        "{}",
        text(&output.stderr)
    );
    let outcome = machine.outcome(
        &["--package", "numpy"],
        "sum.py",
        "import numpy\nopen(numpy.__file__, 'a')",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["status"]),
        (&"container".into(), &"failed".into()),
        "{outcome}"
    );
    assert!(
        outcome["stderr"]
            .as_str()
            .unwrap_or_default()
            .contains("Permission denied"),
        "{outcome}"
    );
    let outcome = machine.outcome(
        &["--package", "numpy", "--tier", "wasm"],
        "sum.py",
        "import numpy",
    );
    assert_eq!(outcome["status"], "denied", "{outcome}");
    // Modules of a full standard library, and versions that the guest does not have.
    let outcome = machine.outcome(
        &[],
        "sizes.py",
        "import ctypes\nprint(ctypes.sizeof(ctypes.c_long))",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["stdout"]),
        (&"container".into(), &"8\n".into()),
        "{outcome}"
    );
    assert!(
        outcome["tier_reason"]
            .as_str()
            .unwrap_or_default()
            .contains("has no module `ctypes`"),
        "{outcome}"
    );
    let outcome = machine.outcome(
        &[],
        "http.mjs",
        "import http from 'node:http';\nconsole.log(typeof http.request)",
    );
    assert_eq!(
        (&outcome["tier"], &outcome["stdout"]),
        (&"container".into(), &"function\n".into()),
        "{outcome}"
    );
}

/// An index with malicious archives, and a machine whose policy names it.
struct Hostile {
    machine: Machine,
    index: Server,
}

/// The archives of the index, built once.
static ARCHIVES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archives");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    let made = Command::new("python3")
        .arg(root().join("tests/clients/make_wheels.py"))
        .args([&folder, &canaries()])
        .output();
    let made = made.expect("python3 is there");
    assert!(made.status.success(), "{}", text(&made.stderr));
    folder
});

/// A page of 2 GiB, compressed.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const MAKE: &str = "import sys, zlib\n\
        z = zlib.compressobj(1, wbits=31)\n\
        for _ in range(1 << 11): sys.stdout.buffer.write(z.compress(b'<a href=\"x\">x</a>\\n' * 58254))\n\
        sys.stdout.buffer.write(z.flush())";
    let made = Command::new("python3")
        .args(["-c", MAKE])
        .output()
        .expect("there is Python");
    assert!(made.status.success(), "{}", text(&made.stderr));
    made.stdout
});

/// The folder in which code that runs or escapes leaves its mark.
fn canaries() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("canaries")
}

impl Hostile {
    fn new(rules: &str) -> Self {
        // Building them takes longer than the timeout of an index.
        LazyLock::force(&ARCHIVES);
        let mut machine = Machine::new();
        let authority = Authority::new();
        let index = Server::start_tls(&authority, &["127.0.0.1"], serve);
        let trusted = machine.write("trusted.pem", authority.pem());
        machine
            .environment
            .push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.packages.python]\nindex = \"{}\"\n{rules}\n\
             [profiles.t.packages.javascript]\nallow = [\"*\"]\nindex = \"{}\"\n",
            index.url("/simple/"),
            index.url("/npm/")
        );
        machine.write("policy.toml", &policy);
        Self { machine, index }
    }

    fn outcome(&self, package: &str, source: &str) -> Output {
        self.machine.write("main.py", source);
        self.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.py",
        ])
    }
}

/// A simple index (PEP 503): a page for each package with links to its archives.
fn serve(request: &Received) -> Vec<u8> {
    let path = request
        .line
        .trim_start_matches("GET ")
        .trim_start_matches("HEAD ");
    if let Some(file) = path.strip_prefix("/files/") {
        match file {
            // The connection stays open, and nothing is sent.
            "stalls-1.0-py3-none-any.whl" => loop {
                std::thread::park();
            },
            "stalls-1.0-py3-none-any.whl.metadata" => {
                return answer(
                    "200 OK",
                    &[],
                    b"Metadata-Version: 2.1\nName: stalls\nVersion: 1.0\n",
                );
            }
            _ => {}
        }
        return match std::fs::read(ARCHIVES.join(file)) {
            Ok(content) => answer(
                "200 OK",
                &[("Content-Type", "application/octet-stream")],
                &content,
            ),
            Err(_) => answer("404 Not Found", &[], b""),
        };
    }
    if let Some(asked) = path.strip_prefix("/npm/") {
        return serve_npm(request, asked);
    }
    let name = path.trim_start_matches("/simple/").trim_end_matches('/');
    if name == "silent" {
        // The connection stays open, and nothing is sent.
        loop {
            std::thread::park();
        }
    }
    if name.starts_with("bomb-") {
        return answer(
            "200 OK",
            &[("Content-Type", "text/html"), ("Content-Encoding", "gzip")],
            &BOMB,
        );
    }
    let mut page = String::new();
    if name == "stalls" {
        let digest = "0".repeat(64);
        page += &format!(
            "<a href=\"/files/stalls-1.0-py3-none-any.whl#sha256={digest}\" data-core-metadata=\"true\">stalls-1.0-py3-none-any.whl</a>\n"
        );
    }
    for entry in std::fs::read_dir(&*ARCHIVES)
        .expect("the archives are there")
        .flatten()
    {
        let file = entry.file_name().into_string().expect("our own names");
        if file.split('-').next().unwrap_or_default().replace('_', "-") == name {
            let content = std::fs::read(entry.path()).expect("the archives are there");
            let digest = if name == "lies" {
                "0".repeat(64)
            } else {
                sha256(&content)
            };
            page += &format!("<a href=\"/files/{file}#sha256={digest}\">{file}</a>\n");
        }
    }
    match page.is_empty() {
        true => answer("404 Not Found", &[], b""),
        false => answer(
            "200 OK",
            &[("Content-Type", "text/html")],
            format!("<!DOCTYPE html><html><body>{page}</body></html>").as_bytes(),
        ),
    }
}

/// An npm registry: package metadata and archives.
fn serve_npm(request: &Received, asked: &str) -> Vec<u8> {
    let archive = asked.strip_prefix("-/");
    let file = archive.map_or_else(
        || {
            asked
                .replace("%2f", "-")
                .replace("%2F", "-")
                .replace('/', "-")
                .trim_start_matches('@')
                .to_owned()
                + ".json"
        },
        str::to_owned,
    );
    let Ok(content) = std::fs::read(ARCHIVES.join("npm").join(file)) else {
        return answer("404 Not Found", &[], b"{}");
    };
    match archive {
        Some(_) => answer(
            "200 OK",
            &[("Content-Type", "application/octet-stream")],
            &content,
        ),
        None => {
            let page = text(&content).replace("HOST", request.header("host").unwrap_or_default());
            answer(
                "200 OK",
                &[("Content-Type", "application/json")],
                page.as_bytes(),
            )
        }
    }
}

fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_policy_decides_which_packages_and_versions() {
    let hostile = Hostile::new("allow = [\"good==1.*\", \"needs-bad\"]\ndeny = [\"bad\"]");
    let output = hostile.outcome("good", "import good\nprint(good.version)");
    assert_eq!(
        text(&output.stdout),
        "1.1\n",
        "the newest that is allowed: {}",
        text(&output.stderr)
    );
    for (package, exit) in [
        // A denied package is not even looked up, however it is spelled.
        ("goood", 126),
        ("git+https://127.0.0.1/x", 126),
        ("x @ https://127.0.0.1/x.whl", 126),
        ("file:///etc/passwd", 126),
        ("--extra-index-url=https://127.0.0.1/", 126),
        ("good; import os", 126),
    ] {
        let before = hostile.index.received().len();
        let output = hostile.outcome(package, "print('ran')");
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(exit), ""),
            "{package}: {}",
            text(&output.stderr)
        );
        assert_eq!(hostile.index.received().len(), before, "{package}");
    }
    let output = hostile.outcome("good==2.0", "print('ran')");
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(126), ""),
        "{}",
        text(&output.stderr)
    );
    let output = hostile.outcome("needs-bad", "print('ran')");
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(126), ""),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("`bad` is denied"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        hostile.machine.trees(),
        1,
        "nothing of what was refused is kept"
    );
}

#[test]
fn nothing_of_a_package_runs_outside_the_sandbox_or_leaves_its_place() {
    let hostile = Hostile::new("allow = [\"*\"]");
    let _ = std::fs::remove_dir_all(canaries());
    std::fs::create_dir_all(canaries()).expect("the folder is writable");
    // The name, and the exit code: 126 if there is nothing to install, 125 if it is unusable.
    for (package, codes) in [
        ("builds", [126, 126]),
        ("only-native", [126, 126]),
        // Not the older version that is pure Python: a container, with another Python version, may have it.
        ("older-pure", [126, 0]),
        ("lies", [125, 125]),
        ("slips", [125, 0]),
        ("climbs", [125, 0]),
        ("links", [125, 0]),
        ("swells", [125, 125]),
    ] {
        let (before, bytes) = (hostile.machine.trees(), hostile.machine.kept());
        let output = hostile.outcome(package, "print('ran')");
        assert!(
            codes.contains(&output.status.code().unwrap_or(-1)),
            "{package}: {:?} {}",
            output.status.code(),
            text(&output.stderr)
        );
        if output.status.code() != Some(0) {
            assert_eq!(text(&output.stdout), "", "{package}");
            assert_eq!(hostile.machine.trees(), before, "{package} must not stay");
            let kept = hostile.machine.kept();
            assert!(
                kept < bytes + (64 << 10),
                "{package}: {bytes} bytes became {kept}"
            );
        }
        let work = hostile.machine.path("cache/packages/work");
        assert_eq!(
            std::fs::read_dir(work).map_or(0, Iterator::count),
            0,
            "{package} leaves something behind"
        );
    }
    // Code that runs when an interpreter starts, or on import, does so in the sandbox alone.
    let output = hostile.outcome("starts", "import starts\nprint('ran')");
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    let output = hostile.outcome("bad", "import bad\nprint('ran')");
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    let marks: Vec<_> = std::fs::read_dir(canaries())
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(marks.is_empty(), "{marks:?}");
    // A package tree is shared, so it is read-only.
    let output = hostile.outcome("good", "import good\nopen(good.__file__, 'w')");
    assert_ne!(output.status.code(), Some(0));
    let output = hostile.outcome("good", "import os, good\nos.remove(good.__file__)");
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(
        text(
            &hostile
                .outcome("good", "import good\nprint(good.version)")
                .stdout
        ),
        "2.0\n"
    );
}

#[test]
fn npm_packages_are_taken_by_strong_digests_and_unpacked_within_bounds() {
    let hostile = Hostile::new("allow = [\"*\"]");
    let run = |package: &str| {
        hostile
            .machine
            .write("main.cjs", &format!("console.log(require({package:?}));"));
        hostile.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.cjs",
        ])
    };
    for package in ["plain", "@own/scoped", "mixed"] {
        let output = run(package);
        assert_eq!(
            text(&output.stdout),
            "there\n",
            "{package}: {}",
            text(&output.stderr)
        );
    }
    let (trees, bytes) = (hostile.machine.trees(), hostile.machine.kept());
    for (package, why) in [
        ("only-shasum", "SHA-1"),
        ("only-sha1", "SHA-1"),
        ("only-md5", "SHA-1"),
        ("lies", "digest"),
        ("lies-strongly", "digest"),
        ("swells", "more than"),
        ("climbs", "leads elsewhere"),
        ("many-names", "more than"),
    ] {
        let output = run(package);
        let complaint = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(125), ""),
            "{package}: {complaint}"
        );
        assert!(
            complaint.contains(why) && complaint.contains(package),
            "{package}: {complaint}"
        );
        assert_eq!(hostile.machine.trees(), trees, "{package} must not stay");
        let kept = hostile.machine.kept();
        assert!(
            kept < bytes + (64 << 10),
            "{package}: {bytes} bytes became {kept}"
        );
        assert_eq!(
            std::fs::read_dir(hostile.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
}

/// An index that never responds, or never sends an archive, takes the request's own time, and no more; and nothing of it is left.
#[test]
fn preparing_packages_ends_with_the_time_of_the_request() {
    let hostile = Hostile::new("allow = [\"*\"]");
    hostile.machine.write("main.py", "print('ran')");
    for (package, wall) in [("silent", 2), ("stalls", 6)] {
        let began = std::time::Instant::now();
        let arguments = [
            "run",
            "--json",
            "--policy",
            "policy.toml",
            "--wall",
            &format!("{wall}s"),
            &format!("--package={package}"),
            "main.py",
        ];
        let output = hostile.machine.glovebox(&arguments);
        let outcome: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        assert_eq!(
            (&outcome["status"], &outcome["limit"]),
            (&"limited".into(), &"wall".into()),
            "{package}: {outcome}"
        );
        assert!(
            outcome["usage"]["wall_ms"].as_f64() >= Some(f64::from(wall) * 1000.0),
            "{package}: {outcome}"
        );
        assert!(
            began.elapsed() < std::time::Duration::from_secs(30),
            "{package}: the index decides how long it takes"
        );
        assert_eq!(
            std::fs::read_dir(hostile.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
}

/// Returns the resident memory of all resolvers of a service.
fn resolving(service: u32) -> u64 {
    let read = |process: &Path, file: &str| {
        std::fs::read_to_string(process.join(file)).unwrap_or_default()
    };
    let number = |text: &str, at: usize| {
        text.split(' ')
            .nth(at)
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let processes = std::fs::read_dir("/proc")
        .expect("there are processes")
        .flatten()
        .map(|entry| entry.path());
    let resolvers = processes.filter(|process| {
        let stat = read(process, "stat");
        stat.contains("(uv) ")
            && stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| number(rest, 1) == u64::from(service))
    });
    resolvers
        .map(|process| number(&read(&process, "statm"), 1) * 4096)
        .sum()
}

/// Resolvers take their memory from the one of the service, `limits.memory`, whatever an index sends them.
#[test]
fn resolvers_of_all_subjects_have_no_more_memory_than_the_service() {
    LazyLock::force(&BOMB);
    let hostile = Hostile::new("allow = [\"*\"]");
    let folder = Arc::new(tempfile::tempdir().expect("a folder can be made"));
    let policy = hostile.machine.path("policy.toml");
    let config = format!(
        "policy = {policy:?}\n[limits]\nmemory = \"256MiB\"\n[containers]\nenabled = false\n"
    );
    let environment: Vec<_> = hostile
        .machine
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let service = Service::start_with(&folder, &config, false, &environment);
    let keys: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| service.make_key(&[name]))
        .collect();
    let run_in = |language: &str, key: &str, package: &str| {
        let body = serde_json::json!({ "language": language, "source": "print('ran')", "packages": [package] }).to_string();
        let bearer = format!("Bearer {key}");
        service.send(
            "POST",
            RUN,
            &[
                ("Authorization", &bearer),
                ("Content-Type", "application/json"),
            ],
            body.as_bytes(),
        )
    };
    let run = |key: &str, package: &str| run_in("python", key, package);
    let (over, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(resolving(service.process()), Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        let asking: Vec<_> = keys
            .iter()
            .zip(["bomb-a", "bomb-b", "bomb-c"])
            .map(|(key, package)| scope.spawn(|| run(key, package)))
            .collect();
        let answers: Vec<_> = asking.into_iter().map(|asking| asking.join()).collect();
        over.store(true, Ordering::Relaxed);
        for answer in answers {
            let answer = answer.expect("it is answered").text();
            assert!(answer.contains("limits.memory"), "{answer}");
        }
    });
    let peak = peak.into_inner();
    // Each is looked at every 20 ms, and a page fills memory meanwhile.
    assert!((1..448 << 20).contains(&peak), "{} MiB", peak >> 20);
    // An ordinary resolution has enough of it, and everything was given back.
    for key in &keys {
        let answer = run(key, "good");
        assert_eq!(
            (answer.status, &answer.json()["stdout"]),
            (200, &"ran\n".into()),
            "{}",
            answer.text()
        );
    }
    // npm needs more than one of them may have, and is not started.
    let asked = hostile.index.received().len();
    let refused = run_in("javascript", &keys[0], "good");
    assert_eq!(
        refused.problem(),
        (503, "memory_exhausted".to_owned()),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("limits.memory_per_subject"),
        "{}",
        refused.text()
    );
    assert_eq!(hostile.index.received().len(), asked);
}

/// An index whose pages lead elsewhere, and the server that they lead to.
struct Leading {
    machine: Machine,
    index: Server,
    other: Server,
}

impl Leading {
    /// The user has credentials for the index, and for another server on this machine.
    fn new() -> Self {
        LazyLock::force(&ARCHIVES);
        let mut machine = Machine::new();
        let authority = Authority::new();
        let other = Server::start_tls(&authority, &["127.0.0.1", "localhost"], serve);
        let port = other.port();
        let index = Server::start_tls(&authority, &["127.0.0.1"], move |request| {
            let path = request.line.split(' ').nth(1).unwrap_or_default();
            if request.header("authorization") != Some("Basic dXNlcjpwQHNzOncvcmQ=") {
                return answer(
                    "401 Unauthorized",
                    &[("WWW-Authenticate", "Basic realm=\"index\"")],
                    b"",
                );
            }
            let name = path.trim_start_matches("/simple/").trim_end_matches('/');
            // The archives are elsewhere, by a link or by a redirect.
            let place = match name {
                "bad" => format!("https://localhost:{port}/files/"),
                "needs-bad" => format!("https://127.0.0.1:{port}/files/"),
                "lies" => "https://169.254.169.254/latest/".to_owned(),
                "slips" => "https://10.255.255.1/files/".to_owned(),
                "climbs" => "http://127.0.0.1/files/".to_owned(),
                "links" => "/to-metadata/".to_owned(),
                "starts" => "/moved/".to_owned(),
                _ => "/files/".to_owned(),
            };
            if let Some(file) = path.strip_prefix("/moved/") {
                let target = format!("https://127.0.0.1:{port}/files/{file}");
                return answer("302 Found", &[("Location", &target)], b"");
            }
            if path.starts_with("/to-metadata/") {
                return answer(
                    "302 Found",
                    &[("Location", "https://169.254.169.254/latest/")],
                    b"",
                );
            }
            let page = text(&serve(request));
            match path.strip_prefix("/simple/") {
                Some(_) => {
                    let page = page
                        .split_once("\r\n\r\n")
                        .map_or("", |(_, page)| page)
                        .replace("\"/files/", &format!("\"{place}"));
                    answer("200 OK", &[("Content-Type", "text/html")], page.as_bytes())
                }
                None => serve(request),
            }
        });
        let trusted = machine.write("trusted.pem", authority.pem());
        machine.write(".netrc", "machine 127.0.0.1 login user password p@ss:w/rd\nmachine localhost login other password secret\n");
        machine
            .environment
            .push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
        machine.environment.push((
            "HOME".to_owned(),
            machine.folder.path().display().to_string(),
        ));
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.packages.python]\nindex = \"{}\"\nallow = [\"*\"]\n",
            index.url("/simple/")
        );
        machine.write("policy.toml", &policy);
        Self {
            machine,
            index,
            other,
        }
    }

    fn outcome(&self, package: &str) -> Output {
        self.machine.write("main.py", "print('ran')");
        self.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.py",
        ])
    }
}

/// Archives may be elsewhere; the credentials of an index are for that index alone, and its pages lead to nothing that only this machine
/// can reach (SSRF).
#[test]
fn an_index_leads_no_further_than_it_may_and_keeps_its_key() {
    let leading = Leading::new();
    let archives = |server: &Server| {
        server
            .received()
            .iter()
            .filter(|request| request.line.contains("/files/"))
            .count()
    };
    for (package, is_elsewhere) in [
        ("good", false),
        ("bad", true),
        ("needs-bad", true),
        ("starts", true),
    ] {
        let before = archives(&leading.other);
        let output = leading.outcome(package);
        assert_eq!(
            text(&output.stdout),
            "ran\n",
            "{package}: {}",
            text(&output.stderr)
        );
        assert_eq!(archives(&leading.other) > before, is_elsewhere, "{package}");
    }
    assert!(
        archives(&leading.index) > 0,
        "the archives of `good` are at the index"
    );
    for request in leading.other.received() {
        assert!(
            request.header("authorization").is_none() && request.header("cookie").is_none(),
            "{request:?}"
        );
        assert!(request.header("referer").is_none(), "{request:?}");
    }
    for (package, says) in [
        ("lies", "169.254.169.254"),
        ("slips", "10.255.255.1"),
        ("climbs", "not `https`"),
        ("links", "169.254.169.254"),
    ] {
        let began = std::time::Instant::now();
        let output = leading.outcome(package);
        let complaint = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(125), ""),
            "{package}: {complaint}"
        );
        assert!(complaint.contains(says), "{package}: {complaint}");
        assert!(
            !complaint.contains("p@ss") && !complaint.contains("p%40ss"),
            "{package}: {complaint}"
        );
        // No connection was even attempted.
        assert!(
            began.elapsed() < std::time::Duration::from_secs(20),
            "{package}"
        );
        assert_eq!(
            std::fs::read_dir(leading.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
    // No kept file has the credentials in it.
    let locks = leading.machine.path("cache/packages/locks");
    let locks: Vec<String> = std::fs::read_dir(locks)
        .expect("there are locks")
        .map(|lock| std::fs::read_to_string(lock.expect("an entry").path()).expect("it is text"))
        .collect();
    assert!(
        !locks.is_empty()
            && locks.iter().all(|lock| !lock.contains("user:")
                && !lock.contains("p%40ss")
                && !lock.contains("p@ss"))
    );
}

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

/// Programs that first need the same packages concurrently download them once, and each gets them complete.
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

#[test]
fn a_session_installs_lists_and_removes_packages() {
    let names = |packages: &[LockedPackage]| {
        packages
            .iter()
            .map(|package| package.name.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let audit = tempfile::tempdir().expect("a folder can be made");
    let log = Arc::new(JsonLines::open(audit.path().join("log")).expect("the log can be made"));
    let containers = engine::sandbox_for(&["python"], Policy::builtin())
        .map(|_| Arc::new(runtime().block_on(Containers::connect())));
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
    for (language, package, missing, present, other) in [
        (
            "python",
            "six==1.16.*",
            "import six",
            "import six\nprint(six.__name__)",
            "toolz",
        ),
        (
            "javascript",
            "ms@2",
            "await import('ms')",
            "console.log((await import('ms')).default.name)",
            "lodash",
        ),
    ] {
        let name = package.split(['=', '@']).next().unwrap_or_default();
        let mut session = runtime()
            .block_on(sandbox.open(Request::new(language, "")))
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
    assert_eq!(provided.len(), 6, "{log}");
    assert!(
        provided
            .iter()
            .all(|record| record["session"].is_string() && record["packages"][0].is_string()),
        "{log}"
    );
}
