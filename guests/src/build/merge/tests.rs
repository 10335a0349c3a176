//! Tests of merging: does a merged module do what the linked ones did?

use super::*;
use wasmtime::{Engine, Linker, Module, Store};

/// The output of a linker of shared libraries: a module with the memory and the table, a library
/// that is placed by imported bases and calls through an imported address, and a host function
/// behind a shim that is filled at the end.
const LINKED: &str = r#"(component
    (import "host-function" (func $host (param "x" u32) (result u32)))
    (core module $main
        (memory (export "memory") 1)
        (table (export "table") 4 funcref)
        (global (export "table-base") i32 (i32.const 1))
        (global (export "memory-base") i32 (i32.const 16))
        (global (export "address-of-twice") (mut i32) (i32.const 2))
        (global (export "stack") (mut i32) (i32.const 100))
        (data (i32.const 15) "\07\07"))
    (core module $library
        (type $unary (func (param i32) (result i32)))
        (import "env" "table" (table 0 funcref))
        (import "env" "memory" (memory 0))
        (import "env" "table-base" (global $table i32))
        (import "env" "memory-base" (global $memory i32))
        (import "addresses" "twice" (global $twice (mut i32)))
        (import "env" "stack" (global $stack (mut i32)))
        (import "outside" "f" (func $outside (type $unary)))
        (func $thrice (type $unary) (i32.mul (local.get 0) (i32.const 3)))
        (func $double (type $unary) (i32.mul (local.get 0) (i32.const 2)))
        (func $unused (type $unary) (i32.const 0))
        (elem (global.get $table) func $thrice $double)
        (data (global.get $memory) "\05")
        (func $through (type $unary) (call_indirect (type $unary) (local.get 0) (global.get $twice)))
        (func (export "run") (result i32)
            (global.set $stack (i32.sub (global.get $stack) (i32.const 1)))
            (call $outside (i32.add (call $through (i32.load8_u (global.get $memory))) (global.get $stack))))
        (func (export "by-number") (param i32) (result i32)
            (call_indirect (type $unary) (i32.const 10) (local.get 0))))
    (core module $shim
        (type $unary (func (param i32) (result i32)))
        (table (export "$imports") 1 funcref)
        (func (export "0") (type $unary) (call_indirect (type $unary) (local.get 0) (i32.const 0))))
    (core module $fix-up
        (import "" "0" (func $f (param i32) (result i32)))
        (import "" "$imports" (table 1 funcref))
        (elem (i32.const 0) func $f))
    (core instance $shim (instantiate $shim))
    (core instance $main (instantiate $main))
    (core instance $library (instantiate $library
        (with "env" (instance
            (export "table" (table $main "table"))
            (export "memory" (memory $main "memory"))
            (export "table-base" (global $main "table-base"))
            (export "memory-base" (global $main "memory-base"))
            (export "stack" (global $main "stack"))))
        (with "addresses" (instance (export "twice" (global $main "address-of-twice"))))
        (with "outside" (instance (export "f" (func $shim "0"))))))
    (core func $lowered (canon lower (func $host)))
    (core instance (instantiate $fix-up
        (with "" (instance (export "$imports" (table $shim "$imports")) (export "0" (func $lowered))))))
)"#;

/// The library's index among the modules above.
const LIBRARY: u32 = 1;

fn merged(component: &str, keep: &[&str]) -> Result<Merged> {
    let component = wat::parse_str(component).unwrap();
    let keep: Vec<_> = keep
        .iter()
        .map(|name| (LIBRARY, (*name).to_owned(), (*name).to_owned()))
        .collect();
    merge(&LinkGraph::read(&component)?, &keep)
}

#[test]
fn a_merged_module_computes_what_the_linked_ones_did() {
    let merged = merged(LINKED, &["run", "by-number"]).unwrap();
    assert_eq!(
        &merged.image[14..18],
        b"\0\x07\x05\0",
        "later modules write over earlier ones"
    );
    let engine = Engine::default();
    let module = Module::new(&engine, &merged.module).unwrap();
    let imports: Vec<_> = module
        .imports()
        .map(|import| (import.module(), import.name()))
        .collect();
    assert_eq!(
        imports,
        [("outside", "f")],
        "only the host is still outside"
    );
    let mut linker = Linker::new(&engine);
    linker.func_wrap("outside", "f", |x: i32| x + 1000).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let memory = instance.get_memory(&mut store, "memory").unwrap();
    assert_eq!(memory.data_size(&store), merged.image.len());
    memory.write(&mut store, 0, &merged.image).unwrap();
    let run = instance
        .get_typed_func::<(), i32>(&mut store, "run")
        .unwrap();
    assert_eq!(run.call(&mut store, ()).unwrap(), 2 * 5 + 99 + 1000);
    assert_eq!(
        run.call(&mut store, ()).unwrap(),
        2 * 5 + 98 + 1000,
        "what modules write to each other's globals stays"
    );
    let by_number = instance
        .get_typed_func::<i32, i32>(&mut store, "by-number")
        .unwrap();
    assert_eq!(by_number.call(&mut store, 1).unwrap(), 30);
    assert_eq!(by_number.call(&mut store, 2).unwrap(), 20);
    assert!(
        by_number.call(&mut store, 3).is_err(),
        "an empty slot is still empty"
    );
}

#[test]
fn unwritten_globals_are_constant_and_uncalled_functions_are_removed() {
    let merged = merged(LINKED, &["run"]).unwrap();
    let module = CoreModule::read(&merged.module).unwrap();
    assert_eq!(module.globals.len(), 1, "only the stack pointer is written");
    // `run`, `$thrice`, `$double` and `$through`: the table leads to the middle two.
    assert_eq!(module.bodies.len(), 4);
    assert!(module.data.is_empty());
    let indirect = module
        .bodies
        .iter()
        .flat_map(|body| body.get_operators_reader().unwrap())
        .filter(|operator| matches!(operator, Ok(Operator::CallIndirect { .. })))
        .count();
    assert_eq!(
        indirect, 0,
        "a call through a constant slot is a plain call"
    );
}

#[test]
fn broken_assumptions_are_named() {
    let check = |find: &str, replace: &str, expected: &str| {
        assert!(LINKED.contains(find), "{find}");
        let error = merged(&LINKED.replace(find, replace), &["run"])
            .err()
            .unwrap();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    };
    check(
        "(data (global.get $memory) \"\\05\")",
        "(start $s) (func $s)",
        "a start function is not supported",
    );
    check(
        "(data (global.get $memory) \"\\05\")",
        "(data \"\\05\")",
        "passive data segments are not supported",
    );
    check(
        "(func $unused",
        "(func (table.set 0 (i32.const 0) (ref.null func))) (func $unused",
        "changes its table",
    );
    check(
        "(core instance $main (instantiate $main))",
        "(core instance (instantiate $main)) (core instance $main (instantiate $main))",
        "instantiated twice",
    );
    check(
        "(func $unused",
        "(memory 1) (func $unused",
        "more than one module defines a memory",
    );
}
