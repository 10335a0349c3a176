//! Locked files: how does a process keep others from a file that it writes alone?

use std::fs::{File, TryLockError};
use std::ops::Deref;
use std::sync::Arc;

/// A file under an exclusive lock of the whole file (`flock`), which is released on drop.
///
/// The lock is released explicitly, because closing the file is not enough: a child process has a
/// copy of every descriptor between fork and exec, and the lock would outlive the file until then.
#[derive(Debug)]
pub struct LockedFile(Arc<File>);

impl LockedFile {
    /// Locks a file.
    ///
    /// # Errors
    ///
    /// [`TryLockError::WouldBlock`] if another process, or another open file of this one, has
    /// locked it; [`TryLockError::Error`] if the file system has no locks.
    pub fn try_lock(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(Arc::new(file)))
    }

    /// Returns the file, which stays open for longer than it is locked.
    pub fn shared(&self) -> Arc<File> {
        Arc::clone(&self.0)
    }
}

impl Deref for LockedFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_ends_on_drop_even_if_a_copy_of_the_descriptor_is_open() {
        let file = tempfile::NamedTempFile::new().expect("a file can be made");
        let open = || LockedFile::try_lock(file.reopen().expect("the file opens"));
        let locked = open().expect("nobody has locked it");
        assert!(matches!(open(), Err(TryLockError::WouldBlock)));
        // As a child process has one until it is executed.
        let copy = locked.try_clone().expect("a descriptor can be copied");
        drop(locked);
        assert!(open().is_ok(), "the lock was left with {copy:?}");
    }
}
