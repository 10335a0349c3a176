//! Library API: does it do what its documentation says?

use async_trait::async_trait;
use glovebox::{
    AuditEvent, AuditRecord, AuditSink, ChainError, Controls, Error, Input, JsonLines, OutputChunk,
    Policy, Request, Sandbox, Status, StreamName, Tool, verify_chain,
};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{self, canary, guests, policy, run, run_with, runtime, sandbox};
use glovebox_tests::tree::program;
use glovebox_tests::vitals::Vitals;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

fn audited(limits: &str, more: &str, sink: Arc<dyn AuditSink>) -> Sandbox {
    Sandbox::builder()
        .policy(policy(limits, more))
        .guests(guests())
        .compiler(program())
        .audit(sink)
        .build()
        .expect("a sandbox can be made")
}

#[test]
fn an_outcome_tells_everything() {
    let sandbox = sandbox("", "");
    let mut request = Request::new(
        "python",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nopen('f', 'w').write('x' * 5000)\n{'a': 1}",
    );
    request.artifacts = vec!["f".to_owned()];
    let outcome = run(&sandbox, request);
    assert_eq!(
        (outcome.status, outcome.exit_code),
        (Status::Succeeded, Some(0))
    );
    assert_eq!(
        (
            outcome.stdout.text().as_ref(),
            outcome.stderr.text().as_ref()
        ),
        ("out\n", "err\n")
    );
    assert_eq!(
        outcome
            .value
            .as_ref()
            .and_then(|value| value.json.as_deref()),
        Some("{\"a\":1}")
    );
    assert_eq!(
        outcome
            .artifacts
            .iter()
            .map(|artifact| artifact.content.len())
            .collect::<Vec<_>>(),
        [5000]
    );
    assert!(
        outcome.exception.is_none()
            && outcome.limit.is_none()
            && outcome.denial.is_none()
            && outcome.crash.is_none()
    );
    let usage = outcome.usage;
    assert!(
        usage.fuel > 1000
            && usage.output == 8
            && usage.peak_memory > 1 << 20
            && usage.workspace >= 5000
            && usage.files >= 1,
        "{usage:?}"
    );
    assert!(
        usage.wall > Duration::ZERO
            && usage.cpu > Duration::ZERO
            && usage.wall < Duration::from_secs(3),
        "{usage:?}"
    );
    assert!(
        !outcome.tier_reason.is_empty()
            && outcome.tier.map(glovebox::policy::Tier::name) == Some("wasm")
    );
    assert_eq!(
        (
            outcome.policy.profile.as_str(),
            outcome.policy.digest.as_str()
        ),
        ("attack", sandbox.policy().digest())
    );
    assert!(!outcome.policy.rules.is_empty());
}

#[test]
fn a_stopped_run_ends_at_once_and_keeps_what_it_wrote() {
    let sandbox = sandbox("wall = \"30s\"\nfuel = 1_000_000_000_000", "");
    for (language, source) in [
        ("python", "print('started', flush=True)\nwhile True: pass"),
        (
            "python",
            "print('started', flush=True)\nimport time\ntime.sleep(60)",
        ),
        ("javascript", "console.log('started'); for (;;);"),
        (
            "javascript",
            "console.log('started'); await new Promise((done) => setTimeout(done, 60000))",
        ),
    ] {
        let controls = Controls::default();
        let stop = controls.stop.clone();
        let task = {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                sandbox
                    .run_with(Request::new(language, source), controls)
                    .await
            })
        };
        std::thread::sleep(Duration::from_millis(300));
        stop.cancel();
        let stopped = Instant::now();
        let outcome = runtime()
            .block_on(task)
            .expect("it ends")
            .expect("the host works");
        assert!(stopped.elapsed() < place::GRACE, "{source}");
        assert_eq!(
            (outcome.status, outcome.stdout.text().as_ref()),
            (Status::Cancelled, "started\n"),
            "{}",
            show(&outcome)
        );
        assert_eq!((outcome.exit_code, outcome.limit), (None, None));
    }
    let controls = Controls::default();
    controls.stop.cancel();
    let outcome = run_with(&sandbox, Request::new("python", "print('ran')"), controls);
    assert_eq!(
        (outcome.status, outcome.stdout.bytes.len()),
        (Status::Cancelled, 0),
        "stopped before it began"
    );
}

#[test]
fn output_streams_in_the_order_in_which_it_was_written() {
    let sandbox = sandbox("", "");
    for (language, source) in [
        (
            "python",
            "import sys\nfor n in range(5):\n    print('out', n)\n    print('err', n, file=sys.stderr)",
        ),
        (
            "javascript",
            "for (let n = 0; n < 5; n++) { console.log('out', n); console.error('err', n); }",
        ),
    ] {
        let (sender, mut receiver) = mpsc::channel::<OutputChunk>(2);
        let (outcome, chunks) = runtime().block_on(async {
            let collect = async {
                let mut chunks = Vec::new();
                while let Some(chunk) = receiver.recv().await {
                    chunks.push(chunk);
                }
                chunks
            };
            tokio::join!(
                sandbox.run_with(
                    Request::new(language, source),
                    Controls {
                        output: Some(sender),
                        ..Controls::default()
                    }
                ),
                collect
            )
        });
        let outcome = outcome.expect("the host works");
        let text: String = chunks
            .iter()
            .map(|chunk| String::from_utf8_lossy(&chunk.bytes).into_owned())
            .collect();
        let expected: String = (0..5).map(|n| format!("out {n}\nerr {n}\n")).collect();
        assert_eq!(text, expected, "{language}");
        let stdout: Vec<u8> = chunks
            .iter()
            .filter(|chunk| chunk.stream == StreamName::Stdout)
            .flat_map(|chunk| chunk.bytes.to_vec())
            .collect();
        assert_eq!(stdout, outcome.stdout.bytes);
    }
}

#[test]
fn output_comes_while_the_program_runs() {
    let sandbox = sandbox("wall = \"3s\"", "");
    for (language, source) in [
        (
            "python",
            "import time\nprint('first')\ntime.sleep(0.5)\nprint('second')",
        ),
        (
            "javascript",
            "console.log('first'); await new Promise((done) => setTimeout(done, 500)); console.log('second')",
        ),
    ] {
        let (sender, mut receiver) = mpsc::channel(8);
        let task = {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                sandbox
                    .run_with(
                        Request::new(language, source),
                        Controls {
                            output: Some(sender),
                            ..Controls::default()
                        },
                    )
                    .await
            })
        };
        let first = runtime()
            .block_on(receiver.recv())
            .expect("there is output");
        assert_eq!(
            (&first.bytes[..], task.is_finished()),
            (&b"first\n"[..], false),
            "{language}"
        );
        let second = runtime().block_on(receiver.recv()).expect("there is more");
        assert_eq!(&second.bytes[..], b"second\n");
        assert_eq!(
            runtime()
                .block_on(task)
                .expect("it ends")
                .expect("the host works")
                .status,
            Status::Succeeded
        );
    }
}

#[test]
fn a_slow_reader_gets_everything() {
    let sandbox = sandbox(
        "output = \"8MiB\"\nwall = \"10s\"\nfuel = 20_000_000_000",
        "",
    );
    let (sender, mut receiver) = mpsc::channel::<OutputChunk>(1);
    let (outcome, total) = runtime().block_on(async {
        let read = async {
            let mut total = 0;
            while let Some(chunk) = receiver.recv().await {
                total += chunk.bytes.len();
                tokio::task::yield_now().await;
            }
            total
        };
        tokio::join!(
            sandbox.run_with(
                Request::new("python", "for n in range(2000):\n    print('x' * 999)"),
                Controls {
                    output: Some(sender),
                    ..Controls::default()
                }
            ),
            read
        )
    });
    let outcome = outcome.expect("the host works");
    assert_eq!(
        (outcome.status, total, outcome.stdout.bytes.len()),
        (Status::Succeeded, 2_000_000, 2_000_000),
        "{}",
        show(&outcome)
    );
}

#[test]
fn sessions_keep_their_state() {
    let sandbox = sandbox("", "");
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "print('not evaluated')")))
        .expect("a session opens");
    let mut say = |text: &str| {
        runtime()
            .block_on(session.evaluate(text))
            .expect("the session lives")
    };
    assert_eq!(
        say("x = 40\ndef add(n):\n    return x + n").status,
        Status::Succeeded
    );
    assert_eq!(say("add(2)").value.expect("a value").text, "42");
    let failed = say("add(1)\nx / 0");
    assert_eq!(
        (
            failed.status,
            failed.exception.expect("an exception").kind.as_str()
        ),
        (Status::Failed, "ZeroDivisionError"),
        "an exception does not end a session"
    );
    assert_eq!(
        say("generator = (n * n for n in range(10))\nnext(generator), next(generator)")
            .value
            .expect("a value")
            .text,
        "(0, 1)"
    );
    assert_eq!(
        say("import asyncio\nawait asyncio.sleep(0)\nnext(generator)")
            .value
            .expect("a value")
            .text,
        "4"
    );
    assert_eq!(
        say("print(input() if False else 'no input')").stdout.text(),
        "no input\n"
    );
    session.close().expect("the end can be written");

    let mut session = runtime()
        .block_on(sandbox.open(Request::new("javascript", "")))
        .expect("a session opens");
    let mut say = |text: &str| {
        runtime()
            .block_on(session.evaluate(text))
            .expect("the session lives")
    };
    assert_eq!(
        say("let x = 40; class A { add(n) { return x + n; } }").status,
        Status::Succeeded
    );
    assert_eq!(say("new A().add(2)").value.expect("a value").text, "42");
    assert_eq!(say("null.x").status, Status::Failed);
    assert_eq!(
        say("const later = await Promise.resolve(7); later + x")
            .value
            .expect("a value")
            .text,
        "47"
    );
}

#[test]
fn each_evaluation_has_its_own_input_and_arguments() {
    let sandbox = sandbox("", "");
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    for word in ["one", "two"] {
        let source = glovebox::policy::Source {
            name: format!("{word}.py"),
            content: b"import sys\nprint(sys.argv, input())".to_vec().into(),
        };
        let controls = Controls {
            input: Input::from(format!("in {word}\n").as_str()),
            ..Controls::default()
        };
        let outcome = runtime()
            .block_on(session.evaluate_with(source, vec![word.to_owned()], vec![], controls))
            .expect("the session lives");
        assert_eq!(
            outcome.stdout.text(),
            format!("['{word}.py', '{word}'] in {word}\n"),
            "{}",
            show(&outcome)
        );
    }
}

#[test]
fn two_hundred_runs_at_once() {
    let _alone = alone();
    let sandbox = sandbox("concurrency = 64\nwall = \"20s\"", "");
    let _ = run(&sandbox, canary("python"));
    let _ = run(&sandbox, canary("javascript"));
    let before = Vitals::now();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                let request = if number % 2 == 0 {
                    Request::new("python", format!("print({number} * 2)"))
                } else {
                    Request::new("javascript", format!("console.log({number} * 2)"))
                };
                (number, sandbox.run(request).await)
            })
        })
        .collect();
    for task in tasks {
        let (number, outcome) = runtime().block_on(task).expect("it ends");
        let outcome = outcome.expect("the host works");
        assert_eq!(
            outcome.stdout.text(),
            format!("{}\n", number * 2),
            "{}",
            show(&outcome)
        );
    }
    assert_eq!(before.left_over(), None);
}

#[test]
fn a_seed_makes_runs_repeatable() {
    let sandbox = sandbox("", "");
    let python = "import random, os, uuid, secrets\nprint(random.random(), random.sample(range(100), 5), os.urandom(8).hex(), uuid.uuid4(), secrets.token_hex(4), {str(n) for n in range(20)})";
    let javascript = "console.log(Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))].join())";
    for (language, source) in [("python", python), ("javascript", javascript)] {
        let once = |seed: Option<u64>| {
            let mut request = Request::new(language, source);
            request.seed = seed;
            let outcome = run(&sandbox, request);
            assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
            (outcome.stdout.text().into_owned(), outcome.usage.fuel)
        };
        assert_eq!(
            once(Some(7)),
            once(Some(7)),
            "{language}: the same output for the same fuel"
        );
        assert_ne!(
            once(Some(7)).0,
            once(Some(8)).0,
            "{language}: another seed, another run"
        );
        assert_ne!(
            once(None).0,
            once(None).0,
            "{language}: without a seed it is random"
        );
    }
}

#[test]
fn fuel_does_not_depend_on_how_busy_the_machine_is() {
    let sandbox = sandbox("wall = \"20s\"", "");
    let fuel = |_: usize| {
        let mut request = Request::new("python", "print(sum(n * n for n in range(10_000)))");
        request.seed = Some(1);
        run(&sandbox, request).usage.fuel
    };
    let alone = fuel(0);
    let crowd: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..5).map(fuel).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("it ends"))
            .collect()
    });
    assert!(
        crowd.iter().all(|other| *other == alone),
        "{alone}: {crowd:?}"
    );
}

#[derive(Default)]
struct Records(Mutex<Vec<AuditRecord>>);

impl AuditSink for Records {
    fn record(&self, record: &AuditRecord) -> io::Result<()> {
        self.0
            .lock()
            .expect("no writer breaks")
            .push(record.clone());
        Ok(())
    }
}

impl Records {
    /// Returns the events of each run by one word each, in the order of the first.
    fn runs(&self) -> Vec<Vec<&'static str>> {
        let mut runs: Vec<(String, Vec<&'static str>)> = Vec::new();
        for record in self.0.lock().expect("no writer breaks").iter() {
            let word = match record.event {
                AuditEvent::Denied { .. } => "denied",
                AuditEvent::Admitted { .. } => "admitted",
                AuditEvent::Called { .. } => "called",
                AuditEvent::Finished { .. } => "finished",
                AuditEvent::Aborted { .. } => "aborted",
                _ => "?",
            };
            let id = record.run.to_string();
            match runs.iter_mut().find(|(known, _)| *known == id) {
                Some((_, words)) => words.push(word),
                None => runs.push((id, vec![word])),
            }
        }
        runs.into_iter().map(|(_, words)| words).collect()
    }
}

#[test]
fn every_request_has_one_decision_and_one_end() {
    let records = Arc::new(Records::default());
    let sandbox = audited("wall = \"500ms\"\nfuel = 500_000_000", "", records.clone());
    run(&sandbox, Request::new("python", "print(1)"));
    run(&sandbox, Request::new("python", "1 / 0"));
    run(
        &sandbox,
        Request::new("python", "import time\ntime.sleep(60)"),
    );
    run(&sandbox, Request::new("shell", "ls"));
    let stopped = Controls::default();
    stopped.stop.cancel();
    run_with(&sandbox, Request::new("python", "print(1)"), stopped);
    let _ = run(&sandbox, Request::new("wasm", "not wasm"));
    runtime().block_on(async {
        let dropped = sandbox.run(Request::new("python", "import time\ntime.sleep(60)"));
        assert!(
            tokio::time::timeout(Duration::from_millis(200), dropped)
                .await
                .is_err()
        );
    });
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let _ = runtime().block_on(session.evaluate("x = 1"));
    session.close().expect("the end can be written");
    drop(
        runtime()
            .block_on(sandbox.open(Request::new("python", "")))
            .expect("a session opens"),
    );
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let _ = runtime().block_on(session.evaluate("while True: pass"));
    drop(session);
    assert!(
        runtime()
            .block_on(sandbox.open(Request::new("shell", "")))
            .is_err()
    );
    let runs = records.runs();
    let expected: [&[&str]; 11] = [
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["denied"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["admitted", "aborted"],
        &["admitted", "finished"],
        &["admitted", "aborted"],
        &["admitted", "finished"],
        &["denied"],
    ];
    assert_eq!(runs, expected);
}

#[test]
fn an_error_of_the_host_is_an_end_too() {
    let records = Arc::new(Records::default());
    let sandbox = audited(
        "",
        "\n[[profiles.attack.mounts]]\nhost = \"/nothing/of/the/kind\"\nguest = \"/data\"\n",
        records.clone(),
    );
    let error = runtime()
        .block_on(sandbox.run(Request::new("python", "print(1)")))
        .expect_err("there is nothing to mount");
    assert!(
        !error.to_string().contains("/nothing/of/the/kind"),
        "the host's path stays with the host: {error}"
    );
    assert!(
        runtime()
            .block_on(sandbox.open(Request::new("python", "")))
            .is_err()
    );
    assert_eq!(
        records.runs(),
        [["admitted", "aborted"], ["admitted", "aborted"]]
    );
    let mut request = canary("python");
    request.artifacts = vec!["[".to_owned()];
    let _ = runtime().block_on(sandbox.run(request));
    assert!(
        records
            .runs()
            .iter()
            .all(|words| words.len() <= 2 && words.first() != Some(&"finished")),
        "{:?}",
        records.runs()
    );
}

struct Full {
    after: Mutex<usize>,
}

impl AuditSink for Full {
    fn record(&self, _: &AuditRecord) -> io::Result<()> {
        let mut left = self.after.lock().expect("no writer breaks");
        *left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the disk is full"))?;
        Ok(())
    }
}

struct Counts(Arc<Mutex<usize>>);

#[async_trait]
impl Tool for Counts {
    async fn call(&self, arguments: String) -> Result<String, String> {
        *self.0.lock().expect("no caller breaks") += 1;
        Ok(arguments)
    }
}

#[test]
fn what_cannot_be_recorded_does_not_happen() {
    let calls = Arc::new(Mutex::new(0));
    let tools = "\n[profiles.attack.tools]\nallow = [\"t/count\"]\n";
    let with = |after: usize| {
        let builder = Sandbox::builder()
            .policy(policy("", tools))
            .guests(guests())
            .audit(Arc::new(Full {
                after: Mutex::new(after),
            }));
        builder
            .tool("t/count", Arc::new(Counts(Arc::clone(&calls))))
            .build()
            .expect("a sandbox can be made")
    };
    let request = || {
        Request::new(
            "python",
            "import glovebox\ntry:\n    glovebox.call_tool('t/count')\nexcept Exception:\n    pass",
        )
    };
    for after in 0..=2 {
        let result = runtime().block_on(with(after).run(request()));
        assert!(matches!(result, Err(Error::Audit(_))), "{after}");
        assert_eq!(
            *calls.lock().expect("no caller breaks"),
            after / 2,
            "with room for {after} records"
        );
    }
    assert!(
        matches!(
            runtime().block_on(with(0).run(Request::new("shell", "ls"))),
            Err(Error::Audit(_))
        ),
        "nor is anything refused in secret"
    );
    assert!(
        runtime()
            .block_on(with(0).open(Request::new("python", "")))
            .is_err()
    );
    assert!(runtime().block_on(with(3).run(request())).is_ok());
}

#[test]
fn a_changed_audit_log_shows() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let mut request = Request::new("python", "print('{\"event\": \"finished\"}')");
    // Untrusted text cannot end a line or inject a record (log injection). (OUT08)
    request.source.name = "x\u{2028}\",\"event\":\"admitted.py".to_owned();
    {
        let sandbox = audited(
            "",
            "",
            Arc::new(JsonLines::open(&path).expect("the log opens")),
        );
        run(&sandbox, request.clone());
        run(&sandbox, Request::new("sh\nell", "ls"));
    }
    {
        // A second process continues where the first one ended.
        let sandbox = audited(
            "",
            "",
            Arc::new(JsonLines::open(&path).expect("the log opens")),
        );
        run(&sandbox, request);
    }
    let log = std::fs::read_to_string(&path).expect("the log can be read");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(
        (
            lines.len(),
            verify_chain(log.as_bytes()).expect("the chain holds")
        ),
        (5, 5)
    );
    for line in &lines {
        let record: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(
            record.get("event").is_some()
                && record.get("subject").and_then(|subject| subject.as_str()) == Some("local")
        );
    }
    let broken = |text: String| {
        matches!(
            verify_chain(text.as_bytes()),
            Err(ChainError::Broken { .. })
        )
    };
    assert!(broken(log.replacen("local", "other", 1)));
    assert!(broken(lines[1..].join("\n")), "the first line was removed");
    assert!(
        broken([lines[0], lines[2], lines[3], lines[4]].join("\n")),
        "a line was removed"
    );
    assert!(
        broken([lines[0], lines[2], lines[1], lines[3], lines[4]].join("\n")),
        "lines were swapped"
    );
    assert!(
        broken([lines[0], lines[0]].join("\n")),
        "a line was repeated"
    );
    assert!(broken(format!("{log}{{}}\n")));
    assert!(broken(format!("{log}x\n")));
    for (index, line) in lines.iter().enumerate() {
        let changed = log.replacen(line, &line.replacen("run_", "run_0", 1), 1);
        assert!(broken(changed), "line {index}");
    }
    std::fs::write(&path, log.replacen("local", "other", 1)).expect("the log can be written");
    assert!(
        JsonLines::open(&path).is_err(),
        "a log that was tampered with is not continued"
    );
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(
        std::fs::metadata(&path)
            .expect("the log is there")
            .permissions()
            .mode()
            & 0o077,
        0,
        "the log is its owner's"
    );
}

#[test]
fn an_audit_log_goes_on_after_a_line_that_has_no_end() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let log = || std::fs::read_to_string(&path).expect("the log can be read");
    let sandbox = audited(
        "",
        "",
        Arc::new(JsonLines::open(&path).expect("the log opens")),
    );
    assert!(
        matches!(JsonLines::open(&path), Err(ChainError::InUse)),
        "two would break the chain"
    );
    run(&sandbox, Request::new("python", "1"));
    drop(sandbox);
    let whole = log();
    for torn in ["{", "{\"time_ms\":1,\"run\":\"run_1\"", "\u{0}\u{0}"] {
        std::fs::write(&path, format!("{whole}{torn}")).expect("the log can be written");
        assert!(verify_chain(log().as_bytes()).is_err(), "{torn:?}");
        drop(JsonLines::open(&path).expect("the log opens"));
        assert_eq!(log(), whole, "{torn:?}");
    }
    let sandbox = audited(
        "",
        "",
        Arc::new(JsonLines::open(&path).expect("the log opens")),
    );
    run(&sandbox, Request::new("python", "1"));
    assert_eq!(verify_chain(log().as_bytes()).expect("the chain holds"), 4);
}

struct Adds;

#[async_trait]
impl Tool for Adds {
    async fn call(&self, arguments: String) -> Result<String, String> {
        let value: serde_json::Value =
            serde_json::from_str(&arguments).map_err(|error| error.to_string())?;
        let (a, b) = (
            value["a"].as_i64().ok_or("`a` is missing")?,
            value["b"].as_i64().ok_or("`b` is missing")?,
        );
        tokio::time::sleep(Duration::from_millis(30)).await;
        Ok((a + b).to_string())
    }
}

#[test]
fn tools_answer_those_who_were_granted_them() {
    let records = Arc::new(Records::default());
    let tools = "\n[profiles.attack.tools]\nallow = [\"math/*\"]\ndeny = [\"math/secret\"]\n";
    let builder = Sandbox::builder()
        .policy(policy("", tools))
        .guests(guests())
        .audit(records.clone());
    let sandbox = builder
        .tool("math/add", Arc::new(Adds))
        .tool("math/secret", Arc::new(Adds))
        .tool("other/add", Arc::new(Adds))
        .build()
        .expect("a sandbox can be made");
    let python = r#"
import asyncio, glovebox, time
print(glovebox.call_tool("math/add", a=1, b=2))
async def many():
    return await asyncio.gather(*(glovebox.acall_tool("math/add", a=n, b=n) for n in range(10)))
start = time.perf_counter()
print(asyncio.run(many()), time.perf_counter() - start < 0.25)
for name in ("math/secret", "other/add"):
    try:
        glovebox.call_tool(name, a=1, b=2)
    except PermissionError as error:
        print("refused", name, "denied by" in str(error))
try:
    glovebox.call_tool("math/add", a=1)
except Exception as error:
    print(error)
"#;
    let outcome = run(&sandbox, Request::new("python", python));
    let text = outcome.stdout.text();
    assert!(
        text.starts_with("3\n[0, 2, 4, 6, 8, 10, 12, 14, 16, 18] True\nrefused math/secret True\nrefused other/add True\n"),
        "{}",
        show(&outcome)
    );
    assert!(text.contains("`b` is missing"), "{}", show(&outcome));
    assert_eq!(outcome.usage.host_calls, 14);
    let javascript = "console.log(await callTool('math/add', { a: 1, b: 2 }), (await Promise.all([1, 2].map((n) => callTool('math/add', { a: n, b: n })))).join());
        try { await callTool('other/add', { a: 1, b: 1 }); } catch (error) { console.log('refused', /denied by/.test(error.message)); }";
    let outcome = run(&sandbox, Request::new("javascript", javascript));
    assert_eq!(
        outcome.stdout.text(),
        "3 2,4\nrefused true\n",
        "{}",
        show(&outcome)
    );
    let called = records
        .0
        .lock()
        .expect("no writer breaks")
        .iter()
        .filter(|record| matches!(&record.event, AuditEvent::Called { .. }))
        .count();
    assert_eq!(called, 14 + 4, "every call is in the log");
    let mut request = Request::new(
        "python",
        "import glovebox\nglovebox.call_tool('math/add', a=1, b=2)",
    );
    request.wants.tools = Some(vec![]);
    let outcome = run(&sandbox, request);
    assert_eq!(
        outcome.exception.map(|raised| raised.kind),
        Some("PermissionError".to_owned()),
        "the request kept no tools"
    );
}

#[test]
fn a_builder_refuses_what_makes_no_sense() {
    assert!(
        Sandbox::builder()
            .guests(guests())
            .max_running(0)
            .build()
            .is_err()
    );
    assert!(
        Sandbox::builder()
            .guests(guests())
            .max_running(usize::MAX)
            .build()
            .is_err()
    );
    let one = Sandbox::builder()
        .guests(guests())
        .policy(Policy::builtin())
        .max_running(1)
        .build()
        .expect("a sandbox can be made");
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let one = one.clone();
            runtime()
                .spawn(async move { one.run(Request::new("javascript", "console.log(1)")).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(
            runtime()
                .block_on(task)
                .expect("it ends")
                .expect("the host works")
                .stdout
                .text(),
            "1\n"
        );
    }
}

#[test]
fn a_wait_for_a_place_can_be_given_up() {
    let sandbox = sandbox("concurrency = 1\nwall = \"3s\"", "");
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let outcome = runtime()
        .block_on(sandbox.run(Request::new("python", "print(1)")))
        .expect("the host works");
    assert_eq!(
        outcome.stdout.text(),
        "1\n",
        "a session that is idle takes no place"
    );
    let evaluating =
        runtime().spawn(async move { session.evaluate("import time\ntime.sleep(1)").await });
    std::thread::sleep(Duration::from_millis(200));
    let controls = Controls::default();
    let stop = controls.stop.clone();
    let waiting = {
        let sandbox = sandbox.clone();
        runtime().spawn(async move {
            sandbox
                .run_with(Request::new("python", "print(1)"), controls)
                .await
        })
    };
    std::thread::sleep(Duration::from_millis(100));
    assert!(!waiting.is_finished(), "an evaluation takes a place");
    stop.cancel();
    assert_eq!(
        runtime()
            .block_on(waiting)
            .expect("it ends")
            .expect("the host works")
            .status,
        Status::Cancelled
    );
    runtime().block_on(async {
        assert!(
            tokio::time::timeout(
                Duration::from_millis(100),
                sandbox.run(Request::new("python", "print(1)"))
            )
            .await
            .is_err()
        );
    });
    assert!(runtime().block_on(evaluating).expect("it ends").is_ok());
    assert_eq!(
        run(&sandbox, Request::new("python", "print(1)"))
            .stdout
            .text(),
        "1\n",
        "no place was lost"
    );
}
