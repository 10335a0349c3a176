//! How are records written to SQLite?
//!
//! A commit to the write-ahead log takes less time than waking another thread, so whoever hands a record over commits it, together with all
//! that others have handed over meanwhile. Only what takes longer is done by a thread of its own: moving the log into the database, which
//! waits for the disk, and what nobody waits for.

use super::{BATCH, Done, Draft, LAZY, Record, Statement, Value, Write};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

/// Records and bytes after which the log is moved into the database, and the longest time until that.
const CHECKPOINT: usize = 4000;
const CHECKPOINT_BYTES: usize = 32 << 20;
const CHECKPOINT_TIME: Duration = Duration::from_secs(60);

/// How long whoever writes waits for another process that does.
const BUSY: Duration = Duration::from_millis(250);

/// Bytes that are written by whoever hands them over; more are left to a thread that others do not wait for.
const SMALL: usize = 256 << 10;

/// Writes records to SQLite.
pub(in super::super) struct Sqlite {
    handed_over: Mutex<Vec<(Write, Option<Done>)>>,
    state: Mutex<State>,
    commits: AtomicUsize,
    bytes: AtomicUsize,
}

struct State {
    connection: Connection,
    draft: Draft,
    /// What another process was in the way of.
    again: Vec<Record>,
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
    pub(super) fn open(path: &Path) -> Result<Arc<Self>, rusqlite::Error> {
        let state = State { connection: connect(path)?, draft: Draft::default(), again: Vec::new() };
        checkpoint(&state.connection, "TRUNCATE")?;
        let (commits, bytes) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let writer = Arc::new(Self { handed_over: Mutex::default(), state: Mutex::new(state), commits, bytes });
        let (upkeep, weak) = (connect(path)?, Arc::downgrade(&writer));
        let started = std::thread::Builder::new().name("records".to_owned()).spawn(move || keep_up(&upkeep, &weak));
        started.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(writer)
    }

    /// Hands a record over. If somebody waits for it, it is written before this returns, or by whoever writes at the moment.
    pub(super) fn send(self: &Arc<Self>, write: Write, done: Option<Done>) {
        let (size, is_awaited) = (write.size(), done.is_some());
        self.bytes.fetch_add(size, Ordering::Relaxed);
        let waiting = {
            let mut waiting = lock(&self.handed_over);
            waiting.push((write, done));
            waiting.len()
        };
        if !is_awaited && waiting < BATCH {
            return;
        }
        if size <= SMALL {
            self.write();
        } else {
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || this.write());
        }
    }

    /// Writes all that is due, unless somebody does already, who then also sees what was handed over a moment ago.
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
            if !lock(&self.handed_over).iter().any(|(_, done)| done.is_some()) {
                return;
            }
        }
    }

    fn write_with(&self, state: &mut State) {
        for (write, done) in std::mem::take(&mut *lock(&self.handed_over)) {
            state.draft.add(write, done);
        }
        let mut records = std::mem::take(&mut state.again);
        records.extend(state.draft.due());
        if records.is_empty() {
            return;
        }
        self.commits.fetch_add(records.len(), Ordering::Relaxed);
        let Err(error) = transact(&state.connection, records.iter().flat_map(|record| &record.statements)) else {
            records.into_iter().for_each(|record| record.tell(&Ok(())));
            return;
        };
        if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
            // Those who wait for them go on waiting; nobody else does.
            tracing::warn!(records = records.len(), "another process writes to the database; records wait for it");
            state.again = records;
            return;
        }
        tracing::error!(%error, "records could not be written together; they are written one by one");
        for record in records {
            let written = transact(&state.connection, record.statements.iter()).map_err(|error| error.to_string());
            Record::tell(record, &written);
        }
    }

    /// Writes all that is due, whoever writes at the moment, and moves the log into the database where that is time.
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

/// Moves the log into the database, as far as nobody is in the way.
fn checkpoint(connection: &Connection, kind: &str) -> Result<(), rusqlite::Error> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({kind})"), [], |_| Ok(())).map(drop)
}

/// Does what nobody waits for, until there is no writer any more.
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

/// Carries out all of it or nothing.
fn transact<'a>(connection: &Connection, statements: impl Iterator<Item = &'a Statement>) -> Result<(), rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    for (sql, values) in statements {
        transaction.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?;
    }
    transaction.commit()
}
