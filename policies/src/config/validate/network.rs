//! Network of a profile: which requests does it allow and deny?

use std::collections::BTreeSet;

use super::lists::{limited, limited_by};
use crate::config::amount::{RawAmount, parse_amount};
use crate::config::schema::{RawHostRule, RawNetwork};
use crate::config::spanned::Spanned;
use crate::limits::Amount;
use crate::network::address::parse_private_range;
use crate::network::host::HostPattern;
use crate::network::path;
use crate::network::rules::{HostRule, NetworkRules};
use crate::problem::Problems;
use crate::rule::{ProfileKey, RuleName};
use crate::text::{closest, quoted};

/// The maximum number of redirects that a policy can allow.
const MAX_REDIRECTS: u32 = 20;

/// The list that a rule belongs to; a missing part takes its default in `allow`, and matches
/// anything in `deny`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Allow,
    Deny,
}

/// Applies the network part on top of the inherited rules.
pub(super) fn validate_network(
    profile: &ProfileKey,
    rules: &mut NetworkRules,
    raw: &RawNetwork,
    problems: &mut Problems<'_>,
) {
    if let Some(allow) = &raw.allow {
        rules.allow = validate_rules(profile, Side::Allow, allow, problems);
    }
    if let Some(deny) = &raw.deny {
        rules
            .deny
            .extend(validate_rules(profile, Side::Deny, deny, problems));
    }
    if let Some(ranges) = &raw.private_ranges {
        rules.private_ranges.clear();
        for range in limited(ranges, problems) {
            match parse_private_range(range.get()) {
                Ok(net) => rules.private_ranges.push(net),
                Err((message, suggestion)) => problems.add(&range.span(), message, suggestion),
            }
        }
        rules.private_ranges.sort();
    }
    let limits = &mut rules.limits;
    for (limit, raw) in [
        (&mut limits.response, &raw.response),
        (&mut limits.request, &raw.request),
    ] {
        if let Some(Amount::Bytes(bytes)) = raw
            .as_ref()
            .and_then(|raw| parse_amount(Amount::Bytes(0), &RawAmount::from(raw), problems))
        {
            *limit = bytes;
        }
    }
    if let Some(Amount::Time(time)) = raw.timeout.as_ref().and_then(|raw| {
        parse_amount(
            Amount::Time(limits.timeout),
            &RawAmount::from(raw),
            problems,
        )
    }) {
        limits.timeout = time;
    }
    if let Some(redirects) = &raw.redirects {
        match u32::try_from(*redirects.get()) {
            Ok(number) if number <= MAX_REDIRECTS => limits.redirects = number,
            _ => problems.add(
                &redirects.span(),
                format!("redirects are 0 to {MAX_REDIRECTS}"),
                Some("5".to_owned()),
            ),
        }
    }
}

fn validate_rules(
    profile: &ProfileKey,
    side: Side,
    raw: &[RawHostRule],
    problems: &mut Problems<'_>,
) -> Vec<HostRule> {
    let key = if side == Side::Allow { "allow" } else { "deny" };
    let span = |rule: &RawHostRule| rule.host.as_ref().map(Spanned::span).unwrap_or_default();
    let mut rules = Vec::new();
    for (index, raw) in limited_by(raw, span, problems).iter().enumerate() {
        let rule = RuleName::new(profile.rule(&format!("network.{key}[{index}]")));
        rules.extend(validate_rule(rule, side, raw, problems));
    }
    rules
}

fn validate_rule(
    rule: RuleName,
    side: Side,
    raw: &RawHostRule,
    problems: &mut Problems<'_>,
) -> Option<HostRule> {
    let host = match (&raw.host, side) {
        (None, Side::Deny) => HostPattern::Any,
        (None, Side::Allow) => {
            problems.add(
                &first_span(raw),
                format!("`{rule}` needs a `host`"),
                Some("host = \"api.example.org\"".to_owned()),
            );
            return None;
        }
        (Some(host), side) => {
            let parsed = if side == Side::Allow {
                HostPattern::parse_allow(host.get())
            } else {
                HostPattern::parse(host.get())
            };
            match parsed {
                Ok(pattern) => pattern,
                Err((message, suggestion)) => {
                    problems.add(&host.span(), message, suggestion);
                    return None;
                }
            }
        }
    };
    let default = |names: &[&str]| {
        (side == Side::Allow).then(|| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<BTreeSet<_>>()
        })
    };
    let schemes =
        words(raw.schemes.as_ref(), problems, check_scheme).or_else(|| default(&["https"]));
    let methods =
        words(raw.methods.as_ref(), problems, check_method).or_else(|| default(&["GET", "HEAD"]));
    let paths = words(raw.paths.as_ref(), problems, check_path);
    let ports = raw.ports.as_ref().map(|ports| {
        not_empty(ports, problems);
        limited(ports.get(), problems)
            .iter()
            .filter_map(|port| validate_port(port, problems))
            .collect()
    });
    Some(HostRule {
        rule,
        host,
        schemes,
        ports,
        methods,
        paths,
    })
}

type Checked = Result<String, (String, Option<String>)>;

fn words(
    list: Option<&Spanned<Vec<Spanned<String>>>>,
    problems: &mut Problems<'_>,
    check: fn(&str) -> Checked,
) -> Option<BTreeSet<String>> {
    let list = list?;
    not_empty(list, problems);
    let mut words = BTreeSet::new();
    for word in limited(list.get(), problems) {
        match check(word.get()) {
            Ok(word) => drop(words.insert(word)),
            Err((message, suggestion)) => problems.add(&word.span(), message, suggestion),
        }
    }
    Some(words)
}

/// Reports an empty list: it would match nothing, which a reader of a `deny` rule may take for
/// "everything".
fn not_empty<T>(list: &Spanned<Vec<T>>, problems: &mut Problems<'_>) {
    if list.get().is_empty() {
        problems.add(
            &list.span(),
            "an empty list matches nothing: leave the key out, or name something",
            None,
        );
    }
}

fn check_scheme(word: &str) -> Checked {
    const KNOWN: [&str; 2] = ["https", "http"];
    if KNOWN.contains(&word) {
        return Ok(word.to_owned());
    }
    Err((
        format!("{} is not a scheme (known: https, http)", quoted(word)),
        closest(word, KNOWN).map(str::to_owned),
    ))
}

fn check_method(word: &str) -> Checked {
    let token = (1..=32).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-');
    let upper = word.to_ascii_uppercase();
    if !token {
        return Err((format!("{} is not a method", quoted(word)), None));
    }
    if matches!(upper.as_str(), "CONNECT" | "TRACE" | "TRACK") {
        return Err((format!("method {} is never offered", quoted(word)), None));
    }
    if word != upper {
        return Err((
            format!("method {} is not in capitals", quoted(word)),
            Some(upper),
        ));
    }
    Ok(upper)
}

fn check_path(word: &str) -> Checked {
    let spelt =
        path::canonical(word).map_err(|reason| (format!("{}: {reason}", quoted(word)), None))?;
    if spelt != word {
        return Err((
            format!("{} is not in its one spelling", quoted(word)),
            Some(spelt),
        ));
    }
    Ok(spelt)
}

fn validate_port(port: &Spanned<i64>, problems: &mut Problems<'_>) -> Option<u16> {
    let number = u16::try_from(*port.get())
        .ok()
        .filter(|number| *number != 0);
    if number.is_none() {
        problems.add(
            &port.span(),
            format!("`{}` is not a port (1 to 65535)", port.get()),
            None,
        );
    }
    number
}

/// The span of any part of a rule that has no host.
fn first_span(raw: &RawHostRule) -> std::ops::Range<usize> {
    let lists = [&raw.schemes, &raw.methods, &raw.paths]
        .into_iter()
        .flatten()
        .map(Spanned::span);
    lists
        .chain(raw.ports.as_ref().map(Spanned::span))
        .min_by_key(|span| span.start)
        .unwrap_or_default()
}
