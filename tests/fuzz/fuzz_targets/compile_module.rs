//! Fuzz target for WebAssembly compilation: can a module or component break the process that has it
//! compiled, or outlast its limits?
//!
//! The most effective seed corpus is `nothing` of `tests/src/bombs.rs` and the programs beside it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Every other input is a component.
    let (head, rest): (&[u8], _) = match data.split_first() {
        Some((first, rest)) if first % 2 == 0 => (b"\0asm\x0d\0\x01\0", rest),
        Some((_, rest)) => (b"\0asm\x01\0\0\0", rest),
        None => return,
    };
    let why = glovebox_fuzz::run([head, rest].concat())
        .crash
        .unwrap_or_default();
    assert!(
        !why.contains("system call"),
        "the jail of the compiler is too narrow: {why}"
    );
});
