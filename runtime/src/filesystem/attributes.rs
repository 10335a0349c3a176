//! File attributes and identities (stat): which times and numbers does the guest see?
//!
//! All are virtual: identities are numbers of our own, and nothing of the host's inodes or owners
//! is passed on.

use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::time::Duration;

use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorStat, DescriptorType, ErrorCode, MetadataHashValue, NewTimestamp,
};

/// The timestamps of a node, since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) accessed: Duration,
    pub(super) modified: Duration,
    pub(super) changed: Duration,
}

impl Times {
    /// Returns the times of a node that is created.
    pub(super) fn at(now: Duration) -> Self {
        Self {
            accessed: now,
            modified: now,
            changed: now,
        }
    }

    /// Sets the times of a change of the content.
    pub(super) fn touch(&mut self, now: Duration) {
        self.modified = now;
        self.changed = now;
    }
}

/// New times; none means unchanged.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeChange {
    pub(super) accessed: Option<Duration>,
    pub(super) modified: Option<Duration>,
    now: Duration,
}

impl TimeChange {
    /// Parses the times that the guest asked for.
    ///
    /// # Errors
    /// `invalid` for a time with a whole second or more of nanoseconds.
    pub(super) fn new(
        accessed: NewTimestamp,
        modified: NewTimestamp,
        now: Duration,
    ) -> Result<Self, ErrorCode> {
        let read = |timestamp| match timestamp {
            NewTimestamp::NoChange => Ok(None),
            NewTimestamp::Now => Ok(Some(now)),
            NewTimestamp::Timestamp(time) if time.nanoseconds >= 1_000_000_000 => {
                Err(ErrorCode::Invalid)
            }
            NewTimestamp::Timestamp(time) => {
                Ok(Some(Duration::new(time.seconds, time.nanoseconds)))
            }
        };
        Ok(Self {
            accessed: read(accessed)?,
            modified: read(modified)?,
            now,
        })
    }

    /// Changes the times that were asked for.
    pub(super) fn apply(self, times: &mut Times) {
        times.accessed = self.accessed.unwrap_or(times.accessed);
        times.modified = self.modified.unwrap_or(times.modified);
        times.changed = self.now;
    }
}

/// Builds the attributes.
pub(super) fn stat(
    kind: DescriptorType,
    size: u64,
    link_count: u64,
    times: Times,
) -> DescriptorStat {
    DescriptorStat {
        type_: kind,
        link_count,
        size,
        data_access_timestamp: Some(datetime(times.accessed)),
        data_modification_timestamp: Some(datetime(times.modified)),
        status_change_timestamp: Some(datetime(times.changed)),
    }
}

fn datetime(since_epoch: Duration) -> Datetime {
    Datetime {
        seconds: since_epoch.as_secs(),
        nanoseconds: since_epoch.subsec_nanos(),
    }
}

/// The identity of a node: the kind and a number within the kind.
pub(super) type Identity = (u64, u64);

/// Returns the identity of a host file: a keyed hash of device and inode, so that neither can be
/// computed from it.
pub(super) fn host_identity(device: u64, inode: u64) -> Identity {
    static KEY: LazyLock<std::hash::RandomState> = LazyLock::new(std::hash::RandomState::new);
    (4, KEY.hash_one((device, inode)))
}

/// Returns the hash of an identity. It stays the same when the content changes: C libraries use it
/// as the inode number.
pub(super) fn metadata_hash((kind, number): Identity) -> MetadataHashValue {
    let lower = mix(number.wrapping_add(kind.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    MetadataHashValue {
        lower,
        upper: mix(lower ^ kind),
    }
}

/// Mixes a number (the finalizer of splitmix64): a bijection, so that different numbers of one kind
/// never collide.
fn mix(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
