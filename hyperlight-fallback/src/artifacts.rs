//! Artifacts of a container run: which files of its workspace come back?
//!
//! The archive is untrusted and is validated entry by entry.

use globset::GlobSet;
use glovebox::Artifact;
use std::io::Read as _;

/// Maximum artifacts of one run.
const MAX_ARTIFACTS: usize = 1000;

/// Maximum entries of an archive that are read.
const MAX_ENTRIES: usize = 200_000;

/// Returns the regular files of an archive that match the patterns, and whether there were more
/// than the limits allow.
///
/// Symlinks, hard links, devices and paths outside the workspace are skipped.
pub(crate) fn artifacts(
    archive: &[u8],
    patterns: &GlobSet,
    max_bytes: u64,
) -> (Vec<Artifact>, bool) {
    let (mut found, mut is_truncated, mut bytes) = (Vec::<Artifact>::new(), false, 0);
    let mut reader = tar::Archive::new(archive);
    let Ok(entries) = reader.entries() else {
        return (found, true);
    };
    for (count, entry) in entries.enumerate() {
        let Some(mut entry) = entry.ok().filter(|_| count < MAX_ENTRIES) else {
            is_truncated = true;
            break;
        };
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        let Some(path) = entry.path().ok().and_then(|path| relative(&path)) else {
            continue;
        };
        if !patterns.is_match(&path) || found.iter().any(|other| other.path == path) {
            continue;
        }
        bytes += entry.size();
        if bytes > max_bytes || found.len() >= MAX_ARTIFACTS {
            is_truncated = true;
            break;
        }
        let mut content = Vec::new();
        if entry.read_to_end(&mut content).is_err() {
            is_truncated = true;
            break;
        }
        found.push(Artifact { path, content });
    }
    (found, is_truncated)
}

/// Returns the path relative to the workspace, if it is inside and normalized.
fn relative(path: &std::path::Path) -> Option<String> {
    use std::path::Component;
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str()?),
            _ => return None,
        }
    }
    (!names.is_empty()).then(|| names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use globset::{Glob, GlobSetBuilder};

    fn all() -> GlobSet {
        GlobSetBuilder::new()
            .add(Glob::new("**").unwrap())
            .build()
            .unwrap()
    }

    fn entry(
        builder: &mut tar::Builder<Vec<u8>>,
        name: &[u8],
        kind: tar::EntryType,
        content: &[u8],
        link: &str,
    ) {
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        header.set_mode(0o6755);
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        header.set_cksum();
        builder.append(&header, content).unwrap();
    }

    /// Rows FS22, FS23, FS25 and FS26: a program's output is untrusted data, and only regular files
    /// of the workspace come back.
    #[test]
    fn only_regular_files_inside_come_back() {
        use tar::EntryType;
        let mut builder = tar::Builder::new(Vec::new());
        entry(&mut builder, b"./", EntryType::Directory, b"", "");
        entry(&mut builder, b"./a.txt", EntryType::Regular, b"one", "");
        entry(&mut builder, b"./d/b.txt", EntryType::Regular, b"two", "");
        entry(&mut builder, b"../x", EntryType::Regular, b"out", "");
        entry(&mut builder, b"/etc/x", EntryType::Regular, b"out", "");
        entry(&mut builder, b"d/../../x", EntryType::Regular, b"out", "");
        entry(
            &mut builder,
            b"link",
            EntryType::Symlink,
            b"",
            "/etc/shadow",
        );
        entry(&mut builder, b"hard", EntryType::Link, b"", "a.txt");
        entry(&mut builder, b"dev", EntryType::Char, b"", "");
        entry(&mut builder, b"pipe", EntryType::Fifo, b"", "");
        entry(&mut builder, b"./a.txt", EntryType::Regular, b"again", "");
        entry(
            &mut builder,
            b"bad\xff",
            EntryType::Regular,
            b"not UTF-8",
            "",
        );
        let bytes = builder.into_inner().unwrap();
        let (found, is_truncated) = artifacts(&bytes, &all(), 1000);
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.path.as_str(), one.content.as_slice()))
            .collect();
        assert_eq!(found, [("a.txt", b"one".as_slice()), ("d/b.txt", b"two")]);
        assert!(!is_truncated);
        let (found, is_truncated) = artifacts(&bytes, &all(), 4);
        assert_eq!((found.len(), is_truncated), (1, true));
        let half = &bytes[..bytes.len() / 3];
        artifacts(half, &all(), 1000);
        assert!(
            artifacts(
                b"no archive at all, but long enough to look like one",
                &all(),
                1000
            )
            .0
            .is_empty()
        );
    }
}
