//! Host calls: what happens when a program calls a tool or the network?
//!
//! [`calls`] is the only place that counts, checks, bounds and records them, for guests ([`wit`])
//! and for the programs of other tiers ([`proxy`]) alike.

pub(crate) mod calls;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod in_flight;
pub(crate) mod proxy;
pub(crate) mod wit;
