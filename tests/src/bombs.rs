//! Compilation bombs: which WebAssembly programs attack the parser or compiler?
//!
//! They are built byte by byte, because no assembler emits such malformed or oversized modules.

/// A program that attacks before its first instruction runs.
#[derive(Clone, Debug)]
pub struct Bomb {
    /// The name of the attack.
    pub name: &'static str,
    /// The program.
    pub bytes: Vec<u8>,
}

const MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Encodes an unsigned LEB128 number.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Encodes a type index, which is a signed LEB128 number.
fn index(value: usize) -> Vec<u8> {
    let mut bytes = number(value);
    if let Some(last) = bytes.last_mut().filter(|last| **last & 0x40 != 0) {
        *last |= 0x80;
        bytes.push(0);
    }
    bytes
}

fn sized(content: &[u8]) -> Vec<u8> {
    [number(content.len()), content.to_vec()].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], sized(content)].concat()
}

fn list(items: &[Vec<u8>]) -> Vec<u8> {
    [number(items.len()), items.concat()].concat()
}

fn custom(name: &str, content: &[u8]) -> Vec<u8> {
    section(0, &[sized(name.as_bytes()), content.to_vec()].concat())
}

/// Encodes a command module with functions of these bodies (locals and instructions), and more
/// sections before its code and at its end.
fn command(bodies: &[Vec<u8>], before: &[u8], after: &[u8]) -> Vec<u8> {
    let exports = list(&[b"\x06_start\0\0".to_vec(), b"\x06memory\x02\0".to_vec()]);
    let code: Vec<Vec<u8>> = bodies.iter().map(|body| sized(body)).collect();
    [
        MODULE.to_vec(),
        section(1, b"\x01\x60\0\0"),
        section(3, &list(&vec![vec![0]; bodies.len()])),
        section(5, b"\x01\0\x01"),
        section(7, &exports),
        before.to_vec(),
        section(10, &list(&code)),
        after.to_vec(),
    ]
    .concat()
}

/// Encodes a function body without locals that nests a block `depth` times.
fn nested(opening: &[u8], depth: usize) -> Vec<u8> {
    [vec![0], opening.repeat(depth), vec![0x0b; depth + 1]].concat()
}

fn component(sections: &[u8]) -> Vec<u8> {
    [COMPONENT, sections].concat()
}

/// Encodes a section of nested component types.
fn nested_types(opening: u8, depth: usize) -> Vec<u8> {
    section(
        7,
        &[vec![1], [opening, 1, 1].repeat(depth), vec![opening, 0]].concat(),
    )
}

/// A preview 1 program that does nothing, as the baseline.
#[must_use]
pub fn nothing() -> Vec<u8> {
    command(&[vec![0, 0x0b]], &[], &[])
}

/// A WASI 0.2 component that does nothing.
///
/// # Panics
///
/// Never: its text is valid.
#[must_use]
pub fn nothing_component() -> Vec<u8> {
    let text = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "run")))
        (instance $out (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $out)))"#;
    wat::parse_str(text).expect("it is a component")
}

/// A program of less than 3 MiB that is within every bound and still takes many seconds to compile.
#[must_use]
pub fn slow() -> Vec<u8> {
    command(&vec![nested(&[0x03, 0x40], 900); 1_000], &[], &[])
}

/// A program with a section of deeply nested component types inside, as tools embed them for other
/// tools.
fn with_types_for_tools(name: &str, prefix: &[u8], types: &[u8]) -> Vec<u8> {
    command(
        &[vec![0, 0x0b]],
        &[],
        &custom(name, &[prefix, COMPONENT, types].concat()),
    )
}

/// Takes a bomb's name and bytes.
type Add<'a> = &'a mut dyn FnMut(&'static str, Vec<u8>);

/// Returns all bombs, the worst first.
#[must_use]
pub fn all() -> Vec<Bomb> {
    let mut bombs = Vec::new();
    let add: Add<'_> = &mut |name, bytes| bombs.push(Bomb { name, bytes });
    deep_types(add);
    deep_components(add);
    deep_functions(add);
    large_functions(add);
    large_segments(add);
    long_lists(add);
    many_names(add);
    doubled_types(add);
    bombs
}

/// Types in types, where readers recurse.
fn deep_types(add: Add<'_>) {
    for depth in [900, 1_500, 60_000] {
        add(
            "component types in component types",
            component(&nested_types(0x41, depth)),
        );
        add(
            "instance types in instance types",
            component(&nested_types(0x42, depth)),
        );
    }
    add(
        "types in a custom section",
        with_types_for_tools(
            "component-type:x",
            b"\x03\0\x01w",
            &nested_types(0x41, 3_000),
        ),
    );
    add(
        "types in a custom section of today",
        with_types_for_tools("component-type:x", b"", &nested_types(0x42, 3_000)),
    );
    add(
        "types in a custom section, just within bounds",
        with_types_for_tools("component-type:x", b"", &nested_types(0x41, 990)),
    );
    add(
        "types in a custom section of a module in a component",
        component(&section(
            1,
            &with_types_for_tools("component-type:x", b"", &nested_types(0x41, 3_000)),
        )),
    );
    add(
        "module types in module types",
        component(&section(
            3,
            &[vec![1], [0x50, 1, 1].repeat(20_000), vec![0x50, 0]].concat(),
        )),
    );
}

/// Components in components, and many of them.
fn deep_components(add: Add<'_>) {
    for depth in [150, 1_000, 20_000] {
        let mut inner = component(&[]);
        if depth <= 1_000 {
            for _ in 0..depth {
                inner = component(&section(4, &inner));
            }
        } else {
            // The sizes of 20,000 levels at once: each contains everything after it.
            let mut reversed: Vec<u8> = inner.iter().rev().copied().collect();
            for _ in 0..depth {
                let head = [COMPONENT.to_vec(), vec![4], number(reversed.len())].concat();
                reversed.extend(head.iter().rev());
            }
            inner = reversed.into_iter().rev().collect();
        }
        add("components in components", inner);
    }
    add(
        "many components",
        component(&section(4, &component(&[])).repeat(20_000)),
    );
    add(
        "many modules",
        component(&section(1, MODULE).repeat(20_000)),
    );
}

/// Functions of nested blocks, and of many locals.
fn deep_functions(add: Add<'_>) {
    for (name, opening) in [
        ("blocks", [0x02, 0x40].as_slice()),
        ("loops", &[0x03, 0x40]),
        ("ifs", &[0x41, 1, 0x04, 0x40]),
        ("try tables", &[0x1f, 0x40, 0]),
        ("old tries", &[0x06, 0x40]),
    ] {
        add(name, command(&[nested(opening, 60_000)], &[], &[]));
    }
    add("many functions of loops", slow());
    let locals = [vec![1], number(50_000), vec![0x7f, 0x0b]].concat();
    add(
        "many locals",
        command(&vec![locals.clone(); 49_000], &[], &[]),
    );
    add(
        "many locals, within bounds",
        command(&vec![locals; 19], &[], &[]),
    );
    add(
        "more locals than there may be",
        command(
            &[[
                vec![2],
                number(u32::MAX as usize),
                vec![0x7f],
                number(9),
                vec![0x7e, 0x0b],
            ]
            .concat()],
            &[],
            &[],
        ),
    );
}

/// Functions that are slow to compile.
fn large_functions(add: Add<'_>) {
    let table = [
        vec![0, 0x02, 0x40, 0x41, 0, 0x0e],
        number(250_000),
        vec![0; 250_001],
        vec![0x0b, 0x0b],
    ]
    .concat();
    add("jump tables", command(&vec![table; 12], &[], &[]));
    let sum = [
        vec![1, 1, 0x7f],
        [0x20, 0].repeat(60_000),
        vec![0x6a; 59_999],
        vec![0x1a, 0x0b],
    ]
    .concat();
    add(
        "a high stack of operands",
        command(&vec![sum; 12], &[], &[]),
    );
    let loads = [
        vec![1, 1, 0x7f, 0x20, 0],
        [0x28, 0, 0].repeat(80_000),
        vec![0x1a, 0x0b],
    ]
    .concat();
    add("a long chain of loads", command(&vec![loads; 12], &[], &[]));
}

/// Data segments, and sections that are longer than they may be.
fn large_segments(add: Add<'_>) {
    let data = |bytes: usize| [vec![0, 0x41, 0, 0x0b], sized(&vec![7; bytes])].concat();
    add(
        "a huge data segment",
        command(&[vec![0, 0x0b]], &[], &section(11, &list(&[data(3 << 20)]))),
    );
    add(
        "many data segments",
        command(
            &[vec![0, 0x0b]],
            &[],
            &section(11, &list(&vec![data(0); 400_000])),
        ),
    );
    add(
        "a section that is longer than the file",
        [MODULE, &[1], &number(u32::MAX as usize)].concat(),
    );
    add(
        "a list that is longer than its section",
        [MODULE.to_vec(), section(1, &number(u32::MAX as usize))].concat(),
    );
}

/// Lists of types and exports.
fn long_lists(add: Add<'_>) {
    let function_type = b"\x60\0\0".to_vec();
    add(
        "a huge list of types",
        [
            MODULE.to_vec(),
            section(1, &list(&vec![function_type.clone(); 900_000])),
        ]
        .concat(),
    );
    let group = [vec![0x4e], list(&vec![function_type; 900_000])].concat();
    add(
        "a huge recursive group of types",
        [MODULE.to_vec(), section(1, &list(&[group]))].concat(),
    );
    let export = |at: usize| [sized(format!("e{at}").as_bytes()), vec![0, 0]].concat();
    let exports: Vec<_> = (0..300_000).map(export).collect();
    let exporting = [
        MODULE.to_vec(),
        section(1, b"\x01\x60\0\0"),
        section(3, b"\x01\0"),
        section(7, &list(&exports)),
    ]
    .concat();
    add(
        "many exports",
        [exporting, section(10, &list(&[sized(&[0, 0x0b])]))].concat(),
    );
}

/// Names, custom sections and elements.
fn many_names(add: Add<'_>) {
    add(
        "a long name",
        command(&[vec![0, 0x0b]], &[], &custom(&"n".repeat(3 << 20), b"")),
    );
    add(
        "many custom sections",
        command(&[vec![0, 0x0b]], &[], &custom("n", b"").repeat(400_000)),
    );
    let element =
        |functions: usize| [vec![0, 0x41, 0, 0x0b], list(&vec![vec![0]; functions])].concat();
    let elements = [
        section(4, b"\x01\x70\0\x0a"),
        section(9, &list(&[element(2_000_000)])),
    ]
    .concat();
    add(
        "a huge element segment",
        [
            MODULE.to_vec(),
            section(1, b"\x01\x60\0\0"),
            section(3, b"\x01\0"),
            elements,
            section(10, &list(&[sized(&[0, 0x0b])])),
        ]
        .concat(),
    );
}

/// Types whose size doubles with each.
fn doubled_types(add: Add<'_>) {
    // Each type is a list of the previous one, and then a record that contains the previous one
    // twice.
    let chain: Vec<_> = (0..40_000)
        .map(|at| {
            if at == 0 {
                vec![0x70, 0x7d]
            } else {
                [vec![0x70], index(at - 1)].concat()
            }
        })
        .collect();
    add("lists of lists", component(&section(7, &list(&chain))));
    let pair = |at: usize| [vec![0x6f, 2], index(at), index(at)].concat();
    let doubled: Vec<_> = std::iter::once(vec![0x6f, 1, 0x7d])
        .chain((0..40_000).map(pair))
        .collect();
    add(
        "a type that doubles",
        component(&section(7, &list(&doubled))),
    );
    add(
        "many aliases out of it",
        component(&section(6, &list(&vec![vec![0x03, 0x02, 0, 0]; 400_000]))),
    );
    add(
        "an alias far out",
        component(&section(
            6,
            &list(&[[vec![0x03, 0x02], number(4_000_000_000), vec![0]].concat()]),
        )),
    );
    add(
        "many resources",
        component(&section(7, &list(&vec![vec![0x3f, 0x7f, 0]; 300_000]))),
    );
}
