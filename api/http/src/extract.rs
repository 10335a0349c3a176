//! Extractors: what of a request does a handler get, and in which order is it checked?

use crate::problem::Problem;
use crate::state::ApiState;
use axum::Json;
use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request as HttpRequest};
use axum::http::request::Parts;
use axum::http::{Extensions, header};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use glovebox_service::{Caller, Code, Memory, MemoryCharge, NoMemory, SessionUse};
use glovebox_wire::sha256;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The caller of a request, which the [guard](crate::auth) has authenticated.
pub(crate) struct Authenticated(pub(crate) Caller);

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        accepted(&parts.extensions)
            .and_then(|accepted| accepted.caller.clone())
            .map(Self)
            .ok_or_else(|| Problem::new(Code::Unauthenticated, "unauthenticated"))
    }
}

/// The id of the session in the path. If the session exists, it is not idle while its request is
/// received. Extracted before the body.
pub(crate) struct InUse {
    pub(crate) id: String,
    _session: Option<SessionUse>,
}

impl FromRequestParts<ApiState> for InUse {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.ok();
        let id = parameters.iter().flatten().find(|(name, _)| *name == "id");
        let id = id.map(|(_, id)| id.to_owned()).unwrap_or_default();
        // Whether the caller may, and what is wrong otherwise, is for the handler to say.
        let caller = accepted(&parts.extensions).and_then(|accepted| accepted.caller.as_ref());
        let sessions = &state.service().sessions;
        Ok(Self {
            _session: caller.map(|caller| sessions.in_use(caller, &id)),
            id,
        })
    }
}

/// A JSON body.
pub(crate) struct Body<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
    /// The memory charged for both, for as long as any of it is alive.
    pub(crate) charge: MemoryCharge,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send JSON, with `Content-Type: application/json`",
            ));
        }
        let (bytes, charge) = read_body(request, state).await?;
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::new(
                Code::Invalid,
                "the body is a JSON object, not a list",
            ));
        }
        // Where in the text an error is costs much to follow, so a second look finds that out.
        let value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(_) => Json::from_bytes(&bytes)?.0,
        };
        Ok(Self {
            value,
            bytes,
            charge,
        })
    }
}

impl<T> Body<T> {
    /// Returns the digest that identifies this request.
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// The caller of a request that the [guard](crate::auth) has let pass, and the limits on its body;
/// an extension of the request.
#[derive(Clone)]
pub(crate) struct Accepted {
    /// The caller; `None` if the route needs no key.
    pub(crate) caller: Option<Caller>,
    pub(crate) body: BodyLimits,
}

/// Limits on the body of a request.
#[derive(Clone)]
pub(crate) struct BodyLimits {
    /// Timeout of reading it.
    pub(crate) time: Duration,
    /// Maximum bytes.
    pub(crate) most: usize,
    /// The account of its memory.
    pub(crate) account: Arc<Memory>,
}

fn accepted(extensions: &Extensions) -> Option<&Accepted> {
    extensions.get::<Accepted>()
}

/// Copies of a body in memory: while it is assembled, and again while its JSON is parsed.
const COPIES: usize = 2;

/// The memory charged for a body so far, or why no more could be charged.
type Account = Arc<Mutex<Result<MemoryCharge, NoMemory>>>;

/// Charges the memory of a body before it is read, or in steps if its length is not declared.
fn counted(request: HttpRequest) -> Result<(HttpRequest, Account), Problem> {
    let accepted = accepted(request.extensions());
    let Some((caller, limits)) =
        accepted.and_then(|accepted| Some((accepted.caller.as_ref()?, &accepted.body)))
    else {
        return Ok((request, Arc::new(Mutex::new(Ok(MemoryCharge::default())))));
    };
    // A body that exceeds its maximum is refused once that much was read.
    let declared = request.body().size_hint().exact().map(|bytes| {
        usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .min(limits.most)
    });
    let charge = limits.account.take(
        &caller.subject,
        declared.unwrap_or(0).saturating_mul(COPIES),
    )?;
    let account = Arc::new(Mutex::new(Ok(charge)));
    if declared.is_some() {
        return Ok((request, account));
    }
    let steps = Arc::clone(&account);
    let request = request.map(|body| {
        HttpBody::from_stream(body.into_data_stream().and_then(move |piece| {
            let mut account = steps.lock().unwrap_or_else(PoisonError::into_inner);
            let grown = account.as_mut().map_or(Ok(()), |charge| {
                charge.grow(piece.len().saturating_mul(COPIES))
            });
            std::future::ready(match grown {
                Ok(()) => Ok(piece),
                Err(why) => {
                    *account = Err(why);
                    Err(axum::Error::new(std::io::Error::from(
                        std::io::ErrorKind::OutOfMemory,
                    )))
                }
            })
        }))
    });
    Ok((request, account))
}

/// Reads a whole body, and returns it with the memory charged for it.
pub(crate) async fn read_body<S: Send + Sync>(
    request: HttpRequest,
    state: &S,
) -> Result<(Bytes, MemoryCharge), Problem> {
    let deadline = accepted(request.extensions())
        .map_or(Duration::from_secs(60), |accepted| accepted.body.time);
    let (request, account) = counted(request)?;
    let body = tokio::time::timeout(deadline, Bytes::from_request(request, state)).await;
    let charge = std::mem::replace(
        &mut *account.lock().unwrap_or_else(PoisonError::into_inner),
        Ok(MemoryCharge::default()),
    )?;
    let body = body.map_err(|_| Problem::new(Code::Timeout, "the body came too slowly"))?;
    let body = body.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::new(
            Code::TooLarge,
            "request body exceeds `limits.body` of the service",
        ),
        408 => Problem::new(Code::Timeout, "the body came too slowly"),
        _ => Problem::new(Code::BadRequest, "the body could not be read"),
    })?;
    Ok((body, charge))
}
