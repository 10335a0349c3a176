//! Followers of events: is their number bounded, and are other clients served meanwhile?

use super::PATIENCE;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{RUN, Service, read};
use serde_json::json;
use std::io::Read as _;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum concurrent followers of events, as in the config.
const FOLLOWERS: usize = 50;

/// Maximum concurrent connections, as in the config.
const CONNECTIONS: usize = 200;

/// Threads of the attack, and the attempts of each.
const ATTACKERS: usize = 20;

const ATTEMPTS: usize = 500;

/// Bytes by which the service may grow meanwhile.
const GROWTH: u64 = 64 << 20;

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or("0");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<u64>()
        .expect("the system says how much")
        << 10
}

/// The result of an attempt to follow.
enum Follower {
    /// Accepted, for as long as the connection is held.
    In(TcpStream),
    /// Refused, with a time to retry.
    Refused,
    /// No response for a while.
    Waits,
}

/// Tries to follow an execution.
fn follow(service: &Service, place: &str) -> Follower {
    let mut stream = service.begin("GET", &format!("{place}/events"), &[], b"");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a time can be set");
    // Only as much as tells the results apart, so that the rest is there for the next reader.
    let mut head = [0; 12];
    if stream.read_exact(&mut head).is_err() {
        return Follower::Waits;
    }
    match &head {
        b"HTTP/1.1 200" => Follower::In(stream),
        b"HTTP/1.1 503" => {
            let mut rest = String::new();
            let _ = stream.read_to_string(&mut rest);
            let rest = rest.to_ascii_lowercase();
            assert!(
                rest.contains("retry-after: 5\r\n") && rest.contains("\"code\":\"overloaded\""),
                "{rest}"
            );
            Follower::Refused
        }
        other => panic!("{}", String::from_utf8_lossy(other)),
    }
}

/// Runs a program of another tenant, which must get a response in time.
fn canary(service: &Service, key: &str, number: usize) {
    let authorization = format!("Bearer {key}");
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", authorization.as_str()),
    ];
    let body = json!({ "language": "javascript", "source": format!("{number} * 7") }).to_string();
    let started = Instant::now();
    let answer = read(&mut service.begin("POST", RUN, &headers, body.as_bytes()));
    assert_eq!(
        (answer.status, &answer.json()["value"]["json"]),
        (200, &json!(number * 7)),
        "{}",
        answer.text()
    );
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

/// A service with an execution to follow until the end of the test: its path, and the key of
/// another tenant.
fn followed(policy: &std::path::Path) -> (Service, String, String) {
    // An execution to follow until the end of the test.
    let long = "version = 1\ndefault_profile = \"long\"\n[profiles.long]\nextends = \"default\"\n[profiles.long.limits]\nwall = \"10m\"\n";
    std::fs::write(policy, long).expect("the folder is writable");
    let mut service = Service::with_keys(&format!(
        "policy = \"{}\"\n[limits]\nconnections = {CONNECTIONS}\nconnections_per_address = {CONNECTIONS}\nfollowers = {FOLLOWERS}\n\
         followers_per_subject = {FOLLOWERS}\nhead_time = \"1s\"\n\
         [containers]\nenabled = false\n",
        policy.display()
    ));
    let (flood, other) = (service.make_key(&["flood"]), service.make_key(&["canary"]));
    service.use_key(&flood);
    let endless = json!({ "language": "python", "source": "import time\nprint('here', flush=True)\ntime.sleep(590)" }).to_string();
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let accepted = service.send("POST", RUN, &later, endless.as_bytes());
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let place = accepted.header("location").to_owned();
    (service, place, other)
}

/// Follows an execution ten thousand times at once, while another tenant runs programs. Returns the
/// followers that were accepted, and the peak of the service's memory.
fn attack(service: &Service, place: &str, other: &str) -> (Vec<TcpStream>, u64) {
    let mut most = 0;
    let held = Mutex::new(Vec::new());
    let (refused, waited) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut answered = 0;
    std::thread::scope(|scope| {
        let attack = || {
            for _ in 0..ATTEMPTS {
                let count = match follow(service, place) {
                    Follower::In(stream) => {
                        held.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(stream);
                        continue;
                    }
                    Follower::Refused => &refused,
                    Follower::Waits => &waited,
                };
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        let attackers: Vec<_> = (0..ATTACKERS).map(|_| scope.spawn(attack)).collect();
        while !attackers.iter().all(|attacker| attacker.is_finished()) {
            canary(service, other, answered);
            answered += 1;
            most = most.max(resident(service.process()));
        }
    });
    let held = held.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (refused, waited) = (refused.into_inner(), waited.into_inner());
    assert_eq!(held.len() + refused + waited, ATTACKERS * ATTEMPTS);
    assert_eq!(
        held.len(),
        FOLLOWERS,
        "{refused} were refused, and {waited} waited"
    );
    assert!(
        refused > waited,
        "{refused} were refused, and {waited} waited"
    );
    assert!(answered > 10, "{answered}");

    (held, most)
}

/// API13: an attacker with any number of followers gets only its share, and blocks no other client.
#[test]
fn ten_thousand_followers_are_bounded_and_others_are_served() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (service, place, other) = followed(&folder.path().join("policy.toml"));
    let process = service.process();
    for number in 0..20 {
        canary(&service, &other, number);
    }
    let before = resident(process);
    let (mut held, peak) = attack(&service, &place, &other);
    let mut most = peak.max(before);
    // More idle connections than the maximum: active clients wait for a moment.
    let silent: Vec<TcpStream> = (0..CONNECTIONS + FOLLOWERS)
        .map(|_| service.connect())
        .collect();
    canary(&service, &other, 1);
    most = most.max(resident(process));
    drop(silent);
    assert!(
        most < before + GROWTH,
        "{before} bytes before, and {most} at the most"
    );

    // A disconnect frees a slot.
    assert!(matches!(follow(&service, &place), Follower::Refused));
    held.clear();
    eventually(
        Duration::from_secs(30),
        "a disconnect frees no slot",
        || {
            while let Follower::In(stream) = follow(&service, &place) {
                held.push(stream);
            }
            held.len() == FOLLOWERS
        },
    );
    assert!(matches!(follow(&service, &place), Follower::Refused));
    let cancelled = service.send("DELETE", &place, &[], b"");
    assert_eq!(
        (cancelled.status, &cancelled.json()["status"]),
        (200, &"cancelled".into()),
        "{}",
        cancelled.text()
    );
    for mut stream in held {
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(
            told.contains("here") && told.contains("event: end"),
            "{told}"
        );
    }
}
