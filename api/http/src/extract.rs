//! Extractors: what of a request does a handler get, and in which order is it checked?

use crate::problem::Problem;
use crate::state::ApiState;
use axum::Json;
use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request as HttpRequest};
use axum::http::request::Parts;
use axum::http::{Extensions, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use glovebox_policy::Subject;
use glovebox_service::{Caller, Code, HeavyWork, Memory, MemoryCharge, SessionUse, parsed_bytes};
use glovebox_wire::sha256;
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::sync::Arc;
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
    /// The approximate bytes of the value.
    pub(crate) size: usize,
    /// The memory charged for both, for as long as any of it is alive.
    pub(crate) charge: MemoryCharge,
}

impl<T: DeserializeOwned + Send + 'static, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, _: &S) -> Result<Self, Problem> {
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
        let heavy = accepted(request.extensions()).and_then(Accepted::heavy);
        let (bytes, mut charge) = read_body(request).await?;
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::new(
                Code::Invalid,
                "the body is a JSON object, not a list",
            ));
        }
        let size = parsed_bytes(&bytes);
        charge.grow(size - bytes.len())?;
        let value = match heavy.filter(|_| bytes.len() >= LARGE_BODY) {
            Some((heavy, subject)) => {
                let turn = heavy.turn(&subject).await;
                let text = bytes.clone();
                // Charged until it is parsed, even if the client disconnects meanwhile.
                let (value, held) = turn.run(move || (parse(&text), charge)).await?;
                charge = held;
                value?
            }
            None => parse(&bytes)?,
        };
        Ok(Self {
            value,
            bytes,
            size,
            charge,
        })
    }
}

fn parse<T: DeserializeOwned>(text: &Bytes) -> Result<T, Problem> {
    // Where in the text an error is costs much to follow, so a second look finds that out.
    match serde_json::from_slice(text) {
        Ok(value) => Ok(value),
        Err(_) => Ok(Json::from_bytes(text)?.0),
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

impl Accepted {
    /// Returns where large work for the caller is done, and the caller's subject.
    fn heavy(&self) -> Option<(HeavyWork, Subject)> {
        let caller = self.caller.as_ref()?;
        Some((self.body.heavy.clone(), caller.subject.clone()))
    }
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
    /// Parses large ones.
    pub(crate) heavy: HeavyWork,
}

fn accepted(extensions: &Extensions) -> Option<&Accepted> {
    extensions.get::<Accepted>()
}

/// Copies of a body in memory: while its buffer grows, and again while its JSON is parsed.
const COPIES: usize = 2;

/// Maximum bytes of the body of a request without a caller; no route has one.
const UNCHARGED_BODY: usize = 64 << 10;

/// Size from which a body is parsed on a blocking thread, and its subject takes turns with others.
const LARGE_BODY: usize = 256 << 10;

/// Reads a whole body, and returns it with the memory charged for it: before it is read, or in
/// steps if its length is not declared.
pub(crate) async fn read_body(request: HttpRequest) -> Result<(Bytes, MemoryCharge), Problem> {
    let (parts, body) = request.into_parts();
    let accepted = accepted(&parts.extensions);
    let limits = accepted.map(|accepted| &accepted.body);
    let mut incoming = IncomingBody {
        declared: body
            .size_hint()
            .exact()
            .map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX)),
        most: limits.map_or(UNCHARGED_BODY, |limits| limits.most),
        charge: MemoryCharge::default(),
    };
    if let Some((caller, limits)) =
        accepted.and_then(|accepted| Some((accepted.caller.as_ref()?, &accepted.body)))
    {
        // A body that exceeds its maximum is refused before it is read.
        let declared = incoming.declared.unwrap_or(0).min(limits.most);
        let bytes = declared.saturating_mul(COPIES);
        incoming.charge = limits.account.take(&caller.subject, bytes)?;
    }
    let deadline = limits.map_or(Duration::from_secs(60), |limits| limits.time);
    let bytes = tokio::time::timeout(deadline, incoming.read(body))
        .await
        .map_err(|_| Problem::new(Code::Timeout, "the body came too slowly"))??;
    Ok((bytes, incoming.charge))
}

/// A body while it is read, into one buffer: the pieces of a body that arrives byte by byte take
/// many times its size.
struct IncomingBody {
    /// Its length, if the client has declared it.
    declared: Option<usize>,
    most: usize,
    charge: MemoryCharge,
}

impl IncomingBody {
    async fn read(&mut self, body: HttpBody) -> Result<Bytes, Problem> {
        let too_large = || {
            Problem::new(
                Code::TooLarge,
                "request body exceeds `limits.body` of the service",
            )
        };
        if self.declared.is_some_and(|bytes| bytes > self.most) {
            return Err(too_large());
        }
        let mut whole = Vec::new();
        let mut pieces = body.into_data_stream();
        while let Some(piece) = pieces.next().await {
            let unreadable = |_| Problem::new(Code::BadRequest, "the body could not be read");
            let piece = piece.map_err(unreadable)?;
            if self.declared == Some(piece.len()) {
                return Ok(piece);
            }
            if piece.len() > self.most - whole.len() {
                return Err(too_large());
            }
            self.make_room(&mut whole, piece.len())?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.into())
    }

    /// Makes room for a piece in the buffer, whose capacity is charged.
    fn make_room(&mut self, whole: &mut Vec<u8>, piece: usize) -> Result<(), Problem> {
        let (length, capacity) = (whole.len() + piece, whole.capacity());
        if length > capacity {
            let doubled = length.max(capacity.saturating_mul(2));
            let larger = self.declared.unwrap_or(doubled).max(length).min(self.most);
            if self.declared.is_none() {
                self.charge
                    .grow((larger - capacity).saturating_mul(COPIES))?;
            }
            whole.reserve_exact(larger - whole.len());
        }
        Ok(())
    }
}
