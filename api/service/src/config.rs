//! Configuration of the service: what can an operator set?
//!
//! Everything has a default that suits one machine. What programs may do is set in the policy, not
//! here. A quota of one subject (`limits.*_per_subject`, `limits.requests_per_second`) applies
//! where the policy sets none.

mod check;

use crate::scope::Scope;
use glovebox_policy::Severity;
use glovebox_policy::units::{parse_duration, parse_size};
use glovebox_wire::records::AlertKind;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::time::Duration;

/// The configuration of a service, as in its configuration file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The policy file; by default, the built-in policy.
    pub policy: Option<PathBuf>,
    /// The database, such as `postgres://user@host/name`; by default, SQLite in the state folder.
    pub database: Option<String>,
    /// Host names by which clients may call this service, in addition to its address and
    /// `localhost`.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call this service (CORS), such as
    /// `https://console.example.org`.
    pub origins: Vec<String>,
    /// TLS.
    pub tls: Option<Tls>,
    /// Limits and quotas of clients.
    pub limits: ServiceLimits,
    /// Retention periods.
    pub retention: Retention,
    /// The audit log.
    pub audit: AuditConfig,
    /// The container tier.
    pub containers: ContainerConfig,
    /// JSON Web Tokens of an external issuer, in addition to API keys.
    pub jwt: Option<Jwt>,
    /// Alert rules: which events are counted, and which webhook is called.
    pub alerts: Vec<AlertRule>,
    /// Export of traces.
    pub telemetry: Option<Telemetry>,
}

/// JSON Web Tokens of one issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// The issuer: the claim `iss`.
    pub issuer: String,
    /// The audience: one of the claim `aud`.
    pub audience: String,
    /// The issuer's public keys (JWKS): a URL (`https`, or `http` on this machine), or a file.
    pub jwks: String,
    /// The maximum age of cached keys while the issuer cannot be reached: it bounds how long a key
    /// is accepted that the issuer has withdrawn.
    #[serde(default = "keys_max_age", deserialize_with = "duration")]
    pub keys_max_age: Duration,
    /// The claim that names the subject, which is `jwt:` and its value in policies.
    #[serde(default = "subject_claim")]
    pub subject_claim: String,
    /// The scopes of every valid token. A token whose claim `scope` has `glovebox:run` or
    /// `glovebox:audit` has that scope as well.
    #[serde(default = "token_scopes", deserialize_with = "scopes")]
    pub scopes: Vec<Scope>,
}

fn keys_max_age() -> Duration {
    Duration::from_secs(60 * 60)
}

fn subject_claim() -> String {
    "sub".to_owned()
}

fn token_scopes() -> Vec<Scope> {
    vec![Scope::Run]
}

/// An alert rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// Its name.
    pub name: String,
    /// The kind of event that it counts, for each subject separately.
    pub on: AlertKind,
    /// The minimum severity, for `on = "finding"`.
    #[serde(default, deserialize_with = "severity")]
    pub severity: Option<Severity>,
    /// The number of events at which it fires.
    #[serde(default = "one")]
    pub count: usize,
    /// The length of the sliding window.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub within: Duration,
    /// The URL of the webhook, which is called by a POST of JSON.
    pub webhook: Option<String>,
    /// The file with the secret that signs the POST (HMAC-SHA-256, in `X-Glovebox-Signature`).
    pub secret_file: Option<PathBuf>,
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = Severity::ALL.map(Severity::name).join(", ");
    let severity = Severity::from_name(&name);
    severity.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!("`{name}` is no severity; there are {known}"))
    })
}

fn one() -> usize {
    1
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

/// Export of traces.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The URL of an OTLP collector over HTTP, such as `http://127.0.0.1:4318/v1/traces`.
    pub otlp: String,
    /// The service name in its traces.
    #[serde(default = "service_name")]
    pub service_name: String,
}

fn service_name() -> String {
    "glovebox".to_owned()
}

/// TLS.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate chain, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// Limits and quotas of clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLimits {
    /// Concurrent executions.
    #[serde(deserialize_with = "count")]
    pub running: usize,
    /// Concurrent executions of one subject; a profile's `concurrency` applies as well.
    #[serde(deserialize_with = "count")]
    pub running_per_subject: usize,
    /// Queued executions, all subjects together.
    #[serde(deserialize_with = "count")]
    pub queue: usize,
    /// Queued executions of one subject.
    #[serde(deserialize_with = "count")]
    pub queue_per_subject: usize,
    /// Bytes of queued requests, all subjects together.
    #[serde(deserialize_with = "size")]
    pub queue_bytes: usize,
    /// Bytes of the package cache; by default, a share of the disk. Eviction is LRU.
    #[serde(deserialize_with = "maybe_size")]
    pub packages: Option<usize>,
    /// Bytes of disk that the package cache leaves free.
    #[serde(deserialize_with = "size")]
    pub packages_reserve: usize,
    /// Bytes of packages that one subject may cause to be fetched and unpacked within an hour.
    #[serde(deserialize_with = "size")]
    pub packages_per_subject: usize,
    /// Maximum bytes of a request body.
    #[serde(deserialize_with = "size")]
    pub body: usize,
    /// Concurrent connections. When all are taken, the oldest idle one is closed for a new one.
    #[serde(deserialize_with = "count")]
    pub connections: usize,
    /// Concurrent connections from one address, or from one /64 network with IPv6; by default, a
    /// quarter of `connections`. Raise it behind a proxy, whose clients all come from one address.
    #[serde(deserialize_with = "maybe_count")]
    pub connections_per_address: Option<usize>,
    /// Concurrent requests of one subject; by default, half of `connections`.
    #[serde(deserialize_with = "maybe_count")]
    pub connections_per_subject: Option<usize>,
    /// Concurrent followers of events, by server-sent events or WebSockets.
    #[serde(deserialize_with = "count")]
    pub followers: usize,
    /// Concurrent followers of one subject; by default, a quarter of `followers`.
    #[serde(deserialize_with = "maybe_count")]
    pub followers_per_subject: Option<usize>,
    /// Timeout for the head of a request.
    #[serde(deserialize_with = "duration")]
    pub head_time: Duration,
    /// Timeout for the body of a request.
    #[serde(deserialize_with = "duration")]
    pub body_time: Duration,
    /// Timeout for a client that reads nothing of a response.
    #[serde(deserialize_with = "duration")]
    pub write_time: Duration,
    /// Concurrent sessions of one subject.
    #[serde(deserialize_with = "count")]
    pub sessions_per_subject: usize,
    /// Concurrent sessions.
    #[serde(deserialize_with = "count")]
    pub sessions: usize,
    /// Unfinished task trees of one subject.
    #[serde(deserialize_with = "count")]
    pub trees_per_subject: usize,
    /// Default idle timeout of a session.
    #[serde(deserialize_with = "duration")]
    pub session_idle: Duration,
    /// Maximum idle timeout that a session may request.
    #[serde(deserialize_with = "duration")]
    pub session_idle_max: Duration,
    /// Rate limit: requests per second of one subject; by default, there is none.
    #[serde(deserialize_with = "maybe_count")]
    pub requests_per_second: Option<u32>,
    /// Bytes of memory for requests, guests, sessions and task trees, all subjects together; by
    /// default, 70 % of what this process may use (the smaller of its cgroup's limit and the
    /// machine's memory).
    #[serde(deserialize_with = "maybe_size")]
    pub memory: Option<usize>,
    /// Bytes of that memory that one subject may use; by default, half of `memory`.
    #[serde(deserialize_with = "maybe_size")]
    pub memory_per_subject: Option<usize>,
    /// Grace period of executions during a graceful shutdown.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// Storage quota of one subject: bytes of records, artifacts and plans; by default, the smaller
    /// of 1 GiB and a quarter of `kept`.
    #[serde(deserialize_with = "maybe_size")]
    pub kept_per_subject: Option<usize>,
    /// Storage quota of all subjects together; by default, half of the state folder's file system.
    #[serde(deserialize_with = "maybe_size")]
    pub kept: Option<usize>,
    /// Bytes of disk reserved for small records, the journal and the audit log, and the same share
    /// of its inodes; by default, the smaller of 256 MiB and a twentieth of the file system.
    #[serde(deserialize_with = "maybe_size")]
    pub disk_reserve: Option<usize>,
    /// Bytes that one subject may write to the audit log in an hour; by default, the smaller of 1
    /// GiB and a sixteenth of the state folder's file system.
    #[serde(deserialize_with = "maybe_size")]
    pub audit_per_subject: Option<usize>,
    /// Bytes of the audit log, all segments together, above which the subjects that have written
    /// the most of it start nothing new; by default, a quarter of the state folder's file system.
    /// The log itself loses nothing.
    #[serde(deserialize_with = "maybe_size")]
    pub audit: Option<usize>,
    /// Bytes at which the audit log is rotated to its next segment.
    #[serde(deserialize_with = "size")]
    pub audit_segment: usize,
}

impl Default for ServiceLimits {
    fn default() -> Self {
        Self {
            running: 64,
            running_per_subject: 16,
            queue: 1000,
            queue_per_subject: 200,
            queue_bytes: 256 << 20,
            packages: None,
            packages_reserve: 512 << 20,
            packages_per_subject: 8 << 30,
            body: 32 << 20,
            connections: 2000,
            connections_per_address: None,
            connections_per_subject: None,
            followers: 500,
            followers_per_subject: None,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            sessions_per_subject: 16,
            sessions: 1000,
            trees_per_subject: 32,
            session_idle: Duration::from_secs(15 * 60),
            session_idle_max: Duration::from_secs(24 * 60 * 60),
            requests_per_second: None,
            drain: Duration::from_secs(20),
            memory: None,
            memory_per_subject: None,
            kept_per_subject: None,
            kept: None,
            disk_reserve: None,
            audit_per_subject: None,
            audit: None,
            audit_segment: 64 << 20,
        }
    }
}

/// Retention periods.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Executions with their output and artifacts.
    #[serde(deserialize_with = "age")]
    pub executions: Duration,
    /// Complete segments of the audit log; by default, for ever.
    #[serde(deserialize_with = "maybe_age")]
    pub audit: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            executions: Duration::from_secs(7 * 24 * 60 * 60),
            audit: None,
        }
    }
}

/// The audit log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The file with the key that seals each record (HMAC-SHA-256), of at least 32 bytes; by
    /// default, records are sealed with SHA-256.
    pub key_file: Option<PathBuf>,
}

/// The container tier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerConfig {
    /// Whether a container engine is looked for.
    pub enabled: bool,
    /// Containers in the warm pool; 0 for none.
    pub pool: usize,
    /// The OCI runtime for profiles that name none; by default, the engine's own.
    pub runtime: Option<String>,
}

impl Default for ContainerConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            pool: 2,
            runtime: None,
        }
    }
}

/// The reason why a configuration is invalid.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Invalid TOML, an unknown key, or a value of the wrong type.
    #[error("invalid config: {0}")]
    Text(#[from] toml::de::Error),
    /// Two settings conflict, or one is out of range.
    #[error("invalid config: line {line}, column {column}: {message}")]
    Value {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The problem.
        message: String,
    },
}

impl Config {
    /// Parses a configuration.
    ///
    /// # Errors
    ///
    /// If a key is unknown, or a value is invalid.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        config.check().map_err(|misfit| misfit.locate(text))?;
        Ok(config)
    }
}

/// Deserializes a number of which there is at least one.
fn count<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    let number = u64::deserialize(deserializer)?;
    if number == 0 {
        return Err(serde::de::Error::custom(
            "0 would serve no client; write a larger number, as zero never means unlimited",
        ));
    }
    T::try_from(number).map_err(|_| {
        serde::de::Error::custom(format!("{number} is more than this machine can count"))
    })
}

fn maybe_count<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    count(deserializer).map(Some)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Deserializes a retention period, such as `7d` or `1year`: longer than any time limit of a
/// program.
fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |reason: &dyn std::fmt::Display| {
        serde::de::Error::custom(format!(
            "`{text}` is no time to keep things; try `7d`: {reason}"
        ))
    };
    let age = humantime::parse_duration(&text).map_err(|error| wrong(&error))?;
    if age.is_zero() {
        Err(wrong(&"it would keep nothing"))
    } else {
        Ok(age)
    }
}

fn maybe_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    age(deserializer).map(Some)
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scope>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let scope = |name: String| name.parse().map_err(serde::de::Error::custom);
    names.into_iter().map(scope).collect()
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let text = String::deserialize(deserializer)?;
    let size = parse_size(&text).map_err(serde::de::Error::custom)?;
    usize::try_from(size).map_err(serde::de::Error::custom)
}

fn maybe_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    size(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_is_read_with_its_units() {
        let config =
            Config::parse("[limits]\nbody = \"1MiB\"\nhead_time = \"5s\"\n[containers]\npool = 0")
                .unwrap();
        assert_eq!(
            (
                config.limits.body,
                config.limits.head_time,
                config.containers.pool
            ),
            (1 << 20, Duration::from_secs(5), 0)
        );
    }

    #[test]
    fn value_of_the_wrong_form_is_refused() {
        for (wrong, says) in [
            ("limts = 3", "unknown field"),
            ("[limits]\nbody = 3", "invalid type"),
            ("[limits]\nbody = \"3 MB\"", "3MiB"),
            ("[limits]\nrunning = 0", "line 2, column 11"),
            ("[limits]\nqueue = 0", "zero never means unlimited"),
            ("[limits]\nfollowers_per_subject = 0", "serve no client"),
            (
                "[limits]\nrequests_per_second = 0",
                "zero never means unlimited",
            ),
            ("[retention]\nexecutions = \"0s\"", "keep nothing"),
            ("[retention]\naudit = \"90\"", "try `7d`"),
            ("[limits]\nrunning = -1", "invalid value"),
            (
                "[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"k.json\"\nscopes = [\"root\"]",
                "no scope",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"nothing\"",
                "unknown variant",
            ),
            (
                "[[alerts]]\nname = \"x\"\non = \"finding\"\nseverity = \"worst\"",
                "there are low, medium, high",
            ),
        ] {
            let error = Config::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_config_that_people_are_shown_can_be_used() {
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme
            .split_once("Everything else is set in a file")
            .unwrap();
        let shown = rest
            .split("```")
            .nth(1)
            .unwrap()
            .strip_prefix("toml")
            .unwrap();
        let config = Config::parse(shown).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!(
            (config.retention.executions, config.retention.audit),
            (7 * day, Some(90 * day))
        );
        assert!(
            config.jwt.is_some()
                && config.tls.is_some()
                && config.telemetry.is_some()
                && config.alerts.len() == 1
        );
    }
}
