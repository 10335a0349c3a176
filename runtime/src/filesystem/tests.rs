//! Tests of the file system: what can a guest do to it, and what can it not? Each attack has its
//! permitted counterpart beside it.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, ErrorCode, HostDescriptor as _,
    HostDirectoryEntryStream as _, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi_io::streams::StreamError;

use super::*;

mod archives;
mod contents;
mod host_api;
mod links;
mod mounts;
mod paths;
mod quotas;
mod renames;

type Outcome<T = ()> = Result<T, ErrorCode>;

const LIMITS: QuotaLimits = QuotaLimits {
    bytes: 1 << 20,
    files: 1000,
    open_files: 64,
};

/// Calls the host traits as the bindings would for a guest. Descriptors are numbers.
struct Guest {
    filesystem: Filesystem,
    table: ResourceTable,
    root: u32,
}

impl Guest {
    /// Creates a guest with a workspace at `/work`, `/tmp`, and a small archive at
    /// `/usr/lib/python`.
    fn new() -> Self {
        Self::with(setup(), LIMITS)
    }

    fn with(setup: FilesystemSetup, limits: QuotaLimits) -> Self {
        let layout = Layout::new(setup).unwrap();
        let clock: Clock = Arc::new(|| Duration::from_secs(1000));
        let mut filesystem = Filesystem::new(&layout, limits, clock, Default::default());
        let mut table = ResourceTable::new();
        let mut view = FilesystemView {
            filesystem: &mut filesystem,
            table: &mut table,
        };
        let root = view.get_directories().unwrap().remove(0).0.rep();
        Self {
            filesystem,
            table,
            root,
        }
    }

    fn view(&mut self) -> FilesystemView<'_> {
        FilesystemView {
            filesystem: &mut self.filesystem,
            table: &mut self.table,
        }
    }

    async fn open_at(
        &mut self,
        at: u32,
        path: &str,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Outcome<u32> {
        let opened = self
            .view()
            .open_at(
                handle(at),
                PathFlags::SYMLINK_FOLLOW,
                path.into(),
                open,
                flags,
            )
            .await;
        plain(opened).map(|descriptor| descriptor.rep())
    }

    async fn open(&mut self, path: &str) -> Outcome<u32> {
        self.open_at(self.root, path, OpenFlags::empty(), DescriptorFlags::READ)
            .await
    }

    async fn create(&mut self, path: &str) -> Outcome<u32> {
        self.open_at(
            self.root,
            path,
            OpenFlags::CREATE,
            DescriptorFlags::READ | DescriptorFlags::WRITE,
        )
        .await
    }

    async fn write(&mut self, descriptor: u32, offset: u64, data: &[u8]) -> Outcome<u64> {
        plain(
            self.view()
                .write(handle(descriptor), data.to_vec(), offset)
                .await,
        )
    }

    async fn put(&mut self, path: &str, data: &[u8]) -> Outcome {
        let file = self
            .open_at(
                self.root,
                path,
                OpenFlags::CREATE | OpenFlags::TRUNCATE,
                DescriptorFlags::WRITE,
            )
            .await?;
        let written = if data.is_empty() {
            Ok(0)
        } else {
            self.write(file, 0, data).await
        };
        self.close(file);
        written.map(|_| ())
    }

    async fn read(&mut self, descriptor: u32) -> Outcome<Vec<u8>> {
        plain(self.view().read(handle(descriptor), u64::MAX, 0).await).map(|(bytes, _)| bytes)
    }

    async fn get(&mut self, path: &str) -> Outcome<Vec<u8>> {
        let file = self.open(path).await?;
        let bytes = self.read(file).await;
        self.close(file);
        bytes
    }

    async fn stat(&mut self, path: &str) -> Outcome<DescriptorStat> {
        let root = handle(self.root);
        plain(
            self.view()
                .stat_at(root, PathFlags::empty(), path.into())
                .await,
        )
    }

    async fn mkdir(&mut self, path: &str) -> Outcome {
        let root = handle(self.root);
        plain(self.view().create_directory_at(root, path.into()).await)
    }

    async fn rmdir(&mut self, path: &str) -> Outcome {
        let root = handle(self.root);
        plain(self.view().remove_directory_at(root, path.into()).await)
    }

    async fn unlink(&mut self, path: &str) -> Outcome {
        let root = handle(self.root);
        plain(self.view().unlink_file_at(root, path.into()).await)
    }

    async fn symlink(&mut self, target: &str, path: &str) -> Outcome {
        let root = handle(self.root);
        plain(
            self.view()
                .symlink_at(root, target.into(), path.into())
                .await,
        )
    }

    async fn readlink(&mut self, path: &str) -> Outcome<String> {
        let root = handle(self.root);
        plain(self.view().readlink_at(root, path.into()).await)
    }

    async fn link(&mut self, old: &str, new: &str) -> Outcome {
        let (root, again) = (handle(self.root), handle(self.root));
        plain(
            self.view()
                .link_at(root, PathFlags::empty(), old.into(), again, new.into())
                .await,
        )
    }

    async fn rename(&mut self, old: &str, new: &str) -> Outcome {
        let (root, again) = (handle(self.root), handle(self.root));
        plain(
            self.view()
                .rename_at(root, old.into(), again, new.into())
                .await,
        )
    }

    async fn set_times(&mut self, path: &str) -> Outcome {
        let root = handle(self.root);
        let (accessed, modified) = (NewTimestamp::Now, NewTimestamp::Now);
        plain(
            self.view()
                .set_times_at(root, PathFlags::empty(), path.into(), accessed, modified)
                .await,
        )
    }

    async fn set_size(&mut self, descriptor: u32, size: u64) -> Outcome {
        plain(self.view().set_size(handle(descriptor), size).await)
    }

    async fn list(&mut self, path: &str) -> Outcome<Vec<String>> {
        let directory = self.open(path).await?;
        let stream = plain(self.view().read_directory(handle(directory)).await)?;
        let mut names = Vec::new();
        loop {
            let stream = Resource::new_borrow(stream.rep());
            match plain(self.view().read_directory_entry(stream).await)? {
                Some(entry) => names.push(entry.name),
                None => break,
            }
        }
        self.view().close_listing(stream);
        self.close(directory);
        Ok(names)
    }

    async fn same(&mut self, one: u32, other: u32) -> bool {
        self.view()
            .is_same_object(handle(one), handle(other))
            .await
            .unwrap()
    }

    fn close(&mut self, descriptor: u32) {
        wasmtime_wasi::p2::bindings::filesystem::types::HostDescriptor::drop(
            &mut self.view(),
            Resource::new_own(descriptor),
        )
        .unwrap();
    }

    fn bytes(&self) -> u64 {
        self.filesystem.usage().bytes
    }
}

impl FilesystemView<'_> {
    fn close_listing(
        &mut self,
        stream: Resource<wasmtime_wasi::p2::bindings::filesystem::types::DirectoryEntryStream>,
    ) {
        wasmtime_wasi::p2::bindings::filesystem::types::HostDirectoryEntryStream::drop(
            self,
            Resource::new_own(stream.rep()),
        )
        .unwrap();
    }
}

fn setup() -> FilesystemSetup {
    let archive = archives::build(&[("json/__init__.py", b"import os\n"), ("os.py", b"# os\n")]);
    FilesystemSetup {
        workspace: Some("/work".into()),
        temporary: true,
        devices: false,
        archives: vec![(
            "/usr/lib/python".into(),
            Arc::new(Archive::index(archive.into()).unwrap()),
        )],
        mounts: Vec::new(),
    }
}

fn handle(number: u32) -> Resource<Descriptor> {
    Resource::new_borrow(number)
}

/// Unwraps a result without a trap, which would be our bug in all these tests.
fn plain<T>(result: Result<T, FsError>) -> Outcome<T> {
    result.map_err(|error| error.downcast().expect("an error code, not a trap"))
}

/// Returns the error code of `outcome`, for tables.
fn code<T>(outcome: &Outcome<T>) -> Option<ErrorCode> {
    outcome.as_ref().err().copied()
}
