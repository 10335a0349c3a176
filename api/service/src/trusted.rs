//! Trusted files: who can have written a secret, or a list of those to trust?

use glovebox_host::folder::open_trusted_file;
use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file that holds a secret or says whom to trust.
///
/// # Errors
///
/// If it cannot be opened, or another user can have changed or can replace it.
pub fn open_trusted(path: &Path) -> io::Result<File> {
    open_trusted_file(path).map_err(io::Error::other)
}
