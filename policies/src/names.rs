//! Name pattern: which names does it match?
//!
//! The only place that compares names of tools, subjects and environment variables; packages have
//! versions and are judged elsewhere. Allow compares exact bytes; deny ignores case, so that
//! another spelling of a denied name is denied too.

/// An exact name or a prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NamePattern {
    Exact(String),
    /// The text before the trailing `*`; empty matches every name.
    Prefix(String),
}

impl NamePattern {
    /// Parses `name`, `start*` or `*`; `None` if a star is elsewhere or a byte is not of the
    /// alphabet.
    pub(crate) fn parse(text: &str, alphabet: fn(u8) -> bool) -> Option<Self> {
        let (stem, prefix) = text
            .strip_suffix('*')
            .map_or((text, false), |stem| (stem, true));
        if !stem.bytes().all(alphabet) || (stem.is_empty() && !prefix) {
            return None;
        }
        Some(if prefix {
            Self::Prefix(stem.to_owned())
        } else {
            Self::Exact(stem.to_owned())
        })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
        }
    }

    fn matches_any_case(&self, name: &str) -> bool {
        match self {
            Self::Exact(exact) => exact.eq_ignore_ascii_case(name),
            Self::Prefix(prefix) => name
                .as_bytes()
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())),
        }
    }

    /// Returns whether this pattern matches every name that `other` matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(prefix), Self::Exact(text) | Self::Prefix(text)) => {
                text.starts_with(prefix.as_str())
            }
            (Self::Exact(left), Self::Exact(right)) => left == right,
            (Self::Exact(_), Self::Prefix(_)) => false,
        }
    }

    /// Like [`NamePattern::covers`], ignoring case.
    pub(crate) fn covers_any_case(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(_), Self::Prefix(_)) => false,
            (_, Self::Exact(text) | Self::Prefix(text)) => self.matches_any_case(text),
        }
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact(exact) => f.write_str(exact),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// Returns whether a byte is valid in a subject's name.
pub(crate) fn is_subject_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":._@/+-".contains(&byte)
}

/// Returns whether a text is a valid profile name.
pub(crate) fn is_profile_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Returns whether a text is a valid language name.
pub(crate) fn is_language_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+#-.".contains(&b))
}

/// Returns whether a byte is valid in the name of an environment variable.
pub(crate) fn is_variable_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Returns whether a text is a valid name of an environment variable.
pub(crate) fn is_variable_name(name: &str) -> bool {
    (1..=200).contains(&name.len())
        && name.bytes().all(is_variable_byte)
        && !name.starts_with(|c: char| c.is_ascii_digit())
}
