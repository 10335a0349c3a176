//! Records over HTTP: what was used, what happened, and which alerts have fired?

use crate::extract::Authenticated;
use crate::problem::Problem;
use crate::responses::page_size;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use glovebox_service::{AuditSearch, Code, Scope, Service, Subjects, UsageFilter};
use glovebox_wire::MAX_NUMBER;
use glovebox_wire::records::{AlertList, AuditList, AuditQuery, UsageList};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;

/// The period and subjects of a usage query.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct UsageQuery {
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
pub(crate) async fn usage(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Json<UsageList>, Problem> {
    let Query(query) = query?;
    let (scope, subjects) = if query.all {
        (Scope::Audit, Subjects::All)
    } else {
        (Scope::Run, Subjects::Caller)
    };
    caller.needs(scope)?;
    let filter = UsageFilter {
        subjects,
        since_ms: time(query.since_ms)?.unwrap_or(0),
        until_ms: time(query.until_ms)?.unwrap_or(i64::MAX),
    };
    Ok(Json(service.usage(&caller, filter).await?))
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

/// Search the audit log, the newest record first.
///
/// Searches the caller's own records, or those of all subjects with the scope `audit`. A page may
/// have fewer records than requested without being the last one.
#[utoipa::path(get, path = "/v1/audit", tag = "records", params(AuditQuery),
    responses((status = 200, description = "One page", body = AuditList)))]
pub(crate) async fn audit(
    State(audit): State<AuditSearch>,
    Authenticated(caller): Authenticated,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<AuditList>, Problem> {
    let Query(query) = query?;
    let limit = page_size(query.limit)?;
    time(query.since_ms).and(time(query.until_ms))?;
    Ok(Json(audit.search(&caller, query, limit).await?))
}

/// The position in the list of alerts.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// Only alerts after the one with this number.
    #[param(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    after: Option<u64>,
}

/// List the alerts that have fired since the service was started.
///
/// Requires the scope `audit`.
#[utoipa::path(get, path = "/v1/alerts", tag = "records", params(AlertQuery),
    responses((status = 200, description = "The newest thousand at most, the oldest first", body = AlertList)))]
pub(crate) async fn alerts(
    State(service): State<Arc<Service>>,
    Authenticated(caller): Authenticated,
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
        alerts: service.alerts.after(after),
    }))
}
