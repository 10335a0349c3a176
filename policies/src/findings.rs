//! Findings of static analysis: what does a profile do about suspicious program text?
//!
//! Findings are a signal and never the security boundary: an attacker can evade them, and their
//! absence proves nothing. A policy may record them, or deny programs that have them.

use std::fmt;

use crate::denial::Denial;
use crate::packages::requirement::Requirement;
use crate::packages::rules::PackageRules;
use crate::rule::ProfileKey;
use crate::text::{quoted, toml_string};

/// The severity: how likely it is that a finding means harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Ordinary programs do it as well.
    Low,
    /// Few ordinary programs do it.
    Medium,
    /// No ordinary program has a reason for it.
    High,
}

impl Severity {
    /// All severities, in ascending order.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The severity of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A suspicious pattern that was detected in a request before it ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding, such as `process-spawn`.
    pub rule: String,
    /// The line of the program; `None` if it is about something else.
    pub line: Option<u32>,
    /// The likelihood of harm.
    pub severity: Severity,
    /// The description, in a sentence.
    pub message: String,
}

/// The action of a profile on a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Ignore,
    Record,
    Deny,
}

impl Action {
    pub(crate) const ALL: [Self; 3] = [Self::Ignore, Self::Record, Self::Deny];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ignore => "ignore",
            Self::Record => "record",
            Self::Deny => "deny",
        }
    }
}

/// A profile's actions, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FindingRules([Action; 3]);

impl FindingRules {
    pub(crate) fn new() -> Self {
        Self([Action::Record; 3])
    }

    pub(crate) fn set(&mut self, severity: Severity, action: Action) {
        let [low, medium, high] = &mut self.0;
        *match severity {
            Severity::Low => low,
            Severity::Medium => medium,
            Severity::High => high,
        } = action;
    }

    pub(crate) fn entries(self) -> impl Iterator<Item = (Severity, Action)> {
        Severity::ALL.into_iter().zip(self.0)
    }

    fn of(self, severity: Severity) -> Action {
        self.entries()
            .find(|(other, _)| *other == severity)
            .map_or(Action::Deny, |(_, action)| action)
    }

    /// Returns whether the analysis runs at all.
    pub(crate) fn is_on(self) -> bool {
        self.0 != [Action::Ignore; 3]
    }

    /// Retains the findings that the profile records, and judges them.
    pub(crate) fn check(
        self,
        profile: &ProfileKey,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Denial> {
        findings.retain(|finding| self.of(finding.severity) != Action::Ignore);
        let Some(worst) = findings
            .iter()
            .find(|finding| self.of(finding.severity) == Action::Deny)
        else {
            return Ok(());
        };
        let line = worst
            .line
            .map(|line| format!(" in line {line}"))
            .unwrap_or_default();
        let reason = format!(
            "profile {} refuses programs with such findings: {}",
            quoted(&profile.name),
            worst.message
        );
        let fix = profile.fix(
            "findings",
            &[(worst.severity.name(), toml_string(Action::Record.name()))],
        );
        Err(Denial::new(
            profile.rule(&format!("findings.{}", worst.severity)),
            format!("a program with the finding {}{line}", quoted(&worst.rule)),
            reason,
            fix,
        ))
    }
}

/// Returns findings for packages whose name can be mistaken for a well-known one (typosquatting).
pub(crate) fn of_packages(rules: &PackageRules, packages: &[Requirement]) -> Vec<Finding> {
    let looks =
        |package: &Requirement| Some((package.name().to_owned(), rules.lookalike(package.name())?));
    let finding = |(name, known): (String, &str)| Finding {
        rule: "lookalike-package".to_owned(),
        line: None,
        severity: Severity::Medium,
        message: format!(
            "the package {} has a name that looks like `{known}`",
            quoted(&name)
        ),
    };
    packages.iter().filter_map(looks).map(finding).collect()
}
