//! Link graph: which item of which core module does each import of a linked component name?
//!
//! A component that was linked from shared libraries instantiates one core module per library and
//! wires them through aliases, an indirection module (the "shim") and a module that fills the
//! shim's table (the "fix-up"). This module reads that wiring and follows it to the end, so that a
//! merge can replace every import by the item itself.

use anyhow::{Context as _, Result, bail, ensure};
use std::collections::HashMap;
use wasmparser::{
    CanonicalFunction, CanonicalOption, ComponentAlias, ExternalKind, Instance, Parser, Payload,
    TypeRef,
};

/// The kinds of core items that can be imported, each with an index space of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Kind {
    Function,
    Table,
    Memory,
    Global,
}

impl Kind {
    pub(super) fn of_external(kind: ExternalKind) -> Result<Self> {
        Ok(match kind {
            ExternalKind::Func | ExternalKind::FuncExact => Self::Function,
            ExternalKind::Table => Self::Table,
            ExternalKind::Memory => Self::Memory,
            ExternalKind::Global => Self::Global,
            ExternalKind::Tag => bail!("exception tags are not supported in a guest"),
        })
    }

    pub(super) fn of_import(ty: TypeRef) -> Result<Self> {
        Ok(match ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => Self::Function,
            TypeRef::Table(_) => Self::Table,
            TypeRef::Memory(_) => Self::Memory,
            TypeRef::Global(_) => Self::Global,
            TypeRef::Tag(_) => bail!("exception tags are not supported in a guest"),
        })
    }
}

/// The item that an import resolves to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Origin {
    /// A function that the component itself lowers or makes, by its number: stays an import of the
    /// flat module, under the importer's own names.
    Host(usize),
    /// An export of a core module.
    Export { module: u32, name: String },
}

/// A function that the component lifts, by the name that its core module exports it under.
pub(super) struct Lifted {
    pub(super) module: u32,
    pub(super) name: String,
    pub(super) realloc: Option<(u32, String)>,
    pub(super) post_return: Option<(u32, String)>,
}

enum CoreInstance {
    Instantiated {
        module: u32,
        arguments: Vec<(String, u32)>,
    },
    Bundle(Vec<(String, Kind, u32)>),
}

#[derive(Clone)]
enum Definition {
    Host(usize),
    Alias { instance: u32, name: String },
}

/// The wiring of one component.
pub(super) struct LinkGraph<'a> {
    /// The core modules as bytes, by module index.
    pub(super) modules: Vec<&'a [u8]>,
    instances: Vec<CoreInstance>,
    definitions: HashMap<Kind, Vec<Definition>>,
    hosts: Vec<CanonicalFunction>,
    lifts: Vec<(u32, Vec<CanonicalOption>)>,
    shim: Option<u32>,
    fixup: Option<u32>,
}

impl<'a> LinkGraph<'a> {
    /// Reads the top level of a component.
    pub(super) fn read(component: &'a [u8]) -> Result<Self> {
        let mut graph = Self {
            modules: Vec::new(),
            instances: Vec::new(),
            definitions: HashMap::new(),
            hosts: Vec::new(),
            lifts: Vec::new(),
            shim: None,
            fixup: None,
        };
        let mut depth = 0_u32;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match payload {
                Payload::ModuleSection {
                    unchecked_range, ..
                } => {
                    if depth == 0 {
                        let bytes = component
                            .get(unchecked_range)
                            .context("module outside the file")?;
                        graph.modules.push(bytes);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                other if depth == 0 => graph.read_section(other)?,
                _ => {}
            }
        }
        graph.find_indirection()?;
        Ok(graph)
    }

    fn read_section(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    let instance = match instance? {
                        Instance::Instantiate { module_index, args } => {
                            CoreInstance::Instantiated {
                                module: module_index,
                                arguments: args
                                    .iter()
                                    .map(|a| (a.name.to_owned(), a.index))
                                    .collect(),
                            }
                        }
                        Instance::FromExports(exports) => CoreInstance::Bundle(
                            exports
                                .iter()
                                .map(|e| {
                                    Ok((e.name.to_owned(), Kind::of_external(e.kind)?, e.index))
                                })
                                .collect::<Result<_>>()?,
                        ),
                    };
                    self.instances.push(instance);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section {
                    match function? {
                        CanonicalFunction::Lift {
                            core_func_index,
                            options,
                            ..
                        } => self.lifts.push((core_func_index, options.to_vec())),
                        other => {
                            self.define(Kind::Function, Definition::Host(self.hosts.len()));
                            self.hosts.push(other);
                        }
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    if let ComponentAlias::CoreInstanceExport {
                        kind,
                        instance_index,
                        name,
                    } = alias?
                    {
                        let alias = Definition::Alias {
                            instance: instance_index,
                            name: name.to_owned(),
                        };
                        self.define(Kind::of_external(kind)?, alias);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn define(&mut self, kind: Kind, definition: Definition) {
        self.definitions.entry(kind).or_default().push(definition);
    }

    /// The shim is instantiated with nothing and exports a table named `$imports`; the fix-up takes
    /// that table under an empty name.
    fn find_indirection(&mut self) -> Result<()> {
        let mut seen = vec![false; self.modules.len()];
        for instance in &self.instances {
            let CoreInstance::Instantiated { module, arguments } = instance else {
                continue;
            };
            let slot = seen.get_mut(*module as usize).context("module index")?;
            ensure!(
                !std::mem::replace(slot, true),
                "core module {module} is instantiated twice; only one instance of each can be merged"
            );
            if arguments.iter().any(|(name, _)| name.is_empty()) {
                self.fixup = Some(*module);
            } else if arguments.is_empty() && exports(self.module(*module)?, "$imports")? {
                self.shim = Some(*module);
            }
        }
        ensure!(
            self.shim.is_some() == self.fixup.is_some(),
            "the component has a shim without a fix-up, or the reverse"
        );
        Ok(())
    }

    /// A core module as bytes.
    pub(super) fn module(&self, index: u32) -> Result<&'a [u8]> {
        self.modules
            .get(index as usize)
            .copied()
            .context("module index out of range")
    }

    /// The modules to merge in the order of their instantiation, with what each gets as arguments
    /// (name, instance).
    pub(super) fn instantiated(&self) -> impl Iterator<Item = (u32, &[(String, u32)])> {
        self.instances
            .iter()
            .filter_map(|instance| match instance {
                CoreInstance::Instantiated { module, arguments } => {
                    Some((*module, arguments.as_slice()))
                }
                CoreInstance::Bundle(_) => None,
            })
            .filter(|(module, _)| Some(*module) != self.shim && Some(*module) != self.fixup)
    }

    /// Returns the origin of the export `name` of an instance.
    pub(super) fn origin(&self, instance: u32, name: &str, kind: Kind) -> Result<Origin> {
        match self
            .instances
            .get(instance as usize)
            .context("instance index")?
        {
            CoreInstance::Bundle(exports) => {
                let (_, _, index) = exports
                    .iter()
                    .find(|(n, k, _)| n == name && *k == kind)
                    .with_context(|| format!("instance {instance} has no {kind:?} `{name}`"))?;
                self.origin_of_index(kind, *index)
            }
            CoreInstance::Instantiated { module, .. } => {
                if Some(*module) == self.shim && kind == Kind::Function {
                    return self.behind_shim(name);
                }
                Ok(Origin::Export {
                    module: *module,
                    name: name.to_owned(),
                })
            }
        }
    }

    /// A function of the shim stands for the one that the fix-up was given under the same name.
    fn behind_shim(&self, name: &str) -> Result<Origin> {
        let arguments = self
            .instances
            .iter()
            .find_map(|instance| match instance {
                CoreInstance::Instantiated { module, arguments } if Some(*module) == self.fixup => {
                    arguments.first()
                }
                _ => None,
            })
            .context("the fix-up has no arguments")?;
        self.origin(arguments.1, name, Kind::Function)
    }

    fn origin_of_index(&self, kind: Kind, index: u32) -> Result<Origin> {
        let definition = self
            .definitions
            .get(&kind)
            .and_then(|all| all.get(index as usize))
            .with_context(|| format!("core {kind:?} {index} is not defined"))?;
        match definition {
            Definition::Host(function) => Ok(Origin::Host(*function)),
            Definition::Alias { instance, name } => self.origin(*instance, name, kind),
        }
    }

    /// A function of the host by its number.
    pub(super) fn host_function(&self, function: usize) -> Result<&CanonicalFunction> {
        self.hosts
            .get(function)
            .context("function of the host out of range")
    }

    /// The core module and its export that a core function is.
    pub(super) fn core_export(&self, index: u32) -> Result<(u32, String)> {
        match self.origin_of_index(Kind::Function, index)? {
            Origin::Export { module, name } => Ok((module, name)),
            Origin::Host(_) => {
                bail!("core function {index} is the host's where a module's is needed")
            }
        }
    }

    /// The functions that the component lifts.
    pub(super) fn lifted(&self) -> Result<Vec<Lifted>> {
        self.lifts
            .iter()
            .map(|(index, options)| {
                let (module, name) = self.core_export(*index)?;
                let mut lifted = Lifted {
                    module,
                    name,
                    realloc: None,
                    post_return: None,
                };
                for option in options {
                    match option {
                        CanonicalOption::Realloc(f) => lifted.realloc = Some(self.core_export(*f)?),
                        CanonicalOption::PostReturn(f) => {
                            lifted.post_return = Some(self.core_export(*f)?);
                        }
                        CanonicalOption::UTF8 | CanonicalOption::Memory(_) => {}
                        other => bail!("lift option {other:?} is not supported in a guest"),
                    }
                }
                Ok(lifted)
            })
            .collect()
    }
}

fn exports(module: &[u8], name: &str) -> Result<bool> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ExportSection(section) = payload? {
            for export in section {
                if export?.name == name {
                    return Ok(true);
                }
            }
        }
    }
    Ok(false)
}
