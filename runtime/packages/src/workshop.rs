//! Sandbox of the package manager: where is untrusted package code parsed and compiled?
//!
//! In a guest, like all untrusted code: sources are parsed and compiled by the guest that would run
//! them, under a policy that shows it nothing but those sources.

use crate::disk::MAX_FILES;
use glovebox::{
    Allowance, Controls, Error, Executor, Guests, MemoryAccount, Outcome, PackageManager, Policy,
    Request, Sandbox, Status,
};
use glovebox_host::own;
use glovebox_policy::Tier;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

/// Compiles every module of a tree.
const COMPILE: &str = include_str!("compile.py");

/// The memory in bytes of a container that compiles packages, whichever there is.
const CONTAINER_MEMORY: RangeInclusive<u64> = (256 << 20)..=(1 << 30);

/// Files that one run may write: for each module its bytecode, in a directory of its own.
const MAX_WRITTEN: u64 = 2 * MAX_FILES;

/// Runs our own programs on untrusted sources.
#[derive(Clone)]
pub(crate) struct Workshop {
    pub(crate) guests: Option<Guests>,
    pub(crate) executors: Vec<Arc<dyn Executor>>,
}

/// The memory of a sandbox for our own programs.
pub(crate) struct Memory {
    /// The limit of one run.
    bytes: u64,
    /// The account that is charged as guests grow.
    account: Option<Arc<dyn MemoryAccount>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            bytes: *CONTAINER_MEMORY.end(),
            account: None,
        }
    }
}

impl Memory {
    /// Returns the memory of a guest that is charged as it grows.
    pub(crate) fn of_guest(bytes: u64, allowance: &Allowance) -> Self {
        Self {
            bytes,
            account: allowance.memory_account(),
        }
    }
}

impl Workshop {
    /// Returns a sandbox in one tier with these mounts, the first read-only, the second writable,
    /// and with this memory.
    pub(crate) fn sandbox(
        &self,
        tier: Tier,
        directories: Option<(&Path, &Path)>,
        memory: Memory,
    ) -> Result<Sandbox, Error> {
        let mut policy = policy(tier, &memory);
        if let Some((from, to)) = directories {
            for (host, guest, write) in [(from, "/from", false), (to, "/to", true)] {
                let host = host
                    .to_str()
                    .ok_or_else(|| Error::packages(format!("`{}` is not UTF-8", host.display())))?;
                policy += &format!(
                    "[[profiles.workshop.mounts]]\nhost = {host:?}\nguest = \"{guest}\"\nwrite = {write}\n"
                );
            }
        }
        self.build(&policy, memory, None)
    }

    /// Returns a sandbox in one tier whose programs get the packages of a manager.
    pub(crate) fn with_packages(
        &self,
        tier: Tier,
        packages: Arc<dyn PackageManager>,
        memory: Memory,
    ) -> Result<Sandbox, Error> {
        let mut policy = policy(tier, &memory);
        for ecosystem in ["python", "javascript"] {
            policy += &format!("[profiles.workshop.packages.{ecosystem}]\nallow = [\"*\"]\n");
        }
        self.build(&policy, memory, Some(packages))
    }

    fn build(
        &self,
        policy: &str,
        memory: Memory,
        packages: Option<Arc<dyn PackageManager>>,
    ) -> Result<Sandbox, Error> {
        let policy = Policy::parse("workshop", policy)
            .map_err(|error| Error::packages(error.to_string()))?;
        let mut builder = Sandbox::builder().policy(policy);
        if let Some(packages) = packages {
            builder = builder.packages(packages);
        }
        if let Some(guests) = &self.guests {
            builder = builder.guests(guests.clone());
        }
        for executor in &self.executors {
            builder = builder.executor(Arc::clone(executor));
        }
        if let Some(account) = memory.account {
            builder = builder.memory(account);
        }
        builder.build()
    }

    /// Compiles the Python modules of one directory into another. It is cancelled with the request,
    /// and the request is charged for it.
    pub(crate) async fn compile(
        &self,
        tier: Tier,
        (from, to): (&Path, &Path),
        allowance: &Allowance,
    ) -> Result<(), Error> {
        // A guest is charged as it grows. A container is charged as a whole, and does with less
        // where there is no more.
        let container = if tier == Tier::Wasm {
            None
        } else {
            Some(allowance.process_memory(CONTAINER_MEMORY).await?)
        };
        let memory = match &container {
            Some(container) => Memory {
                bytes: container.bytes(),
                account: None,
            },
            None => Memory::of_guest(Memory::default().bytes, allowance),
        };
        let _lent = [own::lend(from), own::lend(to)];
        let sandbox = self.sandbox(tier, Some((from, to)), memory)?;
        let mut ours = Request::new("python", COMPILE);
        ours.subject = allowance.subject().clone();
        let controls = Controls {
            stop: allowance.stop().clone(),
            ..Controls::default()
        };
        let mut preparing = allowance.prepare();
        let outcome = sandbox.run_with(ours, controls).await?;
        preparing.used(&outcome.usage);
        succeeded(outcome).map(drop)
    }
}

/// Returns the policy of our own programs, up to its last table.
fn policy(tier: Tier, memory: &Memory) -> String {
    let mib = memory.bytes >> 20;
    format!(
        "version = 1\ndefault_profile = \"workshop\"\n[profiles.workshop]\nextends = \"offline\"\ntiers = [\"{tier}\"]\n\
         min_isolation = \"container\"\nseed = 0\n[profiles.workshop.limits]\nwall = \"300s\"\nfuel = 400_000_000_000\n\
         files = {MAX_WRITTEN}\nmemory = \"{mib}MiB\"\nsource = \"16MiB\"\nvalue = \"4MiB\"\nstack = \"16MiB\"\nconcurrency = 64\n"
    )
}

/// Returns the outcome if one of our own programs succeeded.
pub(crate) fn succeeded(outcome: Outcome) -> Result<Outcome, Error> {
    if outcome.status == Status::Succeeded {
        return Ok(outcome);
    }
    let why = match (
        &outcome.denial,
        outcome.reached_limit(),
        outcome.stderr.text().lines().last(),
    ) {
        (Some(denial), ..) => denial.to_string(),
        (None, Some(limit), _) => format!("the limit `{}`", limit.name()),
        (None, None, last) => last.unwrap_or("no word").to_owned(),
    };
    Err(Error::packages(format!(
        "they could not be looked at in the sandbox ({}: {})",
        outcome.status.name(),
        why.escape_debug()
    )))
}
