//! API keys in the database: which are there?

use super::Records;
use super::rows::KeyRow;
use crate::records::now_ms;
use sqlx::Row as _;
use sqlx::any::AnyRow;

impl Records {
    /// Returns all keys, revoked and expired ones included.
    pub(crate) async fn keys(&self) -> Result<Vec<KeyRow>, sqlx::Error> {
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

    /// Adds a key.
    pub(crate) async fn add_key(&self, key: &KeyRow) -> Result<(), sqlx::Error> {
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
    pub(crate) async fn revoke_key(&self, id: &str) -> Result<bool, sqlx::Error> {
        let revoked =
            sqlx::query("UPDATE api_keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
                .bind(now_ms())
                .bind(id);
        Ok(revoked.execute(&self.pool).await?.rows_affected() > 0)
    }
}
