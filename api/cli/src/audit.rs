//! Verification of audit logs on the command line: is a log still what was written?

use crate::cli::AuditCommand;
use crate::exit::{Exit, Failure};
use crate::files::{self, Kinds};
use crate::terminal;
use glovebox::{ChainCheck, ChainError, audit_segments};
use glovebox_service::AUDIT_NAME_FILE as NAME_FILE;
use glovebox_wire::error::chain;
use std::path::{Path, PathBuf};

/// Runs `glovebox audit ..`.
pub(crate) fn audit(command: &AuditCommand) -> Result<Exit, Failure> {
    let AuditCommand::Verify {
        path,
        since,
        key_file,
        unkeyed,
        expect,
    } = command;
    let key = key_file
        .as_deref()
        .map(glovebox_service::audit_key)
        .transpose()
        .map_err(|error| Failure::usage(chain(&error)))?;
    let shown = terminal::name(&path.display().to_string());
    let pieces = pieces(path, &shown)?;
    let mut check = ChainCheck::since(*since)
        .key(key, *unkeyed)
        .expect(expect.clone());
    let Some(records) = read(&mut check, &pieces, *since)? else {
        return Ok(Exit::UNMET);
    };
    if records == 0 && has_name(path) {
        let advice = "the records were removed; compare with a copy or a head that was kept elsewhere (`--expect`)";
        terminal::complain(
            &format!("`{shown}` is empty, although `{NAME_FILE}` says that a service wrote it"),
            Some(advice),
        );
        return Ok(Exit::UNMET);
    }
    let head = match check.end() {
        Ok(head) => head,
        Err(error) => {
            terminal::complain(
                &format!("`{shown}`: {}", chain(&error)),
                Some("compare it with a copy that was kept elsewhere"),
            );
            return Ok(Exit::UNMET);
        }
    };
    let means = if key_file.is_some() {
        "every seal fits the key"
    } else {
        "the chain is whole"
    };
    let open = match check.unfinished() {
        0 => String::new(),
        1 => "; 1 run has no end yet".to_owned(),
        runs => format!("; {runs} runs have no end yet"),
    };
    let trusted = if *since > 0 {
        format!(" after {since} that are not here")
    } else {
        String::new()
    };
    terminal::print(&format!(
        "{shown}: {} records{trusted}, {means}{open}\nhead {head}",
        records.saturating_sub(*since)
    ))
}

/// Returns the segments of a log, the oldest first; a log without segments is one file.
fn pieces(path: &Path, shown: &str) -> Result<Vec<PathBuf>, Failure> {
    let pieces = if path.is_dir() {
        audit_segments(path)
            .map_err(|error| Failure::usage(format!("cannot read `{shown}`: {error}")))?
    } else {
        vec![path.to_owned()]
    };
    if pieces.is_empty() {
        return Err(
            Failure::usage(format!("there is no audit log in `{shown}`"))
                .advise("name a log, or the state folder of a service"),
        );
    }
    Ok(pieces)
}

/// Reads all segments; returns the number of records, or `None` if the chain is broken, which is
/// reported.
fn read(check: &mut ChainCheck, pieces: &[PathBuf], since: u64) -> Result<Option<u64>, Failure> {
    let mut records = since;
    for piece in pieces {
        match check.read(files::open(piece, "the audit log", Kinds::Readable)?) {
            Ok(so_far) => records = so_far,
            Err(error @ ChainError::Unreadable(_)) => return Err(Failure::usage(chain(&error))),
            Err(error) => {
                let advice = "the log was changed, cut in the middle or damaged; the records before that line are as they were written. Where \
                    older ones were moved elsewhere or forgotten on purpose, `--since RECORDS` says how many; a log that is sealed with a key \
                    needs `--key-file`, and `--unkeyed RECORDS` where it was begun without one";
                terminal::complain(
                    &format!(
                        "`{}`: {}",
                        terminal::name(&piece.display().to_string()),
                        chain(&error)
                    ),
                    Some(advice),
                );
                return Ok(None);
            }
        }
    }
    Ok(Some(records))
}

/// Whether a service has written the name of this log beside it. It writes a record before anything
/// else, so a log with a name and without records has lost them.
fn has_name(path: &Path) -> bool {
    let folder = if path.is_dir() {
        Some(path)
    } else {
        path.parent()
    };
    folder.is_some_and(|folder| folder.join(NAME_FILE).exists())
}
