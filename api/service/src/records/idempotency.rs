//! Idempotency keys in the database: which execution does a key belong to?

use super::{Records, now_ms};
use sqlx::Row as _;

/// Age after which an idempotency key without a known execution counts as abandoned.
const ABANDONED_MS: i64 = 10_000;

/// A claim on an idempotency key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyClaim<'a> {
    /// The subject whose key it is.
    pub(crate) subject: &'a str,
    /// The key.
    pub(crate) key: &'a str,
    /// The digest of the request.
    pub(crate) request_sha256: &'a str,
    /// The execution that the key is to name.
    pub(crate) execution: &'a str,
}

impl Records {
    /// Claims an idempotency key for an execution, or returns what it was claimed for: the digest
    /// of the request, and the execution. An execution that has begun may not be in the database
    /// yet; `is_live` reports such ones.
    pub(crate) async fn take_key(
        &self,
        claim: KeyClaim<'_>,
        is_live: impl Fn(&str) -> bool,
    ) -> Result<Option<(String, String)>, sqlx::Error> {
        let KeyClaim {
            subject,
            key,
            request_sha256,
            execution,
        } = claim;
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
    pub(crate) async fn give_key_back(
        &self,
        subject: &str,
        key: &str,
        execution: &str,
    ) -> Result<(), sqlx::Error> {
        let gone = "DELETE FROM idempotency WHERE subject = $1 AND idempotency_key = $2 AND execution = $3";
        let gone = sqlx::query(gone).bind(subject).bind(key).bind(execution);
        gone.execute(&self.pool).await.map(drop)
    }
}
