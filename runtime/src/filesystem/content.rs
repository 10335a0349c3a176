//! How are the bytes of one in-memory file held?
//!
//! In chunks, so that growing copies little, and so that a hole in a sparse file costs no memory. Content that came from
//! outside is shared until the guest first changes it.

use bytes::Bytes;

/// Bytes in one chunk.
const CHUNK: usize = 64 << 10;

/// The bytes of one file. Knows no quota: the owner charges before it grows.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Given from outside and not changed yet; the chunks are empty while it is there.
    shared: Option<Bytes>,
    /// Chunks of [`CHUNK`] bytes. Whatever lies beyond the end of a chunk's vector reads as zeros.
    chunks: Vec<Vec<u8>>,
    size: u64,
}

impl Content {
    /// Content that is not copied before it is changed.
    pub(super) fn shared(bytes: Bytes) -> Self {
        Self { size: as_u64(bytes.len()), shared: Some(bytes).filter(|bytes| !bytes.is_empty()), chunks: Vec::new() }
    }

    /// The logical size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// At most `length` bytes from `offset` on; empty at and after the end.
    pub(super) fn read(&self, offset: u64, length: usize) -> Bytes {
        let length = length.min(as_usize(self.size.saturating_sub(offset)));
        if length == 0 {
            return Bytes::new();
        }
        let start = as_usize(offset);
        match &self.shared {
            Some(bytes) => bytes.slice(start..start.saturating_add(length)),
            None => Bytes::from(read_chunks(&self.chunks, start, length)),
        }
    }

    /// Puts `data` at `offset` and grows the file where it reaches beyond its end.
    pub(super) fn write(&mut self, offset: u64, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        self.unshare();
        self.size = self.size.max(offset.saturating_add(as_u64(data.len())));
        let mut position = as_usize(offset);
        let mut rest = data;
        while !rest.is_empty() {
            let within = position % CHUNK;
            let (now, later) = rest.split_at(rest.len().min(CHUNK - within));
            let index = position / CHUNK;
            if self.chunks.len() <= index {
                self.chunks.resize_with(index.saturating_add(1), Vec::new);
            }
            if let Some(chunk) = self.chunks.get_mut(index) {
                write_chunk(chunk, within, now);
            }
            position = position.saturating_add(now.len());
            rest = later;
        }
    }

    /// Cuts the file to `size` bytes, or grows it with zeros that cost no memory.
    pub(super) fn set_size(&mut self, size: u64) {
        if size == self.size {
            return;
        }
        self.unshare();
        if size < self.size {
            let size = as_usize(size);
            self.chunks.truncate(size.div_ceil(CHUNK));
            self.chunks.shrink_to_fit();
            if let Some(last) = self.chunks.get_mut(size / CHUNK) {
                last.truncate(size % CHUNK);
                last.shrink_to_fit();
            }
        }
        self.size = size;
    }

    /// Copies shared content, so that it can be changed.
    fn unshare(&mut self) {
        if let Some(bytes) = self.shared.take() {
            self.chunks = bytes.chunks(CHUNK).map(<[u8]>::to_vec).collect();
        }
    }
}

fn read_chunks(chunks: &[Vec<u8>], start: usize, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length);
    while out.len() < length {
        let position = start.saturating_add(out.len());
        let within = position % CHUNK;
        let wanted = (length - out.len()).min(CHUNK - within);
        let held = chunks.get(position / CHUNK).and_then(|chunk| chunk.get(within..)).unwrap_or_default();
        let held = held.get(..wanted).unwrap_or(held);
        out.extend_from_slice(held);
        // A hole, or the unwritten end of a chunk.
        out.resize(out.len().saturating_add(wanted - held.len()), 0);
    }
    out
}

fn write_chunk(chunk: &mut Vec<u8>, within: usize, data: &[u8]) {
    let end = within.saturating_add(data.len());
    if chunk.capacity() < end {
        // Growing by half bounds both the copies and the memory beyond what is charged.
        let capacity = end.max(chunk.capacity().saturating_add(chunk.capacity() / 2)).min(CHUNK);
        chunk.reserve_exact(capacity.saturating_sub(chunk.len()));
    }
    if within == chunk.len() {
        chunk.extend_from_slice(data);
        return;
    }
    if chunk.len() < end {
        chunk.resize(end, 0);
    }
    if let Some(entry) = chunk.get_mut(within..end) {
        entry.copy_from_slice(data);
    }
}

/// Sizes of buffers are never beyond 64 bits.
pub(super) fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Sizes that the quota has admitted fit into memory; others are cut.
pub(super) fn as_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
