//! Calls of `wasi:filesystem/types`: which node does each find, and what does it do in the tree or
//! on the host?

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::FilesystemView;
use super::descriptor::{Descriptor, Writable};
use crate::filesystem::attributes::{Identity, metadata_hash};
use crate::filesystem::content::{as_u64, as_usize};
use crate::filesystem::host::{HostEntry, OpenMode, Opened};
use crate::filesystem::listing::Listing;
use crate::filesystem::node::Node;
use crate::filesystem::path::{FinalSymlink, Target, resolve};
use crate::filesystem::quota::Permit;
use crate::filesystem::streams::{Position, TRANSFER_MAX};
use crate::meter;

type Handle = Resource<types::Descriptor>;

impl HostDescriptor for FilesystemView<'_> {
    fn read_via_stream(
        &mut self,
        handle: Handle,
        offset: u64,
    ) -> FsResult<Resource<DynInputStream>> {
        let readable = self.descriptor(&handle)?.readable()?;
        let stream = readable.stream(offset, self.filesystem)?;
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        handle: Handle,
        offset: u64,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.output_stream(&handle, Position::At(offset))
    }

    fn append_via_stream(&mut self, handle: Handle) -> FsResult<Resource<DynOutputStream>> {
        self.output_stream(&handle, Position::End)
    }

    async fn advise(&mut self, handle: Handle, _: u64, _: u64, _: Advice) -> FsResult<()> {
        if self.descriptor(&handle)?.node.is_directory() {
            return Err(ErrorCode::BadDescriptor.into());
        }
        Ok(())
    }

    async fn sync_data(&mut self, handle: Handle) -> FsResult<()> {
        self.sync(handle).await
    }

    async fn sync(&mut self, handle: Handle) -> FsResult<()> {
        match self.node(&handle)? {
            Node::HostFile(file) => file.mount.clone().run(move || file.sync()).await?,
            Node::HostDirectory(directory) => {
                directory
                    .mount
                    .clone()
                    .run(move || directory.sync())
                    .await?
            }
            _ => {}
        }
        Ok(())
    }

    async fn get_flags(&mut self, handle: Handle) -> FsResult<DescriptorFlags> {
        Ok(self.descriptor(&handle)?.flags())
    }

    async fn get_type(&mut self, handle: Handle) -> FsResult<DescriptorType> {
        Ok(self.descriptor(&handle)?.node.kind())
    }

    async fn set_size(&mut self, handle: Handle, size: u64) -> FsResult<()> {
        match self.descriptor(&handle)?.writable()? {
            Writable::Memory(file) => file.set_size(size, self.filesystem.now())?,
            Writable::Host(file) => file.mount.clone().run(move || file.set_size(size)).await?,
            Writable::Device(_) => return Err(ErrorCode::Invalid.into()),
        }
        Ok(())
    }

    async fn set_times(
        &mut self,
        handle: Handle,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let change = self.time_change(accessed, modified)?;
        match self.node(&handle)? {
            Node::HostFile(file) => {
                file.mount
                    .clone()
                    .run(move || file.set_times(change))
                    .await?
            }
            Node::HostDirectory(directory) => {
                directory
                    .mount
                    .clone()
                    .run(move || directory.set_times(change))
                    .await?;
            }
            node => node.set_times(change)?,
        }
        Ok(())
    }

    async fn read(
        &mut self,
        handle: Handle,
        length: u64,
        offset: u64,
    ) -> FsResult<(Vec<u8>, bool)> {
        let file = self.descriptor(&handle)?.readable()?;
        let bytes = file
            .read(offset, as_usize(length).min(TRANSFER_MAX), self.filesystem)
            .await?;
        self.filesystem
            .meter()
            .charge(meter::copied(bytes.len()).saturating_mul(2));
        let at_end = bytes.is_empty() && length > 0;
        Ok((bytes.into(), at_end))
    }

    async fn write(&mut self, handle: Handle, data: Vec<u8>, offset: u64) -> FsResult<u64> {
        // Copied once already, whatever the result.
        self.filesystem
            .meter()
            .charge(meter::copied(data.len()).saturating_mul(2));
        let written = match self.descriptor(&handle)?.writable()? {
            Writable::Memory(file) => file.write(offset, &data, self.filesystem.now())?,
            Writable::Host(file) => {
                file.mount
                    .clone()
                    .run(move || file.write(offset, &data))
                    .await?
            }
            Writable::Device(device) => {
                let length = data.len();
                self.filesystem.write_device(device, data.into()).await?;
                length
            }
        };
        Ok(as_u64(written))
    }

    async fn read_directory(&mut self, handle: Handle) -> FsResult<Resource<DirectoryEntryStream>> {
        let listing = match self.node(&handle)? {
            Node::HostDirectory(directory) => {
                let entries = directory
                    .mount
                    .clone()
                    .run(move || directory.list())
                    .await?;
                self.filesystem.meter().charge(
                    meter::NAME
                        .saturating_mul(2)
                        .saturating_mul(as_u64(entries.len())),
                );
                Listing::copied(entries, &self.filesystem.quota)?
            }
            node => Listing::of(&node, &self.filesystem.quota)?,
        };
        Ok(Resource::new_own(self.table.push(listing)?.rep()))
    }

    async fn create_directory_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        match self.target(&handle, &path, FinalSymlink::Name)? {
            Target::Tree(entry) => self.filesystem.create_directory(&entry)?,
            Target::Host(entry) => {
                let quota = self.filesystem.quota.clone();
                on_host(entry, move |entry| entry.create_directory(&quota)).await?;
            }
        }
        Ok(())
    }

    async fn stat(&mut self, handle: Handle) -> FsResult<DescriptorStat> {
        let node = self.node(&handle)?;
        Ok(match host_attributes(&node).await? {
            Some((stat, _)) => stat,
            None => node.stat()?,
        })
    }

    async fn stat_at(
        &mut self,
        handle: Handle,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        match self.target(&handle, &path, following(flags))? {
            Target::Tree(entry) => Ok(entry.existing()?.stat()?),
            Target::Host(entry) => Ok(on_host(entry, HostEntry::stat).await?.0),
        }
    }

    async fn set_times_at(
        &mut self,
        handle: Handle,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let change = self.time_change(accessed, modified)?;
        match self.target(&handle, &path, following(flags))? {
            Target::Tree(entry) => entry.existing()?.set_times(change)?,
            Target::Host(entry) => {
                let quota = self.filesystem.quota.clone();
                on_host(entry, move |entry| entry.set_times(change, &quota)).await?;
            }
        }
        Ok(())
    }

    async fn link_at(
        &mut self,
        handle: Handle,
        old_flags: PathFlags,
        old_path: String,
        new_handle: Handle,
        new_path: String,
    ) -> FsResult<()> {
        let last = if old_flags.contains(PathFlags::SYMLINK_FOLLOW) {
            FinalSymlink::Follow
        } else {
            FinalSymlink::Name
        };
        let old = self.target(&handle, &old_path, last)?;
        let new = self.target(&new_handle, &new_path, FinalSymlink::Name)?;
        match (old, new) {
            (Target::Tree(old), Target::Tree(new)) => self.filesystem.link(&old, &new)?,
            // A hard link to a host file would outlive the mount's rules.
            (Target::Host(_), Target::Host(_)) => return Err(ErrorCode::NotPermitted.into()),
            _ => return Err(ErrorCode::CrossDevice.into()),
        }
        Ok(())
    }

    async fn open_at(
        &mut self,
        handle: Handle,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Handle> {
        let how = how_to_open(open_flags, flags)?;
        // An exclusive creation (`O_EXCL`) never follows a symlink.
        let last = if how.create && how.exclusive {
            FinalSymlink::Name
        } else {
            following(path_flags)
        };
        let target = self.target(&handle, &path, last)?;
        let permit = Permit::descriptor(&self.filesystem.quota)?;
        let node = match target {
            Target::Tree(entry) => self.filesystem.open_in_tree(&entry, how)?,
            Target::Host(entry) => {
                let quota = self.filesystem.quota.clone();
                match on_host(entry, move |entry| entry.open(how, &quota)).await? {
                    Opened::Directory(directory) => Node::HostDirectory(directory),
                    Opened::File(file) => Node::HostFile(file),
                }
            }
        };
        self.push(Descriptor::opened(node, how, permit))
            .map_err(FsError::trap)
    }

    async fn readlink_at(&mut self, handle: Handle, path: String) -> FsResult<String> {
        match self.target(&handle, &path, FinalSymlink::Keep)? {
            Target::Tree(entry) => match entry.existing()? {
                Node::Symlink(link) => Ok(link.target.to_string()),
                _ => Err(ErrorCode::Invalid.into()),
            },
            // The target would be a path of the host.
            Target::Host(_) => Err(ErrorCode::NotPermitted.into()),
        }
    }

    async fn remove_directory_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        match self.target(&handle, &path, FinalSymlink::Name)? {
            Target::Tree(entry) => self.filesystem.remove_directory(&entry)?,
            Target::Host(entry) => on_host(entry, HostEntry::remove_directory).await?,
        }
        Ok(())
    }

    async fn rename_at(
        &mut self,
        handle: Handle,
        old_path: String,
        new_handle: Handle,
        new_path: String,
    ) -> FsResult<()> {
        let old = self.target(&handle, &old_path, FinalSymlink::Name)?;
        let new = self.target(&new_handle, &new_path, FinalSymlink::Name)?;
        match (old, new) {
            (Target::Tree(old), Target::Tree(new)) => self.filesystem.rename(&old, &new)?,
            (Target::Host(old), Target::Host(new)) => {
                on_host(old, move |old| old.rename(&new)).await?
            }
            _ => return Err(ErrorCode::CrossDevice.into()),
        }
        Ok(())
    }

    async fn symlink_at(&mut self, handle: Handle, target: String, path: String) -> FsResult<()> {
        self.filesystem.meter().charge(meter::text(target.len()));
        match self.target(&handle, &path, FinalSymlink::Name)? {
            Target::Tree(entry) => self.filesystem.create_symlink(&target, &entry)?,
            // Programs of the host would follow the symlink.
            Target::Host(_) => return Err(ErrorCode::NotPermitted.into()),
        }
        Ok(())
    }

    async fn unlink_file_at(&mut self, handle: Handle, path: String) -> FsResult<()> {
        match self.target(&handle, &path, FinalSymlink::Name)? {
            Target::Tree(entry) => self.filesystem.unlink_file(&entry)?,
            Target::Host(entry) => on_host(entry, HostEntry::remove_file).await?,
        }
        Ok(())
    }

    async fn is_same_object(&mut self, one: Handle, other: Handle) -> wasmtime::Result<bool> {
        let (one, other) = (self.node(&one), self.node(&other));
        let (Ok(one), Ok(other)) = (one, other) else {
            return Ok(false);
        };
        let identities = (identity(&one).await, identity(&other).await);
        Ok(matches!(identities, (Ok(one), Ok(other)) if one == other))
    }

    async fn metadata_hash(&mut self, handle: Handle) -> FsResult<MetadataHashValue> {
        Ok(metadata_hash(identity(&self.node(&handle)?).await?))
    }

    async fn metadata_hash_at(
        &mut self,
        handle: Handle,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let identity = match self.target(&handle, &path, following(flags))? {
            Target::Tree(entry) => entry.existing()?.identity()?,
            Target::Host(entry) => on_host(entry, HostEntry::stat).await?.1,
        };
        Ok(metadata_hash(identity))
    }

    fn drop(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.table
            .delete(Resource::<Descriptor>::new_own(handle.rep()))?;
        Ok(())
    }
}

impl HostDirectoryEntryStream for FilesystemView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let entry = self
            .table
            .get_mut(&Resource::<Listing>::new_borrow(stream.rep()))?
            .next();
        let name = entry
            .as_ref()
            .map_or(0, |entry| meter::text(entry.name.len()));
        self.filesystem
            .meter()
            .charge(meter::NAME.saturating_add(name));
        Ok(entry)
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.table
            .delete(Resource::<Listing>::new_own(stream.rep()))?;
        Ok(())
    }
}

impl FilesystemView<'_> {
    fn target(&self, handle: &Handle, path: &str, last: FinalSymlink) -> FsResult<Target> {
        let meter = self.filesystem.meter();
        let target = resolve(&self.descriptor(handle)?.node, path, last, meter)?;
        if let Target::Host(entry) = &target {
            // Each component is opened by a system call of its own.
            meter.charge(meter::HOST_FILE.saturating_add(
                meter::CALL.saturating_mul(as_u64(entry.path.len()).saturating_mul(8)),
            ));
        }
        Ok(target)
    }

    fn output_stream(
        &mut self,
        handle: &Handle,
        position: Position,
    ) -> FsResult<Resource<DynOutputStream>> {
        let writable = self.descriptor(handle)?.writable()?;
        let stream = writable.stream(position, self.filesystem)?;
        Ok(self.table.push(stream)?)
    }
}

async fn on_host<T: Send + 'static>(
    entry: HostEntry,
    job: impl FnOnce(&HostEntry) -> Result<T, ErrorCode> + Send + 'static,
) -> Result<T, ErrorCode> {
    let mount = entry.directory.mount.clone();
    mount.run(move || job(&entry)).await
}

/// Returns attributes and identity of an open node of the host; none for others.
async fn host_attributes(node: &Node) -> Result<Option<(DescriptorStat, Identity)>, ErrorCode> {
    match node.clone() {
        Node::HostFile(file) => file.mount.clone().run(move || file.stat()).await.map(Some),
        Node::HostDirectory(directory) => directory
            .mount
            .clone()
            .run(move || directory.stat())
            .await
            .map(Some),
        _ => Ok(None),
    }
}

async fn identity(node: &Node) -> Result<Identity, ErrorCode> {
    match host_attributes(node).await? {
        Some((_, identity)) => Ok(identity),
        None => node.identity(),
    }
}

fn following(flags: PathFlags) -> FinalSymlink {
    if flags.contains(PathFlags::SYMLINK_FOLLOW) {
        FinalSymlink::Follow
    } else {
        FinalSymlink::Keep
    }
}

/// Maps the flags of a guest's open. Synchronized writing is accepted and not guaranteed.
fn how_to_open(open: OpenFlags, flags: DescriptorFlags) -> Result<OpenMode, ErrorCode> {
    let write = flags.contains(DescriptorFlags::WRITE);
    let how = OpenMode {
        // Neither reading nor writing means reading, as in POSIX.
        read: flags.contains(DescriptorFlags::READ) || !write,
        write,
        create: open.contains(OpenFlags::CREATE),
        exclusive: open.contains(OpenFlags::EXCLUSIVE),
        truncate: open.contains(OpenFlags::TRUNCATE),
        directory: open.contains(OpenFlags::DIRECTORY),
    };
    if how.directory && (how.create || how.exclusive || how.truncate) {
        return Err(ErrorCode::Invalid);
    }
    Ok(how)
}
