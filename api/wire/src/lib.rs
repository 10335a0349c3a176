//! Wire format: what do clients send and receive as JSON?
//!
//! Each shape is defined once, for serialization and for the description of the API: [`outcome`]
//! and [`execution`] are what a run returns, on the command line and over HTTP; [`request`],
//! [`session`] and [`tree`] are what clients send; [`policy`], [`records`], [`event`] and
//! [`problem`] are the rest. Field names are stable: fields may be added, never renamed.

mod bounded;
mod encode;
pub mod error;
pub mod event;
pub mod execution;
mod json;
pub mod outcome;
pub mod policy;
pub mod problem;
pub mod records;
pub mod request;
pub mod session;
mod state;
pub mod tree;

pub use bounded::MAX_NUMBER;
pub use json::{raw_json, sha256, timestamp, to_harmless_json, to_json};
pub use state::UnknownState;
