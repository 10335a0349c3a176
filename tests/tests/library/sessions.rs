//! Sessions of the library: do they keep their state?

use super::*;

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

/// A corrected or repeated text declares its names again.
#[test]
fn javascript_sessions_declare_again() {
    let sandbox = sandbox("", "");
    for language in ["javascript", "typescript"] {
        let mut session = runtime()
            .block_on(sandbox.open(Request::new(language, "")))
            .expect("a session opens");
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
            let outcome = runtime()
                .block_on(session.evaluate(text))
                .expect("the session lives");
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
fn functions_for_the_end_of_a_program_do_not_run_in_a_session() {
    let sandbox = sandbox("", "");
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
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
        let outcome = runtime()
            .block_on(session.evaluate(text))
            .expect("the session lives");
        assert_eq!(outcome.stdout.text(), printed, "{text}");
    }
}
