//! SQLite writer: how do records get from the journal into the database?
//!
//! A record is acknowledged as soon as it is in the [`Journal`]. A few times a second a thread
//! carries over pending records into the database, and now and then runs a WAL checkpoint, which
//! waits for the disk. A caller that waits for a record too large for the journal, or wants to read
//! acknowledged records, carries over what is pending itself: that takes less time than waking
//! another thread.

use super::draft::{Acknowledgement, Draft, LAZY, Parameter, Record, Statement, Write, usage};
use super::journal::{self, Journal};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

/// Records and bytes after which a WAL checkpoint runs, and the maximum interval between two.
const CHECKPOINT: usize = 4000;
const CHECKPOINT_BYTES: usize = 32 << 20;
const CHECKPOINT_TIME: Duration = Duration::from_secs(60);

/// Timeout of a writer for another process that writes (`busy_timeout`), and the same at the start.
const BUSY: Duration = Duration::from_millis(250);
const BUSY_AT_START: Duration = Duration::from_secs(30);

/// Pause after the database has failed to write anything.
const FAILED: Duration = Duration::from_millis(200);

/// Maximum bytes of a record that goes through the journal; a larger one would be written twice for
/// nothing.
const NOTED: usize = 64 << 10;

/// Maximum records, and bytes of them, that a waiter writes itself; more are left to the background
/// thread.
const FEW: usize = 256;
const SMALL: usize = 256 << 10;

/// Pending records, and bytes of them, that are written at once instead of at the next interval.
const GATHERED: usize = 2048;
const GATHERED_BYTES: usize = 8 << 20;

/// Maximum backlog of records, and bytes of them, while the database accepts none; further ones
/// block their callers.
const BEHIND: u64 = 20_000;
const BEHIND_BYTES: usize = 64 << 20;

/// Stores the number up to which the journal has been carried over.
const APPLIED: &str = "UPDATE journal SET applied = $1";

/// Writes records to SQLite.
pub(crate) struct Sqlite {
    handed_over: Mutex<HandedOver>,
    state: Mutex<SqliteState>,
    /// Records submitted, and records in the database.
    handed: AtomicU64,
    written: AtomicU64,
    /// Bytes of the difference.
    missing: AtomicUsize,
    /// Whether the last write failed.
    is_failing: AtomicBool,
    /// Whether it failed for another reason than a lock of another process.
    is_refusing: AtomicBool,
    commits: AtomicUsize,
    bytes: AtomicUsize,
}

/// Records that no write has begun with.
struct HandedOver {
    journal: Journal,
    waiting: Vec<(Write, Acknowledgement)>,
    bytes: usize,
}

struct SqliteState {
    connection: Connection,
    draft: Draft,
    /// Records that could not be written, for a retry.
    again: Vec<Record>,
    /// Bytes since the last successful write.
    bytes: usize,
}

impl SqliteState {
    /// Writes either all of the records, which are those of the journal up to a number, or none.
    /// Even without records, the number is stored.
    fn carry(&mut self, records: &[Record], last: u64) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        let used = usage(records);
        execute(
            &transaction,
            records
                .iter()
                .flat_map(|record| &record.statements)
                .chain(&used),
        )?;
        remember(&transaction, last)?;
        transaction.commit()
    }

    /// Writes the records like [`SqliteState::carry`], without those that the database refuses for
    /// their content; returns the result of each.
    fn carry_what_goes(
        &mut self,
        records: &[Record],
        last: u64,
    ) -> Result<Vec<Result<(), String>>, rusqlite::Error> {
        let mut transaction = self.connection.unchecked_transaction()?;
        let mut results = Vec::with_capacity(records.len());
        for record in records {
            let savepoint = transaction.savepoint()?;
            let used = usage([record]);
            let result = execute(&savepoint, record.statements.iter().chain(&used));
            match &result {
                Ok(()) => savepoint.commit()?,
                Err(error) if is_of_a_record(error) => drop(savepoint),
                Err(_) => return result.map(|()| Vec::new()),
            }
            results.push(result.map_err(|error| error.to_string()));
        }
        remember(&transaction, last)?;
        transaction.commit()?;
        Ok(results)
    }

    /// Writes the records like [`SqliteState::carry`], without those that the database would refuse for
    /// ever.
    fn carry_over(&mut self, records: &mut [Record], last: u64) -> Result<(), rusqlite::Error> {
        match self.carry(records, last) {
            Err(error) if is_of_a_record(&error) => {
                tracing::error!(%error, "records could not be written together; they are written one by one");
                let results = self.carry_what_goes(records, last)?;
                records
                    .iter_mut()
                    .zip(results)
                    .for_each(|(record, result)| record.tell(&result));
                Ok(())
            }
            result => result,
        }
    }
}

fn execute<'a>(
    connection: &Connection,
    statements: impl Iterator<Item = &'a Statement>,
) -> Result<(), rusqlite::Error> {
    for (sql, values) in statements {
        connection
            .prepare_cached(sql)?
            .execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}

/// Stores how far the journal has been carried over.
fn remember(connection: &Connection, last: u64) -> Result<(), rusqlite::Error> {
    connection
        .prepare_cached(APPLIED)?
        .execute([i64::try_from(last).unwrap_or(i64::MAX)])
        .map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    // A commit survives the end of this process without waiting for the disk (no fsync).
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;")?;
    Ok(connection)
}

impl Sqlite {
    pub(super) fn open(
        folder: &Path,
        path: &Path,
    ) -> Result<Arc<Self>, Box<dyn Error + Send + Sync>> {
        let connection = connect(path)?;
        let applied = connection.query_row("SELECT applied FROM journal", [], |row| {
            row.get::<_, i64>(0)
        })?;
        let (mut journal, left) = Journal::open(folder, u64::try_from(applied)?)?;
        let mut state = SqliteState {
            connection,
            draft: Draft::default(),
            again: Vec::new(),
            bytes: 0,
        };
        if !left.is_empty() {
            tracing::info!(
                records = left.len(),
                "the process before this one left records in the journal; they go into the database"
            );
            left.into_iter()
                .for_each(|write| state.draft.add(write, Acknowledgement::Sent));
            let (mut records, last) = (state.draft.all(), journal.seal());
            state.connection.busy_timeout(BUSY_AT_START)?;
            state.carry_over(&mut records, last)?;
            state.connection.busy_timeout(BUSY)?;
        }
        journal.clear()?;
        checkpoint(&state.connection, "TRUNCATE")?;
        let writer = Arc::new(Self {
            handed_over: Mutex::new(HandedOver {
                journal,
                waiting: Vec::new(),
                bytes: 0,
            }),
            state: Mutex::new(state),
            handed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            missing: AtomicUsize::new(0),
            is_failing: AtomicBool::new(false),
            is_refusing: AtomicBool::new(false),
            commits: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        });
        let (upkeep, weak) = (connect(path)?, Arc::downgrade(&writer));
        std::thread::Builder::new()
            .name("records".to_owned())
            .spawn(move || keep_up(&upkeep, &weak))?;
        Ok(writer)
    }

    /// Whether submitted records are missing in the database.
    pub(super) fn is_behind(&self) -> bool {
        self.written.load(Ordering::Acquire) < self.handed.load(Ordering::Acquire)
    }

    fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Whether the database refuses records, for another reason than a momentary lock of another
    /// process.
    pub(super) fn is_refusing(&self) -> bool {
        self.is_refusing.load(Ordering::Relaxed)
    }

    /// Appends a record to the journal; returns it if it does not belong there.
    pub(super) fn note(self: &Arc<Self>, write: Write) -> Option<Write> {
        let behind = self
            .handed
            .load(Ordering::Relaxed)
            .saturating_sub(self.written.load(Ordering::Relaxed));
        let is_far_behind = behind > BEHIND || self.missing.load(Ordering::Relaxed) > BEHIND_BYTES;
        if matches!(write, Write::Barrier) || write.size() > NOTED || is_far_behind {
            return Some(write);
        }
        let noted = journal::text(&write).and_then(|text| {
            let mut handed_over = lock(&self.handed_over);
            handed_over.journal.append(&text).map(|()| handed_over)
        });
        match noted {
            Ok(handed_over) => {
                self.push(handed_over, write, Acknowledgement::Sent);
                None
            }
            Err(error) => {
                tracing::error!(%error, "the journal takes no records; they are written to the database at once");
                Some(write)
            }
        }
    }

    /// Submits a record. If it has a waiter, it is written before this returns, or by the thread
    /// that writes at the moment.
    pub(super) fn send(self: &Arc<Self>, write: Write, acknowledgement: Acknowledgement) {
        self.push(lock(&self.handed_over), write, acknowledgement);
    }

    fn push(
        self: &Arc<Self>,
        mut handed_over: MutexGuard<'_, HandedOver>,
        write: Write,
        acknowledgement: Acknowledgement,
    ) {
        let (size, is_awaited) = (
            write.size(),
            matches!(acknowledgement, Acknowledgement::Channel(_)),
        );
        if !matches!(write, Write::Barrier) {
            self.handed.fetch_add(1, Ordering::Release);
            self.missing.fetch_add(size, Ordering::Relaxed);
        }
        handed_over.bytes += size;
        handed_over.waiting.push((write, acknowledgement));
        let (records, bytes) = (handed_over.waiting.len(), handed_over.bytes);
        drop(handed_over);
        // Once for each time that so much is pending.
        let is_much =
            records == GATHERED || (bytes >= GATHERED_BYTES && bytes - size < GATHERED_BYTES);
        if self.is_failing() {
            // The background thread retries soon.
        } else if is_awaited && records <= FEW && bytes <= SMALL {
            self.write();
        } else if is_awaited || is_much {
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || this.write());
        }
    }

    /// Writes all pending records, unless another thread does already, which then also sees those
    /// submitted a moment ago.
    fn write(&self) {
        loop {
            let mut state = match self.state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let is_written = self.write_with(&mut state);
            drop(state);
            // Records that arrived while the lock was held have no other thread to write them.
            if !is_written
                || !lock(&self.handed_over)
                    .waiting
                    .iter()
                    .any(|(_, acknowledgement)| {
                        matches!(acknowledgement, Acknowledgement::Channel(_))
                    })
            {
                return;
            }
        }
    }

    /// Writes all pending records; returns whether the database accepted them.
    fn write_with(&self, state: &mut SqliteState) -> bool {
        let (waiting, last, handed) = {
            let mut handed_over = lock(&self.handed_over);
            state.bytes += std::mem::take(&mut handed_over.bytes);
            let waiting = std::mem::take(&mut handed_over.waiting);
            (
                waiting,
                handed_over.journal.seal(),
                self.handed.load(Ordering::Acquire),
            )
        };
        waiting
            .into_iter()
            .for_each(|(write, acknowledgement)| state.draft.add(write, acknowledgement));
        let mut records = std::mem::take(&mut state.again);
        records.extend(state.draft.all());
        self.commits.fetch_add(records.len(), Ordering::Relaxed);
        // A database that failed is tried even if nothing is pending.
        let is_nothing = records
            .iter()
            .all(|record| record.statements.is_empty() && record.usage.is_none());
        let result = if is_nothing && !self.is_failing() {
            Ok(())
        } else {
            state.carry_over(&mut records, last)
        };
        self.is_failing.store(result.is_err(), Ordering::Relaxed);
        self.is_refusing.store(
            result.as_ref().is_err_and(|error| !is_busy(error)),
            Ordering::Relaxed,
        );
        if let Err(error) = &result {
            state.again = left(error, records);
            if !state.again.is_empty() {
                return false;
            }
        } else {
            records.iter_mut().for_each(|record| record.tell(&Ok(())));
            self.empty_journal(last);
        }
        self.written.store(handed, Ordering::Release);
        let bytes = std::mem::take(&mut state.bytes);
        self.missing.fetch_sub(bytes, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        result.is_ok()
    }

    /// Truncates the journal file that has been carried over.
    fn empty_journal(&self, last: u64) {
        let Some(file) = lock(&self.handed_over).journal.carried_over(last) else {
            return;
        };
        match file.set_len(0) {
            Ok(()) => lock(&self.handed_over).journal.emptied(),
            Err(error) => {
                tracing::warn!(%error, "the journal could not be emptied, and goes on as it is")
            }
        }
    }

    /// Writes all pending records, waiting for the lock, and runs a checkpoint if one is due.
    fn keep_up(&self, upkeep: &Connection, moved: &mut Instant) -> Result<(), rusqlite::Error> {
        if !self.write_with(&mut lock(&self.state)) {
            return Ok(());
        }
        // Records that arrived while the lock was held are pending.
        self.write();
        let (commits, bytes) = (
            self.commits.load(Ordering::Relaxed),
            self.bytes.load(Ordering::Relaxed),
        );
        if commits < CHECKPOINT && bytes < CHECKPOINT_BYTES && moved.elapsed() < CHECKPOINT_TIME {
            return Ok(());
        }
        *moved = Instant::now();
        self.commits.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        // The passive checkpoint does most of the work while others write. The WAL restarts only if
        // no thread writes for the moment that the rest takes; async tasks that submit records
        // meanwhile do not block a thread.
        checkpoint(upkeep, "PASSIVE")?;
        let state = lock(&self.state);
        let moved = checkpoint(&state.connection, "RESTART");
        drop(state);
        self.write();
        moved
    }

    /// Runs the last checkpoint, which truncates the WAL.
    pub(super) fn close(&self) {
        if let Err(error) = checkpoint(&lock(&self.state).connection, "TRUNCATE") {
            tracing::warn!(%error, "the log of the database stays beside it");
        }
    }
}

/// Returns the records to retry after a failure. If another process holds the lock, all waiters go
/// on waiting; otherwise only records are retried that were acknowledged already.
fn left(error: &rusqlite::Error, mut records: Vec<Record>) -> Vec<Record> {
    if is_busy(error) {
        records.retain(|record| {
            !record.statements.is_empty() || record.usage.is_some() || record.waiting.is_awaited()
        });
        tracing::warn!(
            records = records.len(),
            "another process writes to the database; records wait for it"
        );
    } else {
        tracing::error!(%error, records = records.len(), "the database takes no records");
        records
            .iter_mut()
            .filter(|record| record.waiting.is_awaited())
            .for_each(|record| record.tell(&Err(error.to_string())));
        records.retain(|record| record.waiting.are_acknowledged);
    }
    records
}

/// Whether another process holds the lock.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Whether an error is about the record's content, and not about the database or the disk: it would
/// be refused for ever.
fn is_of_a_record(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch)
    ) || matches!(error, rusqlite::Error::ToSqlConversionFailure(_))
}

/// Runs a WAL checkpoint of this kind, as far as locks allow.
fn checkpoint(connection: &Connection, kind: &str) -> Result<(), rusqlite::Error> {
    connection
        .query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(()))
        .map(drop)
}

/// Writes records without a waiter at intervals, until the writer is dropped.
fn keep_up(upkeep: &Connection, writer: &Weak<Sqlite>) {
    let (mut moved, mut pause) = (Instant::now(), LAZY / 2);
    loop {
        std::thread::sleep(pause);
        let Some(writer) = writer.upgrade() else {
            return;
        };
        if let Err(error) = writer.keep_up(upkeep, &mut moved) {
            tracing::error!(%error, "the log of the database could not be moved into it");
        }
        pause = if writer.is_failing() {
            FAILED
        } else {
            LAZY / 2
        };
    }
}

impl ToSql for Parameter {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Text(None) | Self::Number(None) => ValueRef::Null,
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Number(Some(number)) => ValueRef::Integer(*number),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
