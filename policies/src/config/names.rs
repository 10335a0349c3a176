//! Which name does a pattern match?
//!
//! The only place that compares the names of tools, packages, subjects and environment variables. Allow compares exact bytes;
//! deny ignores case, so that another spelling of a denied name is denied too. Names outside plain ASCII are refused as
//! ambiguous: two names that look alike must never be two names.

use crate::denial::{Denial, RuleName};
use crate::text::{quoted, toml_key, toml_strings};

/// An exact name, or the start of one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamePattern {
    Exact(String),
    /// What stands before the trailing `*`; empty matches every name.
    Prefix(String),
}

impl NamePattern {
    /// Reads `name`, `start*` or `*`; `None` if a star stands elsewhere or a byte is not of the alphabet.
    pub(crate) fn parse(text: &str, alphabet: fn(u8) -> bool) -> Option<Self> {
        let (stem, prefix) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
        if !stem.bytes().all(alphabet) || (stem.is_empty() && !prefix) {
            return None;
        }
        Some(if prefix { Self::Prefix(stem.to_owned()) } else { Self::Exact(stem.to_owned()) })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }

    fn matches_any_case(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact.eq_ignore_ascii_case(name),
            Self::Prefix(prefix) => name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
        }
    }

    /// Whether every name that `other` matches is matched by this one.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(prefix), Self::Exact(text) | Self::Prefix(text)) => text.starts_with(prefix.as_str()),
            (Self::Exact(left), Self::Exact(right)) => left == right,
            (Self::Exact(_), Self::Prefix(_)) => false,
        }
    }

    /// Like [`NamePattern::covers`], ignoring case.
    fn covers_any_case(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(text) | Self::Prefix(text)) => self.matches_any_case(text),
        }
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// What kind of thing a list of names is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameKind {
    Tool,
    Package,
}

impl NameKind {
    /// The key in a profile.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Package => "packages",
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Package => "package",
        }
    }

    /// The one spelling of a name, or why it has none.
    pub(crate) fn normalise(self, name: &str) -> Result<String, &'static str> {
        match self {
            Self::Tool => tool_name(name),
            Self::Package => package_name(name),
        }
    }

    /// Reads a pattern of a config: a name, `server/*` for tools, or `*`.
    pub(crate) fn pattern(self, text: &str) -> Result<NamePattern, &'static str> {
        if text == "*" {
            return Ok(NamePattern::Prefix(String::new()));
        }
        match (self, text.strip_suffix("/*")) {
            (Self::Tool, Some(server)) if !server.contains('/') => tool_name(server).map(|server| NamePattern::Prefix(server + "/")),
            _ if text.contains('*') => Err(match self {
                Self::Tool => "`*` may only stand alone or as a whole last segment, as in `github/*`",
                Self::Package => "`*` may only stand alone",
            }),
            _ => self.normalise(text).map(NamePattern::Exact),
        }
    }
}

/// Tool names are `tool` or `server/tool`, of ASCII letters, digits, `_`, `-` and `.`.
fn tool_name(name: &str) -> Result<String, &'static str> {
    if name.is_empty() || name.len() > 200 {
        return Err("a tool's name has 1 to 200 characters");
    }
    if !name.is_ascii() {
        return Err("a tool's name with characters outside ASCII is ambiguous: another may look the same");
    }
    let mut segments = name.split('/');
    let plain = |segment: &str| !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if !segments.by_ref().take(2).all(plain) || segments.next().is_some() {
        return Err("a tool's name is `tool` or `server/tool`, of letters, digits, `_`, `-` and `.`");
    }
    Ok(name.to_owned())
}

/// Package names have one normal form: lower case, and any run of `-`, `_` and `.` is one `-`.
fn package_name(name: &str) -> Result<String, &'static str> {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain || name.len() > 200 || !edge(name.as_bytes().first()) || !edge(name.as_bytes().last()) {
        return Err("a package is a plain name, with no version, address, path or option, of ASCII letters, digits, `-`, `_` and `.`");
    }
    let mut out = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    Ok(out)
}

/// One pattern and the rule that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameRule {
    pub(crate) rule: RuleName,
    pub(crate) pattern: NamePattern,
}

/// Allowed and denied names of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameRules {
    pub(crate) kind: NameKind,
    pub(crate) allow: Vec<NameRule>,
    pub(crate) deny: Vec<NameRule>,
}

impl NameRules {
    pub(crate) fn none(kind: NameKind) -> Self {
        Self { kind, allow: Vec::new(), deny: Vec::new() }
    }

    /// Judges one name. `profile` is where a missing rule would have to be written.
    pub(crate) fn check(&self, profile: &super::profile::Place, name: &str) -> Result<RuleName, Denial> {
        let rule = format!("profiles.{}.{}", toml_key(&profile.name), self.kind.key());
        let asked = format!("{} {}", self.kind.noun(), quoted(name));
        let name = match self.kind.normalise(name) {
            Ok(name) => name,
            Err(reason) => return Err(Denial::malformed(&rule, asked, reason)),
        };
        self.judge(profile, &NamePattern::Exact(name), asked)
    }

    /// Judges every name of a pattern at once.
    pub(crate) fn check_pattern(&self, profile: &super::profile::Place, text: &str) -> Result<(RuleName, NamePattern), Denial> {
        let rule = format!("profiles.{}.{}", toml_key(&profile.name), self.kind.key());
        let asked = format!("{} {}", self.kind.noun(), quoted(text));
        let pattern = match self.kind.pattern(text) {
            Ok(pattern) => pattern,
            Err(reason) => return Err(Denial::malformed(&rule, asked, reason)),
        };
        self.judge(profile, &pattern, asked).map(|rule| (rule, pattern))
    }

    fn judge(&self, profile: &super::profile::Place, wanted: &NamePattern, asked: String) -> Result<RuleName, Denial> {
        if let Some(deny) = self.deny.iter().find(|deny| deny.pattern.covers_any_case(wanted)) {
            let reason = format!("`{}` is denied, and deny beats allow", deny.pattern);
            let fix = format!("# remove {} from `{}`", quoted(&deny.pattern.to_string()), deny.rule);
            return Err(Denial::new(deny.rule.as_str(), asked, reason, fix));
        }
        if let Some(allow) = self.allow.iter().find(|allow| allow.pattern.covers(wanted)) {
            return Ok(allow.rule.clone());
        }
        let rule = format!("profiles.{}.{}.allow", toml_key(&profile.name), self.kind.key());
        let reason = match self.allow.len() {
            0 => format!("profile `{}` allows no {}", profile.name, self.kind.key()),
            _ => format!("no name that profile `{}` allows matches", profile.name),
        };
        let names = self.allow.iter().map(|allow| allow.pattern.to_string()).chain([wanted.to_string()]);
        Err(Denial::new(rule, asked, reason, profile.fix(self.kind.key(), &[("allow", toml_strings(names))])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        assert_eq!(NameKind::Package.normalise("Foo__Bar.-baz").unwrap(), "foo-bar-baz");
        for bad in ["", "-x", "x==1", "git+ssh://x", "a b", "../x", "x;rm", "réquests"] {
            assert!(NameKind::Package.normalise(bad).is_err(), "{bad}");
        }
        assert!(NameKind::Tool.normalise("github/search_issues").is_ok());
        for bad in ["", "a/b/c", "/a", "a/", "gіthub/x", "a\u{200b}b", "a b", "ａ"] {
            assert!(NameKind::Tool.normalise(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stars_stand_at_segment_ends_only() {
        let all = NameKind::Tool.pattern("github/*").unwrap();
        assert!(all.matches("github/x") && !all.matches("github_evil/x") && !all.matches("github"));
        for bad in ["git*", "*/x", "a/b/*", "**", "a*b"] {
            assert!(NameKind::Tool.pattern(bad).is_err(), "{bad}");
        }
        assert!(NameKind::Package.pattern("django-*").is_err());
    }
}
