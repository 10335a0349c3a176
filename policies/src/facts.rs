//! Facts: what does this machine offer, and what does a program need?

use crate::packages::needs::{Needs, TierNeeds};
use crate::tier::Tier;

/// The capabilities of this machine and the needs of the program, gathered by the caller: the
/// decision itself does no I/O.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The tiers, in any order. A tier that is missing is not built in.
    pub tiers: Vec<TierFacts>,
    /// The needs of the program of this request; empty if they were not resolved.
    pub needs: Needs,
}

/// The capabilities of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierFacts {
    /// The tier.
    pub tier: Tier,
    /// The languages that it can run, such as `python`.
    pub languages: Vec<String>,
    /// The reason why it cannot be used here; `None` if it was probed and works.
    pub unavailable: Option<String>,
    /// The OCI runtimes that are available here, such as `runc`.
    pub runtimes: Vec<String>,
}

impl TierFacts {
    /// Describes a tier that works.
    pub fn new<S: Into<String>>(tier: Tier, languages: impl IntoIterator<Item = S>) -> Self {
        let languages = languages.into_iter().map(Into::into).collect();
        Self {
            tier,
            languages,
            unavailable: None,
            runtimes: Vec::new(),
        }
    }
}

impl Facts {
    /// Describes a machine with the WebAssembly tier only, able to run these languages.
    pub fn wasm<S: Into<String>>(languages: impl IntoIterator<Item = S>) -> Self {
        Self {
            tiers: vec![TierFacts::new(Tier::Wasm, languages)],
            needs: Needs::default(),
        }
    }

    /// Returns the needs of the program in one tier, if they were resolved.
    pub(crate) fn needs_in(&self, tier: Tier) -> Option<&TierNeeds> {
        self.needs.tiers.iter().find(|needs| needs.tier == tier)
    }
}
