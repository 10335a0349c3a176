//! What is said where a session cannot be had, or cannot have what it asks for.

use crate::error::Error;
use glovebox_policy::{Denial, Grant, Request, Tier};

/// The refusal where the tier keeps nothing between programs.
pub(super) fn sessions_unsupported(grant: &Grant) -> Denial {
    Denial {
        rule: "request.tier".to_owned(),
        asked: format!("a session in `{}`", grant.language()),
        reason: format!("tier `{}` has no sessions for it: {}", grant.tier(), grant.tier_reason()),
        fix: "# no policy change can allow this: run each program by itself".to_owned(),
    }
}

/// The refusal where packages would need another tier than the one that a session is in.
pub(super) fn wrong_tier(request: &Request, tier: Tier, grant: &Grant) -> Denial {
    Denial {
        rule: "request.wants.packages".to_owned(),
        asked: format!("packages {}", request.wants.packages.iter().take(20).map(String::as_str).collect::<Vec<_>>().join(", ")),
        reason: format!("the session is in tier `{tier}`, and these need tier `{}`: {}", grant.tier(), grant.tier_reason()),
        fix: "# no line of a policy moves a session: ask for these packages when it is opened, or run the program by itself".to_owned(),
    }
}

/// Why there is no session, or why it cannot have what it asks for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The policy refused.
    #[error(transparent)]
    Denied(Box<Denial>),
    /// The host failed.
    #[error(transparent)]
    Failed(#[from] Error),
}
