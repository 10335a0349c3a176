//! HTTP client of the programs (SSRF protection): which server does a `fetch` reach, and may it?
//!
//! This is the only place where the runtime opens a connection. The grant is checked for every
//! request before its host is resolved, for every address before the connection, and for both again
//! at each redirect. The connection goes to the very address that was checked, without a second
//! look-up in between, which rules out DNS rebinding. Nothing of the host's environment, such as a
//! proxy or a cookie, takes part.

mod exchange;

pub(super) use exchange::Response;

use super::error::{CallError, CallLimit};
use super::in_flight::Room;
use crate::audit::{CallAudit, CallRecord};
use crate::error::{Error, InternalError};
use crate::round_robin::FairSlots;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use exchange::Exchange;
use glovebox_host::address::is_of_this_machine;
use glovebox_policy::{Denial, Grant, HttpAsk, NetworkLimits};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HOST,
    HeaderMap, HeaderName, HeaderValue, LOCATION, RANGE, USER_AGENT,
};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use url::Url;

type TlsStream = tokio_rustls::client::TlsStream<TcpStream>;

/// Header fields of one request; protects the host's memory and the server.
const MAX_REQUEST_HEADERS: usize = 200;

/// Concurrent look-ups of hosts, for which the subjects take turns; the rest of tokio's blocking
/// threads are for files and records.
const MAX_LOOKUPS: usize = 128;

/// Opens connections; holds the root certificates that servers are verified against.
pub(crate) struct HttpClient {
    tls: tokio_rustls::TlsConnector,
    /// Permits for look-ups of hosts, which occupy a blocking thread until their servers answer.
    lookups: FairSlots,
}

impl HttpClient {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut roots = rustls::RootCertStore::empty();
        // A machine without certificates still runs everything but HTTPS; the connection then
        // reports what is missing.
        let (added, ignored) =
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        tracing::debug!(added, ignored, "certificates for guests' HTTPS");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(InternalError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: tokio_rustls::TlsConnector::from(Arc::new(config)),
            lookups: FairSlots::new(MAX_LOOKUPS),
        })
    }
}

/// The redirect mode of `fetch`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    Follow,
    Manual,
    Refuse,
}

/// A request of a program.
pub(super) struct Fetch {
    pub(super) url: String,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) redirect: Redirect,
    pub(super) timeout: Option<Duration>,
}

/// The network as granted to one run.
pub(super) struct GrantedHttp<'a> {
    pub(super) grant: &'a Grant,
    pub(super) client: &'a HttpClient,
    pub(super) audit: &'a CallAudit,
}

/// Performs one `fetch`: JSON in, JSON out. The guests' README describes both. The response is read
/// into `room`, which is returned with it.
pub(super) async fn fetch(
    http: &GrantedHttp<'_>,
    arguments: String,
    mut room: Room,
) -> Result<(String, Room), CallError> {
    let mut fetch = parse(&arguments).map_err(CallError::Invalid)?;
    // By now there is a second copy of the body.
    drop(arguments);
    let limits = *http.grant.network().limits();
    check_body(&fetch.body, &limits)?;
    let timeout = fetch.timeout.unwrap_or(limits.timeout).min(limits.timeout);
    let text = within(timeout, http.follow(&mut fetch, &mut room)).await?;
    Ok((text, room))
}

/// Checks the size of a request's body.
pub(super) fn check_body(body: &Bytes, limits: &NetworkLimits) -> Result<(), CallLimit> {
    let (most, bytes) = (limits.request, body.len() as u64);
    if bytes > most {
        return Err(CallLimit::RequestBody { most, bytes });
    }
    Ok(())
}

/// Runs an exchange under a timeout.
pub(super) async fn within<T>(
    timeout: Duration,
    exchange: impl Future<Output = Result<T, CallError>>,
) -> Result<T, CallError> {
    tokio::time::timeout(timeout, exchange)
        .await
        .unwrap_or_else(|_| Err(CallLimit::Timeout(timeout).into()))
}

impl GrantedHttp<'_> {
    async fn follow(&self, fetch: &mut Fetch, room: &mut Room) -> Result<String, CallError> {
        let most = self.grant.network().limits().redirects;
        let mut hops = 0_u32;
        loop {
            let response = self.send_once(fetch, room).await?;
            let target = response
                .headers
                .get(LOCATION)
                .filter(|_| is_redirect(response.status));
            let Some(target) = target.filter(|_| fetch.redirect != Redirect::Manual) else {
                let text = answer(&fetch.url, hops > 0, &response);
                drop(response);
                room.shrink_to(text.len() as u64);
                return Ok(text);
            };
            if fetch.redirect == Redirect::Refuse {
                return Err(CallError::failed(
                    "the server redirects, and the program asked not to follow",
                ));
            }
            hops += 1;
            if hops > most {
                return Err(CallLimit::Redirects { most }.into());
            }
            let target = target.to_str().map_err(|_| no_target())?.to_owned();
            redirect(fetch, response.status, &target)?;
        }
    }

    /// Sends one request, without following a redirect, if the grant allows it, and records it.
    pub(super) async fn send_once(
        &self,
        fetch: &Fetch,
        room: &mut Room,
    ) -> Result<Response, CallError> {
        let network = self.grant.network();
        let asked = HttpAsk::from_url(fetch.method.as_str(), &fetch.url).and_then(|ask| {
            let rule = network.check_request(&ask)?;
            Ok((ask, rule.to_string()))
        });
        let (ask, rule) = asked.map_err(|denial| self.denied(denial))?;
        let target = ask.to_string();
        // Without the audit record the request must not be sent, nor must its host be looked up: the
        // query tells the host's name to its servers.
        self.record(&target, Ok(rule.clone()), fetch.body.len(), 0)?;
        let mut addresses = self.resolve(&ask).await?;
        // Every address must pass: a name that resolves to one allowed and one denied address is an
        // attack or a mistake.
        for address in &addresses {
            self.check_address(&ask.host, address.ip())
                .map_err(|denial| self.denied(denial))?;
        }
        addresses.truncate(exchange::MAX_ADDRESSES);
        let stream = connect(&addresses).await?;
        let exchange = Exchange {
            ask: &ask,
            method: fetch.method.clone(),
            headers: fetch.headers.clone(),
            body: fetch.body.clone(),
            max_response: network.limits().response,
            room,
        };
        let response = if ask.scheme == "https" {
            let stream = self.secure(&ask.host, stream).await?;
            exchange.send(stream).await
        } else {
            exchange.send(stream).await
        }?;
        self.record(&target, Ok(rule), 0, response.body.len())?;
        Ok(response)
    }

    /// Looks up the addresses of a host.
    async fn resolve(&self, ask: &HttpAsk) -> Result<Vec<SocketAddr>, CallError> {
        let host = ask.host.trim_matches(['[', ']']);
        if let Ok(address) = host.parse() {
            return Ok(vec![SocketAddr::new(address, ask.port)]);
        }
        let missing = || CallError::Failed(format!("the host `{host}` cannot be found"));
        let slot = self.client.lookups.acquire(self.grant.subject()).await;
        let (name, port) = (host.to_owned(), ask.port);
        let found = tokio::task::spawn_blocking(move || {
            // A look-up goes on when its program no longer waits for it.
            let _slot = slot;
            #[expect(
                clippy::disallowed_methods,
                reason = "the one look-up; the grant has allowed the host, and is asked about the result"
            )]
            let found = (name.as_str(), port).to_socket_addrs();
            found.map(Vec::from_iter)
        });
        let addresses = found.await.map_err(|_| missing())?.map_err(|_| missing())?;
        if addresses.is_empty() {
            return Err(CallError::Failed(format!(
                "the host `{host}` has no address"
            )));
        }
        Ok(addresses)
    }

    fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Denial> {
        let network = self.grant.network();
        network.check_address(host, address)?;
        if is_of_this_machine(address) {
            network.check_own_address(host, address)?;
        }
        Ok(())
    }

    async fn secure(&self, host: &str, stream: TcpStream) -> Result<TlsStream, CallError> {
        let name =
            rustls::pki_types::ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
                .map_err(|_| CallError::invalid("the host cannot have a certificate"))?;
        let connected = self.client.tls.connect(name, stream).await;
        connected.map_err(|error| {
            CallError::Failed(format!("no secure connection to `{host}`: {error}"))
        })
    }

    fn record(
        &self,
        target: &str,
        verdict: Result<String, String>,
        sent: usize,
        received: usize,
    ) -> Result<(), CallError> {
        let record = CallRecord {
            function: "fetch",
            target,
            verdict,
            sent: sent as u64,
            received: received as u64,
        };
        self.audit.called(record).map_err(|error| {
            tracing::error!(%error, "an exchange was stopped because it could not be audited");
            CallError::failed("the exchange could not be recorded, so it did not happen")
        })
    }

    /// Returns the error of a denied request, after recording it.
    pub(super) fn denied(&self, denial: Denial) -> CallError {
        match self.record(&denial.asked, Err(denial.rule.clone()), 0, 0) {
            Ok(()) => denial.into(),
            Err(unrecorded) => unrecorded,
        }
    }
}

fn no_target() -> CallError {
    CallError::failed("the server redirects to something that is no URL")
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, CallError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one connection; the grant has allowed each of these addresses"
    )]
    let stream = TcpStream::connect(addresses).await;
    stream.map_err(|error| CallError::Failed(format!("no connection: {}", error.kind())))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Rewrites a request to follow a redirect.
fn redirect(fetch: &mut Fetch, status: StatusCode, target: &str) -> Result<(), CallError> {
    let from = Url::parse(&fetch.url).map_err(|_| no_target())?;
    let to = from.join(target).map_err(|_| no_target())?;
    let drops_body = status == StatusCode::SEE_OTHER && fetch.method != Method::HEAD
        || matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND)
            && fetch.method == Method::POST;
    if drops_body {
        fetch.method = Method::GET;
        fetch.body = Bytes::new();
        fetch.headers.remove(CONTENT_TYPE);
    }
    if from.origin() != to.origin() {
        // Credentials for one origin must not be sent to another, and any field may hold some
        // (`X-Api-Key`). So only fields are kept that negotiate the response or describe the body.
        fetch.headers = std::mem::take(&mut fetch.headers)
            .into_iter()
            .fold((HeaderMap::new(), None), keep_for_another_origin)
            .0;
    }
    fetch.url = to.into();
    Ok(())
}

/// Header fields that are kept across origins.
const FOR_ANY_ORIGIN: [HeaderName; 7] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    RANGE,
    USER_AGENT,
];

/// Keeps a field for a request to another origin; in a `HeaderMap` a repeated field has its name
/// only once.
fn keep_for_another_origin(
    (mut kept, last): (HeaderMap, Option<HeaderName>),
    (name, value): (Option<HeaderName>, HeaderValue),
) -> (HeaderMap, Option<HeaderName>) {
    let name = name.or(last);
    if let Some(name) = name.as_ref().filter(|name| FOR_ANY_ORIGIN.contains(name)) {
        kept.append(name.clone(), value);
    }
    (kept, name)
}

fn parse(arguments: &str) -> Result<Fetch, String> {
    let value: Value = serde_json::from_str(arguments)
        .map_err(|error| format!("the arguments of `fetch` are not JSON: {error}"))?;
    let text = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{name}` of `fetch` must be a text")),
    };
    let method = text("method")?.unwrap_or("GET");
    let body = text("body_base64")?
        .map(|body| BASE64.decode(body))
        .transpose();
    let redirect = match text("redirect")? {
        None | Some("follow") => Redirect::Follow,
        Some("manual") => Redirect::Manual,
        Some("error") => Redirect::Refuse,
        Some(other) => {
            return Err(format!(
                "`redirect` is `follow`, `manual` or `error`, not `{}`",
                other.escape_debug()
            ));
        }
    };
    let timeout = match value.get("timeout_ms") {
        None | Some(Value::Null) => None,
        Some(ms) => Some(Duration::from_millis(
            ms.as_u64().ok_or("`timeout_ms` must be a whole number")?,
        )),
    };
    Ok(Fetch {
        url: text("url")?.ok_or("`fetch` needs a `url`")?.to_owned(),
        method: Method::from_bytes(method.as_bytes())
            .map_err(|_| format!("`{}` is no HTTP method", method.escape_debug()))?,
        headers: parse_headers(value.get("headers"))?,
        body: body
            .map_err(|error| format!("`body_base64` is not base64: {error}"))?
            .unwrap_or_default()
            .into(),
        redirect,
        timeout,
    })
}

fn parse_headers(headers: Option<&Value>) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    let list = match headers {
        None | Some(Value::Null) => return Ok(map),
        Some(Value::Array(list)) if list.len() <= MAX_REQUEST_HEADERS => list,
        Some(Value::Array(_)) => {
            return Err(format!("more than {MAX_REQUEST_HEADERS} header fields"));
        }
        Some(_) => return Err("`headers` must be a list of pairs".into()),
    };
    for pair in list {
        let (Some(name), Some(value)) = (
            pair.get(0).and_then(Value::as_str),
            pair.get(1).and_then(Value::as_str),
        ) else {
            return Err("`headers` must be a list of pairs of texts".into());
        };
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("`{}` is no header name", name.escape_debug()))?;
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| format!("the value of the header `{name}` cannot be sent"))?;
        if !is_hop_by_hop(&name) {
            map.append(name, value);
        }
    }
    Ok(map)
}

/// Hop-by-hop header fields, and those that follow from the URL and the body.
pub(super) fn is_hop_by_hop(name: &HeaderName) -> bool {
    const CONNECTION: [&str; 8] = [
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    ];
    *name == HOST || *name == CONTENT_LENGTH || CONNECTION.contains(&name.as_str())
}

fn answer(url: &str, redirected: bool, response: &Response) -> String {
    let headers: Vec<[String; 2]> = response
        .headers
        .iter()
        .map(|(name, value)| {
            [
                name.as_str().to_owned(),
                value
                    .as_bytes()
                    .iter()
                    .map(|byte| char::from(*byte))
                    .collect(),
            ]
        })
        .collect();
    let mut text = json!({
        "url": url,
        "status": response.status.as_u16(),
        "status_text": response.status.canonical_reason().unwrap_or_default(),
        "headers": headers,
        "redirected": redirected,
    })
    .to_string();
    // The object's closing brace is removed and the body, which is written once, appended.
    text.pop();
    text.reserve_exact(
        response
            .body
            .len()
            .div_ceil(3)
            .saturating_mul(4)
            .saturating_add(32),
    );
    text.push_str(",\"body_base64\":\"");
    BASE64.encode_string(&response.body, &mut text);
    text.push_str("\"}");
    text
}
