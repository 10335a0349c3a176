//! Packages on the command line: how are they resolved, fetched and listed?

use crate::advice::Asked;
use crate::cli::{PackagesArguments, PackagesCommand};
use crate::compose::{Composition, ContainerTier, PackageSource, package_store};
use crate::exit::{Exit, Failure};
use crate::files::{self, Kinds};
use crate::installation::Installation;
use crate::policy;
use crate::runtime::runtime;
use crate::terminal::{self, name};
use glovebox::{OpenError, PackageResolution, Request};
use glovebox_wire::outcome as wire;

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

fn provide(arguments: &PackagesArguments, fetch: bool) -> Result<Exit, Failure> {
    let policy = policy::load(arguments.policy.as_deref())?;
    let installation = Installation::find()?;
    let runtime = runtime()?;
    let composition = Composition {
        containers: ContainerTier::Lazy,
        packages: if arguments.upgrade {
            PackageSource::Newest
        } else {
            PackageSource::Any
        },
        ..Composition::new(&installation, policy)
    };
    let sandbox = composition.build(&runtime)?;
    let source = match &arguments.script {
        Some(script) => files::read(script, "the script", Kinds::Readable, MAX_SCRIPT)?,
        None => Vec::new(),
    };
    let mut request = Request::new(arguments.language.to_ascii_lowercase(), source);
    request.profile.clone_from(&arguments.profile);
    request.wants.packages.clone_from(&arguments.packages);
    request.wants.tier = arguments.tier;
    let asked = Asked::from(&request);
    let provided = runtime.block_on(async {
        if fetch {
            sandbox.fetch_packages(request).await
        } else {
            sandbox.resolve_packages(request).await
        }
    });
    runtime.shutdown_background();
    match provided {
        Ok(resolution) if arguments.json => terminal::print(&wire::resolution_json(&resolution)),
        Ok(resolution) => terminal::print(&shown(&resolution)),
        Err(OpenError::Denied(denial)) => {
            let advice = asked.advice(&denial, sandbox.policy(), &sandbox.facts());
            terminal::complain(&denial.to_string(), advice.as_deref());
            Ok(Exit::DENIED)
        }
        Err(OpenError::Failed(error)) => Err(Failure::from(&error)),
        Err(other) => Err(Failure::host(other.to_string())),
    }
}

fn shown(resolution: &PackageResolution) -> String {
    let package = |package: &glovebox::LockedPackage| {
        format!(
            "{} {}  {}",
            name(&package.name),
            name(&package.version),
            name(&package.digest)
        )
    };
    let packages = resolution.packages.iter().map(package);
    packages
        .chain([name(&resolution.tier_reason)])
        .collect::<Vec<_>>()
        .join("\n")
}

fn list() -> Result<Exit, Failure> {
    let trees = package_store()?
        .build()
        .list()
        .map_err(|error| Failure::from(&error))?;
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
    let count = package_store()?
        .build()
        .clean()
        .map_err(|error| Failure::from(&error))?;
    terminal::print(&format!("{count} sets of packages were removed"))
}
