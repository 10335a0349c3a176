//! What can an operator set?
//!
//! Everything has a default that is right for one machine. What programs may do is not set here but in the policy.

use glovebox::policy::units::{parse_duration, parse_size};
use serde::{Deserialize, Deserializer};
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
    /// The container tier.
    pub containers: ContainerConfig,
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
    /// Bytes of one request's body.
    #[serde(deserialize_with = "size")]
    pub body: usize,
    /// Connections at once.
    pub connections: usize,
    /// Clients that follow events at once.
    pub followers: usize,
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
    /// How long a session may be idle that names no time itself.
    #[serde(deserialize_with = "duration")]
    pub session_idle: Duration,
    /// The longest time that it may name.
    #[serde(deserialize_with = "duration")]
    pub session_idle_max: Duration,
    /// Requests of one subject in a second; 0 does not count them.
    pub requests_per_second: u32,
    /// How long executions may go on when the service is told to end.
    #[serde(deserialize_with = "duration")]
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            running: 64,
            running_per_subject: 16,
            queue: 1000,
            queue_per_subject: 200,
            queue_bytes: 256 << 20,
            body: 32 << 20,
            connections: 2000,
            followers: 500,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            sessions_per_subject: 16,
            sessions: 1000,
            session_idle: Duration::from_secs(15 * 60),
            session_idle_max: Duration::from_secs(24 * 60 * 60),
            requests_per_second: 0,
            drain: Duration::from_secs(20),
        }
    }
}

/// How long things are kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Executions with their output and artifacts.
    #[serde(deserialize_with = "duration")]
    pub executions: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { executions: Duration::from_secs(7 * 24 * 60 * 60) }
    }
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
    #[error("the config is not acceptable: {0}")]
    Text(#[from] toml::de::Error),
    /// Two settings do not go together, or one is out of its range.
    #[error("the config is not acceptable: {0}")]
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
            ("sessions", limits.sessions),
        ] {
            if value == 0 {
                return Err(ConfigError::Value(format!("`limits.{name}` is 0, which would serve nobody")));
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

/// How a service is started.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether whoever reaches that address needs no key. Only on a loopback address.
    pub insecure_local: bool,
    /// The folder for everything that is kept.
    pub state: PathBuf,
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let text = String::deserialize(deserializer)?;
    let size = parse_size(&text).map_err(serde::de::Error::custom)?;
    usize::try_from(size).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_is_read_or_refused() {
        let config = Config::parse("[limits]\nbody = \"1MiB\"\nhead_time = \"5s\"\n[containers]\npool = 0").unwrap();
        assert_eq!((config.limits.body, config.limits.head_time, config.containers.pool), (1 << 20, Duration::from_secs(5), 0));
        for (wrong, says) in [
            ("limts = 3", "unknown field"),
            ("[limits]\nbody = 3", "invalid type"),
            ("[limits]\nbody = \"3 MB\"", "3MiB"),
            ("[limits]\nrunning = 0", "serve nobody"),
            ("[limits]\nrunning = -1", "invalid value"),
            ("origins = [\"*\"]", "no origin"),
        ] {
            let error = Config::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(says), "{wrong}: {error}");
        }
    }
}
