//! Native code of the Python guest: how is our own C linked into the interpreter?
//!
//! As extension modules: shared objects in the application's folder, which the component builder
//! links with CPython. `descriptors.c` and `interrupts.c` are imported like one; SQLite takes the
//! place of the interpreter's own (`merge/library.rs`).

use super::sources::{source_text, write_sources};
use super::steps::{COMPILER_CACHE, Inputs, Network, Step, Steps};
use super::{process, toolchain};
use anyhow::Result;
use std::fs;
use std::path::{Path, PathBuf};

/// The code of this step decides what comes out.
const RECIPE: &str = include_str!("native.rs");

/// The names of extension modules end like this.
pub(super) const EXTENSION: &str = ".cpython-314-wasm32-wasi.so";

/// The modules by the name of their C file.
const MODULES: [(&str, &str); 3] = [
    ("descriptors.c", "_descriptors"),
    ("interrupts.c", "_interrupts"),
    ("sqlite.c", "_sqlite_library"),
];

/// The headers that these include.
const HEADERS: [&str; 3] = ["errors.h", "module.h", "strings.h"];

/// The flags of the C compiler.
pub(super) const COMPILER_FLAGS: [&str; 12] = [
    "-target",
    "wasm32-wasi",
    "-std=gnu23",
    "-O2",
    "-DNDEBUG",
    "-fPIC",
    "-fvisibility=hidden",
    "-mbulk-memory",
    "-mnontrapping-fptoint",
    "-msign-ext",
    "-w",
    "-c",
];

/// The flags of the linker: what is undefined comes from CPython and its C library.
pub(super) const LINKER_FLAGS: [&str; 6] = [
    "wasm-ld",
    "-shared",
    "--experimental-pic",
    "--no-entry",
    "--unresolved-symbols=import-dynamic",
    "--strip-all",
];

/// A directory with the shared objects.
pub(super) fn extensions(steps: &Steps<'_>, tools: &Path) -> Result<PathBuf> {
    let sqlite = toolchain::sqlite_sources(steps)?;
    let mut inputs = Inputs::new(RECIPE).step(tools).step(&sqlite);
    for (file, _) in MODULES {
        inputs = inputs.text(source_text(&format!("python/native/{file}"))?);
    }
    for header in HEADERS {
        inputs = inputs.text(source_text(&format!("python/native/{header}"))?);
    }
    steps.run(
        Step {
            name: "python",
            detail: "compiling SQLite (about a minute)",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let ours = new.join("native");
            write_sources("python/native", &ours)?;
            let kept = steps.scratch(COMPILER_CACHE)?;
            let compiler = toolchain::c_compiler(tools)?;
            let start = || {
                let mut start = compiler.start();
                // Include paths of the machine must not get in.
                start
                    .directory(new)
                    .env("PATH", new)
                    .env("HOME", new)
                    .env("ZIG_GLOBAL_CACHE_DIR", &kept)
                    .env("ZIG_LOCAL_CACHE_DIR", &kept);
                start
            };
            for (file, name) in MODULES {
                let object = ours.join(format!("{name}.o"));
                let mut compile = start();
                compile.arg("cc").args(COMPILER_FLAGS);
                for directory in [sqlite.as_path(), &ours] {
                    compile.arg("-I").arg(directory);
                    compile.arg(format!("-ffile-prefix-map={}=/guest", directory.display()));
                }
                compile.arg(ours.join(file)).arg("-o").arg(&object);
                process::run(&compile, "")?;
                let mut link = start();
                link.args(LINKER_FLAGS).arg(&object);
                link.arg("-o").arg(new.join(format!("{name}{EXTENSION}")));
                process::run(&link, "")?;
            }
            fs::remove_dir_all(ours)?;
            Ok(())
        },
    )
}
