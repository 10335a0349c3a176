//! Exit codes of preview 1 modules: how do they survive the WASI 0.2 adapter?
//!
//! WASI 0.2 knows success and failure only, so the standard adapter turns every code but 0 into 1.
//! The module's own call is therefore redirected past the adapter to a host function of ours.

use crate::state::RunState;
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{ImportSection, Module, RawSection};
use wasmparser::{Parser, Payload};
use wasmtime::component::Linker;
use wit_component::StringEncoding;

/// The interface that takes the place of preview 1's `proc_exit`.
const INTERFACE: &str = "glovebox:program/exit@0.1.0";

/// The same as a WIT world.
const WORLD: &str = "package glovebox:program@0.1.0; interface exit { exit: func(code: u32); } world program { import exit; }";

/// Returns the module with its import of `proc_exit` replaced; unchanged if it has none.
pub(crate) fn with_our_exit(program: &[u8]) -> Result<Vec<u8>, String> {
    let mut module = Module::new();
    let mut replaced = false;
    for payload in Parser::new(0).parse_all(program) {
        let payload = payload.map_err(|error| error.to_string())?;
        if let Payload::ImportSection(section) = &payload {
            let mut imports = ImportSection::new();
            for import in section.clone().into_imports() {
                let import = import.map_err(|error| error.to_string())?;
                let ty = RoundtripReencoder
                    .entity_type(import.ty)
                    .map_err(|error| error.to_string())?;
                if (import.module, import.name) == ("wasi_snapshot_preview1", "proc_exit") {
                    replaced = true;
                    imports.import(INTERFACE, "exit", ty);
                } else {
                    imports.import(import.module, import.name, ty);
                }
            }
            module.section(&imports);
        } else if let Some((id, range)) = payload.as_section() {
            let data = program
                .get(range)
                .ok_or("a section lies outside the file")?;
            module.section(&RawSection { id, data });
        }
    }
    if !replaced {
        return Ok(program.to_vec());
    }
    let mut module = module.finish();
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve
        .push_str("program.wit", WORLD)
        .map_err(|error| format!("{error:#}"))?;
    let world = resolve
        .select_world(&[package], None)
        .map_err(|error| format!("{error:#}"))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| format!("{error:#}"))?;
    Ok(module)
}

/// Adds the host function that such a module imports.
pub(crate) fn add_to_linker(linker: &mut Linker<RunState>) -> wasmtime::Result<()> {
    linker
        .instance(INTERFACE)?
        .func_wrap("exit", |_, (code,): (u32,)| -> wasmtime::Result<()> {
            Err(wasmtime::Error::new(wasmtime_wasi::I32Exit(
                code.cast_signed(),
            )))
        })
}
