//! How do records get into the database?

use super::{BATCH, DAY_MS, Done, ExecutionRow, LAZY, SessionRow, UsageRow, Write};
use sha2::{Digest as _, Sha256};
use sqlx::AnyPool;
use std::collections::{BTreeMap, HashMap};
use tokio::sync::mpsc;

/// Writes whatever waits, as one transaction each time. What nobody waits for is written with what somebody does, or a little later: most
/// executions have ended by then, and only their end is written.
pub(super) async fn write(pool: AnyPool, mut waiting: mpsc::Receiver<(Write, Option<Done>)>) {
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
            let id = write.id();
            draft.add(write);
            done.extend(waits.map(|waits| (id, waits)));
        }
        let is_due = due.is_some_and(|due| tokio::time::Instant::now() >= due);
        if done.is_empty() && !is_due && is_open && draft.len() < BATCH {
            due = due.or_else(|| Some(tokio::time::Instant::now() + LAZY));
            continue;
        }
        let ends = is_due || !is_open;
        let failed = draft.commit(&pool, ends).await;
        for (id, waits) in done.drain(..) {
            let failure = failed.iter().find(|(other, _)| id.as_ref().is_none_or(|id| id == other)).map(|(_, error)| error.clone());
            // Whoever has stopped waiting does not need to know.
            let _ = waits.send(failure.map_or(Ok(()), Err));
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
                // What has ended does not run again, whatever comes late.
                let has_ended = self.executions.get(&row.id).is_some_and(|known| known.ended_ms.is_some());
                if row.ended_ms.is_some() || !has_ended {
                    self.executions.insert(row.id.clone(), *row);
                }
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

    /// Writes it, and what was used as well where that is due. Gives what could not be written: one record that the database refuses takes
    /// no other one with it.
    async fn commit(&mut self, pool: &AnyPool, with_usage: bool) -> Vec<(String, String)> {
        let executions: Vec<_> = self.executions.drain().map(|(_, row)| row).collect();
        let sessions = std::mem::take(&mut self.sessions);
        let usage = if with_usage || self.is_closing { std::mem::take(&mut self.usage) } else { BTreeMap::new() };
        let Err(error) = transact(pool, &executions, &sessions, &usage).await else { return Vec::new() };
        tracing::error!(%error, "records could not be written together; they are written one by one");
        let mut failed = Vec::new();
        for row in &executions {
            if let Err(error) = transact(pool, std::slice::from_ref(row), &[], &BTreeMap::new()).await {
                failed.push((row.id.clone(), error.to_string()));
            }
        }
        for row in &sessions {
            if let Err(error) = transact(pool, &[], std::slice::from_ref(row), &BTreeMap::new()).await {
                failed.push((row.id.clone(), error.to_string()));
            }
        }
        for (id, error) in &failed {
            tracing::error!(id, error, "a record could not be written");
        }
        for row in usage.into_values() {
            self.add(Write::Usage(Box::new(row)));
        }
        failed
    }
}

/// Writes all of it or nothing.
async fn transact(
    pool: &AnyPool,
    executions: &[ExecutionRow],
    sessions: &[SessionRow],
    usage: &BTreeMap<(String, i64), UsageRow>,
) -> Result<(), sqlx::Error> {
    // One statement is a transaction by itself.
    if let ([row], [], true) = (executions, sessions, usage.is_empty())
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
            sqlx::query(
                "INSERT INTO artifacts (execution, path_sha256, path, sha256, bytes) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(row.id.clone())
            .bind(digest(&artifact.path))
            .bind(artifact.path.clone())
            .bind(artifact.sha256.clone())
            .bind(artifact.bytes)
            .execute(&mut *transaction)
            .await?;
        }
        put_execution(row, &mut *transaction).await?;
    }
    for row in sessions {
        sqlx::query(
            "INSERT INTO sessions (id, subject, language, profile, created_ms, ended_ms, end_reason) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, end_reason = excluded.end_reason",
        )
        .bind(row.id.clone())
        .bind(row.subject.clone())
        .bind(row.language.clone())
        .bind(row.profile.clone())
        .bind(row.created_ms)
        .bind(row.ended_ms)
        .bind(row.end_reason.clone())
        .execute(&mut *transaction)
        .await?;
    }
    for row in usage.values() {
        sqlx::query(
            "INSERT INTO usage_by_day (subject, day_ms, executions, denied, limited, wall_us, cpu_us, fuel, output_bytes) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, day_ms) DO UPDATE SET \
                 executions = usage_by_day.executions + excluded.executions, denied = usage_by_day.denied + excluded.denied, \
                 limited = usage_by_day.limited + excluded.limited, wall_us = usage_by_day.wall_us + excluded.wall_us, \
                 cpu_us = usage_by_day.cpu_us + excluded.cpu_us, fuel = usage_by_day.fuel + excluded.fuel, \
                 output_bytes = usage_by_day.output_bytes + excluded.output_bytes",
        )
        .bind(row.subject.clone())
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

pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn put_execution(row: &ExecutionRow, place: impl sqlx::Executor<'_, Database = sqlx::Any>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO executions (id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, result) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO UPDATE SET status = excluded.status, \
         profile = excluded.profile, started_ms = excluded.started_ms, ended_ms = excluded.ended_ms, result = excluded.result \
         WHERE executions.ended_ms IS NULL OR excluded.ended_ms IS NOT NULL",
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
