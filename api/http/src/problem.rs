//! Problem responses: how does HTTP signal an error of the service?
//!
//! The one table from codes to statuses. Nothing of the host is disclosed: no path, no address, no
//! error message of a library.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use glovebox_policy::Denial;
use glovebox_service::{Code, NoMemory, ServiceError};
use glovebox_wire::problem::{DenialBody, ProblemBody};
use glovebox_wire::request::InvalidRequest;
use std::sync::Arc;

/// Maximum bytes of a detail: a response must not echo input of any length.
const MAX_DETAIL: usize = 4096;

/// The denial of a quota, as an extension of the response: the [guard](crate::auth) records it.
#[derive(Clone)]
pub(crate) struct Refused(pub(crate) Arc<Denial>);

/// An error of the service, as a response.
#[derive(Debug)]
pub(crate) struct Problem(ServiceError);

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(ServiceError::new(code, detail))
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self(ServiceError::not_found(what))
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code()
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

impl From<InvalidRequest> for Problem {
    fn from(error: InvalidRequest) -> Self {
        Self(error.into())
    }
}

impl From<NoMemory> for Problem {
    fn from(why: NoMemory) -> Self {
        Self(why.into())
    }
}

/// Returns the status of a code.
fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest => StatusCode::BAD_REQUEST,
        Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::OriginNotAllowed | Code::Denied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::Timeout => StatusCode::REQUEST_TIMEOUT,
        Code::Busy | Code::Ended | Code::IdempotencyConflict => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::RangeNotSatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::QuotaExceeded => StatusCode::INSUFFICIENT_STORAGE,
        Code::RateLimited | Code::QueueFull | Code::MemoryQuota => StatusCode::TOO_MANY_REQUESTS,
        Code::MemoryExhausted | Code::Overloaded | Code::ShuttingDown | Code::NotReady => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let code = error.code();
        let status = status(code);
        let body = ProblemBody {
            r#type: format!("urn:glovebox:problem:{code}"),
            title: code.title(),
            status: status.as_u16(),
            detail: shortened(error.detail()),
            code,
            denial: error.denial().map(DenialBody::from),
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(denial) = error.refusal() {
            let refused = Refused(Arc::new(denial.clone()));
            response.extensions_mut().insert(refused);
        }
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(time) = error.retry_time() {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(time.as_secs().max(1)),
            );
        }
        if code == Code::Unauthenticated {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"glovebox\""),
            );
        }
        response
    }
}

/// Truncates a text that is too long in its middle: what is wrong is at its start, and the position
/// at its end.
fn shortened(text: &str) -> String {
    if text.len() <= MAX_DETAIL {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(MAX_DETAIL / 2);
    let end = text.ceil_char_boundary(text.len() - MAX_DETAIL / 2);
    format!(
        "{} .. {}",
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default()
    )
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        // The bytes have arrived by then, with the content type of JSON: what can fail is their
        // syntax, or their content.
        let code = if rejection.status() == StatusCode::UNPROCESSABLE_ENTITY {
            Code::Invalid
        } else {
            Code::BadRequest
        };
        Self::new(code, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::Invalid, rejection.body_text())
    }
}
