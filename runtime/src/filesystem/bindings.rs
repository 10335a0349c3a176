//! `wasi:filesystem` host implementation: how does a guest's call reach the tree?
//!
//! The generated host traits of `wasmtime-wasi`, implemented on our own tree: the resource types
//! are only names, behind which the table holds our descriptors. Calls on host files are awaited on
//! a blocking thread, all others return at once.

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};
use wasmtime_wasi::p2::{FsError, FsResult};

use super::Filesystem;
use super::attributes::TimeChange;
use super::node::Node;
use super::quota::Permit;
use crate::meter;

mod descriptor;
mod host_descriptor;

use descriptor::Descriptor;

/// The state of one call of a guest.
pub(crate) struct FilesystemView<'a> {
    /// The guest's tree.
    pub(crate) filesystem: &'a mut Filesystem,
    /// The table of its descriptors and streams.
    pub(crate) table: &'a mut ResourceTable,
}

struct HasFilesystem;

impl HasData for HasFilesystem {
    type Data<'a> = FilesystemView<'a>;
}

/// Adds `wasi:filesystem/types` and `wasi:filesystem/preopens`.
///
/// # Errors
/// If the linker has them already.
pub(crate) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> FilesystemView<'_>,
) -> wasmtime::Result<()> {
    types::add_to_linker::<T, HasFilesystem>(linker, view)?;
    preopens::add_to_linker::<T, HasFilesystem>(linker, view)
}

impl preopens::Host for FilesystemView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<types::Descriptor>, String)>> {
        // A guest with too many descriptors gets no root rather than a trap.
        let Ok(permit) = Permit::descriptor(&self.filesystem.quota) else {
            return Ok(Vec::new());
        };
        let root = Descriptor::directory(self.filesystem.root.clone(), permit);
        Ok(vec![(self.push(root)?, "/".to_owned())])
    }
}

impl types::Host for FilesystemView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<types::ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<types::ErrorCode>> {
        Ok(self
            .table
            .get(&error)?
            .downcast_ref::<types::ErrorCode>()
            .copied())
    }
}

impl FilesystemView<'_> {
    fn push(&mut self, descriptor: Descriptor) -> wasmtime::Result<Resource<types::Descriptor>> {
        Ok(Resource::new_own(self.table.push(descriptor)?.rep()))
    }

    /// Returns the descriptor behind a handle; the guest cannot forge one, so a wrong one is a
    /// trap.
    fn descriptor(&self, handle: &Resource<types::Descriptor>) -> FsResult<&Descriptor> {
        let descriptor = self
            .table
            .get(&Resource::<Descriptor>::new_borrow(handle.rep()))?;
        if matches!(descriptor.node, Node::HostFile(_) | Node::HostDirectory(_)) {
            self.filesystem.meter().charge(meter::HOST_FILE);
        }
        Ok(descriptor)
    }

    fn node(&self, handle: &Resource<types::Descriptor>) -> FsResult<Node> {
        Ok(self.descriptor(handle)?.node.clone())
    }

    fn time_change(
        &self,
        accessed: types::NewTimestamp,
        modified: types::NewTimestamp,
    ) -> FsResult<TimeChange> {
        Ok(TimeChange::new(accessed, modified, self.filesystem.now())?)
    }
}
