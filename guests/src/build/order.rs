//! Function order: in which order do the functions of a guest lie in memory?
//!
//! A short program runs a few hundred functions of some thousands, each a few times, so what it
//! waits for is machine code that comes from memory. The compiler lays functions out in the order
//! of the module: those that short programs run come first, in the order in which they run.

use anyhow::{Context as _, Result};
use std::collections::HashSet;
use std::convert::Infallible;
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, FunctionSection, Module};
use wasmparser::{Parser, Payload, TypeRef};

/// The same module with the functions of the given numbers in front. Numbers of imports, and
/// unknown ones, mean nothing.
///
/// # Errors
///
/// Where the module cannot be read.
pub(super) fn in_front(module: &[u8], first: &[u32]) -> Result<Vec<u8>> {
    let (mut imported, mut defined) = (0, 0);
    for payload in Parser::new(0).parse_all(module) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::FunctionSection(section) => defined = section.count(),
            _ => {}
        }
    }
    let mut taken = HashSet::new();
    let wanted = first
        .iter()
        .filter_map(|function| function.checked_sub(imported))
        .filter(|function| *function < defined);
    let order: Vec<u32> = wanted
        .chain(0..defined)
        .filter(|function| taken.insert(*function))
        .collect();
    let mut numbers = vec![0; order.len()];
    for (number, function) in (imported..).zip(&order) {
        *numbers
            .get_mut(*function as usize)
            .context("a function without a number")? = number;
    }
    let mut out = Module::new();
    Sorter {
        imported,
        order,
        numbers,
    }
    .parse_core_module(&mut out, Parser::new(0), module)?;
    Ok(out.finish())
}

struct Sorter {
    imported: u32,
    /// The defined functions in their new order, by their old places.
    order: Vec<u32>,
    /// The new number of each defined function, by its old place.
    numbers: Vec<u32>,
}

impl Sorter {
    fn sorted<T: Clone>(&self, items: &[T]) -> Vec<T> {
        self.order
            .iter()
            .filter_map(|function| items.get(*function as usize).cloned())
            .collect()
    }
}

impl Reencode for Sorter {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Infallible>> {
        let defined = function
            .checked_sub(self.imported)
            .and_then(|place| self.numbers.get(place as usize));
        Ok(defined.copied().unwrap_or(function))
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let types = section.into_iter().collect::<Result<Vec<u32>, _>>()?;
        for ty in self.sorted(&types) {
            functions.function(ty);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), reencode::Error<Infallible>> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for body in self.sorted(&bodies) {
            self.parse_function_body(code, body)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::{Engine, Instance, Store};

    const MODULE: &str = r#"(module
        (type $number (func (result i32)))
        (import "host" "one" (func $one (result i32)))
        (table 2 funcref)
        (elem (i32.const 0) func $four $three)
        (func $two (result i64) (i64.const 2))
        (func $three (result i32) (i32.const 3))
        (func $four (result i32) (i32.const 4))
        (func (export "sum") (result i32)
            (i32.add (i32.add (call $one) (i32.wrap_i64 (call $two)))
                (i32.mul (call_indirect (type $number) (i32.const 0)) (i32.mul (i32.const 10) (call_indirect (type $number) (i32.const 1)))))))"#;

    #[test]
    fn a_module_does_the_same_in_any_order() {
        let module = wat::parse_str(MODULE).unwrap();
        for order in [&[][..], &[4, 2], &[3, 3, 0, 99, 1], &[4, 3, 2, 1]] {
            let sorted = in_front(&module, order).unwrap();
            wasmparser::validate(&sorted).unwrap();
            let engine = Engine::default();
            let compiled = wasmtime::Module::new(&engine, &sorted).unwrap();
            let mut store = Store::new(&engine, ());
            let one = wasmtime::Func::wrap(&mut store, || 1);
            let instance = Instance::new(&mut store, &compiled, &[one.into()]).unwrap();
            let sum = instance
                .get_typed_func::<(), i32>(&mut store, "sum")
                .unwrap();
            assert_eq!(
                sum.call(&mut store, ()).unwrap(),
                1 + 2 + 4 * 10 * 3,
                "{order:?}"
            );
        }
    }
}
