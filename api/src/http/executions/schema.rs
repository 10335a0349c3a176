//! OpenAPI schema of executions: what does an execution look like to clients?
//!
//! Only for the API description: responses are assembled as text, because a guest's own JSON is embedded unparsed.

use serde::Serialize;
use utoipa::ToSchema;

/// An execution. Fields that are not known yet, or do not apply, are missing or null.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Execution {
    /// The id of the execution.
    id: String,
    /// `queued`, `running`; or how it ended: `succeeded`, `failed`, `denied`, `limited`, `crashed`, `cancelled`; `error` if the service
    /// failed, `interrupted` if the service was killed meanwhile.
    status: String,
    /// The subject that started it.
    subject: String,
    /// The session in which it ran.
    session: Option<String>,
    /// The language.
    language: String,
    /// The profile of the policy under which it ran.
    profile: Option<String>,
    /// The time of the request.
    #[schema(format = DateTime)]
    created_at: String,
    /// The time at which it left the queue and began to run.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// The time at which it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The program's exit code.
    exit_code: Option<i32>,
    /// Standard output, with the replacement character for invalid UTF-8; empty if its JSON would take more than twice its bytes.
    stdout: Option<String>,
    /// Standard output as base64, if it is not valid UTF-8, or if its JSON text would take more than twice its bytes.
    stdout_base64: Option<String>,
    /// Whether standard output was truncated.
    stdout_truncated: Option<bool>,
    /// Standard error.
    stderr: Option<String>,
    /// Standard error as base64, under the same conditions as standard output.
    stderr_base64: Option<String>,
    /// Whether standard error was truncated.
    stderr_truncated: Option<bool>,
    /// The value of the last expression.
    value: Option<Value>,
    /// The uncaught exception.
    exception: Option<Exception>,
    /// The limit that ended it.
    limit: Option<String>,
    /// The reason why the policy denied it.
    denial: Option<crate::http::problem::Denial>,
    /// The reason why the guest crashed.
    crash: Option<String>,
    /// The artifacts; each is at `/v1/executions/{id}/artifacts/{path}`.
    artifacts: Option<Vec<ArtifactBody>>,
    /// Whether there were more artifacts.
    artifacts_truncated: Option<bool>,
    /// The reason why some of the output or the artifacts is not kept: `quota` (`limits.kept_per_subject`, `limits.kept`) or `disk`
    /// (`limits.disk_reserve`).
    not_kept: Option<String>,
    /// The tier in which it ran.
    tier: Option<String>,
    /// The reason for that tier.
    tier_reason: Option<String>,
    /// Its packages, each by its exact archive.
    packages: Option<Vec<PackageBody>>,
    /// Findings of the inspection before it ran: a signal, and never the boundary.
    findings: Option<Vec<FindingBody>>,
    /// Resources that it used.
    usage: Option<UsageBody>,
    /// The policy that decided, and by which rules.
    policy: Option<PolicyBody>,
    /// The reason why there is no outcome.
    error: Option<ErrorBody>,
}

/// A finding in a program.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingBody {
    /// The kind of finding, such as `process-spawn`.
    rule: String,
    /// The line of the program; null if it is about something else.
    line: Option<u32>,
    /// `low`: ordinary programs do it as well. `medium`: few do. `high`: none has a reason for it.
    severity: String,
    /// A description, in one sentence.
    message: String,
}

/// A value as JSON, if it has a faithful form, and as the language prints it.
#[derive(Serialize, ToSchema)]
struct Value {
    #[schema(value_type = Option<Object>)]
    json: serde_json::Value,
    text: String,
}

/// An uncaught exception.
#[derive(Serialize, ToSchema)]
struct Exception {
    r#type: String,
    message: String,
    traceback: String,
}

/// An artifact.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
struct ArtifactBody {
    path: String,
    bytes: u64,
    sha256: String,
}

/// A package, by its exact archive.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub(in crate::http) struct PackageBody {
    pub(in crate::http) name: String,
    pub(in crate::http) version: String,
    pub(in crate::http) file: String,
    pub(in crate::http) digest: String,
}

/// Resources that an execution used.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionUsage)]
struct UsageBody {
    wall_ms: f64,
    cpu_ms: f64,
    fuel: u64,
    peak_memory_bytes: u64,
    output_bytes: u64,
    workspace_bytes: u64,
    files: u64,
    host_calls: u64,
}

/// The policy that decided, and by which rules.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyReference)]
struct PolicyBody {
    profile: String,
    digest: String,
    rules: Vec<String>,
}

/// The reason why there is no outcome.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionError)]
struct ErrorBody {
    code: String,
    detail: String,
}

/// One event of a stream.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub(in crate::http) struct EventBody {
    /// Sequence number, from 1.
    id: String,
    /// `status`, `finding`, `call`, `stdout`, `stderr` or `end`.
    event: String,
    /// JSON: `{"status": ..}`; a finding; a host call with the rule that allowed or denied it and the bytes transferred; `{"text": ..}`,
    /// with `base64` if the text does not represent all bytes; or the execution. `left_out` says why something is missing: there was no
    /// memory for it (`limits.memory`, `limits.memory_per_subject`), and the execution itself has it.
    data: String,
}

/// A page of executions, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExecutionList {
    /// The executions, without their output.
    executions: Vec<Execution>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}
