//! Schema of a config: which keys does it have?
//!
//! Plain serde structures, from which the JSON Schema is generated. Nothing here is validated
//! beyond its type, and every value has its span, so that later checks can report line and column.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;

use super::amount::{RawAmount, RawBytes, RawCount, RawTime};
use super::spanned::Spanned;
use crate::limits::{FIELDS, LimitField};
use crate::quotas::rules::{Quota, for_each_quota};
use crate::tier::{Isolation, Tier};

/// A policy: which subjects may run which programs, and with what authority.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(title = "Glovebox policy")]
pub(crate) struct RawPolicy {
    /// The version of this format: 1.
    #[schemars(with = "i64", range(min = 1, max = 1), required)]
    pub(crate) version: Option<Spanned<i64>>,
    /// The profile of subjects that no binding matches. Without it they are refused.
    pub(crate) default_profile: Option<Spanned<String>>,
    /// The bindings of subjects to profiles.
    #[serde(default)]
    pub(crate) bindings: Vec<RawBinding>,
    /// Quotas of every subject: bounds over all of its runs. A missing quota is set by the
    /// service's settings.
    #[serde(default)]
    pub(crate) quotas: RawQuotas,
    /// The profiles by name. The presets `deny-all`, `offline`, `default`, `agent` and `judge` are
    /// built in.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RawProfile>")]
    pub(crate) profiles: BTreeMap<Spanned<String>, RawProfile>,
}

/// The profiles and quotas of one subject. The most specific binding applies: the exact name, else
/// the longest prefix.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `subject` and `profiles`"
)]
#[schemars(rename = "Binding")]
pub(crate) struct RawBinding {
    /// A subject's name, such as `local`, or a prefix and `*`: `key:ci-*`.
    pub(crate) subject: Spanned<String>,
    /// The profiles that the subject may use; the first is the default.
    pub(crate) profiles: Spanned<Vec<Spanned<String>>>,
    /// Quotas of each of these subjects, instead of those of every subject.
    #[serde(default)]
    pub(crate) quotas: RawQuotas,
}

/// A profile: the authority that may be granted. A missing key is inherited, from `deny-all` if
/// `extends` is missing too.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of a profile's keys")]
#[schemars(rename = "Profile")]
pub(crate) struct RawProfile {
    /// The profile to inherit from: another of this file, or a preset. Its allow lists are replaced
    /// key by key; its deny lists stay in force.
    pub(crate) extends: Option<Spanned<String>>,
    /// The languages, such as `python` and `javascript`; `@wasm` for all of the wasm tier.
    pub(crate) languages: Option<Vec<Spanned<String>>>,
    /// The tiers, in order of preference.
    #[schemars(with = "Option<Vec<Tier>>")]
    pub(crate) tiers: Option<Vec<Spanned<String>>>,
    /// The minimum isolation, of `container` < `wasm` < `microvm`.
    #[schemars(with = "Option<Isolation>")]
    pub(crate) min_isolation: Option<Spanned<String>>,
    /// The resolution of the clocks that a program can read.
    pub(crate) clock_resolution: Option<RawTime>,
    /// The random seed of runs whose request has none. Without it, randomness comes from the
    /// operating system.
    #[schemars(range(min = 0))]
    pub(crate) seed: Option<Spanned<i64>>,
    /// Resource limits of a run.
    pub(crate) limits: Option<RawLimits>,
    /// Directories of the host that are mounted for the program. Replaces the inherited list.
    pub(crate) mounts: Option<Vec<RawMount>>,
    /// Environment variables.
    pub(crate) environment: Option<RawEnvironment>,
    /// HTTP requests made on the program's behalf; there is no other network access.
    pub(crate) network: Option<RawNetwork>,
    /// Tools by `server/tool`, `server/*` or `*`.
    pub(crate) tools: Option<RawNames>,
    /// Pinned container images by language: `sha256:` and 64 hexadecimal digits, as
    /// `glovebox images list` prints them. A language that is missing here uses the image of its
    /// name.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(crate) images: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The only OCI runtime that may start containers, such as `runsc`. Without it, the engine's
    /// default.
    #[schemars(length(min = 1, max = 100))]
    pub(crate) runtime: Option<Spanned<String>>,
    /// Packages that a program may import, downloaded on its behalf.
    pub(crate) packages: Option<RawPackages>,
    /// Actions on findings in a program's text: a signal, never a security boundary.
    pub(crate) findings: Option<RawFindings>,
}

macro_rules! raw_kind {
    (time) => {
        RawTime
    };
    (bytes) => {
        RawBytes
    };
    (count) => {
        RawCount
    };
}

macro_rules! raw_limits {
    (
        policy { $($variant:ident $name:ident: $kind:ident $(as $field:ident)?, $title:literal, $doc:literal;)+ }
        built_in { $($built_in:tt)+ }
    ) => {
        /// Limits. Amounts have units (`"10s"`, `"256MiB"`); zero is refused and never means
        /// unlimited.
        #[derive(Deserialize, JsonSchema, Default)]
        #[serde(deny_unknown_fields, default, expecting = "a table of limits")]
        #[schemars(rename = "Limits")]
        pub(crate) struct RawLimits {
            $(#[doc = $doc] $name: Option<raw_kind!($kind)>,)+
        }

        impl RawLimits {
            /// Returns each limit that is present, with its field.
            pub(crate) fn written(&self) -> Vec<(&'static LimitField, RawAmount<'_>)> {
                let all = [$(self.$name.as_ref().map(RawAmount::from),)+];
                FIELDS.iter().zip(all).filter_map(|(field, raw)| raw.map(|raw| (field, raw))).collect()
            }
        }
    };
}

crate::for_each_limit!(raw_limits);

macro_rules! raw_quotas {
    ($($variant:ident $name:ident: $kind:ident, $title:literal, $doc:literal;)+) => {
        /// Quotas of one subject. Zero is refused and never means unlimited.
        #[derive(Deserialize, JsonSchema, Default)]
        #[serde(deny_unknown_fields, default, expecting = "a table of quotas")]
        #[schemars(rename = "Quotas")]
        pub(crate) struct RawQuotas {
            $(#[doc = $doc] $name: Option<raw_kind!($kind)>,)+
        }

        impl RawQuotas {
            /// Returns each quota that is present.
            pub(crate) fn written(&self) -> impl Iterator<Item = (Quota, RawAmount<'_>)> {
                let all = [$(self.$name.as_ref().map(RawAmount::from),)+];
                Quota::ALL.iter().zip(all).filter_map(|(quota, raw)| raw.map(|raw| (*quota, raw)))
            }
        }
    };
}

for_each_quota!(raw_quotas);

/// Actions on findings by severity: `ignore` them, `record` them, or `deny` the program. The
/// default is `record`.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `low`, `medium` and `high`"
)]
#[schemars(rename = "Findings")]
pub(crate) struct RawFindings {
    /// Findings that ordinary programs have as well.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) low: Option<Spanned<String>>,
    /// Findings that few ordinary programs have.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) medium: Option<Spanned<String>>,
    /// Findings for which no ordinary program has a reason.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) high: Option<Spanned<String>>,
}

/// The action on a finding.
#[derive(JsonSchema)]
#[schemars(rename = "Action", rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is of use")]
enum RawAction {
    Ignore,
    Record,
    Deny,
}

/// A directory of the host that is mounted for the program.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `host` and `guest`")]
#[schemars(rename = "Mount")]
pub(crate) struct RawMount {
    /// The absolute path on the host.
    pub(crate) host: Spanned<String>,
    /// The absolute path that the program sees.
    pub(crate) guest: Spanned<String>,
    /// Mounts read-write if true. The default is read-only.
    #[serde(default)]
    pub(crate) write: bool,
}

/// Environment variables.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `set` and `allow`")]
#[schemars(rename = "Environment")]
pub(crate) struct RawEnvironment {
    /// Variables that are always set, and that no request can override.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(crate) set: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// Names that a request may set: `TOKEN`, `APP_*`, or `*` for any.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
}

/// HTTP requests on the program's behalf. Without `allow` there is no network.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `allow`, `deny` and other network keys"
)]
#[schemars(rename = "Network")]
pub(crate) struct RawNetwork {
    /// Rules that allow requests. Replaces the inherited list.
    pub(crate) allow: Option<Vec<RawHostRule>>,
    /// Rules that deny requests; deny beats allow. Adds to the inherited list.
    pub(crate) deny: Option<Vec<RawHostRule>>,
    /// Addresses outside the public internet that may be reached, as CIDR ranges: `10.1.2.0/24`.
    /// The address of a cloud's metadata service has to be named alone: `169.254.169.254/32`.
    pub(crate) private_ranges: Option<Vec<Spanned<String>>>,
    /// Maximum bytes of one response, headers included and after decompression.
    pub(crate) response: Option<RawBytes>,
    /// Maximum bytes of one request, headers included.
    pub(crate) request: Option<RawBytes>,
    /// Maximum redirects in one exchange; each hop is checked anew. 0 follows none.
    #[schemars(with = "Option<u8>", range(min = 0, max = 20))]
    pub(crate) redirects: Option<Spanned<i64>>,
    /// Timeout of one exchange, redirects included.
    pub(crate) timeout: Option<RawTime>,
}

/// A rule of the network: a request matches if all of its parts match.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `host`")]
#[schemars(rename = "HostRule")]
pub(crate) struct RawHostRule {
    /// `api.example.org`, `*.example.org` (every subdomain, not `example.org` itself), an IP
    /// address, or `*`. In `deny`, missing means any.
    pub(crate) host: Option<Spanned<String>>,
    /// `https`, `http`. Missing means `https` in `allow`, any in `deny`.
    pub(crate) schemes: Option<Spanned<Vec<Spanned<String>>>>,
    /// Ports. Missing means the scheme's own in `allow`, any in `deny`.
    #[schemars(with = "Option<Vec<u16>>")]
    pub(crate) ports: Option<Spanned<Vec<Spanned<i64>>>>,
    /// Methods, in capitals. Missing means `GET` and `HEAD` in `allow`, any in `deny`.
    pub(crate) methods: Option<Spanned<Vec<Spanned<String>>>>,
    /// Path prefixes in whole segments: `/v1` matches `/v1` and `/v1/x`, but not `/v10`. Missing
    /// means any.
    pub(crate) paths: Option<Spanned<Vec<Spanned<String>>>>,
}

/// Allow and deny lists of names; deny beats allow.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `allow` and `deny`")]
#[schemars(rename = "Names")]
pub(crate) struct RawNames {
    /// Allowed names. Replaces the inherited list.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
    /// Denied names; deny beats allow. Adds to the inherited list.
    pub(crate) deny: Option<Vec<Spanned<String>>>,
}

/// Packages that a program may import.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `python` and `javascript`"
)]
#[schemars(rename = "Packages")]
pub(crate) struct RawPackages {
    /// Packages of Python.
    pub(crate) python: Option<RawPackageRules>,
    /// Packages of JavaScript and TypeScript.
    pub(crate) javascript: Option<RawPackageRules>,
}

/// Packages of one language. Only prebuilt archives are used, and nothing in them runs outside the
/// sandbox.
#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `allow`, `deny`, `dependencies` and `index`"
)]
#[schemars(rename = "PackageRules")]
pub(crate) struct RawPackageRules {
    /// Packages that a request may ask for: `rich`, `requests==2.32.*` (JavaScript: `lodash@^4`),
    /// `@known` for the widely used packages, or `*` for all names except those that can be
    /// mistaken for one of them (typosquatting). Replaces the inherited list.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
    /// Packages that are denied, also as a dependency. Adds to the inherited list.
    pub(crate) deny: Option<Vec<Spanned<String>>>,
    /// Allowed dependencies of an allowed package: `any` package that is not denied, or only those
    /// that are `allowed` themselves.
    #[schemars(with = "Option<RawDependencies>")]
    pub(crate) dependencies: Option<Spanned<String>>,
    /// The only package index to use, by its `https` URL. Without it, the ecosystem's public index.
    pub(crate) index: Option<Spanned<String>>,
}

/// Allowed dependencies of an allowed package.
#[derive(JsonSchema)]
#[schemars(rename = "Dependencies", rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is of use")]
enum RawDependencies {
    Any,
    Allowed,
}

/// The JSON Schema of the format, as pretty JSON.
pub(crate) fn schema() -> String {
    let no_null = schemars::transform::RecursiveTransform(|schema: &mut Schema| {
        // TOML has no null: a missing key is simply missing.
        if let Some(serde_json::Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        let Some(serde_json::Value::Array(variants)) = schema.get_mut("anyOf") else {
            return;
        };
        variants.retain(|variant| {
            variant.get("type").and_then(serde_json::Value::as_str) != Some("null")
        });
        if let [serde_json::Value::Object(only)] = variants.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    });
    let settings = schemars::generate::SchemaSettings::draft2020_12().with_transform(no_null);
    let schema = settings
        .into_generator()
        .into_root_schema_for::<RawPolicy>();
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
