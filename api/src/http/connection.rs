//! Who is connected, and for how long?
//!
//! A connection costs its client more than it costs the service: heads, bodies and answers have to come and go in time, and only so many
//! connections are open at once.

mod inline;
mod strict;

use super::config::{Limits, Tls};
use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use inline::Inline;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;
use strict::Strict;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Headers of one request.
const MAX_HEADERS: usize = 64;

/// Bytes of the head of one request.
const MAX_HEAD: usize = 64 << 10;

/// How long to wait where the system has no room for another connection.
const EXHAUSTED: Duration = Duration::from_millis(50);

/// Reads the certificate and its key.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor, String> {
    let shown = |path: &std::path::Path, error: &dyn std::fmt::Display| format!("`{}`: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| shown(&tls.certificate, &error))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).map_err(|error| shown(&tls.key, &error))?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| shown(&tls.certificate, &error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Takes connections until it is over, then waits for the answers that are under way.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, router: Router, limits: Limits, over: CancellationToken) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let open = TaskTracker::new();
    loop {
        let permit = tokio::select! {
            () = over.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let stream = tokio::select! {
            () = over.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(EXHAUSTED).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let (tls, router, limits, over) = (tls.clone(), router.clone(), limits.clone(), over.clone());
        open.spawn(async move {
            let _permit = permit;
            match tls {
                None => serve(stream, router, &limits, over).await,
                Some(tls) => match tokio::time::timeout(limits.head_time, tls.accept(stream)).await {
                    Ok(Ok(stream)) => serve(stream, router, &limits, over).await,
                    Ok(Err(error)) => tracing::debug!(%error, "a connection could not be encrypted"),
                    Err(_) => tracing::debug!("a client was too slow to encrypt its connection"),
                },
            }
        });
    }
    open.close();
    open.wait().await;
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router, limits: &Limits, over: CancellationToken) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.write_time));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(Strict::new(Box::pin(stream))), TowerToHyperService::new(router))
        .with_upgrades();
    let mut connection = Inline::new(connection);
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
