//! Dirty page tracking of a slot: which way to find dirty pages is cheaper for it?
//!
//! The kernel reads its records of writes quickly, but for every page, touched or not. Without
//! records it skips what was never touched, and inspects each present page, which takes ten times
//! as long. So a slot begins without records, and has them from when many of its pages are present.

use super::dirty::{DirtyPages, Sought, keep_records, start_records};
use super::mapping::Mapping;
use std::io;
use std::ops::Range;

/// Restored runs after which the present pages are counted first: the pages of the usual programs
/// are there by then.
const FIRST_COUNT: u32 = 4;

/// Restored runs between two later counts.
const COUNT_EVERY: u32 = 64;

/// Bytes that one table of the kernel maps; it skips what has none.
const TABLE_BYTES: usize = 2 << 20;

/// The tracking of one slot.
#[derive(Debug)]
pub(super) struct Tracking {
    /// Bytes of the memory, from its start, whose writes can be recorded.
    recordable: usize,
    is_recorded: bool,
    /// Runs since the memory was new.
    restored: u32,
}

impl Tracking {
    /// Records no writes.
    pub(super) fn none() -> Self {
        Self {
            recordable: 0,
            is_recorded: false,
            restored: 0,
        }
    }

    /// Can record the writes to the first `len` bytes of a memory that are mapped from a file and
    /// not touched yet, if the kernel can.
    pub(super) fn of(memory: &Mapping, len: usize) -> Self {
        Self {
            recordable: if keep_records(memory, 0..len) { len } else { 0 },
            ..Self::none()
        }
    }

    /// Returns whether writes are recorded now.
    #[cfg(test)]
    pub(super) fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// Finds the dirty pages of a memory of `size` bytes.
    pub(super) fn scan(&self, memory: &Mapping, size: usize) -> io::Result<DirtyPages> {
        let recorded = if self.is_recorded { self.recordable } else { 0 };
        let mut dirty = DirtyPages::default();
        dirty.scan(memory, 0..recorded, Sought::Written)?;
        dirty.scan(memory, recorded..size, Sought::Private)?;
        Ok(dirty)
    }

    /// Looks at times whether records are cheaper now, after a run's dirty pages were restored.
    pub(super) fn note_restored(&mut self, memory: &Mapping) {
        self.restored = self.restored.saturating_add(1);
        let is_due = self.restored == FIRST_COUNT || self.restored.is_multiple_of(COUNT_EVERY);
        if self.is_recorded || self.recordable == 0 || !is_due {
            return;
        }
        let mut present = DirtyPages::default();
        self.is_recorded = present
            .scan(memory, 0..self.recordable, Sought::Present)
            .is_ok_and(|()| are_records_cheaper(&present, self.recordable))
            && start_records(memory, 0..self.recordable).is_ok();
    }

    /// Begins again after all pages were discarded, and with them the records.
    pub(super) fn note_discarded(&mut self) {
        self.is_recorded = false;
        self.restored = 0;
    }
}

/// Returns whether reading records takes less time than inspecting the present pages of `len`
/// bytes, in units of what one entry of a table takes.
fn are_records_cheaper(present: &DirtyPages, len: usize) -> bool {
    const PAGE: usize = 4096;
    const PRESENT: usize = 10;
    let mut tables = 0;
    let mut last = None;
    for Range { start, end } in &present.ranges {
        let (first, end) = (start / TABLE_BYTES, (end - 1) / TABLE_BYTES);
        tables += end + 1 - first - usize::from(last == Some(first));
        last = Some(end);
    }
    let inspecting = tables * (TABLE_BYTES / PAGE) + present.bytes / PAGE * PRESENT;
    len / PAGE < inspecting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_cheaper_where_many_pages_are_present() {
        const MIB: usize = 1 << 20;
        let base = 1 << 40;
        for (present, len, expected) in [
            (vec![], 16 * MIB, false),
            // A few pages in two tables.
            (vec![(0, 4096), (4 * MIB, 4 * MIB + 8192)], 16 * MIB, false),
            // As many tables as there are.
            (
                vec![(0, 4096), (8192, 12288), (3 * MIB, 3 * MIB + 4096)],
                4 * MIB,
                true,
            ),
            // One table with many pages.
            (vec![(0, 2 * MIB)], 16 * MIB, true),
            (vec![(0, MIB)], 16 * MIB, false),
        ] {
            let mut pages = DirtyPages::default();
            for (start, end) in &present {
                pages.bytes += end - start;
                pages.ranges.push(base + start..base + end);
            }
            assert_eq!(are_records_cheaper(&pages, len), expected, "{present:?}");
        }
    }
}
