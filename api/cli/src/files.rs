//! Input files: how are files read that the command line names?
//!
//! The only module of this crate that opens a file of the host by its path, apart from the
//! directories that artifacts are saved to.

use crate::exit::Failure;
use crate::terminal::name;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// File types that may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    /// Regular files only: reading others may block for ever or never end.
    Regular,
    /// Pipes too, as a shell's `<(..)` makes them.
    Readable,
}

/// Opens a file for reading; `what` names it in messages, such as "the policy".
pub(crate) fn open(path: &Path, what: &str, kinds: Kinds) -> Result<File, Failure> {
    let shown = name(&path.display().to_string());
    let failed = |error: io::Error| explain(&error, what, &shown);
    // Checked before opening: opening a FIFO without a writer would block for ever.
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.is_dir() {
        return Err(
            Failure::usage(format!("cannot read {what} `{shown}`: it is a directory"))
                .advise("name a file in it"),
        );
    }
    if kinds == Kinds::Regular && !metadata.is_file() {
        return Err(Failure::usage(format!(
            "cannot read {what} `{shown}`: it is a pipe, a socket or a device"
        ))
        .advise("copy its content to a regular file first"));
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "a file that the person at the command line named"
    )]
    File::open(path).map_err(failed)
}

/// Reads a whole file of at most `most` bytes.
pub(crate) fn read(path: &Path, what: &str, kinds: Kinds, most: u64) -> Result<Vec<u8>, Failure> {
    let shown = name(&path.display().to_string());
    read_all(open(path, what, kinds)?, &format!("{what} `{shown}`"), most)
}

/// Reads a whole file of text.
pub(crate) fn read_text(path: &Path, what: &str, most: u64) -> Result<String, Failure> {
    let shown = name(&path.display().to_string());
    String::from_utf8(read(path, what, Kinds::Readable, most)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::usage(format!(
            "cannot read {what} `{shown}`: byte {at} is not UTF-8 text"
        ))
        .advise("save it as UTF-8")
    })
}

/// Reads to the end, up to `most` bytes; `what` names the origin in messages.
pub(crate) fn read_all(reader: impl Read, what: &str, most: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    reader
        .take(most.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| Failure::usage(format!("cannot read {what}: {error}")))?;
    if content.len() as u64 > most {
        return Err(Failure::usage(format!(
            "cannot read {what}: it has more than {}",
            glovebox_policy::units::show_size(most)
        )));
    }
    Ok(content)
}

fn explain(error: &io::Error, what: &str, shown: &str) -> Failure {
    let (reason, advice) = match error.kind() {
        io::ErrorKind::NotFound => (
            "there is no such file".to_owned(),
            "check the path; it is relative to the current directory",
        ),
        io::ErrorKind::PermissionDenied => (
            "you may not read it".to_owned(),
            "check its permissions and those of the directories above it",
        ),
        _ => return Failure::usage(format!("cannot read {what} `{shown}`: {error}")),
    };
    Failure::usage(format!("cannot read {what} `{shown}`: {reason}")).advise(advice)
}
