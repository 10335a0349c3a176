//! Task tree: which programs depend on one another, and how far are they?

use crate::bounded::{After, Named, Tasks, number, objects, texts};
use crate::execution::ExecutionState;
use crate::request::ExecutionRequest;
use crate::state::{UnknownState, find, state_as_text};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use utoipa::ToSchema;

/// Executions that depend on one another.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = TaskTreeRequest, example = json!({ "tasks": [
    { "name": "fetch", "execution": { "language": "python", "source": "print(6 * 7)" } },
    { "name": "use", "after": ["fetch"], "execution": { "language": "javascript",
      "source": "console.log(require('fs').readFileSync('inputs/fetch/stdout', 'utf8'))" } },
] }))]
pub struct TreeRequest {
    /// The tasks, in any order.
    #[schema(required = true, min_items = 1, max_items = 500)]
    #[serde(deserialize_with = "objects::<_, Tasks, _>")]
    pub tasks: Vec<TaskRequest>,
    /// Maximum number of tasks that run at once, from 1 to 1000; by default, only the subject's
    /// limits apply.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 1, maximum = 1000)]
    pub parallel: Option<u64>,
}

/// One task.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaskRequest {
    /// The name by which other tasks refer to it: letters, digits, `_` and `-`.
    #[schema(required = true, default = json!(null), pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub name: String,
    /// The program. For every task on which it depends, its workspace has `inputs/NAME/status`,
    /// `inputs/NAME/stdout`, `inputs/NAME/value.json` if there is a value, and its artifacts in
    /// `inputs/NAME/files`.
    #[schema(required = true)]
    pub execution: ExecutionRequest,
    /// The tasks that have to end before it begins (dependencies).
    #[serde(deserialize_with = "texts::<_, After>")]
    pub after: Vec<String>,
    /// The effect on other tasks if it does not succeed.
    pub on_failure: OnFailure,
    /// Number of automatic retries.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 10)]
    pub retries: Option<u64>,
}

impl TaskRequest {
    /// Returns the task as it is stored: without environment variables, which are often secrets.
    #[must_use]
    pub fn without_environment(&self) -> Self {
        let mut task = self.clone();
        task.execution.environment.clear();
        task
    }

    /// Whether it has environment variables.
    #[must_use]
    pub fn has_environment(&self) -> bool {
        !self.execution.environment.is_empty()
    }

    /// Returns what is needed to report on the task: all but its program.
    #[must_use]
    pub fn outline(&self) -> Self {
        Self {
            execution: ExecutionRequest {
                language: self.execution.language.clone(),
                ..ExecutionRequest::default()
            },
            name: self.name.clone(),
            after: self.after.clone(),
            ..*self
        }
    }
}

impl Named for TaskRequest {
    fn name(&self) -> &str {
        &self.name
    }
}

/// The effect on other tasks when one does not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Its dependents are skipped; the others go on.
    #[default]
    Skip,
    /// All tasks are stopped.
    Stop,
    /// Its dependents run all the same.
    Continue,
}

/// The state of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeState {
    /// A task runs, or is about to.
    Running,
    /// All tasks succeeded.
    Succeeded,
    /// A task did not succeed.
    Failed,
    /// It was stopped.
    Cancelled,
    /// The process of the service ended meanwhile.
    Interrupted,
}

impl TreeState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

impl FromStr for TreeState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        find(&Self::ALL, Self::name, name)
    }
}

state_as_text!(TreeState);

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It waits for other tasks.
    Waiting,
    /// It never runs, because a task on which it depends did not succeed.
    Skipped,
    /// The state of its execution, or how it ended without one.
    Execution(ExecutionState),
}

impl TaskState {
    /// It runs.
    pub const RUNNING: Self = Self::Execution(ExecutionState::Running);

    /// It has succeeded.
    pub const SUCCEEDED: Self = Self::Execution(ExecutionState::SUCCEEDED);

    /// It was stopped.
    pub const CANCELLED: Self = Self::Execution(ExecutionState::CANCELLED);

    /// The process of the service ended meanwhile.
    pub const INTERRUPTED: Self = Self::Execution(ExecutionState::Interrupted);

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Skipped => "skipped",
            Self::Execution(state) => state.name(),
        }
    }
}

impl FromStr for TaskState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        match name {
            "waiting" => Ok(Self::Waiting),
            "skipped" => Ok(Self::Skipped),
            _ => name.parse().map(Self::Execution),
        }
    }
}

state_as_text!(TaskState);

/// Numbers of tasks by state.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Progress {
    /// All tasks.
    pub total: usize,
    /// Tasks that run.
    pub running: usize,
    /// Tasks that have ended, with any status.
    pub ended: usize,
    /// Tasks that succeeded.
    pub succeeded: usize,
}

/// A tree of executions. It ends when none of its tasks can make progress.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskTree)]
pub struct TreeBody {
    /// The id of the tree.
    pub id: String,
    /// `running`; or how it ended: `succeeded`, `failed`, `cancelled`, `interrupted`.
    #[schema(value_type = String)]
    pub status: TreeState,
    /// The subject that started it.
    pub subject: String,
    /// The time of the request.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The time at which it ended.
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    /// Progress of all tasks.
    pub progress: Progress,
    /// The tasks, in the order in which they were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<TaskStatus>>,
}

/// The state of a task.
#[derive(Serialize, ToSchema)]
pub struct TaskStatus {
    /// The name of the task.
    pub name: String,
    /// `waiting`, `running`, `skipped`; or the status of its execution.
    #[schema(value_type = String)]
    pub status: TaskState,
    /// The tasks on which it depends.
    pub after: Vec<String>,
    /// The effect on other tasks if it does not succeed.
    pub on_failure: OnFailure,
    /// The number of attempts.
    pub attempts: u64,
    /// The id of its newest execution.
    pub execution: Option<String>,
    /// The reason why it could not even begin.
    pub detail: Option<String>,
    /// Progress of its branch: itself and all tasks that depend on it, directly or not.
    pub progress: Progress,
}

/// A page of trees, without their tasks.
#[derive(Serialize, ToSchema)]
pub struct TreeList {
    /// The trees, the newest first.
    pub task_trees: Vec<TreeBody>,
    /// The `cursor` of the next page, with older ones; null on the last one.
    pub next_cursor: Option<String>,
}

/// A change of a task.
#[derive(Serialize)]
pub struct TaskEvent<'a> {
    /// The number of attempts.
    pub attempts: u64,
    /// The id of its newest execution.
    pub execution: Option<&'a str>,
    /// The name of the task.
    pub name: &'a str,
    /// Progress of all tasks.
    pub progress: Progress,
    /// The state of the task.
    pub status: TaskState,
}
