//! Validated profile: what does a profile grant once inheritance is resolved?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::names::{NamePattern, ToolRules};
use crate::findings::FindingRules;
use crate::limits::Limits;
use crate::network::rule::NetworkRules;
use crate::packages::Ecosystem;
use crate::packages::rules::PackageRules;
use crate::text::{toml_key, toml_string};
use crate::tier::{Isolation, Tier};

/// The profile that a rule belongs to, and so the place where a line that changes it has to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) name: String,
    /// True for a built-in profile, which a policy has to extend before it can change it.
    pub(crate) preset: bool,
    /// The prefix of the profile's rule names. Allocated once, because every decision names rules.
    prefix: String,
}

impl Place {
    pub(crate) fn new(name: String, preset: bool) -> Self {
        let prefix = format!("profiles.{}.", toml_key(&name));
        Self {
            name,
            preset,
            prefix,
        }
    }

    /// The rule of a key of this profile.
    pub(crate) fn rule(&self, key: &str) -> String {
        [&self.prefix, key].concat()
    }

    /// The TOML that sets keys in a section of this profile; an empty section is the profile itself.
    pub(crate) fn fix(&self, section: &str, lines: &[(&str, String)]) -> String {
        let name = toml_key(&self.name);
        let mut out = String::new();
        if self.preset {
            out = format!("[profiles.{name}]\nextends = {}\n", toml_string(&self.name));
        }
        if !section.is_empty() {
            out += &format!("[profiles.{name}.{section}]\n");
        } else if !self.preset {
            out = format!("[profiles.{name}]\n");
        }
        out + &lines
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The TOML that adds an element to an array of tables of this profile.
    pub(crate) fn fix_element(&self, section: &str, lines: &[(&str, String)]) -> String {
        let name = toml_key(&self.name);
        let extends = if self.preset {
            format!("[profiles.{name}]\nextends = {}\n", toml_string(&self.name))
        } else {
            String::new()
        };
        let lines = lines
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect::<Vec<_>>()
            .join("\n");
        format!("{extends}[[profiles.{name}.{section}]]\n{lines}")
    }
}

/// A bind mount: a directory of the host that a program sees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mount {
    /// The absolute path on the host, with no `.`, `..` or empty segments. Symlinks are not resolved: this crate does no I/O.
    pub host: String,
    /// The absolute path that the program sees.
    pub guest: String,
    /// Mounted read-write if true, else read-only.
    pub writable: bool,
}

/// The variables of a program and those that a request may add.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct EnvironmentRules {
    pub(crate) set: BTreeMap<String, String>,
    pub(crate) allow: Vec<NamePattern>,
}

/// A profile with everything inherited, validated and normalized.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) place: Place,
    pub(crate) languages: BTreeSet<String>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) min_isolation: Isolation,
    pub(crate) clock_resolution: Duration,
    pub(crate) seed: Option<u64>,
    pub(crate) limits: Limits,
    pub(crate) mounts: Vec<Mount>,
    pub(crate) environment: EnvironmentRules,
    pub(crate) network: NetworkRules,
    pub(crate) tools: ToolRules,
    pub(crate) packages: [PackageRules; 2],
    /// Digests of images by language.
    pub(crate) images: BTreeMap<String, String>,
    /// The OCI runtime of containers.
    pub(crate) runtime: Option<String>,
    /// The actions on findings.
    pub(crate) findings: FindingRules,
}

impl Profile {
    /// A profile that grants nothing, with all limits zero: the base that the root preset is applied to.
    pub(crate) fn nothing(place: Place) -> Self {
        Self {
            place,
            languages: BTreeSet::new(),
            tiers: Vec::new(),
            min_isolation: Isolation::Microvm,
            clock_resolution: Duration::ZERO,
            seed: None,
            limits: Limits::unset(),
            mounts: Vec::new(),
            environment: EnvironmentRules::default(),
            network: NetworkRules::nothing(),
            tools: ToolRules::default(),
            packages: Ecosystem::ALL.map(PackageRules::none),
            images: BTreeMap::new(),
            runtime: None,
            findings: FindingRules::new(),
        }
    }

    /// The rules for the packages of one ecosystem.
    pub(crate) fn packages(&self, ecosystem: Ecosystem) -> &PackageRules {
        let [python, javascript] = &self.packages;
        match ecosystem {
            Ecosystem::Python => python,
            Ecosystem::JavaScript => javascript,
        }
    }
}
