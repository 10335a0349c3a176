//! Attacks on an audit log: is each detected by the chain, by a key, or by a head?

use super::*;

/// Writes a log of some runs, in small segments.
fn write(folder: &Path, key: Option<&AuditKey>, runs: usize) {
    fs::create_dir_all(folder).expect("a folder can be made");
    let log = AuditLogOptions::default()
        .key(key.cloned())
        .segments(1500)
        .open(folder)
        .expect("the log opens");
    let sandbox = Sandbox::builder()
        .guests(guests())
        .audit(Arc::new(log))
        .build()
        .expect("a sandbox can be made");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    for _ in 0..runs {
        runtime
            .block_on(sandbox.run(Request::new("python", "1")))
            .expect("the host works");
    }
}

/// The segments of a log that have records.
fn read(folder: &Path) -> Vec<String> {
    let paths = glovebox::audit_segments(folder).expect("the folder is there");
    paths
        .iter()
        .map(|path| fs::read_to_string(path).expect("a segment is text"))
        .filter(|text| !text.is_empty())
        .collect()
}

/// Puts segments into a folder, as a log.
fn put(folder: &Path, segments: &[String]) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).expect("a folder can be made");
    let mut start = 0;
    for (number, text) in segments.iter().enumerate() {
        let name = if number + 1 == segments.len() {
            "audit.jsonl".to_owned()
        } else {
            format!("audit-{start:020}.jsonl")
        };
        fs::write(folder.join(name), text).expect("the folder is writable");
        start += text.len();
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// A log and others that could take its place, as segments.
struct Logs {
    whole: Vec<String>,
    /// The log before its newest runs.
    copy: Vec<String>,
    /// The log of another service with the same key.
    theirs: Vec<String>,
    /// A log that an older key sealed.
    of_old_key: Vec<String>,
}

/// An attack on a log: its name, the log afterwards, whether its chain with the key detects it, and
/// whether the key with a head does.
type Attack = (&'static str, Vec<String>, bool, bool);

impl Logs {
    /// The log with one segment exchanged.
    fn with(&self, index: usize, text: String) -> Vec<String> {
        let mut segments = self.whole.clone();
        segments[index] = text;
        segments
    }

    /// Attacks within the log.
    fn changes(&self) -> Vec<Attack> {
        let Self { whole, theirs, .. } = self;
        let with = |index, text| self.with(index, text);
        let swapped = |text: &str| {
            let mut lines = lines(text);
            lines.swap(0, 1);
            lines.concat()
        };
        let exchanged = {
            let mut segments = whole.clone();
            segments.swap(1, 2);
            segments
        };
        let anew: Vec<String> = lines(&rechained(&whole.concat(), "local", "other"))
            .chunks(5)
            .map(<[String]>::concat)
            .collect();
        vec![
            (
                "a line was taken out",
                with(1, lines(&whole[1])[1..].concat()),
                true,
                true,
            ),
            (
                "lines were exchanged",
                with(1, swapped(&whole[1])),
                true,
                true,
            ),
            (
                "a line was repeated",
                with(1, whole[1].clone() + &lines(&whole[1])[0]),
                true,
                true,
            ),
            ("segments were exchanged", exchanged, true, true),
            (
                "a segment in the middle was taken out",
                [&whole[..1], &whole[2..]].concat(),
                true,
                true,
            ),
            (
                "the first segment was taken out",
                whole[1..].to_vec(),
                true,
                true,
            ),
            (
                "the log goes on with that of another service",
                [&whole[..2], &theirs[2..]].concat(),
                true,
                true,
            ),
            (
                "one segment is that of another service",
                with(2, theirs[2].clone()),
                true,
                true,
            ),
            ("it was written anew without the key", anew, true, true),
        ]
    }

    /// Attacks that cut the log or put another one in its place.
    fn replacements(&self) -> Vec<Attack> {
        let Self {
            whole,
            copy,
            theirs,
            of_old_key,
        } = self;
        let with = |index, text| self.with(index, text);
        let last = whole.len() - 1;
        vec![
            (
                "it is an older one with its older key",
                of_old_key.clone(),
                true,
                true,
            ),
            (
                "the end was cut within a line",
                with(last, whole[last][..whole[last].len() - 3].to_owned()),
                true,
                true,
            ),
            (
                "the end was cut between lines",
                with(last, lines(&whole[last])[..1].concat()),
                false,
                true,
            ),
            (
                "the last segment was taken out",
                whole[..last].to_vec(),
                false,
                true,
            ),
            ("it is an older copy", copy.clone(), false, true),
            ("it is that of another service", theirs.clone(), false, true),
            ("all is empty", vec![String::new()], false, true),
            ("there is nothing", Vec::new(), true, true),
        ]
    }
}

/// The detection of each attack on a log: by its chain alone, by a key, and by a head that was kept
/// elsewhere.
#[test]
fn each_attack_on_a_log_shows_where_it_can() {
    let place = tempfile::tempdir().expect("a folder can be made");
    let secrets = [
        "new-0123456789abcdef0123456789abcdef",
        "old-0123456789abcdef0123456789abcdef",
    ];
    let [key, old_key] =
        secrets.map(|secret| AuditKey::new(secret.as_bytes()).expect("it is long enough"));
    let [key_name, old_key_name] = ["key", "old"].map(|name| {
        let secret = secrets[usize::from(name == "old")];
        key_file(place.path(), name, secret)
    });
    // The log, an older copy of it, one of another service with the same key, and one that an older
    // key sealed.
    let [log, other, older] = ["log", "other", "older"].map(|name| place.path().join(name));
    write(&log, Some(&key), 5);
    let copy = read(&log);
    write(&log, Some(&key), 7);
    write(&other, Some(&key), 12);
    write(&older, Some(&old_key), 3);
    let logs = Logs {
        whole: read(&log),
        copy,
        theirs: read(&other),
        of_old_key: read(&older),
    };
    let last = logs.whole.len() - 1;
    assert!(last > 3 && logs.theirs.len() > 3, "{last}");
    let (by_key, kept) = (
        ["--key-file", &key_name],
        head(&log, &["--key-file", &key_name]),
    );
    for (what, segments, by_chain, by_head) in [logs.changes(), logs.replacements()].concat() {
        put(&log, &segments);
        let (is_whole, said) = verify(&log, &by_key);
        assert_eq!(!is_whole, by_chain, "{what}: {said}");
        let (is_whole, said) = verify(&log, &[&by_key[..], &["--expect", &kept]].concat());
        assert_eq!(!is_whole, by_head, "{what}: {said}");
    }
    // An older key proves only that it fits; the verifier has to have the key from elsewhere.
    put(&log, &read(&older));
    assert!(verify(&log, &["--key-file", &old_key_name]).0);
    assert!(!verify(&log, &["--key-file", &old_key_name, "--expect", &kept]).0);
    put(&log, &logs.whole);
    assert!(verify(&log, &[&by_key[..], &["--expect", &kept]].concat()).0);
}

/// An attacker with write access to the folder of a log, and without its key, can begin a segment.
#[test]
fn a_log_with_a_key_does_not_go_on_after_records_without_it() {
    let place = tempfile::tempdir().expect("a folder can be made");
    let log = place.path().join("log");
    let key = AuditKey::new(b"key-0123456789abcdef0123456789abcdef").expect("it is long enough");
    write(&log, Some(&key), 5);
    let whole = read(&log);
    let opened = |segments: &[String]| {
        put(&log, segments);
        let options = AuditLogOptions::default().key(Some(key.clone()));
        options.segments(1500).open(&log).map(drop)
    };
    let (newest, complete) = whole.split_last().expect("it has segments");
    let before = complete.last().and_then(|segment| segment.lines().last());
    let before: serde_json::Value =
        serde_json::from_str(before.expect("it has records")).expect("a line is JSON");
    let seal = before["hmac"].as_str().expect("it is sealed").to_owned();
    let forged = rechained_after(seal, newest, ("local", "victim"));
    assert!(forged.contains("victim"));
    let error = opened(&[complete, &[forged]].concat()).expect_err("it is forged");
    assert!(
        matches!(&error, ChainError::Broken { problem, .. } if problem.contains("key")),
        "{error}"
    );
    opened(&whole).expect("it is whole");
}
