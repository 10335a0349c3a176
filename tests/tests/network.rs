//! Network grants of `fetch`: does it reach what was granted and nothing else?
//!
//! The other side is a server on the loopback address, which is private: each policy names that
//! range, or must refuse it.

use glovebox::{Outcome, Request, Sandbox, Status};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{GRACE, run, sandbox};
use glovebox_tests::server::{Server, answer};
use std::time::{Duration, Instant};

/// Lines of a policy: the loopback range, and one rule for 127.0.0.1 at the server's port.
fn grant(server: &Server, rule: &str, more: &str) -> String {
    format!(
        "\n[profiles.attack.network]\nprivate_ranges = [\"127.0.0.0/8\"]\n{more}\n\
         [[profiles.attack.network.allow]]\nhost = \"127.0.0.1\"\nschemes = [\"http\"]\nports = [{}]\n{rule}\n",
        server.port()
    )
}

fn get(sandbox: &Sandbox, url: &str) -> Outcome {
    let source = format!(
        "try {{ const r = await fetch('{url}'); console.log(r.status, (await r.text()).slice(0, 100)); }} catch (error) {{ console.log('refused', error.message); }}"
    );
    run(sandbox, Request::new("javascript", source))
}

#[test]
fn every_client_gets_an_answer() {
    let server = Server::start(|request| {
        let said = format!(
            "{} {} {}",
            request.line,
            request.header("x-mine").unwrap_or("-"),
            String::from_utf8_lossy(&request.body)
        );
        answer(
            "201 Created",
            &[
                ("X-Back", "yes"),
                ("Content-Type", "text/plain; charset=utf-8"),
            ],
            said.as_bytes(),
        )
    });
    let sandbox = sandbox(
        "wall = \"10s\"\nfuel = 10_000_000_000",
        &grant(&server, "methods = [\"GET\", \"POST\"]", ""),
    );
    let javascript = format!(
        "const r = await fetch('{}', {{ method: 'POST', headers: {{ 'X-Mine': 'é'.length + 'x' }}, body: 'ünï' }});
         console.log(r.status, r.ok, r.headers.get('x-back'), await r.text());
         console.log((await (await fetch('{}')).text()), (await Promise.all([1, 2, 3].map((n) => fetch('{}?' + n).then((r) => r.text())))).length);",
        server.url("/a?b=1"),
        server.url("/plain"),
        server.url("/many")
    );
    let outcome = run(&sandbox, Request::new("javascript", javascript));
    assert_eq!(
        outcome.stdout.text(),
        "201 true yes POST /a?b=1 1x ünï\nGET /plain - \n true 3\n"
            .replace("\n true", " ")
            .replace("  3", " 3"),
        "{}",
        show(&outcome)
    );
    let python = format!(
        r#"
import http.client, json, urllib.request, urllib.error, urllib.parse
request = urllib.request.Request("{0}", data=b"x=1", headers={{"X-Mine": "py"}}, method="POST")
with urllib.request.urlopen(request) as response:
    print(response.status, response.headers["X-Back"], response.read().decode())
connection = http.client.HTTPConnection("127.0.0.1", {1})
connection.request("GET", "/c")
response = connection.getresponse()
print(response.status, response.reason, response.getheader("x-back"), response.read())
"#,
        server.url("/a"),
        server.port()
    );
    let outcome = run(&sandbox, Request::new("python", python));
    assert_eq!(
        outcome.stdout.text(),
        "201 yes POST /a py x=1\n201 Created yes b'GET /c - '\n",
        "{}",
        show(&outcome)
    );
    let first = server
        .received()
        .into_iter()
        .next()
        .expect("something came");
    assert_eq!(
        first.header("host"),
        Some(format!("127.0.0.1:{}", server.port()).as_str())
    );
}

/// Methods, paths, ports, schemes and hosts must match the rule. (NET01, NET03, NET06, NET08)
#[test]
fn a_rule_allows_what_it_says() {
    let server = Server::start(|_| answer("200 OK", &[], b"here"));
    let other = Server::start(|_| answer("200 OK", &[], b"elsewhere"));
    let sandbox = sandbox("", &grant(&server, "paths = [\"/v1\"]", ""));
    for fine in ["/v1", "/v1/x", "/v1/x?q=/../..", "/v1/a%20b"] {
        assert_eq!(
            get(&sandbox, &server.url(fine)).stdout.text(),
            "200 here\n",
            "{fine}"
        );
    }
    let before = server.received().len();
    for bad in [
        "/",
        "/v2",
        "/v10",
        "/v1/../secret",
        "/v1/%2e%2e/secret",
        "/v1/..%2fsecret",
        "/V1",
        "//v1",
    ] {
        let outcome = get(&sandbox, &server.url(bad));
        let shown = outcome.stdout.text().into_owned();
        // A client may normalize a path itself; then the normalized path is judged.
        assert!(shown.starts_with("refused"), "{bad}: {}", show(&outcome));
    }
    assert_eq!(server.received().len(), before, "nothing was sent");
    let port = server.port();
    for bad in [
        other.url("/v1"),
        format!("http://localhost:{port}/v1"),
        format!("http://127.0.0.2:{port}/v1"),
        format!("https://127.0.0.1:{port}/v1"),
        format!("http://[::1]:{port}/v1"),
        format!("http://[::ffff:127.0.0.1]:{port}/v2"),
        format!("http://127.0.0.1.example.org:{port}/v1"),
        format!("http://127.0.0.1@example.org:{port}/v1"),
        "http://169.254.169.254/v1".to_owned(),
        "http://127.0.0.1/v1".to_owned(),
        format!("ftp://127.0.0.1:{port}/v1"),
    ] {
        let outcome = get(&sandbox, &bad);
        assert!(
            outcome.stdout.text().starts_with("refused"),
            "{bad}: {}",
            show(&outcome)
        );
    }
    let post = format!(
        "try {{ await fetch('{}', {{ method: 'POST' }}); console.log('got'); }} catch (error) {{ console.log('refused', /denied by/.test(error.message)); }}",
        server.url("/v1")
    );
    assert_eq!(
        run(&sandbox, Request::new("javascript", post))
            .stdout
            .text(),
        "refused true\n"
    );
    assert!(other.received().is_empty());
    assert_eq!(server.received().len(), before);
}

/// A name can resolve to any address (DNS rebinding): the address is judged. (NET02, NET04)
#[test]
fn private_addresses_are_refused_unless_they_are_named() {
    let server = Server::start(|_| answer("200 OK", &[], b"private"));
    let any = "\n[[profiles.attack.network.allow]]\nhost = \"*\"\nschemes = [\"http\", \"https\"]\nports = [PORT, 80]\n"
        .replace("PORT", &server.port().to_string());
    let open = sandbox("", &any);
    let port = server.port();
    for bad in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        "http://169.254.169.254/latest/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
    ] {
        let outcome = get(&open, &bad);
        assert!(
            outcome.stdout.text().starts_with("refused"),
            "{bad}: {}",
            show(&outcome)
        );
    }
    assert!(server.received().is_empty(), "nothing was sent");
    // The twin: the same policy with the range named.
    let named = sandbox(
        "",
        &format!("\n[profiles.attack.network]\nprivate_ranges = [\"127.0.0.0/8\"]\n{any}"),
    );
    assert_eq!(get(&named, &server.url("/")).stdout.text(), "200 private\n");
    assert_eq!(
        get(&named, &format!("http://localhost:{port}/"))
            .stdout
            .text(),
        "200 private\n"
    );
    assert!(
        get(&named, "http://169.254.169.254/latest/")
            .stdout
            .text()
            .starts_with("refused"),
        "another range is not named"
    );
}

/// Each redirect is judged like the first request. (NET05)
#[test]
fn redirects_are_judged_anew() {
    let inside = Server::start(|_| answer("200 OK", &[], b"secret"));
    let target = inside.url("/secret");
    let port = inside.port();
    let server = Server::start(move |request| {
        let to = match request.line.split(' ').nth(1).unwrap_or_default() {
            "/same" => "/v1/end".to_owned(),
            "/host" => target.clone(),
            "/name" => format!("http://localhost:{port}/secret"),
            "/file" => "file:///etc/passwd".to_owned(),
            "/gopher" => format!("gopher://127.0.0.1:{port}/x"),
            "/metadata" => "http://169.254.169.254/latest/".to_owned(),
            "/loop" => "/loop".to_owned(),
            "/rubbish" => "http://[".to_owned(),
            _ => {
                return answer(
                    "200 OK",
                    &[],
                    request.header("authorization").unwrap_or("end").as_bytes(),
                );
            }
        };
        answer("302 Found", &[("Location", &to)], b"")
    });
    let sandbox = sandbox("", &grant(&server, "", "redirects = 3"));
    assert_eq!(
        get(&sandbox, &server.url("/same")).stdout.text(),
        "200 end\n"
    );
    for bad in [
        "/host",
        "/name",
        "/file",
        "/gopher",
        "/metadata",
        "/loop",
        "/rubbish",
    ] {
        let outcome = get(&sandbox, &server.url(bad));
        assert!(
            outcome.stdout.text().starts_with("refused"),
            "{bad}: {}",
            show(&outcome)
        );
    }
    assert!(inside.received().is_empty(), "no redirect led there");
    assert_eq!(
        server
            .received()
            .iter()
            .filter(|request| request.line == "GET /loop")
            .count(),
        4,
        "the first and three redirects"
    );
    let python = format!(
        "import urllib.request, urllib.error\ntry:\n    print('got', urllib.request.urlopen('{}').read())\nexcept urllib.error.URLError as error:\n    print('refused')",
        server.url("/host")
    );
    assert_eq!(
        run(&sandbox, Request::new("python", python)).stdout.text(),
        "refused\n"
    );
    assert!(inside.received().is_empty());
}

/// Credentials for one server are not sent to another after a redirect.
#[test]
fn credentials_do_not_follow_a_redirect_to_another_server() {
    let other = Server::start(|request| {
        let names = [
            "authorization",
            "cookie",
            "x-api-key",
            "x-amz-security-token",
            "private-token",
            "accept",
        ];
        let came: Vec<&str> = names
            .into_iter()
            .filter_map(|name| request.header(name))
            .collect();
        answer("200 OK", &[], came.join(" ").as_bytes())
    });
    let target = other.url("/");
    let server = Server::start(move |request| match request.line.split(' ').nth(1) {
        Some("/here") => answer(
            "200 OK",
            &[],
            request.header("x-api-key").unwrap_or_default().as_bytes(),
        ),
        Some("/same") => answer("307 Temporary Redirect", &[("Location", "/here")], b""),
        _ => answer("307 Temporary Redirect", &[("Location", &target)], b""),
    });
    let rules = grant(&server, "", "")
        + &format!(
            "\n[[profiles.attack.network.allow]]\nhost = \"127.0.0.1\"\nschemes = [\"http\"]\nports = [{}]\n",
            other.port()
        );
    let sandbox = sandbox("", &rules);
    let source = format!(
        "const headers = {{ Authorization: 'Bearer s', Cookie: 'c=1', 'X-Api-Key': 'k', 'X-Amz-Security-Token': 't', 'Private-Token': 'p', Accept: 'text/x' }};
         const r = await fetch('{}', {{ headers }}); console.log(await r.text(), r.redirected);
         console.log(await (await fetch('{}', {{ headers }})).text());",
        server.url("/"),
        server.url("/same"),
    );
    let outcome = run(&sandbox, Request::new("javascript", source));
    assert_eq!(
        outcome.stdout.text(),
        "text/x true\nk\n",
        "{}",
        show(&outcome)
    );
    assert_eq!(
        server
            .received()
            .first()
            .and_then(|request| request.header("authorization").map(str::to_owned)),
        Some("Bearer s".to_owned()),
        "the first server does get them"
    );
}

/// Responses that are too large, too slow or not HTTP at all. (NET13, NET15)
#[test]
fn exchanges_are_limited() {
    let _alone = alone();
    let server =
        Server::start(
            |request| match request.line.split(' ').nth(1).unwrap_or_default() {
                "/large" => answer("200 OK", &[], &vec![b'x'; 3 << 20]),
                "/claims" => {
                    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nshort".to_vec()
                }
                "/headers" => format!(
                    "HTTP/1.1 200 OK\r\n{}\r\n",
                    "X-Header: yyyyyyyyyyyyyyyyyyyy\r\n".repeat(100_000)
                )
                .into_bytes(),
                "/chunks" => format!(
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                    "10000\r\n".to_owned() + &"x".repeat(0x10000) + "\r\n"
                )
                .repeat(1)
                .into_bytes(),
                "/rubbish" => b"\x00\x01\x02 not http\r\n\r\n".to_vec(),
                "/silent" => Vec::new(),
                "/smuggle" => {
                    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc".to_vec()
                }
                _ => answer("200 OK", &[], b"fine"),
            },
        );
    let sandbox = sandbox(
        "wall = \"3s\"",
        &grant(
            &server,
            "methods = [\"GET\", \"POST\"]",
            "response = \"1MiB\"\nrequest = \"64KiB\"\ntimeout = \"500ms\"",
        ),
    );
    assert_eq!(get(&sandbox, &server.url("/")).stdout.text(), "200 fine\n");
    for bad in [
        "/large", "/claims", "/headers", "/chunks", "/rubbish", "/silent", "/smuggle",
    ] {
        let started = Instant::now();
        let outcome = get(&sandbox, &server.url(bad));
        assert!(
            outcome.stdout.text().starts_with("refused"),
            "{bad}: {}",
            show(&outcome)
        );
        assert!(
            started.elapsed() < Duration::from_millis(500) + GRACE,
            "{bad}"
        );
    }
    let post = |body: &str| {
        let source = format!(
            "try {{ console.log((await fetch('{}', {{ method: 'POST', body: {body} }})).status); }} catch (error) {{ console.log('refused'); }}",
            server.url("/")
        );
        run(&sandbox, Request::new("javascript", source))
            .stdout
            .text()
            .into_owned()
    };
    assert_eq!(post("'x'.repeat(1000)"), "200\n");
    assert_eq!(post("'x'.repeat(100000)"), "refused\n");
    let many = format!(
        "const headers = []; for (let n = 0; n < 70000; n++) headers.push(['x-' + n, 'y']); try {{ await fetch('{}', {{ headers }}); console.log('got'); }} catch (error) {{ console.log('refused'); }}",
        server.url("/")
    );
    let outcome = run(&sandbox, Request::new("javascript", many));
    assert!(
        outcome.stdout.text() == "refused\n" || outcome.status == Status::Limited,
        "{}",
        show(&outcome)
    );
}

/// Header fields and methods cannot carry a second request (header injection, request smuggling).
#[test]
fn requests_cannot_be_smuggled() {
    let server = Server::start(|_| answer("200 OK", &[], b"fine"));
    let sandbox = sandbox("", &grant(&server, "", ""));
    let url = server.url("/");
    let python = format!(
        r#"
import http.client
def attempt(method="GET", path="/", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", {port})
    try:
        connection.request(method, path, headers=headers or {{}})
        return connection.getresponse().status
    except Exception as error:
        return type(error).__name__
print(attempt())
for bad in [dict(path="/ HTTP/1.1\r\nX: y"), dict(path="/a b"), dict(method="GET / HTTP/1.1\r\nX: y\r\n\r\nGET"), dict(headers={{"X": "a\r\nY: b"}}), dict(headers={{"X\r\nY": "b"}}), dict(headers={{"X": "\0"}})]:
    print(attempt(**bad) == 200)
print(attempt(headers={{"Host": "other.example", "Connection": "x-secret", "TE": "trailers"}}))
print(attempt(headers={{"Content-Length": "100"}}) in (200, "RemoteDisconnected"), attempt(headers={{"Transfer-Encoding": "chunked"}}) in (200, "RemoteDisconnected"))
"#,
        port = server.port()
    );
    let outcome = run(&sandbox, Request::new("python", python));
    assert_eq!(
        outcome.stdout.text(),
        "200\nFalse\nFalse\nFalse\nFalse\nFalse\nFalse\n200\nTrue True\n",
        "{}",
        show(&outcome)
    );
    for request in server.received() {
        assert_eq!(request.line, "GET /");
        assert_eq!(
            request.header("host"),
            Some(url.trim_start_matches("http://").trim_end_matches('/'))
        );
        assert!(request.header("y").is_none() && request.header("transfer-encoding").is_none());
    }
}

#[test]
fn a_request_can_keep_less_of_the_network() {
    let server = Server::start(|_| answer("200 OK", &[], b"fine"));
    let sandbox = sandbox("", &grant(&server, "", ""));
    let source = format!(
        "try {{ await fetch('{}'); console.log('got'); }} catch {{ console.log('refused'); }}",
        server.url("/")
    );
    let mut request = Request::new("javascript", source.clone());
    request.wants.network = Some(glovebox::policy::NetworkWish::Nothing);
    assert_eq!(run(&sandbox, request).stdout.text(), "refused\n");
    assert!(server.received().is_empty());
    assert_eq!(
        run(&sandbox, Request::new("javascript", source))
            .stdout
            .text(),
        "got\n"
    );
}
