//! Task trees in the database: how are they found?

use super::rows::TreeRow;
use super::{Records, parsed};
use sqlx::Row as _;
use sqlx::any::AnyRow;

impl Records {
    /// Returns one task tree of a subject.
    pub(crate) async fn tree(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<TreeRow>, sqlx::Error> {
        let look = || async {
            let row = sqlx::query("SELECT * FROM task_trees WHERE id = $1 AND subject = $2")
                .bind(id)
                .bind(subject);
            row.fetch_optional(&self.pool)
                .await?
                .map(|row| tree(&row))
                .transpose()
        };
        self.find(look, |found| {
            found.as_ref().is_some_and(|tree| tree.ended_ms.is_some())
        })
        .await
    }

    /// Returns task trees of a subject, the newest first.
    pub(crate) async fn trees(
        &self,
        subject: &str,
        before: Option<(i64, String)>,
        limit: i64,
    ) -> Result<Vec<TreeRow>, sqlx::Error> {
        let (before_ms, before_id) = before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT id, subject, status, created_ms, ended_ms, CAST(NULL AS TEXT) AS plan, nodes, revision, bytes \
             FROM task_trees WHERE subject = $1 AND (created_ms < $2 OR (created_ms = $2 AND id < $3)) \
             ORDER BY created_ms DESC, id DESC LIMIT $4",
        );
        let rows = rows
            .bind(subject)
            .bind(before_ms)
            .bind(before_id)
            .bind(limit)
            .fetch_all(self.settled().await?)
            .await?;
        rows.iter().map(tree).collect()
    }
}

fn tree(row: &AnyRow) -> Result<TreeRow, sqlx::Error> {
    Ok(TreeRow {
        id: row.try_get("id")?,
        subject: row.try_get("subject")?,
        status: parsed(row, "status")?,
        created_ms: row.try_get("created_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        plan: row.try_get("plan")?,
        nodes: row.try_get("nodes")?,
        revision: row.try_get("revision")?,
        bytes: row.try_get("bytes")?,
    })
}
