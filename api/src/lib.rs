//! Glovebox as a service: how is the sandbox offered through one HTTP API?
//!
//! [`http`] serves it; [`wire`] defines the JSON of an outcome, and [`error`] the text of an error, here and on the command line.

pub mod error;
pub mod http;
pub mod wire;
