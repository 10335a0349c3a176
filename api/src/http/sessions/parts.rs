//! HTTP API of a session's packages and files: how do clients list and change them?

use super::giving::InUse;
use super::{bodies, lock};
use crate::http::App;
use crate::http::body::{Body, bytes_of};
use crate::http::bounded::{Packages, texts};
use crate::http::charge::Charge;
use crate::http::execution::enter;
use crate::http::executions::{PackageBody, Part, file};
use crate::http::keys::{Caller, Scope};
use crate::http::memory::Taken;
use crate::http::problem::{Code, Problem};
use crate::wire;
use axum::Json;
use axum::extract::{Path, Query, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use glovebox::policy::{InputFile, Subject};
use glovebox::{Error, LockedPackage, OpenError, Session};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Maximum entries of a page of a directory.
const PAGE: usize = 1000;

/// Maximum bytes of a directory entry, in memory and as JSON: a name has 255 bytes, each of which may become six.
const ENTRY: usize = 2 << 10;

/// Bytes of a file that are read between two yields.
const PIECE: usize = 512 << 10;

/// A change of a session's packages.
type Change<'a> = BoxFuture<'a, Result<&'a [LockedPackage], OpenError>>;

/// Packages to add or to remove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PackagesRequest {
    /// Requirements as in an execution; to remove them, their names alone.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    packages: Vec<String>,
}

/// The packages of a session.
#[derive(Serialize, ToSchema)]
#[schema(as = SessionPackages)]
pub(in crate::http) struct PackagesBody {
    packages: Vec<PackageBody>,
}

/// An entry of a directory.
#[derive(Serialize, ToSchema)]
#[schema(as = FileEntry)]
struct EntryBody {
    name: String,
    is_directory: bool,
    bytes: u64,
}

/// A directory of a workspace.
#[derive(Serialize, ToSchema)]
#[schema(as = FileList)]
pub(in crate::http) struct FileList {
    /// The entries, sorted by name.
    files: Vec<EntryBody>,
    /// The value of `after` for the next page; null on the last one.
    next_after: Option<String>,
}

/// List the packages of a session.
#[utoipa::path(get, path = "/v1/sessions/{id}/packages", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "All that its programs can import", body = PackagesBody)))]
pub(in crate::http) async fn packages(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PackagesBody>, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let packages = bodies(&lock(&entry.shown).packages);
    Ok(Json(PackagesBody { packages }))
}

/// Add packages to a session.
#[utoipa::path(post, path = "/v1/sessions/{id}/packages", tag = "sessions", params(("id" = String, Path)), request_body = PackagesRequest,
    responses((status = 200, description = "All that its programs can import now", body = PackagesBody)))]
pub(in crate::http) async fn install(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    _in_use: InUse,
    body: Body<PackagesRequest>,
) -> Result<Json<PackagesBody>, Problem> {
    change(&app, &caller, &id, &body.value.packages, true).await
}

/// Remove packages from a session.
#[utoipa::path(delete, path = "/v1/sessions/{id}/packages/{*name}", tag = "sessions", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "All that its programs can import now", body = PackagesBody)))]
pub(in crate::http) async fn uninstall(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<PackagesBody>, Problem> {
    change(&app, &caller, &id, &[name], false).await
}

async fn change(
    app: &Arc<App>,
    caller: &Caller,
    id: &str,
    packages: &[String],
    adds: bool,
) -> Result<Json<PackagesBody>, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, id)?;
    let mut session = entry.open()?;
    // Packages are inspected by guests, which take a slot and processors like any other.
    let _place = enter(app, &caller.subject, 0)?.slot().await;
    let charge = Charge::new(app, &caller.subject, Arc::clone(&entry.tab));
    let shared = |change| app.processors.share(caller.subject.clone(), change);
    let packages = if adds {
        bodies(shared(Box::pin(session.install(packages)) as Change<'_>).await?)
    } else {
        bodies(
            shared(Box::pin(session.uninstall(packages)) as Change<'_>)
                .await
                .map_err(|error| match error {
                    OpenError::Failed(glovebox::Error::Invalid(_)) => {
                        Problem::not_found("package among those that were asked for")
                    }
                    error => error.into(),
                })?,
        )
    };
    charge.settle().await?;
    lock(&entry.request).wants.packages = session.asked_packages().to_vec();
    entry.show(&session);
    Ok(Json(PackagesBody { packages }))
}

/// The directory to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct FilesQuery {
    /// Path relative to the workspace; by default, the workspace itself.
    #[serde(default)]
    path: String,
    /// Only entries after this name; the `next_after` of the previous page.
    after: Option<String>,
    /// Maximum number of entries; by default, 1000.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// List a directory of a session's workspace.
#[utoipa::path(get, path = "/v1/sessions/{id}/files", tag = "sessions", params(("id" = String, Path), FilesQuery),
    responses((status = 200, description = "One page", body = FileList)))]
pub(in crate::http) async fn list_files(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<FilesQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(Problem::new(
            Code::Invalid,
            format!("`limit` is 1 to {PAGE}"),
        ));
    }
    let entry = app.sessions.get(&caller.subject, &id)?;
    let mut session = entry.open()?;
    let mut taken = app.memory.take(&caller.subject, limit * ENTRY)?;
    let entries = session
        .list_files_after(&query.path, query.after.as_deref(), limit)
        .map_err(|_| Problem::not_found("directory"))?;
    drop(session);
    let next_after = entries
        .last()
        .filter(|_| entries.len() == limit)
        .map(|last| last.name.clone());
    let files = entries.into_iter().map(|entry| EntryBody {
        name: entry.name,
        is_directory: entry.is_directory,
        bytes: entry.size,
    });
    let list = wire::to_json(&FileList {
        files: files.collect(),
        next_after,
    })
    .into_bytes();
    taken.shrink_to(list.len());
    Ok((
        StatusCode::OK,
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        taken.with(list),
    )
        .into_response())
}

/// Download a file of a session's workspace.
#[utoipa::path(get, path = "/v1/sessions/{id}/files/{*path}", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "A part of the file", content_type = "application/octet-stream", body = Vec<u8>),
    ))]
pub(in crate::http) async fn read_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let mut session = entry.open()?;
    let missing = |_| Problem::not_found("file");
    let size = session.file_size(&path).map_err(missing)?;
    let part = Part::of(&headers, usize::try_from(size).unwrap_or(usize::MAX))?;
    let taken = app.memory.take(&caller.subject, part.range().len())?;
    let content = read_slowly(&mut session, &path, part.range())
        .await
        .map_err(missing)?;
    Ok(file(&path, &part, taken.with(content)))
}

/// Reads a range of a file, and yields to others in between.
async fn read_slowly(
    session: &mut Session,
    path: &str,
    range: Range<usize>,
) -> Result<Vec<u8>, Error> {
    let mut content = Vec::with_capacity(range.len());
    while content.len() < range.len() {
        let start = range.start + content.len();
        let end = range.end.min(start + PIECE);
        let piece = session.read_file_part(path, start as u64..end as u64)?;
        if piece.is_empty() {
            break;
        }
        content.extend_from_slice(&piece);
        tokio::task::yield_now().await;
    }
    Ok(content)
}

/// Write a file to a session's workspace.
#[utoipa::path(put, path = "/v1/sessions/{id}/files/{*path}", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is there")))]
pub(in crate::http) async fn put_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, path)): Path<(String, String)>,
    _in_use: InUse,
    request: HttpRequest,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let (content, _held) = bytes_of(request, &()).await?;
    let mut session = entry.open()?;
    session.put_file(&path, content.to_vec())?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a file or an empty directory of a session's workspace.
#[utoipa::path(delete, path = "/v1/sessions/{id}/files/{*path}", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(in crate::http) async fn delete_file(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, path)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    let entry = app.sessions.get(&caller.subject, &id)?;
    let mut session = entry.open()?;
    session
        .remove_file(&path)
        .map_err(|_| Problem::not_found("file, or the directory is not empty"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Returns every file of a workspace, with the memory charged for them until another session has them.
pub(super) async fn files_of(
    app: &App,
    subject: &Subject,
    session: &mut Session,
) -> Result<(Vec<InputFile>, Taken), Problem> {
    let mut taken = app.memory.take(subject, 0)?;
    let limits = session.grant().limits();
    let (most_bytes, most_files) = (limits.workspace, limits.files);
    let mut bytes = 0_u64;
    let mut files = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(folder) = pending.pop() {
        for entry in session.list_files(&folder)? {
            let path = if folder.is_empty() {
                entry.name
            } else {
                format!("{folder}/{}", entry.name)
            };
            if entry.is_directory {
                // Mounts in the workspace are not among its files.
                if session.list_files_after(&path, None, 0).is_ok() {
                    pending.push(path);
                }
            } else {
                // Hard links become separate files in the new session, and would be read one by one.
                bytes = bytes.saturating_add(entry.size);
                if bytes > most_bytes || files.len() as u64 >= most_files {
                    let detail = format!(
                        "the files come to more than the session's {most_bytes} bytes (`workspace`) or {most_files} files (`files`), \
                        where each name of a file counts; remove some, or reset without `keep_files`"
                    );
                    return Err(Problem::new(Code::TooLarge, detail));
                }
                let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
                taken.grow(size.saturating_add(ENTRY))?;
                if let Ok(content) = read_slowly(session, &path, 0..size).await {
                    files.push(InputFile {
                        path,
                        content: content.into(),
                    });
                }
                // A large workspace must not block other tasks.
                tokio::task::yield_now().await;
            }
        }
    }
    Ok((files, taken))
}
