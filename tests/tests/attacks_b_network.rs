//! Class B, as far as it concerns the wasm tier: does a guest reach the network without a grant?

include!(concat!(env!("OUT_DIR"), "/attacks_b_network.rs"));
