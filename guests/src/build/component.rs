//! Guest runner of the build: how is a guest run that was just built?
//!
//! On a plain engine without limits: nothing but our own scripts runs here.

use anyhow::{Result, anyhow, bail};
use std::path::Path;
use wasmtime::component::{Component, Linker, ResourceTable, Val};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

/// The exported interface. A test holds both versions against the contract.
const INTERPRETER: &str = "glovebox:guest/interpreter@0.1.0";

/// The imported interface.
const HOST: &str = "glovebox:guest/host@0.1.0";

/// The exported function that sets up the C library of a reactor module.
pub(super) const REACTOR: &str = "_initialize";

/// Stack for the guest, in bytes. Compiling a module recurses deeply.
const STACK_BYTES: usize = 8 << 20;

/// A host directory that the guest sees.
pub(super) struct Mount<'a> {
    pub(super) host: &'a Path,
    pub(super) guest: &'a str,
    pub(super) permissions: FsPerms,
}

struct Host {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Evaluates one script in a fresh instance of a component that brings its memory along. `code` is
/// the component.
///
/// # Errors
///
/// Where the component cannot run or the script does not reach its end.
pub(super) fn evaluate(
    code: &[u8],
    script: &str,
    arguments: &[&str],
    mounts: &[Mount<'_>],
) -> Result<()> {
    let mut config = Config::new();
    config
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(2 * STACK_BYTES);
    let engine = Engine::new(&config).map_err(plain)?;
    let component = Component::from_binary(&engine, code).map_err(plain)?;
    let mut linker: Linker<Host> = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(plain)?;
    refuse_calls(&mut linker).map_err(plain)?;
    let mut wasi = WasiCtx::builder();
    wasi.inherit_stderr();
    for mount in mounts {
        wasi.preopened_dir(mount.host, mount.guest, mount.permissions)
            .map_err(plain)?;
    }
    let host = Host {
        wasi: wasi.build(),
        table: ResourceTable::new(),
    };
    let mut store = Store::new(&engine, host);
    let instance = linker.instantiate(&mut store, &component).map_err(plain)?;
    let evaluate = instance
        .get_export_index(&mut store, None, INTERPRETER)
        .and_then(|interface| instance.get_export_index(&mut store, Some(&interface), "evaluate"))
        .and_then(|function| instance.get_func(&mut store, function))
        .ok_or_else(|| anyhow!("the component does not export `{INTERPRETER}`"))?;
    let mut completion = [Val::Bool(false)];
    evaluate
        .call(&mut store, &[source(script, arguments)], &mut completion)
        .map_err(plain)?;
    match completion {
        [Val::Variant(name, _)] if name == "finished" => Ok(()),
        [other] => bail!("a script of the build failed inside the guest: {other:?}"),
    }
}

/// Refuses host calls: scripts of the build make none.
fn refuse_calls(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut host = linker.instance(HOST)?;
    for name in ["start-call", "wait-any", "finish-call"] {
        host.func_new(name, |_, _, _, _| {
            wasmtime::bail!("a script of the build called its host")
        })?;
    }
    Ok(())
}

/// The record `source` of the contract.
fn source(script: &str, arguments: &[&str]) -> Val {
    let text = |value: &str| Val::String(value.to_owned());
    let field = |name: &str, value: Val| (name.to_owned(), value);
    Val::Record(vec![
        field("name", text("build.py")),
        field("language", text("python")),
        field("text", text(script)),
        field(
            "arguments",
            Val::List(arguments.iter().map(|argument| text(argument)).collect()),
        ),
        field("environment", Val::List(Vec::new())),
        // The same every time, so that the same sources give the same files.
        field("seed", Val::Option(Some(Box::new(Val::U64(0))))),
        field("is-last", Val::Bool(true)),
    ])
}

/// Converts the error type of the engine.
pub(super) fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::sources::source_text;

    #[test]
    fn the_interfaces_have_the_versions_of_the_contract() {
        let contract = source_text("wit/guest.wit").unwrap();
        let (name, version) = contract
            .split_once(';')
            .unwrap()
            .0
            .trim_start_matches("package ")
            .split_once('@')
            .unwrap();
        assert_eq!(INTERPRETER, format!("{name}/interpreter@{version}"));
        assert_eq!(HOST, format!("{name}/host@{version}"));
    }
}
