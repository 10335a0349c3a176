//! Executor interface: what must a tier implement to run programs and sessions?

use crate::account::{MemoryHold, RunMemory};
use crate::error::{Error, RequestError};
use crate::filesystem::FileEntry;
use crate::host::calls::HostCalls;
use crate::outcome::{Artifact, Exception, Output, Results, RunId, Status, Usage, Value};
use crate::packages::{PackageTarget, PackageTree};
use crate::sandbox::ConcurrencySlot;
use crate::stdio::{Input, OutputChunk};
use async_trait::async_trait;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use glovebox_policy::{Grant, InputFile, Limit, Source, TierFacts};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Executes grants in one tier.
///
/// An executor takes its authority from the grant alone and decides nothing itself.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Returns what this tier offers, as facts for the decision; while it is not connected, what is
    /// assumed of it, with every language that it may run.
    fn facts(&self) -> TierFacts;

    /// Returns whether it is connected to what it runs programs on, so that its facts are true.
    fn is_connected(&self) -> bool {
        true
    }

    /// Connects, if it is not connected; a second caller waits for the first one. Called before a
    /// decision that depends on this tier is final. If it fails, its facts say why.
    async fn connect(&self) {}

    /// Returns the requirements on packages of a language in this tier; none if it supports no
    /// packages.
    fn package_target(&self, language: &str) -> Option<PackageTarget> {
        let _ = language;
        None
    }

    /// Returns whether the tier has sessions of a language.
    fn has_sessions(&self, language: &str) -> bool {
        let _ = language;
        true
    }

    /// Returns the statistics of its warm pool, if it has one.
    fn pool_stats(&self) -> Option<PoolStats> {
        None
    }

    /// Checks that the tier works, as far as possible without running anything.
    ///
    /// # Errors
    ///
    /// The problem.
    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Runs one program in a fresh instance and discards it.
    ///
    /// # Errors
    ///
    /// If the host failed; failures of the program are in the report.
    async fn run(&self, run: Run) -> Result<Report, Error>;

    /// Opens a session.
    ///
    /// # Errors
    ///
    /// If the host failed, or the language has no sessions.
    async fn open(&self, setup: RunSetup) -> Result<Box<dyn SessionHandle>, Error>;
}

/// Statistics of a warm pool: instances that are made ahead of their runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Instances that wait for a run.
    pub ready: u64,
    /// Runs so far that took an instance from the pool.
    pub warm: u64,
    /// Runs so far for which an instance had to be made.
    pub cold: u64,
}

/// A session in a tier: an instance that keeps its state between evaluations.
#[async_trait]
pub trait SessionHandle: Send {
    /// Evaluates one source.
    ///
    /// # Errors
    ///
    /// If the host failed, or the session has ended.
    async fn evaluate(&mut self, evaluation: Evaluation) -> Result<Report, Error>;

    /// Writes a file into the workspace.
    ///
    /// # Errors
    ///
    /// If the path is not acceptable or the workspace is full.
    async fn put_file(&mut self, path: &str, content: Arc<[u8]>) -> Result<(), Error>;

    /// Reads a range of a regular file of the workspace, as far as it exists.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    async fn read_file(&mut self, path: &str, range: Range<u64>) -> Result<Vec<u8>, Error>;

    /// Returns the size of a regular file of the workspace in bytes.
    ///
    /// # Errors
    ///
    /// If there is no such file.
    async fn file_size(&mut self, path: &str) -> Result<u64, Error>;

    /// Lists at most `most` entries of a directory of the workspace in the order of their names,
    /// starting after a name; an empty path is the workspace itself.
    ///
    /// # Errors
    ///
    /// If there is no such directory.
    async fn list_files(
        &mut self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, Error>;

    /// Removes a file or an empty directory of the workspace.
    ///
    /// # Errors
    ///
    /// If there is none, or it is not empty.
    async fn remove_file(&mut self, path: &str) -> Result<(), Error>;

    /// Replaces the packages; `None` removes them. Imported modules stay imported.
    ///
    /// # Errors
    ///
    /// If they cannot be used, or the session cannot have any.
    async fn supply(&mut self, packages: Option<&PackageTree>) -> Result<(), Error>;

    /// Returns whether the session accepts evaluations.
    fn is_alive(&self) -> bool;
}

/// The initial state of a run or session.
pub struct RunSetup {
    /// The id in the audit log.
    pub id: RunId,
    /// Its authority.
    pub grant: Arc<Grant>,
    /// Files to write into the workspace first.
    pub files: Vec<InputFile>,
    /// Packages that its programs can import, as this tier's [`PackageTarget`] asked for them.
    pub packages: Option<PackageTree>,
    pub(crate) calls: Arc<HostCalls>,
    pub(crate) slot: Hold,
    pub(crate) memory: RunMemory,
}

/// The concurrency slot of a run. It is released when the report is returned and no hold is left.
#[derive(Clone)]
pub struct Hold {
    slot: Option<Arc<ConcurrencySlot>>,
    /// The memory charged with the slot.
    _memory: Option<Arc<MemoryHold>>,
}

impl Hold {
    pub(crate) fn new(slot: Option<ConcurrencySlot>) -> Self {
        Self {
            slot: slot.map(Arc::new),
            _memory: None,
        }
    }
}

impl RunSetup {
    /// Keeps the concurrency slot taken for as long as the hold lives, also after the report: work
    /// that continues in the background would otherwise exceed the number of concurrent runs.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.slot.clone()
    }

    /// As [`RunSetup::hold`], and charges bytes to the memory account of all runs
    /// ([`MemoryAccount`](crate::MemoryAccount)): for memory that a tier uses outside of this
    /// process.
    ///
    /// # Errors
    ///
    /// The reason why the account refused.
    pub fn hold_with(&self, bytes: u64) -> Result<Hold, String> {
        let mut memory = self.memory.hold();
        memory.grow(bytes)?;
        Ok(Hold {
            slot: self.slot.slot.clone(),
            _memory: Some(Arc::new(memory)),
        })
    }

    /// Returns the host calls of this run, for a tier whose programs do not make them by an import
    /// of a guest.
    #[must_use]
    pub fn host_calls(&self) -> Arc<HostCalls> {
        Arc::clone(&self.calls)
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
    /// The receiver of output as it is written.
    pub output: Option<mpsc::Sender<OutputChunk>>,
    /// The artifacts to return, as globs.
    pub artifacts: Vec<String>,
    /// Cancels it.
    pub stop: CancellationToken,
    /// The time and fuel that inspections of the program have used of the grant's limits. They are
    /// not available to the program.
    pub inspected: Usage,
}

/// A whole run.
pub struct Run {
    /// The initial state.
    pub setup: RunSetup,
    /// The evaluation.
    pub evaluation: Evaluation,
}

impl Run {
    /// Deducts what inspections have used from the grant: for executors that read its limits only
    /// there.
    #[must_use]
    pub fn after_inspection(mut self) -> Self {
        let used = std::mem::take(&mut self.evaluation.inspected);
        if !used.wall.is_zero() {
            self.setup.grant = Arc::new(self.setup.grant.after(used.wall, used.fuel));
        }
        self
    }
}

/// The result of a run that an executor reports; the sandbox makes the [`Outcome`](crate::Outcome)
/// of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// The status; never `Denied`.
    pub status: Status,
    /// The exit code; see [`Outcome`](crate::Outcome).
    pub exit_code: Option<i32>,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// The results that the program showed.
    pub results: Results,
    /// The value of the last expression.
    pub value: Option<Value>,
    /// The uncaught exception.
    pub exception: Option<Exception>,
    /// The limit that was hit.
    pub limit: Option<Limit>,
    /// The reason of the guest's crash.
    pub crash: Option<String>,
    /// The artifacts.
    pub artifacts: Vec<Artifact>,
    /// There were more artifacts.
    pub artifacts_truncated: bool,
    /// The usage; the sandbox fills in the wall-clock time.
    pub usage: Usage,
}

impl Report {
    /// Returns a report of a run that has done nothing yet.
    #[must_use]
    pub fn new(status: Status) -> Self {
        Self {
            status,
            exit_code: None,
            stdout: Output::default(),
            stderr: Output::default(),
            results: Results::default(),
            value: None,
            exception: None,
            limit: None,
            crash: None,
            artifacts: Vec::new(),
            artifacts_truncated: false,
            usage: Usage::default(),
        }
    }

    /// Returns a report of a run that a limit ended.
    #[must_use]
    pub fn limited(limit: Limit) -> Self {
        Self {
            limit: Some(limit),
            ..Self::new(Status::Limited)
        }
    }
}

/// Compiles the globs by which a request names its artifacts.
///
/// # Errors
///
/// [`Error::RequestInvalid`] if a pattern is no glob.
pub fn artifact_globs(patterns: &[String]) -> Result<GlobSet, Error> {
    // Most runs ask for no artifacts, and even an empty set takes time to build.
    if patterns.is_empty() {
        return Ok(GlobSet::empty());
    }
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern)
            .literal_separator(true)
            .build()
            .map_err(RequestError::Artifacts)?;
        set.add(glob);
    }
    Ok(set.build().map_err(RequestError::Artifacts)?)
}
