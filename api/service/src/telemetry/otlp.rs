//! OTLP exporter: how do spans get to a collector?

use crate::config::Telemetry;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
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
        // A target stands for all that begin with it, so this is every crate of the project.
        let filter = Targets::new().with_target("glovebox", LevelFilter::DEBUG);
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
