//! Dirty page tracking: which pages has a run written to?
//!
//! The kernel offers two ways. `userfaultfd` in its asynchronous write-protect mode records the
//! first write to each page while the program goes on; such records are quick to read, and a page
//! without one counts as written. Where that is not allowed, as in many containers, a dirty page is
//! one that is private instead of the file's, for which the kernel inspects each page. Both are
//! read with the ioctl `PAGEMAP_SCAN` (Linux 6.7).
#![expect(
    unsafe_code,
    reason = "reads and sets the kernel's records of pages, with ioctls that have no safe wrapper"
)]

use super::mapping::{Access, Mapping};
use rustix::mm::UserfaultfdFlags;
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr;
use std::sync::LazyLock;

/// Ranges that one call of `PAGEMAP_SCAN` reports. Few runs have more, and the kernel allocates
/// memory for all of them each time.
const SCAN_RANGES: usize = 256;

/// The pages that a scan finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sought {
    /// Those with a record of a write (`userfaultfd`), in a range where writes are recorded.
    Written,
    /// Those that are private: not the mapped file's, or of no file.
    Private,
    /// Those that are in memory.
    Present,
}

/// Prepares a range that is mapped from a file and not touched yet for records of writes, which
/// begin with [`start_records`]. Returns whether the kernel can.
pub(super) fn keep_records(memory: &Mapping, range: Range<usize>) -> bool {
    static WRITE_PROTECT_WORKS: LazyLock<bool> =
        LazyLock::new(|| write_protect_works().is_ok_and(|work| work));
    *WRITE_PROTECT_WORKS && register_write_protect(memory, &range).is_ok()
}

/// Records writes from now on, and forgets those before, by write-protecting the range.
pub(super) fn start_records(memory: &Mapping, range: Range<usize>) -> io::Result<()> {
    let mut arguments = ScanArguments {
        flags: PM_SCAN_WP_MATCHING | PM_SCAN_CHECK_WPASYNC,
        start: memory.at(range.start) as u64,
        end: memory.at(range.end) as u64,
        category_mask: PAGE_IS_WRITTEN,
        ..ScanArguments::default()
    };
    page_scan(&mut arguments).map(drop)
}

/// The dirty pages of a range, and those that may be.
#[derive(Default)]
pub(super) struct DirtyPages {
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) bytes: usize,
}

/// `struct pm_scan_arg` of the kernel's `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

/// `struct page_region` of the same.
#[repr(C)]
#[derive(Default, Clone, Copy)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

const PAGE_IS_WRITTEN: u64 = 1 << 1;
const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;

/// Write-protects the matching pages; fails if the range is not registered.
const PM_SCAN_WP_MATCHING: u64 = 1;
const PM_SCAN_CHECK_WPASYNC: u64 = 2;

/// `PAGEMAP_SCAN`, `_IOWR('f', 16, struct pm_scan_arg)`.
const PAGEMAP_SCAN: rustix::ioctl::Opcode =
    rustix::ioctl::opcode::read_write::<ScanArguments>(b'f', 16);

static PAGEMAP: LazyLock<Option<File>> = LazyLock::new(|| {
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel's own view of this process's pages; no path of a user is involved"
    )]
    let file = File::open("/proc/self/pagemap").ok()?;
    Some(file)
});

impl DirtyPages {
    pub(super) fn scan(
        &mut self,
        memory: &Mapping,
        range: Range<usize>,
        sought: Sought,
    ) -> io::Result<()> {
        if range.start >= range.end {
            return Ok(());
        }
        let end = memory.at(range.end) as u64;
        let mut from = memory.at(range.start) as u64;
        let mut regions = [PageRegion::default(); SCAN_RANGES];
        while from < end {
            let mut arguments = ScanArguments {
                start: from,
                end,
                vec: regions.as_mut_ptr() as u64,
                vec_len: SCAN_RANGES as u64,
                ..sought.question()
            };
            let found = page_scan(&mut arguments)?;
            self.ranges.reserve(found);
            for region in regions.iter().take(found) {
                self.bytes += (region.end - region.start) as usize;
                self.ranges.push(region.start as usize..region.end as usize);
            }
            // A scan that makes no progress reports nothing of the rest, and unknown pages must not
            // count as clean.
            if arguments.walk_end <= from {
                return Err(io::ErrorKind::InvalidData.into());
            }
            from = arguments.walk_end;
        }
        Ok(())
    }
}

impl Sought {
    fn question(self) -> ScanArguments {
        match self {
            Self::Written => ScanArguments {
                category_mask: PAGE_IS_WRITTEN,
                return_mask: PAGE_IS_WRITTEN,
                ..ScanArguments::default()
            },
            // Not the file's, and existing: a page that was swapped out is as private as one that
            // is present. What is left of records after a discard looks like the former, but not
            // written; without records every page counts as written.
            Self::Private => ScanArguments {
                category_inverted: PAGE_IS_FILE,
                category_mask: PAGE_IS_FILE | PAGE_IS_WRITTEN,
                category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
                return_mask: PAGE_IS_PRESENT,
                ..ScanArguments::default()
            },
            Self::Present => ScanArguments {
                category_mask: PAGE_IS_PRESENT,
                return_mask: PAGE_IS_PRESENT,
                ..ScanArguments::default()
            },
        }
    }
}

/// Returns the number of regions that were reported.
fn page_scan(arguments: &mut ScanArguments) -> io::Result<usize> {
    let pagemap = PAGEMAP.as_ref().ok_or(io::ErrorKind::Unsupported)?;
    arguments.size = size_of::<ScanArguments>() as u64;
    // SAFETY: the kernel writes at most `vec_len` regions into `vec`, which is a buffer of that
    // size or none of length zero, and the walk's end into `arguments`. Write-protecting pages
    // changes nothing that a program could see.
    Ok(unsafe { rustix::ioctl::ioctl(pagemap.as_fd(), Ioctl::<PAGEMAP_SCAN, _>(arguments)) }?)
}

/// `struct uffdio_api` of the kernel's `linux/userfaultfd.h`.
#[repr(C)]
struct FaultApi {
    api: u64,
    features: u64,
    ioctls: u64,
}

/// `struct uffdio_register` of the same.
#[repr(C)]
struct FaultRegister {
    start: u64,
    len: u64,
    mode: u64,
    ioctls: u64,
}

const UFFD_API: u64 = 0xaa;
const UFFDIO_API: rustix::ioctl::Opcode = rustix::ioctl::opcode::read_write::<FaultApi>(0xaa, 0x3f);
const UFFDIO_REGISTER: rustix::ioctl::Opcode =
    rustix::ioctl::opcode::read_write::<FaultRegister>(0xaa, 0);
const UFFDIO_REGISTER_MODE_WP: u64 = 1 << 1;
const UFFD_FEATURE_WP_UNPOPULATED: u64 = 1 << 13;
const UFFD_FEATURE_WP_ASYNC: u64 = 1 << 15;

/// Excludes faults inside the kernel, so that it needs no privilege; asynchronous records cover
/// those as well.
const UFFD_USER_MODE_ONLY: u32 = 1;

/// The `userfaultfd` that ranges are registered with; kept open, as closing it ends all tracking.
static USERFAULTFD: LazyLock<Option<OwnedFd>> = LazyLock::new(|| {
    let flags = UserfaultfdFlags::CLOEXEC
        | UserfaultfdFlags::NONBLOCK
        | UserfaultfdFlags::from_bits_retain(UFFD_USER_MODE_ONLY);
    // SAFETY: the descriptor stays in this module, which registers ranges of guest memory only and
    // never resolves a fault.
    let notes = unsafe { rustix::mm::userfaultfd(flags) }.ok()?;
    let features = UFFD_FEATURE_WP_UNPOPULATED | UFFD_FEATURE_WP_ASYNC;
    let mut api = FaultApi {
        api: UFFD_API,
        features,
        ioctls: 0,
    };
    // SAFETY: the opcode belongs to the argument.
    unsafe { rustix::ioctl::ioctl(notes.as_fd(), Ioctl::<UFFDIO_API, _>(&mut api)) }.ok()?;
    Some(notes)
});

/// Returns whether records are exact here. Some kernels report every untouched page as written:
/// correct by the interface, and of no use.
fn write_protect_works() -> io::Result<bool> {
    const PAGE: usize = 4096;
    let file = File::from(rustix::fs::memfd_create(
        "glovebox-probe",
        rustix::fs::MemfdFlags::CLOEXEC,
    )?);
    file.set_len(2 * PAGE as u64)?;
    let probe = Mapping::of_file(&file, 2 * PAGE)?;
    probe.protect(0..2 * PAGE, Access::ReadWrite)?;
    let range = 0..2 * PAGE;
    register_write_protect(&probe, &range)?;
    start_records(&probe, range.clone())?;
    let mut before = DirtyPages::default();
    before.scan(&probe, range.clone(), Sought::Written)?;
    // SAFETY: the mapping is two writable pages of our own.
    unsafe { probe.base.as_ptr().add(PAGE).write_volatile(1) };
    let mut after = DirtyPages::default();
    after.scan(&probe, range, Sought::Written)?;
    let second = probe.at(PAGE) as usize..probe.at(2 * PAGE) as usize;
    Ok(before.ranges.is_empty() && after.ranges == [second])
}

/// Registers the range for asynchronous write-protection.
fn register_write_protect(memory: &Mapping, range: &Range<usize>) -> io::Result<()> {
    let notes = USERFAULTFD.as_ref().ok_or(io::ErrorKind::Unsupported)?;
    let mut register = FaultRegister {
        start: memory.at(range.start) as u64,
        len: (range.end - range.start) as u64,
        mode: UFFDIO_REGISTER_MODE_WP,
        ioctls: 0,
    };
    // SAFETY: the range lies in memory that the mapping owns; in asynchronous mode no fault ever
    // waits for us.
    unsafe { rustix::ioctl::ioctl(notes.as_fd(), Ioctl::<UFFDIO_REGISTER, _>(&mut register)) }?;
    Ok(())
}

/// An ioctl whose argument the kernel reads and writes, and whose result is a number.
struct Ioctl<'a, const OPCODE: rustix::ioctl::Opcode, T>(&'a mut T);

// SAFETY: each opcode is used with the argument type that it was made from.
unsafe impl<const OPCODE: rustix::ioctl::Opcode, T> rustix::ioctl::Ioctl for Ioctl<'_, OPCODE, T> {
    type Output = usize;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> rustix::ioctl::Opcode {
        OPCODE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        ptr::from_mut(self.0).cast()
    }

    unsafe fn output_from_ptr(
        out: rustix::ioctl::IoctlOutput,
        _: *mut c_void,
    ) -> rustix::io::Result<Self::Output> {
        Ok(usize::try_from(out).unwrap_or(0))
    }
}

/// Returns whether this kernel reports which pages a run has written (`PAGEMAP_SCAN`, Linux 6.7 and
/// newer).
///
/// Where it does not, the pages of a run are dropped and faulted in again, which takes longer and
/// isolates just as well.
#[must_use]
pub fn kernel_tells_dirty_pages() -> bool {
    let Ok(probe) = Mapping::reserve(4096) else {
        return false;
    };
    DirtyPages::default()
        .scan(&probe, 0..4096, Sought::Private)
        .is_ok()
}
