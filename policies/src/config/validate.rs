//! Validation of a config: how do the raw structures become profiles?
//!
//! Units, ranges and names are checked, and inheritance is resolved, in the modules below; each
//! validates one resource. All problems are collected; a value with a problem is left out, and the
//! whole config is refused if there was one.

mod bindings;
mod environment;
mod findings;
mod inheritance;
mod limits;
mod lists;
mod mounts;
mod network;
mod packages;
mod profile;
mod quotas;
mod tools;

use bindings::validate_bindings;
use inheritance::validate_profiles;
use mounts::validate_nesting;
use quotas::validate_quotas;

use super::rules::{Profiles, Rules};
use super::schema::RawPolicy;
use super::spanned::Spanned;
use crate::problem::Problems;
use crate::rule::Origin;
use crate::text::{closest, quoted};

/// Validates a whole config. `presets` can be used and extended; a config of origin
/// [`Origin::Preset`] defines them itself.
pub(crate) fn validate(
    raw: &RawPolicy,
    presets: &Profiles,
    origin: Origin,
    problems: &mut Problems<'_>,
) -> Rules {
    match &raw.version {
        None => problems.add(
            &(0..0),
            "missing key `version`",
            Some("version = 1".to_owned()),
        ),
        Some(version) if *version.get() != 1 => {
            problems.add(
                &version.span(),
                format!("version {} is not known", version.get()),
                Some("1".to_owned()),
            );
        }
        Some(_) => {}
    }
    let profiles = validate_profiles(&raw.profiles, presets, origin, problems);
    validate_nesting(&raw.profiles, &profiles, problems);
    let known = |name: &Spanned<String>, problems: &mut Problems<'_>| {
        let exists = profiles.contains_key(name.get());
        if !exists {
            let suggestion =
                closest(name.get(), profiles.keys().map(String::as_str)).map(str::to_owned);
            problems.add(
                &name.span(),
                format!("there is no profile {}", quoted(name.get())),
                suggestion,
            );
        }
        exists.then(|| name.get().clone())
    };
    let default_profile = raw
        .default_profile
        .as_ref()
        .and_then(|name| known(name, problems));
    let bindings = validate_bindings(&raw.bindings, known, problems);
    Rules {
        default_profile,
        has_bound_quotas: bindings.iter().any(|binding| !binding.quotas.is_empty()),
        bindings,
        profiles,
        quotas: validate_quotas(&raw.quotas, problems),
    }
}
