//! Audit log verification: is the hash chain intact, and where can it be continued?
//!
//! Line by line: each must be the next in sequence, link to the one before, and carry the seal of
//! its bytes.

use super::seal::{AuditHead, AuditKey, GENESIS, Seal};
use super::segments;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;

/// The meaning of an event for its run.
pub(super) enum Phase {
    Begins,
    Between,
    Ends,
}

impl Phase {
    pub(super) fn of(event: &str) -> Self {
        match event {
            "admitted" | "looked_up" => Self::Begins,
            "denied" | "refused" | "provided" | "explained" | "finished" | "aborted" => Self::Ends,
            _ => Self::Between,
        }
    }
}

/// The reason why an audit log fails verification.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// It can't be read.
    #[error("cannot read the audit log: {0}")]
    Unreadable(#[from] io::Error),
    /// Another process appends to it; two writers would break its chain.
    #[error("another process writes to the audit log; end that one, or name another file")]
    InUse,
    /// A line does not link to the one before.
    #[error("line {line} of the audit log {problem}")]
    Broken {
        /// The line number, from 1.
        line: u64,
        /// The problem.
        problem: &'static str,
    },
    /// The log has another name than expected.
    #[error(
        "the audit log is named `{found}`, and not `{expected}`: it is that of another service, or the name was replaced"
    )]
    Named {
        /// The expected name.
        expected: String,
        /// The name in the log.
        found: String,
    },
    /// The log lacks a record that it had before: it was truncated, replaced or rewritten.
    #[error(
        "the audit log had the record {expected}, and now has {found} as its newest one: it was cut, replaced or rewritten"
    )]
    Expected {
        /// The head of the log at an earlier time.
        expected: AuditHead,
        /// Its head now.
        found: AuditHead,
    },
}

/// The state that the next line links to.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) sequence: u64,
    pub(super) previous: String,
    /// The end of the last whole line in its file.
    pub(super) bytes: u64,
}

impl Links {
    /// Returns the state before the first line.
    pub(super) fn start() -> Self {
        Self {
            sequence: 0,
            previous: GENESIS.to_owned(),
            bytes: 0,
        }
    }

    pub(super) fn head(&self) -> AuditHead {
        AuditHead {
            records: self.sequence,
            hash: self.previous.clone(),
        }
    }
}

/// Verifies a whole log and counts its lines.
///
/// # Errors
///
/// If a line is not JSON, not in sequence, or does not match its seal.
pub fn verify_chain(log: impl io::Read) -> Result<u64, ChainError> {
    ChainCheck::default().read(log)
}

/// Verifies a log in several segments, given from the oldest to the newest.
#[derive(Clone, Debug, Default)]
pub struct ChainCheck {
    links: Option<Links>,
    trusted: u64,
    check: Check,
}

impl ChainCheck {
    /// Trusts that the log has this many records before the first segment.
    #[must_use]
    pub fn since(records: u64) -> Self {
        Self {
            trusted: records,
            ..Self::default()
        }
    }

    /// Requires that every record is sealed with the key, except the first `unkeyed` ones, from
    /// before there was a key.
    #[must_use]
    pub fn key(mut self, key: Option<AuditKey>, unkeyed: u64) -> Self {
        self.check.keyed_from = key.is_some().then_some(unkeyed);
        self.check.key = key;
        self
    }

    /// Requires a record that the log had before.
    #[must_use]
    pub fn expect(mut self, head: Option<AuditHead>) -> Self {
        self.check.expect = head;
        self
    }

    /// Verifies the next segment, and that it links to the one before; returns the number of
    /// records so far.
    ///
    /// # Errors
    ///
    /// See [`verify_chain`].
    pub fn read(&mut self, log: impl io::Read) -> Result<u64, ChainError> {
        let from = self
            .links
            .take()
            .or_else(|| (self.trusted == 0).then(Links::start));
        let is_first = from.is_none();
        let Walked { links, rest, first } = walk(BufReader::new(log), from, &mut self.check)?;
        if is_first && first != self.trusted {
            return Err(ChainError::Broken {
                line: first + 1,
                problem: "is not the first one that was asked for",
            });
        }
        if rest > 0 {
            return Err(ChainError::Broken {
                line: links.sequence + 1,
                problem: "is not whole",
            });
        }
        Ok(self.links.insert(links).sequence)
    }

    /// Returns the head of the verified log.
    ///
    /// # Errors
    ///
    /// [`ChainError::Expected`] if the required record was not found.
    pub fn end(&self) -> Result<AuditHead, ChainError> {
        let found = self
            .links
            .as_ref()
            .map_or_else(AuditHead::start, Links::head);
        match &self.check.expect {
            Some(expected) if !self.check.is_met => Err(ChainError::Expected {
                expected: expected.clone(),
                found,
            }),
            _ => Ok(found),
        }
    }

    /// Returns the number of runs that were admitted and have no end: still in progress, or left by
    /// a killed process.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.check.open.len()
    }
}

/// The requirements and findings of a verification.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pub(super) key: Option<AuditKey>,
    /// The first record that must be sealed with the key; by default the first one that is.
    pub(super) keyed_from: Option<u64>,
    pub(super) expect: Option<AuditHead>,
    /// The expected record was seen.
    pub(super) is_met: bool,
    /// Runs without an end, with their subjects.
    pub(super) open: BTreeMap<String, String>,
    /// The open runs of earlier segments were listed.
    pub(super) is_listed: bool,
    /// The name of the log.
    pub(super) name: Option<String>,
}

impl Check {
    /// Verifies the seal of a line and returns it; `Err` is the problem.
    fn seal(&mut self, text: &str, found: &Found<'_>) -> Result<String, &'static str> {
        let is_keyed = self.keyed_from.is_some_and(|from| found.sequence >= from);
        let (seal, said) = match (found.hash, found.hmac, &self.key) {
            (Some(_), None, Some(_)) if is_keyed => return Err("is not sealed with the key"),
            (Some(hash), None, _) => (Seal::Hash, hash),
            (None, Some(hmac), Some(key)) => {
                self.keyed_from.get_or_insert(found.sequence);
                (Seal::Key(key.clone()), hmac)
            }
            (None, Some(_), None) => return Err("is sealed with a key, which has to be named"),
            _ => return Err("has no hash at its end"),
        };
        let before = text
            .strip_suffix("\"}")
            .and_then(|rest| rest.strip_suffix(said))
            .and_then(|rest| rest.strip_suffix(seal.mark()));
        let sealed = seal.seal(before.ok_or("has no hash at its end")?);
        if sealed == said {
            Ok(sealed)
        } else {
            Err(if seal.key().is_some() {
                "was changed, or sealed with another key"
            } else {
                "was changed"
            })
        }
    }

    /// Compares a position in the log with the expected head.
    fn pass(&mut self, links: &Links) -> Result<(), ChainError> {
        let Some(expected) = self
            .expect
            .as_ref()
            .filter(|expected| expected.records == links.sequence)
        else {
            return Ok(());
        };
        self.is_met = expected.hash == links.previous;
        Ok(())
    }

    /// Tracks which runs have no end.
    fn follow(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct RunRecord {
            event: String,
            #[serde(default)]
            run: String,
            #[serde(default)]
            subject: String,
            #[serde(default)]
            runs: BTreeMap<String, String>,
            #[serde(default)]
            log: Option<String>,
        }
        let Ok(record) = serde_json::from_str::<RunRecord>(text) else {
            return;
        };
        match Phase::of(&record.event) {
            Phase::Begins => drop(self.open.insert(record.run, record.subject)),
            Phase::Ends => drop(self.open.remove(&record.run)),
            // Those of earlier segments.
            Phase::Between if record.event == "unfinished" => {
                self.open = record.runs;
                self.is_listed = true;
                self.name = record.log.or(self.name.take());
            }
            Phase::Between => {}
        }
    }

    /// Finds the open runs at the end of complete segments, given from the oldest to the newest.
    /// Reads backwards until a segment lists those of the segments before it, as every segment does
    /// at its beginning unless an earlier version wrote it.
    pub(super) fn read_open(&mut self, segments: &[PathBuf]) -> Result<(), ChainError> {
        let walked = |path: &PathBuf, open| {
            let mut check = Self {
                key: self.key.clone(),
                open,
                ..Self::default()
            };
            walk(BufReader::new(segments::read(path)?), None, &mut check).map(|_| check)
        };
        let mut first = segments.len();
        while let Some(before) = first.checked_sub(1)
            && let Some(path) = segments.get(before)
        {
            first = before;
            if walked(path, BTreeMap::new())?.is_listed {
                break;
            }
        }
        self.open = segments
            .iter()
            .skip(first)
            .try_fold(BTreeMap::new(), |open, path| {
                walked(path, open).map(|check| check.open)
            })?;
        Ok(())
    }
}

/// Returns the state after the last line of a log, trusting that line, and whether the line is
/// sealed with a key: what follows it must be, too.
pub(super) fn last_links(log: BufReader<File>) -> Result<(Links, bool), ChainError> {
    let mut last = String::new();
    for line in log.lines() {
        last = line?;
    }
    let found = Found::of(&last).and_then(|found| {
        let seal = found.hash.or(found.hmac)?;
        Some((found.sequence, seal, found.hash.is_none()))
    });
    let Some((sequence, hash, is_keyed)) = found else {
        return Err(ChainError::Broken {
            line: 0,
            problem: "is no record, at the end of a segment",
        });
    };
    let links = Links {
        sequence: sequence + 1,
        previous: hash.to_owned(),
        bytes: 0,
    };
    Ok((links, is_keyed))
}

/// The result of a walk along a log.
pub(super) struct Walked {
    /// The state that the next line links to.
    pub(super) links: Links,
    /// Bytes of an incomplete last line.
    pub(super) rest: usize,
    /// The number of records before its first one.
    pub(super) first: u64,
}

/// Follows a chain from a known state, or from the one that its first line claims.
pub(super) fn walk(
    mut log: BufReader<impl io::Read>,
    mut from: Option<Links>,
    check: &mut Check,
) -> Result<Walked, ChainError> {
    let (mut first, mut rest, mut line) = (None, 0, Vec::new());
    if let Some(links) = &mut from {
        links.bytes = 0;
        check.pass(links)?;
    }
    while log.read_until(b'\n', &mut line)? > 0 {
        let Some(text) = line.strip_suffix(b"\n") else {
            rest = line.len();
            break;
        };
        let sequence = from.as_ref().map_or(0, |links| links.sequence);
        let broken = |problem| ChainError::Broken {
            line: sequence + 1,
            problem,
        };
        let text = str::from_utf8(text).map_err(|_| broken("is not text"))?;
        let found = Found::of(text).ok_or_else(|| broken("is not a record"))?;
        let links = from.get_or_insert_with(|| Links {
            sequence: found.sequence,
            previous: found.previous.to_owned(),
            bytes: 0,
        });
        if first.is_none() {
            first = Some(links.sequence);
            check.pass(links)?;
        }
        if found.sequence != links.sequence {
            return Err(broken("is not the next in sequence"));
        }
        if found.previous != links.previous {
            return Err(broken("does not follow the line before it"));
        }
        links.previous = check.seal(text, &found).map_err(broken)?;
        links.sequence += 1;
        links.bytes += line.len() as u64;
        check.follow(text);
        check.pass(links)?;
        line.clear();
    }
    let links = from.unwrap_or_else(Links::start);
    Ok(Walked {
        first: first.unwrap_or(links.sequence),
        links,
        rest,
    })
}

/// The fields that link a line to the one before it.
#[derive(Deserialize)]
struct Found<'a> {
    sequence: u64,
    previous: &'a str,
    hash: Option<&'a str>,
    hmac: Option<&'a str>,
}

impl<'a> Found<'a> {
    fn of(line: &'a str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

/// Returns whether an older segment has the expected record; the segments are given from the oldest
/// to the newest.
pub(super) fn segments_have(complete: &[PathBuf], check: &Check) -> Result<bool, ChainError> {
    for path in complete.iter().rev() {
        let mut older = Check {
            key: check.key.clone(),
            expect: check.expect.clone(),
            ..Check::default()
        };
        let first = walk(BufReader::new(segments::read(path)?), None, &mut older)?.first;
        if older.is_met {
            return Ok(true);
        }
        if check
            .expect
            .as_ref()
            .is_some_and(|expected| expected.records > first)
        {
            return Ok(false);
        }
    }
    Ok(false)
}
