//! Resolution of packages (lock): which exact archives do requirements come to?

use data_encoding::HEXLOWER;
use glovebox::{Error, LockedPackage, PackageTarget};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// Maximum characters of the reason why a target cannot have packages.
const MAX_REASON: usize = 2000;

/// Maximum bytes of a package's name, of its version, and of its path.
const MAX_METADATA: usize = 1024;

/// The version of the store's format; raised when it changes.
const FORMAT: u32 = 3;

/// A resolution; without packages, the result of a trial import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lock {
    format: u32,
    /// The key of the request that it resolves, or of the trial.
    #[serde(default)]
    key: String,
    /// The time, in seconds since the Unix epoch.
    pub(crate) made: u64,
    pub(crate) lacks: Option<String>,
    pub(crate) packages: Vec<Locked>,
}

/// One package of a lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) file: String,
    pub(crate) digest: String,
    /// The URL at the index.
    pub(crate) url: String,
}

impl From<&Locked> for LockedPackage {
    fn from(locked: &Locked) -> Self {
        Self {
            name: locked.name.clone(),
            version: locked.version.clone(),
            file: locked.file.clone(),
            digest: locked.digest.clone(),
        }
    }
}

impl Locked {
    /// Validates an index's metadata of a package: it is shown to users, kept, and written to logs.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        let texts = [&self.name, &self.version, &self.file];
        let is_plain = |text: &&String| {
            !text.is_empty()
                && text.len() <= MAX_METADATA
                && !text.contains(|c: char| c.is_control() || c == '\u{2028}')
        };
        if texts.iter().all(is_plain) {
            return Ok(self);
        }
        let shown: String = self.name.chars().take(80).collect();
        Err(Error::packages(format!(
            "the index offers `{}` with a name or version that is none",
            shown.escape_debug()
        )))
    }
}

impl Lock {
    pub(crate) fn new(packages: Vec<Locked>, lacks: Option<String>) -> Self {
        // The names in it are the index's.
        let lacks = lacks.map(|lacks| lacks.chars().take(MAX_REASON).collect());
        Self {
            format: FORMAT,
            key: String::new(),
            made: now(),
            lacks,
            packages,
        }
    }

    /// Parses the lock of this key; `None` if it is another one, or of another format.
    pub(crate) fn parse(text: &[u8], key: &str) -> Option<Self> {
        serde_json::from_slice(text)
            .ok()
            .filter(|lock: &Self| lock.format == FORMAT && lock.key == key)
    }

    /// Serializes it as the lock of this key.
    pub(crate) fn to_json(&self, key: &str) -> Result<Vec<u8>, Error> {
        let lock = Self {
            key: key.to_owned(),
            ..self.clone()
        };
        serde_json::to_vec_pretty(&lock).map_err(|error| Error::packages(error.to_string()))
    }

    /// Returns its approximate size in memory in bytes.
    pub(crate) fn size(&self) -> usize {
        let of = |locked: &Locked| {
            [
                &locked.name,
                &locked.version,
                &locked.file,
                &locked.digest,
                &locked.url,
            ]
            .map(|text| text.len() + 24)
        };
        self.packages.iter().flat_map(of).sum()
    }

    /// Returns its age in seconds.
    pub(crate) fn age(&self) -> u64 {
        now().saturating_sub(self.made)
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Returns the key of a resolution or a set: the digest of its parts.
pub(crate) fn digest(parts: impl IntoIterator<Item = String>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    HEXLOWER.encode(&hasher.finalize())
}

/// Returns the parts of a target that are in keys.
pub(crate) fn target_parts(target: &PackageTarget) -> [String; 4] {
    let native = target.native.as_ref();
    [
        target.tier.name().to_owned(),
        target.interpreter.clone(),
        native
            .map(|native| native.architecture.clone())
            .unwrap_or_default(),
        native.map(|native| native.libc.clone()).unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_an_index_are_plain() {
        let locked = |name: &str, version: &str, file: &str| {
            let [name, version, file] = [name, version, file].map(str::to_owned);
            Locked {
                name,
                version,
                file,
                digest: String::new(),
                url: String::new(),
            }
            .checked()
            .is_ok()
        };
        assert!(locked("@own/scoped", "1.0.0+é", "node_modules/@own/scoped"));
        for (name, version, file) in [
            ("", "1", "f"),
            ("a\n", "1", "f"),
            ("a", "1\n2", "f"),
            ("a", "\u{1b}[2J", "f"),
            ("a", "1", "f\0"),
        ] {
            assert!(
                !locked(name, version, file),
                "{name:?} {version:?} {file:?}"
            );
        }
        assert!(!locked("a", &"1".repeat(2000), "f"));
    }
}
