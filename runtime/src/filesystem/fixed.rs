//! Fixed directories: what leads from the root of a tree to its mount points?
//!
//! They belong to the layout, and all its runs share them; what differs between runs, the in-memory
//! roots and replaced archives, is looked up on the way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::node::{ArchiveEntry, Node};
use super::ramfs::MemoryDirectory;

/// In-memory roots: the workspace and the temporary directory.
pub(super) const ROOTS: usize = 2;

/// A directory above mount points that never changes.
#[derive(Debug, Default)]
pub(super) struct FixedDirectory {
    /// Unique among the fixed directories of the layout.
    pub(super) id: u64,
    pub(super) children: BTreeMap<Box<str>, FixedChild>,
}

/// An entry of a fixed directory.
#[derive(Debug)]
pub(super) enum FixedChild {
    /// A directory that leads on.
    Directory(Arc<FixedDirectory>),
    /// An archive or a directory of the host.
    Mount(Node),
    /// An in-memory root, which each run has for itself.
    Memory(usize),
}

/// The in-memory roots of one run.
#[derive(Debug, Default)]
pub(super) struct Roots {
    pub(super) memory: [Option<Arc<MemoryDirectory>>; ROOTS],
    /// Archives of this run alone, by the number of the mount that each replaces.
    replaced: Mutex<BTreeMap<u32, ArchiveEntry>>,
}

/// A fixed directory in one run.
#[derive(Clone, Debug)]
pub(super) struct FixedNode {
    directory: Arc<FixedDirectory>,
    roots: Arc<Roots>,
}

impl FixedNode {
    /// Returns `directory` as a run with these roots sees it.
    pub(super) fn new(directory: &Arc<FixedDirectory>, roots: Roots) -> Self {
        Self {
            directory: Arc::clone(directory),
            roots: Arc::new(roots),
        }
    }

    /// Returns the node of `name`.
    pub(super) fn child(&self, name: &str) -> Option<Node> {
        self.node(self.directory.children.get(name)?)
    }

    /// Returns the first name after `after` and its node.
    pub(super) fn next(&self, after: Option<&str>) -> Option<(Box<str>, Node)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let mut children = self.directory.children.range::<str, _>(range);
        children.find_map(|(name, child)| Some((name.clone(), self.node(child)?)))
    }

    /// Returns an id that is unique among the fixed directories of the layout.
    pub(super) fn id(&self) -> u64 {
        self.directory.id
    }

    /// Replaces a mounted archive, for this run alone; returns whether there was one.
    pub(super) fn replace(&self, name: &str, with: ArchiveEntry) -> bool {
        let Some(FixedChild::Mount(Node::Archive(entry))) = self.directory.children.get(name)
        else {
            return false;
        };
        self.roots
            .replaced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(entry.mount, with);
        true
    }

    fn node(&self, child: &FixedChild) -> Option<Node> {
        match child {
            FixedChild::Directory(directory) => Some(Node::Fixed(Self {
                directory: Arc::clone(directory),
                roots: Arc::clone(&self.roots),
            })),
            FixedChild::Mount(Node::Archive(entry)) => {
                let replaced = self
                    .roots
                    .replaced
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                Some(Node::Archive(
                    replaced.get(&entry.mount).unwrap_or(entry).clone(),
                ))
            }
            FixedChild::Mount(node) => Some(node.clone()),
            FixedChild::Memory(root) => self.roots.memory.get(*root)?.clone().map(Node::Directory),
        }
    }
}
