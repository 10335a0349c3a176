//! Disk space accounting: how much is free besides the reserve and pending writes?
//!
//! DiskSpace is reserved before it is written, so that several large writes at once do not each
//! find the same free bytes. `statvfs` is called at most once a second, and always before something
//! is refused.

use crate::config::ServiceLimits;
use cap_std::fs::Dir;
use std::io;
use std::ops::{AddAssign, SubAssign};
use std::time::{Duration, Instant};

/// Size of a disk block.
const BLOCK: u64 = 4096;

/// Time for which the result of `statvfs` is cached.
const STATVFS_TTL: Duration = Duration::from_secs(1);

/// Inodes that a new file may take: its own, and that of a directory created for it.
const INODES_OF_FILE: u64 = 2;

/// The most bytes that the inode of a file counts for.
const MAX_INODE_BYTES: u64 = 64 << 10;

/// Bytes and inodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DiskSpace {
    bytes: u64,
    inodes: u64,
}

impl DiskSpace {
    /// Returns the space of `files` files with `bytes` bytes in total.
    pub(super) fn of(bytes: u64, files: u64) -> Self {
        Self {
            bytes,
            inodes: files.saturating_mul(INODES_OF_FILE),
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    fn has(self, needed: [Self; 3]) -> bool {
        let mut sum = Self::default();
        needed.into_iter().for_each(|more| sum += more);
        self.bytes >= sum.bytes && self.inodes >= sum.inodes
    }
}

impl AddAssign for DiskSpace {
    fn add_assign(&mut self, more: Self) {
        self.bytes = self.bytes.saturating_add(more.bytes);
        self.inodes = self.inodes.saturating_add(more.inodes);
    }
}

impl SubAssign for DiskSpace {
    fn sub_assign(&mut self, less: Self) {
        self.bytes = self.bytes.saturating_sub(less.bytes);
        self.inodes = self.inodes.saturating_sub(less.inodes);
    }
}

/// The disk that has the state folder.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: Dir,
    /// Bytes of the whole file system.
    pub(crate) whole: u64,
    reserve: DiskSpace,
    /// Reserved, and possibly not on the disk yet.
    writing: DiskSpace,
    /// Free space at the last `statvfs`, with its time.
    seen: Option<(Instant, DiskSpace)>,
    /// Possibly written since then.
    since: DiskSpace,
    /// Bytes of that which were not reserved, and so may come out of the reserve.
    noted: u64,
    /// Minimum bytes that a file counts for: inodes then last as long as bytes do.
    file: u64,
}

impl Disk {
    pub(crate) fn new(state: &Dir, limits: &ServiceLimits) -> io::Result<Self> {
        let found = rustix::fs::fstatvfs(state)?;
        let whole = found.f_blocks.saturating_mul(found.f_frsize);
        let bytes = limits
            .disk_reserve
            .map_or((256 << 20).min(whole / 20), |bytes| bytes as u64);
        // The same share of the inodes; a file system that allocates them dynamically reports none.
        let inodes = u128::from(found.f_files) * u128::from(bytes) / u128::from(whole.max(1));
        let reserve = DiskSpace {
            bytes,
            inodes: u64::try_from(inodes).unwrap_or(u64::MAX),
        };
        let file = whole
            .checked_div(found.f_files)
            .unwrap_or(0)
            .clamp(BLOCK, MAX_INODE_BYTES);
        let folder = state.try_clone()?;
        Ok(Self {
            folder,
            whole,
            reserve,
            writing: DiskSpace::default(),
            seen: None,
            since: DiskSpace::default(),
            noted: 0,
            file,
        })
    }

    /// Returns the bytes that a file of this size counts for.
    pub(super) fn of_file(&self, content: usize) -> u64 {
        // A file takes whole blocks of the disk.
        (content as u64).next_multiple_of(BLOCK).max(self.file)
    }

    /// Returns the bytes of the reserve.
    pub(super) fn reserve(&self) -> u64 {
        self.reserve.bytes
    }

    /// Returns the free space of a `statvfs` no older than `age`; `None` if it fails.
    fn free(&mut self, age: Duration) -> Option<DiskSpace> {
        if self.seen.is_none_or(|(since, _)| since.elapsed() >= age) {
            let Ok(found) = rustix::fs::fstatvfs(&self.folder) else {
                self.seen = None;
                return None;
            };
            let inodes = if found.f_files == 0 {
                u64::MAX
            } else {
                found.f_favail
            };
            let free = DiskSpace {
                bytes: found.f_bavail.saturating_mul(found.f_frsize),
                inodes,
            };
            self.seen = Some((Instant::now(), free));
            self.since = self.writing;
            self.noted = 0;
        }
        self.seen.map(|(_, free)| free)
    }

    /// Answers a question from cached values if the answer is positive, and otherwise after a new
    /// `statvfs`. If that fails, the answer is positive.
    fn is_so(&mut self, question: impl Fn(&Self, DiskSpace) -> bool) -> bool {
        [STATVFS_TTL, Duration::ZERO]
            .into_iter()
            .any(|age| self.free(age).is_none_or(|free| question(self, free)))
    }

    /// Reserves space, if it is free besides the reserve and pending writes.
    pub(super) fn try_reserve(&mut self, space: DiskSpace) -> bool {
        let has_room = self.is_so(|disk, free| free.has([disk.reserve, disk.since, space]));
        if has_room {
            self.writing += space;
            self.since += space;
        }
        has_room
    }

    /// Releases a reservation, whether it was written or not.
    pub(super) fn release(&mut self, space: DiskSpace) {
        // It counts until the next `statvfs`, because it may be on the disk by now.
        self.writing -= space;
    }

    /// Counts something small that is written in any case.
    pub(super) fn note(&mut self, bytes: u64) {
        self.since += DiskSpace { bytes, inodes: 0 };
        self.noted = self.noted.saturating_add(bytes);
    }

    /// Whether the reserve is in use.
    pub(super) fn is_tight(&mut self) -> bool {
        !self.is_so(|disk, free| free.bytes >= disk.reserve.bytes.saturating_add(disk.noted))
    }

    /// Returns by how many bytes the free space is below half of the reserve; `None` if it is not.
    pub(super) fn missing(&mut self) -> Option<u64> {
        let half = self.reserve.bytes / 2;
        if self.is_so(|disk, free| free.bytes.saturating_sub(disk.noted) >= half) {
            return None;
        }
        let free = self.free(STATVFS_TTL)?;
        half.checked_sub(free.bytes.saturating_sub(self.noted))
            .filter(|missing| *missing > 0)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests {
    use super::*;

    /// Returns a disk with this much free space, for which `statvfs` is never called.
    fn disk(bytes: u64, inodes: u64, reserve: DiskSpace) -> Disk {
        let folder = tempfile::tempdir().unwrap();
        let state = Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
        let disk = Disk::new(&state, &ServiceLimits::default()).unwrap();
        Disk {
            reserve,
            seen: Some((
                Instant::now() + Duration::from_secs(3600),
                DiskSpace { bytes, inodes },
            )),
            ..disk
        }
    }

    fn fits(disk: &Disk, space: DiskSpace) -> bool {
        disk.seen
            .is_some_and(|(_, free)| free.has([disk.reserve, disk.since, space]))
    }

    #[test]
    fn reserved_bytes_are_not_free_until_they_are_measured_again() {
        let mut disk = disk(
            1000,
            100,
            DiskSpace {
                bytes: 100,
                inodes: 10,
            },
        );
        let half = DiskSpace::of(450, 1);
        assert!(disk.try_reserve(half) && disk.try_reserve(half));
        assert!(
            !fits(&disk, DiskSpace::of(1, 0)),
            "both together have all of it"
        );
        disk.release(half);
        assert!(!fits(&disk, DiskSpace::of(1, 0)), "it may be on the disk");
        // After a new `statvfs`, only what is still being written counts.
        disk.seen = None;
        assert!(disk.free(STATVFS_TTL).is_some());
        assert_eq!(disk.since, half);
    }

    #[test]
    fn inodes_run_out_as_well() {
        let mut disk = disk(
            1 << 40,
            14,
            DiskSpace {
                bytes: 0,
                inodes: 10,
            },
        );
        assert!(disk.try_reserve(DiskSpace::of(1, 1)) && disk.try_reserve(DiskSpace::of(1, 1)));
        assert!(!fits(&disk, DiskSpace::of(1, 1)) && fits(&disk, DiskSpace::of(1, 0)));
        assert_eq!(
            (disk.of_file(1) >= BLOCK, disk.of_file(1 << 20)),
            (true, 1 << 20)
        );
    }

    #[test]
    fn small_things_are_noted() {
        let mut disk = disk(
            1000,
            100,
            DiskSpace {
                bytes: 1000,
                inodes: 0,
            },
        );
        assert!(disk.missing().is_none());
        disk.note(600);
        assert!(!fits(&disk, DiskSpace::of(0, 0)));
    }
}
