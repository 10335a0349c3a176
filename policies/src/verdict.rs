//! Verdict: what did the decision about a request come to?

use crate::denial::Denial;
use crate::grant::Grant;

/// The decision about a request.
#[derive(Debug, Clone)]
#[must_use = "an ignored verdict decides nothing"]
pub enum Verdict {
    /// The request may run, with this authority and no other.
    Admit(Box<Grant>),
    /// The request may not run.
    Deny(Denial),
}

impl Verdict {
    /// Converts to the grant, or the denial as an error.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn into_result(self) -> Result<Grant, Denial> {
        match self {
            Self::Admit(grant) => Ok(*grant),
            Self::Deny(denial) => Err(denial),
        }
    }

    /// Returns whether the request may run.
    pub fn is_admit(&self) -> bool {
        matches!(self, Self::Admit(_))
    }
}
