//! Introspection endpoints: what may clients and operators know about policy, tiers, usage, audit records and health?

use super::App;
use super::alerts::Alert;
use super::body::{Body, ExecutionRequest, MAX_NUMBER};
use super::charge::{Charge, Tab};
use super::execution::{enter, timestamp};
use super::executions::page_size;
use super::keys::{Caller, Scope};
use super::problem::{Code, Denial, Problem};
use super::store::UsageRow;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glovebox::policy::{Grant, StepResult, Verdict};
use glovebox::{CancellationToken, Controls};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The policy in force.
#[derive(Serialize, ToSchema)]
#[schema(as = Policy)]
pub(super) struct PolicyBody {
    /// SHA-256 of the policy's canonical form, which identifies it.
    digest: String,
    /// The names of its profiles.
    profiles: Vec<String>,
}

/// The decision on a request, with its reasons.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub(super) struct ExplanationBody {
    /// `admitted` or `denied`.
    verdict: &'static str,
    /// The steps of the decision, in order.
    steps: Vec<StepBody>,
    /// The denial, if it is denied.
    denial: Option<Denial>,
    /// The grant that it would have, if it is admitted.
    grant: Option<GrantBody>,
}

/// One step of a decision.
#[derive(Serialize, ToSchema)]
#[schema(as = Step)]
struct StepBody {
    /// The rule that was consulted.
    rule: String,
    /// The request that it was consulted about.
    asked: String,
    /// Whether the rule allows it.
    allowed: bool,
    /// The reason why it does, or does not.
    reason: String,
}

/// The grant that a request would have.
#[derive(Serialize, ToSchema)]
#[schema(as = Grant)]
struct GrantBody {
    profile: String,
    tier: String,
    tier_reason: String,
    /// Each limit with its value, such as `10s` or `256MiB`.
    limits: std::collections::BTreeMap<String, String>,
    /// Every package with its exact version.
    packages: Vec<String>,
}

/// The state of a tier on this machine.
#[derive(Serialize, ToSchema)]
#[schema(as = Tier)]
struct TierBody {
    /// `wasm`, `container` or `microvm`.
    tier: String,
    /// The languages that it runs.
    languages: Vec<String>,
    /// Whether it works.
    available: bool,
    /// The reason why it does not work.
    reason: Option<String>,
}

/// The tiers of this service.
#[derive(Serialize, ToSchema)]
pub(super) struct TierList {
    tiers: Vec<TierBody>,
}

/// Usage by day and subject.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageList {
    usage: Vec<UsageRow>,
    /// Bytes of the caller's records, artifacts and plans that are kept now.
    kept_bytes: u64,
    /// The caller's storage quota in bytes (`limits.kept_per_subject`).
    kept_limit_bytes: u64,
}

/// Records of the audit log, the newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditList {
    /// The records as they were written.
    #[schema(value_type = Vec<Object>)]
    records: Vec<serde_json::Value>,
    /// The `cursor` of the next page, with older records; null at the start of the log.
    next_cursor: Option<String>,
}

/// The health of the service.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    status: &'static str,
}

/// Get the policy.
#[utoipa::path(get, path = "/v1/policies", tag = "policies", responses((status = 200, description = "The policy in force", body = PolicyBody)))]
pub(super) async fn policy(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<PolicyBody>, Problem> {
    caller.needs(Scope::Run)?;
    let policy = app.sandbox.policy();
    Ok(Json(PolicyBody {
        digest: policy.digest().to_owned(),
        profiles: policy.profiles().map(str::to_owned).collect(),
    }))
}

/// Explain a decision.
///
/// Takes the request of an execution, runs nothing, and reports rule by rule what the policy decides. The program is inspected as before a
/// run, which takes one of the caller's concurrency slots, counts as its usage and is in the audit log as `explained`.
#[utoipa::path(post, path = "/v1/policies/explain", tag = "policies", request_body = ExecutionRequest,
    responses((status = 200, description = "The decision", body = ExplanationBody)))]
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    caller: Caller,
    body: Body<ExecutionRequest>,
) -> Result<Json<ExplanationBody>, Problem> {
    caller.needs(Scope::Run)?;
    app.takes("the service takes no more executions")?;
    let (bytes, held) = (body.bytes.len(), body.held);
    drop(body.bytes);
    let (request, _) = body.value.read(caller.subject.clone(), true)?;
    // The program is inspected in a guest, which takes a slot and processors like any other.
    let waiting = enter(&app, &caller.subject, bytes)?;
    let place = waiting
        .slot()
        .await
        .ok_or_else(|| Problem::internal(&"an explanation has lost its place"))?;
    let stop = CancellationToken::new();
    // A client that disconnects needs no explanation, but pays for the inspection.
    let _stop = stop.clone().drop_guard();
    let explaining = tokio::spawn(async move {
        let _held = held;
        let tab = Tab::default();
        let charge = Charge::new(&app, &caller.subject, Arc::clone(&tab));
        let controls = Controls {
            stop,
            spent: Some(tab),
            ..Controls::default()
        };
        let explained = app
            .processors
            .share(
                caller.subject.clone(),
                app.sandbox.explain_with(request, controls),
            )
            .await?;
        drop(place);
        charge.settle().await?;
        Ok::<_, Problem>(explained.explanation)
    });
    let explanation = explaining
        .await
        .map_err(|error| Problem::internal(&error))??;
    let step = |step: glovebox::policy::Step| {
        let (allowed, reason) = match step.result {
            StepResult::Allowed(reason) => (true, reason),
            StepResult::Denied(denial) => (false, denial.reason),
        };
        StepBody {
            rule: step.rule,
            asked: step.asked,
            allowed,
            reason,
        }
    };
    let (verdict, denial, grant) = match explanation.verdict {
        Verdict::Admit(grant) => ("admitted", None, Some(granted(&grant))),
        Verdict::Deny(denial) => ("denied", Some(Denial::from(&denial)), None),
    };
    Ok(Json(ExplanationBody {
        verdict,
        steps: explanation.steps.into_iter().map(step).collect(),
        denial,
        grant,
    }))
}

fn granted(grant: &Grant) -> GrantBody {
    GrantBody {
        profile: grant.profile().to_owned(),
        tier: grant.tier().to_string(),
        tier_reason: grant.tier_reason().to_owned(),
        limits: grant
            .limits()
            .entries()
            .map(|(name, amount)| (name.to_owned(), amount.to_string()))
            .collect(),
        packages: grant
            .resolved_packages()
            .iter()
            .map(|package| format!("{} {}", package.name, package.version))
            .collect(),
    }
}

/// List the tiers and their state.
#[utoipa::path(get, path = "/v1/tiers", tag = "policies", responses((status = 200, description = "What this service offers", body = TierList)))]
pub(super) async fn tiers(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<TierList>, Problem> {
    caller.needs(Scope::Run)?;
    let tier = |facts: &glovebox::policy::TierFacts| TierBody {
        tier: facts.tier.to_string(),
        languages: facts.languages.clone(),
        available: facts.unavailable.is_none(),
        // The detailed reason is for the operator only.
        reason: facts
            .unavailable
            .as_ref()
            .map(|_| "it does not work on this machine; `glovebox doctor` says why".to_owned()),
    };
    Ok(Json(TierList {
        tiers: app.sandbox.facts().tiers.iter().map(tier).collect(),
    }))
}

/// The period and subjects of a usage query.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageQuery {
    /// Start of the period, in milliseconds since 1970.
    #[param(minimum = 0)]
    since_ms: Option<i64>,
    /// End of the period (exclusive), in milliseconds since 1970.
    #[param(minimum = 0)]
    until_ms: Option<i64>,
    /// Usage of all subjects; requires the scope `audit`.
    #[serde(default)]
    all: bool,
}

/// Report usage by day.
#[utoipa::path(get, path = "/v1/usage", tag = "records", params(UsageQuery),
    responses((status = 200, description = "One entry for each day and subject", body = UsageList)))]
pub(super) async fn usage(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Json<UsageList>, Problem> {
    let Query(query) = query?;
    caller.needs(if query.all { Scope::Audit } else { Scope::Run })?;
    let subject = (!query.all).then(|| caller.subject.as_str());
    let usage = app
        .store
        .usage(
            subject,
            time(query.since_ms)?.unwrap_or(0),
            time(query.until_ms)?.unwrap_or(i64::MAX),
        )
        .await?;
    let (kept_bytes, kept_limit_bytes) = app.kept.of(caller.subject.as_str());
    Ok(Json(UsageList {
        usage,
        kept_bytes,
        kept_limit_bytes,
    }))
}

/// # Errors
///
/// If it is before 1970.
fn time(ms: Option<i64>) -> Result<Option<i64>, Problem> {
    if ms.is_some_and(|ms| ms < 0) {
        return Err(Problem::new(
            Code::Invalid,
            "a time is in milliseconds since 1970, and not before",
        ));
    }
    Ok(ms)
}

/// Filters of a search of the audit log.
#[derive(Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditQuery {
    /// Only records of this subject; for other subjects than the caller's, requires the scope `audit`.
    pub(super) subject: Option<String>,
    /// Only records of this execution or session.
    pub(super) run: Option<String>,
    /// Only this event: `admitted`, `denied`, `looked_up`, `found`, `explained`, `provided`, `called`, `finished` or `aborted`.
    pub(super) event: Option<String>,
    /// Only records that name this rule.
    pub(super) rule: Option<String>,
    /// Only records that contain this text.
    pub(super) text: Option<String>,
    /// Only records from this time on, in milliseconds since 1970.
    #[param(minimum = 0)]
    pub(super) since_ms: Option<i64>,
    /// Only records before this time, in milliseconds since 1970.
    #[param(minimum = 0)]
    pub(super) until_ms: Option<i64>,
    /// The `next_cursor` of the previous page.
    pub(super) cursor: Option<String>,
    /// Maximum number of records.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<u32>,
}

/// Search the audit log, the newest record first.
///
/// Searches the caller's own records, or those of all subjects with the scope `audit`. A page may have fewer records than requested without
/// being the last one.
#[utoipa::path(get, path = "/v1/audit", tag = "records", params(AuditQuery),
    responses((status = 200, description = "One page", body = AuditList)))]
pub(super) async fn audit(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditList>, Problem> {
    let Query(mut query) = query?;
    let limit = page_size(query.limit)?;
    time(query.since_ms).and(time(query.until_ms))?;
    let before = match query.cursor.as_deref() {
        None => None,
        Some(text) => {
            let offset = text
                .strip_prefix("at-")
                .and_then(|offset| offset.parse().ok());
            Some(offset.ok_or_else(|| {
                Problem::not_found("page; `cursor` is none that this list has given")
            })?)
        }
    };
    if caller.needs(Scope::Audit).is_err() {
        caller.needs(Scope::Run)?;
        if query
            .subject
            .as_ref()
            .is_some_and(|subject| subject != caller.subject.as_str())
        {
            return Err(Problem::new(
                Code::Forbidden,
                "the records of others need the scope `audit`",
            ));
        }
        query.subject = Some(caller.subject.to_string());
    }
    let permit = app.searches.acquire(&caller.subject).await;
    // A client that disconnects needs no result: the search is cancelled.
    let gone = CancellationToken::new();
    let _stop = gone.clone().drop_guard();
    let found = tokio::task::spawn_blocking(move || {
        let _held = permit;
        super::search::search(&app.state, &query, (limit as usize, before), &|| {
            gone.is_cancelled()
        })
    });
    let found = found
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    Ok(Json(AuditList {
        records: found.records,
        next_cursor: found.next.map(|offset| format!("at-{offset}")),
    }))
}

/// The position in the list of alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AlertQuery {
    /// Only alerts after the one with this number.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    after: Option<u64>,
}

/// Alerts, the oldest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AlertList {
    alerts: Vec<Alert>,
}

/// List the alerts that have fired since the service was started.
///
/// Requires the scope `audit`.
#[utoipa::path(get, path = "/v1/alerts", tag = "records", params(AlertQuery),
    responses((status = 200, description = "The newest thousand at most, the oldest first", body = AlertList)))]
pub(super) async fn alerts(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Result<Query<AlertQuery>, QueryRejection>,
) -> Result<Json<AlertList>, Problem> {
    caller.needs(Scope::Audit)?;
    let Query(query) = query?;
    let after = query.after.unwrap_or(0);
    if after > MAX_NUMBER {
        return Err(Problem::new(
            Code::Invalid,
            "`after` is the number of an alert",
        ));
    }
    Ok(Json(AlertList {
        alerts: app.alerts.after(after),
    }))
}

/// Report whether the process is alive (liveness).
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, description = "It does", body = Health)))]
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Report whether the service can do its work (readiness).
#[utoipa::path(get, path = "/readyz", tag = "health", responses((status = 200, description = "It can", body = Health)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    if app.closing.is_cancelled() {
        return Err(Problem::new(
            Code::ShuttingDown,
            "the service is about to end",
        ));
    }
    if app
        .sandbox
        .facts()
        .tiers
        .iter()
        .all(|tier| tier.unavailable.is_some())
    {
        return Err(Problem::new(Code::NotReady, "no tier works"));
    }
    if !app.store.answers().await {
        return Err(Problem::new(
            Code::NotReady,
            "the database does not answer, or takes no records",
        ));
    }
    Ok(Json(Health { status: "ready" }))
}

/// Export metrics for Prometheus.
///
/// Requires the scope `audit`.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, description = "In the text format of OpenMetrics", content_type = "application/openmetrics-text", body = String)))]
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.needs(Scope::Audit)?;
    let text = app.metrics.text(&app);
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response())
}

/// Returns a page that documents the routes; all of its content comes from `/openapi.json`.
pub(super) async fn docs() -> Response {
    const PAGE: &str = include_str!("docs.html");
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

/// Adds the time of a record in readable form, for search results.
pub(super) fn shown_time(record: &mut serde_json::Value) {
    if let Some(ms) = record.get("time_ms").and_then(serde_json::Value::as_i64)
        && let Some(record) = record.as_object_mut()
    {
        record.insert("time".to_owned(), timestamp(ms).into());
    }
}
