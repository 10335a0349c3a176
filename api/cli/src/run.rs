//! `glovebox run`: how is a program run from the command line?

pub(crate) mod artifacts;
mod report;
mod results;
mod stream;

use crate::advice::Asked;
use crate::cli::RunArguments;
use crate::compose::{Composition, ContainerTier, PackageSource};
use crate::exit::{Exit, Failure};
use crate::installation::Installation;
use crate::request::{self, Prepared};
use crate::runtime::runtime;
use crate::{policy, terminal};
use artifacts::ArtifactRules;
use glovebox::{CancellationToken, Controls, Input, JsonLines, Outcome, Request, Sandbox};
use glovebox_wire::error::chain;
use glovebox_wire::outcome as wire;
use std::sync::Arc;
use std::time::Duration;
use stream::Forwarded;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// Chunks of output that are buffered for a slow reader; then the program blocks (backpressure).
const WAITING_PIECES: usize = 16;

/// Grace period of a cancelled run, after which the process ends without it.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Runs `glovebox run`.
pub(crate) fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let rules = ArtifactRules::new(&arguments.request.artifacts)?;
    let policy = policy::load(arguments.request.policy.as_deref())?;
    let installation = Installation::find()?;
    let Prepared {
        request,
        input_is_used_up,
    } = request::prepare(&arguments.request, Some(installation.bundle()))?;
    let runtime = runtime()?;
    let composition = Composition {
        metering: arguments.metering.into(),
        containers: ContainerTier::Lazy,
        packages: PackageSource::from(&arguments.request),
        ..Composition::new(&installation, policy)
    };
    let mut builder = composition.builder(&runtime)?;
    if let Some(path) = &arguments.audit {
        let shown = terminal::name(&path.display().to_string());
        let log = JsonLines::open(path).map_err(|error| {
            let advice = "nothing runs without its record; name a log that you may write to, or move the damaged one away";
            Failure::host(format!("cannot use the audit log `{shown}`: {}", chain(&error))).advise(advice)
        })?;
        builder = builder.audit(Arc::new(log));
    }
    let sandbox = builder.build().map_err(|error| Failure::from(&error))?;
    let input = if input_is_used_up {
        Input::Empty
    } else {
        Input::Reader(Box::new(tokio::io::stdin()))
    };
    let asked = Asked::from(&request);
    let ended = runtime.block_on(drive(&sandbox, request, input, arguments.json));
    // A blocking read of standard input cannot be interrupted, and the process must not wait for
    // one whose result is no longer needed.
    runtime.shutdown_background();
    let (outcome, forwarded) = ended?;
    let saved = rules.save(&outcome.artifacts);
    let folder = arguments.request.results.as_deref();
    let results = folder.map(|folder| results::save_all(folder, &outcome.results));
    let results_failed = results.iter().flatten().any(Result::is_err);
    let exit = if results_failed || saved.iter().any(|saved| saved.result.is_err()) {
        Exit::FAILED
    } else {
        Exit::of(&outcome)
    };
    if arguments.json {
        let place = |saved: &artifacts::Saved<'_>| {
            saved
                .result
                .as_ref()
                .ok()
                .map(|path| path.display().to_string())
        };
        let files = saved
            .iter()
            .map(|saved| wire::artifact(saved.artifact, place(saved)));
        terminal::print(&wire::outcome_json(&outcome, files.collect()))?;
    } else {
        let drawing = forwarded.drawing;
        forwarded.finish();
        report::report(&sandbox, &outcome, &asked);
        report::report_missing(&rules, &outcome);
        report::report_results(results.as_deref(), &outcome.results, drawing);
    }
    report::report_saved(&saved, results.as_deref().unwrap_or_default());
    Ok(exit)
}

/// Runs the request to its end, and forwards output meanwhile.
async fn drive(
    sandbox: &Sandbox,
    request: Request,
    input: Input,
    quiet: bool,
) -> Result<(Outcome, Forwarded), Failure> {
    let stop = CancellationToken::new();
    let signals = signals()?;
    let watch = tokio::spawn(watch(signals, stop.clone()));
    let (sender, receiver) = mpsc::channel(WAITING_PIECES);
    let controls = Controls {
        input,
        output: (!quiet).then_some(sender),
        stop: stop.clone(),
        ..Controls::default()
    };
    // As a task of its own, so that a slow reader of the output does not delay the program's
    // timers.
    let sandbox = sandbox.clone();
    let run = tokio::spawn(async move { sandbox.run_with(request, controls).await });
    let mut forwarded = stream::forward(receiver, &stop).await;
    let outcome = run
        .await
        .map_err(|error| Failure::host(format!("internal error: {error}")))?;
    watch.abort();
    let outcome = outcome.map_err(|error| Failure::from(&error))?;
    match forwarded.failure.take() {
        Some(unwritten) => Err(unwritten),
        None => Ok((outcome, forwarded)),
    }
}

pub(crate) fn signals() -> Result<[Signal; 2], Failure> {
    let on = |kind| {
        signal(kind).map_err(|error| Failure::host(format!("cannot listen to signals: {error}")))
    };
    Ok([on(SignalKind::interrupt())?, on(SignalKind::terminate())?])
}

/// Cancels the run at the first signal, and ends the process at the second, or if the run does not
/// end.
pub(crate) async fn watch([mut interrupt, mut terminate]: [Signal; 2], stop: CancellationToken) {
    let mut wait = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    wait().await;
    stop.cancel();
    // The reader of the output may have stopped reading, and the run's end does not help against
    // that.
    let _ = tokio::time::timeout(STOP_GRACE, wait()).await;
    std::process::exit(Exit::CANCELLED.code());
}
