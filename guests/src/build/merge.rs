//! Module merger: how do the linked core modules of a component become one flat module?
//!
//! Three things make a linked component slow to start and to run: thousands of table entries at an
//! imported base, globals that hold addresses but must be loaded each time, and calls between
//! libraries through stubs. After the merge table offsets are constants, globals that nothing
//! writes are constants in the code, and a call through a constant table slot is a plain call.

mod emit;
mod library;
mod repairs;

use super::image::{WASM_PAGE, write_at};
use super::link_graph::{Kind, LinkGraph, Origin};
use super::module::{CoreModule, DefinedItem};
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// The item that each import of a module resolves to.
    resolved: HashMap<(u32, Kind, u32), Resolved>,
    /// Values of globals that nothing writes, by module and defined index.
    constants: HashMap<(u32, u32), Constant>,
    /// The whole table after instantiation.
    table: BTreeMap<u32, FunctionId>,
    /// Functions that only pass their arguments on to another one.
    forwards: HashMap<FunctionId, FunctionId>,
    /// The module with the replacements of [`repairs`], which call what they replace.
    repairs: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
enum Resolved {
    Host(u32),
    Defined(u32, u32),
}

/// Merges the component's core modules; `keep` says which exports of which module the flat module
/// exports, and as what.
///
/// # Errors
///
/// Where an assumption does not hold: one memory, one table, every module instantiated once, no
/// start function, constant offsets, no passive segments, no instruction that changes the table.
pub(super) fn merge(graph: &LinkGraph<'_>, keep: &[(u32, String, String)]) -> Result<Merged> {
    let mut merger = Merger {
        modules: BTreeMap::new(),
        host: Vec::new(),
        resolved: HashMap::new(),
        constants: HashMap::new(),
        table: BTreeMap::new(),
        forwards: HashMap::new(),
        repairs: None,
    };
    for (index, _) in graph.instantiated() {
        let bytes = graph.modules.get(index as usize).context("module index")?;
        merger.modules.insert(
            index,
            CoreModule::read(bytes).with_context(|| format!("core module {index}"))?,
        );
    }
    merger.resolve_imports(graph)?;
    merger.repair()?;
    merger.replace_library()?;
    merger.find_constants()?;
    merger.fill_table()?;
    merger.find_forwards()?;
    let image = merger.image()?;
    let module = merger.emit(keep, image.len() as u64 / WASM_PAGE)?;
    Ok(Merged { module, image })
}

impl<'a> Merger<'a> {
    fn module(&self, index: u32) -> Result<&CoreModule<'a>> {
        self.modules
            .get(&index)
            .with_context(|| format!("core module {index} is not merged"))
    }

    fn resolve_imports(&mut self, graph: &LinkGraph<'_>) -> Result<()> {
        let mut host: HashMap<(String, String), u32> = HashMap::new();
        for (index, arguments) in graph.instantiated() {
            for import in self.module(index)?.imports.clone() {
                let instance = arguments
                    .iter()
                    .find(|(name, _)| name == import.module)
                    .with_context(|| {
                        format!(
                            "module {index} imports from `{}`, which it is not given",
                            import.module
                        )
                    })?
                    .1;
                let mut origin = graph.origin(instance, import.name, import.kind)?;
                // An export may be an import passed on; follow it through its own module's
                // arguments.
                let resolved = loop {
                    match origin {
                        Origin::Host(_) => {
                            ensure!(
                                import.kind == Kind::Function,
                                "the host provides `{}`, which is no function",
                                import.name
                            );
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
                        Origin::Export { module, name } => match self
                            .module(module)?
                            .export(&name, import.kind)?
                        {
                            DefinedItem::Defined(item) => break Resolved::Defined(module, item),
                            DefinedItem::Imported(again) => {
                                let (_, arguments) = graph
                                    .instantiated()
                                    .find(|(m, _)| *m == module)
                                    .context("exporting module is not instantiated")?;
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
                self.resolved
                    .insert((index, import.kind, import.index), resolved);
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
        // The replacement of a function calls the function itself.
        let follows = Some(module) != self.repairs;
        Ok(self
            .forwards
            .get(&id)
            .copied()
            .filter(|_| follows)
            .unwrap_or(id))
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
        // Initialisers refer to globals that came before; modules are instantiated in an order that
        // makes one pass enough for each, but a re-exported global may come from a later index, so
        // pass until nothing is new.
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
                Operator::GlobalGet { global_index } => {
                    match known.get(&self.global(module, global_index)?) {
                        Some(value) => stack.push(*value),
                        None => return Ok(None),
                    }
                }
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
                let operators = body
                    .get_operators_reader()?
                    .into_iter()
                    .take(parameters + 4)
                    .collect::<Result<Vec<_>, _>>()?;
                let (arguments, rest) = operators.split_at(parameters.min(operators.len()));
                let passes_on = arguments
                    .iter()
                    .enumerate()
                    .all(|(n, operator)| matches!(operator, Operator::LocalGet { local_index } if *local_index as usize == n));
                if !passes_on || body.get_locals_reader()?.get_count() != 0 {
                    continue;
                }
                let target = match rest {
                    [
                        Operator::I32Const { value },
                        Operator::CallIndirect { .. },
                        Operator::End,
                    ] => self.table.get(&value.cast_unsigned()).copied(),
                    [Operator::Call { function_index }, Operator::End] => {
                        Some(self.function(*index, *function_index)?)
                    }
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
        // A repair stands, even where what it replaces forwards to something.
        forwards.extend(self.forwards.iter().map(|(from, to)| (*from, *to)));
        self.forwards = forwards;
        Ok(())
    }

    fn type_of(&self, function: FunctionId) -> Result<&FuncType> {
        match function {
            FunctionId::Host(index) => self
                .host
                .get(index as usize)
                .map(|(_, _, ty)| ty)
                .context("host function index"),
            FunctionId::Defined(module, defined) => self.module(module)?.defined_type(defined),
        }
    }

    /// The memory after instantiation.
    fn image(&self) -> Result<Vec<u8>> {
        let mut memories = self.modules.values().flat_map(|module| &module.memories);
        let memory = memories.next().context("no module defines a memory")?;
        ensure!(
            memories.next().is_none(),
            "more than one module defines a memory"
        );
        let mut image = vec![0; usize::try_from(memory.initial * WASM_PAGE)?];
        for (index, module) in &self.modules {
            for segment in &module.data {
                let offset = self.offset(*index, &segment.offset)?;
                write_at(&mut image, offset as usize, segment.data)?;
            }
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests;
