//! Host programs and trusted folders: what of the host is run, and whose files are trusted?
//!
//! [`program`] is the only place that starts a program of the host, and [`tools`] isolates third-party tools from files and settings in
//! untrusted directories. [`folder`] decides whether a directory can hold what is loaded as code.

pub mod folder;
pub mod program;
pub mod tools;
