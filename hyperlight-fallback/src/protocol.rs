//! Wire protocol of a container: which constants and bounds do both ends agree on?
//!
//! A job goes in over standard input (`job.rs`) and its reply comes back over standard output
//! (`collector.rs`, `artifacts.rs`); the container's end is `init.sh`.

use globset::GlobSet;
use glovebox_policy::Grant;
use std::time::Duration;

/// The mount point of the egress socket's directory in the container.
pub(crate) const EGRESS_MOUNT: &str = "/run/glovebox";

/// The name of the egress socket in that directory.
pub(crate) const EGRESS_SOCKET: &str = "egress";

/// The port of the egress proxy on the container's loopback interface, which the relay forwards to
/// the socket.
pub(crate) const EGRESS_PORT: u16 = 3128;

/// The host name under which the egress proxy serves tools, as `http://glovebox/tools/NAME`.
pub(crate) const TOOLS_HOST: &str = "glovebox";

/// The path of that URL in front of the tool's name.
pub(crate) const TOOLS_PATH: &str = "/tools/";

/// The trailer's code if the first granted mount is not the directory that was checked; the next
/// number for the second one, and so on. Exit codes end before it.
pub(crate) const CODE_MOUNT: i32 = 256;

/// Maximum bytes of the standard input of an evaluation in a session, which lies in `/program`.
pub(crate) const MAX_INPUT: usize = 16 << 20;

/// The file to which a driver writes the program's value or exception.
pub(crate) const COMPLETION: &str = "/program/.completion";

/// Fuel per CPU second, as the wasm tier measures it.
pub(crate) const FUEL_PER_SECOND: u64 = 1_000_000_000;

/// Margin after the wall-clock limit, after which the container ends the program itself (backstop
/// for a failed host).
const BACKSTOP: Duration = Duration::from_secs(5);

/// Whether the reply carries the archive of the workspace, from which artifacts are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkspaceArchive {
    /// The request named no artifacts.
    Omit,
    /// It named some.
    Send,
}

impl WorkspaceArchive {
    /// Returns what these artifacts need.
    pub(crate) fn of(patterns: &GlobSet) -> Self {
        if patterns.is_empty() {
            Self::Omit
        } else {
            Self::Send
        }
    }
}

/// Returns whether programs of a grant have an egress socket: for the network, for tools, or both.
pub(crate) fn has_egress(grant: &Grant) -> bool {
    !grant.network().is_empty() || !grant.has_no_tools()
}

/// Returns the maximum bytes of a driver's report: a value twice, or an exception, each with its
/// JSON overhead, and the results.
pub(crate) fn completion_limit(grant: &Grant) -> u64 {
    grant
        .limits()
        .value
        .saturating_mul(4)
        .saturating_add(2 << 20)
        .saturating_add(grant.limits().results.saturating_mul(2))
}

/// Returns the maximum lifetime of a program, after which the container ends it without the host.
pub(crate) fn lifetime(grant: &Grant) -> Duration {
    grant.limits().wall.saturating_add(BACKSTOP)
}

/// Returns the maximum bytes of a reply after its trailer line.
pub(crate) fn reply_limit(grant: &Grant, archive: WorkspaceArchive) -> usize {
    let completion = usize::try_from(completion_limit(grant)).unwrap_or(usize::MAX);
    match archive {
        WorkspaceArchive::Omit => completion,
        WorkspaceArchive::Send => completion.saturating_add(archive_limit(grant)),
    }
}

/// Returns the maximum size of the workspace's archive in bytes.
fn archive_limit(grant: &Grant) -> usize {
    let limits = grant.limits();
    // A header, a long name and padding for each entry, and the end-of-archive blocks.
    let bytes = limits
        .workspace
        .saturating_add(
            limits
                .files
                .saturating_add(2)
                .saturating_mul(3 * 512 + 8192),
        )
        .saturating_add(64 << 10);
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
