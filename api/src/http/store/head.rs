//! The head of the audit log, kept in the database: a log that was cut, replaced or rewritten while no service ran does not have it.

use super::Store;
use glovebox::AuditHead;
use sqlx::Row as _;

impl Store {
    /// The newest record of the audit log that was seen here.
    pub(in crate::http) async fn audit_head(&self) -> Result<Option<AuditHead>, sqlx::Error> {
        let row = sqlx::query("SELECT head FROM audit_head").fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let text: String = row.try_get("head")?;
        text.parse().map(Some).map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    /// Keeps the newest record of the audit log.
    pub(in crate::http) async fn keep_audit_head(&self, head: &AuditHead) -> Result<(), sqlx::Error> {
        let text = head.to_string();
        let updated = sqlx::query("UPDATE audit_head SET head = $1").bind(&text).execute(&self.pool).await?;
        if updated.rows_affected() == 0 {
            sqlx::query("INSERT INTO audit_head (head) VALUES ($1)").bind(&text).execute(&self.pool).await?;
        }
        Ok(())
    }
}
