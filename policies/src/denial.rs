//! Denial: what does a negative decision report?

use std::fmt;

/// The name of the rule that decided something, such as `profiles.offline.languages`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(String);

impl RuleName {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for RuleName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for RuleName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A denial: the rule, what was asked, the reason, and the fix.
///
/// All text is safe to log: values from the request are escaped and truncated, and never an environment value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The rule that denied, such as `profiles.offline.languages`, or `request.files` if no policy could allow it.
    pub rule: String,
    /// The thing that was asked, such as ``language `ruby` ``.
    pub asked: String,
    /// The reason for the denial.
    pub reason: String,
    /// The exact TOML that would allow it: a table header and the key below it. A TOML comment if no line would.
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
