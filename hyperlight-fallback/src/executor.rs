//! Container executor: how does the container tier run what was granted?
//!
//! In reading order: [`plan`](crate::plan) prepares a container, this module runs a program in it,
//! [`reply`](crate::reply) makes a report of what it answers, and [`session`](crate::session) keeps
//! a container for one program after another.

use crate::artifacts::artifacts;
use crate::collector::{Collector, OutputLimitExceeded, Splitter};
use crate::container::MountSource;
use crate::egress::EgressSocket;
use crate::engine::{Containers, assumed_facts};
use crate::images::{LIBC, image_of};
use crate::plan::{CREATE_TIMEOUT, RunPlan, reserve_memory};
use crate::pool::{Container, Pool, ProgramInput, ProgramOutput, Reservation, Usage};
use crate::protocol::{WorkspaceArchive, lifetime, reply_limit};
use crate::reply::{changed_mount, complete, fill, finished, no_memory, refuse_calls};
use crate::session::ContainerSession;
use async_trait::async_trait;
use bollard::container::LogOutput;
use futures_util::StreamExt as _;
use glovebox::{
    Error, Evaluation, Executor, Input, Limit, NativePlatform, PackageTarget, PoolStats, Report,
    Run, RunSetup, SessionHandle, Status, StreamName,
};
use glovebox_policy::{Grant, Limits, Tier, TierFacts};
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt as _, copy};
use tokio::task::JoinHandle;

/// Time for the report of a program that this process ended, and for a receiver to take results.
const GRACE: Duration = Duration::from_secs(2);

/// Timeout of the liveness probe of the engine.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

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
        let mut plan = self.plan(pool, &setup, Some(&evaluation))?;
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
            Err(reason) => return Ok(no_memory(reason)),
        };
        let reservation = Reservation {
            _hold: hold,
            ended_by: Some(Instant::now() + lifetime(&setup.grant) + CREATE_TIMEOUT),
        };
        let mut container = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
            container = plan.start(pool, &setup.grant, reservation) => container?,
        };
        let streams = container.output.take().zip(container.input.take());
        let (mut program_output, program_input) =
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
            ending = reader.read(&mut program_output) => ending,
        };
        if matches!(ending, Ending::WallTime | Ending::OutputLimit) {
            let end = container.signal("SIGUSR1");
            reader.read_rest(end, &mut program_output).await;
        }
        drop(feeding);
        let mut report = reader.report(&ending, &setup.grant, &plan.mounts)?;
        reader.read_reply(&mut report, &plan, limits);
        tokio::select! {
            () = reader.collector.show(&report.results) => {}
            () = stop.cancelled() => {}
            () = tokio::time::sleep(limits.wall.saturating_sub(started.elapsed()).max(GRACE)) => {}
        }
        let trailer = reader.splitter.trailer();
        let trailer = trailer.map(|(trailer, _)| trailer.usage());
        let mut usage = trailer.unwrap_or_default();
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
        fill(&mut report, &mut reader.collector, usage);
        report.usage.host_calls = plan.egress.as_ref().map_or(0, EgressSocket::calls);
        refuse_calls(&mut report, plan.egress.as_ref());
        dispose(container, &ending).await;
        Ok(report)
    }

    async fn open(&self, setup: RunSetup) -> Result<Box<dyn SessionHandle>, Error> {
        let pool = self.pool().await?;
        let plan = self.plan(pool, &setup, None)?;
        let session = ContainerSession::open(pool, plan, setup).await?;
        Ok(Box::new(session))
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

    async fn read(&mut self, stream: &mut ProgramOutput) -> Ending {
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
            // The container itself may exit later.
            if self.archive == WorkspaceArchive::Omit
                && self.errors.found_delimiter()
                && self.has_completion()
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

    /// Reads what the driver of a program reported, for its results; `end` makes the container end
    /// the program. Further output is dropped.
    async fn read_rest(&mut self, end: impl Future<Output = ()>, stream: &mut ProgramOutput) {
        self.archive = WorkspaceArchive::Omit;
        let rest = async {
            end.await;
            while !self.has_completion()
                && let Some(Ok(chunk)) = stream.next().await
            {
                if let LogOutput::StdOut { message } = chunk {
                    self.splitter.push(&message);
                }
            }
        };
        let _ = tokio::time::timeout(GRACE, rest).await;
    }

    /// Returns whether the trailer has come, and the report of the driver after it.
    fn has_completion(&self) -> bool {
        self.splitter
            .trailer()
            .is_some_and(|(trailer, reply)| reply.len() >= trailer.completion)
    }

    fn report(
        &self,
        ending: &Ending,
        grant: &Grant,
        sources: &[MountSource],
    ) -> Result<Report, Error> {
        let trailer = self.splitter.trailer();
        if let Some(error) =
            trailer.and_then(|(trailer, _)| changed_mount(trailer.code, grant, sources))
        {
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
        complete(report, completion, limits);
        if self.archive == WorkspaceArchive::Send {
            (report.artifacts, report.artifacts_truncated) =
                artifacts(archive, &plan.patterns, limits.workspace);
            report.artifacts_truncated |= self.splitter.is_truncated();
            // A program that ends at once, as by `os._exit`, leaves it behind.
            if let Some((path, content)) = &plan.own_file {
                report
                    .artifacts
                    .retain(|found| found.path != *path || *found.content != **content);
            }
        }
    }
}
