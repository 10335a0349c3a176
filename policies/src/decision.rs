//! Policy decision point: may this request run?
//!
//! The only place for that decision: one pure function. It chooses a profile, then calls every check in turn; each narrows a draft or
//! denies. The first denial is the verdict, and only a draft that all checks passed becomes a grant. Explaining runs the same code and
//! merely continues after a denial.

mod narrowing;
mod tier_choice;
mod well_formed;

use std::sync::Arc;

use crate::config::names::NamePattern;
use crate::config::profile::{Mount, Profile};
use crate::denial::{Denial, RuleName};
use crate::explanation::{Explanation, Step, StepResult};
use crate::grant::Grant;
use crate::limits::Limits;
use crate::network::NetworkGrant;
use crate::network::host::HostPattern;
use crate::packages::{Ecosystem, PackageGrant, Requirement, ResolvedPackage};
use crate::policy::{Policy, Verdict};
use crate::request::Request;
use crate::text::{quoted, toml_string, toml_strings};
use crate::tier::{Facts, Tier};

/// The mode: stop at the first denial, or continue to explain all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Decide,
    Explain,
}

/// The input of the checks.
pub(crate) struct CheckInput<'a> {
    request: &'a Request,
    facts: &'a Facts,
    profile: &'a Profile,
}

/// The draft that the checks narrow.
struct GrantDraft {
    limits: Limits,
    mounts: Vec<Mount>,
    environment: Vec<(String, String)>,
    kept_hosts: Option<Vec<HostPattern>>,
    kept_tools: Option<Vec<NamePattern>>,
    packages: Vec<Requirement>,
    resolved: Vec<ResolvedPackage>,
    tier: Option<(Tier, String)>,
}

/// The rules that were consulted; steps are recorded only for an explanation.
struct Log {
    mode: Mode,
    rules: Vec<RuleName>,
    steps: Vec<Step>,
}

type Check = fn(&CheckInput<'_>, &mut GrantDraft, &mut Log) -> Result<(), Denial>;

/// Every check, the cheap and significant ones first. Limits come before what is measured against them.
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
pub(crate) fn decide(policy: &Policy, request: &Request, facts: &Facts, mode: Mode) -> Explanation {
    let mut log = Log {
        mode,
        rules: Vec::with_capacity(8),
        steps: Vec::new(),
    };
    // Before anything else reads its lists, also to explain them: judging an oversized list would itself be the denial of service.
    let bounded = request.check_bounds().map_err(Denial::from);
    let verdict = match bounded.and_then(|()| choose_profile(policy, request, &mut log)) {
        Ok(profile) => judge(policy, profile, request, facts, &mut log),
        Err(denial) => {
            log.denied(&denial);
            Verdict::Deny(denial)
        }
    };
    Explanation {
        steps: log.steps,
        verdict,
    }
}

fn judge(
    policy: &Policy,
    profile: &Arc<Profile>,
    request: &Request,
    facts: &Facts,
    log: &mut Log,
) -> Verdict {
    let case = CheckInput {
        request,
        facts,
        profile,
    };
    let mut draft = GrantDraft::new(profile);
    let mut first = None;
    for check in CHECKS {
        if let Err(denial) = check(&case, &mut draft, log) {
            log.denied(&denial);
            first.get_or_insert(denial);
            if log.mode == Mode::Decide {
                break;
            }
        }
    }
    match (first, draft.tier) {
        (None, Some((tier, tier_reason))) => Verdict::Admit(Box::new(Grant {
            policy_digest: policy.shared_digest(),
            profile: Arc::clone(profile),
            subject: request.subject.clone(),
            language: request.language.clone(),
            limits: draft.limits,
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

impl GrantDraft {
    /// The full authority of the profile.
    fn new(profile: &Profile) -> Self {
        Self {
            limits: profile.limits.clone(),
            mounts: profile.mounts.clone(),
            environment: Vec::new(),
            kept_hosts: None,
            kept_tools: None,
            packages: Vec::new(),
            resolved: Vec::new(),
            tier: None,
        }
    }
}

/// Decides which packages may be resolved for a request. Admission of the run is a separate decision, made when they are resolved.
pub(crate) fn decide_packages(
    policy: &Policy,
    request: &Request,
    facts: &Facts,
) -> Result<PackageGrant, Denial> {
    let mut log = Log {
        mode: Mode::Decide,
        rules: Vec::new(),
        steps: Vec::new(),
    };
    request.check_bounds()?;
    let profile = choose_profile(policy, request, &mut log)?;
    let case = CheckInput {
        request,
        facts,
        profile,
    };
    let mut draft = GrantDraft::new(profile);
    tier_choice::language(&case, &mut draft, &mut log)?;
    narrowing::packages(&case, &mut draft, &mut log)?;
    tier_choice::tier(&case, &mut draft, &mut log)?;
    let language = request.language.clone();
    let Some(ecosystem) = Ecosystem::of_language(&language) else {
        return Err(Denial::invalid_request(
            "request.wants.packages",
            format!("packages for {}", quoted(&language)),
            "the language has none",
        ));
    };
    let tiers = tier_choice::possible_tiers(&case);
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
    policy: &'a Policy,
    request: &Request,
    log: &mut Log,
) -> Result<&'a Arc<Profile>, Denial> {
    let subject = &request.subject;
    let binding = policy.binding(subject);
    let (rule, allowed): (String, &[String]) = match &binding {
        Some((pattern, profiles)) => (format!("bindings.{}", toml_string(pattern)), profiles),
        None => ("default_profile".to_owned(), policy.default_profiles()),
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
    let Some(profile) = policy.profile(wanted) else {
        let closest = crate::text::closest(wanted, policy.profiles());
        let meant = closest
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

impl Log {
    /// Records a rule that allowed something.
    fn allowed(
        &mut self,
        rule: String,
        asked: impl FnOnce() -> String,
        reason: impl FnOnce() -> String,
    ) {
        if self.mode == Mode::Explain {
            self.steps.push(Step {
                rule: rule.clone(),
                asked: asked(),
                result: StepResult::Allowed(reason()),
            });
        }
        self.rules.push(RuleName::new(rule));
    }

    fn denied(&mut self, denial: &Denial) {
        if self.mode == Mode::Explain {
            let result = StepResult::Denied(denial.clone());
            self.steps.push(Step {
                rule: denial.rule.clone(),
                asked: denial.asked.clone(),
                result,
            });
        }
    }
}
