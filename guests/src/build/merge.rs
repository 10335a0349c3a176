//! How do the linked core modules of a component become one flat module?
//!
//! Three things make a linked component slow to start and to run: thousands of table entries at an imported base, globals that hold
//! addresses but must be loaded each time, and calls between libraries through stubs. After the merge table offsets are constants,
//! globals that nothing writes are constants in the code, and a call through a constant table slot is a plain call.

use super::image::{WASM_PAGE, write_at};
use super::link_graph::{Kind, LinkGraph, Origin};
use super::module::{CoreModule, DefinedItem};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::{BTreeMap, HashMap, HashSet};
use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function, FunctionSection, GlobalSection,
    GlobalType, ImportSection, Instruction, MemorySection, MemoryType, Module, RefType, TableSection, TableType, TypeSection, ValType,
};
use wasmparser::{FuncType, Operator};

/// The merged module and the image of its memory.
pub(super) struct Merged {
    pub(super) module: Vec<u8>,
    pub(super) image: Vec<u8>,
}

/// A function after the merge, before numbering.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
enum FunctionId {
    /// Index into `Merger::host`.
    Host(u32),
    /// Module and index among the functions that it defines.
    Defined(u32, u32),
}

/// A constant that a global holds for ever.
#[derive(Clone, Copy, Debug)]
enum Constant {
    I32(i32),
    I64(i64),
}

struct Merger<'a> {
    modules: BTreeMap<u32, CoreModule<'a>>,
    host: Vec<(String, String, FuncType)>,
    /// What each import of a module is.
    resolved: HashMap<(u32, Kind, u32), Resolved>,
    /// Values of globals that nothing writes, by module and defined index.
    constants: HashMap<(u32, u32), Constant>,
    /// The whole table after instantiation.
    table: BTreeMap<u32, FunctionId>,
    /// Functions that only pass their arguments on to another one.
    forwards: HashMap<FunctionId, FunctionId>,
}

#[derive(Clone, Copy, Debug)]
enum Resolved {
    Host(u32),
    Defined(u32, u32),
}

/// Merges the component's core modules; `keep` says which exports of which module the flat module exports, and as what.
///
/// # Errors
///
/// Where an assumption does not hold: one memory, one table, every module instantiated once, no start function, constant offsets, no
/// passive segments, no instruction that changes the table.
pub(super) fn merge(graph: &LinkGraph<'_>, keep: &[(u32, String, String)]) -> Result<Merged> {
    let mut merger = Merger {
        modules: BTreeMap::new(),
        host: Vec::new(),
        resolved: HashMap::new(),
        constants: HashMap::new(),
        table: BTreeMap::new(),
        forwards: HashMap::new(),
    };
    for (index, _) in graph.instantiated() {
        let bytes = graph.modules.get(index as usize).context("module index")?;
        merger.modules.insert(index, CoreModule::read(bytes).with_context(|| format!("core module {index}"))?);
    }
    merger.resolve_imports(graph)?;
    merger.find_constants()?;
    merger.fill_table()?;
    merger.find_forwards()?;
    let image = merger.image()?;
    let module = merger.emit(keep, image.len() as u64 / WASM_PAGE)?;
    Ok(Merged { module, image })
}

impl<'a> Merger<'a> {
    fn module(&self, index: u32) -> Result<&CoreModule<'a>> {
        self.modules.get(&index).with_context(|| format!("core module {index} is not merged"))
    }

    fn resolve_imports(&mut self, graph: &LinkGraph<'_>) -> Result<()> {
        let mut host: HashMap<(String, String), u32> = HashMap::new();
        for (index, arguments) in graph.instantiated() {
            for import in self.module(index)?.imports.clone() {
                let instance = arguments
                    .iter()
                    .find(|(name, _)| name == import.module)
                    .with_context(|| format!("module {index} imports from `{}`, which it is not given", import.module))?
                    .1;
                let mut origin = graph.origin(instance, import.name, import.kind)?;
                // An export may be an import passed on; follow it through its own module's arguments.
                let resolved = loop {
                    match origin {
                        Origin::Host => {
                            ensure!(import.kind == Kind::Function, "the host provides `{}`, which is no function", import.name);
                            let ty = self.module(index)?.import_type(&import)?;
                            let key = (import.module.to_owned(), import.name.to_owned());
                            let id = match host.get(&key) {
                                Some(id) => *id,
                                None => {
                                    let id = u32::try_from(self.host.len())?;
                                    self.host.push((key.0.clone(), key.1.clone(), ty));
                                    host.insert(key, id);
                                    id
                                }
                            };
                            break Resolved::Host(id);
                        }
                        Origin::Export { module, name } => match self.module(module)?.export(&name, import.kind)? {
                            DefinedItem::Defined(item) => break Resolved::Defined(module, item),
                            DefinedItem::Imported(again) => {
                                let (_, arguments) =
                                    graph.instantiated().find(|(m, _)| *m == module).context("exporting module is not instantiated")?;
                                let instance = arguments
                                    .iter()
                                    .find(|(name, _)| name == again.module)
                                    .context("re-exported import has no argument")?
                                    .1;
                                origin = graph.origin(instance, again.name, import.kind)?;
                            }
                        },
                    }
                };
                self.resolved.insert((index, import.kind, import.index), resolved);
            }
        }
        Ok(())
    }

    /// The item behind an index of a module's own index space.
    fn item(&self, module: u32, kind: Kind, index: u32) -> Result<Resolved> {
        match self.module(module)?.own_index(kind, index) {
            Some(defined) => Ok(Resolved::Defined(module, defined)),
            None => self
                .resolved
                .get(&(module, kind, index))
                .copied()
                .with_context(|| format!("{kind:?} {index} of module {module} is not resolved")),
        }
    }

    fn function(&self, module: u32, index: u32) -> Result<FunctionId> {
        let id = match self.item(module, Kind::Function, index)? {
            Resolved::Host(host) => FunctionId::Host(host),
            Resolved::Defined(module, defined) => FunctionId::Defined(module, defined),
        };
        Ok(self.forwards.get(&id).copied().unwrap_or(id))
    }

    fn global(&self, module: u32, index: u32) -> Result<(u32, u32)> {
        match self.item(module, Kind::Global, index)? {
            Resolved::Defined(module, defined) => Ok((module, defined)),
            Resolved::Host(_) => bail!("the host provides no globals"),
        }
    }

    /// A global is a constant if it is declared so or if no instruction of any module writes it.
    fn find_constants(&mut self) -> Result<()> {
        let mut written = HashSet::new();
        for (index, module) in &self.modules {
            for body in &module.bodies {
                for operator in body.get_operators_reader()? {
                    match operator? {
                        Operator::GlobalSet { global_index } => {
                            written.insert(self.global(*index, global_index)?);
                        }
                        Operator::TableSet { .. }
                        | Operator::TableGrow { .. }
                        | Operator::TableFill { .. }
                        | Operator::TableCopy { .. }
                        | Operator::TableInit { .. }
                        | Operator::MemoryInit { .. }
                        | Operator::DataDrop { .. }
                        | Operator::ElemDrop { .. } => {
                            bail!("module {index} changes its table or uses passive segments");
                        }
                        _ => {}
                    }
                }
            }
        }
        // Initialisers refer to globals that came before; modules are instantiated in an order that makes one pass enough for each,
        // but a re-exported global may come from a later index, so pass until nothing is new.
        let mut constants = HashMap::new();
        loop {
            let before = constants.len();
            for (index, module) in &self.modules {
                for (defined, global) in module.globals.iter().enumerate() {
                    let key = (*index, u32::try_from(defined)?);
                    if written.contains(&key) || constants.contains_key(&key) {
                        continue;
                    }
                    if let Some(value) = self.evaluate(*index, &global.init_expr, &constants)? {
                        constants.insert(key, value);
                    }
                }
            }
            if constants.len() == before {
                break;
            }
        }
        self.constants = constants;
        Ok(())
    }

    /// The value of a constant expression, or nothing where it depends on what is not known.
    fn evaluate(
        &self,
        module: u32,
        expression: &wasmparser::ConstExpr<'_>,
        known: &HashMap<(u32, u32), Constant>,
    ) -> Result<Option<Constant>> {
        let mut stack = Vec::new();
        for operator in expression.get_operators_reader() {
            match operator? {
                Operator::I32Const { value } => stack.push(Constant::I32(value)),
                Operator::I64Const { value } => stack.push(Constant::I64(value)),
                Operator::GlobalGet { global_index } => match known.get(&self.global(module, global_index)?) {
                    Some(value) => stack.push(*value),
                    None => return Ok(None),
                },
                Operator::I32Add => match (stack.pop(), stack.pop()) {
                    (Some(Constant::I32(b)), Some(Constant::I32(a))) => {
                        stack.push(Constant::I32(a.wrapping_add(b)));
                    }
                    _ => return Ok(None),
                },
                Operator::End => {}
                _ => return Ok(None),
            }
        }
        Ok(stack.pop())
    }

    fn offset(&self, module: u32, expression: &wasmparser::ConstExpr<'_>) -> Result<u32> {
        match self.evaluate(module, expression, &self.constants)? {
            Some(Constant::I32(value)) => Ok(value.cast_unsigned()),
            other => bail!("the offset of a segment in module {module} is not constant: {other:?}"),
        }
    }

    fn fill_table(&mut self) -> Result<()> {
        let mut table = BTreeMap::new();
        for (index, module) in &self.modules {
            for element in &module.elements {
                let start = self.offset(*index, &element.offset)?;
                for (slot, function) in (start..).zip(&element.functions) {
                    table.insert(slot, self.function(*index, *function)?);
                }
            }
        }
        self.table = table;
        Ok(())
    }

    /// Finds functions whose body is only "push my arguments, call table slot N" or "call F".
    fn find_forwards(&mut self) -> Result<()> {
        let mut forwards = HashMap::new();
        for (index, module) in &self.modules {
            for (defined, body) in module.bodies.iter().enumerate() {
                let defined = u32::try_from(defined)?;
                let parameters = module.defined_type(defined)?.params().len();
                let operators = body.get_operators_reader()?.into_iter().take(parameters + 4).collect::<Result<Vec<_>, _>>()?;
                let (arguments, rest) = operators.split_at(parameters.min(operators.len()));
                let passes_on = arguments
                    .iter()
                    .enumerate()
                    .all(|(n, operator)| matches!(operator, Operator::LocalGet { local_index } if *local_index as usize == n));
                if !passes_on || body.get_locals_reader()?.get_count() != 0 {
                    continue;
                }
                let target = match rest {
                    [Operator::I32Const { value }, Operator::CallIndirect { .. }, Operator::End] => {
                        self.table.get(&value.cast_unsigned()).copied()
                    }
                    [Operator::Call { function_index }, Operator::End] => Some(self.function(*index, *function_index)?),
                    _ => None,
                };
                let own = FunctionId::Defined(*index, defined);
                if let Some(target) = target
                    && target != own
                    && self.type_of(target)? == module.defined_type(defined)?
                {
                    forwards.insert(own, target);
                }
            }
        }
        let keys: Vec<FunctionId> = forwards.keys().copied().collect();
        for key in keys {
            let mut end = key;
            for _ in 0..forwards.len() {
                match forwards.get(&end) {
                    Some(next) => end = *next,
                    None => break,
                }
            }
            // Functions that call each other in a ring forward to nothing.
            if forwards.contains_key(&end) {
                forwards.remove(&key);
            } else {
                forwards.insert(key, end);
            }
        }
        for target in self.table.values_mut() {
            if let Some(end) = forwards.get(target) {
                *target = *end;
            }
        }
        self.forwards = forwards;
        Ok(())
    }

    fn type_of(&self, function: FunctionId) -> Result<&FuncType> {
        match function {
            FunctionId::Host(index) => self.host.get(index as usize).map(|(_, _, ty)| ty).context("host function index"),
            FunctionId::Defined(module, defined) => self.module(module)?.defined_type(defined),
        }
    }

    /// The memory after instantiation.
    fn image(&self) -> Result<Vec<u8>> {
        let mut memories = self.modules.values().flat_map(|module| &module.memories);
        let memory = memories.next().context("no module defines a memory")?;
        ensure!(memories.next().is_none(), "more than one module defines a memory");
        let mut image = vec![0; usize::try_from(memory.initial * WASM_PAGE)?];
        for (index, module) in &self.modules {
            for segment in &module.data {
                let offset = self.offset(*index, &segment.offset)?;
                write_at(&mut image, offset as usize, segment.data)?;
            }
        }
        Ok(image)
    }

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

    fn emit(&self, keep: &[(u32, String, String)], pages: u64) -> Result<Vec<u8>> {
        let kept = keep
            .iter()
            .map(|(module, name, public)| {
                let index = self.module(*module)?.export_index(name, Kind::Function)?;
                Ok((self.function(*module, index)?, public.as_str()))
            })
            .collect::<Result<Vec<_>>>()?;
        let reachable = self.reachable(kept.iter().map(|(f, _)| *f).chain(self.table.values().copied()))?;
        let numbers: HashMap<FunctionId, u32> = reachable.iter().copied().zip(0..).collect();
        let number = |function: FunctionId| numbers.get(&function).copied().context("function is not numbered");

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

        let slots = self
            .modules
            .values()
            .flat_map(|module| &module.tables)
            .map(|table| table.initial)
            .max()
            .context("no module defines a table")?;
        let mut elements = ElementSection::new();
        for (start, run) in runs(&self.table) {
            let run = run.into_iter().map(number).collect::<Result<Vec<u32>>>()?;
            elements.active(None, &ConstExpr::i32_const(start.cast_signed()), Elements::Functions(run.into()));
        }
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
            .section(TableSection::new().table(TableType {
                element_type: RefType::FUNCREF,
                table64: false,
                minimum: slots,
                maximum: Some(slots),
                shared: false,
            }))
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
                        wasmparser::ValType::Ref(ty) => bail!("reference type {ty:?} in a guest's function type"),
                    })
                })
                .collect::<Result<Vec<_>>>()
        };
        let number = self.types.len();
        self.types.ty().function(convert(ty.params())?, convert(ty.results())?);
        self.type_numbers.insert(ty.clone(), number);
        Ok(number)
    }

    fn global_number(&mut self, key: (u32, u32)) -> Result<u32> {
        if let Some(number) = self.global_numbers.get(&key) {
            return Ok(*number);
        }
        let global = self.merger.module(key.0)?.globals.get(key.1 as usize).context("global index")?;
        let value = self.merger.evaluate(key.0, &global.init_expr, &self.merger.constants)?;
        let (val_type, init) = match value {
            Some(Constant::I32(value)) => (ValType::I32, ConstExpr::i32_const(value)),
            Some(Constant::I64(value)) => (ValType::I64, ConstExpr::i64_const(value)),
            None => bail!("global {key:?} has an initial value that is not an integer constant"),
        };
        let number = self.globals.len();
        self.globals.global(GlobalType { val_type, mutable: true, shared: false }, &init);
        self.global_numbers.insert(key, number);
        Ok(number)
    }

    fn body(&mut self, module: u32, defined: u32) -> Result<Function> {
        let body = self.merger.module(module)?.body(defined)?;
        let mut translator = Translator { writer: self, module };
        let mut function = utils::new_function_with_parsed_locals(&mut translator, body).map_err(reencoding)?;
        // An `i32.const` is held back by one instruction: a call through a constant table slot becomes a plain call.
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
            .and_then(|function| self.writer.numbers.get(&function).copied().context("function is not numbered"));
        number.map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn global_index(&mut self, index: u32) -> Reencoded<u32> {
        let number = self.writer.merger.global(self.module, index).and_then(|key| self.writer.global_number(key));
        number.map_err(wasm_encoder::reencode::Error::UserError)
    }

    fn type_index(&mut self, index: u32) -> Reencoded<u32> {
        let ty = self.writer.merger.module(self.module).and_then(|module| module.ty(index).cloned());
        ty.and_then(|ty| self.writer.type_number(&ty)).map_err(wasm_encoder::reencode::Error::UserError)
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
