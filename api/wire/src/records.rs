//! Records: what may clients and operators know about usage, the audit log, alerts and health?

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The usage of a subject on one day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = Usage)]
pub struct UsageDay {
    /// The subject.
    pub subject: String,
    /// The start of the day (UTC), in milliseconds since 1970.
    pub day_ms: i64,
    /// Executions that ended.
    pub executions: i64,
    /// Executions that the policy denied.
    pub denied: i64,
    /// Executions that a limit ended.
    pub limited: i64,
    /// Wall-clock time, in microseconds.
    pub wall_us: i64,
    /// CPU time, in microseconds.
    pub cpu_us: i64,
    /// Fuel.
    pub fuel: i64,
    /// Bytes written to standard output and standard error.
    pub output_bytes: i64,
}

/// Usage by day and subject.
#[derive(Serialize, ToSchema)]
pub struct UsageList {
    /// One entry for each day and subject.
    pub usage: Vec<UsageDay>,
    /// Bytes of the caller's records, artifacts and plans that are kept now.
    pub kept_bytes: u64,
    /// The caller's storage quota in bytes: `quotas.kept` of the policy, or
    /// `limits.kept_per_subject`.
    pub kept_limit_bytes: u64,
}

/// Filters of a search of the audit log.
#[derive(Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only records of this subject; for other subjects than the caller's, requires the scope
    /// `audit`.
    pub subject: Option<String>,
    /// Only records of this execution or session.
    pub run: Option<String>,
    /// Only this event: `admitted`, `denied`, `refused`, `looked_up`, `found`, `explained`,
    /// `provided`, `called`, `finished` or `aborted`.
    pub event: Option<String>,
    /// Only records that name this rule.
    pub rule: Option<String>,
    /// Only records that contain this text.
    pub text: Option<String>,
    /// Only records from this time on, in milliseconds since 1970.
    #[param(minimum = 0)]
    pub since_ms: Option<i64>,
    /// Only records before this time, in milliseconds since 1970.
    #[param(minimum = 0)]
    pub until_ms: Option<i64>,
    /// The `next_cursor` of the previous page.
    pub cursor: Option<String>,
    /// Maximum number of records.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}

/// Records of the audit log, the newest first.
#[derive(Serialize, ToSchema)]
pub struct AuditList {
    /// The records as they were written.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<serde_json::Value>,
    /// The `cursor` of the next page, with older records; null at the start of the log.
    pub next_cursor: Option<String>,
}

/// The kind of event that an alert counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AlertKind {
    /// Programs that the policy denied.
    Denied,
    /// Programs that hit a limit.
    Limited,
    /// Programs whose guest crashed.
    Crashed,
    /// Programs that failed by themselves.
    Failed,
    /// Programs that the service failed to run.
    Error,
    /// Programs with findings.
    Finding,
    /// Tiers that stop working, or work again.
    Tier,
}

/// An alert that has fired.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Alert {
    /// Sequence number, from 1.
    pub number: u64,
    /// The rule's name.
    pub name: String,
    /// The kind of event that it counts.
    pub on: AlertKind,
    /// The subject, or the tier.
    pub subject: String,
    /// The number of events.
    pub count: usize,
    /// The length of the window, in seconds.
    pub within_s: u64,
    /// The time at which it fired.
    #[schema(format = DateTime)]
    pub at: String,
    /// The newest execution among the events.
    pub execution: Option<String>,
    /// Details of the newest event.
    pub detail: Option<String>,
}

/// Alerts, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct AlertList {
    /// The alerts.
    pub alerts: Vec<Alert>,
}

/// The health of the service.
#[derive(Serialize, ToSchema)]
pub struct Health {
    /// `ok` or `ready`.
    #[schema(value_type = String)]
    pub status: &'static str,
}
