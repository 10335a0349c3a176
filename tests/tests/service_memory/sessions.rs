//! Memory of sessions: do they give way, and are their files read in parts?

use super::*;

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
    // Another tenant below its share has room made for it as well, and learns nothing of the
    // evicted session.
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
fn session_files_are_read_in_parts() {
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
    // A client that does not read has a few of them at most, and gets the reason why there are no
    // more.
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
fn session_files_are_listed_in_pages() {
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
}
