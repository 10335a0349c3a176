//! Resource limiter: how much may a guest make the engine allocate?

use crate::account::{MemoryHold, SharedHold};
use crate::stdio::LimitReached;
use glovebox_policy::Limit;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use wasmtime::ResourceLimiter;

/// Elements of all tables of a run; protects the host's memory. Python's own table has about 6,000.
const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Core instances, tables and memories of a run; protects the host's memory from a component with
/// excessive instantiation.
const MAX_INSTANCES: usize = 64;

/// Bytes of a memory of our own guests that are charged at instantiation: it is a copy-on-write
/// image whose clean pages all instances share.
const IMAGE: usize = 2 << 20;

/// Bytes of an image that a run may be expected to write to between two yields.
const PIECE: u64 = 1 << 20;

/// The rest of an image, which a long run may write to and most do not: a piece of it is charged at
/// each yield, and all of it for a session, which stays.
#[derive(Debug)]
pub(crate) struct WholeImage {
    held: MemoryHold,
    /// Not charged yet.
    rest: u64,
}

impl WholeImage {
    /// Creates the rest of `image` bytes, with nothing charged yet.
    pub(crate) fn new(held: MemoryHold, image: usize) -> Self {
        Self {
            held,
            rest: image.saturating_sub(IMAGE) as u64,
        }
    }

    /// Charges a piece of it, or what is left.
    pub(crate) fn take(&mut self, piece: u64) -> Result<(), String> {
        let piece = piece.min(self.rest);
        self.held.grow(piece)?;
        self.rest -= piece;
        Ok(())
    }

    /// Runs a call that is charged more of it at each yield, and fails if the account has no room
    /// for it.
    pub(crate) async fn counted<T>(
        &mut self,
        call: impl Future<Output = wasmtime::Result<T>>,
    ) -> wasmtime::Result<T> {
        let mut call = pin!(call);
        let mut has_given_way = false;
        let counted = poll_fn(|context| {
            if std::mem::replace(&mut has_given_way, true) && self.take(PIECE).is_err() {
                return Poll::Ready(Err(wasmtime::Error::new(LimitReached(Limit::Memory))));
            }
            call.as_mut().poll(context)
        });
        counted.await
    }
}

/// The way in which the memories of an instance begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemoryStart {
    /// As a copy-on-write image, whose clean pages all instances share.
    Image,
    /// Private from the start.
    Private,
}

/// Counts what a run makes the engine allocate, and refuses growth beyond its limits.
#[derive(Debug)]
pub(crate) struct Limiter {
    max_memory: usize,
    memory: usize,
    peak_memory: usize,
    table: usize,
    hit: Option<Limit>,
    /// The run's charge to the memory account.
    held: SharedHold,
    start: MemoryStart,
}

impl Limiter {
    /// Creates the limiter of an instance.
    pub(crate) fn new(max_memory: u64, held: SharedHold, start: MemoryStart) -> Self {
        let max_memory = usize::try_from(max_memory).unwrap_or(usize::MAX);
        Self {
            max_memory,
            memory: 0,
            peak_memory: 0,
            table: 0,
            hit: None,
            held,
            start,
        }
    }

    pub(crate) fn peak_memory(&self) -> u64 {
        self.peak_memory as u64
    }

    /// Takes the limit that first refused something since the last call.
    pub(crate) fn take_hit(&mut self) -> Option<Limit> {
        self.hit.take()
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.max_memory {
            self.hit.get_or_insert(Limit::Memory);
            return Ok(false);
        }
        let grown = desired.saturating_sub(current);
        let counted = if self.start == MemoryStart::Image && current == 0 {
            grown.min(IMAGE)
        } else {
            grown
        };
        if self.held.grow(counted as u64).is_err() {
            self.hit.get_or_insert(Limit::Memory);
            return Ok(false);
        }
        self.memory = total;
        self.peak_memory = self.peak_memory.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table.saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.hit.get_or_insert(Limit::Table);
            return Ok(false);
        }
        self.table = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}
