//! Heads of audit logs in the database: was a log truncated, replaced or rewritten while no service
//! ran?

use super::Records;
use glovebox::AuditHead;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// The state of an audit log in the database.
#[derive(Clone, Debug)]
pub(crate) struct LogHead {
    /// The name of the log; empty for a log from before logs had names.
    pub(crate) name: String,
    /// The location at which it was last seen.
    pub(crate) place: String,
    /// The newest record seen.
    pub(crate) head: AuditHead,
}

impl LogHead {
    fn of(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let text: String = row.try_get("head")?;
        let head = text
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Self {
            name: row.try_get("log")?,
            place: row.try_get("place")?,
            head,
        })
    }
}

impl Records {
    /// Returns the logs with this name, at this location, or without a name.
    pub(crate) async fn audit_heads(
        &self,
        name: &str,
        place: &str,
    ) -> Result<Vec<LogHead>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT log, place, head FROM audit_heads WHERE log = $1 OR place = $2 OR log = ''",
        );
        rows.bind(name)
            .bind(place)
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(LogHead::of)
            .collect()
    }

    /// Stores the newest record of a log, and its location.
    pub(crate) async fn keep_audit_head(
        &self,
        name: &str,
        place: &str,
        head: &AuditHead,
    ) -> Result<(), sqlx::Error> {
        let statement = "INSERT INTO audit_heads (log, place, head) VALUES ($1, $2, $3) \
             ON CONFLICT (log) DO UPDATE SET place = excluded.place, head = excluded.head";
        sqlx::query(statement)
            .bind(name)
            .bind(place)
            .bind(head.to_string())
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Records that this log, and no other one, is at a location; if it goes on at the head of a
    /// log without a name, it inherits that.
    pub(crate) async fn place_audit_log(
        &self,
        name: &str,
        place: &str,
        known: Option<&LogHead>,
    ) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        if known.is_some_and(|known| known.name.is_empty()) {
            sqlx::query("UPDATE audit_heads SET log = $1 WHERE log = ''")
                .bind(name)
                .execute(&mut *transaction)
                .await?;
        }
        sqlx::query("UPDATE audit_heads SET place = '' WHERE place = $1")
            .bind(place)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE audit_heads SET place = $1 WHERE log = $2")
            .bind(place)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await
    }
}
