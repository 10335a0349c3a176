//! Execution: what is a run that has a record, and which states does it pass?

use crate::json::{timestamp, to_json};
use crate::outcome::OutcomeBody;
use crate::problem::{Code, ErrorBody};
use crate::state::{UnknownState, find, state_as_text};
use glovebox::Status;
use serde::Serialize;
use std::borrow::Cow;
use std::str::FromStr;
use utoipa::openapi::schema::{AllOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The state of an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutionState {
    /// It waits for a concurrency slot.
    #[default]
    Queued,
    /// It runs.
    Running,
    /// It has ended, with an outcome.
    Ended(Status),
    /// The service failed to run it.
    Error,
    /// The process of the service ended meanwhile.
    Interrupted,
}

impl ExecutionState {
    /// All states, in the order in which an execution may pass them.
    pub const ALL: [Self; 10] = [
        Self::Queued,
        Self::Running,
        Self::Ended(Status::Succeeded),
        Self::Ended(Status::Failed),
        Self::Ended(Status::Denied),
        Self::Ended(Status::Limited),
        Self::Ended(Status::Cancelled),
        Self::Ended(Status::Crashed),
        Self::Error,
        Self::Interrupted,
    ];

    /// It has ended successfully.
    pub const SUCCEEDED: Self = Self::Ended(Status::Succeeded);

    /// A client has stopped it.
    pub const CANCELLED: Self = Self::Ended(Status::Cancelled);

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Ended(status) => status.name(),
            Self::Error => "error",
            Self::Interrupted => "interrupted",
        }
    }
}

impl FromStr for ExecutionState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        find(&Self::ALL, Self::name, name)
    }
}

state_as_text!(ExecutionState);

/// An execution without its result, as lists have it. Fields that are not known yet, or do not
/// apply, are missing or null.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionSummary)]
pub struct ExecutionSummary<'a> {
    /// The id of the execution.
    #[schema(value_type = String)]
    pub id: &'a str,
    /// `queued`, `running`; or how it ended: `succeeded`, `failed`, `denied`, `limited`, `crashed`,
    /// `cancelled`; `error` if the service failed, `interrupted` if the service was killed
    /// meanwhile.
    #[schema(value_type = String)]
    pub status: ExecutionState,
    /// The subject that started it.
    #[schema(value_type = String)]
    pub subject: &'a str,
    /// The session in which it ran.
    #[schema(value_type = Option<String>)]
    pub session: Option<&'a str>,
    /// The language.
    #[schema(value_type = String)]
    pub language: &'a str,
    /// The profile of the policy under which it ran.
    #[schema(value_type = Option<String>)]
    pub profile: Option<&'a str>,
    /// The time of the request.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The time at which it left the queue and began to run.
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    /// The time at which it ended.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
}

/// An execution: its summary and, once it has ended, the fields of its result.
pub struct ExecutionBody<'a> {
    /// Its summary.
    pub summary: ExecutionSummary<'a>,
    /// Its result, once it has ended.
    pub result: Option<StoredResult<'a>>,
}

/// The result of an execution as it is stored: the JSON text of an object, an outcome or an error.
pub struct StoredResult<'a>(pub &'a str);

impl StoredResult<'_> {
    /// Returns the text between the braces; `None` if it is damaged.
    fn fields(&self) -> Option<&str> {
        self.0.strip_prefix('{')?.strip_suffix('}')
    }
}

impl ExecutionBody<'_> {
    /// Returns it as JSON.
    ///
    /// The result was serialized before, and none of its keys is one of a summary: the two are
    /// joined as text. Reading a large output only to write it again would take longer than all the
    /// rest of an answer.
    #[must_use]
    pub fn to_json(&self) -> String {
        let fields = self.result.as_ref().and_then(StoredResult::fields);
        let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
            return to_json(&self.summary);
        };
        // Large results must not be copied while the text grows.
        let mut text = Vec::with_capacity(fields.len() + 512);
        if serde_json::to_writer(&mut text, &self.summary).is_ok() && text.pop() == Some(b'}') {
            text.push(b',');
            text.extend_from_slice(fields.as_bytes());
            text.push(b'}');
        }
        String::from_utf8(text).unwrap_or_default()
    }
}

impl PartialSchema for ExecutionBody<'_> {
    fn schema() -> RefOr<Schema> {
        AllOfBuilder::new()
            .item(Ref::from_schema_name(ExecutionSummary::name()))
            .item(Ref::from_schema_name(OutcomeBody::name()))
            .description(Some(
                "An execution: its summary and, once it has ended, the fields of its outcome.",
            ))
            .into()
    }
}

impl ToSchema for ExecutionBody<'_> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Execution")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        for (name, schema) in [
            (ExecutionSummary::name(), ExecutionSummary::schema()),
            (OutcomeBody::name(), OutcomeBody::schema()),
        ] {
            schemas.push((name.into_owned(), schema));
        }
        ExecutionSummary::schemas(schemas);
        OutcomeBody::schemas(schemas);
    }
}

/// The times of an execution, in milliseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionTimes {
    /// The time of the request.
    pub created_ms: i64,
    /// The time at which it began to run.
    pub started_ms: Option<i64>,
    /// The time at which it ended.
    pub ended_ms: Option<i64>,
}

impl ExecutionTimes {
    /// Formats them, in this order.
    #[must_use]
    pub fn format(self) -> (String, Option<String>, Option<String>) {
        (
            timestamp(self.created_ms),
            self.started_ms.map(timestamp),
            self.ended_ms.map(timestamp),
        )
    }
}

/// Returns the result of an execution without an outcome, as it is stored.
#[must_use]
pub fn failure_json(code: Code, detail: &str) -> String {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: ErrorBody<'a>,
    }

    to_json(&Failure {
        error: ErrorBody { code, detail },
    })
}

/// A page of executions, the newest first.
#[derive(Serialize, ToSchema)]
pub struct ExecutionList<'a> {
    /// The executions, without their results.
    pub executions: Vec<ExecutionSummary<'a>>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_result_is_sent_as_it_is() {
        let (created_at, started_at, ended_at) = ExecutionTimes {
            created_ms: 0,
            started_ms: None,
            ended_ms: Some(1),
        }
        .format();
        let execution = ExecutionBody {
            summary: ExecutionSummary {
                id: "run_1",
                status: ExecutionState::SUCCEEDED,
                subject: "local",
                session: None,
                language: "python",
                profile: Some("default"),
                created_at,
                started_at,
                ended_at,
            },
            result: Some(StoredResult(
                r#"{"exit_code":0,"value":{"json":1.0e400,"text":"\u009b"}}"#,
            )),
        };
        assert_eq!(
            execution.to_json(),
            r#"{"id":"run_1","status":"succeeded","subject":"local","session":null,"language":"python","profile":"default","created_at":"1970-01-01T00:00:00.000Z","started_at":null,"ended_at":"1970-01-01T00:00:00.001Z","exit_code":0,"value":{"json":1.0e400,"text":"\u009b"}}"#
        );
        assert_eq!(
            failure_json(Code::Internal, "x"),
            r#"{"error":{"code":"internal","detail":"x"}}"#
        );
        let cut = ExecutionBody {
            result: Some(StoredResult(r#"{"exit_code":"#)),
            ..execution
        };
        assert!(cut.to_json().ends_with(r#"001Z"}"#), "a damaged result");
    }

    #[test]
    fn every_state_is_read_by_its_name() {
        for state in ExecutionState::ALL {
            assert_eq!(state.name().parse::<ExecutionState>().unwrap(), state);
        }
        assert!("ended".parse::<ExecutionState>().is_err());
    }
}
