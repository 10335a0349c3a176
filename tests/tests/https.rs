//! HTTPS clients: do common ones reach a server, and only one with a trusted certificate?
//!
//! Through the program `glovebox`, which uses the system's trust store; the other side is an HTTPS
//! server on the loopback address with a certificate authority that the test creates.

use glovebox_tests::server::{Authority, Server, answer};
use glovebox_tests::tree::{program, root};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// HTTP clients from the package index, unpacked once for this build.
static CLIENTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    let list = root().join("tests/clients/requirements.txt");
    let is_current =
        std::fs::read(folder.join("requirements.txt")).ok() == std::fs::read(&list).ok();
    if !is_current {
        let _ = std::fs::remove_dir_all(&folder);
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]);
        pip.args([
            "--only-binary",
            ":all:",
            "--platform",
            "any",
            "--python-version",
            "3.14",
            "--implementation",
            "py",
            "--abi",
            "none",
        ]);
        pip.arg("--no-compile")
            .arg("--target")
            .arg(&folder)
            .arg("--requirement")
            .arg(&list);
        let output = pip.output().expect("python3 is there");
        assert!(
            output.status.success(),
            "cannot fetch the clients: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        std::fs::copy(list, folder.join("requirements.txt")).expect("the folder is writable");
    }
    folder
});

/// Runs a program that may reach the port of 127.0.0.1 over HTTPS, with the clients on its import
/// path. Returns its output.
fn run(language: &str, source: &str, port: u16, trusted: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).expect("the folder is writable");
        path
    };
    let policy = format!(
        "version = 1\ndefault_profile = \"web\"\n[profiles.web]\nextends = \"default\"\n\
         [[profiles.web.mounts]]\nhost = \"{}\"\nguest = \"/clients\"\n\
         [profiles.web.network]\nprivate_ranges = [\"127.0.0.0/8\"]\n\
         [[profiles.web.network.allow]]\nhost = \"127.0.0.1\"\nschemes = [\"https\"]\nports = [{port}]\nmethods = [\"GET\", \"POST\"]\n\
         [[profiles.web.network.allow]]\nhost = \"localhost\"\nschemes = [\"https\"]\nports = [{port}]\n",
        CLIENTS.display()
    );
    let policy = write("policy.toml", &policy);
    let certificates = write("trusted.pem", trusted);
    let source = write("main", source);
    let output = Command::new(program())
        .args(["run", "--language", language, "--policy"])
        .args([&policy, &source])
        .env("SSL_CERT_FILE", certificates)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn server(authority: &Authority, names: &[&str]) -> Server {
    Server::start_tls(authority, names, |request| {
        let said = format!(
            "{} {}",
            request.line,
            String::from_utf8_lossy(&request.body)
        );
        answer(
            "200 OK",
            &[
                ("X-Back", "yes"),
                ("Content-Type", "text/plain; charset=utf-8"),
            ],
            said.as_bytes(),
        )
    })
}

#[test]
fn every_client_reaches_a_server_that_proves_who_it_is() {
    let authority = Authority::new();
    let server = server(&authority, &["127.0.0.1", "localhost"]);
    let cases = [
        (
            "python",
            "import urllib.request\nwith urllib.request.urlopen(URL) as answer:\n    print(answer.status, answer.read().decode(), answer.headers['x-back'])",
            "200 GET /a  yes\n",
        ),
        (
            "python",
            "import http.client, urllib.parse\nparts = urllib.parse.urlsplit(URL)\nc = http.client.HTTPSConnection(parts.hostname, parts.port)\n\
             c.request('GET', '/a')\nanswer = c.getresponse()\nprint(answer.status, answer.read().decode(), answer.getheader('X-Back'))",
            "200 GET /a  yes\n",
        ),
        (
            "python",
            "import sys\nsys.path.insert(0, '/clients')\nimport requests\nanswer = requests.post(URL, data='body', timeout=5)\n\
             print(answer.status_code, answer.text, answer.headers['x-back'])\n\
             with requests.Session() as session:\n    print([session.get(URL).ok for _ in range(3)])",
            "200 POST /a body yes\n[True, True, True]\n",
        ),
        (
            "python",
            "import sys\nsys.path.insert(0, '/clients')\nimport httpx\nanswer = httpx.get(URL)\nprint(answer.status_code, answer.text, answer.headers['x-back'])\n\
             async def three():\n    async with httpx.AsyncClient() as client:\n        return [(await client.post(URL, content=b'x')).text for _ in range(3)]\n\
             print(await three())",
            "200 GET /a  yes\n['POST /a x', 'POST /a x', 'POST /a x']\n",
        ),
        (
            "javascript",
            "const r = await fetch(URL, { method: 'POST', body: 'body' }); console.log(r.status, await r.text(), r.headers.get('x-back'))",
            "200 POST /a body yes\n",
        ),
    ];
    for (language, source, expected) in cases {
        for host in ["127.0.0.1", "localhost"] {
            // The rule for the name grants only GET.
            if host == "localhost" && expected.contains("POST") {
                continue;
            }
            let url = server.url("/a").replace("127.0.0.1", host);
            let said = run(
                language,
                &source.replace("URL", &format!("'{url}'")),
                server.port(),
                authority.pem(),
            );
            assert_eq!(said, expected, "{source}");
        }
    }
}

/// A certificate of an untrusted authority, and one for another name: the request is not sent.
#[test]
fn a_server_that_proves_nothing_hears_nothing() {
    let (trusted, other) = (Authority::new(), Authority::new());
    for (server, why) in [
        (server(&other, &["127.0.0.1"]), "invalid peer certificate: "),
        (
            server(&trusted, &["example.org"]),
            "certificate not valid for name",
        ),
    ] {
        let source = format!(
            "try {{ await fetch('{}'); console.log('got') }} catch (error) {{ console.log(error.message) }}",
            server.url("/")
        );
        let said = run("javascript", &source, server.port(), trusted.pem());
        assert!(said.contains(why), "{why}: {said}");
        assert!(server.received().is_empty(), "{why}: the request was sent");
    }
}
