//! Executions in the database: how are they found, with their artifacts?

use super::rows::{ArtifactRow, ExecutionRow};
use super::{Records, parsed};
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// Filters of a list of executions.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExecutionFilter {
    pub(crate) subject: String,
    pub(crate) status: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) session: Option<String>,
    /// Only executions older than this one: its time and its id.
    pub(crate) before: Option<(i64, String)>,
    pub(crate) limit: i64,
}

impl Records {
    /// Returns one execution of a subject.
    pub(crate) async fn execution(
        &self,
        subject: &str,
        id: &str,
    ) -> Result<Option<ExecutionRow>, sqlx::Error> {
        let look = || async {
            let row = sqlx::query("SELECT * FROM executions WHERE id = $1 AND subject = $2")
                .bind(id)
                .bind(subject);
            row.fetch_optional(&self.pool)
                .await?
                .map(|row| execution(&row))
                .transpose()
        };
        self.find(look, |found| {
            found
                .as_ref()
                .is_some_and(|execution| execution.ended_ms.is_some())
        })
        .await
    }

    /// Returns executions of a subject, the newest first.
    pub(crate) async fn executions(
        &self,
        filter: ExecutionFilter,
    ) -> Result<Vec<ExecutionRow>, sqlx::Error> {
        let (before_ms, before_id) = filter.before.unwrap_or((i64::MAX, String::new()));
        let rows = sqlx::query(
            "SELECT id, subject, session, language, profile, status, created_ms, started_ms, ended_ms, CAST(NULL AS TEXT) AS result, bytes \
             FROM executions WHERE subject = $1 \
             AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND (CAST($3 AS TEXT) IS NULL OR language = $3) \
             AND (CAST($4 AS TEXT) IS NULL OR session = $4) AND (created_ms < $5 OR (created_ms = $5 AND id < $6)) \
             ORDER BY created_ms DESC, id DESC LIMIT $7",
        )
        .bind(filter.subject)
        .bind(filter.status)
        .bind(filter.language)
        .bind(filter.session)
        .bind(before_ms)
        .bind(before_id)
        .bind(filter.limit)
        .fetch_all(self.settled().await?)
        .await?;
        rows.iter().map(execution).collect()
    }

    /// Returns the digest of an artifact.
    pub(crate) async fn artifact(
        &self,
        execution: &str,
        path: &str,
    ) -> Result<Option<String>, sqlx::Error> {
        let digest = glovebox_wire::sha256(path);
        let look = || async {
            let row = sqlx::query(
                "SELECT sha256 FROM artifacts WHERE execution = $1 AND path_sha256 = $2",
            )
            .bind(execution);
            row.bind(digest.as_str())
                .fetch_optional(&self.pool)
                .await?
                .map(|row| row.try_get("sha256"))
                .transpose()
        };
        self.find(look, Option::is_some).await
    }

    /// Returns the artifacts of an execution.
    pub(crate) async fn artifacts(&self, execution: &str) -> Result<Vec<ArtifactRow>, sqlx::Error> {
        let read = |row: &AnyRow| {
            Ok(ArtifactRow {
                path: row.try_get("path")?,
                sha256: row.try_get("sha256")?,
                bytes: row.try_get("bytes")?,
            })
        };
        let look = || async {
            let rows =
                sqlx::query("SELECT path, sha256, bytes FROM artifacts WHERE execution = $1")
                    .bind(execution);
            rows.fetch_all(&self.pool).await?.iter().map(read).collect()
        };
        self.find(look, |found: &Vec<ArtifactRow>| !found.is_empty())
            .await
    }

    /// Whether any artifact still refers to this content.
    pub(crate) async fn needs_content(&self, sha256: &str) -> Result<bool, sqlx::Error> {
        let look = || async {
            let one = sqlx::query("SELECT 1 FROM artifacts WHERE sha256 = $1 LIMIT 1").bind(sha256);
            Ok(one.fetch_optional(&self.pool).await?.is_some())
        };
        self.find(look, |is_needed| *is_needed).await
    }
}

fn execution(row: &AnyRow) -> Result<ExecutionRow, sqlx::Error> {
    Ok(ExecutionRow {
        id: row.try_get("id")?,
        subject: row.try_get("subject")?,
        session: row.try_get("session")?,
        language: row.try_get("language")?,
        profile: row.try_get("profile")?,
        status: parsed(row, "status")?,
        created_ms: row.try_get("created_ms")?,
        started_ms: row.try_get("started_ms")?,
        ended_ms: row.try_get("ended_ms")?,
        result: row.try_get("result")?,
        artifacts: Vec::new(),
        bytes: row.try_get("bytes")?,
    })
}
