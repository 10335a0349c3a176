//! Class C, as far as it concerns the wasm tier: does a guest reach processes, threads and the kernel?

include!(concat!(env!("OUT_DIR"), "/attacks_c_process.rs"));
