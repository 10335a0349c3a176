//! Hostile packages: does an index full of archives that do harm reach anything?

use super::*;

/// An index with malicious archives, and a machine whose policy names it.
pub(crate) struct Hostile {
    pub(crate) machine: Machine,
    pub(crate) index: Server,
}

/// The archives of the index, built once.
pub(crate) static ARCHIVES: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("archives");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder is writable");
    let made = Command::new("python3")
        .arg(root().join("tests/clients/make_wheels.py"))
        .args([&folder, &canaries()])
        .output();
    let made = made.expect("python3 is there");
    assert!(made.status.success(), "{}", text(&made.stderr));
    folder
});

/// A page of 2 GiB, compressed.
pub(crate) static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    const MAKE: &str = "import sys, zlib\n\
        z = zlib.compressobj(1, wbits=31)\n\
        for _ in range(1 << 11): sys.stdout.buffer.write(z.compress(b'<a href=\"x\">x</a>\\n' * 58254))\n\
        sys.stdout.buffer.write(z.flush())";
    let made = Command::new("python3")
        .args(["-c", MAKE])
        .output()
        .expect("there is Python");
    assert!(made.status.success(), "{}", text(&made.stderr));
    made.stdout
});

/// The folder in which code that runs or escapes leaves its mark.
pub(crate) fn canaries() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("canaries")
}

impl Hostile {
    pub(crate) fn new(rules: &str) -> Self {
        // Building them takes longer than the timeout of an index.
        LazyLock::force(&ARCHIVES);
        let mut machine = Machine::new();
        let authority = Authority::new();
        let index = Server::start_tls(&authority, &["127.0.0.1"], serve);
        let trusted = machine.write("trusted.pem", authority.pem());
        machine
            .environment
            .push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.packages.python]\nindex = \"{}\"\n{rules}\n\
             [profiles.t.packages.javascript]\nallow = [\"*\"]\nindex = \"{}\"\n",
            index.url("/simple/"),
            index.url("/npm/")
        );
        machine.write("policy.toml", &policy);
        Self { machine, index }
    }

    pub(crate) fn outcome(&self, package: &str, source: &str) -> Output {
        self.machine.write("main.py", source);
        self.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.py",
        ])
    }
}

/// A simple index (PEP 503): a page for each package with links to its archives.
pub(crate) fn serve(request: &Received) -> Vec<u8> {
    let path = request
        .line
        .trim_start_matches("GET ")
        .trim_start_matches("HEAD ");
    if let Some(file) = path.strip_prefix("/files/") {
        match file {
            // The connection stays open, and nothing is sent.
            "stalls-1.0-py3-none-any.whl" => loop {
                std::thread::park();
            },
            "stalls-1.0-py3-none-any.whl.metadata" => {
                return answer(
                    "200 OK",
                    &[],
                    b"Metadata-Version: 2.1\nName: stalls\nVersion: 1.0\n",
                );
            }
            _ => {}
        }
        return match std::fs::read(ARCHIVES.join(file)) {
            Ok(content) => answer(
                "200 OK",
                &[("Content-Type", "application/octet-stream")],
                &content,
            ),
            Err(_) => answer("404 Not Found", &[], b""),
        };
    }
    if let Some(asked) = path.strip_prefix("/npm/") {
        return serve_npm(request, asked);
    }
    let name = path.trim_start_matches("/simple/").trim_end_matches('/');
    if name == "silent" {
        // The connection stays open, and nothing is sent.
        loop {
            std::thread::park();
        }
    }
    if name.starts_with("bomb-") {
        return answer(
            "200 OK",
            &[("Content-Type", "text/html"), ("Content-Encoding", "gzip")],
            &BOMB,
        );
    }
    let mut page = String::new();
    if name == "stalls" {
        let digest = "0".repeat(64);
        page += &format!(
            "<a href=\"/files/stalls-1.0-py3-none-any.whl#sha256={digest}\" data-core-metadata=\"true\">stalls-1.0-py3-none-any.whl</a>\n"
        );
    }
    for entry in std::fs::read_dir(&*ARCHIVES)
        .expect("the archives are there")
        .flatten()
    {
        let file = entry.file_name().into_string().expect("our own names");
        if file.split('-').next().unwrap_or_default().replace('_', "-") == name {
            let content = std::fs::read(entry.path()).expect("the archives are there");
            let digest = if name == "lies" {
                "0".repeat(64)
            } else {
                sha256(&content)
            };
            page += &format!("<a href=\"/files/{file}#sha256={digest}\">{file}</a>\n");
        }
    }
    match page.is_empty() {
        true => answer("404 Not Found", &[], b""),
        false => answer(
            "200 OK",
            &[("Content-Type", "text/html")],
            format!("<!DOCTYPE html><html><body>{page}</body></html>").as_bytes(),
        ),
    }
}

/// An npm registry: package metadata and archives.
pub(crate) fn serve_npm(request: &Received, asked: &str) -> Vec<u8> {
    let archive = asked.strip_prefix("-/");
    let file = archive.map_or_else(
        || {
            asked
                .replace("%2f", "-")
                .replace("%2F", "-")
                .replace('/', "-")
                .trim_start_matches('@')
                .to_owned()
                + ".json"
        },
        str::to_owned,
    );
    let Ok(content) = std::fs::read(ARCHIVES.join("npm").join(file)) else {
        return answer("404 Not Found", &[], b"{}");
    };
    match archive {
        Some(_) => answer(
            "200 OK",
            &[("Content-Type", "application/octet-stream")],
            &content,
        ),
        None => {
            let page = text(&content).replace("HOST", request.header("host").unwrap_or_default());
            answer(
                "200 OK",
                &[("Content-Type", "application/json")],
                page.as_bytes(),
            )
        }
    }
}

pub(crate) fn sha256(content: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[test]
fn the_policy_decides_which_packages_and_versions() {
    let hostile = Hostile::new("allow = [\"good==1.*\", \"needs-bad\"]\ndeny = [\"bad\"]");
    let output = hostile.outcome("good", "import good\nprint(good.version)");
    assert_eq!(
        text(&output.stdout),
        "1.1\n",
        "the newest that is allowed: {}",
        text(&output.stderr)
    );
    for (package, exit) in [
        // A denied package is not even looked up, however it is spelled.
        ("goood", 126),
        ("git+https://127.0.0.1/x", 126),
        ("x @ https://127.0.0.1/x.whl", 126),
        ("file:///etc/passwd", 126),
        ("--extra-index-url=https://127.0.0.1/", 126),
        ("good; import os", 126),
    ] {
        let before = hostile.index.received().len();
        let output = hostile.outcome(package, "print('ran')");
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(exit), ""),
            "{package}: {}",
            text(&output.stderr)
        );
        assert_eq!(hostile.index.received().len(), before, "{package}");
    }
    let output = hostile.outcome("good==2.0", "print('ran')");
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(126), ""),
        "{}",
        text(&output.stderr)
    );
    let output = hostile.outcome("needs-bad", "print('ran')");
    assert_eq!(
        (output.status.code(), text(&output.stdout).as_str()),
        (Some(126), ""),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr).contains("`bad` is denied"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        hostile.machine.trees(),
        1,
        "nothing of what was refused is kept"
    );
}

#[test]
fn packages_run_only_in_the_sandbox_and_stay_in_their_folder() {
    let hostile = Hostile::new("allow = [\"*\"]");
    let _ = std::fs::remove_dir_all(canaries());
    std::fs::create_dir_all(canaries()).expect("the folder is writable");
    // The name, and the exit code: 126 if there is nothing to install, 125 if it is unusable.
    for (package, codes) in [
        ("builds", [126, 126]),
        // In a container, if there is one.
        ("only-native", [126, 0]),
        // Not the older version that is pure Python.
        ("older-pure", [126, 0]),
        ("lies", [125, 125]),
        ("slips", [125, 0]),
        ("climbs", [125, 0]),
        ("links", [125, 0]),
        ("swells", [125, 125]),
    ] {
        let (before, bytes) = (hostile.machine.trees(), hostile.machine.kept());
        let output = hostile.outcome(package, "print('ran')");
        assert!(
            codes.contains(&output.status.code().unwrap_or(-1)),
            "{package}: {:?} {}",
            output.status.code(),
            text(&output.stderr)
        );
        if output.status.code() != Some(0) {
            assert_eq!(text(&output.stdout), "", "{package}");
            assert_eq!(hostile.machine.trees(), before, "{package} must not stay");
            let kept = hostile.machine.kept();
            assert!(
                kept < bytes + (64 << 10),
                "{package}: {bytes} bytes became {kept}"
            );
        }
        let work = hostile.machine.path("cache/packages/work");
        assert_eq!(
            std::fs::read_dir(work).map_or(0, Iterator::count),
            0,
            "{package} leaves something behind"
        );
    }
    // Code that runs when an interpreter starts, or on import, does so in the sandbox alone.
    let output = hostile.outcome("starts", "import starts\nprint('ran')");
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    let output = hostile.outcome("bad", "import bad\nprint('ran')");
    assert_eq!(text(&output.stdout), "ran\n", "{}", text(&output.stderr));
    let marks: Vec<_> = std::fs::read_dir(canaries())
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(marks.is_empty(), "{marks:?}");
    // A package tree is shared, so it is read-only.
    let output = hostile.outcome("good", "import good\nopen(good.__file__, 'w')");
    assert_ne!(output.status.code(), Some(0));
    let output = hostile.outcome("good", "import os, good\nos.remove(good.__file__)");
    assert_ne!(output.status.code(), Some(0));
    assert_eq!(
        text(
            &hostile
                .outcome("good", "import good\nprint(good.version)")
                .stdout
        ),
        "2.0\n"
    );
}

#[test]
fn npm_packages_are_taken_by_strong_digests_and_unpacked_within_bounds() {
    let hostile = Hostile::new("allow = [\"*\"]");
    let run = |package: &str| {
        hostile
            .machine
            .write("main.cjs", &format!("console.log(require({package:?}));"));
        hostile.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.cjs",
        ])
    };
    for package in ["plain", "@own/scoped", "mixed"] {
        let output = run(package);
        assert_eq!(
            text(&output.stdout),
            "there\n",
            "{package}: {}",
            text(&output.stderr)
        );
    }
    let (trees, bytes) = (hostile.machine.trees(), hostile.machine.kept());
    for (package, why) in [
        ("only-shasum", "SHA-1"),
        ("only-sha1", "SHA-1"),
        ("only-md5", "SHA-1"),
        ("lies", "digest"),
        ("lies-strongly", "digest"),
        ("swells", "more than"),
        ("climbs", "leads elsewhere"),
        ("many-names", "more than"),
    ] {
        let output = run(package);
        let complaint = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(125), ""),
            "{package}: {complaint}"
        );
        assert!(
            complaint.contains(why) && complaint.contains(package),
            "{package}: {complaint}"
        );
        assert_eq!(hostile.machine.trees(), trees, "{package} must not stay");
        let kept = hostile.machine.kept();
        assert!(
            kept < bytes + (64 << 10),
            "{package}: {bytes} bytes became {kept}"
        );
        assert_eq!(
            std::fs::read_dir(hostile.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
}

/// An index that never responds, or never sends an archive, takes the request's own time, and no
/// more; and nothing of it is left.
#[test]
fn preparing_packages_ends_with_the_time_of_the_request() {
    let hostile = Hostile::new("allow = [\"*\"]");
    hostile.machine.write("main.py", "print('ran')");
    for (package, wall) in [("silent", 2), ("stalls", 6)] {
        let began = std::time::Instant::now();
        let arguments = [
            "run",
            "--json",
            "--policy",
            "policy.toml",
            "--wall",
            &format!("{wall}s"),
            &format!("--package={package}"),
            "main.py",
        ];
        let output = hostile.machine.glovebox(&arguments);
        let outcome: serde_json::Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
        assert_eq!(
            (&outcome["status"], &outcome["limit"]),
            (&"limited".into(), &"wall".into()),
            "{package}: {outcome}"
        );
        assert!(
            outcome["usage"]["wall_ms"].as_f64() >= Some(f64::from(wall) * 1000.0),
            "{package}: {outcome}"
        );
        assert!(
            began.elapsed() < std::time::Duration::from_secs(30),
            "{package}: the index decides how long it takes"
        );
        assert_eq!(
            std::fs::read_dir(hostile.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
}

/// Returns the resident memory of all resolvers of a service.
pub(crate) fn resolving(service: u32) -> u64 {
    let read = |process: &Path, file: &str| {
        std::fs::read_to_string(process.join(file)).unwrap_or_default()
    };
    let number = |text: &str, at: usize| {
        text.split(' ')
            .nth(at)
            .and_then(|number| number.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let processes = std::fs::read_dir("/proc")
        .expect("there are processes")
        .flatten()
        .map(|entry| entry.path());
    let resolvers = processes.filter(|process| {
        let stat = read(process, "stat");
        stat.contains("(uv) ")
            && stat
                .rsplit_once(") ")
                .is_some_and(|(_, rest)| number(rest, 1) == u64::from(service))
    });
    resolvers
        .map(|process| number(&read(&process, "statm"), 1) * 4096)
        .sum()
}

/// The peak of the memory of a service's resolvers while `ask` runs.
pub(crate) fn peak_of_resolvers(service: &Service, ask: impl FnOnce()) -> u64 {
    let (over, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(resolving(service.process()), Ordering::Relaxed);
                std::thread::yield_now();
            }
        });
        ask();
        over.store(true, Ordering::Relaxed);
    });
    peak.into_inner()
}

/// Resolvers take their memory from the one of the service, `limits.memory`, whatever an index
/// sends them.
#[test]
fn resolvers_of_all_subjects_have_no_more_memory_than_the_service() {
    LazyLock::force(&BOMB);
    let hostile = Hostile::new("allow = [\"*\"]");
    let folder = Arc::new(tempfile::tempdir().expect("a folder can be made"));
    let policy = hostile.machine.path("policy.toml");
    let config = format!(
        "policy = {policy:?}\n[limits]\nmemory = \"256MiB\"\n[containers]\nenabled = false\n"
    );
    let environment: Vec<_> = hostile
        .machine
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let service = Service::start_with(&folder, &config, Access::Keys, &environment);
    let keys: Vec<String> = ["a", "b", "c"]
        .iter()
        .map(|name| service.make_key(&[name]))
        .collect();
    let run_in = |language: &str, key: &str, package: &str| {
        let body = serde_json::json!({ "language": language, "source": "print('ran')", "packages": [package] }).to_string();
        let bearer = format!("Bearer {key}");
        service.send(
            "POST",
            RUN,
            &[
                ("Authorization", &bearer),
                ("Content-Type", "application/json"),
            ],
            body.as_bytes(),
        )
    };
    let run = |key: &str, package: &str| run_in("python", key, package);
    let peak = peak_of_resolvers(&service, || {
        let answers: Vec<_> = std::thread::scope(|scope| {
            let asking: Vec<_> = keys
                .iter()
                .zip(["bomb-a", "bomb-b", "bomb-c"])
                .map(|(key, package)| scope.spawn(|| run(key, package)))
                .collect();
            asking.into_iter().map(|asking| asking.join()).collect()
        });
        for answer in answers {
            let answer = answer.expect("it is answered").text();
            assert!(answer.contains("limits.memory"), "{answer}");
        }
    });
    // Each is looked at every 20 ms, and a page fills memory meanwhile.
    assert!((1..448 << 20).contains(&peak), "{} MiB", peak >> 20);
    // An ordinary resolution has enough of it, and everything was given back.
    for key in &keys {
        let answer = run(key, "good");
        assert_eq!(
            (answer.status, &answer.json()["stdout"]),
            (200, &"ran\n".into()),
            "{}",
            answer.text()
        );
    }
    // npm needs more than one of them may have, and is not started.
    let asked = hostile.index.received().len();
    let refused = run_in("javascript", &keys[0], "good");
    assert_eq!(
        refused.problem(),
        (503, "memory_exhausted".to_owned()),
        "{}",
        refused.text()
    );
    assert!(
        refused.text().contains("limits.memory_per_subject"),
        "{}",
        refused.text()
    );
    assert_eq!(hostile.index.received().len(), asked);
}
