//! Authentication and authorization: which subject calls, and may it?
//!
//! Every request passes this middleware first. `Host` and `Origin` are checked for all of them, so
//! that a web page in a user's browser cannot reach a service on that user's machine (DNS
//! rebinding, CSRF).

use super::extract::{Accepted, BodyLimits};
use super::places::{Connection, NoAnswer};
use super::problem::{Problem, Refused};
use super::responses::charged;
use super::state::ApiState;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use glovebox_service::{Caller, Code, Identities, ServiceError};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Paths that need no key: health checks and the description of the API.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/openapi.json", "/docs"];

/// Returns the host names by which the service may always be called.
pub(super) fn host_names(address: SocketAddr, configured: &[String]) -> Vec<String> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "[::1]".to_owned(),
    ];
    if !address.ip().is_unspecified() {
        names.push(if address.is_ipv6() {
            format!("[{}]", address.ip())
        } else {
            address.ip().to_string()
        });
    }
    names.extend(configured.iter().map(|name| name.to_ascii_lowercase()));
    names
}

/// Authenticates a request and passes it on with its caller, or answers it with a problem. A
/// refusal because of a quota of the caller is recorded here, whichever handler it comes from.
pub(super) async fn guard(state: &ApiState, request: Request, next: Next) -> Response {
    match judge(state, request.headers(), request.uri(), request.version()).await {
        Ok(caller) => {
            let subject = caller.as_ref().map(|caller| caller.subject.clone());
            let mut response = pass(state, caller, request, next).await;
            if let Some(subject) = subject {
                response = charged(&state.service().memory, &subject, response);
                if let Some(Refused(denial)) = response.extensions_mut().remove() {
                    state.service().refusals.note(&subject, &denial);
                }
            }
            response
        }
        Err(problem) => {
            let is_malformed = problem.code() == Code::BadRequest;
            let mut response = problem.into_response();
            if is_malformed {
                // Two parsers may disagree about where this request ends and the next begins.
                response
                    .headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    }
}

/// Passes a request on with its caller, if the caller may have one more in flight.
async fn pass(
    state: &ApiState,
    caller: Option<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    // Every request comes on a connection; only tests of the routes have none.
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    if let Some(caller) = &caller {
        if let Err(error) = state.service().identities.check_rate(&caller.subject) {
            return Problem::from(error).into_response();
        }
        let begun = connection.as_ref().map_or(Ok(()), |connection| {
            state
                .places()
                .begin(&caller.subject, connection.network())
                .and_then(|under_way| connection.answers(under_way))
        });
        if let Err(reason) = begun {
            return unanswered(reason).into_response();
        }
    }
    let body = BodyLimits {
        time: state.limits().body_time,
        most: state.limits().body,
        account: Arc::clone(&state.service().memory),
        heavy: state.service().heavy.clone(),
    };
    request.extensions_mut().insert(Accepted { caller, body });
    next.run(request).await
}

fn unanswered(reason: NoAnswer) -> Problem {
    let error = match reason {
        NoAnswer::SubjectFull(own, denial) => {
            let rule = &denial.rule;
            let detail = format!("too many requests of this key in flight: {own} (`{rule}`)");
            ServiceError::over_quota(Code::QueueFull, detail, *denial)
        }
        NoAnswer::SubjectFullAtAddress(most) => {
            let detail = format!(
                "too many requests of this key in flight from this address: {most}, half of `limits.connections_per_address`"
            );
            ServiceError::new(Code::QueueFull, detail)
        }
        NoAnswer::AddressFull(most) => {
            let detail = format!(
                "too many requests in flight from this address: {most}; the rest of `limits.connections_per_address` is for new connections"
            );
            ServiceError::new(Code::Overloaded, detail)
        }
        NoAnswer::Full(most) => {
            let detail = format!(
                "too many requests in flight: {most}; the rest of `limits.connections` is for new connections"
            );
            ServiceError::new(Code::Overloaded, detail)
        }
        NoAnswer::Leaving => ServiceError::new(
            Code::Overloaded,
            "this connection has given way to another one (`limits.connections`)",
        ),
    };
    Problem::from(error.retry_after(Duration::from_secs(1)))
}

async fn judge(
    state: &ApiState,
    headers: &HeaderMap,
    uri: &Uri,
    version: Version,
) -> Result<Option<Caller>, Problem> {
    let named = only(headers, header::HOST.as_str())?;
    if named.is_none() && version > Version::HTTP_10 {
        return Err(Problem::new(
            Code::BadRequest,
            "the request has no `Host` header, which HTTP/1.1 demands",
        ));
    }
    // A target has origin form or names this service with a scheme; authority form is for
    // `CONNECT`, which is for proxies.
    if uri.authority().is_some() && !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(Problem::new(
            Code::BadRequest,
            "the target of the request is no path, and no address that begins with `http`",
        ));
    }
    // A target in absolute form is for proxies, and names the host a second time (RFC 9112, section
    // 3.2.2).
    if let (Some(authority), Some(named)) = (uri.authority(), named)
        && !authority.as_str().eq_ignore_ascii_case(named)
    {
        return Err(Problem::new(
            Code::BadRequest,
            "the target of the request and its `Host` header name different hosts",
        ));
    }
    let host = named.or(uri.host());
    // No browser omits `Host`, so a request without it comes from no web page.
    if let Some(host) = host
        && !state.is_called(without_port(host))
    {
        if host.contains('@') || host.parse::<Authority>().is_err() {
            return Err(Problem::new(
                Code::BadRequest,
                "the `Host` header is no name of a host, with or without a port",
            ));
        }
        let shown: String = host.escape_debug().take(100).collect();
        let detail = format!("unknown `Host` header `{shown}`; add it to `hosts` in the config");
        return Err(Problem::new(Code::OriginNotAllowed, detail));
    }
    if let Some(origin) = only(headers, header::ORIGIN.as_str())?
        && !state.origins().iter().any(|allowed| allowed == origin)
        && host.is_none_or(|host| {
            origin
                .split_once("://")
                .is_none_or(|(_, from)| !from.eq_ignore_ascii_case(host))
        })
    {
        return Err(Problem::new(
            Code::OriginNotAllowed,
            "web pages of that origin may not call this service; `origins` in its config names those that may",
        ));
    }
    if OPEN.contains(&uri.path()) {
        return Ok(None);
    }
    caller(&state.service().identities, headers).await.map(Some)
}

async fn caller(identities: &Identities, headers: &HeaderMap) -> Result<Caller, Problem> {
    let unknown = |_| Identities::unauthenticated();
    let authorization = only(headers, header::AUTHORIZATION.as_str()).map_err(unknown)?;
    let credentials = authorization
        .map(|authorization| {
            let (scheme, secret) = authorization.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
        })
        .map(|secret| secret.ok_or_else(Identities::unauthenticated))
        .transpose()?;
    Ok(identities.caller(credentials).await?)
}

/// Returns the only value of a header; `None` if it is missing.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    text.map(Some).ok_or_else(|| {
        Problem::new(
            Code::BadRequest,
            format!("the header `{name}` is there twice, or is no text"),
        )
    })
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|digit| digit.is_ascii_digit())
                && !name.ends_with(':')
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_part_of_a_name() {
        for (host, name) in [
            ("localhost:80", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
