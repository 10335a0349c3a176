//! Module writer: how is the merged module encoded?
//!
//! Unreachable functions are left out; the rest is renumbered, and with it every index in their
//! instructions.

use super::{Constant, FunctionId, Merger};
use crate::build::link_graph::Kind;
use anyhow::{Context as _, Result, bail};
use std::collections::{BTreeMap, HashMap, HashSet};
use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection,
    Function, FunctionSection, GlobalSection, GlobalType, ImportSection, Instruction,
    MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{FuncType, Operator};

impl Merger<'_> {
    /// Every function that the exports and the table lead to, in a stable order.
    fn reachable(&self, roots: impl Iterator<Item = FunctionId>) -> Result<Vec<FunctionId>> {
        let mut seen: HashSet<FunctionId> = HashSet::new();
        let mut work: Vec<FunctionId> = roots.collect();
        while let Some(function) = work.pop() {
            if !seen.insert(function) {
                continue;
            }
            let FunctionId::Defined(module, defined) = function else {
                continue;
            };
            for operator in self.module(module)?.body(defined)?.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index } | Operator::RefFunc { function_index } => {
                        work.push(self.function(module, function_index)?);
                    }
                    _ => {}
                }
            }
        }
        let mut all: Vec<FunctionId> = seen.into_iter().collect();
        all.sort_unstable();
        Ok(all)
    }

    /// The module, with the exports that `keep` names and a memory of `pages` pages.
    pub(super) fn emit(&self, keep: &[(u32, String, String)], pages: u64) -> Result<Vec<u8>> {
        let kept = keep
            .iter()
            .map(|(module, name, public)| {
                let index = self.module(*module)?.export_index(name, Kind::Function)?;
                Ok((self.function(*module, index)?, public.as_str()))
            })
            .collect::<Result<Vec<_>>>()?;
        let reachable = self.reachable(
            kept.iter()
                .map(|(f, _)| *f)
                .chain(self.table.values().copied()),
        )?;
        let numbers: HashMap<FunctionId, u32> = reachable.iter().copied().zip(0..).collect();
        let mut writer = Writer::new(self, &numbers);
        let mut imports = ImportSection::new();
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for function in &reachable {
            let ty = writer.type_number(self.type_of(*function)?)?;
            match function {
                FunctionId::Host(index) => {
                    let (module, name, _) = self.host.get(*index as usize).context("host index")?;
                    imports.import(module, name, EntityType::Function(ty));
                }
                FunctionId::Defined(module, defined) => {
                    functions.function(ty);
                    code.function(&writer.body(*module, *defined)?);
                }
            }
        }

        let number = |function: FunctionId| {
            numbers
                .get(&function)
                .copied()
                .context("function is not numbered")
        };
        let elements = self.elements(number)?;
        let mut exports = ExportSection::new();
        exports.export("memory", ExportKind::Memory, 0);
        for (function, public) in kept {
            exports.export(public, ExportKind::Func, number(function)?);
        }
        let mut module = Module::new();
        module
            .section(&writer.types)
            .section(&imports)
            .section(&functions)
            .section(TableSection::new().table(self.table_type()?))
            .section(MemorySection::new().memory(MemoryType {
                minimum: pages,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            }))
            .section(&writer.globals)
            .section(&exports)
            .section(&elements)
            .section(&code);
        Ok(module.finish())
    }

    /// The element segments of the table, whose functions are renumbered.
    fn elements(&self, number: impl Fn(FunctionId) -> Result<u32>) -> Result<ElementSection> {
        let mut elements = ElementSection::new();
        for (start, run) in runs(&self.table) {
            let run = run.into_iter().map(&number).collect::<Result<Vec<u32>>>()?;
            elements.active(
                None,
                &ConstExpr::i32_const(start.cast_signed()),
                Elements::Functions(run.into()),
            );
        }
        Ok(elements)
    }

    /// The type of the one table, which is as large as the largest of the modules.
    fn table_type(&self) -> Result<TableType> {
        let slots = self
            .modules
            .values()
            .flat_map(|module| &module.tables)
            .map(|table| table.initial)
            .max()
            .context("no module defines a table")?;
        Ok(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: slots,
            maximum: Some(slots),
            shared: false,
        })
    }
}

/// Contiguous runs of a sparse table.
fn runs(table: &BTreeMap<u32, FunctionId>) -> Vec<(u32, Vec<FunctionId>)> {
    let mut runs: Vec<(u32, Vec<FunctionId>)> = Vec::new();
    let mut next = None;
    for (slot, function) in table {
        match runs.last_mut() {
            Some((_, run)) if next == Some(*slot) => run.push(*function),
            _ => runs.push((*slot, vec![*function])),
        }
        next = slot.checked_add(1);
    }
    runs
}

/// Numbers types and globals as bodies come to need them, and writes the bodies.
struct Writer<'m, 'a> {
    merger: &'m Merger<'a>,
    numbers: &'m HashMap<FunctionId, u32>,
    types: TypeSection,
    type_numbers: HashMap<FuncType, u32>,
    globals: GlobalSection,
    global_numbers: HashMap<(u32, u32), u32>,
}

impl<'m, 'a> Writer<'m, 'a> {
    fn new(merger: &'m Merger<'a>, numbers: &'m HashMap<FunctionId, u32>) -> Self {
        Self {
            merger,
            numbers,
            types: TypeSection::new(),
            type_numbers: HashMap::new(),
            globals: GlobalSection::new(),
            global_numbers: HashMap::new(),
        }
    }

    fn type_number(&mut self, ty: &FuncType) -> Result<u32> {
        if let Some(number) = self.type_numbers.get(ty) {
            return Ok(*number);
        }
        let convert = |types: &[wasmparser::ValType]| {
            types
                .iter()
                .map(|ty| {
                    Ok(match ty {
                        wasmparser::ValType::I32 => ValType::I32,
                        wasmparser::ValType::I64 => ValType::I64,
                        wasmparser::ValType::F32 => ValType::F32,
                        wasmparser::ValType::F64 => ValType::F64,
                        wasmparser::ValType::V128 => ValType::V128,
                        wasmparser::ValType::Ref(ty) => {
                            bail!("reference type {ty:?} in a guest's function type")
                        }
                    })
                })
                .collect::<Result<Vec<_>>>()
        };
        let number = self.types.len();
        self.types
            .ty()
            .function(convert(ty.params())?, convert(ty.results())?);
        self.type_numbers.insert(ty.clone(), number);
        Ok(number)
    }

    fn global_number(&mut self, key: (u32, u32)) -> Result<u32> {
        if let Some(number) = self.global_numbers.get(&key) {
            return Ok(*number);
        }
        let global = self
            .merger
            .module(key.0)?
            .globals
            .get(key.1 as usize)
            .context("global index")?;
        let value = self
            .merger
            .evaluate(key.0, &global.init_expr, &self.merger.constants)?;
        let (val_type, init) = match value {
            Some(Constant::I32(value)) => (ValType::I32, ConstExpr::i32_const(value)),
            Some(Constant::I64(value)) => (ValType::I64, ConstExpr::i64_const(value)),
            None => bail!("global {key:?} has an initial value that is not an integer constant"),
        };
        let number = self.globals.len();
        self.globals.global(
            GlobalType {
                val_type,
                mutable: true,
                shared: false,
            },
            &init,
        );
        self.global_numbers.insert(key, number);
        Ok(number)
    }

    fn body(&mut self, module: u32, defined: u32) -> Result<Function> {
        let body = self.merger.module(module)?.body(defined)?;
        let mut translator = Translator {
            writer: self,
            module,
        };
        let mut function =
            utils::new_function_with_parsed_locals(&mut translator, body).map_err(reencoding)?;
        // An `i32.const` is held back by one instruction: a call through a constant table slot
        // becomes a plain call.
        let mut held: Option<i32> = None;
        for operator in body.get_operators_reader()? {
            let operator = operator?;
            let constant = match &operator {
                Operator::I32Const { value } => Some(Constant::I32(*value)),
                Operator::GlobalGet { global_index } => {
                    let key = translator.writer.merger.global(module, *global_index)?;
                    translator.writer.merger.constants.get(&key).copied()
                }
                _ => None,
            };
            if let Some(slot) = held
                && let Operator::CallIndirect { type_index, .. } = &operator
                && let Some(number) = translator.direct(slot, *type_index)?
            {
                held = None;
                function.instruction(&Instruction::Call(number));
                continue;
            }
            if let Some(value) = held.take() {
                function.instruction(&Instruction::I32Const(value));
            }
            match constant {
                Some(Constant::I32(value)) => held = Some(value),
                Some(Constant::I64(value)) => {
                    function.instruction(&Instruction::I64Const(value));
                }
                None => {
                    function.instruction(&translator.instruction(operator).map_err(reencoding)?);
                }
            }
        }
        Ok(function)
    }
}

/// Renumbers the instructions of one module's functions.
struct Translator<'w, 'm, 'a> {
    writer: &'w mut Writer<'m, 'a>,
    module: u32,
}

impl Translator<'_, '_, '_> {
    /// The function in a table slot, if a call through it with that type cannot trap.
    fn direct(&self, slot: i32, type_index: u32) -> Result<Option<u32>> {
        let merger = self.writer.merger;
        let Some(function) = merger.table.get(&slot.cast_unsigned()) else {
            return Ok(None);
        };
        if merger.type_of(*function)? != merger.module(self.module)?.ty(type_index)? {
            return Ok(None);
        }
        Ok(self.writer.numbers.get(function).copied())
    }
}

type Reencoded<T> = std::result::Result<T, wasm_encoder::reencode::Error<anyhow::Error>>;

impl Reencode for Translator<'_, '_, '_> {
    type Error = anyhow::Error;

    fn function_index(&mut self, index: u32) -> Reencoded<u32> {
        let number = self
            .writer
            .merger
            .function(self.module, index)
            .and_then(|function| {
                self.writer
                    .numbers
                    .get(&function)
                    .copied()
                    .context("function is not numbered")
            });
        number.map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn global_index(&mut self, index: u32) -> Reencoded<u32> {
        let number = self
            .writer
            .merger
            .global(self.module, index)
            .and_then(|key| self.writer.global_number(key));
        number.map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn type_index(&mut self, index: u32) -> Reencoded<u32> {
        let ty = self
            .writer
            .merger
            .module(self.module)
            .and_then(|module| module.ty(index).cloned());
        ty.and_then(|ty| self.writer.type_number(&ty))
            .map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn memory_index(&mut self, _: u32) -> Reencoded<u32> {
        Ok(0)
    }

    fn table_index(&mut self, _: u32) -> Reencoded<u32> {
        Ok(0)
    }
}

fn reencoding(error: wasm_encoder::reencode::Error<anyhow::Error>) -> anyhow::Error {
    match error {
        wasm_encoder::reencode::Error::UserError(error) => error,
        other => anyhow::anyhow!("cannot renumber a function: {other}"),
    }
}
