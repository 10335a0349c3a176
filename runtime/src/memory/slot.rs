//! Slots: how does a used memory become a fresh one for the next run?
//!
//! ```text
//! 0              image             initial          size                     reservation
//! | file, copy-on-write | zeroes          | grown by the run | no access: growth, guard |
//!   dirty: copied back    dirty: zeroed     zeroed, no access
//! ```
#![expect(
    unsafe_code,
    reason = "copies the image back over what a run has written"
)]

use super::dirty::DirtyPages;
use super::mapping::{Access, Mapping};
use super::tracking::Tracking;
use std::fs::File;
use std::io;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a slot that may stay resident between two runs; protects the host's memory from slots
/// that one large run has grown.
const KEEP_RESIDENT_BYTES: usize = 4 << 20;

/// Bytes of all free slots of the process that may stay resident. They are in no run's charge, so
/// after a burst they would come on top of what the memory account hands out.
const MAX_RESIDENT_BYTES: usize = 64 << 20;

/// Bytes that free slots keep resident.
static RESIDENT_BYTES: AtomicUsize = AtomicUsize::new(0);

/// Bytes that a free slot keeps resident, out of [`MAX_RESIDENT_BYTES`].
#[derive(Debug)]
pub(super) struct Resident(usize);

impl Resident {
    /// Returns none if the free slots would keep too much.
    fn take(bytes: usize) -> Option<Self> {
        RESIDENT_BYTES
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |all| {
                all.checked_add(bytes)
                    .filter(|all| *all <= MAX_RESIDENT_BYTES)
            })
            .is_ok()
            .then(|| Self(bytes))
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        RESIDENT_BYTES.fetch_sub(self.0, Ordering::Relaxed);
    }
}

/// A place for one memory, which starts as an image or as zeroes.
#[derive(Debug)]
pub(super) struct MemorySlot {
    pub(super) memory: Arc<Mapping>,
    /// Bytes that are accessible from the start: the image, and zeroes up to the guest's initial
    /// size.
    pub(super) initial: usize,
    /// The way in which its dirty pages are found.
    pub(super) tracking: Tracking,
    /// None while a run has it.
    pub(super) resident: Option<Resident>,
}

impl MemorySlot {
    /// Returns a slot that starts with zeroes.
    pub(super) fn zeroed(initial: usize, reservation: usize) -> io::Result<Self> {
        let memory = Mapping::reserve(reservation)?;
        memory.protect(0..initial, Access::ReadWrite)?;
        Ok(Self {
            memory: Arc::new(memory),
            initial,
            tracking: Tracking::none(),
            resident: None,
        })
    }

    /// Returns a slot that starts with `len` bytes of a file, and then zeroes.
    pub(super) fn of_file(
        (file, len): (&File, usize),
        initial: usize,
        reservation: usize,
    ) -> io::Result<Self> {
        let memory = fresh(file, len, initial, reservation)?;
        let tracking = Tracking::of(&memory, len);
        Ok(Self {
            memory: Arc::new(memory),
            initial,
            tracking,
            resident: None,
        })
    }

    /// Returns the initial size and the reservation: slots with the same ones are alike.
    pub(super) fn shape(&self) -> (usize, usize) {
        (self.initial, self.memory.len)
    }

    /// Gives a free slot to a run, whose charge has what was kept resident.
    pub(super) fn lend(mut self) -> Self {
        self.resident = None;
        self
    }

    /// Resets a memory that has grown to `size` bytes: its image is copied back from `pristine`, or,
    /// if too many pages are dirty, all are discarded.
    pub(super) fn restore(&mut self, pristine: &Mapping, size: usize) -> io::Result<()> {
        let Self {
            memory,
            initial,
            tracking,
            resident,
        } = self;
        let scanned = tracking.scan(memory, size).ok();
        let dirty = scanned.filter(|dirty| dirty.bytes <= KEEP_RESIDENT_BYTES);
        *resident = dirty.as_ref().and_then(|dirty| Resident::take(dirty.bytes));
        let dirty = dirty.filter(|_| resident.is_some());
        match &dirty {
            Some(dirty) => {
                copy_back(memory, pristine, dirty);
                tracking.note_restored(memory);
            }
            None => {
                memory.discard(0..size)?;
                tracking.note_discarded();
            }
        }
        memory.protect(*initial..size, Access::None)
    }
}

/// Copies the image over the dirty pages of a memory, and zeroes those behind it.
fn copy_back(memory: &Mapping, pristine: &Mapping, dirty: &DirtyPages) {
    let image = pristine.len;
    for range in &dirty.ranges {
        let start = range.start - memory.base.as_ptr() as usize;
        let from_image = range.len().min(image.saturating_sub(start));
        // SAFETY: the scan reports ranges inside the slot; the image mapping is at least `start +
        // from_image` long, the two never overlap, and the instance that used the slot is gone.
        unsafe {
            let target: *mut u8 = memory.at(start).cast();
            ptr::copy_nonoverlapping(pristine.at(start.min(image)).cast(), target, from_image);
            ptr::write_bytes(target.wrapping_add(from_image), 0, range.len() - from_image);
        }
    }
}

/// Reserves an address range that starts with `len` bytes of a file, and then zeroes.
pub(super) fn fresh(
    file: &File,
    len: usize,
    initial: usize,
    reservation: usize,
) -> io::Result<Mapping> {
    let memory = Mapping::reserve(reservation)?;
    memory.map_over(file, len)?;
    memory.protect(len..initial, Access::ReadWrite)?;
    Ok(memory)
}
