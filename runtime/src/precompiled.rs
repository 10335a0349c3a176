//! How does machine code of a guest get into the process?
//!
//! This is the only place that loads precompiled code. Such a file *is* native code, so it is loaded only from a place that nobody but
//! the owner of this process (or root) can write, or from a compiler that this process has started.
#![expect(unsafe_code, reason = "loads precompiled machine code from the installation's own cache or its own compiler")]

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Why a file of machine code was not loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Another user could have written it.
    #[error("`{0}` can be written by others than its owner, or belongs to somebody else; it is not loaded as machine code")]
    NotOurs(String),
    /// It cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// It was made for another processor, another engine version or other settings.
    #[error("`{path}` does not fit this engine: {reason}")]
    Unfit {
        /// The file.
        path: String,
        /// What the engine says.
        reason: String,
    },
}

/// Maps a precompiled component.
pub(crate) fn load(engine: &Engine, path: &Path) -> Result<Component, LoadError> {
    let name = || path.display().to_string();
    let metadata = fs::metadata(path).map_err(|source| LoadError::Unreadable { path: name(), source })?;
    let us = rustix::process::geteuid().as_raw();
    if (metadata.uid() != us && metadata.uid() != 0) || metadata.mode() & 0o022 != 0 {
        return Err(LoadError::NotOurs(name()));
    }
    // SAFETY: the file was written by `compile` of this installation: only the owner of this process or root can have changed it, and
    // either of them could change the process itself. The engine checks version, target and settings.
    unsafe { Component::deserialize_file(engine, path) }.map_err(|error| LoadError::Unfit { path: name(), reason: format!("{error:#}") })
}

/// Takes the machine code of somebody's program from the compiler that this process has started and asked for it.
pub(crate) fn take(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes came through a pipe from our own binary, which nobody else can write to, so they are what our compiler made of the
    // program. A compiler inside this process would have to be trusted in the same way: a fault by which it emits wrong machine code does
    // the same harm from either place, and outside it can do no other. The engine checks version, target and settings.
    unsafe { Component::deserialize(engine, code) }
}
