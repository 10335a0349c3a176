//! Heap of the service: when does the system get freed memory back?
#![expect(
    unsafe_code,
    reason = "sets an option of the allocator, which has no safe interface"
)]

use libmimalloc_sys::{mi_option_set_default, mi_option_t};

/// `mi_option_purge_delay`: milliseconds for which freed memory is kept.
const PURGE_DELAY: mi_option_t = 15;

/// Returns freed memory to the system at once, unless the environment sets another delay
/// (`MIMALLOC_PURGE_DELAY`).
///
/// By default, the allocator keeps it for a second and until it happens to look. Meanwhile the
/// service's account has handed the same bytes to another client, so both would be resident: a
/// third of `limits.memory` after a flood of large requests.
pub(crate) fn return_freed_memory() {
    // SAFETY: the option is a number that the allocator reads; nothing else depends on it.
    unsafe { mi_option_set_default(PURGE_DELAY, 0) };
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a file of the kernel")]
mod tests {
    use super::*;

    /// Returns the resident pages of this process that are no file's.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    #[test]
    fn freed_memory_is_returned_at_once() {
        return_freed_memory();
        let before = resident();
        let blocks: Vec<Vec<u8>> = (0..64).map(|_| vec![7; 1 << 20]).collect();
        assert!(resident() >= before + (60 << 10));
        drop(blocks);
        let after = resident();
        assert!(
            after < before + (16 << 10),
            "{before} KiB, then {after} KiB"
        );
    }
}
