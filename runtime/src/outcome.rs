//! Outcome of a run: how did it end, with what output and what usage?

use crate::bundle::MimeBundle;
use crate::packages::LockedPackage;
use data_encoding::HEXLOWER;
use glovebox_policy::{Denial, Finding, Limit, LimitHit, Tier};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Everything that is known about a run when it has ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The id of the run in the audit log.
    pub id: RunId,
    /// The status.
    pub status: Status,
    /// The program's exit code: 0 if it reached its end, 1 after an uncaught exception, its own if
    /// it called exit. None if the program did not get to its end.
    pub exit_code: Option<i32>,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// The results that the program showed: with `display`, as charts, or as a last expression that
    /// has more forms than text.
    pub results: Results,
    /// The value of the program's last expression.
    pub value: Option<Value>,
    /// The uncaught exception.
    pub exception: Option<Exception>,
    /// The limit that ended the run or made it fail: which, how large, and who set it.
    pub limit: Option<LimitHit>,
    /// The policy's denial.
    pub denial: Option<Denial>,
    /// The reason of a crash of the guest; one line for the operator.
    pub crash: Option<String>,
    /// The artifacts that the request asked for.
    pub artifacts: Vec<Artifact>,
    /// There were more or larger artifacts than the grant allows.
    pub artifacts_truncated: bool,
    /// The tier that it ran in; none for a denied request.
    pub tier: Option<Tier>,
    /// The reason for that tier.
    pub tier_reason: String,
    /// The packages, each by its exact archive: requesting these versions again gives the same.
    pub packages: Vec<LockedPackage>,
    /// The findings of the inspection before it ran: a signal, and never the boundary.
    pub findings: Vec<Finding>,
    /// The usage.
    pub usage: Usage,
    /// The policy that decided.
    pub policy: PolicyReference,
}

impl Outcome {
    /// Returns the limit that ended the run or made it fail.
    #[must_use]
    pub fn reached_limit(&self) -> Option<Limit> {
        self.limit.map(|hit| hit.limit)
    }
}

/// The way in which a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The program reached its end, or exited with code 0.
    Succeeded,
    /// An uncaught exception, or another exit code.
    Failed,
    /// The policy denied it; nothing ran.
    Denied,
    /// A limit ended the run, or the run failed after a limit had refused it a resource.
    Limited,
    /// The caller cancelled it.
    Cancelled,
    /// The guest crashed: a trap that is no limit.
    Crashed,
}

impl Status {
    /// Returns the name that the CLI, the service and the audit log use.
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

/// The output of a program on one stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The bytes as they were written.
    pub bytes: Vec<u8>,
    /// There was more output.
    pub truncated: bool,
}

impl Output {
    /// Returns the bytes as text, with the replacement character for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }
}

/// The results that a program showed, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    /// The results.
    pub bundles: Vec<MimeBundle>,
    /// There were more, or larger ones, than the grant allows.
    pub truncated: bool,
}

/// The value of a program's last expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// As JSON text, where it has a faithful JSON form.
    pub json: Option<String>,
    /// The representation in the language, such as Python's `repr`.
    pub text: String,
}

/// An uncaught exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its class.
    pub kind: String,
    /// Its message.
    pub message: String,
    /// The traceback as the language prints it.
    pub traceback: String,
}

/// A file that a run left behind and the request asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Relative to the workspace, with `/`.
    pub path: String,
    /// The whole file.
    pub content: Vec<u8>,
}

/// The resources that a run used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Wall-clock time, from admission to the end.
    pub wall: Duration,
    /// CPU time of the threads that ran it. Of a run that fuel meters, the first millisecond or so
    /// is wall-clock time, which is more on a busy machine.
    pub cpu: Duration,
    /// Fuel; the same for the same program on every machine. Zero where fuel is not counted.
    pub fuel: u64,
    /// The peak size of the guest's memory in bytes.
    pub peak_memory: u64,
    /// Bytes written to both streams, including those that were truncated.
    pub output: u64,
    /// The peak size of the workspace in bytes.
    pub workspace: u64,
    /// The peak number of files and directories in the workspace.
    pub files: u64,
    /// Number of host calls.
    pub host_calls: u64,
}

impl Usage {
    /// Adds another usage: sums of times and amounts, and maxima of peaks.
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

/// The policy and the rules that decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReference {
    /// The profile.
    pub profile: String,
    /// The digest of the whole policy.
    pub digest: String,
    /// The rules that admitted or refused the request.
    pub rules: Vec<String>,
}

/// The id of a run: the time in milliseconds, then 80 random bits, so that ids sort by time and
/// records of a time are adjacent in every index.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RunId(u128);

impl RunId {
    /// Returns a new random id. Ids are in the order of their time, which has 16 bits below a
    /// millisecond: two requests that follow one another are in that order in lists.
    #[must_use]
    pub fn random() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let fraction = (u128::from(now.subsec_nanos() % 1_000_000) << 16) / 1_000_000;
        let time = (now.as_millis() << 16) | fraction;
        // The time has 48 bits of milliseconds; what is above them falls off.
        Self((time << 64) | u128::from(rand::random::<u64>()))
    }
}

/// The error for a text that is not a run id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a run's name is `run_` and 32 digits of 0-9 and a-f")]
pub struct RunIdError;

impl std::str::FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let digits = text.strip_prefix("run_").ok_or(RunIdError)?;
        let is_one = digits.len() == 32
            && digits
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_one
            .then(|| u128::from_str_radix(digits, 16).ok())
            .flatten();
        number.map(Self).ok_or(RunIdError)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids are formatted several times in each run, and the formatter of numbers is slow.
        let mut text = *b"run_00000000000000000000000000000000";
        let (_, digits) = text.split_at_mut(4);
        HEXLOWER.encode_mut(&self.0.to_be_bytes(), digits);
        f.pad(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
