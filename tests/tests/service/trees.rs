//! Task trees: do their tasks run in dependency order, pass on their results, and stop and retry on
//! request?

use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, Answer, Service, TREES};
use serde_json::{Value, json};
use std::time::Duration;

fn task(name: &str, after: &[&str], source: &str) -> Value {
    json!({ "name": name, "after": after, "execution": { "language": "python", "source": source } })
}

/// Runs a tree to its end.
fn run(service: &Service, body: &Value) -> Value {
    service.run(TREES, body)
}

/// Starts a tree and does not wait.
fn begin(service: &Service, body: &Value) -> String {
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let answer = service.send("POST", TREES, &headers, body.to_string().as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.header("location").to_owned()
}

fn statuses(tree: &Value) -> Vec<(String, String)> {
    let text = |task: &Value, name: &str| task[name].as_str().unwrap_or_default().to_owned();
    tree["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|task| (text(task, "name"), text(task, "status")))
        .collect()
}

fn shown(tree: &Value) -> String {
    statuses(tree)
        .into_iter()
        .map(|(name, status)| format!("{name}:{status}"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn ended(service: &Service, place: &str) -> Value {
    eventually(Duration::from_secs(30), "the tree ends", || {
        service.get(place).json()["ended_at"].is_string()
    });
    service.get(place).json()
}

fn stdout(service: &Service, tree: &Value, name: &str) -> String {
    let task = tree["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|task| task["name"] == name)
        .expect("there is such a task");
    let id = task["execution"].as_str().expect("it has an execution");
    service.get(&format!("/v1/executions/{id}")).json()["stdout"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn a_tree_hands_on_what_its_tasks_leave() {
    let service = Service::local("");
    let mut left = task(
        "left",
        &["root"],
        "print(open('inputs/root/stdout').read().strip() + '-left')",
    );
    left["execution"]["artifacts"] = json!(["*.bin"]);
    left["execution"]["source"] = json!(
        "open('x.bin', 'wb').write(bytes(range(256)))\nprint(open('inputs/root/stdout').read().strip() + '-left')"
    );
    let right = json!({ "name": "right", "after": ["root"], "execution": { "language": "javascript",
        "source": "JSON.parse(require('fs').readFileSync('inputs/root/value.json', 'utf8')).answer + 1" } });
    let join = task(
        "join",
        &["left", "right"],
        "import os, json\nprint(open('inputs/left/stdout').read().strip(), open('inputs/right/value.json').read(), open('inputs/right/status').read(), open('inputs/left/files/x.bin', 'rb').read() == bytes(range(256)), sorted(os.listdir('inputs')))",
    );
    let root = task("root", &[], "print('root')\n{'answer': 41}");
    let tree = run(&service, &json!({ "tasks": [join, left, right, root] }));
    assert_eq!(tree["status"], "succeeded", "{tree}");
    assert_eq!(
        shown(&tree),
        "join:succeeded left:succeeded right:succeeded root:succeeded"
    );
    assert_eq!(
        stdout(&service, &tree, "join"),
        "root-left 42 succeeded True ['left', 'right']\n"
    );
    assert_eq!(
        tree["progress"],
        json!({ "total": 4, "running": 0, "ended": 4, "succeeded": 4 })
    );
    assert_eq!(
        tree["tasks"][1]["progress"]["total"], 2,
        "a branch is a task and what comes after it"
    );
    assert_eq!(
        service
            .get(&format!(
                "{TREES}/{}",
                tree["id"].as_str().unwrap_or_default()
            ))
            .json(),
        tree
    );
    assert_eq!(service.get(TREES).json()["task_trees"][0]["id"], tree["id"]);
}

#[test]
fn tasks_run_at_once_within_the_bound() {
    let service = Service::local("");
    let nap = |name: &str| {
        task(
            name,
            &[],
            "import time\na = time.time()\ntime.sleep(0.5)\nprint(a, time.time())",
        )
    };
    let overlaps = |parallel: u64| {
        let tree = run(
            &service,
            &json!({ "parallel": parallel, "tasks": [nap("a"), nap("b"), nap("c")] }),
        );
        let spans: Vec<(f64, f64)> = ["a", "b", "c"]
            .iter()
            .map(|name| {
                let text = stdout(&service, &tree, name);
                let (from, to) = text.trim().split_once(' ').expect("two times");
                (from.parse().expect("a time"), to.parse().expect("a time"))
            })
            .collect();
        spans
            .iter()
            .map(|(from, _)| {
                spans
                    .iter()
                    .filter(|(start, end)| start <= from && from < end)
                    .count()
            })
            .max()
            .unwrap_or_default()
    };
    assert_eq!(overlaps(1), 1);
    assert!(overlaps(3) > 1);
}

#[test]
fn a_failure_does_what_the_task_says() {
    let service = Service::local("");
    let cases = [
        (
            "skip",
            "failed",
            "bad:failed child:skipped grandchild:skipped other:succeeded late:succeeded",
        ),
        (
            "continue",
            "failed",
            "bad:failed child:succeeded grandchild:succeeded other:succeeded late:succeeded",
        ),
        (
            "stop",
            "failed",
            "bad:failed child:cancelled grandchild:cancelled other:cancelled late:cancelled",
        ),
    ];
    for (policy, status, expected) in cases {
        let mut bad = task("bad", &[], "raise SystemExit(3)");
        bad["on_failure"] = json!(policy);
        let child = task("child", &["bad"], "print(open('inputs/bad/status').read())");
        let other = task("other", &[], "import time\ntime.sleep(1.5)");
        let tree = run(
            &service,
            &json!({ "tasks": [bad, child, task("grandchild", &["child"], "1"), other, task("late", &["other"], "1")] }),
        );
        assert_eq!(
            (tree["status"].as_str(), shown(&tree).as_str()),
            (Some(status), expected),
            "{policy}"
        );
    }
    // Retried automatically; a policy denial is not.
    let mut flaky = task("flaky", &[], "import random\nraise SystemExit(1)");
    flaky["retries"] = json!(2);
    let mut denied = task("denied", &[], "1");
    denied["execution"]["profile"] = json!("nobody");
    denied["retries"] = json!(2);
    let tree = run(&service, &json!({ "tasks": [flaky, denied] }));
    assert_eq!(
        (&tree["tasks"][0]["attempts"], &tree["tasks"][1]["attempts"]),
        (&json!(3), &json!(1)),
        "{tree}"
    );
    assert_eq!(shown(&tree), "flaky:failed denied:denied");
}

#[test]
fn cancelled_branch_ends_and_a_retried_one_runs_again() {
    let service = Service::local("");
    let endless = "while True: pass";
    let tasks = json!({ "tasks": [
        task("fast", &[], "import random\nprint(random.random())"),
        task("slow", &["fast"], endless), task("after", &["slow"], "1"),
        task("side", &["fast"], "print(open('inputs/fast/stdout').read())"),
    ] });
    let place = begin(&service, &tasks);
    eventually(Duration::from_secs(20), "the slow one runs", || {
        shown(&service.get(&place).json()).contains("slow:running")
    });
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/slow/retry"), &[], b"")
            .problem(),
        (409, "busy".to_owned())
    );
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/slow/cancel"), &[], b"")
            .status,
        202
    );
    let tree = ended(&service, &place);
    assert_eq!(
        shown(&tree),
        "fast:succeeded slow:cancelled after:cancelled side:succeeded"
    );
    let first = stdout(&service, &tree, "fast");
    // The tasks before the branch keep their results.
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/side/retry"), &[], b"")
            .status,
        202
    );
    let again = ended(&service, &place);
    assert_eq!(stdout(&service, &again, "side").trim(), first.trim());
    assert_eq!(
        (
            &again["tasks"][3]["attempts"],
            &again["tasks"][0]["attempts"]
        ),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/slow/cancel"), &[], b"")
            .problem(),
        (409, "ended".to_owned())
    );
    let retry = format!("{place}/tasks/side/retry");
    assert_eq!(service.send("DELETE", &place, &[], b"").status, 200);
    for (method, path) in [("DELETE", &place), ("GET", &place), ("POST", &retry)] {
        assert_eq!(
            service.send(method, path, &[], b"").status,
            404,
            "{method} {path}"
        );
    }
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/absent/retry"), &[], b"")
            .status,
        404
    );
}

#[test]
fn deleted_tree_stops_its_tasks() {
    let service = Service::local("");
    let endless = "while True: pass";
    let place = begin(
        &service,
        &json!({ "tasks": [task("a", &[], endless), task("b", &["a"], "1")] }),
    );
    eventually(Duration::from_secs(20), "it runs", || {
        shown(&service.get(&place).json()).contains("a:running")
    });
    let stopped = service.send("DELETE", &place, &[], b"");
    assert_eq!(
        (stopped.status, shown(&stopped.json()).as_str()),
        (200, "a:cancelled b:cancelled")
    );
}

#[test]
fn client_disconnect_cancels_tree() {
    let service = Service::local("");
    let endless = "while True: pass";
    let body = json!({ "tasks": [task("a", &[], endless)] }).to_string();
    let waiting = service.begin(
        "POST",
        TREES,
        &[("Content-Type", "application/json")],
        body.as_bytes(),
    );
    let running = || {
        service.get("/v1/executions?status=running").json()["executions"]
            .as_array()
            .map_or(0, Vec::len)
    };
    eventually(Duration::from_secs(20), "it runs", || running() == 1);
    drop(waiting);
    eventually(Duration::from_secs(20), "it is stopped", || running() == 0);
}

#[test]
fn tree_is_followed_by_its_events() {
    let service = Service::local("");
    let body = json!({ "tasks": [task("a", &[], "print(1)"), task("b", &["a"], "print(2)")] });
    let told: Answer = service.send(
        "POST",
        TREES,
        &[
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream"),
        ],
        body.to_string().as_bytes(),
    );
    let text = told.text();
    for event in [
        "\"name\":\"a\"",
        "\"status\":\"running\"",
        "\"name\":\"b\"",
        "\"ended\":2",
        "event: end",
    ] {
        assert!(text.contains(event), "{event}: {text}");
    }
}

#[test]
fn tree_outlives_the_process_without_its_environment() {
    let mut service = Service::with_keys("");
    let mine = service.make_key(&["mine"]);
    service.use_key(&mine);
    let secret = json!({ "tasks": [{ "name": "a", "execution": { "language": "python", "source": "import time\ntime.sleep(60)",
        "profile": "env", "environment": { "TOKEN": "hunter2" } } }] });
    let refused = service.post(TREES, &secret);
    assert_eq!(
        refused.json()["tasks"][0]["status"],
        "denied",
        "{}",
        refused.text()
    );
    let place = begin(
        &service,
        &json!({ "tasks": [task("a", &[], "print('A')"), task("b", &["a"], "import time\ntime.sleep(60)\nprint(open('inputs/a/stdout').read())"), task("c", &["b"], "1")] }),
    );
    eventually(Duration::from_secs(20), "the first has ended", || {
        shown(&service.get(&place).json()).starts_with("a:succeeded b:running")
    });
    std::thread::sleep(Duration::from_millis(500));
    let folder = service.folder();
    service.kill();
    let database =
        std::fs::read(folder.path().join("state").join("glovebox.sqlite-wal")).unwrap_or_default();
    assert!(
        !database.windows(7).any(|part| part == b"hunter2"),
        "environment variables are not kept"
    );
    let mut service = Service::start(&folder, "", Access::Keys);
    service.use_key(&mine);
    let tree = service.get(&place).json();
    assert_eq!(
        (tree["status"].as_str(), shown(&tree).as_str()),
        (
            Some("interrupted"),
            "a:succeeded b:interrupted c:interrupted"
        )
    );
    assert_eq!(
        service
            .send("POST", &format!("{place}/tasks/b/retry"), &[], b"")
            .status,
        202
    );
    eventually(Duration::from_secs(20), "it runs again", || {
        shown(&service.get(&place).json()) == "a:succeeded b:running c:waiting"
    });
    assert_eq!(service.send("DELETE", &place, &[], b"").status, 200);
}

/// Another tenant gets 404.
#[test]
fn tree_of_another_tenant_is_not_found() {
    let mut service = Service::with_keys("");
    let (mine, other) = (service.make_key(&["mine"]), service.make_key(&["other"]));
    service.use_key(&mine);
    let place = begin(&service, &json!({ "tasks": [task("b", &[], "1")] }));
    service.use_key(&other);
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/events"),
        ("POST", "/tasks/b/retry"),
        ("POST", "/tasks/b/cancel"),
    ] {
        assert_eq!(
            service
                .send(method, &format!("{place}{rest}"), &[], b"")
                .status,
            404,
            "{method} {rest}"
        );
    }
    assert_eq!(service.get(TREES).json()["task_trees"], json!([]));
}
