//! Persistent store: which records are kept, and in which database?
//!
//! One set of statements for SQLite and PostgreSQL. Records of executions are written by [`writer`], which uses group commit; everything
//! else, and all reading, goes through a connection pool.

mod audited;
mod head;
mod kept;
mod writer;

pub(super) use audited::{Audited, HOUR_MS};

use super::kept::ROW;
use serde::{Deserialize, Serialize};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, Row as _, SqlSafeStr as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;
use writer::{Waits, Write, Writer};

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

/// One day, the unit of usage accounting.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Age after which an idempotency key without a known execution counts as abandoned.
const ABANDONED_MS: i64 = 10_000;

/// Timeout for the last records at shutdown.
const LAST: Duration = Duration::from_secs(30);

/// Timeout of a reader that waits for pending records.
const SETTLES: Duration = Duration::from_secs(10);

/// The status of an execution that a crash or a kill cut short.
pub(super) const INTERRUPTED: &str = "interrupted";

/// Bytes that a row without its own `bytes` counts for.
const ROW_BYTES: i64 = ROW.cast_signed();

/// Returns the current time, in milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| {
            i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
        })
}

/// The row of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct ExecutionRow {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) session: Option<String>,
    pub(super) language: String,
    pub(super) profile: Option<String>,
    pub(super) status: String,
    pub(super) created_ms: i64,
    pub(super) started_ms: Option<i64>,
    pub(super) ended_ms: Option<i64>,
    /// The outcome as JSON.
    pub(super) result: Option<String>,
    pub(super) artifacts: Vec<ArtifactRow>,
    /// Bytes stored for it and its artifacts, once it has ended.
    #[serde(default)]
    pub(super) bytes: i64,
}

/// The row of an artifact, which refers to its content by digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ArtifactRow {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) bytes: i64,
}

/// The row of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SessionRow {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) language: String,
    pub(super) profile: Option<String>,
    pub(super) created_ms: i64,
    pub(super) ended_ms: Option<i64>,
    pub(super) end_reason: Option<String>,
}

/// The row of a task tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TreeRow {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) status: String,
    pub(super) created_ms: i64,
    pub(super) ended_ms: Option<i64>,
    /// The tasks as JSON, if they are needed.
    pub(super) plan: Option<String>,
    /// The state of the tasks, as JSON.
    pub(super) nodes: String,
    pub(super) revision: i64,
    /// Bytes stored for it, if its plan is present.
    #[serde(default)]
    pub(super) bytes: i64,
}

/// The row of an API key: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyRow {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) secret_sha256: String,
    pub(super) scopes: String,
    pub(super) created_ms: i64,
    pub(super) expires_ms: Option<i64>,
    pub(super) revoked_ms: Option<i64>,
}

/// The usage of a subject on one day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Usage)]
pub(super) struct UsageRow {
    /// The subject.
    pub(super) subject: String,
    /// The start of the day (UTC), in milliseconds since 1970.
    pub(super) day_ms: i64,
    /// Executions that ended.
    pub(super) executions: i64,
    /// Executions that the policy denied.
    pub(super) denied: i64,
    /// Executions that a limit ended.
    pub(super) limited: i64,
    /// Wall-clock time, in microseconds.
    pub(super) wall_us: i64,
    /// CPU time, in microseconds.
    pub(super) cpu_us: i64,
    /// Fuel.
    pub(super) fuel: i64,
    /// Bytes written to standard output and standard error.
    pub(super) output_bytes: i64,
}

/// The purpose for which a process opens the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To write records; a SQLite database has only one such process at a time.
    Serve,
    /// To manage API keys, beside the process that serves.
    Keys,
}

/// The database.
#[derive(Clone)]
pub(super) struct Store {
    pool: AnyPool,
    writer: Option<Writer>,
}

/// Filters of a list of executions.
#[derive(Clone, Debug, Default)]
pub(super) struct ExecutionFilter {
    pub(super) subject: String,
    pub(super) status: Option<String>,
    pub(super) language: Option<String>,
    pub(super) session: Option<String>,
    /// Only executions older than this one: its time and its id.
    pub(super) before: Option<(i64, String)>,
    pub(super) limit: i64,
}

impl Store {
    /// Opens the database at a URL (`postgres://..`), or the SQLite database in a directory, and migrates it to this version.
    pub(super) async fn open(
        url: Option<&str>,
        folder: &Path,
        purpose: Purpose,
    ) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let path = folder.join("glovebox.sqlite");
        let pool = match url {
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
                            // A commit survives the end of this process without waiting for the disk (no fsync).
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
    pub(super) async fn answers(&self) -> bool {
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
        writer.send(write, Waits::One(done)).await?;
        wait.await
            .unwrap_or_else(|_| Err("the store has closed".to_owned()))
    }

    fn is_behind(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_behind)
    }

    /// Waits until every acknowledged record is in the database.
    pub(super) async fn settle(&self) -> Result<(), String> {
        if self.is_behind() {
            self.written(Write::Barrier).await
        } else {
            Ok(())
        }
    }

    /// Returns the database once it has every acknowledged record.
    async fn settled(&self) -> Result<&AnyPool, sqlx::Error> {
        let settled = tokio::time::timeout(SETTLES, self.settle())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)?;
        settled.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?;
        Ok(&self.pool)
    }

    /// Runs a query, and repeats it once every acknowledged record is in the database, unless its result is final already.
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
    pub(super) async fn put(&self, row: ExecutionRow) -> Result<(), String> {
        self.written(Write::Execution(Box::new(row), None)).await
    }

    /// Stores an execution that has ended like [`Store::put`], and adds its usage to that of its subject on that day.
    pub(super) async fn put_ended(
        &self,
        row: ExecutionRow,
        usage: Option<UsageRow>,
    ) -> Result<(), String> {
        self.written(Write::Execution(Box::new(row), usage.map(Box::new)))
            .await
    }

    /// Adds usage that belongs to no execution to that of a subject on that day; `id` names it in the log. Returns when it is durable.
    pub(super) async fn add_usage(&self, id: &str, usage: UsageRow) -> Result<(), String> {
        self.written(Write::Usage(id.to_owned(), Box::new(usage)))
            .await
    }

    /// Stores an execution like [`Store::put`], without waiting.
    pub(super) async fn put_later(&self, row: ExecutionRow) -> Result<(), String> {
        self.writer()?
            .send(Write::Execution(Box::new(row), None), Waits::Nobody)
            .await
    }

    pub(super) async fn put_session(&self, row: SessionRow) -> Result<(), String> {
        self.written(Write::Session(Box::new(row))).await
    }

    /// Stores a task tree; returns when it is durable.
    pub(super) async fn put_tree(&self, row: TreeRow) -> Result<(), String> {
        self.written(Write::Tree(Box::new(row))).await
    }

    /// Stores a task tree like [`Store::put_tree`], without waiting.
    pub(super) async fn put_tree_later(&self, row: TreeRow) -> Result<(), String> {
        self.writer()?
            .send(Write::Tree(Box::new(row)), Waits::Nobody)
            .await
    }

    /// Returns one task tree of a subject.
    pub(super) async fn tree(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<TreeRow>, sqlx::Error> {
        let look = || async {
            let row = sqlx::query("SELECT * FROM task_trees WHERE id = $1 AND subject = $2")
                .bind(id)
                .bind(subject);
            row.fetch_optional(&self.pool)
                .await?
                .map(|row| tree(&row))
                .transpose()
        };
        self.find(look, |found| {
            found.as_ref().is_some_and(|tree| tree.ended_ms.is_some())
        })
        .await
    }

    /// Returns task trees of a subject, the newest first.
    pub(super) async fn trees(
        &self,
        subject: &str,
        before: Option<(i64, String)>,
        limit: i64,
    ) -> Result<Vec<TreeRow>, sqlx::Error> {
        let (before_ms, before_id) = before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT id, subject, status, created_ms, ended_ms, CAST(NULL AS TEXT) AS plan, nodes, revision, bytes \
             FROM task_trees WHERE subject = $1 AND (created_ms < $2 OR (created_ms = $2 AND id < $3)) \
             ORDER BY created_ms DESC, id DESC LIMIT $4",
        );
        let rows = rows
            .bind(subject)
            .bind(before_ms)
            .bind(before_id)
            .bind(limit)
            .fetch_all(self.settled().await?)
            .await?;
        rows.iter().map(tree).collect()
    }

    /// Returns the artifacts of an execution.
    pub(super) async fn artifacts(&self, execution: &str) -> Result<Vec<ArtifactRow>, sqlx::Error> {
        let read = |row: &AnyRow| {
            Ok(ArtifactRow {
                path: row.try_get("path")?,
                sha256: row.try_get("sha256")?,
                bytes: row.try_get("bytes")?,
            })
        };
        let look = || async {
            let rows =
                sqlx::query("SELECT path, sha256, bytes FROM artifacts WHERE execution = $1")
                    .bind(execution);
            rows.fetch_all(&self.pool).await?.iter().map(read).collect()
        };
        self.find(look, |found: &Vec<ArtifactRow>| !found.is_empty())
            .await
    }

    /// Marks executions that the previous process left unfinished as interrupted; returns how many there were.
    pub(super) async fn mark_interrupted(&self) -> Result<u64, sqlx::Error> {
        let now = now_ms();
        let executions = sqlx::query(
            "UPDATE executions SET status = $1, ended_ms = $2, bytes = CASE WHEN bytes = 0 THEN CAST($3 AS BIGINT) ELSE bytes END \
             WHERE ended_ms IS NULL",
        )
        .bind(INTERRUPTED)
        .bind(now)
        .bind(ROW_BYTES)
        .execute(&self.pool)
        .await?;
        sqlx::query("UPDATE task_trees SET status = $1, ended_ms = $2 WHERE ended_ms IS NULL")
            .bind(INTERRUPTED)
            .bind(now)
            .execute(&self.pool)
            .await?;
        sqlx::query("UPDATE sessions SET ended_ms = $1, end_reason = $2 WHERE ended_ms IS NULL")
            .bind(now)
            .bind(INTERRUPTED)
            .execute(&self.pool)
            .await?;
        Ok(executions.rows_affected())
    }

    /// Returns one execution of a subject.
    pub(super) async fn execution(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<ExecutionRow>, sqlx::Error> {
        let look = || async {
            let row = sqlx::query("SELECT * FROM executions WHERE id = $1 AND subject = $2")
                .bind(id)
                .bind(subject);
            row.fetch_optional(&self.pool)
                .await?
                .map(|row| execution(&row))
                .transpose()
        };
        self.find(look, |found| {
            found
                .as_ref()
                .is_some_and(|execution| execution.ended_ms.is_some())
        })
        .await
    }

    /// Returns executions of a subject, the newest first.
    pub(super) async fn executions(
        &self,
        filter: ExecutionFilter,
    ) -> Result<Vec<ExecutionRow>, sqlx::Error> {
        let (before_ms, before_id) = filter.before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, CAST(NULL AS TEXT) AS result, bytes \
             FROM executions WHERE subject = $1 \
             AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND (CAST($3 AS TEXT) IS NULL OR language = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR session = $4) AND (created_ms < $5 OR (created_ms = $5 AND id < $6)) \
             ORDER BY created_ms DESC, id DESC LIMIT $7",
        )
        .bind(filter.subject)
        .bind(filter.status)
        .bind(filter.language)
        .bind(filter.session)
        .bind(before_ms)
        .bind(before_id)
        .bind(filter.limit)
        .fetch_all(self.settled().await?)
        .await?;
        rows.iter().map(execution).collect()
    }

    /// Returns the digest of an artifact.
    pub(super) async fn artifact(
        &self,
        execution: &str,
        path: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let digest = crate::wire::sha256(path);
        let look = || async {
            let row = sqlx::query(
                "SELECT sha256 FROM artifacts WHERE execution = $1 AND path_sha256 = $2",
            )
            .bind(execution);
            row.bind(digest.as_str())
                .fetch_optional(&self.pool)
                .await?
                .map(|row| row.try_get("sha256"))
                .transpose()
        };
        self.find(look, Option::is_some).await
    }

    /// Claims an idempotency key for an execution, or returns what it was claimed for: the digest of the request, and the execution. An
    /// execution that has begun may not be in the database yet; `is_live` reports such ones.
    pub(super) async fn take_key(
        &self,
        subject: &str,
        key: &str,
        request_sha256: &str,
        execution: &str,
        is_live: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, String)>, sqlx::Error> {
        let taken = sqlx::query(
            "INSERT INTO idempotency (subject, idempotency_key, request_sha256, execution, created_ms) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (subject, idempotency_key) DO NOTHING",
        )
        .bind(subject)
        .bind(key)
        .bind(request_sha256)
        .bind(execution)
        .bind(now_ms())
        .execute(&self.pool)
        .await?;
        if taken.rows_affected() == 1 {
            return Ok(None);
        }
        let row = sqlx::query("SELECT request_sha256, execution, created_ms FROM idempotency WHERE subject = $1 AND idempotency_key = $2")
            .bind(subject)
            .bind(key)
            .fetch_optional(&self.pool)
            .await?;
        // Released meanwhile: the next request with this key claims it.
        let Some(row) = row else {
            return Ok(Some((request_sha256.to_owned(), String::new())));
        };
        let (request, taken): (String, String) =
            (row.try_get("request_sha256")?, row.try_get("execution")?);
        let is_old = row.try_get::<i64, _>("created_ms")? < now_ms() - ABANDONED_MS;
        if is_old
            && !is_live(&taken)
            && self.execution(subject, &taken).await?.is_none()
            && !is_live(&taken)
        {
            // The process ended before anything began.
            let again = sqlx::query(
                "UPDATE idempotency SET execution = $1, request_sha256 = $2, created_ms = $3 \
                 WHERE subject = $4 AND idempotency_key = $5 AND execution = $6",
            )
            .bind(execution)
            .bind(request_sha256)
            .bind(now_ms())
            .bind(subject)
            .bind(key)
            .bind(taken.clone())
            .execute(&self.pool)
            .await?;
            if again.rows_affected() == 1 {
                return Ok(None);
            }
        }
        Ok(Some((request, taken)))
    }

    /// Releases an idempotency key whose execution never began.
    pub(super) async fn give_key_back(
        &self,
        subject: &str,
        key: &str,
        execution: &str,
    ) -> Result<(), sqlx::Error> {
        let gone = "DELETE FROM idempotency WHERE subject = $1 AND idempotency_key = $2 AND execution = $3";
        let gone = sqlx::query(gone).bind(subject).bind(key).bind(execution);
        gone.execute(&self.pool).await.map(drop)
    }

    /// Returns usage by day, of one subject or of all.
    pub(super) async fn usage(
        &self,
        subject: Option<&str>,
        since_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<UsageRow>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT * FROM usage_by_day WHERE (CAST($1 AS TEXT) IS NULL OR subject = $1) AND day_ms >= $2 AND day_ms < $3 \
             ORDER BY day_ms, subject LIMIT 10000",
        )
        .bind(subject.map(str::to_owned))
        .bind(since_ms)
        .bind(until_ms)
        .fetch_all(self.settled().await?)
        .await?;
        let read = |row: &AnyRow| {
            Ok(UsageRow {
                subject: row.try_get("subject")?,
                day_ms: row.try_get("day_ms")?,
                executions: row.try_get("executions")?,
                denied: row.try_get("denied")?,
                limited: row.try_get("limited")?,
                wall_us: row.try_get("wall_us")?,
                cpu_us: row.try_get("cpu_us")?,
                fuel: row.try_get("fuel")?,
                output_bytes: row.try_get("output_bytes")?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(super) async fn keys(&self) -> Result<Vec<KeyRow>, sqlx::Error> {
        let rows = sqlx::query("SELECT * FROM api_keys ORDER BY created_ms, id")
            .fetch_all(&self.pool)
            .await?;
        let read = |row: &AnyRow| {
            Ok(KeyRow {
                id: row.try_get("id")?,
                subject: row.try_get("subject")?,
                secret_sha256: row.try_get("secret_sha256")?,
                scopes: row.try_get("scopes")?,
                created_ms: row.try_get("created_ms")?,
                expires_ms: row.try_get("expires_ms")?,
                revoked_ms: row.try_get("revoked_ms")?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(super) async fn add_key(&self, key: &KeyRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO api_keys (id, subject, secret_sha256, scopes, created_ms, expires_ms, revoked_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, NULL)",
        )
        .bind(key.id.clone())
        .bind(key.subject.clone())
        .bind(key.secret_sha256.clone())
        .bind(key.scopes.clone())
        .bind(key.created_ms)
        .bind(key.expires_ms)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Revokes a key; returns whether there was one.
    pub(super) async fn revoke_key(&self, id: &str) -> Result<bool, sqlx::Error> {
        let revoked =
            sqlx::query("UPDATE api_keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
                .bind(now_ms())
                .bind(id);
        Ok(revoked.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Whether any artifact still refers to this content.
    pub(super) async fn needs_content(&self, sha256: &str) -> Result<bool, sqlx::Error> {
        let look = || async {
            let one = sqlx::query("SELECT 1 FROM artifacts WHERE sha256 = $1 LIMIT 1").bind(sha256);
            Ok(one.fetch_optional(&self.pool).await?.is_some())
        };
        self.find(look, |is_needed| *is_needed).await
    }

    /// Waits until all pending records are written, and closes the database.
    pub(super) async fn close(&self) {
        match tokio::time::timeout(LAST, self.written(Write::Barrier)).await {
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

fn tree(row: &AnyRow) -> Result<TreeRow, sqlx::Error> {
    Ok(TreeRow {
        id: row.try_get("id")?,
        subject: row.try_get("subject")?,
        status: row.try_get("status")?,
        created_ms: row.try_get("created_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        plan: row.try_get("plan")?,
        nodes: row.try_get("nodes")?,
        revision: row.try_get("revision")?,
        bytes: row.try_get("bytes")?,
    })
}

fn execution(row: &AnyRow) -> Result<ExecutionRow, sqlx::Error> {
    Ok(ExecutionRow {
        id: row.try_get("id")?,
        subject: row.try_get("subject")?,
        session: row.try_get("session")?,
        language: row.try_get("language")?,
        profile: row.try_get("profile")?,
        status: row.try_get("status")?,
        created_ms: row.try_get("created_ms")?,
        started_ms: row.try_get("started_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        result: row.try_get("result")?,
        artifacts: Vec::new(),
        bytes: row.try_get("bytes")?,
    })
}
