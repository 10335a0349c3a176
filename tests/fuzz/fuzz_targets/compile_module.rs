//! Can the bytes of a WebAssembly program break the process that has it compiled, or outlast its limits?
//!
//! A start from `nothing` of `tests/src/bombs.rs` and the programs beside it is what finds most.
#![no_main]

use glovebox::{Policy, Request, Sandbox};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const POLICY: &str = "version = 1\ndefault_profile = \"f\"\n[profiles.f]\nextends = \"offline\"\n\
    [profiles.f.limits]\nwall = \"1s\"\nfuel = 50_000_000\nmemory = \"16MiB\"\nworkspace = \"1MiB\"\noutput = \"64KiB\"\n";

static SANDBOX: LazyLock<(Sandbox, Runtime)> = LazyLock::new(|| {
    let policy = Policy::parse("fuzz", POLICY).expect("it is a policy");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    // As built by `cargo build --release`.
    let compiler = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/glovebox");
    (Sandbox::builder().policy(policy).compiler(compiler).build().expect("the guests are installed"), runtime)
});

fuzz_target!(|data: &[u8]| {
    let (sandbox, runtime) = &*SANDBOX;
    // Every other input is a component.
    let (head, rest): (&[u8], _) = match data.split_first() {
        Some((first, rest)) if first % 2 == 0 => (b"\0asm\x0d\0\x01\0", rest),
        Some((_, rest)) => (b"\0asm\x01\0\0\0", rest),
        None => return,
    };
    let started = Instant::now();
    let outcome = runtime.block_on(sandbox.run(Request::new("wasm", [head, rest].concat()))).expect("the host works");
    let why = outcome.crash.unwrap_or_default();
    assert!(!why.contains("system call"), "the jail of the compiler is too narrow: {why}");
    assert!(started.elapsed() < Duration::from_secs(3));
});
