//! JSON text: how is a value written, and how is text of a guest embedded?

use crate::encode::fits_when_harmless;
use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

/// Returns a SHA-256 digest in the notation that is used everywhere.
#[must_use]
pub fn sha256(content: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(&Sha256::digest(content))
}

/// Formats a time in milliseconds since 1970 (RFC 3339).
#[must_use]
pub fn timestamp(ms: i64) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    humantime::format_rfc3339_millis(time).to_string()
}

/// Serializes a value that is always valid JSON.
#[must_use]
pub fn to_json(value: &impl Serialize) -> String {
    // No value here has keys that are not strings, or can fail otherwise.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Serializes a value that is always valid JSON, to embed it in another one.
#[must_use]
pub fn raw_json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}

/// Serializes a value that is always valid JSON, on one line that drives no terminal: the control
/// characters that JSON allows and a terminal interprets are escaped.
#[must_use]
pub fn to_harmless_json(value: &impl Serialize) -> String {
    let mut text = Vec::with_capacity(1024);
    let mut serializer = Serializer::with_formatter(&mut text, Harmless);
    match value.serialize(&mut serializer) {
        Ok(()) => String::from_utf8(text).unwrap_or_else(|_| "null".to_owned()),
        Err(_) => "null".to_owned(),
    }
}

/// Escapes U+007F to U+009F. They only occur in strings, where the escape means the same.
struct Harmless;

impl Harmless {
    fn write<W: io::Write + ?Sized>(writer: &mut W, text: &str) -> io::Result<()> {
        // Nearly always there are none.
        if text.bytes().all(|byte| byte < 0x7f) {
            return writer.write_all(text.as_bytes());
        }
        for character in text.chars() {
            match u32::from(character) {
                code @ 0x7f..=0x9f => write!(writer, "\\u{code:04x}")?,
                _ => writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?,
            }
        }
        Ok(())
    }
}

impl Formatter for Harmless {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        Self::write(writer, fragment)
    }

    fn write_raw_fragment<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        Self::write(writer, fragment)
    }
}

/// Returns a guest's JSON on one line, as it wrote it: numbers beyond 64 bits and the order of keys
/// would not survive parsing. `None` if it is invalid, or would become several times as long.
pub(crate) fn guest_json(json: &str) -> Option<Cow<'_, RawValue>> {
    let raw: &RawValue = serde_json::from_str(json)
        .ok()
        .filter(|_| fits_when_harmless(json))?;
    // JSON may have line breaks between its tokens, but not inside strings.
    if json.contains(['\n', '\r']) {
        let line = raw.get().replace(['\n', '\r'], " ");
        RawValue::from_string(line).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guests_json_goes_in_whole_or_not_at_all() {
        for (json, expected) in [
            (
                "123456789012345678901234567890",
                Some("123456789012345678901234567890"),
            ),
            ("{\"b\":1,\n\"a\":[ ]}", Some("{\"b\":1, \"a\":[ ]}")),
            ("\"line\\nbreak\"", Some("\"line\\nbreak\"")),
            ("1} , {\"status\":\"succeeded\"", None),
            ("NaN", None),
            ("", None),
        ] {
            let raw = guest_json(json);
            assert_eq!(raw.as_ref().map(|raw| raw.get()), expected, "{json}");
        }
    }

    #[test]
    fn json_never_drives_a_terminal() {
        let raw = serde_json::from_str::<&RawValue>("\"\u{9b}5n \u{7f}\"").unwrap();
        let values: [&dyn erased::Value; 2] = [&"\u{1b}[2J \u{9b}5n \u{7f} \u{e9}", &raw];
        for value in values {
            let text = value.harmless();
            assert!(!text.chars().any(char::is_control), "{text}");
            assert_eq!(
                serde_json::from_str::<String>(&text).unwrap(),
                serde_json::from_str::<String>(&value.plain()).unwrap()
            );
        }
    }

    /// Values of several types in one table.
    mod erased {
        use super::*;

        pub(super) trait Value {
            fn harmless(&self) -> String;
            fn plain(&self) -> String;
        }

        impl<T: Serialize> Value for T {
            fn harmless(&self) -> String {
                to_harmless_json(self)
            }

            fn plain(&self) -> String {
                to_json(self)
            }
        }
    }
}
