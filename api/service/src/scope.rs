//! Scopes: what may the holder of a key do?

use std::fmt;
use std::str::FromStr;

/// A permission of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Run programs, and read the subject's own records.
    Run,
    /// Read the audit log and the usage of all subjects, and the metrics.
    Audit,
}

/// A name that no scope has.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no scope; there are run, audit")]
pub struct UnknownScope(String);

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 2] = [Self::Run, Self::Audit];

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Audit => "audit",
        }
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        let mut scopes = Self::ALL.into_iter();
        scopes
            .find(|scope| scope.name() == name)
            .ok_or_else(|| UnknownScope(name.escape_debug().to_string()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
