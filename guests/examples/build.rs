//! Guest build: how are the guests built into the default cache directory?
//!
//! Run it with `cargo run --release -p glovebox-guests --features build --example build`;
//! `-- --offline` uses what was fetched before.

use anyhow::Context as _;
use glovebox_guests::build::{BuildOptions, Progress, build};
use std::time::Duration;

/// One line for each thing that happens.
struct Lines;

impl Progress for Lines {
    fn step(&self, name: &str, detail: &str) {
        eprintln!("[{name}] {detail}");
    }

    fn message(&self, name: &str, text: &str) {
        eprintln!("[{name}] {text}");
    }

    fn finished(&self, name: &str, took: Duration) {
        eprintln!("[{name}] done in {:.1} s", took.as_secs_f64());
    }
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut options = BuildOptions {
        cache: glovebox_guests::default_cache_dir()
            .context("there is no home directory; set `GLOVEBOX_CACHE`")?,
        offline: false,
        only: None,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--offline" => options.offline = true,
            "--only" => options.only = arguments.next(),
            other => anyhow::bail!("unknown argument `{other}`"),
        }
    }
    let bundle = build(&options, &Lines)?;
    println!("{}", bundle.directory().display());
    Ok(())
}
