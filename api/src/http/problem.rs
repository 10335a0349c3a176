//! Problem details (RFC 9457): what does a client get when its request fails?
//!
//! The `code` is stable: programs decide by it. Nothing of the host is disclosed: no path, no address, no error message of a library.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// Defines the kinds of problems: code, status and title.
macro_rules! codes {
    ($($name:ident $code:literal $status:ident $title:literal;)+) => {
        /// Machine-readable code of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            fn parts(self) -> (&'static str, StatusCode, &'static str) {
                match self {
                    $(Self::$name => ($code, StatusCode::$status, $title),)+
                }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" BAD_REQUEST "Malformed request";
    Invalid "invalid" UNPROCESSABLE_ENTITY "Invalid request";
    Unauthenticated "unauthenticated" UNAUTHORIZED "No valid credentials were given";
    Forbidden "forbidden" FORBIDDEN "The credentials do not allow this";
    OriginNotAllowed "origin_not_allowed" FORBIDDEN "Requests from this origin or to this host name are not served";
    Denied "denied" FORBIDDEN "Denied by policy";
    NotFound "not_found" NOT_FOUND "Not found";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "Method not allowed";
    Timeout "timeout" REQUEST_TIMEOUT "Request timeout";
    Busy "busy" CONFLICT "Busy";
    Ended "ended" CONFLICT "Already ended";
    IdempotencyConflict "idempotency_conflict" CONFLICT "The idempotency key belongs to another request";
    TooLarge "too_large" PAYLOAD_TOO_LARGE "Request too large";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE "The content type is not supported";
    RangeNotSatisfiable "range_not_satisfiable" RANGE_NOT_SATISFIABLE "The range is not in the file";
    QuotaExceeded "quota_exceeded" INSUFFICIENT_STORAGE "Storage quota exceeded";
    RateLimited "rate_limited" TOO_MANY_REQUESTS "Too many requests";
    QueueFull "queue_full" TOO_MANY_REQUESTS "Queue full";
    MemoryExhausted "memory_exhausted" SERVICE_UNAVAILABLE "Out of memory budget";
    MemoryQuota "memory_quota" TOO_MANY_REQUESTS "Memory quota exceeded";
    Overloaded "overloaded" SERVICE_UNAVAILABLE "Overloaded";
    ShuttingDown "shutting_down" SERVICE_UNAVAILABLE "Shutting down";
    NotReady "not_ready" SERVICE_UNAVAILABLE "Not ready";
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error";
}

/// A problem, as a response.
#[derive(Debug)]
pub(super) struct Problem {
    code: Code,
    detail: String,
    denial: Option<Box<Denial>>,
    retry_after: Option<Duration>,
}

/// The policy rule that denied a request, and the one that would allow it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Denial {
    /// The rule that denied it.
    pub(super) rule: String,
    /// The request that was denied.
    pub(super) asked: String,
    /// The reason for the denial.
    pub(super) reason: String,
    /// Lines of TOML that would allow it.
    pub(super) fix: String,
}

impl From<&glovebox::policy::Denial> for Denial {
    fn from(denial: &glovebox::policy::Denial) -> Self {
        Self {
            rule: denial.rule.clone(),
            asked: denial.asked.clone(),
            reason: denial.reason.clone(),
            fix: denial.fix.clone(),
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// `urn:glovebox:problem:` and the code.
    r#type: String,
    /// A short summary of the code.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A description of the failed request, the reason, and what would work.
    detail: String,
    /// The machine-readable code.
    code: String,
    /// The denial, if the policy denied the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<Denial>,
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            denial: None,
            retry_after: None,
        }
    }

    /// Returns the problem of something that does not exist or belongs to another tenant: clients cannot distinguish the two.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Returns the problem of a service failure. The reason goes to the operator's log and not to the client.
    pub(super) fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, "the service failed; its log says why")
    }

    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(super) fn detail(&self) -> String {
        self.detail.clone()
    }

    pub(super) fn denied(denial: &glovebox::policy::Denial) -> Self {
        Self {
            denial: Some(Box::new(denial.into())),
            ..Self::new(Code::Denied, denial.reason.clone())
        }
    }

    pub(super) fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, status, title) = self.code.parts();
        let body = ProblemBody {
            r#type: format!("urn:glovebox:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: shortened(self.detail),
            code: code.to_owned(),
            denial: self.denial.map(|denial| *denial),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(time) = self.retry_after {
            headers.insert(
                header::RETRY_AFTER,
                HeaderValue::from(time.as_secs().max(1)),
            );
        }
        if self.code == Code::Unauthenticated {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"glovebox\""),
            );
        }
        response
    }
}

/// Maximum bytes of a detail: a response must not echo input of any length.
const MAX_DETAIL: usize = 4096;

/// Truncates a text that is too long in its middle: what is wrong is at its start, and the position at its end.
fn shortened(text: String) -> String {
    if text.len() <= MAX_DETAIL {
        return text;
    }
    let start = text.floor_char_boundary(MAX_DETAIL / 2);
    let end = text.ceil_char_boundary(text.len() - MAX_DETAIL / 2);
    format!(
        "{} .. {}",
        text.get(..start).unwrap_or_default(),
        text.get(end..).unwrap_or_default()
    )
}

impl From<glovebox::Error> for Problem {
    fn from(error: glovebox::Error) -> Self {
        match error {
            glovebox::Error::Invalid(message) => Self::new(Code::Invalid, message),
            glovebox::Error::SessionEnded(_) => Self::new(Code::Ended, error.to_string()),
            glovebox::Error::Memory(message) => {
                Self::new(Code::MemoryExhausted, message).retry_after(Duration::from_secs(2))
            }
            // The client learns which package could not be resolved; why the index did not answer is reported without its address.
            glovebox::Error::OutOfTime(_) => Self::new(Code::Invalid, error.to_string()),
            glovebox::Error::Packages(message) => Self::new(Code::Invalid, message),
            error => Self::internal(&error),
        }
    }
}

impl From<glovebox::OpenError> for Problem {
    fn from(error: glovebox::OpenError) -> Self {
        match error {
            glovebox::OpenError::Denied(denial) => Self::denied(&denial),
            glovebox::OpenError::Failed(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => {
                tracing::error!("the database does not answer in time");
                Self::new(
                    Code::Overloaded,
                    "the database does not answer in time; later it may",
                )
                .retry_after(Duration::from_secs(2))
            }
            error => Self::internal(&error),
        }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        // The bytes have arrived by then, with the content type of JSON: what can fail is their syntax, or their content.
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
