//! HTTP API, end to end: does the service do what it promises its clients?
//!
//! Over real HTTP, against the program `glovebox serve`. Classes N, J and G of the catalogue of attacks, and API01 to API17 one by one; the
//! oracles are outside: other clients, the audit log, the files of the host.

use glovebox_tests::service::{Answer, RUN, Service, python, read};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn run(service: &Service, body: &Value) -> Value {
    service.run(RUN, body)
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    glovebox_tests::place::eventually(Duration::from_secs(20), what, &mut holds);
}

/// The events of a stream: ids, kinds and data.
fn events(answer: &Answer) -> Vec<(String, String, Value)> {
    let mut events = Vec::new();
    for block in answer.text().split("\n\n") {
        let field = |name: &str| {
            block
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        if !field("event:").is_empty() {
            let data = serde_json::from_str(&field("data:")).expect("data is JSON");
            events.push((field("id:"), field("event:"), data));
        }
    }
    events
}

#[test]
fn a_program_runs_and_everything_about_it_is_told() {
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
    // The other outcomes of a program.
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
            "\"limit\":\"cpu\"",
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
    // Lists are in pages, the newest first.
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
    assert_eq!(seen.len(), 9);
    assert_eq!(seen.last().map(String::as_str), Some(id));
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
fn output_is_told_while_it_happens_and_can_be_resumed() {
    let service = Service::local("");
    let slow = python(
        "import time\nfor n in range(4):\n    print(n, 'ä', flush=True)\n    time.sleep(0.2)\n'end'",
    );
    // Streamed in the response itself.
    let started = Instant::now();
    let mut stream = service.begin(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream"),
        ],
        slow.to_string().as_bytes(),
    );
    let mut first = [0; 2000];
    let mut text = String::new();
    while !text.contains("0 ä") {
        let length = stream.read(&mut first).expect("events come");
        text.push_str(&String::from_utf8_lossy(&first[..length]));
    }
    assert!(
        !text.contains("event: end"),
        "the first output comes before the end: {text}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    drop(stream);
    // Followed later, and resumed from the middle.
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        slow.to_string().as_bytes(),
    );
    assert_eq!(
        (accepted.status, accepted.header("preference-applied")),
        (202, "respond-async")
    );
    let place = accepted.header("location").to_owned();
    let all = events(&service.get(&format!("{place}/events")));
    let said: String = all
        .iter()
        .filter(|(_, kind, _)| kind == "stdout")
        .map(|(_, _, data)| data["text"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(said, "0 ä\n1 ä\n2 ä\n3 ä\n");
    let (_, kind, end) = all.last().expect("there are events");
    assert_eq!(
        (kind.as_str(), &end["status"], &end["value"]["json"]),
        ("end", &"succeeded".into(), &"end".into())
    );
    let again = service.send(
        "GET",
        &format!("{place}/events"),
        &[("Last-Event-ID", &all[1].0)],
        b"",
    );
    assert_eq!(events(&again), all[2..]);
    assert_eq!(
        events(&service.send(
            "GET",
            &format!("{place}/events"),
            &[("Last-Event-ID", "99999999999")],
            b""
        )),
        []
    );
    assert_eq!(
        service
            .send(
                "GET",
                &format!("{place}/events"),
                &[("Last-Event-ID", "-1")],
                b""
            )
            .status,
        422
    );
    // OUT02: ten million writes do not become ten million events.
    let flood = python(
        "import sys\nfor n in range(300_000):\n    sys.stdout.write('x')\n    sys.stdout.flush()",
    );
    let answer = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream"),
        ],
        flood.to_string().as_bytes(),
    );
    let flood = events(&answer);
    let bytes: usize = flood
        .iter()
        .filter(|(_, kind, _)| kind == "stdout")
        .map(|(_, _, data)| data["text"].as_str().map_or(0, str::len))
        .sum();
    assert_eq!(bytes, 300_000);
    assert!(flood.len() < 10_000, "{}", flood.len());
}

#[test]
fn who_goes_away_stops_the_program_and_who_cancels_too() {
    let service = Service::local("");
    let endless = python("while True: pass");
    let begin = |accept| {
        service.begin(
            "POST",
            RUN,
            &[("Content-Type", "application/json"), ("Accept", accept)],
            endless.to_string().as_bytes(),
        )
    };
    let waiting = ["application/json", "text/event-stream"].map(begin);
    let count = |status: &str| {
        service.get(&format!("{RUN}?status={status}")).json()["executions"]
            .as_array()
            .map_or(0, Vec::len)
    };
    eventually("both run", || count("running") == 2);
    drop(waiting);
    eventually("both are stopped", || {
        count("cancelled") == 2 && count("running") == 0
    });
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        endless.to_string().as_bytes(),
    );
    let place = accepted.header("location").to_owned();
    let cancelled = service.send("DELETE", &place, &[], b"");
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (200, &"cancelled".into())
    );
    // API11: repeated, and once more by request.
    assert_eq!(
        service
            .send("POST", &format!("{place}/cancel"), &[], b"")
            .problem(),
        (409, "ended".to_owned())
    );
    assert_eq!(service.get(&place).json(), cancelled.json());
    let ended = run(&service, &python("1"));
    let id = ended["id"].as_str().unwrap_or_default();
    assert_eq!(
        service
            .send("POST", &format!("{RUN}/{id}/cancel"), &[], b"")
            .problem(),
        (409, "ended".to_owned())
    );
    assert_eq!(
        service.get(&format!("{RUN}/{id}")).json(),
        ended,
        "what has ended stays as it is"
    );
}

#[test]
fn a_session_keeps_its_place() {
    let mut service = Service::with_keys("[limits]\nsessions_per_subject = 3\n");
    let (mine, other) = (service.make_key(&["mine"]), service.make_key(&["other"]));
    service.use_key(&mine);
    let opened = service.post(
        "/v1/sessions",
        &json!({ "language": "python", "files": [{ "path": "a.txt", "content": "A" }] }),
    );
    assert_eq!(opened.status, 201, "{}", opened.text());
    let place = opened.header("location").to_owned();
    let evaluate = |source: &str| {
        service
            .post(&format!("{place}/executions"), &json!({ "source": source }))
            .json()
    };
    assert_eq!(
        evaluate("x = open('a.txt').read()\nopen('b/c.txt', 'w').write('C')")["exception"]["type"],
        "FileNotFoundError"
    );
    evaluate("import os\nos.mkdir('b')\nopen('b/c.txt', 'w').write('C')");
    assert_eq!(evaluate("x + 'y'")["value"]["json"], "Ay");
    // Files of a session.
    let files = format!("{place}/files");
    assert_eq!(
        service
            .send("PUT", &format!("{files}/d%20e.html"), &[], b"<script>")
            .status,
        204
    );
    let file = service.get(&format!("{files}/d%20e.html"));
    assert_eq!(
        (
            file.text().as_str(),
            file.header("content-type"),
            file.header("x-content-type-options")
        ),
        ("<script>", "application/octet-stream", "nosniff")
    );
    assert!(
        file.header("content-disposition").starts_with("attachment")
            && file.header("content-security-policy").contains("sandbox")
    );
    let names = |path: &str| {
        let list = service.get(&format!("{files}?path={path}")).json();
        list["files"].as_array().map(|list| {
            list.iter()
                .map(|file| file["name"].as_str().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(names("b"), Some(vec!["c.txt".to_owned()]));
    assert_eq!(
        service
            .send("DELETE", &format!("{files}/b"), &[], b"")
            .status,
        404,
        "it is not empty"
    );
    assert_eq!(
        service
            .send("DELETE", &format!("{files}/b/c.txt"), &[], b"")
            .status,
        204
    );
    assert_eq!(
        service
            .send("DELETE", &format!("{files}/b/c.txt"), &[], b"")
            .status,
        404
    );
    // API06: nothing outside the workspace, however it is spelled.
    std::fs::write(service.state().join("secret"), "s3cret").expect("the folder is writable");
    for path in [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e/x",
        "..%5cx",
        "a.txt%00.png",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "%c0%ae%c0%ae/x",
        "secret",
    ] {
        for method in ["GET", "DELETE"] {
            let answer = service.send(method, &format!("{files}/{path}"), &[], b"");
            assert!(
                [400, 404].contains(&answer.status),
                "{method} {path}: {} {}",
                answer.status,
                answer.text()
            );
        }
    }
    assert_eq!(
        service
            .send("PUT", &format!("{files}/..%2f..%2fx"), &[], b"x")
            .status,
        422
    );
    // XS01, XS02: other tenants get 404, and it does one evaluation at a time.
    for (method, path) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/files"),
        ("GET", "/files/a.txt"),
        ("GET", "/packages"),
    ] {
        let foreign = service.send(
            method,
            &format!("{place}{path}"),
            &[("Authorization", &format!("Bearer {other}"))],
            b"",
        );
        let unknown = service.send(
            method,
            &format!("/v1/sessions/session_{:032x}{path}", 7),
            &[],
            b"",
        );
        assert_eq!(
            (foreign.problem(), foreign.body),
            ((404, "not_found".to_owned()), unknown.body),
            "{method} {path}"
        );
    }
    let endless = json!({ "source": "while True: pass" }).to_string();
    let busy = service.send(
        "POST",
        &format!("{place}/executions"),
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        endless.as_bytes(),
    );
    assert_eq!(busy.status, 202);
    assert_eq!(service.get(&place).json()["status"], "busy");
    assert_eq!(
        service
            .post(&format!("{place}/executions"), &json!({ "source": "1" }))
            .problem(),
        (409, "busy".to_owned())
    );
    assert_eq!(service.get(&files).problem().0, 409);
    let interrupted = service.post(&format!("{place}/interrupt"), &json!({}));
    assert_eq!(
        (interrupted.status, &interrupted.json()["status"]),
        (200, &"broken".into())
    );
    assert_eq!(
        service
            .post(&format!("{place}/executions"), &json!({ "source": "1" }))
            .problem(),
        (409, "ended".to_owned())
    );
    let reset = service.post(&format!("{place}/reset"), &json!({ "keep_files": true }));
    assert_eq!(
        (reset.status, &reset.json()["status"]),
        (200, &"idle".into()),
        "{}",
        reset.text()
    );
    assert_eq!(evaluate("open('a.txt').read()")["value"]["json"], "A");
    assert_eq!(evaluate("x")["exception"]["type"], "NameError");
    // Up to the maximum, then one fewer.
    let more: Vec<_> = (0..2)
        .map(|_| {
            service
                .post("/v1/sessions", &json!({ "language": "javascript" }))
                .header("location")
                .to_owned()
        })
        .collect();
    let refused = service.post("/v1/sessions", &json!({ "language": "javascript" }));
    assert_eq!((refused.status, refused.header("retry-after")), (429, "10"));
    assert_eq!(service.send("DELETE", &more[0], &[], b"").status, 204);
    assert_eq!(service.send("DELETE", &more[0], &[], b"").status, 404);
    assert_eq!(
        service.get("/v1/sessions").json()["sessions"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    // An idle one expires.
    let brief = service
        .post(
            "/v1/sessions",
            &json!({ "language": "javascript", "idle_s": 1 }),
        )
        .header("location")
        .to_owned();
    eventually("the session ends", || service.get(&brief).status == 404);
    assert_eq!(
        service
            .post(
                "/v1/sessions",
                &json!({ "language": "python", "idle_s": 0 })
            )
            .status,
        422
    );
    assert_eq!(
        service
            .post(
                "/v1/sessions",
                &json!({ "language": "python", "source": "1" })
            )
            .status,
        422
    );
}

#[test]
fn api01_only_who_holds_a_valid_key_gets_in() {
    let mut service = Service::with_keys("");
    let (key, audit) = (
        service.make_key(&["ci"]),
        service.make_key(&["ops", "--scope", "audit"]),
    );
    let brief = service.make_key(&["brief", "--expires", "1ms"]);
    let wrong = format!("{}x", &key[..key.len() - 1]);
    let bearer = |key: &str| format!("Bearer {key}");
    let refused = service.get(RUN);
    assert_eq!(refused.problem(), (401, "unauthenticated".to_owned()));
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    let twice = [
        ("Authorization", bearer(&key)),
        ("Authorization", bearer(&key)),
    ];
    let cases = [
        vec![("Authorization", bearer(&wrong))],
        vec![("Authorization", bearer(&brief))],
        vec![("Authorization", bearer("gbx_0123456789abcdef_x"))],
        vec![("Authorization", bearer(""))],
        vec![("Authorization", format!("Basic {key}"))],
        vec![("Authorization", key.clone())],
        vec![("Authorization", "Bearer \u{e4}".to_owned())],
        vec![("X-Api-Key", key.clone())],
        twice.to_vec(),
    ];
    for headers in cases {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = service.send("GET", RUN, &headers, b"");
        assert_eq!(
            (answer.status, &answer.body),
            (401, &refused.body),
            "{headers:?}"
        );
    }
    assert_eq!(service.get(&format!("{RUN}?key={key}")).status, 401);
    assert_eq!(
        service
            .send(
                "GET",
                RUN,
                &[("Authorization", &format!("bearer {key}"))],
                b""
            )
            .status,
        200
    );
    // API17: what a key does not permit.
    for (path, holder, status) in [
        ("/metrics", &key, 403),
        ("/metrics", &audit, 200),
        ("/v1/usage?all=true", &key, 403),
        ("/v1/usage?all=true", &audit, 200),
        ("/v1/audit?subject=key:ops", &key, 403),
        ("/v1/audit", &key, 200),
        (RUN, &audit, 403),
        ("/v1/keys", &key, 404),
        ("/healthz", &wrong, 200),
    ] {
        assert_eq!(
            service
                .send("GET", path, &[("Authorization", &bearer(holder))], b"")
                .status,
            status,
            "{path}"
        );
    }
    // XS01: another tenant's resource returns 404, like a missing one.
    service.use_key(&key);
    let mine = run(&service, &python("'secret of ci'"));
    let id = mine["id"].as_str().expect("it has a name");
    let other = service.make_key(&["other"]);
    for path in ["", "/events", "/artifacts/x"] {
        let foreign = service.send(
            "GET",
            &format!("{RUN}/{id}{path}"),
            &[("Authorization", &bearer(&other))],
            b"",
        );
        let unknown = service.get(&format!("{RUN}/run_{:032x}{path}", 5));
        assert_eq!(
            (foreign.status, &foreign.body),
            (404, &unknown.body),
            "{path}"
        );
    }
    assert_eq!(
        service
            .send(
                "DELETE",
                &format!("{RUN}/{id}"),
                &[("Authorization", &bearer(&other))],
                b""
            )
            .status,
        404
    );
    let theirs = service
        .send(
            "GET",
            "/v1/audit",
            &[("Authorization", &bearer(&other))],
            b"",
        )
        .text();
    assert!(!theirs.contains(id), "{theirs}");
    assert_eq!(
        service
            .send("GET", RUN, &[("Authorization", &bearer(&other))], b"")
            .json()["executions"],
        json!([])
    );
    // Revoked within two seconds.
    let number = key.split('_').nth(1).expect("a key has a number");
    let revoked = Command::new(program())
        .args(["keys", "revoke", number, "--state"])
        .arg(service.state())
        .status();
    assert!(revoked.is_ok_and(|status| status.success()));
    eventually("the key is out of use", || service.get(RUN).status == 401);
    let listed = Command::new(program())
        .args(["keys", "list", "--state"])
        .arg(service.state())
        .output()
        .expect("the program starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("key:ci")
            && listed.contains("over")
            && !listed.contains(key.rsplit('_').next().unwrap_or(&key)),
        "{listed}"
    );
}

#[test]
fn api08_a_page_in_a_browser_reaches_nothing() {
    let service = Service::local(
        "origins = [\"https://console.example.org\"]\nhosts = [\"box.example.org\"]\n",
    );
    let body = python("1").to_string();
    for (headers, status) in [
        (vec![("Content-Type", "text/plain")], 415),
        (
            vec![("Content-Type", "application/x-www-form-urlencoded")],
            415,
        ),
        (vec![], 415),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Origin", "https://evil.example"),
            ],
            403,
        ),
        (
            vec![("Content-Type", "application/json"), ("Origin", "null")],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "evil.example"),
            ],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "evil.example:80"),
            ],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "box.example.org"),
            ],
            200,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Origin", "https://console.example.org"),
            ],
            200,
        ),
        (
            vec![("Content-Type", "application/json; charset=utf-8")],
            200,
        ),
    ] {
        let answer = service.send("POST", RUN, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    // API07: an unknown route or method is refused, and no method override is accepted.
    for (method, path, status) in [
        ("TRACE", RUN, 405),
        ("PATCH", RUN, 405),
        ("OPTIONS", RUN, 405),
        ("GET", "/v2", 404),
        ("GET", "/v1/executions/../../etc", 404),
    ] {
        assert_eq!(
            service
                .send(method, path, &[("Origin", "null")], b"")
                .status,
            403
        );
        let answer = service.send(method, path, &[("X-HTTP-Method-Override", "DELETE")], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert!(
        !service
            .send(
                "POST",
                RUN,
                &[
                    ("X-HTTP-Method-Override", "DELETE"),
                    ("Content-Type", "application/json")
                ],
                body.as_bytes()
            )
            .text()
            .is_empty()
    );
}

#[test]
fn api10_what_makes_no_sense_is_refused_and_says_why() {
    let service = Service::local("[limits]\nbody = \"64KiB\"\n");
    for amount in [
        "-1",
        "0",
        "1.5",
        "9223372036854775808000",
        "\"5\"",
        "true",
        "[]",
    ] {
        let body =
            format!(r#"{{"language":"python","source":"1","limits":{{"wall_ms":{amount}}}}}"#);
        let answer = service.send(
            "POST",
            RUN,
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!(answer.status, 422, "{amount}: {}", answer.text());
    }
    for (body, status, says) in [
        ("", 400, "EOF"),
        ("{", 400, "EOF"),
        ("[]", 422, "object"),
        (
            r#"{"language":"python","source":"1","limits":[]}"#,
            422,
            "object",
        ),
        (
            r#"{"language":"python","source":"1","files":[["x"]]}"#,
            422,
            "object",
        ),
        (r#"{"language":"python"}"#, 422, "`source` is missing"),
        (
            r#"{"language":"python","source":"1","sauce":"2"}"#,
            422,
            "unknown field `sauce`",
        ),
        (
            r#"{"language":"python","source":"1","source_base64":"MQ=="}"#,
            422,
            "send one of them",
        ),
        (
            r#"{"language":"python","source_base64":"!"}"#,
            422,
            "not valid base64",
        ),
        (
            r#"{"language":"python","source":"1","artifacts":["["]}"#,
            422,
            "pattern",
        ),
        ("\u{0}", 400, "expected value"),
    ] {
        let answer = service.send(
            "POST",
            RUN,
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{body}: {}",
            answer.text()
        );
        let problem = answer.json();
        assert!(
            problem["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(says),
            "{body}: {problem}"
        );
        assert!(
            problem["type"]
                .as_str()
                .unwrap_or_default()
                .starts_with("urn:glovebox:problem:"),
            "{problem}"
        );
    }
    // API02: an oversized body is refused by its announced length and by its real length.
    let large = python(&"#".repeat(100_000)).to_string();
    assert_eq!(
        service
            .send(
                "POST",
                RUN,
                &[("Content-Type", "application/json")],
                large.as_bytes()
            )
            .problem(),
        (413, "too_large".to_owned())
    );
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let chunk = format!("1000\r\n{}\r\n", "#".repeat(0x1000));
    for _ in 0..10_000 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(read(&mut stream).status, 413);
    for path in ["?limit=0", "?limit=501", "?limit=x", "?what=1"] {
        assert_eq!(service.get(&format!("{RUN}{path}")).status, 422, "{path}");
    }
    assert_eq!(service.get(&format!("{RUN}?cursor=x")).status, 404);
    assert_eq!(service.get(&format!("{RUN}/run_1")).status, 404);
}

#[test]
fn api11_the_same_request_runs_once() {
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

#[test]
fn api15_a_flood_is_bounded_and_keeps_nobody_else_out() {
    let mut service = Service::with_keys(
        "[limits]\nrunning = 4\nrunning_per_subject = 3\nqueue_per_subject = 5\nqueue = 8\n",
    );
    let (flood, canary) = (service.make_key(&["flood"]), service.make_key(&["canary"]));
    service.use_key(&flood);
    let endless = python("while True: pass").to_string();
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = service.send("POST", RUN, &later, endless.as_bytes());
        if answer.status == 429 {
            assert_eq!(
                (answer.header("retry-after"), answer.problem().1.as_str()),
                ("1", "queue_full")
            );
        }
        statuses.push(answer.status);
    }
    assert_eq!(
        statuses.iter().filter(|status| **status == 202).count(),
        3 + 5,
        "{statuses:?}"
    );
    let canary = [("Authorization", format!("Bearer {canary}"))];
    let headers = [
        ("Content-Type", "application/json"),
        (canary[0].0, canary[0].1.as_str()),
    ];
    for _ in 0..5 {
        let answer = service.send(
            "POST",
            RUN,
            &headers,
            python("6 * 7").to_string().as_bytes(),
        );
        assert_eq!(answer.json()["value"]["json"], 42, "{}", answer.text());
    }
    let usage = service.get("/v1/usage").json();
    assert_eq!(
        usage["usage"].as_array().map(Vec::len),
        Some(0),
        "nothing of the flood has ended: {usage}"
    );
}

#[test]
fn api03_slow_clients_hold_nobody_up() {
    let service = Service::local("[limits]\nhead_time = \"1s\"\nbody_time = \"1s\"\n");
    let mut slow: Vec<_> = (0..50)
        .map(|number| {
            let mut stream = service.connect();
            let part = if number % 2 == 0 {
                "GET /healthz HT".to_owned()
            } else {
                format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{")
            };
            stream.write_all(part.as_bytes()).expect("the service reads");
            stream
        })
        .collect();
    assert_eq!(run(&service, &python("1"))["status"], "succeeded");
    let started = Instant::now();
    for (number, stream) in slow.iter_mut().enumerate() {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            number % 2 == 0 || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn api04_one_request_is_never_two() {
    let service = Service::local("");
    let body = python("1").to_string();
    let length = body.len();
    for (name, head) in [
        (
            "CL.TE",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "two lengths",
            format!("Content-Length: {length}\r\nContent-Length: 5\r\n"),
        ),
        (
            "unknown coding",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
        ),
        (
            "two codings",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        ),
        (
            "folded",
            format!("X: a\r\n b\r\nContent-Length: {length}\r\n"),
        ),
        (
            "space before the colon",
            format!("Content-Length : {length}\r\n"),
        ),
        ("no number", "Content-Length: +5\r\n".to_owned()),
        (
            "two hosts",
            format!("Host: localhost\r\nContent-Length: {length}\r\n"),
        ),
        ("many headers", "X: y\r\n".repeat(200)),
        (
            "a bare line feed",
            format!("X: y\nContent-Length: {length}\r\n"),
        ),
        (
            "bare line feeds alone",
            format!("X: y\nContent-Length: {length}\n"),
        ),
        (
            "a bare carriage return",
            format!("X: y\rContent-Length: {length}\r\n"),
        ),
        (
            "a chunk that ends with a line feed",
            "Transfer-Encoding: chunked\r\n\r\n5\n12345\r\n0\r\n".to_owned(),
        ),
        ("a long header", format!("X: {}\r\n", "y".repeat(200_000))),
    ] {
        let mut stream = service.connect();
        let smuggled = "GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let _ = stream.write_all(
            format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{head}\r\n{body}{smuggled}").as_bytes(),
        );
        let mut answers = Vec::new();
        stream
            .set_read_timeout(Some(Duration::from_secs(3)))
            .expect("a time can be set");
        let _ = stream.read_to_end(&mut answers);
        let answers = String::from_utf8_lossy(&answers).into_owned();
        assert!(
            answers.is_empty()
                || answers.starts_with("HTTP/1.1 400")
                || answers.starts_with("HTTP/1.1 431"),
            "{name}: {answers}"
        );
        assert!(
            !answers.contains("404"),
            "{name}: the second request was answered: {answers}"
        );
    }
    assert_eq!(run(&service, &python("1"))["status"], "succeeded");
}

#[test]
fn api14_what_everybody_may_see_tells_nothing() {
    let mut service = Service::with_keys("");
    let folder = service.state().display().to_string();
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(
            !answer.text().contains(&folder) && !answer.text().contains("root"),
            "{path}"
        );
    }
    assert_eq!(service.get("/openapi.json").json()["openapi"], "3.1.0");
    let key = service.make_key(&["ops", "--scope", "run", "--scope", "audit"]);
    service.use_key(&key);
    run(&service, &python("1"));
    run(&service, &json!({ "language": "cobol", "source": "1" }));
    let metrics = service.get("/metrics").text();
    for line in [
        "glovebox_executions_total{language=\"python\",tier=\"wasm\",status=\"succeeded\"} 1",
        "glovebox_denials_total{rule=",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let tiers = service.get("/v1/tiers").json();
    assert!(
        tiers["tiers"].as_array().is_some_and(|tiers| tiers
            .iter()
            .any(|tier| tier["tier"] == "wasm" && tier["available"] == true)),
        "{tiers}"
    );
    let policy = service.get("/v1/policies").json();
    assert_eq!(
        policy["digest"].as_str().map(str::len),
        Some(64),
        "{policy}"
    );
    let explained = service
        .post("/v1/policies/explain", &json!({ "language": "python", "source": "1", "limits": { "memory_bytes": 1_u64 << 50 } }))
        .json();
    assert_eq!(
        (&explained["verdict"], &explained["denial"]["rule"]),
        (&"denied".into(), &"profiles.default.limits.memory".into()),
        "{explained}"
    );
    let audit = service.get("/v1/audit?event=denied&limit=5").json();
    assert_eq!(
        audit["records"].as_array().map(Vec::len),
        Some(1),
        "{audit}"
    );
    eventually("usage is told", || {
        let usage = service.get("/v1/usage").json();
        (
            &usage["usage"][0]["executions"],
            &usage["usage"][0]["denied"],
        ) == (&2.into(), &1.into())
    });
}

#[test]
fn it_ends_when_what_runs_has_ended() {
    let mut service = Service::local("[limits]\ndrain = \"10s\"\n");
    let (folder, address) = (service.folder(), service.address().to_owned());
    let slow = python("import time\ntime.sleep(1)\n'done'").to_string();
    let mut waiting = service.begin(
        "POST",
        RUN,
        &[("Content-Type", "application/json")],
        slow.as_bytes(),
    );
    std::thread::sleep(Duration::from_millis(300));
    let ended = std::thread::spawn(move || service.stop());
    eventually(
        "it takes nothing new",
        || match std::net::TcpStream::connect(&address) {
            Ok(mut stream) => {
                let _ = stream.write_all(
                    b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                );
                let mut answer = String::new();
                let _ = stream.read_to_string(&mut answer);
                answer.is_empty() || answer.contains("503")
            }
            Err(_) => true,
        },
    );
    let answer = read(&mut waiting);
    assert_eq!(
        (answer.status, &answer.json()["value"]["json"]),
        (200, &"done".into()),
        "{}",
        answer.text()
    );
    assert!(ended.join().expect("no panic"));
    let again = Service::start(&folder, "", true);
    assert_eq!(
        again.get(&format!("{RUN}?status=succeeded")).json()["executions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    drop(Arc::clone(&folder));
}

#[test]
fn without_keys_only_this_machine_may_call() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (arguments, says) in [
        (
            vec!["--listen", "0.0.0.0:0", "--insecure-local"],
            "not a loopback address",
        ),
        (
            vec![
                "--listen",
                "127.0.0.1:1",
                "--insecure-local",
                "--config",
                "/nowhere",
            ],
            "/nowhere",
        ),
    ] {
        let output = Command::new(program())
            .arg("serve")
            .args(arguments)
            .arg("--state")
            .arg(folder.path())
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
