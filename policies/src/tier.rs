//! Where can a grant run, and how strong is each place?

use serde::Deserialize;

use crate::packages::{Needs, TierNeeds};

/// The kind of place that a run is put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A WebAssembly guest inside the host process.
    Wasm,
    /// A container on the host's kernel.
    Container,
    /// A virtual machine with a kernel of its own, or none.
    Microvm,
}

/// How much has to break before a guest reaches the host: the weakest first.
///
/// The order asks what hostile code can touch, not how fashionable the technique is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// The guest makes system calls: one bug in any of some 300 calls of the shared kernel is enough.
    Container,
    /// The guest makes no system call at all, only the few typed calls that it is given: a bug in the compiler or in one of
    /// those calls is needed, and the host process stands behind it.
    Wasm,
    /// The processor separates the guest's memory and privileges: a bug in the hypervisor or its small device model is needed.
    Microvm,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Wasm, Self::Container, Self::Microvm];

    /// The name in configs, requests and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wasm => "wasm",
            Self::Container => "container",
            Self::Microvm => "microvm",
        }
    }

    /// The tier of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }

    /// How strongly this tier isolates.
    pub fn isolation(self) -> Isolation {
        match self {
            Self::Wasm => Isolation::Wasm,
            Self::Container => Isolation::Container,
            Self::Microvm => Isolation::Microvm,
        }
    }
}

impl Isolation {
    /// All levels, the weakest first.
    pub const ALL: [Self; 3] = [Self::Container, Self::Wasm, Self::Microvm];

    /// The name in configs, requests and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Wasm => "wasm",
            Self::Microvm => "microvm",
        }
    }

    /// The level of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::fmt::Display for Isolation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What this machine offers and a program needs, found out by whoever can look: the decision itself looks at nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The tiers, in any order. A tier that is missing is not built in.
    pub tiers: Vec<TierFacts>,
    /// What the program of this one request needs; nothing where nobody has looked.
    pub needs: Needs,
}

/// What is known of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierFacts {
    /// Which tier.
    pub tier: Tier,
    /// The languages that it can run, such as `python`.
    pub languages: Vec<String>,
    /// Why it cannot be used here, or `None` if it was tried and works.
    pub unavailable: Option<String>,
    /// The OCI runtimes that start containers here, such as `runc`.
    pub runtimes: Vec<String>,
}

impl TierFacts {
    /// A tier that works.
    pub fn new<S: Into<String>>(tier: Tier, languages: impl IntoIterator<Item = S>) -> Self {
        let languages = languages.into_iter().map(Into::into).collect();
        Self { tier, languages, unavailable: None, runtimes: Vec::new() }
    }
}

impl Facts {
    /// A machine with the WebAssembly tier only, able to run these languages.
    pub fn wasm<S: Into<String>>(languages: impl IntoIterator<Item = S>) -> Self {
        Self { tiers: vec![TierFacts::new(Tier::Wasm, languages)], needs: Needs::default() }
    }

    /// What the program needs in one tier, as far as somebody has looked.
    pub(crate) fn needs_in(&self, tier: Tier) -> Option<&TierNeeds> {
        self.needs.tiers.iter().find(|needs| needs.tier == tier)
    }
}
