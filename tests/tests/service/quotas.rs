//! Quotas of the policy: is a subject refused by its own quota, by name, and no other subject?

use glovebox_tests::service::{Access, Answer, RUN, Service, TREES, python};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const SESSIONS: &str = "/v1/sessions";

/// The binding of `key:small`, whose quotas each test adds.
const SMALL: &str = "version = 1\ndefault_profile = \"default\"\n[[bindings]]\nsubject = \"key:small\"\nprofiles = [\"default\"]\n";

/// Starts a service with keys under a policy, in a folder.
fn start(folder: &Arc<TempDir>, policy: &str, config: &str) -> Service {
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).expect("the folder is writable");
    let config = format!("policy = {path:?}\n{config}[containers]\nenabled = false\n");
    Service::start(folder, &config, Access::Keys)
}

fn folder() -> Arc<TempDir> {
    Arc::new(TempDir::new().expect("a folder can be made"))
}

/// Sends a request with a key; `Prefer: respond-async`, so that a program need not end.
fn send(service: &Service, key: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {key}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    service.send("POST", path, &headers, body.to_string().as_bytes())
}

fn get(service: &Service, key: &str, path: &str) -> Value {
    let authorization = format!("Bearer {key}");
    let headers = [("Authorization", authorization.as_str())];
    service.send("GET", path, &headers, b"").json()
}

/// Returns rule and number of refusals of each record of a caller's refusals, the newest first.
fn refusals(service: &Service, key: &str) -> Vec<(String, u64)> {
    let found = get(service, key, "/v1/audit?event=refused&limit=50");
    let records = found["records"].as_array().expect("it is a list");
    records
        .iter()
        .map(|record| {
            assert!(
                record["asked"].is_string() && record["reason"].is_string(),
                "{record}"
            );
            assert_eq!(record["policy"].as_str().map(str::len), Some(64));
            let rule = record["rule"].as_str().unwrap_or_default().to_owned();
            (rule, record["times"].as_u64().unwrap_or_default())
        })
        .collect()
}

/// Checks that a response is the refusal of a rule.
fn check(refused: &Answer, problem: (u16, &str), rule: &str) {
    let (status, code) = refused.problem();
    let body = refused.json();
    assert_eq!((status, code.as_str()), problem, "{body}");
    assert_eq!(body["denial"]["rule"], rule, "{body}");
    assert!(
        body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(rule)),
        "{body}"
    );
    assert!(!refused.header("retry-after").is_empty() || status == 507);
}

#[test]
fn flood_over_a_quota_of_the_policy_is_refused_and_leaves_one_record() {
    let policy = format!("{SMALL}quotas = {{ running = 1, queued = 2 }}\n");
    let service = start(&folder(), &policy, "");
    let (small, other) = (service.make_key(&["small"]), service.make_key(&["other"]));
    let rule = "bindings.\"key:small\".quotas.queued";
    let endless = python("while True: pass");
    for number in 0..3 + 30 {
        let answer = send(&service, &small, RUN, &endless);
        if number < 3 {
            assert_eq!(answer.status, 202, "{}", answer.text());
        } else {
            check(&answer, (429, "queue_full"), rule);
            assert_eq!(
                answer.json()["denial"]["fix"],
                "[[bindings]]\nsubject = \"key:small\"\nprofiles = [\"default\"]\nquotas = { running = 1, queued = 3 }"
            );
        }
    }
    for _ in 0..5 {
        let answer = send(&service, &other, RUN, &python("6 * 7"));
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    // The other 29 are counted for the next record, and so cost the log nothing.
    assert_eq!(refusals(&service, &small), [(rule.to_owned(), 1)]);
    assert_eq!(refusals(&service, &other), []);
}

#[test]
fn each_quota_of_the_policy_refuses_by_its_rule() {
    let session = json!({ "language": "javascript" });
    let task = json!({ "name": "a", "execution": python("while True: pass") });
    let file = json!({ "path": "large.txt", "content": "x".repeat(2 << 20) });
    let mut large = python("1");
    large["files"] = json!([file]);
    for (quota, amount, path, body, problem) in [
        ("sessions", "2", SESSIONS, session, (429, "queue_full")),
        (
            "trees",
            "2",
            TREES,
            json!({ "tasks": [task] }),
            (429, "queue_full"),
        ),
        ("memory", "\"1MiB\"", RUN, large, (429, "memory_quota")),
    ] {
        let policy = format!("{SMALL}quotas = {{ {quota} = {amount} }}\n");
        let service = start(&folder(), &policy, "");
        let (small, other) = (service.make_key(&["small"]), service.make_key(&["other"]));
        let rule = format!("bindings.\"key:small\".quotas.{quota}");
        let answers = [0; 4].map(|_| send(&service, &small, path, &body));
        let refused = answers.iter().find(|answer| answer.status >= 400);
        let refused = refused.unwrap_or_else(|| panic!("{quota} refuses none"));
        check(refused, problem, &rule);
        for _ in 0..4 {
            let answer = send(&service, &other, path, &body);
            assert!(answer.status < 300, "{quota}: {}", answer.text());
        }
        assert_eq!(refusals(&service, &small), [(rule, 1)]);
        assert_eq!(refusals(&service, &other), []);
    }
}

#[test]
fn storage_quota_of_the_policy_refuses_its_subject_alone() {
    let service = start(
        &folder(),
        &format!("{SMALL}quotas = {{ kept = \"2KiB\" }}\n"),
        "",
    );
    let (small, other) = (service.make_key(&["small"]), service.make_key(&["other"]));
    let usage = get(&service, &small, "/v1/usage");
    assert_eq!(usage["kept_limit_bytes"], 2048, "{usage}");
    let refused = (0..60)
        .map(|_| service_run(&service, &small))
        .find(|answer| answer.status != 200);
    check(
        &refused.expect("it is refused at some time"),
        (507, "quota_exceeded"),
        "bindings.\"key:small\".quotas.kept",
    );
    assert_eq!(service_run(&service, &other).status, 200);
}

/// Runs a short program to its end.
fn service_run(service: &Service, key: &str) -> Answer {
    let authorization = format!("Bearer {key}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = python("print('x' * 100)").to_string();
    service.send("POST", RUN, &headers, body.as_bytes())
}

#[test]
fn rate_limit_of_the_policy_takes_precedence_over_the_setting() {
    let service = start(
        &folder(),
        &format!("{SMALL}quotas = {{ requests_per_second = 3 }}\n"),
        "[limits]\nrequests_per_second = 1000\n",
    );
    let (small, other) = (service.make_key(&["small"]), service.make_key(&["other"]));
    let answers = |key: &str| -> Vec<Answer> {
        let authorization = format!("Bearer {key}");
        let headers = [("Authorization", authorization.as_str())];
        (0..30)
            .map(|_| service.send("GET", "/v1/policies", &headers, b""))
            .collect()
    };
    let of_small = answers(&small);
    let refused = of_small.iter().find(|answer| answer.status == 429);
    check(
        refused.expect("30 at once are more than 3 in a second"),
        (429, "rate_limited"),
        "bindings.\"key:small\".quotas.requests_per_second",
    );
    assert!(answers(&other).iter().all(|answer| answer.status == 200));
}

#[test]
fn setting_of_the_service_is_named_where_the_policy_sets_nothing() {
    let mut service = Service::with_keys("[limits]\nsessions_per_subject = 1\n");
    let key = service.make_key(&["any"]);
    service.use_key(&key);
    let session = json!({ "language": "javascript" });
    assert_eq!(service.post(SESSIONS, &session).status, 201);
    let refused = service.post(SESSIONS, &session);
    check(&refused, (429, "queue_full"), "limits.sessions_per_subject");
    assert_eq!(
        refused.json()["denial"]["fix"],
        "[quotas]\nsessions = 2",
        "the policy can grant more than the setting"
    );
    assert_eq!(
        refusals(&service, &key),
        [("limits.sessions_per_subject".to_owned(), 1)]
    );
}

#[test]
fn explanations_have_the_quotas_of_the_caller() {
    let policy = format!("{SMALL}quotas = {{ running = 3 }}\n[quotas]\nqueued = 7\n");
    let service = start(&folder(), &policy, "[limits]\ntrees_per_subject = 5\n");
    let (small, other) = (service.make_key(&["small"]), service.make_key(&["other"]));
    let quotas = |key: &str| {
        let answer = send(&service, key, "/v1/policies/explain", &python("1")).json();
        assert_eq!(answer["verdict"], "admitted", "{answer}");
        answer["quotas"].as_array().cloned().unwrap_or_default()
    };
    for (key, name, rule, most) in [
        (
            &small,
            "running",
            "bindings.\"key:small\".quotas.running",
            "3",
        ),
        (&other, "running", "limits.running_per_subject", "16"),
        (&small, "queued", "quotas.queued", "7"),
        (&other, "queued", "quotas.queued", "7"),
        (&small, "trees", "limits.trees_per_subject", "5"),
    ] {
        let quotas = quotas(key);
        let expected = json!({ "name": name, "rule": rule, "most": most });
        assert!(quotas.contains(&expected), "{expected}: {quotas:?}");
    }
}

#[test]
fn a_service_that_starts_with_another_policy_has_its_quotas() {
    let folder = folder();
    let session = json!({ "language": "javascript" });
    let first = start(
        &folder,
        &format!("{SMALL}quotas = {{ sessions = 1 }}\n"),
        "",
    );
    let small = first.make_key(&["small"]);
    let statuses =
        |service: &Service| [0; 3].map(|_| send(service, &small, SESSIONS, &session).status);
    assert_eq!(statuses(&first), [201, 429, 429]);
    drop(first);
    let second = start(
        &folder,
        &format!("{SMALL}quotas = {{ sessions = 2 }}\n"),
        "",
    );
    assert_eq!(statuses(&second), [201, 201, 429]);
}
