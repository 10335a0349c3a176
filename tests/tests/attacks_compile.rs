//! Compilation bombs, end to end: does compiling untrusted WebAssembly end with its own run,
//! without effect on another tenant?
//!
//! Through the library, the command line and the service. The oracle is `/proc`: which processes
//! exist, what they may do, and whether a processor is in use after the response.

use base64::Engine as _;
use glovebox::{Controls, Limit, Request, Sandbox, Status};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::bombs::{self, Bomb};
use glovebox_tests::place::{
    GRACE, canary, eventually, guests, policy, run, run_with, runtime, sandbox,
};
use glovebox_tests::service::{RUN, Service, python};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Returns the compiler processes that a process has started and not reaped.
fn compilers_of(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_compiler = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let parent_of = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1)?.parse::<u32>().ok());
        // A zombie has no command line.
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        parent_of == Some(parent)
            && (line.is_empty() || line.windows(14).any(|part| part == b"compile-module"))
    };
    processes.filter(is_compiler).collect()
}

/// Returns the ticks of CPU time of a process and its reaped children.
fn ticks(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
    stat.rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum()
}

fn works(sandbox: &Sandbox, after: &str) {
    for twin in [bombs::nothing(), bombs::nothing_component()] {
        let outcome = run(sandbox, Request::new("wasm", twin));
        assert_eq!(
            (outcome.status, outcome.exit_code),
            (Status::Succeeded, Some(0)),
            "after {after}: {}",
            show(&outcome)
        );
    }
}

#[test]
fn every_bomb_ends_its_own_run_only() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"3s\"\nsource = \"64MiB\"", "");
    works(&sandbox, "nothing");
    for Bomb { name, bytes } in bombs::all() {
        let started = Instant::now();
        let size = bytes.len();
        let outcome = run(&sandbox, Request::new("wasm", bytes));
        let took = started.elapsed();
        println!(
            "{name} ({size} bytes): {took:?} {:?} {:?} {:?}",
            outcome.status, outcome.crash, outcome.usage.cpu
        );
        assert!(
            took < Duration::from_secs(3) + GRACE,
            "{name} took {took:?}: {}",
            show(&outcome)
        );
        assert!(
            compilers_of(std::process::id()).is_empty(),
            "{name} has left a process behind"
        );
        // A bomb within the bounds that is harmless may run.
        assert_ne!(outcome.status, Status::Denied, "{name}: {}", show(&outcome));
        let system_call = outcome
            .crash
            .as_deref()
            .is_some_and(|why| why.contains("system call"));
        assert!(!system_call, "{name}: {}", show(&outcome));
    }
    works(&sandbox, "all bombs");
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

#[test]
fn slow_compilation_is_limited_and_paid_for() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"1s\"\nsource = \"64MiB\"", "");
    let outcome = run(&sandbox, Request::new("wasm", bombs::slow()));
    assert_eq!(
        (outcome.status, outcome.reached_limit()),
        (Status::Limited, Some(Limit::Compile)),
        "{}",
        show(&outcome)
    );
    assert!(
        outcome.usage.cpu > Duration::from_millis(200),
        "{:?}",
        outcome.usage.cpu
    );
    let outcome = run(&sandbox, Request::new("wasm", bombs::nothing()));
    assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
    assert!(
        outcome.usage.cpu > Duration::ZERO,
        "{:?}",
        outcome.usage.cpu
    );
}

/// A run that is stopped or dropped kills its compiler.
#[test]
fn a_compiler_ends_with_its_run() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"30s\"\nsource = \"64MiB\"", "");
    let us = std::process::id();
    let controls = Controls::default();
    let stop = controls.stop.clone();
    let run_of = |controls| {
        let sandbox = sandbox.clone();
        runtime().spawn(async move {
            sandbox
                .run_with(Request::new("wasm", bombs::slow()), controls)
                .await
        })
    };
    let running = run_of(controls);
    eventually(Duration::from_secs(10), "it compiles", || {
        !compilers_of(us).is_empty()
    });
    stop.cancel();
    let outcome = runtime()
        .block_on(running)
        .expect("the task ends")
        .expect("the host works");
    assert_eq!(outcome.status, Status::Cancelled);
    assert!(compilers_of(us).is_empty());

    let dropped = run_of(Controls::default());
    eventually(Duration::from_secs(10), "it compiles", || {
        !compilers_of(us).is_empty()
    });
    dropped.abort();
    eventually(
        Duration::from_secs(5),
        "the compiler ends with the future",
        || compilers_of(us).is_empty(),
    );
    works(&sandbox, "what was dropped");
}

/// The sandboxing of a compiler at work, as the kernel reports it.
#[test]
fn a_compiler_is_jailed() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"5s\"\nsource = \"64MiB\"\nmemory = \"300MiB\"", "");
    let controls = Controls::default();
    let stop = controls.stop.clone();
    let task = sandbox.clone();
    let running = runtime().spawn(async move {
        task.run_with(Request::new("wasm", bombs::slow()), controls)
            .await
    });
    let file = |name: &str| {
        compilers_of(std::process::id()).first().map(|process| {
            fs::read_to_string(format!("/proc/{process}/{name}")).unwrap_or_default()
        })
    };
    // It is compiling once it has used CPU time.
    let compiler = || compilers_of(std::process::id()).first().copied();
    eventually(Duration::from_secs(4), "it compiles", || {
        compiler().is_some_and(|process| ticks(process) > 20)
    });
    let (limits, status) = (
        file("limits").expect("it compiles"),
        file("status").expect("it compiles"),
    );
    let limit = |name: &str| {
        let line = limits
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{limits}"));
        line.get(26..46).unwrap_or_default().trim().to_owned()
    };
    assert_eq!(
        (
            limit("Max cpu time"),
            limit("Max core file size"),
            limit("Max file size")
        ),
        ("6".into(), "0".into(), "0".into())
    );
    assert_eq!(
        (limit("Max open files"), limit("Max processes")),
        ("3".into(), "0".into())
    );
    let space: u64 = limit("Max address space")
        .parse()
        .unwrap_or_else(|_| panic!("{limits}"));
    assert!(((300 << 20)..(1200 << 20)).contains(&space), "{space}");
    let says = |key: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    assert_eq!(
        (says("NoNewPrivs:"), says("Seccomp:")),
        ("1".to_owned(), "2".to_owned()),
        "{status}"
    );
    let stat = file("stat").expect("it compiles");
    assert_eq!(
        stat.rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(16)),
        Some("10"),
        "it is niced: {stat}"
    );
    stop.cancel();
    runtime()
        .block_on(running)
        .expect("the task ends")
        .expect("the host works");
}

#[test]
fn without_a_compiler_there_is_no_such_language() {
    let sandbox = Sandbox::builder()
        .policy(policy("", ""))
        .guests(guests())
        .build()
        .expect("a sandbox can be made");
    let outcome = run_with(
        &sandbox,
        Request::new("wasm", bombs::nothing()),
        Controls::default(),
    );
    assert_eq!(outcome.status, Status::Denied, "{}", show(&outcome));
    let reason = outcome
        .denial
        .map(|denial| denial.reason)
        .unwrap_or_default();
    assert!(reason.contains("SandboxBuilder::compiler"), "{reason}");
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
    assert!(
        Sandbox::builder()
            .guests(guests())
            .compiler("glovebox")
            .build()
            .is_err(),
        "a path that is not absolute"
    );
    let builder = Sandbox::builder()
        .policy(policy("", ""))
        .guests(guests())
        .compiler("/nonexistent/glovebox");
    let sandbox = builder.build().expect("a sandbox can be made");
    let failed = runtime().block_on(sandbox.run(Request::new("wasm", bombs::nothing())));
    assert!(failed.is_err_and(|error| error.to_string().contains("/nonexistent/glovebox")));
    // Not our program: its output is not a compiled module.
    let sandbox = Sandbox::builder()
        .policy(policy("", ""))
        .guests(guests())
        .compiler("/bin/echo")
        .build()
        .expect("a sandbox can be made");
    assert!(
        runtime()
            .block_on(sandbox.run(Request::new("wasm", bombs::nothing())))
            .is_err()
    );
}

#[test]
fn the_command_line_survives() {
    let folder = tempfile::TempDir::new().expect("a folder can be made");
    let path = folder.path().join("program.wasm");
    let glovebox = |bytes: &[u8]| {
        fs::write(&path, bytes).expect("the folder is writable");
        let output = Command::new(program())
            .args(["run", "--json", "--wall", "3s"])
            .arg(&path)
            .stdin(Stdio::null())
            .output();
        let output = output.expect("the program starts");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (
            output.status.code(),
            said["status"].as_str().unwrap_or_default().to_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    for Bomb { name, bytes } in bombs::all().into_iter().take(8) {
        let (code, status, err) = glovebox(&bytes);
        assert!(
            code.is_some() && matches!(status.as_str(), "crashed" | "limited"),
            "{name}: {code:?} {status} {err}"
        );
    }
    for twin in [bombs::nothing(), bombs::nothing_component()] {
        let (code, status, err) = glovebox(&twin);
        assert_eq!((code, status.as_str()), (Some(0), "succeeded"), "{err}");
    }
    // Without the arguments of a sandbox it does nothing.
    let output = Command::new(program())
        .arg("compile-module")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(!output.status.success() && output.stdout.is_empty());
}

fn wasm(bytes: &[u8], wall_ms: u64) -> Value {
    let source = base64::engine::general_purpose::STANDARD.encode(bytes);
    json!({ "language": "wasm", "source_base64": source, "limits": { "wall_ms": wall_ms } })
}

/// One tenant sends many bombs concurrently; another tenant's programs go on, and no process is
/// left afterwards.
#[test]
fn another_tenant_does_not_wait_for_bombs() {
    let service = Service::with_keys("");
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let send = |key: &str, body: &Value| {
        let (bearer, body) = (format!("Bearer {key}"), body.to_string());
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", bearer.as_str()),
        ];
        service.send("POST", RUN, &headers, body.as_bytes())
    };
    assert_eq!(
        send(&b, &wasm(&bombs::nothing(), 10_000)).json()["status"],
        "succeeded"
    );
    let quick: Vec<_> = bombs::all().into_iter().take(8).collect();
    let slow = wasm(&bombs::slow(), 5_000);
    std::thread::scope(|scope| {
        let bombs: Vec<_> = (0..4).map(|_| scope.spawn(|| send(&a, &slow))).collect();
        eventually(Duration::from_secs(10), "it compiles", || {
            !compilers_of(service.process()).is_empty()
        });
        for Bomb { name, bytes } in quick {
            let started = Instant::now();
            // Bombs of `b` itself, and between them its own programs.
            let bad = send(&b, &wasm(&bytes, 5_000));
            assert!(
                bad.status == 200 && bad.json()["status"] != "succeeded",
                "{name}: {}",
                bad.text()
            );
            assert_eq!(
                send(&b, &wasm(&bombs::nothing(), 10_000)).json()["status"],
                "succeeded",
                "beside {name}"
            );
            assert_eq!(
                send(&b, &python("print(1)")).json()["status"],
                "succeeded",
                "beside {name}"
            );
            // Less than compiling a single one of the attacker's programs may take, although four
            // of them wait or compile.
            println!("beside {name}: {:?}", started.elapsed());
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "beside {name}: {:?}",
                started.elapsed()
            );
        }
        for bomb in bombs {
            let answer = bomb.join().expect("no panic").json();
            assert_eq!(
                (&answer["status"], &answer["limit"]),
                (&"limited".into(), &"compile".into()),
                "{answer}"
            );
            assert!(
                answer["usage"]["cpu_ms"]
                    .as_f64()
                    .is_some_and(|cpu| cpu > 100.0),
                "{answer}"
            );
        }
    });
    assert!(compilers_of(service.process()).is_empty());
    let before = ticks(service.process());
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        ticks(service.process()) - before < 30,
        "nothing computes after the last answer"
    );
}

/// Deleting an execution kills its compiler.
#[test]
fn a_stopped_execution_stops_compiling() {
    let mut service = Service::local("");
    let body = wasm(&bombs::slow(), 20_000).to_string();
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        body.as_bytes(),
    );
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    eventually(Duration::from_secs(10), "it compiles", || {
        !compilers_of(service.process()).is_empty()
    });
    let answer = service.send("DELETE", accepted.header("location"), &[], b"");
    assert!(answer.status < 300, "{}", answer.text());
    eventually(Duration::from_secs(5), "the compiler ends", || {
        compilers_of(service.process()).is_empty()
    });
    // So does killing its service.
    let again = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        body.as_bytes(),
    );
    assert_eq!(again.status, 202, "{}", again.text());
    eventually(Duration::from_secs(10), "it compiles", || {
        !compilers_of(service.process()).is_empty()
    });
    let compilers = compilers_of(service.process());
    service.kill();
    let is_gone = |process: &u32| {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    eventually(
        Duration::from_secs(5),
        "the compiler ends with its service",
        || compilers.iter().all(is_gone),
    );
}
