//! Resource use before admission: what does a request cost before its program runs?
//!
//! No work that an untrusted client can cause is free: an oversized request is refused before it is
//! read, and inspecting a program takes its turn, is under the request's own limits, and is part of
//! its usage. The oracles are outside: the kernel reports the CPU time of the service, and another
//! tenant is served meanwhile.

use glovebox_tests::place::{cache_without_packages, eventually};
use glovebox_tests::service::{Access, Answer, RUN, Service, python};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const EXPLAIN: &str = "/v1/policies/explain";
const SESSIONS: &str = "/v1/sessions";
const TREES: &str = "/v1/task-trees";

/// CPU time that refusing one request may take: far more than it does, and far less than any of
/// these took without bounds.
const REFUSAL: Duration = Duration::from_secs(3);

/// Returns the CPU time of a process so far.
fn processor_time(process: u32) -> Duration {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process lives");
    let (_, rest) = text.rsplit_once(')').expect("its name is in brackets");
    let fields: Vec<u64> = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(|field| field.parse().expect("a number"))
        .collect();
    Duration::from_millis(fields.iter().sum::<u64>() * 10)
}

/// Sends a request as text: a body with a million entries takes longer to serialize than the
/// service takes to refuse it.
fn send(service: &Service, key: &str, path: &str, body: &str) -> Answer {
    let authorization = format!("Bearer {key}");
    service.send(
        "POST",
        path,
        &[
            ("Content-Type", "application/json"),
            ("Authorization", &authorization),
        ],
        body.as_bytes(),
    )
}

/// A program whose inspection takes as long as inspections may.
fn heavy() -> String {
    let line = "a=b.c(d,e)[f]+g\n";
    format!(
        "import zzz_unknown\nx = eval(getattr)\n{}",
        line.repeat(((4 << 20) - 2000) / line.len())
    )
}

/// A JSON list with this many times the same entry.
fn many(entry: &str, number: usize) -> String {
    format!("[{}]", vec![entry; number].join(","))
}

/// A JSON object with this many members.
fn members(value: &str, number: usize) -> String {
    let members: Vec<String> = (0..number).map(|at| format!("\"V{at}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

/// One list of a request: its path, the body around it, the field, its bound, and its generator.
type List = (
    &'static str,
    &'static str,
    &'static str,
    usize,
    fn(usize) -> String,
);

const EXECUTION: &str = r#"{"language":"python","source":"print(1)","FIELD":LIST}"#;
const SESSION: &str = r#"{"language":"python","FIELD":LIST}"#;
const TREE: &str =
    r#"{"tasks":[{"name":"a","execution":{"language":"python","source":"1"},"FIELD":LIST}]}"#;
const IN_TREE: &str =
    r#"{"tasks":[{"name":"a","execution":{"language":"python","source":"1","FIELD":LIST}}]}"#;

const LISTS: [List; 18] = [
    (RUN, EXECUTION, "packages", 500, |number| {
        many("\"a\"", number)
    }),
    (RUN, EXECUTION, "arguments", 10_000, |number| {
        many("\"\"", number)
    }),
    (RUN, EXECUTION, "environment", 4_000, |number| {
        members("\"\"", number)
    }),
    (RUN, EXECUTION, "artifacts", 64, |number| {
        many("\"*\"", number)
    }),
    (RUN, EXECUTION, "files", 20_000, |number| {
        many(r#"{"path":"a","content":""}"#, number)
    }),
    (RUN, EXECUTION, "mounts", 500, |number| {
        many("\"/data\"", number)
    }),
    (RUN, EXECUTION, "network", 500, |number| {
        many("\"example.org\"", number)
    }),
    (RUN, EXECUTION, "tools", 500, |number| {
        many("\"a/b\"", number)
    }),
    (EXPLAIN, EXECUTION, "packages", 500, |number| {
        many("\"a\"", number)
    }),
    (EXPLAIN, EXECUTION, "environment", 4_000, |number| {
        members("\"\"", number)
    }),
    (EXPLAIN, EXECUTION, "network", 500, |number| {
        many("\"example.org\"", number)
    }),
    (EXPLAIN, EXECUTION, "files", 20_000, |number| {
        many(r#"{"path":"a","content":""}"#, number)
    }),
    (SESSIONS, SESSION, "packages", 500, |number| {
        many("\"a\"", number)
    }),
    (SESSIONS, SESSION, "environment", 4_000, |number| {
        members("\"\"", number)
    }),
    (SESSIONS, SESSION, "tools", 500, |number| {
        many("\"a/b\"", number)
    }),
    (TREES, TREE, "after", 500, |number| many("\"a\"", number)),
    (TREES, IN_TREE, "arguments", 10_000, |number| {
        many("\"\"", number)
    }),
    (TREES, IN_TREE, "packages", 500, |number| {
        many("\"a\"", number)
    }),
];

#[test]
fn a_list_that_is_too_long_is_refused_before_it_is_there() {
    let service = Service::with_keys("[containers]\nenabled = false\n");
    let (tenant, canary) = (service.make_key(&["tenant"]), service.make_key(&["canary"]));
    for (path, body, field, most, list) in LISTS {
        let body = |number: usize| body.replace("FIELD", field).replace("LIST", &list(number));
        let before = processor_time(service.process());
        // The largest that is accepted is judged like any other: it is not refused for its size.
        let largest = send(&service, &tenant, path, &body(most));
        assert!(
            !largest.text().contains("a request may have at most"),
            "{path} {field}: {}",
            largest.text()
        );
        for number in [most + 1, 1_000_000] {
            let refused = send(&service, &tenant, path, &body(number));
            assert_eq!(
                refused.problem(),
                (422, "invalid".to_owned()),
                "{path} {field}"
            );
            let said = refused.json()["detail"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                said.contains(field)
                    && said.contains(&(most + 1).to_string())
                    && said.contains(&most.to_string()),
                "{said}"
            );
        }
        let used = processor_time(service.process()) - before;
        assert!(used < REFUSAL, "{path} {field}: {used:?}");
        let answered = send(&service, &canary, RUN, &python("print(1)").to_string());
        assert_eq!(
            answered.json()["status"],
            "succeeded",
            "{}",
            answered.text()
        );
    }
}

/// Requests that are large where an inspection or a comparison would look.
fn expensive() -> Vec<(&'static str, Value)> {
    let dependencies = |number: usize| {
        let lines: String = (0..number).map(|at| format!("#   \"b{at}\",\n")).collect();
        format!("# /// script\n# dependencies = [\n{lines}# ]\n# ///\nprint(1)\n")
    };
    let specifiers = |number: usize| {
        (0..number)
            .map(|at| format!("import 'npm:b{at}';\n"))
            .collect::<String>()
    };
    // Packages in the request and in the text together, names similar to well-known ones, long
    // paths with much in common, a huge unknown field.
    let near = (0..500)
        .map(|at| {
            format!(
                "requestz{}",
                char::from(b'a' + u8::try_from(at % 26).expect("small"))
            )
        })
        .collect::<Vec<_>>();
    let deep = |at: usize| format!("{}{at}", "d".repeat(200) + &"/d".repeat(62) + "/x");
    let files: Vec<Value> = (0..4000)
        .map(|at| json!({ "path": deep(at), "content": "" }))
        .collect();
    let long = "a".repeat(8 << 20);
    vec![
        (
            "packages in the text",
            json!({ "language": "python", "source": dependencies(501) }),
        ),
        (
            "packages in both",
            json!({ "language": "python", "source": dependencies(400), "packages": vec!["a"; 500] }),
        ),
        (
            "packages of JavaScript",
            json!({ "language": "javascript", "source": specifiers(900) }),
        ),
        (
            "nearly known names",
            json!({ "language": "python", "source": "1", "packages": near }),
        ),
        (
            "paths with much in common",
            json!({ "language": "python", "source": "1", "files": files }),
        ),
        (
            "a long name",
            json!({ "language": "python", "source": "1", "packages": [long] }),
        ),
        (
            "an unknown field",
            json!({ "language": "python", "source": "1", (long.as_str()): 1 }),
        ),
        (
            "a long profile",
            json!({ "language": "python", "source": "1", "profile": long }),
        ),
        (
            "a large wish",
            json!({ "language": "python", "source": heavy(), "limits": { "memory_bytes": 1_u64 << 50 } }),
        ),
    ]
}

#[test]
fn a_request_that_is_denied_costs_next_to_nothing() {
    let service = Service::with_keys("[containers]\nenabled = false\n");
    let (tenant, canary) = (service.make_key(&["tenant"]), service.make_key(&["canary"]));
    for (what, request) in expensive() {
        for path in [RUN, EXPLAIN] {
            let before = processor_time(service.process());
            let answer = send(&service, &tenant, path, &request.to_string());
            let used = processor_time(service.process()) - before;
            assert!(used < REFUSAL, "{what} {path}: {used:?}");
            assert!(
                answer.body.len() < 100_000,
                "{what} {path}: {} bytes",
                answer.body.len()
            );
            let said = answer.json();
            let is_refused =
                answer.status == 422 || said["status"] == "denied" || said["verdict"] == "denied";
            assert!(
                is_refused || what == "paths with much in common",
                "{what} {path}: {}",
                answer.text()
            );
        }
        let answered = send(&service, &canary, RUN, &python("print(1)").to_string());
        assert_eq!(
            answered.json()["status"],
            "succeeded",
            "{}",
            answered.text()
        );
    }
}

#[test]
fn looks_take_their_turn_by_subject() {
    let service = Service::with_keys("[containers]\nenabled = false\n");
    let (flood, canary) = (service.make_key(&["flood"]), service.make_key(&["canary"]));
    let small = python("print(eval(\"6*7\"))").to_string();
    let ask = || {
        let began = Instant::now();
        let answer = send(&service, &canary, RUN, &small);
        assert_eq!(answer.json()["stdout"], "42\n", "{}", answer.text());
        began.elapsed()
    };
    ask();
    let idle = (0..3).map(|_| ask()).max().expect("there are three");
    let authorization = format!("Bearer {flood}");
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", authorization.as_str()),
    ];
    let mut body = python(&heavy());
    body["limits"] = json!({ "memory_bytes": 256 << 20 });
    let body = body.to_string();
    let waiting: Vec<_> = (0..16)
        .map(|_| service.begin("POST", RUN, &headers, body.as_bytes()))
        .collect();
    // The flood is under way once its first programs are known to run.
    let running = || {
        let list = service
            .send("GET", "/v1/executions?status=running", &headers, b"")
            .json();
        list["executions"].as_array().map_or(0, Vec::len)
    };
    eventually(Duration::from_secs(30), "the flood is under way", || {
        running() >= 4
    });
    let slowest = (0..5).map(|_| ask()).max().expect("there are five");
    // Two subjects share the processors, and the service does I/O besides: far from the length of
    // the flood's queue.
    assert!(
        slowest < idle * 10 + Duration::from_secs(2),
        "{slowest:?} beside {idle:?}"
    );
    // A client that disconnects cancels its work, also while it is inspected or queued.
    drop(waiting);
    eventually(Duration::from_secs(30), "the flood is over", || {
        running() == 0
    });
}

#[test]
fn a_look_has_the_limits_of_the_request_and_is_counted() {
    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("heavy.py");
    fs::write(&file, heavy()).expect("the folder is writable");
    let fuel = 300_000_000_u64;
    for (limits, most) in [
        (["--wall", "100ms"], Duration::from_secs(5)),
        (["--fuel", "300000000"], Duration::from_secs(60)),
    ] {
        let output = Command::new(program())
            .args(["run", "--json", "--offline"])
            .args(limits)
            .arg(&file)
            .output()
            .expect("the program starts");
        let outcome: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let usage = &outcome["usage"];
        let wall = Duration::from_secs_f64(usage["wall_ms"].as_f64().expect("a time") / 1000.0);
        assert!(wall < most, "{limits:?}: {usage}");
        assert!(
            usage["fuel"].as_u64().is_some_and(|used| used > 1_000_000),
            "{limits:?}: what the look took is told: {usage}"
        );
        if limits[0] == "--fuel" {
            // The last unit is counted when the guest yields.
            assert!(
                usage["fuel"]
                    .as_u64()
                    .is_some_and(|used| used <= fuel + fuel / 100),
                "{usage}"
            );
        }
    }
}

#[test]
fn a_denied_program_has_used_what_its_look_took_and_a_stopped_one_ends_at_once() {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let policy = folder.path().join("policy.toml");
    let text = "version = 1\ndefault_profile = \"strict\"\n[profiles.strict]\nextends = \"offline\"\n[profiles.strict.limits]\nsource = \"4MiB\"\n\
        wall = \"60s\"\nfuel = 100_000_000_000\n[profiles.strict.findings]\nlow = \"deny\"\nmedium = \"deny\"\nhigh = \"deny\"\n";
    fs::write(&policy, text).expect("the folder is writable");
    let service = Service::start(
        &folder,
        &format!("policy = {policy:?}\n[containers]\nenabled = false\n"),
        Access::Local,
    );
    let denied = service.run(
        RUN,
        &python("import base64\nexec(base64.b64decode('cHJpbnQoMSk='))"),
    );
    assert_eq!(denied["status"], "denied", "{denied}");
    assert!(
        denied["usage"]["fuel"]
            .as_u64()
            .is_some_and(|fuel| fuel > 1_000_000),
        "{denied}"
    );
    assert!(
        denied["usage"]["wall_ms"]
            .as_f64()
            .is_some_and(|wall| wall > 0.0),
        "{denied}"
    );

    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let begun = service
        .send(
            "POST",
            RUN,
            &headers,
            python(&heavy()).to_string().as_bytes(),
        )
        .json();
    let id = begun["id"].as_str().expect("a name").to_owned();
    let began = Instant::now();
    let ended = service.send("DELETE", &format!("{RUN}/{id}"), &[], b"");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    // It may have ended before it could be stopped.
    assert!(
        ended.status == 409 || ended.json()["status"] == "cancelled",
        "{}",
        ended.text()
    );
}

#[test]
fn an_explanation_takes_a_place_is_counted_and_leaves_a_record() {
    let service = Service::local(
        "[limits]\nrunning = 1\nrunning_per_subject = 1\nqueue_per_subject = 1\n[containers]\nenabled = false\n",
    );
    let explained = service.post(EXPLAIN, &python("print(eval(\"6*7\"))"));
    assert_eq!(
        (explained.status, &explained.json()["verdict"]),
        (200, &"admitted".into()),
        "{}",
        explained.text()
    );
    eventually(
        Duration::from_secs(10),
        "the explanation is in the audit log",
        || {
            let audit = service.get("/v1/audit?event=explained").json();
            let record = &audit["records"][0];
            record["admitted"] == true
                && record["fuel"].as_u64() > Some(1_000_000)
                && record["request"]["source_bytes"] == 18
        },
    );
    eventually(
        Duration::from_secs(10),
        "the explanation is counted",
        || {
            let usage = service.get("/v1/usage").json();
            usage["usage"][0]["executions"] == 0
                && usage["usage"][0]["fuel"].as_u64() > Some(1_000_000)
        },
    );
    let denied = service.post(
        EXPLAIN,
        &json!({ "language": "python", "source": "1", "limits": { "memory_bytes": 1_u64 << 50 } }),
    );
    assert_eq!(denied.json()["verdict"], "denied", "{}", denied.text());
    eventually(Duration::from_secs(10), "so is one that says no", || {
        service.get("/v1/audit?event=explained&limit=1").json()["records"][0]["admitted"] == false
    });
    // One runs and one is queued: there is no room for an explanation either.
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let endless = python("while True: pass").to_string();
    let begun: Vec<String> = (0..2)
        .map(|_| {
            service
                .send("POST", RUN, &headers, endless.as_bytes())
                .json()["id"]
                .as_str()
                .expect("a name")
                .to_owned()
        })
        .collect();
    assert_eq!(
        service.post(EXPLAIN, &python("1")).problem(),
        (429, "queue_full".to_owned())
    );
    for id in begun {
        let _ = service.send("DELETE", &format!("{RUN}/{id}"), &[], b"");
    }
    assert_eq!(service.post(EXPLAIN, &python("1")).status, 200);
}

#[test]
fn failed_execution_is_counted_and_audited() {
    // Nothing can be looked up or downloaded if so much of the disk has to stay free, and nothing
    // was before.
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let cache = cache_without_packages(folder.path());
    let service = Service::start_with(
        &folder,
        "[limits]\npackages_reserve = \"1TiB\"\n[containers]\nenabled = false\n",
        Access::Local,
        &[("GLOVEBOX_CACHE", cache.to_str().expect("the path is text"))],
    );
    // The text has to be inspected by a guest before its package is resolved.
    let text = "import rich\nimport zzz_unknown\n";
    let body = json!({ "language": "python", "source": text, "packages": ["rich"] });
    let fuel = || {
        service.get("/v1/usage").json()["usage"][0]["fuel"]
            .as_u64()
            .unwrap_or(0)
    };
    let aborted = || {
        service.get("/v1/audit?event=aborted&limit=500").json()["records"]
            .as_array()
            .map_or(0, Vec::len)
    };
    let wall = || {
        service.get("/v1/usage").json()["usage"][0]["wall_us"]
            .as_u64()
            .unwrap_or(0)
    };
    let (mut used, mut ended) = (0, 0);
    for path in [EXPLAIN, RUN, EXPLAIN] {
        let refused = service.post(path, &body);
        assert_eq!(refused.status, 422, "{path}: {}", refused.text());
        eventually(
            Duration::from_secs(10),
            "what was looked at is counted",
            || fuel() > used + 1_000_000,
        );
        eventually(
            Duration::from_secs(10),
            "its end is in the audit log",
            || aborted() > ended,
        );
        (used, ended) = (fuel(), aborted());
    }
    // A session that does not open, and one whose packages do not change.
    let before = wall();
    let refused = service.post(
        SESSIONS,
        &json!({ "language": "python", "packages": ["rich"] }),
    );
    assert_eq!(refused.status, 422, "{}", refused.text());
    eventually(Duration::from_secs(10), "the attempt is counted", || {
        wall() > before && aborted() > ended
    });
    let session = service.post(SESSIONS, &json!({ "language": "python" }));
    assert_eq!(session.status, 201, "{}", session.text());
    let (before, ended) = (wall(), aborted());
    let packages = format!("{}/packages", session.header("location"));
    assert_eq!(
        service
            .post(&packages, &json!({ "packages": ["rich"] }))
            .status,
        422
    );
    eventually(Duration::from_secs(10), "the change is counted", || {
        wall() > before && aborted() > ended
    });
    // The twin, which needs no package.
    assert_eq!(
        service
            .post(EXPLAIN, &python("print(eval(\"6*7\"))"))
            .json()["verdict"],
        "admitted"
    );
}
