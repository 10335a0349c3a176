//! Directory listings (readdir): in which order, and from what source?
//!
//! Always sorted by name. In-memory directories are read name by name, so a listing costs no copy;
//! one of the host is a copy that counts against a cap.

use std::sync::Arc;

use wasmtime_wasi::p2::bindings::filesystem::types::{DirectoryEntry, ErrorCode};

use super::content::as_u64;
use super::node::Node;
use super::quota::{Permit, Quota};

/// Bytes charged for an entry of a copied listing besides its name.
const ENTRY_BYTES: u64 = 64;

/// An open listing of a directory.
#[derive(Debug)]
pub(super) struct Listing {
    from: From,
    _permit: Permit,
}

#[derive(Debug)]
enum From {
    /// The directory, and the last name that was returned.
    Names(Node, Option<Box<str>>),
    /// The directory of an archive, and the position in it.
    Archive(Node, usize),
    /// A copy.
    Copied {
        entries: std::vec::IntoIter<DirectoryEntry>,
        _permit: Permit,
    },
}

impl Listing {
    /// Opens a listing of a directory in memory.
    ///
    /// # Errors
    /// `not-directory`, and `insufficient-memory` if too many streams are open.
    pub(super) fn of(node: &Node, quota: &Arc<Quota>) -> Result<Self, ErrorCode> {
        let permit = Permit::stream(quota)?;
        let from = match node {
            Node::Directory(_) | Node::Fixed(_) => From::Names(node.clone(), None),
            Node::Archive(_) if node.is_directory() => From::Archive(node.clone(), 0),
            _ => return Err(ErrorCode::NotDirectory),
        };
        Ok(Self {
            from,
            _permit: permit,
        })
    }

    /// Opens a listing that was copied from the host.
    ///
    /// # Errors
    /// `insufficient-memory` if too many streams are open or too many names are held.
    pub(super) fn copied(
        entries: Vec<DirectoryEntry>,
        quota: &Arc<Quota>,
    ) -> Result<Self, ErrorCode> {
        let cost = |entry: &DirectoryEntry| as_u64(entry.name.len()).saturating_add(ENTRY_BYTES);
        let bytes = entries.iter().map(cost).fold(0, u64::saturating_add);
        let held = Permit::listing(quota, bytes)?;
        let from = From::Copied {
            entries: entries.into_iter(),
            _permit: held,
        };
        Ok(Self {
            from,
            _permit: Permit::stream(quota)?,
        })
    }

    /// Returns the next entry.
    pub(super) fn next(&mut self) -> Option<DirectoryEntry> {
        match &mut self.from {
            From::Names(node, after) => {
                let (name, child) = match node {
                    Node::Directory(directory) => directory.next(after.as_deref())?,
                    Node::Fixed(directory) => directory.next(after.as_deref())?,
                    _ => return None,
                };
                *after = Some(name.clone());
                Some(DirectoryEntry {
                    type_: child.kind(),
                    name: name.into(),
                })
            }
            From::Archive(node, position) => {
                let Node::Archive(entry) = node else {
                    return None;
                };
                let (name, _) = entry.archive.child_at(entry.node, *position)?;
                let name = name.to_owned();
                *position = position.saturating_add(1);
                Some(DirectoryEntry {
                    type_: node.child(&name)?.kind(),
                    name,
                })
            }
            From::Copied { entries, .. } => entries.next(),
        }
    }
}
