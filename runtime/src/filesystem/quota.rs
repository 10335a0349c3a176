//! How much may a guest store, and how much does it store now?
//!
//! The only place that counts bytes, nodes and open descriptors. Charges are values: what is charged is released when
//! the value is dropped, so an unlinked file that is still open stays charged until it is closed.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use crate::account::MemoryHold;
use crate::meter::Meter;

/// Bytes charged for each file, directory and symbolic link, so that empty ones cannot fill the host's memory.
pub(super) const NODE_BYTES: u64 = 256;

/// Bytes charged for each name in a directory, besides the name itself.
pub(super) const NAME_BYTES: u64 = 64;

/// Bytes of directory listings of host mounts that one guest may keep alive. Protects the host's memory: such a listing
/// is a copy of the names, and a guest may hold many.
const LISTING_BYTES_MAX: u64 = 16 << 20;

/// What one run or session may store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaLimits {
    /// Bytes of content and of metadata together. A sparse file counts with its logical size.
    pub(crate) bytes: u64,
    /// Files, directories and symbolic links together.
    pub(crate) files: u64,
    /// Descriptors open at the same time.
    pub(crate) open_files: u64,
}

/// Which limit of the file system was hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitKind {
    /// Bytes stored.
    Disk,
    /// Nodes stored, or directories nested too deeply.
    Files,
    /// Descriptors open at the same time.
    OpenFiles,
}

impl LimitKind {
    /// The error that the guest sees.
    pub(super) fn error(self) -> ErrorCode {
        match self {
            Self::Disk => ErrorCode::InsufficientSpace,
            Self::Files => ErrorCode::Quota,
            // The interface has no counterpart of EMFILE.
            Self::OpenFiles => ErrorCode::InsufficientMemory,
        }
    }
}

/// What a file system holds now and held at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FilesystemUsage {
    /// Bytes charged now: content, metadata, and everything written to host mounts.
    pub(crate) bytes: u64,
    /// Files, directories and links charged now.
    pub(crate) files: u64,
    /// The highest value of `bytes`.
    pub(crate) peak_bytes: u64,
    /// The highest value of `files`.
    pub(crate) peak_files: u64,
}

/// The counters of one file system.
#[derive(Debug)]
pub(crate) struct Quota {
    /// What the run owes for the work that the file system does for it.
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
    /// What was written to mounts of the host, which is in `bytes` and takes no memory.
    outside: AtomicU64,
    /// What the contents have taken of the account of all, in steps; given back with the file system.
    held: Mutex<MemoryHold>,
    counted: AtomicU64,
}

/// Bytes that are taken from the account of all at once.
const STEP: u64 = 1 << 20;

impl Quota {
    /// Counters at nought under `limits`.
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

    /// The limit that was hit first since the counters were made or [`Quota::forget_hit`] was called.
    pub(crate) fn hit(&self) -> Option<LimitKind> {
        match self.hit.load(Ordering::Relaxed) {
            1 => Some(LimitKind::Disk),
            2 => Some(LimitKind::Files),
            3 => Some(LimitKind::OpenFiles),
            _ => None,
        }
    }

    /// Starts a new evaluation of a session: a limit hit by an earlier one is forgotten.
    pub(crate) fn forget_hit(&self) {
        self.hit.store(0, Ordering::Relaxed);
    }

    /// The counters as they stand.
    pub(crate) fn usage(&self) -> FilesystemUsage {
        FilesystemUsage {
            bytes: self.bytes.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            peak_bytes: self.peak_bytes.load(Ordering::Relaxed),
            peak_files: self.peak_files.load(Ordering::Relaxed),
        }
    }

    /// Records that `kind` was hit and gives the error for the guest.
    pub(super) fn refuse(&self, kind: LimitKind) -> ErrorCode {
        let code = match kind {
            LimitKind::Disk => 1,
            LimitKind::Files => 2,
            LimitKind::OpenFiles => 3,
        };
        // The first limit is the one that explains the rest, so a later one does not replace it.
        let _ = self.hit.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
        kind.error()
    }

    fn charge_bytes(&self, amount: u64) -> Result<(), ErrorCode> {
        let total = add_within(&self.bytes, amount, self.limits.bytes).ok_or_else(|| self.refuse(LimitKind::Disk))?;
        if !self.count(total) {
            subtract(&self.bytes, amount);
            return Err(self.refuse(LimitKind::Disk));
        }
        self.peak_bytes.fetch_max(total, Ordering::Relaxed);
        Ok(())
    }

    /// Charges as much of `amount` as fits and says how much that was.
    fn charge_bytes_up_to(&self, amount: u64) -> u64 {
        let mut granted = 0;
        let _ = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| {
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
        self.peak_bytes.fetch_max(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        granted
    }

    /// Takes from the account of all what the contents have grown by; `false` where it has no more.
    fn count(&self, total: u64) -> bool {
        let inside = total.saturating_sub(self.outside.load(Ordering::Relaxed));
        if inside <= self.counted.load(Ordering::Relaxed) {
            return true;
        }
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let more = inside.saturating_sub(self.counted.load(Ordering::Relaxed)).next_multiple_of(STEP);
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
    /// `insufficient-space` when they do not fit.
    pub(super) fn new(quota: &Arc<Quota>, bytes: u64) -> Result<Self, ErrorCode> {
        quota.charge_bytes(bytes)?;
        Ok(Self { quota: Arc::clone(quota), bytes })
    }

    /// Grows or shrinks the charge to `bytes`; when it cannot grow, it stays as it was.
    ///
    /// # Errors
    /// `insufficient-space` when the growth does not fit.
    pub(super) fn resize(&mut self, bytes: u64) -> Result<(), ErrorCode> {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            self.quota.charge_bytes(more)?;
        } else {
            self.quota.release_bytes(self.bytes.saturating_sub(bytes));
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Grows the charge to `bytes`, or as near to it as fits, and gives what it is now.
    pub(super) fn grow_towards(&mut self, bytes: u64) -> u64 {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            self.bytes = self.bytes.saturating_add(self.quota.charge_bytes_up_to(more));
        }
        self.bytes
    }

    /// The quota that is charged.
    pub(super) fn quota(&self) -> &Arc<Quota> {
        &self.quota
    }

    /// Keeps the charge for as long as the quota lives: what was written to a host mount stays there.
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

/// One file, directory or link that is charged for as long as this lives: a count and [`NODE_BYTES`].
#[derive(Debug)]
pub(super) struct NodeCharge {
    bytes: ByteCharge,
}

impl NodeCharge {
    /// Charges one node that needs `extra` bytes besides its constant cost.
    ///
    /// # Errors
    /// `quota` when there are too many nodes, `insufficient-space` when the metadata does not fit.
    pub(super) fn new(quota: &Arc<Quota>, extra: u64) -> Result<Self, ErrorCode> {
        let bytes = ByteCharge::new(quota, NODE_BYTES.saturating_add(extra))?;
        let files = add_within(&quota.files, 1, quota.limits.files).ok_or_else(|| quota.refuse(LimitKind::Files))?;
        quota.peak_files.fetch_max(files, Ordering::Relaxed);
        Ok(Self { bytes })
    }

    /// Keeps the charge for as long as the quota lives: what was made in a host mount stays there.
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

/// The right to one of the counted handles, given back on drop.
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
    /// The right to one more open descriptor.
    ///
    /// # Errors
    /// `insufficient-memory` when too many are open.
    pub(super) fn descriptor(quota: &Arc<Quota>) -> Result<Self, ErrorCode> {
        Self::take(quota, PermitKind::Descriptor, &quota.open, 1, quota.limits.open_files)
    }

    /// The right to one more stream: each descriptor may have one for reading and one for writing, and a few more.
    ///
    /// # Errors
    /// `insufficient-memory` when too many are open.
    pub(super) fn stream(quota: &Arc<Quota>) -> Result<Self, ErrorCode> {
        let limit = quota.limits.open_files.saturating_mul(2).saturating_add(16);
        Self::take(quota, PermitKind::Stream, &quota.streams, 1, limit)
    }

    /// The right to hold `bytes` of names of a host directory.
    ///
    /// # Errors
    /// `insufficient-memory` when the guest holds too many listings.
    pub(super) fn listing(quota: &Arc<Quota>, bytes: u64) -> Result<Self, ErrorCode> {
        Self::take(quota, PermitKind::Listing(bytes), &quota.listings, bytes, LISTING_BYTES_MAX)
    }

    fn take(quota: &Arc<Quota>, kind: PermitKind, counter: &AtomicU64, amount: u64, limit: u64) -> Result<Self, ErrorCode> {
        add_within(counter, amount, limit).ok_or_else(|| quota.refuse(LimitKind::OpenFiles))?;
        Ok(Self { quota: Arc::clone(quota), kind })
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

/// Adds `amount` if the sum stays within `limit`, and gives the sum.
fn add_within(counter: &AtomicU64, amount: u64, limit: u64) -> Option<u64> {
    let add = |now: u64| now.checked_add(amount).filter(|next| amount == 0 || *next <= limit);
    let before = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
    before.checked_add(amount)
}

fn subtract(counter: &AtomicU64, amount: u64) {
    let _ = counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(amount)));
}
