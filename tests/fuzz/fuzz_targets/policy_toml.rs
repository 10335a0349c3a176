//! Fuzz target for the policy parser: can a text panic it, or have two meanings?
#![no_main]

use glovebox_policy::{Facts, Policy, Request, Verdict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(policy) = Policy::parse("fuzz", text) else {
        return;
    };
    let again = Policy::parse("again", text).expect("the same text is a policy again");
    assert_eq!(policy.digest(), again.digest());
    assert_eq!(policy.canonical_text(), again.canonical_text());
    let facts = Facts::wasm(["python", "javascript", "wasm"]);
    for profile in policy.profiles() {
        let mut request = Request::new("python", "print(1)");
        request.profile = Some(profile.to_owned());
        let explanation = policy.explain(&request, &facts);
        let _ = format!("{explanation:?}");
        if let Verdict::Admit(grant) = policy.admit(&request, &facts) {
            // Wishes equal to the grant are granted too, and change nothing.
            request.wants.limits.memory = Some(grant.limits().memory);
            request.wants.limits.wall = Some(grant.limits().wall);
            let Verdict::Admit(same) = policy.admit(&request, &facts) else {
                panic!("the grant itself is denied")
            };
            assert_eq!(same.limits(), grant.limits());
        }
    }
});
