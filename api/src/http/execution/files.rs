//! Which files that a program left are kept?

use super::number;
use crate::http::App;
use crate::http::blobs::Held;
use crate::http::kept::{NotKept, artifact_bytes};
use crate::http::problem::{Code, Problem};
use crate::http::store::ArtifactRow;

/// Files of a program that are kept.
#[derive(Default)]
pub(super) struct KeptFiles {
    pub(super) artifacts: Vec<ArtifactRow>,
    /// Their contents, which no record names yet.
    pub(super) held: Vec<Held>,
    pub(super) bytes: u64,
    /// Why some are not.
    pub(super) not_kept: Option<NotKept>,
}

/// Keeps the files that there is room for.
pub(super) async fn keep_files(app: &App, subject: &str, files: Vec<glovebox::Artifact>) -> Result<KeptFiles, (Code, String)> {
    let mut kept = KeptFiles::default();
    let mut wanted = Vec::with_capacity(files.len());
    for file in files {
        let bytes = artifact_bytes(&file.path, file.content.len());
        match app.kept.try_take(subject, bytes) {
            Ok(()) => wanted.push((bytes, file)),
            Err(reason) => kept.not_kept = Some(reason),
        }
    }
    if wanted.is_empty() {
        return Ok(kept);
    }
    let blobs = app.blobs.clone();
    let put = move || wanted.into_iter().map(|(bytes, file)| (bytes, blobs.put(&file.content), file)).collect::<Vec<_>>();
    let failed = |error: &dyn std::fmt::Display| {
        let problem = Problem::internal(error);
        (problem.code(), problem.detail())
    };
    let mut failure = None;
    for (bytes, put, file) in tokio::task::spawn_blocking(put).await.map_err(|error| failed(&error))? {
        match put {
            Ok(held) => {
                kept.bytes += bytes;
                let sha256 = held.sha256().to_owned();
                kept.artifacts.push(ArtifactRow { path: file.path, sha256, bytes: number(file.content.len() as u64) });
                kept.held.push(held);
            }
            Err(error) => {
                app.kept.give_back(subject, bytes);
                if matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) {
                    kept.not_kept = Some(NotKept::Disk);
                } else {
                    failure = Some(failed(&error));
                }
            }
        }
    }
    match failure {
        Some(failure) => {
            app.kept.give_back(subject, kept.bytes);
            Err(failure)
        }
        None => Ok(kept),
    }
}
