//! Node's library: which of its modules are in the JavaScript guest, and how does the C code embed
//! them?
//!
//! The files are Node's own, as they are. Each becomes a function of what Node gives its modules,
//! and is kept as bytecode of its own, so that a program pays for what it asks for. Node's program
//! carries the texts of its library; it comes from the npm registry, is pinned by digest, and is
//! asked for them.

use super::process;
use super::sources::source_text;
use super::steps::{Inputs, Network, Step, Steps};
use super::toolchain::{self, Pin};
use anyhow::{Context as _, Result};
use glovebox_host::program::Program;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The packages of Node's program, by processor.
const PACKAGES: &str = "toolchain/node-package.txt";

/// The names of the modules, one a line.
const NAMES: &str = "toolchain/node.txt";

/// The program, in its package.
const PROGRAM: &str = "bin/node";

/// The program, in the directory of its step.
pub(super) const PROGRAM_FILE: &str = "node";

/// The texts, in the directory of their step.
const TEXTS: &str = "library.json";

/// Prints the texts of the modules that its arguments name.
const TELL: &str = "const all = process.binding('natives'); process.stdout.write(JSON.stringify(Object.fromEntries(process.argv.slice(1).map((name) => [name, all[name]]))));";

/// The parameters of a module, as Node's own loader passes them.
const PARAMETERS: &str = "exports, require, module, process, internalBinding, primordials";

/// A directory with Node's program.
pub(super) fn program(steps: &Steps<'_>) -> Result<PathBuf> {
    let pin = pin()?;
    steps.run(
        Step {
            name: "node-program",
            detail: "fetching Node (50 MB)",
            inputs: Inputs::new(PROGRAM).text(pin.integrity),
            network: Network::Needed,
        },
        |new| {
            let packed = toolchain::npm_archive(&pin, new)?;
            let path = new.join(PROGRAM_FILE);
            let program = toolchain::unpack_one(&packed, Path::new(PROGRAM))?;
            fs::write(&path, program)?;
            fs::set_permissions(&path, Permissions::from_mode(0o755))?;
            Ok(())
        },
    )
}

/// A directory with the texts of the modules.
pub(super) fn library(steps: &Steps<'_>) -> Result<PathBuf> {
    let program = program(steps)?;
    let inputs = Inputs::new(TELL).step(&program).text(source_text(NAMES)?);
    steps.run(
        Step {
            name: "node",
            detail: "reading Node's library",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let mut node = Program::absolute(program.join(PROGRAM_FILE))?.start();
            node.directory(new).env("PATH", new).env("HOME", new);
            node.args(["--no-deprecation", "-e", TELL, "--"]);
            node.args(names()?);
            let texts = process::run(&node, "its package is made for glibc")?;
            let _: HashMap<String, String> =
                serde_json::from_str(&texts).context("Node does not have all of the modules")?;
            fs::write(new.join(TEXTS), texts)?;
            Ok(())
        },
    )
}

/// The package for this machine's processor.
fn pin() -> Result<Pin> {
    let processor = std::env::consts::ARCH;
    let lines = source_text(PACKAGES)?.lines();
    let line = lines
        .filter_map(|line| line.strip_prefix(processor)?.strip_prefix(' '))
        .next()
        .with_context(|| format!("`{PACKAGES}` has no package for the processor `{processor}`"))?;
    Pin::parse(line)
}

/// Writes a file for each module, and the header that embeds them.
pub(super) fn write_node_library(library: &Path, directory: &Path) -> Result<()> {
    let texts = fs::read_to_string(library.join(TEXTS)).context("the texts are gone")?;
    let mut texts: HashMap<String, String> = serde_json::from_str(&texts)?;
    fs::create_dir_all(directory.join("node_library"))?;
    let (mut header, mut table) = (String::new(), String::from("#define NODE_PARTS"));
    for (number, name) in names()?.enumerate() {
        let text = texts
            .remove(name)
            .with_context(|| format!("Node has no `{name}`, which `{NAMES}` names"))?;
        let file = format!("node_library/{number}.js");
        // The first line stays the first, so that positions are those of Node's file.
        fs::write(
            directory.join(&file),
            format!("(function ({PARAMETERS}) {{{text}\n}})"),
        )?;
        writeln!(
            header,
            "static char node_{number}_text[] = {{\n#embed \"{file}\"\n}};"
        )?;
        write!(table, " NODE_PART({name:?}, node_{number}_text)")?;
    }
    fs::write(
        directory.join("node_library.h"),
        format!("{header}{table}\n"),
    )?;
    Ok(())
}

/// The names of the modules.
fn names() -> Result<impl Iterator<Item = &'static str>> {
    let lines = source_text(NAMES)?.lines();
    Ok(lines.filter(|line| !line.is_empty() && !line.starts_with('#')))
}
