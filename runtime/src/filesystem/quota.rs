//! Disk quota of a guest: how much may it store, and how much does it store now?
//!
//! The only place that counts bytes, nodes and open descriptors. Charges are RAII values: a charge
//! is released when the value is dropped, so an unlinked file that is still open stays charged
//! until it is closed.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use glovebox_policy::{Limit, Limits};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use crate::account::MemoryHold;
use crate::meter::Meter;

/// Bytes charged for each file, directory and symlink, so that empty ones cannot fill the host's
/// memory.
pub(super) const NODE_BYTES: u64 = 256;

/// Bytes charged for each name in a directory, besides the name itself.
pub(super) const NAME_BYTES: u64 = 64;

/// Bytes of directory listings of host mounts that one guest may keep alive. Protects the host's
/// memory: such a listing is a copy of the names, and a guest may hold many.
const LISTING_BYTES_MAX: u64 = 16 << 20;

/// The quota of one run or session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaLimits {
    /// Bytes of content and of metadata together. A sparse file counts with its logical size.
    pub(crate) bytes: u64,
    /// Files, directories and symlinks together.
    pub(crate) files: u64,
    /// Descriptors open at the same time.
    pub(crate) open_files: u64,
}

/// The limit of the file system that was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LimitKind {
    /// Bytes stored.
    Disk,
    /// Nodes stored, or directories nested too deeply.
    Files,
    /// Descriptors open at the same time.
    OpenFiles,
}

impl From<&Limits> for QuotaLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            bytes: limits.workspace,
            files: limits.files,
            open_files: limits.open_files,
        }
    }
}

impl LimitKind {
    /// Returns the limit of the policy.
    pub(super) fn limit(self) -> Limit {
        match self {
            Self::Disk => Limit::Workspace,
            Self::Files => Limit::Files,
            Self::OpenFiles => Limit::OpenFiles,
        }
    }

    /// Returns the error that the guest sees.
    pub(super) fn error(self) -> ErrorCode {
        match self {
            Self::Disk => ErrorCode::InsufficientSpace,
            Self::Files => ErrorCode::Quota,
            // The interface has no counterpart of EMFILE.
            Self::OpenFiles => ErrorCode::InsufficientMemory,
        }
    }
}

/// The current and the peak usage of a file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilesystemUsage {
    /// Bytes charged now: content, metadata, and everything written to host mounts.
    pub(crate) bytes: u64,
    /// Files, directories and links charged now.
    pub(crate) files: u64,
    /// The peak of `bytes`.
    pub(crate) peak_bytes: u64,
    /// The peak of `files`.
    pub(crate) peak_files: u64,
}

/// The counters of one file system.
#[derive(Debug)]
pub(crate) struct Quota {
    /// The fuel debt of the run for the work of its file system.
    pub(super) meter: Meter,
    limits: QuotaLimits,
    bytes: AtomicU64,
    peak_bytes: AtomicU64,
    files: AtomicU64,
    peak_files: AtomicU64,
    open: AtomicU64,
    streams: AtomicU64,
    listings: AtomicU64,
    hit: AtomicU8,
    /// Bytes written to host mounts, which are in `bytes` and take no memory.
    outside: AtomicU64,
    /// The contents' charge to the memory account, in steps; released with the file system.
    held: Mutex<MemoryHold>,
    counted: AtomicU64,
}

/// The step of charges to the memory account in bytes.
const STEP: u64 = 1 << 20;

impl Quota {
    /// Creates counters at zero under `limits`.
    pub(crate) fn new(limits: QuotaLimits, held: MemoryHold) -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self {
            meter: Meter::default(),
            limits,
            bytes: zero(),
            peak_bytes: zero(),
            files: zero(),
            peak_files: zero(),
            open: zero(),
            streams: zero(),
            listings: zero(),
            hit: AtomicU8::new(0),
            outside: zero(),
            held: Mutex::new(held),
            counted: zero(),
        })
    }

    /// Returns the limit that was hit first since the start or [`Quota::forget_hit`].
    pub(super) fn hit(&self) -> Option<LimitKind> {
        match self.hit.load(Ordering::Relaxed) {
            1 => Some(LimitKind::Disk),
            2 => Some(LimitKind::Files),
            3 => Some(LimitKind::OpenFiles),
            _ => None,
        }
    }

    /// Starts a new evaluation of a session: resets the limit that was hit.
    pub(crate) fn forget_hit(&self) {
        self.hit.store(0, Ordering::Relaxed);
    }

    /// Returns the current counters.
    pub(crate) fn usage(&self) -> FilesystemUsage {
        FilesystemUsage {
            bytes: self.bytes.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            peak_bytes: self.peak_bytes.load(Ordering::Relaxed),
            peak_files: self.peak_files.load(Ordering::Relaxed),
        }
    }

    /// Records that `kind` was hit and returns the error for the guest.
    pub(super) fn refuse(&self, kind: LimitKind) -> ErrorCode {
        let code = match kind {
            LimitKind::Disk => 1,
            LimitKind::Files => 2,
            LimitKind::OpenFiles => 3,
        };
        // The first limit explains the rest, so a later one does not replace it.
        let _ = self
            .hit
            .compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
        kind.error()
    }

    fn charge_bytes(&self, amount: u64) -> Result<(), ErrorCode> {
        let total = add_within(&self.bytes, amount, self.limits.bytes)
            .ok_or_else(|| self.refuse(LimitKind::Disk))?;
        if !self.count(total) {
            subtract(&self.bytes, amount);
            return Err(self.refuse(LimitKind::Disk));
        }
        self.peak_bytes.fetch_max(total, Ordering::Relaxed);
        Ok(())
    }

    /// Charges as much of `amount` as fits and returns how much that was.
    fn charge_bytes_up_to(&self, amount: u64) -> u64 {
        let mut granted = 0;
        let _ = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
                granted = amount.min(self.limits.bytes.saturating_sub(now));
                now.checked_add(granted)
            });
        if !self.count(self.bytes.load(Ordering::Relaxed)) {
            subtract(&self.bytes, granted);
            granted = 0;
        }
        if granted < amount {
            self.refuse(LimitKind::Disk);
        }
        self.peak_bytes
            .fetch_max(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        granted
    }

    /// Charges growth of the contents to the memory account; `false` if it refuses.
    fn count(&self, total: u64) -> bool {
        let inside = total.saturating_sub(self.outside.load(Ordering::Relaxed));
        if inside <= self.counted.load(Ordering::Relaxed) {
            return true;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let more = inside
            .saturating_sub(self.counted.load(Ordering::Relaxed))
            .next_multiple_of(STEP);
        let is_taken = held.grow(more).is_ok();
        if is_taken {
            self.counted.fetch_add(more, Ordering::Relaxed);
        }
        is_taken
    }

    fn release_bytes(&self, amount: u64) {
        subtract(&self.bytes, amount);
    }
}

/// Bytes that are charged for as long as this lives.
#[derive(Debug)]
pub(super) struct ByteCharge {
    quota: Arc<Quota>,
    bytes: u64,
}

impl ByteCharge {
    /// Charges `bytes`.
    ///
    /// # Errors
    /// `insufficient-space` if they do not fit.
    pub(super) fn new(quota: &Arc<Quota>, bytes: u64) -> Result<Self, ErrorCode> {
        quota.charge_bytes(bytes)?;
        Ok(Self {
            quota: Arc::clone(quota),
            bytes,
        })
    }

    /// Resizes the charge to `bytes`; if it cannot grow, it stays as it was.
    ///
    /// # Errors
    /// `insufficient-space` if the growth does not fit.
    pub(super) fn resize(&mut self, bytes: u64) -> Result<(), ErrorCode> {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            self.quota.charge_bytes(more)?;
        } else {
            self.quota.release_bytes(self.bytes.saturating_sub(bytes));
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Grows the charge to `bytes`, or as near to it as fits, and returns it.
    pub(super) fn grow_towards(&mut self, bytes: u64) -> u64 {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            self.bytes = self
                .bytes
                .saturating_add(self.quota.charge_bytes_up_to(more));
        }
        self.bytes
    }

    /// Returns the quota that is charged.
    pub(super) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// Keeps the charge for as long as the quota lives: bytes written to a host mount stay there.
    pub(super) fn keep(mut self) {
        self.quota.outside.fetch_add(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
    }
}

impl Drop for ByteCharge {
    fn drop(&mut self) {
        self.quota.release_bytes(self.bytes);
    }
}

/// One file, directory or link that is charged for as long as this lives: a count and
/// [`NODE_BYTES`].
#[derive(Debug)]
pub(super) struct NodeCharge {
    bytes: ByteCharge,
}

impl NodeCharge {
    /// Charges one node that needs `extra` bytes besides its constant cost.
    ///
    /// # Errors
    /// `quota` if there are too many nodes, `insufficient-space` if the metadata does not fit.
    pub(super) fn new(quota: &Arc<Quota>, extra: u64) -> Result<Self, ErrorCode> {
        let bytes = ByteCharge::new(quota, NODE_BYTES.saturating_add(extra))?;
        let files = add_within(&quota.files, 1, quota.limits.files)
            .ok_or_else(|| quota.refuse(LimitKind::Files))?;
        quota.peak_files.fetch_max(files, Ordering::Relaxed);
        Ok(Self { bytes })
    }

    /// Keeps the charge for as long as the quota lives: files created in a host mount stay there.
    pub(super) fn keep(self) {
        add_within(&self.bytes.quota.files, 1, u64::MAX);
        let quota = Arc::clone(&self.bytes.quota);
        let bytes = self.bytes.bytes;
        drop(self);
        add_within(&quota.bytes, bytes, u64::MAX);
        quota.outside.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for NodeCharge {
    fn drop(&mut self) {
        subtract(&self.bytes.quota.files, 1);
    }
}

/// A permit for one of the counted handles, released on drop.
#[derive(Debug)]
pub(super) struct Permit {
    quota: Arc<Quota>,
    kind: PermitKind,
}

#[derive(Clone, Copy, Debug)]
enum PermitKind {
    Descriptor,
    Stream,
    Listing(u64),
}

impl Permit {
    /// Acquires a permit for one more open descriptor.
    ///
    /// # Errors
    /// `insufficient-memory` if too many are open.
    pub(super) fn descriptor(quota: &Arc<Quota>) -> Result<Self, ErrorCode> {
        Self::take(
            quota,
            PermitKind::Descriptor,
            &quota.open,
            1,
            quota.limits.open_files,
        )
    }

    /// Acquires a permit for one more stream: each descriptor may have one for reading and one for
    /// writing, and a few more.
    ///
    /// # Errors
    /// `insufficient-memory` if too many are open.
    pub(super) fn stream(quota: &Arc<Quota>) -> Result<Self, ErrorCode> {
        let limit = quota.limits.open_files.saturating_mul(2).saturating_add(16);
        Self::take(quota, PermitKind::Stream, &quota.streams, 1, limit)
    }

    /// Acquires a permit for `bytes` of names of a host directory.
    ///
    /// # Errors
    /// `insufficient-memory` if the guest holds too many listings.
    pub(super) fn listing(quota: &Arc<Quota>, bytes: u64) -> Result<Self, ErrorCode> {
        Self::take(
            quota,
            PermitKind::Listing(bytes),
            &quota.listings,
            bytes,
            LISTING_BYTES_MAX,
        )
    }

    fn take(
        quota: &Arc<Quota>,
        kind: PermitKind,
        counter: &AtomicU64,
        amount: u64,
        limit: u64,
    ) -> Result<Self, ErrorCode> {
        add_within(counter, amount, limit).ok_or_else(|| quota.refuse(LimitKind::OpenFiles))?;
        Ok(Self {
            quota: Arc::clone(quota),
            kind,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        match self.kind {
            PermitKind::Descriptor => subtract(&self.quota.open, 1),
            PermitKind::Stream => subtract(&self.quota.streams, 1),
            PermitKind::Listing(bytes) => subtract(&self.quota.listings, bytes),
        }
    }
}

/// Adds `amount` if the sum stays within `limit`, and returns the sum.
fn add_within(counter: &AtomicU64, amount: u64, limit: u64) -> Option<u64> {
    let add = |now: u64| {
        now.checked_add(amount)
            .filter(|next| amount == 0 || *next <= limit)
    };
    let before = counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add)
        .ok()?;
    before.checked_add(amount)
}

fn subtract(counter: &AtomicU64, amount: u64) {
    let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
        Some(now.saturating_sub(amount))
    });
}
