//! How is the service doing, in numbers?

use glovebox::{Outcome, Status};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ExecutionLabels {
    language: String,
    tier: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TierLabels {
    language: String,
    tier: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RuleLabels {
    rule: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResponseLabels {
    route: String,
    status: u16,
}

/// Everything that is counted.
pub(super) struct Metrics {
    registry: Registry,
    executions: Family<ExecutionLabels, Counter>,
    duration: Family<TierLabels, Histogram, fn() -> Histogram>,
    fuel: Counter,
    peak_memory: Family<TierLabels, Histogram, fn() -> Histogram>,
    denials: Family<RuleLabels, Counter>,
    limits: Family<LimitLabels, Counter>,
    responses: Family<ResponseLabels, Counter>,
    running: Gauge,
    queued: Gauge,
    sessions: Gauge,
    pub(super) refused: Counter,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 3.0, 12))
}

fn bytes() -> Histogram {
    Histogram::new(exponential_buckets(1_048_576.0, 2.0, 12))
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("glovebox");
        let executions = Family::default();
        registry.register("executions", "Executions that ended", executions.clone());
        let duration = Family::new_with_constructor(seconds as fn() -> Histogram);
        registry.register_with_unit("execution_duration", "Time from admission to the end", Unit::Seconds, duration.clone());
        let fuel = Counter::default();
        registry.register("fuel", "Fuel that programs used", fuel.clone());
        let peak_memory = Family::new_with_constructor(bytes as fn() -> Histogram);
        registry.register_with_unit("execution_peak_memory", "The largest size of a program's memory", Unit::Bytes, peak_memory.clone());
        let denials = Family::default();
        registry.register("denials", "Executions that the policy refused, by rule", denials.clone());
        let limits = Family::default();
        registry.register("limit_hits", "Executions that a limit ended, by limit", limits.clone());
        let responses = Family::default();
        registry.register("http_responses", "Responses by route and status", responses.clone());
        let running = Gauge::default();
        registry.register("executions_running", "Executions that run now", running.clone());
        let queued = Gauge::default();
        registry.register("executions_queued", "Executions that wait for a place", queued.clone());
        let sessions = Gauge::default();
        registry.register("sessions_open", "Sessions that are open", sessions.clone());
        let refused = Counter::default();
        registry.register("executions_refused", "Executions for which there was no room in the queue", refused.clone());
        Self { registry, executions, duration, fuel, peak_memory, denials, limits, responses, running, queued, sessions, refused }
    }

    pub(super) fn ended(&self, language: &str, outcome: &Outcome) {
        // Languages come from requests, and labels stay for good.
        let language = if outcome.status == Status::Denied { "" } else { language }.to_owned();
        let tier = outcome.tier.map_or("none", glovebox::policy::Tier::name);
        let labels = ExecutionLabels { language: language.clone(), tier, status: outcome.status.name() };
        self.executions.get_or_create(&labels).inc();
        if let Some(denial) = &outcome.denial {
            self.denials.get_or_create(&RuleLabels { rule: denial.rule.clone() }).inc();
            return;
        }
        if let Some(limit) = outcome.limit {
            self.limits.get_or_create(&LimitLabels { limit: limit.name() }).inc();
        }
        let labels = TierLabels { language, tier };
        self.duration.get_or_create(&labels).observe(outcome.usage.wall.as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a histogram's buckets are wider than what is lost")]
        self.peak_memory.get_or_create(&labels).observe(outcome.usage.peak_memory as f64);
        self.fuel.inc_by(outcome.usage.fuel);
    }

    pub(super) fn answered(&self, route: &str, status: u16) {
        self.responses.get_or_create(&ResponseLabels { route: route.to_owned(), status }).inc();
    }

    /// Everything as Prometheus reads it.
    pub(super) fn text(&self, (running, queued): (usize, usize), sessions: usize) -> String {
        let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
        self.running.set(number(running));
        self.queued.set(number(queued));
        self.sessions.set(number(sessions));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
