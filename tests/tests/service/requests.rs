//! Malformed requests: is what makes no sense refused, with the reason, and without harm?

use glovebox_tests::service::{RUN, Service, python, read};
use std::io::{Read as _, Write as _};
use std::time::Duration;

#[test]
fn api08_pages_of_foreign_origins_reach_nothing() {
    let service = Service::local(
        "origins = [\"https://console.example.org\"]\nhosts = [\"box.example.org\"]\n",
    );
    let body = python("1").to_string();
    for (headers, status) in [
        (vec![("Content-Type", "text/plain")], 415),
        (
            vec![("Content-Type", "application/x-www-form-urlencoded")],
            415,
        ),
        (vec![], 415),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Origin", "https://evil.example"),
            ],
            403,
        ),
        (
            vec![("Content-Type", "application/json"), ("Origin", "null")],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "evil.example"),
            ],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "evil.example:80"),
            ],
            403,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Host", "box.example.org"),
            ],
            200,
        ),
        (
            vec![
                ("Content-Type", "application/json"),
                ("Origin", "https://console.example.org"),
            ],
            200,
        ),
        (
            vec![("Content-Type", "application/json; charset=utf-8")],
            200,
        ),
    ] {
        let answer = service.send("POST", RUN, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

/// An unknown route or method is refused, and no method override is accepted. (API07)
#[test]
fn api07_unknown_routes_and_methods_are_refused() {
    let service = Service::local(
        "origins = [\"https://console.example.org\"]\nhosts = [\"box.example.org\"]\n",
    );
    let body = python("1").to_string();
    for (method, path, status) in [
        ("TRACE", RUN, 405),
        ("PATCH", RUN, 405),
        ("OPTIONS", RUN, 405),
        ("GET", "/v2", 404),
        ("GET", "/v1/executions/../../etc", 404),
    ] {
        assert_eq!(
            service
                .send(method, path, &[("Origin", "null")], b"")
                .status,
            403
        );
        let answer = service.send(method, path, &[("X-HTTP-Method-Override", "DELETE")], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert!(
        !service
            .send(
                "POST",
                RUN,
                &[
                    ("X-HTTP-Method-Override", "DELETE"),
                    ("Content-Type", "application/json")
                ],
                body.as_bytes()
            )
            .text()
            .is_empty()
    );
}

#[test]
fn api10_malformed_limits_are_refused() {
    let service = Service::local("");
    for amount in [
        "-1",
        "0",
        "1.5",
        "9223372036854775808000",
        "\"5\"",
        "true",
        "[]",
    ] {
        let body =
            format!(r#"{{"language":"python","source":"1","limits":{{"wall_ms":{amount}}}}}"#);
        let answer = service.send(
            "POST",
            RUN,
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!(answer.status, 422, "{amount}: {}", answer.text());
    }
}

#[test]
fn api10_malformed_bodies_are_refused_with_the_reason() {
    let service = Service::local("");
    for (body, status, says) in [
        ("", 400, "EOF"),
        ("{", 400, "EOF"),
        ("[]", 422, "object"),
        (
            r#"{"language":"python","source":"1","limits":[]}"#,
            422,
            "object",
        ),
        (
            r#"{"language":"python","source":"1","files":[["x"]]}"#,
            422,
            "object",
        ),
        (r#"{"language":"python"}"#, 422, "`source` is missing"),
        (
            r#"{"language":"python","source":"1","sauce":"2"}"#,
            422,
            "unknown field `sauce`",
        ),
        (
            r#"{"language":"python","source":"1","source_base64":"MQ=="}"#,
            422,
            "send one of them",
        ),
        (
            r#"{"language":"python","source_base64":"!"}"#,
            422,
            "not valid base64",
        ),
        (
            r#"{"language":"python","source":"1","artifacts":["["]}"#,
            422,
            "pattern",
        ),
        ("\u{0}", 400, "expected value"),
    ] {
        let answer = service.send(
            "POST",
            RUN,
            &[("Content-Type", "application/json")],
            body.as_bytes(),
        );
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (status, "application/problem+json"),
            "{body}: {}",
            answer.text()
        );
        let problem = answer.json();
        assert!(
            problem["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(says),
            "{body}: {problem}"
        );
        assert!(
            problem["type"]
                .as_str()
                .unwrap_or_default()
                .starts_with("urn:glovebox:problem:"),
            "{problem}"
        );
    }
}

/// By its announced length and by its real length. (API02)
#[test]
fn api02_oversized_body_is_refused_by_its_length() {
    let service = Service::local("[limits]\nbody = \"64KiB\"\n");
    let large = python(&"#".repeat(100_000)).to_string();
    assert_eq!(
        service
            .send(
                "POST",
                RUN,
                &[("Content-Type", "application/json")],
                large.as_bytes()
            )
            .problem(),
        (413, "too_large".to_owned())
    );
    let mut stream = service.connect();
    let head = format!(
        "POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .expect("the service reads");
    let chunk = format!("1000\r\n{}\r\n", "#".repeat(0x1000));
    for _ in 0..10_000 {
        if stream.write_all(chunk.as_bytes()).is_err() {
            break;
        }
    }
    assert_eq!(read(&mut stream).status, 413);
}

#[test]
fn api10_malformed_queries_are_refused() {
    let service = Service::local("");
    for path in ["?limit=0", "?limit=501", "?limit=x", "?what=1"] {
        assert_eq!(service.get(&format!("{RUN}{path}")).status, 422, "{path}");
    }
    assert_eq!(service.get(&format!("{RUN}?cursor=x")).status, 404);
    assert_eq!(service.get(&format!("{RUN}/run_1")).status, 404);
}

#[test]
fn api04_smuggled_request_is_not_answered() {
    let service = Service::local("");
    let body = python("1").to_string();
    let length = body.len();
    for (name, head) in [
        (
            "CL.TE",
            format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
        ),
        (
            "two lengths",
            format!("Content-Length: {length}\r\nContent-Length: 5\r\n"),
        ),
        (
            "unknown coding",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
        ),
        (
            "two codings",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
        ),
        (
            "folded",
            format!("X: a\r\n b\r\nContent-Length: {length}\r\n"),
        ),
        (
            "space before the colon",
            format!("Content-Length : {length}\r\n"),
        ),
        ("no number", "Content-Length: +5\r\n".to_owned()),
        (
            "two hosts",
            format!("Host: localhost\r\nContent-Length: {length}\r\n"),
        ),
        ("many headers", "X: y\r\n".repeat(200)),
        (
            "a bare line feed",
            format!("X: y\nContent-Length: {length}\r\n"),
        ),
        (
            "bare line feeds alone",
            format!("X: y\nContent-Length: {length}\n"),
        ),
        (
            "a bare carriage return",
            format!("X: y\rContent-Length: {length}\r\n"),
        ),
        (
            "a chunk that ends with a line feed",
            "Transfer-Encoding: chunked\r\n\r\n5\n12345\r\n0\r\n".to_owned(),
        ),
        ("a long header", format!("X: {}\r\n", "y".repeat(200_000))),
    ] {
        let mut stream = service.connect();
        let smuggled = "GET /v1/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let _ = stream.write_all(
            format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{head}\r\n{body}{smuggled}").as_bytes(),
        );
        let mut answers = Vec::new();
        stream
            .set_read_timeout(Some(Duration::from_secs(3)))
            .expect("a time can be set");
        let _ = stream.read_to_end(&mut answers);
        let answers = String::from_utf8_lossy(&answers).into_owned();
        assert!(
            answers.is_empty()
                || answers.starts_with("HTTP/1.1 400")
                || answers.starts_with("HTTP/1.1 431"),
            "{name}: {answers}"
        );
        assert!(
            !answers.contains("404"),
            "{name}: the second request was answered: {answers}"
        );
    }
    assert_eq!(service.run(RUN, &python("1"))["status"], "succeeded");
}
