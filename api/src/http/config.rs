//! Configuration of the service: what can an operator set?
//!
//! Everything has a default that suits one machine. What programs may do is set in the policy, not here.

use super::keys::Scope;
use glovebox::policy::Severity;
use glovebox::policy::units::{parse_duration, parse_size};
use serde::{Deserialize, Deserializer, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The settings of a service, as its config file has them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The policy that decides; the built-in one where none is named.
    pub policy: Option<PathBuf>,
    /// Where the database is, such as `postgres://user@host/name`; SQLite in the state folder where nothing is said.
    pub database: Option<String>,
    /// Names by which clients may call this service, besides its address and `localhost`.
    pub hosts: Vec<String>,
    /// Origins of web pages that may call this service, such as `https://console.example.org`.
    pub origins: Vec<String>,
    /// Encrypted connections.
    pub tls: Option<Tls>,
    /// What clients may use up.
    pub limits: Limits,
    /// How long things are kept.
    pub retention: Retention,
    /// The audit log.
    pub audit: AuditConfig,
    /// The container tier.
    pub containers: ContainerConfig,
    /// Tokens that somebody else signs, besides API keys.
    pub jwt: Option<Jwt>,
    /// Who is told when something happens too often.
    pub alerts: Vec<AlertRule>,
    /// Where traces go.
    pub telemetry: Option<Telemetry>,
}

/// Tokens (JWT) of one issuer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// Who signs them: their `iss`.
    pub issuer: String,
    /// Whom they are for: one of their `aud`.
    pub audience: String,
    /// The issuer's public keys: an address (`https`, or `http` on this machine), or a file.
    pub jwks: String,
    /// How long keys of an earlier look are taken for valid while the issuer cannot be asked: a key that the issuer has withdrawn is of no use
    /// after that.
    #[serde(default = "keys_max_age", deserialize_with = "duration")]
    pub keys_max_age: Duration,
    /// The claim that names the subject. Policies know it as `jwt:` and its value.
    #[serde(default = "subject_claim")]
    pub subject_claim: String,
    /// What every valid token allows. One whose claim `scope` has `glovebox:run` or `glovebox:audit` allows that as well.
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

/// When to tell somebody.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertRule {
    /// What it is called.
    pub name: String,
    /// What it counts, for each subject by itself.
    pub on: AlertKind,
    /// The least severity, for `on = "finding"`.
    #[serde(default, deserialize_with = "severity")]
    pub severity: Option<Severity>,
    /// How often it has to happen.
    #[serde(default = "one")]
    pub count: usize,
    /// In what time.
    #[serde(default = "five_minutes", deserialize_with = "duration")]
    pub within: Duration,
    /// The address that is told by a POST of JSON.
    pub webhook: Option<String>,
    /// The file with the secret that the POST is signed with (HMAC-SHA-256, as `X-Glovebox-Signature`).
    pub secret_file: Option<PathBuf>,
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = Severity::ALL.map(Severity::name).join(", ");
    let severity = Severity::from_name(&name);
    severity.map(Some).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is no severity; there are {known}")))
}

fn one() -> usize {
    1
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

/// What an alert counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// Programs that the policy refused.
    Denied,
    /// Programs that hit a limit.
    Limited,
    /// Programs whose guest broke.
    Crashed,
    /// Programs that failed by themselves.
    Failed,
    /// Programs that the service could not run.
    Error,
    /// Programs with findings.
    Finding,
    /// Tiers that stop working, or work again.
    Tier,
}

/// Where traces go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Telemetry {
    /// The address of a collector that speaks OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`.
    pub otlp: String,
    /// What this service is called there.
    #[serde(default = "service_name")]
    pub service_name: String,
}

fn service_name() -> String {
    "glovebox".to_owned()
}

/// Encrypted connections.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those above it, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

/// What clients may use up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Executions at once.
    pub running: usize,
    /// Executions of one subject at once; a profile's `concurrency` holds as well.
    pub running_per_subject: usize,
    /// Executions that wait, all together.
    pub queue: usize,
    /// Executions of one subject that wait.
    pub queue_per_subject: usize,
    /// Bytes of the requests that wait, all together.
    #[serde(deserialize_with = "size")]
    pub queue_bytes: usize,
    /// Bytes of packages that are kept, unless said a share of the disk; what was not used for the longest time goes first.
    #[serde(deserialize_with = "maybe_size")]
    pub packages: Option<usize>,
    /// Bytes that packages leave free on the disk.
    #[serde(deserialize_with = "size")]
    pub packages_reserve: usize,
    /// Bytes of packages that one subject may cause to be fetched and unpacked within an hour.
    #[serde(deserialize_with = "size")]
    pub packages_per_subject: usize,
    /// Bytes of one request's body.
    #[serde(deserialize_with = "size")]
    pub body: usize,
    /// Connections at once. When all are taken, the oldest that asks for nothing gives way to a new one.
    pub connections: usize,
    /// Connections at once from one address, or from one network of 64 bits with IPv6; a quarter of `connections` where nothing is said.
    /// More behind a proxy, whose clients all come from one address.
    pub connections_per_address: Option<usize>,
    /// Requests of one subject that are under way at once; half of `connections` where nothing is said.
    pub connections_per_subject: Option<usize>,
    /// Clients that follow events at once, by server-sent events or WebSockets.
    pub followers: usize,
    /// Those of one subject; a quarter of `followers` where nothing is said.
    pub followers_per_subject: Option<usize>,
    /// How long a client may take to send the head of a request.
    #[serde(deserialize_with = "duration")]
    pub head_time: Duration,
    /// How long it may take to send the body.
    #[serde(deserialize_with = "duration")]
    pub body_time: Duration,
    /// How long a client may read nothing of what it is sent.
    #[serde(deserialize_with = "duration")]
    pub write_time: Duration,
    /// Sessions of one subject at once.
    pub sessions_per_subject: usize,
    /// Sessions at once.
    pub sessions: usize,
    /// Task trees of one subject that have not ended.
    pub trees_per_subject: usize,
    /// How long a session may be idle that names no time itself.
    #[serde(deserialize_with = "duration")]
    pub session_idle: Duration,
    /// The longest time that it may name.
    #[serde(deserialize_with = "duration")]
    pub session_idle_max: Duration,
    /// Requests of one subject in a second; 0 does not count them.
    pub requests_per_second: u32,
    /// Bytes of memory for requests, guests, sessions and task trees, all together; 70 % of what this process may use (the smaller of its
    /// cgroup's limit and the machine's memory) where nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub memory: Option<usize>,
    /// Bytes of that memory that one subject may use; half of `memory` where nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub memory_per_subject: Option<usize>,
    /// How long executions may go on when the service is told to end.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
    /// Bytes of records, artifacts and plans that are kept for one subject; the smaller of 1 GiB and a quarter of `kept` where nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub kept_per_subject: Option<usize>,
    /// Bytes of those that are kept for all; half of the state folder's file system where nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub kept: Option<usize>,
    /// Bytes of the disk that nothing but small records, the journal and the audit log may use, and the same share of its inodes; the smaller
    /// of 256 MiB and a twentieth of the file system where nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub disk_reserve: Option<usize>,
    /// Bytes that one subject may fill of the audit log in an hour; the smaller of 1 GiB and a sixteenth of the state folder's file system where
    /// nothing is said.
    #[serde(deserialize_with = "maybe_size")]
    pub audit_per_subject: Option<usize>,
    /// Bytes of the audit log, all segments together, from which on those who have written the most of it begin nothing new; a quarter of the
    /// state folder's file system where nothing is said. The log itself loses nothing.
    #[serde(deserialize_with = "maybe_size")]
    pub audit: Option<usize>,
    /// Bytes after which the audit log begins its next file.
    #[serde(deserialize_with = "size")]
    pub audit_segment: usize,
}

impl Default for Limits {
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
            requests_per_second: 0,
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

/// How long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Executions with their output and artifacts.
    #[serde(deserialize_with = "age")]
    pub executions: Duration,
    /// Complete segments of the audit log; for ever where nothing is said.
    #[serde(deserialize_with = "maybe_age")]
    pub audit: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { executions: Duration::from_secs(7 * 24 * 60 * 60), audit: None }
    }
}

/// The audit log.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The file with the key that seals each record (HMAC-SHA-256), of 32 bytes at least; records have plain hashes where none is named.
    pub key_file: Option<PathBuf>,
}

/// The container tier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ContainerConfig {
    /// Whether an engine is looked for.
    pub enabled: bool,
    /// Containers that are kept ready; 0 keeps none.
    pub pool: usize,
    /// The OCI runtime where a profile names none; the engine's own where nothing is said.
    pub runtime: Option<String>,
}

impl Default for ContainerConfig {
    fn default() -> Self {
        Self { enabled: true, pool: 2, runtime: None }
    }
}

/// Why a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not the TOML that it should be.
    #[error("invalid config: {0}")]
    Text(#[from] toml::de::Error),
    /// Two settings do not go together, or one is out of its range.
    #[error("invalid config: {0}")]
    Value(String),
}

impl Config {
    /// Reads a config.
    ///
    /// # Errors
    ///
    /// Where a key is unknown, or a value is not what it should be.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text)?;
        let limits = &config.limits;
        for (name, value) in [
            ("running", limits.running),
            ("running_per_subject", limits.running_per_subject),
            ("queue_per_subject", limits.queue_per_subject),
            ("body", limits.body),
            ("connections", limits.connections),
            ("connections_per_address", limits.connections_per_address.unwrap_or(1)),
            ("connections_per_subject", limits.connections_per_subject.unwrap_or(1)),
            ("sessions", limits.sessions),
            ("memory", limits.memory.unwrap_or(1)),
            ("memory_per_subject", limits.memory_per_subject.unwrap_or(1)),
            ("kept_per_subject", limits.kept_per_subject.unwrap_or(1)),
            ("kept", limits.kept.unwrap_or(1)),
            ("audit_per_subject", limits.audit_per_subject.unwrap_or(1)),
            ("audit", limits.audit.unwrap_or(1)),
        ] {
            if value == 0 {
                return Err(ConfigError::Value(format!("`limits.{name}` is 0, which would serve nobody")));
            }
        }
        if let (Some(memory), Some(of_subject)) = (limits.memory, limits.memory_per_subject)
            && of_subject > memory
        {
            let message = format!("`limits.memory_per_subject` is {of_subject} bytes, which is more than `limits.memory`, {memory}");
            return Err(ConfigError::Value(message));
        }
        if let Some(jwt) = &config.jwt {
            // Whatever could be read as an address is one; a file has no scheme.
            if jwt.jwks.contains("://") {
                check_address("jwt.jwks", &jwt.jwks)?;
            }
            if jwt.issuer.is_empty() || jwt.audience.is_empty() {
                return Err(ConfigError::Value(
                    "`jwt.issuer` and `jwt.audience` must say something: without them any token would do".to_owned(),
                ));
            }
        }
        for rule in &config.alerts {
            let bad = |text: &str| Err(ConfigError::Value(format!("the alert `{}` {text}", rule.name.escape_debug())));
            if !(1..=10_000).contains(&rule.count) {
                return bad("counts to 1 at least, and to 10000 at most");
            }
            if rule.severity.is_some() && rule.on != AlertKind::Finding {
                return bad("has a `severity`, which only findings have");
            }
            if let Some(webhook) = &rule.webhook {
                check_address("webhook", webhook)?;
            } else if rule.secret_file.is_some() {
                return bad("has a secret and no webhook to sign for");
            }
        }
        for origin in &config.origins {
            if origin == "*" || origin == "null" || !origin.starts_with("http") || origin.ends_with('/') {
                let message = format!("`{origin}` is no origin; write `https://console.example.org`, without a path");
                return Err(ConfigError::Value(message));
            }
        }
        Ok(config)
    }
}

/// Refuses addresses whose traffic others could read or change.
fn check_address(name: &str, address: &str) -> Result<(), ConfigError> {
    let wrong = |what: &str| ConfigError::Value(format!("`{name}` is `{}`: {what}", address.escape_debug()));
    let parsed = url::Url::parse(address).map_err(|error| wrong(&format!("that is no address ({error})")))?;
    if address.contains('\\') {
        return Err(wrong("a backslash is read in different ways"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(wrong("a user name or password in an address is not taken, because it reads like the host"));
    }
    let is_loopback = match parsed.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if parsed.scheme() == "https" || (parsed.scheme() == "http" && is_loopback) {
        return Ok(());
    }
    Err(wrong("write an `https` address; `http` is taken on this machine only"))
}

/// How a service is started.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether whoever reaches that address needs no key. Only on a loopback address.
    pub insecure_local: bool,
    /// The folder for everything that is kept.
    pub state: PathBuf,
    /// Whether to go on with an audit log that does not have the record which the database has seen. The gap is recorded.
    pub accept_audit_gap: bool,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

/// A time for which things are kept, such as `7d` or `1year`: longer than any that a program is given.
fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong =
        |reason: &dyn std::fmt::Display| serde::de::Error::custom(format!("`{text}` is no time to keep things; try `7d`: {reason}"));
    let age = humantime::parse_duration(&text).map_err(|error| wrong(&error))?;
    if age.is_zero() { Err(wrong(&"it would keep nothing")) } else { Ok(age) }
}

fn maybe_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    age(deserializer).map(Some)
}

fn scopes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Scope>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let scope = |name: String| {
        let known = Scope::ALL.map(Scope::name).join(", ");
        Scope::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("`{name}` is no scope; there are {known}")))
    };
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
    fn a_config_is_read_or_refused() {
        for jwks in [
            "https://example.org/k",
            "http://127.0.0.1:8080/k",
            "http://127.9.9.9/k",
            "http://[::1]:1/k",
            "http://localhost/k",
            "keys.json",
        ] {
            let text = format!("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"{jwks}\"");
            assert!(Config::parse(&text).is_ok(), "{jwks}");
        }
        let config = Config::parse("[limits]\nbody = \"1MiB\"\nhead_time = \"5s\"\n[containers]\npool = 0").unwrap();
        assert_eq!((config.limits.body, config.limits.head_time, config.containers.pool), (1 << 20, Duration::from_secs(5), 0));
        for (wrong, says) in [
            ("limts = 3", "unknown field"),
            ("[limits]\nbody = 3", "invalid type"),
            ("[limits]\nbody = \"3 MB\"", "3MiB"),
            ("[limits]\nrunning = 0", "serve nobody"),
            ("[retention]\nexecutions = \"0s\"", "keep nothing"),
            ("[retention]\naudit = \"90\"", "try `7d`"),
            ("[limits]\nmemory = \"1GiB\"\nmemory_per_subject = \"2GiB\"", "more than `limits.memory`"),
            ("[limits]\nrunning = -1", "invalid value"),
            ("origins = [\"*\"]", "no origin"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://example.org/k\"", "on this machine only"),
            ("[jwt]\nissuer = \"i\"\naudience = \"\"\njwks = \"k.json\"", "any token would do"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"k.json\"\nscopes = [\"root\"]", "no scope"),
            ("[[alerts]]\nname = \"x\"\non = \"denied\"\ncount = 0", "counts to 1 at least"),
            ("[[alerts]]\nname = \"x\"\non = \"nothing\"", "unknown variant"),
            ("[[alerts]]\nname = \"x\"\non = \"finding\"\nseverity = \"worst\"", "there are low, medium, high"),
            ("[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"http://127.0.0.1.example.org/\"", "on this machine only"),
            ("[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"hooks.example.org\"", "no address"),
            ("[[alerts]]\nname = \"x\"\non = \"denied\"\nwebhook = \"file:///etc/passwd\"", "on this machine only"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1:x@example.org/k\"", "user name or password"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://localhost@example.org/k\"", "user name or password"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"https://user:secret@example.org/k\"", "user name or password"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1\\\\@example.org/k\"", "backslash"),
            ("[jwt]\nissuer = \"i\"\naudience = \"a\"\njwks = \"http://127.0.0.1:80.example.org/k\"", "no address"),
        ] {
            let error = Config::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }

    #[test]
    fn the_config_that_people_are_shown_can_be_used() {
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme.split_once("`--config FILE` names the rest").unwrap();
        let shown = rest.split("```").nth(1).unwrap().strip_prefix("toml").unwrap();
        let config = Config::parse(shown).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        assert_eq!((config.retention.executions, config.retention.audit), (7 * day, Some(90 * day)));
        assert!(config.jwt.is_some() && config.tls.is_some() && config.telemetry.is_some() && config.alerts.len() == 1);
    }
}
