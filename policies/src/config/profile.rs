//! Validated profile: what does a profile grant once inheritance is resolved?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::findings::FindingRules;
use crate::limits::Limits;
use crate::mounts::Mount;
use crate::names::NamePattern;
use crate::network::rules::NetworkRules;
use crate::packages::ecosystem::Ecosystem;
use crate::packages::rules::PackageRules;
use crate::rule::ProfileKey;
use crate::tier::{Isolation, Tier};
use crate::tools::ToolRules;

/// The variables of a program and those that a request may add.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct EnvironmentRules {
    pub(crate) set: BTreeMap<String, String>,
    pub(crate) allow: Vec<NamePattern>,
}

/// A profile with everything inherited, validated and normalized.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) key: ProfileKey,
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
    /// A profile that grants nothing, with all limits zero: the base that the root preset is
    /// applied to.
    pub(crate) fn nothing(key: ProfileKey) -> Self {
        Self {
            key,
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
