//! Class B in the wasm tier, network escapes: does a guest reach the network without a grant?

include!(concat!(env!("OUT_DIR"), "/attacks_b_network.rs"));
