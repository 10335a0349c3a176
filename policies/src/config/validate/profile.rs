//! One profile of a config: what does it grant on top of the profile that it extends?

use std::time::Duration;

use super::environment::validate_environment;
use super::findings::validate_findings;
use super::limits::validate_limits;
use super::lists::{limited, limited_by, unknown_name};
use super::mounts::validate_mounts;
use super::network::validate_network;
use super::packages::validate_packages;
use super::tools::validate_tools;
use crate::config::amount::{RawAmount, RawTime, parse_amount};
use crate::config::profile::Profile;
use crate::config::schema::RawProfile;
use crate::config::spanned::Spanned;
use crate::languages::{Language, WASM_GROUP};
use crate::limits::Amount;
use crate::names::is_language_name;
use crate::problem::Problems;
use crate::rule::ProfileKey;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};

/// Applies what a profile writes on top of what it inherits.
pub(super) fn validate_profile(
    key: ProfileKey,
    inherited: Option<Profile>,
    raw: &RawProfile,
    problems: &mut Problems<'_>,
) -> Profile {
    let mut profile = inherited.unwrap_or_else(|| Profile::nothing(key.clone()));
    profile.key = key;
    validate_platform(&mut profile, raw, problems);
    validate_determinism(&mut profile, raw, problems);
    let key = &profile.key;
    if let Some(raw) = &raw.limits {
        validate_limits(&mut profile.limits, raw, problems);
    }
    if let Some(raw) = &raw.mounts {
        profile.mounts = validate_mounts(raw, problems);
    }
    if let Some(raw) = &raw.network {
        validate_network(key, &mut profile.network, raw, problems);
    }
    if let Some(raw) = &raw.tools {
        validate_tools(key, &mut profile.tools, raw, problems);
    }
    if let Some(raw) = &raw.packages {
        for (rules, raw) in profile
            .packages
            .iter_mut()
            .zip([&raw.python, &raw.javascript])
        {
            if let Some(raw) = raw {
                validate_packages(key, rules, raw, problems);
            }
        }
    }
    if let Some(raw) = &raw.environment {
        validate_environment(&mut profile.environment, raw, problems);
    }
    if let Some(raw) = &raw.findings {
        validate_findings(&mut profile.findings, raw, problems);
    }
    profile
}

/// Applies the languages, and the tiers, images and runtime that they run in.
fn validate_platform(profile: &mut Profile, raw: &RawProfile, problems: &mut Problems<'_>) {
    if let Some(languages) = &raw.languages {
        profile.languages = limited(languages, problems)
            .iter()
            .flat_map(|language| validate_language(language, problems))
            .collect();
    }
    if let Some(tiers) = &raw.tiers {
        profile.tiers = validate_tiers(tiers, problems);
    }
    if let Some(level) = &raw.min_isolation {
        let names = Isolation::ALL.map(Isolation::name);
        match Isolation::from_name(level.get()) {
            Some(level) => profile.min_isolation = level,
            None => unknown_name(level, "level of isolation", &names, problems),
        }
    }
    if let Some(runtime) = &raw.runtime
        && let Some(name) = validate_runtime(runtime, problems)
    {
        profile.runtime = Some(name);
    }
    let images: Vec<_> = raw.images.iter().flatten().collect();
    for (language, digest) in limited_by(&images, |(language, _)| language.span(), problems) {
        if let Some(image) = validate_image(language, digest, problems) {
            profile.images.insert(language.get().clone(), image);
        }
    }
}

/// Applies the resolution of clocks and the random seed.
fn validate_determinism(profile: &mut Profile, raw: &RawProfile, problems: &mut Problems<'_>) {
    if let Some(resolution) = &raw.clock_resolution
        && let Some(time) = validate_clock_resolution(resolution, problems)
    {
        profile.clock_resolution = time;
    }
    if let Some(seed) = &raw.seed {
        match u64::try_from(*seed.get()) {
            Ok(number) => profile.seed = Some(number),
            Err(_) => problems.add(&seed.span(), "a seed must not be negative", None),
        }
    }
}

fn validate_clock_resolution(raw: &RawTime, problems: &mut Problems<'_>) -> Option<Duration> {
    let raw = RawAmount::from(raw);
    match parse_amount(Amount::Time(Duration::ZERO), &raw, problems)? {
        Amount::Time(time) if time <= Duration::from_secs(1) => Some(time),
        _ => {
            problems.add(
                &raw.span,
                "a clock resolution is at most one second",
                Some("1s".to_owned()),
            );
            None
        }
    }
}

fn validate_runtime(runtime: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = runtime.get();
    if name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(plain)
    {
        return Some(name.clone());
    }
    let message = format!(
        "{} is not the name of a runtime, which has letters, digits, `.`, `_` and `-` only",
        quoted(name)
    );
    problems.add(&runtime.span(), message, None);
    None
}

fn validate_image(
    language: &Spanned<String>,
    digest: &Spanned<String>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    if !is_language_name(language.get()) {
        problems.add(
            &language.span(),
            format!("{} is not a language's name", quoted(language.get())),
            None,
        );
        return None;
    }
    let digits = digest.get().strip_prefix("sha256:").unwrap_or_default();
    if digits.len() != 64
        || !digits
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    {
        let message = format!(
            "{} is not the digest of an image: `sha256:` and 64 digits of 0-9 and a-f",
            quoted(digest.get())
        );
        problems.add(&digest.span(), message, None);
        return None;
    }
    Some(digest.get().clone())
}

/// Returns the languages that an entry names: one, or those of a group.
fn validate_language(language: &Spanned<String>, problems: &mut Problems<'_>) -> Vec<String> {
    let name = language.get();
    if name == WASM_GROUP {
        return Language::of_wasm().map(str::to_owned).collect();
    }
    if is_language_name(name) {
        return vec![name.clone()];
    }
    let lower = name.trim().to_ascii_lowercase();
    problems.add(
        &language.span(),
        format!("{} is not a language's name", quoted(name)),
        is_language_name(&lower).then_some(lower),
    );
    Vec::new()
}

fn validate_tiers(raw: &[Spanned<String>], problems: &mut Problems<'_>) -> Vec<Tier> {
    let mut tiers = Vec::new();
    for name in limited(raw, problems) {
        match Tier::from_name(name.get()) {
            Some(tier) if tiers.contains(&tier) => {
                problems.add(&name.span(), format!("tier `{tier}` is named twice"), None)
            }
            Some(tier) => tiers.push(tier),
            None => unknown_name(name, "tier", &Tier::ALL.map(Tier::name), problems),
        }
    }
    tiers
}
