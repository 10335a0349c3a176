//! Resource limits: how much may a run use?
//!
//! Every limit is declared once, in the table at the end of this file; the granted [`Limits`], the [`LimitWishes`] of a request and the
//! keys of the config are generated from that table, so none of them can omit one.

use std::time::Duration;

use crate::units::{show_duration, show_size};

/// The maximum of a limit that counts things (except fuel).
pub const MAX_COUNT: u64 = 1 << 40;

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
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Time(time) => f.write_str(&show_duration(*time)),
            Self::Bytes(bytes) => f.write_str(&show_size(*bytes)),
            Self::Count(number) => write!(f, "{number}"),
        }
    }
}

/// A limit by its name in a config, with its accessors in [`Limits`] and [`LimitWishes`].
pub(crate) struct LimitField {
    pub(crate) name: &'static str,
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
    (raw time) => {
        crate::config::schema::RawTime
    };
    (raw bytes) => {
        crate::config::schema::RawBytes
    };
    (raw count) => {
        crate::config::schema::RawCount
    };
}

macro_rules! limits {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ident,)+) => {
        /// Resource limits of a run. Every limit is finite and more than zero.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[doc = $doc])+ pub $name: kind!(type $kind),)+
        }

        /// Lower limits that a request asks for; `None` keeps what the profile grants. More than that is a denial.
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct LimitWishes {
            $($(#[doc = $doc])+ pub $name: Option<kind!(type $kind)>,)+
        }

        impl Limits {
            /// All zero: only the initial value for the config, which must set each of them.
            pub(crate) fn unset() -> Self {
                Self { $($name: Default::default(),)+ }
            }
        }

        pub(crate) const FIELDS: &[LimitField] = &[$(LimitField {
            name: stringify!($name),
            granted: |limits| kind!(variant $kind)(limits.$name),
            wished: |wishes| wishes.$name.map(kind!(variant $kind)),
            set: |limits, amount| if let kind!(pattern $kind value) = amount { limits.$name = value },
            wish: |wishes, amount| if let kind!(pattern $kind value) = amount { wishes.$name = Some(value) },
        },)+];

        /// Limits. Amounts have units (`"10s"`, `"256MiB"`); zero is refused and never means unlimited.
        #[derive(serde::Deserialize, schemars::JsonSchema, Default)]
        #[serde(deny_unknown_fields, default, expecting = "a table of limits")]
        #[schemars(rename = "Limits")]
        pub(crate) struct RawLimits {
            $($(#[doc = $doc])+ pub(crate) $name: Option<kind!(raw $kind)>,)+
        }

        impl RawLimits {
            /// Returns each limit that is present, with its field.
            pub(crate) fn written(&self) -> Vec<(&'static LimitField, crate::config::schema::RawAmount<'_>)> {
                let all = [$(self.$name.as_ref().map(crate::config::schema::RawAmount::from),)+];
                FIELDS.iter().zip(all).filter_map(|(field, raw)| raw.map(|raw| (field, raw))).collect()
            }
        }
    };
}

limits! {
    /// Wall-clock time from start to end, waiting included.
    wall: time,
    /// Units of computation (fuel); about 1,000,000,000 take 0.5 to 1 second.
    fuel: count,
    /// Bytes of guest memory.
    memory: bytes,
    /// Bytes of WebAssembly stack of one run.
    stack: bytes,
    /// Bytes written to standard output and standard error together.
    output: bytes,
    /// Bytes of the value, or of the exception, that a run returns.
    value: bytes,
    /// Bytes stored in the workspace, input files included.
    workspace: bytes,
    /// Files and directories in the workspace.
    files: count,
    /// Open file descriptors: files and streams.
    open_files: count,
    /// Concurrent processes and threads, where a tier has any.
    processes: count,
    /// Calls of tools and network exchanges in one run.
    host_calls: count,
    /// Bytes of source text.
    source: bytes,
    /// Bytes of arguments and environment together.
    arguments: bytes,
    /// Concurrent runs of one subject.
    concurrency: count,
}

impl Limits {
    /// Returns every limit by its name in a config.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        FIELDS
            .iter()
            .map(|field| (field.name, (field.granted)(self)))
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

    /// Sets a wish by the limit's name in a config; returns whether there is such a limit with this unit.
    pub fn set(&mut self, name: &str, amount: Amount) -> bool {
        let Some(field) = FIELDS.iter().find(|field| field.name == name) else {
            return false;
        };
        (field.wish)(self, amount);
        (field.wished)(self) == Some(amount)
    }

    /// Returns every wish that is set, by the name of its limit in a config.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Amount)> + '_ {
        FIELDS
            .iter()
            .filter_map(|field| (field.wished)(self).map(|amount| (field.name, amount)))
    }
}
