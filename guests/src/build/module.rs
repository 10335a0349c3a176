//! Core module: what does one module define, import and export?

use super::link_graph::Kind;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::HashMap;
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, FuncType, FunctionBody, Global, KnownCustom,
    MemoryType, Name, NameSectionReader, Parser, Payload, TableType, TypeRef,
};

/// One import, with its index in the index space of its kind.
#[derive(Clone)]
pub(super) struct Import<'a> {
    pub(super) module: &'a str,
    pub(super) name: &'a str,
    pub(super) kind: Kind,
    pub(super) index: u32,
    type_index: Option<u32>,
}

/// An active element segment.
pub(super) struct Element<'a> {
    pub(super) offset: ConstExpr<'a>,
    pub(super) functions: Vec<u32>,
}

/// An active data segment.
pub(super) struct Segment<'a> {
    pub(super) offset: ConstExpr<'a>,
    pub(super) data: &'a [u8],
}

/// The item that an export names.
pub(super) enum DefinedItem<'a> {
    /// An item that the module defines, by its index among those.
    Defined(u32),
    /// An import that is passed on.
    Imported(Import<'a>),
}

/// The parts of a core module.
#[derive(Default)]
pub(super) struct CoreModule<'a> {
    types: Vec<FuncType>,
    pub(super) imports: Vec<Import<'a>>,
    functions: Vec<u32>,
    pub(super) tables: Vec<TableType>,
    pub(super) memories: Vec<MemoryType>,
    pub(super) globals: Vec<Global<'a>>,
    exports: HashMap<(Kind, &'a str), u32>,
    pub(super) elements: Vec<Element<'a>>,
    pub(super) bodies: Vec<FunctionBody<'a>>,
    pub(super) data: Vec<Segment<'a>>,
    /// The functions by their names in the debugging section.
    pub(super) names: HashMap<&'a str, u32>,
    imported: HashMap<Kind, u32>,
}

impl<'a> CoreModule<'a> {
    /// Reads a module.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(bytes) {
            module.read_section(payload?)?;
        }
        ensure!(
            module.functions.len() == module.bodies.len(),
            "the module declares {} functions and has {} bodies",
            module.functions.len(),
            module.bodies.len()
        );
        Ok(module)
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    self.types.push(ty?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import?;
                    let kind = Kind::of_import(import.ty)?;
                    let next = self.imported.entry(kind).or_default();
                    self.imports.push(Import {
                        module: import.module,
                        name: import.name,
                        kind,
                        index: *next,
                        type_index: match import.ty {
                            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => Some(ty),
                            _ => None,
                        },
                    });
                    *next += 1;
                }
            }
            Payload::FunctionSection(section) => {
                self.functions = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.tables.push(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                self.memories = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(section) => {
                self.globals = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    let kind = Kind::of_external(export.kind)?;
                    self.exports.insert((kind, export.name), export.index);
                }
            }
            Payload::StartSection { .. } => bail!("a start function is not supported in a guest"),
            Payload::ElementSection(section) => {
                for element in section {
                    self.read_element(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::DataSection(section) => {
                for segment in section {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        bail!("passive data segments are not supported in a guest");
                    };
                    self.data.push(Segment {
                        offset: offset_expr,
                        data: segment.data,
                    });
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    self.read_names(names)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn read_names(&mut self, names: NameSectionReader<'a>) -> Result<()> {
        for part in names {
            if let Name::Function(functions) = part? {
                for naming in functions {
                    let naming = naming?;
                    self.names.insert(naming.name, naming.index);
                }
            }
        }
        Ok(())
    }

    fn read_element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let ElementKind::Active {
            table_index,
            offset_expr,
        } = element.kind
        else {
            bail!("passive element segments are not supported in a guest");
        };
        ensure!(
            table_index.unwrap_or(0) == 0,
            "a second table is not supported in a guest"
        );
        let ElementItems::Functions(functions) = element.items else {
            bail!("element segments of expressions are not supported in a guest");
        };
        self.elements.push(Element {
            offset: offset_expr,
            functions: functions.into_iter().collect::<Result<_, _>>()?,
        });
        Ok(())
    }

    /// The index among the items that the module defines itself, or nothing for an import.
    pub(super) fn own_index(&self, kind: Kind, index: u32) -> Option<u32> {
        index.checked_sub(self.imported.get(&kind).copied().unwrap_or(0))
    }

    /// The index that an export names.
    pub(super) fn export_index(&self, name: &str, kind: Kind) -> Result<u32> {
        self.exports
            .get(&(kind, name))
            .copied()
            .with_context(|| format!("the module exports no {kind:?} `{name}`"))
    }

    /// Returns the item that an export names.
    pub(super) fn export(&self, name: &str, kind: Kind) -> Result<DefinedItem<'a>> {
        let index = self.export_index(name, kind)?;
        match self.own_index(kind, index) {
            Some(defined) => Ok(DefinedItem::Defined(defined)),
            None => self
                .imports
                .iter()
                .find(|import| import.kind == kind && import.index == index)
                .cloned()
                .map(DefinedItem::Imported)
                .context("an export names an import that is not there"),
        }
    }

    /// A type by index.
    pub(super) fn ty(&self, index: u32) -> Result<&FuncType> {
        self.types.get(index as usize).context("type index")
    }

    /// The type of an imported function.
    pub(super) fn import_type(&self, import: &Import<'_>) -> Result<FuncType> {
        let index = import
            .type_index
            .context("only functions have a type index")?;
        self.ty(index).cloned()
    }

    /// The type of a function that the module defines.
    pub(super) fn defined_type(&self, defined: u32) -> Result<&FuncType> {
        let ty = self
            .functions
            .get(defined as usize)
            .context("function index")?;
        self.ty(*ty)
    }

    /// The body of a function that the module defines.
    pub(super) fn body(&self, defined: u32) -> Result<&FunctionBody<'a>> {
        self.bodies.get(defined as usize).context("function index")
    }
}
