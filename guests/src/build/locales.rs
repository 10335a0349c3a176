//! Locale data: where does the JavaScript guest get its `Intl` and its time zones?
//!
//! The algorithms of formatjs, the data of formatjs and CLDR, and the time zones that Python's
//! guest has too. `locales.mjs` chooses and packs what is used; Node's own program runs it, which
//! is there for its library anyway.

use super::node_library;
use super::process;
use super::sources::source_text;
use super::steps::{Inputs, Network, Step, Steps};
use super::toolchain::{self, Pin};
use anyhow::{Context as _, Result};
use glovebox_host::program::Program;
use std::fs;
use std::path::{Path, PathBuf};

/// The pinned packages.
const PINS: &str = "toolchain/locales.txt";

/// The program that chooses and packs.
const SCRIPT: &str = include_str!("locales.mjs");

/// The folder of compiled time zones in their package.
const ZONES: &str = "tzdata/zoneinfo";

/// A directory with the data and the libraries, as the C code embeds them.
pub(super) fn locales(steps: &Steps<'_>) -> Result<PathBuf> {
    let packages = packages(steps)?;
    let zones = toolchain::time_zones(steps)?;
    let node = node_library::program(steps)?;
    let inputs = Inputs::new(SCRIPT).step(&packages).step(&zones).step(&node);
    steps.run(
        Step {
            name: "locales",
            detail: "packing the data of locales",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let script = new.join("locales.mjs");
            fs::write(&script, SCRIPT)?;
            let mut start = Program::absolute(node.join(node_library::PROGRAM_FILE))?.start();
            start.directory(new).env("PATH", new).env("HOME", new);
            start.arg(&script).arg(&packages);
            start.arg(zones.join(ZONES)).arg(new);
            let said = process::run(&start, "its package is made for glibc")?;
            steps.message("locales", said.trim());
            fs::remove_file(script)?;
            Ok(())
        },
    )
}

/// A directory with what is used of each package.
fn packages(steps: &Steps<'_>) -> Result<PathBuf> {
    let inputs = Inputs::new(PINS).text(source_text(PINS)?);
    steps.run(
        Step {
            name: "cldr",
            detail: "fetching the data of locales",
            inputs,
            network: Network::Needed,
        },
        |new| {
            for pin in pins()? {
                let packed = toolchain::npm_archive(&pin, new)?;
                let directory = new.join(toolchain::flat_name(pin.name));
                toolchain::unpack_some(&packed, &directory, is_used)
                    .with_context(|| format!("cannot unpack `{}`", pin.name))?;
            }
            Ok(())
        },
    )
}

/// Whether a file of a package is read later. CLDR alone would be 100 MB.
fn is_used(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_data = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let is_code = path.extension().is_some_and(|extension| extension == "js");
    if path.starts_with("main") {
        return ["ca-gregorian.json", "dateFields.json", "timeZoneNames.json"].contains(&&*name);
    }
    is_data || (is_code && !name.contains("polyfill"))
}

/// The pinned packages.
fn pins() -> Result<Vec<Pin>> {
    let lines = source_text(PINS)?
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(Pin::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_packages_only_what_is_read_is_unpacked() {
        for (path, used) in [
            ("main/en/ca-gregorian.json", true),
            ("main/en/ca-generic.json", false),
            ("supplemental/metaZones.json", true),
            ("locale-data/de.js", true),
            ("index.js", true),
            ("polyfill.iife.js", false),
            ("index.js.map", false),
        ] {
            assert_eq!(is_used(Path::new(path)), used, "{path}");
        }
    }

    #[test]
    fn every_package_of_locales_has_a_version_and_an_integrity() {
        for pin in pins().unwrap() {
            assert!(pin.integrity.starts_with("sha512-"), "{}", pin.name);
            assert_eq!(pin.integrity.len(), 95, "{}", pin.name);
        }
    }
}
