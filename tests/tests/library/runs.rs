//! Runs of the library: does an outcome say everything, and the same each time?

use super::*;

#[test]
fn an_outcome_tells_everything() {
    let sandbox = sandbox("", "");
    let mut request = Request::new(
        "python",
        "import sys\nprint('out')\nprint('err', file=sys.stderr)\nopen('f', 'w').write('x' * 5000)\n{'a': 1}",
    );
    request.artifacts = vec!["f".to_owned()];
    let outcome = run(&sandbox, request);
    assert_eq!(
        (outcome.status, outcome.exit_code),
        (Status::Succeeded, Some(0))
    );
    assert_eq!(
        (
            outcome.stdout.text().as_ref(),
            outcome.stderr.text().as_ref()
        ),
        ("out\n", "err\n")
    );
    assert_eq!(
        outcome
            .value
            .as_ref()
            .and_then(|value| value.json.as_deref()),
        Some("{\"a\":1}")
    );
    assert_eq!(
        outcome
            .artifacts
            .iter()
            .map(|artifact| artifact.content.len())
            .collect::<Vec<_>>(),
        [5000]
    );
    assert!(
        outcome.exception.is_none()
            && outcome.limit.is_none()
            && outcome.denial.is_none()
            && outcome.crash.is_none()
    );
    let usage = outcome.usage;
    assert!(
        usage.fuel > 1000
            && usage.output == 8
            && usage.peak_memory > 1 << 20
            && usage.workspace >= 5000
            && usage.files >= 1,
        "{usage:?}"
    );
    assert!(
        usage.wall > Duration::ZERO
            && usage.cpu > Duration::ZERO
            && usage.wall < Duration::from_secs(3),
        "{usage:?}"
    );
    assert!(
        !outcome.tier_reason.is_empty()
            && outcome.tier.map(glovebox::policy::Tier::name) == Some("wasm")
    );
    assert_eq!(
        (
            outcome.policy.profile.as_str(),
            outcome.policy.digest.as_str()
        ),
        ("attack", sandbox.policy().digest())
    );
    assert!(!outcome.policy.rules.is_empty());
}

#[test]
fn two_hundred_runs_at_once() {
    let _alone = alone();
    let sandbox = sandbox("concurrency = 64\nwall = \"20s\"", "");
    let _ = run(&sandbox, canary("python"));
    let _ = run(&sandbox, canary("javascript"));
    let before = Vitals::now();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let sandbox = sandbox.clone();
            runtime().spawn(async move {
                let request = if number % 2 == 0 {
                    Request::new("python", format!("print({number} * 2)"))
                } else {
                    Request::new("javascript", format!("console.log({number} * 2)"))
                };
                (number, sandbox.run(request).await)
            })
        })
        .collect();
    for task in tasks {
        let (number, outcome) = runtime().block_on(task).expect("it ends");
        let outcome = outcome.expect("the host works");
        assert_eq!(
            outcome.stdout.text(),
            format!("{}\n", number * 2),
            "{}",
            show(&outcome)
        );
    }
    assert_eq!(before.left_over(), None);
}

#[test]
fn a_seed_makes_runs_repeatable() {
    let sandbox = sandbox("", "");
    let python = "import random, os, uuid, secrets\nprint(random.random(), random.sample(range(100), 5), os.urandom(8).hex(), uuid.uuid4(), secrets.token_hex(4), {str(n) for n in range(20)})";
    let javascript = "console.log(Math.random(), crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))].join())";
    for (language, source) in [("python", python), ("javascript", javascript)] {
        let once = |seed: Option<u64>| {
            let mut request = Request::new(language, source);
            request.seed = seed;
            let outcome = run(&sandbox, request);
            assert_eq!(outcome.status, Status::Succeeded, "{}", show(&outcome));
            (outcome.stdout.text().into_owned(), outcome.usage.fuel)
        };
        assert_eq!(
            once(Some(7)),
            once(Some(7)),
            "{language}: the same output for the same fuel"
        );
        assert_ne!(
            once(Some(7)).0,
            once(Some(8)).0,
            "{language}: another seed, another run"
        );
        assert_ne!(
            once(None).0,
            once(None).0,
            "{language}: without a seed it is random"
        );
    }
}

#[test]
fn fuel_does_not_depend_on_how_busy_the_machine_is() {
    let sandbox = sandbox("wall = \"20s\"", "");
    let fuel = |_: usize| {
        let mut request = Request::new("python", "print(sum(n * n for n in range(10_000)))");
        request.seed = Some(1);
        run(&sandbox, request).usage.fuel
    };
    let alone = fuel(0);
    let crowd: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| (0..5).map(fuel).collect::<Vec<_>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("it ends"))
            .collect()
    });
    assert!(
        crowd.iter().all(|other| *other == alone),
        "{alone}: {crowd:?}"
    );
}

#[test]
fn the_own_file_of_a_program_that_a_limit_ends_is_no_artifact() {
    let sandbox = sandbox("", "");
    let text =
        "print(len(open(__file__).read()) > 9)\nopen('left.txt', 'w').write('x')\nwhile True: pass";
    let mut request = Request::new("python", text);
    request.artifacts = vec!["*".to_owned()];
    request.wants.limits.wall = Some(Duration::from_millis(500));
    let outcome = run(&sandbox, request);
    assert_eq!(
        (outcome.status, outcome.stdout.text().as_ref()),
        (Status::Limited, "True\n")
    );
    let left: Vec<&str> = outcome
        .artifacts
        .iter()
        .map(|artifact| artifact.path.as_str())
        .collect();
    assert_eq!(left, ["left.txt"]);
}
