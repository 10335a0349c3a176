//! Group commit: how do records get into the database?
//!
//! All pending records are written as one transaction, so a record costs its share of a commit. A
//! caller that needs durability waits for the commit or, with SQLite, until the record is in a
//! write-ahead journal beside the database, which costs less still. Records that no caller waits
//! for are written a little later: most executions have ended by then, and only their end is
//! written.

mod draft;
mod journal;
mod postgres;
mod sqlite;

pub(super) use draft::{Acknowledgement, Write};

use sqlx::AnyPool;
use std::path::Path;
use std::sync::Arc;

/// Writes records to the database.
#[derive(Clone)]
pub(super) enum Writer {
    /// The threads that submit records write them, one for all that wait.
    Sqlite(Arc<sqlite::Sqlite>),
    /// One task writes them.
    Task(postgres::Sender),
}

impl Writer {
    /// Opens an existing SQLite database, with its journal in a directory, from which it first
    /// recovers what is not in the database yet.
    pub(super) fn sqlite(
        folder: &Path,
        path: &Path,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        sqlite::Sqlite::open(folder, path).map(Self::Sqlite)
    }

    /// Writes through a connection pool.
    pub(super) fn task(pool: AnyPool) -> Self {
        Self::Task(postgres::start(pool))
    }

    /// Shrinks the database's files as far as possible; nothing is submitted after this.
    pub(super) fn close(&self) {
        if let Self::Sqlite(sqlite) = self {
            sqlite.close();
        }
    }

    /// Submits a record that survives this process from now on; returns it if that takes more than
    /// a moment.
    pub(super) fn note(&self, write: Write) -> Option<Write> {
        match self {
            Self::Sqlite(sqlite) => sqlite.note(write),
            Self::Task(_) => Some(write),
        }
    }

    /// Whether the database is known to refuse records at the moment.
    pub(super) fn is_refusing(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_refusing(),
            Self::Task(_) => false,
        }
    }

    /// Whether acknowledged records may not be in the database yet.
    pub(super) fn is_behind(&self) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_behind(),
            Self::Task(_) => false,
        }
    }

    /// Submits a record.
    pub(super) async fn send(
        &self,
        write: Write,
        acknowledgement: Acknowledgement,
    ) -> Result<(), String> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.send(write, acknowledgement);
                Ok(())
            }
            Self::Task(sender) => sender
                .send((write, acknowledgement))
                .await
                .map_err(|_| "the store has closed".to_owned()),
        }
    }
}
