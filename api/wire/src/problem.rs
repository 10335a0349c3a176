//! Problem details (RFC 9457): what does a client get when its request fails?
//!
//! The code is stable: programs decide by it. A protocol may signal it in another way, too, such
//! as by an HTTP status.

use crate::encode::one_of_many;
use glovebox_policy::Denial;
use serde::{Serialize, Serializer};
use std::fmt;
use utoipa::ToSchema;

/// Defines the kinds of problems: code and title.
macro_rules! codes {
    ($($name:ident $code:literal $title:literal;)+) => {
        /// Machine-readable code of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
        #[schema(rename_all = "snake_case")]
        pub enum Code {
            $(#[doc = $title] $name,)+
        }

        impl Code {
            /// Returns the code as text.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// Returns a short summary of it.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }
        }
    };
}

codes! {
    BadRequest "bad_request" "Malformed request";
    Invalid "invalid" "Invalid request";
    Unauthenticated "unauthenticated" "No valid credentials were given";
    Forbidden "forbidden" "The credentials do not allow this";
    OriginNotAllowed "origin_not_allowed" "Requests from this origin or to this host name are not served";
    Denied "denied" "Denied by policy";
    NotFound "not_found" "Not found";
    MethodNotAllowed "method_not_allowed" "Method not allowed";
    Timeout "timeout" "Request timeout";
    Busy "busy" "Busy";
    Ended "ended" "Already ended";
    IdempotencyConflict "idempotency_conflict" "The idempotency key belongs to another request";
    TooLarge "too_large" "Request too large";
    UnsupportedMediaType "unsupported_media_type" "The content type is not supported";
    RangeNotSatisfiable "range_not_satisfiable" "The range is not in the file";
    QuotaExceeded "quota_exceeded" "Storage quota exceeded";
    RateLimited "rate_limited" "Too many requests";
    QueueFull "queue_full" "Queue full";
    MemoryExhausted "memory_exhausted" "Out of memory budget";
    MemoryQuota "memory_quota" "Memory quota exceeded";
    Overloaded "overloaded" "Overloaded";
    ShuttingDown "shutting_down" "Shutting down";
    NotReady "not_ready" "Not ready";
    Internal "internal" "Internal error";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The policy rule that denied a request, and the one that would allow it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Denial)]
pub struct DenialBody<'a> {
    /// The rule that denied it.
    #[schema(value_type = String)]
    rule: &'a str,
    /// The request that was denied.
    #[serde(serialize_with = "one_of_many")]
    #[schema(value_type = String)]
    asked: &'a str,
    /// The reason for the denial.
    #[serde(serialize_with = "one_of_many")]
    #[schema(value_type = String)]
    reason: &'a str,
    /// Lines of TOML that would allow it.
    #[schema(value_type = String)]
    fix: &'a str,
}

impl<'a> From<&'a Denial> for DenialBody<'a> {
    fn from(denial: &'a Denial) -> Self {
        Self {
            rule: &denial.rule,
            asked: &denial.asked,
            reason: &denial.reason,
            fix: &denial.fix,
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody<'a> {
    /// `urn:glovebox:problem:` and the code.
    pub r#type: String,
    /// A short summary of the code.
    #[schema(value_type = String)]
    pub title: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// A description of the failed request, the reason, and what would work.
    pub detail: String,
    /// The machine-readable code.
    #[schema(value_type = String)]
    pub code: Code,
    /// The denial, if the policy denied the request, or a quota of the caller refused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub denial: Option<DenialBody<'a>>,
}

/// The reason why an execution has no outcome.
#[derive(Serialize, ToSchema)]
#[schema(as = ExecutionError)]
pub struct ErrorBody<'a> {
    /// The machine-readable code.
    #[schema(value_type = String)]
    pub code: Code,
    /// The reason.
    #[schema(value_type = String)]
    pub detail: &'a str,
}
