//! Package trees: how do unpacked archives become a tree that runs share?
//!
//! Regular files and directories only, with a size limit, sorted by name and without timestamps, so
//! trees are reproducible: the same packages are the same bytes.

use crate::disk::{
    ENTRY_BYTES, Files, MAX_BYTES, MAX_DEPTH, MAX_FILES, Need, make_directory, occupied,
    occupied_by,
};
use crate::job::Job;
use cap_std::fs::{Dir, DirEntry, PermissionsExt as _};
use glovebox::Error;
use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};

/// Lists the files of a directory, within the limits of a tree, and makes its files and directories
/// readable for all users.
pub(crate) fn list(directory: &Dir, job: &Job) -> Result<Files, Error> {
    let mut files = Files::new();
    let mut bytes = 0_u64;
    walk(directory, "", 0, &mut |path, length| {
        job.go_on()?;
        bytes = length.saturating_add(bytes);
        if bytes > MAX_BYTES || files.len() as u64 >= MAX_FILES {
            let what = format!(
                "they come to more than {} files or {} GiB",
                MAX_FILES,
                MAX_BYTES >> 30
            );
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
        }
        files.insert(path, length);
        Ok(())
    })
    .map_err(|error| Error::packages(format!("cannot use the fetched packages: {error}")))?;
    Ok(files)
}

fn walk(
    directory: &Dir,
    prefix: &str,
    depth: usize,
    found: &mut dyn FnMut(String, u64) -> io::Result<()>,
) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("its directories are nested too deeply"));
    }
    for entry in directory.entries()? {
        let entry: DirEntry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|_| io::Error::other("a file's name is not UTF-8"))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            // Containers run as another user than the one that fetched the package.
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o755))?;
            walk(&entry.open_dir()?, &format!("{path}/"), depth + 1, found)?;
        } else if kind.is_file() {
            directory.set_permissions(&name, cap_std::fs::Permissions::from_mode(0o644))?;
            found(path, entry.metadata()?.len())?;
        } else {
            return Err(io::Error::other(format!(
                "`{}` is neither a file nor a directory",
                path.escape_debug()
            )));
        }
    }
    Ok(())
}

/// Overlaid files from several directories: the path of each, the directory it comes from, its path
/// there, and its length.
#[derive(Default)]
pub(crate) struct Layers<'a>(BTreeMap<String, (&'a Dir, &'a str, u64)>);

impl<'a> Layers<'a> {
    /// Overlays files on those that are there, below `prefix`, which is empty or ends with a slash.
    pub(crate) fn add(
        &mut self,
        prefix: &str,
        directory: &'a Dir,
        files: &'a Files,
    ) -> Result<(), Error> {
        self.0.extend(files.iter().map(|(path, length)| {
            (
                format!("{prefix}{path}"),
                (directory, path.as_str(), *length),
            )
        }));
        // The same archive may be at many paths.
        if self.0.len() as u64 > MAX_FILES {
            Err(too_much())
        } else {
            Ok(())
        }
    }

    /// Returns the bytes on disk and the number of all files, if they are within the limits of a
    /// tree.
    pub(crate) fn need(&self) -> Result<Need, Error> {
        let bytes = self
            .0
            .values()
            .fold(0_u64, |bytes, (.., length)| bytes.saturating_add(*length));
        if bytes > MAX_BYTES {
            return Err(too_much());
        }
        Ok(Need {
            bytes: occupied_by(self.0.iter().map(|(path, (.., length))| (path, *length))),
            entries: self.0.len() as u64,
        })
    }

    /// Writes a tar archive.
    pub(crate) fn archive(&self, into: impl Write, job: &Job) -> Result<(), Error> {
        let mut builder = tar::Builder::new(into);
        for (path, (directory, source, length)) in &self.0 {
            let mut header = tar::Header::new_gnu();
            header.set_size(*length);
            header.set_mode(0o644);
            // A file that grew since it was measured would not match its header.
            job.spend(ENTRY_BYTES).map_err(failed)?;
            let content = Charged {
                content: directory.open(source).map_err(failed)?.take(*length),
                job,
            };
            builder
                .append_data(&mut header, path, content)
                .map_err(failed)?;
        }
        builder
            .into_inner()
            .and_then(|mut whole| whole.flush())
            .map_err(failed)
    }

    /// Hard-links the files into a directory, or copies those that cannot be linked.
    pub(crate) fn link(&self, into: &Dir, job: &Job) -> Result<(), Error> {
        let mut directories = HashSet::new();
        for (path, (directory, source, length)) in &self.0 {
            job.spend(occupied(*length)).map_err(failed)?;
            for (at, _) in path.match_indices('/') {
                let parent = path.get(..at).unwrap_or_default();
                if directories.insert(parent) {
                    job.spend(occupied(1)).map_err(failed)?;
                    make_directory(into, parent).map_err(failed)?;
                }
            }
            // A file has a limited number of hard links.
            if directory.hard_link(source, into, path).is_err() {
                let content = directory.open(source).map_err(failed)?.take(*length);
                write_file(content, into, path, job).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// Content that is charged as it is read, and fails on cancellation.
struct Charged<'a, R> {
    content: R,
    job: &'a Job,
}

impl<R: Read> Read for Charged<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.content.read(buffer)?;
        self.job.spend(got as u64)?;
        Ok(got)
    }
}

fn too_much() -> Error {
    Error::packages(format!(
        "they come to more than {MAX_FILES} files or {} GiB",
        MAX_BYTES >> 30
    ))
}

/// Writes a file with this content, and fails on cancellation.
fn write_file(mut content: impl Read, into: &Dir, path: &str, job: &Job) -> io::Result<()> {
    let mut file = into.create(path)?;
    file.set_permissions(cap_std::fs::Permissions::from_mode(0o644))?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        job.go_on()?;
        let got = content.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        file.write_all(buffer.get(..got).unwrap_or_default())?;
    }
}

fn failed(error: io::Error) -> Error {
    Error::packages(format!("cannot compose the packages: {error}"))
}

/// Copies files into another directory.
pub(crate) fn copy(from: &Dir, files: &Files, into: &Dir, job: &Job) -> Result<(), Error> {
    for (path, length) in files {
        for (at, _) in path.match_indices('/') {
            make_directory(into, path.get(..at).unwrap_or_default()).map_err(failed)?;
        }
        job.spend(occupied(*length)).map_err(failed)?;
        let content = from.open(path).map_err(failed)?.take(*length);
        write_file(content, into, path, job).map_err(failed)?;
    }
    Ok(())
}
