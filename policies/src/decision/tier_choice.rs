//! Tier selection: which language and tier does the profile grant?

use super::check::{CheckInput, GrantDraft, Log};
use crate::denial::Denial;
use crate::facts::TierFacts;
use crate::names::is_language_name;
use crate::text::{closest, quoted, toml_strings};
use crate::tier::{Isolation, Tier};

/// The maximum length of text about the machine in a message, in characters; protects logs from the
/// part of it that an engine has written.
const MAX_QUOTED: usize = 1_000;

/// The fix of a denial that depends on the machine alone.
const NOT_OFFERED: &str = "# no policy change can allow this: this machine does not offer it";

pub(super) fn language(
    input: &CheckInput<'_>,
    _: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let (profile, language) = (input.profile, &input.request.language);
    let rule = profile.key.rule("languages");
    let asked = || format!("language {}", quoted(language));
    if profile.languages.contains(language) {
        log.allowed(rule, asked, || "the profile grants it".to_owned());
        return Ok(());
    }
    if !is_language_name(language) {
        return Err(Denial::invalid_request(
            &rule,
            asked(),
            "that is not a language's name",
        ));
    }
    let meant = closest(language, profile.languages.iter().map(String::as_str))
        .map(|name| format!("; did you mean `{name}`?"));
    let reason = match profile.languages.len() {
        0 => format!("profile `{}` grants no language", profile.key.name),
        _ => format!(
            "profile `{}` grants {}{}",
            profile.key.name,
            toml_strings(&profile.languages),
            meant.unwrap_or_default()
        ),
    };
    if is_nowhere(input, language) {
        let reason = format!("{reason}; no tier of this machine runs it");
        return Err(Denial::new(rule, asked(), reason, NOT_OFFERED));
    }
    let fix = profile.key.fix(
        "",
        &[(
            "languages",
            toml_strings(profile.languages.iter().chain([language])),
        )],
    );
    Err(Denial::new(rule, asked(), reason, fix))
}

/// Returns whether it is known that no tier of this machine runs a language.
fn is_nowhere(input: &CheckInput<'_>, language: &String) -> bool {
    let tiers = &input.facts.tiers;
    !tiers.is_empty() && !tiers.iter().any(|facts| runs(facts, language))
}

/// Returns whether a tier runs a language, or would if it worked. One that does not work and names
/// no language might run any.
fn runs(facts: &TierFacts, language: &String) -> bool {
    let is_unknown = facts.unavailable.is_some() && facts.languages.is_empty();
    is_unknown || facts.languages.contains(language)
}

/// Chooses the first tier of the profile that works here, runs the language and isolates enough.
pub(super) fn tier(
    input: &CheckInput<'_>,
    draft: &mut GrantDraft,
    log: &mut Log,
) -> Result<(), Denial> {
    let (profile, wants) = (input.profile, &input.request.wants);
    let rule = profile.key.rule("tiers");
    let asked = || match wants.tier {
        Some(tier) => format!("tier `{tier}` for {}", quoted(&input.request.language)),
        None => format!("a tier for {}", quoted(&input.request.language)),
    };
    if let Some(wanted) = wants.tier.filter(|tier| !profile.tiers.contains(tier)) {
        let names = profile
            .tiers
            .iter()
            .chain([&wanted])
            .map(|tier| tier.name());
        let reason = format!(
            "profile `{}` grants {}",
            profile.key.name,
            toml_strings(profile.tiers.iter().map(|tier| tier.name()))
        );
        return Err(Denial::new(
            rule,
            asked(),
            reason,
            profile.key.fix("", &[("tiers", toml_strings(names))]),
        ));
    }
    let mut passed_over: Vec<(Tier, PassedOver)> = Vec::new();
    let mut second_choice = None;
    let mut choice = None;
    for tier in profile.tiers.iter().copied() {
        let why = pass_over(input, tier).or_else(|| {
            let why = unfit(input, tier)?;
            second_choice.get_or_insert(tier);
            Some(why)
        });
        match why {
            Some(why) => passed_over.push((tier, why)),
            None => {
                choice = Some(tier);
                break;
            }
        }
    }
    let Some(tier) = choice.or(second_choice) else {
        return Err(no_tier(input, rule, asked(), &passed_over));
    };
    // The choice is not explained by what speaks against it.
    passed_over.retain(|(other, _)| *other != tier);
    let reason = chosen_because(input, tier, &passed_over);
    log.allowed(rule, asked, || reason.clone());
    draft.tier = Some((tier, reason));
    Ok(())
}

/// The reason why a tier that can run the program would probably fail it.
fn unfit(input: &CheckInput<'_>, tier: Tier) -> Option<PassedOver> {
    if input.request.wants.tier.is_some() {
        return None;
    }
    let mut unfit = input.facts.needs.unfit.iter();
    let (_, why) = unfit.find(|(known, _)| *known == tier)?;
    Some(PassedOver::Lacks(why.clone()))
}

/// The candidate tiers in order of preference.
pub(super) fn possible_tiers(input: &CheckInput<'_>) -> Vec<Tier> {
    input
        .profile
        .tiers
        .iter()
        .copied()
        .filter(|tier| pass_over(input, *tier).is_none())
        .collect()
}

/// The reason why a tier is skipped.
enum PassedOver {
    NotWanted,
    TooWeakForProfile(Isolation),
    TooWeakForRequest(Isolation),
    Missing,
    Unavailable(String),
    NoLanguage,
    /// The OCI runtime that the profile requires, and the available ones.
    NoRuntime(String, String),
    /// A feature that the program needs and the tier lacks.
    Lacks(String),
}

fn pass_over(input: &CheckInput<'_>, tier: Tier) -> Option<PassedOver> {
    let wants = &input.request.wants;
    if wants.tier.is_some_and(|wanted| wanted != tier) {
        return Some(PassedOver::NotWanted);
    }
    if tier.isolation() < input.profile.min_isolation {
        return Some(PassedOver::TooWeakForProfile(input.profile.min_isolation));
    }
    if let Some(least) = wants
        .min_isolation
        .filter(|least| tier.isolation() < *least)
    {
        return Some(PassedOver::TooWeakForRequest(least));
    }
    let Some(facts) = input.facts.tiers.iter().find(|facts| facts.tier == tier) else {
        return Some(PassedOver::Missing);
    };
    // First, because making the tier work would not help.
    if !runs(facts, &input.request.language) {
        return Some(PassedOver::NoLanguage);
    }
    if let Some(reason) = &facts.unavailable {
        return Some(PassedOver::Unavailable(reason.clone()));
    }
    if let Some(runtime) = input
        .profile
        .runtime
        .as_ref()
        .filter(|name| tier == Tier::Container && !facts.runtimes.contains(*name))
    {
        return Some(PassedOver::NoRuntime(
            runtime.clone(),
            facts.runtimes.join(", "),
        ));
    }
    input
        .facts
        .needs_in(tier)?
        .lacks
        .clone()
        .map(PassedOver::Lacks)
}

fn chosen_because(
    input: &CheckInput<'_>,
    tier: Tier,
    passed_over: &[(Tier, PassedOver)],
) -> String {
    let choice = if input.request.wants.tier.is_some() {
        "the tier that was asked for"
    } else {
        "the first tier of the profile that can run it"
    };
    let skipped: Vec<String> = passed_over
        .iter()
        .map(|(tier, why)| format!("`{tier}` {why}"))
        .collect();
    // Concatenated, not formatted: this is the hot path of most decisions.
    if skipped.is_empty() {
        ["`", tier.name(), "` is ", choice].concat()
    } else {
        format!("`{tier}` is {choice}: {}", skipped.join(", "))
    }
}

fn no_tier(
    input: &CheckInput<'_>,
    rule: String,
    asked: String,
    passed_over: &[(Tier, PassedOver)],
) -> Denial {
    let key = &input.profile.key;
    if passed_over.is_empty() {
        let fix = key.fix("", &[("tiers", toml_strings([Tier::Wasm.name()]))]);
        return Denial::new(
            rule,
            asked,
            format!("profile `{}` grants no tier", key.name),
            fix,
        );
    }
    let reason = passed_over
        .iter()
        .map(|(tier, why)| format!("`{tier}` {why}"))
        .collect::<Vec<_>>()
        .join(", ");
    // A policy line can only allow what the policy forbids; what the machine lacks or the request
    // demands needs another fix.
    let weakest = passed_over.iter().find_map(|(tier, why)| {
        matches!(why, PassedOver::TooWeakForProfile(_)).then_some(tier.isolation())
    });
    if let Some(level) = weakest {
        let fix = key.fix("", &[("min_isolation", format!("\"{level}\""))]);
        return Denial::new(key.rule("min_isolation"), asked, reason, fix);
    }
    if passed_over
        .iter()
        .any(|(_, why)| matches!(why, PassedOver::TooWeakForRequest(_)))
    {
        return Denial::new(
            "request.wants.min_isolation",
            asked,
            reason,
            "# no policy change can allow this: ask for less isolation",
        );
    }
    if passed_over
        .iter()
        .all(|(_, why)| matches!(why, PassedOver::Lacks(_) | PassedOver::NotWanted))
    {
        return Denial::new(
            rule,
            asked,
            reason,
            "# no policy change can allow this: no tier of the profile can do it",
        );
    }
    Denial::new(rule, asked, reason, NOT_OFFERED)
}

impl std::fmt::Display for PassedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotWanted => f.write_str("is not the tier that was asked for"),
            Self::TooWeakForProfile(least) => {
                write!(f, "isolates less than `{least}`, which the profile demands")
            }
            Self::TooWeakForRequest(least) => {
                write!(f, "isolates less than `{least}`, which the request demands")
            }
            Self::Missing => f.write_str("is not built in"),
            Self::Unavailable(reason) => {
                write!(f, "does not work here ({})", quoted_whole(reason))
            }
            // Made from names of packages, which were validated, and from messages of a resolver,
            // which were escaped.
            Self::Lacks(what) => f.write_str(what),
            Self::NoRuntime(demanded, there) => {
                write!(
                    f,
                    "has no runtime `{demanded}`, which the profile demands, but {}",
                    quoted_whole(there)
                )
            }
            Self::NoLanguage => f.write_str("does not run the language"),
        }
    }
}

/// Quotes text about the machine, such as the reason why a tier is unavailable: whole, because its
/// end says what would help. Characters that do not show are escaped, because a part of it may be
/// an engine's.
fn quoted_whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('`');
    for (index, character) in text.chars().enumerate() {
        if index == MAX_QUOTED {
            out.push('…');
            break;
        }
        match character {
            // A backtick would end the quotation.
            '`' => out.push('\''),
            '\'' | '"' | '\\' => out.push(character),
            character => out.extend(character.escape_debug()),
        }
    }
    out.push('`');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use crate::policy::Policy;
    use crate::request::Request;
    use crate::verdict::Verdict;

    /// The reason and the fix with which the built-in policy denies a language on a machine whose
    /// container engine does not work.
    fn denial(language: &str, reason: &str) -> (String, String) {
        let mut facts = Facts::wasm(["python", "wasm"]);
        facts.tiers.push(TierFacts {
            unavailable: Some(reason.to_owned()),
            ..TierFacts::new(Tier::Container, ["python", "shell"])
        });
        match Policy::builtin().admit(&Request::new(language, "1"), &facts) {
            Verdict::Deny(denial) => (denial.reason, denial.fix),
            Verdict::Admit(_) => panic!("`{language}` was admitted"),
        }
    }

    #[test]
    fn reason_of_an_unavailable_tier_is_whole_and_escaped() {
        let steps = "no engine answers (socket not found: /var/run/some/where/docker.sock); \
                     start one (Debian: `apt-get install docker.io`), or name it in DOCKER_HOST";
        let (reason, _) = denial("shell", steps);
        assert!(
            reason.ends_with("(Debian: 'apt-get install docker.io'), or name it in DOCKER_HOST`)"),
            "{reason}"
        );
        for (text, shown) in [
            ("a\n\u{202e}b", "`a\\n\\u{202e}b`"),
            ("\u{1b}[31m", "`\\u{1b}[31m`"),
            ("'it' \"is\" C:\\x", "`'it' \"is\" C:\\x`"),
        ] {
            assert_eq!(quoted_whole(text), shown);
        }
        assert_eq!(
            quoted_whole(&"x".repeat(10_000)).chars().count(),
            MAX_QUOTED + 3
        );
    }

    #[test]
    fn language_of_no_tier_is_not_allowed_by_a_policy_or_an_engine() {
        let (reason, fix) = denial("cobol", "no engine");
        assert!(
            reason.ends_with("no tier of this machine runs it") && fix == NOT_OFFERED,
            "{reason}: {fix}"
        );
        let (reason, fix) = denial("typescript", "no engine");
        assert!(
            reason == "`wasm` does not run the language, `container` does not run the language"
                && fix == NOT_OFFERED,
            "{reason}: {fix}"
        );
    }
}
