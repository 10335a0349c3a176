//! Policy decision point: may this request run?
//!
//! The only place for that decision: one pure function. It chooses a profile, then calls every
//! check in turn; each narrows a draft or denies. The first denial is the verdict, and only a draft
//! that all checks passed becomes a grant. Explaining runs the same code and merely continues after
//! a denial.

mod check;
mod narrowing;
mod tier_choice;
mod well_formed;

use std::sync::Arc;

use check::{CheckInput, GrantDraft, Log};

use crate::config::profile::Profile;
use crate::config::rules::Rules;
use crate::denial::Denial;
use crate::explanation::Explanation;
use crate::facts::Facts;
use crate::grant::Grant;
use crate::languages::Language;
use crate::network::grant::NetworkGrant;
use crate::packages::grant::PackageGrant;
use crate::quotas::of_subject::Quotas;
use crate::request::Request;
use crate::text::{closest, quoted, toml_string, toml_strings};
use crate::verdict::Verdict;

pub(crate) use check::Mode;

/// The input of a decision.
#[derive(Clone, Copy)]
pub(crate) struct DecisionInput<'a> {
    pub(crate) rules: &'a Rules,
    /// The digest of the policy that these rules are.
    pub(crate) digest: &'a Arc<str>,
    pub(crate) request: &'a Request,
    pub(crate) facts: &'a Facts,
}

type Check = fn(&CheckInput<'_>, &mut GrantDraft, &mut Log) -> Result<(), Denial>;

/// Every check, the cheap and significant ones first. Limits come before what is measured against
/// them.
const CHECKS: [Check; 13] = [
    tier_choice::language,
    narrowing::limits,
    well_formed::source,
    well_formed::arguments,
    well_formed::files,
    well_formed::artifacts,
    narrowing::environment,
    narrowing::mounts,
    narrowing::network,
    narrowing::tools,
    narrowing::packages,
    tier_choice::tier,
    narrowing::resolved_packages,
];

/// Decides, and records how.
pub(crate) fn decide(input: DecisionInput<'_>, mode: Mode) -> Explanation {
    let mut log = Log::new(mode);
    // Before anything else reads its lists, also to explain them: judging an oversized list would
    // itself be the denial of service.
    let bounded = input.request.check_bounds().map_err(Denial::from);
    let profile = bounded.and_then(|()| choose_profile(input.rules, input.request, &mut log));
    let verdict = match profile {
        Ok(profile) => judge(input, profile, &mut log),
        Err(denial) => {
            log.denied(&denial);
            Verdict::Deny(denial)
        }
    };
    let quotas = match mode {
        Mode::Decide => Vec::new(),
        Mode::Explain => Quotas::new(input.rules, &input.request.subject).explained(),
    };
    Explanation {
        steps: log.steps,
        quotas,
        verdict,
    }
}

fn judge(input: DecisionInput<'_>, profile: &Arc<Profile>, log: &mut Log) -> Verdict {
    let request = input.request;
    let check_input = CheckInput {
        request,
        facts: input.facts,
        profile,
    };
    let mut draft = GrantDraft::new(profile);
    let mut first = None;
    for check in CHECKS {
        if let Err(denial) = check(&check_input, &mut draft, log) {
            log.denied(&denial);
            first.get_or_insert(denial);
            if log.mode == Mode::Decide {
                break;
            }
        }
    }
    match (first, draft.tier) {
        (None, Some((tier, tier_reason))) => Verdict::Admit(Box::new(Grant {
            policy_digest: Arc::clone(input.digest),
            profile: Arc::clone(profile),
            subject: request.subject.clone(),
            language: request.language.clone(),
            limits: draft.limits,
            wishes: request.wants.limits.clone(),
            mounts: draft.mounts,
            environment: draft.environment,
            network: NetworkGrant::new(Arc::clone(profile), draft.kept_hosts),
            kept_tools: draft.kept_tools,
            packages: draft.packages,
            resolved: draft.resolved,
            seed: request.seed.or(profile.seed),
            tier,
            tier_reason,
            rules: std::mem::take(&mut log.rules),
        })),
        (Some(denial), _) => Verdict::Deny(denial),
        // No check denied and none chose a tier: fail closed.
        (None, None) => Verdict::Deny(Denial::invalid_request(
            "tiers",
            "a tier",
            "none was chosen",
        )),
    }
}

/// Decides which packages may be resolved for a request. Admission of the run is a separate
/// decision, made when they are resolved.
pub(crate) fn decide_packages(input: DecisionInput<'_>) -> Result<PackageGrant, Denial> {
    let request = input.request;
    let mut log = Log::new(Mode::Decide);
    request.check_bounds()?;
    let profile = choose_profile(input.rules, request, &mut log)?;
    let check_input = CheckInput {
        request,
        facts: input.facts,
        profile,
    };
    let mut draft = GrantDraft::new(profile);
    tier_choice::language(&check_input, &mut draft, &mut log)?;
    narrowing::packages(&check_input, &mut draft, &mut log)?;
    tier_choice::tier(&check_input, &mut draft, &mut log)?;
    let language = request.language.clone();
    let Some(ecosystem) = Language::ecosystem_of(&language) else {
        return Err(Denial::invalid_request(
            "request.wants.packages",
            format!("packages for {}", quoted(&language)),
            "the language has none",
        ));
    };
    let tiers = tier_choice::possible_tiers(&check_input);
    Ok(PackageGrant {
        profile: Arc::clone(profile),
        language,
        ecosystem,
        requirements: draft.packages,
        tiers,
    })
}

/// The profile of the subject's binding, or the default one, and never another.
fn choose_profile<'a>(
    rules: &'a Rules,
    request: &Request,
    log: &mut Log,
) -> Result<&'a Arc<Profile>, Denial> {
    let subject = &request.subject;
    let binding = rules
        .binding(subject)
        .map(|binding| (binding.subject.to_string(), binding.profiles.as_slice()));
    let (rule, allowed): (String, &[String]) = match &binding {
        Some((pattern, profiles)) => (format!("bindings.{}", toml_string(pattern)), *profiles),
        None => ("default_profile".to_owned(), rules.default_profiles()),
    };
    let wanted = request.profile.as_ref().or(allowed.first());
    let asked = || match &request.profile {
        Some(name) => format!("profile {} for subject `{subject}`", quoted(name)),
        None => format!("a profile for subject `{subject}`"),
    };
    let Some(wanted) = wanted else {
        let fix = "default_profile = \"offline\"";
        return Err(Denial::new(
            rule,
            asked(),
            "no binding names the subject, and there is no default profile",
            fix,
        ));
    };
    let Some(profile) = rules.profiles.get(wanted) else {
        let meant = closest(wanted, rules.profiles.keys().map(String::as_str))
            .map(|name| format!("; did you mean `{name}`?"))
            .unwrap_or_default();
        return Err(Denial::invalid_request(
            &rule,
            asked(),
            format!("there is no such profile{meant}"),
        ));
    };
    if !allowed.contains(wanted) {
        let (bound, reason) = match &binding {
            Some((pattern, _)) => (
                pattern.clone(),
                format!("the subject may use {}", toml_strings(allowed)),
            ),
            None => (
                subject.to_string(),
                "no binding names the subject, so it may use the default profile only".to_owned(),
            ),
        };
        let profiles = toml_strings(allowed.iter().chain([wanted]));
        let fix = format!(
            "[[bindings]]\nsubject = {}\nprofiles = {profiles}",
            toml_string(&bound)
        );
        return Err(Denial::new(rule, asked(), reason, fix));
    }
    log.allowed(rule, asked, || format!("uses profile `{wanted}`"));
    Ok(profile)
}
