//! Audit log crash recovery: does every run have exactly one end, wherever a crash cut the log?
//!
//! A real log of several segments is truncated after each record and within it, as after a kill or
//! a power failure, reopened, and read by an independent reader. The program verifies the chain.

use glovebox::{AUDIT_SEGMENT, AuditLogOptions, ChainCheck, Request, Sandbox, audit_segments};
use glovebox_tests::place::guests;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Maximum bytes of a segment.
const SEGMENT: u64 = 1500;

const NAME: &str = "0123456789abcdef0123456789abcdef";

fn options() -> AuditLogOptions {
    AuditLogOptions::default()
        .segments(SEGMENT)
        .name(Some(NAME.to_owned()))
}

/// Writes a log in which short runs begin and end during long ones; returns the segments, the
/// oldest first.
fn real_log() -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = Arc::new(options().open(folder.path()).expect("the log opens"));
    let sandbox = Arc::new(
        Sandbox::builder()
            .guests(guests())
            .audit(log.clone())
            .build()
            .expect("a sandbox can be made"),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let short = || async {
            drop(
                sandbox
                    .run(Request::new("python", "1"))
                    .await
                    .expect("the host works"),
            )
        };
        let mut long = Vec::new();
        for _ in 0..2 {
            let (sandbox, before) = (Arc::clone(&sandbox), log.head());
            long.push(tokio::spawn(async move {
                sandbox
                    .run(Request::new("python", "while True: pass"))
                    .await
                    .map(drop)
            }));
            while log.head() == before {
                tokio::task::yield_now().await;
            }
            for _ in 0..4 {
                short().await;
            }
        }
        for run in long {
            run.abort();
            let _ = run.await;
            short().await;
        }
    });
    drop(runtime);
    let segments = audit_segments(folder.path()).expect("the folder is there");
    let texts: Vec<String> = segments
        .iter()
        .map(|path| fs::read_to_string(path).expect("a segment is text"))
        .collect();
    texts.into_iter().filter(|text| !text.is_empty()).collect()
}

/// Writes segments as a process does: all but the last are complete.
fn put(folder: &Path, segments: &[&str]) {
    let mut start = 0;
    for (number, text) in segments.iter().enumerate() {
        let name = if number + 1 == segments.len() {
            AUDIT_SEGMENT.to_owned()
        } else {
            format!("audit-{start:020}.jsonl")
        };
        fs::write(folder.join(name), text).expect("the folder is writable");
        start += text.len();
    }
}

fn whole(folder: &Path) -> String {
    audit_segments(folder)
        .expect("the folder is there")
        .iter()
        .map(|path| fs::read_to_string(path).expect("a segment is text"))
        .collect()
}

/// Opens a log twice, as two successive processes do, and checks its records.
fn check(folder: &Path, what: &str) {
    let before = whole(folder);
    let end = before.rfind('\n').map_or(0, |end| end + 1);
    drop(
        options()
            .open(folder)
            .unwrap_or_else(|error| panic!("{what}: {error}")),
    );
    let after = whole(folder);
    assert!(
        after.starts_with(&before[..end]),
        "{what}: no whole record is taken away"
    );
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for line in after.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        let run = record["run"].as_str().unwrap_or_default().to_owned();
        match record["event"].as_str().unwrap_or_default() {
            "admitted" => assert!(ends.insert(run, 0).is_none(), "{what}: a run begins twice"),
            "finished" | "aborted" => {
                *ends
                    .get_mut(&run)
                    .unwrap_or_else(|| panic!("{what}: {run} was not admitted")) += 1
            }
            _ => {}
        }
    }
    assert!(ends.values().all(|count| *count == 1), "{what}: {ends:?}");
    drop(
        options()
            .open(folder)
            .unwrap_or_else(|error| panic!("{what}: {error}")),
    );
    assert_eq!(
        whole(folder),
        after,
        "{what}: there is nothing left to do for the next one"
    );
    let mut chain = ChainCheck::default();
    for path in audit_segments(folder).expect("the folder is there") {
        chain
            .read(fs::File::open(path).expect("it can be read"))
            .unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    assert_eq!(chain.unfinished(), 0, "{what}");
}

#[test]
fn every_run_has_one_end_wherever_the_log_was_cut() {
    let segments = real_log();
    assert!(
        segments.len() > 4 && segments.concat().matches("\"runs\":{\"run_").count() > 2,
        "{}",
        segments.concat()
    );
    let mut cuts = 0;
    for (number, segment) in segments.iter().enumerate() {
        let before: Vec<&str> = segments.iter().take(number).map(String::as_str).collect();
        let mut line_start = 0;
        for line in segment.split_inclusive('\n') {
            // A torn write of the line: nothing, one byte, the half, all but its end, the whole.
            for length in [0, 1, line.len() / 2, line.len() - 1, line.len()] {
                let folder = tempfile::tempdir().expect("a folder can be made");
                put(
                    folder.path(),
                    &[&before[..], &[&segment[..line_start + length]]].concat(),
                );
                check(
                    folder.path(),
                    &format!("segment {number}, {length} bytes of {line:?}"),
                );
                cuts += 1;
            }
            line_start += line.len();
        }
        // Complete, with nothing after it; and a torn last record.
        let folder = tempfile::tempdir().expect("a folder can be made");
        put(folder.path(), &[&before[..], &[segment, ""]].concat());
        fs::remove_file(folder.path().join(AUDIT_SEGMENT)).expect("it is there");
        check(folder.path(), &format!("segment {number} and no more"));
        for next in ["", "{\"time_ms\":1", "\0\0\0"] {
            let folder = tempfile::tempdir().expect("a folder can be made");
            put(
                folder.path(),
                &[&before[..], &[&segment[..segment.len() - 9], next]].concat(),
            );
            check(
                folder.path(),
                &format!("segment {number} torn, and {next:?}"),
            );
        }
    }
    assert!(cuts > 100, "{cuts}");
}

/// A refused log is left unchanged, so that the operator can restore what was removed.
#[test]
fn a_log_that_is_refused_is_left_as_it_was() {
    let segments = real_log();
    let folder = tempfile::tempdir().expect("a folder can be made");
    put(
        folder.path(),
        &segments.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let log = options().open(folder.path()).expect("the log opens");
    let head = log.head();
    drop(log);
    let newest = fs::read(folder.path().join(AUDIT_SEGMENT)).expect("it is there");
    let names = || {
        let mut names = audit_segments(folder.path()).expect("the folder is there");
        names.retain(|path| !path.ends_with(AUDIT_SEGMENT));
        names
    };
    let before = names();
    fs::remove_file(folder.path().join(AUDIT_SEGMENT)).expect("it is there");
    let expecting = || options().expect(Some(head.clone()));
    assert!(
        expecting()
            .open(folder.path())
            .is_err_and(|error| error.to_string().contains("cut, replaced or rewritten"))
    );
    assert_eq!(names(), before);
    fs::write(folder.path().join(AUDIT_SEGMENT), newest).expect("the folder is writable");
    assert!(expecting().open(folder.path()).is_ok());
    // Another name is another log; an operator who knows the reason continues.
    let other = || options().name(Some("other".to_owned()));
    assert!(
        other()
            .open(folder.path())
            .is_err_and(|error| error.to_string().contains(NAME))
    );
    drop(
        other()
            .accept_gap()
            .open(folder.path())
            .expect("the log opens"),
    );
    assert!(whole(folder.path()).contains("\"found_log\":"));
    assert!(other().open(folder.path()).is_ok());
}

/// Earlier versions listed the runs without an end only if there were any, and not if the disk was
/// full.
#[test]
fn runs_of_segments_without_a_list_are_looked_for_in_those_before() {
    let segments = real_log();
    let (mut sequence, mut previous) = (0, "0".repeat(64));
    let mut old = Vec::new();
    for segment in &segments {
        let mut text = String::new();
        for line in segment
            .lines()
            .filter(|line| !line.contains("\"event\":\"unfinished\""))
        {
            let end = line.find(",\"sequence\":").expect("a line has a number");
            let line = format!(
                "{},\"sequence\":{sequence},\"previous\":\"{previous}\"",
                &line[..end]
            );
            previous = Sha256::digest(&line)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            sequence += 1;
            text += &format!("{line},\"hash\":\"{previous}\"}}\n");
        }
        old.push(text);
    }
    for count in 1..=old.len() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        put(
            folder.path(),
            &old.iter()
                .take(count)
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        check(
            folder.path(),
            &format!("{count} segments of an earlier version"),
        );
    }
}
