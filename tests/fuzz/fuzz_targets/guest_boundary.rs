//! Fuzz target for host calls: can calls of host functions with any arguments break the process or
//! outlast their limits?
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::fmt::Write as _;

/// The functions and their parameters: `i` is 32 bits, `l` is 64.
const FUNCTIONS: [(&str, &str); 24] = [
    ("args_get", "ii"),
    ("environ_get", "ii"),
    ("clock_time_get", "ili"),
    ("fd_advise", "illi"),
    ("fd_allocate", "ill"),
    ("fd_close", "i"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "il"),
    ("fd_pread", "iiili"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_pwrite", "iiili"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiili"),
    ("fd_renumber", "ii"),
    ("fd_seek", "ilii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiillii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
];

/// A program that fills its memory with the fuzz input and calls functions that the input selects,
/// with arguments from it.
fn program(data: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = data.iter().copied();
    let mut imports = String::new();
    let mut calls = String::new();
    for (index, (name, parameters)) in FUNCTIONS.iter().enumerate() {
        let types: String = parameters
            .chars()
            .map(|kind| if kind == 'l' { " i64" } else { " i32" })
            .collect();
        let _ = write!(
            imports,
            "(import \"wasi_snapshot_preview1\" \"{name}\" (func $f{index} (param{types}) (result i32)))"
        );
    }
    for _ in 0..16 {
        let index = usize::from(bytes.next()?) % FUNCTIONS.len();
        let (_, parameters) = FUNCTIONS.get(index)?;
        let _ = write!(calls, "(drop (call $f{index}");
        for kind in parameters.chars() {
            // One byte selects small numbers, which are valid descriptors and offsets, or extremes.
            let value: i64 = match bytes.next()? {
                small @ 0..=199 => i64::from(small),
                200..=219 => i64::from(bytes.next()?) << 8,
                220..=229 => -1,
                230..=239 => 131_071,
                240..=247 => i64::from(i32::MIN),
                _ => i64::MAX,
            };
            let _ = if kind == 'l' {
                write!(calls, " (i64.const {value})")
            } else {
                write!(calls, " (i32.const {})", value as i32)
            };
        }
        calls.push_str("))");
    }
    let memory: String = data
        .iter()
        .take(1024)
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    wat::parse_str(format!(
        "(module {imports} (memory (export \"memory\") 2) (data (i32.const 0) \"{memory}\") (func (export \"_start\") {calls}))"
    ))
    .ok()
}

fuzz_target!(|data: &[u8]| {
    if let Some(program) = program(data) {
        glovebox_fuzz::run(program);
    }
});
