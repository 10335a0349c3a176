//! HTTP test server: what is at the other end of a `fetch`?
//!
//! A small HTTP server on the loopback address. A test sets its responses, and later reads the
//! requests that it received.

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// One request as received.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// `GET /path`.
    pub line: String,
    /// The header fields in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The value of a header field.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The handler of a request: it returns the response.
type Handler = dyn Fn(&Received) -> Vec<u8> + Send + Sync;

/// The wrapper of an accepted connection, such as TLS.
type Wrap = dyn Fn(TcpStream) -> Box<dyn Connection> + Send + Sync;

/// A connection, plain or encrypted.
trait Connection: Read + Write + Send {}

impl<T: Read + Write + Send> Connection for T {}

/// A server. Its thread ends with the test process.
#[derive(Debug)]
pub struct Server {
    scheme: &'static str,
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Starts a server that answers each request with the bytes that `answer` returns; if they are
    /// empty it keeps the connection open and sends nothing.
    ///
    /// # Panics
    ///
    /// If no port can be bound.
    #[must_use]
    pub fn start(answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listen(
            "http",
            Arc::new(|stream| Box::new(stream)),
            Arc::new(answer),
        )
    }

    /// The same over TLS, with a certificate of the authority for the names.
    ///
    /// # Panics
    ///
    /// If no port can be bound, or no certificate be made.
    #[must_use]
    pub fn start_tls(
        authority: &Authority,
        names: &[&str],
        answer: impl Fn(&Received) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let config = authority.config(names);
        let wrap = move |stream| -> Box<dyn Connection> {
            let connection =
                ServerConnection::new(Arc::clone(&config)).expect("the configuration holds");
            Box::new(StreamOwned::new(connection, stream))
        };
        Self::listen("https", Arc::new(wrap), Arc::new(answer))
    }

    fn listen(scheme: &'static str, wrap: Arc<Wrap>, answer: Arc<Handler>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be bound");
        let address = listener.local_addr().expect("a socket has an address");
        let received = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer, wrap) =
                    (Arc::clone(&seen), Arc::clone(&answer), Arc::clone(&wrap));
                std::thread::spawn(move || serve(wrap(stream), &seen, &*answer));
            }
        });
        Self {
            scheme,
            address,
            received,
        }
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A URL of this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// Returns the requests so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn serve(stream: Box<dyn Connection>, seen: &Mutex<Vec<Received>>, answer: &Handler) {
    let mut reader = BufReader::new(stream);
    let mut request = Received::default();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        let text = line.trim_end().to_owned();
        line.clear();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            Some((name, value)) if !request.line.is_empty() => request
                .headers
                .push((name.to_lowercase(), value.to_owned())),
            _ => {
                request.line = text
                    .rsplit_once(" HTTP/")
                    .map_or(text.clone(), |(line, _)| line.to_owned())
            }
        }
    }
    // A failed handshake is no request.
    if request.line.is_empty() {
        return;
    }
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    request.body.resize(length, 0);
    if reader.read_exact(&mut request.body).is_err() {
        return;
    }
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request.clone());
    let bytes = answer(&request);
    if bytes.is_empty() {
        std::thread::sleep(std::time::Duration::from_secs(30));
    }
    // Some tests hang up early.
    let stream = reader.get_mut();
    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
}

/// The certificate authority of a test's servers.
#[derive(Debug)]
pub struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

impl Authority {
    /// Creates an authority that no client trusts yet.
    ///
    /// # Panics
    ///
    /// If no key can be made.
    #[must_use]
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let mut parameters = rcgen::CertificateParams::default();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        // OpenSSL treats a certificate whose subject equals its issuer as self-signed.
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "the authority of a test");
        let pem = parameters
            .self_signed(&key)
            .expect("a certificate can be made")
            .pem();
        Self {
            issuer: rcgen::Issuer::new(parameters, key),
            pem,
        }
    }

    /// Returns its certificate, for a trust store.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    fn config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let key = rcgen::KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let parameters = rcgen::CertificateParams::new(names).expect("the names are names");
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("a certificate can be made");
        let chain = vec![CertificateDer::from(certificate)];
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the versions are known");
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Arc::new(
            config
                .with_no_client_auth()
                .with_single_cert(chain, key.into())
                .expect("the key is the certificate's"),
        )
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// Builds a response from a status line, header fields and a body.
#[must_use]
pub fn answer(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}
