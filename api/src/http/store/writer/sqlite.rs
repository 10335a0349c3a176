//! How are records written to SQLite?
//!
//! A record is acknowledged as soon as it is in the [`Journal`]. A few times a second a thread carries over into the database what has
//! gathered, and now and then moves the database's own log into it, which waits for the disk. Whoever waits for what is too large for the
//! journal, or wants to read what was acknowledged, carries over what is there: that takes less time than waking another thread.

use super::journal::Journal;
use super::{Done, Draft, LAZY, Record, Value, Write};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};
use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

/// Records and bytes after which the log is moved into the database, and the longest time until that.
const CHECKPOINT: usize = 4000;
const CHECKPOINT_BYTES: usize = 32 << 20;
const CHECKPOINT_TIME: Duration = Duration::from_secs(60);

/// How long whoever writes waits for another process that does.
const BUSY: Duration = Duration::from_millis(250);

/// Bytes of a record that goes through the journal; a larger one would be written twice for nothing.
const NOTED: usize = 64 << 10;

/// Bytes that are written by whoever hands them over; more are left to a thread that others do not wait for.
const SMALL: usize = 256 << 10;

/// Records, and bytes of them, that gather until whoever hands over one more writes them.
const GATHERED: usize = 2048;
const GATHERED_BYTES: usize = 8 << 20;

/// Records that may be missing from the database while it takes none; more of them wait until it does.
const BEHIND: u64 = 20_000;

/// Remembers how far the journal has been carried over.
const APPLIED: &str = "UPDATE journal SET applied = $1";

/// Writes records to SQLite.
pub(in super::super) struct Sqlite {
    handed_over: Mutex<HandedOver>,
    state: Mutex<State>,
    /// How many records were handed over, and how many of those are in the database.
    handed: AtomicU64,
    written: AtomicU64,
    commits: AtomicUsize,
    bytes: AtomicUsize,
}

/// What nobody has begun to write.
struct HandedOver {
    journal: Journal,
    waiting: Vec<(Write, Option<Done>)>,
    bytes: usize,
}

impl HandedOver {
    fn push(&mut self, write: Write, done: Option<Done>) {
        self.bytes += write.size();
        self.waiting.push((write, done));
    }

    fn is_much(&self) -> bool {
        self.waiting.len() >= GATHERED || self.bytes >= GATHERED_BYTES
    }
}

struct State {
    connection: Connection,
    draft: Draft,
    /// What could not be written, and is tried again.
    again: Vec<Record>,
    /// How far the journal has been carried over.
    applied: u64,
}

impl State {
    /// Writes all of the records, which are those of the journal up to a number, or none.
    fn carry(&mut self, records: &[Record], last: u64) -> Result<(), rusqlite::Error> {
        let transaction = self.connection.unchecked_transaction()?;
        for (sql, values) in records.iter().flat_map(|record| &record.statements) {
            transaction.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
        }
        if last > self.applied {
            transaction.prepare_cached(APPLIED)?.execute([i64::try_from(last).unwrap_or(i64::MAX)])?;
        }
        transaction.commit()?;
        self.applied = self.applied.max(last);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    // A commit survives the end of this process without waiting for the disk.
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;")?;
    Ok(connection)
}

impl Sqlite {
    pub(super) fn open(folder: &Path, path: &Path) -> Result<Arc<Self>, Box<dyn Error + Send + Sync>> {
        let connection = connect(path)?;
        let applied = connection.query_row("SELECT applied FROM journal", [], |row| row.get::<_, i64>(0))?;
        let applied = u64::try_from(applied)?;
        let (mut journal, left) = Journal::open(folder, applied)?;
        let mut state = State { connection, draft: Draft::default(), again: Vec::new(), applied };
        if !left.is_empty() {
            tracing::info!(records = left.len(), "the process before this one left records in the journal; they go into the database");
        }
        left.into_iter().for_each(|write| state.draft.add(write, None));
        let (records, last) = (state.draft.all(), journal.seal());
        state.carry(&records, last)?;
        journal.clear()?;
        checkpoint(&state.connection, "TRUNCATE")?;
        let writer = Arc::new(Self {
            handed_over: Mutex::new(HandedOver { journal, waiting: Vec::new(), bytes: 0 }),
            state: Mutex::new(state),
            handed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            commits: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
        });
        let (upkeep, weak) = (connect(path)?, Arc::downgrade(&writer));
        std::thread::Builder::new().name("records".to_owned()).spawn(move || keep_up(&upkeep, &weak))?;
        Ok(writer)
    }

    /// Whether not everything that was handed over is in the database.
    pub(super) fn is_behind(&self) -> bool {
        self.written.load(Ordering::Acquire) < self.handed.load(Ordering::Acquire)
    }

    /// Puts a record into the journal; gives it back where it does not belong there.
    pub(super) fn note(self: &Arc<Self>, write: Write) -> Option<Write> {
        let behind = self.handed.load(Ordering::Relaxed).saturating_sub(self.written.load(Ordering::Relaxed));
        if matches!(write, Write::Barrier) || write.size() > NOTED || behind > BEHIND {
            return Some(write);
        }
        let is_much = {
            let mut handed_over = lock(&self.handed_over);
            if let Err(error) = handed_over.journal.append(&write) {
                tracing::error!(%error, "the journal takes no records; they are written to the database at once");
                return Some(write);
            }
            handed_over.push(write, None);
            self.handed.fetch_add(1, Ordering::Release);
            handed_over.is_much()
        };
        if is_much {
            self.write_elsewhere();
        }
        None
    }

    /// Hands a record over. If somebody waits for it, it is written before this returns, or by whoever writes at the moment.
    pub(super) fn send(self: &Arc<Self>, write: Write, done: Option<Done>) {
        let (size, is_awaited) = (write.size(), done.is_some());
        let is_much = {
            let mut handed_over = lock(&self.handed_over);
            handed_over.push(write, done);
            self.handed.fetch_add(1, Ordering::Release);
            handed_over.is_much()
        };
        if size > SMALL || is_much {
            self.write_elsewhere();
        } else if is_awaited {
            self.write();
        }
    }

    /// As [`Sqlite::write`], by a thread that others do not wait for.
    fn write_elsewhere(self: &Arc<Self>) {
        let this = Arc::clone(self);
        tokio::task::spawn_blocking(move || this.write());
    }

    /// Writes all that there is, unless somebody does already, who then also sees what was handed over a moment ago.
    fn write(&self) {
        loop {
            let mut state = match self.state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            self.write_with(&mut state);
            drop(state);
            // What came while the lock was held has nobody else to write it.
            if !lock(&self.handed_over).waiting.iter().any(|(_, done)| done.is_some()) {
                return;
            }
        }
    }

    fn write_with(&self, state: &mut State) {
        let (waiting, last, handed) = {
            let mut handed_over = lock(&self.handed_over);
            handed_over.bytes = 0;
            let waiting = std::mem::take(&mut handed_over.waiting);
            (waiting, handed_over.journal.seal(), self.handed.load(Ordering::Acquire))
        };
        for (write, done) in waiting {
            self.bytes.fetch_add(write.size(), Ordering::Relaxed);
            state.draft.add(write, done);
        }
        let was_failing = !state.again.is_empty();
        let mut records = std::mem::take(&mut state.again);
        records.extend(state.draft.all());
        if records.is_empty() {
            self.written.store(handed, Ordering::Release);
            return;
        }
        self.commits.fetch_add(records.len(), Ordering::Relaxed);
        if let Err(error) = state.carry(&records, last) {
            let is_busy = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
            if is_busy || !is_of_a_record(&error) {
                if !was_failing {
                    tracing::error!(%error, records = records.len(), "the database takes no records; they are tried again until it does");
                }
                // Whoever waits for another process to be done goes on waiting; nobody else does.
                if !is_busy {
                    let waited = records.iter_mut().filter(|record| !record.waits.is_empty());
                    waited.for_each(|record| record.tell(&Err(error.to_string())));
                    records.retain(|record| !record.statements.is_empty());
                }
                state.again = records;
                return;
            }
            tracing::error!(%error, "records could not be written together; they are written one by one");
            for record in &mut records {
                let written = state.carry(std::slice::from_ref(record), 0).map_err(|error| error.to_string());
                record.tell(&written);
            }
            if let Err(error) = state.carry(&[], last) {
                tracing::error!(%error, "how far the journal has been carried over could not be written");
            }
        }
        self.written.store(handed, Ordering::Release);
        lock(&self.handed_over).journal.applied(last);
        records.iter_mut().for_each(|record| record.tell(&Ok(())));
    }

    /// Writes all that there is, whoever writes at the moment, and moves the log into the database where that is time.
    fn keep_up(&self, upkeep: &Connection, moved: &mut Instant) -> Result<(), rusqlite::Error> {
        self.write_with(&mut lock(&self.state));
        // Whoever came while the lock was held has left what it had.
        self.write();
        let (commits, bytes) = (self.commits.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        if commits < CHECKPOINT && bytes < CHECKPOINT_BYTES && moved.elapsed() < CHECKPOINT_TIME {
            return Ok(());
        }
        *moved = Instant::now();
        self.commits.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        // The most of it is moved while others write. The log begins anew only if nobody writes for the moment that the rest takes;
        // those who hand something over wait without a thread.
        checkpoint(upkeep, "PASSIVE")?;
        let state = lock(&self.state);
        let moved = checkpoint(&state.connection, "RESTART");
        drop(state);
        self.write();
        moved
    }

    /// Moves the log into the database for the last time.
    pub(super) fn close(&self) {
        if let Err(error) = checkpoint(&lock(&self.state).connection, "TRUNCATE") {
            tracing::warn!(%error, "the log of the database stays beside it");
        }
    }
}

/// Whether an error is about what was to be written, and not about the database or the disk: that one would be refused for ever.
fn is_of_a_record(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(code) => matches!(code, ErrorCode::ConstraintViolation | ErrorCode::TooBig | ErrorCode::TypeMismatch),
        None => true,
    }
}

/// Moves the log into the database, as far as nobody is in the way.
fn checkpoint(connection: &Connection, kind: &str) -> Result<(), rusqlite::Error> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(())).map(drop)
}

/// Writes what nobody waits for, until there is no writer any more.
fn keep_up(upkeep: &Connection, writer: &Weak<Sqlite>) {
    let mut moved = Instant::now();
    loop {
        std::thread::sleep(LAZY / 2);
        let Some(writer) = writer.upgrade() else { return };
        if let Err(error) = writer.keep_up(upkeep, &mut moved) {
            tracing::error!(%error, "the log of the database could not be moved into it");
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Text(None) | Self::Number(None) => ValueRef::Null,
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Number(Some(number)) => ValueRef::Integer(*number),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
