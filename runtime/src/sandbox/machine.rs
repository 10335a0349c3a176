//! Facts of the machine: which tiers are there, and which are known to work?

use glovebox_policy::{Facts, Tier, TierFacts};
use std::sync::Arc;

/// The tiers of a sandbox at one moment. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    pub(super) facts: Arc<Facts>,
    /// Tiers that are not connected yet, whose facts are assumptions.
    assumed: Vec<Tier>,
}

impl Machine {
    /// `assumed` are the tiers whose facts are assumptions.
    pub(super) fn new(tiers: Vec<TierFacts>, assumed: Vec<Tier>) -> Self {
        Self {
            facts: Arc::new(Facts {
                tiers,
                ..Facts::default()
            }),
            assumed,
        }
    }

    /// Returns the tiers that are not connected yet.
    pub(super) fn assumed(&self) -> &[Tier] {
        &self.assumed
    }

    /// Replaces assumptions on a tier by its facts. A tier that was taken out of service stays out.
    pub(super) fn connected(&mut self, found: TierFacts) {
        let tier = found.tier;
        if !self.assumed.contains(&tier) {
            return;
        }
        self.assumed.retain(|assumed| *assumed != tier);
        self.change(tier, |known| {
            let out = known.unavailable.take();
            *known = found.clone();
            known.unavailable = out.or(known.unavailable.take());
        });
    }

    /// Changes the facts of a tier.
    pub(super) fn change(&mut self, tier: Tier, change: impl Fn(&mut TierFacts)) {
        let mut facts = Facts::clone(&self.facts);
        let known = facts.tiers.iter_mut().filter(|known| known.tier == tier);
        known.for_each(change);
        self.facts = Arc::new(facts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_replace_assumptions_once() {
        let assumed = TierFacts::new(Tier::Container, ["python", "shell"]);
        let wasm = TierFacts::new(Tier::Wasm, ["python"]);
        let machine = Machine::new(vec![wasm, assumed.clone()], vec![Tier::Container]);
        let found = TierFacts::new(Tier::Container, ["shell"]);

        let mut connected = machine.clone();
        connected.connected(found.clone());
        assert_eq!(connected.facts.tiers.last(), Some(&found));
        assert!(connected.assumed().is_empty());
        connected.connected(assumed);
        assert_eq!(connected.facts.tiers.last(), Some(&found));

        let mut out_of_service = machine;
        out_of_service.change(Tier::Container, |known| {
            known.unavailable = Some("out of service".to_owned());
        });
        out_of_service.connected(found.clone());
        let expected = TierFacts {
            unavailable: Some("out of service".to_owned()),
            ..found
        };
        assert_eq!(out_of_service.facts.tiers.last(), Some(&expected));
    }
}
