//! Egress proxy of the resolvers (SSRF protection): which servers does a resolver reach?
//!
//! A resolver connects to every host that the pages of an index name, without restrictions of its
//! own. So it reaches the network through a local proxy, which lives for one resolution: it opens
//! tunnels (`CONNECT`) to where archives may come from ([`Reach`]), and what goes through is
//! encrypted end to end. If the environment names a proxy, that one decides, and resolvers use it
//! as before.

use crate::reach::Reach;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox::Error;
use glovebox_host::program::Start;
use reqwest::Url;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Concurrent connections; resolvers open 50.
const MOST: usize = 64;

/// The largest request head in bytes.
const MAX_HEAD: usize = 8 << 10;

/// Timeout of a connection's request, and of connecting to its target.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// The proxy variables of a resolver.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A proxy for one resolution; closed when dropped.
pub(crate) struct Gate {
    address: String,
    shared: Arc<Shared>,
    _open: JoinSet<()>,
}

struct Shared {
    reach: Reach,
    /// The expected `Proxy-Authorization`: other users of this machine reach the port as well.
    word: String,
    refused: Mutex<Option<String>>,
}

impl Gate {
    /// Opens a proxy, unless the environment names one.
    pub(crate) async fn open(reach: Reach) -> Result<Option<Self>, Error> {
        if reach.has_proxy() {
            return Ok(None);
        }
        let failed = |error: io::Error| {
            Error::packages(format!(
                "no port on 127.0.0.1 can be opened for the resolver: {error}"
            ))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed)?;
        let password = format!("{:032x}", rand::random::<u128>());
        let address = format!(
            "http://glovebox:{password}@{}",
            listener.local_addr().map_err(failed)?
        );
        let word = format!("Basic {}", STANDARD.encode(format!("glovebox:{password}")));
        let shared = Arc::new(Shared {
            reach,
            word,
            refused: Mutex::default(),
        });
        let mut open = JoinSet::new();
        open.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Some(Self {
            address,
            shared,
            _open: open,
        }))
    }

    /// Makes a resolver use it.
    pub(crate) fn lead(&self, start: &mut Start) {
        for name in PROXIES {
            start.env(name, &self.address);
        }
        for name in ["NO_PROXY", "no_proxy"] {
            start.env(name, "");
        }
    }

    /// Returns the host that a page of the index named and that is not allowed.
    pub(crate) fn refused(&self) -> Option<String> {
        self.shared
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // All of them are aborted with this task.
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < MOST => match accepted {
                Ok((client, _)) => drop(open.spawn(serve(client, Arc::clone(&shared)))),
                // No file descriptors are left, for now.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    let mut server = match tokio::time::timeout(REQUEST_TIMEOUT, lead(&mut client, &shared)).await {
        Ok(Ok(server)) => server,
        Ok(Err(status)) => {
            let _ = client
                .write_all(
                    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                        .as_bytes(),
                )
                .await;
            return;
        }
        Err(_) => return,
    };
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
}

/// Reads a client's `CONNECT` request and connects to its target; or returns the status of the
/// response.
async fn lead(client: &mut TcpStream, shared: &Shared) -> Result<TcpStream, &'static str> {
    const BAD: &str = "400 Bad Request";
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        // Byte by byte, so that nothing after the head is consumed.
        let byte = client.read_u8().await.map_err(|_| BAD)?;
        head.push(byte);
        if head.len() > MAX_HEAD {
            return Err(BAD);
        }
    }
    let head = str::from_utf8(&head).map_err(|_| BAD)?;
    let mut lines = head.split("\r\n");
    let says_word = |line: &str| {
        let (name, value) = line.split_once(':')?;
        (name.eq_ignore_ascii_case("proxy-authorization") && value.trim() == shared.word)
            .then_some(())
    };
    let asked = lines
        .next()
        .and_then(|line| line.strip_prefix("CONNECT ")?.split_once(' '));
    if !lines.any(|line| says_word(line).is_some()) {
        return Err(
            "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"glovebox\"",
        );
    }
    let Some((target, _)) = asked else {
        // Without TLS, an attacker on the network path can forge the index.
        shared.refuse("a page of the index leads to an address that is not `https`".to_owned());
        return Err("405 Method Not Allowed");
    };
    let url = Url::parse(&format!("https://{target}/")).map_err(|_| BAD)?;
    let has_target = url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none();
    let (host, port) = url
        .host_str()
        .zip(url.port_or_known_default())
        .filter(|_| has_target)
        .ok_or(BAD)?;
    let found = match shared.reach.check(&url) {
        Ok(()) => {
            shared
                .reach
                .lookup(host.trim_start_matches('[').trim_end_matches(']'))
                .await
        }
        Err(why) => Err(why.into()),
    };
    let found = found.map_err(|why| {
        shared.refuse(why.to_string());
        "403 Forbidden"
    })?;
    for address in found {
        // A timeout for each address leaves time for the next.
        #[expect(
            clippy::disallowed_methods,
            reason = "each of these addresses was judged"
        )]
        let connected = TcpStream::connect(SocketAddr::new(address.ip(), port));
        if let Ok(Ok(server)) = tokio::time::timeout(REQUEST_TIMEOUT / 4, connected).await {
            client
                .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
                .await
                .map_err(|_| BAD)?;
            return Ok(server);
        }
    }
    Err("502 Bad Gateway")
}

impl Shared {
    fn refuse(&self, why: String) {
        self.refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(why);
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests connect to ports of their own"
)]
mod tests {
    use super::*;

    /// Returns the response of a proxy for an index on this machine to a request head.
    async fn answered(gate: &Gate, begin: &str) -> String {
        let address = gate.address.rsplit_once('@').unwrap().1;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(begin.as_bytes()).await.unwrap();
        let mut answer = vec![0; 200];
        let got = client.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..got].to_vec()).unwrap()
    }

    #[tokio::test]
    async fn gate_connects_only_to_archive_hosts_and_only_for_its_resolver() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = server.local_addr().unwrap().port();
        let reach = Reach::new(Url::parse(&format!("https://127.0.0.1:{port}/simple/")).unwrap());
        let Some(gate) = Gate::open(reach).await.unwrap() else {
            return;
        };
        let word = format!("Proxy-Authorization: {}\r\n", gate.shared.word);
        let own = format!("127.0.0.1:{port}");
        for (begin, status) in [
            (format!("CONNECT {own} HTTP/1.1\r\n{word}\r\n"), "200"),
            (format!("CONNECT {own} HTTP/1.1\r\n\r\n"), "407"),
            (
                format!("CONNECT {own} HTTP/1.1\r\nProxy-Authorization: Basic eDp5\r\n\r\n"),
                "407",
            ),
            (format!("GET http://{own}/ HTTP/1.1\r\n{word}\r\n"), "405"),
            (
                format!("CONNECT 169.254.169.254:443 HTTP/1.1\r\n{word}\r\n"),
                "403",
            ),
            (
                format!("CONNECT 10.0.0.1:443 HTTP/1.1\r\n{word}\r\n"),
                "403",
            ),
            (
                format!("CONNECT [fd00:ec2::254]:80 HTTP/1.1\r\n{word}\r\n"),
                "403",
            ),
            (format!("CONNECT x@{own} HTTP/1.1\r\n{word}\r\n"), "400"),
            (format!("CONNECT {own}/x HTTP/1.1\r\n{word}\r\n"), "400"),
            (format!("CONNECT  HTTP/1.1\r\n{word}\r\n"), "40"),
            (format!("{}\r\n\r\n", "x".repeat(MAX_HEAD)), "400"),
        ] {
            let answer = answered(&gate, &begin).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{begin}: {answer}"
            );
        }
        assert!(gate.refused().is_some());
        // The port is closed when the resolution is done.
        let address = gate.address.rsplit_once('@').unwrap().1.to_owned();
        drop(gate);
        for _ in 0..100 {
            if TcpStream::connect(&address).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        panic!("the port is still open");
    }
}
