//! Validation of a config: how do the raw structures become profiles?
//!
//! Units, ranges and names are checked, and inheritance is resolved, here and in [`super::network`]. All problems are collected; a value
//! with a problem is left out, and the whole config is refused if there was one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::names::{NamePattern, NameRule, ToolRules, tool_pattern};
use super::network::build_network;
use super::profile::{Mount, Place, Profile};
use super::schema::{
    RawAmount, RawBinding, RawEnvironment, RawMount, RawNames, RawPackageRules, RawPolicy,
    RawProfile, Scalar, Spanned,
};
use crate::denial::RuleName;
use crate::findings::{Action, Severity};
use crate::limits::{Amount, Limits, MAX_COUNT, RawLimits};
use crate::mounts::{check_mount, is_at_or_below};
use crate::packages::rules::PackageRules;
use crate::problem::Problems;
use crate::request::is_subject_byte;
use crate::text::{closest, quoted};
use crate::tier::{Isolation, Tier};
use crate::units::{UnitError, parse_duration, parse_size};

/// The most profiles of one config. With [`MAX_LIST`] and [`MAX_DEPTH`] it bounds what a small text can grow to by inheritance.
const MAX_PROFILES: usize = 128;

/// The maximum number of entries in one list or table.
const MAX_LIST: usize = 500;

/// The maximum length of a chain of `extends`.
const MAX_DEPTH: usize = 16;

/// The maximum number of bindings.
const MAX_BINDINGS: usize = 5000;

/// The preset that a profile without `extends` starts from.
pub(crate) const ROOT: &str = "deny-all";

/// The profiles by name.
pub(crate) type Profiles = BTreeMap<String, Arc<Profile>>;

/// The profiles that a subject may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) subject: NamePattern,
    pub(crate) profiles: Vec<String>,
}

/// A validated config.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) default_profile: Option<String>,
    /// The most specific first.
    pub(crate) bindings: Vec<Binding>,
    pub(crate) profiles: Profiles,
}

/// Validates a whole config. `presets` can be used and extended; with `are_presets` the config itself defines them.
pub(crate) fn build(
    raw: &RawPolicy,
    presets: &Profiles,
    are_presets: bool,
    problems: &mut Problems<'_>,
) -> Rules {
    match &raw.version {
        None => problems.add(
            &(0..0),
            "missing key `version`",
            Some("version = 1".to_owned()),
        ),
        Some(version) if *version.get() != 1 => {
            problems.add(
                &version.span(),
                format!("version {} is not known", version.get()),
                Some("1".to_owned()),
            );
        }
        Some(_) => {}
    }
    let profiles = build_profiles(&raw.profiles, presets, are_presets, problems);
    let known = |name: &Spanned<String>, problems: &mut Problems<'_>| {
        let exists = profiles.contains_key(name.get());
        if !exists {
            let suggestion =
                closest(name.get(), profiles.keys().map(String::as_str)).map(str::to_owned);
            problems.add(
                &name.span(),
                format!("there is no profile {}", quoted(name.get())),
                suggestion,
            );
        }
        exists.then(|| name.get().clone())
    };
    let default_profile = raw
        .default_profile
        .as_ref()
        .and_then(|name| known(name, problems));
    let bindings = build_bindings(&raw.bindings, known, problems);
    Rules {
        default_profile,
        bindings,
        profiles,
    }
}

fn build_bindings(
    raw: &[RawBinding],
    known: impl Fn(&Spanned<String>, &mut Problems<'_>) -> Option<String>,
    problems: &mut Problems<'_>,
) -> Vec<Binding> {
    if let Some(first_extra) = raw.get(MAX_BINDINGS) {
        problems.add(
            &first_extra.subject.span(),
            format!("there are more than {MAX_BINDINGS} bindings"),
            None,
        );
    }
    let mut seen = BTreeSet::new();
    let mut bindings = Vec::new();
    for binding in raw.iter().take(MAX_BINDINGS) {
        let (text, span) = (binding.subject.get(), binding.subject.span());
        let Some(subject) = NamePattern::parse(text, is_subject_byte) else {
            let message = format!(
                "{} is not a subject, nor the start of one and `*`",
                quoted(text)
            );
            problems.add(&span, message, None);
            continue;
        };
        if !seen.insert(subject.clone()) {
            problems.add(
                &span,
                format!("subject {} is bound twice", quoted(text)),
                None,
            );
        }
        if binding.profiles.get().is_empty() {
            problems.add(
                &binding.profiles.span(),
                "a binding needs at least one profile",
                None,
            );
        }
        let profiles = limited(binding.profiles.get(), problems)
            .iter()
            .filter_map(|name| known(name, problems))
            .collect();
        bindings.push(Binding { subject, profiles });
    }
    // Order in the file must not matter: exact names first, then the longest prefix.
    bindings.sort_by_key(|binding| match &binding.subject {
        NamePattern::Exact(_) => (0, 0),
        NamePattern::Prefix(prefix) => (1, usize::MAX - prefix.len()),
    });
    bindings
}

fn build_profiles(
    raw: &BTreeMap<Spanned<String>, RawProfile>,
    presets: &Profiles,
    are_presets: bool,
    problems: &mut Problems<'_>,
) -> Profiles {
    if let Some((name, _)) = raw.iter().nth(MAX_PROFILES) {
        problems.add(
            &name.span(),
            format!("there are more than {MAX_PROFILES} profiles"),
            None,
        );
    }
    let own: BTreeMap<&str, (&Spanned<String>, &RawProfile)> = raw
        .iter()
        .take(MAX_PROFILES)
        .map(|(name, profile)| (name.get().as_str(), (name, profile)))
        .collect();
    let mut done = Profiles::new();
    for (name, _) in own.values() {
        if !is_profile_name(name.get()) {
            problems.add(
                &name.span(),
                format!(
                    "{} is not a profile's name (lower-case letters, digits, `-`, `_`)",
                    quoted(name.get())
                ),
                None,
            );
        }
        let (chain, base) = inheritance(name, &own, presets, problems);
        let mut parent = base.or_else(|| presets.get(ROOT).cloned());
        for (name, raw) in chain.into_iter().rev() {
            let finished = done.get(name.get()).cloned();
            parent = Some(finished.unwrap_or_else(|| {
                let place = Place::new(name.get().clone(), are_presets);
                let start = parent.as_deref().cloned();
                let profile = Arc::new(build_profile(place, start, raw, problems));
                done.insert(name.get().clone(), Arc::clone(&profile));
                profile
            }));
        }
    }
    presets.iter().for_each(|(name, preset)| {
        done.entry(name.clone())
            .or_insert_with(|| Arc::clone(preset));
    });
    done
}

/// The inheritance chain from this profile to its last ancestor in the file, and the preset below that. Where inheritance is broken the
/// chain ends and the root preset takes over, so that the profiles' other problems are found as well.
type Chain<'a> = (
    Vec<(&'a Spanned<String>, &'a RawProfile)>,
    Option<Arc<Profile>>,
);

fn inheritance<'a>(
    name: &'a Spanned<String>,
    own: &BTreeMap<&str, (&'a Spanned<String>, &'a RawProfile)>,
    presets: &Profiles,
    problems: &mut Problems<'_>,
) -> Chain<'a> {
    let mut chain: Vec<(&Spanned<String>, &RawProfile)> = Vec::new();
    let mut next = own.get(name.get().as_str()).copied();
    while let Some((name, raw)) = next {
        chain.push((name, raw));
        let Some(extends) = &raw.extends else { break };
        let target = extends.get().as_str();
        // A profile that extends its own name extends the preset that it shadows.
        let in_file = own.get(target).filter(|_| target != name.get());
        match (in_file, presets.get(target)) {
            (Some((found, _)), _)
                if chain
                    .iter()
                    .any(|(earlier, _)| earlier.get() == found.get()) =>
            {
                // Every profile of a cycle leads here, and so do those that lead into it; one report is enough.
                if chain
                    .iter()
                    .all(|(earlier, _)| found.get() <= earlier.get())
                {
                    let message = format!(
                        "profile {} extends itself through {}",
                        quoted(found.get()),
                        quoted(name.get())
                    );
                    problems.add(&extends.span(), message, None);
                }
                break;
            }
            (Some(_), _) if chain.len() >= MAX_DEPTH => {
                problems.add(
                    &extends.span(),
                    format!("the chain of `extends` is longer than {MAX_DEPTH}"),
                    None,
                );
                break;
            }
            (Some(found), _) => next = Some(*found),
            (None, Some(preset)) => return (chain, Some(Arc::clone(preset))),
            (None, None) => {
                let names = own
                    .keys()
                    .copied()
                    .chain(presets.keys().map(String::as_str))
                    .filter(|known| known != name.get());
                let suggestion = closest(target, names).map(str::to_owned);
                problems.add(
                    &extends.span(),
                    format!("there is no profile {} to extend", quoted(target)),
                    suggestion,
                );
                break;
            }
        }
    }
    (chain, None)
}

fn build_profile(
    place: Place,
    start: Option<Profile>,
    raw: &RawProfile,
    problems: &mut Problems<'_>,
) -> Profile {
    let mut profile = start.unwrap_or_else(|| Profile::nothing(place.clone()));
    profile.place = place;
    let place = &profile.place;
    if let Some(languages) = &raw.languages {
        profile.languages = limited(languages, problems)
            .iter()
            .filter_map(|language| build_language(language, problems))
            .collect();
    }
    if let Some(tiers) = &raw.tiers {
        profile.tiers = build_tiers(tiers, problems);
    }
    if let Some(level) = &raw.min_isolation {
        let names = Isolation::ALL.map(Isolation::name);
        match Isolation::from_name(level.get()) {
            Some(level) => profile.min_isolation = level,
            None => unknown_name(level, "level of isolation", &names, problems),
        }
    }
    if let Some(raw) = &raw.clock_resolution {
        let written = RawAmount::from(raw);
        match amount(Amount::Time(Duration::ZERO), &written, problems) {
            Some(Amount::Time(time)) if time <= Duration::from_secs(1) => {
                profile.clock_resolution = time
            }
            Some(_) => problems.add(
                &written.span,
                "a clock resolution is at most one second",
                Some("1s".to_owned()),
            ),
            None => {}
        }
    }
    if let Some(seed) = &raw.seed {
        match u64::try_from(*seed.get()) {
            Ok(number) => profile.seed = Some(number),
            Err(_) => problems.add(&seed.span(), "a seed must not be negative", None),
        }
    }
    if let Some(raw) = &raw.limits {
        build_limits(&mut profile.limits, raw, problems);
    }
    if let Some(raw) = &raw.mounts {
        profile.mounts = build_mounts(raw, problems);
    }
    if let Some(raw) = &raw.network {
        build_network(place, &mut profile.network, raw, problems);
    }
    if let Some(raw) = &raw.tools {
        build_tools(place, &mut profile.tools, raw, problems);
    }
    if let Some(raw) = &raw.packages {
        for (rules, raw) in profile
            .packages
            .iter_mut()
            .zip([&raw.python, &raw.javascript])
        {
            if let Some(raw) = raw {
                build_packages(place, rules, raw, problems);
            }
        }
    }
    if let Some(raw) = &raw.environment {
        build_environment(&mut profile, raw, problems);
    }
    if let Some(raw) = &raw.findings {
        for (severity, action) in [
            (Severity::Low, &raw.low),
            (Severity::Medium, &raw.medium),
            (Severity::High, &raw.high),
        ] {
            let Some(written) = action else { continue };
            match Action::ALL
                .into_iter()
                .find(|action| action.name() == written.get())
            {
                Some(action) => profile.findings.set(severity, action),
                None => unknown_name(written, "measure", &Action::ALL.map(Action::name), problems),
            }
        }
    }
    if let Some(runtime) = &raw.runtime {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name = runtime.get();
        if name.len() <= 100
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(plain)
        {
            profile.runtime = Some(name.clone());
        } else {
            let message = format!(
                "{} is not the name of a runtime, which has letters, digits, `.`, `_` and `-` only",
                quoted(name)
            );
            problems.add(&runtime.span(), message, None);
        }
    }
    let images: Vec<_> = raw.images.iter().flatten().collect();
    for (language, digest) in limited_by(&images, |(language, _)| language.span(), problems) {
        let digits = digest.get().strip_prefix("sha256:").unwrap_or_default();
        if !is_language_name(language.get()) {
            problems.add(
                &language.span(),
                format!("{} is not a language's name", quoted(language.get())),
                None,
            );
        } else if digits.len() != 64
            || !digits
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        {
            let message = format!(
                "{} is not the digest of an image: `sha256:` and 64 digits of 0-9 and a-f",
                quoted(digest.get())
            );
            problems.add(&digest.span(), message, None);
        } else {
            profile
                .images
                .insert(language.get().clone(), digest.get().clone());
        }
    }
    profile
}

fn build_language(language: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let name = language.get();
    if is_language_name(name) {
        return Some(name.clone());
    }
    let lower = name.trim().to_ascii_lowercase();
    problems.add(
        &language.span(),
        format!("{} is not a language's name", quoted(name)),
        is_language_name(&lower).then_some(lower),
    );
    None
}

fn build_tiers(raw: &[Spanned<String>], problems: &mut Problems<'_>) -> Vec<Tier> {
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

fn build_limits(limits: &mut Limits, raw: &RawLimits, problems: &mut Problems<'_>) {
    for (field, written) in raw.written() {
        if let Some(amount) = amount((field.granted)(limits), &written, problems) {
            (field.set)(limits, amount);
        }
    }
}

/// Parses an amount of the same kind as `like`.
pub(crate) fn amount(
    like: Amount,
    written: &RawAmount<'_>,
    problems: &mut Problems<'_>,
) -> Option<Amount> {
    let read = match (like, written.value) {
        (Amount::Time(_), Scalar::Text(text)) => parse_duration(text).map(Amount::Time),
        (Amount::Bytes(_), Scalar::Text(text)) => parse_size(text).map(Amount::Bytes),
        (Amount::Time(_), Scalar::Integer(number)) => {
            parse_duration(&number.to_string()).map(Amount::Time)
        }
        (Amount::Bytes(_), Scalar::Integer(number)) => {
            parse_size(&number.to_string()).map(Amount::Bytes)
        }
        (Amount::Time(_) | Amount::Bytes(_), Scalar::Float(_)) => {
            let suggestion = if matches!(like, Amount::Time(_)) {
                "1500ms"
            } else {
                "512KiB"
            };
            Err(UnitError {
                message: "fractions are not known; use a smaller unit".to_owned(),
                suggestion: Some(suggestion.to_owned()),
            })
        }
        (Amount::Count(_), value) => count(value).map(Amount::Count),
    };
    read.map_err(|error| problems.add(&written.span, error.message, error.suggestion))
        .ok()
}

fn count(value: &Scalar) -> Result<u64, UnitError> {
    let fail = |message: String, suggestion: Option<String>| {
        Err(UnitError {
            message,
            suggestion,
        })
    };
    match value {
        Scalar::Integer(number) => match u64::try_from(*number) {
            Ok(0) => fail(
                "`0` must be more than zero (zero never means unlimited)".to_owned(),
                None,
            ),
            Ok(number) if number <= MAX_COUNT => Ok(number),
            Ok(number) => fail(
                format!("`{number}` is more than {MAX_COUNT}, the largest possible"),
                Some(MAX_COUNT.to_string()),
            ),
            Err(_) => fail(format!("`{number}` must not be negative"), None),
        },
        Scalar::Float(number) => {
            let whole = (number.fract() == 0.0 && (1.0..1e12).contains(number))
                .then(|| format!("{number:.0}"));
            fail("a count is a whole number".to_owned(), whole)
        }
        Scalar::Text(text) => {
            let bare = text.replace('_', "");
            fail(
                "a count is a number without quotes or unit".to_owned(),
                bare.parse::<u64>().is_ok().then_some(bare),
            )
        }
    }
}

fn build_mounts(raw: &[RawMount], problems: &mut Problems<'_>) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in limited_by(raw, |mount| mount.host.span(), problems) {
        let Some(host) = build_path(&mount.host, problems) else {
            continue;
        };
        let Some(guest) = build_path(&mount.guest, problems) else {
            continue;
        };
        if let Err(reason) = check_mount(&host) {
            problems.add(&mount.host.span(), reason, None);
            continue;
        }
        if guest == "/" {
            problems.add(
                &mount.guest.span(),
                "a mount needs a directory of its own, not `/`",
                Some("/data".to_owned()),
            );
            continue;
        }
        if let Some(other) = mounts.iter().find(|other| {
            is_at_or_below(&other.guest, &guest) || is_at_or_below(&guest, &other.guest)
        }) {
            let message = format!(
                "{} and {} lie inside each other",
                quoted(&guest),
                quoted(&other.guest)
            );
            problems.add(&mount.guest.span(), message, None);
            continue;
        }
        mounts.push(Mount {
            host,
            guest,
            writable: mount.write,
        });
    }
    mounts.sort();
    mounts
}

fn build_path(path: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let text = path.get();
    let normal: Vec<&str> = text
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."))
        .collect();
    let normal = format!("/{}", normal.join("/"));
    if !text.starts_with('/')
        || text.len() > 4096
        || text.contains('\0')
        || text.split('/').any(|segment| segment == "..")
    {
        problems.add(
            &path.span(),
            format!("{} is not an absolute path without `..`", quoted(text)),
            None,
        );
        return None;
    }
    if *text != normal {
        problems.add(
            &path.span(),
            format!("{} is not in its shortest spelling", quoted(text)),
            Some(normal),
        );
        return None;
    }
    Some(normal)
}

fn build_environment(profile: &mut Profile, raw: &RawEnvironment, problems: &mut Problems<'_>) {
    let set: Vec<_> = raw.set.iter().flatten().collect();
    for (name, value) in limited_by(&set, |(name, _)| name.span(), problems) {
        if !is_variable_name(name.get()) {
            problems.add(
                &name.span(),
                format!("{} is not a variable's name", quoted(name.get())),
                None,
            );
        } else if value.get().contains('\0') {
            problems.add(
                &value.span(),
                "a variable's value must not hold a zero byte",
                None,
            );
        } else {
            profile
                .environment
                .set
                .insert(name.get().clone(), value.get().clone());
        }
    }
    let Some(allow) = &raw.allow else { return };
    profile.environment.allow.clear();
    for pattern in limited(allow, problems) {
        match NamePattern::parse(pattern.get(), is_variable_byte) {
            Some(parsed) => profile.environment.allow.push(parsed),
            None => {
                let message = format!(
                    "{} is not a variable's name, nor the start of one and `*`",
                    quoted(pattern.get())
                );
                problems.add(&pattern.span(), message, None);
            }
        }
    }
}

fn build_tools(place: &Place, rules: &mut ToolRules, raw: &RawNames, problems: &mut Problems<'_>) {
    let read = |rule: String, text: &str| {
        let pattern = tool_pattern(text).map_err(str::to_owned)?;
        Ok(NameRule {
            rule: RuleName::new(rule),
            pattern,
        })
    };
    if let Some(allow) = &raw.allow {
        rules.allow = build_rules(place, "tools.allow", allow, read, problems);
    }
    if let Some(deny) = &raw.deny {
        rules
            .deny
            .extend(build_rules(place, "tools.deny", deny, read, problems));
    }
}

fn build_packages(
    place: &Place,
    rules: &mut PackageRules,
    raw: &RawPackageRules,
    problems: &mut Problems<'_>,
) {
    let read = |rule: String, text: &str| rules.read(rule, text);
    let allow = raw.allow.as_ref().map(|allow| {
        build_rules(
            place,
            &format!("{}.allow", rules.key()),
            allow,
            read,
            problems,
        )
    });
    let deny = raw.deny.as_ref().map(|deny| {
        build_rules(
            place,
            &format!("{}.deny", rules.key()),
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

/// Parses every line of a list; an invalid line is left out.
fn build_rules<T>(
    place: &Place,
    key: &str,
    list: &[Spanned<String>],
    read: impl Fn(String, &str) -> Result<T, String>,
    problems: &mut Problems<'_>,
) -> Vec<T> {
    let mut rules = Vec::new();
    for (index, name) in limited(list, problems).iter().enumerate() {
        match read(place.rule(&format!("{key}[{index}]")), name.get()) {
            Ok(rule) => rules.push(rule),
            Err(reason) => problems.add(
                &name.span(),
                format!("{}: {reason}", quoted(name.get())),
                None,
            ),
        }
    }
    rules
}

/// The list, or its start and a problem if it is too long.
pub(crate) fn limited<'a, T>(
    list: &'a [Spanned<T>],
    problems: &mut Problems<'_>,
) -> &'a [Spanned<T>] {
    limited_by(list, Spanned::span, problems)
}

/// Like [`limited`], for entries without a [`Spanned`].
pub(crate) fn limited_by<'a, T>(
    list: &'a [T],
    span: impl Fn(&T) -> Range<usize>,
    problems: &mut Problems<'_>,
) -> &'a [T] {
    if let Some(first_extra) = list.get(MAX_LIST) {
        problems.add(
            &span(first_extra),
            format!("a list has at most {MAX_LIST} entries"),
            None,
        );
    }
    list.get(..MAX_LIST).unwrap_or(list)
}

fn unknown_name(name: &Spanned<String>, noun: &str, known: &[&str], problems: &mut Problems<'_>) {
    let message = format!(
        "{} is not a {noun} (known: {})",
        quoted(name.get()),
        known.join(", ")
    );
    problems.add(
        &name.span(),
        message,
        closest(name.get(), known.iter().copied()).map(str::to_owned),
    );
}

/// Returns whether a text is a valid profile name.
pub(crate) fn is_profile_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Returns whether a text is a valid language name.
pub(crate) fn is_language_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+#-.".contains(&b))
}

fn is_variable_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns whether a text is a valid name of an environment variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    (1..=200).contains(&name.len())
        && name.bytes().all(is_variable_byte)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
