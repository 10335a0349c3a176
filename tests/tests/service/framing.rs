//! HTTP framing: is each request framed in one way only, or refused at once?
//!
//! Request smuggling lives where two readers see two ends of one request. (RFC 9112, sections 2.2,
//! 3, 5, 6 and 7)

use glovebox_tests::service::{RUN, Service};
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

/// A reverse proxy may route by the request target or by the `Host` header: they must be equal.
/// (RFC 9112, section 3.2.2)
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

/// Sends bytes, in one piece or in two; returns the statuses of all responses until the service
/// closes, and how long that took.
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

/// A program that is short, its length in decimal and in hexadecimal digits.
const RUN_BODY: &str = r#"{"language":"javascript","source":"6 * 7"}"#;

const HEALTH: &str = "GET /healthz HTTP/1.1";

const HOST: &str = "Host: localhost\r\n";

fn length() -> usize {
    RUN_BODY.len()
}

fn hex() -> String {
    format!("{:x}", RUN_BODY.len())
}

/// A header field or a chunk that is longer than any may be.
fn long() -> String {
    "x".repeat(20 << 10)
}

fn post(fields: &str, body: &str) -> String {
    format!(
        "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n{body}"
    )
}

fn get(line: &str, fields: &str) -> String {
    format!("{line}\r\n{fields}\r\n")
}

fn chunked(body: &str) -> String {
    post("Transfer-Encoding: chunked\r\n", body)
}

/// Requests that are framed well, in every way that there is.
fn well_framed() -> Vec<String> {
    let run = RUN_BODY;
    let length = length();
    let hex = hex();
    let health = HEALTH;
    let host = HOST;
    vec![
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
    ]
}

/// Transfer codings that a reader may take for others.
fn malformed_transfer_encodings() -> Vec<String> {
    let run = RUN_BODY;
    let hex = hex();
    vec![
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
    ]
}

/// Lengths that a reader may take for others.
fn malformed_content_lengths() -> Vec<String> {
    let run = RUN_BODY;
    let length = length();
    let hex = hex();
    vec![
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
    ]
}

/// Chunks whose end a reader may see elsewhere.
fn malformed_chunks() -> Vec<String> {
    let run = RUN_BODY;
    let hex = hex();
    let long = long();
    vec![
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
    ]
}

/// Hosts that are missing, are more than one, or differ from the target.
fn malformed_hosts() -> Vec<String> {
    let health = HEALTH;
    let host = HOST;
    vec![
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
    ]
}

/// Lines whose end or parts a reader may see elsewhere.
fn malformed_lines() -> Vec<String> {
    let health = HEALTH;
    let host = HOST;
    vec![
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
    ]
}

/// Another request on the same connection, which must not be answered.
const NEXT: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

fn patient_service() -> Service {
    Service::local(
        "[limits]\nhead_time = \"60s\"\nbody_time = \"60s\"\nbody = \"64KiB\"\n[containers]\nenabled = false\n",
    )
}

#[test]
fn well_framed_requests_are_answered_however_they_are_cut() {
    let service = patient_service();
    let next = NEXT;
    for text in well_framed() {
        for cut in [None, Some(text.len() / 2), Some(text.len() - 1)] {
            let (statuses, took, answer) =
                exchange(&service, format!("{text}{next}").as_bytes(), cut);
            assert_eq!(statuses, [200, 200], "{text:?} {cut:?} {took:?}: {answer}");
        }
    }
}

/// A request whose end is ambiguous is refused at once, and nothing after it is read.
#[test]
fn malformed_framing_is_refused_at_once_and_ends_the_connection() {
    let service = patient_service();
    let (next, health, host) = (NEXT, HEALTH, HOST);
    let refused = [
        malformed_transfer_encodings(),
        malformed_content_lengths(),
        malformed_chunks(),
        malformed_hosts(),
        malformed_lines(),
    ]
    .concat();
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
fn rest_of_a_refused_body_is_not_the_next_request() {
    let service = Service::local("[limits]\nbody = \"1KiB\"\n[containers]\nenabled = false\n");
    let hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let padding = "x".repeat(100 << 10);
    let json = "Content-Type: application/json\r\n";
    for (head, body) in [
        // Too large, of an unsupported type, for an unknown path, with an unknown method, and
        // without a valid key.
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
