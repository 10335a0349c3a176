//! Inheritance of profiles: what does each profile start from?

use std::collections::BTreeMap;
use std::sync::Arc;

use super::profile::validate_profile;
use crate::config::profile::Profile;
use crate::config::rules::Profiles;
use crate::config::schema::RawProfile;
use crate::config::spanned::Spanned;
use crate::names::is_profile_name;
use crate::problem::Problems;
use crate::rule::{Origin, ProfileKey};
use crate::text::{closest, quoted};

/// The most profiles of one config. With [`MAX_DEPTH`] and the bound of lists it bounds what a
/// small text can grow to by inheritance.
const MAX_PROFILES: usize = 128;

/// The maximum length of a chain of `extends`.
const MAX_DEPTH: usize = 16;

/// The preset that a profile without `extends` starts from.
const ROOT: &str = "deny-all";

pub(super) fn validate_profiles(
    raw: &BTreeMap<Spanned<String>, RawProfile>,
    presets: &Profiles,
    origin: Origin,
    problems: &mut Problems<'_>,
) -> Profiles {
    if let Some((name, _)) = raw.iter().nth(MAX_PROFILES) {
        problems.add(
            &name.span(),
            format!("there are more than {MAX_PROFILES} profiles"),
            None,
        );
    }
    let own: BTreeMap<&str, (&Spanned<String>, &RawProfile)> = raw
        .iter()
        .take(MAX_PROFILES)
        .map(|(name, profile)| (name.get().as_str(), (name, profile)))
        .collect();
    let mut done = Profiles::new();
    for (name, _) in own.values() {
        if !is_profile_name(name.get()) {
            problems.add(
                &name.span(),
                format!(
                    "{} is not a profile's name (lower-case letters, digits, `-`, `_`)",
                    quoted(name.get())
                ),
                None,
            );
        }
        let (chain, base) = inheritance(name, &own, presets, problems);
        let mut parent = base.or_else(|| presets.get(ROOT).cloned());
        for (name, raw) in chain.into_iter().rev() {
            let finished = done.get(name.get()).cloned();
            parent = Some(finished.unwrap_or_else(|| {
                let key = ProfileKey::new(name.get().clone(), origin);
                let start = parent.as_deref().cloned();
                let profile = Arc::new(validate_profile(key, start, raw, problems));
                done.insert(name.get().clone(), Arc::clone(&profile));
                profile
            }));
        }
    }
    presets.iter().for_each(|(name, preset)| {
        done.entry(name.clone())
            .or_insert_with(|| Arc::clone(preset));
    });
    done
}

/// The inheritance chain from this profile to its last ancestor in the file, and the preset below
/// that. Where inheritance is broken the chain ends and the root preset takes over, so that the
/// profiles' other problems are found as well.
type Chain<'a> = (
    Vec<(&'a Spanned<String>, &'a RawProfile)>,
    Option<Arc<Profile>>,
);

fn inheritance<'a>(
    name: &'a Spanned<String>,
    own: &BTreeMap<&str, (&'a Spanned<String>, &'a RawProfile)>,
    presets: &Profiles,
    problems: &mut Problems<'_>,
) -> Chain<'a> {
    let mut chain: Vec<(&Spanned<String>, &RawProfile)> = Vec::new();
    let mut next = own.get(name.get().as_str()).copied();
    while let Some((name, raw)) = next {
        chain.push((name, raw));
        let Some(extends) = &raw.extends else { break };
        let target = extends.get().as_str();
        // A profile that extends its own name extends the preset that it shadows.
        let in_file = own.get(target).filter(|_| target != name.get());
        match (in_file, presets.get(target)) {
            (Some((found, _)), _)
                if chain
                    .iter()
                    .any(|(earlier, _)| earlier.get() == found.get()) =>
            {
                // Every profile of a cycle leads here, and so do those that lead into it; one
                // report is enough.
                if chain
                    .iter()
                    .all(|(earlier, _)| found.get() <= earlier.get())
                {
                    let message = format!(
                        "profile {} extends itself through {}",
                        quoted(found.get()),
                        quoted(name.get())
                    );
                    problems.add(&extends.span(), message, None);
                }
                break;
            }
            (Some(_), _) if chain.len() >= MAX_DEPTH => {
                problems.add(
                    &extends.span(),
                    format!("the chain of `extends` is longer than {MAX_DEPTH}"),
                    None,
                );
                break;
            }
            (Some(found), _) => next = Some(*found),
            (None, Some(preset)) => return (chain, Some(Arc::clone(preset))),
            (None, None) => {
                let names = own
                    .keys()
                    .copied()
                    .chain(presets.keys().map(String::as_str))
                    .filter(|known| known != name.get());
                let suggestion = closest(target, names).map(str::to_owned);
                problems.add(
                    &extends.span(),
                    format!("there is no profile {} to extend", quoted(target)),
                    suggestion,
                );
                break;
            }
        }
    }
    (chain, None)
}
