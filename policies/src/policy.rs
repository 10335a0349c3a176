//! Policy, the root of all authority: what is it, and what does it decide?

use std::fmt;
use std::sync::{Arc, LazyLock};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::canonical::canonical_text;
use crate::config::parse::parse;
use crate::config::presets::{TEXTS, presets};
use crate::config::rules::Rules;
use crate::config::schema;
use crate::config::validate::validate;
use crate::decision::{DecisionInput, Mode, decide, decide_packages};
use crate::denial::Denial;
use crate::explanation::Explanation;
use crate::facts::Facts;
use crate::limits::{Amount, Limit};
use crate::packages::grant::PackageGrant;
use crate::problem::{ConfigError, Problems};
use crate::quotas::of_subject::Quotas;
use crate::request::{Request, Subject};
use crate::rule::Origin;
use crate::verdict::Verdict;

/// A validated config in force: which subjects may run what, and with what authority.
///
/// Immutable and cheap to clone. Two policies have the same meaning if and only if their digests
/// are equal.
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

struct Inner {
    rules: Rules,
    digest: Arc<str>,
}

impl Policy {
    /// Parses a config. `origin` is its name in messages, such as a file name.
    ///
    /// # Errors
    ///
    /// All problems of the text, each with line and column. A text with any problem is refused
    /// whole.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ConfigError> {
        let mut problems = Problems::new(origin, text);
        let rules = parse(text, &mut problems)
            .map(|raw| validate(&raw, presets(), Origin::Policy, &mut problems));
        problems.into_result()?;
        Ok(Self::from_rules(rules.unwrap_or_default()))
    }

    /// Parses a config that has no name, such as the buffer of an editor or a test.
    ///
    /// # Errors
    ///
    /// As for [`Policy::parse`].
    pub fn check(text: &str) -> Result<Self, ConfigError> {
        Self::parse("policy", text)
    }

    /// The default policy: the presets, `default` for every subject, and any preset for the subject
    /// `local`.
    pub fn builtin() -> Self {
        static BUILTIN: LazyLock<Policy> = LazyLock::new(|| {
            // A test proves that the text is valid; if it were not, nothing would be granted.
            Policy::parse("builtin", include_str!("../presets/builtin.toml"))
                .unwrap_or_else(|_| Policy::deny_all())
        });
        BUILTIN.clone()
    }

    /// The policy that denies everything to every subject: the fallback if a policy cannot be
    /// parsed (fail closed).
    pub fn deny_all() -> Self {
        Self::from_rules(Rules::default())
    }

    /// Decides on a request, given what this machine offers. Pure and deterministic: the same input
    /// always has the same decision.
    ///
    /// Default deny: nothing is granted without a rule, and a rule that denies beats any that
    /// allows. A request can only narrow what its profile grants: more than that is a denial, not a
    /// silent clamp.
    pub fn admit(&self, request: &Request, facts: &Facts) -> Verdict {
        decide(self.input(request, facts), Mode::Decide).verdict
    }

    /// Decides which packages may be resolved for a request, and for which tiers: no index is
    /// contacted before. The result goes into [`Facts::needs`], and is judged by [`Policy::admit`].
    ///
    /// # Errors
    ///
    /// The denial.
    pub fn admit_packages(&self, request: &Request, facts: &Facts) -> Result<PackageGrant, Denial> {
        decide_packages(self.input(request, facts))
    }

    /// Decides like [`Policy::admit`], by the same code, and records every step. Continues after a
    /// denial, to report all that is missing.
    pub fn explain(&self, request: &Request, facts: &Facts) -> Explanation {
        decide(self.input(request, facts), Mode::Explain)
    }

    /// The SHA-256 of the policy's canonical text (see [`Policy::canonical_text`]) in hexadecimal.
    /// Order of keys, comments and spelling of amounts do not change it.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The canonical text: the policy's meaning as sorted `key = value` lines with everything
    /// inherited written out. It is what the digest covers, and what to diff two policies by.
    /// Values of environment variables appear as digests only.
    pub fn canonical_text(&self) -> String {
        canonical_text(&self.inner.rules)
    }

    /// The names of all profiles, presets included, in alphabetical order.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.inner.rules.profiles.keys().map(String::as_str)
    }

    /// The profile of subjects that no binding matches.
    pub fn default_profile(&self) -> Option<&str> {
        self.inner.rules.default_profile.as_deref()
    }

    /// Returns the amount of a limit that a profile grants; `None` if there is no such profile, or
    /// the limit is built in.
    pub fn granted_limit(&self, profile: &str, limit: Limit) -> Option<Amount> {
        self.inner.rules.profiles.get(profile)?.limits.get(limit)
    }

    /// Returns the TOML that sets a limit of a profile; `None` if there is no such profile, or the
    /// limit is built in.
    pub fn limit_fix(&self, profile: &str, limit: Limit, amount: Amount) -> Option<String> {
        let profile = self.inner.rules.profiles.get(profile)?;
        let lines = [(limit.name(), amount.to_toml())];
        limit.field().map(|_| profile.key.fix("limits", &lines))
    }

    /// Returns the quotas of a subject: what it may have at once or keep, over all of its runs.
    /// [`Quotas::or`] adds the settings of the service.
    pub fn quotas<'a>(&'a self, subject: &'a Subject) -> Quotas<'a> {
        Quotas::new(&self.inner.rules, subject)
    }

    /// The text of a preset, as a reference or a template.
    pub fn preset_text(name: &str) -> Option<&'static str> {
        TEXTS
            .iter()
            .find(|(preset, _)| *preset == name)
            .map(|(_, text)| *text)
    }

    /// The JSON Schema of the config, as pretty JSON, for editors and other tools.
    pub fn schema() -> String {
        schema::schema()
    }

    fn input<'a>(&'a self, request: &'a Request, facts: &'a Facts) -> DecisionInput<'a> {
        DecisionInput {
            rules: &self.inner.rules,
            digest: &self.inner.digest,
            request,
            facts,
        }
    }

    fn from_rules(rules: Rules) -> Self {
        let digest = HEXLOWER.encode(&Sha256::digest(canonical_text(&rules).as_bytes()));
        Self {
            inner: Arc::new(Inner {
                rules,
                digest: digest.into(),
            }),
        }
    }
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
