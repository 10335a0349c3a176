//! Finds and fetches the packages that programs import.
//!
//! [`Packages`] is a [`glovebox::PackageManager`]: the sandbox asks it what a program needs, it asks the resolvers that everybody uses (uv
//! for Python, npm for JavaScript), and it keeps what it fetches, checked and compiled, in a store that all tenants read and none can write.
//!
//! Nothing of a package runs outside a sandbox: only ready-made archives are taken, by their digests, install scripts are never run, and
//! bytecode is compiled by the guest that will import it. What is in the store needs no network.

mod download;
mod fetching;
mod gate;
mod javascript;
mod job;
mod ledger;
mod manager;
mod python;
mod quota;
mod reach;
mod store;
mod survey;
mod tools;
mod tree;
mod unpack;
mod workshop;

pub use ledger::STEPS;
pub use manager::{Packages, PackagesBuilder};
pub use store::StoredTree;
