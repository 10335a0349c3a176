//! Class J in the library, session isolation: does one session or run reach another?

use glovebox::{Controls, Error, Request, Session, Status};
use glovebox_tests::attack::show;
use glovebox_tests::place::{canary, run, runtime, sandbox};
use glovebox_tests::session;
use std::collections::HashSet;

include!(concat!(env!("OUT_DIR"), "/attacks_j_sessions.rs"));

fn evaluate(session: &mut Session, text: &str) -> String {
    let outcome = session::evaluate(session, text);
    assert_eq!(
        outcome.status,
        Status::Succeeded,
        "{text}: {}",
        show(&outcome)
    );
    outcome.stdout.text().into_owned()
}

#[test]
fn xs01_names_of_runs_cannot_be_guessed() {
    let sandbox = sandbox("", "");
    let names: HashSet<String> = (0..50)
        .map(|_| run(&sandbox, canary("javascript")).id.to_string())
        .collect();
    assert_eq!(names.len(), 50);
    for name in &names {
        let digits = name.strip_prefix("run_").expect("names say what they name");
        assert!(
            digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{name}"
        );
    }
    // 80 random bits after the time: in none of their positions do all names agree.
    for position in 16..36 {
        let column: HashSet<u8> = names
            .iter()
            .filter_map(|name| name.as_bytes().get(position).copied())
            .collect();
        assert!(column.len() > 1, "position {position} is always the same");
    }
}

#[test]
fn xs02_an_ended_session_stays_ended() {
    let sandbox = sandbox("wall = \"1s\"\nfuel = 300_000_000", "");
    for (language, fine, cut) in [
        ("python", "x = 1\nprint(x)", "while True: pass"),
        (
            "python",
            "x = 1\nprint(x)",
            "import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass",
        ),
        (
            "python",
            "x = 1\nprint(x)",
            "import signal, time\nsignal.signal(signal.SIGINT, lambda *_: None)\nwhile True: time.sleep(60)",
        ),
        (
            "python",
            "x = 1\nprint(x)",
            "import os\nwhile True: os.write(1, b'x' * (1 << 16))",
        ),
        ("javascript", "var x = 1; console.log(x)", "for (;;);"),
    ] {
        let mut session = session::open(&sandbox, Request::new(language, ""));
        assert_eq!(evaluate(&mut session, fine), "1\n");
        let outcome = session::evaluate(&mut session, cut);
        assert_eq!(outcome.status, Status::Limited, "{cut}: {}", show(&outcome));
        assert!(!session.is_alive(), "{cut}: {}", show(&outcome));
        let after = runtime().block_on(session.evaluate(fine));
        assert!(matches!(after, Err(Error::SessionEnded(_))), "{cut}");
    }
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

#[test]
fn xs02_an_evaluation_that_is_given_up_ends_the_session() {
    let sandbox = sandbox("wall = \"5s\"", "");
    let mut session = session::open(&sandbox, Request::new("python", ""));
    runtime().block_on(async {
        let evaluation = session.evaluate("import time\nleft = 1\ntime.sleep(60)");
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(200), evaluation)
                .await
                .is_err()
        );
    });
    assert!(!session.is_alive());
    assert!(matches!(
        runtime().block_on(session.evaluate("print(left)")),
        Err(Error::SessionEnded(_))
    ));
}

#[test]
fn xs02_sessions_share_nothing() {
    let sandbox = sandbox("", "");
    let open = |language: &str| session::open(&sandbox, Request::new(language, ""));
    let (mut one, mut two) = (open("python"), open("python"));
    evaluate(
        &mut one,
        "import json, os\nsecret = 'one'\njson.left = 1\nopen('f', 'w').write('one')\nopen('/tmp/g', 'w').write('one')\nos.environ['LEFT'] = '1'",
    );
    let seen = evaluate(
        &mut two,
        "import json, os\nprint('secret' in globals(), hasattr(json, 'left'), os.listdir('.'), os.listdir('/tmp'), 'LEFT' in os.environ)",
    );
    assert_eq!(seen, "False False [] [] False\n");
    assert_eq!(
        evaluate(&mut one, "print(secret, open('f').read(), json.left)"),
        "one one 1\n"
    );
    let (mut three, mut four) = (open("javascript"), open("javascript"));
    evaluate(
        &mut three,
        "globalThis.secret = 'three'; Object.prototype.left = 1; require('fs').writeFileSync('f', 'three')",
    );
    assert_eq!(
        evaluate(
            &mut four,
            "console.log(typeof secret, {}.left, require('fs').readdirSync('.').length)"
        ),
        "undefined undefined 0\n"
    );
}

#[test]
fn xs02_files_of_a_session_stay_inside() {
    let sandbox = sandbox("workspace = \"1MiB\"", "");
    let runtime = runtime();
    let mut session = runtime
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    runtime
        .block_on(session.put_file("in/a.txt", *b"hello"))
        .expect("a file can be put");
    assert_eq!(
        evaluate(
            &mut session,
            "print(open('in/a.txt').read())\nopen('out.txt', 'w').write('bye')\nimport os\nos.symlink('../usr/lib/python3.14/this.py', 'link')"
        ),
        "hello\n"
    );
    assert_eq!(
        runtime
            .block_on(session.read_file("out.txt"))
            .expect("a file can be read"),
        b"bye"
    );
    for bad in [
        "../etc/passwd",
        "/etc/passwd",
        "link",
        "in",
        "none",
        "",
        "in/../../x",
        "/usr/lib/python3.14/this.py",
    ] {
        let read = runtime.block_on(session.read_file(bad));
        assert!(read.is_err(), "read `{bad}`");
    }
    for bad in ["../x", "/x", "", "a/../../x", "link/x"] {
        let put = runtime.block_on(session.put_file(bad, *b"x"));
        assert!(put.is_err(), "put `{bad}`");
    }
    let large = runtime.block_on(session.put_file("large", vec![0; 2 << 20]));
    assert!(large.is_err(), "the quota holds for the host's own files");
    assert_eq!(evaluate(&mut session, "print('alive')"), "alive\n");
}

#[test]
fn xs02_limits_are_those_of_the_grant_in_each_evaluation() {
    let sandbox = sandbox("source = \"1KiB\"\noutput = \"1KiB\"", "");
    let mut session = session::open(&sandbox, Request::new("python", ""));
    for _ in 0..3 {
        assert_eq!(
            evaluate(&mut session, "print('x' * 900)").len(),
            901,
            "output is counted anew"
        );
    }
    let long = "#".repeat(2000);
    assert!(
        runtime().block_on(session.evaluate(long)).is_err(),
        "a source that is too long is refused"
    );
    assert!(session.is_alive());
    let stopped = Controls::default();
    stopped.stop.cancel();
    let source = glovebox::policy::Source {
        name: "main.py".into(),
        content: b"print(1)".to_vec().into(),
    };
    let outcome = runtime()
        .block_on(session.evaluate_with(source, vec![], vec![], stopped))
        .expect("the host works");
    assert_eq!(outcome.status, Status::Cancelled);
}
