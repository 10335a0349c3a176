//! Packages on the command line: how are they resolved, fetched and listed?

use crate::cli::{PackagesArguments, PackagesCommand};
use crate::exit::{Exit, Failure};
use crate::files::{self, Kinds};
use crate::installation::{Installation, cache_dir};
use crate::policy;
use crate::run::{failure, runtime};
use crate::terminal::{self, name};
use glovebox::{Guests, Metering, OpenError, Provision, Request, Sandbox};
use glovebox_api::wire;
use glovebox_fallback::Containers;
use glovebox_packages::{Packages, PackagesBuilder};
use std::sync::Arc;

/// Maximum bytes of a script whose metadata is read; protects this process.
const MAX_SCRIPT: u64 = 4 << 20;

/// Runs `glovebox packages ..`.
pub(crate) fn packages(command: &PackagesCommand) -> Result<Exit, Failure> {
    match command {
        PackagesCommand::Resolve(arguments) => provide(arguments, false),
        PackagesCommand::Prefetch(arguments) => provide(arguments, true),
        PackagesCommand::List => list(),
        PackagesCommand::Clean => clean(),
    }
}

/// Returns the package manager of this machine, which reports its progress.
pub(crate) fn manager(guests: Guests) -> Result<PackagesBuilder, Failure> {
    Ok(store()?
        .guests(guests)
        .progress(|text| terminal::note(&format!("glovebox: {}", name(text)))))
}

fn store() -> Result<PackagesBuilder, Failure> {
    Ok(Packages::builder(cache_dir()?.join("packages")))
}

fn provide(arguments: &PackagesArguments, fetch: bool) -> Result<Exit, Failure> {
    let policy = policy::load(arguments.policy.as_deref())?;
    let guests = Installation::find()?.guests(Metering::Fuel)?;
    let runtime = runtime()?;
    let containers = Arc::new(runtime.block_on(Containers::connect()));
    let packages = manager(guests.clone())?
        .executor(containers.clone())
        .upgrade(arguments.upgrade)
        .build();
    let sandbox = Sandbox::builder()
        .policy(policy)
        .guests(guests)
        .executor(containers)
        .packages(Arc::new(packages));
    let sandbox = sandbox.build().map_err(|error| failure(&error))?;
    let source = match &arguments.script {
        Some(script) => files::read(script, "the script", Kinds::Readable, MAX_SCRIPT)?,
        None => Vec::new(),
    };
    let mut request = Request::new(arguments.language.to_ascii_lowercase(), source);
    request.profile.clone_from(&arguments.profile);
    request.wants.packages.clone_from(&arguments.packages);
    request.wants.tier = arguments.tier.map(Into::into);
    let provided = runtime.block_on(sandbox.provide(request, fetch));
    runtime.shutdown_background();
    match provided {
        Ok(provision) if arguments.json => terminal::print(&wire::provision_json(&provision)),
        Ok(provision) => terminal::print(&shown(&provision)),
        Err(OpenError::Denied(denial)) => {
            terminal::complain(&denial.to_string(), None);
            Ok(Exit::DENIED)
        }
        Err(OpenError::Failed(error)) => Err(failure(&error)),
        Err(other) => Err(Failure::host(other.to_string())),
    }
}

fn shown(provision: &Provision) -> String {
    let package = |package: &glovebox::LockedPackage| {
        format!(
            "{} {}  {}",
            name(&package.name),
            name(&package.version),
            name(&package.digest)
        )
    };
    let packages = provision.packages.iter().map(package);
    packages
        .chain([name(&provision.tier_reason)])
        .collect::<Vec<_>>()
        .join("\n")
}

fn list() -> Result<Exit, Failure> {
    let trees = store()?.build().list().map_err(|error| failure(&error))?;
    let line = |tree: &glovebox_packages::StoredTree| {
        format!(
            "{:<10} {:<9} {:>8.1} MiB  {}",
            tree.language,
            tree.tier,
            tree.bytes as f64 / f64::from(1 << 20),
            name(&tree.packages.join(", "))
        )
    };
    match trees.as_slice() {
        [] => terminal::print("there are none; `glovebox packages prefetch` fetches some"),
        trees => terminal::print(&trees.iter().map(line).collect::<Vec<_>>().join("\n")),
    }
}

fn clean() -> Result<Exit, Failure> {
    let count = store()?.build().clean().map_err(|error| failure(&error))?;
    terminal::print(&format!("{count} sets of packages were removed"))
}
