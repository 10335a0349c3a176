//! Audit of the library: has each request one decision and one end, and does a change show?

use super::*;
use glovebox_policy::{Quota, Subject};
use std::path::Path;

#[derive(Default)]
pub(crate) struct Records(pub(crate) Mutex<Vec<AuditRecord>>);

impl AuditSink for Records {
    fn record(&self, record: &AuditRecord) -> io::Result<()> {
        self.0
            .lock()
            .expect("no writer breaks")
            .push(record.clone());
        Ok(())
    }
}

impl Records {
    /// Returns the events of each run by one word each, in the order of the first.
    pub(crate) fn runs(&self) -> Vec<Vec<&'static str>> {
        let mut runs: Vec<(String, Vec<&'static str>)> = Vec::new();
        for record in self.0.lock().expect("no writer breaks").iter() {
            let word = match record.event {
                AuditEvent::Denied { .. } => "denied",
                AuditEvent::Admitted { .. } => "admitted",
                AuditEvent::Called { .. } => "called",
                AuditEvent::Finished { .. } => "finished",
                AuditEvent::Aborted { .. } => "aborted",
                _ => "?",
            };
            let id = record.run.to_string();
            match runs.iter_mut().find(|(known, _)| *known == id) {
                Some((_, words)) => words.push(word),
                None => runs.push((id, vec![word])),
            }
        }
        runs.into_iter().map(|(_, words)| words).collect()
    }
}

struct Full {
    after: Mutex<usize>,
}

impl AuditSink for Full {
    fn record(&self, _: &AuditRecord) -> io::Result<()> {
        let mut left = self.after.lock().expect("no writer breaks");
        *left = left
            .checked_sub(1)
            .ok_or_else(|| io::Error::other("the disk is full"))?;
        Ok(())
    }
}

struct Counts(Arc<Mutex<usize>>);

#[async_trait]
impl Tool for Counts {
    async fn call(&self, arguments: String) -> Result<String, String> {
        *self.0.lock().expect("no caller breaks") += 1;
        Ok(arguments)
    }
}

#[test]
fn every_request_has_one_decision_and_one_end() {
    let records = Arc::new(Records::default());
    let sandbox = audited("wall = \"500ms\"\nfuel = 500_000_000", "", records.clone());
    run(&sandbox, Request::new("python", "print(1)"));
    run(&sandbox, Request::new("python", "1 / 0"));
    run(
        &sandbox,
        Request::new("python", "import time\ntime.sleep(60)"),
    );
    run(&sandbox, Request::new("shell", "ls"));
    let stopped = Controls::default();
    stopped.stop.cancel();
    run_with(&sandbox, Request::new("python", "print(1)"), stopped);
    let _ = run(&sandbox, Request::new("wasm", "not wasm"));
    runtime().block_on(async {
        let dropped = sandbox.run(Request::new("python", "import time\ntime.sleep(60)"));
        assert!(
            tokio::time::timeout(Duration::from_millis(200), dropped)
                .await
                .is_err()
        );
    });
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let _ = runtime().block_on(session.evaluate("x = 1"));
    session.close().expect("the end can be written");
    drop(
        runtime()
            .block_on(sandbox.open(Request::new("python", "")))
            .expect("a session opens"),
    );
    let mut session = runtime()
        .block_on(sandbox.open(Request::new("python", "")))
        .expect("a session opens");
    let _ = runtime().block_on(session.evaluate("while True: pass"));
    drop(session);
    assert!(
        runtime()
            .block_on(sandbox.open(Request::new("shell", "")))
            .is_err()
    );
    let runs = records.runs();
    // Sessions come before their evaluations.
    let expected: [&[&str]; 13] = [
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["denied"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["admitted", "aborted"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["admitted", "aborted"],
        &["admitted", "finished"],
        &["admitted", "finished"],
        &["denied"],
    ];
    assert_eq!(runs, expected);
}

/// The log alone shows which programs ran in a session.
#[test]
fn an_evaluation_names_its_program_and_its_session() {
    let records = Arc::new(Records::default());
    let sandbox = audited("", "", records.clone());
    let session = async {
        let mut session = sandbox.open(Request::new("python", "")).await?;
        let outcome = session.evaluate("x = 1").await?;
        Ok::<_, OpenError>((session.id(), outcome.id))
    };
    let (session, evaluation) = runtime().block_on(session).expect("it runs");
    assert_ne!(session, evaluation);
    let records = records.0.lock().expect("no writer breaks");
    let admitted = records.iter().find(|record| record.run == evaluation);
    let Some(AuditEvent::Admitted {
        asked,
        session: within,
        ..
    }) = admitted.map(|record| &record.event)
    else {
        panic!("{admitted:?}");
    };
    assert_eq!(*within, Some(session));
    assert_eq!(
        (asked.source_bytes, asked.source_sha256.as_str()),
        (
            5,
            "8ff436def1451285599a1b1ad70800493b8dcafde2912e1a38345633054e4c26"
        )
    );
}

#[test]
fn an_error_of_the_host_is_an_end_too() {
    let records = Arc::new(Records::default());
    let sandbox = audited(
        "",
        "\n[[profiles.attack.mounts]]\nhost = \"/nothing/of/the/kind\"\nguest = \"/data\"\n",
        records.clone(),
    );
    let error = runtime()
        .block_on(sandbox.run(Request::new("python", "print(1)")))
        .expect_err("there is nothing to mount");
    assert!(
        !error.to_string().contains("/nothing/of/the/kind"),
        "the host's path stays with the host: {error}"
    );
    assert!(
        runtime()
            .block_on(sandbox.open(Request::new("python", "")))
            .is_err()
    );
    assert_eq!(
        records.runs(),
        [["admitted", "aborted"], ["admitted", "aborted"]]
    );
    let mut request = canary("python");
    request.artifacts = vec!["[".to_owned()];
    let _ = runtime().block_on(sandbox.run(request));
    assert!(
        records
            .runs()
            .iter()
            .all(|words| words.len() <= 2 && words.first() != Some(&"finished")),
        "{:?}",
        records.runs()
    );
}

#[test]
fn run_that_cannot_be_recorded_does_not_happen() {
    let calls = Arc::new(Mutex::new(0));
    let tools = "\n[profiles.attack.tools]\nallow = [\"t/count\"]\n";
    let with = |after: usize| {
        let builder = Sandbox::builder()
            .policy(policy("", tools))
            .guests(guests())
            .audit(Arc::new(Full {
                after: Mutex::new(after),
            }));
        builder
            .tool("t/count", Arc::new(Counts(Arc::clone(&calls))))
            .build()
            .expect("a sandbox can be made")
    };
    let request = || {
        Request::new(
            "python",
            "import glovebox\ntry:\n    glovebox.call_tool('t/count')\nexcept Exception:\n    pass",
        )
    };
    for after in 0..=2 {
        let result = runtime().block_on(with(after).run(request()));
        assert!(matches!(result, Err(Error::Audit { .. })), "{after}");
        assert_eq!(
            *calls.lock().expect("no caller breaks"),
            after / 2,
            "with room for {after} records"
        );
    }
    assert!(
        matches!(
            runtime().block_on(with(0).run(Request::new("shell", "ls"))),
            Err(Error::Audit { .. })
        ),
        "nor is anything refused in secret"
    );
    assert!(
        runtime()
            .block_on(with(0).open(Request::new("python", "")))
            .is_err()
    );
    assert!(runtime().block_on(with(3).run(request())).is_ok());
}

/// A log of three runs by two processes, with names that try to end a line or inject a record.
/// (log injection, OUT08)
fn written_log(path: &Path) -> String {
    let mut request = Request::new("python", "print('{\"event\": \"finished\"}')");
    request.source.name = "x\u{2028}\",\"event\":\"admitted.py".to_owned();
    {
        let sandbox = audited(
            "",
            "",
            Arc::new(JsonLines::open(path).expect("the log opens")),
        );
        run(&sandbox, request.clone());
        run(&sandbox, Request::new("sh\nell", "ls"));
    }
    {
        // A second process continues where the first one ended.
        let sandbox = audited(
            "",
            "",
            Arc::new(JsonLines::open(path).expect("the log opens")),
        );
        run(&sandbox, request);
    }
    std::fs::read_to_string(path).expect("the log can be read")
}

#[test]
fn refusals_have_one_record_that_belongs_to_no_run() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let log = Arc::new(JsonLines::open(&path).expect("the log opens"));
    let sandbox = audited("", "", Arc::clone(&log) as Arc<dyn AuditSink>);
    let policy = Policy::check("version = 1\n[quotas]\nqueued = 2\n").expect("it is a policy");
    let subject = Subject::local();
    let denial = policy
        .quotas(&subject)
        .check(Quota::Queued, 2, 1)
        .expect_err("three are more than two");
    sandbox
        .record_refusals(&subject, &denial, 7)
        .expect("the log is writable");
    drop(sandbox);
    assert_eq!(
        log.take_written().get("local").copied(),
        std::fs::metadata(&path).ok().map(|file| file.len()),
        "it counts for the subject"
    );
    drop(log);
    let text = std::fs::read_to_string(&path).expect("the log can be read");
    assert_eq!(verify_chain(text.as_bytes()).expect("the chain holds"), 1);
    let record: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    for (field, value) in [
        ("event", "\"refused\""),
        ("subject", "\"local\""),
        ("rule", "\"quotas.queued\""),
        ("times", "7"),
    ] {
        assert_eq!(record[field].to_string(), value, "{record}");
    }
    // No run is open that the next process would end.
    JsonLines::open(&path).expect("the log opens");
    let again = std::fs::read_to_string(&path).expect("the log can be read");
    assert_eq!(again, text);
}

#[test]
fn changed_audit_log_is_detected() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let log = written_log(&path);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(
        (
            lines.len(),
            verify_chain(log.as_bytes()).expect("the chain holds")
        ),
        (5, 5)
    );
    for line in &lines {
        let record: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
        assert!(
            record.get("event").is_some()
                && record.get("subject").and_then(|subject| subject.as_str()) == Some("local")
        );
    }
    let broken = |text: String| {
        matches!(
            verify_chain(text.as_bytes()),
            Err(ChainError::Broken { .. })
        )
    };
    assert!(broken(log.replacen("local", "other", 1)));
    assert!(broken(lines[1..].join("\n")), "the first line was removed");
    assert!(
        broken([lines[0], lines[2], lines[3], lines[4]].join("\n")),
        "a line was removed"
    );
    assert!(
        broken([lines[0], lines[2], lines[1], lines[3], lines[4]].join("\n")),
        "lines were swapped"
    );
    assert!(
        broken([lines[0], lines[0]].join("\n")),
        "a line was repeated"
    );
    assert!(broken(format!("{log}{{}}\n")));
    assert!(broken(format!("{log}x\n")));
    for (index, line) in lines.iter().enumerate() {
        let changed = log.replacen(line, &line.replacen("run_", "run_0", 1), 1);
        assert!(broken(changed), "line {index}");
    }
    std::fs::write(&path, log.replacen("local", "other", 1)).expect("the log can be written");
    assert!(
        JsonLines::open(&path).is_err(),
        "a log that was tampered with is not continued"
    );
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(
        std::fs::metadata(&path)
            .expect("the log is there")
            .permissions()
            .mode()
            & 0o077,
        0,
        "the log is its owner's"
    );
}

#[test]
fn an_audit_log_goes_on_after_a_line_that_has_no_end() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("audit.jsonl");
    let log = || std::fs::read_to_string(&path).expect("the log can be read");
    let sandbox = audited(
        "",
        "",
        Arc::new(JsonLines::open(&path).expect("the log opens")),
    );
    assert!(
        matches!(JsonLines::open(&path), Err(ChainError::InUse)),
        "two would break the chain"
    );
    run(&sandbox, Request::new("python", "1"));
    drop(sandbox);
    let whole = log();
    for torn in ["{", "{\"time_ms\":1,\"run\":\"run_1\"", "\u{0}\u{0}"] {
        std::fs::write(&path, format!("{whole}{torn}")).expect("the log can be written");
        assert!(verify_chain(log().as_bytes()).is_err(), "{torn:?}");
        drop(JsonLines::open(&path).expect("the log opens"));
        assert_eq!(log(), whole, "{torn:?}");
    }
    let sandbox = audited(
        "",
        "",
        Arc::new(JsonLines::open(&path).expect("the log opens")),
    );
    run(&sandbox, Request::new("python", "1"));
    assert_eq!(verify_chain(log().as_bytes()).expect("the chain holds"), 4);
}
