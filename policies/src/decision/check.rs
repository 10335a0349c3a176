//! Input and output of the checks: what does each see, and what does it narrow?

use crate::config::profile::Profile;
use crate::denial::Denial;
use crate::explanation::{Step, StepResult};
use crate::facts::Facts;
use crate::limits::Limits;
use crate::mounts::Mount;
use crate::names::NamePattern;
use crate::network::host::HostPattern;
use crate::packages::needs::ResolvedPackage;
use crate::packages::requirement::Requirement;
use crate::request::Request;
use crate::rule::RuleName;
use crate::tier::Tier;

/// The mode: stop at the first denial, or continue to explain all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Decide,
    Explain,
}

/// The input of the checks.
pub(super) struct CheckInput<'a> {
    pub(super) request: &'a Request,
    pub(super) facts: &'a Facts,
    pub(super) profile: &'a Profile,
}

/// The draft that the checks narrow.
pub(super) struct GrantDraft {
    pub(super) limits: Limits,
    pub(super) mounts: Vec<Mount>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) kept_hosts: Option<Vec<HostPattern>>,
    pub(super) kept_tools: Option<Vec<NamePattern>>,
    pub(super) packages: Vec<Requirement>,
    pub(super) resolved: Vec<ResolvedPackage>,
    pub(super) tier: Option<(Tier, String)>,
}

/// The rules that were consulted; steps are recorded only for an explanation.
pub(super) struct Log {
    pub(super) mode: Mode,
    pub(super) rules: Vec<RuleName>,
    pub(super) steps: Vec<Step>,
}

impl GrantDraft {
    /// The full authority of the profile.
    pub(super) fn new(profile: &Profile) -> Self {
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

impl Log {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            rules: Vec::with_capacity(8),
            steps: Vec::new(),
        }
    }

    /// Records a rule that allowed something.
    pub(super) fn allowed(
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

    /// Records a denial.
    pub(super) fn denied(&mut self, denial: &Denial) {
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
