//! Python guest: how is it built?
//!
//! The component builder links CPython with our application module and runs its imports; flattening
//! takes the linked component apart.

use super::flatten::flatten;
use super::image::without_end;
use super::product::{Product, unmeasured};
use super::sources::write_sources;
use super::stdlib::LIBRARY;
use super::steps::{Inputs, Network, Step, Steps};
use super::{compression, native, process, stdlib, toolchain};
use crate::installation::write_sparse;
use crate::manifest::{Guest, Language, Tree};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The version of the linking step; raised when it changes.
const LINK_VERSION: &str = "1";

/// The code of the flattening step: all of it decides what comes out.
const FLATTENING: &str = concat!(
    include_str!("flatten.rs"),
    include_str!("direct.rs"),
    include_str!("image.rs"),
    include_str!("link_graph.rs"),
    include_str!("merge.rs"),
    include_str!("merge/library.rs"),
    include_str!("merge/repairs.rs"),
    include_str!("merge/emit.rs"),
    include_str!("module.rs"),
);

/// The interface that makes a component a guest.
const INTERPRETER: &str = "glovebox:guest/interpreter";

/// The directory in which the guest looks for packages.
const PACKAGES: &str = "/usr/lib/python3/site-packages";

/// Starts the component builder, whose script the package installer puts into no fixed place. Its
/// packages come first among the arguments: an isolated interpreter takes none from its
/// environment.
const COMPONENT_BUILDER: &str = "import sys; sys.path.insert(0, sys.argv.pop(1)); from componentize_py import script; sys.exit(script())";

/// The Python guest.
pub(super) fn guests(steps: &Steps<'_>) -> Result<Vec<Product>> {
    let tools = toolchain::python_packages(steps)?;
    let linked = link(steps, &tools)?;
    let flat = flat(steps, &linked)?;
    let library = stdlib::library(steps, &tools, &flat)?;
    let version = fs::read_to_string(library.join("version"))
        .context("the standard library's step left no version")?;
    let guest = Guest {
        name: "python".to_owned(),
        version: format!("CPython {}", version.trim()),
        languages: vec![Language {
            name: "python".to_owned(),
            aliases: vec!["py".to_owned(), "python3".to_owned()],
            extensions: vec!["py".to_owned()],
        }],
        component: unmeasured("python.wasm"),
        image: unmeasured("python.image"),
        trees: vec![Tree {
            guest_path: LIBRARY.to_owned(),
            archive: unmeasured("python-stdlib.tar"),
        }],
        workspace: "/work".to_owned(),
        packages: Some(PACKAGES.to_owned()),
        transform: None,
        compiler: None,
    };
    let files = vec![
        ("python.wasm".to_owned(), flat.join("component.wasm")),
        ("python.image".to_owned(), flat.join("image")),
        ("python-stdlib.tar".to_owned(), library.join("library.tar")),
    ];
    Ok(vec![Product { guest, files }])
}

/// The component as its builder links it.
fn link(steps: &Steps<'_>, tools: &Path) -> Result<PathBuf> {
    let native = native::extensions(steps, tools)?;
    let coders = compression::extension(steps, tools)?;
    let inputs = Inputs::new(LINK_VERSION)
        .step(tools)
        .step(&native)
        .step(&coders)
        .sources("python")
        .sources("wit");
    steps.run(
        Step {
            name: "python",
            detail: "linking and initialising CPython (about half a minute)",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let python = toolchain::python()?;
            let (app, wit) = (new.join("app"), new.join("wit"));
            write_sources("python", &app)?;
            write_sources("wit", &wit)?;
            for directory in [&native, &coders] {
                for extension in fs::read_dir(directory)? {
                    let extension = extension?;
                    fs::copy(extension.path(), app.join(extension.file_name()))?;
                }
            }
            let mut builder = python.start();
            // Otherwise the builder would add the site packages of whatever Python it finds, and
            // the guest would depend on the machine.
            builder.directory(new).env("PATH", new).env("HOME", new);
            // Some Pythons find their own library only through this.
            builder.pass_paths("LD_LIBRARY_PATH");
            builder
                .args(["-I", "-B", "-c", COMPONENT_BUILDER])
                .arg(tools)
                .arg("--quiet");
            builder
                .arg("--wit-path")
                .arg(wit.join("guest.wit"))
                .args(["--world", "guest"]);
            builder
                .args(["componentize", "app", "--python-path"])
                .arg(&app);
            builder.arg("--output").arg(new.join("linked.wasm"));
            process::run(&builder, "")?;
            fs::remove_dir_all(app)?;
            fs::remove_dir_all(wit)?;
            Ok(())
        },
    )
}

/// The flat component, its memory image, and both in one.
fn flat(steps: &Steps<'_>, linked: &Path) -> Result<PathBuf> {
    let inputs = Inputs::new(FLATTENING).step(linked);
    steps.run(
        Step {
            name: "python",
            detail: "flattening the component",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let linked =
                fs::read(linked.join("linked.wasm")).context("the linked component is gone")?;
            let flat = flatten(&linked, INTERPRETER)?;
            fs::write(new.join("component.wasm"), &flat.component)?;
            write_sparse(&new.join("image"), without_end(&flat.image))?;
            write_sparse(&new.join("standalone.wasm"), &flat.standalone)?;
            steps.message(
                "python",
                &format!(
                    "code {} KB, memory {} KB",
                    flat.component.len() / 1000,
                    flat.image.len() / 1000
                ),
            );
            Ok(())
        },
    )
}
