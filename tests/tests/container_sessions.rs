//! Sessions in containers: do they keep state, outlive what can be interrupted, and end with what
//! cannot?
//!
//! The oracles are outside: the engine's own client, and the files of the host.

use glovebox::{
    Controls, Error, FileEntry, Input, Limit, OpenError, Outcome, Policy, Request, Sandbox,
    Session, Status,
};
use glovebox_policy::{InputFile, Source, Tier};
use glovebox_tests::attack::show;
use glovebox_tests::engine::{docker, sandbox};
use glovebox_tests::place::{eventually, runtime};
use glovebox_tests::session::{self, check_outlives, evaluate};
use std::time::Duration;

fn policy(limits: &str) -> Policy {
    let text = format!(
        "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\ntiers = [\"container\"]\n\
         [profiles.t.limits]\nmemory = \"128MiB\"\nworkspace = \"8MiB\"\nprocesses = 40\noutput = \"64KiB\"\n{limits}\n"
    );
    Policy::parse("test", &text).unwrap_or_else(|problems| panic!("{problems}"))
}

fn open(sandbox: &Sandbox, request: Request) -> Session {
    let session = session::open(sandbox, request);
    assert_eq!(session.grant().tier(), Tier::Container);
    session
}

/// Programs of one session, in this order: the text, its output on both streams, and its end.
type Steps<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Returns an end in one word: the exit code, or the exception's class and message, and the value.
fn end(outcome: &Outcome) -> String {
    let code = outcome.exit_code.map(|code| code.to_string());
    let raised = outcome
        .exception
        .as_ref()
        .map(|raised| format!("{}: {}", raised.kind, raised.message));
    let value = outcome.value.as_ref().map(|value| value.text.clone());
    let limit = outcome
        .limit
        .as_ref()
        .map(|reached| format!("limit {}", reached.limit));
    [raised.or(code), limit, value]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn check(language: &str, steps: Steps<'_>) {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let mut session = open(&sandbox, Request::new(language, ""));
    for (text, output, expected) in steps {
        let outcome = evaluate(&mut session, text);
        let written = format!("{}{}", outcome.stdout.text(), outcome.stderr.text());
        assert_eq!(
            (written.as_str(), end(&outcome).as_str()),
            (*output, *expected),
            "{text}: {}",
            show(&outcome)
        );
        assert!(session.is_alive(), "{text}");
    }
}

#[test]
fn python_keeps_its_state() {
    check(
        "python",
        &[
            ("import os, sys\nx = 40\ndef f(n): return n + x", "", "0"),
            ("f(2)", "", "0 42"),
            (
                "print(open('/dev/stdin').read() == '', sys.argv)",
                "True ['main.py']\n",
                "0",
            ),
            (
                "os.chdir('/tmp')\nopen('here', 'w').write('kept')",
                "",
                "0 4",
            ),
            ("os.getcwd(), open('here').read()", "", "0 ('/tmp', 'kept')"),
            ("sys.exit(3)\nx = 0", "", "3"),
            ("x", "", "0 40"),
            (
                "import asyncio\nasync def late():\n    await asyncio.sleep(0.01)\n    return 'late'\nawait late()",
                "",
                "0 'late'",
            ),
            (
                "task = asyncio.ensure_future(late())\nawait asyncio.sleep(0)",
                "",
                "0",
            ),
            ("await task", "", "0 'late'"),
            // Before there are threads: with them, Python warns of a fork.
            (
                "pid = os.fork()\nif pid == 0: x = 1\nelse: os.waitpid(pid, 0)[1]",
                "",
                "0",
            ),
            (
                "import threading, time\ncount = [0]\ndef run():\n    while True:\n        count[0] += 1\n        time.sleep(0.01)\nthreading.Thread(target=run, daemon=True).start()\ntime.sleep(0.1)\ncount[0] > 3",
                "",
                "0 True",
            ),
            ("x", "", "0 40"),
        ],
    );
}

#[test]
fn exceptions_of_python_do_not_end_the_session() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let mut session = open(&sandbox, Request::new("python", ""));
    let outcome = evaluate(&mut session, "x = 1\nx / 0");
    assert_eq!(
        end(&outcome),
        "ZeroDivisionError: division by zero",
        "{}",
        show(&outcome)
    );
    assert!(
        outcome.stderr.text().contains("line 2"),
        "{}",
        show(&outcome)
    );
    assert_eq!(end(&evaluate(&mut session, "x")), "0 1");
}

#[test]
fn javascript_keeps_its_state() {
    check(
        "javascript",
        &[
            (
                "const x = 40; let y = 1; class A { b() { return x } } function f(n) { return n + x }",
                "",
                "0",
            ),
            ("f(2)", "", "0 42"),
            (
                "const x = 50; class A { b() { return 'new' } }; [x, y, new A().b(), f(2)]",
                "",
                "0 [ 50, 1, 'new', 52 ]",
            ),
            (
                "const z = await new Promise((done) => setTimeout(done, 20, 'late')); z",
                "",
                "0 'late'",
            ),
            (
                "console.log(z, process.argv.length); process.exit(3); console.log('never')",
                "late 2\n",
                "3",
            ),
            (
                "import fs from 'fs'; fs.writeFileSync('a.txt', 'kept'); console.log('module')",
                "module\n",
                "0",
            ),
            (
                "require('fs').readFileSync('a.txt', 'utf8') + require('fs').readFileSync(0, 'utf8')",
                "",
                "0 'kept'",
            ),
            ("fs.existsSync('a.txt')", "", "0 true"),
            ("(await import('path')).sep", "", "0 '/'"),
            ("Promise.resolve(z)", "", "0 'late'"),
            (
                "throw new TypeError('no')",
                "TypeError: no\n    at main.js:1:7\n",
                "TypeError: no",
            ),
            ("z", "", "0 'late'"),
        ],
    );
}

#[test]
fn typescript_keeps_its_state() {
    check(
        "typescript",
        &[
            ("enum E { A = 3 }\nconst x: number = 40", "", "0"),
            (
                "interface P { a: number }\nconst p: P = { a: x + E.A }; p",
                "",
                "0 { a: 43 }",
            ),
            (
                "const y: = 1",
                "SyntaxError: Unexpected token\n    at main.ts:1:10\n",
                "SyntaxError: Unexpected token",
            ),
            (
                "import fs from 'fs'; fs.writeFileSync('a.ts', 'export const b: string = \"kept\"')",
                "",
                "0",
            ),
            (
                "import { b } from './a'; console.log(b as string)",
                "kept\n",
                "0",
            ),
            ("x", "", "0 40"),
            // What needs the compiler, which comes with the first of these.
            (
                "const add = (_: undefined, c: ClassFieldDecoratorContext) => (n: number) => n + x\nclass A { @add n = 2; accessor m: number = 1 }",
                "",
                "0",
            ),
            ("new A().n + new A().m", "", "0 43"),
            (
                "namespace N { export const k = x }\nnamespace N { export const l = k + 1 }\n[N.k, N.l]",
                "",
                "0 [ 40, 41 ]",
            ),
            (
                "class C {\n  @add\n  m( { }\n}",
                "SyntaxError: ',' expected.\n    at main.ts:4:1\n",
                "SyntaxError: ',' expected.",
            ),
            (
                "fs.writeFileSync('c.ts', 'export class B { static accessor all = 5 }')",
                "",
                "0",
            ),
            ("import { B } from './c'; B.all", "", "0 5"),
        ],
    );
}

#[test]
fn the_shell_keeps_its_state() {
    check(
        "shell",
        &[
            ("x=40; cd /usr; f() { echo \"f $1 $x\"; }", "", "0"),
            ("f a; pwd; cat", "f a 40\n/usr\n", "0"),
            (
                "(exit 3); echo $?; echo a | while read l; do exit 4; done; echo $?; exit 5; echo never",
                "3\n4\n",
                "5",
            ),
            (
                "g() { exit 9; }; y=$(g; echo no); echo \"$y\"; g; echo never",
                "\n",
                "9",
            ),
            ("echo $x; false", "40\n", "1"),
            ("set -e; h() { false; echo inner; }; h; echo never", "", "1"),
            (
                "if false; then :; fi; false || echo ok; set +e",
                "ok\n",
                "0",
            ),
            ("sleep 100 & echo $((! $?))", "1\n", "0"),
            ("jobs -p | wc -l; kill %1", "1\n", "0"),
            (
                "set -- a b; echo $#; alias q=ls; [[ $- == *m* ]] && echo jobs",
                "2\n",
                "1",
            ),
        ],
    );
}

#[test]
fn an_evaluation_that_is_interrupted_leaves_the_session_alive() {
    let Some(sandbox) = sandbox(policy("wall = \"1500ms\"")) else {
        return;
    };
    for (language, endless) in [
        ("python", "while True: pass"),
        ("python", "import time\ntime.sleep(60)"),
        ("python", "import asyncio\nawait asyncio.sleep(60)"),
        (
            "python",
            "import subprocess\nsubprocess.run(['sleep', '60'])",
        ),
        ("javascript", "for (;;);"),
        ("javascript", "setInterval(() => {}, 10)"),
        (
            "javascript",
            "await new Promise((done) => setTimeout(done, 60000))",
        ),
        ("shell", "while :; do :; done"),
        ("shell", "sleep 60; echo never"),
    ] {
        check_outlives(&sandbox, language, endless);
    }
    for (language, endless) in [
        ("python", "while True: print('x' * 1000)"),
        ("shell", "yes"),
    ] {
        let mut session = open(&sandbox, Request::new(language, ""));
        let outcome = evaluate(&mut session, endless);
        assert_eq!(
            outcome.reached_limit(),
            Some(Limit::Output),
            "{}",
            show(&outcome)
        );
        assert!(session.is_alive());
    }
}

#[test]
fn sessions_end_with_what_cannot_be_interrupted() {
    let Some(sandbox) = sandbox(policy("wall = \"1s\"")) else {
        return;
    };
    for (language, program) in [
        (
            "python",
            "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)",
        ),
        ("python", "import os\nos._exit(7)"),
        ("javascript", "setTimeout(() => { for (;;); }, 0)"),
        ("shell", "exec sleep 60"),
        ("shell", "kill -9 $$"),
    ] {
        let mut session = open(&sandbox, Request::new(language, ""));
        let outcome = evaluate(&mut session, program);
        assert_ne!(
            outcome.status,
            Status::Succeeded,
            "{program}: {}",
            show(&outcome)
        );
        assert!(!session.is_alive(), "{program}: {}", show(&outcome));
        let after = runtime().block_on(session.evaluate("1"));
        assert!(matches!(after, Err(Error::SessionEnded(_))), "{program}");
    }
}

#[test]
fn programs_are_stopped_between_two_evaluations() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let mut session = open(&sandbox, Request::new("shell", ""));
    // It would write for as long as it runs.
    evaluate(
        &mut session,
        "(while :; do echo x >> beats; sleep 0.01; done) & sleep 0.2",
    );
    let size = |session: &mut Session| {
        runtime()
            .block_on(session.file_size("beats"))
            .expect("the file is there")
    };
    let before = size(&mut session);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(size(&mut session), before);
    evaluate(&mut session, "sleep 0.2");
    assert!(size(&mut session) > before);
}

/// Returns the names of entries, with `/` behind those of directories.
fn names(entries: Vec<FileEntry>) -> Vec<String> {
    let entry = |entry: FileEntry| {
        let end = if entry.is_directory { "/" } else { "" };
        format!("{}{end}", entry.name)
    };
    entries.into_iter().map(entry).collect()
}

#[test]
fn files_of_a_session_are_its_workspace() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let mut request = Request::new("shell", "");
    request.files = vec![InputFile {
        path: "in/first.txt".to_owned(),
        content: b"first".as_slice().into(),
    }];
    let mut session = open(&sandbox, request);
    let run = runtime();
    run.block_on(session.put_file("in/a b\n.txt", *b"hello"))
        .expect("a file can be put");
    let outcome = evaluate(
        &mut session,
        "cat in/*; echo out > out.txt; ln -s /etc/passwd link; mkdir -p d/e; ln -s / d/root",
    );
    assert_eq!(outcome.stdout.text(), "hellofirst", "{}", show(&outcome));
    assert_eq!(
        run.block_on(session.read_file("out.txt")).unwrap(),
        b"out\n"
    );
    assert_eq!(
        run.block_on(session.read_file_part("out.txt", 1..3))
            .unwrap(),
        b"ut"
    );
    assert_eq!(run.block_on(session.file_size("in/a b\n.txt")).unwrap(), 5);
    let listed = run.block_on(session.list_files("")).unwrap();
    assert_eq!(names(listed), ["d/", "in/", "link", "out.txt"]);
    let listed = run
        .block_on(session.list_files_after("in", Some("a b\n.txt"), 5))
        .unwrap();
    assert_eq!(names(listed), ["first.txt"]);
    for bad in [
        "../etc/passwd",
        "/etc/passwd",
        "link",
        "in",
        "none",
        "",
        "in/../../x",
        "d/root/etc/passwd",
    ] {
        assert!(
            run.block_on(session.read_file(bad)).is_err(),
            "read `{bad}`"
        );
    }
    for bad in ["../x", "/x", "", "a/../../x", "d/root/tmp/x", "link", "d"] {
        assert!(
            run.block_on(session.put_file(bad, *b"x")).is_err(),
            "put `{bad}`"
        );
    }
    let large = run.block_on(session.put_file("large", vec![7; 9 << 20]));
    assert!(large.is_err(), "the quota holds for the host's own files");
    for name in ["large", "link", "in/first.txt"] {
        run.block_on(session.remove_file(name))
            .expect("a file can be removed");
    }
    assert!(
        run.block_on(session.remove_file("d")).is_err(),
        "it is not empty"
    );
    run.block_on(session.remove_file("d/e"))
        .expect("an empty directory can be removed");
    assert_eq!(
        evaluate(&mut session, "ls -A; ls in").stdout.text(),
        "d\nin\nout.txt\na b\n.txt\n"
    );
}

#[test]
fn evaluations_have_input_arguments_and_artifacts() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    for (language, text) in [
        (
            "python",
            "import sys\nprint(sys.stdin.read() + ' '.join(sys.argv[1:]))\nx = open('r.txt', 'w').write('artifact')",
        ),
        (
            "javascript",
            "console.log(require('fs').readFileSync(0, 'utf8') + process.argv.slice(2).join(' ')); require('fs').writeFileSync('r.txt', 'artifact')",
        ),
        ("shell", "echo \"$(cat)$*\"; printf artifact > r.txt"),
    ] {
        let mut session = open(&sandbox, Request::new(language, ""));
        for round in 0..2 {
            let source = Source {
                name: "cell".to_owned(),
                content: text.as_bytes().into(),
            };
            let controls = Controls {
                input: Input::Bytes(format!("in {round} ").into_bytes().into()),
                ..Controls::default()
            };
            let arguments = vec!["a b".to_owned(), "c".to_owned()];
            let evaluation =
                session.evaluate_with(source, arguments, vec!["*.txt".to_owned()], controls);
            let outcome = runtime().block_on(evaluation).expect("the session lives");
            assert_eq!(
                outcome.stdout.text(),
                format!("in {round} a b c\n"),
                "{}",
                show(&outcome)
            );
            let artifacts: Vec<_> = outcome
                .artifacts
                .iter()
                .map(|artifact| (artifact.path.as_str(), &*artifact.content))
                .collect();
            assert_eq!(artifacts, [("r.txt", b"artifact".as_slice())]);
        }
    }
}

#[test]
fn limits_hold_for_each_evaluation() {
    let Some(sandbox) = sandbox(policy("fuel = 1_000_000_000\nwall = \"10s\"")) else {
        return;
    };
    let mut session = open(&sandbox, Request::new("python", ""));
    // Together they take more than the limit.
    for _ in 0..3 {
        let outcome = evaluate(
            &mut session,
            "import time\nt = time.process_time()\nwhile time.process_time() - t < 0.5: pass",
        );
        assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
        assert!(
            outcome.usage.cpu < Duration::from_secs(1),
            "{}",
            show(&outcome)
        );
    }
    let outcome = evaluate(&mut session, "while True: pass");
    assert_eq!(end(&outcome), "limit fuel", "{}", show(&outcome));
    assert_eq!(end(&evaluate(&mut session, "t > 0")), "0 True");
    let outcome = evaluate(&mut session, "x = bytearray(200 << 20)");
    assert_eq!(end(&outcome), "limit memory", "{}", show(&outcome));
}

#[test]
fn a_session_that_is_dropped_leaves_no_container() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let session = open(&sandbox, Request::new("python", ""));
    let running = || {
        docker(&["ps", "--quiet", "--filter", "label=glovebox.owner"])
            .lines()
            .count()
    };
    let before = running();
    drop(session);
    eventually(Duration::from_secs(20), "the container is gone", || {
        running() < before
    });
    // One whose caller went away in the middle of an evaluation goes on.
    let mut session = open(&sandbox, Request::new("python", ""));
    runtime().block_on(async {
        let evaluation = session.evaluate("import time\nleft = 1\ntime.sleep(60)");
        let ended = tokio::time::timeout(Duration::from_millis(500), evaluation).await;
        assert!(ended.is_err());
    });
    assert_eq!(end(&evaluate(&mut session, "left")), "0 1");
}

#[test]
fn forged_answers_stay_inside() {
    let Some(sandbox) = sandbox(policy("")) else {
        return;
    };
    let mut session = open(&sandbox, Request::new("python", ""));
    for forged in [
        "import os\nfor n in range(100): os.write(7, b'%d 0\\n' % n)",
        "import os\nos.write(7, b'x' * 100000)",
        "print('glovebox-0 0 0 0 0 0 1 1 0 1')",
        "import os\nos.write(1, b'evaluate x 0 0 1\\n')",
    ] {
        let outcome = evaluate(&mut session, forged);
        assert!(outcome.tier.is_some());
    }
    drop(session);
    let denied = runtime().block_on(sandbox.open(Request::new("ruby", "")));
    assert!(matches!(denied, Err(OpenError::Denied(_))));
}
