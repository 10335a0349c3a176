//! OpenTelemetry traces: where did the time of a request go?
//!
//! Spans from the request to the guest, exported to a collector by OTLP. They contain nothing of a
//! program's input or output.

#[cfg(feature = "telemetry")]
mod otlp;

#[cfg(feature = "telemetry")]
pub use otlp::Traces;

#[cfg(not(feature = "telemetry"))]
pub use absent::NoTraces as Traces;

/// Traces of a build without them.
#[cfg(not(feature = "telemetry"))]
mod absent {
    use crate::config::Telemetry;
    use tracing_subscriber::layer::Identity;

    /// Exports spans to an OTLP collector: there is none in this build.
    pub enum NoTraces {}

    impl NoTraces {
        /// Refuses to create an exporter.
        ///
        /// # Errors
        ///
        /// Always.
        pub fn to(_: &Telemetry) -> Result<Self, String> {
            Err("this `glovebox` was built without the feature `telemetry`".to_owned())
        }

        /// Returns a layer that does nothing.
        pub fn layer(&self) -> Identity {
            match *self {}
        }

        /// Flushes pending spans.
        pub fn end(self) {
            match self {}
        }
    }
}
