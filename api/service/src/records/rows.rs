//! Rows: what does a record consist of?

use glovebox_wire::execution::{
    ExecutionBody, ExecutionState, ExecutionSummary, ExecutionTimes, StoredResult,
};
use glovebox_wire::tree::TreeState;
use serde::{Deserialize, Serialize};

/// Bytes of a row besides the texts in it: its columns, its indexes, and its share of the audit log
/// and the journal.
pub(crate) const ROW_BYTES: u64 = 512;

/// The row of an execution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ExecutionRow {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) session: Option<String>,
    pub(crate) language: String,
    pub(crate) profile: Option<String>,
    pub(crate) status: ExecutionState,
    pub(crate) created_ms: i64,
    pub(crate) started_ms: Option<i64>,
    pub(crate) ended_ms: Option<i64>,
    /// The outcome as JSON.
    pub(crate) result: Option<String>,
    pub(crate) artifacts: Vec<ArtifactRow>,
    /// Bytes stored for it and its artifacts, once it has ended.
    #[serde(default)]
    pub(crate) bytes: i64,
}

impl ExecutionRow {
    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its state.
    #[must_use]
    pub fn state(&self) -> ExecutionState {
        self.status
    }

    /// Returns when it was requested, in milliseconds since 1970.
    #[must_use]
    pub fn created_ms(&self) -> i64 {
        self.created_ms
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended_ms.is_some()
    }

    /// Returns the length of its result.
    #[must_use]
    pub fn result_bytes(&self) -> usize {
        self.result.as_ref().map_or(0, String::len)
    }

    /// Returns its JSON form.
    #[must_use]
    pub fn body(&self) -> ExecutionBody<'_> {
        ExecutionBody {
            summary: self.summary(),
            result: self.result.as_deref().map(StoredResult),
        }
    }

    /// Returns its JSON form in lists: without its output.
    #[must_use]
    pub fn summary(&self) -> ExecutionSummary<'_> {
        let (created_at, started_at, ended_at) = ExecutionTimes {
            created_ms: self.created_ms,
            started_ms: self.started_ms,
            ended_ms: self.ended_ms,
        }
        .format();
        ExecutionSummary {
            id: &self.id,
            status: self.status,
            subject: &self.subject,
            session: self.session.as_deref(),
            language: &self.language,
            profile: self.profile.as_deref(),
            created_at,
            started_at,
            ended_at,
        }
    }
}

/// The row of an artifact, which refers to its content by digest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArtifactRow {
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) bytes: i64,
}

/// The row of a session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) language: String,
    pub(crate) profile: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    pub(crate) end_reason: Option<String>,
}

/// The row of a task tree.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct TreeRow {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) status: TreeState,
    pub(crate) created_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    /// The tasks as JSON, if they are needed.
    pub(crate) plan: Option<String>,
    /// The state of the tasks, as JSON.
    pub(crate) nodes: String,
    pub(crate) revision: i64,
    /// Bytes stored for it, if its plan is present.
    #[serde(default)]
    pub(crate) bytes: i64,
}

/// The row of an API key: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) secret_sha256: String,
    pub(crate) scopes: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) revoked_ms: Option<i64>,
}
