//! HTTP service, end to end: does it do what it promises its clients?
//!
//! Over real HTTP, against the program `glovebox serve`. Classes N, J and G of the catalogue of
//! attacks, and API01 to API17 one by one; the oracles are outside: other clients, the audit log,
//! the files of the host, and what the kernel reports of the process.

mod admission;
mod alerts;
mod connections;
mod disk;
mod events;
mod executions;
mod findings;
mod followers;
mod framing;
mod keys;
mod listener;
mod quotas;
mod records;
mod requests;
mod reserve;
mod sessions;
mod storage;
mod tls;
mod tokens;
mod trees;
mod websocket;

use std::time::Duration;

/// Maximum latency of a client while others attack.
const PATIENCE: Duration = Duration::from_secs(10);

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    glovebox_tests::place::eventually(Duration::from_secs(20), what, &mut holds);
}
