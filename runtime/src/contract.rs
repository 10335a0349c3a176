//! Guest contract (WIT) as Rust types: which functions do the host and a guest call on each other?

wasmtime::component::bindgen!({
    path: "../guests/wit/guest.wit",
    world: "guest",
    imports: { default: async | trappable },
    exports: { default: async },
});
