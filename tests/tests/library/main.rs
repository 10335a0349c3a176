//! Library API: does it do what its documentation says?

mod audit;
mod results;
mod runs;
mod sessions;
mod streams;
mod tools;

use async_trait::async_trait;
use glovebox::{
    AuditEvent, AuditRecord, AuditSink, ChainError, Controls, Error, Input, JsonLines, OpenError,
    OutputChunk, Policy, Request, Sandbox, Status, StreamName, Tool, verify_chain,
};
use glovebox_tests::attack::{alone, show};
use glovebox_tests::place::{self, canary, guests, policy, run, run_with, runtime, sandbox};
use glovebox_tests::session;
use glovebox_tests::tree::program;
use glovebox_tests::vitals::Vitals;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

fn audited(limits: &str, more: &str, sink: Arc<dyn AuditSink>) -> Sandbox {
    Sandbox::builder()
        .policy(policy(limits, more))
        .guests(guests())
        .compiler(program())
        .audit(sink)
        .build()
        .expect("a sandbox can be made")
}
