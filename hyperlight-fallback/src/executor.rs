//! Container executor: how does the container tier run what was granted?

use crate::artifacts::artifacts;
use crate::collector::{Collector, OutputLimitExceeded, Splitter, Trailer};
use crate::container::{MountSource, describe, identities, memory_limit, mount_sources};
use crate::egress::EgressSocket;
use crate::engine::{Containers, assumed_facts};
use crate::images::{LIBC, image_of};
use crate::job::{JobMessage, Program, message};
use crate::pool::{Container, Pool, ProgramInput, ProgramOutput, Reservation, Usage};
use crate::protocol::{
    CODE_MOUNT, EGRESS_MOUNT, WorkspaceArchive, has_egress, lifetime, reply_limit,
};
use async_trait::async_trait;
use bollard::container::LogOutput;
use bollard::models::ContainerCreateBody;
use futures_util::StreamExt as _;
use globset::GlobSet;
use glovebox::{
    Error, Evaluation, Exception, Executor, Hold, Input, Limit, NativePlatform, PackageTarget,
    PoolStats, Report, Run, RunSetup, SessionHandle, Status, StreamName, Value, artifact_globs,
};
use glovebox_policy::{Grant, Limits, Tier, TierFacts};
use serde::Deserialize;
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt as _, copy};
use tokio::task::JoinHandle;

/// Timeout of the liveness probe of the engine.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Timeout of starting a container; bounds how long the caller waits for the run.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of waiting for free memory.
const MEMORY_TIMEOUT: Duration = Duration::from_secs(5);

/// Polling interval of that wait.
const MEMORY_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The exit code of a process that was killed by `SIGKILL`.
const EXIT_SIGKILL: i32 = 128 + 9;

/// The exit code of a process that exceeded its CPU time (`SIGXCPU`).
const EXIT_SIGXCPU: i32 = 128 + 24;

#[async_trait]
impl Executor for Containers {
    fn facts(&self) -> TierFacts {
        self.connected()
            .map_or_else(assumed_facts, |engine| engine.facts.clone())
    }

    fn is_connected(&self) -> bool {
        self.connected().is_some()
    }

    async fn connect(&self) {
        self.engine().await;
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

    fn pool_stats(&self) -> Option<PoolStats> {
        self.connected()?.pool.as_ref().map(Pool::stock)
    }

    async fn probe(&self) -> Result<(), Error> {
        match tokio::time::timeout(PROBE_TIMEOUT, self.pool().await?.ping()).await {
            Ok(answer) => answer.map_err(|error| {
                Error::executor(format!("the container engine does not answer: {error}"))
            }),
            Err(_) => Err(Error::executor(format!(
                "the container engine did not answer within {} s",
                PROBE_TIMEOUT.as_secs()
            ))),
        }
    }

    async fn run(&self, run: Run) -> Result<Report, Error> {
        let Run { setup, evaluation } = run.after_inspection();
        let pool = tokio::select! {
            biased;
            () = evaluation.stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            pool = self.pool() => pool?,
        };
        let mut plan = self.plan(pool, &setup, &evaluation)?;
        let Evaluation {
            input,
            output,
            stop,
            ..
        } = evaluation;
        let hold = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            hold = reserve_memory(&setup, plan.memory(&setup.grant)) => hold,
        };
        let hold = match hold {
            Ok(hold) => hold,
            Err(reason) => {
                return Ok(Report {
                    crash: Some(reason),
                    ..Report::limited(Limit::Memory)
                });
            }
        };
        let mut container = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            container = plan.start(pool, &setup.grant, hold) => container?,
        };
        let streams = container.output.take().zip(container.input.take());
        let (program_output, program_input) =
            streams.ok_or_else(|| Error::executor("the container has no streams".to_owned()))?;
        let (limits, started) = (setup.grant.limits(), Instant::now());
        let mut reader =
            OutputReader::new(&plan, &setup.grant, Collector::new(limits.output, output));
        let job = std::mem::take(&mut plan.message.bytes);
        if let Some(egress) = &plan.egress {
            egress.set_deadline(started + limits.wall);
        }
        let feeding = Feeding(tokio::spawn(feed(program_input, job, input)));
        let ending = tokio::select! {
            biased;
            () = stop.cancelled() => Ending::Cancelled,
            () = tokio::time::sleep(limits.wall) => Ending::WallTime,
            ending = reader.read(program_output) => ending,
        };
        drop(feeding);
        let mut report = reader.report(&ending, &setup.grant, &plan.mounts)?;
        reader.read_reply(&mut report, &plan, limits);
        let trailer = reader.splitter.trailer();
        let mut usage = trailer
            .map(|(trailer, _)| trailer.usage())
            .unwrap_or_default();
        // Not every kernel and runtime has all of the counters inside the container.
        if !usage.is_whole() {
            usage = usage.or(container.usage().await.unwrap_or_default());
        }
        // If usage cannot be measured, the maximum is charged: breaking the measurement must not
        // pay off.
        let usage = usage.or(Usage {
            cpu: started.elapsed(),
            peak_memory: limits.memory,
        });
        reader.fill(&mut report, usage);
        report.usage.host_calls = plan.egress.as_ref().map_or(0, EgressSocket::calls);
        // A program may handle the refusal of a call; if it failed, the refusal is the cause.
        if report.status == Status::Failed
            && plan.egress.as_ref().is_some_and(EgressSocket::is_exceeded)
        {
            report.status = Status::Limited;
            report.limit = Some(Limit::HostCalls);
        }
        dispose(container, &ending).await;
        Ok(report)
    }

    async fn open(&self, _: RunSetup) -> Result<Box<dyn SessionHandle>, Error> {
        Err(Error::unsupported(
            "there are no sessions in containers; run each program by itself".to_owned(),
        ))
    }
}

impl Containers {
    /// Returns the pool, or the reason why there is no engine.
    async fn pool(&self) -> Result<&Pool, Error> {
        let engine = self.engine().await;
        engine.pool.as_ref().ok_or_else(|| {
            let reason = engine.facts.unavailable.clone();
            Error::executor(reason.unwrap_or_else(|| "there is no container engine".to_owned()))
        })
    }

    /// Prepares a run: everything that needs no container yet.
    fn plan(
        &self,
        pool: &Pool,
        setup: &RunSetup,
        evaluation: &Evaluation,
    ) -> Result<RunPlan, Error> {
        let grant = &setup.grant;
        let image = image_of(grant.language()).ok_or_else(|| {
            Error::unsupported(format!("no container runs `{}`", grant.language()))
        })?;
        let patterns = artifact_globs(&evaluation.artifacts)?;
        let archive = if patterns.is_empty() {
            WorkspaceArchive::Omit
        } else {
            WorkspaceArchive::Send
        };
        let local_ca = if grant.network().is_empty() {
            None
        } else {
            Some(self.inner.local_ca().map_err(Error::executor)?)
        };
        let egress = if has_egress(grant) {
            let egress = EgressSocket::open(setup.host_calls(), local_ca.clone());
            Some(egress.map_err(|error| Error::executor(error.to_string()))?)
        } else {
            None
        };
        let mounts = mount_sources(grant)?;
        let program = Program {
            source: &evaluation.source,
            arguments: &evaluation.arguments,
            files: &setup.files,
            mounts: &mounts,
        };
        let local_ca = local_ca.as_ref().map(|local_ca| local_ca.pem());
        let message = message(grant, program, archive, local_ca)?;
        let packages = setup.packages.as_ref().zip(image.interpreter);
        let extra: Vec<_> = packages
            .map(|(tree, (_, folder))| (tree.path.as_path(), folder))
            .into_iter()
            .chain(
                egress
                    .as_ref()
                    .map(|egress| (egress.directory(), EGRESS_MOUNT)),
            )
            .collect();
        let body = describe(
            grant,
            &mounts,
            grant.image().unwrap_or(image.name),
            &extra,
            &pool.settings,
        );
        Ok(RunPlan {
            body,
            mounts,
            message,
            patterns,
            archive,
            egress,
        })
    }
}

/// A run that was prepared.
struct RunPlan {
    body: ContainerCreateBody,
    mounts: Vec<MountSource>,
    message: JobMessage,
    /// The artifacts that the request named.
    patterns: GlobSet,
    archive: WorkspaceArchive,
    /// Dropped at the end of the run.
    egress: Option<EgressSocket>,
}

impl RunPlan {
    /// Returns the memory of the container, and of its output and artifacts in this process.
    fn memory(&self, grant: &Grant) -> u64 {
        let reply = reply_limit(grant, self.archive) as u64;
        memory_limit(grant)
            .saturating_add(reply.saturating_mul(2))
            .saturating_add(grant.limits().output)
    }

    /// Starts the container. One with an egress proxy is created for its run, because the socket
    /// is part of its configuration.
    async fn start(&mut self, pool: &Pool, grant: &Grant, hold: Hold) -> Result<Container, Error> {
        let reservation = Reservation {
            _hold: hold,
            ended_by: Instant::now() + lifetime(grant) + CREATE_TIMEOUT,
        };
        let mut body = std::mem::take(&mut self.body);
        let is_single = self.egress.is_some();
        let mounts =
            identities(&self.mounts).map_err(|error| Error::executor(error.to_string()))?;
        let container = async {
            if let Some(image) = grant.image() {
                pool.cover_volumes(image, &mut body).await?;
            }
            let container = if is_single {
                pool.create(body, reservation).await
            } else {
                pool.take(body, &mounts, reservation).await
            };
            container.map_err(|error| error.to_string())
        };
        let reason = match tokio::time::timeout(CREATE_TIMEOUT, container).await {
            Ok(Ok(container)) => return Ok(container),
            Ok(Err(reason)) => reason,
            Err(_) => format!(
                "it created no container within {} s",
                CREATE_TIMEOUT.as_secs()
            ),
        };
        Err(Error::executor(match grant.image() {
            Some(image) => format!(
                "the container engine failed: {reason} (the policy pins the image {image}; `glovebox images list` shows those that exist)"
            ),
            None => format!("the container engine failed: {reason}"),
        }))
    }
}

/// Reserves the run's slot and the memory of its container. Waits a while for other runs to end,
/// because a container reserves all of its memory when it starts.
async fn reserve_memory(setup: &RunSetup, bytes: u64) -> Result<Hold, String> {
    let until = Instant::now() + setup.grant.limits().wall.min(MEMORY_TIMEOUT);
    loop {
        match setup.hold_with(bytes) {
            Err(_) if Instant::now() < until => tokio::time::sleep(MEMORY_POLL_INTERVAL).await,
            result => return result,
        }
    }
}

/// Ends the container. After its trailer no process of the program is left in it, so the response
/// does not wait.
async fn dispose(container: Container, ending: &Ending) {
    if matches!(ending, Ending::Ended) {
        container.end_in_background();
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

/// Sends the job, then the program's standard input. Write errors are ignored: the program has
/// ended.
async fn feed(mut stream: ProgramInput, job: bytes::Bytes, input: Input) {
    let sent = async {
        stream.write_all(&job).await?;
        match input {
            Input::Bytes(bytes) => stream.write_all(&bytes).await?,
            Input::Reader(mut reader) => {
                stream.flush().await?;
                copy(&mut reader, &mut stream).await?;
            }
            _ => {}
        }
        stream.flush().await?;
        stream.shutdown().await
    };
    if let Err(error) = sent.await {
        tracing::debug!(%error, "the program did not read its input");
    }
    // This half of the stream is kept until the run ends: dropping it would close the other half.
    std::future::pending::<()>().await;
}

/// The way in which a run ended.
enum Ending {
    /// The container exited.
    Ended,
    /// It exceeded its output limit.
    OutputLimit,
    /// The archive of the workspace exceeds its limit, because of sparse files.
    ReplyLimit,
    WallTime,
    Cancelled,
    /// The engine failed.
    Failed(String),
}

struct OutputReader {
    collector: Collector,
    splitter: Splitter,
    /// Standard error, which ends with the same delimiter.
    errors: Splitter,
    archive: WorkspaceArchive,
}

impl OutputReader {
    fn new(plan: &RunPlan, grant: &Grant, collector: Collector) -> Self {
        let delimiter = format!("{} ", plan.message.delimiter);
        Self {
            collector,
            splitter: Splitter::new(&delimiter, reply_limit(grant, plan.archive)),
            errors: Splitter::new(&delimiter, 0),
            archive: plan.archive,
        }
    }

    async fn read(&mut self, mut stream: ProgramOutput) -> Ending {
        while let Some(chunk) = stream.next().await {
            let pushed = match chunk {
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
            if pushed == Err(OutputLimitExceeded) {
                return Ending::OutputLimit;
            }
            if self.splitter.is_truncated() {
                return Ending::ReplyLimit;
            }
            // The trailer is complete; the container itself may exit later.
            let is_complete = self
                .splitter
                .trailer()
                .is_some_and(|(trailer, reply)| reply.len() >= trailer.completion);
            if self.archive == WorkspaceArchive::Omit
                && self.errors.found_delimiter()
                && is_complete
            {
                return Ending::Ended;
            }
        }
        for (stream, rest) in [
            (StreamName::Stdout, self.splitter.rest()),
            (StreamName::Stderr, self.errors.rest()),
        ] {
            if self.collector.push(stream, rest).await == Err(OutputLimitExceeded) {
                return Ending::OutputLimit;
            }
        }
        Ending::Ended
    }

    /// Returns the error of a run whose mount is not the directory that was checked.
    fn changed_mount(&self, grant: &Grant, sources: &[MountSource]) -> Option<Error> {
        let (trailer, _) = self.splitter.trailer()?;
        let index = usize::try_from(trailer.code.checked_sub(CODE_MOUNT)?).ok()?;
        let granted = grant.mounts().iter().zip(sources);
        let mut checked = granted.filter(|(_, source)| source.checked.is_some());
        let (mount, _) = checked.nth(index)?;
        tracing::warn!(
            host = mount.host,
            "a granted directory was replaced while it was mounted"
        );
        Some(Error::Mount {
            guest: mount.guest.clone(),
            reason: "another directory took its place before the engine mounted it".to_owned(),
        })
    }

    fn report(
        &self,
        ending: &Ending,
        grant: &Grant,
        sources: &[MountSource],
    ) -> Result<Report, Error> {
        if let Some(error) = self.changed_mount(grant, sources) {
            return Err(error);
        }
        Ok(match ending {
            Ending::Cancelled => Report::new(Status::Cancelled),
            Ending::WallTime => Report::limited(Limit::Wall),
            Ending::OutputLimit => Report::limited(Limit::Output),
            Ending::Failed(reason) => {
                return Err(Error::executor(format!(
                    "the container engine failed during the run: {reason}"
                )));
            }
            Ending::Ended | Ending::ReplyLimit => match self.splitter.trailer() {
                Some((trailer, _)) => finished(trailer, grant.limits()),
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

    /// Adds what came after the trailer: the value or exception, and the artifacts.
    fn read_reply(&self, report: &mut Report, plan: &RunPlan, limits: &Limits) {
        let Some((trailer, reply)) = self.splitter.trailer() else {
            return;
        };
        let (completion, archive) = reply
            .split_at_checked(trailer.completion)
            .unwrap_or_default();
        complete(report, completion, limits.value);
        if self.archive == WorkspaceArchive::Send {
            (report.artifacts, report.artifacts_truncated) =
                artifacts(archive, &plan.patterns, limits.workspace);
            report.artifacts_truncated |= self.splitter.is_truncated();
        }
    }

    /// Fills in the fields that every report has.
    fn fill(&mut self, report: &mut Report, usage: Usage) {
        report.stdout = std::mem::take(&mut self.collector.stdout);
        report.stderr = std::mem::take(&mut self.collector.stderr);
        report.usage.output = self.collector.written;
        report.usage.cpu = usage.cpu;
        report.usage.peak_memory = usage.peak_memory;
    }
}

/// Builds the report of a run with a trailer. A program may survive a refused allocation or fork;
/// if it failed, the refusal is the cause.
fn finished(trailer: Trailer, limits: &Limits) -> Report {
    // The kernel accounts a process in clock ticks and a cgroup exactly, so the two differ.
    let cpu_is_up = trailer.cpu_micros >= limits.fuel / 1000 / 4 * 3;
    let limit = match trailer.code {
        0 => None,
        _ if trailer.killed_for_memory > 0 => Some(Limit::Memory),
        EXIT_SIGXCPU | EXIT_SIGKILL if cpu_is_up => Some(Limit::Fuel),
        _ if trailer.refused_processes > 0 => Some(Limit::Processes),
        _ if trailer.free_files == 0 => Some(Limit::Files),
        _ if trailer.free_blocks == 0 => Some(Limit::Workspace),
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

/// The report of a driver.
#[derive(Default, Deserialize)]
struct Completion {
    value: Option<CompletionValue>,
    exception: Option<CompletionException>,
}

/// The value of the last expression.
#[derive(Deserialize)]
struct CompletionValue {
    json: Option<String>,
    text: String,
}

/// The uncaught exception.
#[derive(Deserialize)]
struct CompletionException {
    kind: String,
    message: String,
    traceback: String,
}

/// Adds the value or exception that the driver reported for a program that ran to its end.
fn complete(report: &mut Report, reply: &[u8], max_value: u64) {
    let completion: Completion = serde_json::from_slice(reply).unwrap_or_default();
    let fits = |text: &str| text.len() as u64 <= max_value;
    match report.status {
        Status::Succeeded => {
            let value = completion.value.filter(|value| fits(&value.text));
            report.value = value.map(|value| Value {
                json: value.json.filter(|json| fits(json)),
                text: value.text,
            });
        }
        Status::Failed => {
            let exception = completion.exception;
            report.exception = exception.map(|exception| Exception {
                kind: exception.kind,
                message: exception.message,
                traceback: exception.traceback,
            });
        }
        _ => {}
    }
}
