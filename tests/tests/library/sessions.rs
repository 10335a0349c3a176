//! Sessions of the library: do they keep their state?

use super::*;
use glovebox_tests::session::check_outlives;

#[test]
fn sessions_keep_their_state() {
    let sandbox = sandbox("", "");
    let mut session = session::open(&sandbox, Request::new("python", "print('not evaluated')"));
    let mut say = |text: &str| session::evaluate(&mut session, text);
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

    let mut session = session::open(&sandbox, Request::new("javascript", ""));
    let mut say = |text: &str| session::evaluate(&mut session, text);
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

/// A corrected or repeated text declares its names again.
#[test]
fn javascript_sessions_declare_again() {
    let sandbox = sandbox("", "");
    for language in ["javascript", "typescript"] {
        let mut session = session::open(&sandbox, Request::new(language, ""));
        for (text, expected) in [
            ("const data = JSON.parse('bad')", None),
            ("const data = [1]; data", Some("[ 1 ]")),
            ("let n = 1; function read() { return n; }", Some("")),
            ("let n = 2; read()", Some("2")),
            ("class K {}", Some("")),
            ("class K { x = 3 } new K().x", Some("3")),
            ("var v = 4", Some("")),
            ("let v = 5; v", Some("5")),
            ("function v() { return 6; } v()", Some("6")),
            ("const w = await 7; w", Some("7")),
            ("const w = await 8; w", Some("8")),
            ("let twice = 1; let twice = 2", None),
            ("typeof twice", Some("'undefined'")),
            (
                "export let count = 0; export function add() { return ++count; } const pi = 3",
                Some(""),
            ),
            ("add(); add(); count", Some("2")),
            ("pi = 4", None),
            (
                "import { sep } from 'node:path'; const pi = sep; console.log(pi)",
                Some(""),
            ),
            ("pi + sep", Some("'//'")),
        ] {
            let outcome = session::evaluate(&mut session, text);
            let value = outcome
                .value
                .as_ref()
                .map_or("", |value| value.text.as_str());
            let status = if expected.is_some() {
                Status::Succeeded
            } else {
                Status::Failed
            };
            assert_eq!(
                outcome.status,
                status,
                "{language}: {text}: {}",
                show(&outcome)
            );
            assert_eq!(value, expected.unwrap_or(""), "{language}: {text}");
        }
    }
}

#[test]
fn each_evaluation_has_its_own_input_and_arguments() {
    let sandbox = sandbox("", "");
    let mut session = session::open(&sandbox, Request::new("python", ""));
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
fn functions_for_the_end_of_a_program_do_not_run_in_a_session() {
    let sandbox = sandbox("", "");
    let mut session = session::open(&sandbox, Request::new("python", ""));
    for (text, printed) in [
        (
            "import atexit, tempfile\natexit.register(print, 'at exit')",
            "",
        ),
        (
            "folder = tempfile.TemporaryDirectory()\nraise SystemExit(3)",
            "",
        ),
        ("import os\nprint(os.path.isdir(folder.name))", "True\n"),
    ] {
        let outcome = session::evaluate(&mut session, text);
        assert_eq!(outcome.stdout.text(), printed, "{text}");
    }
}

#[test]
fn listeners_for_the_end_of_a_process_are_not_called_in_a_session() {
    let sandbox = sandbox("", "");
    let mut session = session::open(&sandbox, Request::new("javascript", ""));
    for (text, printed) in [
        (
            "for (const name of ['beforeExit', 'exit']) process.on(name, () => console.log(name))",
            "",
        ),
        ("setTimeout(() => console.log('later'), 1)", "later\n"),
        (
            "console.log(process.listenerCount('exit'), process.listenerCount('beforeExit'))",
            "1 1\n",
        ),
    ] {
        let outcome = session::evaluate(&mut session, text);
        assert_eq!(outcome.stdout.text(), printed, "{text}");
    }
}

#[test]
fn an_evaluation_that_is_interrupted_leaves_the_session_alive() {
    let sandbox = sandbox("wall = \"700ms\"\nfuel = 900_000_000_000", "");
    for (language, endless) in [
        ("python", "while True: pass"),
        ("python", "import time\ntime.sleep(60)"),
        ("python", "import asyncio\nawait asyncio.sleep(60)"),
        (
            "python",
            "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\nasyncio.run(f())",
        ),
        ("python", "import threading\nthreading.Event().wait(60)"),
        ("python", "import re\nre.match('(a+)+$', 'a' * 60 + 'b')"),
        (
            "python",
            "import itertools\nlist(map(lambda n: n, itertools.cycle('a')))",
        ),
        (
            "python",
            "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()",
        ),
        (
            "python",
            "import atexit, sys\nclass Out:\n    def write(self, text):\n        while True: pass\nsys.stderr = Out()\n1 / 0",
        ),
        ("javascript", "for (;;);"),
        ("javascript", "setInterval(() => {}, 10)"),
        (
            "javascript",
            "await new Promise((done) => setTimeout(done, 60000))",
        ),
        (
            "javascript",
            "(async () => { for (;;) await null; })(); setTimeout(() => {}, 1)",
        ),
        (
            "javascript",
            "for (;;) { try { for (;;); } catch { } finally { continue; } }",
        ),
        ("javascript", "/^(a+)+$/.test('a'.repeat(60) + 'b')"),
        (
            "javascript",
            "process.on('uncaughtException', () => {}); for (;;);",
        ),
        (
            "javascript",
            "({ [Symbol.for('nodejs.util.inspect.custom')]() { for (;;); } })",
        ),
        ("typescript", "const n: number = 1; for (;;);"),
    ] {
        check_outlives(&sandbox, language, endless);
    }
}

#[test]
fn an_interrupt_is_an_exception_of_the_program() {
    let sandbox = sandbox("fuel = 20_000_000_000", "");
    let open = |language| session::open(&sandbox, Request::new(language, ""));
    let soon = Duration::from_millis(300);
    let mut python = open("python");
    for (program, output) in [
        (
            "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('caught')",
            "caught\n",
        ),
        (
            "import signal\nbefore = signal.signal(signal.SIGINT, lambda *_: print('handled') or exit())\nwhile True: pass",
            "handled\n",
        ),
        (
            "signal.signal(signal.SIGINT, before)\ntry:\n    await asyncio.sleep(60)\nfinally:\n    print('last')",
            "last\n",
        ),
    ] {
        session::evaluate(&mut python, "import asyncio");
        let outcome = session::interrupt(&mut python, program, soon);
        assert_eq!(outcome.stdout.text(), output, "{}", show(&outcome));
        assert!(python.is_alive());
    }
    let outcome = session::interrupt(&mut python, "def f():\n    while True: pass\nf()", soon);
    let report = outcome.stderr.text().into_owned();
    assert!(
        report.contains("line 2, in f") && report.ends_with("\nKeyboardInterrupt\n"),
        "{report}"
    );
    let outcome = session::interrupt(&mut open("javascript"), "for (;;);", soon);
    assert_eq!(
        outcome.stderr.text(),
        "Error: the evaluation was interrupted\n"
    );
}

#[test]
fn an_interrupt_that_comes_too_late_ends_no_other_evaluation() {
    let sandbox = sandbox("", "");
    for language in ["python", "javascript"] {
        let mut session = session::open(&sandbox, Request::new(language, ""));
        for micros in (0..2000).step_by(50) {
            session::interrupt(&mut session, "1", Duration::from_micros(micros));
            let outcome = session::evaluate(&mut session, "6 * 7");
            assert_eq!(
                outcome.value.as_ref().map(|value| value.text.as_str()),
                Some("42"),
                "{language} after {micros} us: {}",
                show(&outcome)
            );
        }
    }
}

#[test]
fn output_that_is_not_read_does_not_keep_an_evaluation_from_its_end() {
    let sandbox = sandbox("wall = \"500ms\"", "");
    for (language, program) in [
        ("python", "while True: print('x')"),
        ("javascript", "for (;;) console.log('x')"),
    ] {
        let mut session = session::open(&sandbox, Request::new(language, ""));
        let (sender, _receiver) = mpsc::channel::<OutputChunk>(1);
        let controls = Controls {
            output: Some(sender),
            ..Controls::default()
        };
        let outcome = session::evaluate_with(&mut session, program, controls);
        assert_eq!(outcome.status, Status::Limited, "{}", show(&outcome));
        let outcome = session::evaluate(&mut session, "6 * 7");
        assert!(outcome.value.is_some(), "{}", show(&outcome));
    }
}

/// A tool that never answers, and one that counts its calls.
struct Slow;

#[async_trait]
impl Tool for Slow {
    async fn call(&self, _: String) -> Result<String, String> {
        std::future::pending().await
    }
}

#[derive(Default)]
struct Counted(std::sync::atomic::AtomicUsize);

#[async_trait]
impl Tool for Counted {
    async fn call(&self, _: String) -> Result<String, String> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok("1".to_owned())
    }
}

#[test]
fn interrupted_call_of_a_tool_leaves_the_session_alive_and_none_follows() {
    let counts = Arc::new(Counted::default());
    let tools = "\n[profiles.attack.tools]\nallow = [\"slow\", \"counts\"]\n";
    let sandbox = Sandbox::builder()
        .policy(policy("", tools))
        .guests(guests())
        .tool("slow", Arc::new(Slow))
        .tool("counts", counts.clone())
        .build()
        .expect("a sandbox can be made");
    let soon = Duration::from_millis(300);
    for (language, first, wait, after) in [
        (
            "python",
            "import asyncio, glovebox\nkept = 'kept'",
            "await glovebox.acall_tool('slow')",
            "await asyncio.sleep(0)\nkept",
        ),
        (
            "python",
            "import asyncio, glovebox\nkept = 'kept'",
            "late = asyncio.ensure_future(glovebox.acall_tool('slow'))\nawait asyncio.sleep(60)",
            "try:\n    await late\nexcept RuntimeError as error:\n    assert 'ended' in str(error)\nkept",
        ),
        (
            "python",
            "import asyncio, glovebox\nkept = 'kept'",
            "glovebox.call_tool('slow')",
            "await asyncio.sleep(0)\nkept",
        ),
        (
            "javascript",
            "let kept = 'kept'",
            "await callTool('slow')",
            "await new Promise((done) => setTimeout(done, 1)); kept",
        ),
    ] {
        let mut session = session::open(&sandbox, Request::new(language, ""));
        session::evaluate(&mut session, first);
        let outcome = session::interrupt(&mut session, wait, soon);
        assert_eq!(outcome.status, Status::Cancelled, "{}", show(&outcome));
        assert!(session.is_alive(), "{wait}: {}", show(&outcome));
        let outcome = session::evaluate(&mut session, after);
        let value = outcome.value.as_ref().map(|value| value.text.as_str());
        assert_eq!(value, Some("'kept'"), "{wait}: {}", show(&outcome));
    }
    // What catches the interrupt may finish, but has no more effects outside.
    let mut session = session::open(&sandbox, Request::new("python", ""));
    let call = "import glovebox\nglovebox.call_tool('counts')";
    session::evaluate(&mut session, call);
    let outcome = session::interrupt(
        &mut session,
        "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    try:\n        glovebox.call_tool('counts')\n    except RuntimeError as error:\n        print(error)",
        soon,
    );
    assert!(
        outcome.stdout.text().contains("makes no more calls"),
        "{}",
        show(&outcome)
    );
    session::evaluate(&mut session, call);
    assert_eq!(counts.0.load(std::sync::atomic::Ordering::Relaxed), 2);
}

#[test]
fn end_of_an_interrupted_evaluation_is_streamed() {
    let sandbox = sandbox(
        "wall = \"700ms\"\noutput = \"64MiB\"\nfuel = 900_000_000_000",
        "",
    );
    let mut session = session::open(&sandbox, Request::new("python", ""));
    let (sender, mut receiver) = mpsc::channel::<OutputChunk>(4);
    let controls = Controls {
        output: Some(sender),
        ..Controls::default()
    };
    let source = glovebox_policy::Source {
        name: "main.py".to_owned(),
        content: b"while True: print('x')".as_slice().into(),
    };
    let (outcome, errors) = runtime().block_on(async {
        let collect = async {
            let mut errors = Vec::new();
            while let Some(chunk) = receiver.recv().await {
                if chunk.stream == StreamName::Stderr {
                    errors.extend_from_slice(&chunk.bytes);
                }
            }
            errors
        };
        let evaluation = session.evaluate_with(source, Vec::new(), Vec::new(), controls);
        tokio::join!(evaluation, collect)
    });
    let outcome = outcome.expect("the session lives");
    assert_eq!(String::from_utf8_lossy(&errors), outcome.stderr.text());
    assert!(
        outcome.stderr.text().contains("KeyboardInterrupt"),
        "{}",
        show(&outcome)
    );
}
