//! Benchmark of packages: what does a cached package cost?

use crate::measure::{Samples, ratio};
use anyhow::{Result, ensure};
use glovebox::{Guests, Request, Sandbox, Status};
use glovebox_fallback::Containers;
use glovebox_packages::Packages;
use std::sync::Arc;
use std::time::Instant;

/// Runs of each kind.
const ROUNDS: usize = 400;

/// Runs in containers.
const CONTAINER_ROUNDS: usize = 12;

/// A program with and without a package set, one that imports a module from a package against the
/// same from the standard library, and one that needs native code.
pub(crate) fn cached() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let guests = Guests::installed()?;
    let containers = Arc::new(runtime.block_on(Containers::connect()));
    let store = glovebox_guests::default_cache_dir()
        .ok_or_else(|| anyhow::anyhow!("there is no cache"))?
        .join("packages");
    let packages = Packages::builder(store)
        .guests(guests.clone())
        .executor(containers.clone())
        .build();
    let sandbox = Sandbox::builder()
        .guests(guests)
        .executor(containers)
        .packages(Arc::new(packages))
        .build()?;
    let measure = |rounds: usize, source: &str, packages: &[&str]| -> Result<Samples> {
        let mut samples = Vec::new();
        // The first run downloads what is not cached.
        for round in 0..=rounds {
            let mut request = Request::new("python", source);
            request.wants.packages = packages
                .iter()
                .map(|package| (*package).to_owned())
                .collect();
            let started = Instant::now();
            let outcome = runtime.block_on(sandbox.run(request))?;
            let took = started.elapsed();
            ensure!(outcome.status == Status::Succeeded, "{outcome:?}");
            if round > 0 {
                samples.push(took);
            }
        }
        Ok(Samples::new(samples))
    };
    let without = measure(ROUNDS, "print(1 + 1)", &[])?;
    let with = measure(ROUNDS, "print(1 + 1)", &["six", "rich"])?;
    without.print("Python, no package");
    with.print("Python, six and rich there");
    ratio("with packages", with.median(), without.median());
    let library = measure(ROUNDS, "import sched\nprint(sched.__name__)", &[])?;
    let package = measure(ROUNDS, "import six\nprint(six.__name__)", &["six"])?;
    library.print("importing a module of the library");
    package.print("importing a small package");
    ratio("from a package", package.median(), library.median());
    match measure(
        CONTAINER_ROUNDS,
        "import numpy as np\nprint(np.arange(6).reshape(2, 3).sum())",
        &["numpy"],
    ) {
        Ok(native) => native.print("numpy, in a container"),
        Err(reason) => println!("  skipped: {reason}"),
    }
    Ok(())
}
