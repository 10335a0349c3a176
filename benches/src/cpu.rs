//! Benchmark of CPU-bound programs: what does isolation cost one that only computes?

use crate::measure::{Samples, command};
use anyhow::{Result, ensure};
use glovebox::{Metering, Request, Sandbox, Status};
use std::time::Instant;

const SCRIPTS: [(&str, &str); 6] = [
    ("objects", include_str!("../scripts/objects.py")),
    ("recursion", include_str!("../scripts/recursion.py")),
    ("json", include_str!("../scripts/json_round.py")),
    ("floats", include_str!("../scripts/floats.py")),
    ("sieve", include_str!("../scripts/sieve.py")),
    ("text", include_str!("../scripts/text.py")),
];

const ROUNDS: usize = 3;

/// Six scripts in each metering mode, as multiples of the native interpreter's time without its
/// startup.
pub(crate) fn python() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sandboxes = [Metering::Unmetered, Metering::Epoch, Metering::Fuel]
        .into_iter()
        .map(|metering| Ok((metering, Sandbox::builder().metering(metering).build()?)))
        .collect::<Result<Vec<_>>>()?;
    let Some(start_up) = command("python3", &["-c", "pass"], ROUNDS * 3)? else {
        return Ok(());
    };
    let mut products = vec![0.0_f64; sandboxes.len()];
    let mut scripts = 0;
    for (name, source) in SCRIPTS {
        let Some(native) = command("python3", &["-c", source], ROUNDS)? else {
            return Ok(());
        };
        let native = native.median().saturating_sub(start_up.median());
        let mut line = format!("  {name:<12} native {native:>8.1?}");
        for ((metering, sandbox), product) in sandboxes.iter().zip(&mut products) {
            let mut samples = Vec::new();
            for _ in 0..ROUNDS {
                let started = Instant::now();
                let outcome = runtime.block_on(sandbox.run(Request::new("python", source)))?;
                samples.push(started.elapsed());
                ensure!(outcome.status == Status::Succeeded, "{name}: {outcome:?}");
            }
            let factor = Samples::new(samples).median().as_secs_f64() / native.as_secs_f64();
            *product += factor.ln();
            line.push_str(&format!("   {} {factor:>5.2}x", metering.name()));
        }
        println!("{line}");
        scripts += 1;
    }
    let mut line = "  geometric mean".to_owned();
    for ((metering, _), product) in sandboxes.iter().zip(&products) {
        line.push_str(&format!(
            "   {} {:.2}x",
            metering.name(),
            (product / f64::from(scripts)).exp()
        ));
    }
    println!("{line}");
    Ok(())
}
