//! Fuzzing harness: where do generated programs run?

use glovebox::{Outcome, Policy, Request, Sandbox};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const POLICY: &str = "version = 1\ndefault_profile = \"f\"\n[profiles.f]\nextends = \"offline\"\n\
    [profiles.f.limits]\nwall = \"1s\"\nfuel = 50_000_000\nmemory = \"16MiB\"\nworkspace = \"1MiB\"\noutput = \"64KiB\"\n";

static SANDBOX: LazyLock<(Sandbox, Runtime)> = LazyLock::new(|| {
    let policy = Policy::parse("fuzz", POLICY).expect("it is a policy");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    // From `cargo build --release`: it compiles the generated program in a process of its own.
    let compiler = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/release/glovebox");
    (
        Sandbox::builder()
            .policy(policy)
            .compiler(compiler)
            .build()
            .expect("the guests are installed"),
        runtime,
    )
});

/// Runs a WebAssembly program under tight limits.
///
/// # Panics
///
/// If the host fails, or the run exceeds its limits.
pub fn run(program: Vec<u8>) -> Outcome {
    let (sandbox, runtime) = &*SANDBOX;
    let started = Instant::now();
    let outcome = runtime
        .block_on(sandbox.run(Request::new("wasm", program)))
        .expect("the host works");
    assert!(started.elapsed() < Duration::from_secs(3));
    outcome
}
