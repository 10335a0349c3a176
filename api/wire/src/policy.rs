//! Policy: what may clients know about the policy in force, a decision and the tiers?

use crate::problem::DenialBody;
use glovebox_policy::{Explanation, Grant, Policy, QuotaOfSubject, StepResult, TierFacts, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// The policy in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Policy)]
pub struct PolicyBody {
    /// SHA-256 of the policy's canonical form, which identifies it.
    digest: String,
    /// The names of its profiles.
    profiles: Vec<String>,
}

impl From<&Policy> for PolicyBody {
    fn from(policy: &Policy) -> Self {
        Self {
            digest: policy.digest().to_owned(),
            profiles: policy.profiles().map(str::to_owned).collect(),
        }
    }
}

/// The decision on a request, with its reasons.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationBody<'a> {
    /// `admitted` or `denied`.
    #[schema(value_type = String)]
    verdict: &'static str,
    /// The steps of the decision, in order.
    steps: Vec<StepBody<'a>>,
    /// The quotas of the caller, over all of its executions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quotas: Vec<QuotaBody<'a>>,
    /// The denial, if it is denied.
    denial: Option<DenialBody<'a>>,
    /// The grant that it would have, if it is admitted.
    grant: Option<GrantBody>,
}

impl<'a> From<&'a Explanation> for ExplanationBody<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let (verdict, denial, grant) = match &explanation.verdict {
            Verdict::Admit(grant) => ("admitted", None, Some(GrantBody::from(&**grant))),
            Verdict::Deny(denial) => ("denied", Some(DenialBody::from(denial)), None),
        };
        Self {
            verdict,
            steps: explanation.steps.iter().map(StepBody::from).collect(),
            quotas: explanation.quotas.iter().map(QuotaBody::from).collect(),
            denial,
            grant,
        }
    }
}

/// One step of a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepBody<'a> {
    /// The rule that was consulted.
    #[schema(value_type = String)]
    rule: &'a str,
    /// The request that it was consulted about.
    #[schema(value_type = String)]
    asked: &'a str,
    /// Whether the rule allows it.
    allowed: bool,
    /// The reason why it does, or does not.
    #[schema(value_type = String)]
    reason: &'a str,
}

impl<'a> From<&'a glovebox_policy::Step> for StepBody<'a> {
    fn from(step: &'a glovebox_policy::Step) -> Self {
        let (allowed, reason) = match &step.result {
            StepResult::Allowed(reason) => (true, reason.as_str()),
            StepResult::Denied(denial) => (false, denial.reason.as_str()),
        };
        Self {
            rule: &step.rule,
            asked: &step.asked,
            allowed,
            reason,
        }
    }
}

/// A quota of the caller.
#[derive(Serialize, ToSchema)]
#[schema(as = Quota)]
pub struct QuotaBody<'a> {
    /// Its key in a policy, such as `running`.
    #[schema(value_type = String)]
    name: &'a str,
    /// The quota, such as `16` or `1GiB`.
    most: String,
    /// The rule of the policy, or the setting of the service, that sets it.
    #[schema(value_type = String)]
    rule: &'a str,
}

impl<'a> From<&'a QuotaOfSubject> for QuotaBody<'a> {
    fn from(quota: &'a QuotaOfSubject) -> Self {
        Self {
            name: quota.name,
            most: quota.most.to_string(),
            rule: quota.rule.as_str(),
        }
    }
}

/// The grant that a request would have.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
pub struct GrantBody {
    profile: String,
    tier: String,
    tier_reason: String,
    /// Each limit with its value, such as `10s` or `256MiB`.
    limits: BTreeMap<String, String>,
    /// Every package with its exact version.
    packages: Vec<String>,
}

impl From<&Grant> for GrantBody {
    fn from(grant: &Grant) -> Self {
        Self {
            profile: grant.profile().to_owned(),
            tier: grant.tier().to_string(),
            tier_reason: grant.tier_reason().to_owned(),
            limits: grant
                .limits()
                .entries()
                .map(|(name, amount)| (name.to_owned(), amount.to_string()))
                .collect(),
            packages: grant
                .resolved_packages()
                .iter()
                .map(|package| format!("{} {}", package.name, package.version))
                .collect(),
        }
    }
}

/// The state of a tier on this machine.
#[derive(Serialize, ToSchema)]
#[schema(as = Tier)]
pub struct TierBody {
    /// `wasm`, `container` or `microvm`.
    tier: String,
    /// The languages that it runs.
    languages: Vec<String>,
    /// Whether it works.
    available: bool,
    /// The reason why it does not work.
    reason: Option<String>,
}

impl From<&TierFacts> for TierBody {
    fn from(facts: &TierFacts) -> Self {
        Self {
            tier: facts.tier.to_string(),
            languages: facts.languages.clone(),
            available: facts.unavailable.is_none(),
            // The detailed reason is for the operator only.
            reason: facts
                .unavailable
                .as_ref()
                .map(|_| "it does not work on this machine; `glovebox doctor` says why".to_owned()),
        }
    }
}

/// The tiers of this service.
#[derive(Serialize, ToSchema)]
pub struct TierList {
    /// Each tier.
    pub tiers: Vec<TierBody>,
}
