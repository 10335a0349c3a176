//! TLS: is a service with a certificate called over TLS, and nothing else?

use super::PATIENCE;
use glovebox_tests::service::{RUN, Service};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
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
fn unfinished_handshakes_keep_no_client_out() {
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
fn service_with_a_certificate_is_called_over_tls() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (service, certificate) = encrypted(folder.path(), "");
    let port = service
        .address()
        .rsplit(':')
        .next()
        .expect("an address has a port");
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
}

#[test]
fn stalled_handshakes_are_dropped_after_the_timeout() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (service, _) = encrypted(folder.path(), "head_time = \"1s\"");
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
        "stalled connections are dropped: {:?}",
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
