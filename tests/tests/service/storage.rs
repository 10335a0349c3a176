//! Retention quota: whose quota do the bytes that a service keeps count against?
//!
//! They count against the subject that they belong to. It has a quota, can delete what has ended,
//! and takes no other subject's room; a nearly full disk still keeps small records.

use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, Answer, RUN, Service, TREES, python};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Bytes of JSON besides twice what a program wrote: the rest of the record.
const REST: usize = 16 << 10;

fn as_key(service: &Service, key: &str, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {key}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    service.send(
        method,
        path,
        &headers,
        if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        }
        .as_slice(),
    )
}

/// The bytes kept for a subject, as the service reports them.
fn kept(service: &Service, key: &str) -> u64 {
    as_key(service, key, "GET", "/v1/usage", &Value::Null).json()["kept_bytes"]
        .as_u64()
        .expect("a number")
}

/// The same, as the database has it.
fn in_database(state: &Path, subject: &str) -> u64 {
    let database = Connection::open(state.join("glovebox.sqlite")).expect("the database opens");
    let sum = "SELECT COALESCE(SUM(bytes), 0) FROM (SELECT subject, bytes FROM executions UNION ALL SELECT subject, bytes FROM task_trees \
        UNION ALL SELECT subject, 512 FROM sessions) WHERE subject = ?1";
    database
        .query_row(sum, [subject], |row| row.get::<_, i64>(0))
        .map(|sum| u64::try_from(sum).unwrap_or(0))
        .expect("there is a sum")
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .flat_map(|entry| {
            if entry.path().is_dir() {
                files(&entry.path())
            } else {
                vec![entry.path()]
            }
        })
        .collect()
}

fn artifact(bytes: usize) -> Value {
    json!({ "language": "python", "source": format!("import os\nopen('x', 'wb').write(os.urandom({bytes}))"), "artifacts": ["*"] })
}

#[test]
fn output_over_the_quota_is_not_kept_and_the_record_says_why() {
    let service = Service::with_keys("[limits]\nkept_per_subject = \"1MiB\"\n");
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    // What fits is kept, and accounted as in the database.
    let first = as_key(&service, &a, "POST", RUN, &artifact(600_000)).json();
    assert_eq!(
        (
            first["status"].as_str(),
            first["artifacts"][0]["bytes"].as_u64()
        ),
        (Some("succeeded"), Some(600_000)),
        "{first}"
    );
    assert!(kept(&service, &a) > 600_000 && kept(&service, &b) == 0);
    // What does not fit is not kept, and the record says why.
    let second = as_key(&service, &a, "POST", RUN, &artifact(600_000)).json();
    assert_eq!(second["status"], "succeeded", "{second}");
    assert_eq!(
        (
            &second["artifacts"],
            &second["artifacts_truncated"],
            &second["not_kept"]
        ),
        (&json!([]), &json!(true), &json!("quota")),
        "{second}"
    );
    let large = as_key(&service, &a, "POST", RUN, &python("print('x' * 900_000)")).json();
    assert_eq!(
        (
            large["stdout_truncated"].as_bool(),
            large["not_kept"].as_str()
        ),
        (Some(true), Some("quota"))
    );
    assert!(
        large["stdout"]
            .as_str()
            .is_some_and(|text| text.len() <= 4096)
    );
}

#[test]
fn subject_over_its_quota_starts_nothing_until_it_deletes() {
    let service = Service::with_keys("[limits]\nkept_per_subject = \"1MiB\"\n");
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let blobs = service.state().join("blobs");
    // The first is the largest, and the others fill the rest.
    let first = as_key(&service, &a, "POST", RUN, &artifact(600_000)).json();
    // Over the quota no new run of this subject begins; others do.
    while kept(&service, &a) < 1 << 20 {
        let answer = as_key(&service, &a, "POST", RUN, &python("print('x' * 60_000)"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let refused = as_key(&service, &a, "POST", RUN, &python("1"));
    assert_eq!(
        refused.problem(),
        (507, "quota_exceeded".to_owned()),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("limits.kept_per_subject") && refused.text().contains("1048576"),
        "{}",
        refused.text()
    );
    for (path, body) in [
        ("/v1/sessions", json!({ "language": "python" })),
        (
            TREES,
            json!({ "tasks": [{ "name": "t", "execution": { "language": "python", "source": "1" } }] }),
        ),
    ] {
        let answer = as_key(&service, &a, "POST", path, &body);
        assert_eq!(
            answer.problem(),
            (507, "quota_exceeded".to_owned()),
            "{path}: {}",
            answer.text()
        );
    }
    assert_eq!(
        as_key(&service, &b, "POST", RUN, &artifact(600_000)).json()["artifacts"][0]["bytes"],
        600_000
    );
    // Another subject's record cannot be deleted; the subject's own can, once, and its content goes
    // with it.
    let place = format!("{RUN}/{}", first["id"].as_str().expect("a name"));
    assert_eq!(
        as_key(&service, &b, "DELETE", &place, &Value::Null).status,
        404
    );
    let before = files(&blobs).len();
    let deleted = as_key(&service, &a, "DELETE", &place, &Value::Null);
    assert_eq!(
        (deleted.status, deleted.json()["id"].clone()),
        (200, first["id"].clone()),
        "{}",
        deleted.text()
    );
    assert_eq!(
        as_key(&service, &a, "DELETE", &place, &Value::Null).status,
        404
    );
    assert_eq!(
        as_key(&service, &a, "GET", &place, &Value::Null).status,
        404
    );
    assert_eq!(files(&blobs).len(), before - 1, "the content is gone");
    assert_eq!(
        as_key(&service, &a, "POST", RUN, &artifact(500_000)).json()["artifacts"][0]["bytes"],
        500_000
    );
    let counted = as_key(&service, &a, "GET", "/v1/usage", &Value::Null).json();
    assert!(
        counted["usage"][0]["executions"].as_u64() > Some(4),
        "what was used stays counted: {counted}"
    );
}

#[test]
fn a_content_that_two_have_goes_with_the_last_of_them() {
    let service = Service::with_keys("");
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let same = json!({ "language": "python", "source": "open('x', 'w').write('the same')", "artifacts": ["*"] });
    let place = |answer: Answer| format!("{RUN}/{}", answer.json()["id"].as_str().expect("a name"));
    let of_a = place(as_key(&service, &a, "POST", RUN, &same));
    let of_b = place(as_key(&service, &b, "POST", RUN, &same));
    assert_eq!(
        as_key(&service, &a, "DELETE", &of_a, &Value::Null).status,
        200
    );
    assert_eq!(
        as_key(
            &service,
            &b,
            "GET",
            &format!("{of_b}/artifacts/x"),
            &Value::Null
        )
        .text(),
        "the same"
    );
    assert_eq!(
        as_key(&service, &b, "DELETE", &of_b, &Value::Null).status,
        200
    );
    assert_eq!(
        files(&service.state().join("blobs")),
        Vec::<std::path::PathBuf>::new()
    );
}

#[test]
fn the_account_is_what_the_database_has_also_after_a_kill() {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let mut service = Service::start(&folder, "", Access::Local);
    for number in 0..20 {
        let _ = service.run(RUN, &artifact(1000 * number));
    }
    let tree = service.run(TREES, &json!({ "tasks": [{ "name": "t", "execution": { "language": "python", "source": "1" } }] }));
    let session = service
        .post("/v1/sessions", &json!({ "language": "python" }))
        .json();
    let _ = service.run(
        &format!(
            "/v1/sessions/{}/executions",
            session["id"].as_str().expect("a name")
        ),
        &json!({ "source": "1" }),
    );
    let counted = |service: &Service| {
        service.get("/v1/usage").json()["kept_bytes"]
            .as_u64()
            .expect("a number")
    };
    let before = counted(&service);
    service.kill();
    let service = Service::start(&folder, "", Access::Local);
    assert_eq!(counted(&service), before);
    assert_eq!(in_database(&service.state(), "local"), before);
    // A tree and its executions are deleted separately.
    let place = format!("{TREES}/{}", tree["id"].as_str().expect("a name"));
    assert_eq!(service.send("DELETE", &place, &[], b"").status, 200);
    assert_eq!(service.get(&place).status, 404);
    let execution = tree["tasks"][0]["execution"].as_str().expect("it ran");
    assert_eq!(
        service
            .send("DELETE", &format!("{RUN}/{execution}"), &[], b"")
            .status,
        200
    );
    assert!(counted(&service) < before);
    assert_eq!(in_database(&service.state(), "local"), counted(&service));
    assert!(
        service
            .get("/metrics")
            .text()
            .contains("glovebox_kept_bytes ")
    );
}

/// One tenant fills what it can of a small disk, and another tenant's programs still run.
#[test]
fn full_disk_of_one_tenant_leaves_room_for_others() {
    let disk = TempDir::new().expect("a folder can be made");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64m,mode=700", "tmpfs"])
        .arg(disk.path())
        .output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        eprintln!(
            "SKIPPED: no disk can be made here, for which a test needs the rights of an administrator"
        );
        return;
    }
    struct Unmount<'a>(&'a Path);
    impl Drop for Unmount<'_> {
        fn drop(&mut self) {
            let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
        }
    }
    let _unmount = Unmount(disk.path());
    let state = Arc::new(TempDir::new_in(disk.path()).expect("there is room"));
    let mut service = Service::start(
        &state,
        "[limits]\nkept_per_subject = \"1GiB\"\nkept = \"1GiB\"\naudit_segment = \"1MiB\"\n",
        Access::Keys,
    );
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let mut reasons = std::collections::BTreeSet::new();
    for _ in 0..8 {
        for body in [
            artifact(14 << 20),
            python("print('\\1' * 4_000_000)"),
            artifact(2 << 20),
        ] {
            let answer = as_key(&service, &a, "POST", RUN, &body);
            assert_eq!(answer.status, 200, "{}", answer.text());
            reasons.extend(answer.json()["not_kept"].as_str().map(str::to_owned));
        }
    }
    assert!(reasons.contains("disk"), "{reasons:?}");
    // Small records use up the disk reserve; then the subject with the most kept bytes has to wait.
    let mut last = None;
    for _ in 0..2000 {
        let answer = as_key(&service, &a, "POST", RUN, &python("print('x' * 12_000)"));
        if answer.status != 200 {
            last = Some(answer);
            break;
        }
    }
    let refused = last.expect("the reserve has an end");
    assert_eq!(
        refused.problem(),
        (507, "quota_exceeded".to_owned()),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("limits.disk_reserve"),
        "{}",
        refused.text()
    );
    for _ in 0..20 {
        let answer = as_key(&service, &b, "POST", RUN, &python("print(6 * 7)"));
        assert_eq!(
            (answer.status, answer.json()["stdout"].as_str()),
            (200, Some("42\n")),
            "{}",
            answer.text()
        );
    }
    assert_eq!(service.get("/readyz").status, 200);
    assert!(service.stop());
}

/// Concurrent deletes and runs are not refused, and the account stays equal to the database.
#[test]
fn deleting_beside_others_works_and_is_counted_right() {
    let service = Service::local("");
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..25 {
                    let ran = service.run(RUN, &artifact(1000 + number));
                    let place = format!("{RUN}/{}", ran["id"].as_str().expect("a name"));
                    let deleted = service.send("DELETE", &place, &[], b"");
                    assert_eq!(deleted.status, 200, "{}", deleted.text());
                    let tree = json!({ "tasks": [{ "name": "t", "execution": { "language": "python", "source": "1" } }] });
                    let begun = service.send("POST", TREES, &headers, tree.to_string().as_bytes()).json();
                    let place = format!("{TREES}/{}", begun["id"].as_str().expect("a name"));
                    // Cancelled or deleted, whichever it is; then it is deleted, once.
                    let answers = [(); 3].map(|()| service.send("DELETE", &place, &[], b"").status);
                    assert!([[200, 200, 404], [200, 404, 404]].contains(&answers), "{answers:?}");
                }
            });
        }
    });
    let counted = service.get("/v1/usage").json()["kept_bytes"]
        .as_u64()
        .expect("a number");
    let _ = service.get(RUN);
    assert_eq!(in_database(&service.state(), "local"), counted);
}

/// A cancelled tree does not keep the programs of its tasks, which can never run again.
#[test]
fn a_tree_that_was_stopped_keeps_no_programs() {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let mut service = Service::start(&folder, "", Access::Local);
    let counted = |service: &Service| {
        service.get("/v1/usage").json()["kept_bytes"]
            .as_u64()
            .expect("a number")
    };
    let source = format!("while True: pass\n#{}", "x".repeat(2_000_000));
    let body = json!({ "tasks": [{ "name": "a", "execution": { "language": "python", "source": source } },
        { "name": "b", "after": ["a"], "execution": { "language": "python", "source": "1" } }] });
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let begun = service
        .send("POST", TREES, &headers, body.to_string().as_bytes())
        .json();
    let place = format!("{TREES}/{}", begun["id"].as_str().expect("a name"));
    assert!(counted(&service) > 2_000_000);
    let stopped = service.send("DELETE", &place, &[], b"");
    assert_eq!(
        (stopped.status, stopped.json()["status"].as_str()),
        (200, Some("cancelled")),
        "{}",
        stopped.text()
    );
    let check = |service: &Service| {
        let left = counted(service);
        assert!(left < 100_000, "{left} bytes are left");
        assert_eq!(in_database(&service.state(), "local"), left);
        let shown = service.get(&place).json();
        assert_eq!(
            (&shown["tasks"][1]["after"], &shown["tasks"][1]["status"]),
            (&json!(["a"]), &json!("cancelled")),
            "{shown}"
        );
        let retried = service.send("POST", &format!("{place}/tasks/a/retry"), &[], b"");
        assert_eq!(
            retried.problem(),
            (409, "ended".to_owned()),
            "{}",
            retried.text()
        );
    };
    check(&service);
    service.kill();
    let service = Service::start(&folder, "", Access::Local);
    check(&service);
    assert_eq!(service.send("DELETE", &place, &[], b"").status, 200);
    assert_eq!(service.send("DELETE", &place, &[], b"").status, 404);
    assert_eq!(in_database(&service.state(), "local"), counted(&service));
}

/// A subject that sends requests without end fills the audit log up to a limit.
#[test]
fn the_audit_log_has_a_budget_for_each_subject() {
    let service = Service::with_keys("[limits]\naudit_per_subject = \"16KiB\"\n");
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let denied = json!({ "language": "python", "source": "1", "profile": "no-such-profile" });
    let mut last = None;
    eventually(
        Duration::from_secs(60),
        "the subject is told to wait",
        || {
            let answer = as_key(&service, &a, "POST", RUN, &denied);
            last = Some(answer.text());
            answer.status == 429
        },
    );
    assert!(last.is_some_and(|text| text.contains("limits.audit_per_subject")));
    assert_eq!(as_key(&service, &b, "POST", RUN, &python("1")).status, 200);
}

#[test]
fn json_of_an_output_is_at_most_twice_its_bytes() {
    let service = Service::local("");
    let bytes = 1_000_000_usize;
    for (kind, source) in [
        ("text", format!("sys.stdout.write('x' * {bytes})")),
        ("control", format!("sys.stdout.write('\\1' * {bytes})")),
        (
            "zeros on standard error",
            format!("sys.stderr.write('\\0' * {bytes})"),
        ),
        (
            "latin-1",
            format!("sys.stdout.buffer.write(b'caf\\xe9 ' * {})", bytes / 5),
        ),
        (
            "random",
            format!("import os; sys.stdout.buffer.write(os.urandom({bytes}))"),
        ),
        (
            "emoji",
            format!("sys.stdout.write('\\U0001f9e4' * {})", bytes / 4),
        ),
        ("quotes", format!("sys.stdout.write('\"' * {bytes})")),
        (
            "an exception",
            "raise ValueError('\\1' * 50_000)".to_owned(),
        ),
        ("a value", "'\\1' * 50_000".to_owned()),
    ] {
        let source = format!("import sys\n{source}");
        let answer = service.post(RUN, &python(&source));
        let outcome = answer.json();
        let wrote = usize::try_from(outcome["usage"]["output_bytes"].as_u64().expect("a number"))
            .expect("it fits");
        let said = wrote.max(50_000 * 4);
        assert!(
            answer.body.len() <= 2 * said + REST,
            "{kind}: {} for {wrote}",
            answer.body.len()
        );
        // Followed as events, each piece is within the same limit.
        let followed = service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Accept", "text/event-stream"),
            ],
            python(&source).to_string().as_bytes(),
        );
        assert!(
            followed.body.len() <= 4 * said + wrote / 8 + 2 * REST,
            "{kind}: {} for {wrote}",
            followed.body.len()
        );
    }
    assert_eq!(
        service.run(RUN, &python("print('\\x1b[0m')"))["stdout"],
        "\u{1b}[0m\n",
        "what is short stays as it is"
    );
}

#[test]
fn overhead_of_small_pieces_is_constant() {
    let service = Service::local("");
    let bytes = 1_000_000_usize;
    // However small the pieces are: the overhead of an event is constant.
    let source = "import sys\nfor _ in range(2000):\n    sys.stdout.write('\\1' * 500)\n    sys.stdout.flush()";
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "text/event-stream"),
    ];
    let followed = service.send("POST", RUN, &headers, python(source).to_string().as_bytes());
    let events = followed.text().matches("event: ").count();
    assert!(
        events > 2 && followed.body.len() <= 4 * bytes + 256 * events + REST,
        "{} in {events} events",
        followed.body.len()
    );
    // File names are the guest's output too.
    let named = json!({ "language": "python", "artifacts": ["*"],
        "source": "for number in range(200):\n    open('\\1' * 200 + str(number), 'w').write(str(number))" });
    let answer = service.post(RUN, &named);
    let files = answer.json()["artifacts"].as_array().map_or(0, Vec::len);
    assert!(
        files == 200 && answer.body.len() <= 200 * (2 * 203 + 256) + REST,
        "{files} files in {} bytes",
        answer.body.len()
    );
}
