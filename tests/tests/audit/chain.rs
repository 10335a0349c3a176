//! Chain of an audit log: does it show what was cut, replaced or forged?

use super::*;

#[test]
fn a_log_that_is_sealed_with_a_key_cannot_be_written_anew() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let secret = "0123456789abcdef0123456789abcdef";
    let key = AuditKey::new(secret.as_bytes()).expect("it is long enough");
    let (named, other) = (
        key_file(folder.path(), "key", &format!("{secret}\n")),
        key_file(folder.path(), "other", &"x".repeat(32)),
    );
    write_log(&path, Some(&key), 2);
    let written = fs::read_to_string(&path).expect("there is a log");
    assert!(verify(&path, &["--key-file", &named]).0);
    for (what, arguments) in [
        ("no key", vec![]),
        ("another key", vec!["--key-file", other.as_str()]),
    ] {
        assert!(!verify(&path, &arguments).0, "{what}");
    }
    assert!(
        JsonLines::open(&path).is_err(),
        "a log with a key is not continued without it"
    );

    let anew = rechained(&written, "local", "other");
    fs::write(&path, &anew).expect("the log can be written");
    let (is_whole, said) = verify(&path, &["--key-file", &named]);
    assert!(
        !is_whole && said.contains("not sealed with the key"),
        "{said}"
    );
    // Without a key only the chain can be verified, and anyone can compute one.
    assert!(verify(&path, &[]).0);
    // The first half is recomputed, the rest as it was.
    let half: Vec<&str> = anew
        .lines()
        .take(2)
        .chain(written.lines().skip(2))
        .collect();
    fs::write(&path, half.join("\n") + "\n").expect("the log can be written");
    assert!(!verify(&path, &["--key-file", &named]).0);

    // One that is empty beside the name of a service's log has lost its records.
    fs::write(&path, "").expect("the log can be written");
    assert!(verify(&path, &[]).0);
    fs::write(
        folder.path().join("audit.id"),
        "0123456789abcdef0123456789abcdef\n",
    )
    .expect("the folder is writable");
    for place in [path.as_path(), folder.path()] {
        let (is_whole, said) = verify(place, &["--key-file", &named]);
        assert!(!is_whole && said.contains("is empty"), "{said}");
    }
    fs::remove_file(folder.path().join("audit.id")).expect("it is there");

    // A log that was begun without a key continues with one.
    fs::remove_file(&path).expect("the log can be removed");
    write_log(&path, None, 1);
    write_log(&path, Some(&key), 1);
    assert!(!verify(&path, &["--key-file", &named]).0);
    assert!(verify(&path, &["--key-file", &named, "--unkeyed", "2"]).0);
    write_log(&path, Some(&key), 1);
    assert!(verify(&path, &["--key-file", &named, "--unkeyed", "2"]).0);

    // A key that is readable by others, or short, is refused.
    fs::set_permissions(&named, fs::Permissions::from_mode(0o644)).expect("a mode can be set");
    let (is_whole, said) = verify(&path, &["--key-file", &named]);
    assert!(!is_whole && said.contains("chmod 600"), "{said}");
    let (is_whole, said) = verify(
        &path,
        &["--key-file", &key_file(folder.path(), "short", "short")],
    );
    assert!(!is_whole && said.contains("needs at least 32"), "{said}");
}

#[test]
fn a_head_that_was_kept_elsewhere_shows_what_was_cut_or_replaced() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    write_log(&path, None, 2);
    let before = head(&path, &[]);
    write_log(&path, None, 1);
    let written = fs::read_to_string(&path).expect("there is a log");
    assert!(
        verify(&path, &["--expect", &before]).0
            && verify(&path, &["--expect", &head(&path, &[])]).0
    );
    let cut: String = written.split_inclusive('\n').take(3).collect();
    for (what, text) in [
        ("emptied", String::new()),
        ("cut", cut),
        ("rewritten", rechained(&written, "local", "other")),
    ] {
        fs::write(&path, text).expect("the log can be written");
        // Each of them is a complete chain.
        assert!(verify(&path, &[]).0, "{what}");
        let (is_whole, said) = verify(&path, &["--expect", &before]);
        assert!(
            !is_whole && said.contains("cut, replaced or rewritten"),
            "{what}: {said}"
        );
    }
    let opened = AuditLogOptions::default()
        .expect(Some(before.parse().expect("it is a head")))
        .open(&path);
    assert!(matches!(opened, Err(ChainError::Expected { .. })));
    assert_eq!(
        Command::new(program())
            .args(["audit", "verify", "log", "--expect", "12"])
            .status()
            .expect("it starts")
            .code(),
        Some(2)
    );
}

#[test]
fn a_service_does_not_go_on_with_a_log_that_is_not_the_one_it_wrote() {
    let mut service = Service::local("");
    let (folder, state) = (service.folder(), service.state());
    for _ in 0..3 {
        let _ = service.run(RUN, &python("1"));
    }
    assert!(service.stop());
    // Unchanged, it continues, also after a kill.
    let mut service = Service::start(&folder, "", Access::Local);
    let _ = service.run(RUN, &python("1"));
    service.kill();
    let mut service = Service::start(&folder, "", Access::Local);
    assert!(service.stop());
    let log = state.join("audit.jsonl");
    let written = fs::read_to_string(&log).expect("there is a log");
    let cut: String = written.split_inclusive('\n').take(2).collect();
    for (what, text) in [
        ("removed", None),
        ("emptied", Some(String::new())),
        ("cut", Some(cut)),
        ("rewritten", Some(rechained(&written, "local", "other"))),
    ] {
        fs::remove_file(&log).expect("the log can be removed");
        if let Some(text) = text {
            fs::write(&log, text).expect("the log can be written");
        }
        let output = refused(&state, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success()
                && said.contains("cut, replaced or rewritten")
                && said.contains("--accept-audit-gap"),
            "{what}: {said}"
        );
        assert!(
            fs::metadata(&log).map_or(0, |file| file.len()) < written.len() as u64 + 1,
            "{what}: nothing is added"
        );
        fs::write(&log, &written).expect("the log can be written");
    }
    // An operator who knows the reason continues, and the gap stays in the log.
    fs::remove_file(&log).expect("the log can be removed");
    let mut process = Command::new(program())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--insecure-local",
            "--accept-audit-gap",
            "--state",
        ])
        .arg(&state)
        .spawn()
        .expect("the program starts");
    let gap = || fs::read_to_string(&log).is_ok_and(|text| text.contains("\"event\":\"gap\""));
    for _ in 0..600 {
        if gap() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(gap());
    // Its head reaches the database, so that the next one continues without `--accept-audit-gap`.
    let _ = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(process.wait().is_ok_and(|status| status.success()));
    let mut service = Service::start(&folder, "", Access::Local);
    assert!(service.stop());
}

/// Every admitted run has exactly one end in the log, also if the process was killed in between,
/// and in whatever segment the end is.
#[test]
fn every_run_has_one_end_in_the_log_after_a_crash() {
    for config in ["", "[limits]\naudit_segment = \"1KiB\"\n"] {
        let mut service = Service::local(config);
        let state = service.state();
        let admitted = || whole_log(&state).matches("\"event\":\"admitted\"").count();
        let mut under_way = Vec::new();
        for begun in 1..=3 {
            let body = python("while True: pass").to_string();
            under_way.push(service.begin(
                "POST",
                RUN,
                &[("Content-Type", "application/json")],
                body.as_bytes(),
            ));
            while admitted() < begun {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        let _ = service.run(RUN, &python("1"));
        service.kill();
        drop(under_way);
        let mut service = Service::start(&service.folder(), config, Access::Local);
        let _ = service.run(RUN, &python("1"));
        assert!(service.stop());
        let mut ends: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in whole_log(&state).lines() {
            let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let (event, run) = (
                record["event"].as_str().unwrap_or_default(),
                record["run"].as_str().unwrap_or_default(),
            );
            match event {
                "admitted" => drop(ends.insert(run.to_owned(), Vec::new())),
                "finished" | "aborted" | "denied" => ends
                    .get_mut(run)
                    .unwrap_or_else(|| panic!("{run} was not admitted"))
                    .push(event.to_owned()),
                _ => {}
            }
        }
        assert_eq!(ends.len(), 5, "{config}");
        assert!(
            ends.values().all(|ends| ends.len() == 1),
            "{config}: {ends:?}"
        );
        assert_eq!(
            ends.values().filter(|ends| ends[0] == "aborted").count(),
            3,
            "{config}: {ends:?}"
        );
        assert!(verify(&state, &[]).0, "{config}");
    }
}

/// The log's name in the state folder ties the log to its head in the database: neither of them can
/// be removed or replaced, nor both.
#[test]
fn a_log_that_lost_its_name_does_not_become_a_new_one() {
    let mut service = Service::local("");
    let (folder, state) = (service.folder(), service.state());
    let _ = service.run(RUN, &python("1"));
    assert!(service.stop());
    let (log, id) = (state.join("audit.jsonl"), state.join("audit.id"));
    let (written, name) = (
        fs::read_to_string(&log).expect("there is a log"),
        fs::read_to_string(&id).expect("it has a name"),
    );
    assert!(
        written.contains(&format!("\"log\":\"{}\"", name.trim())),
        "{written}"
    );
    // Another service's log, with its name, as written.
    let mut other = Service::local("");
    let _ = other.run(RUN, &python("2"));
    assert!(other.stop());
    let theirs = |file: &str| fs::read_to_string(other.state().join(file)).expect("it is there");
    let forged = rechained(&written, name.trim(), &"f".repeat(32));
    for (what, new_id, new_log) in [
        ("no name", None, Some(written.clone())),
        ("no name and no log", None, None),
        ("no name and an empty log", None, Some(String::new())),
        ("another name", Some("f".repeat(32)), Some(written.clone())),
        ("another name and no log", Some("f".repeat(32)), None),
        (
            "another name and a log that has it",
            Some("f".repeat(32)),
            Some(forged),
        ),
        ("no text", Some("\0".to_owned()), Some(written.clone())),
        ("an empty name", Some(String::new()), Some(written.clone())),
        (
            "the log and the name of another service",
            Some(theirs("audit.id")),
            Some(theirs("audit.jsonl")),
        ),
        (
            "the log of another service",
            Some(name.clone()),
            Some(theirs("audit.jsonl")),
        ),
    ] {
        for (path, text) in [(&id, &new_id), (&log, &new_log)] {
            let _ = fs::remove_file(path);
            if let Some(text) = text {
                fs::write(path, text).expect("the folder is writable");
            }
        }
        let output = refused(&state, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("--accept-audit-gap"),
            "{what}: {said}"
        );
        assert!(
            said.contains("cut, replaced or rewritten") || said.contains("name was replaced"),
            "{what}: {said}"
        );
        for (path, text) in [(&id, &new_id), (&log, &new_log)] {
            assert!(
                text.as_ref()
                    .is_none_or(|text| fs::read_to_string(path).is_ok_and(|now| now == *text)),
                "{what}: nothing is changed"
            );
        }
    }
    // The same, also elsewhere: a folder may be moved.
    fs::write(&id, &name).expect("the folder is writable");
    fs::write(&log, &written).expect("the folder is writable");
    let mut service = Service::start(&folder, "", Access::Local);
    assert!(service.stop());
    let moved = Arc::new(tempfile::tempdir().expect("a folder can be made"));
    fs::rename(&state, moved.path().join("state")).expect("it can be moved");
    let mut service = Service::start(&moved, "", Access::Local);
    let _ = service.run(RUN, &python("1"));
    assert!(service.stop());
    assert!(verify(&service.state(), &[]).0);
}

/// A lost name is restored with `--accept-audit-gap`, and with it the head.
#[test]
fn an_operator_goes_on_with_a_log_that_lost_its_name() {
    let mut service = Service::local("");
    let (folder, state) = (service.folder(), service.state());
    let _ = service.run(RUN, &python("1"));
    assert!(service.stop());
    let name = fs::read_to_string(state.join("audit.id")).expect("it has a name");
    fs::remove_file(state.join("audit.id")).expect("it is there");
    let mut process = Command::new(program())
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--insecure-local",
            "--accept-audit-gap",
            "--state",
        ])
        .arg(&state)
        .spawn()
        .expect("the program starts");
    let is_back = || fs::read_to_string(state.join("audit.id")).is_ok_and(|now| now == name);
    eventually(
        Duration::from_secs(60),
        "the name does not come back",
        is_back,
    );
    let _ = process.kill();
    let _ = process.wait();
    let mut service = Service::start(&folder, "", Access::Local);
    assert!(service.stop());
}

/// Before logs had names there was one head; it is migrated to the log that has its record.
#[test]
fn the_head_of_an_earlier_version_is_carried_over() {
    let mut service = Service::local("");
    let (folder, state) = (service.folder(), service.state());
    let _ = service.run(RUN, &python("1"));
    assert!(service.stop());
    // The state of the previous version: no names, and one row.
    let log = state.join("audit.jsonl");
    let written = fs::read_to_string(&log).expect("there is a log");
    let id = fs::read_to_string(state.join("audit.id")).expect("it has a name");
    let old = rechained(&written, &format!(",\"log\":\"{}\"", id.trim()), "");
    fs::write(&log, &old).expect("the folder is writable");
    fs::remove_file(state.join("audit.id")).expect("it is there");
    let database =
        rusqlite::Connection::open(state.join("glovebox.sqlite")).expect("there is a database");
    let head = head(&log, &[]);
    let migrate_back = format!(
        "DROP TABLE audit_heads; CREATE TABLE audit_head (head TEXT NOT NULL); INSERT INTO audit_head (head) VALUES ('{head}'); \
         DELETE FROM _sqlx_migrations WHERE version = 12"
    );
    database
        .execute_batch(&migrate_back)
        .expect("it can be written");
    drop(database);
    // Not for a log that does not have it.
    fs::write(&log, rechained(&old, "local", "other")).expect("the folder is writable");
    let output = refused(&state, &[]);
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("cut, replaced or rewritten"),
        "{output:?}"
    );
    fs::write(&log, &old).expect("the folder is writable");
    let mut service = Service::start(&folder, "", Access::Local);
    let _ = service.run(RUN, &python("1"));
    assert!(service.stop());
    let database =
        rusqlite::Connection::open(state.join("glovebox.sqlite")).expect("there is a database");
    let rows: i64 = database
        .query_row("SELECT COUNT(*) FROM audit_heads", [], |row| row.get(0))
        .expect("it can be read");
    let now = fs::read_to_string(state.join("audit.id")).expect("it has a name");
    let kept: String = database
        .query_row(
            "SELECT head FROM audit_heads WHERE log = ?",
            [now.trim()],
            |row| row.get(0),
        )
        .expect("it can be read");
    assert_eq!((rows, kept), (1, self::head(&log, &[])));
}

/// Services that share a database have separate heads.
#[test]
fn services_that_share_a_database_keep_their_own_heads() {
    let Ok(database) = std::env::var("GLOVEBOX_POSTGRES") else {
        eprintln!("SKIPPED: GLOVEBOX_POSTGRES names no database");
        return;
    };
    let config = format!("database = \"{database}\"\n[containers]\nenabled = false\n");
    let (mut a, mut b) = (Service::local(&config), Service::local(&config));
    for _ in 0..2 {
        let _ = (
            a.run(RUN, &python("1")),
            b.run(RUN, &python("2")),
            b.run(RUN, &python("3")),
        );
        assert!(a.stop() && b.stop());
        (a, b) = (
            Service::start(&a.folder(), &config, Access::Local),
            Service::start(&b.folder(), &config, Access::Local),
        );
    }
    assert!(a.stop() && b.stop());
    // Neither accepts the other's log, with or without the name, nor begins a new one.
    let files =
        |service: &Service| ["audit.id", "audit.jsonl"].map(|name| service.state().join(name));
    let before = files(&a).map(|path| fs::read(path).expect("it is there"));
    let config = a.folder().path().join("config.toml").display().to_string();
    let is_refused = |what: &str| {
        let output = refused(&a.state(), &["--config", &config]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("--accept-audit-gap"),
            "{what}: {said}"
        );
    };
    for path in files(&a) {
        fs::remove_file(path).expect("it is there");
    }
    is_refused("nothing");
    for (from, to) in files(&b).iter().zip(files(&a)) {
        fs::copy(from, to).expect("it can be copied");
    }
    is_refused("the other one's log and name");
    fs::write(&files(&a)[0], &before[0]).expect("it can be written");
    is_refused("the other one's log");
    fs::write(&files(&a)[1], &before[1]).expect("it can be written");
    let text = fs::read_to_string(&config).expect("there is a config");
    let mut a = Service::start(&a.folder(), &text, Access::Local);
    assert!(a.stop());
}
