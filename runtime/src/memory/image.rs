//! Memory images: how does a guest's memory start?
//!
//! An image is a file that each slot maps copy-on-write. Its used slots are kept for the next runs.

use super::lock;
use super::mapping::{Mapping, length};
use super::slot::MemorySlot;
use std::fs::File;
use std::io;
use std::sync::Mutex;

/// Free slots kept for each image; protects the host's memory after a burst.
const MAX_FREE_SLOTS: usize = 64;

/// The initial memory of a guest, as a file.
#[derive(Debug)]
pub(crate) struct Image {
    pub(super) file: File,
    pub(super) pristine: Mapping,
    free: Mutex<Vec<MemorySlot>>,
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

    /// Returns a slot that starts with the image.
    pub(super) fn slot(&self, initial: usize, reservation: usize) -> io::Result<MemorySlot> {
        let free = lock(&self.free).pop();
        match free {
            Some(slot) if slot.shape() == (initial, reservation) => Ok(slot.lend()),
            _ => MemorySlot::of_file((&self.file, self.len()), initial, reservation),
        }
    }

    /// Resets a used slot to a fresh one and keeps it, or unmaps it if that fails.
    pub(super) fn recycle(&self, mut slot: MemorySlot, size: usize) {
        if slot.restore(&self.pristine, size).is_err() {
            return;
        }
        let mut free = lock(&self.free);
        if free.len() < MAX_FREE_SLOTS {
            free.push(slot);
        }
    }
}
