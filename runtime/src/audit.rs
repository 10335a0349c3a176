//! Audit records: which subject asked for what, what was decided, and how did it end?
//!
//! Every request leaves a decision and exactly one end: denied, finished or aborted (or explained
//! or provided, where nothing runs); so does every evaluation of a session, besides the session. A
//! request whose decision cannot be written does not run.

mod check;
mod json_lines;
mod line;
mod seal;
mod segments;

pub use check::{ChainCheck, ChainError, verify_chain};
pub use json_lines::{AuditLogOptions, JsonLines};
pub use seal::{AuditHead, AuditHeadError, AuditKey, AuditKeyError};
pub use segments::{
    CURRENT as AUDIT_SEGMENT, segment_start as audit_segment_start, segments as audit_segments,
};

use crate::error::Error;
use crate::outcome::{Outcome, RunId, Status, Usage};
use crate::packages::LockedPackage;
use data_encoding::HEXLOWER;
use glovebox_policy::{Denial, Finding, Grant, Request, Subject, Verdict};
use sha2::{Digest as _, Sha256};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;

/// A sink for audit records.
///
/// The record must be written when `Ok` is returned; the sandbox relies on that before it runs
/// anything. Called concurrently from many tasks; it should not block for long.
pub trait AuditSink: Send + Sync {
    /// Writes one record.
    ///
    /// # Errors
    ///
    /// If the record was not written. The run that it belongs to does not happen.
    fn record(&self, record: &AuditRecord) -> io::Result<()>;
}

/// One line of the audit log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// The time of the event.
    pub time: SystemTime,
    /// The run that it belongs to.
    pub run: RunId,
    /// The subject of the request.
    pub subject: String,
    /// The event.
    pub event: AuditEvent,
}

/// The event of an audit record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AuditEvent {
    /// The policy denied the request. The end of the request.
    Denied {
        /// The summary of the request.
        asked: RequestSummary,
        /// The denial.
        denial: Denial,
        /// The digest of the policy.
        policy: String,
    },
    /// The service refused requests of the subject because of a quota, before they became runs. No
    /// run belongs to the record.
    Refused {
        /// The denial of the newest of them.
        denial: Denial,
        /// The refusals by this rule that the record stands for: after one record, further ones are
        /// only counted for a while.
        times: u64,
        /// The digest of the policy.
        policy: String,
    },
    /// Packages are resolved for the request, and an index may learn of it.
    LookedUp {
        /// The summary of the request.
        asked: RequestSummary,
        /// The packages.
        packages: Vec<String>,
    },
    /// Packages are ready, in a session or for later runs; nothing ran. The end of the request.
    Provided {
        /// The summary of the request.
        asked: RequestSummary,
        /// The session that has them.
        session: Option<RunId>,
        /// Every package, as `name version digest`.
        packages: Vec<String>,
        /// The digest of the policy.
        policy: String,
    },
    /// The decision on a request was explained; nothing ran but inspections of the program. The end
    /// of the request.
    Explained {
        /// The summary of the request.
        asked: RequestSummary,
        /// The request would be admitted.
        admitted: bool,
        /// The rule that would deny it.
        rule: Option<String>,
        /// The digest of the policy.
        policy: String,
        /// CPU time of the guests that inspected the program.
        cpu: Duration,
        /// Their fuel.
        fuel: u64,
        /// Wall-clock time.
        wall: Duration,
    },
    /// Findings in the program before it ran. The policy's verdict on them is in the decision,
    /// which follows.
    Found {
        /// The findings.
        findings: Vec<Finding>,
    },
    /// The policy admitted the request; the run starts as soon as it has a concurrency slot.
    Admitted {
        /// The summary of the request.
        asked: RequestSummary,
        /// The session in which it is evaluated, whose id its host calls have.
        session: Option<RunId>,
        /// The profile that granted it.
        profile: String,
        /// The digest of the policy.
        policy: String,
        /// The rules that decided.
        rules: Vec<String>,
        /// The tier.
        tier: &'static str,
    },
    /// A guest made a host call.
    Called {
        /// `fetch` or the tool's name.
        function: String,
        /// The target, such as a method and a URL without its query.
        target: String,
        /// The rule that allowed it, or the denial.
        verdict: Result<String, String>,
        /// Bytes sent.
        sent: u64,
        /// Bytes received.
        received: u64,
    },
    /// The run has ended. The end of the request.
    Finished {
        /// The status.
        status: Status,
        /// The limit that ended it, by its key in a policy.
        limit: Option<&'static str>,
        /// The program's exit code.
        exit_code: Option<i32>,
        /// Wall-clock time.
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
        /// The reason, as far as it is known.
        reason: String,
    },
}

impl AuditEvent {
    /// Returns the event's name, as the log has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::Refused { .. } => "refused",
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
            source_sha256: HEXLOWER.encode(&Sha256::digest(&request.source.content)),
            source_bytes: request.source.content.len() as u64,
        }
    }
}

/// Forwards the audit events of a run to its subscriber.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch(Arc<Mutex<Option<mpsc::UnboundedSender<AuditEvent>>>>);

impl Watch {
    fn tell(&self, event: &AuditEvent) {
        if let Some(events) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // A subscriber that has gone away needs no event.
            let _ = events.send(event.clone());
        }
    }

    /// Replaces the subscriber; `None` removes it.
    fn set(&self, events: Option<mpsc::UnboundedSender<AuditEvent>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = events;
    }

    fn is_watched(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

/// Writes a record that belongs to no run.
///
/// # Errors
///
/// If the record was not written.
pub(crate) fn record_without_run(
    sink: &dyn AuditSink,
    subject: &Subject,
    event: AuditEvent,
) -> Result<(), Error> {
    let record = AuditRecord {
        time: SystemTime::now(),
        run: RunId::random(),
        subject: subject.to_string(),
        event,
    };
    sink.record(&record).map_err(|source| Error::Audit {
        record: record.event.name(),
        source,
    })
}

/// Writes the records of one request, and on drop an end if none was written.
pub(crate) struct RunAudit {
    calls: CallAudit,
    /// The end is written.
    is_over: bool,
}

impl RunAudit {
    pub(crate) fn new(sink: Option<Arc<dyn AuditSink>>, run: RunId, request: &Request) -> Self {
        let calls = CallAudit {
            sink,
            run,
            subject: request.subject.clone(),
            watch: Watch::default(),
        };
        Self {
            calls,
            is_over: false,
        }
    }

    /// Subscribes to the events recorded from here on.
    pub(crate) fn subscribe(&self, events: Option<mpsc::UnboundedSender<AuditEvent>>) {
        self.calls.watch.set(events);
    }

    fn write(&self, event: impl FnOnce() -> AuditEvent) -> Result<(), Error> {
        if self.calls.sink.is_none() && !self.calls.watch.is_watched() {
            return Ok(());
        }
        let event = event();
        let record = event.name();
        self.calls
            .write(event)
            .map_err(|source| Error::Audit { record, source })
    }

    /// Records findings in a program.
    pub(crate) fn found(&self, findings: &[Finding]) -> Result<(), Error> {
        if findings.is_empty() {
            return Ok(());
        }
        self.write(|| AuditEvent::Found {
            findings: findings.to_vec(),
        })
    }

    /// Records that packages are resolved.
    pub(crate) fn looked_up(&self, request: &Request) -> Result<(), Error> {
        self.write(|| AuditEvent::LookedUp {
            asked: RequestSummary::of(request),
            packages: request.wants.packages.clone(),
        })
    }

    /// Records that packages are ready.
    pub(crate) fn provided(
        &mut self,
        request: &Request,
        session: Option<RunId>,
        packages: &[LockedPackage],
        policy: &str,
    ) -> Result<(), Error> {
        self.is_over = true;
        let locked = |package: &LockedPackage| {
            format!("{} {} {}", package.name, package.version, package.digest)
        };
        self.write(|| AuditEvent::Provided {
            asked: RequestSummary::of(request),
            session,
            packages: packages.iter().map(locked).collect(),
            policy: policy.to_owned(),
        })
    }

    /// Records that a request was explained.
    pub(crate) fn explained(
        &mut self,
        request: &Request,
        verdict: &Verdict,
        usage: &Usage,
        policy: &str,
    ) -> Result<(), Error> {
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

    pub(crate) fn denied(
        &mut self,
        request: &Request,
        denial: &Denial,
        policy: &str,
    ) -> Result<(), Error> {
        self.is_over = true;
        self.write(|| AuditEvent::Denied {
            asked: RequestSummary::of(request),
            denial: denial.clone(),
            policy: policy.to_owned(),
        })
    }

    pub(crate) fn admitted(
        &self,
        request: &Request,
        session: Option<RunId>,
        grant: &Grant,
    ) -> Result<(), Error> {
        self.write(|| AuditEvent::Admitted {
            asked: RequestSummary::of(request),
            session,
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
            limit: outcome.reached_limit().map(glovebox_policy::Limit::name),
            exit_code: outcome.exit_code,
            wall: outcome.usage.wall,
            fuel: outcome.usage.fuel,
            peak_memory: outcome.usage.peak_memory,
            output: outcome.usage.output,
        })
    }

    /// Records that the request was aborted, unless it has an end.
    pub(crate) fn aborted(&mut self, reason: &str) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let reason = reason.to_owned();
        if let Err(error) = self.write(|| AuditEvent::Aborted { reason }) {
            tracing::error!(run = %self.calls.run, %error, "the end of a run could not be audited");
        }
    }

    /// Returns the id of the run.
    pub(crate) fn id(&self) -> RunId {
        self.calls.run
    }

    /// Returns a handle for the records of host calls.
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
        let record = AuditRecord {
            time: SystemTime::now(),
            run: self.run,
            subject: self.subject.to_string(),
            event,
        };
        if let Some(sink) = &self.sink {
            sink.record(&record)?;
        }
        self.watch.tell(&record.event);
        Ok(())
    }

    /// Returns the id of the run.
    pub(crate) fn run(&self) -> RunId {
        self.run
    }

    /// Records a call.
    ///
    /// # Errors
    ///
    /// If the record was not written; the call must not happen, or its result not be handed over.
    pub(crate) fn called(&self, call: CallRecord<'_>) -> io::Result<()> {
        self.write(AuditEvent::Called {
            function: call.function.to_owned(),
            target: call.target.to_owned(),
            verdict: call.verdict,
            sent: call.sent,
            received: call.received,
        })
    }
}

/// One host call for [`AuditEvent::Called`], whose fields these are.
pub(crate) struct CallRecord<'a> {
    pub(crate) function: &'a str,
    pub(crate) target: &'a str,
    pub(crate) verdict: Result<String, String>,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}
