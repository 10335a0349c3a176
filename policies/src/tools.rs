//! Tool rules of a profile: which tools may a program call?
//!
//! Names outside ASCII are refused as ambiguous, because of homoglyphs: two names that look alike
//! must never be two names.

use crate::denial::Denial;
use crate::names::NamePattern;
use crate::rule::{ProfileKey, RuleName};
use crate::text::{quoted, toml_strings};

/// Parses a tool pattern of a config: a tool's name, `server/*`, or `*`.
pub(crate) fn tool_pattern(text: &str) -> Result<NamePattern, &'static str> {
    if text == "*" {
        return Ok(NamePattern::Prefix(String::new()));
    }
    match text.strip_suffix("/*") {
        Some(server) if !server.contains('/') => {
            tool_name(server).map(|server| NamePattern::Prefix(server + "/"))
        }
        _ if text.contains('*') => {
            Err("`*` may only stand alone or as a whole last segment, as in `github/*`")
        }
        _ => tool_name(text).map(NamePattern::Exact),
    }
}

/// Tool names are `tool` or `server/tool`, of ASCII letters, digits, `_`, `-` and `.`.
fn tool_name(name: &str) -> Result<String, &'static str> {
    if name.is_empty() || name.len() > 200 {
        return Err("a tool's name has 1 to 200 characters");
    }
    if !name.is_ascii() {
        return Err(
            "a tool's name with characters outside ASCII is ambiguous: another may look the same",
        );
    }
    let mut segments = name.split('/');
    let plain = |segment: &str| {
        !segment.is_empty()
            && segment
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    if !segments.by_ref().take(2).all(plain) || segments.next().is_some() {
        return Err(
            "a tool's name is `tool` or `server/tool`, of letters, digits, `_`, `-` and `.`",
        );
    }
    Ok(name.to_owned())
}

/// One pattern and the name of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameRule {
    pub(crate) rule: RuleName,
    pub(crate) pattern: NamePattern,
}

/// Allowed and denied tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ToolRules {
    pub(crate) allow: Vec<NameRule>,
    pub(crate) deny: Vec<NameRule>,
}

impl ToolRules {
    /// Judges one name. `profile` is where a missing rule would have to be added.
    pub(crate) fn check(&self, profile: &ProfileKey, name: &str) -> Result<RuleName, Denial> {
        self.ask(profile, name, |name| {
            tool_name(name).map(NamePattern::Exact)
        })
        .map(|(rule, _)| rule)
    }

    /// Judges every name of a pattern at once.
    pub(crate) fn check_pattern(
        &self,
        profile: &ProfileKey,
        text: &str,
    ) -> Result<(RuleName, NamePattern), Denial> {
        self.ask(profile, text, tool_pattern)
    }

    fn ask(
        &self,
        profile: &ProfileKey,
        text: &str,
        read: fn(&str) -> Result<NamePattern, &'static str>,
    ) -> Result<(RuleName, NamePattern), Denial> {
        let asked = format!("tool {}", quoted(text));
        match read(text) {
            Ok(pattern) => self
                .judge(profile, &pattern, asked)
                .map(|rule| (rule, pattern)),
            Err(reason) => Err(Denial::invalid_request(
                &profile.rule("tools"),
                asked,
                reason,
            )),
        }
    }

    fn judge(
        &self,
        profile: &ProfileKey,
        wanted: &NamePattern,
        asked: String,
    ) -> Result<RuleName, Denial> {
        if let Some(deny) = self
            .deny
            .iter()
            .find(|deny| deny.pattern.covers_any_case(wanted))
        {
            let reason = format!("`{}` is denied, and deny beats allow", deny.pattern);
            let fix = format!(
                "# remove {} from `{}`",
                quoted(&deny.pattern.to_string()),
                deny.rule
            );
            return Err(Denial::new(deny.rule.as_str(), asked, reason, fix));
        }
        if let Some(allow) = self.allow.iter().find(|allow| allow.pattern.covers(wanted)) {
            return Ok(allow.rule.clone());
        }
        let rule = profile.rule("tools.allow");
        let reason = match self.allow.len() {
            0 => format!("profile `{}` allows no tools", profile.name),
            _ => format!("no name that profile `{}` allows matches", profile.name),
        };
        let names = self
            .allow
            .iter()
            .map(|allow| allow.pattern.to_string())
            .chain([wanted.to_string()]);
        Err(Denial::new(
            rule,
            asked,
            reason,
            profile.fix("tools", &[("allow", toml_strings(names))]),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_spelling() {
        assert!(tool_name("github/search_issues").is_ok());
        for bad in [
            "",
            "a/b/c",
            "/a",
            "a/",
            "gіthub/x",
            "a\u{200b}b",
            "a b",
            "ａ",
        ] {
            assert!(tool_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stars_stand_at_segment_ends_only() {
        let all = tool_pattern("github/*").unwrap();
        assert!(all.matches("github/x") && !all.matches("github_evil/x") && !all.matches("github"));
        for bad in ["git*", "*/x", "a/b/*", "**", "a*b"] {
            assert!(tool_pattern(bad).is_err(), "{bad}");
        }
    }
}
