//! Bounded deserialization: how are the lists of a request read?
//!
//! Entry by entry, and never more than a request may have: a list of a million entries is refused
//! before it is allocated.

use glovebox_policy::{Bound, OutOfBounds};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A list in a request.
pub(crate) trait List {
    /// Its bounds.
    const BOUND: Bound;
}

macro_rules! lists {
    ($($(#[doc = $doc:literal])+ $name:ident = $bound:expr;)+) => {
        $($(#[doc = $doc])+ pub(crate) struct $name;

        impl List for $name {
            const BOUND: Bound = $bound;
        })+
    };
}

lists! {
    /// `arguments`
    Arguments = Bound::ARGUMENTS;
    /// `environment`
    Environment = Bound::ENVIRONMENT;
    /// `files`
    Files = Bound::FILES;
    /// `artifacts`
    Artifacts = Bound::ARTIFACTS;
    /// `mounts`
    Mounts = Bound::MOUNTS;
    /// `network`
    Network = Bound::NETWORK;
    /// `tools`
    Tools = Bound::TOOLS;
    /// `packages`
    Packages = Bound::PACKAGES;
    /// `tasks` of a tree
    Tasks = Bound { field: "tasks", entries: 500, bytes: 64 };
    /// `after` of a task
    After = Bound { field: "after", entries: 500, bytes: 64 };
}

/// An entry, and what its length is measured by.
trait ListEntry {
    fn text(&self) -> &str;
}

impl ListEntry for String {
    fn text(&self) -> &str {
        self
    }
}

/// An object with a name, deserialized from an object only: derived code would also accept a list
/// of its fields.
pub(crate) trait Named {
    /// Returns what its length is measured by.
    fn name(&self) -> &str;
}

struct Object<T>(T);

impl<T: Named> ListEntry for Object<T> {
    fn text(&self) -> &str {
        self.0.name()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer).map(Self)
    }
}

/// Deserializes an object, and nothing else: derived code would also accept a list of its fields.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    struct ObjectVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }

    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

/// The largest integer that every JSON parser represents exactly.
pub const MAX_NUMBER: u64 = (1 << 53) - 1;

/// Deserializes an integer in any notation; `5.0` is one as well.
pub(crate) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<serde_json::Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "only numbers that are kept exactly"
    )]
    let whole = number.as_u64().or_else(|| {
        let float = number
            .as_f64()
            .filter(|float| float.fract() == 0.0 && (0.0..=MAX_NUMBER as f64).contains(float))?;
        Some(float as u64)
    });
    let whole = whole.filter(|whole| *whole <= MAX_NUMBER);
    whole.map(Some).ok_or_else(|| {
        serde::de::Error::custom(format!(
            "{number} is no whole number from 0 to {MAX_NUMBER}"
        ))
    })
}

/// Visitor that reads a list entry by entry.
struct Read<L, T>(PhantomData<(L, T)>);

impl<'de, L: List, T: Deserialize<'de> + ListEntry> Visitor<'de> for Read<L, T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list for `{}`", L::BOUND.field)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
        let mut list = Vec::new();
        loop {
            // The first entry beyond the bound is not read any more.
            let next = One(list.len(), PhantomData::<(L, T)>);
            match entries.next_element_seed(next)? {
                Some(entry) => list.push(entry),
                None => return Ok(list),
            }
        }
    }
}

impl<'de, L: List, T: Deserialize<'de> + ListEntry> DeserializeSeed<'de> for Read<L, T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

/// Seed for one entry, with the number of entries before it.
struct One<L, T>(usize, PhantomData<(L, T)>);

impl<'de, L: List, T: Deserialize<'de> + ListEntry> DeserializeSeed<'de> for One<L, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        L::BOUND.check_next(self.0).map_err(refused)?;
        let entry = T::deserialize(deserializer)?;
        L::BOUND.check_bytes(entry.text()).map_err(refused)?;
        Ok(entry)
    }
}

fn refused<E: serde::de::Error>(error: OutOfBounds) -> E {
    E::custom(error)
}

/// Deserializes a list of strings.
pub(crate) fn texts<'de, D: Deserializer<'de>, L: List>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Read::<L, String>(PhantomData).deserialize(deserializer)
}

/// Deserializes an optional list of strings.
pub(crate) fn maybe_texts<'de, D: Deserializer<'de>, L: List>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    struct Maybe<L>(PhantomData<L>);

    impl<'de, L: List> Visitor<'de> for Maybe<L> {
        type Value = Option<Vec<String>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list for `{}`, or null", L::BOUND.field)
        }

        fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Self::Value, D::Error> {
            texts::<D, L>(deserializer).map(Some)
        }
    }

    deserializer.deserialize_option(Maybe::<L>(PhantomData))
}

/// Deserializes a list of objects.
pub(crate) fn objects<'de, D: Deserializer<'de>, L: List, T: Deserialize<'de> + Named>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let list = Read::<L, Object<T>>(PhantomData).deserialize(deserializer)?;
    Ok(list.into_iter().map(|Object(entry)| entry).collect())
}

/// Deserializes a map of strings.
pub(crate) fn named_texts<'de, D: Deserializer<'de>, L: List>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct Map<L>(PhantomData<L>);

    impl<'de, L: List> Visitor<'de> for Map<L> {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an object for `{}`", L::BOUND.field)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            let mut read = 0;
            while let Some(name) = entries.next_key::<String>()? {
                // A duplicate key costs work as well.
                L::BOUND
                    .check_next(read)
                    .and_then(|()| L::BOUND.check_bytes(&name))
                    .map_err(A::Error::custom)?;
                read += 1;
                let value: String = entries.next_value()?;
                L::BOUND.check_bytes(&value).map_err(A::Error::custom)?;
                map.insert(name, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Map::<L>(PhantomData))
}
