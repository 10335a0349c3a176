//! Routes and OpenAPI description: which routes are there, and how are they described?

use crate::auth;
use crate::problem::Problem;
use crate::routes::{
    executions, health, policies, records, session_files, session_packages, sessions, trees,
};
use crate::state::ApiState;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use glovebox_service::Code;
use glovebox_wire::problem::ProblemBody;
use serde_json::{Value, json};
use tracing::Instrument as _;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Description, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Glovebox",
        description = "Runs untrusted code in a sandbox, and reports exactly what it did.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(ProblemBody<'static>, Code)),
    tags(
        (name = "executions", description = "Programs that run by themselves"),
        (name = "sessions", description = "Places where one program sees what the one before it left"),
        (name = "task-trees", description = "Programs that build on one another"),
        (name = "policies", description = "What is allowed, and where it runs"),
        (name = "records", description = "What happened, and what it cost"),
        (name = "health", description = "How the service is doing"),
    ),
    security(("key" = [])),
    modifiers(&Security),
)]
struct Api;

/// Adds the security scheme of all routes.
struct Security;

impl Modify for Security {
    fn modify(&self, api: &mut Description) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        api.components
            .get_or_insert_default()
            .add_security_scheme("key", scheme);
    }
}

/// Problems that any request may have.
const PROBLEMS: [(&str, &str); 13] = [
    ("400", "The request cannot be read"),
    ("401", "No valid credentials were given"),
    (
        "403",
        "The credentials, the origin or the policy do not allow it",
    ),
    ("404", "Not found, or another tenant's"),
    ("405", "Method not allowed"),
    ("408", "The request came too slowly"),
    (
        "409",
        "Busy, ended, or the idempotency key belongs to another request",
    ),
    ("413", "The request is too large"),
    ("415", "The content type is not supported"),
    ("416", "The range is not in the file"),
    ("422", "Invalid request"),
    (
        "429",
        "Too many requests; `Retry-After` says when to come again",
    ),
    (
        "503",
        "The service is full or about to end; `Retry-After` says when to come again",
    ),
];

fn finish(api: &mut Description) {
    let paths = std::mem::take(&mut api.paths.paths);
    for (path, mut item) in paths {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            for (status, description) in PROBLEMS {
                let content = ContentBuilder::new()
                    .schema(Some(Ref::from_schema_name("Problem")))
                    .build();
                let response = ResponseBuilder::new()
                    .description(description)
                    .content("application/problem+json", content)
                    .build();
                operation
                    .responses
                    .responses
                    .entry(status.to_owned())
                    .or_insert_with(|| response.into());
            }
            if ["/healthz", "/readyz"].contains(&path.as_str()) {
                operation.security = Some(Vec::new());
            }
        }
        api.paths.paths.insert(path.replace("{*", "{"), item);
    }
}

fn described() -> (Router<ApiState>, Description) {
    let (router, mut api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(executions::create, executions::list))
        .routes(routes!(executions::get, executions::delete))
        .routes(routes!(executions::cancel))
        .routes(routes!(executions::events))
        .routes(routes!(executions::artifact))
        .routes(routes!(sessions::create, sessions::list))
        .routes(routes!(sessions::get, sessions::delete))
        .routes(routes!(sessions::evaluate))
        .routes(routes!(sessions::interrupt))
        .routes(routes!(sessions::reset))
        .routes(routes!(session_packages::list, session_packages::install))
        .routes(routes!(session_packages::uninstall))
        .routes(routes!(session_files::list))
        .routes(routes!(
            session_files::read,
            session_files::write,
            session_files::delete
        ))
        .routes(routes!(trees::create, trees::list))
        .routes(routes!(trees::get, trees::cancel))
        .routes(routes!(trees::cancel_branch))
        .routes(routes!(trees::retry_branch))
        .routes(routes!(trees::events))
        .routes(routes!(policies::policy))
        .routes(routes!(policies::explain))
        .routes(routes!(policies::tiers))
        .routes(routes!(records::usage))
        .routes(routes!(records::audit))
        .routes(routes!(records::alerts))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .split_for_parts();
    finish(&mut api);
    (router, api)
}

/// Adds what derived schemas cannot express: mutually exclusive fields, and the format of a key.
fn refine(api: &Description) -> Value {
    let mut api = serde_json::to_value(api).unwrap_or_default();
    let text = |names: &[&str]| {
        let properties: serde_json::Map<_, _> = names
            .iter()
            .map(|name| ((*name).to_owned(), json!({ "type": "string" })))
            .collect();
        json!({ "required": names, "properties": properties })
    };
    let schemas = "/components/schemas";
    if let Some(Value::Object(execution)) = api.pointer_mut(&format!("{schemas}/ExecutionRequest"))
    {
        execution.insert(
            "anyOf".to_owned(),
            json!([text(&["source"]), text(&["source_base64"])]),
        );
        let both = [["source", "source_base64"], ["stdin", "stdin_base64"]]
            .map(|both| json!({ "not": text(&both) }));
        execution.insert("allOf".to_owned(), json!(both));
    }
    if let Some(Value::Object(file)) = api.pointer_mut(&format!("{schemas}/FileBody")) {
        file.insert("not".to_owned(), text(&["content", "content_base64"]));
    }
    let create = "/paths/~1v1~1executions/post/parameters";
    for parameter in api
        .pointer_mut(create)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if parameter["name"] == "Idempotency-Key" {
            parameter["schema"] = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$" });
        }
    }
    let events = "/paths/~1v1~1executions~1{id}~1events/get/parameters";
    for parameter in api
        .pointer_mut(events)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if parameter["name"] == "Last-Event-ID" {
            parameter["schema"] = json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX });
        }
    }
    if let Some(body) =
        api.pointer_mut("/paths/~1v1~1sessions~1{id}~1files~1{path}/put/requestBody")
    {
        body["required"] = json!(false);
    }
    name_operations(&mut api);
    api
}

/// Makes the ids of operations unique: handlers of several resources have the same name.
fn name_operations(api: &mut Value) {
    let paths = api["paths"].as_object_mut().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        let resource = operation
            .pointer("/tags/0")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .replace('-', "_");
        if let Some(name) = operation["operationId"].as_str() {
            operation["operationId"] = json!(format!("{resource}_{name}"));
        }
    }
}

/// Returns the OpenAPI 3.1 description of the API, as JSON.
#[must_use]
pub fn openapi_json() -> String {
    serde_json::to_string_pretty(&refine(&described().1)).unwrap_or_default()
}

/// Returns all routes, with their middleware.
pub(crate) fn router(state: &ApiState) -> Router {
    let (router, api) = described();
    // Clients need no key for it, so it is serialized once and not for each request.
    let served = Bytes::from(refine(&api).to_string());
    router
        .route(
            "/openapi.json",
            get(move || async move { ([(header::CONTENT_TYPE, "application/json")], served) }),
        )
        .route("/docs", get(health::docs))
        .fallback(|| async { Problem::not_found("route") })
        .method_not_allowed_fallback(not_allowed)
        // Each layer costs a request some allocations, so there is one.
        .layer(from_fn_with_state(state.clone(), observe))
        .with_state(state.clone())
}

async fn not_allowed(request: Request) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!(
            "method `{}` is not allowed here; the header `Allow` lists those that are",
            request.method()
        ),
    )
}

/// Authenticates every request, counts every response, and sets headers that have browsers treat it
/// as data.
async fn observe(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let span = tracing::debug_span!("request", otel.kind = "server", http.request.method = %request.method(), http.route = route,
        http.response.status_code = tracing::field::Empty);
    crate::trace_context::join(&span, request.headers());
    let asks_for_upgrade = request.headers().contains_key(header::UPGRADE);
    let mut response = auth::guard(&state, request, next)
        .instrument(span.clone())
        .await;
    if asks_for_upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // The framing of what follows is unchecked (`connection/strict.rs`), so nothing may follow.
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    span.record("http.response.status_code", response.status().as_u16());
    state
        .service()
        .metrics
        .answered(route, response.status().as_u16());
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let sandbox = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(sandbox);
    response.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_operations_are_unique() {
        let api: Value = serde_json::from_str(&openapi_json()).expect("it is JSON");
        let paths = api["paths"].as_object().expect("there are paths");
        let ids: Vec<&str> = paths
            .values()
            .flat_map(|path| path.as_object().into_iter().flatten())
            .filter_map(|(_, operation)| operation["operationId"].as_str())
            .collect();
        let unique: std::collections::HashSet<&str> = ids.iter().copied().collect();
        assert!(ids.len() > 30 && unique.len() == ids.len(), "{ids:?}");
    }

    /// The description in the source tree must match the one that is served.
    /// `GLOVEBOX_WRITE=1 cargo test` regenerates it.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test that keeps a file of the tree true"
    )]
    fn the_description_in_the_tree_is_the_one_that_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");
        let described = openapi_json() + "\n";
        if std::env::var_os("GLOVEBOX_WRITE").is_some() {
            std::fs::write(path, &described).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap_or_default() == described,
            "`api/openapi.json` is not what is served: run with GLOVEBOX_WRITE=1"
        );
    }
}
