//! Host calls of other tiers: how does a program without imports reach the network?
//!
//! Through the same exchanges as guests: a tier hands over one request at a time and gets one whole
//! response, checked, limited and recorded in the same place. Redirects are not followed here; the
//! client follows them with a new request, which is checked again.

use super::calls::HostCalls;
use super::error::CallError;
use super::http::{Fetch, Redirect, Response, check_body, is_hop_by_hop, within};
use super::in_flight::Room;
use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName};
use hyper::{Method, StatusCode};

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

impl HostCalls {
    /// Returns the limit of a request body in bytes.
    #[must_use]
    pub fn max_request(&self) -> u64 {
        self.grant().network().limits().request
    }

    /// Returns the limit of a response body in bytes.
    #[must_use]
    pub fn max_response(&self) -> u64 {
        self.grant().network().limits().response
    }

    /// Checks whether an HTTPS tunnel (`CONNECT`) to this host and port may be opened. There may be
    /// as many tunnels as host calls; a refused one counts as a host call and is recorded like one.
    ///
    /// # Errors
    ///
    /// The denial or the limit.
    pub fn tunnel(&self, host: &str, port: u16) -> Result<(), CallError> {
        if let Err(denial) = self.grant().network().check_tunnel(host, port) {
            self.count()?;
            return Err(self.http()?.denied(denial));
        }
        Ok(self.count_tunnel()?)
    }

    /// Sends one request if the grant allows it, and records it.
    ///
    /// # Errors
    ///
    /// The denial, the limit, or the failure.
    pub async fn exchange(&self, request: EgressRequest) -> Result<EgressResponse, CallError> {
        let limits = *self.grant().network().limits();
        self.count()?;
        let EgressRequest {
            method,
            url,
            headers,
            body,
        } = request;
        check_body(&body, &limits)?;
        let fetch = Fetch {
            url,
            method,
            headers: without_ours(headers),
            body,
            redirect: Redirect::Manual,
            timeout: None,
        };
        let mut room = self.room();
        let http = self.http()?;
        let Response {
            status,
            headers,
            body,
        } = within(limits.timeout, http.send_once(&fetch, &mut room)).await?;
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
