//! Packages of a session over HTTP: how do clients list and change them?

use crate::extract::{Authenticated, Body, InUse};
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use glovebox_service::{PackageChange, Scope, Sessions};
use glovebox_wire::session::{PackagesBody, PackagesRequest};

/// List the packages of a session.
#[utoipa::path(get, path = "/v1/sessions/{id}/packages", operation_id = "packages_list", tag = "sessions", params(("id" = String, Path)),
    responses((status = 200, description = "All that its programs can import", body = PackagesBody)))]
pub(crate) async fn list(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<PackagesBody>, Problem> {
    caller.needs(Scope::Run)?;
    let packages = sessions.packages(&caller, &id)?;
    Ok(Json(PackagesBody { packages }))
}

/// Add packages to a session.
#[utoipa::path(post, path = "/v1/sessions/{id}/packages", operation_id = "packages_install", tag = "sessions", params(("id" = String, Path)), request_body = PackagesRequest,
    responses((status = 200, description = "All that its programs can import now", body = PackagesBody)))]
pub(crate) async fn install(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    session: InUse,
    body: Body<PackagesRequest>,
) -> Result<Json<PackagesBody>, Problem> {
    let change = PackageChange::Add(body.value.packages);
    let packages = sessions
        .change_packages(&caller, &session.id, change)
        .await?;
    Ok(Json(PackagesBody { packages }))
}

/// Remove packages from a session.
#[utoipa::path(delete, path = "/v1/sessions/{id}/packages/{*name}", operation_id = "packages_uninstall", tag = "sessions", params(("id" = String, Path), ("name" = String, Path)),
    responses((status = 200, description = "All that its programs can import now", body = PackagesBody)))]
pub(crate) async fn uninstall(
    State(sessions): State<Sessions>,
    Authenticated(caller): Authenticated,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<PackagesBody>, Problem> {
    let change = PackageChange::Remove(name);
    let packages = sessions.change_packages(&caller, &id, change).await?;
    Ok(Json(PackagesBody { packages }))
}
