//! Workspace files from the host's side: how are files put in, read, listed and collected?
//!
//! Paths are relative to the workspace. The guest's symlinks are never followed, and only regular
//! files of the workspace are returned: neither mounts nor anything of the host.

use crate::account::MemoryHold;
use crate::outcome::Artifact;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use globset::GlobSet;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::content::{as_u64, as_usize};
use super::names::{NAME_BYTES_MAX, PATH_BYTES_MAX};
use super::node::Node;
use super::ramfs::{MemoryDirectory, MemoryFile};
use super::{Filesystem, FilesystemError};

/// Bytes that are collected between two yields.
const PIECE: usize = 512 << 10;

/// The work of matching one name, in bytes that could be copied in that time.
const NAME_WORK: usize = 2 << 10;

/// The work per byte of a path: it is compared with every glob.
const GLOB_WORK: usize = 64;

/// The limits of [`Filesystem::collect`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct CollectLimits {
    /// The most files.
    pub(crate) files: usize,
    /// The most bytes of content of all files.
    pub(crate) bytes: u64,
}

/// The result of [`Filesystem::collect`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    /// Sorted by path.
    pub(crate) artifacts: Vec<Artifact>,
    /// A matching file was left out because of the limits.
    pub(crate) truncated: bool,
}

/// An entry of a directory of the workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The name in the directory.
    pub name: String,
    /// The entry is a directory.
    pub is_directory: bool,
    /// The logical size of a file in bytes; 0 for everything else.
    pub size: u64,
}

impl Filesystem {
    /// Writes a file at `path`, replaces an existing one, and creates missing directories. The
    /// content is not copied until the guest changes it.
    ///
    /// # Errors
    /// If the path is invalid, leads through something that is no directory, or the quota does not
    /// admit the file.
    pub(crate) fn put(
        &mut self,
        path: &str,
        content: impl Into<Bytes>,
    ) -> Result<(), FilesystemError> {
        let names = plain(path)?;
        let kind = || FilesystemError::Kind {
            path: path.to_owned(),
        };
        let full = |_: ErrorCode| FilesystemError::Full {
            path: path.to_owned(),
        };
        let (last, way) = names.split_last().ok_or_else(kind)?;
        let mut directory = Arc::clone(self.workspace()?);
        for name in way {
            directory = match directory.get(name) {
                Some(Node::Directory(below)) => below,
                Some(_) => return Err(kind()),
                None => {
                    let below = MemoryDirectory::new(self.take_id(), &self.quota, self.now())
                        .map_err(full)?;
                    directory
                        .insert(
                            name,
                            Node::Directory(Arc::clone(&below)),
                            &self.quota,
                            self.now(),
                        )
                        .map_err(full)?;
                    below
                }
            };
        }
        match directory.get(last) {
            None => {}
            Some(Node::File(file)) => {
                return file.replace(content.into(), self.now()).map_err(full);
            }
            Some(_) => return Err(kind()),
        }
        let file = MemoryFile::new(self.take_id(), content.into(), &self.quota, self.now())
            .map_err(full)?;
        directory
            .insert(last, Node::File(file), &self.quota, self.now())
            .map_err(full)
    }

    /// Returns the content of the file at `path`, or the existing part of `range`.
    ///
    /// # Errors
    /// If there is none, or something that is no regular file.
    pub(crate) fn read(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, FilesystemError> {
        match self.find(path)? {
            Node::File(file) => Ok(file
                .read(range.start, as_usize(range.end.saturating_sub(range.start)))
                .into()),
            _ => Err(FilesystemError::Kind {
                path: path.to_owned(),
            }),
        }
    }

    /// Returns the size of the file at `path`.
    ///
    /// # Errors
    /// As [`Filesystem::read`].
    pub(crate) fn size(&self, path: &str) -> Result<u64, FilesystemError> {
        match self.find(path)? {
            Node::File(file) => Ok(file.stat().0),
            _ => Err(FilesystemError::Kind {
                path: path.to_owned(),
            }),
        }
    }

    /// Returns the entries of the directory at `path`, sorted: at most `most`, starting after a
    /// name; an empty path is the workspace itself.
    ///
    /// # Errors
    /// If there is none, or something that is no directory.
    pub(crate) fn list(
        &self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, FilesystemError> {
        let Node::Directory(directory) = self.find(path)? else {
            return Err(FilesystemError::Kind {
                path: path.to_owned(),
            });
        };
        let mut entries = Vec::new();
        let mut after: Option<Box<str>> = after.map(Into::into);
        while entries.len() < most
            && let Some((name, node)) = directory.next(after.as_deref())
        {
            let size = if let Node::File(file) = &node {
                file.stat().0
            } else {
                0
            };
            entries.push(FileEntry {
                name: name.to_string(),
                is_directory: node.is_directory(),
                size,
            });
            after = Some(name);
        }
        Ok(entries)
    }

    /// Removes the file, link or empty directory at `path`.
    ///
    /// # Errors
    /// If there is none, if it is a mount, or if it is a directory that is not empty.
    pub(crate) fn remove(&mut self, path: &str) -> Result<(), FilesystemError> {
        let names = plain(path)?;
        let kind = || FilesystemError::Kind {
            path: path.to_owned(),
        };
        let (last, way) = names.split_last().ok_or_else(kind)?;
        let Node::Directory(parent) = self.walk(path, way)? else {
            return Err(kind());
        };
        match parent.get(last) {
            None => {
                return Err(FilesystemError::NotFound {
                    path: path.to_owned(),
                });
            }
            Some(Node::Directory(directory)) if !directory.is_empty() => {
                return Err(FilesystemError::NotEmpty {
                    path: path.to_owned(),
                });
            }
            Some(node) if node.is_mount() => return Err(kind()),
            Some(_) => {}
        }
        parent.remove(last, self.now());
        Ok(())
    }

    /// Collects the regular files of the workspace whose paths match `globs`, as far as `held` can
    /// be charged for them. Yields now and then: a workspace may be large.
    pub(crate) async fn collect(
        &self,
        globs: &GlobSet,
        limits: CollectLimits,
        held: &mut MemoryHold,
    ) -> Collected {
        let mut found = Collected::default();
        let Some(workspace) = &self.workspace else {
            return found;
        };
        // The first ones by path, and never more than are returned.
        let mut matching: BTreeMap<String, Arc<MemoryFile>> = BTreeMap::new();
        let mut work = 0_usize;
        let mut pending = vec![(String::new(), Arc::clone(workspace))];
        while let Some((path, directory)) = pending.pop() {
            let mut after: Option<Box<str>> = None;
            while let Some((name, node)) = directory.next(after.as_deref()) {
                let below = if path.is_empty() {
                    name.to_string()
                } else {
                    format!("{path}/{name}")
                };
                give_way(
                    &mut work,
                    NAME_WORK.saturating_add(below.len().saturating_mul(GLOB_WORK)),
                )
                .await;
                after = Some(name);
                if below.len() > PATH_BYTES_MAX {
                    // A path that is too long to be requested, made by renaming directories into
                    // each other.
                    found.truncated = true;
                    continue;
                }
                match node {
                    Node::Directory(directory) => pending.push((below, directory)),
                    Node::File(file) if globs.is_match(&below) => {
                        matching.insert(below, file);
                        if matching.len() > limits.files {
                            matching.pop_last();
                            found.truncated = true;
                        }
                    }
                    _ => {}
                }
            }
        }
        let mut left = limits.bytes;
        for (path, file) in matching {
            let size = file.stat().0;
            match left.checked_sub(size) {
                Some(rest) if found.artifacts.len() < limits.files && held.grow(size).is_ok() => {
                    left = rest
                }
                _ => {
                    found.truncated = true;
                    continue;
                }
            }
            let mut content = Vec::with_capacity(as_usize(size));
            while content.len() < as_usize(size) {
                let piece = file.read(as_u64(content.len()), PIECE);
                if piece.is_empty() {
                    break;
                }
                content.extend_from_slice(&piece);
                give_way(&mut work, piece.len()).await;
            }
            found.artifacts.push(Artifact { path, content });
        }
        found
    }

    fn workspace(&self) -> Result<&Arc<MemoryDirectory>, FilesystemError> {
        self.workspace.as_ref().ok_or(FilesystemError::NoWorkspace)
    }

    fn find(&self, path: &str) -> Result<Node, FilesystemError> {
        self.walk(path, &plain(path)?)
    }

    fn walk(&self, path: &str, names: &[&str]) -> Result<Node, FilesystemError> {
        let mut node = Node::Directory(Arc::clone(self.workspace()?));
        for name in names {
            // Only directories of the workspace are entered: files of mounts are not returned.
            let Node::Directory(directory) = node else {
                return Err(FilesystemError::Kind {
                    path: path.to_owned(),
                });
            };
            node = directory
                .get(name)
                .ok_or_else(|| FilesystemError::NotFound {
                    path: path.to_owned(),
                })?;
        }
        Ok(node)
    }
}

/// Yields after every [`PIECE`] bytes of work.
async fn give_way(work: &mut usize, more: usize) {
    *work = work.saturating_add(more);
    if *work >= PIECE {
        *work = 0;
        tokio::task::yield_now().await;
    }
}

/// Splits a relative path into names without `.`, `..` and empty ones.
fn plain(path: &str) -> Result<Vec<&str>, FilesystemError> {
    let unusable = || FilesystemError::Path {
        path: path.to_owned(),
    };
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = path.split('/').collect();
    let usable = |name: &&str| {
        !matches!(*name, "" | "." | "..") && name.len() <= NAME_BYTES_MAX && !name.contains('\0')
    };
    if path.len() > PATH_BYTES_MAX || !names.iter().all(usable) {
        return Err(unusable());
    }
    Ok(names)
}
