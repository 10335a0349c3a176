//! What of the host is run, and whose files are trusted?
//!
//! [`program`] is the only place that starts a program of the host, and [`tools`] says how the tools that other people wrote are kept from
//! reading or running what lies in somebody's directory. [`folder`] decides whether a directory can hold what is loaded as code.

pub mod folder;
pub mod program;
pub mod tools;
