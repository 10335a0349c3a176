//! Virtual file system: what does a guest see as its files?
//!
//! One tree of our own: a writable in-memory workspace under a quota, read-only archives such as a
//! standard library, and the host directories that a grant mounts. Nothing else of the host is
//! visible, in content, names, numbers or errors.
//!
//! In reading order: [`layout`] places the parts, [`path`] resolves paths, [`node`] defines the
//! nodes and [`attributes`] what is seen of them, [`tree`] and [`host`] change them, [`devices`]
//! are the files of `/dev`, [`quota`] counts, [`bindings`] implements `wasi:filesystem`, and
//! [`files`] is for the host.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

mod archive;
mod attributes;
mod bindings;
mod content;
mod device_streams;
mod devices;
mod error;
mod files;
mod fixed;
mod host;
mod layout;
mod listing;
mod names;
mod node;
mod path;
mod quota;
mod ramfs;
mod streams;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use archive::Archive;
pub(crate) use bindings::{FilesystemView, add_to_linker};
pub(crate) use devices::Devices;
pub use error::FilesystemError;
pub(crate) use files::CollectLimits;
pub use files::FileEntry;
pub(crate) use host::HostMount;
pub(crate) use layout::{FilesystemSetup, Layout};
pub(crate) use quota::{FilesystemUsage, QuotaLimits};

use crate::account::MemoryHold;
use crate::meter::Meter;
use glovebox_policy::Limit;
use node::{ArchiveEntry, Node};
use quota::Quota;
use ramfs::MemoryDirectory;

/// A clock that returns the time since the Unix epoch. Every timestamp that a guest sees comes from
/// one.
pub(crate) type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// Returns the host's time in steps of `resolution`; finer times would enable timing attacks.
pub(crate) fn system_clock(resolution: Duration) -> Clock {
    let step = resolution.as_nanos().max(1);
    Arc::new(move || {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let nanoseconds = now.saturating_sub(now.checked_rem(step).unwrap_or(0));
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    })
}

/// The least difference between the times of two archives at one mount point.
const REPLACED_AFTER: Duration = Duration::from_millis(1);

/// The flag in the number of a mount that was replaced in one run, and that the layout does not
/// have.
const REPLACED: u32 = 1 << 31;

/// The file system of one run or session. Has one owner; descriptors and streams refer to its
/// nodes, not to it.
pub(crate) struct Filesystem {
    root: Node,
    workspace: Option<Arc<MemoryDirectory>>,
    quota: Arc<Quota>,
    clock: Clock,
    next_id: u64,
    /// None in a tree without device files.
    devices: Option<Devices>,
}

impl Filesystem {
    /// Creates an empty workspace in the tree of `layout`. Cheap: shared parts are not copied.
    pub(crate) fn new(
        layout: &Layout,
        limits: QuotaLimits,
        clock: Clock,
        held: MemoryHold,
    ) -> Self {
        let attached = layout.attach(clock());
        Self {
            root: attached.root,
            workspace: attached.workspace,
            quota: Quota::new(limits, held),
            clock,
            next_id: attached.next_id,
            devices: None,
        }
    }

    /// Replaces a mounted archive. Open descriptors of the guest keep the old one.
    ///
    /// # Errors
    /// If no archive is mounted there.
    pub(crate) fn replace_archive(
        &mut self,
        guest_path: &str,
        archive: &Arc<Archive>,
    ) -> Result<(), FilesystemError> {
        let missing = || FilesystemError::GuestPath {
            path: guest_path.to_owned(),
        };
        let (way, last) = guest_path.rsplit_once('/').ok_or_else(missing)?;
        let mut parent = self.root.clone();
        for name in way.split('/').filter(|name| !name.is_empty()) {
            parent = parent.child(name).ok_or_else(missing)?;
        }
        let Some(Node::Archive(before)) = parent.child(last) else {
            return Err(missing());
        };
        // Interpreters cache a directory listing until its modification time changes.
        let since = self.now().max(before.since.saturating_add(REPLACED_AFTER));
        let mount = u32::try_from(self.take_id()).unwrap_or(u32::MAX) | REPLACED;
        let entry = ArchiveEntry::root(archive, mount, since);
        match parent {
            Node::Directory(directory) => directory.mount(last, Node::Archive(entry)),
            Node::Fixed(directory) if directory.replace(last, entry) => {}
            _ => return Err(missing()),
        }
        Ok(())
    }

    /// Returns the fuel debt of the run for the work done here.
    pub(crate) fn meter(&self) -> &Meter {
        &self.quota.meter
    }

    /// Returns the current and the peak usage.
    pub(crate) fn usage(&self) -> FilesystemUsage {
        self.quota.usage()
    }

    /// Returns the first limit that was hit since the start or [`Filesystem::forget_quota_hit`].
    pub(crate) fn quota_hit(&self) -> Option<Limit> {
        self.quota.hit().map(quota::LimitKind::limit)
    }

    /// Resets the limit that was hit, before the next evaluation of a session.
    pub(crate) fn forget_quota_hit(&self) {
        self.quota.forget_hit();
    }

    fn now(&self) -> Duration {
        (self.clock)()
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id = self.next_id.saturating_add(1);
        id
    }
}
