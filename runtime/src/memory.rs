//! Copy-on-write guest memory: how is it clean for every run?
//!
//! This is the only place that maps guest memory. A guest's memory starts as its image, a file that is mapped copy-on-write: pages that a
//! run reads come from the page cache, pages that it writes become private. When the instance ends, exactly the dirty pages are copied back
//! from the image, and the slot serves the next run without a page fault. The kernel reports the dirty pages (see `written`); where it
//! can't, the whole mapping is dropped and faulted in again.
//!
//! The same module keeps the stacks that guests run on, because they are memory of the same kind: reserved, guarded, reused.
#![expect(
    unsafe_code,
    reason = "maps, protects and restores memory that compiled guests address directly"
)]

mod written;

pub use written::kernel_tells_dirty_pages;

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType, StackCreator, StackMemory};
use written::{DirtyTracking, WrittenPages};

/// Bytes of a slot that may stay resident between two runs; protects the host's memory from slots that one large run has grown.
const KEEP_RESIDENT_BYTES: usize = 4 << 20;

/// Free slots kept for each image; protects the host's memory after a burst.
const MAX_FREE_SLOTS: usize = 64;

/// Free stacks kept in the process.
const MAX_FREE_STACKS: usize = 64;

/// Bytes at the top of a free stack that stay resident.
const KEEP_STACK_BYTES: usize = 256 << 10;

/// Bytes of a free stack that are probed for whether a run went deeper than what stays resident.
const STACK_PROBE_BYTES: usize = 4096;

/// The initial memory of a guest, as a file.
#[derive(Debug)]
pub(crate) struct Image {
    file: File,
    pristine: Mapping,
    free: Mutex<Vec<Slot>>,
}

/// A place for one memory that starts as the image.
#[derive(Debug)]
struct Slot {
    memory: Mapping,
    /// Bytes that are accessible from the start: the image, and zeroes up to the guest's initial size.
    initial: usize,
    /// The way in which the dirty pages of the image are found.
    tracking: DirtyTracking,
}

/// An address range that this process alone owns and that is unmapped when dropped.
#[derive(Debug)]
struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: a mapping is plain memory that is not tied to a thread; access follows the ownership of the value.
unsafe impl Send for Mapping {}
// SAFETY: shared references give out the address only; the pristine mapping is read-only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves an address range without access and without backing.
    fn reserve(len: usize) -> io::Result<Self> {
        // SAFETY: a new anonymous mapping at an address of the kernel's choice replaces nothing.
        let base = unsafe {
            rustix::mm::mmap_anonymous(
                ptr::null_mut(),
                len,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        Self::from_raw(base, len)
    }

    /// Maps a file for reading.
    fn of_file(file: &File, len: usize) -> io::Result<Self> {
        // SAFETY: a new read-only mapping of a private file at an address of the kernel's choice.
        let base = unsafe {
            rustix::mm::mmap(
                ptr::null_mut(),
                len,
                ProtFlags::READ,
                MapFlags::PRIVATE,
                file,
                0,
            )
        }?;
        Self::from_raw(base, len)
    }

    fn from_raw(base: *mut c_void, len: usize) -> io::Result<Self> {
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    fn at(&self, offset: usize) -> *mut c_void {
        debug_assert!(offset <= self.len);
        self.base.as_ptr().wrapping_add(offset).cast()
    }

    /// Makes a range readable and writable, or inaccessible.
    fn protect(&self, range: Range<usize>, accessible: bool) -> io::Result<()> {
        assert!(range.start <= range.end && range.end <= self.len);
        if range.is_empty() {
            return Ok(());
        }
        let flags = if accessible {
            MprotectFlags::READ | MprotectFlags::WRITE
        } else {
            MprotectFlags::empty()
        };
        // SAFETY: the range lies inside a mapping that this value owns.
        unsafe { rustix::mm::mprotect(self.at(range.start), range.len(), flags) }?;
        Ok(())
    }

    /// Returns whether a run has written to the page that starts at `offset`, which is zero before.
    ///
    /// A stack that grows beyond this page writes to it on its way, so a clean page saves discarding everything below it. Should a huge
    /// frame skip the page, memory stays resident for longer; no other run can read it.
    fn was_written(&self, offset: usize) -> bool {
        if offset + STACK_PROBE_BYTES > self.len {
            return true;
        }
        // SAFETY: the range lies inside the accessible part of a stack that this value owns and that no guest runs on.
        let page = unsafe {
            std::slice::from_raw_parts(self.base.as_ptr().add(offset), STACK_PROBE_BYTES)
        };
        page != [0; STACK_PROBE_BYTES]
    }

    /// Discards the pages of a range (`madvise`); they read as the file below or as zeroes again.
    fn discard(&self, range: Range<usize>) -> io::Result<()> {
        assert!(range.start <= range.end && range.end <= self.len);
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the range lies inside a mapping that this value owns, and there are no references into it.
        unsafe { rustix::mm::madvise(self.at(range.start), range.len(), Advice::LinuxDontNeed) }?;
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping belongs to this value alone. An error leaks addresses and nothing else.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

impl Image {
    /// Creates an image of a file; its length is a whole number of WebAssembly pages.
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let len = length(&file)?;
        if len == 0 || len % 65536 != 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a memory image is a whole number of 64 KiB pages",
            ));
        }
        Ok(Self {
            pristine: Mapping::of_file(&file, len)?,
            file,
            free: Mutex::default(),
        })
    }

    /// Returns the length of the part that is not zero at first, in whole WebAssembly pages.
    pub(crate) fn len(&self) -> usize {
        self.pristine.len
    }

    fn slot(&self, initial: usize, reservation: usize) -> io::Result<Slot> {
        let free = lock(&self.free).pop();
        if let Some(slot) = free
            && (slot.initial, slot.memory.len) == (initial, reservation)
        {
            return Ok(slot);
        }
        let memory = self.fresh(initial, reservation)?;
        let tracking = DirtyTracking::best(&memory, 0..self.len());
        Ok(Slot {
            memory,
            initial,
            tracking,
        })
    }

    /// Reserves an address range that starts with the image and zeroes.
    fn fresh(&self, initial: usize, reservation: usize) -> io::Result<Mapping> {
        let memory = Mapping::reserve(reservation)?;
        // SAFETY: replaces the start of a reservation that was made just now and to which there is no reference.
        unsafe {
            rustix::mm::mmap(
                memory.base.as_ptr().cast(),
                self.len(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
                &self.file,
                0,
            )
        }?;
        memory.protect(self.len()..initial, true)?;
        Ok(memory)
    }

    /// Resets a used slot to a fresh one and keeps it, or unmaps it if that fails.
    fn recycle(&self, slot: Slot, size: usize) {
        if self.restore(&slot, size).is_ok() {
            let mut free = lock(&self.free);
            if free.len() < MAX_FREE_SLOTS {
                free.push(slot);
            }
        }
    }

    fn restore(
        &self,
        Slot {
            memory,
            initial,
            tracking,
        }: &Slot,
        size: usize,
    ) -> io::Result<()> {
        let image = self.len();
        let mut written = WrittenPages::default();
        let scanned = written
            .scan(memory, 0..image, *tracking)
            .and_then(|()| written.scan(memory, image..size, DirtyTracking::PagemapPrivate));
        if scanned.is_err() || written.bytes > KEEP_RESIDENT_BYTES {
            memory.discard(0..size)?;
            // The write-protection was lost with the pages.
            tracking.rearm(memory, 0..image)?;
        } else {
            for range in &written.ranges {
                let start = range.start - memory.base.as_ptr() as usize;
                let from_image = range.len().min(image.saturating_sub(start));
                // SAFETY: the scan reports ranges inside the slot; the image mapping is at least `start + from_image` long, the two
                // never overlap, and the instance that used the slot is gone.
                unsafe {
                    let target: *mut u8 = memory.at(start).cast();
                    ptr::copy_nonoverlapping(
                        self.pristine.at(start.min(image)).cast(),
                        target,
                        from_image,
                    );
                    ptr::write_bytes(target.wrapping_add(from_image), 0, range.len() - from_image);
                }
            }
        }
        memory.protect(*initial..size, false)
    }
}

/// Maps a file of the installation read-only.
pub(crate) fn map_file(path: &Path) -> io::Result<bytes::Bytes> {
    #[expect(
        clippy::disallowed_methods,
        reason = "opens a file of the installation by path; no path of a user is involved"
    )]
    let file = File::open(path)?;
    map(&file)
}

/// Maps an open file of the installation read-only.
pub(crate) fn map(file: &File) -> io::Result<bytes::Bytes> {
    let len = length(file)?;
    if len == 0 {
        return Ok(bytes::Bytes::new());
    }
    Ok(bytes::Bytes::from_owner(ReadOnly(Mapping::of_file(
        file, len,
    )?)))
}

fn length(file: &File) -> io::Result<usize> {
    usize::try_from(file.metadata()?.len())
        .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
}

/// A read-only mapping.
struct ReadOnly(Mapping);

impl AsRef<[u8]> for ReadOnly {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping is readable for its whole length as long as this value lives, and the installation's files are
        // replaced by renaming, never written in place.
        unsafe { std::slice::from_raw_parts(self.0.base.as_ptr(), self.0.len) }
    }
}

thread_local! {
    /// The image for the memory that the future being polled on this thread is about to create.
    static NEXT_IMAGE: RefCell<Option<Arc<Image>>> = const { RefCell::new(None) };
}

/// Runs a future whose first memory that the image fits into is created from `image`.
///
/// The engine calls the memory creator without naming the instance, so the image is passed in a thread-local, on the thread that polls, and
/// only while it polls.
pub(crate) async fn with_image<F: Future>(image: Arc<Image>, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut image = Some(image);
    std::future::poll_fn(move |context| poll_with(&mut image, future.as_mut(), context)).await
}

fn poll_with<F: Future>(
    image: &mut Option<Arc<Image>>,
    future: Pin<&mut F>,
    context: &mut Context<'_>,
) -> Poll<F::Output> {
    NEXT_IMAGE.with_borrow_mut(|next| *next = image.take());
    let result = future.poll(context);
    NEXT_IMAGE.with_borrow_mut(|next| *image = next.take());
    result
}

/// Memory creator of the engine: from an image for guests, empty ones for everything else.
#[derive(Debug, Default)]
pub(crate) struct GuestMemory;

// SAFETY: each memory is a reservation of its own with at least the requested guard behind it, never moves, is zero or the image's bytes
// when handed out, and has no other user until it is dropped.
unsafe impl MemoryCreator for GuestMemory {
    fn new_memory(
        &self,
        _: MemoryType,
        minimum: usize,
        maximum: Option<usize>,
        reserved: Option<usize>,
        guard: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let capacity = reserved
            .unwrap_or_else(|| maximum.unwrap_or(minimum))
            .max(minimum);
        let reservation = capacity
            .checked_add(guard)
            .ok_or("the memory is larger than the address space")?;
        let image = NEXT_IMAGE.with_borrow_mut(|next| next.take_if(|image| image.len() <= minimum));
        let slot = match &image {
            Some(image) => image.slot(minimum, reservation),
            None => Mapping::reserve(reservation).and_then(|memory| {
                memory.protect(0..minimum, true).map(|()| Slot {
                    memory,
                    initial: minimum,
                    tracking: DirtyTracking::PagemapPrivate,
                })
            }),
        };
        let slot = slot.map_err(|error| format!("cannot map guest memory: {error}"))?;
        Ok(Box::new(GuestLinearMemory {
            slot: Some(slot),
            image,
            size: minimum,
            capacity,
        }))
    }
}

struct GuestLinearMemory {
    slot: Option<Slot>,
    image: Option<Arc<Image>>,
    size: usize,
    capacity: usize,
}

// SAFETY: see `GuestMemory`.
unsafe impl LinearMemory for GuestLinearMemory {
    fn byte_size(&self) -> usize {
        self.size
    }

    fn byte_capacity(&self) -> usize {
        self.capacity
    }

    fn grow_to(&mut self, size: usize) -> wasmtime::Result<()> {
        let Some(slot) = &self.slot else {
            return Err(wasmtime::Error::msg("the memory is gone"));
        };
        if size > self.capacity || size < self.size {
            return Err(wasmtime::Error::msg("the memory cannot grow to that size"));
        }
        slot.memory.protect(self.size..size, true)?;
        self.size = size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.slot
            .as_ref()
            .map_or(ptr::null_mut(), |slot| slot.memory.base.as_ptr())
    }
}

impl Drop for GuestLinearMemory {
    fn drop(&mut self) {
        if let (Some(slot), Some(image)) = (self.slot.take(), &self.image) {
            image.recycle(slot, self.size);
        }
    }
}

/// Stack creator of the engine: hands out the stacks that guests run on, and takes them back.
#[derive(Debug, Default)]
pub(crate) struct GuestStacks {
    free: Arc<Mutex<HashMap<usize, Vec<Mapping>>>>,
}

// SAFETY: each stack is a reservation of its own with an inaccessible page below it, and goes back to the free list only when dropped.
unsafe impl StackCreator for GuestStacks {
    fn new_stack(&self, size: usize, _zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let page = rustix::param::page_size();
        let len = size.next_multiple_of(page) + page;
        let free = lock(&self.free).get_mut(&len).and_then(Vec::pop);
        let stack = match free {
            Some(stack) => stack,
            None => {
                let stack = Mapping::reserve(len)?;
                stack.protect(page..len, true)?;
                stack
            }
        };
        Ok(Box::new(GuestStack {
            stack: Some(stack),
            len,
            page,
            free: Arc::clone(&self.free),
        }))
    }
}

struct GuestStack {
    stack: Option<Mapping>,
    len: usize,
    page: usize,
    free: Arc<Mutex<HashMap<usize, Vec<Mapping>>>>,
}

impl GuestStack {
    fn base(&self) -> *mut u8 {
        self.stack
            .as_ref()
            .map_or(ptr::null_mut(), |stack| stack.base.as_ptr())
    }
}

// SAFETY: see `GuestStacks`.
unsafe impl StackMemory for GuestStack {
    fn top(&self) -> *mut u8 {
        self.base().wrapping_add(self.len)
    }

    fn range(&self) -> Range<usize> {
        let base = self.base() as usize;
        base + self.page..base + self.len
    }

    fn guard_range(&self) -> Range<*mut u8> {
        self.base()..self.base().wrapping_add(self.page)
    }
}

impl Drop for GuestStack {
    fn drop(&mut self) {
        let Some(stack) = self.stack.take() else {
            return;
        };
        // A deep run must not leave megabytes resident in a free stack.
        let keep = self.len.saturating_sub(KEEP_STACK_BYTES).max(self.page);
        if stack.was_written(keep) && stack.discard(self.page..keep + STACK_PROBE_BYTES).is_err() {
            return;
        }
        let mut free = lock(&self.free);
        let free = free.entry(self.len).or_default();
        if free.len() < MAX_FREE_STACKS {
            free.push(stack);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // No panic while one of these locks is held leaves a broken state: the lists are whole after every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
