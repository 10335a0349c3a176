//! Memory image: how does the initialised memory of a core module become a file?
//!
//! The runtime maps that file copy-on-write instead of copying data segments into every fresh
//! memory.

use anyhow::{Context as _, Result, bail, ensure};
use wasm_encoder::reencode::{Reencode as _, RoundtripReencoder};
use wasm_encoder::{
    ConstExpr, DataSection, Encode as _, ExportSection, MemorySection, MemoryType, Module,
    RawSection, SectionId,
};
use wasmparser::{DataKind, Operator, Parser, Payload};

/// Bytes in a WebAssembly page.
pub(super) const WASM_PAGE: u64 = 65536;

/// A core module without data segments, and the memory that those made.
pub(super) struct Stripped {
    pub(super) module: Vec<u8>,
    /// Exactly as long as the module's minimum memory.
    pub(super) image: Vec<u8>,
}

/// Moves every data segment of `module` into an image, and drops the exports that `keep` does not
/// want.
///
/// The memory starts with at least `pages` pages, so that two images can go with one code.
///
/// # Errors
///
/// Where the module has more than one memory, passive segments, or a segment whose place is not a
/// constant.
pub(super) fn strip(module: &[u8], pages: u64, keep: impl Fn(&str) -> bool) -> Result<Stripped> {
    let mut out = Module::new();
    let mut image: Option<Vec<u8>> = None;
    for payload in Parser::new(0).parse_all(module) {
        let payload = payload?;
        match &payload {
            Payload::MemorySection(section) => {
                let mut memories = section.clone().into_iter();
                let memory = memories.next().context("empty memory section")??;
                ensure!(
                    memories.next().is_none() && !memory.memory64 && !memory.shared,
                    "a guest has exactly one plain 32-bit memory"
                );
                let minimum = memory.initial.max(pages);
                let mut encoded = MemorySection::new();
                encoded.memory(MemoryType {
                    minimum,
                    maximum: None,
                    memory64: false,
                    shared: false,
                    page_size_log2: None,
                });
                out.section(&encoded);
                image = Some(vec![0; usize::try_from(minimum * WASM_PAGE)?]);
            }
            Payload::ExportSection(section) => {
                let mut kept = ExportSection::new();
                for export in section.clone() {
                    let export = export?;
                    if keep(export.name) {
                        RoundtripReencoder.parse_export(&mut kept, export)?;
                    }
                }
                out.section(&kept);
            }
            Payload::DataSection(section) => {
                let image = image.as_mut().context("data segments without a memory")?;
                for segment in section.clone() {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        // A snapshot keeps the numbers of the segments that it has made
                        // superfluous.
                        ensure!(
                            segment.data.is_empty(),
                            "a guest must not have passive data segments"
                        );
                        continue;
                    };
                    let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
                    else {
                        bail!("a data segment of a guest must have a constant offset");
                    };
                    write_at(image, value.cast_unsigned() as usize, segment.data)?;
                }
            }
            Payload::DataCountSection { .. } | Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    let data = module.get(range).context("section outside the file")?;
                    out.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(Stripped {
        module: out.finish(),
        image: image.context("the module has no memory")?,
    })
}

/// The reverse of [`strip`]: a module that brings its memory along, for engines that know nothing
/// of images.
pub(super) fn with_data(module: &[u8], image: &[u8]) -> Vec<u8> {
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), image.iter().copied());
    let mut section = Vec::new();
    data.encode(&mut section);
    // Data is the last section that a module may have.
    let mut out = module.to_vec();
    out.push(SectionId::Data.into());
    out.extend_from_slice(&section);
    out
}

/// Copies a segment to its place.
pub(super) fn write_at(image: &mut [u8], offset: usize, data: &[u8]) -> Result<()> {
    offset
        .checked_add(data.len())
        .and_then(|end| image.get_mut(offset..end))
        .context("a data segment lies outside the memory")?
        .copy_from_slice(data);
    Ok(())
}

/// An image without the zeroes at its end, in whole pages: a memory that it goes into is zero
/// behind it anyway.
pub(super) fn without_end(image: &[u8]) -> &[u8] {
    let length = image
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1);
    image
        .get(..length.next_multiple_of(WASM_PAGE as usize))
        .unwrap_or(image)
}

/// Overwrites with zeros what only the initialisation needed, so that it takes no room in the file.
///
/// # Errors
///
/// Where the image does not hold it.
pub(super) fn blank(image: &mut [u8], content: &[u8]) -> Result<()> {
    find(image, content)
        .context("the image does not hold what should be removed from it")?
        .fill(0);
    Ok(())
}

/// The first place that holds `content`.
fn find<'a>(image: &'a mut [u8], content: &[u8]) -> Option<&'a mut [u8]> {
    let start = content.first()?;
    let mut from = 0;
    loop {
        from += image.get(from..)?.iter().position(|byte| byte == start)?;
        let end = from.checked_add(content.len())?;
        if image.get(from..end)? == content {
            return image.get_mut(from..end);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    const TWO_SEGMENTS: &str = r#"(module (memory (export "memory") 1)
        (data (i32.const 2) "abc") (data (i32.const 4) "XY")
        (func (export "keep") (result i32) (i32.load8_u (i32.const 4)))
        (func (export "drop")))"#;

    #[test]
    fn segments_become_an_image_in_their_order_and_go_back_into_a_module() {
        let stripped = strip(&module(TWO_SEGMENTS), 0, |_| true).unwrap();
        assert_eq!(stripped.image.len(), 65536);
        assert_eq!(&stripped.image[..8], b"\0\0abXY\0\0");
        let engine = wasmtime::Engine::default();
        let run = |module: &[u8]| {
            let mut store = wasmtime::Store::new(&engine, ());
            let module = wasmtime::Module::new(&engine, module).unwrap();
            let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
            instance
                .get_typed_func::<(), i32>(&mut store, "keep")
                .unwrap()
                .call(&mut store, ())
                .unwrap()
        };
        assert_eq!(run(&stripped.module), 0, "the code brings nothing along");
        assert_eq!(
            run(&with_data(&stripped.module, &stripped.image)),
            i32::from(b'X')
        );
    }

    #[test]
    fn unwanted_exports_go_and_the_memory_grows_as_asked() {
        let stripped = strip(&module(TWO_SEGMENTS), 3, |name| name == "memory").unwrap();
        assert_eq!(stripped.image.len(), 3 * 65536);
        let parsed = wasmtime::Module::new(&wasmtime::Engine::default(), &stripped.module).unwrap();
        let exports: Vec<&str> = parsed.exports().map(|export| export.name()).collect();
        assert_eq!(exports, ["memory"]);
    }

    #[test]
    fn shapes_that_an_image_cannot_express_are_refused() {
        let check = |text: &str, expected: &str| {
            let error = strip(&module(text), 0, |_| true).err().unwrap().to_string();
            assert_eq!(error, expected, "{text}");
        };
        assert!(strip(&module(r#"(module (memory 1) (data ""))"#), 0, |_| true).is_ok());
        check(
            r#"(module (memory 1) (data "x"))"#,
            "a guest must not have passive data segments",
        );
        check(
            r#"(module (import "m" "g" (global i32)) (memory 1) (data (global.get 0) "x"))"#,
            "a data segment of a guest must have a constant offset",
        );
        check(
            r#"(module (memory 1) (data (i32.const 65535) "xy"))"#,
            "a data segment lies outside the memory",
        );
        check(
            "(module (memory 1 2 shared))",
            "a guest has exactly one plain 32-bit memory",
        );
        check("(module)", "the module has no memory");
    }

    #[test]
    fn only_what_was_named_is_blanked() {
        let mut image = b"ababac-abac".to_vec();
        blank(&mut image, b"abac").unwrap();
        assert_eq!(image, b"ab\0\0\0\0-abac");
        assert!(blank(&mut image, b"zz").is_err());
    }
}
