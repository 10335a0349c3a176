//! HTTP service: how do clients reach the sandbox over the network?
//!
//! In reading order: `connection` and `places` say which connections are open, `auth` authenticates
//! a request, `extract` reads it, a file of `routes` answers it by a call of the
//! [service](glovebox_service), and `problem` turns its errors into responses.
//!
//! HTTP/1.1 only: it has what this API needs, and a smaller attack surface.

mod auth;
mod connection;
mod extract;
mod openapi;
mod places;
mod problem;
mod responses;
mod routes;
mod socket;
mod sse;
mod state;
mod trace_context;

pub use openapi::openapi_json;

use connection::Front;
use glovebox::{CancellationToken, SandboxBuilder};
use glovebox_service::{Anonymous, Config, Service, StartError, State};
use places::{PlaceLimits, Places};
use state::ApiState;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// Timeout for responses in flight once everything has ended.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The address and state of a service, from its command line.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The address to listen on.
    pub address: SocketAddr,
    /// Whether clients need no key. Only on a loopback address.
    pub insecure_local: bool,
    /// The state folder.
    pub state: PathBuf,
    /// Whether to start although the audit log lacks the newest record that the database has seen.
    /// The gap is recorded.
    pub accept_audit_gap: bool,
}

/// The reason why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// `--insecure-local` with an address that is not loopback.
    #[error(
        "`{0}` is not a loopback address: without keys only this machine may call; make keys, or listen on 127.0.0.1"
    )]
    NotLocal(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on `{0}`: {1}")]
    Listen(SocketAddr, io::Error),
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Tls(String),
    /// The service cannot start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A service that is bound to its address and ready to run.
pub struct Server {
    service: Arc<Service>,
    config: Config,
    listener: TcpListener,
    hosts: Vec<String>,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl Server {
    /// Opens the state, builds the sandbox and binds the address. Connections are not accepted yet.
    ///
    /// # Errors
    ///
    /// See [`ServeError`].
    pub async fn bind(
        listen: Listen,
        config: Config,
        sandbox: SandboxBuilder,
    ) -> Result<Self, ServeError> {
        if listen.insecure_local && !listen.address.ip().is_loopback() {
            return Err(ServeError::NotLocal(listen.address));
        }
        let tls = config
            .tls
            .as_ref()
            .map(connection::acceptor)
            .transpose()
            .map_err(ServeError::Tls)?;
        let state = State {
            folder: listen.state,
            accept_audit_gap: listen.accept_audit_gap,
            anonymous: if listen.insecure_local {
                Anonymous::Local
            } else {
                Anonymous::Refused
            },
        };
        let service = Service::open(state, &config, sandbox).await?;
        let failed = |error| ServeError::Listen(listen.address, error);
        let listener = TcpListener::bind(listen.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            service: Arc::new(service),
            hosts: auth::host_names(address, &config.hosts),
            config,
            listener,
            tls,
        })
    }

    /// Returns the address that it listens on.
    ///
    /// # Errors
    ///
    /// If the operating system does not report it.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Whether connections use TLS.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves until it is stopped, then shuts down gracefully: it accepts nothing new, waits for
    /// what runs, cancels what does not end in time, and writes all records.
    pub async fn run(self, stop: CancellationToken) {
        let Self {
            service,
            config,
            listener,
            hosts,
            tls,
        } = self;
        let places = Places::new(
            PlaceLimits::of(&config.limits),
            Arc::clone(&service.of_subjects),
        );
        let state = ApiState::new(Arc::clone(&service), Arc::clone(&places), &config, hosts);
        let over = CancellationToken::new();
        let background = service.start_background();
        let accepting = tokio::spawn(connection::accept(
            listener,
            Front {
                tls,
                router: openapi::router(&state),
                limits: config.limits,
                places,
                over: over.clone(),
            },
        ));
        drop(state);
        stop.cancelled().await;
        tracing::info!("shutting down: draining executions");
        service.drain().await;
        background.stop();
        over.cancel();
        // Clients that waited have their response by now, or are not reading it.
        let _ = tokio::time::timeout(FLUSH_TIMEOUT, accepting).await;
        service.close(background).await;
    }
}
