//! What do the guests' sources depend on? See `Cargo.toml`; there is no code.
