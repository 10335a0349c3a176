//! Error of a session: why can it not be opened or changed?

use crate::error::Error;
use glovebox_policy::Denial;

/// The error of opening or changing a session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The policy denied it.
    #[error(transparent)]
    Denied(Box<Denial>),
    /// The host failed.
    #[error(transparent)]
    Failed(#[from] Error),
}
