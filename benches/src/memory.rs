//! Benchmark of session memory: how much does an idle session hold?

use anyhow::{Context as _, Result};
use glovebox::{Request, Sandbox, Status};

const SESSIONS: u64 = 50;

/// The growth of the process's proportional set size (PSS) for each idle session after an
/// evaluation.
pub(crate) fn idle_sessions() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let policy = glovebox::Policy::parse(
        "bench.toml",
        "version = 1\ndefault_profile = \"bench\"\n[profiles.bench]\nextends = \"default\"\nlimits = { concurrency = 1000 }\n",
    )?;
    let sandbox = Sandbox::builder()
        .policy(policy)
        .max_running(1000)
        .build()?;
    for (language, source) in [
        ("javascript", "let x = 1; console.log(x)"),
        ("python", "x = 1\nprint(x)"),
    ] {
        runtime.block_on(async {
            let request = Request::new(language, "");
            sandbox
                .open(request.clone())
                .await?
                .evaluate(source)
                .await?;
            let before = pss_kib()?;
            let mut sessions = Vec::new();
            for _ in 0..SESSIONS {
                let mut session = sandbox.open(request.clone()).await?;
                let outcome = session.evaluate(source).await?;
                anyhow::ensure!(outcome.status == Status::Succeeded, "{outcome:?}");
                sessions.push(session);
            }
            let each = pss_kib()?.saturating_sub(before) / SESSIONS;
            println!("  {language:<12} {each:>6} KiB PSS an idle session");
            Ok(())
        })?;
    }
    Ok(())
}

fn pss_kib() -> Result<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's account of this process"
    )]
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    rollup
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .context("the kernel gives no proportional set size")
}
