//! Line of the audit log: how is a record written as JSON?

use super::seal::Seal;
use super::{AuditEvent, AuditRecord, RequestSummary};
use glovebox_policy::{Denial, Finding};
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A line as far as it is built.
pub(super) struct Line(Vec<u8>);

impl Line {
    pub(super) fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        let Self(line) = self;
        let before: &[u8] = if line.is_empty() { b"{\"" } else { b",\"" };
        line.extend_from_slice(before);
        line.extend_from_slice(name.as_bytes());
        line.extend_from_slice(b"\":");
        let start = line.len();
        // Serialization fails only for keys that are no strings; there are none.
        if serde_json::to_writer(&mut *line, value).is_err() {
            line.truncate(start);
            line.extend_from_slice(b"null");
        }
    }

    /// Returns the whole line and its seal.
    pub(super) fn seal(self, seal: &Seal) -> (Vec<u8>, String) {
        let Self(mut line) = self;
        let sealed = seal.seal(&line);
        for part in [seal.mark(), &sealed, "\"}\n"] {
            line.extend_from_slice(part.as_bytes());
        }
        (line, sealed)
    }

    pub(super) fn at(time: SystemTime) -> Self {
        let mut line = Self(Vec::with_capacity(1024));
        line.field(
            "time_ms",
            &milliseconds(time.duration_since(UNIX_EPOCH).unwrap_or_default()),
        );
        line
    }

    pub(super) fn of(record: &AuditRecord) -> Self {
        let mut line = Self::at(record.time);
        line.field("run", &record.run.to_string());
        line.field("subject", &record.subject);
        line.event(&record.event);
        line
    }

    pub(super) fn event(&mut self, event: &AuditEvent) {
        self.field("event", event.name());
        match event {
            AuditEvent::Denied {
                asked,
                denial,
                policy,
            } => {
                self.request(asked);
                self.denial(denial);
                self.field("policy", policy);
            }
            AuditEvent::Refused {
                denial,
                times,
                policy,
            } => {
                self.denial(denial);
                self.field("times", times);
                self.field("policy", policy);
            }
            AuditEvent::LookedUp { asked, packages } => {
                self.request(asked);
                self.field("packages", packages);
            }
            AuditEvent::Provided {
                asked,
                session,
                packages,
                policy,
            } => {
                self.request(asked);
                self.field("session", &session.map(|session| session.to_string()));
                self.field("packages", packages);
                self.field("policy", policy);
            }
            AuditEvent::Explained {
                asked,
                admitted,
                rule,
                policy,
                cpu,
                fuel,
                wall,
            } => {
                self.request(asked);
                self.field("admitted", admitted);
                self.field("rule", rule);
                self.field("policy", policy);
                self.field("cpu_ms", &milliseconds(*cpu));
                self.field("fuel", fuel);
                self.field("wall_ms", &milliseconds(*wall));
            }
            AuditEvent::Found { findings } => self.findings(findings),
            AuditEvent::Admitted {
                asked,
                session,
                profile,
                policy,
                rules,
                tier,
            } => {
                self.request(asked);
                if let Some(session) = session {
                    self.field("session", &session.to_string());
                }
                self.field("profile", profile);
                self.field("policy", policy);
                self.field("rules", rules);
                self.field("tier", tier);
            }
            AuditEvent::Called { .. }
            | AuditEvent::Finished { .. }
            | AuditEvent::Aborted { .. } => self.of_run(event),
        }
    }

    /// Adds the fields of an event of an admitted run; other events have none of these.
    fn of_run(&mut self, event: &AuditEvent) {
        match event {
            AuditEvent::Called {
                function,
                target,
                verdict,
                sent,
                received,
            } => {
                self.field("function", function);
                self.field("target", target);
                self.field("allowed_by", &verdict.as_ref().ok());
                self.field("refused", &verdict.as_ref().err());
                self.field("sent_bytes", sent);
                self.field("received_bytes", received);
            }
            AuditEvent::Finished {
                status,
                limit,
                exit_code,
                wall,
                fuel,
                peak_memory,
                output,
            } => {
                self.field("status", status.name());
                self.field("limit", limit);
                self.field("exit_code", exit_code);
                self.field("wall_ms", &milliseconds(*wall));
                self.field("fuel", fuel);
                self.field("peak_memory_bytes", peak_memory);
                self.field("output_bytes", output);
            }
            AuditEvent::Aborted { reason } => self.field("reason", reason),
            _ => {}
        }
    }

    fn denial(&mut self, denial: &Denial) {
        self.field("rule", &denial.rule);
        self.field("asked", &denial.asked);
        self.field("reason", &denial.reason);
    }

    fn findings(&mut self, findings: &[Finding]) {
        let found: Vec<_> = findings
            .iter()
            .map(|finding| FindingObject {
                rule: &finding.rule,
                line: finding.line,
                severity: finding.severity.name(),
                message: &finding.message,
            })
            .collect();
        self.field("findings", &found);
    }

    fn request(&mut self, asked: &RequestSummary) {
        let RequestSummary {
            language,
            source,
            source_sha256,
            source_bytes,
        } = asked;
        self.field(
            "request",
            &RequestObject {
                language,
                source,
                source_sha256,
                source_bytes: *source_bytes,
            },
        );
    }
}

#[derive(Serialize)]
struct RequestObject<'a> {
    language: &'a str,
    source: &'a str,
    source_sha256: &'a str,
    source_bytes: u64,
}

#[derive(Serialize)]
struct FindingObject<'a> {
    rule: &'a str,
    line: Option<u32>,
    severity: &'static str,
    message: &'a str,
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
