//! Load test: does the service keep everything isolated, and leak nothing, under a heavy mixed load?
//!
//! Over real HTTP, against the program `glovebox serve`, by clients with keep-alive connections. The oracles are outside: the expected
//! output of each program is computed here from a number of its own, and the kernel and the engine report what the process still holds.

use glovebox::Policy;
use glovebox_tests::engine;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Answer, RUN, Service};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const SESSIONS: &str = "/v1/sessions";

/// Concurrent clients.
const CLIENTS: usize = 64;

/// Clients that open sessions; each keeps the memory of a guest for as long as its session is open.
const SESSION_CLIENTS: usize = 8;

/// Clients that run containers; more concurrency would measure the engine.
const SHELL_CLIENTS: usize = 4;

/// Keys that the clients share.
const KEYS: usize = 4;

/// Executions after the warm-up.
const EXECUTIONS: usize = 10_000;

/// The number of rounds of [`MIX`] in that.
const ROUNDS: usize = 20;

/// The seed of the order of requests.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// Timeout of an asynchronous execution.
const PATIENCE: Duration = Duration::from_secs(60);

/// Timeout of the service's cleanup.
const SETTLE: Duration = Duration::from_secs(30);

/// The idle time after which a blocking thread ends.
const IDLE_THREADS_END: Duration = Duration::from_secs(12);

/// Idle containers of a service by default.
const POOL: usize = 2;

/// Connections of the service's pool to its database; it opens them lazily and keeps them, each with its thread and three files.
const DATABASE: usize = 4;

/// Its further connections, for writes and maintenance, each with three files.
const WRITERS: usize = 2;

/// Records on a page of a list.
const PAGE: usize = 100;

/// Bytes by which the service may grow after the warm-up. Its caches, such as events of the last minutes, are included.
const GROWTH: u64 = 30 << 20;

/// Bytes of input, output and files of the first programs.
const LARGE: usize = 64 << 10;

/// The action of a client for one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Runs a program and waits for its end.
    Whole(Program),
    /// Starts it asynchronously and polls for the end.
    Later,
    /// Reads the events to their end.
    Streamed,
    /// Disconnects after the first output.
    Cancelled,
    /// Disconnects at any moment, perhaps before anything has begun.
    Dropped,
    /// Runs three programs in a session, each of which needs the state of the one before.
    Session,
}

/// The expected outcome of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// Success, in this language.
    Hello(&'static str),
    /// Success, with what it read from its standard input.
    Input,
    /// Success, with a file made of another one.
    Files,
    /// An exception.
    Exception,
    /// An exit code.
    Exit,
    /// This limit.
    Limited(&'static str),
    /// A denial: there is no such profile.
    Denied,
    /// An exit code, in a container.
    Shell,
}

/// The number of each kind in 500 executions; a session has three.
const MIX: [(Kind, usize); 17] = [
    (Kind::Whole(Program::Hello("javascript")), 130),
    (Kind::Whole(Program::Hello("python")), 115),
    (Kind::Whole(Program::Hello("typescript")), 30),
    (Kind::Whole(Program::Input), 35),
    (Kind::Whole(Program::Files), 30),
    (Kind::Whole(Program::Exception), 25),
    (Kind::Whole(Program::Exit), 20),
    (Kind::Whole(Program::Limited("wall")), 6),
    (Kind::Whole(Program::Limited("cpu")), 6),
    (Kind::Whole(Program::Limited("output")), 6),
    (Kind::Whole(Program::Denied), 15),
    (Kind::Whole(Program::Shell), 5),
    (Kind::Later, 25),
    (Kind::Streamed, 25),
    (Kind::Cancelled, 6),
    (Kind::Dropped, 6),
    (Kind::Session, 5),
];

/// Programs in Python, for even numbers, and in JavaScript, for odd ones.
type Sources = [&'static str; 2];

const INPUT: Sources = [
    "import sys\nprint(*(int(line) * 3 for line in sys.stdin))",
    "let text = '';\nfor await (const chunk of process.stdin) text += chunk;\n\
     console.log(text.trim().split('\\n').map((line) => line * 3).join(' '));",
];

const FILES: Sources = [
    "import os\ntext = open('in.txt').read()\nos.mkdir('out')\nopen('out/twice.txt', 'w').write(text * 2)",
    "import fs from 'node:fs';\nconst text = fs.readFileSync('in.txt', 'utf8');\nfs.mkdirSync('out');\n\
     fs.writeFileSync('out/twice.txt', text + text);",
];

const EXCEPTION: Sources = [
    "print('before', NUMBER)\nraise ValueError(f'number {NUMBER}')",
    "console.log('before', NUMBER);\nthrow new RangeError(`number ${NUMBER}`);",
];

const EXIT: Sources = [
    "import sys\nprint(NUMBER)\nsys.exit(NUMBER % 200 + 1)",
    "console.log(NUMBER);\nprocess.exit(NUMBER % 200 + 1);",
];

const WAITS: Sources = [
    "import time\nprint(NUMBER, flush=True)\ntime.sleep(25)",
    "console.log(NUMBER);\nawait new Promise((done) => setTimeout(done, 25000));",
];

const ENDLESS: Sources = [
    "print(NUMBER, flush=True)\nwhile True: pass",
    "console.log(NUMBER);\nfor (;;) {}",
];

const FLOOD: Sources = [
    "print('NUMBER ' * 20000)",
    "console.log('NUMBER '.repeat(20000));",
];

const SAYS: Sources = [
    "print(NUMBER)\nNUMBER * 7",
    "console.log(NUMBER);\nNUMBER * 7",
];

const SAYS_SLOWLY: Sources = [
    "import time\nfor i in range(3):\n    print(i, NUMBER, flush=True)\n    time.sleep(0.005)\nNUMBER * 7",
    "for (let i = 0; i < 3; i++) { console.log(i, NUMBER); await new Promise((done) => setTimeout(done, 5)); }\nNUMBER * 7",
];

const SESSION: [Sources; 3] = [
    ["x = NUMBER", "let x = NUMBER;"],
    ["x = x * 2 + 1", "x = x * 2 + 1;"],
    ["print(x, x + 1)", "console.log(x, x + 1);"],
];

/// Uses every feature, with much memory, and is slow.
const LARGE_AND_SLOW: Sources = [
    "import os, sys, time\ntext = sys.stdin.read()\nos.mkdir('out')\nopen('out/a', 'w').write(text)\nprint(text)\n\
     time.sleep(0.3)\nraise ValueError(len(text))",
    "import fs from 'node:fs';\nlet text = '';\nfor await (const chunk of process.stdin) text += chunk;\nfs.mkdirSync('out');\n\
     fs.writeFileSync('out/a', text);\nconsole.log(text);\nawait new Promise((done) => setTimeout(done, 300));\n\
     throw new RangeError(text.length);",
];

/// Returns whether a number's programs are in Python.
fn is_python(number: u64) -> bool {
    number.is_multiple_of(2)
}

fn numbered(source: &str, number: u64) -> String {
    source.replace("NUMBER", &number.to_string())
}

/// A request to run the number's program.
fn request(number: u64, [python, javascript]: Sources) -> Value {
    let (language, source) = if is_python(number) {
        ("python", python)
    } else {
        ("javascript", javascript)
    };
    json!({ "language": language, "source": numbered(source, number) })
}

/// JSON pointers into a response, and their expected values.
type Expected = Vec<(&'static str, Value)>;

/// A request, its expected outcome, and its artifacts.
struct Case {
    body: Value,
    expected: Expected,
    files: Vec<(&'static str, String)>,
}

fn ends(status: &str, stdout: &str) -> Expected {
    vec![("/status", json!(status)), ("/stdout", json!(stdout))]
}

fn case(program: Program, number: u64) -> Case {
    let mut files = Vec::new();
    let (body, expected, more) = match program {
        Program::Hello(language) => {
            let types = if language == "typescript" {
                ": number"
            } else {
                ""
            };
            let source = if language == "python" {
                "n = NUMBER\nprint('hello', n, sum(i * i for i in range(n % 50)))\nn * 7 + 1"
                    .to_owned()
            } else {
                format!(
                    "const n{types} = NUMBER;\nlet sum{types} = 0;\nfor (let i = 0; i < n % 50; i++) sum += i * i;\n\
                     console.log('hello', n, sum);\nn * 7 + 1"
                )
            };
            let sum: u64 = (0..number % 50).map(|i| i * i).sum();
            let more = vec![
                ("/value/json", json!(number * 7 + 1)),
                ("/exit_code", json!(0)),
                ("/language", json!(language)),
            ];
            let body = json!({ "language": language, "source": numbered(&source, number) });
            (
                body,
                ends("succeeded", &format!("hello {number} {sum}\n")),
                more,
            )
        }
        Program::Input => {
            let mut body = request(number, INPUT);
            body["stdin"] = json!(format!("{number}\n{}\n", number + 1));
            (
                body,
                ends("succeeded", &format!("{} {}\n", number * 3, number * 3 + 3)),
                Vec::new(),
            )
        }
        Program::Files => {
            let content = format!("file {number};");
            let twice = content.repeat(2);
            let sha256: String = Sha256::digest(&twice)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let mut body = request(number, FILES);
            body["files"] = json!([{ "path": "in.txt", "content": content }]);
            body["artifacts"] = json!(["out/*"]);
            let more = vec![
                ("/artifacts/0/path", json!("out/twice.txt")),
                ("/artifacts/0/bytes", json!(twice.len())),
                ("/artifacts/0/sha256", json!(sha256)),
            ];
            files.push(("out/twice.txt", twice));
            (body, ends("succeeded", ""), more)
        }
        Program::Exception => {
            let kind = if is_python(number) {
                "ValueError"
            } else {
                "RangeError"
            };
            let more = vec![
                ("/exception/type", json!(kind)),
                ("/exception/message", json!(format!("number {number}"))),
                ("/exit_code", json!(1)),
            ];
            (
                request(number, EXCEPTION),
                ends("failed", &format!("before {number}\n")),
                more,
            )
        }
        Program::Exit => {
            let more = vec![
                ("/exit_code", json!(number % 200 + 1)),
                ("/exception", Value::Null),
            ];
            (
                request(number, EXIT),
                ends("failed", &format!("{number}\n")),
                more,
            )
        }
        Program::Limited(limit) => {
            let (sources, limits, stdout) = match limit {
                "wall" => (WAITS, json!({ "wall_ms": 500 }), format!("{number}\n")),
                "cpu" => (
                    ENDLESS,
                    json!({ "fuel": 50_000_000 }),
                    format!("{number}\n"),
                ),
                _ => (
                    FLOOD,
                    json!({ "output_bytes": 1000 }),
                    format!("{number} ").repeat(1000)[..1000].to_owned(),
                ),
            };
            let mut body = request(number, sources);
            body["limits"] = limits;
            let more = vec![
                ("/limit", json!(limit)),
                ("/stdout_truncated", json!(limit == "output")),
                ("/exit_code", Value::Null),
            ];
            (body, ends("limited", &stdout), more)
        }
        Program::Denied => {
            let profile = format!("nobody-{number}");
            let mut body = request(number, SAYS);
            body["profile"] = json!(profile);
            (
                body,
                ends("denied", ""),
                vec![("/profile", json!(profile)), ("/tier", Value::Null)],
            )
        }
        Program::Shell => {
            let source = "read line; echo $((line * 3)); cat in.txt; cat in.txt > out.txt; exit 3";
            let content = format!("file {number}\n");
            let mut body =
                json!({ "language": "shell", "source": source, "stdin": format!("{number}\n") });
            body["files"] = json!([{ "path": "in.txt", "content": content }]);
            if number.is_multiple_of(4) {
                body["artifacts"] = json!(["out.*"]);
                files.push(("out.txt", content.clone()));
            }
            (
                body,
                ends("failed", &format!("{}\n{content}", number * 3)),
                vec![("/tier", json!("container")), ("/exit_code", json!(3))],
            )
        }
    };
    Case {
        body,
        expected: [expected, more].concat(),
        files,
    }
}

/// The clients' knowledge of their executions' outcomes.
#[derive(Default)]
struct Tally {
    /// Executions with a known outcome, by status.
    ended: BTreeMap<String, u64>,
    /// Executions that were abandoned before their outcome was known.
    left: u64,
    wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, status: &str) {
        *self.ended.entry(status.to_owned()).or_default() += 1;
    }

    fn add(&mut self, other: Self) {
        for (status, number) in other.ended {
            *self.ended.entry(status).or_default() += number;
        }
        self.left += other.left;
        self.wrong.extend(other.wrong);
    }
}

/// A subject, and its key.
type Holder = (String, String);

/// A client with a keep-alive connection.
struct Client<'a> {
    service: &'a Service,
    holder: &'a Holder,
    stream: Option<BufReader<TcpStream>>,
    tally: Tally,
}

impl<'a> Client<'a> {
    fn new(service: &'a Service, holder: &'a Holder) -> Self {
        Self {
            service,
            holder,
            stream: None,
            tally: Tally::default(),
        }
    }

    fn begin(
        &self,
        stream: &mut TcpStream,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> io::Result<()> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let (address, key) = (self.service.address(), &self.holder.1);
        let length = body.len();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n"
        );
        if length > 0 {
            head += "Content-Type: application/json\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes())
    }

    fn send(
        &mut self,
        what: (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, String> {
        let mut stream = self
            .stream
            .take()
            .unwrap_or_else(|| BufReader::new(self.service.connect()));
        let sent = self.begin(stream.get_mut(), what, headers, body);
        let answer = sent
            .and_then(|()| receive(&mut stream))
            .map_err(|error| format!("{what:?}: {error}"))?;
        if !answer.header("connection").eq_ignore_ascii_case("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }

    /// Sends a request, asserts the status, and returns the body.
    fn ask(
        &mut self,
        status: u16,
        what: (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, String> {
        let answer = self.send(what, headers, body)?;
        if answer.status != status {
            return Err(format!("{what:?}: {} {}", answer.status, answer.text()));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).map_err(|error| format!("{error}: {}", answer.text()))
    }

    /// Records an outcome, and reports what is wrong with it.
    fn check(&mut self, got: &Value, expected: &[(&'static str, Value)]) -> Result<(), String> {
        self.tally.count(got["status"].as_str().unwrap_or("none"));
        let own = ("/subject", json!(self.holder.0));
        for (place, value) in expected.iter().chain([&own]) {
            let found = got.pointer(place).unwrap_or(&Value::Null);
            if found != value {
                return Err(format!("`{place}` is {found} and not {value}: {got}"));
            }
        }
        Ok(())
    }

    fn perform(&mut self, kind: Kind, number: u64) -> Result<(), String> {
        match kind {
            Kind::Whole(program) => self.whole(&case(program, number), number),
            Kind::Later => self.later(number),
            Kind::Streamed => self.streamed(number),
            Kind::Cancelled => self.leave(number, true),
            Kind::Dropped => self.leave(number, false),
            Kind::Session => self.session(number),
        }
    }

    fn whole(&mut self, case: &Case, number: u64) -> Result<(), String> {
        let got = self.ask(200, ("POST", RUN), &[], Some(&case.body))?;
        self.check(&got, &case.expected)?;
        let place = format!("{RUN}/{}", id(&got));
        let handed_back = got["artifacts"].as_array().map_or(0, Vec::len);
        if handed_back != case.files.len() {
            return Err(format!("{handed_back} files were handed back: {got}"));
        }
        for (path, content) in &case.files {
            let file = self.send(("GET", &format!("{place}/artifacts/{path}")), &[], None)?;
            if file.status != 200 || file.text() != *content {
                return Err(format!("`{path}` is {} {}", file.status, file.text()));
            }
        }
        if number.is_multiple_of(10) {
            let kept = self.ask(200, ("GET", &place), &[], None)?;
            if kept != got {
                return Err(format!("kept is {kept}, and answered was {got}"));
            }
        }
        Ok(())
    }

    fn later(&mut self, number: u64) -> Result<(), String> {
        let accepted = self.ask(
            202,
            ("POST", RUN),
            &[("Prefer", "respond-async")],
            Some(&request(number, SAYS)),
        )?;
        let place = format!("{RUN}/{}", id(&accepted));
        let until = Instant::now() + PATIENCE;
        loop {
            let got = self.ask(200, ("GET", &place), &[], None)?;
            if !is_unfinished(&got) {
                return self.check(&got, &says(number, &format!("{number}\n")));
            }
            if Instant::now() > until {
                return Err(format!("it does not end: {got}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn streamed(&mut self, number: u64) -> Result<(), String> {
        let answer = self.send(
            ("POST", RUN),
            &[("Accept", "text/event-stream")],
            Some(&request(number, SAYS_SLOWLY)),
        )?;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        let events = events(&answer.text())?;
        let expected: String = (0..3).map(|line| format!("{line} {number}\n")).collect();
        let pieces = events.iter().filter(|(kind, _)| kind == "stdout");
        let said: String = pieces
            .map(|(_, data)| data["text"].as_str().unwrap_or_default())
            .collect();
        match events.last() {
            Some((kind, end)) if kind == "end" => self.check(end, &says(number, &expected))?,
            _ => return Err(format!("the last event is not the end: {}", answer.text())),
        }
        if said == expected {
            Ok(())
        } else {
            Err(format!("the events say {said:?}: {}", answer.text()))
        }
    }

    /// Disconnects during a program that would not end by itself: after its first output, or at some moment.
    fn leave(&mut self, number: u64, waits_for_output: bool) -> Result<(), String> {
        let mut stream = self.service.connect();
        let accept = if waits_for_output {
            "text/event-stream"
        } else {
            "application/json"
        };
        let sent = self.begin(
            &mut stream,
            ("POST", RUN),
            &[("Accept", accept)],
            Some(&request(number, ENDLESS)),
        );
        sent.map_err(|error| error.to_string())?;
        if !waits_for_output {
            std::thread::sleep(Duration::from_millis(number % 40));
            self.tally.left += 1;
            return Ok(());
        }
        let mark = json!({ "text": format!("{number}\n") }).to_string();
        let mut said = String::new();
        let mut piece = [0; 2000];
        while !said.contains(&mark) {
            match stream.read(&mut piece) {
                Ok(length) if length > 0 => {
                    said.push_str(&String::from_utf8_lossy(&piece[..length]))
                }
                ended => return Err(format!("no output comes ({ended:?}): {said}")),
            }
        }
        self.tally.count("cancelled");
        Ok(())
    }

    fn session(&mut self, number: u64) -> Result<(), String> {
        let language = if is_python(number) {
            "python"
        } else {
            "javascript"
        };
        let opened = self.ask(
            201,
            ("POST", SESSIONS),
            &[],
            Some(&json!({ "language": language })),
        )?;
        let place = format!("{SESSIONS}/{}", id(&opened));
        let end = format!("{} {}\n", number * 2 + 1, number * 2 + 2);
        for (sources, stdout) in SESSION.into_iter().zip(["", "", end.as_str()]) {
            let body = json!({ "source": request(number, sources)["source"] });
            let got = self.ask(
                200,
                ("POST", &format!("{place}/executions")),
                &[],
                Some(&body),
            )?;
            let more = vec![
                ("/session", opened["id"].clone()),
                ("/language", json!(language)),
            ];
            self.check(&got, &[ends("succeeded", stdout), more].concat())?;
        }
        self.ask(204, ("DELETE", &place), &[], None).map(drop)
    }

    /// Runs a program that needs much of everything, beside an open session, and reads its records.
    fn large_and_slow(&mut self, language: &str, has_session: bool) -> Result<(), String> {
        let mut session = Value::Null;
        if has_session {
            session = self.ask(
                201,
                ("POST", SESSIONS),
                &[],
                Some(&json!({ "language": language })),
            )?;
        }
        let text = "x".repeat(LARGE);
        let source = LARGE_AND_SLOW[usize::from(language != "python")];
        let body = json!({ "language": language, "source": source, "stdin": text, "artifacts": ["out/*"] });
        let got = self.ask(200, ("POST", RUN), &[], Some(&body))?;
        let more = vec![("/exception/message", json!(LARGE.to_string()))];
        self.check(&got, &[ends("failed", &format!("{text}\n")), more].concat())?;
        let place = format!("{RUN}/{}", id(&got));
        for path in [
            place.clone(),
            format!("{place}/artifacts/out/a"),
            format!("{RUN}?limit=500"),
            place,
        ] {
            let answer = self.send(("GET", &path), &[], None)?;
            if answer.status != 200 {
                return Err(format!("{path}: {}", answer.status));
            }
        }
        if has_session {
            self.ask(
                204,
                ("DELETE", &format!("{SESSIONS}/{}", id(&session))),
                &[],
                None,
            )?;
        }
        Ok(())
    }
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().unwrap_or_default()
}

fn is_unfinished(execution: &Value) -> bool {
    ["queued", "running"].contains(&execution["status"].as_str().unwrap_or_default())
}

fn says(number: u64, stdout: &str) -> Expected {
    [
        ends("succeeded", stdout),
        vec![("/value/json", json!(number * 7)), ("/exit_code", json!(0))],
    ]
    .concat()
}

/// Reads one response, and no byte after it.
fn receive(stream: &mut impl BufRead) -> io::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("no status: {line:?}")))?;
    let mut answer = Answer {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        match line.split_once(':') {
            Some((name, value)) => answer
                .headers
                .push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None if line == "\r\n" => break,
            None => return Err(io::Error::other(format!("no header: {line:?}"))),
        }
    }
    if answer.header("transfer-encoding") != "chunked" {
        answer
            .body
            .resize(answer.header("content-length").parse().unwrap_or(0), 0);
        stream.read_exact(&mut answer.body)?;
        return Ok(answer);
    }
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let start = answer.body.len();
        answer.body.resize(start + size + 2, 0);
        stream.read_exact(&mut answer.body[start..])?;
        answer.body.truncate(start + size);
        if size == 0 {
            return Ok(answer);
        }
    }
}

/// Parses the events of a stream, whose ids must be consecutive.
fn events(text: &str) -> Result<Vec<(String, Value)>, String> {
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if field("event:").is_empty() {
            continue;
        }
        if field("id:") != (events.len() + 1).to_string() {
            return Err(format!("an event is missing: {text}"));
        }
        let data =
            serde_json::from_str(&field("data:")).map_err(|error| format!("{error}: {text}"))?;
        events.push((field("event:"), data));
    }
    Ok(events)
}

/// A work queue that clients share.
struct Lane {
    jobs: Vec<(Kind, u64)>,
    next: AtomicUsize,
}

impl Lane {
    fn take(&self) -> Option<(Kind, u64)> {
        self.jobs
            .get(self.next.fetch_add(1, Ordering::Relaxed))
            .copied()
    }
}

/// The mix so many times, numbered from `first` on: sessions, containers, and everything else.
fn lanes(rounds: usize, first: u64, has_engine: bool) -> [Lane; 3] {
    let mut lanes: [Vec<(Kind, u64)>; 3] = Default::default();
    let mut number = first;
    let mut executions = 0;
    for (mut kind, count) in MIX {
        let lane = match kind {
            Kind::Session => 0,
            Kind::Whole(Program::Shell) => 1,
            _ => 2,
        };
        if lane == 1 && !has_engine {
            kind = Kind::Whole(Program::Hello("python"));
        }
        for _ in 0..count * rounds {
            lanes[lane].push((kind, number));
            number += 1;
            executions += if kind == Kind::Session {
                SESSION.len()
            } else {
                1
            };
        }
    }
    assert_eq!(executions * ROUNDS, EXECUTIONS * rounds);
    let mut seed = SEED;
    lanes.map(|mut jobs| {
        for last in (1..jobs.len()).rev() {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            jobs.swap(last, usize::try_from(seed % (last as u64 + 1)).unwrap_or(0));
        }
        Lane {
            jobs,
            next: AtomicUsize::new(0),
        }
    })
}

/// Runs each client on a thread of its own. All their connections are closed afterwards.
fn with_clients(
    service: &Service,
    holders: &[Holder],
    tally: &Mutex<Tally>,
    act: impl Fn(usize, &mut Client<'_>) + Sync,
) {
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let act = &act;
            scope.spawn(move || {
                let mut client = Client::new(service, &holders[number % holders.len()]);
                act(number, &mut client);
                tally
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(client.tally);
            });
        }
    });
}

/// Executes everything in the queues.
fn work(service: &Service, holders: &[Holder], tally: &Mutex<Tally>, lanes: &[Lane; 3]) {
    with_clients(service, holders, tally, |client_number, client| {
        let own = match client_number {
            number if number < SESSION_CLIENTS => 0,
            number if number < SESSION_CLIENTS + SHELL_CLIENTS => 1,
            _ => 2,
        };
        while let Some((kind, number)) = lanes[own].take().or_else(|| lanes[2].take()) {
            if let Err(reason) = client.perform(kind, number) {
                client
                    .tally
                    .wrong
                    .push(format!("{kind:?} {number}: {reason}"));
            }
        }
    });
}

/// Reaches the maximum concurrency of everything: the service caches some of it, which is no leak.
fn fill(service: &Service, holders: &[Holder], tally: &Mutex<Tally>) {
    for language in ["python", "javascript", "typescript"] {
        with_clients(service, holders, tally, |number, client| {
            if let Err(reason) = client.large_and_slow(language, number < SESSION_CLIENTS) {
                client.tally.wrong.push(format!("{language}: {reason}"));
            }
        });
    }
}

fn assert_right(tally: &Mutex<Tally>) {
    let wrong = std::mem::take(&mut tally.lock().unwrap_or_else(PoisonError::into_inner).wrong);
    assert!(
        wrong.is_empty(),
        "{} results are wrong, such as {:#?}",
        wrong.len(),
        wrong.iter().take(5).collect::<Vec<_>>()
    );
}

fn listed(folder: impl AsRef<Path>) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect()
}

fn named(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Returns the number of containers that belong to a process.
fn containers(process: u32) -> usize {
    let ours = format!("/{process}/");
    let labels = engine::docker(&["ps", "--all", "--format", "{{.Label \"glovebox.owner\"}}"]);
    labels.lines().filter(|label| label.contains(&ours)).count()
}

/// Resources by kind, and their numbers.
type Held = BTreeMap<String, usize>;

/// Returns the resources of a service's process: file descriptors and threads by their kind, files of its state, temporary ones, and
/// containers.
fn held(service: &Service, has_engine: bool) -> Held {
    let process = service.process();
    let mut names = Vec::new();
    for file in listed(format!("/proc/{process}/fd")) {
        // It may be closed by now.
        let Ok(target) = fs::read_link(file) else {
            continue;
        };
        let target = target.to_string_lossy();
        names.push(match target.split_once(":[") {
            _ if target.contains("glovebox.sqlite") => "file of the database".to_owned(),
            Some((kind @ ("socket" | "pipe"), _)) => format!("file: {kind}"),
            _ => format!("file: {target}"),
        });
    }
    for thread in listed(format!("/proc/{process}/task")) {
        let Ok(name) = fs::read_to_string(thread.join("comm")) else {
            continue;
        };
        names.push(if name.starts_with("sqlx") {
            "thread of the database".to_owned()
        } else {
            format!("thread: {}", name.trim())
        });
    }
    names.extend(
        listed(service.state())
            .iter()
            .map(|path| format!("state: {}", named(path))),
    );
    let unfinished = listed(service.state().join("blobs"))
        .into_iter()
        .filter(|path| named(path).starts_with("unfinished"));
    let of_the_process = format!("-{process}-");
    let is_temporary = |path: &PathBuf| {
        named(path).starts_with("glovebox-") && named(path).contains(&of_the_process)
    };
    let temporary = listed(std::env::temp_dir())
        .into_iter()
        .filter(is_temporary);
    names.extend(
        unfinished
            .chain(temporary)
            .map(|path| format!("temporary: {}", path.display())),
    );
    let mut held = Held::new();
    for name in names {
        *held.entry(name).or_default() += 1;
    }
    if has_engine {
        held.insert("container".to_owned(), containers(process));
    }
    held
}

/// Returns the resources that grew beyond their tolerance.
fn beyond(now: &Held, before: &Held) -> Vec<String> {
    let more = |(name, count): (&String, &usize)| {
        let most = match name.as_str() {
            "file of the database" => (DATABASE + WRITERS) * 3,
            "thread of the database" => DATABASE,
            "container" => POOL,
            _ => before.get(name).copied().unwrap_or(0),
        };
        (*count > most).then(|| format!("{name}: {count} where {most} may be"))
    };
    now.iter().filter_map(more).collect()
}

/// Returns the anonymous resident memory of a process, in bytes: file-backed pages, such as those of guests' images, which every instance
/// maps anew, belong to the page cache, and are counted once for each mapping that has touched them.
fn resident(process: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap_or("0");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .expect("the system says how much")
        << 10
}

/// Polls until the actual value equals the expected one.
fn agree<T: Debug + PartialEq>(what: &str, mut look: impl FnMut() -> (T, T)) {
    let until = Instant::now() + SETTLE;
    loop {
        let (found, expected) = look();
        if found == expected {
            return;
        }
        assert!(
            Instant::now() < until,
            "{what}: {found:?} was found, and {expected:?} expected"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Returns the gauges of the service: running and queued executions, and open sessions.
fn gauges(service: &Service) -> [String; 3] {
    let text = service.get("/metrics").text();
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or("none")
            .trim()
            .to_owned()
    };
    [
        "glovebox_executions_running ",
        "glovebox_executions_queued ",
        "glovebox_sessions_open ",
    ]
    .map(value)
}

/// Returns every kept execution of a subject.
fn records(service: &Service, holder: &Holder) -> Vec<Value> {
    let mut client = Client::new(service, holder);
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client
            .ask(
                200,
                ("GET", &format!("{RUN}?limit={PAGE}{cursor}")),
                &[],
                None,
            )
            .expect("a page");
        found.extend(page["executions"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// Returns the usage of all subjects: executions, and the denied and limited ones among them.
fn usage(service: &Service) -> [u64; 3] {
    let usage = service.get("/v1/usage?all=true").json();
    let days = usage["usage"].as_array().cloned().unwrap_or_default();
    ["executions", "denied", "limited"]
        .map(|name| days.iter().filter_map(|day| day[name].as_u64()).sum())
}

#[test]
fn ten_thousand_mixed_executions_give_right_results_and_leave_nothing() {
    let has_engine = engine::sandbox(Policy::builtin()).is_some();
    // Fewer run than there are clients, so that the others are queued, and caches soon reach their size.
    let config = format!(
        "[limits]\nrunning = 16\nrunning_per_subject = 8\nhead_time = \"60s\"\n[containers]\nenabled = {has_engine}\npool = {POOL}\n"
    );
    let mut service = Service::with_keys(&config);
    let holder = |number: usize| {
        let name = format!("load-{number}");
        (format!("key:{name}"), service.make_key(&[name.as_str()]))
    };
    let holders: Vec<Holder> = (0..KEYS).map(holder).collect();
    let operator = service.make_key(&["operator", "--scope", "audit"]);
    service.use_key(&operator);
    let process = service.process();
    let tally = Mutex::new(Tally::default());

    fill(&service, &holders, &tally);
    work(&service, &holders, &tally, &lanes(1, 10_000, has_engine));
    assert_right(&tally);
    // The final requests are made now, too: pages of records are among the largest responses.
    let listed_before: usize = holders
        .iter()
        .map(|holder| records(&service, holder).len())
        .sum();
    assert!(
        listed_before > KEYS * PAGE,
        "{listed_before} executions are kept, which fill no pages"
    );
    std::thread::sleep(IDLE_THREADS_END);
    if has_engine {
        eventually(
            SETTLE,
            "the pool of containers is not as it should be",
            || containers(process) == POOL,
        );
    }
    let (held_before, resident_before) = (held(&service, has_engine), resident(process));

    let started = Instant::now();
    work(
        &service,
        &holders,
        &tally,
        &lanes(ROUNDS, 100_000, has_engine),
    );
    let took = started.elapsed();
    assert_right(&tally);

    agree("what runs, waits and is open", || {
        (gauges(&service), ["0", "0", "0"].map(str::to_owned))
    });
    for holder in &holders {
        let sessions = Client::new(&service, holder).ask(200, ("GET", SESSIONS), &[], None);
        assert_eq!(sessions, Ok(json!({ "sessions": [] })));
    }
    let Tally {
        mut ended, left, ..
    } = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut kept: Vec<Value> = Vec::new();
    agree(
        "executions that are not finished, and usage against records",
        || {
            kept = holders
                .iter()
                .flat_map(|holder| records(&service, holder))
                .collect();
            let count = |is_one: &dyn Fn(&Value) -> bool| {
                kept.iter().filter(|execution| is_one(execution)).count() as u64
            };
            // An execution that was never started has no usage.
            let begun = count(&|execution| !execution["started_at"].is_null());
            let with = |status: &str| count(&|execution| execution["status"] == status);
            (
                (count(&is_unfinished), usage(&service)),
                (0, [begun, with("denied"), with("limited")]),
            )
        },
    );
    let mut by_status: BTreeMap<String, u64> = BTreeMap::new();
    for execution in &kept {
        *by_status
            .entry(execution["status"].as_str().unwrap_or("none").to_owned())
            .or_default() += 1;
    }
    // Some of the abandoned executions had not even begun; the others are cancelled, and none has another outcome.
    let (cancelled, known) = (
        by_status.remove("cancelled").unwrap_or(0),
        ended.remove("cancelled").unwrap_or(0),
    );
    assert_eq!(
        by_status, ended,
        "what is kept, and what the clients were told"
    );
    assert!(
        (known..=known + left).contains(&cancelled),
        "{cancelled} cancelled, {known} known, {left} left"
    );

    agree("what the process holds", || {
        (
            beyond(&held(&service, has_engine), &held_before),
            Vec::new(),
        )
    });
    agree("bytes that it has grown by", || {
        let grown = resident(process).saturating_sub(resident_before);
        (if grown > GROWTH { grown } else { 0 }, 0)
    });
    let verified = Command::new(program())
        .args(["audit", "verify"])
        .arg(service.state())
        .status();
    assert!(
        verified.is_ok_and(|status| status.success()),
        "the audit log is not whole"
    );
    let (from, to) = (resident_before >> 20, resident(process) >> 20);
    eprintln!(
        "{EXECUTIONS} executions in {:.1} s; resident before {from} MiB, after {to} MiB",
        took.as_secs_f64()
    );
}
