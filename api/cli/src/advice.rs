//! Advice on denials: what would help where no line of a policy does?

use crate::terminal::name;
use glovebox_policy::{Denial, Facts, Home, Language, Policy, Request, Subject, Tier, Verdict};
use std::collections::BTreeSet;

/// Names that a list has at most.
const LISTED: usize = 30;

/// The parts of a request that advice depends on.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    subject: Subject,
    profile: Option<String>,
    language: String,
}

impl From<&Request> for Asked {
    fn from(request: &Request) -> Self {
        Self {
            subject: request.subject.clone(),
            profile: request.profile.clone(),
            language: request.language.clone(),
        }
    }
}

impl Asked {
    /// Returns what would help against a denial of the request, in lines; `None` if the denial's
    /// own fix says it.
    pub(crate) fn advice(&self, denial: &Denial, policy: &Policy, facts: &Facts) -> Option<String> {
        let rule = &denial.rule;
        if rule == "default_profile" || rule.starts_with("bindings.") {
            self.on_profile(policy)
        } else if rule.ends_with(".languages") || rule.ends_with(".tiers") {
            self.on_language(facts)
        } else {
            None
        }
    }

    /// Returns the profiles that the subject may use, if the policy lacks the one that was asked
    /// for.
    fn on_profile(&self, policy: &Policy) -> Option<String> {
        let wanted = self.profile.as_deref()?;
        if policy.profiles().any(|profile| profile == wanted) {
            return None;
        }
        let subject = name(self.subject.as_str());
        let usable: Vec<&str> = policy
            .profiles()
            .filter(|profile| may_use(policy, &self.subject, profile))
            .collect();
        let usable = if usable.is_empty() {
            format!("`{subject}` may use no profile of this policy")
        } else {
            format!("`{subject}` may use {}", listed(usable))
        };
        Some(format!(
            "{usable}\nto add this one, write `[profiles.{0}]` and a binding of `{subject}` to `{0}` in the policy",
            name(wanted)
        ))
    }

    /// Returns the languages that there are, if no tier runs the one that was asked for.
    fn on_language(&self, facts: &Facts) -> Option<String> {
        let language = &self.language;
        let tiers = &facts.tiers;
        if tiers.is_empty() || tiers.iter().any(|tier| tier.languages.contains(language)) {
            return None;
        }
        let has_engine = tiers
            .iter()
            .any(|tier| tier.tier == Tier::Container && tier.unavailable.is_none());
        let is_image = Language::find(language).is_some_and(|known| known.home == Home::Container);
        if has_engine && is_image {
            return Some(format!(
                "there is no image for `{language}`; `glovebox images build {language}` builds it"
            ));
        }
        let known: BTreeSet<&str> = tiers
            .iter()
            .flat_map(|tier| tier.languages.iter().map(String::as_str))
            .collect();
        Some(format!(
            "no policy change can allow this: no tier runs `{}`; the languages of the tiers are {}",
            name(language),
            listed(known)
        ))
    }
}

/// Returns whether a subject may use a profile of the policy: any denial but that of a binding
/// comes from the profile itself.
fn may_use(policy: &Policy, subject: &Subject, profile: &str) -> bool {
    let mut request = Request::new("", "");
    request.subject = subject.clone();
    request.profile = Some(profile.to_owned());
    match policy.admit(&request, &Facts::default()) {
        Verdict::Admit(_) => true,
        Verdict::Deny(denial) => denial.rule.starts_with("profiles."),
    }
}

fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names
        .by_ref()
        .take(LISTED)
        .map(|one| format!("`{}`", name(one)))
        .collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glovebox_policy::TierFacts;

    fn advice(policy: &Policy, request: &Request, facts: &Facts) -> Option<String> {
        match policy.admit(request, facts) {
            Verdict::Deny(denial) => Asked::from(request).advice(&denial, policy, facts),
            Verdict::Admit(_) => panic!("it was admitted: {request:?}"),
        }
    }

    #[test]
    fn profile_that_is_not_there_is_answered_by_those_of_the_subject() {
        let bound = "version = 1\n[profiles.web]\nextends = \"offline\"\n[[bindings]]\n\
                     subject = \"local\"\nprofiles = [\"web\", \"judge\"]\n";
        for (policy, expected) in [
            (
                Policy::builtin(),
                "may use `agent`, `default`, `deny-all`, `judge`, `offline`\n",
            ),
            (Policy::check(bound).unwrap(), "may use `judge`, `web`\n"),
            (Policy::deny_all(), "may use no profile of this policy\n"),
        ] {
            let mut request = Request::new("python", "1");
            request.profile = Some("nope".to_owned());
            let advice = advice(&policy, &request, &Facts::wasm(["python"]));
            let advice = advice.unwrap_or_default();
            assert!(
                advice.contains(expected) && advice.contains("`[profiles.nope]`"),
                "{advice}"
            );
        }
    }

    #[test]
    fn language_of_no_tier_is_answered_by_those_that_are_there() {
        let mut facts = Facts::wasm(["python", "wasm"]);
        facts
            .tiers
            .push(TierFacts::new(Tier::Container, ["python"]));
        for (language, expected) in [
            ("cobol", "are `python`, `wasm`"),
            ("shell", "`glovebox images build shell`"),
        ] {
            let advice = advice(&Policy::builtin(), &Request::new(language, "1"), &facts);
            let advice = advice.unwrap_or_default();
            assert!(advice.contains(expected), "{language}: {advice}");
        }
        // What a line of a policy allows needs no other advice.
        let mut request = Request::new("python", "1");
        request.profile = Some("deny-all".to_owned());
        assert_eq!(advice(&Policy::builtin(), &request, &facts), None);
    }
}
