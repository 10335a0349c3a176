//! Loading of precompiled code: which machine code may enter the process?
//!
//! This is the only place that loads precompiled code. Such a file *is* native code, so it is
//! loaded only from a folder that only the owner of this process and root can write, below
//! directories of which the same is true, and from the very file descriptor that was checked (no
//! TOCTOU); or from a compiler that this process has started.
#![expect(
    unsafe_code,
    reason = "loads precompiled machine code from the installation's own cache or its own compiler"
)]

use glovebox_host::folder::{Folder, FolderError};
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The reason why a file of machine code was not loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// It cannot be read, or another user could have written it.
    #[error("no machine code is loaded: {0}")]
    NotOurs(#[from] FolderError),
    /// It was made for another processor, another engine version or other settings.
    #[error("`{path}` does not fit this engine: {reason}")]
    Unfit {
        /// The file.
        path: String,
        /// The engine's error.
        reason: String,
    },
}

/// Maps a precompiled component.
pub(crate) fn load(engine: &Engine, folder: &Folder, name: &str) -> Result<Component, LoadError> {
    let mut file = folder.file(name)?;
    let unfit = |reason: String| LoadError::Unfit {
        path: folder.path().join(name).display().to_string(),
        reason,
    };
    // The engine maps by path; `/proc/self/fd` is the open file itself, whatever has its name by
    // now.
    let open = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // SAFETY: the file was written by `compile` of this installation: only the owner of this
    // process or root can have changed it, and either of them could change the process itself. The
    // engine checks version, target and settings.
    let mapped = |path: &Path| unsafe { Component::deserialize_file(engine, path) };
    if open.exists() {
        return mapped(&open).map_err(|error| unfit(format!("{error:#}")));
    }
    // A system without `/proc`.
    let mut code = Vec::new();
    file.read_to_end(&mut code)
        .map_err(|error| unfit(error.to_string()))?;
    // SAFETY: as above.
    unsafe { Component::deserialize(engine, &code) }.map_err(|error| unfit(format!("{error:#}")))
}

/// Takes the machine code of an untrusted WebAssembly module from the compiler that this process
/// has started.
pub(crate) fn take(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes came through a pipe from our own binary, which no other process can write
    // to, so they are what our compiler made of the module. A compiler inside this process would
    // have to be trusted in the same way: a bug by which it emits wrong machine code does the same
    // harm from either place, and outside it can do no other. The engine checks version, target and
    // settings.
    unsafe { Component::deserialize(engine, code) }
}
