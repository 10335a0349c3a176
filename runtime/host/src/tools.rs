//! Isolation of third-party tools: how do Python, npm and cargo ignore files and settings of
//! untrusted directories?
//!
//! - Python and pip read no modules of the current directory, no `PYTHON*`, no `PIP_*` and no site
//!   packages of the user: by `-I`.
//! - npm reads no `.npmrc`, `package.json` and workspaces of parent directories, no user and system
//!   `npmrc`, no `NPM_CONFIG_*` and no `NODE_*`: by arguments.
//! - cargo, rustup and version managers read no `rust-toolchain.toml`, `.cargo/config.toml`,
//!   `.python-version` and `.tool-versions`: they are started in `/`.
//!
//! `HOME` is passed on if it is the user's own: pip's and cargo's mirrors and the credentials of
//! private indexes are there.

use crate::program::{Program, ProgramError, Start};
use std::path::Path;

/// Files in `/` by which rustup and cargo would run something else.
const STEERS_CARGO: [&str; 4] = [
    "/rust-toolchain",
    "/rust-toolchain.toml",
    "/.cargo/config",
    "/.cargo/config.toml",
];

/// Returns Python, isolated from its environment, its user's packages and its current directory.
///
/// # Errors
///
/// If there is no `python3`.
pub fn python() -> Result<Start, ProgramError> {
    Ok(isolated(&Program::find("python3")?))
}

/// As [`python`], by one interpreter.
pub fn isolated(interpreter: &Program) -> Start {
    let mut start = interpreter.start();
    // Some Pythons find their own library only through this.
    start
        .arg("-I")
        .network()
        .pass_folder("HOME")
        .pass_paths("LD_LIBRARY_PATH");
    start
}

/// Returns npm, whose only project is `folder`: a private folder without `.npmrc`, `user.npmrc` and
/// `global.npmrc`.
///
/// # Errors
///
/// If there is no `npm`.
pub fn npm(folder: &Path) -> Result<Start, ProgramError> {
    let mut start = Program::find("npm")?.start();
    start
        .network()
        .pass_folder("HOME")
        .pass_path("NODE_EXTRA_CA_CERTS");
    // Missing settings files are empty ones.
    for (option, file) in [
        ("--userconfig", "user.npmrc"),
        ("--globalconfig", "global.npmrc"),
    ] {
        start.arg(option).arg(folder.join(file));
    }
    // Otherwise it looks for a project, and for one whose workspace this is, in every directory
    // above. It is not started in there: version managers (asdf, volta, mise) put a shim in npm's
    // place that looks for settings upwards.
    start.arg("--prefix").arg(folder).arg("--no-workspaces");
    Ok(start)
}

/// Returns cargo, with this user's default toolchain.
///
/// # Errors
///
/// If there is no `cargo`, or if a file in `/` would choose what it runs.
pub fn cargo() -> Result<Start, CargoError> {
    if let Some(steers) = STEERS_CARGO.iter().find(|file| Path::new(file).exists()) {
        return Err(CargoError::Steered(steers));
    }
    let mut start = Program::find("cargo")?.start();
    start
        .network()
        .pass_folder("HOME")
        .pass_folder("CARGO_HOME")
        .pass_folder("RUSTUP_HOME");
    // Asking for a version must not fetch a toolchain.
    start.env("RUSTUP_AUTO_INSTALL", "0");
    Ok(start)
}

/// The reason why cargo is not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CargoError {
    /// There is none.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A settings file in `/`, above everything on this machine, chooses what it runs.
    #[error("`{0}` would choose what cargo runs; remove it")]
    Steered(&'static str),
}
