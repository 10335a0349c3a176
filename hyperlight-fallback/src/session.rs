//! Container session: how does a container keep state between evaluations?
//!
//! The container's main process starts a driver that stays (`session.sh`), and answers commands:
//! to evaluate a program, and to read and change the workspace. Whatever becomes of a caller, a
//! command that was sent is answered before the next one: each runs in a task of its own. An
//! evaluation that is stopped or hits a limit is interrupted first, as by a terminal, and the
//! session goes on; only if it does not end by that, the container does.

mod files;

use crate::artifacts::artifacts;
use crate::collector::{Collector, OutputLimitExceeded, Splitter, Trailer};
use crate::container::memory_limit;
use crate::egress::EgressSocket;
use crate::job::{JobMessage, Program, evaluation as evaluation_message};
use crate::package_folder::PackageFolder;
use crate::plan::{CREATE_TIMEOUT, RunPlan, reserve_memory};
use crate::pool::{Container, Pool, ProgramInput, ProgramOutput, Reservation, Usage};
use crate::protocol::{MAX_INPUT, WorkspaceArchive, reply_limit};
use crate::reply::{changed_mount, complete, fill, finished, no_memory, refuse_calls};
use crate::transform::{Importable, Script, Scripts, may_need_compiler};
use async_trait::async_trait;
use bollard::container::LogOutput;
use bytes::Bytes;
use files::FileCommand;
use futures_util::StreamExt as _;
use glovebox::{
    EndReason, Error, Evaluation, FileEntry, Input, Limit, PackageTree, Report, RequestError,
    RunSetup, SessionHandle, Status, StreamName, artifact_globs,
};
use glovebox_policy::Limits;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Time for an interrupted program to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// Interval at which the interrupt is repeated in that time.
const REPEAT: Duration = Duration::from_millis(250);

/// Bytes of a file that are read without asking for its size first.
const MAX_UNASKED: u64 = 1 << 20;

/// Timeout of a command on a file, and of sending anything.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A session in a container.
pub(crate) struct ContainerSession {
    conversation: Arc<Mutex<Conversation>>,
    is_alive: Arc<AtomicBool>,
    limits: Limits,
}

/// The container of a session, and both directions of its stream.
struct Conversation {
    setup: RunSetup,
    /// None once the session is over.
    container: Option<Container>,
    input: ProgramInput,
    output: ProgramOutput,
    egress: Option<EgressSocket>,
    /// The scripts that were not sent yet.
    later: Option<Arc<Scripts>>,
    /// The host calls that were reported.
    reported_calls: u64,
    is_alive: Arc<AtomicBool>,
}

impl ContainerSession {
    /// Starts a container and the driver in it.
    pub(crate) async fn open(
        pool: &Pool,
        mut plan: RunPlan,
        mut setup: RunSetup,
    ) -> Result<Self, Error> {
        let hold = reserve_memory(&setup, memory_limit(&setup.grant))
            .await
            .map_err(Error::Memory)?;
        let reservation = Reservation {
            _hold: hold,
            ended_by: None,
        };
        let mut container = plan.start(pool, &setup.grant, reservation).await?;
        setup.files.clear();
        if let Some(folder) = container.packages().filter(|_| setup.packages.is_some()) {
            supply(folder, setup.packages.as_ref()).await?;
        }
        let streams = container.output.take().zip(container.input.take());
        let (output, input) =
            streams.ok_or_else(|| Error::executor("the container has no streams".to_owned()))?;
        let is_alive = Arc::new(AtomicBool::new(true));
        let limits = setup.grant.limits().clone();
        let mut conversation = Conversation {
            setup,
            container: Some(container),
            input,
            output,
            egress: plan.egress.take(),
            later: plan.later.take(),
            reported_calls: 0,
            is_alive: Arc::clone(&is_alive),
        };
        conversation.begin(&mut plan).await?;
        Ok(Self {
            conversation: Arc::new(Mutex::new(conversation)),
            is_alive,
            limits,
        })
    }

    /// Runs a command on a file in a task of its own.
    async fn file_command(&self, command: FileCommand) -> Result<files::FileAnswer, Error> {
        let conversation = Arc::clone(&self.conversation);
        let task = tokio::spawn(async move { conversation.lock().await.file(command).await });
        task.await
            .map_err(|error| Error::executor(error.to_string()))?
    }
}

#[async_trait]
impl SessionHandle for ContainerSession {
    async fn evaluate(&mut self, mut evaluation: Evaluation) -> Result<Report, Error> {
        // A caller that goes away stops its evaluation.
        let stop = evaluation.stop.child_token();
        let guard = stop.clone().drop_guard();
        evaluation.stop = stop;
        let conversation = Arc::clone(&self.conversation);
        let task =
            tokio::spawn(async move { conversation.lock().await.evaluate(evaluation).await });
        let report = task
            .await
            .map_err(|error| Error::executor(error.to_string()))?;
        let _ = guard.disarm();
        report
    }

    async fn put_file(&mut self, path: &str, content: Arc<[u8]>) -> Result<(), Error> {
        let command = FileCommand::put(path, Bytes::from_owner(content))?;
        self.file_command(command).await.map(drop)
    }

    async fn read_file(&mut self, path: &str, range: Range<u64>) -> Result<Vec<u8>, Error> {
        let mut range = range;
        // The answer has what there is of a range; a long one is bounded by the file first.
        if range.end.saturating_sub(range.start) > MAX_UNASKED {
            let size = self.file_size(path).await?;
            range = range.start.min(size)..range.end.min(size);
        }
        let command = FileCommand::get(path, range)?;
        Ok(self.file_command(command).await?.content)
    }

    async fn file_size(&mut self, path: &str) -> Result<u64, Error> {
        let command = FileCommand::get(path, 0..0)?;
        Ok(self.file_command(command).await?.size)
    }

    async fn list_files(
        &mut self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, Error> {
        let command = FileCommand::list(path, &self.limits)?;
        let mut entries = self.file_command(command).await?.entries();
        entries.retain(|entry| after.is_none_or(|after| entry.name.as_str() > after));
        entries.truncate(most);
        Ok(entries)
    }

    async fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        let command = FileCommand::remove(path)?;
        self.file_command(command).await.map(drop)
    }

    async fn supply(&mut self, packages: Option<&PackageTree>) -> Result<(), Error> {
        let folder = self.conversation.lock().await.packages()?;
        let Some(folder) = folder else {
            return Err(Error::unsupported(
                "this session has the packages that it was opened with, because the container tier has no `package_folders`: open one with all of them (over HTTP, a reset with `packages` and `keep_files`)".to_owned(),
            ));
        };
        supply(folder, packages).await
    }

    fn is_alive(&self) -> bool {
        self.is_alive.load(Ordering::Relaxed)
    }
}

/// The reason why an evaluation is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Stopped,
    WallTime,
    OutputLimit,
}

impl Cause {
    fn report(self) -> Report {
        match self {
            Self::Stopped => Report::new(Status::Cancelled),
            Self::WallTime => Report::limited(Limit::Wall),
            Self::OutputLimit => Report::limited(Limit::Output),
        }
    }
}

/// Answer of the container to one command.
struct Answer {
    collector: Collector,
    stdout: Splitter,
    stderr: Splitter,
    /// Whether the answer has an end on standard error as well.
    has_errors: bool,
}

impl Answer {
    fn new(delimiter: &str, limit: usize, collector: Collector) -> Self {
        let delimiter = format!("{delimiter} ");
        Self {
            collector,
            stdout: Splitter::new(&delimiter, limit),
            stderr: Splitter::new(&delimiter, 0),
            has_errors: true,
        }
    }

    fn is_whole(&self) -> bool {
        self.stdout.answer().is_some() && (!self.has_errors || self.stderr.found_delimiter())
    }

    async fn push(&mut self, chunk: LogOutput) -> Result<(), OutputLimitExceeded> {
        match chunk {
            LogOutput::StdOut { message } => {
                let own = self.stdout.push(&message);
                self.collector.push(StreamName::Stdout, own).await
            }
            LogOutput::StdErr { message } => {
                let own = self.stderr.push(&message);
                self.collector.push(StreamName::Stderr, own).await
            }
            _ => Ok(()),
        }
    }
}

impl Conversation {
    /// Sends the first job, and waits until the driver is ready.
    async fn begin(&mut self, plan: &mut RunPlan) -> Result<(), Error> {
        let message = JobMessage {
            bytes: std::mem::take(&mut plan.message.bytes),
            delimiter: plan.message.delimiter.clone(),
        };
        let grant = Arc::clone(&self.setup.grant);
        let limit = reply_limit(&grant, WorkspaceArchive::Omit);
        let mut answer = Answer::new(&message.delimiter, limit, Collector::new(0, None));
        self.send(message.bytes).await?;
        let reading = async {
            while !answer.is_whole()
                && let Some(Ok(chunk)) = self.output.next().await
            {
                // What a driver writes before it is ready is no program's output.
                let _ = answer.push(chunk).await;
            }
        };
        let in_time = tokio::time::timeout(CREATE_TIMEOUT, reading).await;
        let trailer = answer.stdout.trailer().map(|(trailer, _)| trailer);
        if let Some(error) =
            trailer.and_then(|trailer| changed_mount(trailer.code, &grant, &plan.mounts))
        {
            return Err(error);
        }
        let reason = match trailer {
            Some(trailer) if trailer.is_alive && in_time.is_ok() => return Ok(()),
            Some(Trailer { code: 1, .. }) => return Err(RequestError::FilesTooLarge.into()),
            Some(trailer) => format!("it ended with exit code {}", trailer.code),
            None if in_time.is_err() => {
                format!("no answer within {} s", CREATE_TIMEOUT.as_secs())
            }
            None => "the container ended".to_owned(),
        };
        Err(Error::executor(format!(
            "the interpreter of the session did not start in its container: {reason}"
        )))
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Error> {
        let sending = async {
            self.input.write_all(&bytes).await?;
            self.input.flush().await
        };
        let sent = tokio::time::timeout(COMMAND_TIMEOUT, sending).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => {
                self.end().await;
                Err(Error::SessionEnded(EndReason::Interrupted))
            }
        }
    }

    /// Ends the container.
    async fn end(&mut self) {
        self.is_alive.store(false, Ordering::Relaxed);
        if let Some(container) = self.container.take() {
            container.end().await;
        }
    }

    /// Returns the folder of the packages, if they can change.
    fn packages(&self) -> Result<Option<Arc<PackageFolder>>, Error> {
        self.check()?;
        Ok(self.container.as_ref().and_then(Container::packages))
    }

    fn check(&self) -> Result<(), Error> {
        if self.container.is_some() {
            Ok(())
        } else {
            Err(Error::SessionEnded(EndReason::Interrupted))
        }
    }

    async fn evaluate(&mut self, evaluation: Evaluation) -> Result<Report, Error> {
        self.check()?;
        let grant = Arc::clone(&self.setup.grant);
        let used = evaluation.inspected;
        let limits = grant.limits().after(used.wall, used.fuel);
        let (started, stop) = (Instant::now(), evaluation.stop.clone());
        let deadline = started + limits.wall;
        let patterns = artifact_globs(&evaluation.artifacts)?;
        let archive = WorkspaceArchive::of(&patterns);
        let Evaluation {
            source,
            arguments,
            input,
            output,
            ..
        } = evaluation;
        // Of its output and artifacts in this process; the container has its own.
        let reply = reply_limit(&grant, archive);
        let bytes = (reply as u64)
            .saturating_mul(2)
            .saturating_add(limits.output);
        let _hold = match reserve_memory(&self.setup, bytes).await {
            Ok(hold) => hold,
            Err(reason) => return Ok(no_memory(reason)),
        };
        let input = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Cause::Stopped.report()),
            () = tokio::time::sleep_until(deadline.into()) => return Ok(Cause::WallTime.report()),
            input = whole(input) => input?,
        };
        let program = Program {
            source: &source,
            arguments: &arguments,
        };
        let scripts = self.scripts(&source.content)?;
        let message = evaluation_message(&grant, program, &input, archive, &scripts)?;
        let collector = Collector::new(limits.output, output);
        let mut answer = Answer::new(&message.delimiter, reply, collector);
        if let Some(egress) = &self.egress {
            egress.set_deadline(deadline);
        }
        self.send(message.bytes).await?;
        if !scripts.is_empty() {
            self.later = None;
        }
        let cause = self.follow(&mut answer, deadline, &stop).await;
        let mut report = self.report(&mut answer, cause, &limits).await;
        if archive == WorkspaceArchive::Send
            && let Some((_, reply)) = answer.stdout.answer()
            && let Some((trailer, rest)) = Trailer::parse(reply)
        {
            let files = rest.get(trailer.completion..).unwrap_or_default();
            (report.artifacts, report.artifacts_truncated) =
                artifacts(files, &patterns, limits.workspace);
            report.artifacts_truncated |= answer.stdout.is_truncated();
        }
        self.account(&mut report, &mut answer, (started, &limits));
        Ok(report)
    }

    /// Returns the scripts that a program may need besides what was sent.
    fn scripts(&self, program: &[u8]) -> Result<Vec<Script>, Error> {
        // Files come and go while a session is open.
        let later = self.later.iter();
        let needed = later.filter(|_| may_need_compiler(program, &[], Importable::Others));
        needed.map(|scripts| scripts.compiler()).collect()
    }

    /// Reads until the answer is whole, and interrupts the program when it has to end. Returns the
    /// reason for that, or ends the container if the program does not.
    async fn follow(
        &mut self,
        answer: &mut Answer,
        mut deadline: Instant,
        stop: &CancellationToken,
    ) -> Option<Cause> {
        let mut cause = None;
        let mut repeat = deadline;
        while !answer.is_whole() {
            let found = tokio::select! {
                biased;
                () = stop.cancelled(), if cause.is_none() => Some(Cause::Stopped),
                () = tokio::time::sleep_until(deadline.into()) => Some(Cause::WallTime),
                () = tokio::time::sleep_until(repeat.into()), if cause.is_some() => None,
                chunk = self.output.next() => match chunk {
                    Some(Ok(chunk)) => {
                        // A receiver that does not read makes the program wait, but not for ever.
                        let pushed = tokio::time::timeout_at(deadline.into(), answer.push(chunk));
                        match pushed.await {
                            Ok(Ok(())) => None,
                            Ok(Err(OutputLimitExceeded)) => Some(Cause::OutputLimit),
                            Err(_) => {
                                answer.collector.detach();
                                Some(Cause::WallTime)
                            }
                        }
                    }
                    Some(Err(_)) | None => {
                        self.end().await;
                        return cause;
                    }
                },
            };
            match found {
                Some(_) if cause.is_none() => {
                    cause = found;
                    deadline = Instant::now() + GRACE;
                    repeat = Instant::now();
                }
                Some(Cause::WallTime) => {
                    self.end().await;
                    return cause;
                }
                _ => {}
            }
            // A program that has not begun yet would miss it.
            if cause.is_some() && repeat <= Instant::now() {
                repeat = Instant::now() + REPEAT;
                let signal = self.container.as_ref();
                if let Some(signal) = signal.map(|container| container.signal("SIGUSR1")) {
                    signal.await;
                }
            }
        }
        cause
    }

    /// Makes the report of an evaluation.
    async fn report(
        &mut self,
        answer: &mut Answer,
        cause: Option<Cause>,
        limits: &Limits,
    ) -> Report {
        let Some((trailer, rest)) = answer.stdout.trailer() else {
            self.end().await;
            return cause.map_or_else(
                || Report {
                    crash: Some("the container ended before its program did".to_owned()),
                    ..Report::new(Status::Crashed)
                },
                Cause::report,
            );
        };
        let fuel = limits.fuel / 1000;
        let mut report = match cause {
            Some(cause) => cause.report(),
            None if trailer.code != 0 && trailer.cpu_micros > fuel => Report::limited(Limit::Fuel),
            None => finished(trailer, limits),
        };
        let completion = rest.get(..trailer.completion).unwrap_or_default();
        complete(&mut report, completion, limits);
        // A receiver that does not read must not hold the session.
        let shown = answer.collector.show(&report.results);
        let _ = tokio::time::timeout(GRACE, shown).await;
        refuse_calls(&mut report, self.egress.as_ref());
        if !trailer.is_alive {
            self.end().await;
        }
        report
    }

    /// Fills in the output and what it took.
    fn account(
        &mut self,
        report: &mut Report,
        answer: &mut Answer,
        (started, limits): (Instant, &Limits),
    ) {
        let usage = answer.stdout.trailer().map(|(trailer, _)| trailer.usage());
        let usage = usage.unwrap_or_default().or(Usage {
            cpu: started.elapsed(),
            peak_memory: limits.memory,
        });
        fill(report, &mut answer.collector, usage);
        let calls = self.egress.as_ref().map_or(0, EgressSocket::calls);
        report.usage.host_calls = calls.saturating_sub(self.reported_calls);
        self.reported_calls = calls;
    }

    /// Runs a command on a file of the workspace.
    async fn file(&mut self, command: FileCommand) -> Result<files::FileAnswer, Error> {
        self.check()?;
        let delimiter = crate::job::delimiter();
        let mut answer = Answer::new(&delimiter, command.limit, Collector::new(0, None));
        answer.has_errors = false;
        self.send(command.bytes(&delimiter)).await?;
        let reading = async {
            while !answer.is_whole() {
                match self.output.next().await {
                    Some(Ok(chunk)) => {
                        let _ = answer.push(chunk).await;
                    }
                    Some(Err(_)) | None => return,
                }
            }
        };
        let in_time = tokio::time::timeout(COMMAND_TIMEOUT, reading).await;
        match answer.stdout.answer().filter(|_| in_time.is_ok()) {
            Some((code, content)) => command.answer(code, content),
            None => {
                self.end().await;
                Err(Error::SessionEnded(EndReason::Interrupted))
            }
        }
    }
}

/// Puts a tree into the folder of a session's packages.
async fn supply(folder: Arc<PackageFolder>, packages: Option<&PackageTree>) -> Result<(), Error> {
    let tree = packages.map(|tree| tree.path.clone());
    let supplied = tokio::task::spawn_blocking(move || folder.supply(tree.as_deref())).await;
    supplied
        .map_err(std::io::Error::from)
        .flatten()
        .map_err(|error| Error::executor(format!("cannot change the packages: {error}")))
}

/// Reads all of the standard input of an evaluation.
async fn whole(input: Input) -> Result<Bytes, Error> {
    let input = match input {
        Input::Bytes(bytes) => bytes,
        Input::Reader(reader) => {
            let mut bytes = Vec::new();
            let mut reader = reader.take(MAX_INPUT as u64 + 1);
            reader
                .read_to_end(&mut bytes)
                .await
                .map_err(|error| Error::executor(format!("cannot read the input: {error}")))?;
            bytes.into()
        }
        _ => Bytes::new(),
    };
    if input.len() > MAX_INPUT {
        return Err(Error::unsupported(format!(
            "the standard input of an evaluation in a container has at most {MAX_INPUT} bytes; write a file into the workspace instead"
        )));
    }
    Ok(input)
}
