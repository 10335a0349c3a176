//! C library repairs: which of its functions are replaced, and why?
//!
//! Its `write` reports every failure of a stream as an I/O error, because it never asks what the
//! failure was. A full disk must be reported as one, so `write` is replaced by a function that asks
//! the file system itself: extending the file by as much fails with the reason.

use super::super::link_graph::Kind;
use super::super::module::{CoreModule, DefinedItem};
use super::{FunctionId, Merger, Resolved};
use anyhow::{Context as _, Result, ensure};
use wasm_encoder::{
    BlockType, CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    ImportSection, MemArg, MemoryType, Module, TypeSection, ValType,
};

/// `EIO` of WASI's C library.
const EIO: i32 = 29;

/// The functions that the replacement calls, in the order of its imports; it replaces the first.
const CALLED: [&str; 4] = ["write", "lseek", "ftruncate", "__errno_location"];

impl Merger<'_> {
    /// Adds the replacement where a module is the C library that needs it.
    pub(super) fn repair(&mut self) -> Result<()> {
        let Some((library, functions)) = self
            .modules
            .iter()
            .find_map(|(index, module)| Some((*index, c_library(module)?)))
        else {
            return Ok(());
        };
        let own = self.modules.keys().max().map_or(0, |last| last + 1);
        let module = CoreModule::read(replacement())?;
        for (import, function) in module
            .imports
            .iter()
            .filter(|import| import.kind == Kind::Function)
            .zip(functions)
        {
            let (wanted, found) = (
                module.import_type(import)?,
                self.module(library)?.defined_type(function)?,
            );
            ensure!(
                wanted == *found,
                "`{}` of the C library has another type than it had",
                import.name
            );
            self.resolved.insert(
                (own, Kind::Function, import.index),
                Resolved::Defined(library, function),
            );
        }
        let replaced = functions.first().copied().context("nothing is replaced")?;
        self.modules.insert(own, module);
        self.repairs = Some(own);
        self.forwards.insert(
            FunctionId::Defined(library, replaced),
            FunctionId::Defined(own, 0),
        );
        Ok(())
    }
}

/// The functions that the replacement needs, if the module defines them all.
fn c_library(module: &CoreModule<'_>) -> Option<[u32; CALLED.len()]> {
    let mut functions = [0; CALLED.len()];
    for (name, function) in CALLED.iter().zip(&mut functions) {
        let Ok(DefinedItem::Defined(index)) = module.export(name, Kind::Function) else {
            return None;
        };
        *function = index;
    }
    Some(functions)
}

/// The module with the replacement; made once and kept, because it is part of what is merged.
fn replacement() -> &'static [u8] {
    static BYTES: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(encode);
    &BYTES
}

fn encode() -> Vec<u8> {
    use ValType::{I32, I64};
    let mut types = TypeSection::new();
    types.ty().function([I32, I32, I32], [I32]);
    types.ty().function([I32, I64, I32], [I64]);
    types.ty().function([I32, I64], [I32]);
    types.ty().function([], [I32]);
    let mut imports = ImportSection::new();
    for (name, ty) in CALLED.iter().zip(0..) {
        imports.import("c", name, EntityType::Function(ty));
    }
    imports.import(
        "c",
        "memory",
        MemoryType {
            minimum: 0,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        },
    );
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("write", ExportKind::Func, 4);
    let mut code = CodeSection::new();
    code.function(&write());
    let mut module = Module::new();
    module
        .section(&types)
        .section(&imports)
        .section(&functions)
        .section(&exports)
        .section(&code);
    module.finish()
}

/// `write(fd, data, count)`.
fn write() -> Function {
    const FD: u32 = 0;
    const DATA: u32 = 1;
    const COUNT: u32 = 2;
    const RESULT: u32 = 3;
    const PLACE: u32 = 4;
    const SIZE: u32 = 5;
    const CALL_WRITE: u32 = 0;
    const CALL_LSEEK: u32 = 1;
    const CALL_FTRUNCATE: u32 = 2;
    const CALL_ERRNO: u32 = 3;
    let errno = MemArg {
        offset: 0,
        align: 2,
        memory_index: 0,
    };
    let mut function = Function::new([(1, ValType::I32), (2, ValType::I64)]);
    let mut body = function.instructions();
    // A write that succeeds, or fails with a reason, is the library's own.
    body.local_get(FD)
        .local_get(DATA)
        .local_get(COUNT)
        .call(CALL_WRITE)
        .local_tee(RESULT);
    body.i32_const(-1)
        .i32_ne()
        .call(CALL_ERRNO)
        .i32_load(errno)
        .i32_const(EIO)
        .i32_ne()
        .i32_or();
    body.if_(BlockType::Empty).local_get(RESULT).return_().end();
    // Only files can seek.
    body.local_get(FD)
        .i64_const(0)
        .i32_const(1)
        .call(CALL_LSEEK)
        .local_tee(PLACE);
    body.i64_const(0).i64_ge_s().if_(BlockType::Empty);
    body.local_get(FD)
        .i64_const(0)
        .i32_const(2)
        .call(CALL_LSEEK)
        .local_set(SIZE);
    body.local_get(FD)
        .local_get(PLACE)
        .i32_const(0)
        .call(CALL_LSEEK)
        .drop();
    // Extending the file fails with the reason in `errno`; where it works after all, it is undone.
    body.local_get(FD)
        .local_get(SIZE)
        .local_get(COUNT)
        .i64_extend_i32_u()
        .i64_add()
        .call(CALL_FTRUNCATE);
    body.if_(BlockType::Empty).local_get(RESULT).return_().end();
    body.local_get(FD)
        .local_get(SIZE)
        .call(CALL_FTRUNCATE)
        .drop();
    body.end();
    body.call(CALL_ERRNO).i32_const(EIO).i32_store(errno);
    body.local_get(RESULT).end();
    function
}
