//! Quotas: how much may one subject have at once or keep, over all of its runs?
//!
//! A limit bounds one run; a quota bounds a subject. The policy sets quotas for every subject in
//! `[quotas]`, and for the subjects of a binding in its `quotas`. A quota that it does not set is
//! that of the service's settings. The service counts; whether one more fits is decided here.

pub(crate) mod of_subject;
pub(crate) mod rules;
pub(crate) mod settings;

pub use of_subject::Quotas;
pub use rules::Quota;
pub use settings::QuotaSettings;
