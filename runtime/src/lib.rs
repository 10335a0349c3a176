//! Runs code that nobody has vetted, and says exactly what it did.

mod audit;
mod clock;
mod egress;
mod engine;
mod error;
mod executor;
mod filesystem;
mod guest;
mod host_calls;
mod limiter;
mod memory;
mod outcome;
mod precompiled;
mod sandbox;
mod session;
mod state;
mod stdio;
mod wasm;

pub use audit::{Asked, AuditEvent, AuditRecord, AuditSink, ChainError, JsonLines, verify_chain};
pub use engine::Metering;
pub use error::Error;
pub use executor::{Evaluation, Executor, Job, LiveSession, Opening, Report};
pub use guest::Guests;
pub use host_calls::Tool;
pub use outcome::{Artifact, Exception, Limit, Outcome, Output, PolicyReference, RunId, Status, Usage, Value};
pub use sandbox::{Controls, OpenError, Sandbox, SandboxBuilder};
pub use session::Session;
pub use stdio::{Input, OutputChunk, StreamName};
pub use glovebox_policy as policy;
pub use glovebox_policy::{Policy, Request};
pub use tokio_util::sync::CancellationToken;
