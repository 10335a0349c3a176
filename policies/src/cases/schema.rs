//! Schema of a decision table: which keys does it have?

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::config::amount::Scalar;
use crate::config::spanned::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with `policies` and `case`")]
pub(super) struct RawTable {
    #[serde(default)]
    pub(super) policies: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    pub(super) case: Vec<RawCase>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table of a case's keys")]
pub(super) struct RawCase {
    pub(super) name: Spanned<String>,
    pub(super) policy: Option<Spanned<String>>,
    pub(super) text: Option<String>,

    pub(super) subject: Option<Spanned<String>>,
    pub(super) profile: Option<String>,
    pub(super) language: Option<String>,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) artifacts: Vec<String>,
    #[serde(default)]
    pub(super) wants: RawWants,
    /// The languages of each available tier.
    pub(super) offers: Option<BTreeMap<Spanned<String>, Vec<String>>>,
    /// The reason why a tier that is listed does not work.
    #[serde(default)]
    pub(super) unavailable: BTreeMap<String, String>,
    /// The available OCI runtimes.
    #[serde(default)]
    pub(super) runtimes: Vec<String>,
    /// The resolved packages, by tier: `name 1.2.3`.
    #[serde(default)]
    pub(super) resolved: BTreeMap<Spanned<String>, Vec<String>>,
    /// The features that a tier lacks for them.
    #[serde(default)]
    pub(super) lacks: BTreeMap<Spanned<String>, String>,
    /// The features that a tier lacks and that they may do without.
    #[serde(default)]
    pub(super) unfit: BTreeMap<Spanned<String>, String>,

    pub(super) http: Option<Spanned<String>>,
    pub(super) address: Option<Spanned<String>>,
    pub(super) tool: Option<String>,
    pub(super) running: Option<u64>,

    pub(super) expect: Spanned<String>,
    pub(super) rule: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) seed: Option<u64>,
    #[serde(default)]
    pub(super) limits: BTreeMap<Spanned<String>, Spanned<Scalar>>,
    pub(super) variables: Option<BTreeMap<String, String>>,
    pub(super) message: Option<String>,
    pub(super) fix: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, expecting = "a table of wishes")]
pub(super) struct RawWants {
    pub(super) limits: BTreeMap<Spanned<String>, Spanned<Scalar>>,
    pub(super) mounts: Option<Vec<String>>,
    pub(super) network: Option<Vec<String>>,
    pub(super) tools: Option<Vec<String>>,
    pub(super) packages: Vec<String>,
    pub(super) tier: Option<Spanned<String>>,
    pub(super) min_isolation: Option<Spanned<String>>,
    pub(super) seed: Option<u64>,
}
