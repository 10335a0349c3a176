//! Read-only archive (mapped tar): how is a tree such as a standard library served without a system
//! call?
//!
//! From an uncompressed tar archive that is memory-mapped: it is indexed once in a process, and all
//! runs share the index and the bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use super::content::as_usize;
use super::error::ArchiveError;
use super::names::check_name;

mod tar;

/// Nodes in one archive. Protects the host's memory from a malicious archive.
const NODES_MAX: usize = 1 << 20;

/// Bytes of one node with its name in its directory.
const NODE_BYTES: u64 = 128;

/// The number of the root directory in an archive.
pub(super) const ROOT: u32 = 0;

/// An indexed tar archive.
#[derive(Debug)]
pub(crate) struct Archive {
    bytes: Bytes,
    nodes: Vec<ArchiveNode>,
}

#[derive(Debug)]
struct ArchiveNode {
    modified: Duration,
    kind: ArchiveKind,
}

#[derive(Debug)]
enum ArchiveKind {
    /// The entries, sorted by name.
    Directory(Vec<(Box<str>, u32)>),
    /// The range of the content in the archive.
    File { start: usize, length: usize },
}

impl Default for Archive {
    /// Returns an empty directory.
    fn default() -> Self {
        Self {
            nodes: IndexDraft::default().finish(),
            bytes: Bytes::new(),
        }
    }
}

impl Archive {
    /// Indexes the headers of an uncompressed tar archive (ustar, with GNU and pax long names).
    ///
    /// # Errors
    /// If it is damaged or has anything but files and directories with distinct, relative names.
    pub(crate) fn index(bytes: Bytes) -> Result<Self, ArchiveError> {
        let mut draft = IndexDraft::default();
        for entry in tar::entries(&bytes) {
            draft.add(entry?)?;
        }
        Ok(Self {
            nodes: draft.finish(),
            bytes,
        })
    }

    /// Returns the approximate memory of the index, without the archive itself.
    pub(crate) fn index_bytes(&self) -> u64 {
        super::content::as_u64(self.nodes.len()).saturating_mul(NODE_BYTES)
    }

    /// Returns the number of files and directories, including the root.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the node `name` in the directory `node`; none if that is no directory.
    pub(super) fn child(&self, node: u32, name: &str) -> Option<u32> {
        let children = self.children(node)?;
        let at = children
            .binary_search_by(|(child, _)| (**child).cmp(name))
            .ok()?;
        children.get(at).map(|(_, child)| *child)
    }

    /// Returns the child at position `at` of the directory `node`, in the order of the names.
    pub(super) fn child_at(&self, node: u32, at: usize) -> Option<(&str, u32)> {
        self.children(node)?
            .get(at)
            .map(|(name, child)| (&**name, *child))
    }

    /// Returns whether `node` is a directory.
    pub(super) fn is_directory(&self, node: u32) -> bool {
        self.children(node).is_some()
    }

    /// Returns the content of a file, without a copy; empty for a directory.
    pub(super) fn content(&self, node: u32) -> Bytes {
        match self.node(node).map(|node| &node.kind) {
            Some(ArchiveKind::File { start, length }) => {
                self.bytes.slice(*start..start.saturating_add(*length))
            }
            _ => Bytes::new(),
        }
    }

    /// Returns the size in bytes and the modification time.
    pub(super) fn stat(&self, node: u32) -> (u64, Duration) {
        match self.node(node) {
            Some(ArchiveNode {
                modified,
                kind: ArchiveKind::File { length, .. },
            }) => (super::content::as_u64(*length), *modified),
            Some(ArchiveNode { modified, .. }) => (0, *modified),
            None => (0, Duration::ZERO),
        }
    }

    fn children(&self, node: u32) -> Option<&[(Box<str>, u32)]> {
        match &self.node(node)?.kind {
            ArchiveKind::Directory(children) => Some(children),
            ArchiveKind::File { .. } => None,
        }
    }

    fn node(&self, node: u32) -> Option<&ArchiveNode> {
        self.nodes.get(as_usize(u64::from(node)))
    }
}

/// The tree in construction.
#[derive(Debug)]
struct IndexDraft {
    nodes: Vec<(Duration, DraftKind)>,
}

#[derive(Debug)]
enum DraftKind {
    Directory(BTreeMap<Box<str>, usize>),
    File { start: usize, length: usize },
}

impl Default for IndexDraft {
    fn default() -> Self {
        Self {
            nodes: vec![(Duration::ZERO, DraftKind::Directory(BTreeMap::new()))],
        }
    }
}

impl IndexDraft {
    fn add(&mut self, entry: tar::ArchiveMember) -> Result<(), ArchiveError> {
        let mut parts = entry
            .name
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .peekable();
        let mut at = 0;
        while let Some(part) = parts.next() {
            if check_name(part).is_err() || part == ".." {
                return Err(ArchiveError::Name(entry.at));
            }
            let last = parts.peek().is_none();
            let next = self.nodes.len();
            let Some((_, DraftKind::Directory(children))) = self.nodes.get_mut(at) else {
                return Err(ArchiveError::Duplicate(entry.name.clone()));
            };
            let known = children.get(part).copied();
            at = match known {
                Some(known) if last && entry.file.is_some() => {
                    let _ = known;
                    return Err(ArchiveError::Duplicate(entry.name.clone()));
                }
                Some(known) => known,
                None => {
                    if next >= NODES_MAX {
                        return Err(ArchiveError::TooMany);
                    }
                    children.insert(part.into(), next);
                    let kind = match entry.file {
                        Some((start, length)) if last => DraftKind::File { start, length },
                        _ => DraftKind::Directory(BTreeMap::new()),
                    };
                    self.nodes.push((entry.modified, kind));
                    next
                }
            };
        }
        match self.nodes.get_mut(at) {
            Some((modified, DraftKind::Directory(_))) if entry.file.is_none() => {
                *modified = entry.modified
            }
            Some((_, DraftKind::File { .. })) if entry.file.is_some() => {}
            _ => return Err(ArchiveError::Duplicate(entry.name)),
        }
        Ok(())
    }

    fn finish(self) -> Vec<ArchiveNode> {
        let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let freeze = |(modified, kind)| {
            let kind = match kind {
                DraftKind::Directory(children) => ArchiveKind::Directory(
                    children
                        .into_iter()
                        .map(|(name, at)| (name, number(at)))
                        .collect(),
                ),
                DraftKind::File { start, length } => ArchiveKind::File { start, length },
            };
            ArchiveNode { modified, kind }
        };
        self.nodes.into_iter().map(freeze).collect()
    }
}
