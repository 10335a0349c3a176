//! Workspace of a session: how do clients list, read and change its files?

use super::{SessionCore, Sessions};
use crate::error::{Code, ServiceError};
use crate::identities::Caller;
use crate::memory::MemoryCharge;
use bytes::Bytes;
use glovebox::{Error, Session};
use glovebox_policy::{InputFile, Subject};
use glovebox_wire::session::{FileEntryBody, FileList};
use glovebox_wire::to_json;
use std::ops::Range;

/// Maximum bytes of a directory entry, in memory and as JSON: a name has 255 bytes, each of which
/// may become six.
const ENTRY_BYTES: usize = 2 << 10;

/// Bytes of a file that are read between two yields.
const READ_CHUNK: usize = 512 << 10;

/// A page of a directory.
#[derive(Clone, Debug)]
pub struct DirectoryPage {
    /// The directory, relative to the workspace.
    pub path: String,
    /// Only entries after this name.
    pub after: Option<String>,
    /// Maximum number of entries.
    pub limit: usize,
}

impl Sessions {
    /// Lists a directory of a session's workspace, as JSON whose memory is charged until it is
    /// sent.
    ///
    /// # Errors
    ///
    /// If the session is busy, there is no such directory, or no memory for the list.
    pub async fn list_files(
        &self,
        caller: &Caller,
        id: &str,
        page: &DirectoryPage,
    ) -> Result<Bytes, ServiceError> {
        let mut guest = self.0.get(&caller.subject, id)?.take_guest()?;
        let mut charge = self
            .0
            .memory
            .take(&caller.subject, page.limit.saturating_mul(ENTRY_BYTES))?;
        let entries = guest
            .list_files_after(&page.path, page.after.as_deref(), page.limit)
            .await
            .map_err(|_| ServiceError::not_found("directory"))?;
        drop(guest);
        let next_after = entries
            .last()
            .filter(|_| entries.len() == page.limit)
            .map(|last| last.name.clone());
        let files = entries.into_iter().map(|entry| FileEntryBody {
            name: entry.name,
            is_directory: entry.is_directory,
            bytes: entry.size,
        });
        let list = to_json(&FileList {
            files: files.collect(),
            next_after,
        })
        .into_bytes();
        charge.shrink_to(list.len());
        Ok(charge.with(list))
    }

    /// Reads a range of a file; `range` chooses it by the length of the file, and may refuse.
    ///
    /// # Errors
    ///
    /// If the session is busy, there is no such file, `range` refuses, or there is no memory.
    pub async fn read_file<T: Send>(
        &self,
        caller: &Caller,
        (id, path): (&str, &str),
        range: impl FnOnce(usize) -> Result<(T, Range<usize>), ServiceError> + Send,
    ) -> Result<(T, Bytes), ServiceError> {
        let mut guest = self.0.get(&caller.subject, id)?.take_guest()?;
        let missing = |_| ServiceError::not_found("file");
        let size = guest.file_size(path).await.map_err(missing)?;
        let (chosen, range) = range(usize::try_from(size).unwrap_or(usize::MAX))?;
        let charge = self.0.memory.take(&caller.subject, range.len())?;
        let content = read_slowly(&mut guest, path, range)
            .await
            .map_err(missing)?;
        Ok((chosen, charge.with(content)))
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// If the session is busy, or the file cannot be written.
    pub async fn write_file(
        &self,
        caller: &Caller,
        id: &str,
        path: &str,
        content: &[u8],
    ) -> Result<(), ServiceError> {
        let mut guest = self.0.get(&caller.subject, id)?.take_guest()?;
        guest.put_file(path, content.to_vec()).await?;
        Ok(())
    }

    /// Deletes a file or an empty directory.
    ///
    /// # Errors
    ///
    /// If the session is busy, or it cannot be deleted.
    pub async fn delete_file(
        &self,
        caller: &Caller,
        id: &str,
        path: &str,
    ) -> Result<(), ServiceError> {
        let mut guest = self.0.get(&caller.subject, id)?.take_guest()?;
        guest
            .remove_file(path)
            .await
            .map_err(|_| ServiceError::not_found("file, or the directory is not empty"))
    }
}

/// Reads a range of a file, and yields to others in between.
async fn read_slowly(
    guest: &mut Session,
    path: &str,
    range: Range<usize>,
) -> Result<Vec<u8>, Error> {
    let mut content = Vec::with_capacity(range.len());
    while content.len() < range.len() {
        let start = range.start + content.len();
        let end = range.end.min(start + READ_CHUNK);
        let chunk = guest.read_file_part(path, start as u64..end as u64).await?;
        if chunk.is_empty() {
            break;
        }
        content.extend_from_slice(&chunk);
        tokio::task::yield_now().await;
    }
    Ok(content)
}

impl SessionCore {
    /// Returns every file of a workspace, with the memory charged for them until another session
    /// has them.
    pub(super) async fn files_of(
        &self,
        subject: &Subject,
        guest: &mut Session,
    ) -> Result<(Vec<InputFile>, MemoryCharge), ServiceError> {
        let mut charge = self.memory.take(subject, 0)?;
        let limits = guest.grant().limits();
        let (most_bytes, most_files) = (limits.workspace, limits.files);
        let mut bytes = 0_u64;
        let mut files = Vec::new();
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            for entry in guest.list_files(&folder).await? {
                let path = if folder.is_empty() {
                    entry.name
                } else {
                    format!("{folder}/{}", entry.name)
                };
                if entry.is_directory {
                    // Mounts in the workspace are not among its files.
                    if guest.list_files_after(&path, None, 0).await.is_ok() {
                        pending.push(path);
                    }
                    continue;
                }
                // Hard links become separate files in the new session, and would be read one by
                // one.
                bytes = bytes.saturating_add(entry.size);
                if bytes > most_bytes || files.len() as u64 >= most_files {
                    let detail = format!(
                        "the files come to more than the session's {most_bytes} bytes (`workspace`) or {most_files} files (`files`), \
                        where each name of a file counts; remove some, or reset without `keep_files`"
                    );
                    return Err(ServiceError::new(Code::TooLarge, detail));
                }
                let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
                charge.grow(size.saturating_add(ENTRY_BYTES))?;
                if let Ok(content) = read_slowly(guest, &path, 0..size).await {
                    files.push(InputFile {
                        path,
                        content: content.into(),
                    });
                }
                // A large workspace must not block other tasks.
                tokio::task::yield_now().await;
            }
        }
        Ok((files, charge))
    }
}
