//! Glovebox as a service: one HTTP API over the sandbox.
//!
//! [`http`] serves it; [`wire`] says what an outcome looks like as JSON, and [`error`] what an error says, here and on the command line.

pub mod error;
pub mod http;
pub mod wire;
