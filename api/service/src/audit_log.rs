//! Audit log of a service: how is it opened, and how does its head get into the database?

use crate::config::Config;
use crate::records::{LogHead, Records};
use crate::start_error::StartError;
use crate::state_folder::State;
use crate::trusted::open_trusted;
use cap_std::fs::{Dir, OpenOptions};
use glovebox::{AuditHead, AuditKey, AuditLogOptions, ChainError, JsonLines};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Interval at which the head is stored. The database does not notice the loss of fewer records
/// than one interval has.
const KEEP_HEAD_EVERY: Duration = Duration::from_secs(5);

/// Maximum bytes of a key file that are read.
const MAX_KEY_BYTES: u64 = 4096;

/// The file with the name of the log, in the state folder. Without it, or with another name in it,
/// the service does not start.
pub const NAME_FILE: &str = "audit.id";

/// The temporary name of that file before it is complete.
const NEXT_NAME_FILE: &str = "audit.id.next";

/// Hexadecimal digits of a name.
const NAME_DIGITS: usize = 32;

/// An audit log, and the store of its head.
pub(crate) struct AuditLog {
    pub(crate) log: Arc<JsonLines>,
    records: Records,
    name: String,
    place: String,
}

/// Opens the log at the head at which the previous process ended it.
///
/// Its name is in the state folder, in the log, and in the database together with its head and its
/// location. So services that share a database have one head each, and removing or replacing the
/// log, its name or both leaves one of the three that does not match.
pub(crate) async fn open(
    state: &State,
    dir: &Dir,
    config: &Config,
    records: &Records,
) -> Result<AuditLog, StartError> {
    let (path, accept_gap) = (state.folder.as_path(), state.accept_audit_gap);
    let failed = |error| StartError::State(path.to_owned(), error);
    let key = config.audit.key_file.as_deref().map(read_key).transpose()?;
    let place = place(path).map_err(failed)?;
    let said = read_name(dir).map_err(failed)?;
    let heads = records
        .audit_heads(said.as_deref().unwrap_or_default(), &place)
        .await?;
    let known = find_known(state, &heads, said.as_deref(), &place)?;
    let name = choose_name(known, said.as_deref());
    if known.is_none() {
        if said.is_some() {
            tracing::warn!(
                log = name,
                "the database has no head of the audit log, whose records before now are taken on trust"
            );
        }
        records
            .keep_audit_head(&name, &place, &AuditHead::start())
            .await?;
    }
    if said.as_ref() != Some(&name) {
        write_name(dir, &name).map_err(failed)?;
    }
    let expected = known
        .map(|known| known.head.clone())
        .filter(|head| head.records > 0);
    let mut options = AuditLogOptions::default()
        .key(key)
        .segments(config.limits.audit_segment as u64)
        .name(Some(name.clone()))
        .expect(expected);
    if accept_gap {
        options = options.accept_gap();
    }
    let log = options.open(path).map_err(|error| match error {
        gap @ (ChainError::Expected { .. } | ChainError::Named { .. }) => StartError::AuditGap(gap),
        error => StartError::State(path.to_owned(), io::Error::other(error.to_string())),
    })?;
    records.place_audit_log(&name, &place, known).await?;
    let log = Arc::new(log);
    tracing::info!(head = %log.head(), "the audit log continues");
    Ok(AuditLog {
        log,
        records: records.clone(),
        name,
        place,
    })
}

/// Returns the head at which the log goes on, if the database has one; `said` is the name in the
/// state folder.
///
/// # Errors
///
/// If another log was at this location, and a gap is not accepted.
fn find_known<'a>(
    state: &State,
    heads: &'a [LogHead],
    said: Option<&str>,
    place: &str,
) -> Result<Option<&'a LogHead>, StartError> {
    let own = heads.iter().find(|head| said == Some(head.name.as_str()));
    let was_here = heads
        .iter()
        .find(|head| head.place == place && said != Some(head.name.as_str()));
    // A process that was killed before it wrote the name leaves a head without records.
    let lost = was_here.filter(|lost| lost.head.records > 0);
    if let Some(lost) = lost {
        let said = said.map_or_else(
            || "is missing".to_owned(),
            |said| format!("says `{}`", said.escape_debug()),
        );
        let error = StartError::AuditName {
            state: state.folder.clone(),
            known: lost.name.clone(),
            said,
        };
        if !state.accept_audit_gap {
            return Err(error);
        }
        tracing::error!(%error, "the audit log continues despite this, by `--accept-audit-gap`");
    }
    // Whatever the file says, a log that was at this location goes on under its own name: that of
    // another log has its own head.
    Ok(lost
        .or(own)
        .or(was_here)
        .or_else(|| heads.iter().find(|head| head.name.is_empty())))
}

/// Returns the name that the database has for a log, else that in the state folder, else a new one.
fn choose_name(known: Option<&LogHead>, said: Option<&str>) -> String {
    known
        .map(|known| known.name.as_str())
        .filter(|name| !name.is_empty())
        .or_else(|| said.filter(|said| is_name(said)))
        .map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned)
}

/// Returns the location of a log: this machine, and the directory.
fn place(state: &Path) -> io::Result<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel says the name of this machine in this file"
    )]
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Ok(format!(
        "{}:{}",
        host.trim(),
        state.canonicalize()?.display()
    ))
}

fn is_name(text: &str) -> bool {
    text.len() == NAME_DIGITS
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Reads the name of the log from the state folder; `None` if there is no file.
fn read_name(state: &Dir) -> io::Result<Option<String>> {
    use std::io::Read as _;
    let file = match state.open(NAME_FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut text = Vec::new();
    file.take(2 * NAME_DIGITS as u64).read_to_end(&mut text)?;
    Ok(Some(String::from_utf8_lossy(&text).trim().to_owned()))
}

fn write_name(state: &Dir, name: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = state.open_with(
        NEXT_NAME_FILE,
        OpenOptions::new().create(true).truncate(true).write(true),
    )?;
    file.write_all(format!("{name}\n").as_bytes())?;
    file.sync_all()?;
    state.rename(NEXT_NAME_FILE, state, NAME_FILE)
}

/// Reads the key that seals the log.
///
/// # Errors
///
/// If other users can read or replace it, or it is too short.
pub fn read_key(path: &Path) -> Result<AuditKey, StartError> {
    use std::io::Read as _;
    use std::os::unix::fs::MetadataExt as _;
    let failed = |error: io::Error| StartError::AuditKey(path.to_owned(), error.to_string());
    let file = open_trusted(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o777;
        let shown = path.display();
        return Err(failed(io::Error::other(format!(
            "its mode is {mode:o}, so others can read it; run `chmod 600 {shown}`"
        ))));
    }
    let mut bytes = Vec::new();
    file.take(MAX_KEY_BYTES)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    AuditKey::new(&bytes).map_err(|error| failed(io::Error::other(error)))
}

impl AuditLog {
    /// Stores the head of what is synced to disk in the database, at intervals.
    pub(crate) async fn keep_heads(&self) {
        let mut last = None;
        loop {
            last = self.keep_head(last).await;
            tokio::time::sleep(KEEP_HEAD_EVERY).await;
        }
    }

    /// Stores the head if it differs from the last one; returns it.
    pub(crate) async fn keep_head(&self, last: Option<AuditHead>) -> Option<AuditHead> {
        let head = self.log.head();
        if head.records == 0 || last.as_ref() == Some(&head) {
            return last;
        }
        // Only the synced head is stored: records that a power loss may still take must not be
        // expected afterwards.
        let synced = Arc::clone(&self.log);
        let synced = tokio::task::spawn_blocking(move || synced.sync())
            .await
            .map_err(io::Error::other)
            .flatten();
        let kept = match synced {
            Ok(head) => self
                .records
                .keep_audit_head(&self.name, &self.place, &head)
                .await
                .map(|()| head)
                .map_err(io::Error::other),
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
}
