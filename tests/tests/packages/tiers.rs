//! Packages and tiers: do packages go to a tier that has what they import?

use super::*;
use glovebox::policy::Tier;

/// Programs, the packages that they ask for, the tier that these choose, and the module that
/// decides it.
const TRIALS: &[(&str, &str, &[&str], &str, &str)] = &[
    (
        "a.py",
        "import xlrd\nprint(xlrd.xldate_as_tuple(45000.5, 0)[0])",
        &["xlrd"],
        "container",
        "mmap",
    ),
    (
        "b.py",
        "import six\nprint(2023)",
        &["xlrd", "six"],
        "wasm",
        "",
    ),
    (
        "c.py",
        "def f():\n    import pexpect\nprint(2023)",
        &["pexpect"],
        "container",
        "pexpect",
    ),
    (
        "d.py",
        "from simpleeval import simple_eval\nprint(simple_eval('2000 + 23'))",
        &["simpleeval"],
        "container",
        "os",
    ),
    ("e.py", "import rich\nprint(2023)", &["rich"], "wasm", ""),
    (
        "f.mjs",
        "import { sum } from 'lodash-es';\nconsole.log(sum([2000, 23]));",
        &["lodash-es"],
        "wasm",
        "",
    ),
];

#[test]
fn package_that_imports_what_a_tier_lacks_goes_to_another() {
    let languages = ["python", "javascript"];
    if engine::sandbox_for(&languages, Policy::builtin()).is_none() {
        return;
    }
    let machine = Machine::new();
    for (name, source, packages, tier, decides) in TRIALS {
        let asked = packages.iter().flat_map(|package| ["--package", package]);
        let asked: Vec<&str> = asked.collect();
        // The second run knows what the first one has tried.
        for _ in 0..2 {
            let outcome = machine.outcome(&asked, name, source);
            assert_eq!(
                (&outcome["tier"], &outcome["stdout"]),
                (&(*tier).into(), &"2023\n".into()),
                "{source}: {outcome}"
            );
            let reason = outcome["tier_reason"].as_str().unwrap_or_default();
            assert!(
                decides.is_empty() || reason.contains(&format!("`{decides}`")),
                "{source}: {reason}"
            );
        }
    }
    // Where no other tier is granted, nothing is tried, and the program may do without.
    let caught = "try:\n    import xlrd\nexcept ImportError as error:\n    print(error.name)";
    let outcome = machine.outcome(&["--package=xlrd", "--tier=wasm"], "g.py", caught);
    assert_eq!(outcome["stdout"], "mmap\n", "{outcome}");
}

#[test]
fn session_with_a_package_that_wasm_lacks_something_for_is_in_a_container() {
    if engine::sandbox_for(&["python"], Policy::builtin()).is_none() {
        return;
    }
    let containers = Arc::new(runtime().block_on(Containers::connect()));
    let manager = glovebox_packages::Packages::builder(CACHE.join("packages"))
        .guests(guests())
        .executor(containers.clone())
        .build();
    let sandbox = Sandbox::builder()
        .guests(guests())
        .executor(containers)
        .packages(Arc::new(manager))
        .build()
        .expect("a sandbox can be made");
    for (package, tier) in [("xlrd", Tier::Container), ("six", Tier::Wasm)] {
        let mut request = Request::new("python", "");
        request.wants.packages.push(package.to_owned());
        let session = runtime().block_on(sandbox.open(request));
        let session = session.expect("it opens");
        assert_eq!(session.grant().tier(), tier, "{package}");
    }
}
