//! Class F, memory exhaustion: does memory of the guest and of the host end at the granted limit?

use glovebox::{Request, Status};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{canary, run, sandbox};
use glovebox_tests::vitals;

include!(concat!(env!("OUT_DIR"), "/attacks_f_memory.rs"));

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn mem06_more_instances_than_there_may_be() {
    let _alone = alone();
    let sandbox = sandbox("", "");
    for (what, body) in [
        ("memories", "(core module $m (memory 1))"),
        ("tables", "(core module $m (table 10 funcref))"),
        ("instances", "(core module $m)"),
    ] {
        let text = format!(
            "(component {body} {})",
            "(core instance (instantiate $m))".repeat(900)
        );
        vitals::forget_peak();
        let before = vitals::resident();
        let outcome = run(&sandbox, Request::new("wasm", component(&text)));
        assert_ne!(
            outcome.status,
            Status::Succeeded,
            "{what}: {}",
            show(&outcome)
        );
        assert!(
            vitals::peak_resident().saturating_sub(before) < 128 << 20,
            "{what}"
        );
    }
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

/// A resource is an entry in a table of the host: a guest that takes millions must reach a limit
/// before the host runs out of memory.
#[test]
fn mem08_handles_without_end() {
    let _alone = alone();
    let sandbox = sandbox("wall = \"2s\"\nfuel = 2_000_000_000", "");
    let text = r#"(component
      (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
      (alias export $poll "pollable" (type $pollable))
      (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer 1 $pollable (type $p)) (export "pollable" (type $q (eq $p)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $q))))))
      (core func $subscribe (canon lower (func $clock "subscribe-duration")))
      (core module $m
        (import "" "subscribe" (func $subscribe (param i64) (result i32)))
        (func (export "run") (result i32) (loop $again (drop (call $subscribe (i64.const 1000000000000))) (br $again)) (i32.const 0)))
      (core instance $i (instantiate $m (with "" (instance (export "subscribe" (func $subscribe))))))
      (func $run (result (result)) (canon lift (core func $i "run")))
      (instance $out (export "run" (func $run)))
      (export "wasi:cli/run@0.2.0" (instance $out)))"#;
    vitals::forget_peak();
    let before = vitals::resident();
    let outcome = run(&sandbox, Request::new("wasm", component(text)));
    let rise = vitals::peak_resident().saturating_sub(before);
    assert!(
        matches!(outcome.status, Status::Limited | Status::Crashed),
        "{}",
        show(&outcome)
    );
    assert!(
        !outcome
            .crash
            .as_deref()
            .unwrap_or_default()
            .contains("no program"),
        "{}",
        show(&outcome)
    );
    assert!(
        rise < 256 << 20,
        "the host's memory rose by {} MiB",
        rise >> 20
    );
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}

/// Half of the limit is available to a program in every language.
#[test]
fn mem01_half_of_the_limit_can_be_used() {
    let sandbox = sandbox("memory = \"256MiB\"\nfuel = 5_000_000_000", "");
    for (language, source) in [
        (
            "python",
            "data = bytearray(128 << 20)\ndata[-1] = 1\nprint(len(data))",
        ),
        (
            "javascript",
            "const data = new Uint8Array(128 << 20); data[data.length - 1] = 1; console.log(data.length)",
        ),
    ] {
        let outcome = run(&sandbox, Request::new(language, source));
        assert_eq!(outcome.stdout.text(), "134217728\n", "{}", show(&outcome));
        assert!(outcome.usage.peak_memory >= 128 << 20 && outcome.usage.peak_memory <= 256 << 20);
    }
}

/// Every granted stack size holds: no input may abort the process.
#[test]
fn stk01_every_stack_size() {
    let _alone = alone();
    for stack in ["64KiB", "512KiB", "1MiB", "2MiB", "4MiB"] {
        let sandbox = sandbox(&format!("stack = \"{stack}\"\nfuel = 1_000_000_000"), "");
        for (language, source) in [
            (
                "python",
                "import sys, json\nsys.setrecursionlimit(10**6)\ndef f(): f()\ntry:\n    f()\nexcept RecursionError:\n    pass\njson.loads('[' * 10**5)",
            ),
            ("python", "compile('(' * 10**5, 'x', 'exec')"),
            (
                "javascript",
                "function f() { f(); } try { f(); } catch {} JSON.parse('['.repeat(1e6))",
            ),
        ] {
            let outcome = run(&sandbox, Request::new(language, source));
            assert!(
                matches!(
                    outcome.status,
                    Status::Failed | Status::Limited | Status::Crashed
                ),
                "{stack}: {}",
                show(&outcome)
            );
        }
        let down = component(
            "(module (memory (export \"memory\") 1) (func $f (call $f) (call $f)) (func (export \"_start\") (call $f)))",
        );
        let outcome = run(&sandbox, Request::new("wasm", down));
        assert_eq!(
            outcome.reached_limit(),
            Some(glovebox::Limit::Stack),
            "{stack}: {}",
            show(&outcome)
        );
    }
}

/// When the guest has used up its stack, a host function must still have enough.
#[test]
fn stk02_host_calls_at_the_very_end_of_the_stack() {
    let _alone = alone();
    let sandbox = sandbox("fuel = 1_000_000_000", "");
    let text = r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 100) "x\n") (data (i32.const 200) "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p")
      (func $down
        (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 0))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))
        (drop (call $open (i32.const 3) (i32.const 1) (i32.const 200) (i32.const 31) (i32.const 1) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 64)))
        (drop (call $random (i32.const 300) (i32.const 64)))
        (call $down) (call $down))
      (func (export "_start") (call $down)))"#;
    let outcome = run(&sandbox, Request::new("wasm", component(text)));
    assert_eq!(outcome.status, Status::Limited, "{}", show(&outcome));
    assert_eq!(run(&sandbox, canary("python")).stdout.text(), "42\n");
}
