//! What is kept in the database for each subject, and how it goes.

use super::Store;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

/// Bytes by subject.
pub(in crate::http) type Bytes = Vec<(String, i64)>;

/// An execution that was deleted: its bytes, and the digests of its artifacts.
pub(in crate::http) struct Deleted {
    pub(in crate::http) bytes: i64,
    pub(in crate::http) contents: Vec<String>,
}

fn by_subject(row: &AnyRow) -> Result<(String, i64), sqlx::Error> {
    Ok((row.try_get("subject")?, row.try_get("bytes")?))
}

impl Store {
    /// What is kept, by subject.
    pub(in crate::http) async fn kept(&self) -> Result<Bytes, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT subject, CAST(SUM(bytes) AS BIGINT) AS bytes FROM (SELECT subject, bytes FROM executions \
             UNION ALL SELECT subject, bytes FROM task_trees UNION ALL SELECT subject, 512 FROM sessions) AS kept GROUP BY subject",
        );
        rows.fetch_all(self.settled().await?).await?.iter().map(by_subject).collect()
    }

    /// Deletes an execution of a subject that has ended, with its artifacts and its idempotency key.
    pub(in crate::http) async fn delete_execution(&self, subject: &str, id: &str) -> Result<Option<Deleted>, sqlx::Error> {
        let mut transaction = self.settled().await?.begin().await?;
        let found =
            sqlx::query("SELECT bytes FROM executions WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL").bind(id).bind(subject);
        let Some(row) = found.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let bytes = row.try_get("bytes")?;
        let contents = sqlx::query("SELECT sha256 FROM artifacts WHERE execution = $1").bind(id).fetch_all(&mut *transaction).await?;
        let contents = contents.iter().map(|row| row.try_get("sha256")).collect::<Result<_, _>>()?;
        for gone in [
            "DELETE FROM artifacts WHERE execution = $1",
            "DELETE FROM idempotency WHERE execution = $1",
            "DELETE FROM executions WHERE id = $1 AND ended_ms IS NOT NULL",
        ] {
            sqlx::query(gone).bind(id).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(Some(Deleted { bytes, contents }))
    }

    /// Deletes a task tree of a subject that has ended; gives its bytes.
    pub(in crate::http) async fn delete_tree(&self, subject: &str, id: &str) -> Result<Option<i64>, sqlx::Error> {
        let mut transaction = self.settled().await?.begin().await?;
        let found =
            sqlx::query("SELECT bytes FROM task_trees WHERE id = $1 AND subject = $2 AND ended_ms IS NOT NULL").bind(id).bind(subject);
        let Some(row) = found.fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let bytes = row.try_get("bytes")?;
        sqlx::query("DELETE FROM task_trees WHERE id = $1").bind(id).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(Some(bytes))
    }

    /// Forgets what is older than this; gives how many executions that were, and what was given back by it.
    pub(in crate::http) async fn forget(&self, before_ms: i64) -> Result<(u64, Bytes), sqlx::Error> {
        sqlx::query("DELETE FROM idempotency WHERE created_ms < $1").bind(before_ms).execute(&self.pool).await?;
        let mut freed = Bytes::new();
        for (sums, old) in [
            (
                "SELECT subject, CAST(SUM(bytes) AS BIGINT) AS bytes FROM task_trees WHERE created_ms < $1 AND ended_ms IS NOT NULL GROUP BY subject",
                "DELETE FROM task_trees WHERE created_ms < $1 AND ended_ms IS NOT NULL",
            ),
            (
                "SELECT subject, CAST(COUNT(*) * 512 AS BIGINT) AS bytes FROM sessions WHERE created_ms < $1 AND ended_ms IS NOT NULL GROUP BY subject",
                "DELETE FROM sessions WHERE created_ms < $1 AND ended_ms IS NOT NULL",
            ),
        ] {
            let mut transaction = self.pool.begin().await?;
            let sums = sqlx::query(sums).bind(before_ms).fetch_all(&mut *transaction).await?;
            sqlx::query(old).bind(before_ms).execute(&mut *transaction).await?;
            transaction.commit().await?;
            freed.extend(sums.iter().map(by_subject).collect::<Result<Bytes, _>>()?);
        }
        // By their names, which begin with the time: that is what there is an index for. A few at a time, because others want to write.
        let oldest_kept = format!("run_{:012x}", before_ms.max(0));
        let mut all = 0;
        loop {
            let mut transaction = self.pool.begin().await?;
            let Some((gone, bytes)) = forget_some(&mut transaction, &oldest_kept).await? else { return Ok((all, freed)) };
            transaction.commit().await?;
            all += gone;
            freed.extend(bytes);
        }
    }
}

async fn forget_some(transaction: &mut Transaction<'_, Any>, oldest_kept: &str) -> Result<Option<(u64, Bytes)>, sqlx::Error> {
    let last =
        "SELECT MAX(id) AS id FROM (SELECT id FROM executions WHERE id < $1 AND ended_ms IS NOT NULL ORDER BY id LIMIT 500) AS oldest";
    let last = sqlx::query(last).bind(oldest_kept).fetch_one(&mut **transaction).await?;
    let Some(last) = last.try_get::<Option<String>, _>("id")? else { return Ok(None) };
    let sums =
        "SELECT subject, CAST(SUM(bytes) AS BIGINT) AS bytes FROM executions WHERE id <= $1 AND ended_ms IS NOT NULL GROUP BY subject";
    let sums = sqlx::query(sums).bind(last.clone()).fetch_all(&mut **transaction).await?;
    let artifacts = "DELETE FROM artifacts WHERE execution IN (SELECT id FROM executions WHERE id <= $1 AND ended_ms IS NOT NULL)";
    sqlx::query(artifacts).bind(last.clone()).execute(&mut **transaction).await?;
    let gone = sqlx::query("DELETE FROM executions WHERE id <= $1 AND ended_ms IS NOT NULL").bind(last);
    let gone = gone.execute(&mut **transaction).await?.rows_affected();
    Ok(Some((gone, sums.iter().map(by_subject).collect::<Result<_, _>>()?)))
}
