//! How does the initialised memory leave a core module and become a file of its own?
//!
//! The runtime maps that file copy-on-write instead of copying data segments into every fresh memory.

use anyhow::{Context as _, Result, bail, ensure};
use wasm_encoder::{ConstExpr, DataSection, Encode as _, MemoryType, Module, RawSection, SectionId};
use wasmparser::{DataKind, Operator, Parser, Payload};

/// Bytes in a WebAssembly page.
pub(super) const WASM_PAGE: u64 = 65536;

/// A core module without data segments, and the memory that those made.
pub(super) struct Stripped {
    pub(super) module: Vec<u8>,
    /// Exactly as long as the module's minimum memory.
    pub(super) image: Vec<u8>,
}

/// Moves every data segment of `module` into an image.
///
/// # Errors
///
/// Where the module has more than one memory, passive segments, or a segment whose place is not a constant.
pub(super) fn strip(module: &[u8]) -> Result<Stripped> {
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
                let mut encoded = wasm_encoder::MemorySection::new();
                encoded.memory(MemoryType {
                    minimum: memory.initial,
                    maximum: None,
                    memory64: false,
                    shared: false,
                    page_size_log2: None,
                });
                out.section(&encoded);
                image = Some(vec![0; usize::try_from(memory.initial * WASM_PAGE)?]);
            }
            Payload::DataSection(section) => {
                let image = image.as_mut().context("data segments without a memory")?;
                for segment in section.clone() {
                    let segment = segment?;
                    let DataKind::Active { offset_expr, .. } = segment.kind else {
                        bail!("a guest must not have passive data segments");
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

/// The reverse of [`strip`]: a module that brings its memory along, for engines that know nothing of images.
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
