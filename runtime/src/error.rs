//! Host errors: what can go wrong outside of the program, and whose fault is it?
//!
//! Failures of the program, denials and limits are an [`Outcome`](crate::Outcome), not an error.

mod internal;
mod request;

pub use internal::{CompilerError, EngineError, ExternalError, GuestError, InternalError};
pub use request::{RequestError, SettingError};

use std::io;
use std::time::Duration;

/// The reason why the sandbox could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the request that no policy judges is invalid.
    #[error(transparent)]
    RequestInvalid(#[from] RequestError),
    /// A setting of the builder is invalid.
    #[error(transparent)]
    SettingInvalid(#[from] SettingError),
    /// No guests are installed, or they can't be used.
    #[error("the guests cannot be loaded: {0}")]
    Guest(#[from] GuestError),
    /// A record could not be written to the audit log: nothing runs without one, and no outcome is
    /// returned without one.
    #[error("cannot write the audit record `{record}`: {source}")]
    Audit {
        /// The name of the event. The program has run if it is `finished`.
        record: &'static str,
        /// The error of the log.
        source: io::Error,
    },
    /// The policy grants a mount that does not exist on the host.
    #[error("cannot open the granted mount `{guest}`: {reason}")]
    Mount {
        /// The guest path; the host path stays in the host's log.
        guest: String,
        /// The system's error.
        reason: String,
    },
    /// Packages could not be resolved or fetched.
    #[error("cannot fetch packages: {0}")]
    Packages(#[source] ExternalError),
    /// Packages were not ready within the request's own time. An outcome reports the limit `wall`
    /// instead.
    #[error("the packages were not ready within the limit `wall` ({} ms): a longer one, or `glovebox packages prefetch` beforehand, would do", .0.as_millis())]
    OutOfTime(Duration),
    /// The account of all runs ([`MemoryAccount`](crate::MemoryAccount)) had no room for it, for
    /// this reason.
    #[error("{0}")]
    Memory(String),
    /// The session can't be used any more.
    #[error("the session has ended: {0}")]
    SessionEnded(EndReason),
    /// The machine, the engine or another part of the host failed.
    #[error("internal error: {0}")]
    Internal(#[from] InternalError),
}

/// The reason why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// An evaluation left it in an inconsistent state.
    #[error("its guest broke, hit a limit or was stopped")]
    Interrupted,
    /// Its owner ended it.
    #[error("it was ended meanwhile")]
    Closed,
}

/// The class of an error, by which the service chooses a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The request is at fault; the same one fails again.
    Request,
    /// The embedder's settings are at fault.
    Setting,
    /// The packages that the request needs are not available; for the client, the request is at
    /// fault.
    Packages,
    /// There is no memory for it now; the same request may succeed later.
    Capacity,
    /// The session has ended.
    Ended,
    /// The host is at fault, which concerns its operator.
    Host,
}

impl Error {
    /// Returns the class of the error.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::RequestInvalid(_) => ErrorClass::Request,
            Self::SettingInvalid(_) => ErrorClass::Setting,
            Self::Packages(_) | Self::OutOfTime(_) => ErrorClass::Packages,
            Self::Memory(_) => ErrorClass::Capacity,
            Self::SessionEnded(_) => ErrorClass::Ended,
            Self::Guest(_) | Self::Audit { .. } | Self::Mount { .. } | Self::Internal(_) => {
                ErrorClass::Host
            }
        }
    }

    /// Returns the error of a package manager that cannot resolve or fetch packages.
    pub fn packages(error: impl Into<ExternalError>) -> Self {
        Self::Packages(error.into())
    }

    /// Returns the error of a tier that failed.
    pub fn executor(error: impl Into<ExternalError>) -> Self {
        InternalError::Executor(error.into()).into()
    }

    /// Returns the error of a tier or package manager that cannot do what the request asks for.
    pub fn unsupported(reason: impl Into<String>) -> Self {
        RequestError::Unsupported(reason.into()).into()
    }
}

impl From<wasmtime::Error> for Error {
    fn from(error: wasmtime::Error) -> Self {
        InternalError::from(error).into()
    }
}

impl From<CompilerError> for Error {
    fn from(error: CompilerError) -> Self {
        InternalError::from(error).into()
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        InternalError::from(error).into()
    }
}
