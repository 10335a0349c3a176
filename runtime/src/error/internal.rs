//! Errors of the host: which of its parts failed?

use glovebox_guests::BundleError;
use glovebox_host::folder::FolderError;
use glovebox_policy::{Denial, Tier};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The reason why the guests cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// There is no cache folder.
    #[error("there is no folder to keep them in: set `GLOVEBOX_CACHE` or `HOME`")]
    NoFolder,
    /// None are installed.
    #[error("none are installed; `glovebox guests build` makes them")]
    NotInstalled,
    /// The bundle cannot be read or unpacked.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A file of the bundle cannot be opened.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file of the bundle cannot be used.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: Cause,
    },
    /// No guest interprets the language.
    #[error("no guest speaks `{language}`")]
    Language {
        /// The language.
        language: String,
    },
    /// The folder of the machine code cannot be used.
    #[error("cannot keep machine code: {0}")]
    CodeFolder(#[source] FolderError),
    /// Machine code cannot be stored.
    #[error("cannot store machine code at `{}`: {source}", .path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A guest cannot be compiled.
    #[error("cannot compile the guest `{guest}`: {source}")]
    Compile {
        /// The guest.
        guest: String,
        /// The engine's error.
        source: EngineError,
    },
    /// Machine code cannot be loaded.
    #[error(transparent)]
    Load(Cause),
}

/// The reason why a part of the host failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InternalError {
    /// The WebAssembly engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The TLS client.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    /// A task of ours panicked, or the runtime shuts down.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// The sandbox gives out no more concurrency slots.
    #[error(transparent)]
    Slot(#[from] tokio::sync::AcquireError),
    /// The compiler of untrusted WebAssembly.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// A tier was chosen that is not there.
    #[error("the policy chose the tier `{0}`, which no executor implements")]
    NoTier(Tier),
    /// Another tier.
    #[error(transparent)]
    Executor(ExternalError),
    /// The policy of our own inspections denies one.
    #[error("an inspection was denied: {0}")]
    Inspection(Box<Denial>),
    /// The policy of our own inspections cannot be read.
    #[error("the policy for looking at programs cannot be read")]
    InspectionPolicy,
}

impl From<wasmtime::Error> for InternalError {
    fn from(error: wasmtime::Error) -> Self {
        Self::Engine(error.into())
    }
}

/// An error of the WebAssembly engine, with its causes.
pub struct EngineError(wasmtime::Error);

impl From<wasmtime::Error> for EngineError {
    fn from(error: wasmtime::Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

impl fmt::Debug for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for EngineError {}

/// The reason why the compiler of untrusted WebAssembly failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompilerError {
    /// Its process cannot be started.
    #[error("cannot start the compiler `{}`: {source}", .program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The reason.
        source: Cause,
    },
    /// Its process cannot be talked to.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It exited with this status and message.
    #[error("the compiler ended with {status}: {complaint}")]
    Exit {
        /// The status.
        status: ExitStatus,
        /// The message, escaped.
        complaint: String,
    },
    /// It exited before it answered.
    #[error("the compiler ended without an answer: {complaint}")]
    NoAnswer {
        /// Its message, escaped.
        complaint: String,
    },
    /// It does not answer.
    #[error("the compiler does not answer")]
    Timeout,
    /// It is of another version.
    #[error(
        "the compiler's machine code does not fit this process; `SandboxBuilder::compiler` has to name a `glovebox` of this very version: {0}"
    )]
    Version(#[source] EngineError),
}

/// The error of a part that is not of this library, such as a package manager or an executor.
#[derive(Debug)]
pub struct ExternalError {
    message: String,
    source: Option<Cause>,
}

impl ExternalError {
    /// Returns an error with a message that stands for itself, and the error that caused it.
    pub fn new(message: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self {
            message: message.into(),
            source: Some(source.into()),
        }
    }
}

impl From<String> for ExternalError {
    fn from(message: String) -> Self {
        Self {
            message,
            source: None,
        }
    }
}

impl From<&str> for ExternalError {
    fn from(message: &str) -> Self {
        message.to_owned().into()
    }
}

impl fmt::Display for ExternalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExternalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let cause = self.source.as_deref()?;
        Some(cause)
    }
}
