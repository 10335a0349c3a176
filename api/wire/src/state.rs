//! Names of states: how is a state written and read?

/// A name that no state has.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a state")]
pub struct UnknownState(String);

/// Finds a state by its name.
pub(crate) fn find<T: Copy>(
    all: &[T],
    name_of: fn(T) -> &'static str,
    name: &str,
) -> Result<T, UnknownState> {
    let mut states = all.iter().copied();
    states
        .find(|state| name_of(*state) == name)
        .ok_or_else(|| UnknownState(name.to_owned()))
}

/// Implements `Display`, `Serialize` and `Deserialize` by `name` and `FromStr`.
macro_rules! state_as_text {
    ($state:ty) => {
        impl std::fmt::Display for $state {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl serde::Serialize for $state {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $state {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                name.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use state_as_text;
