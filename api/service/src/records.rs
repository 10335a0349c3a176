//! Records: which of them are kept, and in which database?
//!
//! One set of statements for SQLite and PostgreSQL. Records of executions are written by
//! [`writer`], which uses group commit; everything else, and all reading, goes through a connection
//! pool.

mod audited;
mod executions;
mod head;
mod idempotency;
mod kept;
mod keys;
pub(crate) mod rows;
mod time;
mod trees;
mod usage;
mod writer;

pub(crate) use audited::{Audited, HOUR_MS};
pub(crate) use executions::ExecutionFilter;
pub(crate) use head::LogHead;
pub(crate) use idempotency::KeyClaim;
pub(crate) use time::now_ms;

use glovebox_wire::execution::ExecutionState;
use glovebox_wire::records::UsageDay;
use rows::{ExecutionRow, SessionRow, TreeRow};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, Row as _, SqlSafeStr as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use writer::{Acknowledgement, Write, Writer};

/// Schema migrations from an empty database to this version.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "start", include_str!("../../migrations/0001_start.sql")),
    (2, "trees", include_str!("../../migrations/0002_trees.sql")),
    (
        3,
        "journal",
        include_str!("../../migrations/0003_journal.sql"),
    ),
    (
        10,
        "audit head",
        include_str!("../../migrations/0010_audit_head.sql"),
    ),
    (11, "kept", include_str!("../../migrations/0011_kept.sql")),
    (
        12,
        "audit heads",
        include_str!("../../migrations/0012_audit_heads.sql"),
    ),
    (
        21,
        "audit written",
        include_str!("../../migrations/0021_audit_written.sql"),
    ),
];

/// Timeout for the last records at shutdown.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of a reader that waits for pending records.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that a row without its own `bytes` counts for.
const UNCOUNTED_ROW_BYTES: i64 = rows::ROW_BYTES.cast_signed();

/// The purpose for which a process opens the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To write records; a SQLite database has only one such process at a time.
    Serve,
    /// To manage API keys, beside the process that serves.
    Keys,
}

/// The database.
#[derive(Clone)]
pub(crate) struct Records {
    pool: AnyPool,
    writer: Option<Writer>,
}

impl Records {
    /// Opens the database at a URL (`postgres://..`), or the SQLite database in a directory, and
    /// migrates it to this version.
    pub(crate) async fn open(
        url: Option<&str>,
        folder: &Path,
        purpose: Purpose,
    ) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let path = folder.join("glovebox.sqlite");
        let pool = match url {
            Some(_) if !cfg!(feature = "postgres") => {
                let error = "this `glovebox` was built without the feature `postgres`";
                return Err(sqlx::Error::Configuration(error.into()));
            }
            Some(url) => {
                AnyPoolOptions::new()
                    .max_connections(8)
                    .acquire_timeout(Duration::from_secs(10))
                    .connect(url)
                    .await?
            }
            None => {
                let options = AnyPoolOptions::new()
                    .max_connections(4)
                    .test_before_acquire(false)
                    .after_connect(|connection, _| {
                        Box::pin(async move {
                            // A commit survives the end of this process without waiting for the
                            // disk (no fsync).
                            for pragma in [
                                "PRAGMA journal_mode = WAL",
                                "PRAGMA synchronous = NORMAL",
                                "PRAGMA busy_timeout = 10000",
                                "PRAGMA wal_autocheckpoint = 0",
                            ] {
                                sqlx::query(pragma).execute(&mut *connection).await?;
                            }
                            Ok(())
                        })
                    });
                options
                    .connect(&format!("sqlite://{}?mode=rwc", path.display()))
                    .await?
            }
        };
        let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                (*sql).into_sql_str(),
                false,
            )
        };
        Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
            .run(&pool)
            .await?;
        let writer = match (purpose, url) {
            (Purpose::Keys, _) => None,
            (Purpose::Serve, Some(_)) => Some(Writer::task(pool.clone())),
            (Purpose::Serve, None) => {
                Some(Writer::sqlite(folder, &path).map_err(sqlx::Error::Configuration)?)
            }
        };
        Ok(Self { pool, writer })
    }

    /// Whether the database responds, and accepts records.
    pub(crate) async fn answers(&self) -> bool {
        let is_refusing = self.writer.as_ref().is_some_and(Writer::is_refusing);
        !is_refusing && sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    fn writer(&self) -> Result<&Writer, String> {
        self.writer
            .as_ref()
            .ok_or_else(|| "the store was opened for its keys alone".to_owned())
    }

    /// Writes a record; returns when it survives the end of this process.
    async fn written(&self, write: Write) -> Result<(), String> {
        let writer = self.writer()?;
        let Some(write) = writer.note(write) else {
            return Ok(());
        };
        let (done, wait) = oneshot::channel();
        writer.send(write, Acknowledgement::Channel(done)).await?;
        wait.await
            .unwrap_or_else(|_| Err("the store has closed".to_owned()))
    }

    fn is_behind(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_behind)
    }

    /// Waits until every acknowledged record is in the database.
    pub(crate) async fn settle(&self) -> Result<(), String> {
        if self.is_behind() {
            self.written(Write::Barrier).await
        } else {
            Ok(())
        }
    }

    /// Returns the database once it has every acknowledged record.
    async fn settled(&self) -> Result<&AnyPool, sqlx::Error> {
        let settled = tokio::time::timeout(SETTLE_TIMEOUT, self.settle())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        settled.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        Ok(&self.pool)
    }

    /// Runs a query, and repeats it once every acknowledged record is in the database, unless its
    /// result is final already.
    async fn find<T, F>(
        &self,
        look: impl Fn() -> F,
        is_final: impl Fn(&T) -> bool,
    ) -> Result<T, sqlx::Error>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        let was_behind = self.is_behind();
        let found = look().await?;
        if !was_behind || is_final(&found) {
            return Ok(found);
        }
        self.settled().await?;
        look().await
    }

    /// Stores an execution, in place of its previous record; returns when the record is durable.
    pub(crate) async fn put(&self, row: Arc<ExecutionRow>) -> Result<(), String> {
        self.written(Write::Execution(row, None)).await
    }

    /// Stores an execution that has ended like [`Records::put`], and adds its usage to that of its
    /// subject on that day.
    pub(crate) async fn put_ended(
        &self,
        row: Arc<ExecutionRow>,
        usage: Option<UsageDay>,
    ) -> Result<(), String> {
        self.written(Write::Execution(row, usage.map(Box::new)))
            .await
    }

    /// Adds usage that belongs to no execution to that of a subject on that day; `id` names it in
    /// the log. Returns when it is durable.
    pub(crate) async fn add_usage(&self, id: &str, usage: UsageDay) -> Result<(), String> {
        self.written(Write::Usage(id.to_owned(), Box::new(usage)))
            .await
    }

    /// Stores an execution like [`Records::put`], without waiting.
    pub(crate) async fn put_later(&self, row: Arc<ExecutionRow>) -> Result<(), String> {
        self.writer()?
            .send(Write::Execution(row, None), Acknowledgement::None)
            .await
    }

    pub(crate) async fn put_session(&self, row: SessionRow) -> Result<(), String> {
        self.written(Write::Session(Box::new(row))).await
    }

    /// Stores a task tree; returns when it is durable.
    pub(crate) async fn put_tree(&self, row: TreeRow) -> Result<(), String> {
        self.written(Write::Tree(Box::new(row))).await
    }

    /// Stores a task tree like [`Records::put_tree`], without waiting.
    pub(crate) async fn put_tree_later(&self, row: TreeRow) -> Result<(), String> {
        self.writer()?
            .send(Write::Tree(Box::new(row)), Acknowledgement::None)
            .await
    }

    /// Marks executions that the previous process left unfinished as interrupted; returns how many
    /// there were.
    pub(crate) async fn mark_interrupted(&self) -> Result<u64, sqlx::Error> {
        let now = now_ms();
        let executions = sqlx::query(
            "UPDATE executions SET status = $1, ended_ms = $2, bytes = CASE WHEN bytes = 0 THEN CAST($3 AS BIGINT) ELSE bytes END \
             WHERE ended_ms IS NULL",
        )
        .bind(ExecutionState::Interrupted.name())
        .bind(now)
        .bind(UNCOUNTED_ROW_BYTES)
        .execute(&self.pool)
        .await?;
        sqlx::query("UPDATE task_trees SET status = $1, ended_ms = $2 WHERE ended_ms IS NULL")
            .bind(ExecutionState::Interrupted.name())
            .bind(now)
            .execute(&self.pool)
            .await?;
        sqlx::query("UPDATE sessions SET ended_ms = $1, end_reason = $2 WHERE ended_ms IS NULL")
            .bind(now)
            .bind(ExecutionState::Interrupted.name())
            .execute(&self.pool)
            .await?;
        Ok(executions.rows_affected())
    }

    /// Waits until all pending records are written, and closes the database.
    pub(crate) async fn close(&self) {
        match tokio::time::timeout(CLOSE_TIMEOUT, self.written(Write::Barrier)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error, "the last records could not be written"),
            Err(_) => tracing::error!("the database took too long to take the last records"),
        }
        self.pool.close().await;
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}

/// Returns a column that is stored by name.
fn parsed<T>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let name: String = row.try_get(column)?;
    name.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
