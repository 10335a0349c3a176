//! Benchmark of container runs: what does a run cost, against starting one with the engine's own
//! client?

use crate::measure::{Samples, command, ratio};
use anyhow::{Result, ensure};
use glovebox::{Executor as _, Request, Sandbox, Status};
use glovebox_fallback::Containers;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SCRIPT: &str = "echo $((1+1))";

/// Idle containers in the pool.
const IDLE: usize = 2;

/// Pause in which the pool is refilled.
const PAUSE: Duration = Duration::from_millis(1500);

/// Sequential shell runs, with a container from the pool (warm) and with one that is created for
/// the run (cold).
pub(crate) fn shell() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let client = [
        "run",
        "--rm",
        "--network",
        "none",
        "glovebox/shell:latest",
        "bash",
        "-c",
        SCRIPT,
    ];
    let mut medians = Vec::new();
    for (what, idle, pause) in [
        ("from the pool", IDLE, PAUSE),
        ("made for the run", 0, Duration::ZERO),
    ] {
        let containers = runtime.block_on(Containers::builder().idle(idle).connect());
        if let Some(reason) = containers.facts().unavailable {
            println!("  skipped: {reason}");
            return Ok(());
        }
        let sandbox = Sandbox::builder().executor(Arc::new(containers)).build()?;
        let samples = runtime.block_on(async {
            let mut samples = Vec::new();
            for round in 0..22 {
                let started = Instant::now();
                let outcome = sandbox.run(Request::new("shell", SCRIPT)).await?;
                let took = started.elapsed();
                ensure!(
                    outcome.status == Status::Succeeded && outcome.stdout.bytes == b"2\n",
                    "{outcome:?}"
                );
                // The first rounds fill the pool.
                if round >= 2 {
                    samples.push(took);
                }
                tokio::time::sleep(pause).await;
            }
            Ok(Samples::new(samples))
        })?;
        samples.print(&format!("shell, {what}"));
        medians.push(samples.median());
    }
    if let Some(native) = command("docker", &client, 20)? {
        native.print("docker run --rm");
        medians
            .iter()
            .for_each(|median| ratio("faster by", native.median(), *median));
    }
    Ok(())
}
