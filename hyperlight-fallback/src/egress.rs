//! Egress proxy of a container: how does its program reach the network, if granted?
//!
//! The container itself has no network interface but loopback. A Unix domain socket leads to an HTTP proxy in this process, which makes
//! every request on the container's behalf, as for guests of the wasm tier: the same rules for host, port, method and path, the same
//! address checks, the same limits and audit records. To inspect HTTPS it terminates TLS, with certificates of a local certificate
//! authority whose key never leaves this process and which only the container trusts; the certificate of the upstream server is verified as
//! always.

use crate::engine::{namespace, started};
use bytes::Bytes;
use glovebox::{Egress, EgressError, EgressRequest};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// The mount point of the socket's directory in the container.
pub(crate) const DIRECTORY: &str = "/run/glovebox";

/// The port of the proxy on the container's loopback interface, which the relay forwards to the socket.
pub(crate) const PORT: u16 = 3128;

/// The name prefix of socket directories; the PID namespace, the process and its start time follow.
const PREFIX: &str = "glovebox-egress-";

/// The name of the socket.
const SOCKET: &str = "egress";

/// Maximum concurrent connections; protects this process.
const MAX_CONNECTIONS: usize = 64;

/// Maximum bytes of a request's head; protects the host's memory.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Maximum KiB of buffered requests and responses; protects this process, whose memory no container's limit covers.
const WAITING_KIB: usize = 64 << 10;

/// Maximum bytes of an oversized body that are drained and discarded.
const MAX_UNWANTED: usize = 32 << 20;

/// Maximum cached certificates of one container; one for each host that it opened a tunnel to.
const MAX_CERTIFICATES: usize = 64;

/// Maximum bytes of a refusal's reason phrase in the status line, where clients show it.
const MAX_PHRASE: usize = 200;

/// The local certificate authority (CA), which issues server certificates to the containers of this process alone.
pub(crate) struct LocalCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
    /// The key of all server certificates.
    key: KeyPair,
}

/// The cached TLS configurations of one container by host, the most recent last.
type Configs = VecDeque<(String, Arc<ServerConfig>)>;

impl LocalCa {
    /// Creates the CA; its key never leaves this process.
    pub(crate) fn new() -> Result<Self, String> {
        let failed = |error: rcgen::Error| format!("cannot make a certificate: {error}");
        let key = KeyPair::generate().map_err(failed)?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name = named("Glovebox egress");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = parameters.self_signed(&key).map_err(failed)?;
        let (pem, certificate) = (certificate.pem(), certificate.der().clone());
        let servers = KeyPair::generate().map_err(failed)?;
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            certificate,
            pem,
            key: servers,
        })
    }

    /// Returns the CA certificate, for the container's trust store.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    fn config(&self, host: &str, configs: &Mutex<Configs>) -> Result<Arc<ServerConfig>, String> {
        let mut configs = configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = configs.iter().find(|(known, _)| known == host) {
            return Ok(Arc::clone(config));
        }
        let mut parameters =
            CertificateParams::new(vec![host.to_owned()]).map_err(|error| error.to_string())?;
        parameters.distinguished_name = named(host);
        let certificate = parameters
            .signed_by(&self.key, &self.issuer)
            .map_err(|error| error.to_string())?;
        let chain = vec![CertificateDer::from(certificate), self.certificate.clone()];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config
            .map_err(|error| error.to_string())?
            .with_no_client_auth();
        let mut config = config
            .with_single_cert(
                chain,
                PrivatePkcs8KeyDer::from(self.key.serialize_der()).into(),
            )
            .map_err(|error| error.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        if configs.len() >= MAX_CERTIFICATES {
            configs.pop_front();
        }
        configs.push_back((host.to_owned(), Arc::clone(&config)));
        Ok(config)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

/// The egress proxy of one container. Dropping it cancels all requests in flight.
pub(crate) struct EgressSocket {
    directory: PathBuf,
    way: Arc<Way>,
    task: JoinHandle<()>,
    _place: Place,
}

/// A private directory with nothing but a socket in it. Dropping it removes it.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "directories of our own making, with nothing in them but sockets"
)]
fn remove(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "a container's way out stays behind");
        }
        _ => {}
    }
}

/// Returns the prefix of this process's directories; it includes the PID namespace, because process ids are only unique within one.
fn prefix() -> String {
    format!(
        "{PREFIX}{}-",
        namespace()
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    )
}

/// Removes socket directories of processes that were killed.
pub(crate) fn clear() {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(glovebox_host::program::temporary()) else {
        return;
    };
    let prefix = prefix();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let parts = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix.as_str())?.split_once('-'));
        let Some((process, rest)) = parts else {
            continue;
        };
        let since = rest
            .split('-')
            .next()
            .and_then(|since| since.parse::<u64>().ok());
        // Another user with write access to this directory could create one with such a name.
        let is_ours = entry
            .metadata()
            .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::getuid().as_raw());
        let is_gone = process
            .parse()
            .is_ok_and(|process: u32| started(process) != since);
        if is_ours && is_gone {
            remove(&entry.path());
        }
    }
}

impl EgressSocket {
    /// Creates the socket and starts the proxy.
    pub(crate) fn open(egress: Egress, local_ca: Arc<LocalCa>) -> io::Result<Self> {
        let process = std::process::id();
        let since = started(process).unwrap_or(0);
        // Short: the path of a Unix domain socket is limited (108 bytes on Linux).
        let place = Place(glovebox_host::program::temporary().join(format!(
            "{}{process}-{since}-{:016x}",
            prefix(),
            rand::random::<u64>()
        )));
        let directory = place.0.join("door");
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        };
        std::fs::create_dir(&place.0)?;
        // No other user of this machine can traverse the outer directory; the engine mounts the inner one into the container.
        mode(&place.0, 0o700)?;
        std::fs::create_dir(&directory)?;
        mode(&directory, 0o755)?;
        let listener = UnixListener::bind(directory.join(SOCKET))?;
        mode(&directory.join(SOCKET), 0o666)?;
        let way = Arc::new(Way {
            egress,
            waiting: Arc::new(Semaphore::new(WAITING_KIB)),
            configs: Mutex::default(),
        });
        let task = tokio::spawn(listen(listener, Arc::clone(&way), local_ca));
        Ok(Self {
            directory,
            way,
            task,
            _place: place,
        })
    }

    /// Returns the number of requests through this proxy, refused ones included.
    pub(crate) fn calls(&self) -> u64 {
        self.way.egress.made()
    }

    /// Returns the directory to mount as [`DIRECTORY`].
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for EgressSocket {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The state that all requests of one container share.
struct Way {
    egress: Egress,
    waiting: Arc<Semaphore>,
    configs: Mutex<Configs>,
}

async fn listen(listener: UnixListener, egress: Arc<Way>, local_ca: Arc<LocalCa>) {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let (egress, local_ca) = (Arc::clone(&egress), Arc::clone(&local_ca));
        connections.spawn(async move {
            serve(stream, egress, Some(local_ca), None).await;
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection. Inside a tunnel, requests have no host in their target: `tunnel` is their host.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    egress: Arc<Way>,
    local_ca: Option<Arc<LocalCa>>,
    tunnel: Option<String>,
) {
    let tunnels = Arc::new(Mutex::new(JoinSet::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let (egress, local_ca, tunnel, tunnels) = (
            Arc::clone(&egress),
            local_ca.clone(),
            tunnel.clone(),
            Arc::clone(&tunnels),
        );
        async move {
            if request.method() == Method::CONNECT {
                return Ok::<_, Infallible>(connect(request, egress, local_ca, &tunnels));
            }
            Ok(pass(request, &egress, tunnel.as_deref()).await)
        }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.max_buf_size(MAX_HEAD_BYTES).half_close(true);
    let served = server
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection of a container broke off");
    }
    let mut tunnels = std::mem::take(&mut *tunnels.lock().unwrap_or_else(PoisonError::into_inner));
    while tunnels.join_next().await.is_some() {}
}

/// Handles `CONNECT`: opens a tunnel and terminates its TLS.
fn connect(
    request: Request<Incoming>,
    egress: Arc<Way>,
    local_ca: Option<Arc<LocalCa>>,
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
    let Some(local_ca) = local_ca else {
        return refusal(StatusCode::BAD_REQUEST, "a tunnel inside a tunnel");
    };
    let Some(port) = request.uri().port_u16() else {
        return refusal(StatusCode::BAD_REQUEST, "a tunnel needs a host and a port");
    };
    // Checked before anything is allocated for it.
    if let Err(error) = egress.egress.tunnel(&host, port) {
        return refused(&error);
    }
    let config = match local_ca.config(&host, &egress.configs) {
        Ok(config) => config,
        Err(reason) => {
            return refusal(
                StatusCode::BAD_REQUEST,
                &format!("no certificate for that host: {reason}"),
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
            // Boxed, because the future is recursive: a tunnel is served by the function that opens tunnels.
            Ok(stream) => Box::pin(serve_tunnel(stream, egress, target)).await,
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
    egress: Arc<Way>,
    target: String,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(serve(
        stream,
        egress,
        None,
        Some(format!("https://{target}")),
    ))
}

/// A response that counts against the buffer limit until it is sent.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Makes one request on the container's behalf.
async fn pass(
    request: Request<Incoming>,
    Way {
        egress, waiting, ..
    }: &Way,
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
    let most = usize::try_from(egress.max_request()).unwrap_or(usize::MAX);
    let needed =
        usize::try_from((egress.max_request().saturating_add(egress.max_response())) >> 10)
            .unwrap_or(usize::MAX);
    let needed = u32::try_from(needed.clamp(1, WAITING_KIB)).unwrap_or(u32::MAX);
    let Ok(room) = Arc::clone(waiting).acquire_many_owned(needed).await else {
        return refusal(StatusCode::BAD_GATEWAY, "the run has ended");
    };
    let body = match read(body, most).await {
        Ok(Some(body)) => body,
        Ok(None) => {
            return refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("a request body has at most {most} bytes here"),
            );
        }
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    match egress
        .exchange(EgressRequest {
            method: head.method,
            url,
            headers: head.headers,
            body,
        })
        .await
    {
        Ok(answer) => {
            let mut response = Response::new(Full::new(Bytes::from_owner(Held {
                bytes: answer.body,
                _room: room,
            })));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            response
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &EgressError) -> Response<Full<Bytes>> {
    let status = match error {
        EgressError::Denied(_) => StatusCode::FORBIDDEN,
        EgressError::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
        EgressError::Invalid(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::BAD_GATEWAY,
    };
    refusal(status, &error.to_string())
}

/// Reads a whole body; `None` if it has more than `most` bytes. The excess is drained up to a limit: a client that is cut off while it
/// sends may never read the response.
async fn read(mut body: Incoming, most: usize) -> Result<Option<Bytes>, hyper::Error> {
    let (mut kept, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame?.into_data() else {
            continue;
        };
        length = length.saturating_add(piece.len());
        if length <= most {
            kept.extend_from_slice(&piece);
        } else if length > most.saturating_add(MAX_UNWANTED) {
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
        .take(MAX_PHRASE)
        .collect();
    if let Ok(phrase) = ReasonPhrase::try_from(phrase) {
        response.extensions_mut().insert(phrase);
    }
    response
}
