//! Attack surroundings: what is around the sandbox that a guest must neither see nor change?
//!
//! Created anew for every attack: folders with a secret beside the mounts, and listeners that must
//! not be reached.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

/// The surroundings of one attack.
#[derive(Debug)]
pub struct World {
    folder: tempfile::TempDir,
    secret: String,
    listener: TcpListener,
    datagrams: UdpSocket,
    before: BTreeMap<PathBuf, Entry>,
}

/// The metadata of one file system entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    modified: Option<SystemTime>,
    content: Vec<u8>,
}

impl World {
    /// Creates everything.
    ///
    /// # Panics
    ///
    /// If the system refuses.
    #[must_use]
    pub fn plant() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("glovebox-outside-")
            .tempdir()
            .expect("a folder can be made");
        let secret = format!(
            "CANARY_{:016x}{:016x}",
            RandomState::new().hash_one(1),
            RandomState::new().hash_one(2)
        );
        let at = |path: &str| folder.path().join(path);
        for path in [
            "outside",
            "mounts/read/sub",
            "mounts/write/sub",
            "mounts/beside",
        ] {
            fs::create_dir_all(at(path)).expect("a folder can be made");
        }
        for path in [
            "outside/secret.txt",
            "mounts/beside/secret.txt",
            "mounts/secret.txt",
        ] {
            fs::write(at(path), &secret).expect("a file can be written");
        }
        for path in [
            "mounts/read/data.txt",
            "mounts/read/sub/data.txt",
            "mounts/write/own.txt",
        ] {
            fs::write(at(path), "data\n").expect("a file can be written");
        }
        // The host may have symlinks in a mounted folder; they must not lead outside.
        symlink(at("outside"), at("mounts/read/link-out")).expect("a link can be made");
        symlink("../secret.txt", at("mounts/read/link-up")).expect("a link can be made");
        symlink(at("outside/secret.txt"), at("mounts/write/link-secret"))
            .expect("a link can be made");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be bound");
        listener
            .set_nonblocking(true)
            .expect("a socket can be set up");
        let datagrams = UdpSocket::bind(listener.local_addr().expect("a socket has an address"))
            .expect("a port can be bound");
        datagrams
            .set_nonblocking(true)
            .expect("a socket can be set up");
        let mut world = Self {
            folder,
            secret,
            listener,
            datagrams,
            before: BTreeMap::new(),
        };
        world.before = world.snapshot();
        world
    }

    /// Returns the canary: bytes that no guest may ever return.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns the port on the loopback address that must not be connected to, for TCP and UDP.
    ///
    /// # Panics
    ///
    /// If the socket has no address.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener
            .local_addr()
            .expect("a socket has an address")
            .port()
    }

    /// Returns the created folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The two mounted folders as tables of a policy.
    #[must_use]
    pub fn mounts(&self) -> String {
        let folder = self.folder.path().display();
        format!(
            "\n[[profiles.attack.mounts]]\nhost = \"{folder}/mounts/read\"\nguest = \"/read\"\n\
             \n[[profiles.attack.mounts]]\nhost = \"{folder}/mounts/write\"\nguest = \"/write\"\nwrite = true\n"
        )
    }

    /// A text with `{{outside}}`, `{{folder}}` and `{{port}}` replaced.
    #[must_use]
    pub fn fill_in(&self, text: &str) -> String {
        let folder = self.folder.path().display().to_string();
        text.replace("{{outside}}", &format!("{folder}/outside"))
            .replace("{{folder}}", &folder)
            .replace("{{port}}", &self.port().to_string())
    }

    /// Returns the side effect outside the sandbox, if there was any.
    #[must_use]
    pub fn harm(&self) -> Option<String> {
        let now = self.snapshot();
        if now != self.before {
            let changed = self
                .before
                .keys()
                .chain(now.keys())
                .find(|path| self.before.get(*path) != now.get(*path));
            return Some(format!(
                "`{}` was changed",
                changed.map_or(Path::new("?"), PathBuf::as_path).display()
            ));
        }
        match self.listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => return Some("somebody connected to the loopback listener".to_owned()),
        }
        match self.datagrams.recv_from(&mut [0; 16]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            _ => Some("somebody sent a datagram to the loopback listener".to_owned()),
        }
    }

    /// Records everything but the content of the writable mount.
    fn snapshot(&self) -> BTreeMap<PathBuf, Entry> {
        let writable = self.folder.path().join("mounts/write");
        let mut entries = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a planted folder can be listed") {
                let path = entry.expect("an entry can be read").path();
                let data = fs::symlink_metadata(&path).expect("an entry has metadata");
                let content = if data.is_file() {
                    fs::read(&path).expect("a planted file can be read")
                } else if data.is_symlink() {
                    fs::read_link(&path)
                        .expect("a link can be read")
                        .into_os_string()
                        .into_encoded_bytes()
                } else {
                    if path != writable {
                        folders.push(path.clone());
                    }
                    Vec::new()
                };
                let modified = (path != writable).then(|| data.modified().ok()).flatten();
                entries.insert(
                    path,
                    Entry {
                        mode: data.permissions().mode(),
                        modified,
                        content,
                    },
                );
            }
        }
        entries
    }
}

/// Texts of this process and machine that no guest may return: values of its environment, its name,
/// its kernel and its processor, if they are long enough not to match by chance.
#[must_use]
pub fn own_traces() -> Vec<String> {
    let file = |path: &str| {
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    let processor = file("/proc/cpuinfo");
    let processor = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("", |(_, name)| name);
    let machine = [
        file("/etc/machine-id"),
        file("/proc/sys/kernel/osrelease"),
        file("/proc/sys/kernel/hostname"),
        processor.to_owned(),
    ];
    let machine = machine
        .into_iter()
        .filter(|text| text.len() >= 6 && text != "localhost");
    std::env::vars()
        .map(|(_, value)| value)
        .filter(|value| value.len() >= 12 && !value.starts_with("C.UTF"))
        .chain(machine)
        .collect()
}
