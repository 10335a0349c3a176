//! Session: what do clients send to open and use one, and what does one look like?

use crate::bounded::{Arguments, Artifacts, Environment, Files, Mounts, Network, Packages, Tools};
use crate::bounded::{maybe_texts, named_texts, number, object, objects, texts};
use crate::outcome::PackageBody;
use crate::request::{
    ExecutionRequest, FileBody, InvalidRequest, LimitsBody, isolation_schema, tier_schema,
};
use glovebox_policy::{Isolation, Request, Subject, Tier};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A session to open.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "language": "python" }))]
pub struct SessionRequest {
    /// `python`, `javascript` or `typescript`.
    #[schema(required = true, default = json!(null), min_length = 1)]
    language: String,
    /// The profile of the policy to run under; by default, the policy's own choice.
    profile: Option<String>,
    /// Idle timeout, in seconds.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 1, maximum = 86400)]
    pub idle_s: Option<u64>,
    /// Environment variables, in addition to those of the profile.
    #[serde(deserialize_with = "named_texts::<_, Environment>")]
    environment: BTreeMap<String, String>,
    /// Files that are in the workspace at the start.
    #[serde(deserialize_with = "objects::<_, Files, _>")]
    files: Vec<FileBody>,
    /// Seeds all randomness, so that runs of the same programs are reproducible.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    seed: Option<u64>,
    /// Packages that its programs need.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    packages: Vec<String>,
    /// Smaller limits than those of the profile, for each evaluation separately.
    #[serde(deserialize_with = "object")]
    limits: LimitsBody,
    /// The only tier to run in.
    #[schema(schema_with = tier_schema)]
    tier: Option<Tier>,
    /// The minimum isolation.
    #[schema(schema_with = isolation_schema)]
    min_isolation: Option<Isolation>,
    /// Guest paths of the mounts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Mounts>")]
    mounts: Option<Vec<String>>,
    /// Hosts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Network>")]
    network: Option<Vec<String>>,
    /// Tools to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Tools>")]
    tools: Option<Vec<String>>,
}

impl SessionRequest {
    /// Converts it to a request, which has no program yet.
    ///
    /// # Errors
    ///
    /// If the language is missing, or a value is invalid.
    pub fn into_request(self, subject: Subject) -> Result<Request, InvalidRequest> {
        let Self {
            language,
            profile,
            environment,
            files,
            seed,
            packages,
            limits,
            tier,
            min_isolation,
            mounts,
            network,
            tools,
            ..
        } = self;
        let request = ExecutionRequest {
            language,
            profile,
            environment,
            files,
            seed,
            packages,
            limits,
            tier,
            min_isolation,
            mounts,
            network,
            tools,
            ..ExecutionRequest::default()
        };
        Ok(request.convert(subject)?.0)
    }
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// It waits for a program.
    Idle,
    /// A program runs in it.
    Busy,
    /// It has to be reset before the next program.
    Broken,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// The id of the session.
    pub id: String,
    /// `idle`, `busy`; `broken` after an evaluation that hit a limit, was stopped or crashed the
    /// guest: reset it to go on.
    #[schema(value_type = String)]
    pub status: SessionState,
    /// The language.
    pub language: String,
    /// The profile of the policy under which it runs.
    pub profile: String,
    /// The tier in which it runs.
    pub tier: String,
    /// The time at which it was opened.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Idle timeout, in seconds.
    pub idle_s: u64,
    /// The packages that its programs can import.
    pub packages: Vec<PackageBody<'static>>,
}

/// The caller's sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions, the newest first.
    pub sessions: Vec<SessionBody>,
}

/// Options of a reset.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResetRequest {
    /// Whether the files of the workspace are kept.
    pub keep_files: bool,
    /// Packages to open it with, instead of those that it has; they choose the tier again. If there
    /// are none, it keeps its packages.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    pub packages: Vec<String>,
}

/// A program to evaluate in a session.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationRequest {
    /// The program's text.
    #[schema(value_type = String, required = true, default = json!(null))]
    pub source: Option<String>,
    /// The file name that tracebacks show.
    pub name: Option<String>,
    /// The program's command-line arguments.
    #[serde(deserialize_with = "texts::<_, Arguments>")]
    pub arguments: Vec<String>,
    /// Globs of the files to return as artifacts.
    #[serde(deserialize_with = "texts::<_, Artifacts>")]
    pub artifacts: Vec<String>,
    /// Standard input, as text.
    pub stdin: Option<String>,
}

/// Packages to add or to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackagesRequest {
    /// Requirements as in an execution; to remove them, their names alone.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    pub packages: Vec<String>,
}

/// The packages of a session.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionPackages)]
pub struct PackagesBody {
    /// The packages that its programs can import.
    pub packages: Vec<PackageBody<'static>>,
}

/// An entry of a directory.
#[derive(Serialize, ToSchema)]
#[schema(as = FileEntry)]
pub struct FileEntryBody {
    /// Its name in the directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// The length of a file.
    pub bytes: u64,
}

/// A directory of a workspace.
#[derive(Serialize, ToSchema)]
pub struct FileList {
    /// The entries, sorted by name.
    pub files: Vec<FileEntryBody>,
    /// The value of `after` for the next page; null on the last one.
    pub next_after: Option<String>,
}
