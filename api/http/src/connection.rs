//! Connection handling and timeouts: which connections are open, and for how long?
//!
//! A connection must cost its client more than the service (slowloris): heads, bodies and responses
//! have deadlines, the number of open connections is bounded, and idle ones are evicted for new
//! ones (see [`places`](super::places)).

mod self_wake;
mod strict;

use super::places::{Connection, Counted, Entry, Place, Places, Watched};
use axum::Router;
use glovebox_service::{ServiceLimits, Tls, open_trusted};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use pin_project_lite::pin_project;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use self_wake::SelfWake;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use strict::Strict;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum number of headers of a request.
const MAX_HEADERS: usize = 64;

/// Maximum bytes of the head of a request.
const MAX_HEAD: usize = 64 << 10;

/// Pause after a failed `accept`, such as when file descriptors are exhausted.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Loads the certificate and its key.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, String> {
    let shown = |path: &std::path::Path, error: &dyn std::fmt::Display| {
        format!("`{}`: {error}", path.display())
    };
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| shown(&tls.certificate, &error))?;
    let key = open_trusted(&tls.key).map_err(|error| shown(&tls.key, &error))?;
    let key = PrivateKeyDer::from_pem_reader(std::io::BufReader::new(key))
        .map_err(|error| shown(&tls.key, &error))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .map_err(|error| error.to_string())?
    .with_no_client_auth()
    .with_single_cert(chain, key)
    .map_err(|error| shown(&tls.certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The state that all connections of a service share.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) router: Router,
    pub(super) limits: ServiceLimits,
    pub(super) places: Arc<Places>,
    /// Cancelled when the service shuts down.
    pub(super) over: CancellationToken,
}

/// The router, which attaches its connection to each request, and whose responses notify it when
/// they have been handed over.
struct Routes(TowerToHyperService<Router>, Arc<Connection>);

type Routed = <TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future;

impl Service<hyper::Request<Incoming>> for Routes {
    type Response = hyper::Response<Counted>;
    type Error = Infallible;
    type Future = Responding;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Responding {
        self.1.asked();
        request.extensions_mut().insert(Arc::clone(&self.1));
        Responding {
            routed: self.0.call(request),
            connection: Some(Arc::clone(&self.1)),
        }
    }
}

pin_project! {
    /// The response to a request.
    struct Responding {
        #[pin]
        routed: Routed,
        connection: Option<Arc<Connection>>,
    }
}

impl Future for Responding {
    type Output = Result<hyper::Response<Counted>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.routed.poll(context))?;
        // A connection that was upgraded is in flight until it is closed.
        let is_counted = response.status() != StatusCode::SWITCHING_PROTOCOLS;
        let connection = this.connection.take().filter(|_| is_counted);
        Poll::Ready(Ok(response.map(|body| Counted::new(body, connection))))
    }
}

/// Accepts connections until the service shuts down, then waits for the responses in flight.
pub(super) async fn accept(listener: TcpListener, front: Front) {
    let open = TaskTracker::new();
    loop {
        let (stream, from) = tokio::select! {
            () = front.over.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            },
        };
        let entry = tokio::select! {
            () = front.over.cancelled() => break,
            entry = front.places.enter(from.ip()) => entry,
        };
        let place = match entry {
            Entry::In(place) => place,
            Entry::AddressFull => {
                tracing::debug!(%from, "an address has as many connections as it may (`limits.connections_per_address`), and uses them all");
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let front = front.clone();
        open.spawn(async move {
            let connection = Arc::clone(&place.0);
            tokio::select! {
                biased;
                () = connection.leaves() => tracing::debug!(%from, "a connection that asked for nothing gave way to another one"),
                () = secure(stream, place, front) => {}
            }
        });
    }
    open.close();
    open.wait().await;
}

async fn secure(stream: TcpStream, place: Place, front: Front) {
    match front.tls.clone() {
        None => serve(stream, place, front).await,
        Some(tls) => match tokio::time::timeout(front.limits.head_time, tls.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, place, front).await,
            Ok(Err(error)) => tracing::debug!(%error, "a connection could not be encrypted"),
            Err(_) => tracing::debug!("a client was too slow to encrypt its connection"),
        },
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    place: Place,
    front: Front,
) {
    let Front {
        router,
        limits,
        over,
        ..
    } = front;
    let routes = Routes(TowerToHyperService::new(router), Arc::clone(&place.0));
    let mut stream = TimeoutStream::new(Watched::new(stream, place));
    stream.set_write_timeout(Some(limits.write_time));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Strict::new(Box::pin(stream))), routes)
        .with_upgrades();
    let mut connection = SelfWake::new(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = over.cancelled() => {
            connection.get().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
