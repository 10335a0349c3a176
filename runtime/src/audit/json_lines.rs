//! How is the audit log kept so that a changed line shows?
//!
//! One JSON object a line. Each carries the hash of the line before it and its own, so a line that is changed, removed or moved breaks
//! the chain from there on. (The runtime writes JSON here, which else only the front doors do: the chain is over the bytes of the line.)

use super::segments::{self, Segments};
use super::{Asked, AuditEvent, AuditRecord, AuditSink, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::File;
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
    segments: Option<Segments>,
}

/// What the next line follows from.
#[derive(Clone, Debug)]
struct Links {
    sequence: u64,
    previous: String,
    /// Where whole lines of its file end.
    bytes: u64,
}

impl Links {
    /// Those of the first line.
    fn start() -> Self {
        Self { sequence: 0, previous: GENESIS.to_owned(), bytes: 0 }
    }
}

impl Chain {
    /// Goes on with a file, whose first line follows from something, or from what it says itself.
    fn go_on(file: File, from: Option<Links>, segments: Option<Segments>) -> Result<Self, ChainError> {
        let Walked { links, rest, first } = walk(BufReader::new(&file), from)?;
        if first > 0 {
            tracing::debug!(records = first, "the audit log goes on after earlier segments");
        }
        let mut chain = Self { file, links, is_torn: false, segments };
        if rest > 0 {
            tracing::warn!(line = chain.links.sequence + 1, bytes = rest, "the last line of the audit log has no end and is taken away");
            chain.mend()?;
        }
        Ok(chain)
    }

    /// Begins the next segment where this one is complete.
    fn rotate(&mut self) {
        let Some(segments) = self.segments.as_mut().filter(|segments| segments.is_complete(self.links.bytes)) else { return };
        match segments.rotate(self.links.bytes) {
            Ok(file) => {
                let complete = std::mem::replace(&mut self.file, file);
                self.links.bytes = 0;
                // Nobody waits for the disk, which is asked to keep what nothing is added to any more.
                let synced = std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
                    if let Err(error) = complete.sync_all() {
                        tracing::warn!(%error, "a complete segment of the audit log may not be on the disk");
                    }
                });
                if let Err(error) = synced {
                    tracing::warn!(%error, "a complete segment of the audit log is left to the system to write");
                }
            }
            Err(error) => tracing::warn!(%error, "the audit log could not begin its next segment, and goes on in this one"),
        }
    }

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
        let chain = Chain::go_on(segments::open(path.as_ref())?, Some(Links::start()), None)?;
        Ok(Self { chain: Mutex::new(chain) })
    }

    /// As [`JsonLines::open`], with a log in a folder, in segments of so many bytes; see [`audit_segments`](crate::audit_segments()). Only the
    /// segment that is written to is read, and that it follows from the one before. Complete ones may be moved elsewhere.
    ///
    /// # Errors
    ///
    /// Those of [`JsonLines::open`].
    pub fn open_segments(folder: impl AsRef<Path>, most: u64) -> Result<Self, ChainError> {
        let (newest, segments) = Segments::open(folder.as_ref(), most)?;
        let file = segments::open(&segments.current())?;
        let from = newest.map(|newest| last_links(BufReader::new(newest))).transpose()?;
        Ok(Self { chain: Mutex::new(Chain::go_on(file, from, Some(segments))?) })
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
        chain.rotate();
        Ok(())
    }
}

/// Checks a whole log and counts its lines.
///
/// # Errors
///
/// Where a line is not JSON, not in sequence, or not what was hashed.
pub fn verify_chain(log: impl io::Read) -> Result<u64, ChainError> {
    ChainCheck::default().read(log)
}

/// Checks a log in several pieces, which are given from the oldest to the newest.
#[derive(Clone, Debug, Default)]
pub struct ChainCheck {
    links: Option<Links>,
    trusted: u64,
}

impl ChainCheck {
    /// Takes on trust that the log has so many records before the first piece.
    #[must_use]
    pub fn since(records: u64) -> Self {
        Self { links: None, trusted: records }
    }

    /// Checks the next piece, and that it follows from the one before; gives how many records there are with those before.
    ///
    /// # Errors
    ///
    /// See [`verify_chain`].
    pub fn read(&mut self, log: impl io::Read) -> Result<u64, ChainError> {
        let from = self.links.take().or_else(|| (self.trusted == 0).then(Links::start));
        let is_first = from.is_none();
        let Walked { links, rest, first } = walk(BufReader::new(log), from)?;
        if is_first && first != self.trusted {
            return Err(ChainError::Broken { line: first + 1, problem: "is not the first one that was asked for" });
        }
        if rest > 0 {
            return Err(ChainError::Broken { line: links.sequence + 1, problem: "is not whole" });
        }
        Ok(self.links.insert(links).sequence)
    }
}

/// What the first line after a log follows from, by the word of its last one.
fn last_links(log: BufReader<File>) -> Result<Links, ChainError> {
    let mut last = String::new();
    for line in log.lines() {
        last = line?;
    }
    let Some(found) = Found::of(&last) else {
        return Err(ChainError::Broken { line: 0, problem: "is no record, at the end of a segment" });
    };
    Ok(Links { sequence: found.sequence + 1, previous: found.hash.to_owned(), bytes: 0 })
}

/// What a log came to.
struct Walked {
    /// What the next line follows from.
    links: Links,
    /// Bytes of a last line without an end.
    rest: usize,
    /// How many records there are before its first one.
    first: u64,
}

/// Follows a chain from something, or from what its first line says itself.
fn walk(mut log: BufReader<impl io::Read>, mut from: Option<Links>) -> Result<Walked, ChainError> {
    let (mut first, mut rest, mut line) = (None, 0, Vec::new());
    if let Some(links) = &mut from {
        links.bytes = 0;
    }
    while log.read_until(b'\n', &mut line)? > 0 {
        let Some(text) = line.strip_suffix(b"\n") else {
            rest = line.len();
            break;
        };
        let sequence = from.as_ref().map_or(0, |links| links.sequence);
        let broken = |problem| ChainError::Broken { line: sequence + 1, problem };
        let text = str::from_utf8(text).map_err(|_| broken("is not text"))?;
        let found = Found::of(text).ok_or_else(|| broken("is not a record"))?;
        let links = from.get_or_insert_with(|| Links { sequence: found.sequence, previous: found.previous.to_owned(), bytes: 0 });
        first.get_or_insert(links.sequence);
        if found.sequence != links.sequence {
            return Err(broken("is not the next in sequence"));
        }
        if found.previous != links.previous {
            return Err(broken("does not follow the line before it"));
        }
        let before = text.strip_suffix("\"}").and_then(|rest| rest.strip_suffix(found.hash)).and_then(|rest| rest.strip_suffix(HASH));
        if hash(before.ok_or_else(|| broken("has no hash at its end"))?) != found.hash {
            return Err(broken("was changed"));
        }
        found.hash.clone_into(&mut links.previous);
        links.sequence += 1;
        links.bytes += line.len() as u64;
        line.clear();
    }
    let links = from.unwrap_or_else(Links::start);
    Ok(Walked { first: first.unwrap_or(links.sequence), links, rest })
}

/// What links a line to the one before it.
#[derive(Deserialize)]
struct Found<'a> {
    sequence: u64,
    previous: &'a str,
    hash: &'a str,
}

impl<'a> Found<'a> {
    fn of(line: &'a str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
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
            AuditEvent::Explained { asked, admitted, rule, policy, cpu, fuel, wall } => {
                self.request(asked);
                self.field("admitted", admitted);
                self.field("rule", rule);
                self.field("policy", policy);
                self.field("cpu_ms", &milliseconds(*cpu));
                self.field("fuel", fuel);
                self.field("wall_ms", &milliseconds(*wall));
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
