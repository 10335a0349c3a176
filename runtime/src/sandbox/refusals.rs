//! Denials of sessions: why is there no session, or not with what it asks for?

use crate::error::Error;
use glovebox_policy::{Denial, Grant, Request, Tier};

/// Returns the denial for a tier without sessions.
pub(super) fn sessions_unsupported(grant: &Grant) -> Denial {
    Denial {
        rule: "request.tier".to_owned(),
        asked: format!("a session in `{}`", grant.language()),
        reason: format!(
            "tier `{}` has no sessions for it: {}",
            grant.tier(),
            grant.tier_reason()
        ),
        fix: "# no policy change can allow this: run each program by itself".to_owned(),
    }
}

/// Returns the denial for packages that need another tier than the session's.
pub(super) fn wrong_tier(request: &Request, tier: Tier, grant: &Grant) -> Denial {
    Denial {
        rule: "request.wants.packages".to_owned(),
        asked: format!("packages {}", request.wants.packages.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ")),
        reason: format!("the session is in tier `{tier}`, and these need tier `{}`: {}", grant.tier(), grant.tier_reason()),
        fix: "# no line of a policy moves a session: ask for these packages when it is opened, or run the program by itself".to_owned(),
    }
}

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
