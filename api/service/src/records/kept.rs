//! Storage usage and deletion in the database: how much does each subject keep, and how is it
//! deleted?

use super::{Records, UNCOUNTED_ROW_BYTES};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Stored bytes by subject.
pub(crate) type Bytes = Vec<(String, i64)>;

/// An execution that was deleted: its bytes, and the digests of its artifacts.
pub(crate) struct Deleted {
    pub(crate) bytes: i64,
    pub(crate) contents: Vec<String>,
}

fn by_subject(row: &AnyRow) -> Result<(String, i64), sqlx::Error> {
    Ok((row.try_get("subject")?, row.try_get("bytes")?))
}

impl Records {
    /// Returns the stored bytes by subject.
    pub(crate) async fn kept(&self) -> Result<Bytes, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT subject, CAST(SUM(bytes) AS BIGINT) AS bytes FROM (SELECT subject, bytes FROM executions \
             UNION ALL SELECT subject, bytes FROM task_trees UNION ALL SELECT subject, CAST($1 AS BIGINT) FROM sessions) AS kept GROUP BY subject",
        );
        rows.bind(UNCOUNTED_ROW_BYTES)
            .fetch_all(self.settled().await?)
            .await?
            .iter()
            .map(by_subject)
            .collect()
    }

    /// Deletes an ended execution of a subject, with its artifacts and its idempotency key.
    pub(crate) async fn delete_execution(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<Deleted>, sqlx::Error> {
        let mut transaction = self.settled().await?.begin().await?;
        // The first statement writes: a transaction that reads first fails with `SQLITE_BUSY` if
        // another one writes between the two.
        let gone = "DELETE FROM executions WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL RETURNING bytes";
        let gone = sqlx::query(gone)
            .bind(id)
            .bind(subject)
            .fetch_all(&mut *transaction)
            .await?;
        let Some(row) = gone.first() else {
            return Ok(None);
        };
        let bytes = row.try_get("bytes")?;
        let contents =
            sqlx::query("DELETE FROM artifacts WHERE execution = $1 RETURNING sha256").bind(id);
        let contents = contents.fetch_all(&mut *transaction).await?;
        let contents = contents
            .iter()
            .map(|row| row.try_get("sha256"))
            .collect::<Result<_, _>>()?;
        sqlx::query("DELETE FROM idempotency WHERE execution = $1")
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Some(Deleted { bytes, contents }))
    }

    /// Deletes an ended task tree of a subject; returns its bytes.
    pub(crate) async fn delete_tree(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<i64>, sqlx::Error> {
        let gone = "DELETE FROM task_trees WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL RETURNING bytes";
        let gone = sqlx::query(gone)
            .bind(id)
            .bind(subject)
            .fetch_all(self.settled().await?)
            .await?;
        gone.first().map(|row| row.try_get("bytes")).transpose()
    }

    /// Deletes an ended session of a subject; returns its bytes.
    pub(crate) async fn delete_session(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<u64>, sqlx::Error> {
        let gone = "DELETE FROM sessions WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL";
        let gone = sqlx::query(gone)
            .bind(id)
            .bind(subject)
            .execute(self.settled().await?)
            .await?;
        let bytes = u64::try_from(UNCOUNTED_ROW_BYTES).unwrap_or(0);
        Ok((gone.rows_affected() > 0).then_some(bytes))
    }

    /// Reopens an ended task tree of a subject; `false` if there is none, because it was deleted or
    /// another process has reopened it.
    pub(crate) async fn reopen_tree(&self, subject: &str, id: &str) -> Result<bool, sqlx::Error> {
        let open = "UPDATE task_trees SET ended_ms = NULL, status = 'running' WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL";
        let open = sqlx::query(open)
            .bind(id)
            .bind(subject)
            .execute(self.settled().await?)
            .await?;
        Ok(open.rows_affected() > 0)
    }

    /// Deletes records older than this; returns the number of executions. The bytes that this frees
    /// are in `freed`, also if it fails midway.
    pub(crate) async fn forget(
        &self,
        before_ms: i64,
        freed: &mut Bytes,
    ) -> Result<u64, sqlx::Error> {
        sqlx::query("DELETE FROM idempotency WHERE created_ms < $1")
            .bind(before_ms)
            .execute(&self.pool)
            .await?;
        let trees = "DELETE FROM task_trees WHERE created_ms < $1 AND ended_ms IS NOT NULL RETURNING subject, bytes";
        let trees = sqlx::query(trees)
            .bind(before_ms)
            .fetch_all(&self.pool)
            .await?;
        freed.extend(trees.iter().map(by_subject).collect::<Result<Bytes, _>>()?);
        let sessions = "DELETE FROM sessions WHERE created_ms < $1 AND ended_ms IS NOT NULL RETURNING subject, CAST($2 AS BIGINT) AS bytes";
        let sessions = sqlx::query(sessions)
            .bind(before_ms)
            .bind(UNCOUNTED_ROW_BYTES)
            .fetch_all(&self.pool)
            .await?;
        freed.extend(
            sessions
                .iter()
                .map(by_subject)
                .collect::<Result<Bytes, _>>()?,
        );
        // By id, which begins with the time: that is what has an index. In small batches, so that
        // other writers have their turn.
        let oldest_kept = format!("run_{:012x}", before_ms.max(0));
        let mut all = 0;
        loop {
            let last = "SELECT MAX(id) AS id FROM (SELECT id FROM executions WHERE id < $1 AND ended_ms IS NOT NULL ORDER BY id LIMIT 500) AS oldest";
            let last = sqlx::query(last)
                .bind(&oldest_kept)
                .fetch_one(&self.pool)
                .await?;
            let Some(last) = last.try_get::<Option<String>, _>("id")? else {
                return Ok(all);
            };
            let mut transaction = self.pool.begin().await?;
            let gone = sqlx::query("DELETE FROM executions WHERE id <= $1 AND ended_ms IS NOT NULL RETURNING subject, bytes").bind(&last);
            let gone = gone.fetch_all(&mut *transaction).await?;
            // Not those of executions that have ended since the first statement.
            let artifacts = "DELETE FROM artifacts WHERE execution <= $1 AND NOT EXISTS \
                             (SELECT 1 FROM executions WHERE executions.id = artifacts.execution)";
            sqlx::query(artifacts)
                .bind(&last)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            all += gone.len() as u64;
            freed.extend(gone.iter().map(by_subject).collect::<Result<Bytes, _>>()?);
        }
    }
}
