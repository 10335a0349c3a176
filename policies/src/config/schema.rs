//! Which keys does a config have?
//!
//! Plain structures as they are written; the JSON Schema is made from them. Nothing here is checked beyond its type, and every
//! value knows where it stands, so that the checks that follow can point at it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::limits::RawLimits;
use crate::tier::{Isolation, Tier};

/// A value and the bytes of the text that it came from.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub(crate) struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    pub(crate) fn get(&self) -> &T {
        self.0.get_ref()
    }

    pub(crate) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A number or text of the file; which of them a key takes is checked later, to be able to say what to write instead.
pub(crate) enum Scalar {
    Text(String),
    Integer(i64),
    Float(f64),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(number))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Declares an amount with the JSON Schema of the way it is written.
macro_rules! amount {
    ($(#[doc = $doc:literal])+ $name:ident, $schema_name:literal, $schema:expr) => {
        $(#[doc = $doc])+
        #[derive(Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(Spanned<Scalar>);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema_name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }

        impl<'a> From<&'a $name> for RawAmount<'a> {
            fn from(raw: &'a $name) -> Self {
                RawAmount { value: raw.0.get(), span: raw.0.span() }
            }
        }
    };
}

/// An amount as it is written, and where.
pub(crate) struct RawAmount<'a> {
    pub(crate) value: &'a Scalar,
    pub(crate) span: Range<usize>,
}

amount! {
    /// A duration.
    RawTime, "Duration", json_schema!({
        "type": "string",
        "pattern": "^[0-9]+(ns|us|ms|s|m|h)$",
        "examples": ["10s", "500ms", "1us"],
        "description": "A whole number with a unit: ns, us, ms, s, m (minutes) or h. More than zero, at most one week.",
    })
}

amount! {
    /// A size in bytes.
    RawBytes, "Size", json_schema!({
        "type": "string",
        "pattern": "^[0-9]+(B|KiB|MiB|GiB|TiB)$",
        "examples": ["256MiB", "64KiB"],
        "description": "A whole number with a unit: B, KiB, MiB, GiB or TiB. More than zero, at most 1TiB.",
    })
}

amount! {
    /// A number of things.
    RawCount, "Count", json_schema!({
        "type": "integer",
        "minimum": 1,
        "maximum": crate::limits::MAX_COUNT,
        "description": "A whole number, more than zero. Underscores may group digits: 20_000_000_000.",
    })
}

/// What may be run, by whom, and with what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(title = "Glovebox policy")]
pub(crate) struct RawPolicy {
    /// The version of this format: 1.
    #[schemars(with = "i64", range(min = 1, max = 1), required)]
    pub(crate) version: Option<Spanned<i64>>,
    /// The profile of subjects that no binding names. Without it they are refused.
    pub(crate) default_profile: Option<Spanned<String>>,
    /// Which subjects may use which profiles.
    #[serde(default)]
    pub(crate) bindings: Vec<RawBinding>,
    /// The profiles by name. The presets `deny-all`, `offline`, `default`, `agent` and `judge` are there already.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RawProfile>")]
    pub(crate) profiles: BTreeMap<Spanned<String>, RawProfile>,
}

/// The profiles of one subject. The most specific binding holds: the exact name, else the longest that ends in `*`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `subject` and `profiles`")]
#[schemars(rename = "Binding")]
pub(crate) struct RawBinding {
    /// A subject's name, such as `local`, or the start of one and `*`: `key:ci-*`.
    pub(crate) subject: Spanned<String>,
    /// The profiles that the subject may use; the first is used if a request names none.
    pub(crate) profiles: Spanned<Vec<Spanned<String>>>,
}

/// What may be granted. A missing key is inherited, from `deny-all` if `extends` is missing too.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of a profile's keys")]
#[schemars(rename = "Profile")]
pub(crate) struct RawProfile {
    /// The profile whose grants this one starts from: another of this file, or a preset. What it allows is replaced key by key;
    /// what it denies stays denied.
    pub(crate) extends: Option<Spanned<String>>,
    /// The languages, such as `python`, `javascript`, `typescript` and `wasm`.
    pub(crate) languages: Option<Vec<Spanned<String>>>,
    /// The tiers, the preferred one first.
    #[schemars(with = "Option<Vec<Tier>>")]
    pub(crate) tiers: Option<Vec<Spanned<String>>>,
    /// The least isolation, of `container` < `wasm` < `microvm`.
    #[schemars(with = "Option<Isolation>")]
    pub(crate) min_isolation: Option<Spanned<String>>,
    /// The finest difference of time that a program can see.
    pub(crate) clock_resolution: Option<RawTime>,
    /// The seed of everything random in runs whose request names none. Without it they are really random.
    #[schemars(range(min = 0))]
    pub(crate) seed: Option<Spanned<i64>>,
    /// What a run may use up.
    pub(crate) limits: Option<RawLimits>,
    /// Directories of the host that a program sees. Replaces the inherited ones.
    pub(crate) mounts: Option<Vec<RawMount>>,
    /// Environment variables.
    pub(crate) environment: Option<RawEnvironment>,
    /// HTTP on the program's behalf; nothing else reaches the network.
    pub(crate) network: Option<RawNetwork>,
    /// Tools by `server/tool`, `server/*` or `*`.
    pub(crate) tools: Option<RawNames>,
    /// The only images that containers may start from, by language: `sha256:` and 64 hexadecimal digits, as `glovebox images list` shows them.
    /// A language that is missing here starts from the image of its name.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(crate) images: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// The OCI runtime that containers are started with, such as `runsc`, and no other. Without it, the engine's own.
    #[schemars(length(min = 1, max = 100))]
    pub(crate) runtime: Option<Spanned<String>>,
    /// Packages that a program may import, fetched on its behalf.
    pub(crate) packages: Option<RawPackages>,
    /// What is done about what a program's text looks like: a signal, and never the boundary.
    pub(crate) findings: Option<RawFindings>,
}

/// What is done about findings, by severity: `ignore` them, `record` them, or `deny` the program. Without a line, they are recorded.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `low`, `medium` and `high`")]
#[schemars(rename = "Findings")]
pub(crate) struct RawFindings {
    /// Things that ordinary programs do as well.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) low: Option<Spanned<String>>,
    /// Things that few ordinary programs do.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) medium: Option<Spanned<String>>,
    /// Things for which no ordinary program has a reason.
    #[schemars(with = "Option<RawAction>")]
    pub(crate) high: Option<Spanned<String>>,
}

/// What is done about a finding.
#[derive(JsonSchema)]
#[schemars(rename = "Action", rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is of use")]
enum RawAction {
    Ignore,
    Record,
    Deny,
}

/// A directory of the host that a program sees.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `host` and `guest`")]
#[schemars(rename = "Mount")]
pub(crate) struct RawMount {
    /// The absolute path on the host.
    pub(crate) host: Spanned<String>,
    /// The absolute path that the program sees.
    pub(crate) guest: Spanned<String>,
    /// Whether the program may change what is there.
    #[serde(default)]
    pub(crate) write: bool,
}

/// Environment variables.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `set` and `allow`")]
#[schemars(rename = "Environment")]
pub(crate) struct RawEnvironment {
    /// Variables that are always there, and that no request can change.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    pub(crate) set: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    /// Names that a request may add: `TOKEN`, `APP_*`, or `*` for any.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
}

/// HTTP on the program's behalf. Without `allow` there is no network.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `allow`, `deny` and other network keys")]
#[schemars(rename = "Network")]
pub(crate) struct RawNetwork {
    /// What may be reached. Replaces the inherited list.
    pub(crate) allow: Option<Vec<RawHostRule>>,
    /// What may not be reached although `allow` says so. Adds to the inherited list.
    pub(crate) deny: Option<Vec<RawHostRule>>,
    /// Addresses that are not on the public internet and may be reached all the same, as ranges: `10.1.2.0/24`. An address of
    /// a cloud's metadata service has to be named alone: `169.254.169.254/32`.
    pub(crate) private_ranges: Option<Vec<Spanned<String>>>,
    /// Bytes of one response, headers included and after decompression.
    pub(crate) response: Option<RawBytes>,
    /// Bytes of one request, headers included.
    pub(crate) request: Option<RawBytes>,
    /// Redirects that are followed in one exchange; each hop is judged anew. 0 follows none.
    #[schemars(with = "Option<u8>", range(min = 0, max = 20))]
    pub(crate) redirects: Option<Spanned<i64>>,
    /// Time of one exchange, redirects included.
    pub(crate) timeout: Option<RawTime>,
}

/// A part of the network.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `host`")]
#[schemars(rename = "HostRule")]
pub(crate) struct RawHostRule {
    /// `api.example.org`, `*.example.org` (every subdomain, not `example.org` itself), an IP address, or `*`. In `deny`, missing means any.
    pub(crate) host: Option<Spanned<String>>,
    /// `https`, `http`. Missing means `https` in `allow`, any in `deny`.
    pub(crate) schemes: Option<Spanned<Vec<Spanned<String>>>>,
    /// Ports. Missing means the scheme's own in `allow`, any in `deny`.
    #[schemars(with = "Option<Vec<u16>>")]
    pub(crate) ports: Option<Spanned<Vec<Spanned<i64>>>>,
    /// Methods, in capitals. Missing means `GET` and `HEAD` in `allow`, any in `deny`.
    pub(crate) methods: Option<Spanned<Vec<Spanned<String>>>>,
    /// Starts of paths, whole segments: `/v1` matches `/v1` and `/v1/x`, but not `/v10`. Missing means any.
    pub(crate) paths: Option<Spanned<Vec<Spanned<String>>>>,
}

/// Names that are allowed and denied; deny beats allow.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `allow` and `deny`")]
#[schemars(rename = "Names")]
pub(crate) struct RawNames {
    /// What is allowed. Replaces the inherited list.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
    /// What is denied although `allow` says so. Adds to the inherited list.
    pub(crate) deny: Option<Vec<Spanned<String>>>,
}

/// Packages that a program may import.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `python` and `javascript`")]
#[schemars(rename = "Packages")]
pub(crate) struct RawPackages {
    /// Of Python.
    pub(crate) python: Option<RawPackageRules>,
    /// Of JavaScript and TypeScript.
    pub(crate) javascript: Option<RawPackageRules>,
}

/// Packages of one language. Only ready-made archives are taken, and nothing in them runs outside the sandbox.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `allow`, `deny`, `dependencies` and `index`")]
#[schemars(rename = "PackageRules")]
pub(crate) struct RawPackageRules {
    /// What a request may ask for: `rich`, `requests==2.32.*` (JavaScript: `lodash@^4`), `@known` for the packages that many people use, or
    /// `*` for all but names that can be mistaken for those. Replaces the inherited list.
    pub(crate) allow: Option<Vec<Spanned<String>>>,
    /// What must not be there, not even as a dependency. Adds to the inherited list.
    pub(crate) deny: Option<Vec<Spanned<String>>>,
    /// What an allowed package may depend on: `any` package that is not denied, or only what is `allowed` itself.
    #[schemars(with = "Option<RawDependencies>")]
    pub(crate) dependencies: Option<Spanned<String>>,
    /// The only index that is asked, by its `https` address. Without it, the one that everybody uses.
    pub(crate) index: Option<Spanned<String>>,
}

/// What an allowed package may depend on.
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
        let Some(serde_json::Value::Array(variants)) = schema.get_mut("anyOf") else { return };
        variants.retain(|variant| variant.get("type").and_then(serde_json::Value::as_str) != Some("null"));
        if let [serde_json::Value::Object(only)] = variants.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    });
    let settings = schemars::generate::SchemaSettings::draft2020_12().with_transform(no_null);
    let schema = settings.into_generator().into_root_schema_for::<RawPolicy>();
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}
