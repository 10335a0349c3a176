//! Audit seal: which hash or MAC links each record to the one before?
//!
//! A chain of plain hashes shows accidents and careless changes. An attacker with write access to
//! the file can recompute all of it; that only shows if the newest hash is kept elsewhere
//! ([`AuditHead`]), or if records are sealed with a key ([`AuditKey`]) that is not on that disk.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::str::FromStr;

/// The hash before the first record.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The least number of bytes of a key.
const MIN_KEY_BYTES: usize = 32;

/// The key of an audit log (HMAC-SHA-256). Without it no record can be forged, changed or moved
/// unnoticed.
#[derive(Clone)]
pub struct AuditKey(Vec<u8>);

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(..)")
    }
}

/// The reason why a key cannot seal an audit log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key of the audit log has {bytes} bytes, and needs at least {MIN_KEY_BYTES}; `openssl rand -hex 32` makes one"
)]
pub struct AuditKeyError {
    bytes: usize,
}

impl AuditKey {
    /// Takes the bytes of a key; surrounding white space is trimmed, so that a file may end its
    /// line.
    ///
    /// # Errors
    ///
    /// If there are fewer than 32 bytes.
    pub fn new(bytes: &[u8]) -> Result<Self, AuditKeyError> {
        let bytes = bytes.trim_ascii();
        if bytes.len() < MIN_KEY_BYTES {
            return Err(AuditKeyError { bytes: bytes.len() });
        }
        Ok(Self(bytes.to_vec()))
    }
}

/// The head of a log: a copy of it elsewhere proves that the log was not truncated, replaced or
/// rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditHead {
    /// The number of records.
    pub records: u64,
    /// The hash or MAC of the newest record, in hexadecimal; zeros if there is none.
    pub hash: String,
}

impl AuditHead {
    /// Returns the head of an empty log.
    #[must_use]
    pub fn start() -> Self {
        Self {
            records: 0,
            hash: GENESIS.to_owned(),
        }
    }
}

/// Formats as `RECORDS:HASH`.
impl fmt::Display for AuditHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.records, self.hash)
    }
}

/// The error for a text that is not the head of an audit log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the head of an audit log; write `RECORDS:HASH`, such as `12:5f..` with 64 hexadecimal digits"
)]
pub struct AuditHeadError(String);

impl FromStr for AuditHead {
    type Err = AuditHeadError;

    fn from_str(text: &str) -> Result<Self, AuditHeadError> {
        let wrong = || AuditHeadError(text.escape_debug().to_string());
        let (records, hash) = text.split_once(':').ok_or_else(wrong)?;
        let is_hash = hash.len() == GENESIS.len()
            && hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match records.parse() {
            Ok(records) if is_hash => Ok(Self {
                records,
                hash: hash.to_owned(),
            }),
            _ => Err(wrong()),
        }
    }
}

/// The algorithm that seals lines.
#[derive(Clone, Debug)]
pub(super) enum Seal {
    /// SHA-256.
    Hash,
    /// HMAC-SHA-256.
    Key(AuditKey),
}

impl Seal {
    pub(super) fn of(key: Option<AuditKey>) -> Self {
        key.map_or(Self::Hash, Self::Key)
    }

    pub(super) fn key(&self) -> Option<&AuditKey> {
        match self {
            Self::Hash => None,
            Self::Key(key) => Some(key),
        }
    }

    /// Returns the field name between a line and its seal.
    pub(super) fn mark(&self) -> &'static str {
        match self {
            Self::Hash => ",\"hash\":\"",
            Self::Key(_) => ",\"hmac\":\"",
        }
    }

    /// Returns the seal of a line: over its bytes up to the mark.
    pub(super) fn seal(&self, line: impl AsRef<[u8]>) -> String {
        match self {
            Self::Hash => HEXLOWER.encode(&Sha256::digest(line)),
            Self::Key(AuditKey(key)) => match Hmac::<Sha256>::new_from_slice(key) {
                Ok(mut mac) => {
                    mac.update(line.as_ref());
                    HEXLOWER.encode(&mac.finalize().into_bytes())
                }
                // HMAC takes keys of any length.
                Err(_) => String::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_and_keys_are_read_or_refused() {
        let head = AuditHead {
            records: 12,
            hash: "ab".repeat(32),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(
            AuditHead::start().to_string().parse(),
            Ok(AuditHead::start())
        );
        for wrong in [
            "",
            "12",
            "12:",
            "x:00",
            ":".repeat(65).as_str(),
            &format!("-1:{GENESIS}"),
            &format!("1:{}", "G".repeat(64)),
        ] {
            assert!(wrong.parse::<AuditHead>().is_err(), "{wrong}");
        }
        for (bytes, is_key) in [
            ("", false),
            ("0123456789abcdef0123456789abcde", false),
            ("0123456789abcdef0123456789abcdef\n", true),
        ] {
            assert_eq!(AuditKey::new(bytes.as_bytes()).is_ok(), is_key, "{bytes}");
        }
        let key = AuditKey::new(&[b'k'; 32]).unwrap();
        assert_ne!(Seal::Key(key.clone()).seal("line"), Seal::Hash.seal("line"));
        assert!(!format!("{key:?}").contains("kk"));
    }
}
