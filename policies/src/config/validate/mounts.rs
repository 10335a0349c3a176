//! Mounts of a profile: which directories of the host does a program see?

use super::lists::limited_by;
use crate::config::schema::RawMount;
use crate::config::spanned::Spanned;
use crate::mounts::{Mount, check_mount, is_at_or_below};
use crate::problem::Problems;
use crate::text::quoted;

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
