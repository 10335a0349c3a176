//! `glovebox serve` and `glovebox keys`: how is the service started, and how are its keys made?

use crate::cli::{KeysCommand, KeysPlace, ServeArguments};
use crate::exit::{Exit, Failure};
use crate::installation::{COMPILER, Installation};
use crate::{files, packages, policy, run, terminal};
use glovebox::{CancellationToken, Metering, Sandbox};
use glovebox_api::error::chain;
use glovebox_api::http::telemetry::Traces;
use glovebox_api::http::{Config, Keys, Listen, Scope, ServeError, Server};
use glovebox_fallback::Containers;
use glovebox_policy::Subject;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Maximum bytes of a configuration file; protects this process.
const MAX_CONFIG: u64 = 1 << 20;

/// Runs `glovebox serve`.
pub(crate) fn serve(arguments: &ServeArguments) -> Result<Exit, Failure> {
    keep_to_ourselves();
    let config = config(arguments.config.as_deref())?;
    // One crypto provider for all TLS connections of this process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let traces = config
        .telemetry
        .as_ref()
        .map(Traces::to)
        .transpose()
        .map_err(|error| {
            Failure::host(format!("traces cannot be sent: {error}"))
                .advise("`telemetry.otlp` is the address of a collector")
        })?;
    log(arguments.log_json, traces.as_ref());
    let policy = policy::load(config.policy.as_deref())?;
    let guests = Installation::find()?.guests(Metering::Fuel)?;
    let runtime = runtime()?;
    let limits = &config.limits;
    let mut manager = packages::manager(guests.clone())?
        .reserve(limits.packages_reserve as u64)
        .share(glovebox_packages::STEPS, limits.packages_per_subject as u64);
    if let Some(quota) = limits.packages {
        manager = manager.quota(quota as u64);
    }
    let mut builder = Sandbox::builder()
        .policy(policy)
        .guests(guests)
        .compiler(COMPILER);
    if config.containers.enabled {
        let mut containers = Containers::builder().idle(config.containers.pool);
        if let Some(name) = &config.containers.runtime {
            containers = containers.runtime(name);
        }
        let containers = Arc::new(runtime.block_on(containers.connect()));
        manager = manager.executor(containers.clone());
        builder = builder.executor(containers);
    }
    let builder = builder.packages(Arc::new(manager.build()));
    let listen = Listen {
        address: arguments.listen,
        insecure_local: arguments.insecure_local,
        state: arguments.state.clone(),
        accept_audit_gap: arguments.accept_audit_gap,
    };
    let ended = runtime.block_on(async {
        // A signal during startup also leads to a graceful shutdown, with the head of the audit log in the database.
        let stop = CancellationToken::new();
        let watch = tokio::spawn(run::watch(run::signals()?, stop.clone()));
        let server = Server::bind(listen, config, builder)
            .await
            .map_err(|error| failure(&error))?;
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
                "glovebox: no keys are asked for: whoever works on this machine may call",
            );
        }
        server.run(stop).await;
        watch.abort();
        Ok::<_, Failure>(Exit::SUCCESS)
    });
    runtime.shutdown_background();
    if let Some(traces) = traces {
        traces.end();
    }
    ended
}

/// Sets the umask, so that only this user can read what the process writes from here on: records, outputs, artifacts, keys.
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
                    .map_err(|error| failure(&error))?;
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
                    .map_err(|error| failure(&error))?;
                let line = |key: &glovebox_api::http::KeyInfo| {
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
                    .map_err(|error| failure(&error))?
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
    Scope::from_name(name).ok_or_else(|| {
        Failure::usage(format!("there is no scope `{}`", terminal::name(name)))
            .advise(format!("the scopes are {}", known.join(", ")))
    })
}

async fn open(place: &KeysPlace) -> Result<Keys, Failure> {
    let config = config(place.config.as_deref())?;
    Keys::open(&place.state, config.database.as_deref())
        .await
        .map_err(|error| failure(&error))
}

fn config(path: Option<&Path>) -> Result<Config, Failure> {
    let Some(path) = path else {
        return Ok(Config::default());
    };
    let text = files::read_text(path, "the config", MAX_CONFIG)?;
    Config::parse(&text).map_err(|error| Failure::usage(chain(&error)))
}

fn failure(error: &ServeError) -> Failure {
    let text = chain(error);
    match error {
        ServeError::NotLocal(_) => Failure::usage(text),
        ServeError::Listen(..) => Failure::host(text).advise("`--listen` names another address; port 0 takes a free one"),
        ServeError::AuditGap(_) | ServeError::AuditName { .. } => Failure::host(text).advise(
            "keep what is left of the log elsewhere and find out who could write to it; `--accept-audit-gap` then goes on, and records the gap",
        ),
        ServeError::AuditKey(..) => Failure::usage(text),
        ServeError::InUse(_) => Failure::host(text).advise("every service needs a folder of its own"),
        ServeError::Sandbox(error) => run::failure(error),
        _ => Failure::host(text),
    }
}

/// Builds a runtime with one worker per processor, and one more: programs keep the others busy, and clients must be served meanwhile.
fn runtime() -> Result<Runtime, Failure> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from) + 1;
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::host(format!("cannot start: {error}")))
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
