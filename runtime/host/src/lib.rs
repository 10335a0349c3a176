//! Host programs and trusted folders: what of the host is run, and whose files are trusted?
//!
//! [`program`] is the only place that starts a program of the host, and [`tools`] isolates
//! third-party tools from files and settings in untrusted directories. [`folder`] decides whether a
//! directory can hold what is loaded as code, and [`own`] keeps those out of mounts. [`lock`] keeps
//! other processes from a file, and [`held`] from working directories. [`address`] knows which
//! addresses are this machine's.

pub mod address;
pub mod folder;
pub mod held;
pub mod lock;
pub mod own;
pub mod program;
pub mod tools;
mod trust;
mod walk;
