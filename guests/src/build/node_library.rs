//! Node's library: which of its modules are in the JavaScript guest, and how does the C code embed
//! them?
//!
//! The files are Node's own, as they are. Each becomes a function of what Node gives its modules,
//! and is kept as bytecode of its own, so that a program pays for what it asks for.

use super::sources::{source_text, sources};
use anyhow::{Context as _, Result, ensure};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;

/// The files' archive, below `sources`; `scripts/node-library` makes it.
const ARCHIVE: &str = "node-lib.tar.gz";

/// The names of the modules, one a line.
const NAMES: &str = "toolchain/node.txt";

/// The parameters of a module, as Node's own loader passes them.
const PARAMETERS: &str = "exports, require, module, process, internalBinding, primordials";

/// Writes a file for each module, and the header that embeds them.
pub(super) fn write_node_library(directory: &Path) -> Result<()> {
    let mut texts = texts()?;
    fs::create_dir_all(directory.join("node_library"))?;
    let (mut header, mut table) = (String::new(), String::from("#define NODE_PARTS"));
    for (number, name) in names()?.enumerate() {
        let text = texts
            .remove(name)
            .with_context(|| format!("`{ARCHIVE}` has no `{name}`, which `{NAMES}` names"))?;
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
    ensure!(
        texts.is_empty(),
        "`{ARCHIVE}` has files that `{NAMES}` does not name: {:?}",
        texts.keys()
    );
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

/// The texts of the archive, by the name of the module.
fn texts() -> Result<HashMap<String, String>> {
    let (_, packed) = sources("sources")
        .find(|(name, _)| *name == ARCHIVE)
        .with_context(|| format!("no source `{ARCHIVE}` is embedded"))?;
    let mut texts = HashMap::new();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let Some(name) = path
            .strip_prefix("node/lib/")
            .and_then(|inside| inside.strip_suffix(".js"))
        else {
            continue;
        };
        let mut text = String::new();
        entry
            .read_to_string(&mut text)
            .with_context(|| format!("cannot read `{path}`"))?;
        texts.insert(name.to_owned(), text);
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_module_is_in_the_archive_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        write_node_library(directory.path()).unwrap();
        let header = fs::read_to_string(directory.path().join("node_library.h")).unwrap();
        assert!(header.contains("NODE_PART(\"path\", node_"), "{header}");
        let first = fs::read_to_string(directory.path().join("node_library/0.js")).unwrap();
        assert!(
            first.starts_with(&format!("(function ({PARAMETERS}) {{")),
            "{first}"
        );
    }
}
