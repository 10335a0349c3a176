//! Open regular files of the host: which operations does a guest have on them, and what is charged?

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::{File, FileExt};
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorStat, ErrorCode};

use super::{HostMount, code, describe, timestamps};
use crate::filesystem::attributes::{Identity, TimeChange};
use crate::filesystem::content::{as_u64, as_usize};
use crate::filesystem::quota::{ByteCharge, Quota};

/// An open regular file of the host. Every method blocks.
#[derive(Clone)]
pub(in crate::filesystem) struct HostFile {
    pub(in crate::filesystem) mount: HostMount,
    file: Arc<File>,
    quota: Arc<Quota>,
}

impl fmt::Debug for HostFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mount.fmt(formatter)
    }
}

impl HostFile {
    pub(super) fn new(mount: HostMount, file: File, quota: &Arc<Quota>) -> Self {
        Self {
            mount,
            file: Arc::new(file),
            quota: Arc::clone(quota),
        }
    }

    /// Returns attributes and identity.
    ///
    /// # Errors
    /// The host's error.
    pub(in crate::filesystem) fn stat(&self) -> Result<(DescriptorStat, Identity), ErrorCode> {
        self.file
            .metadata()
            .map(|metadata| describe(&metadata))
            .map_err(code)
    }

    /// Reads at most `length` bytes from `offset` on; empty at the end.
    ///
    /// # Errors
    /// The host's error.
    pub(in crate::filesystem) fn read(
        &self,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, ErrorCode> {
        let left = self
            .file
            .metadata()
            .map_err(code)?
            .len()
            .saturating_sub(offset);
        let mut buffer = vec![0; length.min(as_usize(left))];
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self
                .file
                .read_at(rest, offset.saturating_add(as_u64(filled)))
            {
                Ok(0) => break,
                Ok(more) => filled = filled.saturating_add(more),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(code(error)),
            }
        }
        buffer.truncate(filled);
        Ok(Bytes::from(buffer))
    }

    /// Writes all of `data` at `offset` and returns its length. The written bytes, and the gap
    /// before them, stay charged.
    ///
    /// # Errors
    /// `read-only`, `insufficient-space`, or the host's error.
    pub(in crate::filesystem) fn write(
        &self,
        offset: u64,
        data: &[u8],
    ) -> Result<usize, ErrorCode> {
        self.mount.check_writable()?;
        let size = self.file.metadata().map_err(code)?.len();
        let end = offset
            .checked_add(as_u64(data.len()))
            .ok_or(ErrorCode::FileTooLarge)?;
        let gap = offset.saturating_sub(size);
        let charge = ByteCharge::new(&self.quota, end.saturating_sub(offset).saturating_add(gap))?;
        self.file.write_all_at(data, offset).map_err(code)?;
        charge.keep();
        Ok(data.len())
    }

    /// Appends like [`HostFile::write`]; returns the number of bytes.
    ///
    /// # Errors
    /// As for `write`.
    pub(in crate::filesystem) fn append(&self, data: &[u8]) -> Result<usize, ErrorCode> {
        let end = self.file.metadata().map_err(code)?.len();
        self.write(end, data)
    }

    /// Truncates or extends the file; growth is charged, truncation releases nothing.
    ///
    /// # Errors
    /// `read-only`, `insufficient-space`, or the host's error.
    pub(in crate::filesystem) fn set_size(&self, size: u64) -> Result<(), ErrorCode> {
        self.mount.check_writable()?;
        let now = self.file.metadata().map_err(code)?.len();
        let charge = ByteCharge::new(&self.quota, size.saturating_sub(now))?;
        self.file.set_len(size).map_err(code)?;
        charge.keep();
        Ok(())
    }

    /// Changes the times.
    ///
    /// # Errors
    /// `read-only`, or the host's error.
    pub(in crate::filesystem) fn set_times(&self, change: TimeChange) -> Result<(), ErrorCode> {
        self.mount.check_writable()?;
        rustix::fs::futimens(&*self.file, &timestamps(change)).map_err(|error| code(error.into()))
    }

    /// Syncs the file to the disk (fsync).
    ///
    /// # Errors
    /// The host's error.
    pub(in crate::filesystem) fn sync(&self) -> Result<(), ErrorCode> {
        self.file.sync_all().map_err(code)
    }
}
