//! Narrowing: does the request ask for no more than the profile grants?

use std::collections::{BTreeMap, HashSet};

use super::check::{CheckInput, GrantDraft, Log};
use crate::denial::Denial;
use crate::languages::Language;
use crate::limits::FIELDS;
use crate::names::is_variable_name;
use crate::network::host::HostPattern;
use crate::packages::requirement::Requirement;
use crate::packages::rules::Asked;
use crate::request::NetworkWish;
use crate::text::{quoted, toml_string, toml_strings};

/// Applies the requested limits. A larger one is denied rather than clamped, so that no caller
/// assumes a limit that it does not have.
pub(super) fn limits(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let key = &input.profile.key;
    for field in FIELDS {
        let Some(wish) = (field.wished)(&input.request.wants.limits) else {
            continue;
        };
        let granted = (field.granted)(&input.profile.limits);
        let rule = key.rule(&format!("limits.{}", field.name()));
        let asked = || format!("limit `{}` of {wish}", field.name());
        if wish.is_zero() {
            return Err(Denial::invalid_request(
                &rule,
                asked(),
                "a limit must be more than zero (zero never means unlimited)",
            ));
        }
        if wish > granted {
            let reason = format!("profile `{}` grants at most {granted}", key.name);
            return Err(Denial::new(
                rule,
                asked(),
                reason,
                key.fix("limits", &[(field.name(), wish.to_toml())]),
            ));
        }
        (field.set)(&mut draft.limits, wish);
        log.allowed(rule, asked, || format!("at most {granted}"));
    }
    Ok(())
}

pub(super) fn environment(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let (key, rules) = (&input.profile.key, &input.profile.environment);
    let mut merged: BTreeMap<&str, &str> = rules
        .set
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    for (name, value) in &input.request.environment {
        // Never the value: it may be a secret, and this text is logged.
        let asked = || format!("environment variable {}", quoted(name));
        let invalid_request =
            |reason: &str| Denial::invalid_request("request.environment", asked(), reason);
        if !is_variable_name(name) {
            return Err(invalid_request(
                "a variable's name has letters, digits and `_`, and starts with no digit",
            ));
        }
        if value.contains('\0') {
            return Err(invalid_request("its value holds a zero byte"));
        }
        if rules.set.contains_key(name) {
            let reason = format!(
                "profile `{}` sets it, and no request can change that",
                key.name
            );
            let fix = format!(
                "# remove {} from `{}`",
                quoted(name),
                key.rule("environment.set")
            );
            return Err(Denial::new(
                key.rule("environment.set"),
                asked(),
                reason,
                fix,
            ));
        }
        let rule = key.rule("environment.allow");
        if !rules.allow.iter().any(|pattern| pattern.matches(name)) {
            let reason = format!("profile `{}` does not allow a request to set it", key.name);
            let names = rules
                .allow
                .iter()
                .map(ToString::to_string)
                .chain([name.clone()]);
            return Err(Denial::new(
                rule,
                asked(),
                reason,
                key.fix("environment", &[("allow", toml_strings(names))]),
            ));
        }
        if merged.insert(name, value).is_some() {
            return Err(invalid_request("it is set twice"));
        }
        log.allowed(rule, asked, || "a request may set it".to_owned());
    }
    draft.environment = merged
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(())
}

pub(super) fn mounts(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let Some(kept) = &input.request.wants.mounts else {
        return Ok(());
    };
    let key = &input.profile.key;
    for guest in kept {
        let asked = || format!("mount {}", quoted(guest));
        let Some(mount) = draft.mounts.iter().find(|mount| mount.guest == *guest) else {
            let reason = format!("profile `{}` mounts nothing there", key.name);
            let fix = key.fix_element(
                "mounts",
                &[
                    ("host", toml_string("/path/on/the/host")),
                    ("guest", toml_string(guest)),
                ],
            );
            return Err(Denial::new(key.rule("mounts"), asked(), reason, fix));
        };
        log.allowed(key.rule("mounts"), asked, || {
            format!("{} of the host", quoted(&mount.host))
        });
    }
    let kept: HashSet<&str> = kept.iter().map(String::as_str).collect();
    draft
        .mounts
        .retain(|mount| kept.contains(mount.guest.as_str()));
    Ok(())
}

pub(super) fn network(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let hosts: &[String] = match &input.request.wants.network {
        None => return Ok(()),
        Some(NetworkWish::Nothing) => &[],
        Some(NetworkWish::Hosts(hosts)) => hosts,
    };
    let (key, rules) = (&input.profile.key, &input.profile.network);
    let mut kept = Vec::with_capacity(hosts.len());
    for host in hosts {
        let asked = || format!("network host {}", quoted(host));
        let pattern = HostPattern::parse(host).map_err(|(reason, _)| {
            Denial::invalid_request("request.wants.network", asked(), reason)
        })?;
        if let Some(deny) = rules.deny.iter().find(|rule| rule.denies_pattern(&pattern)) {
            return Err(deny.denial(asked()));
        }
        let Some(allow) = rules.allow.iter().find(|rule| rule.host.covers(&pattern)) else {
            let reason = format!("profile `{}` does not allow it", key.name);
            let fix = key.fix_element(
                "network.allow",
                &[("host", toml_string(&pattern.to_string()))],
            );
            return Err(Denial::new(key.rule("network.allow"), asked(), reason, fix));
        };
        log.allowed(allow.rule.to_string(), asked, || {
            format!("`{}` is allowed", allow.host)
        });
        kept.push(pattern);
    }
    draft.kept_hosts = Some(kept);
    Ok(())
}

pub(super) fn tools(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let Some(wanted) = &input.request.wants.tools else {
        return Ok(());
    };
    let mut kept = Vec::with_capacity(wanted.len());
    for name in wanted {
        let (rule, pattern) = input
            .profile
            .tools
            .check_pattern(&input.profile.key, name)?;
        log.allowed(
            rule.to_string(),
            || format!("tool {}", quoted(name)),
            || "the profile allows it".to_owned(),
        );
        kept.push(pattern);
    }
    draft.kept_tools = Some(kept);
    Ok(())
}

/// Checks the requested packages, before they are resolved.
pub(super) fn packages(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    if let Some(missing) = input.facts.needs.missing.first() {
        return Err(missing.denial());
    }
    let wanted = &input.request.wants.packages;
    if wanted.is_empty() {
        return Ok(());
    }
    let key = &input.profile.key;
    let Some(ecosystem) = Language::ecosystem_of(&input.request.language) else {
        let asked = format!("packages for {}", quoted(&input.request.language));
        return Err(Denial::invalid_request(
            &key.rule("packages"),
            asked,
            "there are packages of Python and of JavaScript only",
        ));
    };
    let rules = input.profile.packages(ecosystem);
    for text in wanted {
        let asked = || format!("package {}", quoted(text));
        let requirement = Requirement::parse(ecosystem, text).map_err(|reason| {
            Denial::invalid_request(&key.rule(&rules.section()), asked(), reason)
        })?;
        let rule = rules.check(key, requirement.name(), Asked::Wanted)?;
        log.allowed(rule.to_string(), asked, || {
            "the profile allows it".to_owned()
        });
        draft.packages.push(requirement);
    }
    Ok(())
}

/// Checks the packages that these resolved to in the chosen tier.
pub(super) fn resolved_packages(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let needs = draft
        .tier
        .as_ref()
        .and_then(|(tier, _)| input.facts.needs_in(*tier));
    let (Some(needs), Some(ecosystem)) = (needs, Language::ecosystem_of(&input.request.language))
    else {
        return Ok(());
    };
    let rules = input.profile.packages(ecosystem);
    let wanted: HashSet<&str> = draft.packages.iter().map(Requirement::name).collect();
    for package in &needs.packages {
        let asked = if wanted.contains(package.name.as_str()) {
            Asked::Chosen(&package.version)
        } else {
            Asked::Dependency(&package.version)
        };
        let rule = rules.check(&input.profile.key, &package.name, asked)?;
        let what = || {
            format!(
                "package {} in version {}",
                quoted(&package.name),
                quoted(&package.version)
            )
        };
        log.allowed(rule.to_string(), what, || {
            "the profile allows it".to_owned()
        });
        draft.resolved.push(package.clone());
    }
    Ok(())
}
