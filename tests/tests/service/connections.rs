//! Slot exhaustion: can one client take all connections or slots, so that others get none?
//!
//! Idle connections, half a head, unread responses, followers of one key (slowloris and the like).
//! The oracle is another client's response meanwhile, and its latency.

use glovebox_tests::place::eventually;
use glovebox_tests::service::{Answer, RUN, Service, read};
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Maximum latency of another client's request.
const PROMPT: Duration = Duration::from_secs(1);

const CONNECTIONS: usize = 100;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn limits(more: &str) -> String {
    format!("[limits]\nconnections = {CONNECTIONS}\n{more}\n[containers]\nenabled = false\n")
}

/// Sends a request on a keep-alive connection; returns the status line, or `None` if the connection
/// was closed.
fn ask(stream: &mut TcpStream) -> Option<String> {
    stream.write_all(HEALTH).ok()?;
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"{\"status\":\"ok\"}") {
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        answer.extend_from_slice(&piece[..count]);
    }
    String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .map(str::to_owned)
}

/// Sends a request on a new connection, and asserts that the response comes in time.
fn is_well(service: &Service) {
    let started = Instant::now();
    let answer = service.get("/healthz");
    let took = started.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(took < PROMPT, "it took {took:?}");
}

fn is_closed(stream: &mut TcpStream) -> bool {
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a time can be set");
    match stream.read(&mut [0; 512]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

/// Runs a program whose response comes when it is cancelled.
fn long_run(service: &Service) -> Answer {
    let source = "import time\nprint('here', flush=True)\ntime.sleep(25)";
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    service.send(
        "POST",
        RUN,
        &later,
        json!({ "language": "python", "source": source })
            .to_string()
            .as_bytes(),
    )
}

#[test]
fn idle_connections_keep_no_client_out() {
    // The data that each of them sends: nothing, half a head, a whole head and no more, a request
    // without a key whose response is never read.
    let unread = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(20);
    let kinds: [(&str, &[u8]); 5] = [
        ("nothing", b""),
        ("half a head", b"GET / HTTP/1.1\r\nHost: a\r\n"),
        ("a request", HEALTH),
        ("unread answers", &unread),
        (
            "an unknown key",
            b"POST /v1/executions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer gbx_x\r\nContent-Length: 1000\r\n\r\n",
        ),
    ];
    for per_address in [CONNECTIONS, CONNECTIONS / 4] {
        let service =
            Service::with_keys(&limits(&format!("connections_per_address = {per_address}")));
        for (what, sent) in kinds {
            let mut held = Vec::new();
            for _ in 0..2 * CONNECTIONS {
                let mut stream = service.connect();
                let _ = stream.write_all(sent);
                held.push(stream);
            }
            let started = Instant::now();
            is_well(&service);
            println!(
                "{what}, {per_address} of an address: {:?}",
                started.elapsed()
            );
            // The oldest was closed, and the newest was not.
            let mut oldest = held.swap_remove(0);
            eventually(Duration::from_secs(5), what, || {
                is_closed(&mut oldest) || sent == HEALTH || !unread.is_empty() && sent == unread
            });
        }
    }
}

#[test]
fn flood_of_silent_connections_delays_no_client() {
    let service = Service::with_keys(&limits(""));
    let (is_over, opened) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut held = std::collections::VecDeque::new();
            let started = Instant::now();
            while !is_over.load(Ordering::Relaxed) {
                held.push_back(service.connect());
                if held.len() > 3 * CONNECTIONS {
                    held.pop_front();
                }
                let count = opened.fetch_add(1, Ordering::Relaxed) + 1;
                // At least 200 per second.
                let due =
                    started + Duration::from_millis(4) * u32::try_from(count).unwrap_or(u32::MAX);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        });
        eventually(
            Duration::from_secs(20),
            "the flood does not get under way",
            || opened.load(Ordering::Relaxed) > 3 * CONNECTIONS,
        );
        for _ in 0..20 {
            is_well(&service);
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_request_that_is_under_way_is_never_dropped() {
    let mut service = Service::with_keys(&limits("body_time = \"30s\""));
    let key = service.make_key(&["worker"]);
    service.use_key(&key);
    let body =
        json!({ "language": "python", "source": "import time\ntime.sleep(3)\n6 * 7" }).to_string();
    let running = service.begin(
        "POST",
        RUN,
        &[("Content-Type", "application/json")],
        body.as_bytes(),
    );
    // A body that comes in two halves.
    let small = json!({ "language": "javascript", "source": "6 * 7" }).to_string();
    let mut sending = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        small.len()
    );
    let (first, second) = small.split_at(10);
    sending
        .write_all((head + first).as_bytes())
        .expect("the service reads");
    let followed = long_run(&service).header("location").to_owned();
    let mut following = service.begin("GET", &format!("{followed}/events"), &[], b"");
    assert_eq!(following.read(&mut [0; 1]).ok(), Some(1));
    let silent: Vec<TcpStream> = (0..3 * CONNECTIONS).map(|_| service.connect()).collect();
    is_well(&service);
    sending
        .write_all(second.as_bytes())
        .expect("it is not dropped");
    for mut stream in [running, sending] {
        let answer = read(&mut stream);
        assert_eq!(
            (answer.status, &answer.json()["value"]["json"]),
            (200, &json!(42)),
            "{}",
            answer.text()
        );
    }
    assert_eq!(service.send("DELETE", &followed, &[], b"").status, 200);
    let mut told = String::new();
    let _ = following.read_to_string(&mut told);
    assert!(told.contains("event: end"), "{told}");
    drop(silent);
}

#[test]
fn paused_client_keeps_its_connection_while_there_is_room() {
    let service = Service::with_keys(&limits("head_time = \"10s\""));
    let mut stream = service.connect();
    for _ in 0..3 {
        assert_eq!(ask(&mut stream).as_deref(), Some("HTTP/1.1 200 OK"));
        // The pause is the point of the test.
        std::thread::sleep(Duration::from_millis(700));
    }
    // Among idle connections, one that has made a request before stays longer.
    let silent: Vec<TcpStream> = (0..2 * CONNECTIONS).map(|_| service.connect()).collect();
    is_well(&service);
    assert_eq!(ask(&mut stream).as_deref(), Some("HTTP/1.1 200 OK"));
    drop(silent);
}

/// Begins to follow, by a WebSocket or by server-sent events; returns the status, and the
/// connection while it is held.
fn follow(service: &Service, place: &str, key: &str, is_socket: bool) -> (u16, TcpStream) {
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let more = if is_socket {
        upgrade
    } else {
        "Connection: close\r\n"
    };
    let mut stream = service.connect();
    let head = format!(
        "GET {place}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n{more}\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("it is answered");
    let status = String::from_utf8_lossy(&head)
        .rsplit(' ')
        .next()
        .and_then(|status| status.parse().ok());
    (status.expect("a status"), stream)
}

#[test]
fn followers_of_one_key_are_bounded() {
    let mut service = Service::with_keys(&limits("connections_per_address = 100\nfollowers = 64"));
    let (flood, other) = (service.make_key(&["flood"]), service.make_key(&["other"]));
    let place_of = |service: &mut Service, key: &str| {
        service.use_key(key);
        long_run(service).header("location").to_owned()
    };
    let (floods, others) = (
        place_of(&mut service, &flood),
        place_of(&mut service, &other),
    );
    let mut held = Vec::new();
    // 16 are a quarter of 64; a WebSocket counts like a stream of events.
    for number in 0..40 {
        let (status, mut stream) = follow(&service, &floods, &flood, number % 2 == 1);
        match (number < 16, number % 2) {
            (true, 0) => assert_eq!(status, 200),
            (true, _) => assert_eq!(status, 101),
            (false, _) => {
                assert_eq!(status, 429, "{number}");
                let mut rest = String::new();
                let _ = stream.read_to_string(&mut rest);
                assert!(
                    rest.contains("queue_full") && rest.contains("limits.followers_per_subject"),
                    "{rest}"
                );
            }
        }
        held.push(stream);
    }
    // Another subject has a whole share.
    let theirs: Vec<_> = (0..16)
        .map(|_| follow(&service, &others, &other, false))
        .collect();
    assert!(theirs.iter().all(|(status, _)| *status == 200));
    held.clear();
    eventually(
        Duration::from_secs(20),
        "who has left makes no room",
        || follow(&service, &floods, &flood, false).0 == 200,
    );
}

/// Requests of a key whose bodies never come. Each is in flight when this returns: `100 Continue`
/// is sent once the service waits for the body.
fn unfinished(service: &Service, key: &str, number: usize) -> Vec<TcpStream> {
    const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    let begin = |_| {
        let mut stream = service.connect();
        stream
            .write_all(head.as_bytes())
            .expect("the service reads");
        let mut answer = [0; CONTINUE.len()];
        stream.read_exact(&mut answer).expect("it is answered");
        assert_eq!(answer, CONTINUE, "{}", String::from_utf8_lossy(&answer));
        stream
    };
    (0..number).map(begin).collect()
}

#[test]
fn requests_under_way_of_one_key_are_bounded() {
    let mut service = Service::with_keys(&limits(
        "connections_per_address = 100\nconnections_per_subject = 5",
    ));
    let (flood, other) = (service.make_key(&["flood"]), service.make_key(&["other"]));
    let held = unfinished(&service, &flood, 5);
    service.use_key(&flood);
    let refused = service.get("/v1/tiers");
    assert_eq!(refused.problem(), (429, "queue_full".to_owned()));
    assert!(
        refused.text().contains("limits.connections_per_subject")
            && refused.header("retry-after") == "1",
        "{}",
        refused.text()
    );
    service.use_key(&other);
    assert_eq!(service.get("/v1/tiers").status, 200);
    drop(held);
    service.use_key(&flood);
    eventually(
        Duration::from_secs(10),
        "who has left makes no room",
        || service.get("/v1/tiers").status == 200,
    );
}

#[test]
fn connections_of_one_key_leave_room_at_its_address() {
    let mut service =
        Service::with_keys(&limits("connections_per_address = 20\nbody_time = \"60s\""));
    let (flood, other) = (service.make_key(&["flood"]), service.make_key(&["other"]));
    let held = unfinished(&service, &flood, 10);
    service.use_key(&flood);
    let refused = service.get("/v1/tiers");
    assert_eq!(refused.problem(), (429, "queue_full".to_owned()));
    assert!(
        refused.text().contains("limits.connections_per_address"),
        "{}",
        refused.text()
    );
    service.use_key(&other);
    assert_eq!(service.get("/v1/tiers").status, 200);
    is_well(&service);
    drop(held);
    service.use_key(&flood);
    eventually(
        Duration::from_secs(10),
        "its places are not free again",
        || service.get("/v1/tiers").status == 200,
    );
}

/// Two colluding keys take all that keys may take, and still no other client waits for a slot.
#[test]
fn connections_of_keys_that_act_together_are_bounded() {
    let mut service = Service::with_keys(&limits(
        "connections_per_address = 100\nbody_time = \"60s\"",
    ));
    let (a, b, other) = (
        service.make_key(&["a"]),
        service.make_key(&["b"]),
        service.make_key(&["other"]),
    );
    let begin = |key: &str| {
        let mut stream = service.connect();
        let head = format!(
            "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Length: 9\r\n"
        );
        stream
            .write_all((head + "Content-Type: application/json\r\n\r\n{").as_bytes())
            .expect("the service reads");
        stream
    };
    let held: Vec<TcpStream> = (0..CONNECTIONS)
        .map(|number| begin(if number % 2 == 0 { &a } else { &b }))
        .collect();
    for _ in 0..10 {
        is_well(&service);
    }
    service.use_key(&other);
    let answer = service.get("/v1/tiers");
    assert_eq!(
        answer.problem(),
        (503, "overloaded".to_owned()),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("retry-after"), "1");
    drop(held);
    eventually(
        Duration::from_secs(10),
        "who has left makes no room",
        || service.get("/v1/tiers").status == 200,
    );
}
