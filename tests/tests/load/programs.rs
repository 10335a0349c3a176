//! Programs of the load: what does each do, and how must it end?

use super::*;

/// The action of a client for one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) enum Program {
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
pub(crate) const MIX: [(Kind, usize); 17] = [
    (Kind::Whole(Program::Hello("javascript")), 130),
    (Kind::Whole(Program::Hello("python")), 115),
    (Kind::Whole(Program::Hello("typescript")), 30),
    (Kind::Whole(Program::Input), 35),
    (Kind::Whole(Program::Files), 30),
    (Kind::Whole(Program::Exception), 25),
    (Kind::Whole(Program::Exit), 20),
    (Kind::Whole(Program::Limited("wall")), 6),
    (Kind::Whole(Program::Limited("fuel")), 6),
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
pub(crate) type Sources = [&'static str; 2];

pub(crate) const INPUT: Sources = [
    "import sys\nprint(*(int(line) * 3 for line in sys.stdin))",
    "let text = '';\nfor await (const chunk of process.stdin) text += chunk;\n\
     console.log(text.trim().split('\\n').map((line) => line * 3).join(' '));",
];

pub(crate) const FILES: Sources = [
    "import os\ntext = open('in.txt').read()\nos.mkdir('out')\nopen('out/twice.txt', 'w').write(text * 2)",
    "import fs from 'node:fs';\nconst text = fs.readFileSync('in.txt', 'utf8');\nfs.mkdirSync('out');\n\
     fs.writeFileSync('out/twice.txt', text + text);",
];

pub(crate) const EXCEPTION: Sources = [
    "print('before', NUMBER)\nraise ValueError(f'number {NUMBER}')",
    "console.log('before', NUMBER);\nthrow new RangeError(`number ${NUMBER}`);",
];

pub(crate) const EXIT: Sources = [
    "import sys\nprint(NUMBER)\nsys.exit(NUMBER % 200 + 1)",
    "console.log(NUMBER);\nprocess.exit(NUMBER % 200 + 1);",
];

pub(crate) const WAITS: Sources = [
    "import time\nprint(NUMBER, flush=True)\ntime.sleep(25)",
    "console.log(NUMBER);\nawait new Promise((done) => setTimeout(done, 25000));",
];

pub(crate) const ENDLESS: Sources = [
    "print(NUMBER, flush=True)\nwhile True: pass",
    "console.log(NUMBER);\nfor (;;) {}",
];

pub(crate) const FLOOD: Sources = [
    "print('NUMBER ' * 20000)",
    "console.log('NUMBER '.repeat(20000));",
];

pub(crate) const SAYS: Sources = [
    "print(NUMBER)\nNUMBER * 7",
    "console.log(NUMBER);\nNUMBER * 7",
];

pub(crate) const SAYS_SLOWLY: Sources = [
    "import time\nfor i in range(3):\n    print(i, NUMBER, flush=True)\n    time.sleep(0.005)\nNUMBER * 7",
    "for (let i = 0; i < 3; i++) { console.log(i, NUMBER); await new Promise((done) => setTimeout(done, 5)); }\nNUMBER * 7",
];

pub(crate) const SESSION: [Sources; 3] = [
    ["x = NUMBER", "let x = NUMBER;"],
    ["x = x * 2 + 1", "x = x * 2 + 1;"],
    ["print(x, x + 1)", "console.log(x, x + 1);"],
];

/// Uses every feature, with much memory, and is slow.
pub(crate) const LARGE_AND_SLOW: Sources = [
    "import os, sys, time\ntext = sys.stdin.read()\nos.mkdir('out')\nopen('out/a', 'w').write(text)\nprint(text)\n\
     time.sleep(0.3)\nraise ValueError(len(text))",
    "import fs from 'node:fs';\nlet text = '';\nfor await (const chunk of process.stdin) text += chunk;\nfs.mkdirSync('out');\n\
     fs.writeFileSync('out/a', text);\nconsole.log(text);\nawait new Promise((done) => setTimeout(done, 300));\n\
     throw new RangeError(text.length);",
];

/// Returns whether a number's programs are in Python.
pub(crate) fn is_python(number: u64) -> bool {
    number.is_multiple_of(2)
}

pub(crate) fn numbered(source: &str, number: u64) -> String {
    source.replace("NUMBER", &number.to_string())
}

/// A request to run the number's program.
pub(crate) fn request(number: u64, [python, javascript]: Sources) -> Value {
    let (language, source) = if is_python(number) {
        ("python", python)
    } else {
        ("javascript", javascript)
    };
    json!({ "language": language, "source": numbered(source, number) })
}

/// JSON pointers into a response, and their expected values.
pub(crate) type Expected = Vec<(&'static str, Value)>;

/// A request, its expected outcome, and its artifacts.
pub(crate) struct Case {
    pub(crate) body: Value,
    pub(crate) expected: Expected,
    pub(crate) files: Vec<(&'static str, String)>,
}

pub(crate) fn ends(status: &str, stdout: &str) -> Expected {
    vec![("/status", json!(status)), ("/stdout", json!(stdout))]
}

/// The request of such a program, its outcome, and more of it.
pub(crate) fn hello(language: &'static str, number: u64) -> (Value, Expected, Expected) {
    let types = if language == "typescript" {
        ": number"
    } else {
        ""
    };
    let source = if language == "python" {
        "n = NUMBER\nprint('hello', n, sum(i * i for i in range(n % 50)))\nn * 7 + 1".to_owned()
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

/// The request of such a program, its outcome, and more of it.
pub(crate) fn limited(limit: &'static str, number: u64) -> (Value, Expected, Expected) {
    let (sources, limits, stdout) = match limit {
        "wall" => (WAITS, json!({ "wall_ms": 500 }), format!("{number}\n")),
        "fuel" => (
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

/// A program that hands back a file, twice as long as the one that it got.
pub(crate) fn twice(number: u64) -> Case {
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
    Case {
        body,
        expected: [ends("succeeded", ""), more].concat(),
        files: vec![("out/twice.txt", twice)],
    }
}

/// A script in a container.
pub(crate) fn shell(number: u64) -> Case {
    let mut files = Vec::new();

    let source = "read line; echo $((line * 3)); cat in.txt; cat in.txt > out.txt; exit 3";
    let content = format!("file {number}\n");
    let mut body = json!({ "language": "shell", "source": source, "stdin": format!("{number}\n") });
    body["files"] = json!([{ "path": "in.txt", "content": content }]);
    if number.is_multiple_of(4) {
        body["artifacts"] = json!(["out.*"]);
        files.push(("out.txt", content.clone()));
    }
    let expected = ends("failed", &format!("{}\n{content}", number * 3));
    let more = vec![("/tier", json!("container")), ("/exit_code", json!(3))];
    Case {
        body,
        expected: [expected, more].concat(),
        files,
    }
}

pub(crate) fn case(program: Program, number: u64) -> Case {
    let (body, expected, more) = match program {
        Program::Hello(language) => hello(language, number),
        Program::Input => {
            let mut body = request(number, INPUT);
            body["stdin"] = json!(format!("{number}\n{}\n", number + 1));
            (
                body,
                ends("succeeded", &format!("{} {}\n", number * 3, number * 3 + 3)),
                Vec::new(),
            )
        }
        Program::Files => return twice(number),
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
        Program::Limited(limit) => limited(limit, number),
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
        Program::Shell => return shell(number),
    };
    Case {
        body,
        expected: [expected, more].concat(),
        files: Vec::new(),
    }
}
