//! What can go wrong on the host's side?
//!
//! What the program did wrong, what the policy refused and which limit was hit is an [`Outcome`](crate::Outcome), not an error.

use std::fmt;
use std::io;
use std::time::Duration;

/// Why the sandbox could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No guests are installed, or they can't be used.
    #[error("the guests cannot be loaded: {0}")]
    Guests(String),
    /// A record could not be written to the audit log: nothing runs without one, and no outcome is handed out without one.
    #[error("cannot write the audit record: {0}")]
    Audit(#[source] io::Error),
    /// A setting of the builder, or a field of the request that no policy judges, is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The policy grants a mount that the host does not have.
    #[error("cannot open the granted mount `{guest}`: {reason}")]
    Mount {
        /// The guest's name of it; the host's stays in the host's log.
        guest: String,
        /// What the system says.
        reason: String,
    },
    /// Packages could not be looked up or fetched.
    #[error("cannot fetch packages: {0}")]
    Packages(String),
    /// Packages were not there in the request's own time. Where there is an outcome, it says that the limit `wall` was hit instead.
    #[error("the packages were not ready within the limit `wall` ({} ms): a longer one, or `glovebox packages prefetch` beforehand, would do", .0.as_millis())]
    OutOfTime(Duration),
    /// The account of all runs ([`MemoryAccount`](crate::MemoryAccount)) had no memory for it.
    #[error("{0}")]
    Memory(String),
    /// Something that should not happen.
    #[error("internal error: {0}")]
    Host(String),
    /// The session can't be used any more: its guest broke, hit a limit or was stopped.
    #[error("the session has ended: {0}")]
    SessionEnded(&'static str),
}

impl Error {
    /// An unexpected error of the engine or the system.
    pub(crate) fn host(error: impl fmt::Display) -> Self {
        Self::Host(format!("{error:#}"))
    }
}
