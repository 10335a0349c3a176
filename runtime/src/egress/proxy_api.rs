//! Egress API for other tiers: how do their programs reach the network?
//!
//! Through the same exchanges as guests: a tier hands over one request at a time and gets one whole response, checked, limited and recorded
//! in the same place. Redirects are not followed here; the client follows them with a new request, which is checked again.

use super::exchange::Response;
use super::{Fetch, HttpClient, Redirect, is_hop_by_hop, refused, send_once, within};
use crate::account::RunMemory;
use crate::audit::CallAudit;
use crate::error::Error;
use crate::in_flight::{InFlight, Room};
use crate::state::bindings::glovebox::guest::host::Failure;
use bytes::Bytes;
use glovebox_policy::Grant;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The network as granted to one run.
pub struct Egress {
    grant: Arc<Grant>,
    trail: CallAudit,
    client: &'static HttpClient,
    in_flight: Arc<InFlight>,
    made: AtomicU64,
    tunnels: AtomicU64,
}

/// An HTTP request of a program.
#[derive(Clone, Debug)]
pub struct EgressRequest {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    /// The header fields; hop-by-hop fields are dropped.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// The whole response.
#[derive(Clone, Debug)]
pub struct EgressResponse {
    /// The status.
    pub status: StatusCode,
    /// The header fields, without hop-by-hop fields.
    pub headers: HeaderMap,
    /// The body, as it was sent.
    pub body: Bytes,
}

/// The reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EgressError {
    /// The grant denies it.
    #[error("{0}")]
    Denied(String),
    /// A limit of the run was hit.
    #[error("{0}")]
    Limited(String),
    /// The request is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The server or the connection failed.
    #[error("{0}")]
    Failed(String),
}

impl Egress {
    pub(crate) fn new(grant: Arc<Grant>, trail: CallAudit) -> Result<Self, Error> {
        static CLIENT: OnceLock<Result<HttpClient, String>> = OnceLock::new();
        let client = CLIENT.get_or_init(|| HttpClient::new().map_err(|error| error.to_string()));
        let client = client
            .as_ref()
            .map_err(|error| Error::Host(error.clone()))?;
        let in_flight = InFlight::new(&grant, RunMemory::default());
        Ok(Self {
            grant,
            trail,
            client,
            in_flight,
            made: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
        })
    }

    /// Returns the limit of a request body in bytes.
    #[must_use]
    pub fn max_request(&self) -> u64 {
        self.grant.network().limits().request
    }

    /// Returns the limit of a response body in bytes.
    #[must_use]
    pub fn max_response(&self) -> u64 {
        self.grant.network().limits().response
    }

    /// Returns the number of requests so far, with the tunnels that were refused.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
            .load(Ordering::Relaxed)
            .min(self.grant.limits().host_calls)
    }

    fn count(&self) -> Result<(), EgressError> {
        let most = self.grant.limits().host_calls;
        if self.made.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(EgressError::Limited(format!("more than {most} requests")));
        }
        Ok(())
    }

    /// Checks whether an HTTPS tunnel (`CONNECT`) to this host and port may be opened. There may be as many tunnels as requests; a refused
    /// one counts as a request and is recorded like one.
    ///
    /// # Errors
    ///
    /// The denial or the limit.
    pub fn tunnel(&self, host: &str, port: u16) -> Result<(), EgressError> {
        let most = self.grant.limits().host_calls;
        if let Err(denial) = self.grant.network().check_tunnel(host, port) {
            self.count()?;
            let Failure { kind, message } = refused(&self.trail, &denial);
            return Err(if kind == "denied" {
                EgressError::Denied(message)
            } else {
                EgressError::Failed(message)
            });
        }
        if self.tunnels.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(EgressError::Limited(format!("more than {most} tunnels")));
        }
        Ok(())
    }

    /// Sends one request if the grant allows it, and records it.
    ///
    /// # Errors
    ///
    /// The denial, the limit, or the failure.
    pub async fn exchange(&self, request: EgressRequest) -> Result<EgressResponse, EgressError> {
        let limits = *self.grant.network().limits();
        self.count()?;
        let EgressRequest {
            method,
            url,
            headers,
            body,
        } = request;
        if body.len() as u64 > limits.request {
            return Err(EgressError::Limited(format!(
                "a request body has at most {} bytes here",
                limits.request
            )));
        }
        let fetch = Fetch {
            url,
            method,
            headers: without_ours(headers),
            body,
            redirect: Redirect::Manual,
            timeout: None,
        };
        let mut room = self.in_flight.room();
        let exchange = send_once(
            &self.grant,
            self.client,
            &self.trail,
            &fetch,
            (limits.response, &mut room),
        );
        let answer = within(limits.timeout, exchange).await;
        let Response {
            status,
            headers,
            body,
        } = answer.map_err(|Failure { kind, message }| match kind.as_str() {
            "denied" => EgressError::Denied(message),
            "limit" => EgressError::Limited(message),
            "invalid" => EgressError::Invalid(message),
            _ => EgressError::Failed(message),
        })?;
        room.shrink_to(body.len() as u64);
        // The room is held for as long as a reference to the body exists.
        let body = Bytes::from_owner(Taken { body, _room: room });
        Ok(EgressResponse {
            status,
            headers: without_ours(headers),
            body,
        })
    }
}

/// A body with its in-flight memory.
struct Taken {
    body: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Taken {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

fn without_ours(headers: HeaderMap) -> HeaderMap {
    let of_proxies = |name: &HeaderName| name.as_str().starts_with("proxy-");
    let mut kept = HeaderMap::new();
    let mut last = None;
    for (name, value) in headers {
        // In a `HeaderMap` a repeated field has its name only once.
        last = name.or(last);
        if let Some(name) = last
            .as_ref()
            .filter(|name| !is_hop_by_hop(name) && !of_proxies(name))
        {
            kept.append(name.clone(), value);
        }
    }
    kept
}
