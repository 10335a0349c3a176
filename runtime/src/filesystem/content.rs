//! Content of an in-memory file: how are its bytes stored, with sparse holes and copy-on-write?
//!
//! In chunks, so that growing copies little, and so that a hole in a sparse file costs no memory.
//! Content from the host is shared until the guest first changes it.

use bytes::Bytes;

/// The size of a chunk in bytes.
const CHUNK: usize = 64 << 10;

/// The bytes of one file. Not aware of the quota: the owner charges before it grows.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Content from the host that was not changed yet; the chunks are empty meanwhile.
    shared: Option<Bytes>,
    /// Chunks of [`CHUNK`] bytes. Bytes beyond the end of a chunk's vector read as zeros.
    chunks: Vec<Vec<u8>>,
    size: u64,
}

impl Content {
    /// Creates content that is copied on the first write.
    pub(super) fn shared(bytes: Bytes) -> Self {
        Self {
            size: as_u64(bytes.len()),
            shared: Some(bytes).filter(|bytes| !bytes.is_empty()),
            chunks: Vec::new(),
        }
    }

    /// Returns the logical size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Reads at most `length` bytes from `offset` on; empty at and after the end.
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

    /// Writes `data` at `offset` and grows the file beyond its end.
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

    /// Truncates the file to `size` bytes, or extends it with a hole that costs no memory.
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
        let held = chunks
            .get(position / CHUNK)
            .and_then(|chunk| chunk.get(within..))
            .unwrap_or_default();
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
        let capacity = end
            .max(chunk.capacity().saturating_add(chunk.capacity() / 2))
            .min(CHUNK);
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

/// Converts a buffer's size, which never exceeds 64 bits.
pub(super) fn as_u64(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

/// Converts a size that the quota has admitted, and so fits into memory; others saturate.
pub(super) fn as_usize(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}
