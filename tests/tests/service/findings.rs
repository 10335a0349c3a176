//! Findings over HTTP: are they reported, recorded, and refused if the policy says so?

use glovebox_tests::service::{Access, RUN, Service, python};
use serde_json::json;
use std::sync::Arc;
use tempfile::TempDir;

/// A service with a profile `strict` that refuses findings of high severity.
fn strict_service() -> Service {
    let folder = Arc::new(TempDir::new().expect("a folder can be made"));
    let policy = folder.path().join("policy.toml");
    let text = "version = 1\ndefault_profile = \"default\"\n[profiles.strict]\nextends = \"default\"\n[profiles.strict.findings]\nlow = \"ignore\"\nhigh = \"deny\"\n\
        [[bindings]]\nsubject = \"local\"\nprofiles = [\"default\", \"strict\"]\n";
    std::fs::write(&policy, text).expect("the folder is writable");
    let config = format!("policy = {policy:?}\n[containers]\nenabled = false\n");
    Service::start(&folder, &config, Access::Local)
}

#[test]
fn findings_are_reported_recorded_and_refused_by_policy() {
    let service = strict_service();
    for (language, source, line) in [
        (
            "python",
            "import base64\n\nexec(base64.b64decode('cHJpbnQoMSk='))",
            3,
        ),
        (
            "javascript",
            "// nothing here\neval(atob('Y29uc29sZS5sb2coMSk='))",
            2,
        ),
        (
            "typescript",
            "const x: string = atob('Y29uc29sZS5sb2coMSk=');\neval(x)",
            2,
        ),
    ] {
        let body = json!({ "language": language, "source": source });
        let ran = service.post(RUN, &body).json();
        assert_eq!(
            (&ran["status"], &ran["stdout"]),
            (&"succeeded".into(), &"1\n".into()),
            "{ran}"
        );
        let found = &ran["findings"][0];
        assert_eq!(
            (&found["rule"], &found["line"], &found["severity"]),
            (&"exec-of-decoded-text".into(), &line.into(), &"high".into()),
            "{ran}"
        );
        let told = service.send(
            "POST",
            RUN,
            &[
                ("Content-Type", "application/json"),
                ("Accept", "text/event-stream"),
            ],
            body.to_string().as_bytes(),
        );
        assert!(told.text().contains("event: finding"), "{}", told.text());
        let mut strict = body.clone();
        strict["profile"] = json!("strict");
        let denied = service.post(RUN, &strict).json();
        assert_eq!(
            (&denied["status"], &denied["denial"]["rule"]),
            (&"denied".into(), &"profiles.strict.findings.high".into()),
            "{denied}"
        );
        let explained = service.post("/v1/policies/explain", &strict).json();
        assert_eq!(explained["verdict"], "denied", "{explained}");
    }
    let audit = service.get("/v1/audit?event=found&limit=1").json();
    assert_eq!(
        audit["records"][0]["findings"][0]["rule"], "exec-of-decoded-text",
        "{audit}"
    );
}

#[test]
fn findings_refuse_an_evaluation_and_the_session_goes_on() {
    let service = strict_service();
    let place = service
        .post(
            "/v1/sessions",
            &json!({ "language": "python", "profile": "strict" }),
        )
        .header("location")
        .to_owned();
    let evaluate = |source: &str| {
        service
            .post(&format!("{place}/executions"), &json!({ "source": source }))
            .json()
    };
    assert_eq!(
        evaluate("import base64\nexec(base64.b64decode('eCA9IDE='))")["status"],
        "denied"
    );
    assert_eq!(evaluate("6 * 7")["value"]["json"], 42);
}

#[test]
fn text_in_comments_and_strings_is_no_finding() {
    let service = strict_service();
    let plain =
        service.post(RUN, &python("# exec(base64.b64decode('..'))\nimport re\nre.compile('a').match('a')\nprint('169.254.1.1')")).json();
    assert_eq!(plain["findings"], json!([]), "{plain}");
}
