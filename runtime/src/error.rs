//! Host errors: what can go wrong outside of the program?
//!
//! Failures of the program, denials and limits are an [`Outcome`](crate::Outcome), not an error.

use std::fmt;
use std::io;
use std::time::Duration;

/// The reason why the sandbox could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No guests are installed, or they can't be used.
    #[error("the guests cannot be loaded: {0}")]
    Guests(String),
    /// A record could not be written to the audit log: nothing runs without one, and no outcome is returned without one.
    #[error("cannot write the audit record: {0}")]
    Audit(#[source] io::Error),
    /// A setting of the builder, or a field of the request that no policy judges, is invalid.
    #[error("{0}")]
    Invalid(String),
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
    Packages(String),
    /// Packages were not ready within the request's own time. An outcome reports the limit `wall` instead.
    #[error("the packages were not ready within the limit `wall` ({} ms): a longer one, or `glovebox packages prefetch` beforehand, would do", .0.as_millis())]
    OutOfTime(Duration),
    /// The account of all runs ([`MemoryAccount`](crate::MemoryAccount)) had no room for it.
    #[error("{0}")]
    Memory(String),
    /// An internal error.
    #[error("internal error: {0}")]
    Host(String),
    /// The session can't be used any more: its guest crashed, hit a limit or was cancelled.
    #[error("the session has ended: {0}")]
    SessionEnded(&'static str),
}

impl Error {
    /// Wraps an unexpected error of the engine or the system.
    pub(crate) fn host(error: impl fmt::Display) -> Self {
        Self::Host(format!("{error:#}"))
    }
}
