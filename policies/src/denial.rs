//! Denial: what does a negative decision report?

use std::fmt;

use crate::text::quoted;
use crate::tier::Tier;

/// A denial: the rule, what was asked, the reason, and the fix.
///
/// All text is safe to log: values from the request are escaped and truncated, and never an
/// environment value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The rule that denied, such as `profiles.offline.languages`, or `request.files` if no policy
    /// could allow it.
    pub rule: String,
    /// The thing that was asked, such as ``language `ruby` ``.
    pub asked: String,
    /// The reason for the denial.
    pub reason: String,
    /// The exact TOML that would allow it: a table header and the key below it. A TOML comment if
    /// no line would.
    pub fix: String,
}

impl Denial {
    pub(crate) fn new(
        rule: impl Into<String>,
        asked: impl Into<String>,
        reason: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            asked: asked.into(),
            reason: reason.into(),
            fix: fix.into(),
        }
    }

    /// A denial of sessions in a tier that has none for the language; `tier_reason` says why that
    /// tier was chosen.
    #[must_use]
    pub fn sessions_unsupported(language: &str, tier: Tier, tier_reason: &str) -> Self {
        Self::new(
            "request.tier",
            format!("a session in {}", quoted(language)),
            format!("tier `{tier}` has no sessions for it: {tier_reason}"),
            "# no policy change can allow this: run each program by itself",
        )
    }

    /// A denial of packages for a session in tier `session` that need tier `needed`; `tier_reason`
    /// says why.
    #[must_use]
    pub fn wrong_tier(packages: &[String], session: Tier, needed: Tier, tier_reason: &str) -> Self {
        let names: Vec<String> = packages.iter().take(20).map(|name| quoted(name)).collect();
        Self::new(
            "request.wants.packages",
            format!("packages {}", names.join(", ")),
            format!(
                "the session is in tier `{session}`, and these need tier `{needed}`: {tier_reason}"
            ),
            "# no policy change can allow this: open a session with these packages (over HTTP, a reset with `packages` and `keep_files`), or run the program by itself",
        )
    }

    /// A denial of packages by a sandbox without a package manager.
    #[must_use]
    pub fn packages_unsupported() -> Self {
        Self::new(
            "request.wants.packages",
            "packages",
            "this sandbox has no package manager",
            "# no policy change can allow this: the sandbox has to be made with a package manager",
        )
    }

    /// A denial of something malformed, so that no line of a policy would allow it.
    pub(crate) fn invalid_request(
        rule: &str,
        asked: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self::new(
            rule,
            asked,
            reason,
            "# no policy change can allow this: change the request",
        )
    }
}

/// One line: `denied by rule: asked: reason (to allow it: ...)`.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "denied by `{}`: {}: {}",
            self.rule, self.asked, self.reason
        )?;
        let lines: Vec<&str> = self.fix.lines().filter(|line| !line.is_empty()).collect();
        match lines.as_slice() {
            [comment] if comment.starts_with('#') => Ok(()),
            lines => write!(f, " (to allow it: {})", lines.join(" | ")),
        }
    }
}

impl std::error::Error for Denial {}
