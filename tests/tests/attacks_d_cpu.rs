//! Class D, CPU exhaustion: does computing end at the granted limit?

use glovebox::{Limit, Metering, Request, Sandbox, Status};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{self, GRACE, canary, run};
use glovebox_tests::tree::program;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

include!(concat!(env!("OUT_DIR"), "/attacks_d_cpu.rs"));

fn ends_in_time(source: Vec<u8>, what: &str) {
    let _alone = alone();
    let sandbox = place::sandbox("wall = \"2s\"\nsource = \"64MiB\"\nmemory = \"64MiB\"", "");
    let started = Instant::now();
    let outcome = run(&sandbox, Request::new("wasm", source));
    let took = started.elapsed();
    assert!(
        took < Duration::from_secs(2) + GRACE,
        "{what} took {took:?}: {}",
        show(&outcome)
    );
    assert_eq!(
        run(&sandbox, canary("python")).stdout.text(),
        "42\n",
        "after {what}"
    );
    // A compilation that goes on after its run was ended must not delay the next one for long.
    let twin = wat::parse_str("(module (memory (export \"memory\") 1) (func (export \"_start\")))")
        .expect("it is a module");
    let outcome = run(&sandbox, Request::new("wasm", twin));
    assert_eq!(
        outcome.status,
        Status::Succeeded,
        "after {what}: {}",
        show(&outcome)
    );
}

#[test]
fn cpu12_a_hundred_thousand_functions() {
    let mut text =
        String::from("(module (memory (export \"memory\") 1) (func (export \"_start\"))");
    for _ in 0..100_000 {
        text.push_str("(func (result i32) (i32.const 1))");
    }
    text.push(')');
    ends_in_time(
        wat::parse_str(&text).expect("it is a module"),
        "many functions",
    );
}

#[test]
fn cpu12_one_function_of_a_megabyte() {
    let mut text = String::from(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (local i32)",
    );
    for number in 0..200_000 {
        let _ = write!(
            text,
            "(local.set 0 (i32.add (local.get 0) (i32.const {number})))"
        );
    }
    text.push_str("))");
    ends_in_time(
        wat::parse_str(&text).expect("it is a module"),
        "a long function",
    );
}

#[test]
fn cpu12_deeply_nested_blocks() {
    let depth = 30_000;
    let text = format!(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") {} {}))",
        "block\n".repeat(depth),
        "i32.const 0\nbr_if 0\nend\n".repeat(depth)
    );
    ends_in_time(
        wat::parse_str(&text).expect("it is a module"),
        "nested blocks",
    );
}

#[test]
fn cpu12_many_jumps_that_all_meet() {
    let mut text = String::from(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (local i32) ",
    );
    for _ in 0..8 {
        text.push_str("(block ");
    }
    for number in 0..6000 {
        let _ = write!(
            text,
            "(br_if {} (i32.load (i32.const {number}))) (local.set 0 (i32.const {number}))",
            number % 8
        );
    }
    text.push_str("))))))))))");
    ends_in_time(wat::parse_str(&text).expect("it is a module"), "jumps");
}

#[test]
fn cpu12_rubbish_and_truncated_programs() {
    let good = wat::parse_str(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (memory.fill (i32.const 0) (i32.const 0) (i32.const 9))))",
    )
    .expect("it is a module");
    let sandbox = place::sandbox("", "");
    for length in 0..good.len() {
        let outcome = run(
            &sandbox,
            Request::new("wasm", good.get(..length).unwrap_or_default()),
        );
        assert!(
            matches!(outcome.status, Status::Crashed | Status::Denied),
            "{length}: {}",
            show(&outcome)
        );
    }
    for position in 8..good.len() {
        let mut bad = good.clone();
        bad[position] ^= 0x41;
        let outcome = run(&sandbox, Request::new("wasm", bad));
        assert_ne!(
            outcome.status,
            Status::Denied,
            "{position}: {}",
            show(&outcome)
        );
    }
    assert_eq!(
        run(&sandbox, Request::new("wasm", good)).status,
        Status::Succeeded
    );
}

#[test]
fn cpu12_a_component_that_instantiates_itself_to_death() {
    // Each component holds two instances of the one inside it: 2 to the 20th in all.
    let mut body = "(core module $m (memory 1)) (core instance (instantiate $m))".to_owned();
    for _ in 0..20 {
        body = format!(
            "(component $c {body}) (instance (instantiate $c)) (instance (instantiate $c))"
        );
    }
    let program = wat::parse_str(format!("(component {body})")).expect("it is a component");
    ends_in_time(program, "nested components");
}

/// With interruption by the clock instead of fuel, the same loops must end.
#[test]
fn cpu01_loops_end_under_epochs_too() {
    let _alone = alone();
    let policy = place::policy("wall = \"500ms\"", "");
    let builder = Sandbox::builder()
        .policy(policy)
        .guests(place::guests())
        .compiler(program());
    let sandbox = builder
        .metering(Metering::Epoch)
        .build()
        .expect("a sandbox");
    // The machine code for this mode is compiled at first use, which is not measured.
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
    assert_eq!(run(&sandbox, canary("javascript")).stdout.text(), "42\n");
    for (language, source) in [
        ("python", "while True: pass"),
        ("python", "10 ** 10 ** 8"),
        ("python", "import time\ntime.sleep(3600)"),
        ("javascript", "for (;;);"),
    ] {
        let started = Instant::now();
        let outcome = run(&sandbox, Request::new(language, source));
        assert!(
            matches!(
                outcome.reached_limit(),
                Some(Limit::Wall | Limit::Fuel | Limit::Memory)
            ),
            "{source}: {}",
            show(&outcome)
        );
        assert!(
            started.elapsed() < Duration::from_millis(500) + GRACE,
            "{source}"
        );
    }
    let spin = wat::parse_str("(module (memory (export \"memory\") 1) (func $f (loop $l (br $l))) (start $f) (func (export \"_start\")))")
        .expect("it is a module");
    let outcome = run(&sandbox, Request::new("wasm", spin));
    assert!(
        matches!(outcome.reached_limit(), Some(Limit::Wall | Limit::Fuel)),
        "{}",
        show(&outcome)
    );
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

/// Busy loops of some tenants do not starve others: a run yields about every millisecond.
#[test]
fn cpu01_loops_let_others_run() {
    let _alone = alone();
    let sandbox = place::sandbox("wall = \"3s\"\nfuel = 1_000_000_000_000", "");
    let loops: Vec<_> = (0..6)
        .map(|_| {
            let sandbox = sandbox.clone();
            place::runtime().spawn(async move {
                sandbox
                    .run(Request::new("python", "while True: pass"))
                    .await
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    let started = Instant::now();
    let outcome = run(&sandbox, canary("python"));
    let took = started.elapsed();
    assert_eq!(outcome.stdout.text(), "42\n");
    assert!(took < GRACE, "{took:?}");
    for task in loops {
        let outcome = place::runtime()
            .block_on(task)
            .expect("it ends")
            .expect("the host works");
        assert_eq!(
            outcome.reached_limit(),
            Some(Limit::Wall),
            "{}",
            show(&outcome)
        );
    }
}
