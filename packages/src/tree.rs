//! How does what was fetched become a tree that runs can share?
//!
//! Regular files and directories only, none larger than it may be, in the order of their names and without times: the same packages are the
//! same bytes.

use cap_std::fs::{Dir, DirEntry, PermissionsExt as _};
use glovebox::Error;
use std::collections::BTreeMap;
use std::io::{self, Read as _, Write};

/// Bytes of all files of one tree.
const MAX_BYTES: u64 = 2 << 30;

/// Files of one tree.
const MAX_FILES: usize = 200_000;

/// How deep directories may lie in each other.
const MAX_DEPTH: usize = 60;

/// Top-level names that installers leave and no program imports.
const LEFT_OUT: [&str; 4] = ["bin", ".lock", ".package-lock.json", ".bin"];

/// The files of a directory, by their paths below it, with their lengths.
pub(crate) type Files = BTreeMap<String, u64>;

/// Lists a directory, and makes every file readable and none executable by others than its owner's tools need.
pub(crate) fn list(directory: &Dir) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut bytes = 0;
    walk(directory, "", 0, &mut |path, length| {
        bytes += length;
        if bytes > MAX_BYTES || files.len() >= MAX_FILES {
            let what = format!("they come to more than {} files or {} GiB", MAX_FILES, MAX_BYTES >> 30);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        files.insert(path, length);
        Ok(())
    })
    .map_err(|error| Error::Packages(format!("what was fetched cannot be used: {error}")))?;
    Ok(files)
}

fn walk(directory: &Dir, prefix: &str, depth: usize, found: &mut dyn FnMut(String, u64) -> io::Result<()>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("its directories lie too deep in each other"));
    }
    for entry in directory.entries()? {
        let entry: DirEntry = entry?;
        let name = entry.file_name().into_string().map_err(|_| io::Error::other("a file's name is not UTF-8"))?;
        if depth == 0 && LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // What runs inside is somebody else than who fetched.
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o755))?;
            walk(&entry.open_dir()?, &format!("{path}/"), depth + 1, found)?;
        } else if kind.is_file() {
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o644))?;
            found(path, entry.metadata()?.len())?;
        } else {
            return Err(io::Error::other(format!("`{}` is neither a file nor a directory", path.escape_debug())));
        }
    }
    Ok(())
}

/// Writes a tar archive of directories whose files lie over each other.
pub(crate) fn archive(sources: &[(&Dir, &Files)], into: impl Write) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Packages(format!("the packages cannot be put together: {error}"));
    let mut all: BTreeMap<&str, (&Dir, u64)> = BTreeMap::new();
    for (directory, files) in sources {
        all.extend(files.iter().map(|(path, length)| (path.as_str(), (*directory, *length))));
    }
    let mut builder = tar::Builder::new(into);
    for (path, (directory, length)) in all {
        let mut header = tar::Header::new_gnu();
        header.set_size(length);
        header.set_mode(0o644);
        // A file that grew since it was measured would not fit its header.
        let content = directory.open(path).map_err(failed)?.take(length);
        builder.append_data(&mut header, path, content).map_err(failed)?;
    }
    builder.into_inner().and_then(|mut whole| whole.flush()).map_err(failed)
}

/// Copies files into another directory.
pub(crate) fn copy(from: &Dir, files: &Files, into: &Dir) -> Result<(), Error> {
    let failed = |error: io::Error| Error::Packages(format!("the packages cannot be put together: {error}"));
    for path in files.keys() {
        if let Some((folder, _)) = path.rsplit_once('/') {
            into.create_dir_all(folder).map_err(failed)?;
            // Whoever runs inside a container is somebody else than who fetched.
            into.set_permissions(folder, cap_std::fs::Permissions::from_mode(0o755)).map_err(failed)?;
        }
        from.copy(path, into, path).map_err(failed)?;
        into.set_permissions(path, cap_std::fs::Permissions::from_mode(0o644)).map_err(failed)?;
    }
    Ok(())
}
