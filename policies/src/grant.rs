//! What may this one run do?
//!
//! A grant is the only authority there is. Its fields are private, and only the decision makes one; whoever enforces it asks it
//! again when something is only known late: an address, a tool's name.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::names::NamePattern;
use crate::config::profile::{Mount, Profile};
use crate::denial::{Denial, RuleName};
use crate::findings::{self, Finding};
use crate::limits::Limits;
use crate::network::NetworkGrant;
use crate::packages::{Requirement, ResolvedPackage};
use crate::request::Subject;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};

/// What one run may do. Made by [`Policy::admit`](crate::Policy::admit) alone.
#[derive(Clone)]
pub struct Grant {
    pub(crate) policy_digest: Arc<str>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) subject: Subject,
    pub(crate) language: String,
    pub(crate) limits: Limits,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) network: NetworkGrant,
    /// The tools that the request kept; `None` keeps all.
    pub(crate) kept_tools: Option<Vec<NamePattern>>,
    pub(crate) packages: Vec<Requirement>,
    pub(crate) resolved: Vec<ResolvedPackage>,
    pub(crate) seed: Option<u64>,
    pub(crate) tier: Tier,
    pub(crate) tier_reason: String,
    pub(crate) rules: Vec<RuleName>,
}

impl Grant {
    /// For whom.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The language.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The name of the profile that granted this.
    pub fn profile(&self) -> &str {
        &self.profile.place.name
    }

    /// The digest of the policy that granted this.
    pub fn policy_digest(&self) -> &str {
        &self.policy_digest
    }

    /// The rules that decided, in order.
    pub fn rules(&self) -> &[RuleName] {
        &self.rules
    }

    /// Where to run; nowhere else.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// Why there, in one line.
    pub fn tier_reason(&self) -> &str {
        &self.tier_reason
    }

    /// How strongly that isolates.
    pub fn isolation(&self) -> Isolation {
        self.tier.isolation()
    }

    /// What the run may use up.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same grant, after some of its time and fuel was used up on its behalf. Something is always left, so that whoever is to run says
    /// by itself which limit it hit.
    #[must_use]
    pub fn after(&self, wall: Duration, fuel: u64) -> Self {
        let mut rest = self.clone();
        rest.limits.wall = rest.limits.wall.saturating_sub(wall).max(Duration::from_millis(1));
        rest.limits.fuel = rest.limits.fuel.saturating_sub(fuel).max(1);
        rest
    }

    /// The directories of the host that the program sees, none inside another, in order of their host paths.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// All variables that the program sees, each name once. Values may be secrets: they belong in no message.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The part of the network that the program may reach, and the questions about it.
    pub fn network(&self) -> &NetworkGrant {
        &self.network
    }

    /// The packages that the request asks for, each granted.
    pub fn packages(&self) -> &[Requirement] {
        &self.packages
    }

    /// The only image that a container may start from, by its digest; none where the policy pins none.
    pub fn image(&self) -> Option<&str> {
        self.profile.images.get(&self.language).map(String::as_str)
    }

    /// The only OCI runtime that a container may be started with; none where the policy leaves it to the engine.
    pub fn runtime(&self) -> Option<&str> {
        self.profile.runtime.as_deref()
    }

    /// What that came to, with what others depend on: every package that may be there, version by version.
    pub fn resolved_packages(&self) -> &[ResolvedPackage] {
        &self.resolved
    }

    /// What fixes everything random in the run; `None` is real randomness.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The finest difference of time that the program may see.
    pub fn clock_resolution(&self) -> Duration {
        self.profile.clock_resolution
    }

    /// Whether no tool at all may be called, so that a runtime need not offer any.
    pub fn has_no_tools(&self) -> bool {
        self.profile.tools.allow.is_empty() || self.kept_tools.as_ref().is_some_and(Vec::is_empty)
    }

    /// Judges a call of a tool, by its full name.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_tool(&self, name: &str) -> Result<RuleName, Denial> {
        let rule = self.profile.tools.check(&self.profile.place, name)?;
        match &self.kept_tools {
            Some(kept) if !kept.iter().any(|pattern| pattern.matches(name)) => {
                let fix = "# the policy allows this: the request has to keep the tool";
                Err(Denial::new("request.wants.tools", format!("tool {}", quoted(name)), "the request itself kept fewer tools", fix))
            }
            _ => Ok(rule),
        }
    }

    /// Whether the program's text is to be looked at before it runs.
    pub fn wants_findings(&self) -> bool {
        self.profile.findings.is_on()
    }

    /// What there is to find in the packages that were asked for.
    pub fn package_findings(&self) -> Vec<Finding> {
        findings::of_packages(&self.profile, &self.language, &self.packages)
    }

    /// Judges what was found in a program, and leaves what is to be recorded.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_findings(&self, findings: &mut Vec<Finding>) -> Result<(), Denial> {
        findings::judge(&self.profile, findings)
    }

    /// Judges the start of this run while the subject has others running.
    ///
    /// # Errors
    ///
    /// The denial, if there are as many as the profile allows.
    pub fn check_concurrency(&self, running: u64) -> Result<RuleName, Denial> {
        let rule = self.profile.place.rule("limits.concurrency");
        if running < self.limits.concurrency {
            return Ok(RuleName::new(rule));
        }
        let asked = format!("run {} at the same time of subject `{}`", running.saturating_add(1), self.subject);
        let reason = format!("profile `{}` grants {} at the same time", self.profile(), self.limits.concurrency);
        let fix = self.profile.place.fix("limits", &[("concurrency", running.saturating_add(1).to_string())]);
        Err(Denial::new(rule, asked, reason, fix))
    }
}

/// Leaves out values of variables: they may be secrets, and debug output ends in logs.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Grant")
            .field("subject", &self.subject)
            .field("profile", &self.profile.place.name)
            .field("language", &self.language)
            .field("tier", &self.tier)
            .field("limits", &self.limits)
            .field("mounts", &self.mounts)
            .field("environment", &environment)
            .field("network", &self.network)
            .field("kept_tools", &self.kept_tools)
            .field("packages", &self.packages)
            .field("resolved", &self.resolved)
            .field("seed", &self.seed)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}
