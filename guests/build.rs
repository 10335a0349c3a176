//! Build script: which guest sources, and which built guests, does the binary carry?
//!
//! The sources are embedded, so that an installed binary can make guests without a checkout.
//! Finished guests are embedded where `GLOVEBOX_EMBED_GUESTS` names the directory of a bundle.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script works on files that the environment names"
)]

use sha2::{Digest as _, Sha256};
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The sources of the guests; they travel inside the library.
const EMBEDDED: [&str; 5] = ["javascript", "python", "sources", "toolchain", "wit"];
/// The code that makes the guests; only counts towards the key.
const MAKERS: [&str; 2] = ["src/build", "src/build.rs"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut key = Sha256::new();
    let mut sources = String::from("static SOURCES: &[(&str, &[u8])] = &[\n");
    for top in EMBEDDED.iter().chain(&MAKERS) {
        println!("cargo::rerun-if-changed={top}");
        for path in files(&root.join(top))? {
            let name = path
                .strip_prefix(&root)?
                .to_str()
                .ok_or("a source's name is not UTF-8")?;
            let content = fs::read(&path)?;
            key.update(format!("{name}\0{}\0", content.len()));
            key.update(&content);
            if EMBEDDED.contains(top) {
                writeln!(sources, "    ({name:?}, include_bytes!({path:?})),")?;
            }
        }
    }
    let key: String = key
        .finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    sources.push_str("];\n");
    fs::write(out.join("sources.rs"), sources)?;
    fs::write(
        out.join("key.rs"),
        format!("const SOURCE_KEY: &str = {key:?};\n"),
    )?;
    fs::write(out.join("carried.rs"), carried(&out, &key)?)?;
    Ok(())
}

/// Every file below a path, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        entries.push(entry?.path());
    }
    entries.sort();
    let mut all = Vec::new();
    for entry in entries {
        // Left behind by tools that look at the sources.
        let skip = entry.file_name().is_some_and(|name| {
            name == "__pycache__" || name == "target" || name.to_string_lossy().starts_with('.')
        });
        if !skip {
            all.extend(files(&entry)?);
        }
    }
    Ok(all)
}

/// The code that names the embedded bundle's files, each compressed on its own.
fn carried(out: &Path, key: &str) -> Result<String, Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=GLOVEBOX_EMBED_GUESTS");
    let mut code = String::from("static CARRIED: &[(&str, &[u8])] = &[\n");
    if let Some(bundle) = env::var_os("GLOVEBOX_EMBED_GUESTS").filter(|value| !value.is_empty()) {
        let bundle = PathBuf::from(bundle);
        println!("cargo::rerun-if-changed={}", bundle.display());
        let manifest = fs::read_to_string(bundle.join("manifest.json"))
            .map_err(|error| format!("`GLOVEBOX_EMBED_GUESTS` names no bundle: {error}"))?;
        if !manifest.contains(&format!("\"{key}\"")) {
            return Err(
                format!("the bundle in `GLOVEBOX_EMBED_GUESTS` was made from other sources than these, whose key is `{key}`").into()
            );
        }
        for path in files(&bundle)? {
            let name = path
                .strip_prefix(&bundle)?
                .to_str()
                .ok_or("a bundle's file name is not UTF-8")?;
            let packed = out.join(format!("{name}.zst"));
            let content = fs::read(&path)?;
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            fs::write(
                &packed,
                ruzstd::encoding::compress_to_vec(content.as_slice(), level),
            )?;
            writeln!(code, "    ({name:?}, include_bytes!({packed:?})),")?;
        }
    }
    code.push_str("];\n");
    Ok(code)
}
