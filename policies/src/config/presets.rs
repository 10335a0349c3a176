//! Presets: which profiles are built in?

use std::sync::LazyLock;

use super::parse::parse;
use super::rules::Profiles;
use super::validate::validate;
use crate::problem::{ConfigError, Problems};
use crate::rule::Origin;

/// The presets' texts by name, each after the one that it extends.
pub(crate) const TEXTS: [(&str, &str); 5] = [
    ("deny-all", include_str!("../../presets/deny-all.toml")),
    ("offline", include_str!("../../presets/offline.toml")),
    ("default", include_str!("../../presets/default.toml")),
    ("agent", include_str!("../../presets/agent.toml")),
    ("judge", include_str!("../../presets/judge.toml")),
];

/// The presets as profiles. A test proves that their texts are valid; if they were not, there would
/// be none, and everything is denied.
pub(crate) fn presets() -> &'static Profiles {
    static PRESETS: LazyLock<Profiles> = LazyLock::new(|| load().unwrap_or_default());
    &PRESETS
}

fn load() -> Result<Profiles, ConfigError> {
    let mut profiles = Profiles::new();
    for (name, text) in TEXTS {
        let mut problems = Problems::new(name, text);
        let rules = parse(text, &mut problems)
            .map(|raw| validate(&raw, &profiles, Origin::Preset, &mut problems));
        problems.into_result()?;
        profiles = rules.map(|rules| rules.profiles).unwrap_or_default();
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_presets_load_and_bound_everything() {
        let profiles = load().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            profiles.keys().collect::<Vec<_>>(),
            ["agent", "default", "deny-all", "judge", "offline"]
        );
        for profile in profiles.values() {
            for (name, amount) in profile.limits.entries() {
                assert!(
                    !amount.is_zero(),
                    "{} has no limit `{name}`",
                    profile.key.name
                );
            }
            assert!(!profile.clock_resolution.is_zero());
            let network = profile.network.limits;
            assert!(network.response > 0 && network.request > 0 && !network.timeout.is_zero());
            assert!(
                profile.network.allow.is_empty() && profile.mounts.is_empty(),
                "presets open nothing to the outside"
            );
        }
    }
}
