//! How does Python's standard library become one archive that a guest can import from at once?
//!
//! The component builder carries the library as a compressed archive inside its own shared object. What nobody imports in a sandbox is
//! left out, and the rest is compiled by the guest itself, so that no import has to.

use super::component::{Mount, evaluate};
use super::python::LIBRARY;
use super::steps::{Inputs, Network, Steps};
use anyhow::{Context as _, Result, bail};
use ruzstd::decoding::StreamingDecoder;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use wasmtime_wasi::FsPerms;

const RECIPE: &str = concat!(
    include_str!("stdlib.rs"),
    include_str!("component.rs"),
    include_str!("compile.py")
);

/// Runs inside the guest.
const COMPILE: &str = include_str!("compile.py");

/// The shared object of the component builder, within its package.
const SHARED_OBJECT: &str = "componentize_py/componentize_py.abi3.so";

/// How a zstd frame begins.
const FRAME: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Where a tar header says that it is one.
const TAR_MARK: std::ops::Range<usize> = 257..262;

/// Largest archive that is unpacked, in bytes.
const LIBRARY_LIMIT: u64 = 512 << 20;

/// Top-level names that a program in a sandbox has no use for: tests, windows, and what installs packages or compiles C.
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

/// How paths of the builder's machine begin in the interpreter's own configuration.
const BUILDERS_HOME: &str = "/home/runner/";

/// Files by path relative to the library, in the order of their names.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A directory with `library.tar` and the `version` of Python, where `flat` holds the guest that compiles it.
pub(super) fn library(steps: &Steps<'_>, tools: &Path, flat: &Path) -> Result<PathBuf> {
    let inputs = Inputs::new(RECIPE).step(tools).step(flat);
    steps.run(
        "library",
        "compiling Python's standard library inside the guest",
        (inputs, Network::Unneeded),
        |new| {
            let mut files = extract(&tools.join(SHARED_OBJECT))?;
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
    for (place, start) in bytes.windows(FRAME.len()).enumerate() {
        if start != FRAME {
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
        if read.is_err() || header.get(TAR_MARK) != Some(b"ustar") {
            continue;
        }
        let files = unpack(header.as_slice().chain(decoder))?;
        if files.contains_key(Path::new("json/__init__.py")) {
            return Ok(files);
        }
    }
    bail!(
        "`{}` does not carry Python's standard library where it used to",
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

/// The text without the folders of whoever built the interpreter: what a guest sees names no builder.
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
    fn an_archive_depends_on_its_files_only_and_leaves_out_what_nobody_imports() {
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
