//! Repairs: which functions of the C library and of CPython are replaced?
//!
//! Those that are wrong or slow in what the component builder brings. The replacements, and why
//! each is needed, are in `python/native/descriptors.c`, `errors.h` and `strings.h`; they call
//! what they replace. None is in place yet while the image is made.

use super::super::link_graph::Kind;
use super::super::module::{CoreModule, DefinedItem};
use super::{FunctionId, Merger, Resolved};
use anyhow::{Context as _, Result, ensure};

/// Functions of the C library, and their replacements.
const OF_LIBRARY: [(&str, &str); 9] = [
    ("lseek", "repaired_lseek"),
    ("__wasilibc_tell", "repaired_tell"),
    ("write", "repaired_write"),
    ("strlen", "repaired_strlen"),
    ("strncpy", "repaired_strncpy"),
    ("memchr", "repaired_memchr"),
    ("memcmp", "repaired_memcmp"),
    ("strerror", "repaired_strerror"),
    ("gai_strerror", "repaired_gai_strerror"),
];

/// Functions of CPython, and their replacements.
const OF_PYTHON: [(&str, &str); 4] = [
    (PYTHON_MARK, "repaired_set_from_errno"),
    ("PyObject_CallFunction", "repaired_call_function"),
    ("_PyIO_trap_eintr", "repaired_trap_eintr"),
    ("errno_exec", "repaired_errno_exec"),
];

/// A function by which the library is found; other modules only pass calls on to it.
const LIBRARY_MARK: &str = "__errno_location";

/// A function by which CPython is found.
const PYTHON_MARK: &str = "PyErr_SetFromErrnoWithFilenameObjects";

impl Merger<'_> {
    /// Puts the replacements in place, where a module brings them.
    pub(super) fn repair(&mut self) -> Result<()> {
        let (_, first) = OF_LIBRARY[0];
        let (Some(library), Some(own)) = (self.definer(LIBRARY_MARK), self.definer(first)) else {
            return Ok(());
        };
        let python = self
            .definer(PYTHON_MARK)
            .with_context(|| format!("no module has `{PYTHON_MARK}`"))?;
        // What the replacements call is the library's own, and not what replaces it.
        for import in self.module(own)?.imports.clone() {
            if let Some(function) = defined(self.module(library)?, import.name) {
                self.resolved.insert(
                    (own, import.kind, import.index),
                    Resolved::Defined(library, function),
                );
            }
        }
        self.replace(library, own, &OF_LIBRARY)?;
        self.replace(python, own, &OF_PYTHON)?;
        self.repairs = Some(own);
        Ok(())
    }

    /// Forwards functions of the module `of` to their replacements.
    fn replace(&mut self, of: u32, own: u32, replaced: &[(&str, &str)]) -> Result<()> {
        for (original, replacement) in replaced {
            let from = named(self.module(of)?, original)
                .with_context(|| format!("the module {of} has no `{original}`"))?;
            let to = defined(self.module(own)?, replacement)
                .with_context(|| format!("there is no `{replacement}`"))?;
            ensure!(
                self.module(of)?.defined_type(from)? == self.module(own)?.defined_type(to)?,
                "`{original}` has another type than it had"
            );
            self.forwards
                .insert(FunctionId::Defined(of, from), FunctionId::Defined(own, to));
        }
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

/// The function of this name among those that the module defines, exported or not.
fn named(module: &CoreModule<'_>, name: &str) -> Option<u32> {
    defined(module, name).or_else(|| {
        let index = module.names.get(name)?;
        module.own_index(Kind::Function, *index)
    })
}
