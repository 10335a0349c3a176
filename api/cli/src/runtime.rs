//! Async runtime of a command: on how many threads does it run?

use crate::exit::Failure;
use tokio::runtime::{Builder, Runtime};

/// Builds a small runtime: one thread for the program, one for timers and signals.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    runtime_with(2)
}

/// Builds a runtime with this many worker threads.
pub(crate) fn runtime_with(workers: usize) -> Result<Runtime, Failure> {
    Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| Failure::host(format!("cannot start: {error}")))
}
