//! Tool calls of a container: how does its program call a granted tool?
//!
//! By a request to the egress proxy itself, `POST http://glovebox/tools/NAME`, with the arguments
//! as its body and the result as the body of the response, both JSON. The call goes through the
//! same gate as one of a guest: checked, counted, bounded and recorded there.

use super::{Proxy, buffer, lock, read, status_of};
use crate::protocol::{TOOLS_HOST, TOOLS_PATH};
use bytes::Bytes;
use glovebox::{CallError, CallResult};
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// Maximum bytes of a call's arguments; protects this process.
const MAX_TOOL_REQUEST_BYTES: u64 = 16 << 20;

/// Returns whether a request is addressed to the proxy itself: by the host name of its URL, or, on
/// the socket, by its `Host` field.
pub(super) fn is_tool_call(request: &Request<Incoming>) -> bool {
    match request.uri().host() {
        Some(host) => host == TOOLS_HOST && request.uri().port_u16().is_none_or(|port| port == 80),
        None => request
            .headers()
            .get(HOST)
            .is_some_and(|host| host == TOOLS_HOST),
    }
}

/// Makes a call.
pub(super) async fn call(request: Request<Incoming>, proxy: &Proxy) -> Response<Full<Bytes>> {
    let Some(name) = request.uri().path().strip_prefix(TOOLS_PATH) else {
        let message = format!("tools are at `http://{TOOLS_HOST}{TOOLS_PATH}NAME`");
        return failure(StatusCode::NOT_FOUND, "invalid", &message);
    };
    if request.method() != Method::POST {
        let message = "a tool is called with `POST`";
        let mut response = failure(StatusCode::METHOD_NOT_ALLOWED, "invalid", message);
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    let name = name.to_owned();
    let body = request.into_body();
    let bytes = body.size_hint().upper().unwrap_or(MAX_TOOL_REQUEST_BYTES);
    let Ok(permits) = buffer(&proxy.buffers, bytes.min(MAX_TOOL_REQUEST_BYTES)).await else {
        return failure(StatusCode::BAD_GATEWAY, "failed", "the run has ended");
    };
    let most = usize::try_from(MAX_TOOL_REQUEST_BYTES).unwrap_or(usize::MAX);
    let arguments = match read(body, most).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let message = format!("the arguments of a tool have at most {most} bytes");
            return failure(StatusCode::PAYLOAD_TOO_LARGE, "limit", &message);
        }
        Err(error) => return failure(StatusCode::BAD_REQUEST, "invalid", &error.to_string()),
    };
    let arguments = match String::from_utf8(arguments.into()) {
        Ok(text) if text.is_empty() => "{}".to_owned(),
        Ok(text) => text,
        Err(_) => {
            let message = "the arguments of a tool must be JSON in UTF-8";
            return failure(StatusCode::BAD_REQUEST, "invalid", message);
        }
    };
    // A program that has not started has no time.
    let deadline = lock(&proxy.deadline).unwrap_or_else(Instant::now);
    match proxy.calls.call_tool(&name, arguments, deadline).await {
        Ok(result) => {
            let body = Bytes::from_owner(ResultBody {
                result,
                _permits: permits,
            });
            json_response(StatusCode::OK, body)
        }
        Err(error) => failure(status_of(&error), kind(&error), &error.to_string()),
    }
}

/// A result that counts against the bounds of its run until it is sent.
struct ResultBody {
    result: CallResult,
    _permits: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for ResultBody {
    fn as_ref(&self) -> &[u8] {
        self.result.as_ref()
    }
}

/// Returns the word of an error, as guests have it.
fn kind(error: &CallError) -> &'static str {
    match error {
        CallError::Denied(_) => "denied",
        CallError::Limit(_) => "limit",
        CallError::Invalid(_) => "invalid",
        _ => "failed",
    }
}

fn failure(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "kind": kind, "message": message }).to_string();
    json_response(status, body.into())
}

fn json_response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
