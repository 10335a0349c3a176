//! What did a run do?

use crate::packages::LockedPackage;
use glovebox_policy::{Denial, Finding, Tier};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Everything that is known about a run when it has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Names the run in the audit log.
    pub id: RunId,
    /// How it ended.
    pub status: Status,
    /// The program's exit code: 0 if it ended by itself, 1 after an exception that nobody caught, its own where it asked to exit.
    /// Nothing where the program did not get to its end.
    pub exit_code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: Output,
    /// What it wrote to standard error.
    pub stderr: Output,
    /// The value of the program's last expression.
    pub value: Option<Value>,
    /// The exception that nobody caught.
    pub exception: Option<Exception>,
    /// The limit that ended the run or made it fail.
    pub limit: Option<Limit>,
    /// Why the policy refused.
    pub denial: Option<Denial>,
    /// Why the guest broke; one line for whoever operates the sandbox.
    pub crash: Option<String>,
    /// The files that the request asked for.
    pub artifacts: Vec<Artifact>,
    /// There were more or larger artifacts than the grant allows.
    pub artifacts_truncated: bool,
    /// Where it ran; nothing for a denied request.
    pub tier: Option<Tier>,
    /// Why there.
    pub tier_reason: String,
    /// The packages that were there, each by its exact archive: asking for these versions again gives the same.
    pub packages: Vec<LockedPackage>,
    /// What was noticed in it before it ran: a signal, and never the boundary.
    pub findings: Vec<Finding>,
    /// What it used up.
    pub usage: Usage,
    /// The policy that decided.
    pub policy: PolicyReference,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The program reached its end, or exited with code 0.
    Succeeded,
    /// An exception that nobody caught, or another exit code.
    Failed,
    /// The policy refused; nothing ran.
    Denied,
    /// A limit ended the run, or the run failed after a limit had refused it something.
    Limited,
    /// The caller stopped it.
    Cancelled,
    /// The guest broke: a trap that is no limit.
    Crashed,
}

impl Status {
    /// The word that every front door uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Limited => "limited",
            Self::Cancelled => "cancelled",
            Self::Crashed => "crashed",
        }
    }
}

/// The limits that can end a run, under the names that every tier uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Fuel, or CPU time where fuel is not counted.
    Cpu,
    /// Time on the clock.
    Wall,
    /// The guest's memory.
    Memory,
    /// Bytes written to standard output and standard error.
    Output,
    /// Bytes in the workspace.
    Disk,
    /// Files and directories in the workspace.
    Files,
    /// Files open at once.
    OpenFiles,
    /// Processes.
    Processes,
    /// The call stack.
    Stack,
    /// Elements of WebAssembly tables.
    Table,
    /// Memory that the host would have to allocate for the guest.
    HostAllocation,
    /// Calls of host functions.
    HostCalls,
    /// Work that compiling a program would cost.
    Compile,
}

impl Limit {
    /// The word that every front door uses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Memory => "memory",
            Self::Output => "output",
            Self::Disk => "disk",
            Self::Files => "files",
            Self::OpenFiles => "fds",
            Self::Processes => "procs",
            Self::Stack => "stack",
            Self::Table => "table",
            Self::HostAllocation => "host-alloc",
            Self::HostCalls => "host-calls",
            Self::Compile => "compile",
        }
    }
}

/// What a program wrote to one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The bytes as they were written.
    pub bytes: Vec<u8>,
    /// There was more.
    pub truncated: bool,
}

impl Output {
    /// The bytes as text, with the replacement character for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// The value of a program's last expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// As JSON text, where it has a faithful JSON form.
    pub json: Option<String>,
    /// As the language shows it.
    pub text: String,
}

/// An exception that nobody caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its class.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The language's own report.
    pub traceback: String,
}

/// A file that a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The whole file.
    pub content: Vec<u8>,
}

/// What a run used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Time on the clock, from admission to the end.
    pub wall: Duration,
    /// CPU time of the threads that ran it. Of a run that fuel meters, the first millisecond or so is time on the clock, which is more
    /// where the machine is busy.
    pub cpu: Duration,
    /// Fuel; the same for the same program on every machine. Zero where fuel is not counted.
    pub fuel: u64,
    /// The largest size of the guest's memory in bytes.
    pub peak_memory: u64,
    /// Bytes written to both streams, also those that were not kept.
    pub output: u64,
    /// Bytes in the workspace at its fullest.
    pub workspace: u64,
    /// Files and directories in the workspace at its fullest.
    pub files: u64,
    /// Calls of host functions.
    pub host_calls: u64,
}

impl Usage {
    /// Adds what something else has used: times and amounts together, and of what was held at once the larger one.
    pub fn add(&mut self, other: &Self) {
        self.wall = self.wall.saturating_add(other.wall);
        self.cpu = self.cpu.saturating_add(other.cpu);
        self.fuel = self.fuel.saturating_add(other.fuel);
        self.peak_memory = self.peak_memory.max(other.peak_memory);
        self.output = self.output.saturating_add(other.output);
        self.workspace = self.workspace.max(other.workspace);
        self.files = self.files.max(other.files);
        self.host_calls = self.host_calls.saturating_add(other.host_calls);
    }
}

/// Which policy decided, and by which rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReference {
    /// The profile.
    pub profile: String,
    /// The digest of the whole policy.
    pub digest: String,
    /// The rules that admitted or refused the request.
    pub rules: Vec<String>,
}

/// Names one run: the time in milliseconds, then 80 random bits, so that records of a time lie together wherever they are kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(u128);

impl RunId {
    /// A new name.
    #[must_use]
    pub fn random() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Self((now & ((1 << 48) - 1)) << 80 | rand::random::<u128>() >> 48)
    }
}

/// A text is no run's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run's name is `run_` and 32 digits of 0-9 and a-f")]
pub struct RunIdError;

impl std::str::FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let digits = text.strip_prefix("run_").ok_or(RunIdError)?;
        let is_one = digits.len() == 32 && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_one.then(|| u128::from_str_radix(digits, 16).ok()).flatten();
        number.map(Self).ok_or(RunIdError)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run_{:032x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
