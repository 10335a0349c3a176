//! Artifacts of an execution: which of the files that a program handed back are kept, and where?

use super::execution_core::ExecutionCore;
use crate::blobs::ContentGuard;
use crate::error::ServiceError;
use crate::quotas::{NotKept, Reservation};
use crate::records::rows::ArtifactRow;
use glovebox_policy::Subject;
use std::io::ErrorKind;

/// The artifacts of an execution that are kept.
pub(super) struct KeptFiles {
    pub(super) artifacts: Vec<ArtifactRow>,
    /// Their contents, to which no record refers yet.
    pub(super) held: Vec<ContentGuard>,
    /// The storage reserved for them, until they have a record.
    pub(super) room: Reservation,
    /// The reason why some are not kept.
    pub(super) not_kept: Option<NotKept>,
}

/// Stores the artifacts that there is room for.
pub(super) async fn keep_files(
    core: &ExecutionCore,
    subject: &Subject,
    files: Vec<glovebox::Artifact>,
) -> Result<KeptFiles, ServiceError> {
    let mut kept = KeptFiles {
        artifacts: Vec::new(),
        held: Vec::new(),
        room: core.quotas.room(subject),
        not_kept: None,
    };
    let mut wanted = Vec::with_capacity(files.len());
    for file in files {
        let bytes = core.quotas.of_artifact(&file.path, file.content.len());
        match kept.room.try_take(bytes, 1) {
            Ok(()) => wanted.push((bytes, file)),
            Err(reason) => kept.not_kept = Some(reason),
        }
    }
    if wanted.is_empty() {
        return Ok(kept);
    }
    let blobs = core.contents.blobs.clone();
    let put = move || {
        for (bytes, file) in wanted {
            match blobs.put(&file.content) {
                Ok(held) => {
                    let (sha256, bytes) = (
                        held.sha256().to_owned(),
                        i64::try_from(file.content.len()).unwrap_or(i64::MAX),
                    );
                    kept.artifacts.push(ArtifactRow {
                        path: file.path,
                        sha256,
                        bytes,
                    });
                    kept.held.push(held);
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
                    ) =>
                {
                    kept.room.give_back(bytes, 1);
                    kept.not_kept = Some(NotKept::Disk);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(kept)
    };
    // The guards move along: they are held until the last file is written, even if the caller is
    // dropped.
    tokio::task::spawn_blocking(put)
        .await
        .map_err(|error| ServiceError::internal(&error))?
        .map_err(|error| ServiceError::internal(&error))
}
