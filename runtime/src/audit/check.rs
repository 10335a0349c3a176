//! How is an audit log read, to check it or to go on with it?
//!
//! Line by line: each has to be the next in sequence, to follow from the one before, and to have the seal that its bytes have.

use super::seal::{AuditHead, AuditKey, GENESIS, Seal};
use super::segments;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::PathBuf;

/// What an event means for its run.
pub(super) enum Phase {
    Begins,
    Between,
    Ends,
}

impl Phase {
    pub(super) fn of(event: &str) -> Self {
        match event {
            "admitted" | "looked_up" => Self::Begins,
            "denied" | "provided" | "explained" | "finished" | "aborted" => Self::Ends,
            _ => Self::Between,
        }
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
    /// It is another log than the one that is meant.
    #[error("the audit log is named `{found}`, and not `{expected}`: it is that of another service, or the name was replaced")]
    Named {
        /// The name that is meant.
        expected: String,
        /// The name in the log.
        found: String,
    },
    /// The log does not have a record that it had before: it was cut, replaced or rewritten.
    #[error("the audit log had the record {expected}, and now has {found} as its newest one: it was cut, replaced or rewritten")]
    Expected {
        /// The head of the log at an earlier time.
        expected: AuditHead,
        /// Its head now.
        found: AuditHead,
    },
}

/// What the next line follows from.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) sequence: u64,
    pub(super) previous: String,
    /// Where whole lines of its file end.
    pub(super) bytes: u64,
}

impl Links {
    /// Those of the first line.
    pub(super) fn start() -> Self {
        Self { sequence: 0, previous: GENESIS.to_owned(), bytes: 0 }
    }

    pub(super) fn head(&self) -> AuditHead {
        AuditHead { records: self.sequence, hash: self.previous.clone() }
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
    check: Check,
}

impl ChainCheck {
    /// Takes on trust that the log has so many records before the first piece.
    #[must_use]
    pub fn since(records: u64) -> Self {
        Self { trusted: records, ..Self::default() }
    }

    /// Demands that every record is sealed with a key, but for so many at the beginning of the log, from before there was one.
    #[must_use]
    pub fn key(mut self, key: Option<AuditKey>, unkeyed: u64) -> Self {
        self.check.keyed_from = key.is_some().then_some(unkeyed);
        self.check.key = key;
        self
    }

    /// Demands a record that the log had before.
    #[must_use]
    pub fn expect(mut self, head: Option<AuditHead>) -> Self {
        self.check.expect = head;
        self
    }

    /// Checks the next piece, and that it follows from the one before; gives how many records there are with those before.
    ///
    /// # Errors
    ///
    /// See [`verify_chain`].
    pub fn read(&mut self, log: impl io::Read) -> Result<u64, ChainError> {
        let from = self.links.take().or_else(|| (self.trusted == 0).then(Links::start));
        let is_first = from.is_none();
        let Walked { links, rest, first } = walk(BufReader::new(log), from, &mut self.check)?;
        if is_first && first != self.trusted {
            return Err(ChainError::Broken { line: first + 1, problem: "is not the first one that was asked for" });
        }
        if rest > 0 {
            return Err(ChainError::Broken { line: links.sequence + 1, problem: "is not whole" });
        }
        Ok(self.links.insert(links).sequence)
    }

    /// The head of what was checked.
    ///
    /// # Errors
    ///
    /// [`ChainError::Expected`] where the record that was demanded did not come.
    pub fn end(&self) -> Result<AuditHead, ChainError> {
        let found = self.links.as_ref().map_or_else(AuditHead::start, Links::head);
        match &self.check.expect {
            Some(expected) if !self.check.is_met => Err(ChainError::Expected { expected: expected.clone(), found }),
            _ => Ok(found),
        }
    }

    /// Runs that were admitted and have no end: those that go on, or that a process left which was killed.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.check.open.len()
    }
}

/// What is looked for while a log is read.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pub(super) key: Option<AuditKey>,
    /// The first record that has to be sealed with the key; unless said, the first one that is.
    pub(super) keyed_from: Option<u64>,
    pub(super) expect: Option<AuditHead>,
    /// The record that is expected was seen.
    pub(super) is_met: bool,
    /// Runs without an end, with their subjects.
    pub(super) open: BTreeMap<String, String>,
    /// Those of earlier segments were listed.
    pub(super) is_listed: bool,
    /// The name that the log has.
    pub(super) name: Option<String>,
}

impl Check {
    /// Whether a line has the seal that it says; `Err` says what is wrong.
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
        let before = text.strip_suffix("\"}").and_then(|rest| rest.strip_suffix(said)).and_then(|rest| rest.strip_suffix(seal.mark()));
        let sealed = seal.seal(before.ok_or("has no hash at its end")?);
        if sealed == said {
            Ok(sealed)
        } else {
            Err(if seal.key().is_some() { "was changed, or sealed with another key" } else { "was changed" })
        }
    }

    /// Compares a place in the log with what is expected there.
    fn pass(&mut self, links: &Links) -> Result<(), ChainError> {
        let Some(expected) = self.expect.as_ref().filter(|expected| expected.records == links.sequence) else { return Ok(()) };
        self.is_met = expected.hash == links.previous;
        Ok(())
    }

    /// Follows which runs have no end.
    fn follow(&mut self, text: &str) {
        #[derive(Deserialize)]
        struct Step {
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
        let Ok(step) = serde_json::from_str::<Step>(text) else { return };
        match Phase::of(&step.event) {
            Phase::Begins => drop(self.open.insert(step.run, step.subject)),
            Phase::Ends => drop(self.open.remove(&step.run)),
            // Those of the segments before.
            Phase::Between if step.event == "unfinished" => {
                self.open = step.runs;
                self.is_listed = true;
                self.name = step.log.or(self.name.take());
            }
            Phase::Between => {}
        }
    }

    /// Finds the runs without an end at the end of complete segments, the oldest of which comes first. Only as many are read as is needed
    /// to come to one that lists those of the segments before it, as every segment does at its beginning unless an earlier version wrote it.
    pub(super) fn read_open(&mut self, segments: &[PathBuf]) -> Result<(), ChainError> {
        let walked = |path: &PathBuf, open| {
            let mut check = Self { key: self.key.clone(), open, ..Self::default() };
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
        self.open = segments.iter().skip(first).try_fold(BTreeMap::new(), |open, path| walked(path, open).map(|check| check.open))?;
        Ok(())
    }
}

/// What the first line after a log follows from, by the word of its last one.
pub(super) fn last_links(log: BufReader<File>) -> Result<Links, ChainError> {
    let mut last = String::new();
    for line in log.lines() {
        last = line?;
    }
    let found = Found::of(&last).and_then(|found| Some((found.sequence, found.hash.or(found.hmac)?)));
    let Some((sequence, hash)) = found else {
        return Err(ChainError::Broken { line: 0, problem: "is no record, at the end of a segment" });
    };
    Ok(Links { sequence: sequence + 1, previous: hash.to_owned(), bytes: 0 })
}

/// What a log came to.
pub(super) struct Walked {
    /// What the next line follows from.
    pub(super) links: Links,
    /// Bytes of a last line without an end.
    pub(super) rest: usize,
    /// How many records there are before its first one.
    pub(super) first: u64,
}

/// Follows a chain from something, or from what its first line says itself.
pub(super) fn walk(mut log: BufReader<impl io::Read>, mut from: Option<Links>, check: &mut Check) -> Result<Walked, ChainError> {
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
        let broken = |problem| ChainError::Broken { line: sequence + 1, problem };
        let text = str::from_utf8(text).map_err(|_| broken("is not text"))?;
        let found = Found::of(text).ok_or_else(|| broken("is not a record"))?;
        let links = from.get_or_insert_with(|| Links { sequence: found.sequence, previous: found.previous.to_owned(), bytes: 0 });
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
    Ok(Walked { first: first.unwrap_or(links.sequence), links, rest })
}

/// What links a line to the one before it.
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

/// Whether a record that is not in the newest segment is in one of those before, the oldest of which comes first.
pub(super) fn segments_have(complete: &[PathBuf], check: &Check) -> Result<bool, ChainError> {
    for path in complete.iter().rev() {
        let mut older = Check { key: check.key.clone(), expect: check.expect.clone(), ..Check::default() };
        let first = walk(BufReader::new(segments::read(path)?), None, &mut older)?.first;
        if older.is_met {
            return Ok(true);
        }
        if check.expect.as_ref().is_some_and(|expected| expected.records > first) {
            return Ok(false);
        }
    }
    Ok(false)
}
