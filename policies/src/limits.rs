//! Limits: how much may a run use, and which limit did it reach?
//!
//! Every limit is one row of the table [`for_each_limit`](crate::for_each_limit). The granted
//! [`Limits`], the [`LimitWishes`] of a request, the vocabulary [`Limit`] of outcomes and the keys
//! of the config are generated from it, and so are the fields of a request over HTTP.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::text::{closest, quoted};
use crate::units::{show_duration, show_size};

/// The maximum of a limit that counts things (except fuel).
pub const MAX_COUNT: u64 = 1 << 40;

/// The table of limits: passes its rows to a macro.
///
/// A row of `policy` is a key of a policy: its variant of [`Limit`](crate::Limit), the key, the
/// kind of its amount (`time`, `bytes` or `count`), the field of a request that asks for less (for
/// those that a client may ask for), its name in messages, and its meaning. A row of `built_in` is
/// a limit that no policy can change.
#[macro_export]
macro_rules! for_each_limit {
    ($make:ident) => {
        $make! {
            policy {
                Wall wall: time as wall_ms, "wall-clock time",
                    "Wall-clock time from start to end, waiting included.";
                Fuel fuel: count as fuel, "computation",
                    "Units of computation (fuel); about 1,000,000,000 take 0.5 to 1 second.";
                Memory memory: bytes as memory_bytes, "memory",
                    "Bytes of guest memory.";
                Stack stack: bytes as stack_bytes, "the call stack",
                    "Bytes of WebAssembly stack of one run.";
                Output output: bytes as output_bytes, "output",
                    "Bytes written to standard output and standard error together.";
                Value value: bytes as value_bytes, "the value",
                    "Bytes of the value, or of the exception, that a run returns.";
                Results results: bytes as results_bytes, "results",
                    "Bytes of the results that a run shows, such as pictures.";
                Workspace workspace: bytes as workspace_bytes, "bytes in the workspace",
                    "Bytes stored in the workspace, input files included.";
                Files files: count as files, "files in the workspace",
                    "Files and directories in the workspace.";
                OpenFiles open_files: count as open_files, "open files",
                    "Open file descriptors: files and streams.";
                Processes processes: count as processes, "processes",
                    "Concurrent processes and threads, where a tier has any.";
                HostCalls host_calls: count as host_calls, "calls of tools and the network",
                    "Calls of tools and network exchanges in one run.";
                Source source: bytes, "source text",
                    "Bytes of source text.";
                Arguments arguments: bytes, "arguments and environment",
                    "Bytes of arguments and environment together.";
                Concurrency concurrency: count, "concurrent runs",
                    "Concurrent runs of one subject.";
            }
            built_in {
                Table table, "elements of tables",
                    "Elements of WebAssembly tables.";
                HostAllocation host_allocation, "memory of the host",
                    "Host memory allocated for the guest.";
                Compile compile, "the work to compile the program",
                    "Cost of compiling a program.";
            }
        }
    };
}

/// The words that outcomes had for limits before they had the policy's keys; accepted wherever a
/// limit's name is parsed, and never written.
const FORMER_NAMES: [(&str, Limit); 6] = [
    ("cpu", Limit::Fuel),
    ("disk", Limit::Workspace),
    ("fds", Limit::OpenFiles),
    ("procs", Limit::Processes),
    ("host-calls", Limit::HostCalls),
    ("host-alloc", Limit::HostAllocation),
];

/// The amount of a limit, with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Amount {
    /// A duration, written as `10s`.
    Time(Duration),
    /// A number of bytes, written as `256MiB`.
    Bytes(u64),
    /// A number of things, written as an integer.
    Count(u64),
}

impl Amount {
    /// Returns whether the amount is zero.
    pub fn is_zero(self) -> bool {
        match self {
            Self::Time(time) => time.is_zero(),
            Self::Bytes(number) | Self::Count(number) => number == 0,
        }
    }

    /// Returns the amount as a TOML value, quoted if it has a unit.
    pub fn to_toml(self) -> String {
        match self {
            Self::Count(number) => number.to_string(),
            with_unit => format!("\"{with_unit}\""),
        }
    }

    /// Returns twice the amount, as a suggestion for more.
    #[must_use]
    pub fn doubled(self) -> Self {
        match self {
            Self::Time(time) => Self::Time(time.saturating_mul(2)),
            Self::Bytes(number) => Self::Bytes(number.saturating_mul(2)),
            Self::Count(number) => Self::Count(number.saturating_mul(2)),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => f.write_str(&show_duration(*time)),
            Self::Bytes(bytes) => f.write_str(&show_size(*bytes)),
            Self::Count(number) => write!(f, "{number}"),
        }
    }
}

/// A limit that was reached: which, how large it was, and who set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHit {
    /// The limit.
    pub limit: Limit,
    /// The amount that was granted; `None` for a built-in limit.
    pub granted: Option<Amount>,
    /// The origin of that amount.
    pub source: LimitSource,
}

/// The origin of a limit's amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitSource {
    /// The request asked for less than its profile grants.
    Request,
    /// The profile of the policy.
    Profile,
    /// No policy can change it.
    BuiltIn,
}

impl LimitSource {
    /// All sources.
    pub const ALL: [Self; 3] = [Self::Request, Self::Profile, Self::BuiltIn];

    /// The name in outcomes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Profile => "profile",
            Self::BuiltIn => "built_in",
        }
    }
}

/// A name is no limit's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is not a limit{}", .meant.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
pub struct UnknownLimit {
    shown: String,
    meant: Option<&'static str>,
}

/// A limit that a policy can set, with its accessors in [`Limits`] and [`LimitWishes`].
pub(crate) struct LimitField {
    pub(crate) limit: Limit,
    pub(crate) granted: fn(&Limits) -> Amount,
    pub(crate) wished: fn(&LimitWishes) -> Option<Amount>,
    pub(crate) set: fn(&mut Limits, Amount),
    pub(crate) wish: fn(&mut LimitWishes, Amount),
}

macro_rules! kind {
    (type time) => {
        Duration
    };
    (type bytes) => {
        u64
    };
    (type count) => {
        u64
    };
    (variant time) => {
        Amount::Time
    };
    (variant bytes) => {
        Amount::Bytes
    };
    (variant count) => {
        Amount::Count
    };
    (pattern time $value:ident) => {
        Amount::Time($value)
    };
    (pattern bytes $value:ident) => {
        Amount::Bytes($value)
    };
    (pattern count $value:ident) => {
        Amount::Count($value)
    };
}

macro_rules! limits {
    (
        policy { $($variant:ident $name:ident: $kind:ident $(as $field:ident)?, $title:literal, $doc:literal;)+ }
        built_in { $($fixed:ident $fixed_name:ident, $fixed_title:literal, $fixed_doc:literal;)+ }
    ) => {
        /// Resource limits of a run. Every limit is finite and more than zero.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $(#[doc = $doc] pub $name: kind!(type $kind),)+
        }

        /// Lower limits that a request asks for; `None` keeps what the profile grants. More than
        /// that is a denial.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct LimitWishes {
            $(#[doc = $doc] pub $name: Option<kind!(type $kind)>,)+
        }

        /// A limit by the key that it has in a policy, in outcomes and in audit records.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Limit {
            $(#[doc = $doc] $variant,)+
            $(#[doc = $fixed_doc] $fixed,)+
        }

        impl Limit {
            /// All limits: those of a policy, then the built-in ones.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+ $(Self::$fixed,)+];

            /// The name: the key in a policy.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)+
                    $(Self::$fixed => stringify!($fixed_name),)+
                }
            }

            /// The noun for messages, such as `wall-clock time`.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                    $(Self::$fixed => $fixed_title,)+
                }
            }
        }

        impl Limits {
            /// All zero: only the initial value for the config, which must set each of them.
            pub(crate) fn unset() -> Self {
                Self { $($name: Default::default(),)+ }
            }
        }

        pub(crate) const FIELDS: &[LimitField] = &[$(LimitField {
            limit: Limit::$variant,
            granted: |limits| kind!(variant $kind)(limits.$name),
            wished: |wishes| wishes.$name.map(kind!(variant $kind)),
            set: |limits, amount| if let kind!(pattern $kind value) = amount { limits.$name = value },
            wish: |wishes, amount| if let kind!(pattern $kind value) = amount { wishes.$name = Some(value) },
        },)+];
    };
}

for_each_limit!(limits);

impl Limits {
    /// Returns the same limits less a time and an amount of fuel. A minimum is always left, so that
    /// the executor itself reports which limit was reached.
    #[must_use]
    pub fn after(&self, wall: Duration, fuel: u64) -> Self {
        Self {
            wall: self.wall.saturating_sub(wall).max(Duration::from_millis(1)),
            fuel: self.fuel.saturating_sub(fuel).max(1),
            ..self.clone()
        }
    }
}

impl LimitField {
    /// The key in a policy.
    pub(crate) fn name(&self) -> &'static str {
        self.limit.name()
    }

    /// Returns the field of that key.
    pub(crate) fn of_name(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name() == name)
    }
}

impl Limit {
    /// Its accessors; `None` for a built-in limit.
    pub(crate) fn field(self) -> Option<&'static LimitField> {
        FIELDS.iter().find(|field| field.limit == self)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Accepts the names of [`Limit::name`], and for one version the words that outcomes had before
/// (`cpu`, `disk`, `fds`, `procs`, `host-calls`, `host-alloc`).
impl FromStr for Limit {
    type Err = UnknownLimit;

    fn from_str(name: &str) -> Result<Self, UnknownLimit> {
        let known = Self::ALL.iter().map(|limit| (limit.name(), *limit));
        known
            .chain(FORMER_NAMES)
            .find(|(known, _)| *known == name)
            .map(|(_, limit)| limit)
            .ok_or_else(|| UnknownLimit {
                shown: quoted(name),
                meant: closest(name, Self::ALL.iter().map(|limit| limit.name())),
            })
    }
}

impl Limits {
    /// Returns the amount of a limit; `None` for a built-in one.
    pub fn get(&self, limit: Limit) -> Option<Amount> {
        limit.field().map(|field| (field.granted)(self))
    }

    /// Returns every limit by its name in a config.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        FIELDS
            .iter()
            .map(|field| (field.name(), (field.granted)(self)))
    }

    /// Returns whether no limit is larger than in `other`.
    pub fn within(&self, other: &Self) -> bool {
        FIELDS
            .iter()
            .all(|field| (field.granted)(self) <= (field.granted)(other))
    }
}

impl LimitWishes {
    /// Returns the same wishes, with time, fuel and memory capped at these amounts.
    #[must_use]
    pub fn at_most(self, wall: Duration, fuel: u64, memory: u64) -> Self {
        Self {
            wall: Some(self.wall.map_or(wall, |own| own.min(wall))),
            fuel: Some(self.fuel.map_or(fuel, |own| own.min(fuel))),
            memory: Some(self.memory.map_or(memory, |own| own.min(memory))),
            ..self
        }
    }

    /// Returns the wish for a limit.
    pub fn get(&self, limit: Limit) -> Option<Amount> {
        limit.field().and_then(|field| (field.wished)(self))
    }

    /// Sets a wish by the limit's name in a config; returns whether there is such a limit with this
    /// unit.
    pub fn set(&mut self, name: &str, amount: Amount) -> bool {
        let Some(field) = LimitField::of_name(name) else {
            return false;
        };
        (field.wish)(self, amount);
        (field.wished)(self) == Some(amount)
    }

    /// Returns every wish that is set, by the name of its limit in a config.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        FIELDS
            .iter()
            .filter_map(|field| (field.wished)(self).map(|amount| (field.name(), amount)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_parse_by_their_keys_and_by_their_former_names() {
        for limit in Limit::ALL {
            assert_eq!(limit.name().parse(), Ok(*limit));
            assert_eq!(
                limit.field().is_none(),
                matches!(limit, Limit::Table | Limit::HostAllocation | Limit::Compile)
            );
        }
        for (name, limit) in FORMER_NAMES {
            assert_eq!(name.parse(), Ok(limit));
            assert!(
                Limit::ALL.iter().all(|limit| limit.name() != name),
                "{name}"
            );
        }
        assert_eq!(
            "open-files".parse::<Limit>().unwrap_err().to_string(),
            "`open-files` is not a limit; did you mean `open_files`?"
        );
    }
}
