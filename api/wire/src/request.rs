//! Request: which program does a client send, and what does it mean to the sandbox?

use crate::bounded::{
    Arguments, Artifacts, Environment, Files, Mounts, Named, Network, Packages, Tools,
};
use crate::bounded::{maybe_texts, named_texts, number, object, objects, texts};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use glovebox::Input;
use glovebox_policy::{
    InputFile, Isolation, LimitWishes, NetworkWish, Request, Source, Subject, Tier, Wants,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

/// Standard base64 with padding; the surplus bits of its last character are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The reason why a request is invalid.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRequest(pub(crate) String);

/// Returns the schema of an optional name.
fn names(known: &[&'static str]) -> Schema {
    let names = known.iter().map(|name| Some(*name)).chain([None]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(names))
        .build()
        .into()
}

pub(crate) fn tier_schema() -> Schema {
    names(&Tier::ALL.map(Tier::name))
}

pub(crate) fn isolation_schema() -> Schema {
    names(&Isolation::ALL.map(Isolation::name))
}

/// A program to run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "language": "python", "source": "print('hello')\n6 * 7" }))]
pub struct ExecutionRequest {
    /// `python`, `javascript`, `typescript`, `shell` or `wasm`.
    #[schema(required = true, default = json!(null), min_length = 1)]
    pub(crate) language: String,
    /// The program's text.
    pub(crate) source: Option<String>,
    /// The program's bytes, as base64; for WebAssembly.
    #[schema(pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
    pub(crate) source_base64: Option<String>,
    /// The file name that tracebacks show, such as `main.py`.
    #[schema(max_length = 255)]
    pub(crate) name: Option<String>,
    /// The profile of the policy to run under; by default, the policy's own choice.
    pub(crate) profile: Option<String>,
    /// The program's command-line arguments.
    #[serde(deserialize_with = "texts::<_, Arguments>")]
    pub(crate) arguments: Vec<String>,
    /// Environment variables, in addition to those of the profile.
    #[serde(deserialize_with = "named_texts::<_, Environment>")]
    pub(crate) environment: BTreeMap<String, String>,
    /// Files that are in the workspace when the program starts.
    #[serde(deserialize_with = "objects::<_, Files, _>")]
    pub(crate) files: Vec<FileBody>,
    /// Globs of the files to return as artifacts, such as `*.png`.
    #[serde(deserialize_with = "texts::<_, Artifacts>")]
    pub(crate) artifacts: Vec<String>,
    /// Standard input, as text.
    pub(crate) stdin: Option<String>,
    /// Standard input, as base64.
    #[schema(pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
    pub(crate) stdin_base64: Option<String>,
    /// Whether standard input then stays open for what a WebSocket client of the execution's events
    /// sends.
    pub(crate) stdin_open: bool,
    /// Seeds all randomness, so that runs of the same program are reproducible.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) seed: Option<u64>,
    /// Packages that the program needs, such as `rich` or `requests==2.32.*`.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    pub(crate) packages: Vec<String>,
    /// Smaller limits than those of the profile.
    #[serde(deserialize_with = "object")]
    pub(crate) limits: LimitsBody,
    /// The only tier to run in.
    #[schema(schema_with = tier_schema)]
    pub(crate) tier: Option<Tier>,
    /// The minimum isolation.
    #[schema(schema_with = isolation_schema)]
    pub(crate) min_isolation: Option<Isolation>,
    /// Guest paths of the mounts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Mounts>")]
    pub(crate) mounts: Option<Vec<String>>,
    /// Hosts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Network>")]
    pub(crate) network: Option<Vec<String>>,
    /// Tools to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Tools>")]
    pub(crate) tools: Option<Vec<String>>,
}

/// A file for the workspace: its path, and its content as text or as base64.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileBody {
    /// Relative to the workspace, such as `data/in.csv`.
    path: String,
    /// The content, as text.
    content: Option<String>,
    /// The content, as base64.
    #[schema(pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
    content_base64: Option<String>,
}

impl Named for FileBody {
    fn name(&self) -> &str {
        &self.path
    }
}

impl FileBody {
    /// Returns a file with text.
    #[must_use]
    pub fn text(path: String, content: String) -> Self {
        Self {
            path,
            content: Some(content),
            content_base64: None,
        }
    }

    /// Returns a file with bytes, which are base64 here.
    #[must_use]
    pub fn base64(path: String, content: String) -> Self {
        Self {
            path,
            content: None,
            content_base64: Some(content),
        }
    }

    /// Returns its approximate size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        [&self.content, &self.content_base64]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }
}

macro_rules! limits {
    (
        policy { $($variant:ident $name:ident: $kind:ident $(as $field:ident)?, $title:literal, $doc:literal;)+ }
        built_in { $($built_in:tt)+ }
    ) => {
        /// Smaller limits than those of the profile. No limit is ever unlimited.
        #[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct LimitsBody {
            $($(#[doc = $doc] #[serde(deserialize_with = "number")] #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)] $field: Option<u64>,)?)+
        }

        impl LimitsBody {
            fn wishes(&self) -> Result<LimitWishes, InvalidRequest> {
                let mut wishes = LimitWishes::default();
                $($(if let Some(amount) = self.$field {
                    if amount == 0 {
                        let name = stringify!($field);
                        return Err(InvalidRequest(format!("`limits.{name}` is 0, which would let nothing run; leave it out for the profile's own")));
                    }
                    wishes.$name = Some(limits!($kind amount));
                })?)+
                Ok(wishes)
            }
        }
    };
    (time $amount:ident) => { Duration::from_millis($amount) };
    (bytes $amount:ident) => { $amount };
    (count $amount:ident) => { $amount };
}

glovebox_policy::for_each_limit!(limits);

/// Returns the text or the decoded base64, whichever is present.
fn content(
    what: &str,
    text: Option<String>,
    base64: Option<String>,
) -> Result<Option<Vec<u8>>, InvalidRequest> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(InvalidRequest(format!(
            "`{what}` and `{what}_base64` are both there; send one of them"
        ))),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(base64)) => {
            let bytes = BASE64.decode(base64).map_err(|error| {
                InvalidRequest(format!("`{what}_base64` is not valid base64: {error}"))
            })?;
            Ok(Some(bytes))
        }
        (None, None) => Ok(None),
    }
}

impl ExecutionRequest {
    /// Returns the approximate size of its files in bytes.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.files.iter().map(FileBody::size).sum()
    }

    /// Adds files to its workspace.
    pub fn add_files(&mut self, files: Vec<FileBody>) {
        self.files.extend(files);
    }

    /// Whether standard input stays open for a WebSocket client.
    #[must_use]
    pub fn stdin_open(&self) -> bool {
        self.stdin_open
    }

    /// Returns its approximate size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        let texts = [
            &self.source,
            &self.source_base64,
            &self.stdin,
            &self.stdin_base64,
        ]
        .into_iter()
        .flatten()
        .map(String::len);
        texts.sum::<usize>() + self.file_bytes()
    }

    /// Converts it to a request and its standard input.
    ///
    /// # Errors
    ///
    /// If the program or a field that has to be there is missing, or a value is invalid.
    pub fn into_request(self, subject: Subject) -> Result<(Request, Input), InvalidRequest> {
        if self.source.is_none() && self.source_base64.is_none() {
            self.check_texts()?;
            return Err(InvalidRequest(
                "`source` is missing: the program's text, or its bytes as `source_base64`"
                    .to_owned(),
            ));
        }
        self.convert(subject)
    }

    /// # Errors
    ///
    /// If the language is missing, or a short text is too long.
    fn check_texts(&self) -> Result<(), InvalidRequest> {
        if self.language.is_empty() {
            return Err(InvalidRequest(
                "`language` is missing, such as `python`; `/v1/tiers` lists them".to_owned(),
            ));
        }
        for (name, text, most) in [
            ("language", Some(&self.language), 64),
            ("profile", self.profile.as_ref(), 255),
            ("name", self.name.as_ref(), 255),
        ] {
            if text.is_some_and(|text| text.len() > most || text.contains('\0')) {
                return Err(InvalidRequest(format!(
                    "`{name}` must be at most {most} bytes without NUL"
                )));
            }
        }
        Ok(())
    }

    /// Converts it like [`ExecutionRequest::into_request`], also without a program.
    pub(crate) fn convert(self, subject: Subject) -> Result<(Request, Input), InvalidRequest> {
        self.check_texts()?;
        let source = content("source", self.source, self.source_base64)?;
        let language = self.language.to_ascii_lowercase();
        let name = self
            .name
            .unwrap_or_else(|| Source::default_name(&language).to_owned());
        let mut request = Request::new(language.as_str(), Vec::new());
        request.subject = subject;
        request.source = Source {
            name,
            content: source.unwrap_or_default().into(),
        };
        request.profile = self.profile;
        request.arguments = self.arguments;
        request.environment = self.environment.into_iter().collect();
        request.artifacts = self.artifacts;
        request.seed = self.seed;
        for file in self.files {
            let bytes = content("content", file.content, file.content_base64)?.unwrap_or_default();
            request.files.push(InputFile {
                path: file.path,
                content: Arc::from(bytes),
            });
        }
        request.wants = Wants {
            limits: self.limits.wishes()?,
            mounts: self.mounts,
            network: self.network.map(|hosts| {
                if hosts.is_empty() {
                    NetworkWish::Nothing
                } else {
                    NetworkWish::Hosts(hosts)
                }
            }),
            tools: self.tools,
            packages: self.packages,
            tier: self.tier,
            min_isolation: self.min_isolation,
        };
        let input = content("stdin", self.stdin, self.stdin_base64)?
            .map_or(Input::Empty, |bytes| Input::Bytes(bytes.into()));
        Ok((request, input))
    }
}
