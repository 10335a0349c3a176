//! Guest stacks: on which memory do guests run, and is it bounded while it is free?
#![expect(
    unsafe_code,
    reason = "implements the engine's interface of stacks that guests run on"
)]

use super::lock;
use super::mapping::{Access, Mapping, PROBE_BYTES};
use std::collections::HashMap;
use std::ops::Range;
use std::ptr;
use std::sync::{Arc, Mutex};
use wasmtime::{StackCreator, StackMemory};

/// Free stacks kept in the process, for each size.
const MAX_FREE_STACKS: usize = 64;

/// Bytes at the top of a free stack that stay resident.
const KEEP_STACK_BYTES: usize = 256 << 10;

/// Stack creator of the engine: hands out the stacks that guests run on, and takes them back.
#[derive(Debug, Default)]
pub(crate) struct GuestStacks {
    free: Arc<Mutex<HashMap<usize, Vec<Mapping>>>>,
}

// SAFETY: each stack is a reservation of its own with an inaccessible page below it, and goes back
// to the free list only when dropped.
unsafe impl StackCreator for GuestStacks {
    fn new_stack(&self, size: usize, _zeroed: bool) -> wasmtime::Result<Box<dyn StackMemory>> {
        let page = rustix::param::page_size();
        let len = size.next_multiple_of(page) + page;
        let free = lock(&self.free).get_mut(&len).and_then(Vec::pop);
        let stack = match free {
            Some(stack) => stack,
            None => {
                let stack = Mapping::reserve(len)?;
                stack.protect(page..len, Access::ReadWrite)?;
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
        if stack.was_written(keep) && stack.discard(self.page..keep + PROBE_BYTES).is_err() {
            return;
        }
        let mut free = lock(&self.free);
        let free = free.entry(self.len).or_default();
        if free.len() < MAX_FREE_STACKS {
            free.push(stack);
        }
    }
}
