//! Mounts of a profile: which directories of the host does a program see?

use super::lists::limited_by;
use crate::config::rules::Profiles;
use crate::config::schema::{RawMount, RawProfile};
use crate::config::spanned::Spanned;
use crate::mounts::{Mount, check_mount, check_mount_point, is_at_or_below};
use crate::problem::Problems;
use crate::text::quoted;
use std::collections::BTreeMap;

pub(super) fn validate_mounts(raw: &[RawMount], problems: &mut Problems<'_>) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for mount in limited_by(raw, |mount| mount.host.span(), problems) {
        let Some(host) = validate_path(&mount.host, problems) else {
            continue;
        };
        let Some(guest) = validate_path(&mount.guest, problems) else {
            continue;
        };
        if let Err(reason) = check_mount(&host) {
            problems.add(&mount.host.span(), reason, None);
            continue;
        }
        if let Err(reason) = check_mount_point(&guest) {
            problems.add(&mount.guest.span(), reason, Some("/data".to_owned()));
            continue;
        }
        if guest == "/" {
            problems.add(
                &mount.guest.span(),
                "a mount needs a directory of its own, not `/`",
                Some("/data".to_owned()),
            );
            continue;
        }
        if let Some(other) = mounts.iter().find(|other| {
            is_at_or_below(&other.guest, &guest) || is_at_or_below(&guest, &other.guest)
        }) {
            let message = format!(
                "{} and {} lie inside each other",
                quoted(&guest),
                quoted(&other.guest)
            );
            problems.add(&mount.guest.span(), message, None);
            continue;
        }
        mounts.push(Mount {
            host,
            guest,
            writable: mount.write,
        });
    }
    mounts.sort();
    mounts
}

/// Refuses a directory inside another one that any profile mounts writable: a program could replace
/// it by a symlink to something else between the check of its path and the mount.
pub(super) fn validate_nesting(
    raw: &BTreeMap<Spanned<String>, RawProfile>,
    profiles: &Profiles,
    problems: &mut Problems<'_>,
) {
    let writable: BTreeMap<&str, &str> = profiles
        .iter()
        .flat_map(|(name, profile)| profile.mounts.iter().map(move |mount| (name, mount)))
        .filter(|(_, mount)| mount.writable)
        .map(|(name, mount)| (mount.host.as_str(), name.as_str()))
        .collect();
    for mount in raw
        .values()
        .filter_map(|profile| profile.mounts.as_ref())
        .flatten()
    {
        let host = mount.host.get();
        let outer = ancestors(host).find_map(|outer| writable.get_key_value(outer));
        if let Some((outer, profile)) = outer {
            let message = format!(
                "{} lies in {}, which profile {} mounts with `write = true`: its programs could replace it by a symlink; mount directories that do not lie inside each other",
                quoted(host),
                quoted(outer),
                quoted(profile)
            );
            problems.add(&mount.host.span(), message, None);
        }
    }
}

/// Returns the directories that an absolute path lies in, without the root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.char_indices()
        .filter(|(at, character)| *at > 0 && *character == '/')
        .filter_map(move |(at, _)| path.get(..at))
}

fn validate_path(path: &Spanned<String>, problems: &mut Problems<'_>) -> Option<String> {
    let text = path.get();
    let normal: Vec<&str> = text
        .split('/')
        .filter(|segment| !matches!(*segment, "" | "."))
        .collect();
    let normal = format!("/{}", normal.join("/"));
    if !text.starts_with('/')
        || text.len() > 4096
        || text.contains('\0')
        || text.split('/').any(|segment| segment == "..")
    {
        problems.add(
            &path.span(),
            format!("{} is not an absolute path without `..`", quoted(text)),
            None,
        );
        return None;
    }
    if *text != normal {
        problems.add(
            &path.span(),
            format!("{} is not in its shortest spelling", quoted(text)),
            Some(normal),
        );
        return None;
    }
    Some(normal)
}
