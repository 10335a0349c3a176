//! Tests of guest memory: is it clean after every run, and bounded?
#![expect(unsafe_code, reason = "reads memory as a compiled guest does")]

use super::dirty::{DirtyPages, Sought, keep_records, start_records};
use super::image::Image;
use super::linear::{NEXT_MEMORY, NextMemory};
use super::slot::{MemorySlot, fresh};
use super::tracking::Tracking;
use super::{GuestMemory, GuestStacks, GuestWords};
use std::io::Write as _;
use std::sync::Arc;
use wasmtime::{LinearMemory, MemoryCreator as _, StackCreator as _};

const PAGE: usize = 65536;

fn image(pages: usize) -> Arc<Image> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for page in 0..pages {
        file.write_all(&vec![u8::try_from(page + 1).unwrap(); PAGE])
            .unwrap();
    }
    Arc::new(Image::new(file.into_file()).unwrap())
}

/// A memory as the engine would get it, and its bytes.
struct Guest(Box<dyn LinearMemory>);

impl Guest {
    fn new(image: &Arc<Image>) -> Self {
        Self::larger(image, 0)
    }

    /// Creates a memory with pages of zeroes behind the image.
    fn larger(image: &Arc<Image>, zeroes: usize) -> Self {
        Self::with_words(image, zeroes, GuestWords::default())
    }

    fn with_words(image: &Arc<Image>, zeroes: usize, words: GuestWords) -> Self {
        let memory = NextMemory::new(Arc::clone(image), Some(words));
        NEXT_MEMORY.with_borrow_mut(|next| *next = Some(memory));
        let initial = image.len() + zeroes * PAGE;
        let ty = wasmtime::MemoryType::new(u32::try_from(initial / PAGE).unwrap(), None);
        let memory = GuestMemory
            .new_memory(ty, initial, None, Some(256 << 20), PAGE)
            .unwrap();
        Self(memory)
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the memory is accessible up to its size, and the test is its only user.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr(), self.0.byte_size()) }
    }
}

fn pristine(bytes: &[u8], image: &Image) -> bool {
    bytes.chunks(PAGE).enumerate().all(|(page, chunk)| {
        let expected = if page * PAGE < image.len() {
            u8::try_from(page + 1).unwrap()
        } else {
            0
        };
        chunk.iter().all(|byte| *byte == expected)
    })
}

#[test]
fn a_slot_is_reused_and_nothing_of_the_last_run_is_in_it() {
    let image = image(4);
    let mut first = Guest::new(&image);
    let address = first.0.as_ptr();
    assert!(pristine(first.bytes(), &image));
    first.0.grow_to(8 * PAGE).unwrap();
    for offset in [0, 1, PAGE - 1, PAGE, 3 * PAGE + 17, 4 * PAGE, 8 * PAGE - 1] {
        first.bytes()[offset] = 0xee;
    }
    drop(first);
    let mut second = Guest::new(&image);
    assert_eq!(second.0.as_ptr(), address, "the slot is reused");
    assert_eq!(second.0.byte_size(), 4 * PAGE);
    second.0.grow_to(8 * PAGE).unwrap();
    assert!(pristine(second.bytes(), &image));
}

#[test]
fn the_zeroes_behind_an_image_are_zeroes_again() {
    let image = image(2);
    let mut address = None;
    for _ in 0..3 {
        let mut guest = Guest::larger(&image, 3);
        assert_eq!(
            *address.get_or_insert(guest.0.as_ptr()),
            guest.0.as_ptr(),
            "the slot is reused"
        );
        assert_eq!(guest.0.byte_size(), 5 * PAGE);
        assert!(pristine(guest.bytes(), &image));
        guest.0.grow_to(7 * PAGE).unwrap();
        for page in 0..7 {
            guest.bytes()[page * PAGE + 3] = 0xee;
        }
    }
    let mut other = Guest::larger(&image, 4);
    assert_eq!(other.0.byte_size(), 6 * PAGE);
    assert!(pristine(other.bytes(), &image));
}

#[test]
fn a_run_that_writes_everything_leaves_nothing() {
    let image = image(200);
    for _ in 0..3 {
        let mut guest = Guest::new(&image);
        guest.0.grow_to(300 * PAGE).unwrap();
        assert!(pristine(guest.bytes(), &image));
        guest.bytes().fill(0xee);
    }
}

#[test]
fn memory_is_clean_wherever_the_next_run_writes() {
    // Larger than what is learned from the first runs, which write to the start.
    let image = image(200);
    for round in 0..40 {
        let mut guest = Guest::larger(&image, 2);
        assert!(pristine(guest.bytes(), &image), "round {round}");
        let elsewhere = round * 7919 % (202 * PAGE);
        let places = if round < 20 {
            [3, PAGE]
        } else {
            [3, elsewhere]
        };
        for place in places {
            guest.bytes()[place] ^= 0xff;
        }
    }
}

/// Returns the bytes of the image's part of a slot.
fn bytes_of<'a>(slot: &'a mut MemorySlot, image: &Image) -> &'a mut [u8] {
    // SAFETY: the start of a slot is mapped from the image, and the test is its only user.
    unsafe { std::slice::from_raw_parts_mut(slot.memory.base.as_ptr(), image.len()) }
}

#[test]
fn either_sign_tells_every_written_page_and_no_other() {
    let image = image(64);
    let len = image.len();
    for sought in [Sought::Written, Sought::Private] {
        let memory = fresh(&image.file, len, len, len).unwrap();
        if sought == Sought::Written {
            if !keep_records(&memory, 0..len) {
                eprintln!("this kernel does not record writes, or not for us");
                continue;
            }
            start_records(&memory, 0..len).unwrap();
        }
        let mut slot = MemorySlot {
            memory: memory.into(),
            initial: len,
            tracking: Tracking::none(),
            resident: None,
        };
        for round in 0..3 {
            let touched: Vec<usize> = (0..40)
                .map(|index| (index * 397 + round * 31) % (64 * 16))
                .collect();
            for page in &touched {
                // Reads must not make a page dirty.
                let at = (page + 7) % (64 * 16) * 4096;
                assert_eq!(usize::from(bytes_of(&mut slot, &image)[at]), at / PAGE + 1);
                bytes_of(&mut slot, &image)[page * 4096 + 5] = 0xee;
            }
            let mut written = DirtyPages::default();
            written.scan(&slot.memory, 0..len, sought).unwrap();
            let base = slot.memory.base.as_ptr() as usize;
            for page in &touched {
                let address = base + page * 4096 + 5;
                assert!(
                    written.ranges.iter().any(|range| range.contains(&address)),
                    "{sought:?}: page {page}"
                );
            }
            assert!(
                written.bytes <= (round + 1) * 40 * 4096,
                "{sought:?}: {} bytes",
                written.bytes
            );
            slot.restore(&image.pristine, image.len()).unwrap();
            assert!(pristine(bytes_of(&mut slot, &image), &image), "{sought:?}");
        }
    }
}

#[test]
fn restoring_works_without_the_kernels_help() {
    let image = image(4);
    let mut slot = image.slot(image.len(), 256 << 20).unwrap();
    bytes_of(&mut slot, &image).fill(0xee);
    // The fallback of `restore` if the scan fails.
    slot.memory.discard(0..image.len()).unwrap();
    slot.tracking.note_discarded();
    assert!(pristine(bytes_of(&mut slot, &image), &image));
    // And the slot is as good as before.
    bytes_of(&mut slot, &image)[PAGE + 1] = 0xee;
    slot.restore(&image.pristine, image.len()).unwrap();
    assert!(pristine(bytes_of(&mut slot, &image), &image));
}

#[test]
fn a_slot_with_many_present_pages_records_writes_and_stays_clean() {
    let image = image(64);
    let mut slot = image.slot(image.len(), image.len()).unwrap();
    let can_record = keep_records(&slot.memory, 0..image.len());
    for round in 0..20 {
        assert!(pristine(bytes_of(&mut slot, &image), &image), "{round}");
        for page in [3, 200 + 7 * round, 1023] {
            bytes_of(&mut slot, &image)[page * 4096 + round] = 0xee;
        }
        slot.restore(&image.pristine, image.len()).unwrap();
        if round % 10 == 9 {
            // Every page was read.
            assert_eq!(slot.tracking.is_recorded(), can_record, "{round}");
            slot.memory.discard(0..image.len()).unwrap();
            slot.tracking.note_discarded();
        }
    }
}

#[test]
fn memory_without_an_image_is_empty_and_bounded() {
    let ty = wasmtime::MemoryType::new(1, Some(2));
    let mut memory = GuestMemory
        .new_memory(ty, PAGE, Some(2 * PAGE), None, PAGE)
        .unwrap();
    // SAFETY: as above.
    let bytes = unsafe { std::slice::from_raw_parts(memory.as_ptr(), PAGE) };
    assert!(bytes.iter().all(|byte| *byte == 0));
    memory.grow_to(2 * PAGE).unwrap();
    assert!(memory.grow_to(3 * PAGE).is_err());
    assert!(memory.grow_to(PAGE).is_err());
}

#[test]
fn an_image_is_whole_pages() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[0; 100]).unwrap();
    assert!(Image::new(file.into_file()).is_err());
}

#[test]
fn stacks_are_reused_and_guarded() {
    let stacks = GuestStacks::default();
    let stack = stacks.new_stack(1 << 20, false).unwrap();
    let top = stack.top();
    assert_eq!(stack.range().end, top as usize);
    assert_eq!(stack.range().len(), 1 << 20);
    assert_eq!(stack.guard_range().end as usize, stack.range().start);
    drop(stack);
    assert_eq!(stacks.new_stack(1 << 20, false).unwrap().top(), top);
}

/// Counts the private pages of a slot's image, in bytes.
fn resident(slot: &MemorySlot, image: &Image) -> usize {
    let mut private = DirtyPages::default();
    private
        .scan(&slot.memory, 0..image.len(), Sought::Private)
        .unwrap();
    private.bytes
}

#[test]
fn free_slots_of_a_burst_keep_a_bounded_amount_of_memory() {
    if !super::kernel_tells_dirty_pages() {
        return;
    }
    let image = image(48);
    let mut slots: Vec<_> = (0..40)
        .map(|_| image.slot(image.len(), 256 << 20).unwrap())
        .collect();
    for slot in &mut slots {
        bytes_of(slot, &image).fill(0xee);
        slot.restore(&image.pristine, image.len()).unwrap();
        assert!(pristine(bytes_of(slot, &image), &image));
    }
    // 120 MiB were written to. The checks above made no page private.
    let kept: usize = slots.iter().map(|slot| resident(slot, &image)).sum();
    assert!(kept > 0 && kept <= 64 << 20, "{kept} bytes");
    // What runs have again is in their own charges.
    let lent: Vec<_> = slots.drain(..39).map(MemorySlot::lend).collect();
    bytes_of(&mut slots[0], &image).fill(0xee);
    slots[0].restore(&image.pristine, image.len()).unwrap();
    assert!(resident(&slots[0], &image) > 0);
    drop(lent);
}

#[test]
fn words_of_a_memory_change_while_it_is_a_guests() {
    let image = image(1);
    let words = GuestWords::default();
    words.set(0, 1);
    let mut guest = Guest::with_words(&image, 1, words.clone());
    words.set(8, 0x0001_0100);
    words.set(8, 0x2);
    words.clear(8, 0x0001_0000);
    assert_eq!(&guest.bytes()[8..12], [3, 1, 0, 1]);
    assert_eq!(words.load(8), 0x0100_0103);
    // Neither beyond the end nor across it, and only whole words.
    let end = u32::try_from(2 * PAGE).unwrap();
    for address in [end, end - 3, 9, u32::MAX, u32::MAX - 3] {
        words.set(address, u32::MAX);
        assert_eq!(words.load(address), 0, "{address}");
    }
    words.set(end - 4, 7);
    assert_eq!(guest.bytes()[2 * PAGE - 4], 7);
    drop(guest);
    assert_eq!(words.load(8), 0);
    words.set(8, u32::MAX);
    let mut next = Guest::larger(&image, 1);
    assert!(pristine(next.bytes(), &image));
}
