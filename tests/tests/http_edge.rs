//! Connection handling and HTTP parsing: does the service hold at its edge, under malformed and excessive connections?
//!
//! With `curl` over TLS, and with plain connections by the thousand. The oracles are outside: a client's responses, their latency, and what
//! the kernel reports of the process.

use glovebox_tests::place::eventually;
use glovebox_tests::service::{RUN, Service, read};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs `curl`, which trusts this certificate, or else the system's authorities.
fn curl(trusted: Option<&Path>, arguments: &[&str]) -> Output {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--noproxy",
        "*",
    ]);
    if let Some(certificate) = trusted {
        command.arg("--cacert").arg(certificate);
    }
    command.args(arguments).output().expect("curl is there")
}

fn shown(output: &Output) -> String {
    format!(
        "{} {}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Starts a service with a certificate from a folder; returns the certificate's path as well.
fn encrypted(folder: &Path, limits: &str) -> (Service, PathBuf) {
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]);
    let made = made.expect("a certificate can be made");
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).expect("the folder is writable");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("the folder is writable");
    let config = format!(
        "[tls]\ncertificate = \"{}\"\nkey = \"{}\"\n[limits]\n{limits}\n[containers]\nenabled = false\n",
        certificate.display(),
        key.display()
    );
    (Service::local(&config), certificate)
}

/// An unfinished TLS handshake blocks no other client, and no clear text is served.
#[test]
fn handshakes_that_never_end_keep_nobody_out() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (service, certificate) = encrypted(folder.path(), "connections = 50\nhead_time = \"60s\"");
    let url = format!("https://{}/healthz", service.address());
    // Nothing, the head of a `ClientHello`, one that announces more than it sends, and clear text.
    let mut held = Vec::new();
    for sent in [
        &b""[..],
        &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01],
        &[0x16, 0x03, 0x01, 0x00, 0x04, 0x01, 0x00, 0xff, 0xff],
        b"GET / HTTP/1.1\r\n\r\n",
    ] {
        for _ in 0..100 {
            let mut stream = service.connect();
            let _ = stream.write_all(sent);
            held.push(stream);
        }
        let started = Instant::now();
        let health = curl(Some(certificate.as_path()), &[&url]);
        assert!(
            health.status.success() && started.elapsed() < PATIENCE,
            "{sent:?} {:?}: {}",
            started.elapsed(),
            shown(&health)
        );
    }
}

#[test]
fn a_service_with_a_certificate_is_called_over_tls() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (service, certificate) = encrypted(folder.path(), "head_time = \"1s\"");
    let port = service
        .address()
        .rsplit(':')
        .next()
        .expect("an address has a port");

    // Some send nothing, and some stop within a handshake message.
    let started = Instant::now();
    let mut stalled: Vec<TcpStream> = (0..20)
        .map(|number| {
            let mut stream = service.connect();
            if number % 2 == 0 {
                // The head of a `ClientHello` of 512 bytes.
                stream
                    .write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
                    .expect("the service reads");
            }
            stream
        })
        .collect();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}");
        let health = curl(Some(certificate.as_path()), &[&format!("{url}/healthz")]);
        assert!(health.status.success(), "{}", shown(&health));
        assert_eq!(
            serde_json::from_slice::<Value>(&health.stdout).ok(),
            Some(json!({ "status": "ok" })),
            "{}",
            shown(&health)
        );
        let body = json!({ "language": "javascript", "source": "6 * 7" }).to_string();
        let run = curl(
            Some(certificate.as_path()),
            &[
                "--header",
                "Content-Type: application/json",
                "--data",
                &body,
                &format!("{url}{RUN}"),
            ],
        );
        let ran: Value = serde_json::from_slice(&run.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", shown(&run)));
        assert_eq!(
            (&ran["status"], &ran["value"]["json"]),
            (&"succeeded".into(), &42.into()),
            "{ran}"
        );
        // 60 is `curl`'s exit code for an untrusted certificate.
        let distrusted = curl(None, &[&format!("{url}/healthz")]);
        assert_eq!(
            (distrusted.status.code(), distrusted.stdout.is_empty()),
            (Some(60), true),
            "{}",
            shown(&distrusted)
        );
        let plain = curl(None, &[&format!("http://{host}:{port}/healthz")]);
        assert!(
            !plain.status.success() && plain.stdout.is_empty(),
            "{}",
            shown(&plain)
        );
    }
    let mut answer = Vec::new();
    let mut plain = service.connect();
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("the service reads");
    let _ = plain.read_to_end(&mut answer);
    assert!(
        !String::from_utf8_lossy(&answer).contains("HTTP/"),
        "{}",
        String::from_utf8_lossy(&answer)
    );

    for stream in &mut stalled {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            !String::from_utf8_lossy(&answer).contains("HTTP/"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "who stalls is dropped: {:?}",
        started.elapsed()
    );
    // The timeout alone: neither at once nor late.
    let started = Instant::now();
    let _ = service.connect().read_to_end(&mut Vec::new());
    let took = started.elapsed();
    assert!(
        (Duration::from_millis(900)..Duration::from_secs(10)).contains(&took),
        "{took:?}"
    );
}

/// Maximum concurrent followers of events, as in the config.
const FOLLOWERS: usize = 50;

/// Maximum concurrent connections, as in the config.
const CONNECTIONS: usize = 200;

/// Threads of the attack, and the attempts of each.
const ATTACKERS: usize = 20;
const ATTEMPTS: usize = 500;

/// Bytes by which the service may grow meanwhile.
const GROWTH: u64 = 64 << 20;

/// Maximum latency under attack.
const PATIENCE: Duration = Duration::from_secs(10);

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

/// API13: an attacker with any number of followers gets only its share, and blocks no other client.
#[test]
fn ten_thousand_followers_are_bounded_and_others_are_served() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let policy = folder.path().join("policy.toml");
    // An execution to follow until the end of the test.
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
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
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
            canary(&service, &other, answered);
            answered += 1;
            most = most.max(resident(process));
        }
    });
    let mut held = held.into_inner().unwrap_or_else(PoisonError::into_inner);
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
        "nobody gets in where others have left",
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

/// A reverse proxy may route by the request target or by the `Host` header: they must be equal. (RFC 9112, section 3.2.2)
#[test]
fn a_target_in_absolute_form_names_the_host_of_the_header() {
    let service = Service::local("");
    let port = service
        .address()
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    for (target, host, status) in [
        ("/healthz".to_owned(), format!("localhost:{port}"), 200),
        (
            format!("http://localhost:{port}/healthz"),
            format!("localhost:{port}"),
            200,
        ),
        (
            format!("http://LOCALHOST:{port}/healthz"),
            format!("localhost:{port}"),
            200,
        ),
        (
            "http://evil.example/healthz".to_owned(),
            format!("localhost:{port}"),
            400,
        ),
        (
            format!("http://localhost:{port}/healthz"),
            "127.0.0.1".to_owned(),
            400,
        ),
        (
            "http://evil.example/healthz".to_owned(),
            "evil.example".to_owned(),
            403,
        ),
        (
            format!("http://user@localhost:{port}/healthz"),
            format!("localhost:{port}"),
            400,
        ),
    ] {
        let answer = service.send("GET", &target, &[("Host", &host)], b"");
        assert_eq!(answer.status, status, "{target} {host}: {}", answer.text());
    }
    // Bytes after a refused upgrade are not read.
    let mut stream = service.connect();
    let first =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
    stream
        .write_all(format!("{first}GET /healthz HTTP/1.1\nHost: localhost\n\n").as_bytes())
        .expect("the service reads");
    let mut bytes = String::new();
    let _ = stream.read_to_string(&mut bytes);
    assert_eq!(bytes.matches("HTTP/1.1 200").count(), 1, "{bytes}");
}

/// Maximum latency of refusing a malformed request; far less than the timeouts of heads and bodies.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Sends bytes, in one piece or in two; returns the statuses of all responses until the service closes, and how long that took.
fn exchange(service: &Service, text: &[u8], cut: Option<usize>) -> (Vec<u16>, Duration, String) {
    let mut stream = service.connect();
    let started = Instant::now();
    let (first, second) = text.split_at(cut.unwrap_or(text.len()));
    stream.write_all(first).expect("the service reads");
    if !second.is_empty() {
        std::thread::sleep(Duration::from_millis(30));
        let _ = stream.write_all(second);
    }
    let mut answer = Vec::new();
    // Bytes sent after a response may reset the connection.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let statuses = answer
        .split("HTTP/1.")
        .skip(1)
        .filter_map(|rest| rest.get(2..5)?.parse().ok())
        .collect();
    (statuses, started.elapsed(), answer)
}

/// Request smuggling: a request whose end is ambiguous is refused at once and nothing after it is read. (RFC 9112, sections 2.2, 3, 5, 6
/// and 7)
#[test]
fn what_is_not_framed_strictly_is_refused_at_once_and_ends_the_connection() {
    let service = Service::local(
        "[limits]\nhead_time = \"60s\"\nbody_time = \"60s\"\nbody = \"64KiB\"\n[containers]\nenabled = false\n",
    );
    let run = r#"{"language":"javascript","source":"6 * 7"}"#;
    let (length, hex) = (run.len(), format!("{:x}", run.len()));
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let post = |fields: &str, body: &str| {
        format!(
            "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n{body}"
        )
    };
    let get = |line: &str, fields: &str| format!("{line}\r\n{fields}\r\n");
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    let (health, host) = ("GET /healthz HTTP/1.1", "Host: localhost\r\n");
    let long = "x".repeat(20 << 10);

    let fine = [
        post(&format!("Content-Length: {length}\r\n"), run),
        post(&format!("content-length:\t00{length} \r\n"), run),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!(
            "000{hex};name=value;quoted=\"a b\"\r\n{run}\r\n0\r\nX-Trailer: a\r\nX-Other: b\r\n\r\n"
        )),
        post(
            "transfer-encoding: CHUNKED\r\n",
            &format!(
                "1\r\n{}\r\n{:X}\r\n{}\r\n00\r\n\r\n",
                &run[..1],
                length - 1,
                &run[1..]
            ),
        ),
        get(health, host),
        format!("\r\n\r\n{}", get(health, host)),
        get(
            health,
            "Host:localhost:80\r\nX-Tab: a\tb\r\nX-Text: \u{e4}\r\n",
        ),
        get("GET http://localhost/healthz HTTP/1.1", host),
        get("GET /healthz?a=%00%0d%0a HTTP/1.1", host),
        get("GET /healthz HTTP/1.0", "Connection: keep-alive\r\n"),
        get(
            "GET /healthz HTTP/1.0",
            "Host: localhost\r\nConnection: keep-alive\r\n",
        ),
    ];
    let refused = [
        // Transfer-Encoding.
        post(
            "Transfer-Encoding: gzip, chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding: chunked, chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post("Transfer-Encoding: identity\r\n", run),
        post(
            "Transfer-Encoding: chunked;q=1\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding: \"chunked\"\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding:\r\n chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding : chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding\t: chunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            "Transfer-Encoding: \x0bchunked\r\n",
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post("Transfer-Encoding:\r\n", run),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\n\r\n")).replacen("HTTP/1.1", "HTTP/1.0", 1),
        // Content-Length.
        post(&format!("Content-Length: +{length}\r\n"), run),
        post(&format!("Content-Length: -{length}\r\n"), run),
        post(&format!("Content-Length: {length}, {length}\r\n"), run),
        post(
            &format!("Content-Length: {length}\r\nContent-Length: {length}\r\n"),
            run,
        ),
        post(
            &format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
            run,
        ),
        post("Content-Length: 4 2\r\n", run),
        post("Content-Length: 0x2a\r\n", run),
        post("Content-Length: 42.0\r\n", run),
        post("Content-Length:\r\n", run),
        post("Content-Length: ,\r\n", run),
        post("Content-Length: 18446744073709551615\r\n", run),
        post("Content-Length: 18446744073709551658\r\n", run),
        post(
            &format!("Content-Length: {}{length}\r\n", "0".repeat(300)),
            run,
        ),
        post(&format!("Content-Length : {length}\r\n"), run),
        post(&format!(" Content-Length: {length}\r\n"), run),
        post(
            &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        post(
            &format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"),
            &format!("{hex}\r\n{run}\r\n0\r\n\r\n"),
        ),
        // Chunks.
        chunked(&format!("{hex}\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex};a=b\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex};a=\"\n\"\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex};a=\"\0\"\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex};a\rb\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex};{long}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("0x{hex}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("+{hex}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("-{hex}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!(" {hex}\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex} 0\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{hex}_\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!(";a\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("1{:0>16}\r\n{run}\r\n0\r\n\r\n", hex)),
        chunked(&format!("ffffffffffffffff\r\n{run}\r\n0\r\n\r\n")),
        chunked(&format!("{}{hex}\r\n{run}\r\n0\r\n\r\n", "0".repeat(300))),
        chunked(&format!("{hex}\r\n{run}0\r\n\r\n")),
        chunked(&format!("{hex}\r\n{run}\n0\r\n\r\n")),
        chunked(&format!("{hex}\r\n{run}xx\r\n0\r\n\r\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\nX-Trailer: a\n\r\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\nX-Trailer: a\r\n\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\n\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\n\r\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\nX-Trailer: a\0\r\n\r\n")),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\nX-Trailer : a\r\n\r\n")),
        chunked(&format!(
            "{hex}\r\n{run}\r\n0\r\nX-Trailer: a\r\n b\r\n\r\n"
        )),
        chunked(&format!("{hex}\r\n{run}\r\n0\r\nX-Trailer: {long}\r\n\r\n")),
        // Hosts.
        get(health, "X: y\r\n"),
        get(health, ""),
        get(health, "Host: localhost\r\nHost: localhost\r\n"),
        get(health, "Host: localhost\r\nhost: evil.example\r\n"),
        get(
            "GET /healthz HTTP/1.0",
            "Host: localhost\r\nHost: localhost\r\n",
        ),
        get(health, "Host:\r\n"),
        get(health, "Host: a b\r\n"),
        get(health, "Host: localhost, evil.example\r\n"),
        get(health, "Host: user@localhost\r\n"),
        get(health, "Host: localhost/healthz\r\n"),
        get("GET http://localhost/healthz HTTP/1.1", ""),
        get("GET http://evil.example/healthz HTTP/1.1", host),
        get("GET ftp://localhost/healthz HTTP/1.1", host),
        get("GET localhost:80 HTTP/1.1", "Host: localhost:80\r\n"),
        get("CONNECT localhost:80 HTTP/1.1", "Host: localhost:80\r\n"),
        // Lines.
        get("GET /healthz HTTP/1.1\nX: y", host),
        get("GET /healthz HTTP/1.1\rX: y", host),
        get("GET /heal\0thz HTTP/1.1", host),
        get("GET /heal\x01thz HTTP/1.1", host),
        get("GET /heal\x7fthz HTTP/1.1", host),
        get("GET\t/healthz\tHTTP/1.1", host),
        get("GET  /healthz HTTP/1.1", host),
        get("GET /healthz  HTTP/1.1", host),
        get("GET /healthz HTTP/1.1 ", host),
        get(" GET /healthz HTTP/1.1", host),
        get("GET /healthz", host),
        get("GET /healthz HTTP/1.2", host),
        get("GET /healthz HTTP/2.0", host),
        get("GET /healthz http/1.1", host),
        get("GET /heal thz HTTP/1.1", host),
        get("GET healthz HTTP/1.1", host),
        get("G(T /healthz HTTP/1.1", host),
        get(health, "Host: localhost\r\nX: a\0b\r\n"),
        get(health, "Host: localhost\r\nX: a\rb\r\n"),
        get(health, "Host: localhost\r\nX: a\nb: c\r\n"),
        get(health, "Host: localhost\r\nX: a\x0bb\r\n"),
        get(health, "Host: localhost\r\nX: a\r\n b\r\n"),
        get(health, "Host: localhost\r\nX: a\r\n\tb\r\n"),
        get(health, " X: a\r\nHost: localhost\r\n"),
        get(health, "Host : localhost\r\n"),
        get(health, "Host: localhost\r\n: a\r\n"),
        get(health, "Host: localhost\r\nno colon\r\n"),
        get(health, "Host: localhost\r\nX y: a\r\n"),
        get(health, "Host: localhost\r\nX\u{e4}: a\r\n"),
        format!("\n{}", get(health, host)),
        format!("{health}\r\n{host}\n"),
        // The second of two.
        format!(
            "{}{}",
            get(health, host),
            get(health, "Host: localhost\r\nX: a\nb: c\r\n")
        ),
    ];
    for text in fine {
        for cut in [None, Some(text.len() / 2), Some(text.len() - 1)] {
            let (statuses, took, answer) =
                exchange(&service, format!("{text}{next}").as_bytes(), cut);
            assert_eq!(statuses, [200, 200], "{text:?} {cut:?} {took:?}: {answer}");
        }
    }
    let mut wrong = Vec::new();
    for text in &refused {
        for cut in [None, Some(text.len() / 2), Some(text.len() - 3)] {
            // Sent as bytes, whatever its encoding.
            let bytes: Vec<u8> = format!("{text}{next}").into_bytes();
            let (statuses, took, answer) = exchange(&service, &bytes, cut);
            let is_second = text.starts_with(&get(health, host));
            let expected: &[u16] = if is_second { &[200, 400] } else { &[400] };
            if statuses != expected || took > AT_ONCE {
                let shown: String = text.chars().take(200).collect();
                wrong.push(format!(
                    "{shown:?} {cut:?} {took:?}: {statuses:?} {}",
                    answer.lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} are not refused:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(service.get("/healthz").status, 200);
}

/// The unread rest of a request is never parsed as the next request.
#[test]
fn what_is_left_of_a_body_is_not_the_next_request() {
    let service = Service::local("[limits]\nbody = \"1KiB\"\n[containers]\nenabled = false\n");
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let padding = "x".repeat(100 << 10);
    let json = "Content-Type: application/json\r\n";
    for (head, body) in [
        // Too large, of an unsupported type, for an unknown path, with an unknown method, and without a valid key.
        (
            format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("POST /nowhere HTTP/1.1\r\nHost: localhost\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("PATCH {RUN} HTTP/1.1\r\nHost: localhost\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("POST {RUN} HTTP/1.1\r\nHost: evil.example\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{json}"),
            format!("{padding}{hidden}"),
        ),
    ] {
        for is_chunked in [false, true] {
            let text = if is_chunked {
                format!(
                    "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
                    body.len()
                )
            } else {
                format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
            };
            let (statuses, _, answer) = exchange(&service, text.as_bytes(), None);
            assert_eq!(
                statuses.iter().filter(|status| **status != 100).count(),
                1,
                "{head} {statuses:?}: {answer}"
            );
        }
    }
    // A refused upgrade is an ordinary request.
    for fields in [
        "Upgrade: x\r\n",
        "Connection: upgrade\r\nUpgrade: x\r\n",
        "Upgrade: h2c\r\nContent-Length: 1\r\n",
    ] {
        let body = if fields.contains("Length") { "x" } else { "" };
        let text = format!(
            "GET /healthz HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n{body}GET /healthz HTTP/1.1\nHost: localhost\n\n"
        );
        let (statuses, _, answer) = exchange(&service, text.as_bytes(), None);
        assert!(
            matches!(statuses[..], [200] | [200, 400]),
            "{fields} {statuses:?}: {answer}"
        );
    }
}
