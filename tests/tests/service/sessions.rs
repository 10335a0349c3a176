//! Sessions over HTTP: do they keep their state, their files to themselves, and their bounds?

use super::eventually;
use glovebox_policy::Policy;
use glovebox_tests::engine;
use glovebox_tests::service::{RUN, Service};
use serde_json::{Value, json};

const SESSIONS: &str = "/v1/sessions";

/// Opens a session with the file `a.txt`; returns its path.
fn open(service: &Service) -> String {
    let files = json!([{ "path": "a.txt", "content": "A" }]);
    let opened = service.post(SESSIONS, &json!({ "language": "python", "files": files }));
    assert_eq!(opened.status, 201, "{}", opened.text());
    opened.header("location").to_owned()
}

/// Runs a program in a session.
fn evaluate(service: &Service, place: &str, source: &str) -> Value {
    let body = json!({ "source": source });
    service.post(&format!("{place}/executions"), &body).json()
}

#[test]
fn session_keeps_variables_and_files() {
    let service = Service::local("");
    let place = open(&service);
    let evaluate = |source: &str| evaluate(&service, &place, source);
    assert_eq!(
        evaluate("x = open('a.txt').read()\nopen('b/c.txt', 'w').write('C')")["exception"]["type"],
        "FileNotFoundError"
    );
    evaluate("import os\nos.mkdir('b')\nopen('b/c.txt', 'w').write('C')");
    assert_eq!(evaluate("x + 'y'")["value"]["json"], "Ay");
}

#[test]
fn session_files_are_downloaded_listed_and_removed() {
    let service = Service::local("");
    let place = open(&service);
    let _ = evaluate(
        &service,
        &place,
        "import os\nos.mkdir('b')\nopen('b/c.txt', 'w').write('C')",
    );
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
}

/// Nothing outside the workspace, however it is spelled. (API06)
#[test]
fn api06_session_files_outside_the_workspace_are_not_reached() {
    let service = Service::local("");
    let place = open(&service);
    let files = format!("{place}/files");
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
}

/// Another tenant gets what a missing session gives. (XS01, XS02)
#[test]
fn xs01_session_of_another_tenant_is_not_found() {
    let mut service = Service::with_keys("");
    let (mine, other) = (service.make_key(&["mine"]), service.make_key(&["other"]));
    service.use_key(&mine);
    let place = open(&service);
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
}

#[test]
fn busy_session_is_interrupted_and_reset() {
    let service = Service::local("");
    let place = open(&service);
    let files = format!("{place}/files");
    let _ = evaluate(&service, &place, "x = 1");
    // It ignores that it is interrupted.
    let endless =
        "while True:\n    try:\n        while True: pass\n    except KeyboardInterrupt: pass";
    let endless = json!({ "source": endless }).to_string();
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
    assert_eq!(
        evaluate(&service, &place, "open('a.txt').read()")["value"]["json"],
        "A"
    );
    assert_eq!(
        evaluate(&service, &place, "x")["exception"]["type"],
        "NameError"
    );
}

#[test]
fn sessions_of_a_subject_are_bounded() {
    let service = Service::local("[limits]\nsessions_per_subject = 3\n");
    let _ = open(&service);
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
    // It ends, and then its record is deleted.
    let deleted = [(); 3].map(|()| service.send("DELETE", &more[0], &[], b"").status);
    assert_eq!(deleted, [204, 204, 404]);
    assert_eq!(
        service.get("/v1/sessions").json()["sessions"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn idle_session_expires() {
    let service = Service::local("");
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
fn session_moves_to_a_container_with_its_files() {
    // Makes sure of an engine and of its images.
    if engine::sandbox_for(&["python"], Policy::builtin()).is_none() {
        return;
    }
    let service = Service::local("");
    let place = open(&service);
    let packages = json!({ "packages": ["numpy"] });
    let refused = service.post(&format!("{place}/packages"), &packages);
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused.text().contains("`keep_files`"),
        "{}",
        refused.text()
    );
    let reset = json!({ "keep_files": true, "packages": ["numpy"] });
    let reset = service.post(&format!("{place}/reset"), &reset);
    assert_eq!(reset.json()["tier"], "container", "{}", reset.text());
    let sum = "import numpy\nx = open('a.txt').read() + str(numpy.arange(4).sum())\nx";
    assert_eq!(evaluate(&service, &place, sum)["value"]["json"], "A6");
    let files = service.get(&format!("{place}/files")).json();
    assert_eq!(files["files"][0]["name"], "a.txt", "{files}");
    // An interrupt leaves its variables.
    let endless = json!({ "source": "while True: pass" }).to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let executions = format!("{place}/executions");
    let busy = service.send("POST", &executions, &headers, endless.as_bytes());
    assert_eq!(busy.status, 202);
    let interrupted = service.post(&format!("{place}/interrupt"), &json!({}));
    assert_eq!(
        interrupted.json()["status"],
        "idle",
        "{}",
        interrupted.text()
    );
    assert_eq!(evaluate(&service, &place, "x")["value"]["json"], "A6");
}

#[test]
fn ended_service_leaves_no_container() {
    if engine::sandbox_for(&["shell"], Policy::builtin()).is_none() {
        return;
    }
    // A container that is being created ahead of its run is a race.
    for _ in 0..3 {
        let mut service = Service::local("");
        let opened = service.post(SESSIONS, &json!({ "language": "shell" }));
        assert_eq!(opened.status, 201, "{}", opened.text());
        let ran = service.post(RUN, &json!({ "language": "shell", "source": "echo 1" }));
        assert_eq!(ran.json()["stdout"], "1\n", "{}", ran.text());
        let owner = format!("/{}/", service.id());
        let own = || {
            let format = "{{.ID}} {{.Label \"glovebox.owner\"}} {{.Status}}";
            let all = engine::docker(&["ps", "--all", "--format", format]);
            let own = all.lines().filter(|line| line.contains(&owner));
            own.map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(!own().is_empty());
        assert!(service.stop());
        assert_eq!(own(), Vec::<String>::new());
    }
}
