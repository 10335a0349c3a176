//! What does a tier have to be able to do?

use crate::account::{MemoryHold, RunMemory};
use crate::audit::CallAudit;
use crate::egress::Egress;
use crate::error::Error;
use crate::filesystem::FileEntry;
use crate::outcome::{Artifact, Exception, Limit, Output, RunId, Status, Usage, Value};
use crate::packages::{PackageTarget, PackageTree};
use crate::sandbox::ConcurrencySlot;
use crate::stdio::{Input, OutputChunk};
use async_trait::async_trait;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use glovebox_policy::{Grant, InputFile, Source, TierFacts};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Runs what was granted, in one tier.
///
/// An executor takes its authority from the grant alone and decides nothing itself.
#[async_trait]
pub trait Executor: Send + Sync {
    /// What this tier offers, for the decision to choose from.
    fn facts(&self) -> TierFacts;

    /// What packages of a language have to be like here; none where the tier can have none.
    fn package_target(&self, language: &str) -> Option<PackageTarget> {
        let _ = language;
        None
    }

    /// Whether there are sessions of a language.
    fn has_sessions(&self, language: &str) -> bool {
        let _ = language;
        true
    }

    /// How its stock of places is doing, where it keeps one.
    fn stock(&self) -> Option<PoolStats> {
        None
    }

    /// Whether the tier works, as far as can be told without running anything.
    ///
    /// # Errors
    ///
    /// What is wrong.
    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Runs one program in a fresh instance and discards it.
    ///
    /// # Errors
    ///
    /// Where the host failed; everything that the program did or suffered is in the report.
    async fn run(&self, job: Job) -> Result<Report, Error>;

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// Where the host failed, or the language has no sessions.
    async fn open(&self, setup: RunSetup) -> Result<Box<dyn SessionHandle>, Error>;
}

/// Places that are made ahead of their runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Those that wait for a run.
    pub ready: u64,
    /// Runs so far that found one.
    pub warm: u64,
    /// Runs so far for which one had to be made.
    pub cold: u64,
}

/// A session in a tier: an instance that keeps its state between evaluations.
#[async_trait]
pub trait SessionHandle: Send {
    /// Evaluates one source.
    ///
    /// # Errors
    ///
    /// Where the host failed, or the session has ended.
    async fn evaluate(&mut self, evaluation: Evaluation) -> Result<Report, Error>;

    /// Puts a file into the workspace.
    ///
    /// # Errors
    ///
    /// Where the path is not acceptable or the workspace is full.
    fn put_file(&mut self, path: &str, content: Arc<[u8]>) -> Result<(), Error>;

    /// Reads what is there of a part of a regular file of the workspace.
    ///
    /// # Errors
    ///
    /// Where there is no such file.
    fn read_file(&mut self, path: &str, range: Range<u64>) -> Result<Vec<u8>, Error>;

    /// The size of a regular file of the workspace in bytes.
    ///
    /// # Errors
    ///
    /// Where there is no such file.
    fn file_size(&mut self, path: &str) -> Result<u64, Error>;

    /// Lists a directory of the workspace by name, from behind a name on and not more than so many entries; an empty path is the workspace
    /// itself.
    ///
    /// # Errors
    ///
    /// Where there is no such directory.
    fn list_files(&mut self, path: &str, after: Option<&str>, most: usize) -> Result<Vec<FileEntry>, Error>;

    /// Removes a file or an empty directory of the workspace.
    ///
    /// # Errors
    ///
    /// Where there is none, or it is not empty.
    fn remove_file(&mut self, path: &str) -> Result<(), Error>;

    /// Puts other packages in the place of those that are there; none takes them away. What was imported stays imported.
    ///
    /// # Errors
    ///
    /// Where they cannot be used, or the session cannot have any.
    fn supply(&mut self, packages: Option<&PackageTree>) -> Result<(), Error>;

    /// Whether the session can go on.
    fn is_alive(&self) -> bool;
}

/// What a session starts with.
pub struct RunSetup {
    /// Names it in the log.
    pub id: RunId,
    /// Its authority.
    pub grant: Arc<Grant>,
    /// Files to put into the workspace first.
    pub files: Vec<InputFile>,
    /// Packages that its programs can import, as this tier's [`PackageTarget`] asked for them.
    pub packages: Option<PackageTree>,
    pub(crate) trail: CallAudit,
    pub(crate) slot: Hold,
    pub(crate) memory: RunMemory,
}

/// The concurrency slot of a run. It is released when the report is there and nothing holds it any more.
#[derive(Clone)]
pub struct Hold {
    slot: Option<Arc<ConcurrencySlot>>,
    /// The memory of all that goes with the slot.
    _memory: Option<Arc<MemoryHold>>,
}

impl Hold {
    pub(crate) fn new(slot: Option<ConcurrencySlot>) -> Self {
        Self { slot: slot.map(Arc::new), _memory: None }
    }
}

impl RunSetup {
    /// Keeps the concurrency slot taken for as long as something of it is there, also after its report: what goes on behind an answer would
    /// otherwise come on top of what may run at once.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.slot.clone()
    }

    /// As [`RunSetup::hold`], with so many bytes of the memory that all runs have together ([`MemoryAccount`](crate::MemoryAccount)): for what a
    /// tier takes of the machine's memory outside of this process.
    ///
    /// # Errors
    ///
    /// Why there are none.
    pub fn hold_with(&self, bytes: u64) -> Result<Hold, String> {
        let mut memory = self.memory.hold();
        memory.grow(bytes)?;
        Ok(Hold { slot: self.slot.slot.clone(), _memory: Some(Arc::new(memory)) })
    }

    /// The network as this run may use it, for a tier whose programs make connections of their own.
    ///
    /// # Errors
    ///
    /// Where the host cannot make secure connections at all.
    pub fn egress(&self) -> Result<Egress, Error> {
        Egress::new(Arc::clone(&self.grant), self.trail.clone())
    }
}

/// One evaluation.
pub struct Evaluation {
    /// The program.
    pub source: Source,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its standard input.
    pub input: Input,
    /// Where its output goes as it happens.
    pub output: Option<mpsc::Sender<OutputChunk>>,
    /// The files to hand back, as globs.
    pub artifacts: Vec<String>,
    /// Stops it.
    pub stop: CancellationToken,
}

/// A whole run.
pub struct Job {
    /// The place.
    pub setup: RunSetup,
    /// What happens in it.
    pub evaluation: Evaluation,
}

/// What an executor knows of a run when it has ended; the sandbox makes the [`Outcome`](crate::Outcome) of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it ended; never `Denied`.
    pub status: Status,
    /// See [`Outcome`](crate::Outcome).
    pub exit_code: Option<i32>,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// The value of the last expression.
    pub value: Option<Value>,
    /// The exception that nobody caught.
    pub exception: Option<Exception>,
    /// The limit that fired.
    pub limit: Option<Limit>,
    /// Why the guest broke.
    pub crash: Option<String>,
    /// Files.
    pub artifacts: Vec<Artifact>,
    /// There were more.
    pub artifacts_truncated: bool,
    /// What it used up; the sandbox fills in the time on the clock.
    pub usage: Usage,
}

impl Report {
    /// A report of a run that has done nothing yet.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self {
            status,
            exit_code: None,
            stdout: Output::default(),
            stderr: Output::default(),
            value: None,
            exception: None,
            limit: None,
            crash: None,
            artifacts: Vec::new(),
            artifacts_truncated: false,
            usage: Usage::default(),
        }
    }

    /// A report of a run that a limit ended.
    #[must_use]
    pub fn limited(limit: Limit) -> Self {
        Self { limit: Some(limit), ..Self::new(Status::Limited) }
    }
}

/// The patterns by which a request names the files to hand back.
///
/// # Errors
///
/// [`Error::Invalid`] where one is no pattern.
pub fn artifact_globs(patterns: &[String]) -> Result<GlobSet, Error> {
    // Most runs ask for no files, and even an empty set takes time to build.
    if patterns.is_empty() {
        return Ok(GlobSet::empty());
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(|error| Error::Invalid(format!("`{}` is no pattern for artifacts: {}", pattern.escape_debug(), error.kind())))?;
        set.add(glob);
    }
    set.build().map_err(|error| Error::Invalid(error.to_string()))
}
