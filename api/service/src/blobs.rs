//! Content-addressed store of artifacts: where are the files that programs left behind?
//!
//! Files are named by the SHA-256 of their content, so nothing that a program chose becomes a name
//! on the host, and a partially written file cannot be taken for a whole one.

use cap_std::fs::{Dir, DirEntry, File};
use cap_std::time::SystemTime;
use glovebox_wire as wire;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Their directory in the state folder.
const FOLDER: &str = "blobs";

/// Prefix of the names of incomplete files.
const UNFINISHED: &str = "unfinished-";

/// A directory of files named by their digest.
#[derive(Clone, Debug)]
pub(crate) struct Blobs(Arc<Dir>, Arc<Mutex<Uses>>);

/// Contents in use at the moment.
#[derive(Debug, Default)]
struct Uses {
    /// Contents without a record yet, with the number of pending records for each.
    held: HashMap<String, usize>,
    /// Contents that are about to be removed. One that is put meanwhile stays.
    leaving: HashSet<String>,
}

/// Keeps a content until its record is written (RAII).
#[derive(Debug)]
pub(crate) struct ContentGuard(Blobs, String);

impl ContentGuard {
    /// Returns its digest.
    pub(crate) fn sha256(&self) -> &str {
        &self.1
    }
}

impl Drop for ContentGuard {
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
pub(crate) struct Content {
    file: File,
    bytes: usize,
}

impl Content {
    /// Returns its length.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Reads one range of it.
    pub(crate) fn read(mut self, range: Range<usize>) -> io::Result<Vec<u8>> {
        let mut part = vec![0; range.len()];
        self.file.seek(SeekFrom::Start(range.start as u64))?;
        self.file.read_exact(&mut part)?;
        Ok(part)
    }
}

impl Blobs {
    /// Opens the store in the state folder.
    pub(crate) fn new(state: &Dir) -> io::Result<Self> {
        state.create_dir_all(FOLDER)?;
        Ok(Self(Arc::new(state.open_dir(FOLDER)?), Arc::default()))
    }

    fn place(sha256: &str) -> Option<String> {
        let is_digest = sha256.len() == 64
            && sha256
                .bytes()
                .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let (shelf, name) = is_digest.then(|| sha256.split_at(2))?;
        Some(format!("{shelf}/{name}"))
    }

    fn uses(&self) -> MutexGuard<'_, Uses> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a file; it stays at least as long as the returned guard.
    pub(crate) fn put(&self, content: &[u8]) -> io::Result<ContentGuard> {
        let sha256 = wire::sha256(content);
        {
            let mut uses = self.uses();
            *uses.held.entry(sha256.clone()).or_default() += 1;
            uses.leaving.remove(&sha256);
        }
        let held = ContentGuard(self.clone(), sha256.clone());
        let place =
            Self::place(&sha256).ok_or_else(|| io::Error::other("a digest is no digest"))?;
        let shelf = place.split('/').next().unwrap_or_default();
        self.0.create_dir_all(shelf)?;
        // Written again even if it exists, so that its new age protects it from removal as an
        // orphan.
        let unfinished = format!("{UNFINISHED}{:032x}", rand::random::<u128>());
        let written = self
            .0
            .write(&unfinished, content)
            .and_then(|()| self.0.rename(&unfinished, &self.0, &place));
        if let Err(error) = written {
            // A partial file would take the very space that was missing.
            let _ = self.0.remove_file(&unfinished);
            return Err(error);
        }
        Ok(held)
    }

    /// Opens a content without reading it.
    pub(crate) fn open(&self, sha256: &str) -> io::Result<Content> {
        let file = self
            .0
            .open(Self::place(sha256).ok_or(io::ErrorKind::NotFound)?)?;
        let bytes = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Content { file, bytes })
    }

    /// Reads a whole content.
    pub(crate) fn get(&self, sha256: &str) -> io::Result<Vec<u8>> {
        let content = self.open(sha256)?;
        let all = 0..content.bytes();
        content.read(all)
    }

    /// Returns the digests of files older than `age`. Incomplete files of that age are removed.
    pub(crate) fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        let mut old = Vec::new();
        for entry in self.0.entries()? {
            passed_over(entry.and_then(|entry| self.look_into(&entry, age, &mut old)));
        }
        Ok(old)
    }

    fn look_into(&self, entry: &DirEntry, age: Duration, old: &mut Vec<String>) -> io::Result<()> {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(UNFINISHED) {
            // A file that was renamed to its digest meanwhile is not among these.
            return if is_old(entry, age)? {
                self.0.remove_file(&name)
            } else {
                Ok(())
            };
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

    /// Marks a content for removal, before the database is asked whether a record refers to it;
    /// `false` if a record is about to.
    pub(crate) fn begin_to_remove(&self, sha256: &str) -> bool {
        let mut uses = self.uses();
        !uses.held.contains_key(sha256) && uses.leaving.insert(sha256.to_owned())
    }

    /// Takes back [`Blobs::begin_to_remove`].
    pub(crate) fn keep_begun(&self, sha256: &str) {
        self.uses().leaving.remove(sha256);
    }

    /// Removes a content that no record refers to, unless it was put again since
    /// [`Blobs::begin_to_remove`].
    pub(crate) fn remove_begun(&self, sha256: &str) {
        let mut uses = self.uses();
        if !uses.leaving.remove(sha256) {
            return;
        }
        if let Some(place) = Self::place(sha256)
            && let Err(error) = self.0.remove_file(place)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a stored file without references could not be removed");
        }
    }
}

fn is_old(entry: &DirEntry, age: Duration) -> io::Result<bool> {
    let modified = entry.metadata()?.modified()?;
    Ok(SystemTime::from_std(std::time::SystemTime::now())
        .duration_since(modified)
        .is_ok_and(|past| past > age))
}

/// Ignores a file that cannot be examined, so that the others are. Often it was removed a moment
/// ago.
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
        let state = crate::state_folder::state_folder(folder.path()).unwrap();
        let blobs = Blobs::new(&state).unwrap();
        let held = blobs.put(b"abc").unwrap();
        let digest = held.sha256().to_owned();
        assert_eq!(blobs.put(b"abc").unwrap().sha256(), digest);
        assert!(
            !blobs.begin_to_remove(&digest),
            "its record is about to be written"
        );
        drop(held);
        // What is put while it is marked for removal stays.
        assert!(blobs.begin_to_remove(&digest));
        drop(blobs.put(b"abc").unwrap());
        blobs.remove_begun(&digest);
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        assert!(blobs.begin_to_remove(&digest));
        blobs.keep_begun(&digest);
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        let other = blobs.put(b"other").unwrap().sha256().to_owned();
        assert!(blobs.begin_to_remove(&other));
        blobs.remove_begun(&other);
        assert!(blobs.get(&other).is_err());
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        for wrong in [
            "",
            "../../etc/passwd",
            &"g".repeat(64),
            &"A".repeat(64),
            digest.trim_start_matches(|_| true),
        ] {
            assert!(blobs.get(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            blobs.older_than(Duration::ZERO).unwrap(),
            std::slice::from_ref(&digest)
        );
        assert!(
            blobs
                .older_than(Duration::from_secs(60))
                .unwrap()
                .is_empty()
        );
        let sweep = |age| {
            for old in blobs.older_than(age).unwrap() {
                assert!(blobs.begin_to_remove(&old));
                blobs.remove_begun(&old);
            }
        };
        sweep(Duration::from_secs(60));
        assert!(blobs.get(&digest).is_ok(), "it is too new");
        // What cannot be examined is skipped.
        state
            .symlink("nowhere", format!("{FOLDER}/{UNFINISHED}gone"))
            .unwrap();
        state.write(format!("{FOLDER}/stray"), b"").unwrap();
        state
            .symlink(
                "nowhere",
                format!("{FOLDER}/{}/{}", digest.split_at(2).0, "e".repeat(62)),
            )
            .unwrap();
        assert_eq!(
            blobs
                .older_than(Duration::ZERO)
                .unwrap()
                .iter()
                .filter(|old| **old == digest)
                .count(),
            1
        );
        sweep(Duration::ZERO);
        assert!(blobs.get(&digest).is_err());
    }
}
