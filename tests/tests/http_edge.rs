//! Does the service hold at its edge: where connections begin, and where there are too many of them?
//!
//! Through `curl` over TLS, and through plain connections by the thousand. The oracles are outside: what a client gets, how long it waits
//! for that, and what the kernel says of the process.

use glovebox_tests::place::eventually;
use glovebox_tests::service::{RUN, Service, read};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What `curl` says; it trusts this certificate, or nobody but those whom the system trusts.
fn curl(trusted: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "30", "--noproxy", "*"]);
    if let Some(certificate) = trusted {
        command.arg("--cacert").arg(certificate);
    }
    command.args(arguments).output().expect("curl is there")
}

fn shown(output: &Output) -> String {
    format!("{} {}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_service_with_a_certificate_is_called_over_tls() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.expect("a certificate can be made");
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("the folder is writable");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("the folder is writable");
    let config = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n[limits]\nhead_time = \"1s\"\n[containers]\nenabled = false\n",
        certificate.display(),
        key.display()
    );
    let service = Service::local(&config);
    let port = service.address().rsplit(':').next().expect("an address has a port");

    // Some say nothing, and some begin to say something and then no more.
    let started = Instant::now();
    let mut stalled: Vec<TcpStream> = (0..20)
        .map(|number| {
            let mut stream = service.connect();
            if number % 2 == 0 {
                // The head of a first message of 512 bytes.
                stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).expect("the service reads");
            }
            stream
        })
        .collect();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}");
        let health = curl(Some(certificate.as_path()), &[&format!("{url}/healthz")]);
        assert!(health.status.success(), "{}", shown(&health));
        assert_eq!(serde_json::from_slice::<Value>(&health.stdout).ok(), Some(json!({ "status": "ok" })), "{}", shown(&health));
        let body = json!({ "language": "javascript", "source": "6 * 7" }).to_string();
        let run =
            curl(Some(certificate.as_path()), &["--header", "Content-Type: application/json", "--data", &body, &format!("{url}{RUN}")]);
        let ran: Value = serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {}", shown(&run)));
        assert_eq!((&ran["status"], &ran["value"]["json"]), (&"succeeded".into(), &42.into()), "{ran}");
        // 60 is what curl says of a certificate that nobody vouches for.
        let distrusted = curl(None, &[&format!("{url}/healthz")]);
        assert_eq!((distrusted.status.code(), distrusted.stdout.is_empty()), (Some(60), true), "{}", shown(&distrusted));
        let plain = curl(None, &[&format!("http://{host}:{port}/healthz")]);
        assert!(!plain.status.success() && plain.stdout.is_empty(), "{}", shown(&plain));
    }
    let mut answer = Vec::new();
    let mut plain = service.connect();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("the service reads");
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{}", String::from_utf8_lossy(&answer));

    for stream in &mut stalled {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(started.elapsed() < Duration::from_secs(30), "who stalls is dropped: {:?}", started.elapsed());
    // Alone: neither at once nor late.
    let started = Instant::now();
    let _ = service.connect().read_to_end(&mut Vec::new());
    let took = started.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(10)).contains(&took), "{took:?}");
}

/// Clients that follow events at once, as the config has it.
const FOLLOWERS: usize = 50;

/// Connections at once, as the config has it.
const CONNECTIONS: usize = 200;

/// Threads of the attack, and what each of them tries.
const ATTACKERS: usize = 20;
const ATTEMPTS: usize = 500;

/// Bytes by which the service may grow meanwhile.
const GROWTH: u64 = 64 << 20;

/// How long an answer may take while others press in.
const PATIENCE: Duration = Duration::from_secs(10);

/// Resident memory of a process, in bytes.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("the system says how much") << 10
}

/// What became of one who wanted to follow.
enum Follower {
    /// It follows, for as long as the connection is held.
    In(TcpStream),
    /// It was told to come again.
    Refused,
    /// It heard nothing for a while.
    Waits,
}

/// Tries to follow an execution.
fn follow(service: &Service, place: &str) -> Follower {
    let mut stream = service.begin("GET", &format!("{place}/events"), &[], b"");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time can be set");
    // As much as tells one from the other, so that the rest is there for whoever reads on.
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
            assert!(rest.contains("retry-after: 5\r\n") && rest.contains("\"code\":\"overloaded\""), "{rest}");
            Follower::Refused
        }
        other => panic!("{}", String::from_utf8_lossy(other)),
    }
}

/// Runs a program for somebody else, which has to be answered in time.
fn canary(service: &Service, key: &str, number: usize) {
    let authorization = format!("Bearer {key}");
    let headers = [("Content-Type", "application/json"), ("Authorization", authorization.as_str())];
    let body = json!({ "language": "javascript", "source": format!("{number} * 7") }).to_string();
    let started = Instant::now();
    let answer = read(&mut service.begin("POST", RUN, &headers, body.as_bytes()));
    assert_eq!((answer.status, &answer.json()["value"]["json"]), (200, &json!(number * 7)), "{}", answer.text());
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

/// API13: whoever follows without end takes up only so much, and keeps nobody else out.
#[test]
fn ten_thousand_followers_are_bounded_and_others_are_served() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let policy = folder.path().join("policy.toml");
    // There has to be something to follow until the end of the test.
    let long = "version = 1\ndefault_profile = \"long\"\n[profiles.long]\nextends = \"default\"\n[profiles.long.limits]\nwall = \"10m\"\n";
    std::fs::write(&policy, long).expect("the folder is writable");
    let mut service = Service::with_keys(&format!(
        "policy = \"{}\"\n[limits]\nconnections = {CONNECTIONS}\nconnections_per_address = {CONNECTIONS}\nfollowers = {FOLLOWERS}\n\
         followers_per_subject = {FOLLOWERS}\nhead_time = \"1s\"\n\
         [containers]\nenabled = false\n",
        policy.display()
    ));
    let (flood, other) = (service.make_key(&["flood"]), service.make_key(&["canary"]));
    service.use_key(&flood);
    let process = service.process();
    let endless = json!({ "language": "python", "source": "import time\nprint('here', flush=True)\ntime.sleep(590)" }).to_string();
    let later = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    let accepted = service.send("POST", RUN, &later, endless.as_bytes());
    assert_eq!(accepted.status, 202, "{}", accepted.text());
    let place = accepted.header("location").to_owned();
    for number in 0..20 {
        canary(&service, &other, number);
    }
    let before = resident(process);
    let mut most = before;

    let held = Mutex::new(Vec::new());
    let (refused, waited) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut answered = 0;
    std::thread::scope(|scope| {
        let attack = || {
            for _ in 0..ATTEMPTS {
                let count = match follow(&service, &place) {
                    Follower::In(stream) => {
                        held.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
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
            canary(&service, &other, answered);
            answered += 1;
            most = most.max(resident(process));
        }
    });
    let mut held = held.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (refused, waited) = (refused.into_inner(), waited.into_inner());
    assert_eq!(held.len() + refused + waited, ATTACKERS * ATTEMPTS);
    assert_eq!(held.len(), FOLLOWERS, "{refused} were refused, and {waited} waited");
    assert!(refused > waited, "{refused} were refused, and {waited} waited");
    assert!(answered > 10, "{answered}");

    // More connections than there may be, none of which says anything: those who have something to say wait for a moment.
    let silent: Vec<TcpStream> = (0..CONNECTIONS + FOLLOWERS).map(|_| service.connect()).collect();
    canary(&service, &other, 1);
    most = most.max(resident(process));
    drop(silent);
    assert!(most < before + GROWTH, "{before} bytes before, and {most} at the most");

    // Whoever goes away makes room, for as many as went.
    assert!(matches!(follow(&service, &place), Follower::Refused));
    held.clear();
    eventually(Duration::from_secs(30), "nobody gets in where others have left", || {
        while let Follower::In(stream) = follow(&service, &place) {
            held.push(stream);
        }
        held.len() == FOLLOWERS
    });
    assert!(matches!(follow(&service, &place), Follower::Refused));
    let cancelled = service.send("DELETE", &place, &[], b"");
    assert_eq!((cancelled.status, &cancelled.json()["status"]), (200, &"cancelled".into()), "{}", cancelled.text());
    for mut stream in held {
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains("here") && told.contains("event: end"), "{told}");
    }
}

/// A proxy in front may take the host from the target, or from the header: they must be the same one. (RFC 9112, section 3.2.2)
#[test]
fn a_target_in_absolute_form_names_the_host_of_the_header() {
    let service = Service::local("");
    let port = service.address().rsplit(':').next().unwrap_or_default().to_owned();
    for (target, host, status) in [
        ("/healthz".to_owned(), format!("localhost:{port}"), 200),
        (format!("http://localhost:{port}/healthz"), format!("localhost:{port}"), 200),
        (format!("http://LOCALHOST:{port}/healthz"), format!("localhost:{port}"), 200),
        ("http://evil.example/healthz".to_owned(), format!("localhost:{port}"), 400),
        (format!("http://localhost:{port}/healthz"), "127.0.0.1".to_owned(), 400),
        ("http://evil.example/healthz".to_owned(), "evil.example".to_owned(), 403),
        (format!("http://user@localhost:{port}/healthz"), format!("localhost:{port}"), 400),
    ] {
        let answer = service.send("GET", &target, &[("Host", &host)], b"");
        assert_eq!(answer.status, status, "{target} {host}: {}", answer.text());
    }
    // What follows a request that wanted another protocol and did not get one is not read.
    let mut stream = service.connect();
    let first = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    stream.write_all(format!("{first}GET /healthz HTTP/1.1\nHost: localhost\n\n").as_bytes()).expect("the service reads");
    let mut bytes = String::new();
    let _ = stream.read_to_string(&mut bytes);
    assert_eq!(bytes.matches("HTTP/1.1 200").count(), 1, "{bytes}");
}
