//! Conformance: do ordinary programs behave as in a native interpreter?

mod python {
    include!(concat!(env!("OUT_DIR"), "/conformance_python.rs"));
}

mod javascript {
    include!(concat!(env!("OUT_DIR"), "/conformance_javascript.rs"));
}

mod typescript {
    include!(concat!(env!("OUT_DIR"), "/conformance_typescript.rs"));
}

/// The same programs end in the same way in a container.
#[test]
fn containers_give_the_same_outcomes() {
    if let Some((differences, count)) = glovebox_tests::conformance::differences() {
        assert!(
            differences.is_empty(),
            "{} of {count} differ:\n{}",
            differences.len(),
            differences.join("\n")
        );
        assert!(count > 40, "{count}");
    }
}

#[test]
fn containers_show_the_same_results() {
    let languages = ["python", "javascript", "typescript"];
    let policies = [
        glovebox_tests::results::all("container"),
        glovebox_tests::results::all("container"),
        glovebox_tests::results::small("container"),
    ];
    let checks = [
        glovebox_tests::results::check,
        glovebox_tests::results::check_limited,
        glovebox_tests::results::check_bounds,
    ];
    for (policy, check) in policies.into_iter().zip(checks) {
        let Some(sandbox) = glovebox_tests::engine::sandbox_for(&languages, policy) else {
            return;
        };
        check(&sandbox);
    }
}
