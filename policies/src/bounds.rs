//! Size bounds of a request: how large may its lists be?
//!
//! A policy limits what a program may use up, and the decision measures the request against that.
//! These bounds come first: they hold for every request under every policy, so that parsing and
//! judging one takes a bounded amount of work. Every entry point checks them while it parses, and
//! the decision checks them before anything else.

use crate::denial::Denial;
use crate::request::{NetworkWish, Request};

/// The bounds of one list of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// The name of the field in a request.
    pub field: &'static str,
    /// The maximum number of entries.
    pub entries: usize,
    /// The maximum bytes of one entry; for a file or a variable, of its name.
    pub bytes: usize,
}

/// A list of a request, or one of its entries, exceeds its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfBounds {
    /// Too many entries. Where they are parsed one by one, parsing stops at the bound and the rest
    /// is not counted.
    #[error("`{}` has {number} entries, and a request may have at most {}", .bound.field, .bound.entries)]
    Entries {
        /// The bound.
        bound: Bound,
        /// The number of entries.
        number: Count,
    },
    /// An entry is too long.
    #[error("an entry of `{}` has {bytes} bytes, and it may have at most {}", .bound.field, .bound.bytes)]
    Bytes {
        /// The bound.
        bound: Bound,
        /// The bytes of the entry.
        bytes: usize,
    },
}

/// The number of entries of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// The exact number.
    Exactly(usize),
    /// A lower bound: parsing stopped there.
    AtLeast(usize),
}

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(number) => write!(f, "{number}"),
            Self::AtLeast(number) => write!(f, "{number} or more"),
        }
    }
}

impl Bound {
    /// `arguments`
    pub const ARGUMENTS: Self = Self {
        field: "arguments",
        entries: 10_000,
        bytes: 1 << 20,
    };
    /// `environment`
    pub const ENVIRONMENT: Self = Self {
        field: "environment",
        entries: 4_000,
        bytes: 1 << 20,
    };
    /// `files`
    pub const FILES: Self = Self {
        field: "files",
        entries: 20_000,
        bytes: 4096,
    };
    /// `artifacts`
    pub const ARTIFACTS: Self = Self {
        field: "artifacts",
        entries: 64,
        bytes: 512,
    };
    /// `mounts`
    pub const MOUNTS: Self = Self {
        field: "mounts",
        entries: 500,
        bytes: 4096,
    };
    /// `network`
    pub const NETWORK: Self = Self {
        field: "network",
        entries: 500,
        bytes: 512,
    };
    /// `tools`
    pub const TOOLS: Self = Self {
        field: "tools",
        entries: 500,
        bytes: 512,
    };
    /// `packages`
    pub const PACKAGES: Self = Self {
        field: "packages",
        entries: 500,
        bytes: 1024,
    };

    /// # Errors
    ///
    /// If there are more entries than the bound.
    pub fn check_entries(self, number: usize) -> Result<(), OutOfBounds> {
        if number > self.entries {
            Err(OutOfBounds::Entries {
                bound: self,
                number: Count::Exactly(number),
            })
        } else {
            Ok(())
        }
    }

    /// # Errors
    ///
    /// If `read` entries are there already and one more exceeds the bound.
    pub fn check_next(self, read: usize) -> Result<(), OutOfBounds> {
        if read >= self.entries {
            Err(OutOfBounds::Entries {
                bound: self,
                number: Count::AtLeast(read + 1),
            })
        } else {
            Ok(())
        }
    }

    /// # Errors
    ///
    /// If the entry is longer than the bound.
    pub fn check_bytes(self, entry: &str) -> Result<(), OutOfBounds> {
        if entry.len() > self.bytes {
            Err(OutOfBounds::Bytes {
                bound: self,
                bytes: entry.len(),
            })
        } else {
            Ok(())
        }
    }

    /// # Errors
    ///
    /// If there are too many entries, or one is too long.
    pub fn check<'a>(
        self,
        entries: impl ExactSizeIterator<Item = &'a str>,
    ) -> Result<(), OutOfBounds> {
        self.check_entries(entries.len())?;
        entries
            .into_iter()
            .try_for_each(|entry| self.check_bytes(entry))
    }
}

impl Request {
    /// Checks the bounds that hold under every policy; cheap for any request.
    ///
    /// # Errors
    ///
    /// The field, the number and the bound.
    pub fn check_bounds(&self) -> Result<(), OutOfBounds> {
        fn all(texts: &[String]) -> impl ExactSizeIterator<Item = &str> {
            texts.iter().map(String::as_str)
        }
        let hosts: &[String] = match &self.wants.network {
            Some(NetworkWish::Hosts(hosts)) => hosts,
            Some(NetworkWish::Nothing) | None => &[],
        };
        Bound::ARGUMENTS.check(all(&self.arguments))?;
        Bound::ENVIRONMENT.check(self.environment.iter().map(|(name, _)| name.as_str()))?;
        self.environment
            .iter()
            .try_for_each(|(_, value)| Bound::ENVIRONMENT.check_bytes(value))?;
        Bound::FILES.check(self.files.iter().map(|file| file.path.as_str()))?;
        Bound::ARTIFACTS.check(all(&self.artifacts))?;
        Bound::MOUNTS.check(all(self.wants.mounts.as_deref().unwrap_or_default()))?;
        Bound::NETWORK.check(all(hosts))?;
        Bound::TOOLS.check(all(self.wants.tools.as_deref().unwrap_or_default()))?;
        Bound::PACKAGES.check(all(&self.wants.packages))
    }
}

impl From<OutOfBounds> for Denial {
    fn from(error: OutOfBounds) -> Self {
        let (OutOfBounds::Entries { bound, .. } | OutOfBounds::Bytes { bound, .. }) = error;
        let asked = match error {
            OutOfBounds::Entries { number, .. } => format!("{number} entries of `{}`", bound.field),
            OutOfBounds::Bytes { bytes, .. } => {
                format!("an entry of {bytes} bytes in `{}`", bound.field)
            }
        };
        Self::invalid_request(
            &format!("request.{}", bound.field),
            asked,
            error.to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, InputFile, Policy, Verdict};

    /// Fills one list of a request.
    type Fill = fn(&mut Request, usize, &str);

    const LISTS: [(Bound, Fill); 8] = [
        (Bound::ARGUMENTS, |request, number, text| {
            request.arguments = vec![text.to_owned(); number]
        }),
        (Bound::ENVIRONMENT, |request, number, text| {
            request.environment = (0..number)
                .map(|at| (format!("V{at}"), String::new()))
                .collect();
            request
                .environment
                .iter_mut()
                .take(1)
                .for_each(|(name, _)| text.clone_into(name));
        }),
        (Bound::FILES, |request, number, text| {
            request.files = vec![
                InputFile {
                    path: text.to_owned(),
                    content: [].into()
                };
                number
            ];
        }),
        (Bound::ARTIFACTS, |request, number, text| {
            request.artifacts = vec![text.to_owned(); number]
        }),
        (Bound::MOUNTS, |request, number, text| {
            request.wants.mounts = Some(vec![text.to_owned(); number])
        }),
        (Bound::NETWORK, |request, number, text| {
            request.wants.network = Some(NetworkWish::Hosts(vec![text.to_owned(); number]));
        }),
        (Bound::TOOLS, |request, number, text| {
            request.wants.tools = Some(vec![text.to_owned(); number])
        }),
        (Bound::PACKAGES, |request, number, text| {
            request.wants.packages = vec![text.to_owned(); number]
        }),
    ];

    #[test]
    fn every_list_is_refused_by_its_name_its_number_and_its_bound() {
        for (bound, fill) in LISTS {
            let mut request = Request::new("python", "1");
            fill(&mut request, bound.entries, "x");
            assert_eq!(request.check_bounds(), Ok(()), "{bound:?}");
            fill(&mut request, bound.entries + 1, "x");
            let Verdict::Deny(denial) = Policy::builtin().admit(&request, &Facts::default()) else {
                panic!("{bound:?}")
            };
            for part in [
                bound.field.to_owned(),
                (bound.entries + 1).to_string(),
                bound.entries.to_string(),
            ] {
                assert!(denial.reason.contains(&part), "{part}: {denial:?}");
            }
            fill(&mut request, 1, &"x".repeat(bound.bytes));
            assert_eq!(request.check_bounds(), Ok(()), "{bound:?}");
            fill(&mut request, 1, &"x".repeat(bound.bytes + 1));
            let error = request.check_bounds().unwrap_err().to_string();
            assert!(
                error.contains(bound.field) && error.contains(&(bound.bytes + 1).to_string()),
                "{error}"
            );
        }
    }
}
