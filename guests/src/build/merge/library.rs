//! Replaced library: which of CPython's functions does another module bring?
//!
//! The component builder's CPython contains a SQLite without full-text search, time zones and locks
//! between connections. Ours is a module of its own with the same interface, and every call of a
//! function of the interface goes to it. The old one exports nothing, so its functions are found
//! by their names in the debugging section.

use super::super::link_graph::Kind;
use super::super::module::DefinedItem;
use super::{FunctionId, Merger};
use anyhow::{Context as _, Result, ensure};

/// The first part of the names of its functions.
const PREFIX: &str = "sqlite3_";

/// A function by which both modules are found.
const MARK: &str = "sqlite3_open_v2";

impl Merger<'_> {
    /// Forwards the functions of the old library to the new one, where there are both.
    pub(super) fn replace_library(&mut self) -> Result<()> {
        let Some(new) = self
            .modules
            .iter()
            .find(|(_, module)| module.export_index(MARK, Kind::Function).is_ok())
            .map(|(index, _)| *index)
        else {
            return Ok(());
        };
        let old = self
            .modules
            .iter()
            .find(|(index, module)| **index != new && module.names.contains_key(MARK))
            .map(|(index, _)| *index)
            .with_context(|| format!("no module has a `{MARK}` that can be replaced"))?;
        let mut forwards = Vec::new();
        for (name, function) in &self.module(old)?.names {
            if !name.starts_with(PREFIX) {
                continue;
            }
            let from = self
                .module(old)?
                .own_index(Kind::Function, *function)
                .with_context(|| format!("`{name}` is not the library's own"))?;
            let DefinedItem::Defined(to) = self.module(new)?.export(name, Kind::Function)? else {
                anyhow::bail!("`{name}` of the new library is not its own");
            };
            ensure!(
                self.module(old)?.defined_type(from)? == self.module(new)?.defined_type(to)?,
                "`{name}` has another type in the new library"
            );
            forwards.push((FunctionId::Defined(old, from), FunctionId::Defined(new, to)));
        }
        self.forwards.extend(forwards);
        Ok(())
    }
}
