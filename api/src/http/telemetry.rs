//! OpenTelemetry traces: where did the time of a request go?
//!
//! Spans from the request to the guest, exported to a collector by OTLP. They contain nothing of a program's input or output.

use super::config::Telemetry;
use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Exports spans to an OTLP collector.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Creates an exporter to the configured collector. Must be called outside of a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the URL is invalid. An unreachable collector loses spans, and nothing else.
    pub fn to(settings: &Telemetry) -> Result<Self, String> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&settings.otlp);
        let exporter = exporter.build().map_err(|error| error.to_string())?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .build();
        Ok(Self(
            SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource)
                .build(),
        ))
    }

    /// Returns the layer that exports the spans of this project, and no others.
    pub fn layer<S: tracing::Subscriber + for<'span> LookupSpan<'span> + Send + Sync>(
        &self,
    ) -> impl Layer<S> + Send + Sync + use<S> {
        let ours = [
            "glovebox",
            "glovebox_api",
            "glovebox_fallback",
            "glovebox_packages",
        ];
        let filter = Targets::new().with_targets(ours.map(|name| (name, LevelFilter::DEBUG)));
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("glovebox"))
            .with_filter(filter)
    }

    /// Flushes pending spans.
    pub fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Reads the trace context from request headers (W3C `traceparent`).
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

/// Makes a span part of the client's trace, if its request names one.
pub(super) fn go_on(span: &Span, headers: &HeaderMap) {
    if !span.is_disabled() && headers.contains_key("traceparent") {
        let context = TraceContextPropagator::new().extract(&Headers(headers));
        // A span that is not recorded has no parent either.
        let _ = span.set_parent(context);
    }
}
