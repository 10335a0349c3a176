//! Errors of the virtual file system: why can the host not set it up, index an archive for it, or
//! access a file in it?

/// The reason why the host cannot set up a file system, or access a file in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilesystemError {
    /// The guest path of a mount is not absolute and normalized.
    #[error("guest path `{path}` is not an absolute path without `.`, `..` and empty names")]
    GuestPath {
        /// The path as it was given.
        path: String,
    },
    /// Two mounts have one mount point, or one lies inside another that cannot hold it.
    #[error("mount `{inner}` lies inside mount `{outer}`")]
    Nested {
        /// The inner mount.
        inner: String,
        /// The outer mount.
        outer: String,
    },
    /// The host's directory for a mount cannot be opened.
    #[error("the host directory for mount `{path}` cannot be opened: {reason}")]
    Mount {
        /// The guest path.
        path: String,
        /// The host's error.
        reason: std::io::ErrorKind,
    },
    /// There is no workspace.
    #[error("no workspace was granted")]
    NoWorkspace,
    /// The path of a file is absolute, leaves the workspace, or has invalid names.
    #[error("`{path}` is not a path inside the workspace")]
    Path {
        /// The path as it was given.
        path: String,
    },
    /// There is nothing at the path.
    #[error("there is no `{path}` in the workspace")]
    NotFound {
        /// The path as it was given.
        path: String,
    },
    /// The file type at the path is not the expected one; links are never followed.
    #[error("`{path}` in the workspace is something else than expected")]
    Kind {
        /// The path as it was given.
        path: String,
    },
    /// A directory is not empty.
    #[error("`{path}` in the workspace is not empty")]
    NotEmpty {
        /// The path as it was given.
        path: String,
    },
    /// The quota does not admit the file.
    #[error("`{path}` does not fit into the workspace")]
    Full {
        /// The path as it was given.
        path: String,
    },
}

/// The reason why bytes are not a valid archive.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ArchiveError {
    /// The archive ends in the middle of an entry.
    #[error("the archive ends early, at byte {0}")]
    Truncated(usize),
    /// A header is not a tar header, or its checksum is wrong.
    #[error("the header at byte {0} of the archive is damaged")]
    Damaged(usize),
    /// The name is absolute, leaves the archive, or is not UTF-8.
    #[error("the entry at byte {0} of the archive has an unusable name")]
    Name(usize),
    /// An entry that is neither a regular file nor a directory.
    #[error("`{0}` in the archive is neither a file nor a directory")]
    Kind(String),
    /// Two entries have the same name, or a file is also a directory.
    #[error("`{0}` is in the archive twice")]
    Duplicate(String),
    /// There are too many entries.
    #[error("the archive has too many entries")]
    TooMany,
}
