//! How is the audit log kept so that a changed line shows?
//!
//! One JSON object a line. Each carries the hash of the line before it and its own, so a line that is changed, removed or moved breaks
//! the chain from there on. (The runtime writes JSON here, which else only the front doors do: the chain is over the bytes of the line.)

use super::{Asked, AuditEvent, AuditRecord, AuditSink, hex};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::fs::{File, OpenOptions};
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
    sequence: u64,
    previous: String,
    /// A line that was written in part; nothing may follow it.
    torn: bool,
}

/// Why a log is not what was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// It can't be read.
    #[error("cannot read the audit log: {0}")]
    Unreadable(#[from] io::Error),
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
    /// Opens a log and goes on where it ends; makes it where there is none, readable by its owner only.
    ///
    /// # Errors
    ///
    /// Where the file can't be opened, or its chain is broken: a log that was tampered with is not continued in silence.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ChainError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        #[expect(clippy::disallowed_methods, reason = "the log is a file that the operator named")]
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        let (sequence, previous) = walk(BufReader::new(&file))?;
        Ok(Self { chain: Mutex::new(Chain { file, sequence, previous, torn: false }) })
    }
}

impl AuditSink for JsonLines {
    fn record(&self, record: &AuditRecord) -> io::Result<()> {
        let mut chain = self.chain.lock().unwrap_or_else(PoisonError::into_inner);
        if chain.torn {
            return Err(io::Error::other("an earlier record was written in part"));
        }
        let mut line = fields(record);
        line.insert("sequence".into(), chain.sequence.into());
        line.insert("previous".into(), chain.previous.clone().into());
        let hash = hash(&line);
        line.insert("hash".into(), hash.clone().into());
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        if let Err(error) = chain.file.write_all(text.as_bytes()) {
            chain.torn = true;
            return Err(error);
        }
        chain.sequence += 1;
        chain.previous = hash;
        Ok(())
    }
}

/// Checks a whole log and counts its lines.
///
/// # Errors
///
/// Where a line is not JSON, not in sequence, or not what was hashed.
pub fn verify_chain(log: impl io::Read) -> Result<u64, ChainError> {
    walk(BufReader::new(log)).map(|(lines, _)| lines)
}

fn walk(log: BufReader<impl io::Read>) -> Result<(u64, String), ChainError> {
    let mut previous = GENESIS.to_owned();
    let mut sequence = 0_u64;
    for line in log.lines() {
        let broken = |problem| ChainError::Broken { line: sequence + 1, problem };
        let Ok(Value::Object(mut fields)) = serde_json::from_str(&line?) else {
            return Err(broken("is not a record"));
        };
        let claimed = match fields.remove("hash") {
            Some(Value::String(hash)) => hash,
            _ => return Err(broken("has no hash")),
        };
        if fields.get("sequence") != Some(&json!(sequence)) {
            return Err(broken("is not the next in sequence"));
        }
        if fields.get("previous") != Some(&json!(previous)) {
            return Err(broken("does not follow the line before it"));
        }
        if hash(&fields) != claimed {
            return Err(broken("was changed"));
        }
        previous = claimed;
        sequence += 1;
    }
    Ok((sequence, previous))
}

/// The hash of a line: over its fields in the order of their names, without the hash itself.
fn hash(fields: &Map<String, Value>) -> String {
    let ordered: std::collections::BTreeMap<&String, &Value> = fields.iter().collect();
    let mut hasher = Sha256::new();
    for (name, value) in ordered {
        hasher.update(json!([name, value]).to_string());
    }
    hex(&hasher.finalize())
}

fn fields(record: &AuditRecord) -> Map<String, Value> {
    let time = record.time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut fields = Map::new();
    fields.insert("time_ms".into(), json!(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
    fields.insert("run".into(), json!(record.run.to_string()));
    fields.insert("subject".into(), json!(record.subject));
    let (event, details) = details(&record.event);
    fields.insert("event".into(), json!(event));
    if let Value::Object(details) = details {
        fields.extend(details);
    }
    fields
}

fn details(event: &AuditEvent) -> (&'static str, Value) {
    match event {
        AuditEvent::Denied { asked, denial, policy } => (
            "denied",
            json!({
                "request": asked_json(asked),
                "rule": denial.rule,
                "asked": denial.asked,
                "reason": denial.reason,
                "policy": policy,
            }),
        ),
        AuditEvent::LookedUp { asked, packages } => ("looked_up", json!({ "request": asked_json(asked), "packages": packages })),
        AuditEvent::Provided { asked, session, packages, policy } => (
            "provided",
            json!({
                "request": asked_json(asked),
                "session": session.map(|session| session.to_string()),
                "packages": packages,
                "policy": policy,
            }),
        ),
        AuditEvent::Admitted { asked, profile, policy, rules, tier } => (
            "admitted",
            json!({
                "request": asked_json(asked),
                "profile": profile,
                "policy": policy,
                "rules": rules,
                "tier": tier,
            }),
        ),
        AuditEvent::Called { function, target, verdict, sent, received } => (
            "called",
            json!({
                "function": function,
                "target": target,
                "allowed_by": verdict.as_ref().ok(),
                "refused": verdict.as_ref().err(),
                "sent_bytes": sent,
                "received_bytes": received,
            }),
        ),
        AuditEvent::Finished { status, limit, exit_code, wall, fuel, peak_memory, output } => (
            "finished",
            json!({
                "status": status.name(),
                "limit": limit,
                "exit_code": exit_code,
                "wall_ms": u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
                "fuel": fuel,
                "peak_memory_bytes": peak_memory,
                "output_bytes": output,
            }),
        ),
        AuditEvent::Aborted { reason } => ("aborted", json!({ "reason": reason })),
    }
}

fn asked_json(asked: &Asked) -> Value {
    json!({
        "language": asked.language,
        "source": asked.source,
        "source_sha256": asked.source_sha256,
        "source_bytes": asked.source_bytes,
    })
}
