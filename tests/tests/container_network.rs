//! Container egress: do programs in containers reach what their policy allows, and nothing else?
//!
//! Through the program `glovebox`, with common HTTP clients; the other side is an HTTPS server and
//! an HTTP server on the loopback address of this machine, and they record their requests. (Class B
//! of the catalogue)

use glovebox_tests::engine;
use glovebox_tests::server::{Authority, Server, answer};
use glovebox_tests::tree::program;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Place {
    folder: tempfile::TempDir,
    secure: Server,
    plain: Server,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Place {
    /// Returns `None` without an engine.
    fn new() -> Option<Self> {
        engine::sandbox_for(
            &["shell", "python", "javascript"],
            glovebox::Policy::builtin(),
        )?;
        let authority = Authority::new();
        let echo = |request: &glovebox_tests::server::Received| {
            if request.line.ends_with("/ok/away") {
                return answer(
                    "302 Found",
                    &[("Location", "http://169.254.169.254/latest")],
                    b"",
                );
            }
            let said = format!(
                "{} {}",
                request.line,
                String::from_utf8_lossy(&request.body)
            );
            answer(
                "200 OK",
                &[("X-Back", "yes"), ("Content-Type", "text/plain")],
                said.as_bytes(),
            )
        };
        let (secure, plain) = (
            Server::start_tls(&authority, &["127.0.0.1", "localhost"], echo),
            Server::start(echo),
        );
        let folder = tempfile::tempdir().expect("a folder can be made");
        let rule = |scheme: &str, port: u16| {
            format!(
                "[[profiles.n.network.allow]]\nhost = \"127.0.0.1\"\nschemes = [\"{scheme}\"]\nports = [{port}]\nmethods = [\"GET\", \"POST\"]\npaths = [\"/ok\"]\n"
            )
        };
        let policy = format!(
            "version = 1\ndefault_profile = \"n\"\n[profiles.n]\nextends = \"default\"\n[profiles.n.limits]\nhost_calls = 30\n\
             [profiles.n.network]\nprivate_ranges = [\"127.0.0.0/8\"]\nresponse = \"64KiB\"\nrequest = \"4KiB\"\n{}{}",
            rule("https", secure.port()),
            rule("http", plain.port())
        );
        for (name, content) in [
            ("policy.toml", policy.as_str()),
            ("trusted.pem", authority.pem()),
        ] {
            std::fs::write(folder.path().join(name), content).expect("the folder is writable");
        }
        std::fs::create_dir(folder.path().join("tmp")).expect("the folder is writable");
        Some(Self {
            folder,
            secure,
            plain,
        })
    }

    /// Runs a program, with `SECURE` and `PLAIN` replaced by the URLs of the servers.
    fn run(&self, language: &str, source: &str) -> Output {
        let source = source
            .replace("SECURE", &self.secure.url(""))
            .replace("PLAIN", &self.plain.url(""));
        std::fs::write(self.folder.path().join("main"), source).expect("the folder is writable");
        Command::new(program())
            .args([
                "run",
                "--policy",
                "policy.toml",
                "--audit",
                "audit.jsonl",
                "--tier",
                "container",
                "--language",
                language,
                "main",
            ])
            .current_dir(self.folder.path())
            .env("SSL_CERT_FILE", self.folder.path().join("trusted.pem"))
            .env("TMPDIR", self.temporary())
            .output()
            .expect("the program starts")
    }

    /// A folder for temporary files of its own, so that other tests have none in it.
    fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    fn requests(&self) -> usize {
        self.secure.received().len() + self.plain.received().len()
    }
}

#[test]
fn every_client_reaches_what_is_allowed() {
    let Some(place) = Place::new() else { return };
    let cases = [
        (
            "shell",
            "curl -sS SECURE/ok/a; echo; curl -sS PLAIN/ok/b; echo; curl -sS -d body SECURE/ok/c",
            "GET /ok/a \nGET /ok/b \nPOST /ok/c body",
        ),
        (
            "python",
            "import urllib.request as r\nfor url in ('SECURE/ok/a', 'PLAIN/ok/b'):\n    with r.urlopen(url) as a: print(a.status, a.read().decode(), a.headers['x-back'])",
            "200 GET /ok/a  yes\n200 GET /ok/b  yes\n",
        ),
        (
            "javascript",
            "const https = require('https'), http = require('http');\n\
             const get = (m, url) => new Promise((done, fail) => m.get(url, (a) => { let t = ''; a.on('data', (d) => t += d); a.on('end', () => done(t)); }).on('error', fail));\n\
             (async () => {\n  console.log(await get(https, 'SECURE/ok/a'), await get(http, 'PLAIN/ok/b'));\n\
               const a = await fetch('SECURE/ok/c', { method: 'POST', body: 'body' });\n  console.log(a.status, await a.text(), a.headers.get('x-back'));\n\
               console.log((await fetch('PLAIN/ok/d')).ok);\n})();",
            "GET /ok/a  GET /ok/b \n200 POST /ok/c body yes\ntrue\n",
        ),
    ];
    for (language, source, expected) in cases {
        let output = place.run(language, source);
        assert_eq!(
            text(&output.stdout),
            expected,
            "{language}: {}",
            text(&output.stderr)
        );
    }
    let records =
        std::fs::read_to_string(place.folder.path().join("audit.jsonl")).expect("there is a log");
    assert!(
        records.contains("\"function\":\"fetch\"")
            && records.contains("/ok/c")
            && records.contains("\"allowed_by\":\"profiles.n.network.allow[0]\"")
    );
}

#[test]
fn requests_beyond_the_grant_are_not_sent() {
    let Some(place) = Place::new() else { return };
    let before = place.requests();
    // The request, and a word of the response.
    let cases = [
        ("curl -sS SECURE/no", "not this path"),
        ("curl -sS --path-as-is SECURE/ok/../no", "denied"),
        ("curl -sS SECURE/ok%2f..%2fno", "denied"),
        ("curl -sS -X DELETE SECURE/ok", "not this method"),
        ("curl -sS https://localhost:1/", "response 403"),
        (
            "curl -sS http://169.254.169.254/latest",
            "no host that profile",
        ),
        ("curl -sSv https://example.org/", "no host that profile"),
        (
            "curl -sS -H 'Upgrade: websocket' -H 'Connection: Upgrade' PLAIN/ok",
            "change their protocol",
        ),
        (
            "head -c 100000 /dev/zero | curl -sS --data-binary @- SECURE/ok",
            "at most 4096 bytes",
        ),
        ("curl -sS -m 5 --proxy '' PLAIN/ok", "Could"),
        ("curl -sS -m 5 --proxy '' http://172.17.0.1/", "Could"),
        ("getent hosts example.org || echo nothing", "nothing"),
        (
            "ls /sys/class/net; ls -l /run/glovebox | grep -v total | wc -l; touch /run/glovebox/x",
            "Read-only file system",
        ),
        (
            "curl -sS --cacert /etc/ssl/certs/ca-certificates.crt SECURE/ok",
            "certificate",
        ),
    ];
    for (source, word) in cases {
        let output = place.run("shell", source);
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(said.contains(word), "{source}: {said}");
    }
    assert_eq!(
        place.requests(),
        before,
        "nothing of it arrived: {:?} {:?}",
        place.secure.received(),
        place.plain.received()
    );
}

#[test]
fn redirects_are_judged_and_requests_counted() {
    let Some(place) = Place::new() else { return };
    // Each hop is judged anew.
    let output = place.run("shell", "curl -sSL PLAIN/ok/away");
    assert!(
        text(&output.stdout).contains("169.254.169.254") && text(&output.stdout).contains("denied"),
        "{}",
        text(&output.stdout)
    );
    // One run makes no more requests than its policy grants.
    let output = place.run(
        "shell",
        "for i in $(seq 60); do curl -sS -o /dev/null -w '%{http_code} ' PLAIN/ok; done",
    );
    assert_eq!(
        text(&output.stdout).matches("200 ").count(),
        30,
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn server_without_a_trusted_certificate_receives_nothing() {
    let Some(place) = Place::new() else { return };
    // A server without a trusted certificate gets nothing.
    std::fs::write(
        place.folder.path().join("trusted.pem"),
        Authority::new().pem(),
    )
    .expect("the folder is writable");
    let before = place.secure.received().len();
    let output = place.run("shell", "curl -sS SECURE/ok");
    assert!(
        text(&output.stdout).contains("no secure connection"),
        "{}",
        text(&output.stdout)
    );
    assert_eq!(place.secure.received().len(), before);
    let left: Vec<_> = std::fs::read_dir(place.temporary())
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// The first checks of a proxied request, before anything is allocated or sent for it.
#[test]
fn tunnels_are_judged_counted_and_recorded() {
    let Some(place) = Place::new() else { return };
    let source = "import socket\n\
                  def ask(target):\n    \
                      with socket.create_connection(('127.0.0.1', 3128)) as s:\n        \
                          s.sendall(f'CONNECT {target} HTTP/1.1\\r\\nHost: {target}\\r\\n\\r\\n'.encode())\n        \
                          return s.recv(4096).decode().partition('\\r\\n')[0].split(' ', 2)\n\
                  allowed = 'SECURE'.split('/')[2]\n\
                  print(ask(allowed)[1], ask('127.0.0.1:1')[1:], ask('169.254.169.254:443')[1], ask('denied.example')[1])\n\
                  answers = [ask(f'h{n}.denied.example:443')[1] for n in range(60)]\n\
                  print(answers.count('403'), answers.count('429'), len(answers))\n";
    let before = place.requests();
    let output = place.run("python", source);
    let said = text(&output.stdout);
    let mut lines = said.lines();
    let first = lines.next().unwrap_or_default();
    assert!(
        first.starts_with("200 ['403', '")
            && first.contains("not this port")
            && first.ends_with("403 400"),
        "{said} {}",
        text(&output.stderr)
    );
    assert_eq!(
        lines.next(),
        Some("28 32 60"),
        "two of thirty calls were refused before: {said}"
    );
    assert_eq!(place.requests(), before);
    let records =
        std::fs::read_to_string(place.folder.path().join("audit.jsonl")).expect("there is a log");
    assert_eq!(
        records
            .lines()
            .filter(|line| line.contains("\"called\"") && line.contains("tunnel to"))
            .count(),
        30,
        "{records}"
    );
    assert!(!records.contains("h59.denied.example"));
}
