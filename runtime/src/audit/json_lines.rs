//! How is the audit log kept so that a changed line shows?
//!
//! One JSON object a line. Each carries the hash of the line before it and its own, so a line that is changed, removed or moved breaks
//! the chain from there on. (The runtime writes JSON here, which else only the front doors do: the chain is over the bytes of the line.)

use super::{Asked, AuditEvent, AuditRecord, AuditSink, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// The hash before the first line.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An audit log in a file.
#[derive(Debug)]
pub struct JsonLines {
    chain: Mutex<Chain>,
}

#[derive(Debug)]
struct Chain {
    file: File,
    links: Links,
    /// Whether a line was written in part; nothing may follow it.
    is_torn: bool,
}

/// What the next line follows from.
#[derive(Debug)]
struct Links {
    sequence: u64,
    previous: String,
    /// Where whole lines end.
    bytes: u64,
}

impl Chain {
    /// Takes away what was written of a line that nobody was told of.
    fn mend(&mut self) -> io::Result<()> {
        self.is_torn = true;
        self.file.set_len(self.links.bytes)?;
        self.is_torn = false;
        Ok(())
    }
}

/// Why a log is not what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// It can't be read.
    #[error("cannot read the audit log: {0}")]
    Unreadable(#[from] io::Error),
    /// Somebody else goes on with it at the same time, and two of them would break its chain.
    #[error("another process writes to the audit log; end that one, or name another file")]
    InUse,
    /// A line does not follow from the one before.
    #[error("line {line} of the audit log {problem}")]
    Broken {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl JsonLines {
    /// Opens a log and goes on where it ends; makes it where there is none, readable by its owner only. A last line without an end, which a
    /// full disk or a loss of power leaves, was never told to anybody and is taken away.
    ///
    /// # Errors
    ///
    /// Where the file can't be opened, another process writes to it, or its chain is broken: a log that was tampered with is not continued
    /// in silence.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ChainError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        #[expect(clippy::disallowed_methods, reason = "the log is a file that the operator named")]
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => ChainError::InUse,
            TryLockError::Error(error) => ChainError::Unreadable(error),
        })?;
        let (links, rest) = walk(BufReader::new(&file))?;
        let mut chain = Chain { file, links, is_torn: false };
        if rest > 0 {
            tracing::warn!(line = chain.links.sequence + 1, bytes = rest, "the last line of the audit log has no end and is taken away");
            chain.mend()?;
        }
        Ok(Self { chain: Mutex::new(chain) })
    }
}

impl AuditSink for JsonLines {
    fn record(&self, record: &AuditRecord) -> io::Result<()> {
        // As much as possible is done before others have to wait.
        let mut line = Line::of(record);
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        if chain.is_torn {
            chain.mend()?;
        }
        line.field("sequence", &chain.links.sequence);
        line.field("previous", &chain.links.previous);
        let (text, hash) = line.seal();
        if let Err(error) = chain.file.write_all(text.as_bytes()) {
            if let Err(error) = chain.mend() {
                tracing::error!(%error, "a line of the audit log was written in part; nothing is recorded until it can be taken away");
            }
            return Err(error);
        }
        chain.links.sequence += 1;
        chain.links.previous = hash;
        chain.links.bytes += text.len() as u64;
        Ok(())
    }
}

/// Checks a whole log and counts its lines.
///
/// # Errors
///
/// Where a line is not JSON, not in sequence, or not what was hashed.
pub fn verify_chain(log: impl io::Read) -> Result<u64, ChainError> {
    match walk(BufReader::new(log))? {
        (links, 0) => Ok(links.sequence),
        (links, _) => Err(ChainError::Broken { line: links.sequence + 1, problem: "is not whole" }),
    }
}

/// Gives what the next line follows from, and the bytes of a last line without an end.
fn walk(mut log: BufReader<impl io::Read>) -> Result<(Links, usize), ChainError> {
    let mut links = Links { sequence: 0, previous: GENESIS.to_owned(), bytes: 0 };
    let mut line = Vec::new();
    while log.read_until(b'\n', &mut line)? > 0 {
        let broken = |problem| ChainError::Broken { line: links.sequence + 1, problem };
        let Some(text) = line.strip_suffix(b"\n") else { return Ok((links, line.len())) };
        let text = str::from_utf8(text).map_err(|_| broken("is not text"))?;
        let Ok(found) = serde_json::from_str::<Found<'_>>(text) else { return Err(broken("is not a record")) };
        let before = text.strip_suffix("\"}").and_then(|rest| rest.strip_suffix(found.hash)).and_then(|rest| rest.strip_suffix(HASH));
        let before = before.ok_or_else(|| broken("has no hash at its end"))?;
        if found.sequence != links.sequence {
            return Err(broken("is not the next in sequence"));
        }
        if found.previous != links.previous {
            return Err(broken("does not follow the line before it"));
        }
        if hash(before) != found.hash {
            return Err(broken("was changed"));
        }
        found.hash.clone_into(&mut links.previous);
        links.sequence += 1;
        links.bytes += line.len() as u64;
        line.clear();
    }
    Ok((links, 0))
}

/// What links a line to the one before it.
#[derive(Deserialize)]
struct Found<'a> {
    sequence: u64,
    previous: &'a str,
    hash: &'a str,
}

/// What stands between a line and its hash.
const HASH: &str = ",\"hash\":\"";

/// The hash of a line: over its bytes up to the hash itself.
fn hash(line: &str) -> String {
    hex(&Sha256::digest(line))
}

/// A line as far as it is written.
struct Line(String);

impl Line {
    fn field(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        self.0.push_str(if self.0.is_empty() { "{\"" } else { ",\"" });
        self.0.push_str(name);
        self.0.push_str("\":");
        // Nothing here has keys that are no text, or fails otherwise.
        self.0.push_str(&serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()));
    }

    /// The whole line, and its hash.
    fn seal(mut self) -> (String, String) {
        let hash = hash(&self.0);
        self.0.push_str(HASH);
        self.0.push_str(&hash);
        self.0.push_str("\"}\n");
        (self.0, hash)
    }

    fn of(record: &AuditRecord) -> Self {
        let mut line = Self(String::with_capacity(768));
        let time = record.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        line.field("time_ms", &milliseconds(time));
        line.field("run", &record.run.to_string());
        line.field("subject", &record.subject);
        line.event(&record.event);
        line
    }

    fn event(&mut self, event: &AuditEvent) {
        self.field("event", event.name());
        match event {
            AuditEvent::Denied { asked, denial, policy } => {
                self.request(asked);
                self.field("rule", &denial.rule);
                self.field("asked", &denial.asked);
                self.field("reason", &denial.reason);
                self.field("policy", policy);
            }
            AuditEvent::LookedUp { asked, packages } => {
                self.request(asked);
                self.field("packages", packages);
            }
            AuditEvent::Provided { asked, session, packages, policy } => {
                self.request(asked);
                self.field("session", &session.map(|session| session.to_string()));
                self.field("packages", packages);
                self.field("policy", policy);
            }
            AuditEvent::Found { findings } => {
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
            AuditEvent::Admitted { asked, profile, policy, rules, tier } => {
                self.request(asked);
                self.field("profile", profile);
                self.field("policy", policy);
                self.field("rules", rules);
                self.field("tier", tier);
            }
            AuditEvent::Called { function, target, verdict, sent, received } => {
                self.field("function", function);
                self.field("target", target);
                self.field("allowed_by", &verdict.as_ref().ok());
                self.field("refused", &verdict.as_ref().err());
                self.field("sent_bytes", sent);
                self.field("received_bytes", received);
            }
            AuditEvent::Finished { status, limit, exit_code, wall, fuel, peak_memory, output } => {
                self.field("status", status.name());
                self.field("limit", limit);
                self.field("exit_code", exit_code);
                self.field("wall_ms", &milliseconds(*wall));
                self.field("fuel", fuel);
                self.field("peak_memory_bytes", peak_memory);
                self.field("output_bytes", output);
            }
            AuditEvent::Aborted { reason } => self.field("reason", reason),
        }
    }

    fn request(&mut self, asked: &Asked) {
        let Asked { language, source, source_sha256, source_bytes } = asked;
        self.field("request", &RequestObject { language, source, source_sha256, source_bytes: *source_bytes });
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

fn milliseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
