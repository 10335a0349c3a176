//! Audit log usage by subject, in the database: how much has each written, by day for as long as
//! the log keeps it, and in the current hour?

use super::Records;
use super::time::DAY_MS;
use sqlx::Row as _;
use sqlx::any::AnyRow;
use std::collections::HashMap;

/// One hour, the period of the audit log quota.
pub(crate) const HOUR_MS: i64 = 60 * 60 * 1000;

/// Subjects per transaction.
const AT_ONCE: usize = 200;

/// Bytes in the audit log, by subject.
#[derive(Debug, Default)]
pub(crate) struct Audited {
    /// The start of the current hour.
    pub(crate) hour_ms: i64,
    /// Bytes written in the current hour.
    pub(crate) in_hour: HashMap<String, u64>,
    /// Bytes that the log still holds.
    pub(crate) held: HashMap<String, u64>,
}

fn by_subject(row: &AnyRow) -> Result<(String, u64), sqlx::Error> {
    Ok((
        row.try_get("subject")?,
        u64::try_from(row.try_get::<i64, _>("bytes")?).unwrap_or(0),
    ))
}

impl Records {
    /// Returns the bytes written, as far as they have been added here.
    pub(crate) async fn audited(&self, now_ms: i64) -> Result<Audited, sqlx::Error> {
        let hour_ms = now_ms - now_ms.rem_euclid(HOUR_MS);
        let held = "SELECT subject, CAST(SUM(bytes) AS BIGINT) AS bytes FROM audit_written WHERE span_ms = $1 GROUP BY subject";
        let held = sqlx::query(held).bind(DAY_MS).fetch_all(&self.pool).await?;
        let in_hour =
            "SELECT subject, bytes FROM audit_written WHERE span_ms = $1 AND since_ms = $2";
        let in_hour = sqlx::query(in_hour)
            .bind(HOUR_MS)
            .bind(hour_ms)
            .fetch_all(&self.pool)
            .await?;
        Ok(Audited {
            hour_ms,
            in_hour: in_hour.iter().map(by_subject).collect::<Result<_, _>>()?,
            held: held.iter().map(by_subject).collect::<Result<_, _>>()?,
        })
    }

    /// Adds the bytes written since the last call, and removes what was added from `written`.
    pub(crate) async fn add_audited(
        &self,
        written: &mut HashMap<String, u64>,
        now_ms: i64,
    ) -> Result<(), sqlx::Error> {
        // All writers use the same order, so that no two transactions deadlock. In small batches,
        // so that other writers have their turn.
        let mut subjects: Vec<String> = written.keys().cloned().collect();
        subjects.sort_unstable();
        for some in subjects.chunks(AT_ONCE) {
            self.add_some(some, written, now_ms).await?;
            for subject in some {
                written.remove(subject);
            }
        }
        Ok(())
    }

    async fn add_some(
        &self,
        subjects: &[String],
        written: &HashMap<String, u64>,
        now_ms: i64,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for (subject, bytes) in subjects
            .iter()
            .filter_map(|subject| written.get_key_value(subject))
        {
            for span_ms in [DAY_MS, HOUR_MS] {
                let add = sqlx::query(
                    "INSERT INTO audit_written (subject, since_ms, span_ms, bytes) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (subject, span_ms, since_ms) DO UPDATE SET bytes = audit_written.bytes + excluded.bytes",
                );
                let since_ms = now_ms - now_ms.rem_euclid(span_ms);
                let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
                add.bind(subject.as_str())
                    .bind(since_ms)
                    .bind(span_ms)
                    .bind(bytes)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await
    }

    /// Deletes past hours, and days of which the log holds nothing any more.
    pub(crate) async fn forget_audited(
        &self,
        now_ms: i64,
        kept_ms: Option<i64>,
    ) -> Result<(), sqlx::Error> {
        let gone = "DELETE FROM audit_written WHERE span_ms = $1 AND since_ms + $1 <= $2";
        sqlx::query(gone)
            .bind(HOUR_MS)
            .bind(now_ms)
            .execute(&self.pool)
            .await?;
        if let Some(kept_ms) = kept_ms {
            sqlx::query(gone)
                .bind(DAY_MS)
                .bind(now_ms.saturating_sub(kept_ms))
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }
}
