//! The audit log of a service: how it is opened, and how its head gets into the database.

use super::ServeError;
use super::config::Config;
use super::store::Store;
use glovebox::{AuditHead, AuditKey, AuditLogOptions, ChainError, JsonLines};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often the head is kept. A log that loses less than this is not noticed by the database.
const KEEP_HEAD_EVERY: Duration = Duration::from_secs(5);

/// Bytes of a key file that are read.
const MAX_KEY_BYTES: u64 = 4096;

/// Opens the log where the process before this one ended it.
pub(super) async fn open(state: &Path, config: &Config, store: &Store, accept_gap: bool) -> Result<Arc<JsonLines>, ServeError> {
    let key = config.audit.key_file.as_deref().map(read_key).transpose()?;
    let expected = store.audit_head().await?;
    let options = AuditLogOptions::default().key(key).segments(config.limits.audit_segment as u64).expect(expected).accept_gap(accept_gap);
    let log = options.open(state).map_err(|error| match error {
        gap @ ChainError::Expected { .. } => ServeError::AuditGap(gap),
        error => ServeError::State(state.to_owned(), io::Error::other(error.to_string())),
    })?;
    let log = Arc::new(log);
    tracing::info!(head = %log.head(), "the audit log goes on");
    Ok(log)
}

/// Reads the key that seals the log.
///
/// # Errors
///
/// Where others than its owner can read it, or it is too short.
pub(super) fn read_key(path: &Path) -> Result<AuditKey, ServeError> {
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;
    let failed = |error: io::Error| ServeError::AuditKey(path.to_owned(), error.to_string());
    #[expect(clippy::disallowed_methods, reason = "the operator named this file")]
    let file = std::fs::File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        let shown = path.display();
        return Err(failed(io::Error::other(format!("its mode is {mode:o}, so others can read it; run `chmod 600 {shown}`"))));
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    AuditKey::new(&bytes).map_err(|error| failed(io::Error::other(error)))
}

/// Keeps the head of what is on the disk in the database, again and again.
pub(super) async fn keep_heads(log: Arc<JsonLines>, store: Store) {
    let mut last = None;
    loop {
        last = keep_head(&log, &store, last).await;
        tokio::time::sleep(KEEP_HEAD_EVERY).await;
    }
}

/// Keeps the head, where it is another one than the last; gives it.
pub(super) async fn keep_head(log: &Arc<JsonLines>, store: &Store, last: Option<AuditHead>) -> Option<AuditHead> {
    let head = log.head();
    if head.records == 0 || last.as_ref() == Some(&head) {
        return last;
    }
    // What a loss of power may still take must not be expected afterwards.
    let synced = Arc::clone(log);
    let synced = tokio::task::spawn_blocking(move || synced.sync()).await.map_err(io::Error::other).flatten();
    let kept = match synced {
        Ok(head) => store.keep_audit_head(&head).await.map(|()| head).map_err(io::Error::other),
        Err(error) => Err(error),
    };
    match kept {
        Ok(head) => {
            tracing::debug!(%head, "the head of the audit log is kept");
            Some(head)
        }
        Err(error) => {
            tracing::warn!(%error, "the head of the audit log could not be kept");
            last
        }
    }
}
