//! Dispatcher: where does an execution run?
//!
//! The seam for other machines: an execution has its concurrency slot and its record by then, and
//! its events are read from the controls.

use crate::memory::MemoryCharge;
use futures_util::future::BoxFuture;
use glovebox::{Controls, Error, Outcome, Sandbox};
use glovebox_policy::Request;

/// Runs programs that have their concurrency slot; the policy is asked by the sandbox.
pub(crate) trait Dispatcher: Send + Sync {
    /// Runs a program to its end.
    fn run(
        &self,
        request: Request,
        controls: Controls,
    ) -> BoxFuture<'static, Result<Outcome, Error>>;
}

/// Runs programs in a sandbox of this process.
pub(crate) struct LocalDispatcher(pub(crate) Sandbox);

impl Dispatcher for LocalDispatcher {
    fn run(
        &self,
        request: Request,
        controls: Controls,
    ) -> BoxFuture<'static, Result<Outcome, Error>> {
        let sandbox = self.0.clone();
        Box::pin(async move { sandbox.run_with(request, controls).await })
    }
}

/// Evaluates a program in a session, called once the execution has its slot.
pub(crate) type EvaluationFn =
    Box<dyn FnOnce(Controls) -> BoxFuture<'static, Result<Outcome, Error>> + Send>;

/// The work of an execution.
pub(crate) enum Work {
    /// A program by itself, and the memory charged for it until it has ended.
    Program(Box<Request>, MemoryCharge),
    /// A program in a session, which is in this process.
    Evaluation(EvaluationFn),
}
