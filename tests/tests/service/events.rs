//! Events and cancellation: is output streamed while it is written, and does a disconnect cancel?

use super::eventually;
use glovebox_tests::service::{RUN, Service, events, python};
use std::io::Read as _;
use std::time::{Duration, Instant};

#[test]
fn streamed_output_comes_before_the_end() {
    let service = Service::local("");
    let slow = python(
        "import time\nfor n in range(4):\n    print(n, 'ä', flush=True)\n    time.sleep(0.2)\n'end'",
    );
    let started = Instant::now();
    let mut stream = service.begin(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream"),
        ],
        slow.to_string().as_bytes(),
    );
    let mut first = [0; 2000];
    let mut text = String::new();
    while !text.contains("0 ä") {
        let length = stream.read(&mut first).expect("events come");
        text.push_str(&String::from_utf8_lossy(&first[..length]));
    }
    assert!(
        !text.contains("event: end"),
        "the first output comes before the end: {text}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
    drop(stream);
}

#[test]
fn results_are_events_and_part_of_the_execution() {
    let service = Service::local("");
    let program = python(
        "print('a', flush=True)\ndisplay({'text/html': '<b>\\u009b', 'image/png': b'PNG'}, raw=True)\nprint('b', flush=True)",
    );
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        program.to_string().as_bytes(),
    );
    let place = accepted.header("location").to_owned();
    let all = events(&service.get(&format!("{place}/events")));
    let kinds: Vec<&str> = all.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["status", "stdout", "result", "stdout", "end"]);
    let expected = serde_json::json!({"origin": "display", "data": {"text/html": "<b>\u{9b}", "image/png": "UE5H"}});
    let (_, _, end) = all.last().expect("there is an end");
    let stored = service.get(&place).json();
    for results in [&end["results"], &stored["results"]] {
        assert_eq!(results, &serde_json::json!([expected]));
    }
    assert_eq!(all[2].2, expected);
}

#[test]
fn event_stream_resumes_after_the_last_event() {
    let service = Service::local("");
    let slow = python(
        "import time\nfor n in range(4):\n    print(n, 'ä', flush=True)\n    time.sleep(0.2)\n'end'",
    );
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        slow.to_string().as_bytes(),
    );
    assert_eq!(
        (accepted.status, accepted.header("preference-applied")),
        (202, "respond-async")
    );
    let place = accepted.header("location").to_owned();
    let all = events(&service.get(&format!("{place}/events")));
    let said: String = all
        .iter()
        .filter(|(_, kind, _)| kind == "stdout")
        .map(|(_, _, data)| data["text"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(said, "0 ä\n1 ä\n2 ä\n3 ä\n");
    let (_, kind, end) = all.last().expect("there are events");
    assert_eq!(
        (kind.as_str(), &end["status"], &end["value"]["json"]),
        ("end", &"succeeded".into(), &"end".into())
    );
    let again = service.send(
        "GET",
        &format!("{place}/events"),
        &[("Last-Event-ID", &all[1].0)],
        b"",
    );
    assert_eq!(events(&again), all[2..]);
    assert_eq!(
        events(&service.send(
            "GET",
            &format!("{place}/events"),
            &[("Last-Event-ID", "99999999999")],
            b""
        )),
        []
    );
    assert_eq!(
        service
            .send(
                "GET",
                &format!("{place}/events"),
                &[("Last-Event-ID", "-1")],
                b""
            )
            .status,
        422
    );
}

/// Ten million writes do not become ten million events. (OUT02)
#[test]
fn out02_small_writes_become_few_events() {
    let service = Service::local("");
    let flood = python(
        "import sys\nfor n in range(300_000):\n    sys.stdout.write('x')\n    sys.stdout.flush()",
    );
    let answer = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Accept", "text/event-stream"),
        ],
        flood.to_string().as_bytes(),
    );
    let flood = events(&answer);
    let bytes: usize = flood
        .iter()
        .filter(|(_, kind, _)| kind == "stdout")
        .map(|(_, _, data)| data["text"].as_str().map_or(0, str::len))
        .sum();
    assert_eq!(bytes, 300_000);
    assert!(flood.len() < 10_000, "{}", flood.len());
}

#[test]
fn client_disconnect_cancels_execution() {
    let service = Service::local("");
    let endless = python("while True: pass");
    let begin = |accept| {
        service.begin(
            "POST",
            RUN,
            &[("Content-Type", "application/json"), ("Accept", accept)],
            endless.to_string().as_bytes(),
        )
    };
    let waiting = ["application/json", "text/event-stream"].map(begin);
    let count = |status: &str| {
        service.get(&format!("{RUN}?status={status}")).json()["executions"]
            .as_array()
            .map_or(0, Vec::len)
    };
    eventually("both run", || count("running") == 2);
    drop(waiting);
    eventually("both are stopped", || {
        count("cancelled") == 2 && count("running") == 0
    });
}

#[test]
fn cancelled_execution_stays_cancelled() {
    let service = Service::local("");
    let endless = python("while True: pass");
    let accepted = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("Prefer", "respond-async"),
        ],
        endless.to_string().as_bytes(),
    );
    let place = accepted.header("location").to_owned();
    let cancelled = service.send("DELETE", &place, &[], b"");
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (200, &"cancelled".into())
    );
    // API11: repeated, and once more by request.
    assert_eq!(
        service
            .send("POST", &format!("{place}/cancel"), &[], b"")
            .problem(),
        (409, "ended".to_owned())
    );
    assert_eq!(service.get(&place).json(), cancelled.json());
    let ended = service.run(RUN, &python("1"));
    let id = ended["id"].as_str().unwrap_or_default();
    assert_eq!(
        service
            .send("POST", &format!("{RUN}/{id}/cancel"), &[], b"")
            .problem(),
        (409, "ended".to_owned())
    );
    assert_eq!(
        service.get(&format!("{RUN}/{id}")).json(),
        ended,
        "what has ended stays as it is"
    );
}
