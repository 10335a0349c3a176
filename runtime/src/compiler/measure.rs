//! Module size limits: how large is an untrusted WebAssembly module, before any of it is compiled?
//!
//! One pass over the bytes without recursion. Inside the jail it is no protection: it refuses early
//! with a message that names the limit, where the limits of the compiler's process would only kill
//! it.

use super::protocol::Refusal;
use wasmparser::{FunctionBody, Operator, Parser, Payload};

/// Bytes of code in one function; the compiler's time can grow faster than a function's size.
const MAX_FUNCTION_BYTES: usize = 256 << 10;

/// Bytes of code in a program.
const MAX_CODE_BYTES: usize = 16 << 20;

/// Functions, types, imports and segments of a program, in one section.
const MAX_ITEMS: u32 = 50_000;

/// The same in all sections of a program.
const MAX_ALL_ITEMS: u64 = 500_000;

/// Locals of one function.
const MAX_LOCALS_OF_FUNCTION: u64 = 50_000;

/// Locals of all functions; each costs the compiler time, and a few bytes declare thousands.
const MAX_LOCALS: u64 = 1_000_000;

/// Nesting of blocks, loops and the like; the compiler's time is quadratic in it.
const MAX_BLOCK_NESTING: usize = 1_000;

/// Core modules and components in a program, together.
const MAX_MODULES: usize = 200;

/// Component and instance types in one section that may be nested. Parsers of such types recurse.
const MAX_TYPE_NESTING: usize = 1_000;

/// Custom sections in a program.
const MAX_CUSTOM_SECTIONS: usize = 1_000;

/// Bytes of all custom sections, most of which are for debuggers.
const MAX_CUSTOM_BYTES: usize = 64 << 20;

#[derive(Default)]
struct Sums {
    code: usize,
    items: u64,
    locals: u64,
    modules: usize,
    custom_sections: usize,
    custom_bytes: usize,
}

/// Refuses a module that exceeds a limit or is not made of well-formed sections.
pub(super) fn measure(program: &[u8]) -> Result<(), Refusal> {
    let mut sums = Sums::default();
    for payload in Parser::new(0).parse_all(program) {
        let payload = payload.map_err(invalid)?;
        let items = match &payload {
            Payload::TypeSection(section) => section.count(),
            Payload::ImportSection(section) => section.count(),
            Payload::FunctionSection(section) => section.count(),
            Payload::TableSection(section) => section.count(),
            Payload::MemorySection(section) => section.count(),
            Payload::TagSection(section) => section.count(),
            Payload::GlobalSection(section) => section.count(),
            Payload::ExportSection(section) => section.count(),
            Payload::ElementSection(section) => section.count(),
            Payload::DataSection(section) => section.count(),
            Payload::InstanceSection(section) => section.count(),
            Payload::ComponentInstanceSection(section) => section.count(),
            Payload::ComponentAliasSection(section) => section.count(),
            Payload::ComponentCanonicalSection(section) => section.count(),
            Payload::ComponentImportSection(section) => section.count(),
            Payload::ComponentExportSection(section) => section.count(),
            Payload::CoreTypeSection(section) => {
                check_types(program.get(section.range()).unwrap_or_default())?;
                section.count()
            }
            Payload::ComponentTypeSection(section) => {
                check_types(program.get(section.range()).unwrap_or_default())?;
                section.count()
            }
            Payload::CodeSectionEntry(body) => {
                sums.code = sums.code.saturating_add(body.range().len());
                sums.locals = sums.locals.saturating_add(check_function(body)?);
                0
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                sums.modules += 1;
                0
            }
            Payload::CustomSection(section) => {
                sums.custom_sections += 1;
                sums.custom_bytes = sums.custom_bytes.saturating_add(section.data().len());
                // These hold a component type, or whole components of nothing but types.
                if section.name().starts_with("component-type") {
                    check_types(section.data())?;
                }
                0
            }
            _ => 0,
        };
        sums.items = sums.items.saturating_add(u64::from(items));
        within(items <= MAX_ITEMS, "a section has more than 50,000 items")?;
        sums.check()?;
    }
    Ok(())
}

impl Sums {
    fn check(&self) -> Result<(), Refusal> {
        within(
            self.code <= MAX_CODE_BYTES,
            "the program has more than 16 MiB of code",
        )?;
        within(
            self.items <= MAX_ALL_ITEMS,
            "the program's sections have more than 500,000 items",
        )?;
        within(
            self.locals <= MAX_LOCALS,
            "the functions declare more than 1,000,000 locals",
        )?;
        within(
            self.modules <= MAX_MODULES,
            "the program contains more than 200 modules and components",
        )?;
        within(
            self.custom_sections <= MAX_CUSTOM_SECTIONS,
            "the program has more than 1,000 custom sections",
        )?;
        within(
            self.custom_bytes <= MAX_CUSTOM_BYTES,
            "the custom sections have more than 64 MiB; strip the debug information",
        )
    }
}

/// Checks one function; returns the number of its locals.
fn check_function(body: &FunctionBody<'_>) -> Result<u64, Refusal> {
    within(
        body.range().len() <= MAX_FUNCTION_BYTES,
        "a function has more than 256 KiB of code",
    )?;
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(invalid)? {
        let (count, _) = group.map_err(invalid)?;
        locals = locals.saturating_add(u64::from(count));
    }
    within(
        locals <= MAX_LOCALS_OF_FUNCTION,
        "a function declares more than 50,000 locals",
    )?;
    let mut depth = 0_usize;
    for operator in body.get_operators_reader().map_err(invalid)? {
        match operator.map_err(invalid)? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => depth += 1,
            Operator::End | Operator::Delegate { .. } => depth = depth.saturating_sub(1),
            _ => {}
        }
        within(
            depth <= MAX_BLOCK_NESTING,
            "blocks, loops and ifs lie more than 1,000 deep inside each other",
        )?;
    }
    Ok(locals)
}

/// Bounds the nesting depth of component and instance types in these bytes: each level needs the
/// two bytes by which such a type is declared in another one, so the number of those pairs is never
/// less than the depth.
fn check_types(bytes: &[u8]) -> Result<(), Refusal> {
    let pairs = bytes
        .array_windows::<2>()
        .filter(|pair| matches!(pair, [0x01, 0x41 | 0x42] | [0x00, 0x50]))
        .count();
    within(
        pairs <= MAX_TYPE_NESTING,
        "a section has more than 1,000 component and instance types that may lie inside each other",
    )
}

fn within(holds: bool, limit: &'static str) -> Result<(), Refusal> {
    if holds {
        Ok(())
    } else {
        Err(Refusal::TooLarge(limit.to_owned()))
    }
}

fn invalid(error: wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Invalid(error.to_string())
}
