//! Request: what does a caller want to run?
//!
//! The one type that every entry point constructs. All of it is untrusted, so most fields are
//! public and plain: validation is the decision's, not the type's. Standard input is not here; it
//! is streamed.

use std::sync::{Arc, LazyLock};

use crate::languages::Language;
use crate::limits::LimitWishes;
use crate::names::is_subject_byte;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};

/// A program to be run, its subject, and the authority that it wants.
#[derive(Clone)]
pub struct Request {
    /// The subject on whose behalf it runs.
    pub subject: Subject,
    /// The profile to use; `None` for the subject's first.
    pub profile: Option<String>,
    /// The language, such as `python`, `javascript`, `typescript` or `wasm`.
    pub language: String,
    /// The program.
    pub source: Source,
    /// The program's arguments, without its own name.
    pub arguments: Vec<String>,
    /// Environment variables to add to those of the profile. Values never appear in messages.
    pub environment: Vec<(String, String)>,
    /// Files that are in the workspace when the program starts.
    pub files: Vec<InputFile>,
    /// Glob patterns of workspace files to return afterwards.
    pub artifacts: Vec<String>,
    /// The random seed of the run; `None` for the profile's seed, or else the operating system's
    /// randomness.
    pub seed: Option<u64>,
    /// Narrower authority than the profile grants.
    pub wants: Wants,
}

/// A program's source text, or a WebAssembly module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file name in tracebacks, such as `main.py`.
    pub name: String,
    /// The bytes of the program.
    pub content: Arc<[u8]>,
}

/// A file that is in the workspace when the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// The path relative to the workspace: `data/in.csv`.
    pub path: String,
    /// The bytes of the file.
    pub content: Arc<[u8]>,
}

/// Less authority than the profile grants. Asking for more than that is a denial, never a silent
/// clamp.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Lower limits.
    pub limits: LimitWishes,
    /// Guest paths of the mounts to keep; `None` keeps all that are granted.
    pub mounts: Option<Vec<String>>,
    /// The part of the network to keep; `None` keeps all that is granted.
    pub network: Option<NetworkWish>,
    /// Names of the tools to keep (`server/tool`, or `server/*`); `None` keeps all that are
    /// granted.
    pub tools: Option<Vec<String>>,
    /// Packages that the program needs: `requests`, `requests==2.32.*`, or `lodash@^4` for
    /// JavaScript.
    pub packages: Vec<String>,
    /// The only tier to run in; `None` for the profile's first that works.
    pub tier: Option<Tier>,
    /// The minimum isolation; the profile's own minimum applies as well.
    pub min_isolation: Option<Isolation>,
}

/// The part of the granted network that a request keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkWish {
    /// No network.
    Nothing,
    /// These hosts only, written as in a config: `api.example.org`, `*.example.org`.
    Hosts(Vec<String>),
}

/// The caller's name in the policy: `local`, `key:ci-1`, `mcp:desktop`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

/// A subject's name is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "subject {shown} must be 1 to {} of the characters a-z, A-Z, 0-9 and `:._@/+-`",
    Subject::MAX_LENGTH
)]
pub struct SubjectError {
    shown: String,
}

impl Subject {
    /// The maximum length of a name, in bytes.
    pub const MAX_LENGTH: usize = 200;

    /// Validates a subject's name.
    ///
    /// # Errors
    ///
    /// If the name is empty, longer than [`Subject::MAX_LENGTH`], or has other characters than
    /// letters, digits and `:._@/+-`.
    pub fn new(name: impl Into<String>) -> Result<Self, SubjectError> {
        let name = name.into();
        let fits =
            !name.is_empty() && name.len() <= Self::MAX_LENGTH && name.bytes().all(is_subject_byte);
        if fits {
            Ok(Self(name.into()))
        } else {
            Err(SubjectError {
                shown: quoted(&name),
            })
        }
    }

    /// The local user: `local`.
    pub fn local() -> Self {
        static LOCAL: LazyLock<Subject> = LazyLock::new(|| Subject("local".into()));
        LOCAL.clone()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Subject {
    type Err = SubjectError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

impl Request {
    /// A request of the local subject with defaults: its first profile, no arguments, files,
    /// environment, artifacts or seed, all that the profile grants, and a source named after the
    /// language (`main.py`).
    pub fn new(language: impl Into<String>, source: impl Into<Vec<u8>>) -> Self {
        let language = language.into();
        let content: Vec<u8> = source.into();
        Self {
            subject: Subject::local(),
            profile: None,
            source: Source {
                name: Source::default_name(&language).to_owned(),
                content: content.into(),
            },
            language,
            arguments: Vec::new(),
            environment: Vec::new(),
            files: Vec::new(),
            artifacts: Vec::new(),
            seed: None,
            wants: Wants::default(),
        }
    }
}

impl Source {
    /// The default file name of a program in this language.
    pub fn default_name(language: &str) -> &'static str {
        Language::find(language).map_or("main", |language| language.file_name)
    }
}

/// Omits sources, file contents and environment values: they may hold secrets, and debug output is
/// logged.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let environment: Vec<&str> = self
            .environment
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let files: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        f.debug_struct("Request")
            .field("subject", &self.subject)
            .field("profile", &self.profile)
            .field("language", &self.language)
            .field(
                "source",
                &format_args!(
                    "{} ({} bytes)",
                    quoted(&self.source.name),
                    self.source.content.len()
                ),
            )
            .field(
                "arguments",
                &format_args!("{} arguments", self.arguments.len()),
            )
            .field("environment", &environment)
            .field("files", &files)
            .field("artifacts", &self.artifacts)
            .field("seed", &self.seed)
            .field("wants", &self.wants)
            .finish()
    }
}
