//! Network access: which hosts, addresses and requests may a program reach?
//!
//! [`rules`] are a profile's, [`grant`] makes the late checks of a run.

pub mod address;
pub mod ask;
pub(crate) mod grant;
pub(crate) mod host;
pub(crate) mod path;
pub(crate) mod rules;
