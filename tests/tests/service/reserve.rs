//! Disk space reservation: is space reserved before a write, and counted once, under concurrency
//! and disconnects?
//!
//! The oracles are the file system itself, a small dedicated one, and the database.

use super::disk::Disk;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, Answer, RUN, Service, TREES, python};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Timeout of an operation that takes a moment.
const PATIENCE: Duration = Duration::from_secs(60);

const MIB: u64 = 1 << 20;

fn artifact(bytes: u64) -> Value {
    json!({ "language": "python", "source": format!("import os\nopen('x', 'wb').write(os.urandom({bytes}))"), "artifacts": ["*"] })
}

fn place(path: &str, answer: &Value) -> String {
    format!("{path}/{}", answer["id"].as_str().expect("it has a name"))
}

fn counted(service: &Service) -> u64 {
    service.get("/v1/usage").json()["kept_bytes"]
        .as_u64()
        .expect("a number")
}

fn ask(service: &Service, sql: &str) -> i64 {
    // Listing flushes everything to the database.
    assert_eq!(service.get(RUN).status, 200);
    let database =
        Connection::open(service.state().join("glovebox.sqlite")).expect("the database opens");
    database
        .query_row(sql, [], |row| row.get(0))
        .expect("there is an answer")
}

fn in_database(service: &Service) -> u64 {
    let sum = "SELECT COALESCE(SUM(bytes), 0) FROM (SELECT bytes FROM executions UNION ALL SELECT bytes FROM task_trees \
        UNION ALL SELECT 512 FROM sessions)";
    u64::try_from(ask(service, sum)).expect("it is no debt")
}

/// Returns the responses to the same request of many concurrent clients.
fn at_once(count: usize, ask: impl Fn() -> Answer + Sync) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..count).map(|_| scope.spawn(&ask)).collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("no panic"))
            .collect()
    })
}

/// Concurrent large writes share the free space, and leave the reserve alone.
#[test]
fn writes_at_once_do_not_all_find_the_same_room() {
    let Some(disk) = Disk::new("size=64m") else {
        return;
    };
    let folder = Arc::new(TempDir::new_in(disk.path()).expect("there is room"));
    let config = "[limits]\nkept_per_subject = \"1GiB\"\nkept = \"1GiB\"\ndisk_reserve = \"24MiB\"\naudit_segment = \"1MiB\"\n";
    let service = Service::start(&folder, config, Access::Local);
    for round in 0..3 {
        let before = disk.free().0;
        let ran: Vec<Value> = at_once(12, || service.post(RUN, &artifact(8 * MIB)))
            .iter()
            .map(Answer::json)
            .collect();
        let kept: Vec<&Value> = ran
            .iter()
            .filter(|ran| ran["artifacts"] != json!([]))
            .collect();
        assert!(
            ran.iter().all(|ran| ran["status"] == "succeeded"),
            "{ran:?}"
        );
        assert!(
            ran.iter()
                .all(|ran| kept.contains(&ran) || ran["not_kept"] == "disk"),
            "{ran:?}"
        );
        let fit = usize::try_from((before - 24 * MIB) / (8 * MIB)).expect("it is small");
        assert!(
            (1..=fit).contains(&kept.len()),
            "{round}: {} of {fit} that fit",
            kept.len()
        );
        // Small records took a little of the reserve, and nothing else did.
        let after = disk.free().0;
        assert!(after > 22 * MIB, "{round}: {after} bytes are free");
        assert_eq!(counted(&service), in_database(&service));
        // The twin: deleting makes room again.
        for ran in &ran {
            assert_eq!(
                service.send("DELETE", &place(RUN, ran), &[], b"").status,
                200
            );
        }
        assert_eq!(
            service.run(RUN, &artifact(8 * MIB))["artifacts"][0]["bytes"],
            8 * MIB,
            "{round}"
        );
    }
}

/// Inodes are reserved like bytes.
#[test]
fn tiny_files_leave_inodes_for_other_tenants() {
    let Some(disk) = Disk::new("size=256m,nr_inodes=1000") else {
        return;
    };
    let folder = Arc::new(TempDir::new_in(disk.path()).expect("there is room"));
    let service = Service::start(
        &folder,
        "[limits]\nkept_per_subject = \"1GiB\"\nkept = \"1GiB\"\n",
        Access::Local,
    );
    let many = json!({ "language": "python", "artifacts": ["*"],
        "source": "import os\nfor number in range(150):\n    open(str(number), 'wb').write(os.urandom(8))" });
    let mut names = Vec::new();
    eventually(PATIENCE, "no file is kept any more", || {
        let ran = service.run(RUN, &many);
        names.push(place(RUN, &ran));
        let is_cut = ran["artifacts"]
            .as_array()
            .is_some_and(|files| files.len() < 150);
        assert_eq!(
            (ran["not_kept"] == "disk", &ran["artifacts_truncated"]),
            (is_cut, &json!(is_cut)),
            "{ran}"
        );
        ran["artifacts"] == json!([])
    });
    let (bytes, inodes) = disk.free();
    assert!(
        (45..500).contains(&inodes) && bytes > 200 * MIB,
        "{inodes} inodes and {bytes} bytes are free"
    );
    // Records without files are kept, and files again once others were deleted.
    assert_eq!(service.run(RUN, &python("print(6 * 7)"))["stdout"], "42\n");
    assert_eq!(service.run(RUN, &artifact(1))["not_kept"], "disk");
    assert_eq!(service.get("/readyz").status, 200);
    for name in names {
        assert_eq!(service.send("DELETE", &name, &[], b"").status, 200);
    }
    assert_eq!(service.run(RUN, &artifact(1))["artifacts"][0]["bytes"], 1);
    assert_eq!(counted(&service), in_database(&service));
}

#[test]
fn a_tree_that_is_deleted_and_tried_again_at_once_counts_once() {
    race_for_trees("");
}

/// `GLOVEBOX_POSTGRES` names a database whose content may be destroyed.
#[test]
fn a_tree_in_postgresql_counts_once_as_well() {
    match std::env::var("GLOVEBOX_POSTGRES") {
        Ok(database) => race_for_trees(&format!("database = \"{database}\"\n")),
        Err(_) => eprintln!("SKIPPED: GLOVEBOX_POSTGRES names no database"),
    }
}

/// Of concurrent deletes and retries of a tree exactly one wins, also if it has to be read from the
/// database first.
fn race_for_trees(config: &str) {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let mut service = Service::start(&folder, config, Access::Local);
    let endless = format!("while True: pass\n#{}", "x".repeat(100_000));
    let body = json!({ "tasks": [{ "name": "t", "execution": { "language": "python", "source": endless, "limits": { "wall_ms": 300 } } }] });
    let headers = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let trees: Vec<String> = (0..10)
        .map(|_| {
            let begun = service.send("POST", TREES, &headers, body.to_string().as_bytes());
            assert_eq!(begun.status, 202, "{}", begun.text());
            place(TREES, &begun.json())
        })
        .collect();
    for restart in [false, true] {
        for tree in &trees {
            eventually(PATIENCE, "the tree ends", || {
                service.get(tree).json()["status"] != "running"
            });
        }
        if restart {
            service.kill();
            service = Service::start(&folder, config, Access::Local);
        }
        let ask = |tree: &str, number: usize| match number % 2 {
            0 => service.send("DELETE", tree, &[], b"").status,
            _ => {
                service
                    .send("POST", &format!("{tree}/tasks/t/retry"), &[], b"")
                    .status
            }
        };
        let half = if restart { &trees[5..] } else { &trees[..5] };
        for tree in half {
            let statuses: Vec<u16> = std::thread::scope(|scope| {
                let clients: Vec<_> = (0..6)
                    .map(|number| scope.spawn(move || ask(tree, number)))
                    .collect();
                clients
                    .into_iter()
                    .map(|client| client.join().expect("no panic"))
                    .collect()
            });
            assert!(
                statuses
                    .iter()
                    .all(|status| [200, 202, 404, 409].contains(status)),
                "{statuses:?}"
            );
            // Whichever won, it can be deleted, and is gone after that.
            eventually(PATIENCE, "the tree is gone", || {
                service.send("DELETE", tree, &[], b"").status == 404
            });
            assert_eq!(service.get(tree).status, 404);
            assert_eq!(
                service
                    .send("POST", &format!("{tree}/tasks/t/retry"), &[], b"")
                    .status,
                404
            );
        }
        eventually(PATIENCE, "nothing runs", || ask_running(&service) == 0);
        // The account starts with what the database has.
        let before = counted(&service);
        service.kill();
        service = Service::start(&folder, config, Access::Local);
        assert_eq!(counted(&service), before, "restarted: {restart}");
    }
    assert_eq!(service.get(TREES).json()["task_trees"], json!([]));
}

fn ask_running(service: &Service) -> usize {
    ["running", "queued"]
        .map(|status| {
            service.get(&format!("{RUN}?status={status}")).json()["executions"]
                .as_array()
                .map_or(0, Vec::len)
        })
        .iter()
        .sum()
}

/// Clients that disconnect leave no uncounted leftovers.
#[test]
fn clients_that_hang_up_leave_nothing_uncounted() {
    let service = Service::local("[limits]\nsessions_per_subject = 64\n");
    let json_type = ("Content-Type", "application/json");
    let tree =
        json!({ "tasks": [{ "name": "t", "execution": { "language": "python", "source": "1" } }] })
            .to_string();
    for number in 0..24_u64 {
        let key = format!("key-{number}");
        let streams = [
            service.begin("POST", TREES, &[json_type], tree.as_bytes()),
            service.begin(
                "POST",
                "/v1/sessions",
                &[json_type],
                json!({ "language": "javascript" }).to_string().as_bytes(),
            ),
            service.begin(
                "POST",
                RUN,
                &[json_type, ("Idempotency-Key", &key)],
                python("1").to_string().as_bytes(),
            ),
        ];
        // Some at once, and some in the middle of it.
        let until = std::time::Instant::now() + Duration::from_micros(400 * number);
        while std::time::Instant::now() < until {
            std::hint::spin_loop();
        }
        drop(streams);
    }
    let is_quiet = || {
        ask_running(&service) == 0
            && ask(
                &service,
                "SELECT COUNT(*) FROM task_trees WHERE ended_ms IS NULL",
            ) == 0
    };
    eventually(PATIENCE, "everything has ended", is_quiet);
    eventually(PATIENCE, "everything is counted", || {
        counted(&service) == in_database(&service)
    });
    let orphans =
        "SELECT COUNT(*) FROM idempotency WHERE execution NOT IN (SELECT id FROM executions)";
    eventually(PATIENCE, "each key has its execution", || {
        ask(&service, orphans) == 0
    });
    // The sessions that were begun are open, can be ended, and then be deleted.
    let open = "SELECT COUNT(*) FROM sessions WHERE ended_ms IS NULL";
    for session in service.get("/v1/sessions").json()["sessions"]
        .as_array()
        .expect("a list")
    {
        let path = place("/v1/sessions", session);
        let deleted = [(); 3].map(|()| service.send("DELETE", &path, &[], b"").status);
        assert_eq!(deleted, [204, 204, 404]);
    }
    assert_eq!(ask(&service, open), 0);
    eventually(PATIENCE, "what was deleted is no longer counted", || {
        counted(&service) == in_database(&service)
    });
}

/// A client that disconnects while its idempotency key is being stored leaves no key without an
/// execution.
#[test]
fn a_key_whose_client_hangs_up_has_its_execution() {
    let service = Service::local("");
    // An administrator holds a lock on the database for a moment.
    let database =
        Connection::open(service.state().join("glovebox.sqlite")).expect("the database opens");
    database.busy_timeout(PATIENCE).expect("it can wait");
    database
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    let body = python("while True: pass").to_string();
    let waiting: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|key| {
            service.begin(
                "POST",
                RUN,
                &[
                    ("Content-Type", "application/json"),
                    ("Idempotency-Key", key),
                ],
                body.as_bytes(),
            )
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    drop(waiting);
    std::thread::sleep(Duration::from_millis(300));
    database
        .execute_batch("ROLLBACK")
        .expect("it can be unlocked");
    let keys = || ask(&service, "SELECT COUNT(*) FROM idempotency");
    eventually(PATIENCE, "the keys are taken", || keys() == 3);
    // A run without a waiting client is cancelled, and its record counts.
    eventually(PATIENCE, "it has ended", || {
        ask(
            &service,
            "SELECT COUNT(*) FROM executions WHERE ended_ms IS NOT NULL",
        ) == 3
    });
    let orphans =
        "SELECT COUNT(*) FROM idempotency WHERE execution NOT IN (SELECT id FROM executions)";
    assert_eq!(
        (
            ask(&service, orphans),
            ask_running(&service),
            counted(&service)
        ),
        (0, 0, in_database(&service))
    );
    // The same request again gets the outcome of the first one; after a delete, it is a new one.
    let send = || {
        service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Idempotency-Key", "a"),
            ],
            body.as_bytes(),
        )
    };
    let again = send();
    assert_eq!(
        (
            again.header("idempotency-replayed"),
            again.json()["status"].as_str()
        ),
        ("true", Some("cancelled")),
        "{}",
        again.text()
    );
    assert_eq!(
        service
            .send("DELETE", &place(RUN, &again.json()), &[], b"")
            .status,
        200
    );
    assert_eq!(keys(), 2);
}

/// Of concurrent identical requests one runs, and every response has its outcome.
#[test]
fn replays_at_once_have_the_end_of_the_one_that_runs() {
    let service = Service::local("");
    let body = python("import random\nrandom.random()").to_string();
    for number in 0..40 {
        let key = format!("key-{number}");
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", key.as_str()),
        ];
        let answers = at_once(6, || service.send("POST", RUN, &headers, body.as_bytes()));
        let ended: Vec<Value> = answers
            .iter()
            .filter(|answer| answer.status == 200)
            .map(Answer::json)
            .collect();
        assert!(
            answers
                .iter()
                .all(|answer| [200, 409].contains(&answer.status)),
            "{answers:?}"
        );
        assert!(
            ended
                .first()
                .is_some_and(|first| first["value"]["json"].is_number()
                    && ended.iter().all(|other| other == first)),
            "{ended:?}"
        );
    }
    assert_eq!(ask(&service, "SELECT COUNT(*) FROM executions"), 40);
}

/// Above a size limit of the audit log, the subject that wrote the most of it has to wait, also
/// after a restart, and every record is kept.
#[test]
fn audit_log_that_is_too_large_refuses_its_largest_writers() {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let config = "[limits]\naudit = \"64KiB\"\naudit_segment = \"16KiB\"\n";
    let mut service = Service::start(&folder, config, Access::Keys);
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    let run = |service: &Service, key: &str, body: &Value| {
        let authorization = format!("Bearer {key}");
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        service.send("POST", RUN, &headers, body.to_string().as_bytes())
    };
    let denied = json!({ "language": "python", "source": "1", "profile": "no-such-profile" });
    let mut written = 0;
    let mut refused = None;
    eventually(PATIENCE, "the subject is refused", || {
        let answer = run(&service, &a, &denied);
        written += usize::from(answer.status == 200);
        refused = Some(answer);
        refused.as_ref().is_some_and(|answer| answer.status == 507)
    });
    let text = refused.map(|answer| answer.text()).unwrap_or_default();
    assert!(
        text.contains("limits.audit`") && text.contains("65536"),
        "{text}"
    );
    let works = |service: &Service, key: &str| run(service, key, &python("print(6 * 7)"));
    assert_eq!(works(&service, &b).json()["stdout"], "42\n");
    for is_killed in [false, true] {
        if is_killed {
            service.kill();
        } else {
            assert!(service.stop());
        }
        service = Service::start(&folder, config, Access::Keys);
        assert_eq!(works(&service, &a).status, 507, "killed: {is_killed}");
        assert_eq!(works(&service, &b).status, 200, "killed: {is_killed}");
    }
    let has = |path: &Path| {
        std::fs::read_to_string(path).map_or(0, |text| {
            text.lines()
                .filter(|line| line.contains("no-such-profile"))
                .count()
        })
    };
    let segments = std::fs::read_dir(service.state())
        .expect("it is there")
        .flatten()
        .map(|entry| entry.path());
    let records: usize = segments
        .filter(|path| path.to_string_lossy().contains("audit"))
        .map(|path| has(&path))
        .sum();
    assert!(records >= written, "{records} records of {written} runs");
    // The operator frees space, and all subjects continue.
    assert!(service.stop());
    service = Service::start(&folder, "[limits]\naudit = \"64MiB\"\n", Access::Keys);
    assert_eq!(works(&service, &a).status, 200);
}
