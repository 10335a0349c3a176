//! Compression: how are bzip2, xz and Zstandard linked into the Python guest?
//!
//! As one extension module over the three libraries, whose sources come from packages. Its
//! functions are called from Python modules that take the places of CPython's own
//! (`python/library/`).

use super::native::{COMPILER_FLAGS, EXTENSION, LINKER_FLAGS};
use super::sources::{source_text, write_sources};
use super::steps::{COMPILER_CACHE, Inputs, Network, Step, Steps};
use super::{process, toolchain};
use anyhow::{Context as _, Result};
use glovebox_host::program::{Program, Start};
use std::fs;
use std::path::{Path, PathBuf};

/// The code of this step decides what comes out.
const RECIPE: &str = concat!(include_str!("compression.rs"), include_str!("native.rs"));

/// Our part, and the module's name.
const OURS: (&str, &str) = ("coders.c", "_coders");

/// A library, as it lies in its package.
struct Library {
    /// Folders with the files to compile.
    folders: &'static [&'static str],
    /// The only files to compile; all of the folders if this is empty.
    files: &'static [&'static str],
    /// Files that are programs of their own, or need threads.
    left_out: &'static [&'static str],
    includes: &'static [&'static str],
    definitions: &'static [&'static str],
}

const BZIP2: Library = Library {
    folders: &["."],
    files: &[
        "blocksort.c",
        "bzlib.c",
        "compress.c",
        "crctable.c",
        "decompress.c",
        "huffman.c",
        "randtable.c",
    ],
    left_out: &[],
    includes: &["."],
    definitions: &["-DBZ_NO_STDIO"],
};

const XZ: Library = Library {
    folders: &[
        "xz/src/liblzma/check",
        "xz/src/liblzma/common",
        "xz/src/liblzma/delta",
        "xz/src/liblzma/lz",
        "xz/src/liblzma/lzma",
        "xz/src/liblzma/rangecoder",
        "xz/src/liblzma/simple",
    ],
    files: &[],
    left_out: &[
        "crc32_small.c",
        "crc32_tablegen.c",
        "crc64_small.c",
        "crc64_tablegen.c",
        "crc_clmul_consts_gen.c",
        "fastpos_tablegen.c",
        "hardware_cputhreads.c",
        "hardware_physmem.c",
        "outqueue.c",
        "price_tablegen.c",
        "stream_decoder_mt.c",
        "stream_encoder_mt.c",
    ],
    includes: &[
        ".",
        "xz/src/common",
        "xz/src/liblzma/api",
        "xz/src/liblzma/check",
        "xz/src/liblzma/common",
        "xz/src/liblzma/delta",
        "xz/src/liblzma/lz",
        "xz/src/liblzma/lzma",
        "xz/src/liblzma/rangecoder",
        "xz/src/liblzma/simple",
    ],
    definitions: &["-DHAVE_CONFIG_H"],
};

const ZSTANDARD: Library = Library {
    folders: &["common", "compress", "decompress", "dictBuilder"],
    files: &[],
    left_out: &[],
    includes: &["."],
    // Nothing of it is to be seen from other modules.
    definitions: &[
        "-DZSTDLIB_VISIBLE=",
        "-DZSTDERRORLIB_VISIBLE=",
        "-DZDICTLIB_VISIBLE=",
        "-DZSTD_TRACE=0",
        "-DXXH_NAMESPACE=ZSTD_",
    ],
};

/// A directory with the shared object.
pub(super) fn extension(steps: &Steps<'_>, tools: &Path) -> Result<PathBuf> {
    let sources = toolchain::compression_sources(steps)?;
    let libraries: Vec<(&Library, &Path)> = [&BZIP2, &XZ, &ZSTANDARD]
        .into_iter()
        .zip(sources.iter().map(PathBuf::as_path))
        .collect();
    let (file, name) = OURS;
    let mut inputs = Inputs::new(RECIPE)
        .step(tools)
        .text(source_text(&format!("python/native/{file}"))?)
        .text(source_text("python/native/module.h")?);
    for source in &sources {
        inputs = inputs.step(source);
    }
    steps.run(
        Step {
            name: "python",
            detail: "compiling bzip2, xz and Zstandard (about a minute)",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let ours = new.join("native");
            write_sources("python/native", &ours)?;
            let mut compiler = Compiler {
                program: toolchain::c_compiler(tools)?,
                directory: new,
                kept: steps.scratch(COMPILER_CACHE)?,
                objects: Vec::new(),
            };
            let mut interfaces = Vec::new();
            for (library, root) in &libraries {
                let includes = library.includes.iter().map(|path| root.join(path));
                let includes: Vec<PathBuf> = includes.collect();
                for source in code(library, root)? {
                    compiler.compile(&source, &includes, library.definitions)?;
                }
                interfaces.extend(includes);
            }
            compiler.compile(&ours.join(file), &interfaces, &[])?;
            compiler.link(&new.join(format!("{name}{EXTENSION}")))?;
            for object in &compiler.objects {
                fs::remove_file(object)?;
            }
            fs::remove_dir_all(&ours)?;
            Ok(())
        },
    )
}

/// The C compiler, and what it has made.
struct Compiler<'a> {
    program: Program,
    directory: &'a Path,
    kept: PathBuf,
    objects: Vec<PathBuf>,
}

impl Compiler<'_> {
    fn start(&self) -> Start {
        let mut start = self.program.start();
        // Include paths of the machine must not get in.
        start
            .directory(self.directory)
            .env("PATH", self.directory)
            .env("HOME", self.directory)
            .env("ZIG_GLOBAL_CACHE_DIR", &self.kept)
            .env("ZIG_LOCAL_CACHE_DIR", &self.kept);
        start
    }

    fn compile(&mut self, source: &Path, includes: &[PathBuf], definitions: &[&str]) -> Result<()> {
        let object = self.directory.join(format!("{}.o", self.objects.len()));
        let mut compile = self.start();
        compile.arg("cc").args(COMPILER_FLAGS);
        compile.args(definitions.iter().copied());
        for include in includes {
            compile.arg("-I").arg(include);
            compile.arg(format!("-ffile-prefix-map={}=/guest", include.display()));
        }
        compile.arg(source).arg("-o").arg(&object);
        self.objects.push(object);
        process::run(&compile, "").map(drop)
    }

    fn link(&self, shared_object: &Path) -> Result<()> {
        let mut link = self.start();
        link.args(LINKER_FLAGS);
        for object in &self.objects {
            link.arg(object);
        }
        link.arg("-o").arg(shared_object);
        process::run(&link, "").map(drop)
    }
}

/// The files of a library that are compiled, in the order of their paths.
fn code(library: &Library, root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in library.folders {
        let folder = root.join(folder);
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            let is_wanted = library.files.is_empty() || library.files.contains(&name);
            if name.ends_with(".c") && is_wanted && !library.left_out.contains(&name) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
