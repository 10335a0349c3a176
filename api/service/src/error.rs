//! Service errors: why is a request of a client not done?
//!
//! Each has a stable code, by which programs decide. Nothing of the host is disclosed: no path, no
//! address, no error message of a library. Each protocol maps the codes itself.

pub use glovebox_wire::problem::Code;

use crate::memory::NoMemory;
use glovebox::ErrorClass;
use glovebox_policy::Denial;
use glovebox_wire::request::InvalidRequest;
use std::time::Duration;

/// The reason why a request of a client is not done.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ServiceError {
    code: Code,
    detail: String,
    denial: Option<Box<Denial>>,
    retry_after: Option<Duration>,
}

impl ServiceError {
    /// Creates an error with a description of the failed request, the reason, and what would work.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            denial: None,
            retry_after: None,
        }
    }

    /// Returns the error of something that does not exist or belongs to another tenant: clients
    /// cannot distinguish the two.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    /// Returns the error of a service failure. The reason goes to the operator's log and not to the
    /// client.
    pub fn internal(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(Code::Internal, "the service failed; its log says why")
    }

    /// Returns the error of a request that the policy denied.
    #[must_use]
    pub fn denied(denial: Denial) -> Self {
        Self {
            denial: Some(Box::new(denial.clone())),
            ..Self::new(Code::Denied, denial.reason)
        }
    }

    /// Returns the error of a request that exceeds a quota of its subject.
    #[must_use]
    pub fn over_quota(code: Code, detail: impl Into<String>, denial: Denial) -> Self {
        Self {
            denial: Some(Box::new(denial)),
            ..Self::new(code, detail)
        }
    }

    /// Sets the time after which the request may succeed.
    #[must_use]
    pub fn retry_after(mut self, time: Duration) -> Self {
        self.retry_after = Some(time);
        self
    }

    /// Returns its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Returns its description.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// Returns the denial, if the policy denied the request, or a quota refused it.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        self.denial.as_deref()
    }

    /// Returns the denial of a quota. The request is in the audit log only if
    /// [`Refusals::note`](crate::Refusals::note) records it, unlike one that the policy denied.
    #[must_use]
    pub fn refusal(&self) -> Option<&Denial> {
        self.denial().filter(|_| self.code != Code::Denied)
    }

    /// Returns the time after which the request may succeed.
    #[must_use]
    pub fn retry_time(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl From<InvalidRequest> for ServiceError {
    fn from(error: InvalidRequest) -> Self {
        Self::new(Code::Invalid, error.to_string())
    }
}

impl From<NoMemory> for ServiceError {
    fn from(why: NoMemory) -> Self {
        let detail = why.to_string();
        let error = match why {
            NoMemory::Subject { denial, .. } => {
                Self::over_quota(Code::MemoryQuota, detail, *denial)
            }
            NoMemory::All { .. } => Self::new(Code::MemoryExhausted, detail),
        };
        error.retry_after(Duration::from_secs(2))
    }
}

impl From<glovebox::Error> for ServiceError {
    fn from(error: glovebox::Error) -> Self {
        match error.class() {
            ErrorClass::Request => Self::new(Code::Invalid, error.to_string()),
            // The client learns which package could not be resolved; why the index did not answer
            // is reported without its address.
            ErrorClass::Packages => Self::new(Code::Invalid, without_prefix(&error)),
            ErrorClass::Ended => Self::new(Code::Ended, error.to_string()),
            ErrorClass::Capacity => Self::new(Code::MemoryExhausted, error.to_string())
                .retry_after(Duration::from_secs(2)),
            _ => Self::internal(&error),
        }
    }
}

/// Returns the text of an error of packages without the words that say so.
fn without_prefix(error: &glovebox::Error) -> String {
    match error {
        glovebox::Error::Packages(error) => error.to_string(),
        error => error.to_string(),
    }
}

impl From<glovebox::OpenError> for ServiceError {
    fn from(error: glovebox::OpenError) -> Self {
        match error {
            glovebox::OpenError::Denied(denial) => Self::denied(*denial),
            glovebox::OpenError::Failed(error) => error.into(),
            other => Self::internal(&other),
        }
    }
}

impl From<sqlx::Error> for ServiceError {
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
