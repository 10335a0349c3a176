//! Class L, policy enforcement: does a policy hold through the whole sandbox?

use glovebox::policy::cases::run_cases;
use glovebox::policy::{InputFile, NetworkWish, Tier};
use glovebox::{Policy, Request, Sandbox, Status};
use glovebox_tests::attack::show;
use glovebox_tests::place::{guests, run, runtime, sandbox};
use glovebox_tests::tree::root;
use std::time::Duration;

/// The decision tables name the rows of the catalogue that they cover.
#[test]
fn pol_tables_of_decisions() {
    let mut all = String::new();
    for entry in std::fs::read_dir(root().join("policies/cases")).expect("the tables are there") {
        let path = entry.expect("an entry can be read").path();
        let text = std::fs::read_to_string(&path).expect("a table can be read");
        let reports = run_cases(&path.display().to_string(), &text, &Policy::builtin())
            .unwrap_or_else(|error| panic!("{error}"));
        let failed: Vec<String> = reports
            .iter()
            .filter(|report| !report.passed())
            .map(ToString::to_string)
            .collect();
        assert!(failed.is_empty(), "{}: {failed:#?}", path.display());
        all.push_str(&text);
    }
    for id in [
        "POL01", "POL02", "POL03", "POL04", "POL05", "POL06", "POL10",
    ] {
        assert!(all.contains(id), "no table names {id}");
    }
}

#[test]
fn pol01_what_is_no_policy_grants_nothing() {
    let deep = format!(
        "version = 1\nx = {}{}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let long = format!("version = 1\n# {}", "x".repeat(20 << 20));
    let many = "[[bindings]]\nsubject = \"a\"\nprofiles = []\n".repeat(100_000);
    for text in [
        "",
        "version = 2",
        "version = 1\nverson = 1",
        "version = 1\nversion = 1",
        "version = nan",
        "{\"version\": 1}",
        "version: 1",
        "\0",
        &deep,
        &long,
        &many,
        "version = 1\n[profiles.p.limits]\nwall = \"0s\"",
        "version = 1\n[profiles.p.limits]\nwall = \"-1s\"",
        "version = 1\n[profiles.p.limits]\nfuel = 1.5",
        "version = 1\n[profiles.p.limits]\nfuel = 9223372036854775807",
        "version = 1\n[profiles.p.limits]\nmemory = 1024",
        "version = 1\n[profiles.p.limits]\nwall = nan",
        "version = 1\n[profiles.p]\nextends = \"p\"",
        "version = 1\n[profiles.p]\nlanguages = \"python\"",
        "version = 1\n[profiles.p.network]\nallow = \"*\"",
    ] {
        let started = std::time::Instant::now();
        let result = Policy::parse("test", text);
        assert!(
            result.is_err(),
            "`{}`",
            text.chars().take(60).collect::<String>()
        );
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "`{}`",
            text.chars().take(60).collect::<String>()
        );
    }
}

#[test]
fn pol02_without_a_rule_nothing_runs() {
    for text in [
        "version = 1\n",
        "version = 1\ndefault_profile = \"deny-all\"\n",
        "version = 1\ndefault_profile = \"p\"\n[profiles.p]\n",
        "version = 1\n[[bindings]]\nsubject = \"other\"\nprofiles = [\"offline\"]\n",
    ] {
        let policy = Policy::parse("test", text).expect("it is a policy");
        let sandbox = Sandbox::builder()
            .policy(policy)
            .guests(guests())
            .build()
            .expect("a sandbox can be made");
        for language in ["python", "javascript", "wasm", "shell", ""] {
            let outcome = run(&sandbox, Request::new(language, "print('ran')"));
            assert_eq!(
                (outcome.status, outcome.stdout.bytes.len()),
                (Status::Denied, 0),
                "{text}: {}",
                show(&outcome)
            );
            assert!(
                outcome
                    .denial
                    .is_some_and(|denial| !denial.rule.is_empty() && !denial.fix.is_empty())
            );
        }
    }
    let deny_all = Sandbox::builder()
        .policy(Policy::deny_all())
        .guests(guests())
        .build()
        .expect("a sandbox can be made");
    assert_eq!(
        run(&deny_all, Request::new("python", "1")).status,
        Status::Denied
    );
    assert!(
        runtime()
            .block_on(deny_all.open(Request::new("python", "")))
            .is_err(),
        "the same question for sessions"
    );
}

type Change = fn(&mut Request);

/// A sandbox whose policy fixes one variable and allows some.
fn with_variables() -> Sandbox {
    sandbox(
        "",
        "\n[profiles.attack.environment]\nset = { FIXED = \"policy\" }\nallow = [\"APP_*\"]\n",
    )
}

fn changed(change: Change) -> Request {
    let mut request = Request::new("python", "print('ran')");
    change(&mut request);
    request
}

/// A request for more is denied with a reason. (POL03)
#[test]
fn pol03_request_for_more_is_denied() {
    let sandbox = with_variables();
    let greedy: [(&str, Change); 15] = [
        ("memory", |request| {
            request.wants.limits.memory = Some(1 << 30)
        }),
        ("wall", |request| {
            request.wants.limits.wall = Some(Duration::from_secs(3600))
        }),
        ("no wall", |request| {
            request.wants.limits.wall = Some(Duration::ZERO)
        }),
        ("fuel", |request| request.wants.limits.fuel = Some(u64::MAX)),
        ("output", |request| {
            request.wants.limits.output = Some(u64::MAX)
        }),
        ("tier", |request| request.wants.tier = Some(Tier::Container)),
        ("isolation", |request| {
            request.wants.min_isolation = Some(glovebox::policy::Isolation::Microvm)
        }),
        ("packages", |request| {
            request.wants.packages = vec!["numpy".to_owned()]
        }),
        ("network", |request| {
            request.wants.network = Some(NetworkWish::Hosts(vec!["example.org".to_owned()]))
        }),
        ("tools", |request| {
            request.wants.tools = Some(vec!["a/b".to_owned()])
        }),
        ("mounts", |request| {
            request.wants.mounts = Some(vec!["/etc".to_owned()])
        }),
        ("profile", |request| {
            request.profile = Some("agent".to_owned())
        }),
        ("language", |request| request.language = "shell".to_owned()),
        ("variable", |request| {
            request.environment = vec![("PATH".to_owned(), "/".to_owned())]
        }),
        ("fixed variable", |request| {
            request.environment = vec![("FIXED".to_owned(), "mine".to_owned())]
        }),
    ];
    for (what, change) in greedy {
        let outcome = run(&sandbox, changed(change));
        assert_eq!(
            (outcome.status, outcome.stdout.bytes.len()),
            (Status::Denied, 0),
            "{what}: {}",
            show(&outcome)
        );
    }
}

/// A request for less gets less. (POL03)
#[test]
fn pol03_request_for_less_gets_less() {
    let sandbox = with_variables();
    let modest: [(&str, Change); 5] = [
        ("memory", |request| {
            request.wants.limits.memory = Some(100 << 20)
        }),
        ("wall", |request| {
            request.wants.limits.wall = Some(Duration::from_secs(2))
        }),
        ("tier", |request| request.wants.tier = Some(Tier::Wasm)),
        ("nothing of the network", |request| {
            request.wants.network = Some(NetworkWish::Nothing)
        }),
        ("variable", |request| {
            request.environment = vec![("APP_X".to_owned(), "1".to_owned())]
        }),
    ];
    for (what, change) in modest {
        let outcome = run(&sandbox, changed(change));
        assert_eq!(outcome.stdout.text(), "ran\n", "{what}: {}", show(&outcome));
    }
    let mut request = Request::new("python", "while True: pass");
    request.wants.limits.fuel = Some(100_000_000);
    let outcome = run(&sandbox, request);
    assert_eq!(
        outcome.reached_limit().map(glovebox::Limit::name),
        Some("fuel"),
        "a narrowed limit is the one that holds: {}",
        show(&outcome)
    );
    assert!(outcome.usage.fuel <= 100_000_000);
}

#[test]
fn pol03_sizes_of_what_a_request_carries() {
    let sandbox = sandbox(
        "source = \"1KiB\"\narguments = \"1KiB\"",
        "\n[profiles.attack.environment]\nallow = [\"*\"]\n",
    );
    let denied = |change: &dyn Fn(&mut Request)| {
        let mut request = Request::new("python", "print('ran')");
        change(&mut request);
        run(&sandbox, request).status == Status::Denied
    };
    assert!(!denied(&|_| {}));
    assert!(denied(
        &|request| request.source.content = vec![b' '; 2000].into()
    ));
    assert!(denied(&|request| request.source.name = "a\nb.py".to_owned()));
    assert!(denied(&|request| request.source.name = "x".repeat(300)));
    assert!(denied(
        &|request| request.arguments = vec![String::new(); 5000]
    ));
    assert!(denied(
        &|request| request.arguments = vec!["a\0b".to_owned()]
    ));
    assert!(denied(
        &|request| request.environment = vec![("A".to_owned(), "x".repeat(2000))]
    ));
    assert!(denied(
        &|request| request.environment = vec![("A=B".to_owned(), "x".to_owned())]
    ));
    assert!(denied(
        &|request| request.environment = vec![("A".to_owned(), "x\0y".to_owned())]
    ));
    assert!(denied(
        &|request| request.artifacts = vec!["*".to_owned(); 1000]
    ));
    assert!(denied(&|request| request.files = (0..10_000)
        .map(|n| InputFile {
            path: n.to_string(),
            content: [].into()
        })
        .collect()));
}

/// Tools are matched by their exact names; homoglyphs are other tools. (POL06)
#[test]
fn pol06_names_of_tools_are_exact() {
    let sandbox = sandbox("", "\n[profiles.attack.tools]\nallow = [\"server/read\"]\n");
    let source = r#"
import glovebox
for name in ["server/read2", "server/rea", "Server/read", "server/\u0433ead", "server/read\u200b", "\uff53erver/read", "server//read", "server/read ", " server/read", "server/*", "*", "", "server__read", "server/read\0x", "fetch", "tool:server/read"]:
    try:
        glovebox.call_tool(name)
        print("got", name)
    except PermissionError:
        pass
    except Exception as error:
        if "granted" in str(error):
            print("got as far as the tool", name)
print("ok")
try:
    glovebox.call_tool("server/read")
except Exception as error:
    print("granted, but no tool provider offers it" in str(error) or str(error))
"#;
    let outcome = run(&sandbox, Request::new("python", source));
    assert_eq!(outcome.stdout.text(), "ok\nTrue\n", "{}", show(&outcome));
}

/// Many small concurrent runs are held to the subject's quota. (POL10)
#[test]
fn pol10_concurrency_is_counted_for_each_subject() {
    let sandbox = sandbox("concurrency = 2\nwall = \"1s\"\n", "");
    let slow = "import time\ntime.sleep(0.2)";
    let started = std::time::Instant::now();
    let runs: Vec<_> = (0..6)
        .map(|_| {
            let sandbox = sandbox.clone();
            runtime().spawn(async move { sandbox.run(Request::new("python", slow)).await })
        })
        .collect();
    for task in runs {
        let outcome = runtime()
            .block_on(task)
            .expect("it ends")
            .expect("the host works");
        assert_eq!(
            outcome.status,
            Status::Succeeded,
            "a run that waits for its turn is not punished for waiting: {}",
            show(&outcome)
        );
    }
    assert!(
        started.elapsed() >= Duration::from_millis(550),
        "six runs of 0.2 s, two at a time: {:?}",
        started.elapsed()
    );
}
