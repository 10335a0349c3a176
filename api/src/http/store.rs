//! What is remembered, and where?
//!
//! One set of statements for SQLite and PostgreSQL. Everything is written by one task that commits whatever waits as one transaction, so a
//! record costs its share of a commit and not a commit; who has to be sure waits until the commit is done.

use serde::Serialize;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, Row as _, SqlSafeStr as _};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, oneshot};

/// Every step from an empty database to this version.
const MIGRATIONS: [(i64, &str, &str); 1] = [(1, "start", include_str!("../../migrations/0001_start.sql"))];

/// Records that one transaction takes at most.
const BATCH: usize = 256;

/// How long what nobody waits for may stay unwritten.
const LAZY: Duration = Duration::from_millis(100);

/// Records that wait to be written at most; more make whoever writes them wait.
const WAITING: usize = 4096;

/// A day, as usage is counted.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// How an execution that a crash or a kill cut short is marked.
pub(super) const INTERRUPTED: &str = "interrupted";

/// Now, in milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
}

/// One execution as it is kept.
#[derive(Clone, Debug, Default)]
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
}

/// A file that an execution left, by its content.
#[derive(Clone, Debug)]
pub(super) struct ArtifactRow {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) bytes: i64,
}

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(super) struct SessionRow {
    pub(super) id: String,
    pub(super) subject: String,
    pub(super) language: String,
    pub(super) profile: Option<String>,
    pub(super) created_ms: i64,
    pub(super) ended_ms: Option<i64>,
    pub(super) end_reason: Option<String>,
}

/// An API key as it is kept: never the secret itself.
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

/// What a subject used on one day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = Usage)]
pub(super) struct UsageRow {
    /// Who.
    pub(super) subject: String,
    /// The start of the day (UTC), in milliseconds since 1970.
    pub(super) day_ms: i64,
    /// Executions that ended.
    pub(super) executions: i64,
    /// Those that the policy refused.
    pub(super) denied: i64,
    /// Those that a limit ended.
    pub(super) limited: i64,
    /// Time on the clock, in microseconds.
    pub(super) wall_us: i64,
    /// CPU time, in microseconds.
    pub(super) cpu_us: i64,
    /// Fuel.
    pub(super) fuel: i64,
    /// Bytes written to standard output and standard error.
    pub(super) output_bytes: i64,
}

/// What is to be written.
enum Write {
    Execution(Box<ExecutionRow>),
    Usage(Box<UsageRow>),
    Session(Box<SessionRow>),
    /// Nothing: whoever waits for it knows that everything before it is written.
    Barrier,
}

type Done = oneshot::Sender<Result<(), String>>;

/// The database.
#[derive(Clone)]
pub(super) struct Store {
    pool: AnyPool,
    writer: mpsc::Sender<(Write, Option<Done>)>,
}

/// What the store lists.
#[derive(Clone, Debug, Default)]
pub(super) struct ExecutionFilter {
    pub(super) subject: String,
    pub(super) status: Option<String>,
    pub(super) language: Option<String>,
    pub(super) session: Option<String>,
    /// Older than this one: its time and its id.
    pub(super) before: Option<(i64, String)>,
    pub(super) limit: i64,
}

impl Store {
    /// Opens the database at an address (`postgres://..`), or the one in a folder, and brings it to this version.
    pub(super) async fn open(url: Option<&str>, folder: &Path) -> Result<Self, sqlx::Error> {
        sqlx::any::install_default_drivers();
        let pool = match url {
            Some(url) => AnyPoolOptions::new().max_connections(8).acquire_timeout(Duration::from_secs(10)).connect(url).await?,
            None => {
                let path = folder.join("glovebox.sqlite");
                let options = AnyPoolOptions::new().max_connections(4).after_connect(|connection, _| {
                    Box::pin(async move {
                        // A commit survives the end of this process without waiting for the disk.
                        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA busy_timeout = 10000"] {
                            sqlx::query(pragma).execute(&mut *connection).await?;
                        }
                        Ok(())
                    })
                });
                options.connect(&format!("sqlite://{}?mode=rwc", path.display())).await?
            }
        };
        let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
        };
        Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect()).run(&pool).await?;
        let (writer, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(pool.clone(), waiting));
        Ok(Self { pool, writer })
    }

    /// Whether the database answers.
    pub(super) async fn answers(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    async fn send(&self, write: Write, done: Option<Done>) -> Result<(), String> {
        self.writer.send((write, done)).await.map_err(|_| "the store has closed".to_owned())
    }

    async fn written(&self, write: Write) -> Result<(), String> {
        let (done, wait) = oneshot::channel();
        self.send(write, Some(done)).await?;
        wait.await.unwrap_or_else(|_| Err("the store has closed".to_owned()))
    }

    /// Keeps an execution, in place of what was kept of it before; returns when it is committed.
    pub(super) async fn put(&self, row: ExecutionRow) -> Result<(), String> {
        self.written(Write::Execution(Box::new(row))).await
    }

    /// As [`Store::put`], without waiting.
    pub(super) async fn put_later(&self, row: ExecutionRow) -> Result<(), String> {
        self.send(Write::Execution(Box::new(row)), None).await
    }

    /// Adds to what a subject used today.
    pub(super) async fn add_usage(&self, row: UsageRow) -> Result<(), String> {
        self.send(Write::Usage(Box::new(row)), None).await
    }

    pub(super) async fn put_session(&self, row: SessionRow) -> Result<(), String> {
        self.written(Write::Session(Box::new(row))).await
    }

    /// Marks what the process before this one left unfinished; gives how many there were.
    pub(super) async fn mark_interrupted(&self) -> Result<u64, sqlx::Error> {
        let now = now_ms();
        let executions = sqlx::query("UPDATE executions SET status = $1, ended_ms = $2 WHERE status IN ('queued', 'running')")
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

    /// One execution of a subject.
    pub(super) async fn execution(&self, subject: &str, id: &str) -> Result<Option<ExecutionRow>, sqlx::Error> {
        let row = sqlx::query("SELECT * FROM executions WHERE id = $1 AND subject = $2").bind(id).bind(subject);
        row.fetch_optional(&self.pool).await?.map(|row| execution(&row)).transpose()
    }

    /// Executions of a subject, the newest first.
    pub(super) async fn executions(&self, filter: ExecutionFilter) -> Result<Vec<ExecutionRow>, sqlx::Error> {
        let (before_ms, before_id) = filter.before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT * FROM executions WHERE subject = $1 \
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
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(execution).collect()
    }

    /// The digest of an artifact.
    pub(super) async fn artifact(&self, execution: &str, path: &str) -> Result<Option<String>, sqlx::Error> {
        let row = sqlx::query("SELECT sha256 FROM artifacts WHERE execution = $1 AND path = $2").bind(execution).bind(path);
        row.fetch_optional(&self.pool).await?.map(|row| row.try_get("sha256")).transpose()
    }

    /// Takes an idempotency key for an execution, or gives what it was taken for: the digest of the request, and the execution.
    pub(super) async fn take_key(
        &self,
        subject: &str,
        key: &str,
        request_sha256: &str,
        execution: &str,
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
        let row = sqlx::query("SELECT request_sha256, execution FROM idempotency WHERE subject = $1 AND idempotency_key = $2")
            .bind(subject)
            .bind(key)
            .fetch_one(&self.pool)
            .await?;
        Ok(Some((row.try_get("request_sha256")?, row.try_get("execution")?)))
    }

    /// Gives an idempotency key back, because what it was taken for never began.
    pub(super) async fn give_key_back(&self, subject: &str, key: &str) -> Result<(), sqlx::Error> {
        let gone = sqlx::query("DELETE FROM idempotency WHERE subject = $1 AND idempotency_key = $2").bind(subject).bind(key);
        gone.execute(&self.pool).await.map(drop)
    }

    /// Usage by day, of one subject or of all.
    pub(super) async fn usage(&self, subject: Option<&str>, since_ms: i64, until_ms: i64) -> Result<Vec<UsageRow>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT * FROM usage_by_day WHERE (CAST($1 AS TEXT) IS NULL OR subject = $1) AND day_ms >= $2 AND day_ms < $3 \
             ORDER BY day_ms, subject LIMIT 10000",
        )
        .bind(subject.map(str::to_owned))
        .bind(since_ms)
        .bind(until_ms)
        .fetch_all(&self.pool)
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
        let rows = sqlx::query("SELECT * FROM api_keys ORDER BY created_ms, id").fetch_all(&self.pool).await?;
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

    /// Takes a key out of use; says whether there was one.
    pub(super) async fn revoke_key(&self, id: &str) -> Result<bool, sqlx::Error> {
        let revoked = sqlx::query("UPDATE api_keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL").bind(now_ms()).bind(id);
        Ok(revoked.execute(&self.pool).await?.rows_affected() > 0)
    }

    /// Forgets what is older than this; gives how many executions that were.
    pub(super) async fn forget(&self, before_ms: i64) -> Result<u64, sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for old in [
            "DELETE FROM artifacts WHERE execution IN (SELECT id FROM executions WHERE created_ms < $1 AND ended_ms IS NOT NULL)",
            "DELETE FROM idempotency WHERE created_ms < $1",
            "DELETE FROM sessions WHERE created_ms < $1 AND ended_ms IS NOT NULL",
        ] {
            sqlx::query(old).bind(before_ms).execute(&mut *transaction).await?;
        }
        let gone = sqlx::query("DELETE FROM executions WHERE created_ms < $1 AND ended_ms IS NOT NULL").bind(before_ms);
        let gone = gone.execute(&mut *transaction).await?.rows_affected();
        transaction.commit().await?;
        Ok(gone)
    }

    /// Whether any execution still has an artifact with this content.
    pub(super) async fn needs_content(&self, sha256: &str) -> Result<bool, sqlx::Error> {
        Ok(sqlx::query("SELECT 1 FROM artifacts WHERE sha256 = $1 LIMIT 1").bind(sha256).fetch_optional(&self.pool).await?.is_some())
    }

    /// Waits until everything that was handed over is written.
    pub(super) async fn close(&self) {
        if let Err(error) = self.written(Write::Barrier).await {
            tracing::error!(error, "the last records could not be written");
        }
        self.pool.close().await;
    }
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
    })
}

/// Writes whatever waits, as one transaction each time. What nobody waits for is written with what somebody does, or a little later: most
/// executions have ended by then, and only their end is written.
async fn write(pool: AnyPool, mut waiting: mpsc::Receiver<(Write, Option<Done>)>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut draft = Draft::default();
    let mut done = Vec::new();
    let mut due: Option<tokio::time::Instant> = None;
    loop {
        let is_open = match due {
            None => waiting.recv_many(&mut batch, BATCH).await > 0,
            // Nothing more until then is no reason to end.
            Some(due) => {
                tokio::time::timeout_at(due, waiting.recv_many(&mut batch, BATCH)).await.is_ok_and(|received| received > 0)
                    || !waiting.is_closed()
            }
        };
        for (write, waits) in batch.drain(..) {
            draft.add(write);
            done.extend(waits);
        }
        let is_due = due.is_some_and(|due| tokio::time::Instant::now() >= due);
        if done.is_empty() && !is_due && is_open && draft.len() < BATCH {
            due = due.or_else(|| Some(tokio::time::Instant::now() + LAZY));
            continue;
        }
        let ends = is_due || !is_open;
        let written = draft.commit(&pool, ends).await.map_err(|error| {
            tracing::error!(%error, "records could not be written");
            error.to_string()
        });
        for waits in done.drain(..) {
            // Whoever has stopped waiting does not need to know.
            let _ = waits.send(written.clone());
        }
        due = (!draft.is_empty()).then(|| due.filter(|_| !ends).unwrap_or_else(|| tokio::time::Instant::now() + LAZY));
        if !is_open {
            return;
        }
    }
}

/// What one transaction writes: of every execution only its newest state.
#[derive(Default)]
struct Draft {
    /// Somebody waits for everything.
    is_closing: bool,
    executions: HashMap<String, ExecutionRow>,
    sessions: Vec<SessionRow>,
    usage: BTreeMap<(String, i64), UsageRow>,
}

impl Draft {
    fn add(&mut self, write: Write) {
        match write {
            Write::Execution(row) => {
                self.executions.insert(row.id.clone(), *row);
            }
            Write::Session(row) => self.sessions.push(*row),
            Write::Barrier => self.is_closing = true,
            Write::Usage(row) => {
                let day_ms = row.day_ms - row.day_ms.rem_euclid(DAY_MS);
                let sum = self.usage.entry((row.subject.clone(), day_ms)).or_insert_with(|| UsageRow {
                    subject: row.subject.clone(),
                    day_ms,
                    ..UsageRow::default()
                });
                let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
                add(&mut sum.executions, row.executions);
                add(&mut sum.denied, row.denied);
                add(&mut sum.limited, row.limited);
                add(&mut sum.wall_us, row.wall_us);
                add(&mut sum.cpu_us, row.cpu_us);
                add(&mut sum.fuel, row.fuel);
                add(&mut sum.output_bytes, row.output_bytes);
            }
        }
    }

    fn len(&self) -> usize {
        self.executions.len() + self.sessions.len()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0 && self.usage.is_empty()
    }

    /// Writes it, and what was used as well where that is due.
    async fn commit(&mut self, pool: &AnyPool, with_usage: bool) -> Result<(), sqlx::Error> {
        let executions: Vec<_> = self.executions.drain().map(|(_, row)| row).collect();
        let sessions = std::mem::take(&mut self.sessions);
        let usage = if with_usage || self.is_closing { std::mem::take(&mut self.usage) } else { BTreeMap::new() };
        // One statement is a transaction by itself.
        if let ([row], [], true) = (executions.as_slice(), sessions.as_slice(), usage.is_empty())
            && row.artifacts.is_empty()
        {
            return put_execution(row, pool).await;
        }
        if executions.is_empty() && sessions.is_empty() && usage.is_empty() {
            return Ok(());
        }
        let mut transaction = pool.begin().await?;
        for row in executions {
            for artifact in &row.artifacts {
                sqlx::query("INSERT INTO artifacts (execution, path, sha256, bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
                    .bind(row.id.clone())
                    .bind(artifact.path.clone())
                    .bind(artifact.sha256.clone())
                    .bind(artifact.bytes)
                    .execute(&mut *transaction)
                    .await?;
            }
            put_execution(&row, &mut *transaction).await?;
        }
        for row in sessions {
            sqlx::query(
                "INSERT INTO sessions (id, subject, language, profile, created_ms, ended_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, end_reason = excluded.end_reason",
            )
            .bind(row.id)
            .bind(row.subject)
            .bind(row.language)
            .bind(row.profile)
            .bind(row.created_ms)
            .bind(row.ended_ms)
            .bind(row.end_reason)
            .execute(&mut *transaction)
            .await?;
        }
        for row in usage.into_values() {
            sqlx::query(
                "INSERT INTO usage_by_day (subject, day_ms, executions, denied, limited, wall_us, cpu_us, fuel, output_bytes) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, day_ms) DO UPDATE SET \
                 executions = usage_by_day.executions + excluded.executions, denied = usage_by_day.denied + excluded.denied, \
                 limited = usage_by_day.limited + excluded.limited, wall_us = usage_by_day.wall_us + excluded.wall_us, \
                 cpu_us = usage_by_day.cpu_us + excluded.cpu_us, fuel = usage_by_day.fuel + excluded.fuel, \
                 output_bytes = usage_by_day.output_bytes + excluded.output_bytes",
            )
            .bind(row.subject)
            .bind(row.day_ms)
            .bind(row.executions)
            .bind(row.denied)
            .bind(row.limited)
            .bind(row.wall_us)
            .bind(row.cpu_us)
            .bind(row.fuel)
            .bind(row.output_bytes)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }
}

async fn put_execution(row: &ExecutionRow, place: impl sqlx::Executor<'_, Database = sqlx::Any>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO executions (id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, result) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
         profile = excluded.profile, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, result = excluded.result",
    )
    .bind(row.id.clone())
    .bind(row.subject.clone())
    .bind(row.session.clone())
    .bind(row.language.clone())
    .bind(row.profile.clone())
    .bind(row.status.clone())
    .bind(row.created_ms)
    .bind(row.started_ms)
    .bind(row.ended_ms)
    .bind(row.result.clone())
    .execute(place)
    .await
    .map(drop)
}
