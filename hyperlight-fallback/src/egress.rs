//! Egress proxy of a container: how does its program reach the network and tools, if granted?
//!
//! The container itself has no network interface but loopback. A Unix domain socket leads to an
//! HTTP proxy in this process, which makes every request and tool call (`tools.rs`) on the
//! container's behalf, as for guests of the wasm tier: the same rules for host, port, method and
//! path, the same address checks, the same limits and audit records. To inspect HTTPS it terminates
//! TLS, with certificates of a local certificate authority whose key never leaves this process and
//! which only the container trusts; the certificate of the upstream server is verified as always.

mod local_ca;
mod socket_folder;
mod tools;

pub(crate) use local_ca::LocalCa;
pub(crate) use socket_folder::remove_orphans;

use bytes::Bytes;
use glovebox::{CallError, EgressRequest, HostCalls};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use local_ca::ConfigCache;
use socket_folder::SocketFolder;
use std::convert::Infallible;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Maximum concurrent connections; protects this process.
const MAX_CONNECTIONS: usize = 64;

/// Maximum bytes of a request's head; protects the host's memory.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Maximum KiB of buffered requests and responses; protects this process, whose memory no
/// container's limit covers.
const MAX_BUFFERED_KIB: usize = 64 << 10;

/// Maximum bytes of an oversized body that are drained and discarded.
const MAX_DRAINED_BYTES: usize = 32 << 20;

/// Maximum bytes of a refusal's reason phrase in the status line, where clients show it.
const MAX_REASON_PHRASE: usize = 200;

/// The egress proxy of one container. Dropping it cancels all requests in flight.
pub(crate) struct EgressSocket {
    folder: SocketFolder,
    proxy: Arc<Proxy>,
    task: JoinHandle<()>,
}

impl EgressSocket {
    /// Creates the socket and starts the proxy.
    pub(crate) fn open(calls: Arc<HostCalls>, local_ca: Option<Arc<LocalCa>>) -> io::Result<Self> {
        let (folder, listener) = SocketFolder::create()?;
        let proxy = Arc::new(Proxy {
            calls,
            local_ca,
            deadline: Mutex::default(),
            buffers: Arc::new(Semaphore::new(MAX_BUFFERED_KIB)),
            configs: Mutex::default(),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&proxy)));
        Ok(Self {
            folder,
            proxy,
            task,
        })
    }

    /// Sets the end of the program's wall-clock time, which is the deadline of its tool calls.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        *lock(&self.proxy.deadline) = Some(deadline);
    }

    /// Returns the number of requests and tool calls through this proxy, refused ones included.
    pub(crate) fn calls(&self) -> u64 {
        self.proxy.calls.made()
    }

    /// Returns whether a call was refused because of the limit on calls.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.proxy.calls.take_exceeded()
    }

    /// Returns the directory to mount into the container.
    pub(crate) fn directory(&self) -> &Path {
        self.folder.mounted()
    }
}

impl Drop for EgressSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The state that all requests of one container share.
struct Proxy {
    calls: Arc<HostCalls>,
    /// The certificate authority of tunnels; none without a network.
    local_ca: Option<Arc<LocalCa>>,
    /// The deadline of tool calls, unset until the program starts.
    deadline: Mutex<Option<Instant>>,
    /// KiB of requests and responses that may still be buffered.
    buffers: Arc<Semaphore>,
    configs: Mutex<ConfigCache>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn listen(listener: UnixListener, proxy: Arc<Proxy>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let proxy = Arc::clone(&proxy);
        connections.spawn(async move {
            serve(stream, proxy, None).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection. Inside a tunnel, requests have no host in their target: `tunnel` is their
/// host.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    proxy: Arc<Proxy>,
    tunnel: Option<String>,
) {
    let tunnels = Arc::new(Mutex::new(JoinSet::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let (proxy, tunnel, tunnels) = (Arc::clone(&proxy), tunnel.clone(), Arc::clone(&tunnels));
        async move {
            if request.method() == Method::CONNECT && tunnel.is_some() {
                let reason = "a tunnel cannot be opened inside a tunnel";
                return Ok::<_, Infallible>(refusal(StatusCode::BAD_REQUEST, reason));
            }
            if request.method() == Method::CONNECT {
                return Ok(connect(request, proxy, &tunnels));
            }
            if tunnel.is_none() && tools::is_tool_call(&request) {
                return Ok(tools::call(request, &proxy).await);
            }
            Ok(forward(request, &proxy, tunnel.as_deref()).await)
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.max_buf_size(MAX_HEAD_BYTES).half_close(true);
    let served = server
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection of a container failed");
    }
    let mut tunnels = std::mem::take(&mut *lock(&tunnels));
    while tunnels.join_next().await.is_some() {}
}

/// Handles `CONNECT`: opens a tunnel and terminates its TLS.
fn connect(
    request: Request<Incoming>,
    proxy: Arc<Proxy>,
    tunnels: &Mutex<JoinSet<()>>,
) -> Response<Full<Bytes>> {
    let target = request
        .uri()
        .authority()
        .map(ToString::to_string)
        .unwrap_or_default();
    let host = request
        .uri()
        .host()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_owned();
    let Some(port) = request.uri().port_u16() else {
        return refusal(StatusCode::BAD_REQUEST, "a tunnel needs a host and a port");
    };
    // Checked before anything is allocated for it.
    if let Err(error) = proxy.calls.tunnel(&host, port) {
        return error_response(&error);
    }
    let Some(local_ca) = &proxy.local_ca else {
        return refusal(StatusCode::FORBIDDEN, "this run has no network");
    };
    let config = match local_ca.config(&host, &proxy.configs) {
        Ok(config) => config,
        Err(reason) => {
            return refusal(
                StatusCode::BAD_REQUEST,
                &format!("cannot create a certificate for that host: {reason}"),
            );
        }
    };
    let tunnel = async move {
        let Ok(upgraded) = hyper::upgrade::on(request).await else {
            return;
        };
        match TlsAcceptor::from(config)
            .accept(TokioIo::new(upgraded))
            .await
        {
            // Boxed, because the future is recursive: a tunnel is served by the function that opens
            // tunnels.
            Ok(stream) => Box::pin(serve_tunnel(stream, proxy, target)).await,
            Err(error) => tracing::debug!(%error, "a container does not trust its proxy"),
        }
    };
    tunnels
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .spawn(tunnel);
    Response::new(Full::default())
}

fn serve_tunnel(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    proxy: Arc<Proxy>,
    target: String,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(serve(stream, proxy, Some(format!("https://{target}"))))
}

/// A response that counts against the buffer limit until it is sent.
struct BufferedBody {
    bytes: Bytes,
    _permits: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for BufferedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Makes one request on the container's behalf.
async fn forward(
    request: Request<Incoming>,
    Proxy { calls, buffers, .. }: &Proxy,
    tunnel: Option<&str>,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let url = match tunnel {
        Some(origin) => format!(
            "{origin}{}",
            head.uri.path_and_query().map_or("/", |path| path.as_str())
        ),
        None => head.uri.to_string(),
    };
    if head.headers.contains_key(hyper::header::UPGRADE) {
        return refusal(
            StatusCode::NOT_IMPLEMENTED,
            "connections cannot change their protocol here",
        );
    }
    let most = usize::try_from(calls.max_request()).unwrap_or(usize::MAX);
    let bytes = calls.max_request().saturating_add(calls.max_response());
    let Ok(permits) = buffer(buffers, bytes).await else {
        return refusal(StatusCode::BAD_GATEWAY, "the run has ended");
    };
    let body = match read(body, most).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            return refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("a request body has at most {most} bytes"),
            );
        }
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match calls
        .exchange(EgressRequest {
            method: head.method,
            url,
            headers: head.headers,
            body,
        })
        .await
    {
        Ok(answer) => {
            let mut response = Response::new(Full::new(Bytes::from_owner(BufferedBody {
                bytes: answer.body,
                _permits: permits,
            })));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            response
        }
        Err(error) => error_response(&error),
    }
}

fn error_response(error: &CallError) -> Response<Full<Bytes>> {
    refusal(status_of(error), &error.to_string())
}

fn status_of(error: &CallError) -> StatusCode {
    match error {
        CallError::Denied(_) => StatusCode::FORBIDDEN,
        CallError::Limit(_) => StatusCode::TOO_MANY_REQUESTS,
        CallError::Invalid(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    }
}

/// Waits until this many bytes may be buffered.
async fn buffer(
    buffers: &Arc<Semaphore>,
    bytes: u64,
) -> Result<OwnedSemaphorePermit, AcquireError> {
    let needed = usize::try_from(bytes >> 10).unwrap_or(usize::MAX);
    let needed = u32::try_from(needed.clamp(1, MAX_BUFFERED_KIB)).unwrap_or(u32::MAX);
    Arc::clone(buffers).acquire_many_owned(needed).await
}

/// Reads a whole body; `None` if it has more than `most` bytes. The excess is drained up to a
/// limit: a client that is cut off while it sends may never read the response.
async fn read(mut body: Incoming, most: usize) -> Result<Option<Bytes>, hyper::Error> {
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(piece.len());
        if length <= most {
            kept.extend_from_slice(&piece);
        } else if length > most.saturating_add(MAX_DRAINED_BYTES) {
            break;
        }
    }
    Ok((length <= most).then(|| kept.into()))
}

fn refusal(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(format!("glovebox: {why}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
        .headers_mut()
        .insert("x-glovebox", HeaderValue::from_static("refused"));
    // If a tunnel is refused, clients show only the status line.
    let phrase: String = why
        .chars()
        .filter(|character| (' '..='~').contains(character))
        .take(MAX_REASON_PHRASE)
        .collect();
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        response.extensions_mut().insert(phrase);
    }
    response
}
