//! Quotas of a policy: how much may a subject have, and by which rule?

use glovebox_policy::{Facts, Policy, Quota, QuotaSettings, Request, Subject};

const POLICY: &str = "version = 1
default_profile = \"offline\"
[quotas]
running = 4
kept = \"1GiB\"
[[bindings]]
subject = \"key:ci-*\"
profiles = [\"default\", \"offline\"]
quotas = { running = 16, requests_per_second = 100 }
";

#[test]
fn a_binding_overrides_the_quotas_of_every_subject() {
    let policy = Policy::check(POLICY).unwrap();
    for (name, quota, most) in [
        ("key:web", Quota::Running, Some(4)),
        ("key:web", Quota::Kept, Some(1 << 30)),
        ("key:web", Quota::RequestsPerSecond, None),
        ("key:ci-1", Quota::Running, Some(16)),
        ("key:ci-1", Quota::Kept, Some(1 << 30)),
        ("key:ci-1", Quota::RequestsPerSecond, Some(100)),
        ("key:ci-1", Quota::Sessions, None),
    ] {
        assert_eq!(
            policy.quotas(&Subject::new(name).unwrap()).get(quota),
            most,
            "{name} {quota}"
        );
    }
}

#[test]
fn more_than_a_quota_is_denied_with_its_rule_and_the_lines_that_allow_it() {
    let policy = Policy::check(POLICY).unwrap();
    for (name, quota, used, more, denial) in [
        ("key:web", Quota::Running, 3, 1, None),
        (
            "key:web",
            Quota::Running,
            4,
            1,
            Some(("quotas.running", "[quotas]\nrunning = 5")),
        ),
        (
            "key:web",
            Quota::Kept,
            1 << 30,
            1 << 30,
            Some(("quotas.kept", "[quotas]\nkept = \"2GiB\"")),
        ),
        (
            "key:ci-1",
            Quota::Running,
            16,
            1,
            Some((
                "bindings.\"key:ci-*\".quotas.running",
                "[[bindings]]\nsubject = \"key:ci-*\"\nprofiles = [\"default\", \"offline\"]\nquotas = { running = 17, requests_per_second = 100 }",
            )),
        ),
        ("key:ci-1", Quota::Sessions, u64::MAX, 1, None),
        (
            "key:web",
            Quota::Running,
            u64::MAX,
            u64::MAX,
            Some((
                "quotas.running",
                "# no policy change can allow this: ask for less",
            )),
        ),
    ] {
        let subject = Subject::new(name).unwrap();
        let judged = policy.quotas(&subject).check(quota, used, more).err();
        let judged = judged
            .as_ref()
            .map(|denial| (denial.rule.as_str(), denial.fix.as_str()));
        assert_eq!(judged, denial, "{name} {quota}");
    }
    let subject = Subject::new("key:web").unwrap();
    let denial = policy
        .quotas(&subject)
        .check(Quota::Running, 4, 1)
        .unwrap_err();
    assert_eq!(
        denial.to_string(),
        "denied by `quotas.running`: 5 executions at once for subject `key:web`: the policy grants \
         at most 4 (to allow it: [quotas] | running = 5)"
    );
}

/// The amounts of [`more_than_a_quota_is_denied_with_its_rule_and_the_lines_that_allow_it`] are
/// literals; here every quota is asked, at its edge.
#[test]
fn the_lines_of_a_denial_are_a_policy_that_allows_it() {
    let settings = Quota::ALL
        .iter()
        .fold(QuotaSettings::default(), |settings, quota| {
            settings.with(*quota, 4096, "limits.of_the_service")
        });
    let policy = Policy::check(POLICY).unwrap();
    for quota in Quota::ALL {
        for name in ["key:web", "key:ci-1"] {
            let subject = Subject::new(name).unwrap();
            let quotas = policy.quotas(&subject).or(&settings);
            let most = quotas.get(*quota).unwrap();
            assert_eq!(quotas.check(*quota, most - 1, 1), Ok(()), "{name} {quota}");
            let denial = quotas.check(*quota, most, 1).unwrap_err();
            let text = format!("version = 1\n{}\n", denial.fix);
            let fixed = Policy::check(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            let quotas = fixed.quotas(&subject).or(&settings);
            assert_eq!(quotas.check(*quota, most, 1), Ok(()), "{text}");
            assert!(quotas.check(*quota, most, 2).is_err(), "{text}");
        }
    }
}

#[test]
fn a_setting_of_the_service_applies_where_the_policy_sets_nothing() {
    let settings = QuotaSettings::default()
        .with(Quota::Running, 64, "limits.running_per_subject")
        .with(Quota::Sessions, 2, "limits.sessions_per_subject");
    let policy = Policy::check(POLICY).unwrap();
    let subject = Subject::new("key:ci-1").unwrap();
    let quotas = policy.quotas(&subject).or(&settings);
    assert_eq!(
        [Quota::Running, Quota::Sessions, Quota::Trees].map(|quota| quotas.get(quota)),
        [Some(16), Some(2), None]
    );
    assert_eq!(
        quotas.check(Quota::Sessions, 2, 1).unwrap_err().to_string(),
        "denied by `limits.sessions_per_subject`: 3 sessions for subject `key:ci-1`: the service \
         grants at most 2 (to allow it: [quotas] | sessions = 3)"
    );
    let explained: Vec<String> = quotas
        .explained()
        .iter()
        .map(|quota| format!("{} {} {}", quota.name, quota.most, quota.rule))
        .collect();
    assert_eq!(
        explained,
        [
            "running 16 bindings.\"key:ci-*\".quotas.running",
            "sessions 2 limits.sessions_per_subject",
            "requests_per_second 100 bindings.\"key:ci-*\".quotas.requests_per_second",
            "kept 1GiB quotas.kept",
        ]
    );
}

#[test]
fn a_decision_does_not_depend_on_quotas() {
    let policy = Policy::check(POLICY).unwrap();
    let mut request = Request::new("python", "1");
    request.subject = Subject::new("key:ci-1").unwrap();
    let verdict = policy.admit(&request, &Facts::wasm(["python"]));
    let glovebox_policy::Verdict::Admit(grant) = verdict else {
        panic!("it is denied")
    };
    let rules: Vec<&str> = grant.rules().iter().map(|rule| rule.as_str()).collect();
    assert!(
        !rules.iter().any(|rule| rule.contains("quotas")),
        "{rules:?}"
    );
}

#[test]
fn an_explanation_and_the_canonical_text_have_quotas() {
    let policy = Policy::check(POLICY).unwrap();
    let mut request = Request::new("python", "1");
    request.subject = Subject::new("key:ci-1").unwrap();
    let facts = Facts::wasm(["python"]);
    let explanation = policy.explain(&request, &facts);
    let quotas = "quota    bindings.\"key:ci-*\".quotas.running: at most 16\n\
                  quota    bindings.\"key:ci-*\".quotas.requests_per_second: at most 100\n\
                  quota    quotas.kept: at most 1GiB\nverdict: admitted";
    assert!(explanation.to_string().contains(quotas), "{explanation}");
    request.subject = Subject::new("key:web").unwrap();
    request.profile = Some("default".to_owned());
    let denied = policy.explain(&request, &facts);
    assert!(
        denied
            .to_string()
            .contains("quota    quotas.running: at most 4\n"),
        "{denied}"
    );
    for line in [
        "quotas.running = 4\n",
        "bindings.quotas.running = \"key:ci-*\" 16\n",
    ] {
        assert!(policy.canonical_text().contains(line), "{line}");
    }
    let without = Policy::check(&POLICY.replace("running = 4\n", "")).unwrap();
    assert_ne!(policy, without);
}

#[test]
fn wrong_quotas_are_reported_where_they_stand() {
    for (line, problem) in [
        (
            "running = 0",
            "p:2:11: `0` must be more than zero (zero never means unlimited)",
        ),
        (
            "runing = 1",
            "p:2:1: unknown key `runing`; did you mean `running`?",
        ),
        ("kept = 5", "p:2:8: `5` has no unit; did you mean `5MiB`?"),
        (
            "running = \"4\"",
            "p:2:11: a count is a number without quotes or unit; did you mean `4`?",
        ),
    ] {
        let error = Policy::parse("p", &format!("[quotas]\n{line}\n[profiles]\n")).unwrap_err();
        assert!(error.to_string().contains(problem), "{line}: {error}");
    }
}
