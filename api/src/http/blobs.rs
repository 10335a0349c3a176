//! Where do files that programs leave behind lie?
//!
//! By the digest of their content, so that nothing that a program chose becomes a name on the host, and a file that was written in part
//! cannot be taken for a whole one.

use crate::wire;
use cap_std::fs::Dir;
use cap_std::time::SystemTime;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// Where they lie in the state folder.
const FOLDER: &str = "blobs";

/// What files are called that are not whole yet.
const UNFINISHED: &str = "unfinished-";

/// A folder of files by content.
#[derive(Clone, Debug)]
pub(super) struct Blobs(Arc<Dir>);

impl Blobs {
    /// In the state folder.
    pub(super) fn new(state: &Dir) -> io::Result<Self> {
        state.create_dir_all(FOLDER)?;
        Ok(Self(Arc::new(state.open_dir(FOLDER)?)))
    }

    fn place(sha256: &str) -> Option<String> {
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let (shelf, name) = is_digest.then(|| sha256.split_at(2))?;
        Some(format!("{shelf}/{name}"))
    }

    /// Keeps a file; gives its digest.
    pub(super) fn put(&self, content: &[u8]) -> io::Result<String> {
        let sha256 = wire::sha256(content);
        let place = Self::place(&sha256).ok_or_else(|| io::Error::other("a digest is no digest"))?;
        let shelf = place.split('/').next().unwrap_or_default();
        self.0.create_dir_all(shelf)?;
        // Written anew even where it is there already, so that it is not removed as one that nobody needs.
        let unfinished = format!("{UNFINISHED}{:032x}", rand::random::<u128>());
        self.0.write(&unfinished, content)?;
        self.0.rename(&unfinished, &self.0, &place)?;
        Ok(sha256)
    }

    pub(super) fn get(&self, sha256: &str) -> io::Result<Vec<u8>> {
        self.0.read(Self::place(sha256).ok_or(io::ErrorKind::NotFound)?)
    }

    /// The digests of files that are older than this. Files that were never finished are removed.
    pub(super) fn older_than(&self, age: Duration) -> io::Result<Vec<String>> {
        let is_old = |modified| is_older(modified, age);
        let mut old = Vec::new();
        for shelf in self.0.entries()? {
            let shelf = shelf?;
            let name = shelf.file_name().to_string_lossy().into_owned();
            if name.starts_with(UNFINISHED) {
                // One that has its name by now is none of these.
                if shelf.metadata().and_then(|found| found.modified()).is_ok_and(is_old) {
                    self.0.remove_file(&name)?;
                }
                continue;
            }
            for file in shelf.open_dir()?.entries()? {
                let file = file?;
                let sha256 = format!("{name}{}", file.file_name().to_string_lossy());
                if is_old(file.metadata()?.modified()?) && Self::place(&sha256).is_some() {
                    old.push(sha256);
                }
            }
        }
        Ok(old)
    }

    /// Removes it, unless it was written again meanwhile.
    pub(super) fn remove(&self, sha256: &str, age: Duration) {
        let Some(place) = Self::place(sha256) else { return };
        let modified = self.0.metadata(&place).and_then(|found| found.modified());
        if modified.is_ok_and(|modified| is_older(modified, age))
            && let Err(error) = self.0.remove_file(place)
        {
            tracing::warn!(%error, "a file that nobody needs could not be removed");
        }
    }
}

fn is_older(modified: SystemTime, age: Duration) -> bool {
    SystemTime::from_std(std::time::SystemTime::now()).duration_since(modified).is_ok_and(|past| past > age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_found_by_its_digest_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let state = crate::http::state_folder(folder.path()).unwrap();
        let blobs = Blobs::new(&state).unwrap();
        let digest = blobs.put(b"abc").unwrap();
        assert_eq!(blobs.put(b"abc").unwrap(), digest);
        assert_eq!(blobs.get(&digest).unwrap(), b"abc");
        for wrong in ["", "../../etc/passwd", &"g".repeat(64), &"A".repeat(64), digest.trim_start_matches(|_| true)] {
            assert!(blobs.get(wrong).is_err(), "{wrong}");
        }
        assert_eq!(blobs.older_than(Duration::ZERO).unwrap(), std::slice::from_ref(&digest));
        assert!(blobs.older_than(Duration::from_secs(60)).unwrap().is_empty());
        blobs.remove(&digest, Duration::from_secs(60));
        assert!(blobs.get(&digest).is_ok(), "it is too new");
        blobs.remove(&digest, Duration::ZERO);
        assert!(blobs.get(&digest).is_err());
    }
}
