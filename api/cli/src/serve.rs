//! `glovebox serve` and `glovebox keys`: how is the service started, and how are its keys made?

use crate::cli::{KeysCommand, KeysPlace, ServeArguments};
#[cfg(feature = "packages")]
use crate::compose::PackageQuotas;
use crate::compose::{self, Composition, ContainerTier};
use crate::exit::{Exit, Failure};
use crate::installation::Installation;
use crate::runtime::{runtime, runtime_with};
use crate::{files, heap, policy, run, terminal};
use glovebox::CancellationToken;
use glovebox_http::{Listen, ServeError, Server};
use glovebox_policy::{Policy, Subject};
use glovebox_service::telemetry::Traces;
use glovebox_service::{Config, KeyInfo, Keys, Scope, StartError, Tls};
use glovebox_wire::error::chain;
use std::path::Path;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Maximum bytes of a configuration file; protects this process.
const MAX_CONFIG: u64 = 1 << 20;

/// The advice if traces cannot be sent.
const TELEMETRY_ADVICE: &str = if cfg!(feature = "telemetry") {
    "`telemetry.otlp` is the URL of an OTLP collector over HTTP, such as `http://127.0.0.1:4318/v1/traces`"
} else {
    "remove the table `telemetry` from the config, or build with traces: `cargo install --path api/cli --features telemetry`"
};

/// The advice if the database cannot be used.
const DATABASE_ADVICE: &str = if cfg!(feature = "postgres") {
    "`database` of the config is the URL of a PostgreSQL database; without it, the service uses SQLite in the state folder"
} else {
    "without `database` in the config, the service uses SQLite in the state folder; PostgreSQL needs another build: \
     `cargo install --path api/cli --features postgres`"
};

/// Runs `glovebox serve`.
pub(crate) fn serve(arguments: &ServeArguments) -> Result<Exit, Failure> {
    keep_to_ourselves();
    heap::return_freed_memory();
    let config = config(arguments.config.as_deref())?;
    // One crypto provider for all TLS connections of this process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let traces = config
        .telemetry
        .as_ref()
        .map(Traces::to)
        .transpose()
        .map_err(|error| {
            Failure::host(format!("traces cannot be sent: {error}")).advise(TELEMETRY_ADVICE)
        })?;
    log(arguments.log_json, traces.as_ref());
    let policy = policy::load(config.policy.as_deref())?;
    let installation = Installation::find()?;
    // One worker per processor, and one more: programs keep the others busy, and clients must be
    // served meanwhile.
    let runtime = runtime_with(std::thread::available_parallelism().map_or(1, usize::from) + 1)?;
    let builder = composition(&installation, policy, &config).builder(&runtime)?;
    let listen = Listen {
        address: arguments.listen,
        insecure_local: arguments.insecure_local,
        state: arguments.state.clone(),
        accept_audit_gap: arguments.accept_audit_gap,
    };
    let tls = config.tls.clone();
    let ended = runtime.block_on(async {
        // A signal during startup also leads to a graceful shutdown, with the head of the audit log
        // in the database.
        let stop = CancellationToken::new();
        let watch = tokio::spawn(run::watch(run::signals()?, stop.clone()));
        let server = Server::bind(listen, config, builder)
            .await
            .map_err(|error| failure(&error, tls.as_ref()))?;
        let scheme = if server.is_encrypted() {
            "https"
        } else {
            "http"
        };
        let address = server
            .address()
            .map_err(|error| Failure::host(format!("cannot listen: {error}")))?;
        terminal::note(&format!(
            "glovebox: serving on {scheme}://{address}, described at {scheme}://{address}/docs"
        ));
        if arguments.insecure_local {
            terminal::note(
                "glovebox: `--insecure-local` disables keys: every local process may call",
            );
        }
        server.run(stop).await;
        watch.abort();
        Ok::<_, Failure>(Exit::SUCCESS)
    });
    runtime.block_on(compose::close());
    runtime.shutdown_background();
    if let Some(traces) = traces {
        traces.end();
    }
    ended
}

/// Sets the umask, so that only this user can read what the process writes from here on: records,
/// outputs, artifacts, keys.
fn keep_to_ourselves() {
    let _ = rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
}

/// Runs `glovebox keys ..`.
pub(crate) fn keys(command: &KeysCommand) -> Result<Exit, Failure> {
    keep_to_ourselves();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing::Level::WARN)
        .init();
    let runtime = runtime()?;
    runtime.block_on(async {
        match command {
            KeysCommand::Create {
                name,
                scopes,
                expires,
                place,
            } => {
                let subject = Subject::new(format!("key:{name}"))
                    .map_err(|error| Failure::usage(chain(&error)))?;
                let scopes = scopes
                    .iter()
                    .map(|scope| scope_named(scope))
                    .collect::<Result<Vec<_>, _>>()?;
                let key = open(place)
                    .await?
                    .create(&subject, &scopes, *expires)
                    .await
                    .map_err(|error| start_failure(&error))?;
                terminal::note(&format!(
                    "the key `{}` of `{subject}`; it is not shown again",
                    key.id
                ));
                terminal::print(&key.secret)
            }
            KeysCommand::List { place } => {
                let keys = open(place)
                    .await?
                    .list()
                    .await
                    .map_err(|error| start_failure(&error))?;
                let line = |key: &KeyInfo| {
                    let end = key.expires_at.as_deref().unwrap_or("-");
                    let state = if key.is_over { "over" } else { "valid" };
                    format!(
                        "{}  {state:<5}  {:<24} {:<10} {}  {end}",
                        key.id,
                        terminal::name(&key.subject),
                        key.scopes,
                        key.created_at
                    )
                };
                match keys.as_slice() {
                    [] => terminal::print("there are none; `glovebox keys create` makes one"),
                    keys => terminal::print(&keys.iter().map(line).collect::<Vec<_>>().join("\n")),
                }
            }
            KeysCommand::Revoke { id, place } => {
                if open(place)
                    .await?
                    .revoke(id)
                    .await
                    .map_err(|error| start_failure(&error))?
                {
                    terminal::print("the key is out of use")
                } else {
                    Err(
                        Failure::usage(format!("there is no key `{}` in use", terminal::name(id)))
                            .advise("`glovebox keys list` shows them"),
                    )
                }
            }
        }
    })
}

fn scope_named(name: &str) -> Result<Scope, Failure> {
    let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
    name.parse().map_err(|_| {
        Failure::usage(format!("there is no scope `{}`", terminal::name(name)))
            .advise(format!("the scopes are {}", known.join(", ")))
    })
}

async fn open(place: &KeysPlace) -> Result<Keys, Failure> {
    let config = config(place.config.as_deref())?;
    let was_there = place.state.exists();
    let keys = Keys::open(&place.state, config.database.as_deref())
        .await
        .map_err(|error| start_failure(&error))?;
    if !was_there {
        // Otherwise a misspelt path would not be noticed.
        terminal::note(&format!(
            "glovebox: created the state folder `{}`, which did not exist; keys are valid for the service with the same `--state`",
            terminal::name(&place.state.display().to_string())
        ));
    }
    Ok(keys)
}

fn config(path: Option<&Path>) -> Result<Config, Failure> {
    let Some(path) = path else {
        return Ok(Config::default());
    };
    let text = files::read_text(path, "the config", MAX_CONFIG)?;
    Config::parse(&text).map_err(|error| {
        let problem = error.problem(&path.display().to_string(), &text);
        let problem = policy::problem_in(&text, &problem);
        Failure::usage(format!("invalid config\n{}", problem.trim_end()))
    })
}

fn failure(error: &ServeError, tls: Option<&Tls>) -> Failure {
    let text = chain(error);
    match error {
        ServeError::NotLocal(_) => Failure::usage(text),
        ServeError::Listen(..) => {
            Failure::host(text).advise("`--listen` names another address; port 0 takes a free one")
        }
        ServeError::Tls(_) => {
            let advice = tls_advice(&text, tls);
            Failure::host(text).advise(advice)
        }
        ServeError::Start(error) => start_failure(error),
        _ => Failure::host(text),
    }
}

/// Returns what would help if the certificate or its key cannot be used: the message has the path
/// of the file, and not the setting that names it.
fn tls_advice(text: &str, tls: Option<&Tls>) -> String {
    let is_about = |path: &Path| text.contains(&format!("`{}`", path.display()));
    let setting = match tls {
        Some(tls) if is_about(&tls.certificate) => {
            "`tls.certificate` of the config names that file: the certificate chain as PEM, for the private key in `tls.key`"
        }
        Some(tls) if is_about(&tls.key) => {
            "`tls.key` of the config names that file: the private key as PEM, for the certificate in `tls.certificate`"
        }
        _ => {
            "`tls.certificate` of the config names the certificate chain, and `tls.key` its private key, both as PEM"
        }
    };
    format!(
        "{setting}; this user must be able to read it, and a relative path starts at the current directory"
    )
}

fn start_failure(error: &StartError) -> Failure {
    let text = chain(error);
    match error {
        StartError::AuditGap(_) | StartError::AuditName { .. } => Failure::host(text).advise(
            "keep what is left of the log elsewhere and find out who could write to it; `--accept-audit-gap` then goes on, and records the gap",
        ),
        StartError::AuditKey(..) => Failure::usage(text),
        StartError::InUse(_) => {
            Failure::host(text).advise("every service needs a folder of its own")
        }
        StartError::Records(_) => Failure::host(text).advise(DATABASE_ADVICE),
        StartError::Client(_) => Failure::host(text)
            .advise("`jwt.jwks` and `secret_file` of each of `alerts` in the config name files that this user must be able to read"),
        StartError::Sandbox(error) => Failure::from(error),
        _ => Failure::host(text),
    }
}

fn composition<'a>(
    installation: &'a Installation,
    policy: Policy,
    config: &Config,
) -> Composition<'a> {
    let containers = &config.containers;
    Composition {
        containers: if containers.enabled {
            ContainerTier::Connected {
                runtime: containers.runtime.clone(),
                idle: containers.pool,
            }
        } else {
            ContainerTier::Absent
        },
        #[cfg(feature = "packages")]
        quotas: PackageQuotas {
            cache: config.limits.packages.map(|bytes| bytes as u64),
            reserve: Some(config.limits.packages_reserve as u64),
            of_subject: Some(config.limits.packages_per_subject as u64),
        },
        ..Composition::new(installation, policy)
    }
}

fn log(is_json: bool, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if is_json {
        layer.json().with_filter(filter).boxed()
    } else {
        layer.with_filter(filter).boxed()
    };
    tracing_subscriber::registry()
        .with(layer)
        .with(traces.map(Traces::layer))
        .init();
}
