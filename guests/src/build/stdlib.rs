//! Standard library of Python: how does it become one archive that imports need not unpack?
//!
//! The component builder carries the library as a compressed archive inside its own shared object.
//! Modules without use in a sandbox are left out, and the rest is compiled by the guest itself, so
//! that no import has to.

use super::component::{Mount, evaluate};
use super::sources::sources;
use super::steps::{Inputs, Network, Step, Steps};
use super::toolchain;
use anyhow::{Context as _, Result, bail};
use ruzstd::decoding::StreamingDecoder;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use wasmtime_wasi::FsPerms;

/// The version of this step; raised when it changes.
const LIBRARY_VERSION: &str = "1";

/// The mount point of the standard library in the guest.
pub(super) const LIBRARY: &str = "/usr/lib/python3.14";

/// Our sources of modules that CPython has in C.
const OURS: &str = "python/library";

/// Runs inside the guest.
const COMPILE: &str = include_str!("compile.py");

/// The shared object of the component builder, within its package.
const SHARED_OBJECT: &str = "componentize_py/componentize_py.abi3.so";

/// The magic of a zstd frame.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The position of the magic in a tar header.
const TAR_MAGIC: std::ops::Range<usize> = 257..262;

/// Largest archive that is unpacked, in bytes.
const LIBRARY_LIMIT: u64 = 512 << 20;

/// Top-level names that a program in a sandbox has no use for: tests, windows, and what installs
/// packages or compiles C.
const LEFT_OUT: [&str; 11] = [
    "__phello__",
    "__hello__.py",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "pydoc_data/__pycache__",
    "site-packages",
    "test",
    "tkinter",
    "turtle.py",
    "turtledemo",
];

/// The prefix of paths of the builder's machine in the interpreter's own configuration.
const BUILDERS_HOME: &str = "/home/runner/";

/// Files by path relative to the library, in the order of their names.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A directory with `library.tar` and the `version` of Python, where `flat` holds the guest that
/// compiles it.
pub(super) fn library(steps: &Steps<'_>, tools: &Path, flat: &Path) -> Result<PathBuf> {
    let zones = toolchain::time_zones(steps)?;
    let inputs = Inputs::new(LIBRARY_VERSION)
        .text(COMPILE)
        .step(tools)
        .step(&zones)
        .step(flat)
        .sources(OURS);
    steps.run(
        Step {
            name: "library",
            detail: "compiling Python's standard library inside the guest",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let mut files = extract(&tools.join(SHARED_OBJECT))?;
            // The guest's `zoneinfo` looks for its zones there.
            read_files(&zones, &zones.join("tzdata"), &mut files)?;
            for (path, content) in sources(OURS) {
                files.insert(PathBuf::from(path), content.to_vec());
            }
            let (from, to) = (new.join("from"), new.join("to"));
            write_files(&from, &files)?;
            fs::create_dir(&to)?;
            let code =
                fs::read(flat.join("standalone.wasm")).context("the flat component is gone")?;
            let mounts = [
                Mount {
                    host: &from,
                    guest: LIBRARY,
                    permissions: FsPerms::ReadOnly,
                },
                Mount {
                    host: &to,
                    guest: "/work",
                    permissions: FsPerms::ReadWrite,
                },
            ];
            evaluate(&code, COMPILE, &[LIBRARY, "/work"], &mounts)?;
            fs::rename(to.join("version"), new.join("version"))
                .context("the guest wrote no version")?;
            let sources = files.len();
            read_files(&to, &to, &mut files)?;
            steps.message(
                "library",
                &format!(
                    "{sources} files and {} compiled ones",
                    files.len() - sources
                ),
            );
            fs::write(new.join("library.tar"), archive(&files)?)?;
            fs::remove_dir_all(from)?;
            fs::remove_dir_all(to)?;
            Ok(())
        },
    )
}

/// Finds the library in the shared object.
fn extract(shared_object: &Path) -> Result<Files> {
    let bytes = fs::read(shared_object)
        .with_context(|| format!("cannot read `{}`", shared_object.display()))?;
    for (place, start) in bytes.windows(ZSTD_MAGIC.len()).enumerate() {
        if start != ZSTD_MAGIC {
            continue;
        }
        let frame = bytes.get(place..).unwrap_or_default();
        // The same four bytes may stand in code, and most frames hold libraries.
        let Ok(decoder) = StreamingDecoder::new(frame) else {
            continue;
        };
        let mut decoder = decoder.take(LIBRARY_LIMIT);
        let mut header = Vec::new();
        let read = decoder.by_ref().take(512).read_to_end(&mut header);
        if read.is_err() || header.get(TAR_MAGIC) != Some(b"ustar") {
            continue;
        }
        let files = unpack(header.as_slice().chain(decoder))?;
        if files.contains_key(Path::new("json/__init__.py")) {
            return Ok(files);
        }
    }
    bail!(
        "`{}` does not carry Python's standard library as a tar archive compressed with zstd",
        shared_object.display()
    )
}

/// The files of the library that are worth keeping.
fn unpack(archive: impl Read) -> Result<Files> {
    let mut files = Files::new();
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path: PathBuf = entry
            .path()?
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        let plain = path
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let compiled = path.extension().is_some_and(|extension| extension == "pyc");
        let left_out = LEFT_OUT.iter().any(|name| path.starts_with(name));
        if !entry.header().entry_type().is_file() || !plain || compiled || left_out {
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        files.insert(path, without_build_paths(content));
    }
    Ok(files)
}

/// Removes the folders of the machine that built the interpreter: what a guest sees does not depend
/// on the builder.
fn without_build_paths(content: Vec<u8>) -> Vec<u8> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/-".contains(byte);
    let Ok(text) = std::str::from_utf8(&content) else {
        return content;
    };
    if !text.contains(BUILDERS_HOME) {
        return content;
    }
    let mut clean = String::with_capacity(text.len());
    let mut parts = text.split(BUILDERS_HOME);
    clean.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let path = part.bytes().take_while(is_part).count();
        clean.push_str("/usr");
        clean.push_str(part.get(path..).unwrap_or_default());
    }
    clean.into_bytes()
}

fn write_files(directory: &Path, files: &Files) -> Result<()> {
    for (path, content) in files {
        let path = directory.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}

fn read_files(root: &Path, directory: &Path, files: &mut Files) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read_files(root, &path, files)?;
        } else {
            files.insert(path.strip_prefix(root)?.to_owned(), fs::read(&path)?);
        }
    }
    Ok(())
}

/// An archive that depends on names and content only.
fn archive(files: &Files) -> Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut made: std::collections::BTreeSet<&Path> = std::collections::BTreeSet::new();
    let header = |kind, mode, size| {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header
    };
    for (path, content) in files {
        let mut parents: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .filter(|parent| *parent != Path::new(""))
            .collect();
        parents.reverse();
        for parent in parents {
            if made.insert(parent) {
                builder.append_data(
                    &mut header(tar::EntryType::Directory, 0o755, 0),
                    parent,
                    std::io::empty(),
                )?;
            }
        }
        builder.append_data(
            &mut header(tar::EntryType::Regular, 0o644, content.len() as u64),
            path,
            content.as_slice(),
        )?;
    }
    Ok(builder.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_depends_on_its_files_only_and_leaves_out_tests() {
        let mut files = Files::new();
        for name in [
            "json/__init__.py",
            "test/support.py",
            "abc.py",
            "json/__pycache__/x.pyc",
            "testing.py",
        ] {
            files.insert(PathBuf::from(name), name.as_bytes().to_vec());
        }
        let packed = archive(&files).unwrap();
        assert_eq!(packed, archive(&files).unwrap());
        let kept: Vec<PathBuf> = unpack(packed.as_slice()).unwrap().into_keys().collect();
        assert_eq!(
            kept,
            ["abc.py", "json/__init__.py", "testing.py"].map(PathBuf::from)
        );
    }
}
