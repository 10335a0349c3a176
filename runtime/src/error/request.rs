//! Errors of requests and settings: what is wrong with what the caller or the embedder gave?

use crate::filesystem::FilesystemError;
use glovebox_policy::OutOfBounds;
use std::path::PathBuf;
use tokio::sync::Semaphore;

/// The reason why a request or a part of it is invalid, which no policy judges.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A list is too long.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
    /// The source of an evaluation is too large.
    #[error("a source has at most {most} bytes here, not {bytes}")]
    Source {
        /// The limit `source`.
        most: u64,
        /// The bytes of the source.
        bytes: usize,
    },
    /// The name of a source is too long.
    #[error("the name of a source has at most {most} bytes, not {bytes}")]
    SourceName {
        /// The bound.
        most: usize,
        /// The bytes of the name.
        bytes: usize,
    },
    /// The source for an interpreter is not text.
    #[error("the source `{}` is not UTF-8 text", .name.escape_debug())]
    SourceText {
        /// The name of the source.
        name: String,
    },
    /// The arguments of an evaluation are too large.
    #[error("arguments have at most {most} bytes here, not {bytes}")]
    Arguments {
        /// The limit `arguments`.
        most: u64,
        /// The bytes of the arguments, with one more for each.
        bytes: usize,
    },
    /// A name of artifacts is no glob.
    #[error("`{}` is no pattern for artifacts: {}", .0.glob().unwrap_or_default().escape_debug(), .0.kind())]
    Artifacts(#[source] globset::Error),
    /// A package to be removed was not asked for.
    #[error("`{}` was not asked for in this session; asked for: {asked}", .name.escape_debug())]
    NotInstalled {
        /// The name of the package.
        name: String,
        /// Those that were asked for.
        asked: String,
    },
    /// A file or directory of the workspace cannot be used as asked.
    #[error(transparent)]
    File(#[from] FilesystemError),
    /// The files of a session are too large.
    #[error("the session's files do not fit into its workspace or memory")]
    FilesTooLarge,
    /// The language has no packages in the tier.
    #[error("`{language}` has no packages in this tier")]
    NoPackages {
        /// The language.
        language: String,
    },
    /// A WebAssembly program has no sessions.
    #[error("a WebAssembly program runs once; there are no sessions of it")]
    NoSessions,
    /// A tier or the package manager cannot do what the request asks for, for this reason.
    #[error("{0}")]
    Unsupported(String),
}

/// The reason why a setting of [`SandboxBuilder`](crate::SandboxBuilder) is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// `max_running`
    #[error(
        "`max_running` is between 1 and {}, not {runs}",
        Semaphore::MAX_PERMITS
    )]
    MaxRunning {
        /// The value.
        runs: usize,
    },
    /// `compiler`
    #[error("`compiler` is the absolute path of a program, not `{}`", .path.display())]
    Compiler {
        /// The value.
        path: PathBuf,
    },
    /// `compiler` is missing.
    #[error(
        "the sandbox has no compiler for WebAssembly programs: `SandboxBuilder::compiler` names one"
    )]
    NoCompiler,
    /// Both `tool` and `tools` were used.
    #[error("`tool` and `tools` exclude each other: let the provider offer all tools")]
    Tools,
}
