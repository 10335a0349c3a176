//! Class E, blocking: does waiting end at the granted limit?

use async_trait::async_trait;
use glovebox::{Controls, Input, Limit, OutputChunk, Request, Sandbox, Status, Tool};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{self, GRACE, canary, run, run_with};
use glovebox_tests::vitals;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;

include!(concat!(env!("OUT_DIR"), "/attacks_e_blocking.rs"));

const HALF_A_SECOND: &str = "wall = \"500ms\"\n";

#[test]
fn blk04_input_that_comes_slowly_or_never() {
    let _alone = alone();
    let sandbox = place::sandbox(HALF_A_SECOND, "");
    let read = |language: &str, source: &str, endless: bool| {
        let (reader, mut writer) = tokio::io::duplex(1024);
        let drip = place::runtime().spawn(async move {
            if endless {
                while writer.write_all(&[b'x'; 512]).await.is_ok() {}
            } else {
                while writer.write_all(b"x").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
        let started = Instant::now();
        let controls = Controls {
            input: Input::Reader(Box::new(reader)),
            ..Controls::default()
        };
        let outcome = run_with(&sandbox, Request::new(language, source), controls);
        drip.abort();
        assert!(
            started.elapsed() < Duration::from_millis(500) + GRACE,
            "{}",
            show(&outcome)
        );
        outcome
    };
    for (language, source) in [
        ("python", "import sys\nsys.stdin.read()"),
        ("python", "input()"),
        ("javascript", "require('fs').readFileSync(0)"),
    ] {
        assert_eq!(
            read(language, source, false).reached_limit(),
            Some(Limit::Wall),
            "{source}"
        );
        let outcome = read(language, source, true);
        assert!(
            matches!(
                outcome.reached_limit(),
                Some(Limit::Wall | Limit::Memory | Limit::Fuel)
            ),
            "{}",
            show(&outcome)
        );
    }
    // The twin: input that comes in time is read.
    let controls = Controls {
        input: Input::Reader(Box::new(&b"one\ntwo\n"[..])),
        ..Controls::default()
    };
    let outcome = run_with(
        &sandbox,
        Request::new(
            "python",
            "import sys\nprint(input(), sys.stdin.read().strip())",
        ),
        controls,
    );
    assert_eq!(outcome.stdout.text(), "one two\n", "{}", show(&outcome));
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

#[test]
fn blk05_output_that_is_not_read() {
    let _alone = alone();
    let sandbox = place::sandbox(
        "wall = \"500ms\"\noutput = \"64MiB\"\nfuel = 100_000_000_000",
        "",
    );
    for (language, source) in [
        ("python", "while True: print('x' * 1000)"),
        ("javascript", "for (;;) console.log('x'.repeat(1000))"),
    ] {
        vitals::forget_peak();
        let before = vitals::resident();
        let (sender, receiver) = tokio::sync::mpsc::channel::<OutputChunk>(4);
        let started = Instant::now();
        let outcome = run_with(
            &sandbox,
            Request::new(language, source),
            Controls {
                output: Some(sender),
                ..Controls::default()
            },
        );
        assert_eq!(
            outcome.reached_limit(),
            Some(Limit::Wall),
            "{}",
            show(&outcome)
        );
        assert!(started.elapsed() < Duration::from_millis(500) + GRACE);
        assert!(
            outcome.usage.output < 1 << 20,
            "a program waits for its reader, and wrote {} bytes",
            outcome.usage.output
        );
        assert!(
            vitals::peak_resident().saturating_sub(before) < 64 << 20,
            "the host's memory stays flat"
        );
        drop(receiver);
    }
    // The twin: a dropped receiver is no error, and unread output is still in the outcome.
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    drop(receiver);
    let outcome = run_with(
        &sandbox,
        Request::new("python", "print('x' * 100)\nprint('y')"),
        Controls {
            output: Some(sender),
            ..Controls::default()
        },
    );
    assert_eq!(
        (outcome.status, outcome.stdout.bytes.len()),
        (Status::Succeeded, 103),
        "{}",
        show(&outcome)
    );
}

struct Never;

#[async_trait]
impl Tool for Never {
    async fn call(&self, _: String) -> Result<String, String> {
        std::future::pending().await
    }
}

struct Broken;

#[async_trait]
impl Tool for Broken {
    async fn call(&self, _: String) -> Result<String, String> {
        panic!("a tool may break")
    }
}

struct Reentrant(Arc<std::sync::OnceLock<Sandbox>>);

#[async_trait]
impl Tool for Reentrant {
    async fn call(&self, _: String) -> Result<String, String> {
        let sandbox = self.0.get().ok_or("no sandbox")?;
        let source = "import glovebox\nprint(glovebox.call_tool('t/again'))";
        let outcome = sandbox
            .run(Request::new("python", source))
            .await
            .map_err(|error| error.to_string())?;
        Ok(format!("\"{}\"", outcome.status.name()))
    }
}

fn with_tool(limits: &str, tool: Arc<dyn Tool>) -> Sandbox {
    let policy = place::policy(limits, "\n[profiles.attack.tools]\nallow = [\"t/*\"]\n");
    Sandbox::builder()
        .policy(policy)
        .guests(place::guests())
        .tool("t/again", tool)
        .build()
        .expect("a sandbox can be made")
}

#[test]
fn blk08_tools_that_never_return() {
    let _alone = alone();
    let sandbox = with_tool(HALF_A_SECOND, Arc::new(Never));
    for (language, source) in [
        ("python", "import glovebox\nglovebox.call_tool('t/again')"),
        (
            "python",
            "import asyncio, glovebox\nasync def all():\n    await asyncio.gather(*(glovebox.acall_tool('t/again') for _ in range(20)))\nasyncio.run(all())",
        ),
        ("javascript", "await callTool('t/again', {})"),
    ] {
        let started = Instant::now();
        let outcome = run(&sandbox, Request::new(language, source));
        assert_eq!(
            outcome.reached_limit(),
            Some(Limit::Wall),
            "{source}: {}",
            show(&outcome)
        );
        assert!(started.elapsed() < Duration::from_millis(500) + GRACE);
    }
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

#[test]
fn blk08_tools_that_break() {
    let _alone = alone();
    let sandbox = with_tool("", Arc::new(Broken));
    let source = "import glovebox\ntry:\n    glovebox.call_tool('t/again')\nexcept Exception as error:\n    print('denied', type(error).__name__)";
    let outcome = run(&sandbox, Request::new("python", source));
    assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
    assert!(
        outcome.stdout.text().starts_with("denied "),
        "{}",
        show(&outcome)
    );
}

#[test]
fn blk08_tools_that_run_the_sandbox_again() {
    let _alone = alone();
    let cell = Arc::new(std::sync::OnceLock::new());
    let sandbox = with_tool(
        "wall = \"1s\"\nconcurrency = 6\n",
        Arc::new(Reentrant(Arc::clone(&cell))),
    );
    assert!(cell.set(sandbox.clone()).is_ok());
    let started = Instant::now();
    let outcome = run(
        &sandbox,
        Request::new(
            "python",
            "import glovebox\nprint(glovebox.call_tool('t/again'))",
        ),
    );
    assert!(
        started.elapsed() < Duration::from_secs(1) + GRACE,
        "{}",
        show(&outcome)
    );
    assert_eq!(
        run(&sandbox, canary("python")).stdout.text(),
        "42\n",
        "all places were given back"
    );
}
