//! Words of a guest's memory: how does the host set a flag in a guest that is suspended?
//!
//! The engine's own access to a memory needs the store, which the suspended call has borrowed.

use super::lock;
use super::mapping::Mapping;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// Access to single words of one memory, for as long as that memory is a guest's. Cloning shares
/// it.
///
/// Only the part that is accessible from the start can be reached, which never shrinks.
#[derive(Clone, Debug, Default)]
pub(crate) struct GuestWords(Arc<Mutex<Option<OpenMemory>>>);

#[derive(Debug)]
struct OpenMemory {
    memory: Arc<Mapping>,
    len: usize,
}

impl GuestWords {
    pub(super) fn open(&self, memory: &Arc<Mapping>, len: usize) {
        *lock(&self.0) = Some(OpenMemory {
            memory: Arc::clone(memory),
            len,
        });
    }

    /// Ends the access, before the memory is reset for another guest.
    pub(super) fn close(&self) {
        *lock(&self.0) = None;
    }

    /// Returns the word at `address`, or zero if there is none.
    pub(crate) fn load(&self, address: u32) -> u32 {
        self.with(address, |word| word.load(Ordering::Relaxed))
            .unwrap_or(0)
    }

    /// Sets bits of the word at `address`, if there is one.
    pub(crate) fn set(&self, address: u32, bits: u32) {
        self.with(address, |word| word.fetch_or(bits, Ordering::Relaxed));
    }

    /// Clears bits of the word at `address`, if there is one.
    pub(crate) fn clear(&self, address: u32, bits: u32) {
        self.with(address, |word| word.fetch_and(!bits, Ordering::Relaxed));
    }

    fn with<T>(&self, address: u32, use_it: impl FnOnce(&AtomicU32) -> T) -> Option<T> {
        let open = lock(&self.0);
        let open = open.as_ref()?;
        let offset = usize::try_from(address).ok()?;
        let is_inside = offset.is_multiple_of(4) && offset.checked_add(4)? <= open.len;
        is_inside.then(|| use_it(open.memory.word(offset)))
    }
}
