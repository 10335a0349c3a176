//! Packages of a profile: which may a request ask for?

use super::lists::{parse_rules, unknown_name};
use crate::config::schema::RawPackageRules;
use crate::packages::rules::PackageRules;
use crate::problem::Problems;
use crate::rule::ProfileKey;
use crate::text::quoted;

pub(super) fn validate_packages(
    key: &ProfileKey,
    rules: &mut PackageRules,
    raw: &RawPackageRules,
    problems: &mut Problems<'_>,
) {
    let read = |rule: String, text: &str| rules.read(rule, text);
    let allow = raw.allow.as_ref().map(|allow| {
        parse_rules(
            key,
            &format!("{}.allow", rules.section()),
            allow,
            read,
            problems,
        )
    });
    let deny = raw.deny.as_ref().map(|deny| {
        parse_rules(
            key,
            &format!("{}.deny", rules.section()),
            deny,
            read,
            problems,
        )
    });
    if let Some(allow) = allow {
        rules.allow = allow;
    }
    rules.deny.extend(deny.into_iter().flatten());
    if let Some(word) = &raw.dependencies {
        match word.get().as_str() {
            "any" => rules.listed_only = false,
            "allowed" => rules.listed_only = true,
            _ => unknown_name(word, "rule for dependencies", &["any", "allowed"], problems),
        }
    }
    if let Some(index) = &raw.index {
        let parsed = url::Url::parse(index.get()).ok();
        match parsed.filter(|url| {
            url.scheme() == "https"
                && url.has_host()
                && url.fragment().is_none()
                && url.query().is_none()
        }) {
            // A policy is shown to many users and must not hold credentials.
            Some(url) if url.username().is_empty() && url.password().is_none() => {
                rules.index = Some(url.to_string())
            }
            Some(_) => problems.add(
                &index.span(),
                "an index's address must not hold a user's name or password",
                None,
            ),
            None => problems.add(
                &index.span(),
                format!(
                    "{} is not the `https` address of an index",
                    quoted(index.get())
                ),
                None,
            ),
        }
    }
}
