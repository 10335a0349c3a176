//! Files of a container session: which commands read and change its workspace?

use bytes::Bytes;
use glovebox::{Error, FileEntry, FilesystemError, RequestError};
use glovebox_policy::Limits;
use std::ops::Range;

/// Maximum bytes of a path, as of the kernel.
const MAX_PATH: usize = 4096;

/// Bytes of the line with a file's size.
const SIZE_LINE: usize = 32;

/// Bytes of an entry in a list: its kind and size, and the longest name.
const ENTRY_BYTES: u64 = 300;

/// The codes of commands that fail (`session.sh`), besides 1 for what is not there.
const KIND: i32 = 2;
const FULL: i32 = 3;
const NOT_EMPTY: i32 = 4;

/// A command on a file of the workspace.
pub(super) struct FileCommand {
    name: &'static str,
    path: String,
    numbers: [u64; 2],
    content: Bytes,
    /// Maximum bytes of its answer.
    pub(super) limit: usize,
}

/// The answer to a command.
#[derive(Default)]
pub(super) struct FileAnswer {
    /// The size of the file.
    pub(super) size: u64,
    /// Its content, or the list of a directory.
    pub(super) content: Vec<u8>,
}

impl FileCommand {
    fn new(name: &'static str, path: &str, numbers: [u64; 2]) -> Result<Self, Error> {
        let is_inside = path.split('/').all(|name| !matches!(name, "" | "." | ".."));
        let is_top = name == "list" && path.is_empty();
        if !(is_inside || is_top) || path.len() > MAX_PATH || path.contains('\0') {
            return Err(invalid(FilesystemError::Path {
                path: path.to_owned(),
            }));
        }
        Ok(Self {
            name,
            path: path.to_owned(),
            numbers,
            content: Bytes::new(),
            limit: 0,
        })
    }

    pub(super) fn put(path: &str, content: Bytes) -> Result<Self, Error> {
        let mut command = Self::new("put", path, [content.len() as u64, 0])?;
        command.content = content;
        Ok(command)
    }

    /// Reads a range; an empty one reads the size alone.
    pub(super) fn get(path: &str, range: Range<u64>) -> Result<Self, Error> {
        let length = range.end.saturating_sub(range.start);
        let mut command = Self::new("get", path, [range.start, length])?;
        command.limit = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .saturating_add(SIZE_LINE);
        Ok(command)
    }

    pub(super) fn list(path: &str, limits: &Limits) -> Result<Self, Error> {
        let mut command = Self::new("list", path, [0, 0])?;
        let bytes = limits.files.saturating_add(1).saturating_mul(ENTRY_BYTES);
        command.limit = usize::try_from(bytes).unwrap_or(usize::MAX);
        Ok(command)
    }

    pub(super) fn remove(path: &str) -> Result<Self, Error> {
        Self::new("remove", path, [0, 0])
    }

    /// Serializes it.
    pub(super) fn bytes(&self, delimiter: &str) -> Bytes {
        let [first, second] = self.numbers;
        let line = format!(
            "{} {delimiter} {} {first} {second}\n",
            self.name,
            self.path.len()
        );
        [line.as_bytes(), self.path.as_bytes(), &self.content]
            .concat()
            .into()
    }

    /// Parses its answer.
    pub(super) fn answer(&self, code: i32, content: &[u8]) -> Result<FileAnswer, Error> {
        let path = self.path.clone();
        match code {
            0 => {}
            KIND => return Err(invalid(FilesystemError::Kind { path })),
            FULL => return Err(invalid(FilesystemError::Full { path })),
            NOT_EMPTY => return Err(invalid(FilesystemError::NotEmpty { path })),
            // There is nothing, or the command itself failed.
            _ => return Err(invalid(FilesystemError::NotFound { path })),
        }
        if self.name != "get" {
            return Ok(FileAnswer {
                size: 0,
                content: content.to_vec(),
            });
        }
        let line = content.iter().position(|byte| *byte == b'\n');
        let (size, content) = line
            .and_then(|line| content.split_at_checked(line))
            .ok_or_else(|| Error::executor("the container sent no size".to_owned()))?;
        let size = std::str::from_utf8(size)
            .ok()
            .and_then(|size| size.parse().ok())
            .unwrap_or(0);
        Ok(FileAnswer {
            size,
            content: content.get(1..).unwrap_or_default().to_vec(),
        })
    }
}

impl FileAnswer {
    /// Returns the entries of a directory, in the order of their names.
    pub(super) fn entries(self) -> Vec<FileEntry> {
        let entry = |line: &[u8]| {
            let line = String::from_utf8_lossy(line);
            let mut words = line.splitn(3, ' ');
            let (kind, size, name) = (words.next()?, words.next()?, words.next()?);
            Some(FileEntry {
                name: name.to_owned(),
                is_directory: kind == "d",
                size: if kind == "f" {
                    size.parse().unwrap_or(0)
                } else {
                    0
                },
            })
        };
        let lines = self.content.split(|byte| *byte == 0);
        let mut entries: Vec<FileEntry> = lines.filter_map(entry).collect();
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        entries
    }
}

fn invalid(error: FilesystemError) -> Error {
    RequestError::from(error).into()
}
