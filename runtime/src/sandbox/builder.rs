//! Sandbox builder: what is a sandbox made of?

use super::machine::Machine;
use super::{Sandbox, SandboxParts};
use crate::account::MemoryAccount;
use crate::audit::AuditSink;
use crate::compiler::Compiler;
use crate::engine::Metering;
use crate::error::{Error, SettingError};
use crate::executor::Executor;
use crate::guest::Guests;
use crate::host::calls::HostServices;
use crate::packages::PackageManager;
use crate::round_robin::FairSlots;
use crate::tools::{NamedTools, Tool, ToolProvider};
use crate::wasm::WasmExecutor;
use glovebox_policy::Policy;
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
    pub(super) named_tools: NamedTools,
    pub(super) tools: Option<Arc<dyn ToolProvider>>,
    pub(super) executors: Vec<Arc<dyn Executor>>,
    pub(super) packages: Option<Arc<dyn PackageManager>>,
    pub(super) max_running: Option<usize>,
    pub(super) compiler: Option<PathBuf>,
    pub(super) memory: Option<Arc<dyn MemoryAccount>>,
}

impl SandboxBuilder {
    /// Sets the policy.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Returns the policy, such as for a memory account that is made before the sandbox.
    pub fn current_policy(&self) -> &Policy {
        &self.policy
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

    /// Offers a tool to programs whose grant names it.
    pub fn tool(mut self, name: impl Into<String>, tool: Arc<dyn Tool>) -> Self {
        self.named_tools.insert(name.into(), tool);
        self
    }

    /// Sets the provider of tools, instead of single ones by [`SandboxBuilder::tool`].
    pub fn tools(mut self, provider: Arc<dyn ToolProvider>) -> Self {
        self.tools = Some(provider);
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

    /// Limits concurrent runs and evaluations of all subjects; further ones wait. A session between
    /// two evaluations does not count. `None` leaves that to the caller and to the policy's limit
    /// for each subject.
    pub fn max_running(mut self, runs: impl Into<Option<usize>>) -> Self {
        self.max_running = runs.into();
        self
    }

    /// Sets the compiler of untrusted WebAssembly, which runs in a jailed process of its own: the
    /// absolute path of a binary `glovebox` of this very version. Without it the sandbox does not
    /// offer the language `wasm`.
    pub fn compiler(mut self, program: impl Into<PathBuf>) -> Self {
        self.compiler = Some(program.into());
        self
    }

    /// Sets an account that is charged before guests allocate memory, besides their grants; without
    /// one, only the grants bound the total.
    pub fn memory(mut self, account: Arc<dyn MemoryAccount>) -> Self {
        self.memory = Some(account);
        self
    }

    /// Builds the sandbox.
    ///
    /// # Errors
    ///
    /// If there are no guests, `max_running` is zero, `compiler` is no absolute path, or both `tool`
    /// and `tools` were used.
    pub fn build(self) -> Result<Sandbox, Error> {
        if let Some(runs) = self.max_running
            && !(1..=Semaphore::MAX_PERMITS).contains(&runs)
        {
            return Err(SettingError::MaxRunning { runs }.into());
        }
        if let Some(program) = self
            .compiler
            .as_ref()
            .filter(|program| !program.is_absolute())
        {
            let path = program.clone();
            return Err(SettingError::Compiler { path }.into());
        }
        let tools = match self.tools {
            None => Arc::new(self.named_tools) as Arc<dyn ToolProvider>,
            Some(provider) if self.named_tools.is_empty() => provider,
            Some(_) => return Err(SettingError::Tools.into()),
        };
        let services = RwLock::new(Arc::new(HostServices::new(tools)?));
        let has_compiler = self.compiler.is_some();
        let guests = match self.guests {
            Some(guests) => guests,
            None => Guests::installed()?,
        };
        let wasm: Arc<dyn Executor> = Arc::new(WasmExecutor::new(
            guests,
            self.metering,
            self.compiler.map(Compiler::new),
        ));
        let (mut tiers, mut assumed) = (Vec::new(), Vec::new());
        let mut executors = HashMap::new();
        for executor in std::iter::once(wasm).chain(self.executors) {
            let is_connected = executor.is_connected();
            let facts = executor.facts();
            if !is_connected {
                assumed.push(facts.tier);
            }
            executors.insert(facts.tier, executor);
            tiers.push(facts);
        }
        Ok(Sandbox(Arc::new(SandboxParts {
            policy: self.policy,
            machine: RwLock::new(Machine::new(tiers, assumed)),
            executors,
            packages: self.packages,
            services,
            audit: self.audit,
            memory: self.memory,
            permits: self.max_running.map(|runs| Arc::new(Semaphore::new(runs))),
            inspections: FairSlots::new(
                2 * std::thread::available_parallelism().map_or(1, usize::from),
            ),
            running: Mutex::default(),
            ended: Notify::new(),
            has_compiler,
        })))
    }
}
