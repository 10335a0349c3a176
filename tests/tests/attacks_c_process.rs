//! Class C in the wasm tier, process escapes: does a guest reach processes, threads and the kernel?

include!(concat!(env!("OUT_DIR"), "/attacks_c_process.rs"));
