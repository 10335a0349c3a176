//! Explanation of a decision: which rules were consulted, and what did each return?

use std::fmt;

use crate::denial::Denial;
use crate::findings::Finding;
use crate::limits::Amount;
use crate::rule::RuleName;
use crate::text::toml_key;
use crate::verdict::Verdict;

/// A decision with all its steps.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The quotas of the subject. They bound it over all of its runs, so no single decision
    /// consults them.
    pub quotas: Vec<QuotaOfSubject>,
    /// The decision.
    pub verdict: Verdict,
}

/// A quota of the subject of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaOfSubject {
    /// Its key in a policy.
    pub name: &'static str,
    /// The quota.
    pub most: Amount,
    /// The rule of the policy, or the setting of the service, that sets it.
    pub rule: RuleName,
}

/// One step of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The rule that was consulted.
    pub rule: String,
    /// The thing that was asked.
    pub asked: String,
    /// The rule's result.
    pub result: StepResult,
}

/// The result of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepResult {
    /// It allows what was asked, for this reason.
    Allowed(String),
    /// It denies. The first denial is the verdict.
    Denied(Denial),
}

impl Explanation {
    /// Adds the findings in the program, and the denial because of them if there is one.
    pub fn found(&mut self, profile: String, findings: &[Finding], denial: Option<Denial>) {
        let shown = |finding: &Finding| {
            let line = finding
                .line
                .map(|line| format!(" in line {line}"))
                .unwrap_or_default();
            format!("{} ({}){line}", finding.rule, finding.severity)
        };
        if !findings.is_empty() {
            let asked = findings.iter().map(shown).collect::<Vec<_>>().join(", ");
            let result = match &denial {
                Some(denial) => StepResult::Denied(denial.clone()),
                None => StepResult::Allowed(format!("profile `{profile}` records them")),
            };
            self.steps.push(Step {
                rule: format!("profiles.{}.findings", toml_key(&profile)),
                asked,
                result,
            });
        }
        if let Some(denial) = denial {
            self.verdict = Verdict::Deny(denial);
        }
    }

    /// All denials; the first is the verdict.
    pub fn denials(&self) -> impl Iterator<Item = &Denial> {
        self.steps.iter().filter_map(|step| match &step.result {
            StepResult::Denied(denial) => Some(denial),
            StepResult::Allowed(_) => None,
        })
    }
}

/// Several lines, without a line break at the end.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            match &step.result {
                StepResult::Allowed(reason) => {
                    writeln!(f, "allowed  {}: {} ({reason})", step.rule, step.asked)?
                }
                StepResult::Denied(denial) => {
                    writeln!(
                        f,
                        "denied   {}: {} ({})",
                        denial.rule, denial.asked, denial.reason
                    )?;
                    for line in denial.fix.lines() {
                        writeln!(f, "         | {line}")?;
                    }
                }
            }
        }
        for quota in &self.quotas {
            writeln!(f, "quota    {}: at most {}", quota.rule, quota.most)?;
        }
        match &self.verdict {
            Verdict::Admit(grant) => write!(
                f,
                "verdict: admitted under profile `{}` in tier `{}`",
                grant.profile(),
                grant.tier()
            ),
            Verdict::Deny(denial) => write!(f, "verdict: denied by `{}`", denial.rule),
        }
    }
}
