//! Tools of a profile: which may a program call?

use super::lists::parse_rules;
use crate::config::schema::RawNames;
use crate::problem::Problems;
use crate::rule::{ProfileKey, RuleName};
use crate::tools::{NameRule, ToolRules, tool_pattern};

pub(super) fn validate_tools(
    key: &ProfileKey,
    rules: &mut ToolRules,
    raw: &RawNames,
    problems: &mut Problems<'_>,
) {
    let read = |rule: String, text: &str| {
        let pattern = tool_pattern(text).map_err(str::to_owned)?;
        Ok(NameRule {
            rule: RuleName::new(rule),
            pattern,
        })
    };
    if let Some(allow) = &raw.allow {
        rules.allow = parse_rules(key, "tools.allow", allow, read, problems);
    }
    if let Some(deny) = &raw.deny {
        rules
            .deny
            .extend(parse_rules(key, "tools.deny", deny, read, problems));
    }
}
