//! API keys: is only a valid key accepted, and only for its own resources?

use super::eventually;
use glovebox_tests::service::{RUN, Service, python};
use glovebox_tests::tree::program;
use serde_json::json;
use std::process::Command;

/// Whatever else is sent gets one and the same refusal. (API01)
#[test]
fn api01_only_valid_keys_are_accepted() {
    let service = Service::with_keys("");
    let key = service.make_key(&["ci"]);
    let brief = service.make_key(&["brief", "--expires", "1ms"]);
    let wrong = format!("{}x", &key[..key.len() - 1]);
    let bearer = |key: &str| format!("Bearer {key}");
    let refused = service.get(RUN);
    assert_eq!(refused.problem(), (401, "unauthenticated".to_owned()));
    assert!(refused.header("www-authenticate").starts_with("Bearer"));
    let twice = [
        ("Authorization", bearer(&key)),
        ("Authorization", bearer(&key)),
    ];
    let cases = [
        vec![("Authorization", bearer(&wrong))],
        vec![("Authorization", bearer(&brief))],
        vec![("Authorization", bearer("gbx_0123456789abcdef_x"))],
        vec![("Authorization", bearer(""))],
        vec![("Authorization", format!("Basic {key}"))],
        vec![("Authorization", key.clone())],
        vec![("Authorization", "Bearer \u{e4}".to_owned())],
        vec![("X-Api-Key", key.clone())],
        twice.to_vec(),
    ];
    for headers in cases {
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = service.send("GET", RUN, &headers, b"");
        assert_eq!(
            (answer.status, &answer.body),
            (401, &refused.body),
            "{headers:?}"
        );
    }
    assert_eq!(service.get(&format!("{RUN}?key={key}")).status, 401);
    assert_eq!(
        service
            .send(
                "GET",
                RUN,
                &[("Authorization", &format!("bearer {key}"))],
                b""
            )
            .status,
        200
    );
}

#[test]
fn api17_key_is_bound_to_its_scopes() {
    let service = Service::with_keys("");
    let (key, audit) = (
        service.make_key(&["ci"]),
        service.make_key(&["ops", "--scope", "audit"]),
    );
    let wrong = format!("{}x", &key[..key.len() - 1]);
    let bearer = |key: &str| format!("Bearer {key}");
    for (path, holder, status) in [
        ("/metrics", &key, 403),
        ("/metrics", &audit, 200),
        ("/v1/usage?all=true", &key, 403),
        ("/v1/usage?all=true", &audit, 200),
        ("/v1/audit?subject=key:ops", &key, 403),
        ("/v1/audit", &key, 200),
        (RUN, &audit, 403),
        ("/v1/keys", &key, 404),
        ("/healthz", &wrong, 200),
    ] {
        assert_eq!(
            service
                .send("GET", path, &[("Authorization", &bearer(holder))], b"")
                .status,
            status,
            "{path}"
        );
    }
}

/// Another tenant's execution returns 404, like a missing one. (XS01)
#[test]
fn xs01_execution_of_another_tenant_is_not_found() {
    let mut service = Service::with_keys("");
    let (mine, other) = (service.make_key(&["ci"]), service.make_key(&["other"]));
    service.use_key(&mine);
    let bearer = |key: &str| format!("Bearer {key}");
    let ran = service.run(RUN, &python("'secret of ci'"));
    let id = ran["id"].as_str().expect("it has a name");
    for path in ["", "/events", "/artifacts/x"] {
        let foreign = service.send(
            "GET",
            &format!("{RUN}/{id}{path}"),
            &[("Authorization", &bearer(&other))],
            b"",
        );
        let unknown = service.get(&format!("{RUN}/run_{:032x}{path}", 5));
        assert_eq!(
            (foreign.status, &foreign.body),
            (404, &unknown.body),
            "{path}"
        );
    }
    assert_eq!(
        service
            .send(
                "DELETE",
                &format!("{RUN}/{id}"),
                &[("Authorization", &bearer(&other))],
                b""
            )
            .status,
        404
    );
    let theirs = service
        .send(
            "GET",
            "/v1/audit",
            &[("Authorization", &bearer(&other))],
            b"",
        )
        .text();
    assert!(!theirs.contains(id), "{theirs}");
    assert_eq!(
        service
            .send("GET", RUN, &[("Authorization", &bearer(&other))], b"")
            .json()["executions"],
        json!([])
    );
}

#[test]
fn revoked_key_is_refused_within_seconds() {
    let mut service = Service::with_keys("");
    let key = service.make_key(&["ci"]);
    service.use_key(&key);
    assert_eq!(service.get(RUN).status, 200);
    let number = key.split('_').nth(1).expect("a key has a number");
    let revoked = Command::new(program())
        .args(["keys", "revoke", number, "--state"])
        .arg(service.state())
        .status();
    assert!(revoked.is_ok_and(|status| status.success()));
    eventually("the key is out of use", || service.get(RUN).status == 401);
    let listed = Command::new(program())
        .args(["keys", "list", "--state"])
        .arg(service.state())
        .output()
        .expect("the program starts");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(
        listed.contains("key:ci")
            && listed.contains("over")
            && !listed.contains(key.splitn(3, '_').last().unwrap_or(&key)),
        "{listed}"
    );
}

#[test]
fn service_without_keys_listens_on_loopback_only() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for (arguments, says) in [
        (
            vec!["--listen", "0.0.0.0:0", "--insecure-local"],
            "not a loopback address",
        ),
        (
            vec![
                "--listen",
                "127.0.0.1:1",
                "--insecure-local",
                "--config",
                "/nowhere",
            ],
            "/nowhere",
        ),
    ] {
        let output = Command::new(program())
            .arg("serve")
            .args(arguments)
            .arg("--state")
            .arg(folder.path())
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(says), "{said}");
    }
}
