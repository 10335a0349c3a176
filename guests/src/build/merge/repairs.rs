//! C library repairs: which of its functions are replaced?
//!
//! Those that are wrong or slow in the library that the component builder brings. The replacements,
//! and why each is needed, are in `python/native/descriptors.c` and `strings.h`; the former call
//! what they replace.

use super::super::link_graph::Kind;
use super::super::module::{CoreModule, DefinedItem};
use super::{FunctionId, Merger, Resolved};
use anyhow::{Context as _, Result, ensure};

/// The functions, and their replacements.
const REPAIRED: [(&str, &str); 7] = [
    ("lseek", "repaired_lseek"),
    ("__wasilibc_tell", "repaired_tell"),
    ("write", "repaired_write"),
    ("strlen", "repaired_strlen"),
    ("strncpy", "repaired_strncpy"),
    ("memchr", "repaired_memchr"),
    ("memcmp", "repaired_memcmp"),
];

/// A function by which the library is found; other modules only pass calls on to it.
const MARK: &str = "__errno_location";

impl Merger<'_> {
    /// Puts the replacements in place, where a module brings them.
    pub(super) fn repair(&mut self) -> Result<()> {
        let (_, first) = REPAIRED[0];
        let (Some(library), Some(own)) = (self.definer(MARK), self.definer(first)) else {
            return Ok(());
        };
        // What the replacements call is the library's own, and not what replaces it.
        for import in self.module(own)?.imports.clone() {
            if let Some(function) = defined(self.module(library)?, import.name) {
                self.resolved.insert(
                    (own, import.kind, import.index),
                    Resolved::Defined(library, function),
                );
            }
        }
        for (original, replacement) in REPAIRED {
            let from = defined(self.module(library)?, original)
                .with_context(|| format!("the C library has no `{original}`"))?;
            let to = defined(self.module(own)?, replacement)
                .with_context(|| format!("there is no `{replacement}`"))?;
            ensure!(
                self.module(library)?.defined_type(from)? == self.module(own)?.defined_type(to)?,
                "`{original}` of the C library has another type than it had"
            );
            self.forwards.insert(
                FunctionId::Defined(library, from),
                FunctionId::Defined(own, to),
            );
        }
        self.repairs = Some(own);
        Ok(())
    }

    /// The module that defines a function and exports it.
    fn definer(&self, name: &str) -> Option<u32> {
        self.modules
            .iter()
            .find(|(_, module)| defined(module, name).is_some())
            .map(|(index, _)| *index)
    }
}

/// The function of this name, if the module defines and exports it.
fn defined(module: &CoreModule<'_>, name: &str) -> Option<u32> {
    match module.export(name, Kind::Function) {
        Ok(DefinedItem::Defined(index)) => Some(index),
        _ => None,
    }
}
