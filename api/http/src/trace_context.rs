//! Trace context: does a request belong to a trace of its client (W3C `traceparent`)?

#[cfg(feature = "telemetry")]
pub(crate) use propagated::join;

/// Without traces, a span has no context.
#[cfg(not(feature = "telemetry"))]
pub(crate) fn join(_: &tracing::Span, _: &axum::http::HeaderMap) {}

#[cfg(feature = "telemetry")]
mod propagated {
    use axum::http::{HeaderMap, HeaderName};
    use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
    use opentelemetry_sdk::propagation::TraceContextPropagator;
    use tracing::Span;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;

    /// Reads the trace context from request headers (W3C `traceparent`).
    struct Headers<'a>(&'a HeaderMap);

    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }

        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(HeaderName::as_str).collect()
        }
    }

    /// Makes a span part of the client's trace, if its request names one.
    pub(crate) fn join(span: &Span, headers: &HeaderMap) {
        if !span.is_disabled() && headers.contains_key("traceparent") {
            let context = TraceContextPropagator::new().extract(&Headers(headers));
            // A span that is not recorded has no parent either.
            let _ = span.set_parent(context);
        }
    }
}
