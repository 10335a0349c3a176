//! Files of a session over HTTP: how do clients list, read and change them?

use crate::extract::{Authenticated, InUse, read_body};
use crate::problem::Problem;
use crate::responses::{Part, file, json, with_charge};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use glovebox_service::{Code, DirectoryPage, Scope, Sessions};
use glovebox_wire::session::FileList;
use serde::Deserialize;
use utoipa::IntoParams;

/// Maximum entries of a page of a directory.
const MAX_ENTRIES: usize = 1000;

/// The directory to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilesQuery {
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
#[utoipa::path(get, path = "/v1/sessions/{id}/files", operation_id = "files_list", tag = "sessions", params(("id" = String, Path), FilesQuery),
    responses((status = 200, description = "One page", body = FileList)))]
pub(crate) async fn list(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
    query: Result<Query<FilesQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let Query(query) = query?;
    let limit = query.limit.unwrap_or(MAX_ENTRIES);
    if !(1..=MAX_ENTRIES).contains(&limit) {
        return Err(Problem::new(
            Code::Invalid,
            format!("`limit` is 1 to {MAX_ENTRIES}"),
        ));
    }
    let page = DirectoryPage {
        path: query.path,
        after: query.after,
        limit,
    };
    let list = sessions.list_files(&caller, &id, &page).await?;
    Ok(with_charge(json(StatusCode::OK, list)))
}

/// Download a file of a session's workspace.
#[utoipa::path(get, path = "/v1/sessions/{id}/files/{*path}", operation_id = "files_read", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, description = "A part of the file", content_type = "application/octet-stream", body = Vec<u8>),
    ))]
pub(crate) async fn read(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path((id, path)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    let range = |length| {
        let part = Part::of(&headers, length)?;
        let range = part.range();
        Ok((part, range))
    };
    let (part, content) = sessions.read_file(&caller, (&id, &path), range).await?;
    Ok(file(&path, &part, content))
}

/// Write a file to a session's workspace.
#[utoipa::path(put, path = "/v1/sessions/{id}/files/{*path}", operation_id = "files_write", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "It is there")))]
pub(crate) async fn write(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path((id, path)): Path<(String, String)>,
    _in_use: InUse,
    request: Request,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    // Before its content is received.
    sessions.get(&caller, &id)?;
    let (content, _charge) = read_body(request).await?;
    sessions.write_file(&caller, &id, &path, &content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a file or an empty directory of a session's workspace.
#[utoipa::path(delete, path = "/v1/sessions/{id}/files/{*path}", operation_id = "files_delete", tag = "sessions", params(("id" = String, Path), ("path" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub(crate) async fn delete(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path((id, path)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    caller.needs(Scope::Run)?;
    sessions.delete_file(&caller, &id, &path).await?;
    Ok(StatusCode::NO_CONTENT)
}
