//! Direct linking: how does a guest's code import functions of the host without a shim?
//!
//! A function of the host is given the memory that its arguments lie in, but the guest's memory
//! exists only after the guest's module was instantiated, which needs the functions. The usual way
//! out are two more modules, a shim that stands in for the functions and a fix-up that fills it in,
//! made anew for every instance. Here the memory is in a small module of its own, which is
//! instantiated first and needs no functions; it also holds the one table slot through which the
//! host finds the guest's allocator.

use super::link_graph::{LinkGraph, Origin};
use anyhow::{Context as _, Result, bail, ensure};
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode, ReencodeComponent as _, RoundtripReencoder};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, CodeSection, Component,
    ComponentAliasSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, ImportSection, InstanceSection, MemorySection,
    MemoryType, Module, ModuleArg, ModuleSection, RawSection, RefType, TableSection, TableType,
    TypeSection, ValType,
};
use wasmparser::{CanonicalFunction, ComponentAlias, Parser, Payload, TypeRef};

/// The name under which the guest's module imports what the memory's module exports.
const SHARED: &str = "glovebox";

/// The exports of the memory's module.
const MEMORY: &str = "memory";
const SLOT: &str = "slot";
const REALLOC: &str = "realloc";

/// The guest's own allocator for what the host hands over.
const GUEST_REALLOC: &str = "cabi_realloc";

/// Rewrites a component of one core module, as the component encoder makes it, to do without shim
/// and fix-up.
///
/// # Errors
///
/// Where the component is not of the shape that the encoder makes.
pub(super) fn link_directly(component: &[u8]) -> Result<Vec<u8>> {
    let graph = LinkGraph::read(component)?;
    let (main, arguments) = {
        let mut modules = graph.instantiated();
        let first = modules.next().context("the component has no core module")?;
        ensure!(
            modules.next().is_none(),
            "only a component of one core module can be linked directly"
        );
        first
    };
    let mut shape = Shape::read(graph.module(main)?)?;
    for import in &mut shape.imports {
        let instance = arguments.iter().find(|(name, _)| *name == import.module);
        let (_, instance) =
            instance.with_context(|| format!("no instance provides `{}`", import.module))?;
        match graph.origin(*instance, &import.name, super::link_graph::Kind::Function)? {
            Origin::Host(function) => {
                import.function = Some(graph.host_function(function)?.clone())
            }
            Origin::Export { .. } => bail!(
                "`{}` of `{}` is no function of the host",
                import.name,
                import.module
            ),
        }
    }
    let mut linker = Linker {
        graph: &graph,
        shape,
        out: Component::new(),
        is_linked: false,
        aliases: 0,
    };
    linker.copy(component)?;
    Ok(linker.out.finish())
}

/// The parts of the guest's module that the linker uses.
struct Shape<'a> {
    bytes: &'a [u8],
    memory: MemoryType,
    imports: Vec<FunctionImport>,
    realloc: u32,
}

struct FunctionImport {
    module: String,
    name: String,
    function: Option<CanonicalFunction>,
}

impl<'a> Shape<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let (mut memory, mut imports, mut realloc) = (None, Vec::new(), None);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        ensure!(
                            matches!(import.ty, TypeRef::Func(_)),
                            "the guest's module imports more than functions"
                        );
                        imports.push(FunctionImport {
                            module: import.module.to_owned(),
                            name: import.name.to_owned(),
                            function: None,
                        });
                    }
                }
                Payload::MemorySection(section) => {
                    let first = section
                        .into_iter()
                        .next()
                        .context("empty memory section")??;
                    memory = Some(RoundtripReencoder.memory_type(first)?);
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == GUEST_REALLOC {
                            realloc = Some(export.index);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(Self {
            bytes,
            memory: memory.context("the guest's module has no memory")?,
            imports,
            realloc: realloc
                .with_context(|| format!("the guest's module exports no `{GUEST_REALLOC}`"))?,
        })
    }

    /// The names of the imported modules, each once, in order.
    fn modules(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for import in &self.imports {
            if !names.contains(&import.module.as_str()) {
                names.push(&import.module);
            }
        }
        names
    }
}

/// The one table slot.
const SLOT_TYPE: TableType = TableType {
    element_type: RefType::FUNCREF,
    table64: false,
    minimum: 1,
    maximum: Some(1),
    shared: false,
};

/// A module with the memory, the slot, and a `realloc` that calls what is in the slot.
fn memory_module(memory: MemoryType) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([ValType::I32; 4], [ValType::I32]);
    let mut exports = ExportSection::new();
    exports
        .export(MEMORY, ExportKind::Memory, 0)
        .export(SLOT, ExportKind::Table, 0)
        .export(REALLOC, ExportKind::Func, 0);
    let mut realloc = Function::new([]);
    let mut body = realloc.instructions();
    body.local_get(0)
        .local_get(1)
        .local_get(2)
        .local_get(3)
        .i32_const(0)
        .call_indirect(0, 0)
        .end();
    let mut module = Module::new();
    module
        .section(&types)
        .section(FunctionSection::new().function(0))
        .section(TableSection::new().table(SLOT_TYPE))
        .section(MemorySection::new().memory(memory))
        .section(&exports)
        .section(CodeSection::new().function(&realloc));
    module
}

/// The guest's module with an imported memory, and its allocator put into the imported slot.
struct Borrower {
    memory: MemoryType,
    realloc: u32,
}

type SectionResult = Result<(), reencode::Error<Infallible>>;

impl Reencode for Borrower {
    type Error = Infallible;

    /// The imported table comes first.
    fn table_index(&mut self, table: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(table + 1)
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> SectionResult {
        reencode::utils::parse_import_section(self, imports, section)?;
        imports
            .import(SHARED, MEMORY, EntityType::Memory(self.memory))
            .import(SHARED, SLOT, EntityType::Table(SLOT_TYPE));
        Ok(())
    }

    fn parse_memory_section(
        &mut self,
        _: &mut MemorySection,
        _: wasmparser::MemorySectionReader<'_>,
    ) -> SectionResult {
        Ok(())
    }

    fn parse_element_section(
        &mut self,
        elements: &mut ElementSection,
        section: wasmparser::ElementSectionReader<'_>,
    ) -> SectionResult {
        reencode::utils::parse_element_section(self, elements, section)?;
        elements.active(
            Some(0),
            &ConstExpr::i32_const(0),
            Elements::Functions(vec![self.realloc].into()),
        );
        Ok(())
    }
}

fn borrower(shape: &Shape<'_>) -> Result<Module> {
    let mut module = Module::new();
    let mut borrower = Borrower {
        memory: shape.memory,
        realloc: shape.realloc,
    };
    borrower.parse_core_module(&mut module, Parser::new(0), shape.bytes)?;
    Ok(module)
}

struct Linker<'a> {
    graph: &'a LinkGraph<'a>,
    shape: Shape<'a>,
    out: Component,
    is_linked: bool,
    /// Core functions that were made so far.
    aliases: u32,
}

/// The core instances that are made, in order.
const MEMORY_INSTANCE: u32 = 0;

impl Linker<'_> {
    /// Copies what belongs to the component itself and makes its core part anew, right before the
    /// first function is lifted from it.
    fn copy(&mut self, component: &[u8]) -> Result<()> {
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match &payload {
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ModuleSection { .. } => depth += 1,
                _ if depth > 0 => {
                    if matches!(payload, Payload::ComponentSection { .. }) {
                        depth += 1;
                    }
                }
                Payload::ComponentAliasSection(section) => {
                    let mut aliases = ComponentAliasSection::new();
                    for alias in section.clone() {
                        let alias = alias?;
                        if !matches!(alias, ComponentAlias::CoreInstanceExport { .. }) {
                            aliases.alias(RoundtripReencoder.component_alias(alias)?);
                        }
                    }
                    if !aliases.is_empty() {
                        self.out.section(&aliases);
                    }
                }
                Payload::ComponentCanonicalSection(section) => {
                    for function in section.clone() {
                        if let CanonicalFunction::Lift {
                            core_func_index,
                            type_index,
                            options,
                        } = function?
                        {
                            self.lift(core_func_index, type_index, &options)?;
                        }
                    }
                }
                Payload::InstanceSection(_) => {}
                other => {
                    if let Some((id, range)) = other.as_section() {
                        let data = component.get(range).context("section outside the file")?;
                        self.out.section(&RawSection { id, data });
                    }
                    if matches!(payload, Payload::ComponentSection { .. }) {
                        depth += 1;
                    }
                }
            }
        }
        ensure!(self.is_linked, "the component lifts no function");
        Ok(())
    }

    fn alias(&mut self, instance: u32, kind: ExportKind, name: &str) -> u32 {
        let mut aliases = ComponentAliasSection::new();
        aliases.alias(Alias::CoreInstanceExport {
            instance,
            kind,
            name,
        });
        self.out.section(&aliases);
        if kind == ExportKind::Func {
            self.aliases += 1;
        }
        self.aliases.saturating_sub(1)
    }

    fn main_instance(&self) -> u32 {
        MEMORY_INSTANCE + 1 + self.shape.modules().len() as u32
    }

    /// The core part.
    fn link(&mut self) -> Result<()> {
        self.out
            .section(&ModuleSection(&memory_module(self.shape.memory)));
        self.out.section(&ModuleSection(&borrower(&self.shape)?));
        let mut instances = InstanceSection::new();
        instances.instantiate(0, Vec::<(&str, ModuleArg)>::new());
        self.out.section(&instances);
        self.alias(MEMORY_INSTANCE, ExportKind::Memory, MEMORY);
        let realloc = self.alias(MEMORY_INSTANCE, ExportKind::Func, REALLOC);

        let mut functions = CanonicalFunctionSection::new();
        for import in &self.shape.imports {
            match import
                .function
                .as_ref()
                .context("an import that was not resolved")?
            {
                CanonicalFunction::Lower {
                    func_index,
                    options,
                } => {
                    let options = options
                        .iter()
                        .map(|option| option_for(option, realloc))
                        .collect::<Result<Vec<_>>>()?;
                    functions.lower(*func_index, options);
                }
                CanonicalFunction::ResourceDrop { resource } => {
                    functions.resource_drop(*resource);
                }
                other => bail!("a guest cannot import {other:?}"),
            }
        }
        self.out.section(&functions);
        let first = self.aliases;
        self.aliases += functions.len();

        let mut instances = InstanceSection::new();
        let modules = self.shape.modules();
        for module in &modules {
            let functions = self
                .shape
                .imports
                .iter()
                .zip(first..)
                .filter(|(import, _)| import.module == *module);
            let exports: Vec<_> = functions
                .map(|(import, index)| (import.name.as_str(), ExportKind::Func, index))
                .collect();
            instances.export_items(exports);
        }
        let provided = modules
            .iter()
            .copied()
            .zip(MEMORY_INSTANCE + 1..)
            .chain([(SHARED, MEMORY_INSTANCE)]);
        let arguments: Vec<_> = provided
            .map(|(name, instance)| (name, ModuleArg::Instance(instance)))
            .collect();
        instances.instantiate(1, arguments);
        self.out.section(&instances);
        Ok(())
    }

    fn lift(
        &mut self,
        function: u32,
        ty: u32,
        options: &[wasmparser::CanonicalOption],
    ) -> Result<()> {
        if !std::mem::replace(&mut self.is_linked, true) {
            self.link()?;
        }
        let main = self.main_instance();
        let function = self.exported(main, function)?;
        let mut lifted = Vec::new();
        for option in options {
            lifted.push(match option {
                wasmparser::CanonicalOption::Realloc(index) => {
                    CanonicalOption::Realloc(self.exported(main, *index)?)
                }
                wasmparser::CanonicalOption::PostReturn(index) => {
                    CanonicalOption::PostReturn(self.exported(main, *index)?)
                }
                other => option_for(other, 0)?,
            });
        }
        let mut functions = CanonicalFunctionSection::new();
        functions.lift(function, ty, lifted);
        self.out.section(&functions);
        Ok(())
    }

    /// An alias for the same export of the guest's module.
    fn exported(&mut self, main: u32, function: u32) -> Result<u32> {
        let (_, name) = self.graph.core_export(function)?;
        Ok(self.alias(main, ExportKind::Func, &name))
    }
}

/// The one memory, and the given allocator.
fn option_for(option: &wasmparser::CanonicalOption, realloc: u32) -> Result<CanonicalOption> {
    Ok(match option {
        wasmparser::CanonicalOption::UTF8 => CanonicalOption::UTF8,
        wasmparser::CanonicalOption::Memory(_) => CanonicalOption::Memory(0),
        wasmparser::CanonicalOption::Realloc(_) => CanonicalOption::Realloc(realloc),
        other => bail!("the option {other:?} is not supported in a guest"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::flatten::{wrap, wrap_directly};
    use std::sync::{Arc, Mutex};
    use wasmtime::component::{self, Val};
    use wasmtime::{Engine, Store};

    const WORLD: &str = "package a:b; world w { import log: func(text: string); import word: func() -> string; export run: func() -> string; }";

    /// Says the host's word back, and returns it.
    const MODULE: &str = r#"(module
        (import "$root" "log" (func $log (param i32 i32)))
        (import "$root" "word" (func $word (param i32)))
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 1024))
        (table 2 funcref)
        (elem (i32.const 1) func $say)
        (type $plain (func))
        (func $say (call $log (i32.load (i32.const 16)) (i32.load (i32.const 20))))
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $free) (global.set $free (i32.add (global.get $free) (local.get 3))))
        (func (export "run") (result i32)
            (call $word (i32.const 16)) (call_indirect (type $plain) (i32.const 1)) (i32.const 16)))"#;

    fn run(component: &[u8]) -> (String, Vec<String>) {
        let engine = Engine::default();
        let compiled = component::Component::from_binary(&engine, component).unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut linker = component::Linker::<()>::new(&engine);
        let hears = Arc::clone(&heard);
        linker
            .root()
            .func_wrap("log", move |_, (text,): (String,)| {
                hears.lock().unwrap().push(text);
                Ok(())
            })
            .unwrap();
        linker
            .root()
            .func_wrap("word", |_, (): ()| Ok(("glove".to_owned(),)))
            .unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &compiled).unwrap();
        let function = instance.get_func(&mut store, "run").unwrap();
        let mut result = [Val::Bool(false)];
        function.call(&mut store, &[], &mut result).unwrap();
        let [Val::String(text)] = result else {
            panic!("{result:?}")
        };
        (text, heard.lock().unwrap().clone())
    }

    #[test]
    fn a_component_that_is_linked_directly_does_the_same_with_fewer_modules() {
        let mut resolve = wit_parser::Resolve::default();
        let package = resolve.push_str("world.wit", WORLD).unwrap();
        let world = resolve.select_world(&[package], None).unwrap();
        let module = wat::parse_str(MODULE).unwrap();
        let usual = wrap(module.clone(), &resolve, world).unwrap();
        let direct = wrap_directly(module, &resolve, world).unwrap();
        let expected = ("glove".to_owned(), vec!["glove".to_owned()]);
        assert_eq!(run(&usual), expected);
        assert_eq!(run(&direct), expected);
        let modules = |component| LinkGraph::read(component).unwrap().modules.len();
        assert_eq!((modules(&usual), modules(&direct)), (3, 2));
    }

    #[test]
    fn component_without_exactly_one_module_instance_is_refused() {
        for text in [
            "(component)",
            "(component (core module $m) (core instance (instantiate $m)) (core instance (instantiate $m)))",
        ] {
            assert!(
                link_directly(&wat::parse_str(text).unwrap()).is_err(),
                "{text}"
            );
        }
    }
}
