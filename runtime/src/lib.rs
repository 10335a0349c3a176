//! Sandbox for untrusted code: what may a program do, and what exactly did it do?
//!
//! ```
//! use glovebox::{Request, Sandbox, Status};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::builder().build()?;
//! let outcome = sandbox.run(Request::new("python", "print('hello')\n6 * 7")).await?;
//! assert_eq!(outcome.status, Status::Succeeded);
//! assert_eq!(outcome.stdout.text(), "hello\n");
//! assert_eq!(outcome.value.map(|value| value.text).as_deref(), Some("42"));
//!
//! let outcome = sandbox.run(Request::new("python", "open('/etc/passwd')")).await?;
//! let kind = outcome.exception.map(|exception| exception.kind);
//! assert_eq!(kind.as_deref(), Some("FileNotFoundError"));
//! # Ok(())
//! # }
//! ```
//!
//! A [`Sandbox`] runs a [`Request`] and answers with an [`Outcome`]. What a request may do is
//! decided by a [`Policy`]; without one the built-in `default` profile holds: no network, nothing
//! of the host, generous limits. A [`Session`] keeps its state from one evaluation to the next.
//! [`Controls`] bring input, streaming output and cancellation. A [`Tool`] is a function of yours
//! that granted programs may call, a [`ToolProvider`] is a source of many, an [`AuditSink`] takes
//! the record of every decision and end, an [`Executor`] is another tier, a [`PackageManager`]
//! fetches packages.
//!
//! Runs are futures on the caller's tokio runtime, which must have its time and I/O drivers
//! enabled. A guest yields about every millisecond.

mod allowance;
mod packages;
mod sandbox;
mod session;

mod executor;
mod findings;
mod round_robin;
mod wasm;

mod account;
mod clock;
mod contract;
mod filesystem;
mod host;
mod limiter;
mod meter;
mod mounts;
mod state;
mod stdio;
mod tools;
mod wakeup;

mod compiler;
mod engine;
mod guest;
mod memory;
mod precompiled;

mod audit;
mod bundle;
mod error;
mod outcome;

pub use account::{MemoryAccount, ProcessMemory};
pub use allowance::{Allowance, Look, Preparing};
pub use audit::{
    AUDIT_SEGMENT, AuditEvent, AuditHead, AuditHeadError, AuditKey, AuditKeyError, AuditLogOptions,
    AuditRecord, AuditSink, ChainCheck, ChainError, JsonLines, RequestSummary, audit_segment_start,
    audit_segments, verify_chain,
};
pub use bundle::{
    BundleError, BundleOrigin, Format, FormatContent, Formats, MAX_RESULTS, MimeBundle,
};
pub use compiler::{compile_module, compiler_gaps};
pub use engine::Metering;
pub use error::{
    CompilerError, EndReason, EngineError, Error, ErrorClass, ExternalError, GuestError,
    InternalError, RequestError, SettingError,
};
pub use executor::{
    Evaluation, Executor, Hold, PoolStats, Report, Run, RunSetup, SessionHandle, artifact_globs,
};
pub use filesystem::{FileEntry, FilesystemError};
pub use guest::Guests;
pub use host::calls::{CallResult, HostCalls};
pub use host::error::{CallError, CallLimit};
pub use host::proxy::{EgressRequest, EgressResponse};
pub use memory::kernel_tells_dirty_pages;
pub use mounts::{ResolvedMount, resolve_mount};
pub use outcome::{
    Artifact, Exception, Outcome, Output, PolicyReference, Results, RunId, RunIdError, Status,
    Usage, Value,
};
pub use packages::{
    Lease, LockedPackage, NativePlatform, PackageManager, PackageTarget, PackageTree, Resolution,
    Survey,
};
pub use round_robin::{FairSlots, RoundRobin, Slot};
pub use sandbox::{Controls, Explained, OpenError, PackageResolution, Sandbox, SandboxBuilder};
pub use session::Session;
pub use stdio::{Input, OutputChunk, StreamName};
pub use tools::{Tool, ToolCall, ToolProvider, ToolSpec};

pub use glovebox_policy as policy;
pub use glovebox_policy::{Limit, LimitHit, LimitSource, Policy, Request};
pub use tokio_util::sync::CancellationToken;
