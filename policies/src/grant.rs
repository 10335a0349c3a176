//! Grant, the capability of one run: what may it do?
//!
//! A grant is the only authority in the system. Its fields are private, and only the decision
//! constructs one; its enforcer calls it again for late checks of what is known only at run time:
//! an address, a tool's name.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::config::profile::Profile;
use crate::denial::Denial;
use crate::findings::{self, Finding};
use crate::languages::Language;
use crate::limits::{Limit, LimitHit, LimitSource, LimitWishes, Limits};
use crate::mounts::Mount;
use crate::names::NamePattern;
use crate::network::grant::NetworkGrant;
use crate::packages::needs::ResolvedPackage;
use crate::packages::requirement::Requirement;
use crate::request::Subject;
use crate::rule::RuleName;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};

/// The authority of one run. Made by [`Policy::admit`](crate::Policy::admit) alone.
#[derive(Clone)]
pub struct Grant {
    pub(crate) policy_digest: Arc<str>,
    pub(crate) profile: Arc<Profile>,
    pub(crate) subject: Subject,
    pub(crate) language: String,
    pub(crate) limits: Limits,
    /// The limits that the request asked for.
    pub(crate) wishes: LimitWishes,
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
    /// The subject that it was granted to.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The language.
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The name of the profile that granted this.
    pub fn profile(&self) -> &str {
        &self.profile.key.name
    }

    /// The digest of the policy that granted this.
    pub fn policy_digest(&self) -> &str {
        &self.policy_digest
    }

    /// The rules that decided, in order.
    pub fn rules(&self) -> &[RuleName] {
        &self.rules
    }

    /// The only tier to run in.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// The tiers that the profile prefers to that one, and that were passed over.
    pub fn passed_over(&self) -> impl Iterator<Item = Tier> + '_ {
        let tiers = self.profile.tiers.iter().copied();
        tiers.take_while(|tier| *tier != self.tier)
    }

    /// The reason for that tier, in one line.
    pub fn tier_reason(&self) -> &str {
        &self.tier_reason
    }

    /// The isolation of that tier.
    pub fn isolation(&self) -> Isolation {
        self.tier.isolation()
    }

    /// The resource limits of the run.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns what a limit that a run reached was: the amount that was granted before anything was
    /// used, and whether the request or the profile set it.
    pub fn limit_hit(&self, limit: Limit) -> LimitHit {
        let profile = self.profile.limits.get(limit);
        let wished = self.wishes.get(limit).filter(|_| profile.is_some());
        let source = match (wished, profile) {
            (_, None) => LimitSource::BuiltIn,
            (Some(wished), Some(profile)) if wished < profile => LimitSource::Request,
            (_, Some(_)) => LimitSource::Profile,
        };
        LimitHit {
            limit,
            granted: wished.or(profile),
            source,
        }
    }

    /// Returns the same grant with its limits [less](Limits::after) this time and fuel.
    #[must_use]
    pub fn after(&self, wall: Duration, fuel: u64) -> Self {
        let mut rest = self.clone();
        rest.limits = rest.limits.after(wall, fuel);
        rest
    }

    /// The bind mounts that the program sees, none inside another, in order of their host paths.
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// All environment variables of the program, each name once. Values may be secrets: keep them
    /// out of messages.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The network access of the program, and its late checks.
    pub fn network(&self) -> &NetworkGrant {
        &self.network
    }

    /// The requested packages, each granted.
    pub fn packages(&self) -> &[Requirement] {
        &self.packages
    }

    /// The only image that a container may start from, by its digest; `None` if the policy pins
    /// none.
    pub fn image(&self) -> Option<&str> {
        self.profile.images.get(&self.language).map(String::as_str)
    }

    /// The only OCI runtime that may start the container; `None` for the engine's default.
    pub fn runtime(&self) -> Option<&str> {
        self.profile.runtime.as_deref()
    }

    /// The resolved packages with their transitive dependencies: every package that may be
    /// installed, by exact version.
    pub fn resolved_packages(&self) -> &[ResolvedPackage] {
        &self.resolved
    }

    /// The random seed of the run; `None` uses the operating system's randomness.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// The resolution of the clocks that the program may read.
    pub fn clock_resolution(&self) -> Duration {
        self.profile.clock_resolution
    }

    /// Returns whether no tool at all may be called, so that a runtime need not offer any.
    pub fn has_no_tools(&self) -> bool {
        self.profile.tools.allow.is_empty() || self.kept_tools.as_ref().is_some_and(Vec::is_empty)
    }

    /// Judges a tool call by the tool's full name.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_tool(&self, name: &str) -> Result<RuleName, Denial> {
        let rule = self.profile.tools.check(&self.profile.key, name)?;
        match &self.kept_tools {
            Some(kept) if !kept.iter().any(|pattern| pattern.matches(name)) => {
                let fix = "# the policy allows this: the request has to keep the tool";
                Err(Denial::new(
                    "request.wants.tools",
                    format!("tool {}", quoted(name)),
                    "the request itself kept fewer tools",
                    fix,
                ))
            }
            _ => Ok(rule),
        }
    }

    /// Returns whether the program's text is analysed before it runs.
    pub fn wants_findings(&self) -> bool {
        self.profile.findings.is_on()
    }

    /// The findings in the requested packages.
    pub fn package_findings(&self) -> Vec<Finding> {
        match Language::ecosystem_of(&self.language) {
            Some(ecosystem) => {
                findings::of_packages(self.profile.packages(ecosystem), &self.packages)
            }
            None => Vec::new(),
        }
    }

    /// Judges the findings in a program, and retains those that are recorded.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn check_findings(&self, findings: &mut Vec<Finding>) -> Result<(), Denial> {
        self.profile.findings.check(&self.profile.key, findings)
    }

    /// Judges the start of this run while the subject has others running.
    ///
    /// # Errors
    ///
    /// The denial, if as many run as the profile allows.
    pub fn check_concurrency(&self, running: u64) -> Result<RuleName, Denial> {
        let rule = self.profile.key.rule("limits.concurrency");
        if running < self.limits.concurrency {
            return Ok(RuleName::new(rule));
        }
        let asked = format!(
            "run {} at the same time of subject `{}`",
            running.saturating_add(1),
            self.subject
        );
        let reason = format!(
            "profile `{}` grants {} at the same time",
            self.profile(),
            self.limits.concurrency
        );
        let fix = self.profile.key.fix(
            "limits",
            &[("concurrency", running.saturating_add(1).to_string())],
        );
        Err(Denial::new(rule, asked, reason, fix))
    }
}

/// Omits values of environment variables: they may be secrets, and debug output is logged.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let environment: Vec<&str> = self
            .environment
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        f.debug_struct("Grant")
            .field("subject", &self.subject)
            .field("profile", &self.profile.key.name)
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
