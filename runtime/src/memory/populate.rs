//! Page faults of new memory: how does a guest touch much of it without keeping its thread?
//!
//! A page fault takes microseconds and no fuel, so a guest that writes one byte to each page of new
//! memory would run for seconds between two yields. Therefore the run's call hook populates new
//! memory, in pieces between which the run can yield. On a kernel without `MADV_POPULATE_WRITE`
//! (Linux before 5.14) pages are faulted in as before.

use super::mapping::Mapping;
use std::cell::RefCell;
use std::ops::Range;
use std::sync::{Arc, Weak};

/// Bytes of new memory whose pages are left to page faults: some hundred.
pub(super) const LAZY_BYTES: usize = 1 << 20;

/// Bytes that are populated at once, a fraction of a millisecond.
const PIECE_BYTES: usize = 1 << 20;

thread_local! {
    /// Memory that became accessible on this thread since its call hook looked.
    static NEW: RefCell<Vec<NewPages>> = const { RefCell::new(Vec::new()) };
}

/// A range of a memory that a guest may touch from now on.
pub(crate) struct NewPages {
    /// Not kept alive: an instantiation may fail before any hook runs on this thread.
    memory: Weak<Mapping>,
    range: Range<usize>,
}

impl NewPages {
    /// Populates the next piece; returns whether there may be another one.
    pub(crate) fn populate(&mut self) -> bool {
        let end = self.range.end.min(self.range.start + PIECE_BYTES);
        let piece = self.range.start..end;
        self.range.start = end;
        let populated = self.memory.upgrade().map(|memory| memory.populate(piece));
        // Without memory, the guest's own page fault shows what comes of it.
        populated.is_some_and(|result| result.is_ok()) && !self.range.is_empty()
    }
}

/// Hands a range to the call hook that runs next on this thread.
pub(super) fn later(memory: &Arc<Mapping>, range: Range<usize>) {
    NEW.with_borrow_mut(|new| {
        new.retain(|other| other.memory.strong_count() > 0);
        new.push(NewPages {
            memory: Arc::downgrade(memory),
            range,
        });
    });
}

/// Takes the ranges that became accessible on this thread.
pub(crate) fn take_new_pages() -> Vec<NewPages> {
    NEW.with_borrow_mut(std::mem::take)
}
