//! Socket directory: where on the host is the egress socket of a container?

use crate::owner::{has_ended, pid_namespace, start_time};
use crate::protocol::EGRESS_SOCKET;
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// The name prefix of socket directories; the PID namespace, the process and its start time follow.
const FOLDER_PREFIX: &str = "glovebox-egress-";

/// The directory inside that is mounted into the container.
const MOUNTED_FOLDER: &str = "mount";

/// A private directory with nothing but a socket in it. Dropping it removes it.
pub(crate) struct SocketFolder {
    private: PathBuf,
    mounted: PathBuf,
}

impl SocketFolder {
    /// Creates the directory and the socket.
    pub(crate) fn create() -> io::Result<(Self, UnixListener)> {
        let process = std::process::id();
        let since = start_time(process).unwrap_or(0);
        // Short: the path of a Unix domain socket is limited (108 bytes on Linux).
        let private = glovebox_host::program::temporary().join(format!(
            "{}{process}-{since}-{:016x}",
            prefix(),
            rand::random::<u64>()
        ));
        std::fs::create_dir(&private)?;
        let folder = Self {
            mounted: private.join(MOUNTED_FOLDER),
            private,
        };
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        };
        // No other user of this machine can traverse the outer directory; the engine mounts the
        // inner one into the container.
        mode(&folder.private, 0o700)?;
        std::fs::create_dir(&folder.mounted)?;
        mode(&folder.mounted, 0o755)?;
        let socket = folder.mounted.join(EGRESS_SOCKET);
        let listener = UnixListener::bind(&socket)?;
        mode(&socket, 0o666)?;
        Ok((folder, listener))
    }

    /// Returns the directory to mount into the container.
    pub(crate) fn mounted(&self) -> &Path {
        &self.mounted
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        remove(&self.private);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "directories of our own making, with nothing in them but sockets"
)]
fn remove(path: &Path) {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove an egress socket");
        }
        _ => {}
    }
}

/// Returns the prefix of this process's directories; it includes the PID namespace, because process
/// ids are only unique within one.
fn prefix() -> String {
    format!(
        "{FOLDER_PREFIX}{}-",
        pid_namespace()
            .chars()
            .filter(char::is_ascii_digit)
            .collect::<String>()
    )
}

/// Removes socket directories of processes that were killed.
pub(crate) fn remove_orphans() {
    let Ok(entries) = std::fs::read_dir(glovebox_host::program::temporary()) else {
        return;
    };
    let prefix = prefix();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let parts = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix.as_str())?.split_once('-'));
        let Some((process, rest)) = parts else {
            continue;
        };
        let since = rest
            .split('-')
            .next()
            .and_then(|since| since.parse::<u64>().ok());
        // Another user with write access to this directory could create one with such a name.
        let is_ours = entry
            .metadata()
            .is_ok_and(|found| found.is_dir() && found.uid() == rustix::process::getuid().as_raw());
        let has_ended = process
            .parse()
            .is_ok_and(|process| since.is_none_or(|since| has_ended(process, since)));
        if is_ours && has_ended {
            remove(&entry.path());
        }
    }
}
