//! Path resolution: where does a path given by a guest lead, and may it?
//!
//! The only place that walks paths. One component at a time, from the node of a descriptor and
//! never above it; symlinks are followed here and nowhere else.

use std::borrow::Cow;
use std::sync::Arc;

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::content::as_u64;
use super::host::HostEntry;
use super::names::{check_name, check_path};
use super::node::Node;
use super::ramfs::MemoryDirectory;
use crate::meter::{self, Meter};

/// Symlinks followed on one path.
const LINKS_MAX: usize = 40;

/// Components of one path, including those of its symlinks. Protects the host's time: a link can
/// hold thousands of dots.
const COMPONENTS_MAX: usize = 1024;

/// The treatment of a symlink as the last component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FinalSymlink {
    /// Follow it.
    Follow,
    /// Follow it only if a trailing slash requires a directory.
    Keep,
    /// Never follow it: the caller changes the name itself.
    Name,
}

/// The result of a resolution.
#[derive(Debug)]
pub(super) enum Target {
    /// An entry of the in-memory tree.
    Tree(TreeEntry),
    /// An entry of a host directory, which has not been accessed yet.
    Host(HostEntry),
}

/// A directory entry that may exist.
#[derive(Debug)]
pub(super) struct TreeEntry {
    /// The directory that holds the name; the node itself if the path ends in no name.
    pub(super) parent: Node,
    /// None for the start of the walk and for paths that end in `.` or `..`.
    pub(super) name: Option<String>,
    /// The node, if it exists.
    pub(super) node: Option<Node>,
    /// The path requires a directory (trailing slash).
    pub(super) must_be_dir: bool,
}

impl TreeEntry {
    /// Returns the existing node.
    ///
    /// # Errors
    /// `no-entry` if there is none.
    pub(super) fn existing(&self) -> Result<&Node, ErrorCode> {
        self.node.as_ref().ok_or(ErrorCode::NoEntry)
    }

    /// Returns the name, and the directory of the guest in which it may be changed.
    ///
    /// # Errors
    /// `busy` if the path ends in no name, `read-only` if the directory is not the guest's.
    pub(super) fn changeable(&self) -> Result<(&Arc<MemoryDirectory>, &str), ErrorCode> {
        let name = self.name.as_deref().ok_or(ErrorCode::Busy)?;
        match &self.parent {
            Node::Directory(directory) => Ok((directory, name)),
            _ => Err(ErrorCode::ReadOnly),
        }
    }
}

/// Resolves `path` from `start`.
///
/// # Errors
/// `not-permitted` for an absolute path or one that leaves `start`, `no-entry` and `not-directory`
/// if a directory on the way is missing or none, `loop` after too many symlinks or components of
/// symlinks, `name-too-long` and `invalid` for invalid paths.
pub(super) fn resolve(
    start: &Node,
    path: &str,
    last: FinalSymlink,
    meter: &Meter,
) -> Result<Target, ErrorCode> {
    meter.charge(meter::text(path.len()));
    check_path(path)?;
    let mut walk = Walk {
        stack: vec![start.clone()],
        in_host: Vec::new(),
        pending: Vec::new(),
        must_be_dir: demands_directory(path),
        links: 0,
        components: 0,
        meter,
    };
    walk.count(path, ErrorCode::NameTooLong)?;
    walk.pending.extend(components(path).map(Cow::Borrowed));
    while let Some(component) = walk.pending.pop() {
        if let Some(entry) = walk.step(&component, last)? {
            return Ok(Target::Tree(entry));
        }
    }
    walk.end()
}

struct Walk<'a> {
    /// The nodes from the start to the current position.
    stack: Vec<Node>,
    /// Names below the last node of `stack`, if that is a host directory. No symlink is followed
    /// there, so the walk needs no access to the host.
    in_host: Vec<String>,
    /// The remaining components, the next one last.
    pending: Vec<Cow<'a, str>>,
    must_be_dir: bool,
    links: usize,
    components: usize,
    meter: &'a Meter,
}

impl Walk<'_> {
    /// Takes one step; returns the target after the last one.
    fn step(
        &mut self,
        component: &str,
        last: FinalSymlink,
    ) -> Result<Option<TreeEntry>, ErrorCode> {
        let Some(here) = self.stack.last() else {
            return Err(ErrorCode::NotPermitted);
        };
        if !here.is_directory() {
            return Err(ErrorCode::NotDirectory);
        }
        match component {
            "." => return Ok(None),
            ".." => return self.up().map(|()| None),
            name => check_name(name)?,
        }
        if matches!(here, Node::HostDirectory(_)) {
            self.in_host.push(component.to_owned());
            return Ok(None);
        }
        let child = here.child(component);
        let is_last = self.pending.is_empty();
        let follow = !is_last
            || last == FinalSymlink::Follow
            || (last == FinalSymlink::Keep && self.must_be_dir);
        match child {
            Some(Node::Symlink(link)) if follow => {
                self.follow(&link.target, is_last)?;
                Ok(None)
            }
            Some(node) if is_last && !matches!(node, Node::HostDirectory(_)) => {
                if self.must_be_dir && !node.is_directory() {
                    return Err(ErrorCode::NotDirectory);
                }
                Ok(Some(entry(here, component, Some(node), self.must_be_dir)))
            }
            Some(node) => {
                self.stack.push(node);
                Ok(None)
            }
            None if is_last => Ok(Some(entry(here, component, None, self.must_be_dir))),
            None => Err(ErrorCode::NoEntry),
        }
    }

    /// Counts and prices the components of `path` before they are walked.
    fn count(&mut self, path: &str, too_many: ErrorCode) -> Result<(), ErrorCode> {
        let more = components(path).count();
        self.components = self.components.saturating_add(more);
        if self.components > COMPONENTS_MAX {
            return Err(too_many);
        }
        self.meter.charge(meter::NAME.saturating_mul(as_u64(more)));
        Ok(())
    }

    fn up(&mut self) -> Result<(), ErrorCode> {
        if self.in_host.pop().is_some() {
            return Ok(());
        }
        if self.stack.len() <= 1 {
            return Err(ErrorCode::NotPermitted);
        }
        self.stack.pop();
        Ok(())
    }

    fn follow(&mut self, target: &str, is_last: bool) -> Result<(), ErrorCode> {
        self.links = self.links.saturating_add(1);
        if self.links > LINKS_MAX {
            return Err(ErrorCode::Loop);
        }
        // Guests create symlinks with relative targets only; this check holds for every other
        // source.
        self.meter.charge(meter::text(target.len()));
        check_path(target)?;
        self.count(target, ErrorCode::Loop)?;
        if is_last && demands_directory(target) {
            self.must_be_dir = true;
        }
        self.pending
            .extend(components(target).map(|component| Cow::Owned(component.to_owned())));
        Ok(())
    }

    fn end(mut self) -> Result<Target, ErrorCode> {
        match self.stack.pop() {
            Some(Node::HostDirectory(directory)) => Ok(Target::Host(HostEntry {
                directory,
                path: self.in_host,
                must_be_dir: self.must_be_dir,
            })),
            Some(node) => Ok(Target::Tree(TreeEntry {
                parent: node.clone(),
                name: None,
                node: Some(node),
                must_be_dir: self.must_be_dir,
            })),
            None => Err(ErrorCode::NotPermitted),
        }
    }
}

fn entry(parent: &Node, name: &str, node: Option<Node>, must_be_dir: bool) -> TreeEntry {
    TreeEntry {
        parent: parent.clone(),
        name: Some(name.to_owned()),
        node,
        must_be_dir,
    }
}

fn demands_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("" | "." | ".."))
}

/// Iterates over the components of a path, the last one first.
fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .rev()
        .filter(|component| !component.is_empty())
}
