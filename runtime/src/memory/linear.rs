//! Linear memories: which memory does the engine get for an instance?
#![expect(
    unsafe_code,
    reason = "implements the engine's interface of memory that compiled guests address directly"
)]

use super::image::Image;
use super::mapping::Access;
use super::populate::{self, LAZY_BYTES};
use super::slot::MemorySlot;
use super::words::GuestWords;
use std::cell::RefCell;
use std::pin::Pin;
use std::ptr;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

/// The start of the next memory that is created.
#[derive(Debug)]
pub(super) struct NextMemory {
    image: Arc<Image>,
    /// Gets access to it.
    words: Option<GuestWords>,
}

impl NextMemory {
    pub(super) fn new(image: Arc<Image>, words: Option<GuestWords>) -> Self {
        Self { image, words }
    }
}

thread_local! {
    /// The start of the memory that the future being polled on this thread is about to create.
    pub(super) static NEXT_MEMORY: RefCell<Option<NextMemory>> = const { RefCell::new(None) };
}

/// Runs a future whose first memory that the image fits into is created from `image`, and to which
/// `words` then gives access.
///
/// The engine calls the memory creator without naming the instance, so the image is passed in a
/// thread-local, on the thread that polls, and only while it polls.
pub(crate) async fn with_image<F: Future>(
    image: Arc<Image>,
    words: Option<GuestWords>,
    future: F,
) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut next = Some(NextMemory::new(image, words));
    std::future::poll_fn(move |context| poll_with(&mut next, future.as_mut(), context)).await
}

fn poll_with<F: Future>(
    memory: &mut Option<NextMemory>,
    future: Pin<&mut F>,
    context: &mut Context<'_>,
) -> Poll<F::Output> {
    NEXT_MEMORY.with_borrow_mut(|next| *next = memory.take());
    let result = future.poll(context);
    NEXT_MEMORY.with_borrow_mut(|next| *memory = next.take());
    result
}

/// Memory creator of the engine: from an image for guests, empty ones for everything else.
#[derive(Debug, Default)]
pub(crate) struct GuestMemory;

// SAFETY: each memory is a reservation of its own with at least the requested guard behind it,
// never moves, is zero or the image's bytes when handed out, and has no other user until it is
// dropped.
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
        let next = NEXT_MEMORY
            .with_borrow_mut(|next| next.take_if(|memory| memory.image.len() <= minimum));
        let (image, words) = next.map_or((None, None), |next| (Some(next.image), next.words));
        let slot = match &image {
            Some(image) => image.slot(minimum, reservation),
            None => MemorySlot::zeroed(minimum, reservation),
        };
        let slot = slot.map_err(|error| format!("cannot map guest memory: {error}"))?;
        let populated = image.as_ref().map_or(0, |_| minimum);
        if let Some(words) = &words {
            words.open(&slot.memory, minimum);
        }
        let mut memory = GuestLinearMemory {
            slot: Some(slot),
            image,
            words,
            size: minimum,
            populated,
            capacity,
        };
        memory.populate();
        Ok(Box::new(memory))
    }
}

struct GuestLinearMemory {
    slot: Option<MemorySlot>,
    image: Option<Arc<Image>>,
    words: Option<GuestWords>,
    size: usize,
    /// Bytes that are populated, or soon will be; beyond them pages are faulted in.
    populated: usize,
    capacity: usize,
}

impl GuestLinearMemory {
    /// Lets new memory be populated, if there is much of it.
    fn populate(&mut self) {
        let new = self.populated..self.size;
        if let Some(slot) = self.slot.as_ref().filter(|_| new.len() >= LAZY_BYTES) {
            populate::later(&slot.memory, new);
            self.populated = self.size;
        }
    }
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
        slot.memory.protect(self.size..size, Access::ReadWrite)?;
        self.size = size;
        self.populate();
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
        if let Some(words) = self.words.take() {
            words.close();
        }
        if let (Some(slot), Some(image)) = (self.slot.take(), &self.image) {
            image.recycle(slot, self.size);
        }
    }
}
