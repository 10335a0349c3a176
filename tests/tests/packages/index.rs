//! Indexes: does one lead no further than it may?

use super::hostile::*;
use super::*;

/// An index whose pages lead elsewhere, and the server that they lead to.
struct Leading {
    machine: Machine,
    index: Server,
    other: Server,
}

impl Leading {
    /// The user has credentials for the index, and for another server on this machine.
    fn new() -> Self {
        LazyLock::force(&ARCHIVES);
        let mut machine = Machine::new();
        let authority = Authority::new();
        let other = Server::start_tls(&authority, &["127.0.0.1", "localhost"], serve);
        let port = other.port();
        let index = Server::start_tls(&authority, &["127.0.0.1"], move |request| {
            let path = request.line.split(' ').nth(1).unwrap_or_default();
            if request.header("authorization") != Some("Basic dXNlcjpwQHNzOncvcmQ=") {
                return answer(
                    "401 Unauthorized",
                    &[("WWW-Authenticate", "Basic realm=\"index\"")],
                    b"",
                );
            }
            let name = path.trim_start_matches("/simple/").trim_end_matches('/');
            // The archives are elsewhere, by a link or by a redirect.
            let place = match name {
                "bad" => format!("https://localhost:{port}/files/"),
                "needs-bad" => format!("https://127.0.0.1:{port}/files/"),
                "lies" => "https://169.254.169.254/latest/".to_owned(),
                "slips" => "https://10.255.255.1/files/".to_owned(),
                "climbs" => "http://127.0.0.1/files/".to_owned(),
                "links" => "/to-metadata/".to_owned(),
                "starts" => "/moved/".to_owned(),
                _ => "/files/".to_owned(),
            };
            if let Some(file) = path.strip_prefix("/moved/") {
                let target = format!("https://127.0.0.1:{port}/files/{file}");
                return answer("302 Found", &[("Location", &target)], b"");
            }
            if path.starts_with("/to-metadata/") {
                return answer(
                    "302 Found",
                    &[("Location", "https://169.254.169.254/latest/")],
                    b"",
                );
            }
            let page = text(&serve(request));
            match path.strip_prefix("/simple/") {
                Some(_) => {
                    let page = page
                        .split_once("\r\n\r\n")
                        .map_or("", |(_, page)| page)
                        .replace("\"/files/", &format!("\"{place}"));
                    answer("200 OK", &[("Content-Type", "text/html")], page.as_bytes())
                }
                None => serve(request),
            }
        });
        let trusted = machine.write("trusted.pem", authority.pem());
        machine.write(".netrc", "machine 127.0.0.1 login user password p@ss:w/rd\nmachine localhost login other password secret\n");
        machine
            .environment
            .push(("SSL_CERT_FILE".to_owned(), trusted.display().to_string()));
        machine.environment.push((
            "HOME".to_owned(),
            machine.folder.path().display().to_string(),
        ));
        let policy = format!(
            "version = 1\ndefault_profile = \"t\"\n[profiles.t]\nextends = \"default\"\n[profiles.t.packages.python]\nindex = \"{}\"\nallow = [\"*\"]\n",
            index.url("/simple/")
        );
        machine.write("policy.toml", &policy);
        Self {
            machine,
            index,
            other,
        }
    }

    fn outcome(&self, package: &str) -> Output {
        self.machine.write("main.py", "print('ran')");
        self.machine.glovebox(&[
            "run",
            "--policy",
            "policy.toml",
            &format!("--package={package}"),
            "main.py",
        ])
    }
}

/// Archives may be elsewhere; the credentials of an index are for that index alone, and its pages
/// lead to nothing that only this machine can reach (SSRF).
#[test]
fn an_index_leads_no_further_than_it_may_and_keeps_its_key() {
    let leading = Leading::new();
    let archives = |server: &Server| {
        server
            .received()
            .iter()
            .filter(|request| request.line.contains("/files/"))
            .count()
    };
    for (package, is_elsewhere) in [
        ("good", false),
        ("bad", true),
        ("needs-bad", true),
        ("starts", true),
    ] {
        let before = archives(&leading.other);
        let output = leading.outcome(package);
        assert_eq!(
            text(&output.stdout),
            "ran\n",
            "{package}: {}",
            text(&output.stderr)
        );
        assert_eq!(archives(&leading.other) > before, is_elsewhere, "{package}");
    }
    assert!(
        archives(&leading.index) > 0,
        "the archives of `good` are at the index"
    );
    for request in leading.other.received() {
        assert!(
            request.header("authorization").is_none() && request.header("cookie").is_none(),
            "{request:?}"
        );
        assert!(request.header("referer").is_none(), "{request:?}");
    }
    for (package, says) in [
        ("lies", "169.254.169.254"),
        ("slips", "10.255.255.1"),
        ("climbs", "not `https`"),
        ("links", "169.254.169.254"),
    ] {
        let began = std::time::Instant::now();
        let output = leading.outcome(package);
        let complaint = text(&output.stderr);
        assert_eq!(
            (output.status.code(), text(&output.stdout).as_str()),
            (Some(125), ""),
            "{package}: {complaint}"
        );
        assert!(complaint.contains(says), "{package}: {complaint}");
        assert!(
            !complaint.contains("p@ss") && !complaint.contains("p%40ss"),
            "{package}: {complaint}"
        );
        // No connection was even attempted.
        assert!(
            began.elapsed() < std::time::Duration::from_secs(20),
            "{package}"
        );
        assert_eq!(
            std::fs::read_dir(leading.machine.path("cache/packages/work"))
                .map_or(0, Iterator::count),
            0,
            "{package}"
        );
    }
    // No kept file has the credentials in it.
    let locks = leading.machine.path("cache/packages/locks");
    let locks: Vec<String> = std::fs::read_dir(locks)
        .expect("there are locks")
        .map(|lock| std::fs::read_to_string(lock.expect("an entry").path()).expect("it is text"))
        .collect();
    assert!(
        !locks.is_empty()
            && locks.iter().all(|lock| !lock.contains("user:")
                && !lock.contains("p%40ss")
                && !lock.contains("p@ss"))
    );
}
