//! Policy, the root of all authority: what is it, and what does it decide?

use std::fmt;
use std::sync::{Arc, LazyLock};

use sha2::{Digest, Sha256};

use crate::canonical::canonical_text;
use crate::config::parse::read;
use crate::config::presets::presets;
use crate::config::profile::Profile;
use crate::config::schema;
use crate::config::validate::{Profiles, Rules, build};
use crate::decision::{Mode, decide, decide_packages};
use crate::denial::Denial;
use crate::explanation::Explanation;
use crate::grant::Grant;
use crate::packages::PackageGrant;
use crate::problem::{ConfigError, Problems};
use crate::request::{Request, Subject};
use crate::tier::Facts;

/// A validated config in force: which subjects may run what, and with what authority.
///
/// Immutable and cheap to clone. Two policies have the same meaning if and only if their digests are equal.
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    built: Rules,
    digest: Arc<str>,
}

/// The decision about a request.
#[derive(Debug, Clone)]
#[must_use = "a verdict that nobody looks at decides nothing"]
pub enum Verdict {
    /// The request may run, with this authority and no other.
    Admit(Box<Grant>),
    /// The request may not run.
    Deny(Denial),
}

impl Policy {
    /// Parses a config. `origin` is its name in messages, such as a file name.
    ///
    /// # Errors
    ///
    /// All problems of the text, each with line and column. A text with any problem is refused whole.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let mut problems = Problems::new(origin, text);
        let built =
            read(text, &mut problems).map(|raw| build(&raw, presets(), false, &mut problems));
        problems.into_result()?;
        Ok(Self::from_built(built.unwrap_or_else(nothing)))
    }

    /// Parses a config that has no name, such as the buffer of an editor or a test.
    ///
    /// # Errors
    ///
    /// As for [`Policy::parse`].
    pub fn check(text: &str) -> Result<Self, ConfigError> {
        Self::parse("policy", text)
    }

    /// The default policy: the presets, `default` for every subject, and any preset for the subject `local`.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Policy> = LazyLock::new(|| {
            // A test proves that the text is valid; if it were not, nothing would be granted.
            Policy::parse("builtin", include_str!("../presets/builtin.toml"))
                .unwrap_or_else(|_| Policy::deny_all())
        });
        BUILTIN.clone()
    }

    /// The policy that denies everything to every subject: the fallback if a policy cannot be parsed (fail closed).
    pub fn deny_all() -> Self {
        Self::from_built(nothing())
    }

    /// Decides on a request, given what this machine offers. Pure and deterministic: the same input always has the same decision.
    ///
    /// Default deny: nothing is granted without a rule, and a rule that denies beats any that allows. A request can only narrow what its
    /// profile grants: more than that is a denial, not a silent clamp.
    pub fn admit(&self, request: &Request, facts: &Facts) -> Verdict {
        decide(self, request, facts, Mode::Decide).verdict
    }

    /// Decides which packages may be resolved for a request, and for which tiers: no index is contacted before. The result goes into
    /// [`Facts::needs`], and is judged by [`Policy::admit`].
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn admit_packages(&self, request: &Request, facts: &Facts) -> Result<PackageGrant, Denial> {
        decide_packages(self, request, facts)
    }

    /// Decides like [`Policy::admit`], by the same code, and records every step. Continues after a denial, to report all that is missing.
    pub fn explain(&self, request: &Request, facts: &Facts) -> Explanation {
        decide(self, request, facts, Mode::Explain)
    }

    /// The SHA-256 of the policy's canonical text (see [`Policy::canonical_text`]) in hexadecimal. Order of keys, comments and spelling of
    /// amounts do not change it.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The canonical text: the policy's meaning as sorted `key = value` lines with everything inherited written out. It is what the digest
    /// covers, and what to diff two policies by. Values of environment variables appear as digests only.
    pub fn canonical_text(&self) -> String {
        canonical_text(&self.inner.built)
    }

    /// The names of all profiles, presets included, in alphabetical order.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.inner.built.profiles.keys().map(String::as_str)
    }

    /// The profile of subjects that no binding matches.
    pub fn default_profile(&self) -> Option<&str> {
        self.default_profiles().first().map(String::as_str)
    }

    /// The same as a list of at most one, as bindings have them.
    pub(crate) fn default_profiles(&self) -> &[String] {
        self.inner.built.default_profile.as_slice()
    }

    /// The text of a preset, as a reference or a template.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        crate::config::presets::TEXTS
            .iter()
            .find(|(preset, _)| *preset == name)
            .map(|(_, text)| *text)
    }

    /// The JSON Schema of the config, as pretty JSON, for editors and other tools.
    pub fn schema() -> String {
        schema::schema()
    }

    pub(crate) fn shared_digest(&self) -> Arc<str> {
        Arc::clone(&self.inner.digest)
    }

    pub(crate) fn profile(&self, name: &str) -> Option<&Arc<Profile>> {
        self.inner.built.profiles.get(name)
    }

    /// Returns the most specific binding of a subject: its pattern, and the profiles.
    pub(crate) fn binding(&self, subject: &Subject) -> Option<(String, &[String])> {
        let binding = self
            .inner
            .built
            .bindings
            .iter()
            .find(|binding| binding.subject.matches(subject.as_str()))?;
        Some((binding.subject.to_string(), &binding.profiles))
    }

    fn from_built(built: Rules) -> Self {
        let digest = hex(&Sha256::digest(canonical_text(&built).as_bytes()));
        Self {
            inner: Arc::new(Inner {
                built,
                digest: digest.into(),
            }),
        }
    }
}

fn nothing() -> Rules {
    Rules {
        default_profile: None,
        bindings: Vec::new(),
        profiles: Profiles::new(),
    }
}

/// Encodes bytes as lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl PartialEq for Policy {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Policy {}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("digest", &self.digest())
            .field("profiles", &self.profiles().collect::<Vec<_>>())
            .finish()
    }
}

impl Verdict {
    /// Converts to the grant, or the denial as an error.
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn into_result(self) -> Result<Grant, Denial> {
        match self {
            Self::Admit(grant) => Ok(*grant),
            Self::Deny(denial) => Err(denial),
        }
    }

    /// Returns whether the request may run.
    pub fn is_admit(&self) -> bool {
        matches!(self, Self::Admit(_))
    }
}
