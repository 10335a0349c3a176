//! Sandbox builder: what is a sandbox made of?

use super::{Inner, Sandbox};
use crate::account::MemoryAccount;
use crate::audit::AuditSink;
use crate::compiler::Compiler;
use crate::engine::Metering;
use crate::error::Error;
use crate::executor::Executor;
use crate::guest::Guests;
use crate::host_calls::Tool;
use crate::packages::PackageManager;
use crate::round_robin::FairSlots;
use crate::wasm::WasmExecutor;
use glovebox_policy::{Facts, Policy};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};
use tokio::sync::{Notify, Semaphore};

/// Builder of a [`Sandbox`].
#[must_use]
pub struct SandboxBuilder {
    pub(super) policy: Policy,
    pub(super) guests: Option<Guests>,
    pub(super) metering: Metering,
    pub(super) audit: Option<Arc<dyn AuditSink>>,
    pub(super) tools: HashMap<String, Arc<dyn Tool>>,
    pub(super) executors: Vec<Arc<dyn Executor>>,
    pub(super) packages: Option<Arc<dyn PackageManager>>,
    pub(super) max_running: usize,
    pub(super) compiler: Option<PathBuf>,
    pub(super) memory: Option<Arc<dyn MemoryAccount>>,
}

impl SandboxBuilder {
    /// Sets the policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets the guests; by default, those that are installed.
    pub fn guests(mut self, guests: Guests) -> Self {
        self.guests = Some(guests);
        self
    }

    /// Sets the metering mode of CPU time.
    pub fn metering(mut self, metering: Metering) -> Self {
        self.metering = metering;
        self
    }

    /// Sets the sink of audit records.
    pub fn audit(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.audit = Some(sink);
        self
    }

    /// Offers a tool to guests whose grant names it.
    pub fn tool(mut self, name: impl Into<String>, tool: Arc<dyn Tool>) -> Self {
        self.tools.insert(name.into(), tool);
        self
    }

    /// Offers another tier.
    pub fn executor(mut self, executor: Arc<dyn Executor>) -> Self {
        self.executors.push(executor);
        self
    }

    /// Sets the package manager; without one, a request that needs packages is denied.
    pub fn packages(mut self, manager: Arc<dyn PackageManager>) -> Self {
        self.packages = Some(manager);
        self
    }

    /// Limits concurrent runs and evaluations of all subjects; further ones wait. A session between two evaluations does not count.
    pub fn max_running(mut self, runs: usize) -> Self {
        self.max_running = runs;
        self
    }

    /// Sets the compiler of untrusted WebAssembly, which runs in a jailed process of its own: the absolute path of a binary `glovebox` of
    /// this very version. Without it the sandbox does not offer the language `wasm`.
    pub fn compiler(mut self, program: impl Into<PathBuf>) -> Self {
        self.compiler = Some(program.into());
        self
    }

    /// Sets an account that is charged before guests allocate memory, besides their grants; without one, only the grants bound the total.
    pub fn memory(mut self, account: Arc<dyn MemoryAccount>) -> Self {
        self.memory = Some(account);
        self
    }

    /// Builds the sandbox.
    ///
    /// # Errors
    ///
    /// If there are no guests, `max_running` is zero, or `compiler` is no absolute path.
    pub fn build(self) -> Result<Sandbox, Error> {
        if self.max_running == 0 || self.max_running > Semaphore::MAX_PERMITS {
            return Err(Error::Invalid(format!(
                "`max_running` is between 1 and {}, not {}",
                Semaphore::MAX_PERMITS,
                self.max_running
            )));
        }
        if let Some(program) = self
            .compiler
            .as_ref()
            .filter(|program| !program.is_absolute())
        {
            return Err(Error::Invalid(format!(
                "`compiler` is the absolute path of a program, not `{}`",
                program.display()
            )));
        }
        let has_compiler = self.compiler.is_some();
        let guests = match self.guests {
            Some(guests) => guests,
            None => Guests::installed()?,
        };
        let wasm: Arc<dyn Executor> = Arc::new(WasmExecutor::new(
            guests,
            self.metering,
            self.tools,
            self.compiler.map(Compiler::new),
            self.memory.clone(),
        )?);
        let mut tiers = Vec::new();
        let mut executors = HashMap::new();
        for executor in std::iter::once(wasm).chain(self.executors) {
            let facts = executor.facts();
            executors.insert(facts.tier, executor);
            tiers.push(facts);
        }
        Ok(Sandbox(Arc::new(Inner {
            policy: self.policy,
            facts: RwLock::new(Arc::new(Facts {
                tiers,
                ..Facts::default()
            })),
            executors,
            packages: self.packages,
            audit: self.audit,
            memory: self.memory,
            permits: Arc::new(Semaphore::new(self.max_running)),
            looks: FairSlots::new(2 * std::thread::available_parallelism().map_or(1, usize::from)),
            running: Mutex::default(),
            ended: Notify::new(),
            has_compiler,
        })))
    }
}
