//! Amounts in a config: how are durations, sizes and counts written and parsed?

use std::fmt;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::spanned::Spanned;
use crate::limits::{Amount, MAX_COUNT};
use crate::problem::Problems;
use crate::units::{UnitError, parse_duration, parse_size};

/// A number or string of the file; the type that a key takes is checked later, so that the error
/// can suggest the right spelling.
pub(crate) enum Scalar {
    Text(String),
    Integer(i64),
    Float(f64),
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar::Float(number))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

/// Declares an amount with the JSON Schema of its spelling.
macro_rules! amount {
    ($(#[doc = $doc:literal])+ $name:ident, $schema_name:literal, $schema:expr) => {
        $(#[doc = $doc])+
        #[derive(Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(Spanned<Scalar>);

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $schema_name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }

        impl<'a> From<&'a $name> for RawAmount<'a> {
            fn from(raw: &'a $name) -> Self {
                RawAmount { value: raw.0.get(), span: raw.0.span() }
            }
        }
    };
}

/// An amount as it is written, with its span.
pub(crate) struct RawAmount<'a> {
    pub(crate) value: &'a Scalar,
    pub(crate) span: Range<usize>,
}

amount! {
    /// A duration.
    RawTime, "Duration", json_schema!({
        "type": "string",
        "pattern": "^[0-9]+(ns|us|ms|s|m|h)$",
        "examples": ["10s", "500ms", "1us"],
        "description": "A whole number with a unit: ns, us, ms, s, m (minutes) or h. More than zero, at most one week.",
    })
}

amount! {
    /// A size in bytes.
    RawBytes, "Size", json_schema!({
        "type": "string",
        "pattern": "^[0-9]+(B|KiB|MiB|GiB|TiB)$",
        "examples": ["256MiB", "64KiB"],
        "description": "A whole number with a unit: B, KiB, MiB, GiB or TiB. More than zero, at most 1TiB.",
    })
}

amount! {
    /// A number of things.
    RawCount, "Count", json_schema!({
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_COUNT,
        "description": "A whole number, more than zero. Underscores may group digits: 20_000_000_000.",
    })
}

/// Parses an amount of the same kind as `like`.
pub(crate) fn parse_amount(
    like: Amount,
    raw: &RawAmount<'_>,
    problems: &mut Problems<'_>,
) -> Option<Amount> {
    let read = match (like, raw.value) {
        (Amount::Time(_), Scalar::Text(text)) => parse_duration(text).map(Amount::Time),
        (Amount::Bytes(_), Scalar::Text(text)) => parse_size(text).map(Amount::Bytes),
        (Amount::Time(_), Scalar::Integer(number)) => {
            parse_duration(&number.to_string()).map(Amount::Time)
        }
        (Amount::Bytes(_), Scalar::Integer(number)) => {
            parse_size(&number.to_string()).map(Amount::Bytes)
        }
        (Amount::Time(_) | Amount::Bytes(_), Scalar::Float(_)) => {
            let suggestion = if matches!(like, Amount::Time(_)) {
                "1500ms"
            } else {
                "512KiB"
            };
            Err(UnitError {
                message: "fractions are not known; use a smaller unit".to_owned(),
                suggestion: Some(suggestion.to_owned()),
            })
        }
        (Amount::Count(_), value) => parse_count(value).map(Amount::Count),
    };
    read.map_err(|error| problems.add(&raw.span, error.message, error.suggestion))
        .ok()
}

fn parse_count(value: &Scalar) -> Result<u64, UnitError> {
    let fail = |message: String, suggestion: Option<String>| {
        Err(UnitError {
            message,
            suggestion,
        })
    };
    match value {
        Scalar::Integer(number) => match u64::try_from(*number) {
            Ok(0) => fail(
                "`0` must be more than zero (zero never means unlimited)".to_owned(),
                None,
            ),
            Ok(number) if number <= MAX_COUNT => Ok(number),
            Ok(number) => fail(
                format!("`{number}` is more than {MAX_COUNT}, the largest possible"),
                Some(MAX_COUNT.to_string()),
            ),
            Err(_) => fail(format!("`{number}` must not be negative"), None),
        },
        Scalar::Float(number) => {
            let whole = (number.fract() == 0.0 && (1.0..1e12).contains(number))
                .then(|| format!("{number:.0}"));
            fail("a count is a whole number".to_owned(), whole)
        }
        Scalar::Text(text) => {
            let bare = text.replace('_', "");
            fail(
                "a count is a number without quotes or unit".to_owned(),
                bare.parse::<u64>().is_ok().then_some(bare),
            )
        }
    }
}
