//! What does somebody want run?
//!
//! The one type that every front door builds. All of it is untrusted, so most fields are public and plain: the decision, not
//! the type, says what is acceptable. Standard input is not here; it streams.

use std::sync::{Arc, LazyLock};

use crate::limits::LimitWishes;
use crate::text::quoted;
use crate::tier::{Isolation, Tier};

/// Something that is to be run, for whom, and what it wants.
#[derive(Clone)]
pub struct Request {
    /// Who asks.
    pub subject: Subject,
    /// The profile to use; `None` takes the subject's first.
    pub profile: Option<String>,
    /// The language, such as `python`, `javascript`, `typescript` or `wasm`.
    pub language: String,
    /// The program.
    pub source: Source,
    /// What the program sees as its arguments, its own name apart.
    pub arguments: Vec<String>,
    /// Environment variables to add to those of the profile. Values never appear in messages.
    pub environment: Vec<(String, String)>,
    /// Files that lie in the workspace when the program starts.
    pub files: Vec<InputFile>,
    /// Globs of workspace files to hand back afterwards.
    pub artifacts: Vec<String>,
    /// Fixes everything random in the run; `None` takes the profile's seed, or real randomness.
    pub seed: Option<u64>,
    /// Narrower authority than the profile grants.
    pub wants: Wants,
}

/// A program's text, or a WebAssembly binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name that tracebacks show, such as `main.py`.
    pub name: String,
    /// The bytes of the program.
    pub content: Arc<[u8]>,
}

/// A file that lies in the workspace when the program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where, relative to the workspace: `data/in.csv`.
    pub path: String,
    /// The bytes of the file.
    pub content: Arc<[u8]>,
}

/// Narrower authority than the profile grants. Asking for more than that is a denial, never a silent clamp.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Smaller limits.
    pub limits: LimitWishes,
    /// Guest paths of the mounts to keep; `None` keeps all that are granted.
    pub mounts: Option<Vec<String>>,
    /// The part of the network to keep; `None` keeps all that is granted.
    pub network: Option<NetworkWish>,
    /// Names of the tools to keep (`server/tool`, or `server/*`); `None` keeps all that are granted.
    pub tools: Option<Vec<String>>,
    /// Packages that the program needs: `requests`, `requests==2.32.*`, or `lodash@^4` for JavaScript.
    pub packages: Vec<String>,
    /// The only tier to run in; `None` takes the profile's first that works.
    pub tier: Option<Tier>,
    /// The least isolation; the profile's own minimum holds as well.
    pub min_isolation: Option<Isolation>,
}

/// The part of the granted network that a request keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkWish {
    /// Nothing.
    Nothing,
    /// These hosts only, written as in a config: `api.example.org`, `*.example.org`.
    Hosts(Vec<String>),
}

/// Who asks: `local`, `key:ci-1`, `mcp:desktop`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

/// A subject's name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("subject {shown} must be 1 to {} of the characters a-z, A-Z, 0-9 and `:._@/+-`", Subject::MAX_LENGTH)]
pub struct SubjectError {
    shown: String,
}

impl Subject {
    /// The longest name, in bytes.
    pub const MAX_LENGTH: usize = 200;

    /// Checks a subject's name.
    ///
    /// # Errors
    ///
    /// A name that is empty, longer than [`Subject::MAX_LENGTH`], or has other characters than letters, digits and `:._@/+-`.
    pub fn new(name: impl Into<String>) -> Result<Self, SubjectError> {
        let name = name.into();
        let fits = !name.is_empty() && name.len() <= Self::MAX_LENGTH && name.bytes().all(is_subject_byte);
        if fits { Ok(Self(name.into())) } else { Err(SubjectError { shown: quoted(&name) }) }
    }

    /// The person at this machine: `local`.
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

/// Whether a byte may stand in a subject's name.
pub(crate) fn is_subject_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":._@/+-".contains(&byte)
}

impl Request {
    /// A request of the local subject that wants nothing special: its first profile, no arguments, files, environment,
    /// artifacts or seed, all that the profile grants, and a source named after the language (`main.py`).
    pub fn new(language: impl Into<String>, source: impl Into<Vec<u8>>) -> Self {
        let language = language.into();
        let content: Vec<u8> = source.into();
        Self {
            subject: Subject::local(),
            profile: None,
            source: Source { name: Source::default_name(&language).to_owned(), content: content.into() },
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
    /// The name of a program that came without one.
    pub fn default_name(language: &str) -> &'static str {
        match language {
            "python" => "main.py",
            "javascript" => "main.js",
            "typescript" => "main.ts",
            "wasm" => "main.wasm",
            "shell" => "main.sh",
            _ => "main",
        }
    }
}

/// Leaves out sources, file contents and environment values: they may hold secrets, and debug output ends in logs.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let environment: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        let files: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        f.debug_struct("Request")
            .field("subject", &self.subject)
            .field("profile", &self.profile)
            .field("language", &self.language)
            .field("source", &format_args!("{} ({} bytes)", quoted(&self.source.name), self.source.content.len()))
            .field("arguments", &format_args!("{} arguments", self.arguments.len()))
            .field("environment", &environment)
            .field("files", &files)
            .field("artifacts", &self.artifacts)
            .field("seed", &self.seed)
            .field("wants", &self.wants)
            .finish()
    }
}
