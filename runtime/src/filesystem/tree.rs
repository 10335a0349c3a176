//! Operations on the in-memory tree: what may a guest change?
//!
//! Each operation takes entries that [`path`](super::path) has resolved, checks everything, and
//! then changes the tree in one step.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::Filesystem;
use super::host::OpenMode;
use super::names::check_path;
use super::node::Node;
use super::path::TreeEntry;
use super::ramfs::{MemoryDirectory, MemoryFile, Symlink};

impl Filesystem {
    /// Opens the node at `entry`, or creates a file there.
    pub(super) fn open_in_tree(
        &mut self,
        entry: &TreeEntry,
        how: OpenMode,
    ) -> Result<Node, ErrorCode> {
        let Some(node) = &entry.node else {
            if !how.create {
                return Err(ErrorCode::NoEntry);
            }
            if entry.must_be_dir {
                return Err(ErrorCode::IsDirectory);
            }
            let (parent, name) = entry.changeable()?;
            let file = MemoryFile::new(self.take_id(), Bytes::new(), &self.quota, self.now())?;
            parent.insert(name, Node::File(Arc::clone(&file)), &self.quota, self.now())?;
            return Ok(Node::File(file));
        };
        if how.create && how.exclusive {
            return Err(ErrorCode::Exist);
        }
        match node {
            Node::Symlink(_) => return Err(ErrorCode::Loop),
            node if node.is_directory() => {
                if how.changes_file() {
                    return Err(ErrorCode::IsDirectory);
                }
            }
            _ if how.directory => return Err(ErrorCode::NotDirectory),
            Node::File(file) => {
                if how.truncate {
                    file.set_size(0, self.now())?;
                }
            }
            Node::Device(_) => {}
            _ => {
                if how.write || how.truncate {
                    return Err(ErrorCode::ReadOnly);
                }
            }
        }
        Ok(node.clone())
    }

    /// Creates a directory.
    pub(super) fn create_directory(&mut self, entry: &TreeEntry) -> Result<(), ErrorCode> {
        if entry.node.is_some() {
            return Err(ErrorCode::Exist);
        }
        let (parent, name) = entry.changeable()?;
        let directory = MemoryDirectory::new(self.take_id(), &self.quota, self.now())?;
        parent.insert(name, Node::Directory(directory), &self.quota, self.now())
    }

    /// Creates a symlink to `target`, which need not exist.
    pub(super) fn create_symlink(
        &mut self,
        target: &str,
        entry: &TreeEntry,
    ) -> Result<(), ErrorCode> {
        check_path(target)?;
        if entry.node.is_some() {
            return Err(ErrorCode::Exist);
        }
        if entry.must_be_dir {
            return Err(ErrorCode::NoEntry);
        }
        let (parent, name) = entry.changeable()?;
        let link = Symlink::new(self.take_id(), target, &self.quota, self.now())?;
        parent.insert(name, Node::Symlink(link), &self.quota, self.now())
    }

    /// Creates a hard link to the file at `old`.
    pub(super) fn link(&mut self, old: &TreeEntry, new: &TreeEntry) -> Result<(), ErrorCode> {
        let file = match old.existing()? {
            Node::File(file) => file,
            // A hard link to a file that the guest may not change would be a way to change it.
            Node::Archive(_) if !old.existing()?.is_directory() => {
                return Err(ErrorCode::CrossDevice);
            }
            _ => return Err(ErrorCode::NotPermitted),
        };
        if new.node.is_some() {
            return Err(ErrorCode::Exist);
        }
        if new.must_be_dir {
            return Err(ErrorCode::NoEntry);
        }
        let (parent, name) = new.changeable()?;
        parent.insert(name, Node::File(Arc::clone(file)), &self.quota, self.now())
    }

    /// Unlinks a file or symlink.
    pub(super) fn unlink_file(&mut self, entry: &TreeEntry) -> Result<(), ErrorCode> {
        if entry.existing()?.is_directory() {
            return Err(ErrorCode::IsDirectory);
        }
        let (parent, name) = entry.changeable()?;
        parent.remove(name, self.now());
        Ok(())
    }

    /// Removes an empty directory.
    pub(super) fn remove_directory(&mut self, entry: &TreeEntry) -> Result<(), ErrorCode> {
        let node = entry.existing()?;
        if !node.is_directory() {
            return Err(ErrorCode::NotDirectory);
        }
        let (parent, name) = entry.changeable()?;
        match node {
            Node::Directory(directory) if directory.is_empty() => {
                parent.remove(name, self.now());
                Ok(())
            }
            Node::Directory(_) => Err(ErrorCode::NotEmpty),
            _ => Err(ErrorCode::Busy),
        }
    }

    /// Renames `old` to `new`, replacing what POSIX permits.
    pub(super) fn rename(&mut self, old: &TreeEntry, new: &TreeEntry) -> Result<(), ErrorCode> {
        let source = old.existing()?;
        let (from, to) = match (old.changeable(), new.changeable()) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(ErrorCode::ReadOnly), Ok(_)) | (Ok(_), Err(ErrorCode::ReadOnly)) => {
                return Err(ErrorCode::CrossDevice);
            }
            (Err(error), _) | (_, Err(error)) => return Err(error),
        };
        if source.is_mount() || new.node.as_ref().is_some_and(Node::is_mount) {
            return Err(ErrorCode::Busy);
        }
        if new.must_be_dir && !source.is_directory() {
            return Err(ErrorCode::NotDirectory);
        }
        if let Some(target) = &new.node {
            // Two hard links to one node: POSIX requires that nothing happens.
            if source.identity()? == target.identity()? {
                return Ok(());
            }
            match (source, target) {
                (Node::Directory(_), Node::Directory(target)) if !target.is_empty() => {
                    return Err(ErrorCode::NotEmpty);
                }
                (Node::Directory(_), Node::Directory(_)) => {}
                (Node::Directory(_), _) => return Err(ErrorCode::NotDirectory),
                (_, Node::Directory(_)) => return Err(ErrorCode::IsDirectory),
                _ => {}
            }
        }
        if let Node::Directory(directory) = source
            && to.0.lies_within(directory)
        {
            return Err(ErrorCode::Invalid);
        }
        from.0.relocate(from.1, to.0, to.1, self.now())
    }
}
