//! Health, metrics and documentation over HTTP: how is the service doing?

use crate::extract::Authenticated;
use crate::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox_service::{Scope, Service};
use glovebox_wire::records::Health;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Report whether the process is alive (liveness).
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = Health)))]
pub(crate) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Report whether the service can do its work (readiness).
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It can", body = Health)))]
pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<Json<Health>, Problem> {
    service.check_ready().await?;
    Ok(Json(Health { status: "ready" }))
}

/// Export metrics for Prometheus.
///
/// Requires the scope `audit`.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "In the text format of OpenMetrics", content_type = "application/openmetrics-text", body = String)))]
pub(crate) async fn metrics(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
) -> Result<Response, Problem> {
    caller.needs(Scope::Audit)?;
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = service.metrics_text();
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Returns a page that documents the routes; all of its content comes from `/openapi.json`.
pub(crate) async fn docs() -> Response {
    const PAGE: &str = include_str!("../docs.html");
    let mut response = Html(PAGE).into_response();
    // The Content-Security-Policy allows only the page's own script and style, by their digests.
    let digest = |tag: &str| {
        let inside = PAGE
            .split_once(&format!("<{tag}>"))
            .and_then(|(_, rest)| rest.split_once(&format!("</{tag}>")));
        STANDARD.encode(Sha256::digest(inside.map_or("", |(inside, _)| inside)))
    };
    let (script, style) = (digest("script"), digest("style"));
    let policy = format!(
        "default-src 'none'; connect-src 'self'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
