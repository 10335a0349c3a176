//! Which directories of a host must never be seen by a program, whatever somebody grants?
//!
//! The only place for that decision. It is asked about what a policy says, and again about where symbolic links lead, which only whoever opens
//! the directory can find out.

use crate::text::quoted;

/// The kernel's and the system's own trees lead out of any sandbox: sockets of daemons, memory, devices, other containers.
const FORBIDDEN: [&str; 9] =
    ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/var/lib/docker", "/var/lib/containerd", "/var/lib/containers"];

/// Whoever can talk to an engine has the whole machine, wherever its socket lies.
const SOCKETS: [&str; 4] = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"];

/// Judges an absolute path in its shortest spelling: neither one of the forbidden trees, nor anything in them, nor what contains one of them.
///
/// Links are not looked at: ask again about the path that they lead to.
///
/// # Errors
///
/// Why it must not be mounted.
pub fn check_mount(host: &str) -> Result<(), String> {
    let refused = |why: &str| Err(format!("{} must never be mounted: {why}", quoted(host)));
    if SOCKETS.iter().any(|socket| host.rsplit('/').next() == Some(socket)) || FORBIDDEN.iter().any(|tree| is_at_or_below(host, tree)) {
        return refused("it leads out of the sandbox");
    }
    match FORBIDDEN.iter().find(|tree| host == "/" || is_at_or_below(tree, host)) {
        Some(tree) => refused(&format!("it contains {}, which leads out of the sandbox; mount a directory further down", quoted(tree))),
        None => Ok(()),
    }
}

/// Whether a path is that directory or lies in it: whole names, never a prefix of text.
pub(crate) fn is_at_or_below(path: &str, tree: &str) -> bool {
    path.strip_prefix(tree).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
