//! Durations and sizes with units: how are they parsed and formatted?
//!
//! Durations are `10s`, `500ms`, `1us`; sizes are `256MiB`, `64KiB`. A bare number is refused,
//! since its unit would be a guess, and zero is refused, since elsewhere it often means
//! "unlimited".

use std::time::Duration;

/// The maximum duration: one week. It keeps deadline arithmetic far from overflow.
pub const MAX_DURATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The maximum size, in bytes: 1 TiB.
pub const MAX_SIZE: u64 = 1 << 40;

/// Duration units and their length in nanoseconds, longest first.
const DURATION_UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Size units and their length in bytes, largest first.
const SIZE_UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Common misspellings of units, with their likely meaning.
const MISSPELT_UNITS: [(&str, &str); 14] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minutes", "m"),
    ("hours", "h"),
    ("k", "KiB"),
    ("kb", "KiB"),
    ("mb", "MiB"),
    ("gb", "GiB"),
    ("g", "GiB"),
    ("tb", "TiB"),
];

/// An amount that could not be parsed, and a suggestion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .suggestion.as_ref().map(|s| format!("; try `{s}`")).unwrap_or_default())]
pub struct UnitError {
    /// The message, in one line.
    pub message: String,
    /// A valid amount that is close, if there is one.
    pub suggestion: Option<String>,
}

/// Parses a duration such as `10s`, `500ms`, `2m` or `1us`.
///
/// # Errors
///
/// A missing or unknown unit, zero, a sign, a fraction, or more than [`MAX_DURATION`].
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let max = u64::try_from(MAX_DURATION.as_nanos()).unwrap_or(u64::MAX);
    parse_amount(
        text,
        &Units {
            table: &DURATION_UNITS,
            max,
            example: "10s",
            guess: "s",
        },
    )
    .map(Duration::from_nanos)
}

/// Parses a size in bytes such as `256MiB`, `64KiB` or `512B`.
///
/// # Errors
///
/// A missing or unknown unit, zero, a sign, a fraction, or more than [`MAX_SIZE`].
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    parse_amount(
        text,
        &Units {
            table: &SIZE_UNITS,
            max: MAX_SIZE,
            example: "256MiB",
            guess: "MiB",
        },
    )
}

/// Formats a duration in the largest unit without a fraction: the inverse of [`parse_duration`].
pub fn show_duration(duration: Duration) -> String {
    show_amount(
        u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
        &DURATION_UNITS,
    )
}

/// Formats a size in the largest unit without a fraction: the inverse of [`parse_size`].
pub fn show_size(bytes: u64) -> String {
    show_amount(bytes, &SIZE_UNITS)
}

/// One family of units.
struct Units<'a> {
    table: &'a [(&'a str, u64)],
    max: u64,
    example: &'a str,
    /// The likely unit of a bare number.
    guess: &'a str,
}

fn parse_amount(text: &str, units: &Units<'_>) -> Result<u64, UnitError> {
    let fail = |message: String, suggestion: Option<String>| {
        Err(UnitError {
            message,
            suggestion,
        })
    };
    let shown = crate::text::quoted(text);
    let digits_end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(digits_end).unwrap_or((text, ""));
    if digits.is_empty() {
        let what = if text.starts_with('-') {
            "must not be negative"
        } else {
            "is not a whole number with a unit"
        };
        return fail(format!("{shown} {what}"), Some(units.example.to_owned()));
    }
    if unit.is_empty() {
        return fail(
            format!("{shown} has no unit"),
            (digits.len() < 16).then(|| format!("{digits}{}", units.guess)),
        );
    }
    let Some((_, factor)) = units.table.iter().find(|(name, _)| *name == unit) else {
        let known = units
            .table
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ");
        let meant = meant_unit(unit, units.table).map(|unit| format!("{digits}{unit}"));
        return fail(
            format!("{shown} has an unknown unit (known: {known})"),
            meant.or(Some(units.example.to_owned())),
        );
    };
    let amount = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(*factor));
    match amount {
        Some(0) => fail(
            format!("{shown} must be more than zero (zero never means unlimited)"),
            Some(units.example.to_owned()),
        ),
        Some(amount) if amount <= units.max => Ok(amount),
        _ => {
            let most = show_amount(units.max, units.table);
            fail(
                format!("{shown} is more than {most}, the largest possible"),
                Some(most),
            )
        }
    }
}

fn meant_unit<'a>(unit: &str, table: &[(&'a str, u64)]) -> Option<&'a str> {
    let unit = unit.trim();
    let alias = MISSPELT_UNITS
        .iter()
        .find(|(wrong, _)| wrong.eq_ignore_ascii_case(unit))
        .map(|(_, right)| *right);
    table
        .iter()
        .map(|(name, _)| *name)
        .find(|name| name.eq_ignore_ascii_case(unit) || Some(*name) == alias)
}

fn show_amount(amount: u64, table: &[(&str, u64)]) -> String {
    let fits = table
        .iter()
        .find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor));
    let (unit, factor) = fits.or(table.last()).copied().unwrap_or(("", 1));
    format!("{}{unit}", amount / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["10s", "500ms", "1us", "7ns", "2h", "90s"] {
            assert_eq!(show_duration(parse_duration(text).unwrap()), text);
        }
        for text in ["256MiB", "64KiB", "1GiB", "513B", "1TiB"] {
            assert_eq!(show_size(parse_size(text).unwrap()), text);
        }
    }

    #[test]
    fn refuses_with_a_suggestion() {
        for (text, meant) in [
            ("10", "10s"),
            ("10 s", "10s"),
            ("10S", "10s"),
            ("5min", "5m"),
            ("0s", "10s"),
            ("-1s", "10s"),
            ("8d", "10s"),
        ] {
            assert_eq!(
                parse_duration(text).unwrap_err().suggestion.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        for (text, meant) in [
            ("256", "256MiB"),
            ("256MB", "256MiB"),
            ("1gb", "1GiB"),
            ("2TiB", "1TiB"),
            ("1.5GiB", "256MiB"),
            ("", "256MiB"),
        ] {
            assert_eq!(
                parse_size(text).unwrap_err().suggestion.as_deref(),
                Some(meant),
                "{text}"
            );
        }
        assert!(parse_size("99999999999999999999GiB").is_err());
        assert!(parse_duration("1é").is_err());
    }
}
