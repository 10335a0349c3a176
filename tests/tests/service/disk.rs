//! Small disks: a file system of its own for a state folder.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A small dedicated file system, which is unmounted at the end of the test.
pub(crate) struct Disk(TempDir);

impl Disk {
    /// Returns `None` if mounting is not permitted here.
    pub(crate) fn new(options: &str) -> Option<Self> {
        let folder = TempDir::new().expect("a folder can be made");
        let options = format!("mode=700,{options}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(folder.path())
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        eprintln!(
            "SKIPPED: no disk can be made here, for which a test needs the rights of an administrator"
        );
        None
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns free bytes and inodes.
    pub(crate) fn free(&self) -> (u64, u64) {
        let output = Command::new("df")
            .args(["-B1", "--output=avail,iavail"])
            .arg(self.0.path())
            .output()
            .expect("`df` runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<u64> = text
            .lines()
            .nth(1)
            .unwrap_or_default()
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        (numbers[0], numbers[1])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount")
            .arg("--lazy")
            .arg(self.0.path())
            .status();
    }
}
