//! Policies over HTTP: what does the policy in force decide, and where can programs run?

use crate::extract::{Authenticated, Body};
use crate::problem::Problem;
use crate::responses::json;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use glovebox_service::{Policies, Scope};
use glovebox_wire::policy::{ExplanationBody, PolicyBody, TierList};
use glovebox_wire::request::ExecutionRequest;
use glovebox_wire::to_json;

/// Get the policy.
#[utoipa::path(get, path = "/v1/policies", tag = "policies", responses((status = 200, description = "The policy in force", body = PolicyBody)))]
pub(crate) async fn policy(
    State(policies): State<Policies>,
    Authenticated(caller): Authenticated,
) -> Result<Json<PolicyBody>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(policies.policy()))
}

/// Explain a decision.
///
/// Takes the request of an execution, runs nothing, and reports rule by rule what the policy
/// decides. The program is inspected as before a run, which takes one of the caller's concurrency
/// slots, counts as its usage and is in the audit log as `explained`.
#[utoipa::path(post, path = "/v1/policies/explain", tag = "policies", request_body = ExecutionRequest,
    responses((status = 200, description = "The decision", body = ExplanationBody<'static>)))]
pub(crate) async fn explain(
    State(policies): State<Policies>,
    Authenticated(caller): Authenticated,
    body: Body<ExecutionRequest>,
) -> Result<Response, Problem> {
    caller.needs(Scope::Run)?;
    policies.check_open()?;
    let bytes = body.bytes.len();
    drop(body.bytes);
    let (request, _) = body.value.into_request(caller.subject.clone())?;
    let explanation = policies
        .explain(&caller, request, bytes, body.charge)
        .await?;
    let text = to_json(&ExplanationBody::from(&explanation));
    Ok(json(StatusCode::OK, text))
}

/// List the tiers and their state.
#[utoipa::path(get, path = "/v1/tiers", tag = "policies", responses((status = 200, description = "What this service offers", body = TierList)))]
pub(crate) async fn tiers(
    State(policies): State<Policies>,
    Authenticated(caller): Authenticated,
) -> Result<Json<TierList>, Problem> {
    caller.needs(Scope::Run)?;
    Ok(Json(policies.tiers()))
}
