//! Package manager: how are the packages that programs import resolved, fetched and kept?
//!
//! [`Packages`] is a [`glovebox::PackageManager`]: for the sandbox it surveys what a program needs,
//! runs the common resolvers (uv for Python, npm for JavaScript), and keeps downloads, verified and
//! compiled, in a store that all tenants read and none can write.
//!
//! No code of a package runs outside a sandbox: only prebuilt archives are taken, by their digests,
//! install scripts are never run, and bytecode is compiled by the guest that will import it.
//! Packages in the store need no network.

mod disk;
mod download;
mod entry;
mod fetching;
mod gate;
mod javascript;
mod job;
mod ledger;
mod lock;
mod manager;
mod metadata;
mod python;
mod quota;
mod reach;
mod store;
mod survey;
mod tools;
mod tree;
mod trial;
mod unpack;
mod workshop;

pub use entry::StoredTree;
pub use ledger::STEPS;
pub use manager::{IndexAccess, Packages, PackagesBuilder, ResolutionPolicy};
