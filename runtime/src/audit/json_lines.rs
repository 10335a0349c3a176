//! Tamper-evident audit log: how does a changed line show?
//!
//! JSON lines in a hash chain: each carries the seal of the line before it and its own, a hash or,
//! with a key, a MAC. So a line that is changed, removed or moved breaks the chain from there on.
//! (The runtime writes JSON here, which otherwise only the CLI and the service do: the chain is
//! over the bytes of the line.)

use super::check::{ChainError, Check, Links, Phase, Walked, last_links, segments_have, walk};
use super::line::Line;
use super::seal::{AuditHead, AuditKey, Seal};
use super::segments::{self, Segments};
use super::{AuditEvent, AuditRecord, AuditSink};
use glovebox_host::lock::LockedFile;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, BufReader, Seek as _, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// Subjects whose bytes are counted at once; protects this process if the counts are never taken.
const MAX_COUNTED: usize = 100_000;

/// Options for opening an audit log.
#[derive(Clone, Debug, Default)]
pub struct AuditLogOptions {
    key: Option<AuditKey>,
    segment_bytes: Option<u64>,
    expect: Option<AuditHead>,
    accepts_gap: bool,
    name: Option<String>,
}

impl AuditLogOptions {
    /// Seals records with a key. A log that was begun without a key uses it from there on.
    #[must_use]
    pub fn key(mut self, key: Option<AuditKey>) -> Self {
        self.key = key;
        self
    }

    /// Keeps the log in a folder, in segments of this many bytes; see
    /// [`audit_segments`](crate::audit_segments()).
    #[must_use]
    pub fn segments(mut self, bytes: u64) -> Self {
        self.segment_bytes = Some(bytes);
        self
    }

    /// Opens the log only if it has this record, its head at an earlier time.
    #[must_use]
    pub fn expect(mut self, head: Option<AuditHead>) -> Self {
        self.expect = head;
        self
    }

    /// Names a log in a folder, so that it is not mistaken for another one: the first record of
    /// each segment has the name.
    #[must_use]
    pub fn name(mut self, name: Option<String>) -> Self {
        self.name = name;
        self
    }

    /// Opens the log even if it lacks the expected record or has another name, and records that.
    #[must_use]
    pub fn accept_gap(mut self) -> Self {
        self.accepts_gap = true;
        self
    }

    /// Opens a log, in a file or in a folder of segments, and appends to it; creates it if there is
    /// none. Runs that an earlier process left open are recorded as aborted.
    ///
    /// # Errors
    ///
    /// Those of [`JsonLines::open`], [`ChainError::Expected`], and [`ChainError::Named`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<JsonLines, ChainError> {
        let path = path.as_ref();
        let mut check = Check {
            key: self.key.clone(),
            expect: self.expect.clone(),
            ..Check::default()
        };
        let (file, complete, segments) = match self.segment_bytes {
            None => (segments::open(path)?, Vec::new(), None),
            Some(most) => Segments::open(path, most)
                .map(|(file, complete, segments)| (file, complete, Some(segments)))?,
        };
        let from = match complete.last() {
            None => segments.is_none().then(Links::start),
            Some(newest) => {
                let (links, is_keyed) = last_links(BufReader::new(segments::read(newest)?))?;
                check.keyed_from = (is_keyed && check.key.is_some()).then_some(links.sequence);
                Some(links)
            }
        };
        let mut chain = Chain::go_on(file, from.clone(), segments, &mut check)?;
        if !check.is_listed && !complete.is_empty() {
            // Runs of earlier segments may have ended in this one, so it is followed once more.
            check.read_open(&complete)?;
            (&*chain.file).rewind()?;
            walk(BufReader::new(&*chain.file), from, &mut check)?;
        }
        chain.seal = Seal::of(self.key);
        let mut gaps = Vec::new();
        if let Some(expected) = self.expect.clone()
            && !check.is_met
            && !segments_have(&complete, &check)?
        {
            let found = chain.links.head();
            gaps.push((
                [
                    ("expected", expected.to_string()),
                    ("found", found.to_string()),
                ],
                ChainError::Expected { expected, found },
            ));
        }
        if let (Some(expected), Some(found)) = (self.name.clone(), check.name.clone())
            && expected != found
        {
            gaps.push((
                [
                    ("expected_log", expected.clone()),
                    ("found_log", found.clone()),
                ],
                ChainError::Named { expected, found },
            ));
        }
        if !self.accepts_gap && !gaps.is_empty() {
            return Err(gaps.swap_remove(0).1);
        }
        if let Some(segments) = &mut chain.segments {
            segments.take_back()?;
        }
        for ([expected, found], error) in gaps {
            tracing::error!(%error, "the audit log continues after a gap, as requested");
            chain.note("gap", &[(expected.0, &expected.1), (found.0, &found.1)])?;
        }
        for (run, subject) in std::mem::take(&mut check.open) {
            chain.end_left_open(&run, &subject)?;
        }
        let is_named = self.name.is_none() || self.name == check.name;
        chain.name = self.name;
        if let Some(segments) = &chain.segments {
            lock(&chain.behind).push(Arc::new(segments.folder()?));
            if !is_named || !(check.is_listed || complete.is_empty()) {
                chain.list()?;
            }
        }
        Ok(JsonLines {
            chain: Mutex::new(chain),
        })
    }
}

/// An audit log in a file.
#[derive(Debug)]
pub struct JsonLines {
    chain: Mutex<Chain>,
}

#[derive(Debug)]
struct Chain {
    file: LockedFile,
    links: Links,
    seal: Seal,
    /// Runs without an end, with their subjects.
    open: BTreeMap<String, String>,
    /// Bytes by subject since the counts were last taken.
    written: HashMap<String, u64>,
    /// A line was written in part; nothing may follow it.
    is_torn: bool,
    segments: Option<Segments>,
    name: Option<String>,
    /// Complete segments and their folder that are not yet synced.
    behind: Behind,
}

type Behind = Arc<Mutex<Vec<Arc<File>>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Syncs complete segments to the disk (fsync). A failed sync is tried again.
fn sync_behind(behind: &Behind) -> io::Result<()> {
    let files = lock(behind).clone();
    for file in files {
        file.sync_all()?;
        lock(behind).retain(|other| !Arc::ptr_eq(other, &file));
    }
    Ok(())
}

impl Chain {
    /// Appends to a file whose first line links to `from`, or to the state that it claims.
    fn go_on(
        file: LockedFile,
        from: Option<Links>,
        segments: Option<Segments>,
        check: &mut Check,
    ) -> Result<Self, ChainError> {
        let Walked { links, rest, .. } = walk(BufReader::new(&*file), from, check)?;
        let mut chain = Self {
            file,
            links,
            seal: Seal::Hash,
            open: BTreeMap::new(),
            written: HashMap::new(),
            is_torn: false,
            segments,
            name: None,
            behind: Behind::default(),
        };
        if rest > 0 {
            tracing::warn!(
                line = chain.links.sequence + 1,
                bytes = rest,
                "the last line of the audit log has no end and is taken away"
            );
            chain.mend()?;
        }
        Ok(chain)
    }

    /// Rotates to the next segment if this one is complete.
    fn rotate(&mut self) {
        let Some(segments) = self
            .segments
            .as_mut()
            .filter(|segments| segments.is_complete(self.links.bytes))
        else {
            return;
        };
        match segments.rotate(self.links.bytes) {
            Ok(file) => {
                let complete = std::mem::replace(&mut self.file, file);
                self.links.bytes = 0;
                let folder = segments.folder().inspect_err(
                    |error| tracing::warn!(%error, "the folder of the audit log cannot be read"),
                );
                lock(&self.behind).extend(
                    [Some(complete.shared()), folder.ok().map(Arc::new)]
                        .into_iter()
                        .flatten(),
                );
                // A thread of its own syncs the complete segment, so that no writer waits for the
                // disk.
                let behind = Arc::clone(&self.behind);
                let synced = std::thread::Builder::new().name("audit".to_owned()).spawn(move || {
                    if let Err(error) = sync_behind(&behind) {
                        tracing::warn!(%error, "a complete segment of the audit log may not be on the disk");
                    }
                });
                if let Err(error) = synced {
                    tracing::warn!(%error, "a complete segment of the audit log is left to the system to write");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the audit log could not begin its next segment, and continues in this one")
            }
        }
    }

    /// Truncates a partial line that was not acknowledged.
    fn mend(&mut self) -> io::Result<()> {
        self.is_torn = true;
        self.file.set_len(self.links.bytes)?;
        self.is_torn = false;
        Ok(())
    }

    /// Appends a line.
    fn append(&mut self, mut line: Line) -> io::Result<()> {
        if self.is_torn {
            self.mend()?;
        }
        line.field("sequence", &self.links.sequence);
        line.field("previous", &self.links.previous);
        let (text, sealed) = line.seal(&self.seal);
        if let Err(error) = (&*self.file).write_all(&text) {
            if let Err(error) = self.mend() {
                tracing::error!(%error, "a line of the audit log was written in part; nothing is recorded until it can be taken away");
            }
            return Err(error);
        }
        self.links.sequence += 1;
        self.links.previous = sealed;
        self.links.bytes += text.len() as u64;
        Ok(())
    }

    /// Lists the open runs and the name of the log, so that a start reads one segment only.
    fn list(&mut self) -> io::Result<()> {
        let mut line = Line::at(SystemTime::now());
        line.field("event", "unfinished");
        if let Some(name) = &self.name {
            line.field("log", name);
        }
        line.field("runs", &self.open);
        self.append(line)
    }

    /// Lists them as the first record of a segment.
    fn begin(&mut self) -> io::Result<()> {
        let is_next = self.links.bytes == 0
            && self
                .segments
                .as_ref()
                .is_some_and(|segments| !segments.is_first());
        if is_next { self.list() } else { Ok(()) }
    }

    /// Appends a record about the log itself, which belongs to no run.
    fn note<T: Serialize>(&mut self, event: &str, fields: &[(&str, &T)]) -> io::Result<()> {
        let mut line = Line::at(SystemTime::now());
        line.field("event", event);
        for (name, value) in fields {
            line.field(name, value);
        }
        self.append(line)
    }

    /// Ends an open run of a process that is gone.
    fn end_left_open(&mut self, run: &str, subject: &str) -> io::Result<()> {
        let mut line = Line::at(SystemTime::now());
        line.field("run", run);
        line.field("subject", subject);
        line.event(&AuditEvent::Aborted {
            reason: "the process ended before the run did".to_owned(),
        });
        self.append(line)
    }

    /// Counts the bytes that a subject has written; bounded, since the counts may never be taken.
    fn count(&mut self, subject: &str, bytes: u64) {
        if let Some(sum) = self.written.get_mut(subject) {
            *sum = sum.saturating_add(bytes);
        } else if self.written.len() < MAX_COUNTED {
            self.written.insert(subject.to_owned(), bytes);
        }
    }

    /// Tracks which runs have no end.
    fn follow(&mut self, record: &AuditRecord) {
        match Phase::of(record.event.name()) {
            Phase::Begins => drop(
                self.open
                    .insert(record.run.to_string(), record.subject.clone()),
            ),
            Phase::Ends => drop(self.open.remove(&record.run.to_string())),
            Phase::Between => {}
        }
    }
}

impl JsonLines {
    /// Opens a log and appends to it; creates it if there is none, readable by its owner only. A
    /// last line without an end, which a full disk or a loss of power leaves, was never
    /// acknowledged and is truncated.
    ///
    /// # Errors
    ///
    /// If the file can't be opened, another process writes to it, or its chain is broken: a log
    /// that was tampered with is not continued silently.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ChainError> {
        AuditLogOptions::default().open(path)
    }

    /// Returns the head of the log.
    #[must_use]
    pub fn head(&self) -> AuditHead {
        lock(&self.chain).links.head()
    }

    /// Takes the number of bytes that each subject's records took since the last call.
    #[must_use]
    pub fn take_written(&self) -> HashMap<String, u64> {
        std::mem::take(&mut lock(&self.chain).written)
    }

    /// Waits until the records are on the disk (fsync); returns the head that was synced.
    ///
    /// # Errors
    ///
    /// If the system cannot write them.
    pub fn sync(&self) -> io::Result<AuditHead> {
        let (file, head, behind) = {
            let chain = lock(&self.chain);
            (
                chain.file.shared(),
                chain.links.head(),
                Arc::clone(&chain.behind),
            )
        };
        sync_behind(&behind)?;
        file.sync_data()?;
        Ok(head)
    }
}

impl AuditSink for JsonLines {
    fn record(&self, record: &AuditRecord) -> io::Result<()> {
        // As much as possible is done before other writers have to wait.
        let line = Line::of(record);
        let mut chain = lock(&self.chain);
        chain.begin()?;
        let before = chain.links.bytes;
        chain.append(line)?;
        let bytes = chain.links.bytes - before;
        chain.count(&record.subject, bytes);
        chain.follow(record);
        chain.rotate();
        Ok(())
    }
}
