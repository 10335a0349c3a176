//! C library repairs: which of its functions are replaced, and why?
//!
//! Its `write` reports every failure of a stream as an I/O error, because it never asks what the
//! failure was. A full disk must be reported as one, so `write` is replaced by a function that
//! writes once more, without a stream, which fails with the reason.

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
const CALLED: [&str; 5] = ["write", "lseek", "pwrite", "fcntl", "__errno_location"];

/// Their types, by index: `fcntl` takes a pointer to its further arguments.
const TYPES: [u32; CALLED.len()] = [0, 1, 2, 0, 3];

/// `F_GETFL`, and the flag of files that are always written at their end.
const GET_FLAGS: i32 = 3;
const APPEND: i32 = 1;

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
    types.ty().function([I32, I32, I32, I64], [I32]);
    types.ty().function([], [I32]);
    let mut imports = ImportSection::new();
    for (name, ty) in CALLED.iter().zip(TYPES) {
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
    exports.export("write", ExportKind::Func, CALLED.len() as u32);
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
    const CALL_WRITE: u32 = 0;
    const CALL_LSEEK: u32 = 1;
    const CALL_PWRITE: u32 = 2;
    const CALL_FCNTL: u32 = 3;
    const CALL_ERRNO: u32 = 4;
    const FROM_START: i32 = 0;
    const FROM_HERE: i32 = 1;
    const FROM_END: i32 = 2;
    let errno = MemArg {
        offset: 0,
        align: 2,
        memory_index: 0,
    };
    let mut function = Function::new([(1, ValType::I32), (1, ValType::I64)]);
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
    // The place is the end of the file if all is appended. Only files have one.
    body.local_get(FD).i64_const(0);
    body.i32_const(FROM_END).i32_const(FROM_HERE);
    body.local_get(FD)
        .i32_const(GET_FLAGS)
        .i32_const(0)
        .call(CALL_FCNTL)
        .i32_const(APPEND)
        .i32_and()
        .select();
    body.call(CALL_LSEEK)
        .local_tee(PLACE)
        .i64_const(0)
        .i64_lt_s();
    body.if_(BlockType::Empty);
    body.call(CALL_ERRNO).i32_const(EIO).i32_store(errno);
    body.i32_const(-1).return_().end();
    body.local_get(FD)
        .local_get(DATA)
        .local_get(COUNT)
        .local_get(PLACE)
        .call(CALL_PWRITE)
        .local_tee(RESULT);
    // What fitted after all counts as written.
    body.i32_const(0).i32_gt_s().if_(BlockType::Empty);
    body.local_get(FD)
        .local_get(PLACE)
        .local_get(RESULT)
        .i64_extend_i32_u()
        .i64_add()
        .i32_const(FROM_START)
        .call(CALL_LSEEK)
        .drop();
    body.end();
    body.local_get(RESULT).end();
    function
}
