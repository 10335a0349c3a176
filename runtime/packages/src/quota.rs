//! Quota and LRU eviction of the package store: how much is kept, and what is evicted first?
//!
//! The store has a quota, and a reserve of the disk stays free. The least recently used packages
//! are evicted first, and none in use: a user holds a shared lock on the description, and eviction
//! takes an exclusive one.

use crate::disk::Need;
use crate::entry::{ABOUT, MAX_ABOUT, Size};
use crate::store::{Store, failed};
use glovebox::Error;
use std::fs::TryLockError;
use std::io;
use std::time::SystemTime;

/// The default quota in bytes: this much, or a tenth of the disk if that is less.
const DEFAULT_QUOTA: u64 = 8 << 30;

/// The least default quota.
const MIN_DEFAULT_QUOTA: u64 = 1 << 30;

/// The evictable folders, by kind.
pub(crate) const EVICTABLE: [&str; 2] = ["trees", "parts"];

/// The reciprocal of the share of a file system's inodes that stays free.
const INODE_RESERVE: u64 = 50;

/// An evictable tree or part.
struct EvictableEntry {
    used: SystemTime,
    place: String,
    bytes: u64,
}

impl Store {
    /// Makes room for a write: evicts the least recently used entries, for as long as `go_on`
    /// permits.
    pub(crate) fn make_room(
        &self,
        need: Need,
        go_on: &dyn Fn() -> io::Result<()>,
    ) -> Result<(), Error> {
        let disk =
            rustix::fs::fstatvfs(&self.root).map_err(|error| failed(&self.path)(error.into()))?;
        let quota = self.bounds.quota.unwrap_or_else(|| {
            DEFAULT_QUOTA
                .min(disk.f_blocks.saturating_mul(disk.f_frsize) / 10)
                .max(MIN_DEFAULT_QUOTA)
        });
        let mut kept = self.kept();
        let mut total = kept
            .iter()
            .fold(0_u64, |total, kept| total.saturating_add(kept.bytes));
        kept.sort_by_key(|kept| kept.used);
        let mut oldest = kept.into_iter();
        loop {
            go_on().map_err(failed(&self.path))?;
            let missing = self.missing_disk(need)?;
            let has_quota = total.saturating_add(need.bytes) <= quota;
            if missing.is_none() && has_quota {
                return Ok(());
            }
            match (oldest.next(), missing) {
                (Some(kept), _) => {
                    if self.remove(&kept.place) {
                        total = total.saturating_sub(kept.bytes);
                    }
                }
                (None, None) => {
                    let what = format!(
                        "{} MiB more would be more than the quota of the package store ({} MiB, of which {} MiB are in use); a larger quota or fewer packages at once would do",
                        need.bytes >> 20,
                        quota >> 20,
                        total >> 20
                    );
                    return Err(Error::packages(what));
                }
                (None, Some(missing)) => return Err(Error::packages(missing)),
            }
        }
    }

    /// As [`Store::make_room`], but only for the disk's reserve: quicker, and done for every
    /// archive.
    pub(crate) fn make_disk(
        &self,
        need: Need,
        go_on: &dyn Fn() -> io::Result<()>,
    ) -> Result<(), Error> {
        if self.missing_disk(need)?.is_none() {
            Ok(())
        } else {
            self.make_room(need, go_on)
        }
    }

    /// Returns the shortage of the disk for a write.
    fn missing_disk(&self, need: Need) -> Result<Option<String>, Error> {
        let disk =
            rustix::fs::fstatvfs(&self.root).map_err(|error| failed(&self.path)(error.into()))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < need.bytes.saturating_add(self.bounds.reserve) {
            return Ok(Some(format!(
                "the disk of the package store has {} MiB free, {} MiB are needed and {} MiB must stay free; nothing is fetched until there is more",
                free >> 20,
                need.bytes >> 20,
                self.bounds.reserve >> 20
            )));
        }
        // Some file systems allocate inodes as they need them, and report none at all.
        let reserve = disk.f_files / INODE_RESERVE;
        if disk.f_files > 0 && disk.f_favail < need.entries.saturating_add(reserve) {
            return Ok(Some(format!(
                "the file system of the package store has {} inodes free, {} are needed and {reserve} must stay free; nothing is fetched until \
                 there are more",
                disk.f_favail, need.entries
            )));
        }
        Ok(None)
    }

    fn kept(&self) -> Vec<EvictableEntry> {
        let mut all = Vec::new();
        for kind in EVICTABLE {
            for entry in self.root.read_dir(kind).into_iter().flatten().flatten() {
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let place = format!("{kind}/{name}");
                let about = format!("{place}/{ABOUT}");
                let used = self
                    .root
                    .metadata(&about)
                    .and_then(|found| found.modified())
                    .map_or(SystemTime::UNIX_EPOCH, |time| time.into_std());
                // A description that another user may have written is not trusted; it is evicted
                // with the others.
                let size = self
                    .read(&about, MAX_ABOUT)
                    .and_then(|text| serde_json::from_slice::<Size>(&text).ok());
                all.push(EvictableEntry {
                    used,
                    place,
                    bytes: size.map_or(0, |size| size.bytes),
                });
            }
        }
        all
    }

    /// Removes an entry, unless it is in use.
    fn remove(&self, place: &str) -> bool {
        let about = self
            .root
            .open(format!("{place}/{ABOUT}"))
            .map(cap_std::fs::File::into_std);
        if let Ok(about) = &about
            && matches!(about.try_lock(), Err(TryLockError::WouldBlock))
        {
            return false;
        }
        self.set_aside(place)
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests look into folders of their own"
)]
mod tests {
    use super::*;
    use crate::store::Bounds;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    fn store(place: &Path, quota: u64, reserve: u64) -> Arc<Store> {
        Arc::new(
            Store::open(
                place,
                Bounds {
                    quota: Some(quota),
                    reserve,
                },
            )
            .unwrap(),
        )
    }

    fn room(store: &Store, bytes: u64) -> Result<(), Error> {
        store.make_room(Need { bytes, entries: 0 }, &|| Ok(()))
    }

    /// Makes an entry that was used so many hours ago and declares this many bytes.
    fn keep(place: &Path, kind: &str, name: &str, hours: u64, bytes: u64) {
        let directory = place.join(kind).join(name);
        std::fs::create_dir_all(directory.join("files/deep")).unwrap();
        let about = directory.join(ABOUT);
        std::fs::write(&about, format!("{{\"bytes\":{bytes},\"files\":{{}}}}")).unwrap();
        std::fs::File::open(about)
            .unwrap()
            .set_modified(SystemTime::now() - Duration::from_secs(3600 * hours))
            .unwrap();
    }

    fn left(place: &Path) -> Vec<String> {
        let names = EVICTABLE
            .iter()
            .flat_map(|kind| std::fs::read_dir(place.join(kind)).unwrap());
        let mut names: Vec<String> = names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn least_recently_used_set_is_evicted_first_and_a_used_one_stays() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path(), 1000, 0);
        for (kind, name, hours) in [
            ("trees", "a", 9),
            ("parts", "b", 8),
            ("trees", "c", 7),
            ("parts", "d", 6),
        ] {
            keep(place.path(), kind, name, hours, 250);
        }
        room(&store, 0).unwrap();
        assert_eq!(left(place.path()), ["a", "b", "c", "d"]);
        // Use makes it recent, and a hold keeps it.
        drop(store.hold("trees/a").unwrap());
        let held = store.hold("parts/b").unwrap();
        room(&store, 300).unwrap();
        assert_eq!(left(place.path()), ["a", "b"]);
        let error = room(&store, 900).unwrap_err().to_string();
        assert!(
            error.contains("quota") && error.contains("in use"),
            "{error}"
        );
        assert_eq!(left(place.path()), ["b"]);
        drop(held);
        room(&store, 900).unwrap();
        assert!(left(place.path()).is_empty());
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            0
        );
        assert!(store.hold("parts/b").is_none());
    }

    #[test]
    fn a_part_of_the_disk_stays_free() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path(), 1000, 1 << 60);
        keep(place.path(), "trees", "a", 1, 10);
        let error = room(&store, 0).unwrap_err().to_string();
        assert!(error.contains("must stay free"), "{error}");
        // Some file systems do not count them.
        let inodes = Need {
            bytes: 0,
            entries: 1 << 60,
        };
        let store = self::store(place.path(), 1000, 0);
        if let Some(missing) = store.missing_disk(inodes).unwrap() {
            assert!(missing.contains("inodes"), "{missing}");
            keep(place.path(), "trees", "b", 1, 10);
            assert!(
                store
                    .make_room(inodes, &|| Err(io::Error::other("stopped")))
                    .unwrap_err()
                    .to_string()
                    .contains("stopped")
            );
            assert_eq!(
                left(place.path()),
                ["b"],
                "nothing is removed for whom nobody waits"
            );
        }
    }

    /// Tests that an entry is not used, and is removed, if other users could write to the store
    /// when it was made.
    #[test]
    fn set_that_others_can_have_changed_is_not_used() {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        type Change = fn(&Path);
        let mode = |path: &Path, bits| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap()
        };
        let changes: [Change; 5] = [
            |_| (),
            |tree| std::fs::set_permissions(tree, std::fs::Permissions::from_mode(0o777)).unwrap(),
            |tree| {
                std::fs::set_permissions(tree.join(ABOUT), std::fs::Permissions::from_mode(0o666))
                    .unwrap()
            },
            |tree| chown(tree, Some(65534), None).unwrap(),
            |tree| chown(tree.join(ABOUT), Some(65534), None).unwrap(),
        ];
        let known = if rustix::process::geteuid().is_root() {
            5
        } else {
            3
        };
        for (number, change) in changes.into_iter().take(known).enumerate() {
            let place = tempfile::tempdir().unwrap();
            let store = store(place.path(), 1000, 0);
            keep(place.path(), "trees", "a", 1, 10);
            let tree = place.path().join("trees/a");
            mode(&tree, 0o755);
            mode(&tree.join(ABOUT), 0o644);
            change(&tree);
            assert_eq!(store.hold("trees/a").is_some(), number == 0, "{number}");
            assert_eq!(tree.exists(), number == 0, "{number}");
        }
    }

    #[test]
    fn leftovers_are_removed_at_the_next_start_and_work_in_progress_stays() {
        let place = tempfile::tempdir().unwrap();
        let first = store(place.path(), 1000, 0);
        let work = first.work().unwrap();
        for left in ["work/killed/deep", "uv/archive-v0", "npm/_cacache"] {
            std::fs::create_dir_all(place.path().join(left)).unwrap();
        }
        let _second = store(place.path(), 1000, 0);
        assert!(
            work.path.exists()
                && !place.path().join("uv").exists()
                && !place.path().join("npm").exists()
        );
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            1
        );
        drop(work);
        assert_eq!(
            std::fs::read_dir(place.path().join("work"))
                .unwrap()
                .count(),
            0
        );
    }
}
