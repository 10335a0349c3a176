//! OpenAPI schema of executions: what does an execution look like to clients?
//!
//! Only for the API description: responses are assembled as text, because a guest's own JSON is embedded unparsed.

use serde::Serialize;
use utoipa::ToSchema;

/// An execution. What is not known yet, or does not apply, is missing or null.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Execution {
    /// Its name, for all that follows.
    id: String,
    /// `queued`, `running`; or how it ended: `succeeded`, `failed`, `denied`, `limited`, `crashed`, `cancelled`; `error` where the service
    /// failed, `interrupted` where it was killed meanwhile.
    status: String,
    /// Who asked for it.
    subject: String,
    /// The session that it ran in.
    session: Option<String>,
    /// The language.
    language: String,
    /// The profile of the policy that it ran under.
    profile: Option<String>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it had its turn.
    #[schema(format = DateTime)]
    started_at: Option<String>,
    /// When it ended.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
    /// The program's exit code.
    exit_code: Option<i32>,
    /// Standard output, with the replacement character for what is not UTF-8; empty where it would take more than twice its bytes as text.
    stdout: Option<String>,
    /// Standard output as base64, where it is not UTF-8, or where its text would take more than twice its bytes.
    stdout_base64: Option<String>,
    /// Whether there was more.
    stdout_truncated: Option<bool>,
    /// Standard error.
    stderr: Option<String>,
    /// Standard error as base64, as for standard output.
    stderr_base64: Option<String>,
    /// Whether there was more.
    stderr_truncated: Option<bool>,
    /// The value of the last expression.
    value: Option<Value>,
    /// The exception that nobody caught.
    exception: Option<Exception>,
    /// The limit that ended it.
    limit: Option<String>,
    /// Why the policy refused.
    denial: Option<crate::http::problem::Denial>,
    /// Why the guest broke.
    crash: Option<String>,
    /// The files that it handed back; each is at `/v1/executions/{id}/artifacts/{path}`.
    artifacts: Option<Vec<ArtifactBody>>,
    /// Whether there were more.
    artifacts_truncated: Option<bool>,
    /// Why some of the output or the files is not kept: `quota` (`limits.kept_per_subject`, `limits.kept`) or `disk` (`limits.disk_reserve`).
    not_kept: Option<String>,
    /// Where it ran.
    tier: Option<String>,
    /// Why there.
    tier_reason: Option<String>,
    /// The packages that it had, each by its exact archive.
    packages: Option<Vec<PackageBody>>,
    /// What was noticed in it before it ran: a signal, and never the boundary.
    findings: Option<Vec<FindingBody>>,
    /// What it used up.
    usage: Option<UsageBody>,
    /// The policy that decided.
    policy: Option<PolicyBody>,
    /// Why there is no outcome.
    error: Option<ErrorBody>,
}

/// Something that was noticed in a program.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingBody {
    /// Which kind of thing it is, such as `process-spawn`.
    rule: String,
    /// The line of the program; null where it is about something else.
    line: Option<u32>,
    /// `low`: ordinary programs do it as well. `medium`: few do. `high`: none has a reason for it.
    severity: String,
    /// What it is, in a sentence.
    message: String,
}

/// A value as JSON, where it has a faithful form, and as the language shows it.
#[derive(Serialize, ToSchema)]
struct Value {
    #[schema(value_type = Option<Object>)]
    json: serde_json::Value,
    text: String,
}

/// An exception that nobody caught.
#[derive(Serialize, ToSchema)]
struct Exception {
    r#type: String,
    message: String,
    traceback: String,
}

/// A file that a program handed back.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
struct ArtifactBody {
    path: String,
    bytes: u64,
    sha256: String,
}

/// A package by its exact archive.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub(in crate::http) struct PackageBody {
    pub(in crate::http) name: String,
    pub(in crate::http) version: String,
    pub(in crate::http) file: String,
    pub(in crate::http) digest: String,
}

/// What an execution used up.
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

/// Which policy decided, and by which rules.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyReference)]
struct PolicyBody {
    profile: String,
    digest: String,
    rules: Vec<String>,
}

/// Why there is no outcome.
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
    /// Counts from 1.
    id: String,
    /// `status`, `finding`, `call`, `stdout`, `stderr` or `end`.
    event: String,
    /// JSON: `{"status": ..}`; a finding; a call of a function of the host with what allowed or refused it and the bytes that went;
    /// `{"text": ..}` with `base64` where that does not say it all; or the execution. `left_out` says why something is missing: there was no
    /// memory for it (`limits.memory`, `limits.memory_per_subject`), and the execution itself has it.
    data: String,
}

/// Executions, the newest first.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ExecutionList {
    /// Without their output.
    executions: Vec<Execution>,
    /// Ask with this as `cursor` for those that follow; null at the end.
    next_cursor: Option<String>,
}
