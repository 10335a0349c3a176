//! Tools in containers: does a program call the tools that its policy allows, and no others?
//!
//! Without a network, by the clients of each language and by `curl`. The oracles are outside: what
//! the tool was called with, the audit log, and the count of host calls.

use async_trait::async_trait;
use glovebox::{JsonLines, Limit, Outcome, Policy, Request, Sandbox, Status, Tool};
use glovebox_tests::attack::show;
use glovebox_tests::engine::sandbox_from;
use glovebox_tests::place::run;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const LANGUAGES: [&str; 3] = ["shell", "python", "javascript"];

/// Returns its arguments, and remembers them.
#[derive(Default)]
struct Echo(Mutex<Vec<String>>);

#[async_trait]
impl Tool for Echo {
    async fn call(&self, arguments: String) -> Result<String, String> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(arguments.clone());
        Ok(arguments)
    }
}

/// Never answers.
struct Never;

#[async_trait]
impl Tool for Never {
    async fn call(&self, _: String) -> Result<String, String> {
        std::future::pending().await
    }
}

struct Place {
    sandbox: Sandbox,
    echo: Arc<Echo>,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl Place {
    /// Returns `None` without an engine.
    fn new(limits: &str) -> Option<Self> {
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n\
             tiers = [\"container\"]\n\
             [profiles.t.tools]\nallow = [\"t/*\"]\n[profiles.t.limits]\nhost_calls = 5\n{limits}\n"
        );
        let policy = Policy::parse("test", &policy).unwrap_or_else(|problems| panic!("{problems}"));
        let folder = tempfile::tempdir().expect("a folder can be made");
        let log = folder.path().join("audit.jsonl");
        let echo = Arc::new(Echo::default());
        let builder = Sandbox::builder()
            .policy(policy)
            .audit(Arc::new(JsonLines::open(&log).expect("the log opens")))
            .tool("t/echo", Arc::clone(&echo) as Arc<dyn Tool>)
            .tool("t/never", Arc::new(Never))
            .tool("other", Arc::new(Echo::default()));
        Some(Self {
            sandbox: sandbox_from(&LANGUAGES, builder)?,
            echo,
            log,
            _folder: folder,
        })
    }

    fn run(&self, language: &str, source: &str) -> Outcome {
        run(&self.sandbox, Request::new(language, source))
    }

    /// Returns the arguments of the calls so far.
    fn calls(&self) -> Vec<String> {
        let calls = self.echo.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clone()
    }

    fn records(&self) -> String {
        std::fs::read_to_string(&self.log).expect("there is a log")
    }
}

/// Programs that call the granted tool with `{"a":[1,"\u00fc"]}`, and then one that is not granted.
const PROGRAMS: [(&str, &str); 4] = [
    (
        "python",
        "import glovebox\nprint(glovebox.call_tool('t/echo', a=[1, '\u{fc}']))\n\
         try:\n    glovebox.call_tool('other')\nexcept PermissionError as error:\n    print('denied', error)",
    ),
    (
        "python",
        "import asyncio, glovebox\nprint(asyncio.run(glovebox.acall_tool('t/echo', a=[1, '\u{fc}'])))\n\
         try:\n    asyncio.run(glovebox.acall_tool('other'))\nexcept PermissionError as error:\n    print('denied', error)",
    ),
    (
        "javascript",
        "(async () => {\n  console.log(await callTool('t/echo', { a: [1, '\u{fc}'] }));\n\
         try { await callTool('other'); } catch (error) { console.log(error.kind, error.message, error.name, error.tool); }\n})();",
    ),
    (
        "shell",
        "curl -sS http://glovebox/tools/t/echo -d '{\"a\":[1,\"\u{fc}\"]}'; echo\n\
         curl -sS http://glovebox/tools/other -d '{}'",
    ),
];

/// A program may handle a refused call; one that fails of it was ended by the limit.
#[test]
fn calls_over_the_limit_end_a_program_that_does_not_handle_them() {
    let Some(place) = Place::new("") else { return };
    let calls = "import glovebox\nfor n in range(6):\n    ";
    let fails = place.run(
        "python",
        &format!("{calls}glovebox.call_tool('t/echo', a=n)"),
    );
    assert_eq!(fails.status, Status::Limited, "{}", show(&fails));
    assert_eq!(fails.reached_limit(), Some(Limit::HostCalls));
    let handles = place.run(
        "python",
        &format!(
            "{calls}try: glovebox.call_tool('t/echo', a=n)\n    except Exception: print('refused')"
        ),
    );
    assert_eq!(handles.status, Status::Succeeded, "{}", show(&handles));
    assert_eq!(handles.stdout.text(), "refused\n");
}

#[test]
fn granted_tools_are_called_and_no_others() {
    let Some(place) = Place::new("") else { return };
    for (number, (language, source)) in PROGRAMS.into_iter().enumerate() {
        let outcome = place.run(language, source);
        let output = outcome.stdout.text();
        assert!(
            output
                .lines()
                .next()
                .is_some_and(|line| line.contains('\u{fc}')),
            "{language}: {}",
            show(&outcome)
        );
        assert!(
            output
                .lines()
                .nth(1)
                .is_some_and(|line| line.contains("denied")),
            "{language}: {}",
            show(&outcome)
        );
        assert_eq!(
            outcome.usage.host_calls,
            2,
            "{language}: {}",
            show(&outcome)
        );
        let calls = place.calls();
        assert_eq!(calls.len(), number + 1, "{language}");
        let arguments: serde_json::Value =
            serde_json::from_str(&calls[number]).expect("the arguments are JSON");
        assert_eq!(
            arguments,
            serde_json::json!({ "a": [1, "\u{fc}"] }),
            "{language}"
        );
    }
    let records = place.records();
    let of = |function: &str, verdict: &str| {
        let function = format!("\"function\":\"{function}\"");
        records
            .lines()
            .filter(|line| line.contains(&function) && line.contains(verdict))
            .count()
    };
    assert_eq!(
        of("t/echo", "\"allowed_by\":\"profiles.t.tools.allow[0]\""),
        PROGRAMS.len(),
        "{records}"
    );
    assert_eq!(of("other", "\"refused\":\""), PROGRAMS.len(), "{records}");
}

/// The socket itself, for clients that know no proxy. It leads nowhere else.
#[test]
fn the_socket_serves_tools_and_nothing_else_without_a_network() {
    let Some(place) = Place::new("") else { return };
    let through_proxy = "curl -sS --noproxy ''";
    let cases = [
        ("http://glovebox/tools/t/echo -d '{}'", "{}"),
        ("http://glovebox/tools/t/echo -X POST", "{}"),
        ("http://glovebox/tools/t/echo", "called with `POST`"),
        ("http://glovebox/", "tools are at"),
        ("http://127.0.0.1/tools/t/echo -d '{}'", "glovebox: "),
    ];
    for (arguments, expected) in cases {
        let outcome = place.run("shell", &format!("{through_proxy} {arguments}"));
        assert!(
            outcome.stdout.text().contains(expected),
            "{arguments}: {}",
            show(&outcome)
        );
    }
    assert_eq!(place.calls().len(), 2);
    // Over the socket itself a program could pass file descriptors to the service.
    let source = "import socket\ntry:\n    socket.socket(socket.AF_UNIX)\nexcept OSError as e:\n    print(e.errno)\na, b = socket.socketpair()\na.send(b'x'), print(b.recv(1))";
    let outcome = place.run("python", source);
    assert_eq!(outcome.stdout.text(), "1\nb'x'\n", "{}", show(&outcome));
    for source in [
        "curl -sS http://169.254.169.254/latest",
        "curl -sSv https://example.org/",
    ] {
        let outcome = place.run("shell", source);
        let output = outcome.stdout.text().into_owned() + &outcome.stderr.text();
        assert!(output.contains("denied"), "{source}: {}", show(&outcome));
        assert_eq!(outcome.usage.host_calls, 1, "{source}");
    }
}

#[test]
fn calls_of_tools_are_limited_and_end_with_their_run() {
    let Some(place) = Place::new("") else { return };
    let outcome = place.run(
        "shell",
        "for i in $(seq 9); do curl -sS http://glovebox/tools/t/echo -d '{}' -o /dev/null -w '%{http_code} '; done",
    );
    assert_eq!(
        outcome.stdout.text(),
        "200 200 200 200 200 429 429 429 429 ",
        "{}",
        show(&outcome)
    );
    assert_eq!((place.calls().len(), outcome.usage.host_calls), (5, 5));
    let outcome = place.run(
        "shell",
        "head -c 20000000 /dev/zero | curl -sS http://glovebox/tools/t/echo --data-binary @-",
    );
    assert!(
        outcome.stdout.text().contains("at most 16777216 bytes"),
        "{}",
        show(&outcome)
    );
    let Some(short) = Place::new("wall = \"3s\"") else {
        return;
    };
    let outcome = short.run("python", "import glovebox\nglovebox.call_tool('t/never')");
    assert_eq!(
        outcome.reached_limit(),
        Some(glovebox::Limit::Wall),
        "{}",
        show(&outcome)
    );
    // Without a tool in the grant there is no socket.
    let mut request = Request::new(
        "python",
        "import glovebox, os\ntry:\n    glovebox.call_tool('t/echo')\nexcept PermissionError:\n    print('denied', os.path.exists('/run/glovebox'))",
    );
    request.wants.tools = Some(Vec::new());
    let outcome = run(&place.sandbox, request);
    assert_eq!(
        outcome.stdout.text(),
        "denied False\n",
        "{}",
        show(&outcome)
    );
}
