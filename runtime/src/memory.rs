//! Copy-on-write guest memory: how is it clean for every run?
//!
//! This is the only place that maps guest memory. A guest's memory starts as its image, a file that
//! is mapped copy-on-write: pages that a run reads come from the page cache, pages that it writes
//! become private. When the instance ends, exactly the dirty pages are copied back from the image,
//! and the slot serves the next run without a page fault. The kernel reports the dirty pages (see
//! [`dirty`], and [`tracking`] for which way is used where); where it can't, the whole mapping is
//! dropped and faulted in again.
//!
//! In reading order: [`mapping`] owns address ranges, [`slot`] is one memory and resets it,
//! [`image`] is what memories start as, [`linear`] hands them to the engine, [`populate`] faults
//! new pages in, [`words`] sets flags in a suspended guest. [`stack`] keeps the stacks that guests
//! run on, because they are memory of the same kind: reserved, guarded, reused.

mod dirty;
mod image;
mod linear;
mod mapping;
mod populate;
mod slot;
mod stack;
#[cfg(test)]
mod tests;
mod tracking;
mod words;

pub use dirty::kernel_tells_dirty_pages;
pub(crate) use image::Image;
pub(crate) use linear::{GuestMemory, with_image};
pub(crate) use mapping::{map, map_file};
pub(crate) use populate::{NewPages, take_new_pages};
pub(crate) use stack::GuestStacks;
pub(crate) use words::GuestWords;

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No panic while one of these locks is held leaves a broken state: the lists are whole after
    // every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
