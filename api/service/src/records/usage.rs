//! Usage in the database: what did each subject use on each day?

use super::Records;
use glovebox_wire::records::UsageDay;
use sqlx::Row as _;
use sqlx::any::AnyRow;

impl Records {
    /// Returns usage by day, of one subject or of all.
    pub(crate) async fn usage(
        &self,
        subject: Option<&str>,
        since_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<UsageDay>, sqlx::Error> {
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
            Ok(UsageDay {
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
}
