//! Bind mounts: which directories of a host may never be mounted, whatever a policy grants?
//!
//! The only place for that decision. It is called for the path in a policy, and again for the path
//! that its symlinks resolve to, which is known only when the directory is opened.

use crate::text::quoted;

/// A bind mount: a directory of the host that a program sees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Mount {
    /// The absolute path on the host, with no `.`, `..` or empty segments. Symlinks are not
    /// resolved: this crate does no I/O.
    pub host: String,
    /// The absolute path that the program sees.
    pub guest: String,
    /// Mounted read-write if true, else read-only.
    pub writable: bool,
}

/// The kernel's and the system's own trees allow sandbox escapes: sockets of daemons, memory,
/// devices, other containers.
const FORBIDDEN: [&str; 9] = [
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/var/run",
    "/boot",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
];

/// Access to a container engine's socket is root on the host, wherever the socket is.
const SOCKETS: [&str; 4] = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"];

/// Judges an absolute, normalized path: it must be neither a forbidden tree, nor inside one, nor an
/// ancestor of one.
///
/// Symlinks are not resolved: call again with the path that they resolve to.
///
/// # Errors
///
/// The reason why it must not be mounted.
pub fn check_mount(host: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("{} must never be mounted: {why}", quoted(host)));
    if SOCKETS
        .iter()
        .any(|socket| host.rsplit('/').next() == Some(socket))
        || FORBIDDEN.iter().any(|tree| is_at_or_below(host, tree))
    {
        return refused("it leads out of the sandbox");
    }
    match FORBIDDEN
        .iter()
        .find(|tree| host == "/" || is_at_or_below(tree, host))
    {
        Some(tree) => refused(&format!(
            "it contains {}, which leads out of the sandbox; mount a directory further down",
            quoted(tree)
        )),
        None => Ok(()),
    }
}

/// Trees of a container that its own programs come from, as root too, and those where the guests
/// and drivers expect their own files.
const SYSTEM: [&str; 16] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/node_modules",
    "/packages",
    "/proc",
    "/program",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
];

/// Judges the absolute, normalized path that the program sees.
///
/// # Errors
///
/// The reason why nothing can be mounted there.
pub(crate) fn check_mount_point(guest: &str) -> Result<(), String> {
    match SYSTEM.iter().find(|tree| is_at_or_below(guest, tree)) {
        Some(tree) => Err(format!(
            "nothing can be mounted at {}: the sandbox's own files are in {}",
            quoted(guest),
            quoted(tree)
        )),
        None => Ok(()),
    }
}

/// Returns whether a path is that directory or below it: whole segments, never a prefix of text.
pub(crate) fn is_at_or_below(path: &str, tree: &str) -> bool {
    path.strip_prefix(tree)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
