//! Routes, one file for each resource.
//!
//! A handler translates: it takes the service that it uses by an extractor, and returns a response
//! or a `Problem`.

pub(crate) mod executions;
pub(crate) mod health;
pub(crate) mod policies;
pub(crate) mod records;
pub(crate) mod session_files;
pub(crate) mod session_packages;
pub(crate) mod sessions;
pub(crate) mod trees;
