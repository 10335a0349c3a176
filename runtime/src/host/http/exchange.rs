//! HTTP/1.1 exchange: how does one request go over one connection, within its limits?

use crate::host::error::{CallError, CallLimit};
use crate::host::in_flight::{InFlight, Room};
use bytes::Bytes;
use glovebox_policy::HttpAsk;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper::header::{HOST, HeaderMap, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

/// Addresses that are tried; a name with a thousand addresses must not cause a thousand attempts.
pub(super) const MAX_ADDRESSES: usize = 8;

/// Bytes of a response's head; protects the host's memory.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Header fields of a response.
const MAX_RESPONSE_HEADERS: usize = 200;

/// One request.
pub(super) struct Exchange<'a> {
    pub(super) ask: &'a HttpAsk,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The limit of the response body in bytes.
    pub(super) max_response: u64,
    /// The in-flight memory of the response.
    pub(super) room: &'a mut Room,
}

/// One whole response.
pub(in crate::host) struct Response {
    pub(in crate::host) status: StatusCode,
    pub(in crate::host) headers: HeaderMap,
    pub(in crate::host) body: Bytes,
}

impl Exchange<'_> {
    /// Sends the request and reads the whole response.
    pub(super) async fn send(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Response, CallError> {
        let failed = |error: hyper::Error| {
            CallError::Failed(format!(
                "the exchange with `{}` failed: {error}",
                self.ask.host
            ))
        };
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .max_headers(MAX_RESPONSE_HEADERS)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(failed)?;
        // The connection ends with the exchange, whatever its result.
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let default_port = if self.ask.scheme == "https" { 443 } else { 80 };
        let host = if self.ask.port == default_port {
            self.ask.host.clone()
        } else {
            format!("{}:{}", self.ask.host, self.ask.port)
        };
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.ask.path)
            .body(Full::new(self.body))
            .map_err(|error| CallError::Invalid(format!("the request cannot be sent: {error}")))?;
        *request.headers_mut() = self.headers;
        let host = HeaderValue::from_str(&host)
            .map_err(|_| CallError::invalid("the host cannot be sent"))?;
        request.headers_mut().insert(HOST, host);
        request
            .headers_mut()
            .entry(USER_AGENT)
            .or_insert(HeaderValue::from_static("glovebox"));
        let response = sender.send_request(request).await.map_err(failed)?;
        let (head, mut body) = response.into_parts();
        let limit = usize::try_from(self.max_response).unwrap_or(usize::MAX);
        let too_large = || CallLimit::ResponseBody {
            most: self.max_response,
        };
        // Reserved before anything is read if the server sends a `Content-Length`.
        let declared = body.size_hint().exact().unwrap_or(0);
        if declared > self.max_response {
            return Err(too_large().into());
        }
        self.room.grow_to(InFlight::with_encoding(declared)).await?;
        // One contiguous buffer: a server may send a million chunks of one byte, each of which
        // would cost much more.
        let mut bytes = Vec::with_capacity(usize::try_from(declared).unwrap_or(0));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                CallError::Failed(format!(
                    "the answer of `{}` broke off: {error}",
                    self.ask.host
                ))
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            let length = bytes.len().saturating_add(data.len());
            if length > limit {
                return Err(too_large().into());
            }
            self.room
                .grow_to(InFlight::with_encoding(length as u64))
                .await?;
            bytes.extend_from_slice(&data);
        }
        Ok(Response {
            status: head.status,
            headers: head.headers,
            body: bytes.into(),
        })
    }
}
