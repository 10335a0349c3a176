//! Container engine faults: how do runs end when the engine fails?
//!
//! With a dedicated engine, which the tests stop, kill and starve, so that no other user of an
//! engine is disturbed.

use glovebox_tests::engine;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, Service};
use glovebox_tests::tree::program;
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An engine with its own files, socket and containers.
struct Engine {
    folder: tempfile::TempDir,
    process: Option<Child>,
}

impl Engine {
    /// Returns `None` if there can be none.
    fn new() -> Option<Self> {
        engine::sandbox(glovebox::Policy::builtin())?;
        let mut engine = Self {
            folder: tempfile::tempdir().expect("a folder can be made"),
            process: None,
        };
        engine.start();
        Some(engine)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn host(&self) -> String {
        format!("unix://{}", self.path("socket").display())
    }

    fn start(&mut self) {
        let option = |name: &str, file: &str| format!("--{name}={}", self.path(file).display());
        let process = Command::new("setsid")
            .arg("dockerd")
            .args([
                option("data-root", "data"),
                option("exec-root", "exec"),
                option("pidfile", "pid"),
                format!("--host={}", self.host()),
            ])
            .args(["--bridge=none", "--iptables=false", "--ip-forward=false"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dockerd starts");
        self.process = Some(process);
        let started = Instant::now();
        while !self.docker(&["version"]).status.success() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the engine does not answer"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn docker(&self, arguments: &[&str]) -> Output {
        Command::new("docker")
            .args(["--host", &self.host()])
            .args(arguments)
            .output()
            .expect("the client is there")
    }

    /// Loads the image for shell into it.
    fn load(&self) {
        let mut save = Command::new("docker")
            .args(["save", "glovebox/shell:latest"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the client is there");
        let image = save.stdout.take().expect("it has an output");
        let load = Command::new("docker")
            .args(["--host", &self.host(), "load"])
            .stdin(image)
            .output()
            .expect("the client is there");
        assert!(
            load.status.success() && save.wait().expect("it ends").success(),
            "{}",
            text(&load.stderr)
        );
    }

    fn signal(&self, signal: &str) {
        let process = std::fs::read_to_string(self.path("pid")).expect("the engine has a number");
        assert!(
            Command::new("kill")
                .args([signal, process.trim()])
                .status()
                .expect("kill is there")
                .success()
        );
    }

    fn kill(&mut self) {
        self.signal("-KILL");
        if let Some(mut process) = self.process.take() {
            process.wait().expect("it ends");
        }
        // Its `containerd` ends with it; if zombies are not reaped, the new engine would take it
        // for alive.
        for file in ["pid", "exec/containerd/containerd.pid"] {
            let _ = std::fs::remove_file(self.path(file));
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(["run"])
            .args(arguments)
            .env("DOCKER_HOST", self.host())
            .current_dir(self.folder.path());
        command
    }

    fn shell(&self, source: &str) -> Output {
        std::fs::write(self.path("main.sh"), source).expect("the folder is writable");
        self.command(&["main.sh"])
            .output()
            .expect("the program starts")
    }

    fn containers(&self) -> usize {
        text(&self.docker(&["ps", "--all", "--quiet"]).stdout)
            .lines()
            .count()
    }

    fn assert_nothing_is_left(&self) {
        let started = Instant::now();
        while self.containers() > 0 {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{}",
                text(&self.docker(&["ps", "--all"]).stdout)
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(
            text(&self.docker(&["volume", "ls", "--quiet"]).stdout),
            "",
            "no volume is left"
        );
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Ok(process) = std::fs::read_to_string(self.path("pid")) {
            let _ = Command::new("kill")
                .args(["-CONT", process.trim()])
                .status();
            let _ = Command::new("kill")
                .args(["-TERM", process.trim()])
                .status();
        }
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }
}

/// Starts a script, and returns once it has printed its first line.
fn started(engine: &Engine, limits: &[&str], script: &str) -> (Child, BufReader<ChildStdout>) {
    std::fs::write(engine.path("main.sh"), script).expect("the folder is writable");
    let mut run = engine
        .command(&[limits, &["main.sh"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut output = BufReader::new(run.stdout.take().expect("it has an output"));
    let mut line = String::new();
    output.read_line(&mut line).expect("it says something");
    assert_eq!(line, "started\n");
    (run, output)
}

/// The engine hangs while a program runs: the watchdog inside the container still ends the run, and
/// soon.
fn hang_during_a_run(engine: &Engine) {
    let (mut run, _output) = started(engine, &["--wall", "3s"], "echo started; sleep 30");
    engine.signal("-STOP");
    let stopped = Instant::now();
    let status = run.wait().expect("it ends");
    assert_eq!(status.code(), Some(124));
    assert!(
        stopped.elapsed() < Duration::from_secs(20),
        "{:?}",
        stopped.elapsed()
    );
}

/// The engine is killed while a program runs: the run ends with a host error, and its output so far
/// was streamed.
fn kill_during_a_run(engine: &mut Engine) {
    let (mut run, _output) = started(engine, &[], "echo started; sleep 20");
    engine.kill();
    let killed = Instant::now();
    let status = run.wait().expect("it ends");
    assert!(matches!(status.code(), Some(125 | 134)), "{status}");
    assert!(
        killed.elapsed() < Duration::from_secs(20),
        "{:?}",
        killed.elapsed()
    );
}

#[test]
fn engine_fault_ends_a_run_with_its_reason() {
    let Some(mut engine) = Engine::new() else {
        return;
    };

    // No image: a denial with advice, and everything else works.
    let output = engine.shell("echo ran");
    assert_eq!(output.status.code(), Some(126), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("glovebox images build"),
        "{}",
        text(&output.stderr)
    );
    engine.load();
    assert_eq!(text(&engine.shell("echo ran").stdout), "ran\n");

    hang_during_a_run(&engine);

    // It does not respond at all: a denial that says so, in bounded time.
    let asked = Instant::now();
    let output = engine.shell("echo ran");
    assert_eq!(output.status.code(), Some(126), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("did not answer within"),
        "{}",
        text(&output.stderr)
    );
    assert!(
        asked.elapsed() < Duration::from_secs(30),
        "{:?}",
        asked.elapsed()
    );
    engine.signal("-CONT");
    assert_eq!(text(&engine.shell("echo ran").stdout), "ran\n");
    engine.assert_nothing_is_left();

    kill_during_a_run(&mut engine);

    // It is not running: a denial, and programs for the wasm tier run as usual.
    let output = engine.shell("echo ran");
    assert_eq!(output.status.code(), Some(126), "{}", text(&output.stderr));
    std::fs::write(engine.path("main.py"), "print('ran')").expect("the folder is writable");
    assert_eq!(
        text(
            &engine
                .command(&["main.py"])
                .output()
                .expect("the program starts")
                .stdout
        ),
        "ran\n"
    );

    // It is restarted: runs work, and orphans of the killed one are removed.
    engine.start();
    assert_eq!(text(&engine.shell("echo ran").stdout), "ran\n");
    engine.assert_nothing_is_left();
}

#[test]
fn service_takes_a_broken_tier_out_and_back_in() {
    let Some(mut engine) = Engine::new() else {
        return;
    };
    engine.load();
    let folder = Arc::new(tempfile::tempdir().expect("a folder can be made"));
    let config =
        "[containers]\npool = 1\n[[alerts]]\nname = \"tiers\"\non = \"tier\"\nwithin = \"1s\"\n";
    let service = Service::start_with(
        &folder,
        config,
        Access::Local,
        &[("DOCKER_HOST", &engine.host())],
    );
    let run = |language: &str, source: &str| {
        let body = json!({ "language": language, "source": source });
        service.post("/v1/executions", &body).json()
    };
    let shell = || run("shell", "echo ran");
    let python = || run("python", "print('ran')");
    let says = |metric: &str| service.get("/metrics").text().contains(metric);
    assert_eq!(shell()["stdout"], "ran\n");
    assert!(says("glovebox_tier_available{tier=\"container\"} 1"));
    eventually(Duration::from_secs(20), "a container is kept ready", || {
        says("glovebox_pool_ready{tier=\"container\"} 1")
    });
    assert_eq!(shell()["stdout"], "ran\n");
    assert!(
        says("glovebox_pool_starts{tier=\"container\",start=\"warm\"} 1"),
        "{}",
        service.get("/metrics").text()
    );
    engine.kill();
    eventually(Duration::from_secs(30), "the tier is out of use", || {
        says("glovebox_tier_available{tier=\"container\"} 0")
    });
    let refused = shell();
    assert_eq!(refused["status"], "denied", "{refused}");
    assert!(
        refused["denial"]["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("engine")),
        "{refused}"
    );
    let tiers = service.get("/v1/tiers").json();
    assert!(
        tiers["tiers"]
            .as_array()
            .is_some_and(|tiers| tiers.iter().any(|tier| tier["available"] == false)),
        "{tiers}"
    );
    assert_eq!(python()["stdout"], "ran\n", "the others go on");
    assert_eq!(service.get("/readyz").status, 200);
    engine.start();
    eventually(Duration::from_secs(30), "the tier is in use again", || {
        says("glovebox_tier_available{tier=\"container\"} 1")
    });
    assert_eq!(shell()["stdout"], "ran\n");
    let alerts = service.get("/v1/alerts").json();
    let details: Vec<_> = alerts["alerts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|alert| alert["detail"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(
        details,
        [
            "it does not work any more and is out of use",
            "it works again"
        ],
        "{alerts}"
    );
    drop(service);
}

#[test]
fn a_full_disk_loses_nothing() {
    let Some(engine) = Engine::new() else { return };
    engine.load();
    // A file size limit on the engine's process looks like a full disk to it.
    let process = std::fs::read_to_string(engine.path("pid")).expect("the engine has a number");
    let limit = |bytes: &str| {
        let limited = Command::new("prlimit")
            .args([
                "--pid",
                process.trim(),
                &format!("--fsize={bytes}:unlimited"),
            ])
            .status();
        assert!(limited.expect("prlimit is there").success());
    };
    limit("0");
    let output = engine.shell("echo ran");
    // The run needs no disk space of the engine, or reports what is missing; either way nothing is
    // left behind.
    assert!(
        matches!(output.status.code(), Some(0 | 125 | 126)),
        "{:?} {}",
        output.status.code(),
        text(&output.stderr)
    );
    limit("unlimited");
    let output = engine.shell("echo again");
    assert_eq!(text(&output.stdout), "again\n", "{}", text(&output.stderr));
    engine.assert_nothing_is_left();
}
