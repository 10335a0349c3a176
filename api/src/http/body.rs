//! Request bodies: what do clients send, and what does it mean to the sandbox?

use super::bounded::{
    Arguments, Artifacts, Environment, Files, Mounts, Named, Network, Packages, Tools,
};
use super::bounded::{maybe_texts, named_texts, objects, texts};
use super::keys::Caller;
use super::memory::{Memory, NoMemory, Taken};
use super::problem::{Code, Problem};
use crate::wire;
use axum::Json;
use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::{FromRequest, Request as HttpRequest};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use glovebox::Input;
use glovebox::policy::{
    InputFile, Isolation, LimitWishes, NetworkWish, Request, Source, Subject, Tier, Wants,
};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use utoipa::ToSchema;

/// Standard base64 with padding; the surplus bits of its last character are ignored.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// A program to run.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({ "language": "python", "source": "print('hello')\n6 * 7" }))]
pub(super) struct ExecutionRequest {
    /// `python`, `javascript`, `typescript`, `shell` or `wasm`.
    #[schema(required = true, default = json!(null), min_length = 1)]
    pub(super) language: String,
    /// The program's text.
    pub(super) source: Option<String>,
    /// The program's bytes, as base64; for WebAssembly.
    #[schema(pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
    pub(super) source_base64: Option<String>,
    /// The file name that tracebacks show, such as `main.py`.
    #[schema(max_length = 255)]
    pub(super) name: Option<String>,
    /// The profile of the policy to run under; by default, the policy's own choice.
    pub(super) profile: Option<String>,
    /// The program's command-line arguments.
    #[serde(deserialize_with = "texts::<_, Arguments>")]
    pub(super) arguments: Vec<String>,
    /// Environment variables, in addition to those of the profile.
    #[serde(deserialize_with = "named_texts::<_, Environment>")]
    pub(super) environment: BTreeMap<String, String>,
    /// Files that are in the workspace when the program starts.
    #[serde(deserialize_with = "objects::<_, Files, _>")]
    pub(super) files: Vec<FileBody>,
    /// Globs of the files to return as artifacts, such as `*.png`.
    #[serde(deserialize_with = "texts::<_, Artifacts>")]
    pub(super) artifacts: Vec<String>,
    /// Standard input, as text.
    pub(super) stdin: Option<String>,
    /// Standard input, as base64.
    #[schema(pattern = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$")]
    pub(super) stdin_base64: Option<String>,
    /// Whether standard input then stays open for what a WebSocket client of the execution's events sends.
    pub(super) stdin_open: bool,
    /// Seeds all randomness, so that runs of the same program are reproducible.
    #[serde(deserialize_with = "number")]
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(super) seed: Option<u64>,
    /// Packages that the program needs, such as `rich` or `requests==2.32.*`.
    #[serde(deserialize_with = "texts::<_, Packages>")]
    pub(super) packages: Vec<String>,
    /// Smaller limits than those of the profile.
    #[serde(deserialize_with = "object")]
    pub(super) limits: LimitsBody,
    /// The only tier to run in.
    pub(super) tier: Option<TierName>,
    /// The minimum isolation.
    pub(super) min_isolation: Option<TierName>,
    /// Guest paths of the mounts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Mounts>")]
    pub(super) mounts: Option<Vec<String>>,
    /// Hosts to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Network>")]
    pub(super) network: Option<Vec<String>>,
    /// Tools to keep; by default, all that are granted.
    #[serde(deserialize_with = "maybe_texts::<_, Tools>")]
    pub(super) tools: Option<Vec<String>>,
}

/// A file for the workspace: its path, and its content as text or as base64.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FileBody {
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
    pub(super) fn text(path: String, content: String) -> Self {
        Self {
            path,
            content: Some(content),
            content_base64: None,
        }
    }

    /// Returns a file with bytes.
    pub(super) fn base64(path: String, content: String) -> Self {
        Self {
            path,
            content: None,
            content_base64: Some(content),
        }
    }

    /// Returns its approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        [&self.content, &self.content_base64]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }
}

/// An isolation tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TierName {
    /// A WebAssembly guest inside the service.
    Wasm,
    /// A container.
    Container,
    /// A virtual machine.
    Microvm,
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident => $field:ident as $kind:ident,)+) => {
        /// Smaller limits than those of the profile. No limit is ever unlimited.
        #[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct LimitsBody {
            $($(#[doc = $doc])+ #[serde(deserialize_with = "number")] #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)] $name: Option<u64>,)+
        }

        impl LimitsBody {
            fn wishes(&self) -> Result<LimitWishes, Problem> {
                let mut wishes = LimitWishes::default();
                $(if let Some(amount) = self.$name {
                    if amount == 0 {
                        let name = stringify!($name);
                        return Err(Problem::new(Code::Invalid, format!("`limits.{name}` is 0, which would let nothing run; leave it out for the profile's own")));
                    }
                    wishes.$field = Some(limits!($kind amount));
                })+
                Ok(wishes)
            }
        }
    };
    (milliseconds $amount:ident) => { Duration::from_millis($amount) };
    (number $amount:ident) => { $amount };
}

limits! {
    /// Wall-clock time, in milliseconds.
    wall_ms => wall as milliseconds,
    /// Fuel; a billion units take 0.5 to 1 second.
    fuel => fuel as number,
    /// Memory, in bytes.
    memory_bytes => memory as number,
    /// Stack, in bytes.
    stack_bytes => stack as number,
    /// Standard output and standard error together, in bytes.
    output_bytes => output as number,
    /// The value of the last expression, in bytes.
    value_bytes => value as number,
    /// The workspace, in bytes.
    workspace_bytes => workspace as number,
    /// Files and directories in the workspace.
    files => files as number,
    /// Open files at once.
    open_files => open_files as number,
    /// Concurrent processes, in a container.
    processes => processes as number,
    /// Host calls.
    host_calls => host_calls as number,
}

/// Deserializes an object, and nothing else: derived code would also accept a list of its fields.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct Visitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(Visitor(PhantomData))
}

/// The largest integer that every JSON parser represents exactly.
pub(super) const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Deserializes an integer in any notation; `5.0` is one as well.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "only numbers that are kept exactly"
    )]
    let whole = number.as_u64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && (0.0..=MAX_NUMBER as f64).contains(float))?;
        Some(float as u64)
    });
    let whole = whole.filter(|whole| *whole <= MAX_NUMBER);
    whole.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "{number} is no whole number from 0 to {MAX_NUMBER}"
        ))
    })
}

/// A JSON body, with the digest of its bytes.
pub(super) struct Body<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
    /// The memory charged for both, for as long as any of it is alive.
    pub(super) held: Taken,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: HttpRequest, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(axum::http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send JSON, with `Content-Type: application/json`",
            ));
        }
        let (bytes, held) = bytes_of(request, state).await?;
        if bytes.trim_ascii_start().starts_with(b"[") {
            return Err(Problem::new(
                Code::Invalid,
                "the body is a JSON object, not a list",
            ));
        }
        let Json(value) = Json::from_bytes(&bytes)?;
        Ok(Self { value, bytes, held })
    }
}

/// The deadline for reading a body; an extension of every request.
#[derive(Clone, Copy)]
pub(super) struct BodyTime(pub(super) Duration);

/// The memory account of a body and its maximum size; an extension of every request of a caller.
#[derive(Clone)]
pub(super) struct BodyMemory {
    pub(super) account: Arc<Memory>,
    pub(super) most: usize,
}

/// Copies of a body in memory: while it is assembled, and again while its JSON is parsed.
const COPIES: usize = 2;

/// The memory charged for a body so far, or why no more could be charged.
type Account = Arc<Mutex<Result<Taken, NoMemory>>>;

/// Charges the memory of a body before it is read, or in steps if its length is not declared.
fn counted(request: HttpRequest) -> Result<(HttpRequest, Account), Problem> {
    let extensions = request.extensions();
    let (Some(memory), Some(caller)) = (extensions.get::<BodyMemory>(), extensions.get::<Caller>())
    else {
        return Ok((request, Arc::new(Mutex::new(Ok(Taken::default())))));
    };
    // A body that exceeds its maximum is refused once that much was read.
    let declared = request.body().size_hint().exact().map(|bytes| {
        usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .min(memory.most)
    });
    let taken = memory.account.take(
        &caller.subject,
        declared.unwrap_or(0).saturating_mul(COPIES),
    )?;
    let account = Arc::new(Mutex::new(Ok(taken)));
    if declared.is_some() {
        return Ok((request, account));
    }
    let steps = Arc::clone(&account);
    let request = request.map(|body| {
        HttpBody::from_stream(body.into_data_stream().and_then(move |piece| {
            let mut account = steps.lock().unwrap_or_else(PoisonError::into_inner);
            let grown = account.as_mut().map_or(Ok(()), |taken| {
                taken.grow(piece.len().saturating_mul(COPIES))
            });
            std::future::ready(match grown {
                Ok(()) => Ok(piece),
                Err(why) => {
                    *account = Err(why);
                    Err(axum::Error::new(std::io::Error::from(
                        std::io::ErrorKind::OutOfMemory,
                    )))
                }
            })
        }))
    });
    Ok((request, account))
}

/// Reads a whole body, and returns it with the memory charged for it.
pub(super) async fn bytes_of<S: Send + Sync>(
    request: HttpRequest,
    state: &S,
) -> Result<(Bytes, Taken), Problem> {
    let patience = request
        .extensions()
        .get::<BodyTime>()
        .map_or(Duration::from_secs(60), |time| time.0);
    let (request, account) = counted(request)?;
    let body = tokio::time::timeout(patience, Bytes::from_request(request, state)).await;
    let held = std::mem::replace(
        &mut *account.lock().unwrap_or_else(PoisonError::into_inner),
        Ok(Taken::default()),
    )?;
    let body = body.map_err(|_| Problem::new(Code::Timeout, "the body came too slowly"))?;
    let body = body.map_err(|rejection| match rejection.status().as_u16() {
        413 => Problem::new(
            Code::TooLarge,
            "request body exceeds `limits.body` of the service",
        ),
        408 => Problem::new(Code::Timeout, "the body came too slowly"),
        _ => Problem::new(Code::BadRequest, "the body could not be read"),
    })?;
    Ok((body, held))
}

impl<T> Body<T> {
    /// Returns the digest that identifies this request.
    pub(super) fn sha256(&self) -> String {
        wire::sha256(&self.bytes)
    }
}

/// Returns the text or the decoded base64, whichever is present.
fn content(
    what: &str,
    text: Option<String>,
    base64: Option<String>,
) -> Result<Option<Vec<u8>>, Problem> {
    match (text, base64) {
        (Some(_), Some(_)) => Err(Problem::new(
            Code::Invalid,
            format!("`{what}` and `{what}_base64` are both there; send one of them"),
        )),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(base64)) => {
            let bytes = BASE64.decode(base64).map_err(|error| {
                Problem::new(
                    Code::Invalid,
                    format!("`{what}_base64` is not valid base64: {error}"),
                )
            })?;
            Ok(Some(bytes))
        }
        (None, None) => Ok(None),
    }
}

impl ExecutionRequest {
    /// Returns its approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        let texts = [
            &self.source,
            &self.source_base64,
            &self.stdin,
            &self.stdin_base64,
        ]
        .into_iter()
        .flatten()
        .map(String::len);
        texts.chain(self.files.iter().map(FileBody::size)).sum()
    }

    /// Converts it to a request and its standard input. A session has no program yet.
    pub(super) fn read(
        self,
        subject: Subject,
        needs_source: bool,
    ) -> Result<(Request, Input), Problem> {
        if self.language.is_empty() {
            return Err(Problem::new(
                Code::Invalid,
                "`language` is missing, such as `python`; `/v1/tiers` lists them",
            ));
        }
        for (name, text, most) in [
            ("language", Some(&self.language), 64),
            ("profile", self.profile.as_ref(), 255),
            ("name", self.name.as_ref(), 255),
        ] {
            if text.is_some_and(|text| text.len() > most || text.contains('\0')) {
                return Err(Problem::new(
                    Code::Invalid,
                    format!("`{name}` must be at most {most} bytes without NUL"),
                ));
            }
        }
        let source = content("source", self.source, self.source_base64)?;
        if needs_source && source.is_none() {
            return Err(Problem::new(
                Code::Invalid,
                "`source` is missing: the program's text, or its bytes as `source_base64`",
            ));
        }
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
            tier: self.tier.map(TierName::tier),
            min_isolation: self.min_isolation.map(TierName::isolation),
        };
        let input = content("stdin", self.stdin, self.stdin_base64)?
            .map_or(Input::Empty, |bytes| Input::Bytes(bytes.into()));
        Ok((request, input))
    }
}

impl TierName {
    fn tier(self) -> Tier {
        match self {
            Self::Wasm => Tier::Wasm,
            Self::Container => Tier::Container,
            Self::Microvm => Tier::Microvm,
        }
    }

    fn isolation(self) -> Isolation {
        match self {
            Self::Wasm => Isolation::Wasm,
            Self::Container => Isolation::Container,
            Self::Microvm => Isolation::Microvm,
        }
    }
}
