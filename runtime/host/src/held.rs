//! Held folders: which working directories does a process still use?
//!
//! Each is locked for as long as it is used, and removed afterwards. Those of processes that were
//! killed are removed when the next process begins.

use crate::lock::LockedFile;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// The number of attempts to remove a folder that a process still writes to, and the delay between
/// them.
const REMOVE_ATTEMPTS: u32 = 5;
const REMOVE_RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// A directory of held folders, which only this user can write to.
#[derive(Clone, Debug)]
pub struct HeldFolders(PathBuf);

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub struct HeldFolder {
    path: PathBuf,
    /// Released after the removal, when the fields are dropped.
    _locked: LockedFile,
}

impl HeldFolders {
    /// Takes an existing directory whose owner and permissions were checked.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Creates a folder with these permissions.
    ///
    /// # Errors
    ///
    /// If it cannot be created or locked.
    pub fn begin(&self, mode: u32) -> io::Result<HeldFolder> {
        // A folder that was just created is not locked yet, and must not be taken for a left one.
        let all = open(&self.0)?;
        all.lock_shared()?;
        let path = self.0.join(name());
        DirBuilder::new().mode(mode).create(&path)?;
        let _locked = LockedFile::try_lock(open(&path)?)?;
        Ok(HeldFolder { path, _locked })
    }

    /// Removes the folders that no process holds.
    ///
    /// # Errors
    ///
    /// If the directory cannot be read.
    pub fn clear(&self) -> io::Result<()> {
        let all = open(&self.0)?;
        all.lock()?;
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            let is_left = entry.file_type()?.is_dir()
                && open(&entry.path()).is_ok_and(|folder| LockedFile::try_lock(folder).is_ok());
            if is_left {
                let _ = remove(&entry.path());
            }
        }
        Ok(())
    }
}

impl HeldFolder {
    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a descriptor of it.
    ///
    /// # Errors
    ///
    /// If the process has too many.
    pub fn to_file(&self) -> io::Result<File> {
        // Not a copy of the locked one, whose lock would live as long as the copy.
        open(&self.path)
    }
}

impl Drop for HeldFolder {
    fn drop(&mut self) {
        // A program that was killed a moment ago may still be creating files.
        for _ in 0..REMOVE_ATTEMPTS {
            match remove(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    std::thread::sleep(REMOVE_RETRY_INTERVAL);
                }
                _ => return,
            }
        }
    }
}

/// Returns a name that no other process and no other call has.
fn name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{nanos:x}-{}-{count}", std::process::id())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a directory of our own, whose permissions were checked"
)]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a directory of our own, whose permissions were checked"
)]
fn remove(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_folder_stays_and_a_left_one_is_removed() {
        let place = tempfile::tempdir().expect("a folder can be made");
        let folders = HeldFolders::new(place.path());
        let held = folders.begin(0o700).expect("it can be made");
        let left = place.path().join("left");
        DirBuilder::new().create(&left).expect("it can be made");
        folders.clear().expect("it can be read");
        assert!(held.path().is_dir() && !left.exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
