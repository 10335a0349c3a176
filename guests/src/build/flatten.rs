//! Flattening: how does a component linked from libraries become one that starts in microseconds?
//!
//! Its core modules are merged into one, its memory becomes an image file, and the rest is wrapped
//! as a component again. The new component must only be instantiated with a memory that already
//! holds the image.

use super::direct::link_directly;
use super::image::with_data;
use super::link_graph::LinkGraph;
use super::merge::merge;
use anyhow::{Context as _, Result, bail, ensure};
use wit_component::{ComponentEncoder, DecodedWasm, StringEncoding, embed_component_metadata};

/// A guest in two parts.
pub struct Flat {
    /// A component whose core module has no data segments.
    pub component: Vec<u8>,
    /// The memory it expects to find, a whole number of WebAssembly pages.
    pub image: Vec<u8>,
    /// Both in one: the same component with its memory in a data segment, for any engine.
    pub standalone: Vec<u8>,
}

/// Flattens a linked component, keeping only the exported interface whose name starts with
/// `interface`.
///
/// # Errors
///
/// Where the component is not of the supported shape; the message says which assumption broke.
pub fn flatten(component: &[u8], interface: &str) -> Result<Flat> {
    let graph = LinkGraph::read(component)?;
    let lifted = graph.lifted()?;
    let mut keep = Vec::new();
    for function in lifted
        .iter()
        .filter(|function| function.name.starts_with(interface))
    {
        keep.push((
            function.module,
            function.name.clone(),
            function.name.clone(),
        ));
        if let Some((module, name)) = &function.post_return {
            keep.push((*module, name.clone(), name.clone()));
        }
        if let Some((module, name)) = &function.realloc {
            let realloc = (*module, name.clone(), "cabi_realloc".to_owned());
            if !keep.contains(&realloc) {
                keep.push(realloc);
            }
        }
    }
    ensure!(
        !keep.is_empty(),
        "the component does not export `{interface}`"
    );
    let merged = merge(&graph, &keep)?;

    let DecodedWasm::Component(mut resolve, world) = wit_component::decode(component)? else {
        bail!("the file is a WIT package, not a component");
    };
    // Only the interpreter stays: what the linker exported for its own initialisation has done its
    // work.
    let exports: Vec<_> = resolve
        .worlds
        .get(world)
        .context("the component has no world")?
        .exports
        .keys()
        .map(|key| (key.clone(), resolve.name_world_key(key)))
        .filter(|(_, name)| !name.starts_with(interface))
        .map(|(key, _)| key)
        .collect();
    if let Some(world) = resolve.worlds.get_mut(world) {
        for key in exports {
            world.exports.shift_remove(&key);
        }
    }
    let standalone = wrap(with_data(&merged.module, &merged.image), &resolve, world)?;
    Ok(Flat {
        component: wrap_directly(merged.module, &resolve, world)?,
        image: merged.image,
        standalone,
    })
}

/// Wraps a core module as a component of the given world.
///
/// # Errors
///
/// Where the module's imports and exports do not fit the world.
pub(super) fn wrap(
    mut module: Vec<u8>,
    resolve: &wit_parser::Resolve,
    world: wit_parser::WorldId,
) -> Result<Vec<u8>> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)?;
    ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()
        .context("cannot wrap the flat module as a component")
}

/// The same, linked as directly as the runtime likes it.
///
/// # Errors
///
/// As [`wrap`].
pub(super) fn wrap_directly(
    module: Vec<u8>,
    resolve: &wit_parser::Resolve,
    world: wit_parser::WorldId,
) -> Result<Vec<u8>> {
    let component = link_directly(&wrap(module, resolve, world)?)?;
    wasmparser::Validator::new()
        .validate_all(&component)
        .context("the component that was linked anew is not valid")?;
    Ok(component)
}
