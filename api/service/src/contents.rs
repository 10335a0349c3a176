//! Contents of artifacts: when is one removed?

use crate::blobs::Blobs;
use crate::records::Records;

/// The contents of artifacts, and the records that refer to them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Contents {
    pub(crate) blobs: Blobs,
    records: Records,
}

impl Contents {
    pub(crate) fn new(blobs: Blobs, records: Records) -> Self {
        Self { blobs, records }
    }

    /// Removes a content if no record refers to it, and none is about to.
    ///
    /// # Errors
    ///
    /// Those of the database. The content then stays until the next sweep.
    pub(crate) async fn remove_unused(&self, sha256: &str) -> Result<(), sqlx::Error> {
        if !self.blobs.begin_to_remove(sha256) {
            return Ok(());
        }
        let is_needed = self.records.needs_content(sha256).await;
        match is_needed {
            Ok(false) => self.blobs.remove_begun(sha256),
            Ok(true) | Err(_) => self.blobs.keep_begun(sha256),
        }
        is_needed.map(drop)
    }
}
