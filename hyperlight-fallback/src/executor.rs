//! Container executor: how does the container tier run what was granted?

use crate::collector::{Collector, Over, Splitter, Trailer};
use crate::container::{describe, memory_of, places};
use crate::egress::{self, EgressSocket};
use crate::engine::Containers;
use crate::images::{LIBC, image_of};
use crate::job::{self, Completion};
use crate::pool::{Container, Kept, Pool, ProgramInput, ProgramOutput, Used};
use async_trait::async_trait;
use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use glovebox::{
    Error, Evaluation, Exception, Executor, Hold, Input, Job, Limit, NativePlatform, PackageTarget,
    PoolStats, Report, RunSetup, SessionHandle, Status, StreamName, Value, artifact_globs,
};
use glovebox_policy::{Limits, Tier, TierFacts};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt as _, copy};
use tokio::task::JoinHandle;

/// Timeout of the liveness probe of the engine.
const PROBE: Duration = Duration::from_secs(5);

/// Timeout of starting a container; bounds how long the caller waits for the run.
const CREATION: Duration = Duration::from_secs(30);

/// Timeout of waiting for free memory.
const PATIENCE: Duration = Duration::from_secs(5);

/// Polling interval of that wait.
const STEP: Duration = Duration::from_millis(20);

/// The exit code of a process that was killed by `SIGKILL`.
const KILLED: i32 = 128 + 9;

/// The exit code of a process that exceeded its CPU time (`SIGXCPU`).
const TIME_USED_UP: i32 = 128 + 24;

#[async_trait]
impl Executor for Containers {
    fn facts(&self) -> TierFacts {
        self.inner.facts.clone()
    }

    fn package_target(&self, language: &str) -> Option<PackageTarget> {
        let (version, _) = image_of(language)?.interpreter?;
        let native = NativePlatform {
            architecture: std::env::consts::ARCH.to_owned(),
            libc: LIBC.to_owned(),
        };
        Some(PackageTarget {
            tier: Tier::Container,
            interpreter: version.to_owned(),
            native: Some(native),
        })
    }

    fn has_sessions(&self, _: &str) -> bool {
        false
    }

    fn stock(&self) -> Option<PoolStats> {
        self.inner.pool.as_ref().map(Pool::stock)
    }

    async fn probe(&self) -> Result<(), Error> {
        let reason = || {
            self.inner
                .facts
                .unavailable
                .clone()
                .unwrap_or_else(|| "there is no container engine".to_owned())
        };
        let pool = self
            .inner
            .pool
            .as_ref()
            .ok_or_else(|| Error::Host(reason()))?;
        match tokio::time::timeout(PROBE, pool.ping()).await {
            Ok(answer) => answer.map_err(|error| {
                Error::Host(format!("the container engine does not answer: {error}"))
            }),
            Err(_) => Err(Error::Host(format!(
                "the container engine did not answer within {} s",
                PROBE.as_secs()
            ))),
        }
    }

    async fn run(&self, Job { setup, evaluation }: Job) -> Result<Report, Error> {
        let grant = &setup.grant;
        let pool = self
            .inner
            .pool
            .as_ref()
            .ok_or_else(|| Error::Host("there is no container engine".to_owned()))?;
        let image = image_of(grant.language())
            .ok_or_else(|| Error::Invalid(format!("no container speaks `{}`", grant.language())))?;
        let packages = setup
            .packages
            .as_ref()
            .zip(image.interpreter)
            .map(|(tree, (_, place))| (tree.path.as_path(), place));
        let patterns = artifact_globs(&evaluation.artifacts)?;
        let failed = |error: &dyn std::fmt::Display| match grant.image() {
            Some(image) => Error::Host(format!(
                "the container engine failed: {error} (the policy pins the image {image}; `glovebox images list` shows those that are there)"
            )),
            None => Error::Host(format!("the container engine failed: {error}")),
        };
        // Dropped at the end of the run.
        let egress = if grant.network().is_empty() {
            None
        } else {
            let local_ca = self.inner.local_ca().map_err(Error::Host)?;
            let egress = EgressSocket::open(setup.egress()?, Arc::clone(&local_ca))
                .map_err(|error| Error::Host(error.to_string()))?;
            Some((egress, local_ca))
        };
        let local_ca = egress.as_ref().map(|(_, local_ca)| local_ca.pem());
        let program = (&evaluation.source, evaluation.arguments.as_slice());
        let message = job::message(grant, program, &setup.files, !patterns.is_empty(), local_ca)?;
        let extra: Vec<_> = packages
            .into_iter()
            .chain(
                egress
                    .as_ref()
                    .map(|(egress, _)| (egress.directory(), egress::DIRECTORY)),
            )
            .collect();
        let body = describe(
            grant,
            &places(grant)?,
            grant.image().unwrap_or(image.name),
            &extra,
            &pool.settings,
        );
        let Evaluation {
            input,
            output,
            stop,
            ..
        } = evaluation;
        // The memory of the container, and of its output and artifacts in this process.
        let told = job::reply_limit(grant, !patterns.is_empty()) as u64;
        let bytes = memory_of(grant)
            .saturating_add(told.saturating_mul(2))
            .saturating_add(grant.limits().output);
        let hold = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            hold = memory_for(&setup, bytes) => hold,
        };
        let hold = match hold {
            Ok(hold) => hold,
            Err(why) => {
                return Ok(Report {
                    crash: Some(why),
                    ..Report::limited(Limit::Memory)
                });
            }
        };
        // A container with an egress proxy is created for its run, because the socket is part of its configuration.
        let kept = Kept {
            _place: hold,
            until: Instant::now() + job::lifetime(grant) + CREATION,
        };
        let container = async {
            if egress.is_some() {
                pool.make(body, kept).await
            } else {
                pool.take(body, kept).await
            }
        };
        let mut container = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            container = tokio::time::timeout(CREATION, container) => match container {
                Ok(container) => container.map_err(|error| failed(&error))?,
                Err(_) => return Err(failed(&format!("it made no container within {} s", CREATION.as_secs()))),
            },
        };
        let streams = container.said.take().zip(container.heard.take());
        let (said, heard) =
            streams.ok_or_else(|| Error::Host("the container has no streams".to_owned()))?;
        let (limits, started) = (grant.limits(), Instant::now());
        let mark = format!("{} ", message.mark);
        let mut run = Run {
            collector: Collector::new(limits.output, output),
            splitter: Splitter::new(&mark, job::reply_limit(grant, !patterns.is_empty())),
            errors: Splitter::new(&mark, 0),
            wants_files: !patterns.is_empty(),
        };
        let feeding = Feeding(tokio::spawn(feed(heard, message.bytes, input)));
        let ending = tokio::select! {
            biased;
            () = stop.cancelled() => Ending::Stopped,
            () = tokio::time::sleep(limits.wall) => Ending::WallTime,
            ending = run.listen(said) => ending,
        };
        drop(feeding);
        let mut report = run.report(&ending, limits)?;
        if let Some((trailer, told)) = run.splitter.trailer() {
            let (completion, archive) = told
                .split_at_checked(trailer.completion)
                .unwrap_or_default();
            complete(&mut report, completion, limits.value);
            if !patterns.is_empty() {
                (report.artifacts, report.artifacts_truncated) =
                    job::artifacts(archive, &patterns, limits.workspace);
                report.artifacts_truncated |= run.splitter.was_cut();
            }
        }
        let used = match run.splitter.trailer() {
            Some((trailer, _)) => trailer.used(),
            // If usage cannot be measured, the maximum is charged: breaking the measurement must not pay off.
            None => container.used().await.unwrap_or_else(|| Used {
                cpu: started.elapsed(),
                peak_memory: limits.memory,
            }),
        };
        run.fill(&mut report, used);
        report.usage.host_calls = egress.as_ref().map_or(0, |(egress, _)| egress.calls());
        dispose(container, &ending).await;
        Ok(report)
    }

    async fn open(&self, _: RunSetup) -> Result<Box<dyn SessionHandle>, Error> {
        Err(Error::Invalid(
            "there are no sessions in containers; run each program by itself".to_owned(),
        ))
    }
}

/// Reserves the run's slot and the memory of its container. Waits a while for other runs to end, because a container reserves all of its
/// memory when it starts.
async fn memory_for(setup: &RunSetup, bytes: u64) -> Result<Hold, String> {
    let until = Instant::now() + setup.grant.limits().wall.min(PATIENCE);
    loop {
        match setup.hold_with(bytes) {
            Err(_) if Instant::now() < until => tokio::time::sleep(STEP).await,
            result => return result,
        }
    }
}

/// Ends the container. After its trailer no process of the program is left in it, so the response does not wait.
async fn dispose(container: Container, ending: &Ending) {
    if matches!(ending, Ending::Ended) {
        container.end_behind();
    } else {
        container.end().await;
    }
}

/// A task that is aborted at the end of its run.
struct Feeding(JoinHandle<()>);

impl Drop for Feeding {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends the job, then the program's standard input. Write errors are ignored: the program has ended.
async fn feed(mut heard: ProgramInput, job: bytes::Bytes, input: Input) {
    let fed = async {
        heard.write_all(&job).await?;
        match input {
            Input::Bytes(bytes) => heard.write_all(&bytes).await?,
            Input::Reader(mut reader) => {
                heard.flush().await?;
                copy(&mut reader, &mut heard).await?;
            }
            _ => {}
        }
        heard.flush().await?;
        heard.shutdown().await
    };
    if let Err(error) = fed.await {
        tracing::debug!(%error, "the program's input was not taken");
    }
    // This half of the stream is kept until the run ends: dropping it would close the other half.
    std::future::pending::<()>().await;
}

/// The way in which a run ended.
enum Ending {
    /// The container exited.
    Ended,
    /// It exceeded its output limit.
    TooMuchOutput,
    /// The archive of the workspace exceeds its limit, because of sparse files.
    TooMuchToHandBack,
    WallTime,
    Stopped,
    /// The engine failed.
    Failed(String),
}

struct Run {
    collector: Collector,
    splitter: Splitter,
    /// Standard error, which ends with the same delimiter.
    errors: Splitter,
    wants_files: bool,
}

impl Run {
    async fn listen(&mut self, mut said: ProgramOutput) -> Ending {
        while let Some(piece) = said.next().await {
            let taken = match piece {
                Ok(LogOutput::StdOut { message }) => {
                    let own = self.splitter.push(&message);
                    self.collector.push(StreamName::Stdout, own).await
                }
                Ok(LogOutput::StdErr { message }) => {
                    let own = self.errors.push(&message);
                    self.collector.push(StreamName::Stderr, own).await
                }
                Ok(_) => Ok(()),
                Err(error) => return Ending::Failed(error.to_string()),
            };
            if taken == Err(Over) {
                return Ending::TooMuchOutput;
            }
            if self.splitter.was_cut() {
                return Ending::TooMuchToHandBack;
            }
            // The trailer is complete; the container itself may exit later.
            let is_all = self
                .splitter
                .trailer()
                .is_some_and(|(trailer, told)| told.len() >= trailer.completion);
            if !self.wants_files && self.errors.is_behind() && is_all {
                return Ending::Ended;
            }
        }
        for (stream, rest) in [
            (StreamName::Stdout, self.splitter.rest()),
            (StreamName::Stderr, self.errors.rest()),
        ] {
            if self.collector.push(stream, rest).await == Err(Over) {
                return Ending::TooMuchOutput;
            }
        }
        Ending::Ended
    }

    fn report(&self, ending: &Ending, limits: &Limits) -> Result<Report, Error> {
        Ok(match ending {
            Ending::Stopped => Report::new(Status::Cancelled),
            Ending::WallTime => Report::limited(Limit::Wall),
            Ending::TooMuchOutput => Report::limited(Limit::Output),
            Ending::Failed(reason) => {
                return Err(Error::Host(format!(
                    "the container engine broke off: {reason}"
                )));
            }
            Ending::Ended | Ending::TooMuchToHandBack => match self.splitter.trailer() {
                Some((trailer, _)) => finished(trailer, limits),
                None => {
                    let crash = "the container ended before its program did".to_owned();
                    Report {
                        crash: Some(crash),
                        ..Report::new(Status::Crashed)
                    }
                }
            },
        })
    }

    /// Fills in the fields that every report has.
    fn fill(&mut self, report: &mut Report, used: Used) {
        report.stdout = std::mem::take(&mut self.collector.stdout);
        report.stderr = std::mem::take(&mut self.collector.stderr);
        report.usage.output = self.collector.written;
        report.usage.cpu = used.cpu;
        report.usage.peak_memory = used.peak_memory;
    }
}

/// Builds the report of a run with a trailer. A program may survive a refused allocation or fork; if it failed, the refusal is the cause.
fn finished(trailer: Trailer, limits: &Limits) -> Report {
    // The kernel accounts a process in clock ticks and a cgroup exactly, so the two differ.
    let cpu_is_up = trailer.cpu_micros >= limits.fuel / 1000 / 4 * 3;
    let limit = match trailer.code {
        0 => None,
        _ if trailer.killed_for_memory > 0 => Some(Limit::Memory),
        TIME_USED_UP | KILLED if cpu_is_up => Some(Limit::Cpu),
        _ if trailer.refused_processes > 0 => Some(Limit::Processes),
        _ if trailer.free_files == 0 => Some(Limit::Files),
        _ if trailer.free_blocks == 0 => Some(Limit::Disk),
        _ => None,
    };
    if let Some(limit) = limit {
        return Report::limited(limit);
    }
    let status = if trailer.code == 0 {
        Status::Succeeded
    } else {
        Status::Failed
    };
    Report {
        exit_code: Some(trailer.code),
        ..Report::new(status)
    }
}

/// Adds the value or exception that the driver reported for a program that ran to its end.
fn complete(report: &mut Report, told: &[u8], max_value: u64) {
    let told: Completion = serde_json::from_slice(told).unwrap_or_default();
    let fits = |text: &str| text.len() as u64 <= max_value;
    match report.status {
        Status::Succeeded => {
            let value = told.value.filter(|value| fits(&value.text));
            report.value = value.map(|value| Value {
                json: value.json.filter(|json| fits(json)),
                text: value.text,
            });
        }
        Status::Failed => {
            let exception = told.exception;
            report.exception = exception.map(|told| Exception {
                kind: told.kind,
                message: told.message,
                traceback: told.traceback,
            });
        }
        _ => {}
    }
}
