//! Benchmark of startup: what does a fresh run cost?

use crate::measure::{Samples, command, ratio};
use anyhow::{Context as _, Result, ensure};
use glovebox::policy::{Facts, Policy, Verdict};
use glovebox::{Request, Sandbox, Status};
use std::time::{Duration, Instant};

const PYTHON: &str = "print(1+1)";
const JAVASCRIPT: &str = "console.log(1+1)";

/// One fresh run for each sample, from the request to the outcome.
pub(crate) fn fresh() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sandbox = Sandbox::builder().build()?;
    for (language, source, native) in [
        ("javascript", JAVASCRIPT, ("node", "-e")),
        ("python", PYTHON, ("python3", "-c")),
    ] {
        let ours = runtime.block_on(runs(&sandbox, language, source, 5_000))?;
        ours.print(&format!("{language}: request to outcome"));
        if let Some(native) = command(native.0, &[native.1, source], 20)? {
            native.print("the native interpreter");
            ratio("faster by", native.median(), ours.median());
        }
    }
    Ok(())
}

async fn runs(sandbox: &Sandbox, language: &str, source: &str, count: usize) -> Result<Samples> {
    let mut samples = Vec::with_capacity(count);
    for round in 0..count + count / 10 {
        let request = Request::new(language, source);
        let started = Instant::now();
        let outcome = sandbox.run(request).await?;
        let took = started.elapsed();
        ensure!(
            outcome.status == Status::Succeeded && outcome.stdout.bytes == b"2\n",
            "{outcome:?}"
        );
        if round >= count / 10 {
            samples.push(took);
        }
    }
    Ok(Samples::new(samples))
}

/// Rounds of a throughput measurement; interference can only slow a round down, so the best one
/// counts.
const ROUNDS: usize = 5;

/// Throughput in runs per second, on one thread and on as many as there are cores.
pub(crate) fn throughput() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    let sandbox = Sandbox::builder().build()?;
    for (language, source) in [("javascript", JAVASCRIPT), ("python", PYTHON)] {
        for threads in [1, cores] {
            let mut best: f64 = 0.0;
            for _ in 0..ROUNDS {
                best = best.max(rate(&sandbox, language, source, threads)?);
            }
            println!(
                "  {language:<12} {threads} thread(s)  {best:>10.0} runs/s  {:>10.0} a thread",
                best / threads as f64
            );
        }
    }
    Ok(())
}

/// Runs per second over one second, by threads that each have their own tokio runtime.
fn rate(
    sandbox: &Sandbox,
    language: &'static str,
    source: &'static str,
    threads: usize,
) -> Result<f64> {
    let started = Instant::now();
    let deadline = started + Duration::from_secs(1);
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let sandbox = sandbox.clone();
            std::thread::spawn(move || -> Result<u64> {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                // One task that never leaves the runtime, as in a server.
                runtime.block_on(async {
                    let mut done = 0;
                    while Instant::now() < deadline {
                        let outcome = sandbox.run(Request::new(language, source)).await?;
                        ensure!(outcome.status == Status::Succeeded, "{outcome:?}");
                        done += 1;
                    }
                    Ok(done)
                })
            })
        })
        .collect();
    let mut done = 0;
    for worker in workers {
        done += worker.join().ok().context("a worker broke")??;
    }
    Ok(done as f64 / started.elapsed().as_secs_f64())
}

/// `glovebox run hello.py` from the command line.
pub(crate) fn command_line() -> Result<()> {
    let binary = std::env::current_exe()?.with_file_name("glovebox");
    let binary = binary
        .to_str()
        .context("the path of the binary is not UTF-8")?;
    let file = std::env::temp_dir().join(format!("glovebox-bench-{}.py", std::process::id()));
    #[expect(clippy::disallowed_methods, reason = "the program that is run")]
    std::fs::write(&file, "print('hello')\n")?;
    let path = file
        .to_str()
        .context("the path of the program is not UTF-8")?;
    let ours = command(binary, &["run", path], 40)?
        .with_context(|| format!("`{binary}` is not there: cargo build --release --workspace"))?;
    ours.print("glovebox run hello.py");
    if let Some(native) = command("python3", &[path], 40)? {
        native.print("python3 hello.py");
        ratio("faster by", native.median(), ours.median());
    }
    #[expect(clippy::disallowed_methods, reason = "the program that was run")]
    std::fs::remove_file(&file)?;
    Ok(())
}

/// One policy decision.
pub(crate) fn admit() -> Result<()> {
    let policy = Policy::builtin();
    let facts = Facts::wasm(["python", "javascript", "typescript", "wasm"]);
    let request = Request::new("python", PYTHON);
    let mut samples = Vec::new();
    for _ in 0..2_000 {
        let started = Instant::now();
        for _ in 0..50 {
            let verdict = policy.admit(&request, &facts);
            ensure!(matches!(verdict, Verdict::Admit(_)), "{verdict:?}");
        }
        samples.push(started.elapsed() / 50);
    }
    Samples::new(samples).print("policy.admit");
    Ok(())
}
