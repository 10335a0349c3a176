//! Durability: is what was acknowledged kept, after a crash too?
//!
//! The process is killed, the database is locked by another process, the disk is full, the database
//! is another one. The oracles are the clients, which keep their responses, and the program that
//! verifies the audit log.

use super::disk::Disk;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, RUN, Service, TREES, python};
use glovebox_tests::tree::program;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// Timeout of an operation that takes a moment.
const PATIENCE: Duration = Duration::from_secs(20);

fn place(execution: &Value) -> String {
    format!("{RUN}/{}", execution["id"].as_str().expect("it has a name"))
}

/// Returns the number of kept executions that succeeded.
fn succeeded(service: &Service) -> u64 {
    let (mut kept, mut cursor) = (0, String::new());
    loop {
        let page = service
            .get(&format!("{RUN}?status=succeeded&limit=500{cursor}"))
            .json();
        kept += page["executions"].as_array().map_or(0, Vec::len) as u64;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return kept,
        }
    }
}

/// Returns the number of executions in the usage.
fn counted(service: &Service) -> u64 {
    let usage = service.get("/v1/usage").json();
    usage["usage"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|day| day["executions"].as_u64())
        .sum()
}

/// Begins a write transaction in the database of a service, as an administrator may, and leaves it
/// open.
fn lock(state: &Path) -> rusqlite::Connection {
    let connection =
        rusqlite::Connection::open(state.join("glovebox.sqlite")).expect("it is there");
    connection.busy_timeout(PATIENCE).expect("it can wait");
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it can be locked");
    connection
}

/// Ends that transaction a while later.
fn unlock_later(connection: rusqlite::Connection) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(600));
        connection
            .execute_batch("ROLLBACK")
            .expect("it can be unlocked");
    })
}

/// Runs programs until the service is killed; notes the executions that it acknowledged.
fn run_until_killed(worker: usize, address: &str, done: &Mutex<Vec<Value>>, killed: &AtomicBool) {
    for number in 0.. {
        let body = json!({ "language": "javascript", "source": format!("'{worker}-{number}'") })
            .to_string();
        let Ok(mut stream) = std::net::TcpStream::connect(address) else {
            break;
        };
        let head = format!(
            "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer = Vec::new();
        if stream.write_all(head.as_bytes()).is_err() || stream.read_to_end(&mut answer).is_err() {
            break;
        }
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(value) = serde_json::from_str::<Value>(body)
        {
            done.lock().expect("no panic").push(value);
        }
        if killed.load(Ordering::Relaxed) {
            break;
        }
    }
}

/// Acknowledged executions survive the process, and unfinished executions are marked as such.
#[test]
fn acknowledged_executions_survive_a_kill() {
    let mut service = Service::local("");
    let folder = service.folder();
    let done = Mutex::new(Vec::new());
    let killed = AtomicBool::new(false);
    let address = service.address().to_owned();
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        python("while True: pass").to_string().as_bytes(),
    );
    assert_eq!(accepted.status, 202);
    let unfinished = accepted.json()["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    std::thread::scope(|scope| {
        for worker in 0..6 {
            let (done, killed, address) = (&done, &killed, &address);
            scope.spawn(move || run_until_killed(worker, address, done, killed));
        }
        eventually(PATIENCE, "many are acknowledged", || {
            done.lock().expect("no panic").len() > 200
        });
        service.kill();
        killed.store(true, Ordering::Relaxed);
    });
    let done = done.into_inner().expect("no panic");
    assert!(done.len() > 50, "{}", done.len());
    let mut again = Service::start(&folder, "", Access::Local);
    for execution in &done {
        let id = execution["id"].as_str().expect("it has a name");
        assert_eq!(&again.get(&format!("{RUN}/{id}")).json(), execution);
    }
    assert_eq!(
        again.get(&format!("{RUN}/{unfinished}")).json()["status"],
        "interrupted"
    );
    assert_eq!(
        again.get(&format!("{RUN}?status=running")).json()["executions"],
        json!([])
    );
    // Usage counts exactly what is kept.
    let kept = succeeded(&again);
    assert!(
        kept >= done.len() as u64,
        "{kept} are kept, and {} were acknowledged",
        done.len()
    );
    assert_eq!(counted(&again), kept);
    let verified = Command::new(program())
        .args(["audit", "verify"])
        .arg(again.state())
        .status();
    assert!(verified.is_ok_and(|status| status.success()));
    assert!(again.stop(), "it ends well when it is told to");
}

#[test]
fn state_folder_is_served_by_one_process() {
    let again = Service::local("");
    // One state folder, one service.
    let second = Command::new(program())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--insecure-local",
            "--state",
        ])
        .arg(again.state())
        .output();
    let second = second.expect("the program starts");
    assert!(
        String::from_utf8_lossy(&second.stderr).contains("another process serves"),
        "{}",
        String::from_utf8_lossy(&second.stderr)
    );
}

/// An administrator's lock on the database blocks no ordinary program.
#[test]
fn records_wait_for_a_database_that_another_process_has_locked() {
    let mut service = Service::local("");
    let old = service.run(RUN, &python("'old'"));
    // Listing it flushes it to the database.
    assert_eq!(succeeded(&service), 1);
    let locked = lock(&service.state());
    let ran: Vec<Value> = (0..20)
        .map(|number| service.run(RUN, &python(&format!("{number}"))))
        .collect();
    assert_eq!(
        service.get(&place(&old)).json(),
        old,
        "what is in the database can be read"
    );
    assert_eq!(service.get("/readyz").status, 200);
    let unlocking = unlock_later(locked);
    let large = service.run(RUN, &python("print('x' * 200_000)"));
    for execution in ran.iter().chain([&large]) {
        assert_eq!(&service.get(&place(execution)).json(), execution);
    }
    unlocking.join().expect("no panic");
    assert_eq!(counted(&service), 22);

    // Nothing is lost either if the process is killed meanwhile, and the next one finds the
    // database still locked.
    let locked = lock(&service.state());
    let last = service.run(RUN, &python("'last'"));
    let tasks = json!([{ "name": "only", "execution": python("'task'") }]);
    let tree = service.run(TREES, &json!({ "tasks": tasks }));
    service.kill();
    let unlocking = unlock_later(locked);
    let again = Service::start(&service.folder(), "", Access::Local);
    unlocking.join().expect("no panic");
    assert_eq!(again.get(&place(&last)).json(), last);
    assert_eq!(
        again
            .get(&format!(
                "{TREES}/{}",
                tree["id"].as_str().unwrap_or_default()
            ))
            .json(),
        tree
    );
    assert_eq!((counted(&again), succeeded(&again)), (24, 24));
}

/// An execution that cannot be recorded does not run, a recorded one stays, and a refused one stays
/// refused.
#[test]
fn a_full_disk_refuses_what_cannot_be_recorded() {
    let Some(disk) = Disk::new("size=8m") else {
        return;
    };
    let mut service = Service::start(
        &Arc::new(TempDir::new_in(disk.path()).expect("there is room")),
        "",
        Access::Local,
    );
    let before = service.run(RUN, &python("'before'"));
    assert_eq!(succeeded(&service), 1);
    let filling = disk.path().join("full");
    let mut file = fs::File::create(&filling).expect("there is room");
    while file.write_all(&[0; 4096]).is_ok() {}
    drop(file);
    let mut answers = Vec::new();
    let mut is_refused = || {
        answers.push(service.post(RUN, &python("print('x' * 100_000)")).status);
        answers.last() == Some(&500) && service.get("/readyz").status == 503
    };
    eventually(
        PATIENCE,
        "it refuses what it cannot record, and sends others elsewhere",
        &mut is_refused,
    );
    for _ in 0..20 {
        is_refused();
    }
    assert_eq!(
        service.get(&place(&before)).json(),
        before,
        "what is in the database can be read"
    );
    fs::remove_file(filling).expect("it is there");
    eventually(PATIENCE, "it runs programs again", || {
        service.post(RUN, &python("'again'")).status == 200
    });
    eventually(PATIENCE, "it is ready again", || {
        service.get("/readyz").status == 200
    });
    let (kept, counted) = (succeeded(&service), counted(&service));
    let told = answers.iter().filter(|status| **status == 200).count() as u64;
    assert_eq!((kept, counted), (told + 2, told + 2), "{answers:?}");
    service.kill();
    let again = Service::start(&service.folder(), "", Access::Local);
    assert_eq!(
        (succeeded(&again), again.get(&place(&before)).json()),
        (kept, before)
    );
}

/// `GLOVEBOX_POSTGRES` names a database whose content may be destroyed.
#[test]
fn records_can_be_in_postgresql() {
    let Ok(database) = std::env::var("GLOVEBOX_POSTGRES") else {
        eprintln!("SKIPPED: GLOVEBOX_POSTGRES names no database");
        return;
    };
    let config = format!("database = \"{database}\"\n[containers]\nenabled = false\n");
    let mut service = Service::local(&config);
    let body = json!({ "language": "python", "source": "open('a', 'w').write('x')\n7", "artifacts": ["*"] });
    let ran = service.run(RUN, &body);
    let id = ran["id"].as_str().expect("it has a name").to_owned();
    assert_eq!(service.get(&format!("{RUN}/{id}")).json(), ran);
    assert_eq!(service.get(&format!("{RUN}/{id}/artifacts/a")).text(), "x");
    let newest = service
        .get(&format!("{RUN}?status=succeeded&language=python&limit=1"))
        .json();
    assert_eq!(
        (
            &newest["executions"][0]["id"],
            newest["next_cursor"].is_string()
        ),
        (&ran["id"], true)
    );
    let key = format!("key-{id}");
    let send = || {
        service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Idempotency-Key", &key),
            ],
            body.to_string().as_bytes(),
        )
    };
    assert_eq!(send().json()["id"], send().json()["id"]);
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let unfinished = service
        .send(
            "POST",
            RUN,
            &later,
            python("while True: pass").to_string().as_bytes(),
        )
        .json()["id"]
        .clone();
    eventually(PATIENCE, "the usage is written", || {
        service.get("/v1/usage").json()["usage"][0]["executions"].as_i64() >= Some(2)
    });
    service.kill();
    let mut again = Service::start(&service.folder(), &config, Access::Local);
    let found = again
        .get(&format!(
            "{RUN}/{}",
            unfinished.as_str().unwrap_or_default()
        ))
        .json();
    assert_eq!(found["status"], "interrupted", "{found}");
    assert_eq!(again.get(&format!("{RUN}/{id}")).json(), ran);
    // The account of kept bytes equals the database, also after deletes and another kill.
    let kept = |service: &Service| {
        service.get("/v1/usage").json()["kept_bytes"]
            .as_u64()
            .expect("a number")
    };
    let before = kept(&again);
    let place = format!("{RUN}/{id}");
    assert_eq!(again.send("DELETE", &place, &[], b"").status, 200);
    assert_eq!(again.send("DELETE", &place, &[], b"").status, 404);
    let after = kept(&again);
    assert!(after > 0 && after + 512 < before, "{after} of {before}");
    again.kill();
    let again = Service::start(&again.folder(), &config, Access::Local);
    assert_eq!(kept(&again), after);
}

/// A service whose audit log has several complete segments.
struct Segmented {
    service: Service,
    state: PathBuf,
    /// The runs, the oldest first.
    runs: Vec<String>,
    /// The number of records: two of each run, and one for each run that a segment lists at its
    /// beginning.
    records: usize,
}

impl Segmented {
    fn new() -> Self {
        let config = "[limits]\naudit_segment = \"8KiB\"\n";
        let mut service = Service::local(config);
        let state = service.state();
        let files = || glovebox::audit_segments(&state).expect("the folder is there");
        let mut runs: Vec<String> = Vec::new();
        let mut ran = |service: &Service| {
            runs.push(
                service.run(RUN, &python("1"))["id"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            )
        };
        (0..20).for_each(|_| ran(&service));
        service.kill();
        let service = Service::start(&service.folder(), config, Access::Local);
        (0..20).for_each(|_| ran(&service));
        // Truncation of the last complete segment is detected by the one after it.
        while fs::metadata(state.join("audit.jsonl"))
            .expect("it is there")
            .len()
            == 0
        {
            ran(&service);
        }
        assert!(files().len() > 3, "{:?}", files());
        // A segment that begins during a run lists that run.
        let texts: Vec<String> = files()
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect();
        let all = runs.len() * 2
            + texts
                .iter()
                .map(|text| text.matches("\"unfinished\"").count())
                .sum::<usize>();

        Self {
            service,
            state,
            runs,
            records: all,
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        glovebox::audit_segments(&self.state).expect("the folder is there")
    }

    /// Verifies the log; returns whether it is whole, and what the command prints.
    fn verify(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(program())
            .args(["audit", "verify"])
            .arg(&self.state)
            .args(arguments)
            .output()
            .expect("the program starts");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        )
    }
}

#[test]
fn audit_segments_are_searched_as_one_log() {
    let Segmented {
        service, mut runs, ..
    } = Segmented::new();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = service
            .get(&format!("/v1/audit?event=admitted&limit=3{cursor}"))
            .json();
        found.extend(
            page["records"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|record| record["run"].as_str().map(str::to_owned)),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    runs.reverse();
    assert_eq!(found, runs);
}

/// The audit log of a service is in segments that can be opened, verified, searched and removed one
/// by one.
#[test]
fn audit_segments_are_verified_as_one_chain() {
    let mut segmented = Segmented::new();
    let (state, all) = (segmented.state.clone(), segmented.records);
    let verify = |arguments: &[&str]| segmented.verify(arguments);
    let files = || segmented.files();
    let (is_whole, said) = verify(&[]);
    assert!(
        is_whole && said.contains(&format!("{all} records")),
        "{said}"
    );
    // The oldest segments are archived elsewhere: that is reported, and can be accepted.
    let oldest = files().remove(0);
    let records = fs::read_to_string(&oldest)
        .expect("it is there")
        .lines()
        .count();
    fs::rename(&oldest, state.join("elsewhere")).expect("it can be moved");
    assert!(!verify(&[]).0);
    assert!(!verify(&["--since", &(records + 1).to_string()]).0);
    let (is_whole, said) = verify(&["--since", &records.to_string()]);
    assert!(
        is_whole && said.contains(&format!("{} records", all - records)),
        "{said}"
    );
    fs::rename(state.join("elsewhere"), &oldest).expect("it can be moved");
    // A complete segment that is missing or was changed is detected, whichever it is.
    for file in files() {
        let text = fs::read_to_string(&file).expect("it is there");
        fs::write(&file, text.replacen("run_", "run_0", 1)).expect("it can be changed");
        assert!(!verify(&[]).0, "{}", file.display());
        fs::write(&file, text).expect("it can be changed");
    }
    let second = files().remove(1);
    fs::rename(&second, state.join("elsewhere")).expect("it can be moved");
    assert!(!verify(&[]).0);
    fs::rename(state.join("elsewhere"), &second).expect("it can be moved");
    assert!(verify(&[]).0);
    assert!(segmented.service.stop());
    assert_not_continued(&segmented);
}

/// A log that does not follow from the segment before it is not continued.
fn assert_not_continued(segmented: &Segmented) {
    let newest = segmented
        .files()
        .into_iter()
        .nth_back(1)
        .expect("there is a complete one");
    let text = fs::read_to_string(&newest).expect("it is there");
    let cut: Vec<&str> = text.split_inclusive('\n').collect();
    fs::write(&newest, cut[..cut.len() - 1].concat()).expect("it can be cut");
    let again = [
        "60",
        &program().display().to_string(),
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--insecure-local",
        "--state",
    ]
    .map(str::to_owned);
    let output = Command::new("timeout")
        .args(again)
        .arg(&segmented.state)
        .output()
        .expect("the program starts");
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("audit log"),
        "{output:?}"
    );
}
