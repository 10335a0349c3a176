//! Memory limit of the service: does it hold for any requests of its clients, while other clients are still served?
//!
//! The oracle is outside the service: a cgroup around it, of version 1 or 2, whichever can be created, with a limit above `limits.memory`.
//! If none can be created, the peak of its resident memory.

use base64::Engine as _;
use glovebox_tests::place::eventually;
use glovebox_tests::server::{self, Server};
use glovebox_tests::service::{Answer, RUN, Service, TREES, python};
use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const SESSIONS: &str = "/v1/sessions";

/// The service's memory limit, and the lower `limits.memory` that it hands out. The difference is its own overhead.
const LIMIT: u64 = 1 << 30;
const MEMORY: &str = "600MiB";

/// A cgroup around a process.
struct Cgroup {
    folder: PathBuf,
    is_second: bool,
}

impl Cgroup {
    fn around(process: u32, limit: u64) -> Option<Self> {
        for (root, file) in [
            ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            ("/sys/fs/cgroup", "memory.max"),
        ] {
            let folder = PathBuf::from(root).join(format!("glovebox-test-{process}"));
            let cgroup = Self {
                folder,
                is_second: file == "memory.max",
            };
            if fs::create_dir(&cgroup.folder).is_ok()
                && fs::write(cgroup.folder.join(file), limit.to_string()).is_ok()
                && fs::write(cgroup.folder.join("cgroup.procs"), process.to_string()).is_ok()
            {
                return Some(cgroup);
            }
        }
        None
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap_or_default()
    }

    /// Returns the peak memory by the kernel's count, less the page cache, which the kernel reclaims under pressure.
    fn peak(&self) -> Option<u64> {
        let (file, cache) = if self.is_second {
            ("memory.peak", "file ")
        } else {
            ("memory.max_usage_in_bytes", "cache ")
        };
        let peak: u64 = self.read(file).trim().parse().ok()?;
        let stat = self.read("memory.stat");
        let number = |key: &str| {
            stat.lines()
                .find_map(|line| line.strip_prefix(key)?.trim().parse::<u64>().ok())
                .unwrap_or(0)
        };
        Some(peak.saturating_sub(number(cache).saturating_sub(number("shmem "))))
    }

    /// Returns the number of OOM kills.
    fn kills(&self) -> u64 {
        let (file, key) = if self.is_second {
            ("memory.events", "oom_kill ")
        } else {
            ("memory.oom_control", "oom_kill ")
        };
        self.read(file)
            .lines()
            .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
            .unwrap_or(0)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Returns the peak resident memory of a process.
fn peak(process: u32) -> u64 {
    let status =
        fs::read_to_string(format!("/proc/{process}/status")).expect("the service is alive");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("the kernel says so");
    line.trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .expect("a number")
        << 10
}

fn with_limits(limits: &str, policy: &str) -> Service {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let path = folder.path().join("policy.toml");
    fs::write(&path, policy).expect("the folder is writable");
    Service::start(
        &folder,
        &format!("policy = {path:?}\n[limits]\n{limits}\n[containers]\nenabled = false\n"),
        false,
    )
}

fn policy(port: u16) -> String {
    format!(
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\nextends = \"default\"\n[profiles.p.network]\n\
         private_ranges = [\"127.0.0.0/8\"]\nresponse = \"16MiB\"\ntimeout = \"30s\"\n[[profiles.p.network.allow]]\nhost = \"127.0.0.1\"\n\
         schemes = [\"http\"]\nports = [{port}]\nmethods = [\"GET\"]\npaths = [\"/\"]\n"
    )
}

fn post(service: &Service, key: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    service.send(
        "POST",
        path,
        &[
            ("Authorization", &bearer),
            ("Content-Type", "application/json"),
        ],
        body.to_string().as_bytes(),
    )
}

/// Sends a body that stops short of its end.
fn unfinished(service: &Service, key: &str, size: usize, sent: usize) -> TcpStream {
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n",
        service.address()
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let piece = vec![b' '; 1 << 20];
    for _ in 0..sent >> 20 {
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    stream
}

fn session(service: &Service, key: &str) -> Option<String> {
    let answer = post(service, key, SESSIONS, &json!({ "language": "python" }));
    (answer.status == 201).then(|| {
        format!(
            "{SESSIONS}/{}",
            answer.json()["id"].as_str().expect("it has a name")
        )
    })
}

/// Sends a request whose response is never read.
fn unread(service: &Service, key: &str, path: &str) -> TcpStream {
    service.begin(
        "GET",
        path,
        &[("Authorization", &format!("Bearer {key}"))],
        b"",
    )
}

/// Runs a program with megabytes of output to its end, to be followed; `None` if there was no room for it.
fn loud(service: &Service, key: &str) -> Option<String> {
    let body = python("import sys\nfor i in range(7):\n    sys.stdout.write('\x01' * (1 << 20))")
        .to_string();
    let bearer = format!("Bearer {key}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let begun = service.send("POST", RUN, &headers, body.as_bytes());
    let id = (begun.status == 202).then(|| {
        begun.json()["id"]
            .as_str()
            .expect("it has a name")
            .to_owned()
    })?;
    eventually(Duration::from_secs(60), "it ends", || {
        let known = get(service, key, &format!("{RUN}/{id}"));
        known.status != 200
            || !["queued", "running"].contains(&known.json()["status"].as_str().unwrap_or_default())
    });
    Some(id)
}

fn get(service: &Service, key: &str, path: &str) -> Answer {
    service.send(
        "GET",
        path,
        &[("Authorization", &format!("Bearer {key}"))],
        b"",
    )
}

fn evaluate(service: &Service, key: &str, session: &str, source: &str) -> Answer {
    post(
        service,
        key,
        &format!("{session}/executions"),
        &json!({ "source": source }),
    )
}

#[test]
fn hostile_tenants_together_do_not_take_more_than_there_is() {
    let large = vec![b'x'; 15 << 20];
    let server = Server::start(move |_| server::answer("200 OK", &[], &large));
    let service = with_limits(
        &format!("memory = \"{MEMORY}\"\nmemory_per_subject = \"250MiB\""),
        &policy(server.port()),
    );
    let cgroup = Cgroup::around(service.process(), LIMIT);
    let names = [
        "bodies", "calls", "trees", "sessions", "runs", "canary", "files", "events",
    ];
    let keys: Vec<String> = names.iter().map(|name| service.make_key(&[name])).collect();
    let [bodies, calls, trees, sessions, runs, canary, files, events] = keys.as_slice() else {
        panic!("eight keys")
    };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let small = scope.spawn(|| {
            let mut answered = 0;
            while !over.load(Ordering::Relaxed) {
                let answer = post(&service, canary, RUN, &python("print(6 * 7)"));
                assert_eq!(
                    (answer.status, answer.json()["stdout"].as_str()),
                    (200, Some("42\n")),
                    "{}",
                    answer.text()
                );
                answered += 1;
            }
            answered
        });
        let hostile = [
            scope.spawn(|| {
                let streams: Vec<_> = (0..30).map(|_| unfinished(&service, bodies, 31 << 20, 30 << 20)).collect();
                std::thread::sleep(Duration::from_secs(5));
                drop(streams);
            }),
            scope.spawn(|| {
                let source = format!(
                    "for (let i = 0; i < 60; i++) fetch('http://127.0.0.1:{}/' + i).catch(() => {{}});\n\
                     await null; const t = Date.now(); while (Date.now() - t < 6000) {{}}",
                    server.port()
                );
                let body = json!({ "language": "javascript", "source": source, "limits": { "memory_bytes": 128 << 20 } });
                std::thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| post(&service, calls, RUN, &body));
                    }
                });
            }),
            scope.spawn(|| {
                let file = json!([{ "path": "x", "content": "x".repeat(3 << 20) }]);
                let mut tasks = vec![json!({ "name": "a", "execution": python("import time; time.sleep(4)") })];
                let late = |at| json!({ "name": format!("t{at}"), "after": ["a"], "execution": { "language": "python", "source": "1", "files": file } });
                tasks.extend((0..9).map(late));
                let body = json!({ "tasks": tasks }).to_string();
                let bearer = format!("Bearer {trees}");
                let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), ("Prefer", "respond-async")];
                let send = || service.send("POST", TREES, &headers, body.as_bytes());
                let mut taken = 0;
                eventually(Duration::from_secs(60), "a tree is taken", || {
                    // Other tenants have memory available at first. Each refused client gets a reason, and a time to retry.
                    let answers: Vec<_> = (0..6).map(|_| send()).collect();
                    for refused in answers.iter().filter(|answer| answer.status != 202) {
                        assert!(["memory_quota", "memory_exhausted"].contains(&refused.problem().1.as_str()), "{}", refused.text());
                        assert!(!refused.header("retry-after").is_empty());
                    }
                    taken += answers.iter().filter(|answer| answer.status == 202).count();
                    taken > 0
                });
            }),
            scope.spawn(|| {
                for _ in 0..8 {
                    let Some(session) = session(&service, sessions) else { continue };
                    let _ = evaluate(&service, sessions, &session, "x = bytearray(100 << 20)");
                }
            }),
            scope.spawn(|| {
                std::thread::scope(|scope| {
                    for _ in 0..8 {
                        let body = python("import time\nx = bytearray(120 << 20)\ntime.sleep(3)");
                        scope.spawn(|| {
                            let body = body;
                            post(&service, runs, RUN, &body)
                        });
                    }
                });
            }),
        ];
        let more = [
            scope.spawn(|| {
                // Files of a session and artifacts, fetched by clients that do not read.
                let session = session(&service, files);
                if let Some(session) = &session {
                    let _ = evaluate(&service, files, session, "open('f', 'wb').write(bytes(40 << 20))");
                }
                let body = json!({ "language": "python", "source": "open('x', 'wb').write(bytes(40 << 20))", "artifacts": ["*"] });
                let ids: Vec<String> = std::thread::scope(|scope| {
                    let runs: Vec<_> = (0..8).map(|_| scope.spawn(|| post(&service, files, RUN, &body))).collect();
                    let answers = runs.into_iter().filter_map(|run| run.join().ok()).filter(|answer| answer.status == 200);
                    answers.filter_map(|answer| answer.json()["id"].as_str().map(str::to_owned)).collect()
                });
                let paths =
                    ids.iter().map(|id| format!("{RUN}/{id}/artifacts/x")).chain(session.map(|session| format!("{session}/files/f")));
                let streams: Vec<_> =
                    paths.flat_map(|path| std::iter::repeat_n(path, 6)).map(|path| unread(&service, files, &path)).collect();
                std::thread::sleep(Duration::from_secs(4));
                drop(streams);
            }),
            scope.spawn(|| {
                // Large output that is followed, and fetched, by clients that do not read.
                let ids: Vec<String> = (0..8).filter_map(|_| loud(&service, events)).collect();
                let paths = ids.iter().flat_map(|id| [format!("{RUN}/{id}/events"), format!("{RUN}/{id}")]);
                let streams: Vec<_> =
                    paths.flat_map(|path| std::iter::repeat_n(path, 6)).map(|path| unread(&service, events, &path)).collect();
                std::thread::sleep(Duration::from_secs(4));
                drop(streams);
            }),
        ];
        let ended: Vec<_> = hostile
            .into_iter()
            .chain(more)
            .map(std::thread::ScopedJoinHandle::join)
            .collect();
        over.store(true, Ordering::Relaxed);
        assert!(
            small
                .join()
                .expect("every small run of another tenant is answered")
                > 3
        );
        assert!(ended.iter().all(Result::is_ok));
    });
    let peak = peak(service.process());
    assert!(peak < LIMIT, "{} MiB", peak >> 20);
    if let Some(cgroup) = &cgroup {
        assert_eq!(cgroup.kills(), 0);
        // Old kernels with cgroup version 2 do not report it.
        if let Some(peak) = cgroup.peak() {
            assert!(peak < LIMIT, "{} MiB", peak >> 20);
            eprintln!(
                "the cgroup had {} MiB at the most, without what is cached",
                peak >> 20
            );
        }
    }
    // Their memory is free again.
    let large = json!({ "language": "python", "source": "x = bytearray(150 << 20)\nlen(x)" });
    for key in [calls, runs, bodies] {
        eventually(Duration::from_secs(30), "memory is given back", || {
            let answer = post(&service, key, RUN, &large);
            answer.status == 200 && answer.json()["status"] == "succeeded"
        });
    }
    eprintln!(
        "the service took {} MiB at the most; a cgroup was around it: {}",
        peak >> 20,
        cgroup.is_some()
    );
    // Dropped before its cgroup, which can only be removed when it is empty.
    drop(service);
}

#[test]
fn a_run_that_takes_no_answers_does_not_hold_them() {
    let large = vec![b'x'; 15 << 20];
    let server = Server::start(move |_| server::answer("200 OK", &[], &large));
    let service = with_limits("", &policy(server.port()));
    let key = service.make_key(&["a"]);
    let run = |source: String| {
        let body = json!({ "language": "javascript", "source": source, "limits": { "memory_bytes": 400 << 20 } });
        post(&service, &key, RUN, &body).json()
    };
    assert_eq!(run("1".to_owned())["status"], "succeeded");
    let before = peak(service.process());
    let url = format!("http://127.0.0.1:{}/", server.port());
    let outcome = run(format!(
        "for (let i = 0; i < 60; i++) fetch('{url}' + i).catch(() => {{}});\nawait null; const t = Date.now(); while (Date.now() - t < 5000) {{}}"
    ));
    let rise = peak(service.process()).saturating_sub(before);
    assert!(rise < 300 << 20, "{} MiB: {outcome}", rise >> 20);
    // A program that reads its responses gets all of them, even if they do not fit into memory at once.
    let outcome = run(format!(
        "let sum = 0;\nawait Promise.all([0, 1, 2, 3].map(async (i) => {{ const body = await (await fetch('{url}' + i)).arrayBuffer(); sum += body.byteLength; }}));\nconsole.log(sum);"
    ));
    assert_eq!(
        outcome["stdout"],
        format!("{}\n", 4 * (15 << 20)),
        "{outcome}"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_setting_and_what_does_is_served() {
    let service = with_limits(
        "memory = \"500MiB\"\nmemory_per_subject = \"350MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    // A large body that is allowed, and a large run.
    let body = json!({ "language": "python", "source": "len(open('x').read())", "files": [{ "path": "x", "content": "x".repeat(25 << 20) }] });
    let answer = post(&service, &a, RUN, &body);
    assert_eq!(
        (answer.status, &answer.json()["value"]["json"]),
        (200, &json!(25 << 20)),
        "{}",
        answer.text()
    );
    let answer = post(
        &service,
        &a,
        RUN,
        &python("x = bytearray(200 << 20)\nlen(x)"),
    );
    assert_eq!(answer.json()["status"], "succeeded", "{}", answer.text());
    // Unfinished bodies reserve the length that they announced.
    let held: Vec<_> = (0..5)
        .map(|_| unfinished(&service, &a, 31 << 20, 1 << 20))
        .collect();
    eventually(Duration::from_secs(10), "they are being read", || {
        post(&service, &a, RUN, &body).status == 429
    });
    let answer = post(&service, &a, RUN, &body);
    assert_eq!(answer.problem(), (429, "memory_quota".to_owned()));
    assert!(
        answer.text().contains("limits.memory_per_subject")
            && !answer.header("retry-after").is_empty(),
        "{}",
        answer.text()
    );
    assert_eq!(post(&service, &b, RUN, &python("1")).status, 200);
    drop(held);
    eventually(Duration::from_secs(10), "they are given back", || {
        post(&service, &a, RUN, &body).status == 200
    });
    // Chunked, without an announced length.
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {a}\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        service.address()
    );
    let text = python("print(1)").to_string();
    stream
        .write_all(format!("{head}{:x}\r\n{text}\r\n0\r\n\r\n", text.len()).as_bytes())
        .expect("the service reads");
    assert_eq!(
        glovebox_tests::service::read(&mut stream).json()["stdout"],
        "1\n"
    );
}

#[test]
fn idle_sessions_give_way_and_say_so() {
    let service = with_limits(
        "memory = \"600MiB\"\nmemory_per_subject = \"400MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let (a, b) = (service.make_key(&["a"]), service.make_key(&["b"]));
    // A session that is used again and again stays.
    let kept = session(&service, &a).expect("there is room");
    for at in 0..20 {
        let answer = evaluate(
            &service,
            &a,
            &kept,
            &format!("n = {at} if {at} == 0 else n + 1\nprint(n)"),
        );
        assert_eq!(
            answer.json()["stdout"],
            format!("{at}\n"),
            "{}",
            answer.text()
        );
    }
    let fill = |session: &str| evaluate(&service, &a, session, "x = bytearray(150 << 20)").json();
    let first = session(&service, &a).expect("there is room");
    assert_eq!(fill(&first)["status"], "succeeded");
    let second = session(&service, &a).expect("there is room");
    assert_eq!(fill(&second)["status"], "succeeded");
    assert_eq!(
        evaluate(&service, &a, &kept, "print(n)").json()["stdout"],
        "19\n"
    );
    // A third one does not fit: the least recently used one is evicted (LRU).
    let third = session(&service, &a).expect("there is room");
    assert_eq!(fill(&third)["status"], "succeeded");
    let answer = evaluate(&service, &a, &first, "1");
    assert_eq!(answer.problem(), (409, "ended".to_owned()));
    assert!(answer.text().contains("limits.memory"), "{}", answer.text());
    assert_eq!(
        evaluate(&service, &a, &kept, "print(n)").json()["stdout"],
        "19\n"
    );
    // Another tenant below its share has room made for it as well, and learns nothing of the evicted session.
    let answer = post(
        &service,
        &b,
        RUN,
        &python("x = bytearray(260 << 20)\nlen(x)"),
    );
    assert_eq!(answer.json()["status"], "succeeded", "{}", answer.text());
    assert_eq!(
        evaluate(&service, &b, &first, "1").problem(),
        (404, "not_found".to_owned())
    );
    // A run that does not fit fails with the service's limit.
    let answer = post(
        &service,
        &b,
        RUN,
        &json!({ "language": "python", "source": "x = bytearray(450 << 20)" }),
    );
    let outcome = answer.json();
    assert_eq!(
        (&outcome["status"], &outcome["limit"]),
        (&json!("limited"), &json!("memory")),
        "{outcome}"
    );
    assert!(
        outcome["crash"]
            .as_str()
            .is_some_and(|why| why.contains("limits.memory_per_subject")),
        "{outcome}"
    );
}

/// The memory of a request may cost an idle session, but never the one that the request is for.
#[test]
fn uploads_do_not_end_the_session_that_they_are_for() {
    let service = with_limits(
        "memory = \"300MiB\"\nbody = \"32MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let key = service.make_key(&["a"]);
    let session = session(&service, &key).expect("there is room");
    assert_eq!(
        evaluate(&service, &key, &session, "n = 42").json()["status"],
        "succeeded"
    );
    let bearer = format!("Bearer {key}");
    let content = vec![7_u8; 24 << 20];
    let put = |at: usize| {
        service
            .send(
                "PUT",
                &format!("{session}/files/f{at}"),
                &[("Authorization", &bearer)],
                &content,
            )
            .status
    };
    for round in 0..3 {
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let puts: Vec<_> = (0..8).map(|at| scope.spawn(move || put(at))).collect();
            puts.into_iter()
                .map(|put| put.join().expect("it is answered"))
                .collect()
        });
        assert!(
            statuses
                .iter()
                .all(|status| [204, 409, 422, 429, 503].contains(status)),
            "{round}: {statuses:?}"
        );
    }
    assert_eq!(
        evaluate(&service, &key, &session, "print(n)").json()["stdout"],
        "42\n"
    );
}

#[test]
fn files_of_sessions_are_read_in_parts_and_listed_in_pages() {
    let service = with_limits(
        "memory = \"600MiB\"\nmemory_per_subject = \"150MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let key = service.make_key(&["a"]);
    let session = session(&service, &key).expect("there is room");
    let source = "with open('large', 'wb') as file:\n    for i in range(40):\n        file.write(bytes([i]) * (1 << 20))\n\
        import os\nos.mkdir('many')\nfor i in range(1500):\n    open(f'many/{i:04}' + '\\x01' * 200, 'w').close()";
    let made = evaluate(&service, &key, &session, source).json();
    assert_eq!(made["status"], "succeeded", "{made}");
    let bearer = format!("Bearer {key}");
    let part = |range: &str| {
        service.send(
            "GET",
            &format!("{session}/files/large"),
            &[("Authorization", &bearer), ("Range", range)],
            b"",
        )
    };
    let whole = get(&service, &key, &format!("{session}/files/large"));
    assert_eq!((whole.status, whole.body.len()), (200, 40 << 20));
    assert!(
        whole
            .body
            .chunks(1 << 20)
            .enumerate()
            .all(|(at, piece)| piece.iter().all(|byte| usize::from(*byte) == at))
    );
    let middle = part("bytes=1048570-1048580");
    assert_eq!(
        (middle.status, middle.header("content-range")),
        (206, "bytes 1048570-1048580/41943040")
    );
    assert_eq!(middle.body, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    assert_eq!(part("bytes=41943040-").status, 416);
    // All of a directory, page by page.
    let mut names = Vec::new();
    let mut after = String::new();
    loop {
        let page = get(
            &service,
            &key,
            &format!("{session}/files?path=many&limit=700{after}"),
        );
        let page = page.json();
        let files = page["files"].as_array().expect("a list");
        assert!(files.len() <= 700);
        names.extend(
            files
                .iter()
                .map(|file| file["name"].as_str().expect("a name").to_owned()),
        );
        match page["next_after"].as_str() {
            Some(last) => after = format!("&after={}", last.replace('\x01', "%01")),
            None => break,
        }
    }
    assert_eq!(names.len(), 1500);
    assert!(names.is_sorted());
    assert_eq!(
        get(&service, &key, &format!("{session}/files?path=many")).json()["files"]
            .as_array()
            .map(Vec::len),
        Some(1000)
    );
    assert_eq!(
        get(&service, &key, &format!("{session}/files?limit=1001")).problem(),
        (422, "invalid".to_owned())
    );
    // A client that does not read has a few of them at most, and gets the reason why there are no more.
    let mut streams = Vec::new();
    eventually(
        Duration::from_secs(30),
        "there is no memory for one more",
        || {
            streams.push(unread(&service, &key, &format!("{session}/files/large")));
            let refused = get(&service, &key, &format!("{session}/files/large"));
            refused.status == 429 && refused.text().contains("limits.memory_per_subject")
        },
    );
    assert!(peak(service.process()) < 600 << 20);
    drop(streams);
    eventually(Duration::from_secs(60), "it is given back", || {
        get(&service, &key, &format!("{session}/files/large")).status == 200
    });
}

#[test]
fn events_and_answers_take_memory_and_a_reader_goes_on_where_it_was() {
    let service = with_limits(
        "memory = \"600MiB\"\nmemory_per_subject = \"200MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let (key, other) = (service.make_key(&["a"]), service.make_key(&["b"]));
    // One alone has all of its output, in its events as well.
    let id = loud(&service, &key).expect("there is room");
    let said = |answer: &Answer| answer.text().matches("\\u0001").count();
    let whole = get(&service, &key, &format!("{RUN}/{id}"));
    assert_eq!(
        (whole.status, whole.json()["status"].clone()),
        (200, json!("succeeded"))
    );
    let events = get(&service, &key, &format!("{RUN}/{id}/events"));
    assert!(
        events.text().contains("event: end") && !events.text().contains("left_out"),
        "{} bytes",
        events.body.len()
    );
    assert!(said(&events) > 0 || events.text().contains("base64"));
    // Many unread ones are refused eventually, and other clients are not affected.
    let streams: Vec<_> = (0..40)
        .map(|_| unread(&service, &key, &format!("{RUN}/{id}")))
        .collect();
    eventually(
        Duration::from_secs(10),
        "there is no memory for one more",
        || {
            let refused = get(&service, &key, &format!("{RUN}/{id}"));
            refused.status == 429 && refused.text().contains("limits.memory_per_subject")
        },
    );
    assert_eq!(
        post(&service, &other, RUN, &python("print(1)")).json()["stdout"],
        "1\n"
    );
    assert!(peak(service.process()) < 600 << 20);
    drop(streams);
    eventually(Duration::from_secs(60), "it is given back", || {
        get(&service, &key, &format!("{RUN}/{id}")).status == 200
    });
    // Ended ones are evicted when memory is needed.
    for _ in 0..12 {
        loud(&service, &key);
    }
    let large = post(
        &service,
        &key,
        RUN,
        &python("x = bytearray(120 << 20)\nlen(x)"),
    );
    assert_eq!(large.json()["status"], "succeeded", "{}", large.text());
}

#[test]
fn compilers_and_what_they_make_take_memory() {
    let program = glovebox_tests::bombs::nothing();
    let body = json!({ "language": "wasm", "source_base64": base64::engine::general_purpose::STANDARD.encode(program) });
    let service = with_limits(
        "memory = \"900MiB\"\nmemory_per_subject = \"200MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let key = service.make_key(&["a"]);
    let outcome = post(&service, &key, RUN, &body).json();
    assert_eq!(
        (&outcome["status"], &outcome["limit"]),
        (&json!("limited"), &json!("memory")),
        "{outcome}"
    );
    assert!(
        outcome["crash"]
            .as_str()
            .is_some_and(|why| why.contains("limits.memory_per_subject")),
        "{outcome}"
    );
    let service = with_limits(
        "memory = \"900MiB\"\nmemory_per_subject = \"300MiB\"",
        "version = 1\ndefault_profile = \"default\"\n",
    );
    let key = service.make_key(&["a"]);
    for _ in 0..20 {
        let outcome = post(&service, &key, RUN, &body).json();
        assert_eq!(
            outcome["status"], "succeeded",
            "what they had is given back: {outcome}"
        );
    }
}
