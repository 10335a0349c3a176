//! Outcome: what does a run report?
//!
//! The same on the command line and over HTTP.

use crate::encode::{bounded, encode, one_of_many};
use crate::json::{guest_json, sha256, to_harmless_json};
use crate::problem::{DenialBody, ErrorBody};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox::{
    Artifact, BundleOrigin, Format, FormatContent, LockedPackage, Outcome, PackageResolution,
};
use glovebox_policy::{Finding, Tier};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::time::Duration;
use utoipa::ToSchema;

/// The result of a run that has ended.
#[derive(Serialize, ToSchema)]
#[schema(as = Outcome)]
pub struct OutcomeBody<'a> {
    /// The program's exit code.
    exit_code: Option<i32>,
    /// Standard output, with the replacement character for invalid UTF-8; empty if its JSON would
    /// take more than twice its bytes.
    #[schema(value_type = Option<String>)]
    stdout: Cow<'a, str>,
    /// Standard output as base64, if it is not valid UTF-8, or if its JSON text would take more
    /// than twice its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_base64: Option<String>,
    /// Whether standard output was truncated.
    #[schema(value_type = Option<bool>)]
    stdout_truncated: bool,
    /// Standard error.
    #[schema(value_type = Option<String>)]
    stderr: Cow<'a, str>,
    /// Standard error as base64, under the same conditions as standard output.
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_base64: Option<String>,
    /// Whether standard error was truncated.
    #[schema(value_type = Option<bool>)]
    stderr_truncated: bool,
    /// The uncaught exception.
    exception: Option<ExceptionBody<'a>>,
    /// The limit that ended it, by its key in a policy, such as `wall` or `open_files`; or `table`,
    /// `host_allocation` or `compile`, which are built in.
    #[schema(value_type = Option<String>)]
    limit: Option<&'static str>,
    /// The amount of that limit, as a policy writes it: `10s`, `256MiB`, or a number. Missing for a
    /// built-in limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_granted: Option<String>,
    /// The origin of that amount: `request`, `profile` or `built_in`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    limit_source: Option<&'static str>,
    /// The reason why the policy denied it.
    denial: Option<DenialBody<'a>>,
    /// The reason why the guest crashed.
    #[schema(value_type = Option<String>)]
    crash: Option<Cow<'a, str>>,
    /// The artifacts; over HTTP, each is at `/v1/executions/{id}/artifacts/{path}`.
    #[schema(value_type = Option<Vec<ArtifactBody<'a>>>)]
    artifacts: Vec<ArtifactBody<'a>>,
    /// Whether there were more artifacts.
    #[schema(value_type = Option<bool>)]
    artifacts_truncated: bool,
    /// The reason why some of the output or the artifacts is not kept: `quota`
    /// (`limits.kept_per_subject`, `limits.kept`) or `disk` (`limits.disk_reserve`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    not_kept: Option<&'static str>,
    /// The tier in which it ran.
    #[schema(value_type = Option<String>)]
    tier: Option<&'static str>,
    /// The reason for that tier.
    #[schema(value_type = Option<String>)]
    tier_reason: &'a str,
    /// Its packages, each by its exact archive.
    #[schema(value_type = Option<Vec<PackageBody<'a>>>)]
    packages: Vec<PackageBody<'a>>,
    /// Findings of the inspection before it ran: a signal, and never the boundary.
    #[schema(value_type = Option<Vec<FindingBody<'a>>>)]
    findings: Vec<FindingBody<'a>>,
    /// Resources that it used.
    #[schema(value_type = Option<UsageBody>)]
    usage: UsageBody,
    /// The policy that decided, and by which rules.
    #[schema(value_type = Option<PolicyReference<'a>>)]
    policy: PolicyReference<'a>,
    /// The value of the last expression.
    value: Option<ValueBody<'a>>,
    /// The results that the program showed: with `display`, as charts, or as a last expression that
    /// has more forms than text. They are the program's, and so is their HTML and script.
    #[schema(value_type = Option<Vec<MimeBundleBody<'a>>>)]
    results: Vec<MimeBundleBody<'a>>,
    /// Whether there were more results, or larger ones, than `limits.results` allows.
    #[schema(value_type = Option<bool>)]
    results_truncated: bool,
    /// The reason why there is no outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody<'a>>,
}

/// An uncaught exception.
#[derive(Serialize, ToSchema)]
#[schema(as = Exception)]
pub struct ExceptionBody<'a> {
    #[schema(value_type = String)]
    r#type: Cow<'a, str>,
    #[schema(value_type = String)]
    message: Cow<'a, str>,
    #[schema(value_type = String)]
    traceback: Cow<'a, str>,
}

/// A value as JSON, if it has a faithful form, and as the language prints it.
#[derive(Serialize, ToSchema)]
#[schema(as = Value)]
pub struct ValueBody<'a> {
    #[schema(value_type = serde_json::Value)]
    json: Option<Cow<'a, RawValue>>,
    #[schema(value_type = String)]
    text: Cow<'a, str>,
}

/// A result in one or more formats, as in Jupyter.
#[derive(Serialize, ToSchema)]
#[schema(as = MimeBundle)]
pub struct MimeBundleBody<'a> {
    /// The way in which it was shown: `value` (the last expression) or `display`.
    #[schema(value_type = String)]
    origin: BundleOrigin,
    /// Its content by media type: text, JSON for `application/json` and types that end in `+json`,
    /// and base64 for pictures and other bytes.
    #[serde(serialize_with = "formats")]
    #[schema(value_type = Object)]
    data: &'a [Format],
}

/// Writes the formats of a result by their media types, each within the bounds of a guest's text.
fn formats<S: Serializer>(formats: &&[Format], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(formats.len()))?;
    for format in *formats {
        match &format.content {
            FormatContent::Text(text) => {
                map.serialize_entry(&format.media_type, &bounded(text))?;
            }
            FormatContent::Json(json) => {
                map.serialize_entry(&format.media_type, &guest_json(json))?;
            }
            FormatContent::Bytes(bytes) => {
                map.serialize_entry(&format.media_type, &STANDARD.encode(bytes))?;
            }
        }
    }
    map.end()
}

/// An artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Artifact)]
pub struct ArtifactBody<'a> {
    /// Relative to the workspace.
    #[serde(serialize_with = "one_of_many")]
    #[schema(value_type = String)]
    pub path: &'a str,
    /// Its size.
    #[schema(value_type = u64)]
    pub bytes: usize,
    /// The digest of its content, in hexadecimal.
    #[schema(value_type = String)]
    pub sha256: Cow<'a, str>,
    /// The path on this machine to which it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub saved_to: Option<String>,
}

/// A package, by its exact archive.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub struct PackageBody<'a> {
    #[schema(value_type = String)]
    name: Cow<'a, str>,
    #[schema(value_type = String)]
    version: Cow<'a, str>,
    #[schema(value_type = String)]
    file: Cow<'a, str>,
    #[schema(value_type = String)]
    digest: Cow<'a, str>,
}

/// A finding in a program.
#[derive(Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingBody<'a> {
    /// The kind of finding, such as `process-spawn`.
    #[schema(value_type = String)]
    rule: &'a str,
    /// The line of the program; null if it is about something else.
    line: Option<u32>,
    /// `low`: ordinary programs do it as well. `medium`: few do. `high`: none has a reason for it.
    #[schema(value_type = String)]
    severity: &'static str,
    /// A description, in one sentence.
    #[serde(serialize_with = "one_of_many")]
    #[schema(value_type = String)]
    message: &'a str,
}

/// Resources that an execution used.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionUsage)]
pub struct UsageBody {
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
pub struct PolicyReference<'a> {
    #[schema(value_type = String)]
    profile: &'a str,
    #[schema(value_type = String)]
    digest: &'a str,
    #[schema(value_type = Vec<String>)]
    rules: &'a [String],
}

impl<'a> OutcomeBody<'a> {
    /// Returns everything that is known about a run but its id and its status; `not_kept` is the
    /// reason why some of it is not stored.
    #[must_use]
    pub fn new(
        outcome: &'a Outcome,
        artifacts: Vec<ArtifactBody<'a>>,
        not_kept: Option<&'static str>,
    ) -> Self {
        let (stdout, stderr) = (encode(&outcome.stdout.bytes), encode(&outcome.stderr.bytes));
        Self {
            exit_code: outcome.exit_code,
            stdout: stdout.text,
            stdout_base64: stdout.base64,
            stdout_truncated: outcome.stdout.truncated,
            stderr: stderr.text,
            stderr_base64: stderr.base64,
            stderr_truncated: outcome.stderr.truncated,
            exception: outcome.exception.as_ref().map(|exception| ExceptionBody {
                r#type: bounded(&exception.kind),
                message: bounded(&exception.message),
                traceback: bounded(&exception.traceback),
            }),
            limit: outcome.reached_limit().map(glovebox::Limit::name),
            limit_granted: outcome
                .limit
                .and_then(|hit| hit.granted)
                .map(|granted| granted.to_string()),
            limit_source: outcome.limit.map(|hit| hit.source.name()),
            denial: outcome.denial.as_ref().map(DenialBody::from),
            crash: outcome.crash.as_deref().map(bounded),
            artifacts,
            artifacts_truncated: outcome.artifacts_truncated,
            not_kept,
            tier: outcome.tier.map(Tier::name),
            tier_reason: &outcome.tier_reason,
            packages: packages(&outcome.packages),
            findings: outcome.findings.iter().map(FindingBody::from).collect(),
            usage: UsageBody::of(outcome),
            policy: PolicyReference {
                profile: &outcome.policy.profile,
                digest: &outcome.policy.digest,
                rules: &outcome.policy.rules,
            },
            value: outcome.value.as_ref().map(|value| ValueBody {
                json: value.json.as_deref().and_then(guest_json),
                text: bounded(&value.text),
            }),
            results: outcome
                .results
                .bundles
                .iter()
                .map(|bundle| MimeBundleBody {
                    origin: bundle.origin,
                    data: bundle.data.as_slice(),
                })
                .collect(),
            results_truncated: outcome.results.truncated,
            error: None,
        }
    }

    /// Returns it as JSON on one line, as it is stored with the record of an execution.
    #[must_use]
    pub fn to_json(&self) -> String {
        to_harmless_json(self)
    }
}

/// An outcome with the id of its run and its status.
#[derive(Serialize)]
struct RunBody<'a> {
    id: String,
    status: &'static str,
    #[serde(flatten)]
    outcome: OutcomeBody<'a>,
}

/// Returns everything that is known about a run, as one JSON object on one line.
#[must_use]
pub fn outcome_json(outcome: &Outcome, artifacts: Vec<ArtifactBody<'_>>) -> String {
    to_harmless_json(&RunBody {
        id: outcome.id.to_string(),
        status: outcome.status.name(),
        outcome: OutcomeBody::new(outcome, artifacts, None),
    })
}

impl<'a> From<&'a Finding> for FindingBody<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            rule: &finding.rule,
            line: finding.line,
            severity: finding.severity.name(),
            message: &finding.message,
        }
    }
}

impl<'a> From<&'a LockedPackage> for PackageBody<'a> {
    fn from(package: &'a LockedPackage) -> Self {
        Self {
            name: package.name.as_str().into(),
            version: package.version.as_str().into(),
            file: package.file.as_str().into(),
            digest: package.digest.as_str().into(),
        }
    }
}

impl PackageBody<'_> {
    /// Returns a copy that borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> PackageBody<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        PackageBody {
            name: owned(self.name),
            version: owned(self.version),
            file: owned(self.file),
            digest: owned(self.digest),
        }
    }
}

fn packages(locked: &[LockedPackage]) -> Vec<PackageBody<'_>> {
    locked.iter().map(PackageBody::from).collect()
}

/// The packages that a program would have, and the tier for them.
#[derive(Serialize)]
struct PackageResolutionBody<'a> {
    tier: &'static str,
    tier_reason: &'a str,
    packages: Vec<PackageBody<'a>>,
}

/// Returns the packages that a program would have, as one JSON object on one line.
#[must_use]
pub fn resolution_json(resolution: &PackageResolution) -> String {
    let PackageResolution {
        tier,
        tier_reason,
        packages: locked,
        ..
    } = resolution;
    to_harmless_json(&PackageResolutionBody {
        tier: tier.name(),
        tier_reason,
        packages: packages(locked),
    })
}

/// Converts a file that was handed back, and the path to which it was saved, to its JSON form.
#[must_use]
pub fn artifact(file: &Artifact, saved_to: Option<String>) -> ArtifactBody<'_> {
    ArtifactBody {
        path: &file.path,
        bytes: file.content.len(),
        sha256: sha256(&file.content).into(),
        saved_to,
    }
}

impl UsageBody {
    fn of(outcome: &Outcome) -> Self {
        let usage = &outcome.usage;
        Self {
            wall_ms: milliseconds(usage.wall),
            cpu_ms: milliseconds(usage.cpu),
            fuel: usage.fuel,
            peak_memory_bytes: usage.peak_memory,
            output_bytes: usage.output,
            workspace_bytes: usage.workspace,
            files: usage.files,
            host_calls: usage.host_calls,
        }
    }
}

/// Returns milliseconds, with microseconds after the decimal point.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
