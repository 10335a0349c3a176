//! JavaScript guest: how is it built, and the TypeScript guest that shares its code?
//!
//! One C translation unit holds the engine and our part of it. It is compiled once and initialised
//! twice: plain, and with the TypeScript transform loaded. What differs is in the memory only, so
//! both guests run the same machine code.

use super::commonjs::bundle;
use super::engine_edits::write_edited_engine;
use super::flatten::wrap_directly;
use super::heap_layout::{Program, observe};
use super::image::{WASM_PAGE, blank, strip, without_end};
use super::locales::locales;
use super::node_library::{library as node_library, write_node_library};
use super::order::in_front;
use super::preinitialise::{bytes_after, preinitialise};
use super::product::{Product, unmeasured};
use super::sources::write_sources;
use super::steps::{COMPILER_CACHE, Inputs, Network, Step, Steps};
use super::{process, toolchain};
use crate::installation::write_sparse;
use crate::manifest::{Guest, Language};
use anyhow::{Context as _, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use glovebox_host::program::Start;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The code of the compiling and initialising steps: all of it decides what comes out.
const RECIPE: &str = concat!(
    include_str!("javascript.rs"),
    include_str!("commonjs.rs"),
    include_str!("flatten.rs"),
    include_str!("direct.rs"),
    include_str!("engine_edits.rs"),
    include_str!("order.rs"),
    include_str!("link_graph.rs"),
    include_str!("locales.rs"),
    include_str!("node_library.rs"),
    include_str!("preinitialise.rs"),
    include_str!("heap_layout.rs"),
    include_str!("typical.js"),
    include_str!("image.rs"),
);

/// The function that initialises each guest, by its name.
const INITIALISERS: [(&str, &str); 2] = [
    ("javascript", "wizer-initialize"),
    ("typescript", "wizer-initialize-typescript"),
];

/// The entries of the transform: itself, and its parser for what the prelude does in front of it.
const TRANSFORM: [&str; 3] = [
    "sucrase",
    "sucrase/dist/parser/index.js",
    "sucrase/dist/parser/tokenizer/types.js",
];

/// The files of the bundle that have the transform and the compiler for other interpreters, and the
/// files of the compiling step that they are made of.
const TRANSFORM_FILE: (&str, &str) = ("transform.js.gz", "typescript.js");
const COMPILER_FILE: (&str, &str) = ("compiler.js.gz", "library_typescript.js");

/// The libraries that programs get as parts of Node, with the file that the C code embeds.
const LIBRARIES: [(&str, &[&str]); 5] = [
    (
        "library_crypto.js",
        &["@noble/ciphers/aes.js", "@noble/ciphers/_polyval.js"],
    ),
    ("library_minimatch.js", &["minimatch"]),
    ("library_typescript.js", &["typescript"]),
    ("library_web_streams.js", &["web-streams-polyfill"]),
    (
        "library_zlib.js",
        &[
            "pako",
            "pako/lib/zlib/deflate.js",
            "pako/lib/zlib/inflate.js",
            "pako/lib/zlib/zstream.js",
            "pako/lib/zlib/crc32.js",
        ],
    ),
];

/// The functions that say where the bytecode of the large library is, and how long.
const LIBRARY_CODE: [&str; 2] = ["library-code", "library-length"];

/// Gives the C code the transform's text, but only where the guest is initialised for TypeScript:
/// otherwise the text is empty.
const TYPESCRIPT_HEADER: &str = "\
static const unsigned char typescript_text[] = {
#embed \"typescript.js\" suffix(, 0)
};
static const unsigned char *typescript_js = (const unsigned char *)\"\";
static size_t typescript_js_len = 0;

void initialize(void);

__attribute__((export_name(\"wizer-initialize-typescript\"))) void initialize_typescript(void) {
    typescript_js = typescript_text;
    typescript_js_len = sizeof(typescript_text) - 1;
    initialize();
}
";

/// The programs whose runs decide the layout of heap and code: the shortest one, then a typical
/// one.
const OBSERVED_PROGRAMS: [&str; 2] = ["console.log(1+1)", include_str!("typical.js")];

/// The flags of the C compiler; the runtime's engine has every feature here, and none of them can
/// be switched off in it.
const FLAGS: [&str; 15] = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-std=gnu23",
    "-O2",
    "-DNDEBUG",
    "-mbulk-memory",
    "-mnontrapping-fptoint",
    "-msign-ext",
    "-mmultivalue",
    // The engine relies on these three.
    "-fno-strict-aliasing",
    "-fwrapv",
    "-funsigned-char",
    "-w",
    "-Wl,-z,stack-size=5767168,--strip-all",
];

/// The JavaScript and the TypeScript guest.
pub(super) fn guests(steps: &Steps<'_>) -> Result<Vec<Product>> {
    let tools = toolchain::python_packages(steps)?;
    let engine = toolchain::engine_sources(steps)?;
    let compiled = compile(steps, &tools, &engine)?;
    let parts = initialise(steps, &compiled)?;
    let engine = engine_version(&engine)?;
    let transform = toolchain::pins()?
        .first()
        .map(|pin| format!("{} {}", pin.name, pin.version))
        .unwrap_or_default();
    let guest = |name: &str,
                 version: String,
                 (alias, extensions): (&str, &[&str]),
                 scripts: [Option<&str>; 2]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let image = format!("{name}.image");
        let mut files = vec![
            ("javascript.wasm".to_owned(), parts.join("component.wasm")),
            (image.clone(), parts.join(&image)),
        ];
        for file in scripts.iter().flatten() {
            files.push(((*file).to_owned(), compiled.join(file)));
        }
        let [transform, compiler] = scripts.map(|file| file.map(unmeasured));
        Product {
            guest: Guest {
                name: name.to_owned(),
                version,
                languages: vec![Language {
                    name: name.to_owned(),
                    aliases: owned(&[alias]),
                    extensions: owned(extensions),
                }],
                component: unmeasured("javascript.wasm"),
                image: unmeasured(&image),
                trees: Vec::new(),
                workspace: "/work".to_owned(),
                packages: Some("/node_modules".to_owned()),
                transform,
                compiler,
            },
            files,
        }
    };
    let typed = format!("{engine} with {transform}");
    Ok(vec![
        guest(
            "javascript",
            engine,
            ("js", &["js", "mjs", "cjs"]),
            [None, None],
        ),
        guest(
            "typescript",
            typed,
            ("ts", &["ts", "mts", "cts", "tsx", "jsx"]),
            [Some(TRANSFORM_FILE.0), Some(COMPILER_FILE.0)],
        ),
    ])
}

/// The core module and the texts of the npm packages that are inside it.
fn compile(steps: &Steps<'_>, tools: &Path, engine: &Path) -> Result<PathBuf> {
    let packages = toolchain::npm_packages(steps)?;
    let library = node_library(steps)?;
    let locales = locales(steps)?;
    let mut inputs = Inputs::new(RECIPE)
        .step(tools)
        .step(engine)
        .sources("javascript")
        .step(&library)
        .step(&locales);
    for package in &packages {
        inputs = inputs
            .text(&package.name)
            .step(package.directory.parent().unwrap_or(&package.directory));
    }
    steps.run(
        Step {
            name: "javascript",
            detail: "compiling QuickJS-ng (about a minute)",
            inputs,
            network: Network::Unneeded,
        },
        |new| {
            let ours = new.join("javascript");
            write_sources("javascript", &ours)?;
            write_edited_engine(engine, &ours)?;
            // The prelude takes the transform from this variable.
            let transform = bundle(&packages, &TRANSFORM)?;
            let transform = format!("globalThis.__sucrase = {transform}(() => undefined);\n");
            fs::write(new.join("typescript.js"), transform)?;
            for (file, entries) in LIBRARIES {
                fs::write(new.join(file), bundle(&packages, entries)?)?;
            }
            write_node_library(&library, new)?;
            for entry in fs::read_dir(&locales)? {
                let path = entry?.path();
                fs::copy(&path, new.join(path.file_name().unwrap_or_default()))?;
            }
            fs::write(new.join("typescript.h"), TYPESCRIPT_HEADER)?;
            // The large library is compiled by a guest of its own, see `lazy.c`.
            let scratch = steps.scratch(COMPILER_CACHE)?;
            let compile = |defines: &[&str], out: &str| {
                let mut compiler = c_compiler(tools, new, &scratch)?;
                compiler.args(FLAGS).args(defines);
                for directory in [engine, &ours, new] {
                    compiler.arg("-I").arg(directory);
                    compiler.arg(format!("-ffile-prefix-map={}=/guest", directory.display()));
                }
                compiler
                    .arg(ours.join("guest.c"))
                    .arg("-lwasi-emulated-process-clocks");
                compiler.arg("-o").arg(new.join(out));
                process::run(&compiler, "")
            };
            let first = new.join("compiler.wasm");
            compile(&["-DCOMPILES_LIBRARY"], "compiler.wasm")?;
            let code = bytes_after(&fs::read(&first)?, "wizer-initialize", LIBRARY_CODE)?;
            fs::remove_file(first)?;
            steps.message(
                "javascript",
                &format!(
                    "the TypeScript compiler has {} KB of bytecode",
                    code.len() / 1000
                ),
            );
            fs::write(new.join("library_typescript.bytecode"), code)?;
            compile(&["-DHAVE_TYPESCRIPT"], "guest.wasm")?;
            for (file, text) in [TRANSFORM_FILE, COMPILER_FILE] {
                compress(&new.join(text), &new.join(file))?;
            }
            fs::remove_dir_all(ours)?;
            Ok(())
        },
    )
}

/// Compresses a script, which is sent to every container that needs it.
fn compress(text: &Path, to: &Path) -> Result<()> {
    let mut encoder = GzEncoder::new(fs::File::create(to)?, Compression::best());
    encoder.write_all(&fs::read(text)?)?;
    encoder.finish()?;
    Ok(())
}

/// The C compiler, which sees nothing of the machine: include paths must not get in.
fn c_compiler(tools: &Path, new: &Path, scratch: &Path) -> Result<Start> {
    let mut compiler = toolchain::c_compiler(tools)?.start();
    compiler
        .directory(new)
        .env("PATH", new)
        .env("HOME", new)
        .env("ZIG_GLOBAL_CACHE_DIR", scratch)
        .env("ZIG_LOCAL_CACHE_DIR", scratch);
    compiler.arg("cc");
    Ok(compiler)
}

/// The component and one image for each language.
fn initialise(steps: &Steps<'_>, compiled: &Path) -> Result<PathBuf> {
    let inputs = Inputs::new(RECIPE).step(compiled).sources("wit");
    steps.run(Step { name: "javascript", detail: "initialising the JavaScript and TypeScript guests", inputs, network: Network::Unneeded }, |new| {
        let module = fs::read(compiled.join("guest.wasm")).context("the compiled module is gone")?;
        let transform = fs::read(compiled.join("typescript.js")).context("the TypeScript transform is gone")?;
        let (mut snapshots, mut functions) = (Vec::new(), Vec::new());
        for (name, function) in INITIALISERS {
            // The transform alone runs for millions of instructions.
            let strides = if name == "javascript" { [1, 64] } else { [64, 2048] };
            let programs = OBSERVED_PROGRAMS.iter().zip(1..).zip(strides);
            let programs = programs.map(|((text, region), stride)| Program { language: name, text, region, stride });
            let plan = observe(&module, function, &programs.collect::<Vec<_>>())?;
            snapshots.push((name, preinitialise(&module, function, Some(&plan))?));
            functions.extend(plan.functions);
        }
        let mut pages = 0;
        for (_, snapshot) in &snapshots {
            pages = pages.max(strip(snapshot, 0, is_kept)?.image.len() as u64 / WASM_PAGE);
        }
        let mut shared: Option<Vec<u8>> = None;
        for (name, snapshot) in &snapshots {
            let mut stripped = strip(snapshot, pages, is_kept)?;
            blank(&mut stripped.image, &transform)?;
            write_sparse(&new.join(format!("{name}.image")), without_end(&stripped.image))?;
            let module = shared.get_or_insert_with(|| stripped.module.clone());
            ensure!(*module == stripped.module, "the initialisation of `{name}` changed more than memory, so it cannot share its code");
        }
        let module = in_front(&shared.context("there is nothing to initialise")?, &functions)?;
        let component = component(new, module)?;
        fs::write(new.join("component.wasm"), &component)?;
        steps.message("javascript", &format!("code {} KB, memory {} KB", component.len() / 1000, pages * WASM_PAGE / 1000));
        Ok(())
    })
}

/// The exports that a component needs. The rest has done its work, and `_initialize` must not run
/// again.
fn is_kept(export: &str) -> bool {
    export == "memory" || export.starts_with("cabi_") || export.starts_with("glovebox:guest/")
}

/// Wraps the core module by our own contract.
fn component(scratch: &Path, module: Vec<u8>) -> Result<Vec<u8>> {
    let wit = scratch.join("wit");
    write_sources("wit", &wit)?;
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(&wit)?;
    fs::remove_dir_all(wit)?;
    let world = resolve.select_world(&[package], Some("javascript"))?;
    wrap_directly(module, &resolve, world)
}

/// Returns the name and version of the engine.
fn engine_version(engine: &Path) -> Result<String> {
    let header =
        fs::read_to_string(engine.join("quickjs.h")).context("the engine has no `quickjs.h`")?;
    let number = |part: &str| {
        header
            .lines()
            .find_map(|line| {
                line.strip_prefix("#define QJS_VERSION_")?
                    .strip_prefix(part)
            })
            .map(str::trim)
            .with_context(|| format!("`quickjs.h` has no `QJS_VERSION_{part}`"))
    };
    Ok(format!(
        "QuickJS-ng {}.{}.{}",
        number("MAJOR")?,
        number("MINOR")?,
        number("PATCH")?
    ))
}
