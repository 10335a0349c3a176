//! Hostile tenants: do they together take no more memory than is set?

use super::*;
use glovebox_tests::server;

/// Begins large bodies and does not end them.
fn flood_bodies(service: &Service, key: &str) {
    let streams: Vec<_> = (0..30)
        .map(|_| unfinished(service, key, 31 << 20, 30 << 20))
        .collect();
    std::thread::sleep(Duration::from_secs(5));
    drop(streams);
}

/// Fetches large answers without reading them.
fn flood_calls(service: &Service, key: &str, server: &Server) {
    let source = format!(
        "for (let i = 0; i < 60; i++) fetch('http://127.0.0.1:{}/' + i).catch(() => {{}});\n\
                     await null; const t = Date.now(); while (Date.now() - t < 6000) {{}}",
        server.port()
    );
    let body = json!({ "language": "javascript", "source": source, "limits": { "memory_bytes": 128 << 20 } });
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| post(service, key, RUN, &body));
        }
    });
}

/// Starts trees whose later tasks have large files.
fn flood_trees(service: &Service, key: &str) {
    let file = json!([{ "path": "x", "content": "x".repeat(3 << 20) }]);
    let mut tasks = vec![json!({ "name": "a", "execution": python("import time; time.sleep(4)") })];
    let late = |at| json!({ "name": format!("t{at}"), "after": ["a"], "execution": { "language": "python", "source": "1", "files": file } });
    tasks.extend((0..9).map(late));
    let body = json!({ "tasks": tasks }).to_string();
    let bearer = format!("Bearer {key}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let send = || service.send("POST", TREES, &headers, body.as_bytes());
    let mut taken = 0;
    eventually(Duration::from_secs(60), "a tree is taken", || {
        // Other tenants have memory available at first. Each refused client gets a
        // reason, and a time to retry.
        let answers: Vec<_> = (0..6).map(|_| send()).collect();
        for refused in answers.iter().filter(|answer| answer.status != 202) {
            assert!(
                ["memory_quota", "memory_exhausted"].contains(&refused.problem().1.as_str()),
                "{}",
                refused.text()
            );
            assert!(!refused.header("retry-after").is_empty());
        }
        taken += answers.iter().filter(|answer| answer.status == 202).count();
        taken > 0
    });
}

/// Opens sessions that hold much memory.
fn flood_sessions(service: &Service, key: &str) {
    for _ in 0..8 {
        let Some(session) = session(service, key) else {
            continue;
        };
        let _ = evaluate(service, key, &session, "x = bytearray(100 << 20)");
    }
}

/// Runs programs that hold much memory.
fn flood_runs(service: &Service, key: &str) {
    std::thread::scope(|scope| {
        for _ in 0..8 {
            let body = python("import time\nx = bytearray(120 << 20)\ntime.sleep(3)");
            scope.spawn(|| {
                let body = body;
                post(service, key, RUN, &body)
            });
        }
    });
}

/// Fetches files of a session and artifacts, and does not read them.
fn flood_files(service: &Service, key: &str) {
    let session = session(service, key);
    if let Some(session) = &session {
        let _ = evaluate(
            service,
            key,
            session,
            "open('f', 'wb').write(bytes(40 << 20))",
        );
    }
    let body = json!({ "language": "python", "source": "open('x', 'wb').write(bytes(40 << 20))", "artifacts": ["*"] });
    let ids: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| post(service, key, RUN, &body)))
            .collect();
        let answers = runs
            .into_iter()
            .filter_map(|run| run.join().ok())
            .filter(|answer| answer.status == 200);
        answers
            .filter_map(|answer| answer.json()["id"].as_str().map(str::to_owned))
            .collect()
    });
    let paths = ids
        .iter()
        .map(|id| format!("{RUN}/{id}/artifacts/x"))
        .chain(session.map(|session| format!("{session}/files/f")));
    let streams: Vec<_> = paths
        .flat_map(|path| std::iter::repeat_n(path, 6))
        .map(|path| unread(service, key, &path))
        .collect();
    std::thread::sleep(Duration::from_secs(4));
    drop(streams);
}

/// Follows and fetches large output, and does not read it.
fn flood_events(service: &Service, key: &str) {
    let ids: Vec<String> = (0..8).filter_map(|_| loud(service, key)).collect();
    let paths = ids
        .iter()
        .flat_map(|id| [format!("{RUN}/{id}/events"), format!("{RUN}/{id}")]);
    let streams: Vec<_> = paths
        .flat_map(|path| std::iter::repeat_n(path, 6))
        .map(|path| unread(service, key, &path))
        .collect();
    std::thread::sleep(Duration::from_secs(4));
    drop(streams);
}

/// Runs small programs of another tenant until all is over; returns their number.
fn run_small(service: &Service, key: &str, over: &AtomicBool) -> usize {
    let mut answered = 0;
    while !over.load(Ordering::Relaxed) {
        let answer = post(service, key, RUN, &python("print(6 * 7)"));
        assert_eq!(
            (answer.status, answer.json()["stdout"].as_str()),
            (200, Some("42\n")),
            "{}",
            answer.text()
        );
        answered += 1;
    }
    answered
}

#[test]
fn hostile_tenants_together_stay_within_the_memory_limit() {
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
        let service = &service;
        let small = scope.spawn(|| run_small(service, canary, &over));
        let hostile = [
            scope.spawn(|| flood_bodies(service, bodies)),
            scope.spawn(|| flood_calls(service, calls, &server)),
            scope.spawn(|| flood_trees(service, trees)),
            scope.spawn(|| flood_sessions(service, sessions)),
            scope.spawn(|| flood_runs(service, runs)),
            scope.spawn(|| flood_files(service, files)),
            scope.spawn(|| flood_events(service, events)),
        ];
        let ended = hostile.map(std::thread::ScopedJoinHandle::join);
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
