//! How is the JavaScript guest made, and the TypeScript guest that shares its code?
//!
//! One C translation unit holds the engine and our part of it. It is compiled once and initialised twice: plain, and with the TypeScript
//! transform loaded. What differs is in the memory only, so both guests run the same machine code.

use super::flatten::wrap;
use super::preinitialise::preinitialise;
use super::steps::{Inputs, Network, Steps, write_sources, write_sparse};
use super::{Product, process, toolchain, unmeasured};
use crate::manifest::{Guest, Language};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RECIPE: &str = concat!(
    include_str!("javascript.rs"),
    include_str!("preinitialise.rs"),
    include_str!("image.rs"),
);

/// How the C code is compiled: every feature here is one that the runtime's engine has, and none that it can be told to do without.
const FLAGS: [&str; 15] = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-std=gnu23",
    "-O2",
    "-DNDEBUG",
    "-mbulk-memory",
    "-mnontrapping-fptoint",
    "-msign-ext",
    "-mmultivalue",
    // The engine relies on these three.
    "-fno-strict-aliasing",
    "-fwrapv",
    "-funsigned-char",
    "-w",
    "-Wl,-z,stack-size=1048576,--strip-all",
];

/// The JavaScript and the TypeScript guest.
pub(super) fn guests(steps: &Steps<'_>) -> Result<Vec<Product>> {
    let tools = toolchain::python_packages(steps)?;
    let engine = toolchain::engine_sources(steps)?;
    let compiled = compile(steps, &tools, &engine)?;
    let parts = initialise(steps, &compiled)?;
    let version = engine_version(&engine)?;
    let guest = |name: &str, aliases: &[&str], extensions: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let image = format!("{name}.image");
        Product {
            guest: Guest {
                name: name.to_owned(),
                version: version.clone(),
                languages: vec![Language {
                    name: name.to_owned(),
                    aliases: owned(aliases),
                    extensions: owned(extensions),
                }],
                component: unmeasured("javascript.wasm"),
                image: unmeasured(&image),
                trees: Vec::new(),
                workspace: "/work".to_owned(),
            },
            files: vec![
                ("javascript.wasm".to_owned(), parts.join("component.wasm")),
                (image.clone(), parts.join(image)),
            ],
        }
    };
    Ok(vec![
        guest("javascript", &["js", "node"], &["js", "mjs", "cjs"]),
    ])
}

/// The core module.
fn compile(steps: &Steps<'_>, tools: &Path, engine: &Path) -> Result<PathBuf> {
    let inputs = Inputs::new(RECIPE).step(tools).step(engine).sources("javascript");
    steps.run("javascript", "compiling QuickJS-ng (about half a minute)", (inputs, Network::Unneeded), |new| {
        let ours = new.join("javascript");
        write_sources("javascript", &ours)?;
        let kept = steps.scratch("zig");
        let mut compiler = Command::new(toolchain::c_compiler(tools));
        // Include paths of the machine must not get in.
        compiler.env_clear().env("PATH", new).env("HOME", new).env("ZIG_GLOBAL_CACHE_DIR", &kept).env("ZIG_LOCAL_CACHE_DIR", &kept);
        compiler.arg("cc").args(FLAGS);
        for directory in [engine, &ours] {
            compiler.arg("-I").arg(directory);
            compiler.arg(format!("-ffile-prefix-map={}=/guest", directory.display()));
        }
        compiler.arg(ours.join("guest.c")).arg("-lwasi-emulated-process-clocks");
        compiler.arg("-o").arg(new.join("guest.wasm"));
        process::run(&mut compiler, "")?;
        fs::remove_dir_all(ours)?;
        Ok(())
    })
}

/// The component and one image for each language.
fn initialise(steps: &Steps<'_>, compiled: &Path) -> Result<PathBuf> {
    let inputs = Inputs::new(RECIPE).step(compiled).sources("wit");
    steps.run("javascript", "initialising the JavaScript guests", (inputs, Network::Unneeded), |new| {
        let module = fs::read(compiled.join("guest.wasm")).context("the compiled module is gone")?;
        let javascript = preinitialise(&module, "wizer-initialize")?;
        let wit = new.join("wit");
        write_sources("wit", &wit)?;
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(&wit)?;
        let world = resolve.select_world(&[package], Some("javascript"))?;
        let component = wrap(javascript.module, &resolve, world)?;
        fs::remove_dir_all(wit)?;
        fs::write(new.join("component.wasm"), &component)?;
        write_sparse(&new.join("javascript.image"), &javascript.image)?;
        steps.message(
            "javascript",
            &format!("code {} KB, memory {} KB", component.len() / 1000, javascript.image.len() / 1000),
        );
        Ok(())
    })
}

/// What the engine calls itself.
fn engine_version(engine: &Path) -> Result<String> {
    let header = fs::read_to_string(engine.join("quickjs.h")).context("the engine has no `quickjs.h`")?;
    let number = |part: &str| {
        header
            .lines()
            .find_map(|line| line.strip_prefix("#define QJS_VERSION_")?.strip_prefix(part))
            .map(str::trim)
            .with_context(|| format!("the engine does not say its version (`{part}`)"))
    };
    Ok(format!("QuickJS-ng {}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}
