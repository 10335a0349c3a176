//! Dirty page tracking of a slot: which way to find dirty pages is used for which part of an image?
//!
//! The kernel reads its records of writes quickly, page by page, and also for pages that no run
//! touches. It skips what was never touched in a memory without records. Most of an image is
//! constant, so writes are recorded only in the parts that the first runs have written to. Both
//! ways are exact: a run that writes elsewhere is found out as well, and costs a little more.

use super::dirty::{DirtyPages, DirtyTracking};
use super::mapping::Mapping;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// The granularity of the parts.
const BLOCK_BYTES: usize = 64 << 10;

/// Bytes between two parts for which reading them separately is worth a system call.
const GAP_BYTES: usize = 4 << 20;

/// Runs of an image from which its parts are learned.
const LEARNING_RUNS: u32 = 16;

/// Bytes that a change of the parts saves, at least: slots that have others are not used again.
const LEAST_SAVING: usize = 2 << 20;

/// The parts of an image, as offsets in ascending order.
pub(super) type Parts = Arc<[Range<usize>]>;

/// Bytes of a part for which a system call of its own takes longer than a slow look at each page.
const SMALL_BYTES: usize = 256 << 10;

/// The tracking of one slot.
#[derive(Debug)]
pub(super) struct Tracking {
    /// The parts that were asked for.
    parts: Parts,
    /// Those in which writes are recorded: all, or none where the kernel cannot.
    recorded: Vec<Range<usize>>,
    /// How the memory up to the end of the last one of them is scanned, in ascending order.
    scans: Vec<(Range<usize>, DirtyTracking)>,
}

impl Tracking {
    /// Records no writes.
    pub(super) fn none() -> Self {
        Self {
            parts: Arc::default(),
            recorded: Vec::new(),
            scans: Vec::new(),
        }
    }

    /// Records the writes to parts of a memory that is mapped from a file and not touched yet, if
    /// the kernel can.
    pub(super) fn of(memory: &Mapping, parts: Parts) -> Self {
        let can_record = |part: &&Range<usize>| {
            DirtyTracking::best(memory, (*part).clone()) == DirtyTracking::WriteProtect
        };
        let recorded: Vec<Range<usize>> = parts.iter().filter(can_record).cloned().collect();
        let scans = scans(&recorded);
        Self {
            parts,
            recorded,
            scans,
        }
    }

    /// Returns whether any writes are recorded.
    #[cfg(test)]
    pub(super) fn records(&self) -> bool {
        !self.recorded.is_empty()
    }

    /// Finds the dirty pages of a memory of `size` bytes.
    pub(super) fn scan(&self, memory: &Mapping, size: usize) -> io::Result<DirtyPages> {
        let mut dirty = DirtyPages::default();
        for (range, tracking) in &self.scans {
            dirty.scan(memory, range.clone(), *tracking)?;
        }
        let rest = self.scans.last().map_or(0, |(range, _)| range.end);
        dirty.scan(memory, rest..size, DirtyTracking::PagemapPrivate)?;
        Ok(dirty)
    }

    /// Restarts it after all pages were discarded.
    pub(super) fn rearm(&self, memory: &Mapping) -> io::Result<()> {
        let mut parts = self.recorded.iter();
        parts.try_for_each(|part| DirtyTracking::WriteProtect.rearm(memory, part.clone()))
    }
}

/// The parts of an image that runs write to.
#[derive(Debug)]
pub(super) struct LearnedParts {
    len: usize,
    parts: Parts,
    /// Runs that may still change them.
    left: u32,
}

impl LearnedParts {
    /// Begins with the whole image.
    pub(super) fn of_image(len: usize) -> Self {
        Self {
            len,
            parts: std::iter::once(0..len).collect(),
            left: LEARNING_RUNS,
        }
    }

    /// Returns the parts that are known now.
    pub(super) fn current(&self) -> Parts {
        Arc::clone(&self.parts)
    }

    /// Learns from the dirty pages of a run in a memory at `base`, if that saves much, and returns
    /// whether the tracking of that memory has the parts that are known then.
    pub(super) fn is_current(
        &mut self,
        tracking: &Tracking,
        dirty: Option<&DirtyPages>,
        base: usize,
    ) -> bool {
        if let Some((left, dirty)) = self.left.checked_sub(1).zip(dirty) {
            self.left = left;
            let parts = written_parts(&dirty.ranges, base, self.len);
            if bytes(&parts) + LEAST_SAVING <= bytes(&self.parts) {
                self.parts = parts.into();
            }
        }
        Arc::ptr_eq(&tracking.parts, &self.parts)
    }
}

/// Returns the parts of an image of `len` bytes that contain these dirty pages, given by their
/// addresses in a memory at `base`.
fn written_parts(dirty: &[Range<usize>], base: usize, len: usize) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for range in dirty {
        let start = (range.start - base) / BLOCK_BYTES * BLOCK_BYTES;
        let end = (range.end - base).next_multiple_of(BLOCK_BYTES).min(len);
        if start >= end {
            continue;
        }
        match parts.last_mut() {
            Some(last) if start < last.end + GAP_BYTES => last.end = last.end.max(end),
            _ => parts.push(start..end),
        }
    }
    parts
}

/// Returns how a memory is scanned up to the end of its last recorded part: large parts by
/// themselves, small ones together with what lies between them.
fn scans(recorded: &[Range<usize>]) -> Vec<(Range<usize>, DirtyTracking)> {
    let mut scans = Vec::new();
    let (mut from, mut between) = (0, DirtyTracking::PagemapPrivate);
    for part in recorded {
        if part.len() <= SMALL_BYTES {
            between = DirtyTracking::Mixed;
            continue;
        }
        if from < part.start {
            scans.push((from..part.start, between));
        }
        scans.push((part.clone(), DirtyTracking::WriteProtect));
        (from, between) = (part.end, DirtyTracking::PagemapPrivate);
    }
    if let Some(last) = recorded.last().filter(|last| from < last.end) {
        scans.push((from..last.end, between));
    }
    scans
}

/// Returns the bytes of parts.
fn bytes(parts: &[Range<usize>]) -> usize {
    parts.iter().map(ExactSizeIterator::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_parts_contain_the_dirty_pages_and_join_over_small_gaps() {
        const MIB: usize = 1 << 20;
        let base = 1 << 40;
        let at = |pages: Range<usize>| base + pages.start * 4096..base + pages.end * 4096;
        let dirty = [at(1..2), at(100..101), at(2000..2001), at(4095..5000)];
        let parts = written_parts(&dirty, base, 16 * MIB);
        // More than 4 MiB lie between them, but for the first two.
        let expected = [0..448 << 10, 0x7d_0000..0x7e_0000, 0xff_0000..16 * MIB];
        assert_eq!(parts, expected);
        assert!(written_parts(&[], base, 16 * MIB).is_empty());
    }

    #[test]
    fn small_parts_are_scanned_with_what_lies_between_them() {
        use DirtyTracking::{Mixed, PagemapPrivate, WriteProtect};
        const KIB: usize = 1 << 10;
        for (recorded, expected) in [
            (vec![], vec![]),
            (vec![0..900 * KIB], vec![(0..900 * KIB, WriteProtect)]),
            (vec![64 * KIB..128 * KIB], vec![(0..128 * KIB, Mixed)]),
            (
                vec![0..64 * KIB, 200 * KIB..300 * KIB, 400 * KIB..900 * KIB],
                vec![(0..400 * KIB, Mixed), (400 * KIB..900 * KIB, WriteProtect)],
            ),
            (
                vec![100 * KIB..900 * KIB, 1000 * KIB..1064 * KIB],
                vec![
                    (0..100 * KIB, PagemapPrivate),
                    (100 * KIB..900 * KIB, WriteProtect),
                    (900 * KIB..1064 * KIB, Mixed),
                ],
            ),
        ] {
            assert_eq!(scans(&recorded), expected, "{recorded:?}");
        }
    }
}
