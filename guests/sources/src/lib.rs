//! Sources of the JavaScript engine: which package carries them? See `Cargo.toml`; there is no
//! code.
