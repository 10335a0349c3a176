//! Progress of a build: what is it doing?

use std::time::Duration;

/// Receives the progress of a build. Two guests may be built at the same time, so calls of
/// different names interleave.
pub trait Progress: Sync {
    /// A step begins. `name` is one word, `detail` a phrase for people.
    fn step(&self, name: &str, detail: &str);
    /// Something worth knowing happened within a step.
    fn message(&self, name: &str, text: &str);
    /// A step has ended.
    fn finished(&self, name: &str, took: Duration);
}
