//! Who wanted what, what was decided, and how did it end?
//!
//! Every request leaves a decision and exactly one end: denied, finished or aborted. A request whose decision cannot be written does not
//! run.

mod check;
mod json_lines;
mod seal;
mod segments;

pub use check::{ChainCheck, ChainError, verify_chain};
pub use json_lines::{AuditLogOptions, JsonLines};
pub use seal::{AuditHead, AuditHeadError, AuditKey, AuditKeyError};
pub use segments::{CURRENT as AUDIT_SEGMENT, segment_start as audit_segment_start, segments as audit_segments};

use crate::error::Error;
use crate::outcome::{Outcome, RunId, Status, Usage};
use crate::packages::LockedPackage;
use glovebox_policy::{Denial, Finding, Grant, Request, Subject, Verdict};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// Takes audit records.
///
/// A sink must have the record when it returns `Ok`; the sandbox relies on that before it runs anything. It is called from many tasks at
/// once and should not block for long.
pub trait AuditSink: Send + Sync {
    /// Keeps one record.
    ///
    /// # Errors
    ///
    /// Where the record was not kept. The run that it belongs to does not happen.
    fn record(&self, record: &AuditRecord) -> io::Result<()>;
}

/// One line of the audit log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When.
    pub time: SystemTime,
    /// The run that it belongs to.
    pub run: RunId,
    /// Who asked.
    pub subject: String,
    /// What happened.
    pub event: AuditEvent,
}

/// What an audit record tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuditEvent {
    /// The policy refused. The end of the request.
    Denied {
        /// What was asked.
        asked: RequestSummary,
        /// The refusal.
        denial: Denial,
        /// The digest of the policy.
        policy: String,
    },
    /// Packages are looked up for the request, and an index may learn of it.
    LookedUp {
        /// What was asked.
        asked: RequestSummary,
        /// The packages.
        packages: Vec<String>,
    },
    /// Packages lie ready, in a session or for later runs; nothing ran. The end of the request.
    Provided {
        /// What was asked.
        asked: RequestSummary,
        /// The session that has them now.
        session: Option<RunId>,
        /// Every package, as `name version digest`.
        packages: Vec<String>,
        /// The digest of the policy.
        policy: String,
    },
    /// Somebody asked what would be decided of a request; nothing ran but what looked at the program. The end of the request.
    Explained {
        /// What was asked.
        asked: RequestSummary,
        /// Whether it would be admitted.
        admitted: bool,
        /// The rule by which it would not.
        rule: Option<String>,
        /// The digest of the policy.
        policy: String,
        /// CPU time of the guests that looked at the program.
        cpu: Duration,
        /// Their fuel.
        fuel: u64,
        /// Time on the clock.
        wall: Duration,
    },
    /// Something was noticed in the program before it ran. What the policy makes of it is in the decision, which follows.
    Found {
        /// What.
        findings: Vec<Finding>,
    },
    /// The policy agreed; the run starts as soon as there is room.
    Admitted {
        /// What was asked.
        asked: RequestSummary,
        /// The profile that granted it.
        profile: String,
        /// The digest of the policy.
        policy: String,
        /// The rules that decided.
        rules: Vec<String>,
        /// Where it runs.
        tier: &'static str,
    },
    /// A guest called a function of the host.
    Called {
        /// `fetch` or the tool's name.
        function: String,
        /// What it was about, such as a method and an address without its query.
        target: String,
        /// The rule that allowed it, or the refusal.
        verdict: Result<String, String>,
        /// Bytes that left.
        sent: u64,
        /// Bytes that came back.
        received: u64,
    },
    /// The run has ended. The end of the request.
    Finished {
        /// How.
        status: Status,
        /// The limit that ended it.
        limit: Option<&'static str>,
        /// The program's exit code.
        exit_code: Option<i32>,
        /// Time on the clock.
        wall: Duration,
        /// Fuel.
        fuel: u64,
        /// The largest size of the guest's memory in bytes.
        peak_memory: u64,
        /// Bytes of output.
        output: u64,
    },
    /// The caller went away, or the host failed. The end of the request.
    Aborted {
        /// Why, as far as it is known.
        reason: String,
    },
}

impl AuditEvent {
    /// The event's name, as the log has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::LookedUp { .. } => "looked_up",
            Self::Provided { .. } => "provided",
            Self::Explained { .. } => "explained",
            Self::Found { .. } => "found",
            Self::Admitted { .. } => "admitted",
            Self::Called { .. } => "called",
            Self::Finished { .. } => "finished",
            Self::Aborted { .. } => "aborted",
        }
    }
}

/// The parts of a request that the log keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSummary {
    /// The language.
    pub language: String,
    /// The name of the source.
    pub source: String,
    /// SHA-256 of the source, in hexadecimal.
    pub source_sha256: String,
    /// Bytes of the source.
    pub source_bytes: u64,
}

impl RequestSummary {
    fn of(request: &Request) -> Self {
        Self {
            language: request.language.clone(),
            source: request.source.name.clone(),
            source_sha256: hex(&Sha256::digest(&request.source.content)),
            source_bytes: request.source.content.len() as u64,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Tells whoever follows a run of what is recorded about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<mpsc::UnboundedSender<AuditEvent>>>>);

impl Watch {
    fn tell(&self, event: &AuditEvent) {
        if let Some(events) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Whoever has stopped following does not need to know.
            let _ = events.send(event.clone());
        }
    }

    /// Another one follows from here on, or nobody.
    fn set(&self, events: Option<mpsc::UnboundedSender<AuditEvent>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = events;
    }

    fn is_watched(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// Writes the records of one request, and its end even where nobody gets to write one.
pub(crate) struct RunAudit {
    calls: CallAudit,
    /// Its end is written.
    is_over: bool,
}

impl RunAudit {
    pub(crate) fn new(sink: Option<Arc<dyn AuditSink>>, run: RunId, request: &Request) -> Self {
        let calls = CallAudit { sink, run, subject: request.subject.clone(), watch: Watch::default() };
        Self { calls, is_over: false }
    }

    /// Tells somebody of what is recorded from here on.
    pub(crate) fn watch(&self, events: Option<mpsc::UnboundedSender<AuditEvent>>) {
        self.calls.watch.set(events);
    }

    fn write(&self, event: impl FnOnce() -> AuditEvent) -> Result<(), Error> {
        if self.calls.sink.is_none() && !self.calls.watch.is_watched() {
            return Ok(());
        }
        self.calls.write(event()).map_err(Error::Audit)
    }

    /// Records what was noticed in a program.
    pub(crate) fn found(&self, findings: &[Finding]) -> Result<(), Error> {
        if findings.is_empty() {
            return Ok(());
        }
        self.write(|| AuditEvent::Found { findings: findings.to_vec() })
    }

    /// Records that packages are looked up.
    pub(crate) fn looked_up(&self, request: &Request) -> Result<(), Error> {
        self.write(|| AuditEvent::LookedUp { asked: RequestSummary::of(request), packages: request.wants.packages.clone() })
    }

    /// Records that packages lie ready.
    pub(crate) fn provided(
        &mut self,
        request: &Request,
        session: Option<RunId>,
        packages: &[LockedPackage],
        policy: &str,
    ) -> Result<(), Error> {
        self.is_over = true;
        let locked = |package: &LockedPackage| format!("{} {} {}", package.name, package.version, package.digest);
        self.write(|| AuditEvent::Provided {
            asked: RequestSummary::of(request),
            session,
            packages: packages.iter().map(locked).collect(),
            policy: policy.to_owned(),
        })
    }

    /// Records that a request was explained.
    pub(crate) fn explained(&mut self, request: &Request, verdict: &Verdict, usage: &Usage, policy: &str) -> Result<(), Error> {
        self.is_over = true;
        let denial = match verdict {
            Verdict::Admit(_) => None,
            Verdict::Deny(denial) => Some(denial),
        };
        self.write(|| AuditEvent::Explained {
            asked: RequestSummary::of(request),
            admitted: denial.is_none(),
            rule: denial.map(|denial| denial.rule.clone()),
            policy: policy.to_owned(),
            cpu: usage.cpu,
            fuel: usage.fuel,
            wall: usage.wall,
        })
    }

    pub(crate) fn denied(&mut self, request: &Request, denial: &Denial, policy: &str) -> Result<(), Error> {
        self.is_over = true;
        self.write(|| AuditEvent::Denied { asked: RequestSummary::of(request), denial: denial.clone(), policy: policy.to_owned() })
    }

    pub(crate) fn admitted(&self, request: &Request, grant: &Grant) -> Result<(), Error> {
        self.write(|| AuditEvent::Admitted {
            asked: RequestSummary::of(request),
            profile: grant.profile().to_owned(),
            policy: grant.policy_digest().to_owned(),
            rules: grant.rules().iter().map(ToString::to_string).collect(),
            tier: grant.tier().name(),
        })
    }

    pub(crate) fn finished(&mut self, outcome: &Outcome) -> Result<(), Error> {
        self.is_over = true;
        self.write(|| AuditEvent::Finished {
            status: outcome.status,
            limit: outcome.limit.map(crate::outcome::Limit::name),
            exit_code: outcome.exit_code,
            wall: outcome.usage.wall,
            fuel: outcome.usage.fuel,
            peak_memory: outcome.usage.peak_memory,
            output: outcome.usage.output,
        })
    }

    /// Records that the request came to no end of its own, unless it did.
    pub(crate) fn aborted(&mut self, reason: &str) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let reason = reason.to_owned();
        if let Err(error) = self.write(|| AuditEvent::Aborted { reason }) {
            tracing::error!(run = %self.calls.run, %error, "the end of a run could not be audited");
        }
    }

    /// A handle that host calls write with.
    pub(crate) fn calls(&self) -> CallAudit {
        self.calls.clone()
    }
}

impl Drop for RunAudit {
    fn drop(&mut self) {
        self.aborted("the caller went away before the run ended");
    }
}

/// Writes the records of one run's host calls.
#[derive(Clone)]
pub(crate) struct CallAudit {
    sink: Option<Arc<dyn AuditSink>>,
    run: RunId,
    subject: Subject,
    watch: Watch,
}

impl CallAudit {
    fn write(&self, event: AuditEvent) -> io::Result<()> {
        let record = AuditRecord { time: SystemTime::now(), run: self.run, subject: self.subject.to_string(), event };
        if let Some(sink) = &self.sink {
            sink.record(&record)?;
        }
        self.watch.tell(&record.event);
        Ok(())
    }

    /// Records a call.
    ///
    /// # Errors
    ///
    /// Where the record was not kept; the call must not happen, or its result not be handed over.
    pub(crate) fn called(&self, function: &str, target: &str, verdict: Result<String, String>, sent: u64, received: u64) -> io::Result<()> {
        self.write(AuditEvent::Called { function: function.to_owned(), target: target.to_owned(), verdict, sent, received })
    }
}
