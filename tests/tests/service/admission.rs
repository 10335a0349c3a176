//! Admission and lifecycle: is a flood bounded, is nothing disclosed, and does a shutdown wait?

use super::eventually;
use glovebox_tests::service::{Access, RUN, Service, python, read};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn run(service: &Service, body: &Value) -> Value {
    service.run(RUN, body)
}

#[test]
fn api15_flood_is_bounded_and_other_tenants_are_served() {
    let mut service = Service::with_keys(
        "[limits]\nrunning = 4\nrunning_per_subject = 3\nqueue_per_subject = 5\nqueue = 8\n",
    );
    let (flood, canary) = (service.make_key(&["flood"]), service.make_key(&["canary"]));
    service.use_key(&flood);
    let endless = python("while True: pass").to_string();
    let later = [
        ("Content-Type", "application/json"),
        ("Prefer", "respond-async"),
    ];
    let mut statuses = Vec::new();
    for _ in 0..20 {
        let answer = service.send("POST", RUN, &later, endless.as_bytes());
        if answer.status == 429 {
            assert_eq!(
                (answer.header("retry-after"), answer.problem().1.as_str()),
                ("1", "queue_full")
            );
        }
        statuses.push(answer.status);
    }
    assert_eq!(
        statuses.iter().filter(|status| **status == 202).count(),
        3 + 5,
        "{statuses:?}"
    );
    let canary = [("Authorization", format!("Bearer {canary}"))];
    let headers = [
        ("Content-Type", "application/json"),
        (canary[0].0, canary[0].1.as_str()),
    ];
    for _ in 0..5 {
        let answer = service.send(
            "POST",
            RUN,
            &headers,
            python("6 * 7").to_string().as_bytes(),
        );
        assert_eq!(answer.json()["value"]["json"], 42, "{}", answer.text());
    }
    let usage = service.get("/v1/usage").json();
    assert_eq!(
        usage["usage"].as_array().map(Vec::len),
        Some(0),
        "nothing of the flood has ended: {usage}"
    );
}

#[test]
fn api03_slow_clients_delay_no_others() {
    let service = Service::local("[limits]\nhead_time = \"1s\"\nbody_time = \"1s\"\n");
    let mut slow: Vec<_> = (0..50)
        .map(|number| {
            let mut stream = service.connect();
            let part = if number % 2 == 0 {
                "GET /healthz HT".to_owned()
            } else {
                format!("POST {RUN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{{")
            };
            stream.write_all(part.as_bytes()).expect("the service reads");
            stream
        })
        .collect();
    assert_eq!(run(&service, &python("1"))["status"], "succeeded");
    let started = Instant::now();
    for (number, stream) in slow.iter_mut().enumerate() {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(
            number % 2 == 0 || answer.starts_with("HTTP/1.1 408"),
            "{answer}"
        );
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn api14_public_routes_disclose_nothing() {
    let mut service = Service::with_keys("");
    let folder = service.state().display().to_string();
    for path in ["/healthz", "/readyz", "/openapi.json", "/docs"] {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(
            !answer.text().contains(&folder) && !answer.text().contains("root"),
            "{path}"
        );
    }
    assert_eq!(service.get("/openapi.json").json()["openapi"], "3.1.0");
    let key = service.make_key(&["ops", "--scope", "run", "--scope", "audit"]);
    service.use_key(&key);
    run(&service, &python("1"));
    run(&service, &json!({ "language": "cobol", "source": "1" }));
    let metrics = service.get("/metrics").text();
    for line in [
        "glovebox_executions_total{language=\"python\",tier=\"wasm\",status=\"succeeded\"} 1",
        "glovebox_denials_total{rule=",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let tiers = service.get("/v1/tiers").json();
    assert!(
        tiers["tiers"].as_array().is_some_and(|tiers| tiers
            .iter()
            .any(|tier| tier["tier"] == "wasm" && tier["available"] == true)),
        "{tiers}"
    );
    let policy = service.get("/v1/policies").json();
    assert_eq!(
        policy["digest"].as_str().map(str::len),
        Some(64),
        "{policy}"
    );
    let explained = service
        .post("/v1/policies/explain", &json!({ "language": "python", "source": "1", "limits": { "memory_bytes": 1_u64 << 50 } }))
        .json();
    assert_eq!(
        (&explained["verdict"], &explained["denial"]["rule"]),
        (&"denied".into(), &"profiles.default.limits.memory".into()),
        "{explained}"
    );
    let audit = service.get("/v1/audit?event=denied&limit=5").json();
    assert_eq!(
        audit["records"].as_array().map(Vec::len),
        Some(1),
        "{audit}"
    );
    eventually("usage is told", || {
        let usage = service.get("/v1/usage").json();
        (
            &usage["usage"][0]["executions"],
            &usage["usage"][0]["denied"],
        ) == (&2.into(), &1.into())
    });
}

#[test]
fn shutdown_waits_for_running_executions() {
    let mut service = Service::local("[limits]\ndrain = \"10s\"\n");
    let (folder, address) = (service.folder(), service.address().to_owned());
    let slow = python("import time\ntime.sleep(1)\n'done'").to_string();
    let mut waiting = service.begin(
        "POST",
        RUN,
        &[("Content-Type", "application/json")],
        slow.as_bytes(),
    );
    eventually("it runs", || {
        let running = service.get(&format!("{RUN}?status=running")).json();
        running["executions"]
            .as_array()
            .is_some_and(|list| list.len() == 1)
    });
    let ended = std::thread::spawn(move || service.stop());
    eventually(
        "it takes nothing new",
        || match std::net::TcpStream::connect(&address) {
            Ok(mut stream) => {
                let _ = stream.write_all(
                    b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                );
                let mut answer = String::new();
                let _ = stream.read_to_string(&mut answer);
                answer.is_empty() || answer.contains("503")
            }
            Err(_) => true,
        },
    );
    let answer = read(&mut waiting);
    assert_eq!(
        (answer.status, &answer.json()["value"]["json"]),
        (200, &"done".into()),
        "{}",
        answer.text()
    );
    assert!(ended.join().expect("no panic"));
    let again = Service::start(&folder, "", Access::Local);
    assert_eq!(
        again.get(&format!("{RUN}?status=succeeded")).json()["executions"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    drop(Arc::clone(&folder));
}
