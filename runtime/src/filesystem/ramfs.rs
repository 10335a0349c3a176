//! In-memory file system (ramfs): how are the files, directories and symlinks of a guest stored?
//!
//! They are in the host's memory and charged to the quota for as long as there is a reference.
//! Directories own their entries; the reference to the parent is weak, and [`MAX_DEPTH`] bounds the
//! depth of the tree, and so the recursion of its drop.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::attributes::Times;
use super::content::{Content, as_u64, as_usize};
use super::node::Node;
use super::quota::{ByteCharge, LimitKind, NAME_BYTES, NodeCharge, Quota};
use crate::meter::{self, Meter};

/// The deepest nesting of directories. Protects the host's stack, which drops the tree, and the
/// time of a walk to the root.
pub(super) const MAX_DEPTH: usize = 128;

/// The largest file, whatever the quota: sizes beyond it are negative in C.
const MAX_FILE_SIZE: u64 = i64::MAX as u64;

/// A regular file.
#[derive(Debug)]
pub(super) struct MemoryFile {
    pub(super) id: u64,
    state: Mutex<FileState>,
}

#[derive(Debug)]
struct FileState {
    content: Content,
    charge: ByteCharge,
    _node: NodeCharge,
    times: Times,
    links: u64,
}

impl MemoryFile {
    /// Creates a file with `content` and no name yet.
    pub(super) fn new(
        id: u64,
        content: Bytes,
        quota: &Arc<Quota>,
        now: Duration,
    ) -> Result<Arc<Self>, ErrorCode> {
        let node = NodeCharge::new(quota, 0)?;
        let charge = ByteCharge::new(quota, as_u64(content.len()))?;
        let state = FileState {
            content: Content::shared(content),
            charge,
            _node: node,
            times: Times::at(now),
            links: 0,
        };
        Ok(Arc::new(Self {
            id,
            state: Mutex::new(state),
        }))
    }

    /// Returns the size in bytes, the number of hard links, and the times.
    pub(super) fn stat(&self) -> (u64, u64, Times) {
        let state = lock(&self.state);
        (state.content.size(), state.links, state.times)
    }

    /// Reads at most `length` bytes from `offset` on; empty at the end.
    pub(super) fn read(&self, offset: u64, length: usize) -> Bytes {
        lock(&self.state).content.read(offset, length)
    }

    /// Writes as much of `data` at `offset` as fits, and returns the number of bytes (short write).
    ///
    /// # Errors
    /// `insufficient-space` if not a single byte fits, `file-too-large` beyond the range of an
    /// offset.
    pub(super) fn write(
        &self,
        offset: u64,
        data: &[u8],
        now: Duration,
    ) -> Result<usize, ErrorCode> {
        lock(&self.state).write(offset, data, now)
    }

    /// Appends like [`MemoryFile::write`].
    ///
    /// # Errors
    /// As for `write`.
    pub(super) fn append(&self, data: &[u8], now: Duration) -> Result<usize, ErrorCode> {
        let mut state = lock(&self.state);
        let end = state.content.size();
        state.write(end, data, now)
    }

    /// Replaces the whole content.
    ///
    /// # Errors
    /// `insufficient-space` if the new content does not fit; the file is unchanged.
    pub(super) fn replace(&self, content: Bytes, now: Duration) -> Result<(), ErrorCode> {
        let mut state = lock(&self.state);
        state.charge.resize(as_u64(content.len()))?;
        state.content = Content::shared(content);
        state.times.touch(now);
        Ok(())
    }

    /// Truncates or extends the file.
    ///
    /// # Errors
    /// `insufficient-space` if the logical size does not fit; the file is unchanged.
    pub(super) fn set_size(&self, size: u64, now: Duration) -> Result<(), ErrorCode> {
        if size > MAX_FILE_SIZE {
            return Err(ErrorCode::FileTooLarge);
        }
        let mut state = lock(&self.state);
        state.charge.resize(size)?;
        state.content.set_size(size);
        state.times.touch(now);
        Ok(())
    }

    /// Changes the times.
    pub(super) fn change_times(&self, change: impl FnOnce(&mut Times)) {
        change(&mut lock(&self.state).times);
    }

    /// Counts one more hard link.
    fn gain_link(&self, now: Duration) {
        let mut state = lock(&self.state);
        state.links = state.links.saturating_add(1);
        state.times.changed = now;
    }

    /// Counts one fewer hard link.
    fn lose_link(&self, now: Duration) {
        let mut state = lock(&self.state);
        state.links = state.links.saturating_sub(1);
        state.times.changed = now;
    }
}

impl FileState {
    fn write(&mut self, offset: u64, data: &[u8], now: Duration) -> Result<usize, ErrorCode> {
        if data.is_empty() {
            return Ok(0);
        }
        let end = offset
            .checked_add(as_u64(data.len()))
            .filter(|end| *end <= MAX_FILE_SIZE)
            .ok_or(ErrorCode::FileTooLarge)?;
        let size = self.content.size();
        let granted = if end > size {
            self.charge.grow_towards(end)
        } else {
            end
        };
        let fits = granted.min(end).saturating_sub(offset);
        if fits == 0 {
            // A part of the gap may have been charged, which alone is of no use.
            self.charge.resize(size)?;
            return Err(ErrorCode::InsufficientSpace);
        }
        let data = data.get(..as_usize(fits)).unwrap_or(data);
        self.content.write(offset, data);
        self.times.touch(now);
        Ok(data.len())
    }
}

/// A symlink. Its target never changes.
#[derive(Debug)]
pub(super) struct Symlink {
    pub(super) id: u64,
    pub(super) target: Box<str>,
    _node: NodeCharge,
    times: Mutex<Times>,
}

impl Symlink {
    /// Creates a symlink to `target`, which the caller has checked.
    pub(super) fn new(
        id: u64,
        target: &str,
        quota: &Arc<Quota>,
        now: Duration,
    ) -> Result<Arc<Self>, ErrorCode> {
        let node = NodeCharge::new(quota, as_u64(target.len()))?;
        Ok(Arc::new(Self {
            id,
            target: target.into(),
            _node: node,
            times: Mutex::new(Times::at(now)),
        }))
    }

    /// Returns the times of the link itself.
    pub(super) fn times(&self) -> Times {
        *lock(&self.times)
    }

    /// Changes the times of the link itself.
    pub(super) fn change_times(&self, change: impl FnOnce(&mut Times)) {
        change(&mut lock(&self.times));
    }
}

/// A directory.
#[derive(Debug)]
pub(super) struct MemoryDirectory {
    pub(super) id: u64,
    state: Mutex<DirectoryState>,
}

#[derive(Debug)]
struct DirectoryState {
    entries: BTreeMap<Box<str>, Entry>,
    parent: Weak<MemoryDirectory>,
    /// The directory was removed: nothing can be created in it.
    removed: bool,
    times: Times,
    /// None for directories of the host: roots and the way to mount points.
    _node: Option<NodeCharge>,
}

/// A directory entry: its node, and the charge for the name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) node: Node,
    charge: Option<ByteCharge>,
    /// A further hard link counts like a file: listings and collections return it as one.
    _further: Option<NodeCharge>,
}

impl Entry {
    /// Counts the removed name of the node.
    fn lose_name(&self, now: Duration) {
        match &self.node {
            Node::File(file) => file.lose_link(now),
            Node::Directory(directory) => lock(&directory.state).removed = true,
            _ => {}
        }
    }
}

impl MemoryDirectory {
    /// Creates a directory of the guest, without a name yet.
    pub(super) fn new(id: u64, quota: &Arc<Quota>, now: Duration) -> Result<Arc<Self>, ErrorCode> {
        Ok(Self::with(id, Some(NodeCharge::new(quota, 0)?), now))
    }

    /// Creates a directory of the host, which is not charged.
    pub(super) fn of_host(id: u64, now: Duration) -> Arc<Self> {
        Self::with(id, None, now)
    }

    fn with(id: u64, node: Option<NodeCharge>, now: Duration) -> Arc<Self> {
        let state = DirectoryState {
            entries: BTreeMap::new(),
            parent: Weak::new(),
            removed: false,
            times: Times::at(now),
            _node: node,
        };
        Arc::new(Self {
            id,
            state: Mutex::new(state),
        })
    }

    /// Returns the node of `name`.
    pub(super) fn get(&self, name: &str) -> Option<Node> {
        lock(&self.state)
            .entries
            .get(name)
            .map(|entry| entry.node.clone())
    }

    /// Returns the first name after `after` and its node. A listing by names needs no copy of the
    /// directory, and misses no entry while others are removed.
    pub(super) fn next(&self, after: Option<&str>) -> Option<(Box<str>, Node)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let state = lock(&self.state);
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let (name, entry) = state.entries.range::<str, _>(range).next()?;
        Some((name.clone(), entry.node.clone()))
    }

    /// Returns whether it has no entries.
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.state).entries.is_empty()
    }

    /// Returns the times of the directory.
    pub(super) fn times(&self) -> Times {
        lock(&self.state).times
    }

    /// Changes the times of the directory.
    pub(super) fn change_times(&self, change: impl FnOnce(&mut Times)) {
        change(&mut lock(&self.state).times);
    }

    /// Returns the number of directories above this one.
    pub(super) fn depth(&self) -> usize {
        self.ancestors().len()
    }

    /// Returns whether `other` is this directory or an ancestor.
    pub(super) fn lies_within(self: &Arc<Self>, other: &Arc<Self>) -> bool {
        Arc::ptr_eq(self, other)
            || self
                .ancestors()
                .iter()
                .any(|above| Arc::ptr_eq(above, other))
    }

    fn ancestors(&self) -> Vec<Arc<Self>> {
        let mut found: Vec<Arc<Self>> = Vec::new();
        let mut next = lock(&self.state).parent.upgrade();
        while let Some(directory) = next {
            next = lock(&directory.state).parent.upgrade();
            found.push(directory);
        }
        found
    }

    /// Returns the number of directory levels below this one.
    pub(super) fn height(self: &Arc<Self>, meter: &Meter) -> usize {
        let mut height = 0;
        let mut pending = vec![(Arc::clone(self), 0usize)];
        while let Some((directory, level)) = pending.pop() {
            height = height.max(level);
            let state = lock(&directory.state);
            meter.charge(meter::NODE.saturating_mul(as_u64(state.entries.len()).saturating_add(1)));
            for entry in state.entries.values() {
                if let Node::Directory(below) = &entry.node {
                    pending.push((Arc::clone(below), level.saturating_add(1)));
                }
            }
        }
        height
    }

    /// Inserts `node` under `name`, replacing an existing entry.
    ///
    /// # Errors
    /// `no-entry` if this directory was removed, `insufficient-space` if the name does not fit,
    /// `name-too-long` if directories would be nested too deeply.
    pub(super) fn insert(
        self: &Arc<Self>,
        name: &str,
        node: Node,
        quota: &Arc<Quota>,
        now: Duration,
    ) -> Result<(), ErrorCode> {
        let charge = ByteCharge::new(quota, name_cost(name))?;
        let file = if let Node::File(file) = &node {
            Some(Arc::clone(file))
        } else {
            None
        };
        let further = file
            .as_ref()
            .filter(|file| file.stat().1 > 0)
            .map(|_| NodeCharge::new(quota, 0))
            .transpose()?;
        self.attach(
            name,
            Entry {
                node,
                charge: Some(charge),
                _further: further,
            },
            quota,
            now,
        )
        .map_err(|(error, _)| error)?;
        if let Some(file) = file {
            file.gain_link(now);
        }
        Ok(())
    }

    /// Inserts a node of the host like [`MemoryDirectory::insert`]: neither charged nor refused.
    pub(super) fn mount(self: &Arc<Self>, name: &str, node: Node) {
        adopt(self, &node);
        lock(&self.state).entries.insert(
            name.into(),
            Entry {
                node,
                charge: None,
                _further: None,
            },
        );
    }

    /// Removes a name; its node lives on while it is open.
    pub(super) fn remove(&self, name: &str, now: Duration) -> Option<Entry> {
        let entry = {
            let mut state = lock(&self.state);
            let entry = state.entries.remove(name)?;
            state.times.touch(now);
            entry
        };
        entry.lose_name(now);
        Some(entry)
    }

    /// Moves the entry `name` to `to` under `new_name` atomically, replacing an existing entry.
    ///
    /// # Errors
    /// As for [`MemoryDirectory::insert`]; the entry then stays in place.
    pub(super) fn relocate(
        self: &Arc<Self>,
        name: &str,
        to: &Arc<Self>,
        new_name: &str,
        now: Duration,
    ) -> Result<(), ErrorCode> {
        let Some(mut entry) = lock(&self.state).entries.remove(name) else {
            return Err(ErrorCode::NoEntry);
        };
        let old_cost = name_cost(name);
        let resized = entry
            .charge
            .as_mut()
            .map_or(Ok(()), |charge| charge.resize(name_cost(new_name)));
        if let Err(error) = resized {
            lock(&self.state).entries.insert(name.into(), entry);
            return Err(error);
        }
        let quota = entry
            .charge
            .as_ref()
            .map(|charge| Arc::clone(charge.quota()));
        let moved = match quota {
            Some(quota) => to.attach(new_name, entry, &quota, now),
            None => Err((ErrorCode::Busy, entry)),
        };
        if let Err((error, mut entry)) = moved {
            // Shrinking to the previous cost cannot fail; growing back takes what was just
            // released.
            let _ = entry.charge.as_mut().map(|charge| charge.resize(old_cost));
            lock(&self.state).entries.insert(name.into(), entry);
            return Err(error);
        }
        lock(&self.state).times.touch(now);
        Ok(())
    }

    fn attach(
        self: &Arc<Self>,
        name: &str,
        entry: Entry,
        quota: &Quota,
        now: Duration,
    ) -> Result<(), (ErrorCode, Entry)> {
        if let Node::Directory(directory) = &entry.node {
            let deepest = self
                .depth()
                .saturating_add(1)
                .saturating_add(directory.height(&quota.meter));
            if deepest > MAX_DEPTH {
                quota.refuse(LimitKind::Files);
                return Err((ErrorCode::NameTooLong, entry));
            }
        }
        let mut state = lock(&self.state);
        if state.removed {
            return Err((ErrorCode::NoEntry, entry));
        }
        adopt(self, &entry.node);
        let displaced = state.entries.insert(name.into(), entry);
        state.times.touch(now);
        drop(state);
        if let Some(displaced) = displaced {
            displaced.lose_name(now);
        }
        Ok(())
    }
}

/// Sets the parent of a directory.
fn adopt(parent: &Arc<MemoryDirectory>, node: &Node) {
    if let Node::Directory(directory) = node {
        lock(&directory.state).parent = Arc::downgrade(parent);
    }
}

fn name_cost(name: &str) -> u64 {
    NAME_BYTES.saturating_add(as_u64(name.len()))
}

/// Ignores lock poisoning: a panic elsewhere cannot leave these states half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
