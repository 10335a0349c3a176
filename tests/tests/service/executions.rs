//! Executions: does a client get the whole outcome, and from the record the same?

use glovebox_tests::service::{RUN, Service, python};
use serde_json::{Value, json};

fn run(service: &Service, body: &Value) -> Value {
    service.run(RUN, body)
}

#[test]
fn execution_returns_its_outcome_and_artifacts() {
    let service = Service::local("");
    let body = json!({
        "language": "python",
        "source": "import sys, os\nprint(input(), sys.argv[1:], os.environ['LANG'] != '')\nprint('e', file=sys.stderr)\nopen('out/a.txt', 'w').write(open('in.txt').read() * 2)\n6 * 7",
        "stdin": "line\n", "arguments": ["x", "ä"], "artifacts": ["out/*"],
        "files": [{ "path": "in.txt", "content": "ab" }, { "path": "out/b.bin", "content_base64": "AAEC" }],
    });
    let ran = run(&service, &body);
    assert_eq!(
        (&ran["status"], &ran["stdout"], &ran["stderr"]),
        (
            &"succeeded".into(),
            &"line ['x', 'ä'] True\n".into(),
            &"e\n".into()
        ),
        "{ran}"
    );
    assert_eq!(
        (&ran["value"]["json"], &ran["exit_code"], &ran["tier"]),
        (&42.into(), &0.into(), &"wasm".into()),
        "{ran}"
    );
    assert_eq!(
        (&ran["artifacts"][0]["path"], &ran["artifacts"][0]["bytes"]),
        (&"out/a.txt".into(), &4.into()),
        "{ran}"
    );
    let id = ran["id"].as_str().expect("it has a name");
    assert_eq!(
        service.get(&format!("{RUN}/{id}")).json(),
        ran,
        "what is kept is what was answered"
    );
    let file = service.get(&format!("{RUN}/{id}/artifacts/out/a.txt"));
    assert_eq!((file.status, file.text().as_str()), (200, "abab"));
    let part = service.send(
        "GET",
        &format!("{RUN}/{id}/artifacts/out/b.bin"),
        &[("Range", "bytes=1-")],
        b"",
    );
    assert_eq!(
        (
            part.status,
            part.body.as_slice(),
            part.header("content-range")
        ),
        (206, &[1_u8, 2][..], "bytes 1-2/3")
    );
}

#[test]
fn executions_end_with_each_status() {
    let service = Service::local("");
    for (source, limits, status, says) in [
        ("1/0", json!({}), "failed", "ZeroDivisionError"),
        (
            "import sys; sys.exit(3)",
            json!({}),
            "failed",
            "\"exit_code\":3",
        ),
        (
            "while True: pass",
            json!({ "wall_ms": 200 }),
            "limited",
            "\"limit\":\"wall\"",
        ),
        (
            "while True: pass",
            json!({ "fuel": 50_000_000 }),
            "limited",
            "\"limit\":\"fuel\"",
        ),
        (
            "print('x' * 10_000_000)",
            json!({ "output_bytes": 1000 }),
            "limited",
            "\"limit\":\"output\"",
        ),
    ] {
        let ended = service.post(
            RUN,
            &json!({ "language": "python", "source": source, "limits": limits }),
        );
        assert_eq!(ended.json()["status"], status, "{source}: {}", ended.text());
        assert!(ended.text().contains(says), "{source}: {}", ended.text());
    }
    let denied = run(
        &service,
        &json!({ "language": "python", "source": "1", "profile": "nobody" }),
    );
    assert_eq!(denied["status"], "denied", "{denied}");
    for (language, source) in [
        ("javascript", "console.log(1 + 1)"),
        ("typescript", "const x: number = 2; console.log(x)"),
    ] {
        assert_eq!(
            run(&service, &json!({ "language": language, "source": source }))["stdout"],
            "2\n"
        );
    }
}

#[test]
fn executions_are_listed_in_pages_the_newest_first() {
    let service = Service::local("");
    let mut ids = Vec::new();
    for number in 0..9 {
        let limits = json!({ "output_bytes": if number % 3 == 0 { 1 } else { 1000 } });
        let source = format!("print({number}, {number})");
        let body = json!({ "language": "python", "source": source, "limits": limits });
        ids.push(
            run(&service, &body)["id"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        );
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service.get(&format!("{RUN}?limit=4{cursor}")).json();
        seen.extend(
            page["executions"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| one["id"].as_str().unwrap_or_default().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
    assert_eq!(
        service
            .get(&format!("{RUN}?status=limited&language=python"))
            .json()["executions"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
}

#[test]
fn api11_request_with_the_same_idempotency_key_runs_once() {
    let service = Service::local("");
    let body = python("import random\nrandom.random()").to_string();
    let send = |key: &str, body: &str| {
        service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Idempotency-Key", key),
            ],
            body.as_bytes(),
        )
    };
    let first = send("k1", &body);
    let again = send("k1", &body);
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (200, "")
    );
    assert_eq!(
        (again.json(), again.header("idempotency-replayed")),
        (first.json(), "true")
    );
    assert_eq!(
        send("k1", &python("2").to_string()).problem(),
        (409, "idempotency_conflict".to_owned())
    );
    assert_ne!(send("k2", &body).json()["id"], first.json()["id"]);
    for wrong in ["", &"k".repeat(256)] {
        assert_eq!(send(wrong, &body).status, 422);
    }
    // A request that never began leaves the idempotency key free.
    assert_eq!(send("k3", r#"{"language":"python"}"#).status, 422);
    assert_eq!(send("k3", &body).status, 200);
    // Concurrently: one runs, and both get its outcome.
    let slow = python("import time, random\ntime.sleep(0.5)\nrandom.random()").to_string();
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let tasks: Vec<_> = (0..4).map(|_| scope.spawn(|| send("k4", &slow))).collect();
        tasks
            .into_iter()
            .map(|task| task.join().expect("no panic"))
            .filter(|answer| answer.status == 200)
            .map(|answer| answer.json())
            .collect()
    });
    assert!(
        !answers.is_empty()
            && answers
                .iter()
                .all(|answer| answer["value"] == answers[0]["value"]),
        "{answers:?}"
    );
}
