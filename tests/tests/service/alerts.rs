//! Alerts and traces: are webhooks called and collectors served?

use super::listener::Listener;
use glovebox_tests::place::eventually;
use glovebox_tests::service::{Access, RUN, Service, python};
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The signature of a body, by another implementation.
fn signature(secret: &str, body: &[u8]) -> String {
    let program = format!(
        "import hmac, sys; print(hmac.new(b'{secret}', sys.stdin.buffer.read(), 'sha256').hexdigest())"
    );
    let mut signed = std::process::Command::new("python3")
        .args(["-c", &program])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3 is there");
    signed
        .stdin
        .take()
        .expect("it reads")
        .write_all(body)
        .expect("it reads");
    let signed = signed.wait_with_output().expect("it ends").stdout;
    String::from_utf8_lossy(&signed).trim().to_owned()
}

#[test]
fn alerts_fire_once_and_are_posted() {
    let hook = Listener::new("204 No Content", String::new());
    let failing = Listener::new("500 Internal Server Error", String::new());
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "hook-secret\n").expect("the folder is writable");
    let config = format!(
        "[containers]\nenabled = false\n[[alerts]]\nname = \"too many limits\"\non = \"limited\"\ncount = 3\nwithin = \"5m\"\nwebhook = \"http://{}/hook\"\nsecret_file = {secret:?}\n\
         [[alerts]]\nname = \"refused\"\non = \"denied\"\nwebhook = \"http://{}/hook\"\n",
        hook.address, failing.address
    );
    let service = Service::start(&folder, &config, Access::Local);
    let limited =
        json!({ "language": "python", "source": "while True: pass", "limits": { "wall_ms": 50 } });
    for _ in 0..5 {
        assert_eq!(service.post(RUN, &limited).json()["status"], "limited");
    }
    eventually(Duration::from_secs(10), "the webhook is called", || {
        !hook.heard().is_empty()
    });
    let (head, body) = hook.heard().remove(0);
    let alert: Value = serde_json::from_slice(&body).expect("it is JSON");
    assert_eq!(
        (&alert["name"], &alert["subject"], &alert["count"]),
        (&"too many limits".into(), &"local".into(), &3.into()),
        "{alert}"
    );
    let signed = signature("hook-secret", &body);
    assert!(
        head.to_ascii_lowercase()
            .contains(&format!("x-glovebox-signature: sha256={signed}")),
        "{head}"
    );
    assert_eq!(
        service
            .post(
                RUN,
                &json!({ "language": "python", "source": "1", "profile": "nobody" })
            )
            .json()["status"],
        "denied"
    );
    eventually(
        Duration::from_secs(20),
        "a webhook that fails is called again",
        || failing.heard().len() >= 2,
    );
    let listed = service.get("/v1/alerts").json();
    assert_eq!(
        listed["alerts"].as_array().map(Vec::len),
        Some(2),
        "{listed}"
    );
    assert_eq!(
        service.get("/v1/alerts?after=1").json()["alerts"][0]["name"],
        "refused"
    );
    assert_eq!(
        hook.heard().len(),
        1,
        "a rule that has fired is silent for a while"
    );
    assert!(
        service
            .get("/metrics")
            .text()
            .contains("glovebox_alerts_fired 2"),
        "{}",
        service.get("/metrics").text()
    );
}

#[test]
fn traces_go_from_the_request_to_the_guest() {
    let collector = Listener::new("200 OK", String::new());
    let config = format!(
        "[containers]\nenabled = false\n[telemetry]\notlp = \"http://{}/v1/traces\"\nservice_name = \"box-7\"\n",
        collector.address
    );
    let mut service = Service::local(&config);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = python("print('canary-in-output')").to_string();
    let ran = service.send(
        "POST",
        RUN,
        &[
            ("Content-Type", "application/json"),
            ("traceparent", &parent),
        ],
        body.as_bytes(),
    );
    assert_eq!(ran.json()["status"], "succeeded");
    assert!(service.stop(), "what is left is sent at the end");
    let sent: Vec<u8> = collector
        .heard()
        .into_iter()
        .flat_map(|(_, body)| body)
        .collect();
    let has = |part: &[u8]| sent.windows(part.len()).any(|window| window == part);
    for name in [
        "request",
        "execution",
        "survey",
        "look",
        "prepare",
        "guest",
        "box-7",
        "/v1/executions",
        "succeeded",
    ] {
        assert!(has(name.as_bytes()), "no `{name}` in what was sent");
    }
    let digits: Vec<u8> = (0..16)
        .map(|at| u8::from_str_radix(&trace[at * 2..at * 2 + 2], 16).expect("digits"))
        .collect();
    assert!(has(&digits), "the trace of the caller goes on");
    assert!(
        !has(b"canary-in-output"),
        "nothing of the program is in a trace"
    );
}
