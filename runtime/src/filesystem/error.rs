//! Errors of the virtual file system: why can the host not set it up, or access a file in it?

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
