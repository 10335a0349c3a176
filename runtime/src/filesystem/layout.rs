//! Mount layout: where in the tree are the workspace, the archives and the host mounts?
//!
//! A layout is checked and built once for many runs; attaching it to a run only creates the empty
//! roots of the workspace.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::archive::Archive;
use super::devices::PATHS;
use super::error::FilesystemError;
use super::fixed::{FixedChild, FixedDirectory, FixedNode, ROOTS, Roots};
use super::host::{HostDirectory, HostMount};
use super::names::check_name;
use super::node::{ArchiveEntry, Node};
use super::ramfs::{MAX_DEPTH, MemoryDirectory};

/// The path of the temporary directory.
const TEMPORARY: &str = "/tmp";

/// The contents of a guest's tree. Starts empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct FilesystemSetup {
    /// The absolute guest path of the writable workspace; `/` is allowed.
    pub(crate) workspace: Option<String>,
    /// Adds a writable `/tmp`, which shares the workspace's quota.
    pub(crate) temporary: bool,
    /// Adds the device files; see [`Filesystem::connect`](super::Filesystem::connect).
    pub(crate) devices: bool,
    /// Read-only trees, each with its absolute guest path.
    pub(crate) archives: Vec<(String, Arc<Archive>)>,
    /// Directories of the host.
    pub(crate) mounts: Vec<HostMount>,
}

/// A checked setup, shared by all runs that use it.
#[derive(Debug)]
pub(crate) struct Layout {
    root: Arc<FixedDirectory>,
    /// The nodes mounted inside each in-memory root, with their paths.
    nested: [Vec<(Vec<String>, Node)>; ROOTS],
    has: [bool; ROOTS],
    /// The workspace is the whole tree.
    workspace_is_root: bool,
}

/// The in-memory root that is the workspace.
const WORKSPACE: usize = 0;

/// The in-memory root that is the temporary directory.
const TEMPORARY_ROOT: usize = 1;

/// The parts of a run's tree.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) root: Node,
    pub(super) workspace: Option<Arc<MemoryDirectory>>,
    /// The first free node id.
    pub(super) next_id: u64,
}

impl Layout {
    /// Checks that all paths are absolute and normalized, and that no mount lies inside another
    /// one.
    ///
    /// # Errors
    /// If they are not.
    pub(crate) fn new(setup: FilesystemSetup) -> Result<Self, FilesystemError> {
        let mut points = Vec::with_capacity(
            setup
                .archives
                .len()
                .saturating_add(setup.mounts.len())
                .saturating_add(2),
        );
        let workspace_is_root = setup.workspace.as_deref() == Some("/");
        let mut has = [false; ROOTS];
        if let Some(workspace) = setup.workspace {
            points.push(MountPoint::new(&workspace, MountSource::Memory(WORKSPACE))?);
            has[WORKSPACE] = true;
        }
        if setup.temporary && points.iter().all(|point| point.path != TEMPORARY) {
            points.push(MountPoint::new(
                TEMPORARY,
                MountSource::Memory(TEMPORARY_ROOT),
            )?);
            has[TEMPORARY_ROOT] = true;
        }
        for (number, (guest_path, archive)) in (0u32..).zip(&setup.archives) {
            let root = Node::Archive(ArchiveEntry::root(archive, number, Duration::ZERO));
            points.push(MountPoint::new(guest_path, MountSource::Mount(root))?);
        }
        if setup.devices {
            for (path, device) in PATHS {
                points.push(MountPoint::new(
                    path,
                    MountSource::Mount(Node::Device(device)),
                )?);
            }
        }
        for mount in setup.mounts {
            let guest_path = mount.guest_path().to_owned();
            points.push(MountPoint::new(
                &guest_path,
                MountSource::Mount(Node::HostDirectory(HostDirectory::root(mount))),
            )?);
        }
        check_nesting(&points)?;
        // A root comes before the mounts inside it.
        points.sort_by_key(|point| point.names.len());
        let mut draft = Draft::default();
        for point in points {
            draft.add(point, workspace_is_root);
        }
        let mut next_id = 0;
        let root = Arc::new(freeze(draft.children, &mut next_id));
        Ok(Self {
            root,
            nested: draft.nested,
            has,
            workspace_is_root,
        })
    }

    /// Returns the tree of one run: empty in-memory roots, everything else shared.
    pub(super) fn attach(&self, now: Duration) -> Attached {
        let mut next_id = 1;
        let mut roots = Roots::default();
        for ((root, has), nested) in roots.memory.iter_mut().zip(self.has).zip(&self.nested) {
            if has {
                let directory = MemoryDirectory::of_host(take(&mut next_id), now);
                *root = Some(directory);
            }
            if let Some(directory) = root {
                for (names, node) in nested {
                    install(directory, names, node.clone(), &mut next_id, now);
                }
            }
        }
        let [workspace, temporary] = &roots.memory;
        let workspace = workspace.clone();
        if let (true, Some(workspace), Some(temporary)) =
            (self.workspace_is_root, &workspace, temporary)
        {
            workspace.mount(
                TEMPORARY.trim_start_matches('/'),
                Node::Directory(Arc::clone(temporary)),
            );
        }
        let root = match (&workspace, self.workspace_is_root) {
            (Some(workspace), true) => Node::Directory(Arc::clone(workspace)),
            _ => Node::Fixed(FixedNode::new(&self.root, roots)),
        };
        Attached {
            root,
            workspace,
            next_id,
        }
    }
}

fn take(next_id: &mut u64) -> u64 {
    let id = *next_id;
    *next_id = next_id.saturating_add(1);
    id
}

/// Mounts `node` below an in-memory root, and creates the directories above it.
fn install(
    root: &Arc<MemoryDirectory>,
    names: &[String],
    node: Node,
    next_id: &mut u64,
    now: Duration,
) {
    let Some((last, way)) = names.split_last() else {
        return;
    };
    let mut directory = Arc::clone(root);
    for name in way {
        directory = if let Some(Node::Directory(below)) = directory.get(name) {
            below
        } else {
            let below = MemoryDirectory::of_host(take(next_id), now);
            directory.mount(name, Node::Directory(Arc::clone(&below)));
            below
        };
    }
    directory.mount(last, node);
}

struct MountPoint {
    path: String,
    names: Vec<String>,
    what: MountSource,
}

enum MountSource {
    Memory(usize),
    Mount(Node),
}

impl MountPoint {
    fn new(guest_path: &str, what: MountSource) -> Result<Self, FilesystemError> {
        let unusable = || FilesystemError::GuestPath {
            path: guest_path.to_owned(),
        };
        let inside = guest_path.strip_prefix('/').ok_or_else(unusable)?;
        let names: Vec<String> = match inside {
            "" => Vec::new(),
            inside => inside.split('/').map(str::to_owned).collect(),
        };
        let plain =
            |name: &String| !matches!(name.as_str(), "" | "." | "..") && check_name(name).is_ok();
        let root_allowed = matches!(what, MountSource::Memory(WORKSPACE));
        if !names.iter().all(plain)
            || names.len() > MAX_DEPTH / 2
            || (names.is_empty() && !root_allowed)
        {
            return Err(unusable());
        }
        Ok(Self {
            path: guest_path.to_owned(),
            names,
            what,
        })
    }
}

fn check_nesting(points: &[MountPoint]) -> Result<(), FilesystemError> {
    for (number, inner) in points.iter().enumerate() {
        for (other, outer) in points.iter().enumerate() {
            let inside = inner.names.starts_with(&outer.names);
            let same = inner.names.len() == outer.names.len();
            // Only directories that the guest itself owns, the workspace and the temporary
            // directory, may hold other mounts; those two are siblings, unless the workspace is
            // everything.
            let holds = match (&outer.what, &inner.what) {
                (MountSource::Memory(_), MountSource::Mount(_)) => true,
                (MountSource::Memory(_), MountSource::Memory(_)) => outer.names.is_empty(),
                (MountSource::Mount(_), _) => false,
            };
            if number != other && inside && (same || !holds) {
                return Err(FilesystemError::Nested {
                    inner: inner.path.clone(),
                    outer: outer.path.clone(),
                });
            }
        }
    }
    Ok(())
}

#[derive(Default)]
struct Draft {
    children: BTreeMap<Box<str>, DraftChild>,
    nested: [Vec<(Vec<String>, Node)>; ROOTS],
}

enum DraftChild {
    Directory(BTreeMap<Box<str>, DraftChild>),
    Mount(Node),
    Memory(usize),
}

impl Draft {
    fn add(&mut self, point: MountPoint, workspace_is_root: bool) {
        let Some((last, way)) = point.names.split_last() else {
            return;
        };
        let mut children = &mut self.children;
        for (depth, name) in way.iter().enumerate() {
            let next = children
                .entry(name.as_str().into())
                .or_insert_with(|| DraftChild::Directory(BTreeMap::new()));
            match next {
                DraftChild::Directory(below) => children = below,
                DraftChild::Memory(root) => {
                    let rest = point
                        .names
                        .iter()
                        .skip(depth.saturating_add(1))
                        .cloned()
                        .collect();
                    if let (Some(nested), MountSource::Mount(node)) =
                        (self.nested.get_mut(*root), point.what)
                    {
                        nested.push((rest, node));
                    }
                    return;
                }
                // Checked before: no mount lies inside another.
                DraftChild::Mount(_) => return,
            }
        }
        let child = match point.what {
            MountSource::Memory(root) => DraftChild::Memory(root),
            MountSource::Mount(node) if workspace_is_root => {
                let [workspace, _] = &mut self.nested;
                workspace.push((point.names, node));
                return;
            }
            MountSource::Mount(node) => DraftChild::Mount(node),
        };
        children.insert(last.as_str().into(), child);
    }
}

fn freeze(children: BTreeMap<Box<str>, DraftChild>, next_id: &mut u64) -> FixedDirectory {
    let id = take(next_id);
    let freeze_child = |(name, child)| {
        let child = match child {
            DraftChild::Directory(below) => FixedChild::Directory(Arc::new(freeze(below, next_id))),
            DraftChild::Mount(node) => FixedChild::Mount(node),
            DraftChild::Memory(root) => FixedChild::Memory(root),
        };
        (name, child)
    };
    FixedDirectory {
        id,
        children: children.into_iter().map(freeze_child).collect(),
    }
}
