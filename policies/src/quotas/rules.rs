//! Quota rules of a policy: which quotas are there, and which does a table set?
//!
//! Every quota is one row of the table below, from which [`Quota`] and the keys of the config are
//! generated.

use std::collections::BTreeMap;

use crate::limits::{Amount, MAX_COUNT};
use crate::units::MAX_SIZE;

/// The table of quotas: passes its rows to a macro. A row has a variant of [`Quota`], the key in a
/// policy, the kind of its amount (`count` or `bytes`), its name in messages, and its meaning.
macro_rules! for_each_quota {
    ($make:ident) => {
        $make! {
            Running running: count, "executions at once",
                "Concurrent executions; a profile's `concurrency` applies as well.";
            Queued queued: count, "queued executions",
                "Queued executions.";
            Sessions sessions: count, "sessions",
                "Concurrent sessions.";
            Trees trees: count, "unfinished task trees",
                "Unfinished task trees.";
            Requests requests: count, "requests at once",
                "Concurrent requests to the service.";
            RequestsPerSecond requests_per_second: count, "requests per second",
                "Rate limit: requests per second.";
            Followers followers: count, "event streams",
                "Concurrent followers of events, by server-sent events or WebSockets.";
            Memory memory: bytes, "memory",
                "Bytes of memory for requests, guests, sessions and task trees.";
            Kept kept: bytes, "storage",
                "Bytes of records, artifacts and plans that are kept.";
            PackagesPerHour packages_per_hour: bytes, "packages within an hour",
                "Bytes of packages that may be fetched and unpacked within an hour.";
            AuditPerHour audit_per_hour: bytes, "the audit log within an hour",
                "Bytes that may be written to the audit log within an hour.";
        }
    };
}
pub(crate) use for_each_quota;

macro_rules! kind {
    (count) => {
        Amount::Count
    };
    (bytes) => {
        Amount::Bytes
    };
}

macro_rules! quotas {
    ($($variant:ident $name:ident: $kind:ident, $title:literal, $doc:literal;)+) => {
        /// A quota by the key that it has in a policy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Quota {
            $(#[doc = $doc] $variant,)+
        }

        impl Quota {
            /// All quotas.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name: the key in a policy.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($name),)+
                }
            }

            /// The noun for messages, such as `executions at once`.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }

            /// Whether a policy can set it to a number.
            pub(super) fn is_possible(self, number: u64) -> bool {
                match self.amount(number) {
                    Amount::Count(_) => number <= MAX_COUNT,
                    Amount::Bytes(_) | Amount::Time(_) => number <= MAX_SIZE,
                }
            }

            /// Returns an amount of this quota's kind.
            pub fn amount(self, number: u64) -> Amount {
                match self {
                    $(Self::$variant => kind!($kind)(number),)+
                }
            }
        }
    };
}

for_each_quota!(quotas);

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The quotas that one table of a policy sets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct QuotaRules(BTreeMap<Quota, u64>);

impl QuotaRules {
    pub(crate) fn set(&mut self, quota: Quota, most: u64) {
        self.0.insert(quota, most);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, quota: Quota) -> Option<u64> {
        self.0.get(&quota).copied()
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = (Quota, Amount)> + '_ {
        self.0
            .iter()
            .map(|(quota, most)| (*quota, quota.amount(*most)))
    }
}
