//! Start errors: why can the service not start?

use glovebox::ChainError;
use std::io;
use std::path::PathBuf;

/// The reason why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The state folder cannot be used.
    #[error("the state folder `{0}` cannot be used: {1}")]
    State(PathBuf, io::Error),
    /// Another process uses the state folder.
    #[error("another process serves from the state folder `{0}`")]
    InUse(PathBuf),
    /// The database cannot be used.
    #[error("the database cannot be used: {0}")]
    Records(#[from] sqlx::Error),
    /// The audit log differs from the one that was written.
    #[error("{0}")]
    AuditGap(ChainError),
    /// The name of the audit log differs from the one that the database has for the state folder.
    #[error(
        "the audit log in `{state}` is named `{known}`, as the database has it, but the file `audit.id` there {said}: it or the log was cut, \
         replaced or rewritten"
    )]
    AuditName {
        /// The state folder.
        state: PathBuf,
        /// The name in the database.
        known: String,
        /// The name in the file.
        said: String,
    },
    /// The key of the audit log cannot be used.
    #[error("the key of the audit log, `{0}` (`audit.key_file`), cannot be used: {1}")]
    AuditKey(PathBuf, String),
    /// Tokens or webhooks cannot be used.
    #[error("tokens or webhooks cannot be used: {0}")]
    Client(String),
    /// The sandbox cannot be created.
    #[error(transparent)]
    Sandbox(#[from] glovebox::Error),
}
