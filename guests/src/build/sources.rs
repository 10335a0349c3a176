//! Embedded sources: what are the guests made from?

use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;

include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Returns our own sources below a folder, by path relative to it.
pub(super) fn sources(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    SOURCES.iter().filter_map(move |(name, content)| {
        let inside = name.strip_prefix(folder)?.strip_prefix('/')?;
        Some((inside, *content))
    })
}

/// Returns one of our own sources as text.
pub(super) fn source_text(name: &str) -> Result<&'static str> {
    let (_, content) = SOURCES
        .iter()
        .find(|(path, _)| *path == name)
        .with_context(|| format!("no source `{name}` is embedded"))?;
    std::str::from_utf8(content).with_context(|| format!("`{name}` is not UTF-8"))
}

/// Writes our own sources below a folder to a directory.
pub(super) fn write_sources(folder: &str, directory: &Path) -> Result<()> {
    let mut any = false;
    for (name, content) in sources(folder) {
        any = true;
        let path = directory.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    ensure!(any, "no sources are embedded from `{folder}`");
    Ok(())
}
