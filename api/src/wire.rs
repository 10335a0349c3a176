//! JSON format of outcomes: what does an outcome look like as JSON?
//!
//! The same on the command line and over HTTP. Field names are stable: fields may be added, never renamed.

mod encode;

pub(crate) use encode::{Encoded, bounded_piece, encode_piece};

use encode::{bounded, encode, fits_when_harmless, one_of_many};
use glovebox::{Artifact, LockedPackage, Outcome, Provision};
use glovebox_policy::Finding;
use serde::Serialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::time::Duration;

#[derive(Serialize)]
struct OutcomeObject<'a> {
    exit_code: Option<i32>,
    stdout: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout_base64: Option<String>,
    stdout_truncated: bool,
    stderr: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr_base64: Option<String>,
    stderr_truncated: bool,
    exception: Option<ExceptionObject<'a>>,
    limit: Option<&'static str>,
    denial: Option<DenialObject<'a>>,
    crash: Option<Cow<'a, str>>,
    artifacts: Vec<ArtifactObject<'a>>,
    artifacts_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_kept: Option<&'a str>,
    tier: Option<&'static str>,
    tier_reason: &'a str,
    packages: Vec<PackageObject<'a>>,
    findings: Vec<FindingObject<'a>>,
    usage: UsageObject,
    policy: PolicyObject<'a>,
}

#[derive(Serialize)]
struct ExceptionObject<'a> {
    r#type: Cow<'a, str>,
    message: Cow<'a, str>,
    traceback: Cow<'a, str>,
}

#[derive(Serialize)]
struct DenialObject<'a> {
    rule: &'a str,
    #[serde(serialize_with = "one_of_many")]
    asked: &'a str,
    #[serde(serialize_with = "one_of_many")]
    reason: &'a str,
    fix: &'a str,
}

/// A file that a program handed back.
#[derive(Clone, Debug, Serialize)]
pub struct ArtifactObject<'a> {
    /// Relative to the workspace.
    #[serde(serialize_with = "one_of_many")]
    pub path: &'a str,
    /// Its size.
    pub bytes: usize,
    /// The digest of its content, in hexadecimal.
    pub sha256: String,
    /// The path on this machine to which it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_to: Option<String>,
}

#[derive(Serialize)]
struct PackageObject<'a> {
    name: &'a str,
    version: &'a str,
    file: &'a str,
    digest: &'a str,
}

#[derive(Serialize)]
pub(crate) struct FindingObject<'a> {
    rule: &'a str,
    line: Option<u32>,
    severity: &'static str,
    #[serde(serialize_with = "one_of_many")]
    message: &'a str,
}

#[derive(Serialize)]
struct ProvisionObject<'a> {
    tier: &'static str,
    tier_reason: &'a str,
    packages: Vec<PackageObject<'a>>,
}

#[derive(Serialize)]
struct UsageObject {
    wall_ms: f64,
    cpu_ms: f64,
    fuel: u64,
    peak_memory_bytes: u64,
    output_bytes: u64,
    workspace_bytes: u64,
    files: u64,
    host_calls: u64,
}

#[derive(Serialize)]
struct PolicyObject<'a> {
    profile: &'a str,
    digest: &'a str,
    rules: &'a [String],
}

/// Returns everything that is known about a run, as one JSON object on one line.
#[must_use]
pub fn outcome_json(outcome: &Outcome, artifacts: Vec<ArtifactObject<'_>>) -> String {
    let fields = outcome_fields(outcome, artifacts, None);
    let (id, status) = (outcome.id, outcome.status.name());
    format!(
        r#"{{"id":"{id}","status":"{status}",{}"#,
        fields.strip_prefix('{').unwrap_or(&fields)
    )
}

/// Returns everything that is known about a run but its name and status, as one JSON object on one line; `not_kept` says why some of it is
/// not stored.
#[must_use]
pub fn outcome_fields(
    outcome: &Outcome,
    artifacts: Vec<ArtifactObject<'_>>,
    not_kept: Option<&str>,
) -> String {
    let (stdout, stderr) = (encode(&outcome.stdout.bytes), encode(&outcome.stderr.bytes));
    let mut text = to_json(&OutcomeObject {
        exit_code: outcome.exit_code,
        stdout: stdout.text,
        stdout_base64: stdout.base64,
        stdout_truncated: outcome.stdout.truncated,
        stderr: stderr.text,
        stderr_base64: stderr.base64,
        stderr_truncated: outcome.stderr.truncated,
        exception: outcome.exception.as_ref().map(|exception| ExceptionObject {
            r#type: bounded(&exception.kind),
            message: bounded(&exception.message),
            traceback: bounded(&exception.traceback),
        }),
        limit: outcome.limit.map(glovebox::Limit::name),
        denial: outcome.denial.as_ref().map(|denial| DenialObject {
            rule: &denial.rule,
            asked: &denial.asked,
            reason: &denial.reason,
            fix: &denial.fix,
        }),
        crash: outcome.crash.as_deref().map(bounded),
        artifacts,
        artifacts_truncated: outcome.artifacts_truncated,
        not_kept,
        tier: outcome.tier.map(glovebox_policy::Tier::name),
        tier_reason: &outcome.tier_reason,
        packages: packages(&outcome.packages),
        findings: outcome.findings.iter().map(finding).collect(),
        usage: usage(outcome),
        policy: PolicyObject {
            profile: &outcome.policy.profile,
            digest: &outcome.policy.digest,
            rules: &outcome.policy.rules,
        },
    });
    // The guest's JSON is embedded verbatim: numbers beyond 64 bits and the order of keys would not survive parsing.
    let value = outcome.value.as_ref().map_or_else(
        || "null".to_owned(),
        |value| {
            format!(
                r#"{{"json":{},"text":{}}}"#,
                value
                    .json
                    .as_deref()
                    .and_then(one_line)
                    .unwrap_or("null".into()),
                to_json(&bounded(&value.text))
            )
        },
    );
    // The object's closing brace makes room for one more field.
    text.pop();
    harmless(&format!("{text},\"value\":{value}}}"))
}

/// Converts a finding to its JSON form.
pub(crate) fn finding(finding: &Finding) -> FindingObject<'_> {
    FindingObject {
        rule: &finding.rule,
        line: finding.line,
        severity: finding.severity.name(),
        message: &finding.message,
    }
}

fn packages(locked: &[LockedPackage]) -> Vec<PackageObject<'_>> {
    locked
        .iter()
        .map(
            |LockedPackage {
                 name,
                 version,
                 file,
                 digest,
             }| PackageObject {
                name,
                version,
                file,
                digest,
            },
        )
        .collect()
}

/// Returns the packages that a program would have, as one JSON object on one line.
#[must_use]
pub fn provision_json(provision: &Provision) -> String {
    let Provision {
        tier,
        tier_reason,
        packages: locked,
        ..
    } = provision;
    harmless(&to_json(&ProvisionObject {
        tier: tier.name(),
        tier_reason,
        packages: packages(locked),
    }))
}

/// Converts a file that was handed back, and the path to which it was saved, to its JSON form.
#[must_use]
pub fn artifact(file: &Artifact, saved_to: Option<String>) -> ArtifactObject<'_> {
    ArtifactObject {
        path: &file.path,
        bytes: file.content.len(),
        sha256: sha256(&file.content),
        saved_to,
    }
}

fn usage(outcome: &Outcome) -> UsageObject {
    let usage = &outcome.usage;
    UsageObject {
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

/// Returns milliseconds, with microseconds after the decimal point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// Returns a guest's JSON on one line; `None` if it is invalid, or would become several times as long.
fn one_line(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<IgnoredAny>(json)
        .ok()
        .filter(|_| fits_when_harmless(json))?;
    // JSON may have line breaks between its tokens, but not inside strings.
    Some(if json.contains(['\n', '\r']) {
        json.replace(['\n', '\r'], " ").into()
    } else {
        json.into()
    })
}

/// Returns a SHA-256 digest in the notation that is used everywhere.
pub(crate) fn sha256(content: impl AsRef<[u8]>) -> String {
    Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Serializes a value that is always valid JSON.
pub(crate) fn to_json(value: &impl Serialize) -> String {
    // No value here has keys that are not strings, or can fail otherwise.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Escapes the control characters that JSON allows and a terminal interprets. They only occur in strings, where the escape means the same.
fn harmless(json: &str) -> String {
    // Nearly always there are none.
    if json.bytes().all(|byte| byte < 0x7f) {
        return json.to_owned();
    }
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match u32::from(character) {
            code @ 0x7f..=0x9f => text.push_str(&format!("\\u{code:04x}")),
            _ => text.push(character),
        }
    }
    text
}

/// The result of `glovebox doctor`.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// The version of this program.
    pub version: &'static str,
    /// Whether programs can run.
    pub works: bool,
    /// Each tier.
    pub tiers: Vec<TierDiagnosis>,
    /// The machine.
    pub machine: MachineDiagnosis,
    /// The installed guests.
    pub guests: GuestsDiagnosis,
    /// The programs that building guests needs.
    pub build_tools: Vec<ToolDiagnosis>,
    /// Recommended actions, the most important first.
    pub advice: Vec<String>,
}

/// The diagnosis of one tier.
#[derive(Debug, Serialize)]
pub struct TierDiagnosis {
    /// The name of the tier.
    pub tier: &'static str,
    /// Whether a program ran in it.
    pub works: bool,
    /// The result, in one line.
    pub detail: String,
    /// The languages that were tested.
    pub languages: Vec<LanguageDiagnosis>,
}

/// The diagnosis of one language, tested by running a program.
#[derive(Debug, Serialize)]
pub struct LanguageDiagnosis {
    /// Its name.
    pub language: String,
    /// Whether the program printed what it should.
    pub works: bool,
    /// Milliseconds of the second run.
    pub run_ms: Option<f64>,
    /// The failure.
    pub problem: Option<String>,
}

impl LanguageDiagnosis {
    /// Returns a language whose test program ran in this time.
    pub fn works(language: &str, time: Duration) -> Self {
        Self {
            language: language.to_owned(),
            works: true,
            run_ms: Some(milliseconds(time)),
            problem: None,
        }
    }
}

/// The diagnosis of the machine.
#[derive(Debug, Serialize)]
pub struct MachineDiagnosis {
    /// The operating system and processor.
    pub platform: String,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// The processors that this process may use.
    pub cores: Option<usize>,
    /// Whether the kernel reports which pages a run has written (dirty pages).
    pub tells_dirty_pages: bool,
}

/// The diagnosis of the installed guests.
#[derive(Debug, Serialize)]
pub struct GuestsDiagnosis {
    /// The cache directory of guests and machine code.
    pub cache: Option<String>,
    /// Whether this binary carries guests.
    pub carried: bool,
    /// The guests and their versions.
    pub installed: Vec<String>,
}

/// A program that building guests needs.
#[derive(Debug, Serialize)]
pub struct ToolDiagnosis {
    /// Its name.
    pub name: &'static str,
    /// The version that it reports; missing if it is not installed or does not run.
    pub version: Option<String>,
}

/// Returns a diagnosis as JSON.
pub fn diagnosis_json(diagnosis: &Diagnosis) -> String {
    harmless(&to_json(diagnosis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_json_goes_in_whole_or_not_at_all() {
        for (json, expected) in [
            (
                "123456789012345678901234567890",
                Some("123456789012345678901234567890"),
            ),
            ("{\"b\":1,\n\"a\":[ ]}", Some("{\"b\":1, \"a\":[ ]}")),
            ("\"line\\nbreak\"", Some("\"line\\nbreak\"")),
            ("1} , {\"status\":\"succeeded\"", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(one_line(json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn json_never_drives_a_terminal() {
        let text = harmless(&to_json(&"\u{1b}[2J \u{9b}5n \u{7f} \u{e9}"));
        assert!(!text.chars().any(char::is_control), "{text}");
        assert_eq!(
            serde_json::from_str::<String>(&text).unwrap(),
            "\u{1b}[2J \u{9b}5n \u{7f} \u{e9}"
        );
    }
}
