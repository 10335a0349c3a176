//! Limits of a grant: how large is each, and who set it?

use std::time::Duration;

use glovebox_policy::limits::Amount;
use glovebox_policy::{Facts, Limit, LimitHit, LimitSource, LimitWishes, Policy, Request};

const POLICY: &str = "version = 1
default_profile = \"p\"
[profiles.p]
extends = \"offline\"
limits = { wall = \"5s\", open_files = 32 }
";

#[test]
fn a_hit_has_the_amount_and_its_source() {
    let policy = Policy::check(POLICY).unwrap();
    let mut request = Request::new("python", "1");
    request.wants.limits = LimitWishes {
        wall: Some(Duration::from_secs(2)),
        // As much as the profile grants, so the profile is what keeps it from more.
        open_files: Some(32),
        ..LimitWishes::default()
    };
    let facts = Facts::wasm(["python"]);
    let grant = policy.admit(&request, &facts).into_result().unwrap();
    let hits = [
        (Limit::Wall, Some("2s"), LimitSource::Request),
        (Limit::OpenFiles, Some("32"), LimitSource::Profile),
        (Limit::HostCalls, Some("1000"), LimitSource::Profile),
        (Limit::Compile, None, LimitSource::BuiltIn),
    ];
    // What was used before the run takes nothing away from what was granted.
    for grant in [grant.after(Duration::from_secs(1), 1), grant] {
        for (limit, granted, source) in hits {
            let LimitHit {
                limit: named,
                granted: amount,
                source: origin,
            } = grant.limit_hit(limit);
            let amount = amount.map(|amount| amount.to_string());
            assert_eq!(
                (named, amount.as_deref(), origin),
                (limit, granted, source),
                "{limit}"
            );
        }
    }
}

#[test]
fn a_policy_says_how_a_limit_is_raised() {
    let policy = Policy::check(POLICY).unwrap();
    let granted = policy.granted_limit("p", Limit::Wall);
    assert_eq!(granted, Some(Amount::Time(Duration::from_secs(5))));
    let doubled = granted.unwrap().doubled();
    for (profile, limit, fix) in [
        (
            "p",
            Limit::Wall,
            Some("[profiles.p.limits]\nwall = \"10s\""),
        ),
        (
            "offline",
            Limit::Wall,
            Some(
                "[profiles.offline]\nextends = \"offline\"\n[profiles.offline.limits]\nwall = \"10s\"",
            ),
        ),
        ("p", Limit::Table, None),
        ("q", Limit::Wall, None),
    ] {
        let lines = policy.limit_fix(profile, limit, doubled);
        assert_eq!(lines.as_deref(), fix, "{profile} {limit}");
    }
    assert_eq!(policy.granted_limit("p", Limit::Compile), None);
}
