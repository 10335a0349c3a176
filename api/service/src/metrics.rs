//! Prometheus metrics: how is the service doing, in numbers?

use glovebox::{Outcome, Sandbox, Status};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

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

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FindingLabels {
    rule: String,
    severity: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct TierNameLabels {
    tier: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StartLabels {
    tier: &'static str,
    start: &'static str,
}

/// Numbers that are read when the metrics are exported.
pub(crate) struct Gauges<'a> {
    pub(crate) running: usize,
    pub(crate) queued: usize,
    pub(crate) sessions: usize,
    pub(crate) kept_bytes: u64,
    pub(crate) alerts: u64,
    pub(crate) sandbox: &'a Sandbox,
}

/// All metrics.
pub struct Metrics {
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
    kept: Gauge,
    pub(crate) refused: Counter,
    findings: Family<FindingLabels, Counter>,
    alerts: Gauge,
    tiers: Family<TierNameLabels, Gauge>,
    ready: Family<TierNameLabels, Gauge>,
    starts: Family<StartLabels, Gauge>,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 3.0, 12))
}

fn bytes() -> Histogram {
    Histogram::new(exponential_buckets(1_048_576.0, 2.0, 12))
}

/// Adds a metric to a registry, and returns it.
fn add<M: Metric + Clone + Default>(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Adds a metric with a unit to a registry, and returns it.
fn add_with_unit<M: Metric + Clone>(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
    unit: Unit,
    metric: M,
) -> M {
    registry.register_with_unit(name, help, unit, metric.clone());
    metric
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("glovebox");
        let to = &mut registry;
        // They are exported in this order.
        Self {
            executions: add(to, "executions", "Executions that ended"),
            duration: add_with_unit(
                to,
                "execution_duration",
                "Time from admission to the end",
                Unit::Seconds,
                Family::new_with_constructor(seconds),
            ),
            fuel: add(to, "fuel", "Fuel that programs used"),
            peak_memory: add_with_unit(
                to,
                "execution_peak_memory",
                "The largest size of a program's memory",
                Unit::Bytes,
                Family::new_with_constructor(bytes),
            ),
            denials: add(to, "denials", "Executions that the policy refused, by rule"),
            limits: add(to, "limit_hits", "Executions that a limit ended, by limit"),
            responses: add(to, "http_responses", "Responses by route and status"),
            running: add(to, "executions_running", "Executions that run now"),
            queued: add(to, "executions_queued", "Executions that wait for a place"),
            sessions: add(to, "sessions_open", "Sessions that are open"),
            kept: add_with_unit(
                to,
                "kept",
                "Bytes of records, artifacts and plans that are kept",
                Unit::Bytes,
                Gauge::default(),
            ),
            refused: add(
                to,
                "executions_refused",
                "Executions for which there was no room in the queue",
            ),
            findings: add(
                to,
                "findings",
                "Things that were noticed in programs before they ran",
            ),
            alerts: add(to, "alerts_fired", "Alerts that have fired since the start"),
            tiers: add(to, "tier_available", "Whether a tier works: 1 or 0"),
            ready: add(
                to,
                "pool_ready",
                "Places that were made ahead and wait for a run",
            ),
            starts: add(
                to,
                "pool_starts",
                "Runs since the start that found such a place (warm), or had to wait for one (cold)",
            ),
            registry,
        }
    }

    pub(crate) fn ended(&self, language: &str, outcome: &Outcome) {
        // The language of a denied request is arbitrary text, and labels are never dropped: the
        // cardinality must stay bounded.
        let language = if outcome.status == Status::Denied {
            ""
        } else {
            language
        }
        .to_owned();
        let tier = outcome.tier.map_or("none", glovebox_policy::Tier::name);
        let labels = ExecutionLabels {
            language: language.clone(),
            tier,
            status: outcome.status.name(),
        };
        self.executions.get_or_create(&labels).inc();
        for finding in &outcome.findings {
            self.findings
                .get_or_create(&FindingLabels {
                    rule: finding.rule.clone(),
                    severity: finding.severity.name(),
                })
                .inc();
        }
        if let Some(denial) = &outcome.denial {
            self.denials
                .get_or_create(&RuleLabels {
                    rule: denial.rule.clone(),
                })
                .inc();
            return;
        }
        if let Some(limit) = outcome.reached_limit() {
            self.limits
                .get_or_create(&LimitLabels {
                    limit: limit.name(),
                })
                .inc();
        }
        let labels = TierLabels { language, tier };
        self.duration
            .get_or_create(&labels)
            .observe(outcome.usage.wall.as_secs_f64());
        #[expect(
            clippy::cast_precision_loss,
            reason = "a histogram's buckets are wider than what is lost"
        )]
        self.peak_memory
            .get_or_create(&labels)
            .observe(outcome.usage.peak_memory as f64);
        self.fuel.inc_by(outcome.usage.fuel);
    }

    /// Counts a response by its route and status.
    pub fn answered(&self, route: &str, status: u16) {
        self.responses
            .get_or_create(&ResponseLabels {
                route: route.to_owned(),
                status,
            })
            .inc();
    }

    /// Returns all metrics in the OpenMetrics text format.
    pub(crate) fn text(&self, gauges: &Gauges<'_>) -> String {
        let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
        self.running.set(number(gauges.running));
        self.queued.set(number(gauges.queued));
        self.sessions.set(number(gauges.sessions));
        let large = |value| i64::try_from(value).unwrap_or(i64::MAX);
        self.kept.set(large(gauges.kept_bytes));
        self.alerts.set(large(gauges.alerts));
        for tier in &gauges.sandbox.facts().tiers {
            self.tiers
                .get_or_create(&TierNameLabels {
                    tier: tier.tier.name(),
                })
                .set(i64::from(tier.unavailable.is_none()));
        }
        for (tier, stock) in gauges.sandbox.pool_stats() {
            let tier = tier.name();
            self.ready
                .get_or_create(&TierNameLabels { tier })
                .set(large(stock.ready));
            self.starts
                .get_or_create(&StartLabels {
                    tier,
                    start: "warm",
                })
                .set(large(stock.warm));
            self.starts
                .get_or_create(&StartLabels {
                    tier,
                    start: "cold",
                })
                .set(large(stock.cold));
        }
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A renamed metric would break the dashboard and the alert rules unnoticed.
    #[test]
    fn the_dashboard_and_the_rules_name_metrics_that_are_there() {
        let metrics = Metrics::new();
        // A family without a member is not shown.
        let none = String::new;
        let (tier, language) = ("wasm", none());
        metrics
            .executions
            .get_or_create(&ExecutionLabels {
                language: none(),
                tier,
                status: "",
            })
            .inc();
        metrics
            .duration
            .get_or_create(&TierLabels {
                language: none(),
                tier,
            })
            .observe(1.0);
        metrics
            .peak_memory
            .get_or_create(&TierLabels { language, tier })
            .observe(1.0);
        metrics
            .denials
            .get_or_create(&RuleLabels { rule: none() })
            .inc();
        metrics
            .limits
            .get_or_create(&LimitLabels { limit: "" })
            .inc();
        metrics.answered("", 200);
        metrics
            .findings
            .get_or_create(&FindingLabels {
                rule: none(),
                severity: "",
            })
            .inc();
        metrics.tiers.get_or_create(&TierNameLabels { tier }).set(1);
        metrics.ready.get_or_create(&TierNameLabels { tier }).set(1);
        metrics
            .starts
            .get_or_create(&StartLabels { tier, start: "" })
            .set(1);
        let mut there = none();
        text::encode(&mut there, &metrics.registry).unwrap();
        let files = [
            include_str!("../../grafana/dashboard.json"),
            include_str!("../../grafana/alerts.yaml"),
        ];
        let words = files.iter().flat_map(|file| {
            file.split(|letter: char| !(letter.is_ascii_lowercase() || letter == '_'))
        });
        let named: std::collections::BTreeSet<_> =
            words.filter(|word| word.starts_with("glovebox_")).collect();
        assert!(named.len() > 15, "{named:?}");
        for name in named {
            assert!(
                there.lines().any(|line| line
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ']))),
                "{name}: {there}"
            );
        }
    }
}
