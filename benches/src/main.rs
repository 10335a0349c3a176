//! Benchmarks: how fast is it, against a baseline of the same run?
//!
//! `cargo build --release --workspace && target/release/glovebox-benches [NAME...]`. Absolute times
//! depend on the machine and its load; compare the ratios.

mod containers;
mod cpu;
mod http;
mod measure;
mod memory;
mod packages;
mod start;

use anyhow::{Result, bail};

/// The name of a bench, its description, and its function.
type Bench = (&'static str, &'static str, fn() -> Result<()>);

/// Every bench by name, with its description.
const BENCHES: [Bench; 11] = [
    (
        "start",
        "a fresh sandbox for each run, against starting the native interpreter",
        start::fresh,
    ),
    (
        "throughput",
        "runs a second on one core and on all",
        start::throughput,
    ),
    (
        "memory",
        "what an idle session holds",
        memory::idle_sessions,
    ),
    (
        "cpu",
        "CPU-bound Python, against the native interpreter",
        cpu::python,
    ),
    (
        "containers",
        "a shell run, against the engine's own client",
        containers::shell,
    ),
    (
        "packages",
        "runs with packages that were fetched before",
        packages::cached,
    ),
    (
        "http",
        "the service with one client and with many, against the library",
        http::service,
    ),
    (
        "fairness",
        "a small tenant while another one floods the service",
        http::fairness,
    ),
    (
        "service_memory",
        "the service after many executions",
        http::service_memory,
    ),
    ("cli", "the whole command line process", start::command_line),
    ("admit", "the decision", start::admit),
];

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    for name in &wanted {
        if !BENCHES.iter().any(|(known, ..)| known == name) {
            let names: Vec<&str> = BENCHES.iter().map(|(name, ..)| *name).collect();
            bail!("there is no bench `{name}`; there are {}", names.join(", "));
        }
    }
    for (name, what, bench) in BENCHES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            println!("\n{name}: {what}");
            bench()?;
        }
    }
    Ok(())
}
