//! Content-addressed store of artifacts: where are the files that programs left behind?
//!
//! Files are named by the SHA-256 of their content, so nothing that a program chose becomes a name on the host, and a partially written
//! file cannot be taken for a whole one.

use crate::wire;
use cap_std::fs::{Dir, DirEntry, File};
use cap_std::time::SystemTime;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where they lie in the state folder.
const FOLDER: &str = "blobs";

/// What files are called that are not whole yet.
const UNFINISHED: &str = "unfinished-";

/// A folder of files by content.
#[derive(Clone, Debug)]
pub(super) struct Blobs(Arc<Dir>, Arc<Mutex<Uses>>);

/// What is done with contents at the moment.
#[derive(Debug, Default)]
struct Uses {
    /// Contents that were put and that no record names yet, by how many wait for theirs.
    held: HashMap<String, usize>,
    /// Contents that are about to be removed. One that is put meanwhile stays.
    leaving: HashSet<String>,
}

/// Keeps a content until its record is written.
#[derive(Debug)]
pub(super) struct Held(Blobs, String);

impl Held {
    /// Its digest.
    pub(super) fn sha256(&self) -> &str {
        &self.1
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut uses = self.0.uses();
        if let Some(count) = uses.held.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                uses.held.remove(&self.1);
            }
        }
    }
}

/// An open content.
pub(super) struct Content {
    file: File,
    bytes: usize,
}

impl Content {
    /// How long it is.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads a part of it, and nothing else.
    pub(super) fn read(mut self, range: Range<usize>) -> io::Result<Vec<u8>> {
        let mut part = vec![0; range.len()];
        self.file.seek(SeekFrom::Start(range.start as u64))?;
        self.file.read_exact(&mut part)?;
        Ok(part)
    }
}

impl Blobs {
    /// In the state folder.
    pub(super) fn new(state: &Dir) -> io::Result<Self> {
        state.create_dir_all(FOLDER)?;
        Ok(Self(Arc::new(state.open_dir(FOLDER)?), Arc::default()))
    }

    fn place(sha256: &str) -> Option<String> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let (shelf, name) = is_digest.then(|| sha256.split_at(2))?;
        Some(format!("{shelf}/{name}"))
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file; it stays at least as long as what this gives.
    pub(super) fn put(&self, content: &[u8]) -> io::Result<Held> {
        let sha256 = wire::sha256(content);
        {
            let mut uses = self.uses();
            *uses.held.entry(sha256.clone()).or_default() += 1;
            uses.leaving.remove(&sha256);
        }
        let held = Held(self.clone(), sha256.clone());
        let place = Self::place(&sha256).ok_or_else(|| io::Error::other("a digest is no digest"))?;
        let shelf = place.split('/').next().unwrap_or_default();
        self.0.create_dir_all(shelf)?;
        // Written anew even where it is there already, so that it is not removed as one that nobody needs.
        let unfinished = format!("{UNFINISHED}{:032x}", rand::random::<u128>());
        let written = self.0.write(&unfinished, content).and_then(|()| self.0.rename(&unfinished, &self.0, &place));
        if let Err(error) = written {
            // Half of it would take the room that it did not have.
            let _ = self.0.remove_file(&unfinished);
            return Err(error);
        }
        Ok(held)
    }

    /// A content, of which nothing is read yet.
    pub(super) fn open(&self, sha256: &str) -> io::Result<Content> {
        let file = self.0.open(Self::place(sha256).ok_or(io::ErrorKind::NotFound)?)?;
        let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Content { file, bytes })
    }

    /// A whole content.
    pub(super) fn get(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let content = self.open(sha256)?;
        let all = 0..content.bytes();
        content.read(all)
    }

    /// The digests of files that are older than this. Files that were never finished are removed.
    pub(super) fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        let mut old = Vec::new();
        for entry in self.0.entries()? {
            passed_over(entry.and_then(|entry| self.look_into(&entry, age, &mut old)));
        }
        Ok(old)
    }

    fn look_into(&self, entry: &DirEntry, age: Duration, old: &mut Vec<String>) -> io::Result<()> {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(UNFINISHED) {
            // One that has its name by now is none of these.
            return if is_old(entry, age)? { self.0.remove_file(&name) } else { Ok(()) };
        }
        if !entry.file_type()?.is_dir() {
            return Ok(());
        }
        for file in entry.open_dir()?.entries()? {
            passed_over(file.and_then(|file| {
                let sha256 = format!("{name}{}", file.file_name().to_string_lossy());
                if is_old(&file, age)? && Self::place(&sha256).is_some() {
                    old.push(sha256);
                }
                Ok(())
            }));
        }
        Ok(())
    }

    /// Says that a content is about to go, before it is found out whether a record names it; `false` where one is about to.
    pub(super) fn begin_to_remove(&self, sha256: &str) -> bool {
        let mut uses = self.uses();
        !uses.held.contains_key(sha256) && uses.leaving.insert(sha256.to_owned())
    }

    /// Removes a content that no record names, unless it was put again since that was begun.
    pub(super) fn remove_begun(&self, sha256: &str, is_needed: bool) {
        let mut uses = self.uses();
        if !uses.leaving.remove(sha256) || is_needed {
            return;
        }
        if let Some(place) = Self::place(sha256)
            && let Err(error) = self.0.remove_file(place)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a file that nobody needs could not be removed");
        }
    }
}

fn is_old(entry: &DirEntry, age: Duration) -> io::Result<bool> {
    let modified = entry.metadata()?.modified()?;
    Ok(SystemTime::from_std(std::time::SystemTime::now()).duration_since(modified).is_ok_and(|past| past > age))
}

/// A file that cannot be looked at keeps nobody from the others. Often somebody has removed it a moment ago.
fn passed_over(looked: io::Result<()>) {
    if let Err(error) = looked
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "a kept file could not be looked at; the others are");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_found_by_its_digest_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let state = crate::http::state_folder(folder.path()).unwrap();
        let blobs = Blobs::new(&state).unwrap();
        let held = blobs.put(b"abc").unwrap();
        let digest = held.sha256().to_owned();
        assert_eq!(blobs.put(b"abc").unwrap().sha256(), digest);
        assert!(!blobs.begin_to_remove(&digest), "its record is about to be written");
        drop(held);
        // What is put while it is about to go stays.
        assert!(blobs.begin_to_remove(&digest));
        drop(blobs.put(b"abc").unwrap());
        blobs.remove_begun(&digest, false);
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        assert!(blobs.begin_to_remove(&digest));
        blobs.remove_begun(&digest, true);
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        let other = blobs.put(b"other").unwrap().sha256().to_owned();
        assert!(blobs.begin_to_remove(&other));
        blobs.remove_begun(&other, false);
        assert!(blobs.get(&other).is_err());
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        for wrong in ["", "../../etc/passwd", &"g".repeat(64), &"A".repeat(64), digest.trim_start_matches(|_| true)] {
            assert!(blobs.get(wrong).is_err(), "{wrong}");
        }
        assert_eq!(blobs.older_than(Duration::ZERO).unwrap(), std::slice::from_ref(&digest));
        assert!(blobs.older_than(Duration::from_secs(60)).unwrap().is_empty());
        let sweep = |age| {
            for old in blobs.older_than(age).unwrap() {
                assert!(blobs.begin_to_remove(&old));
                blobs.remove_begun(&old, false);
            }
        };
        sweep(Duration::from_secs(60));
        assert!(blobs.get(&digest).is_ok(), "it is too new");
        // What cannot be looked at is passed over.
        state.symlink("nowhere", format!("{FOLDER}/{UNFINISHED}gone")).unwrap();
        state.write(format!("{FOLDER}/stray"), b"").unwrap();
        state.symlink("nowhere", format!("{FOLDER}/{}/{}", digest.split_at(2).0, "e".repeat(62))).unwrap();
        assert_eq!(blobs.older_than(Duration::ZERO).unwrap().iter().filter(|old| **old == digest).count(), 1);
        sweep(Duration::ZERO);
        assert!(blobs.get(&digest).is_err());
    }
}
