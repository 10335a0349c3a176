//! Memory of requests: is what does not fit refused with the setting?

use super::*;

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
    // A program that reads its responses gets all of them, even if they do not fit into memory at
    // once.
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
fn request_that_does_not_fit_is_refused_with_the_setting() {
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
