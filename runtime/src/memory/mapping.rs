//! Mappings: which address ranges does this process own, and what may be done with them?
//!
//! The bottom of guest memory: everything above works with a [`Mapping`] and byte ranges in it.
#![expect(
    unsafe_code,
    reason = "maps, protects and unmaps memory that compiled guests address directly"
)]

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags};
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicU32;

/// Bytes that [`Mapping::was_written`] looks at.
pub(super) const PROBE_BYTES: usize = 4096;

/// The access of compiled code to a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    ReadWrite,
    None,
}

/// An address range that this process alone owns and that is unmapped when dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) base: NonNull<u8>,
    pub(super) len: usize,
}

// SAFETY: a mapping is plain memory that is not tied to a thread; access follows the ownership of
// the value.
unsafe impl Send for Mapping {}
// SAFETY: shared references give out the address only; the pristine mapping is read-only.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves an address range without access and without backing.
    pub(super) fn reserve(len: usize) -> io::Result<Self> {
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
    pub(super) fn of_file(file: &File, len: usize) -> io::Result<Self> {
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

    pub(super) fn at(&self, offset: usize) -> *mut c_void {
        debug_assert!(offset <= self.len);
        self.base.as_ptr().wrapping_add(offset).cast()
    }

    /// Sets the access to a range.
    pub(super) fn protect(&self, range: Range<usize>, access: Access) -> io::Result<()> {
        assert!(range.start <= range.end && range.end <= self.len);
        if range.is_empty() {
            return Ok(());
        }
        let flags = match access {
            Access::ReadWrite => MprotectFlags::READ | MprotectFlags::WRITE,
            Access::None => MprotectFlags::empty(),
        };
        // SAFETY: the range lies inside a mapping that this value owns.
        unsafe { rustix::mm::mprotect(self.at(range.start), range.len(), flags) }?;
        Ok(())
    }

    /// Replaces the start by a file, mapped copy-on-write. There must be no reference into it.
    pub(super) fn map_over(&self, file: &File, len: usize) -> io::Result<()> {
        assert!(len <= self.len);
        // SAFETY: the replaced range lies inside a mapping that this value owns, and there are no
        // references into it.
        unsafe {
            rustix::mm::mmap(
                self.base.as_ptr().cast(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
                file,
                0,
            )
        }?;
        Ok(())
    }

    /// Returns whether a run has written to the page that starts at `offset`, which is zero before.
    ///
    /// A stack that grows beyond this page writes to it on its way, so a clean page saves
    /// discarding everything below it. Should a huge frame skip the page, memory stays resident for
    /// longer; no other run can read it.
    pub(super) fn was_written(&self, offset: usize) -> bool {
        if offset + PROBE_BYTES > self.len {
            return true;
        }
        // SAFETY: the range lies inside the accessible part of a stack that this value owns and
        // that no guest runs on.
        let page =
            unsafe { std::slice::from_raw_parts(self.base.as_ptr().add(offset), PROBE_BYTES) };
        page != [0; PROBE_BYTES]
    }

    /// Returns the aligned word at `offset`, through which a guest that does not run now sees changes.
    pub(super) fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4) && offset + 4 <= self.len);
        // SAFETY: aligned, because a mapping starts at a page, and inside a mapping that this value
        // owns. The caller has checked that it is accessible.
        unsafe { AtomicU32::from_ptr(self.at(offset).cast()) }
    }

    /// Populates the pages of a range (`madvise`), as if each were written to.
    pub(super) fn populate(&self, range: Range<usize>) -> io::Result<()> {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: the range lies inside a mapping that this value owns, and no content changes.
        unsafe {
            rustix::mm::madvise(
                self.at(range.start),
                range.len(),
                Advice::LinuxPopulateWrite,
            )
        }?;
        Ok(())
    }

    /// Discards the pages of a range (`madvise`); they read as the file below or as zeroes again.
    pub(super) fn discard(&self, range: Range<usize>) -> io::Result<()> {
        assert!(range.start <= range.end && range.end <= self.len);
        if range.is_empty() {
            return Ok(());
        }
        // SAFETY: the range lies inside a mapping that this value owns, and there are no references
        // into it.
        unsafe { rustix::mm::madvise(self.at(range.start), range.len(), Advice::LinuxDontNeed) }?;
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping belongs to this value alone. An error leaks addresses and nothing
        // else.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
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

pub(super) fn length(file: &File) -> io::Result<usize> {
    usize::try_from(file.metadata()?.len())
        .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))
}

/// A read-only mapping.
struct ReadOnly(Mapping);

impl AsRef<[u8]> for ReadOnly {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the mapping is readable for its whole length as long as this value lives, and the
        // installation's files are replaced by renaming, never written in place.
        unsafe { std::slice::from_raw_parts(self.0.base.as_ptr(), self.0.len) }
    }
}
