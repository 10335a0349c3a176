//! Bounded JSON encoding: how does output of a guest become JSON that is not many times larger?
//!
//! A control character takes six bytes in JSON, and bytes that are not UTF-8 need base64. So
//! everything that a guest controls is measured before it is encoded: JSON takes at most twice the
//! bytes, plus 4 KiB.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serializer;
use std::borrow::Cow;

/// Bytes by which JSON may exceed twice the length of its content.
const SLACK: usize = 4 << 10;

/// The mark at the end of a truncated text.
const CUT: &str = "…";

/// Returns the bytes that a text takes inside a JSON string, with the escapes that are used here.
fn json_length(text: &str) -> usize {
    let extra: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
            0..=0x1f | 0x7f => 5,
            // The first byte of U+0080 to U+009F, which are escaped, and of U+00A0 to U+00BF, which
            // are as long as two bytes.
            0xc2 => 4,
            _ => 0,
        })
        .sum();
    text.len() + extra
}

/// The same for one of many texts in a document, or for one chunk of a text.
const SHORT_SLACK: usize = 64;

fn fits_with(slack: usize, json: usize, bytes: usize) -> bool {
    json <= bytes.saturating_mul(2).saturating_add(slack)
}

fn fits(json: usize, bytes: usize) -> bool {
    fits_with(SLACK, json, bytes)
}

/// Bytes as text, as base64, or as both.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Encoded<'a> {
    /// The part that is text; empty if only base64 is short enough.
    pub(crate) text: Cow<'a, str>,
    /// All bytes, if the text does not represent them.
    pub(crate) base64: Option<String>,
}

/// Encodes bytes: as text if they are UTF-8, else as text and base64, and as base64 alone if both
/// would be too long.
pub(crate) fn encode(bytes: &[u8]) -> Encoded<'_> {
    encode_with(SLACK, bytes)
}

/// Encodes one of many chunks like [`encode`]: each has its own bound, so that many small ones do
/// not add up to more.
pub(crate) fn encode_piece(bytes: &[u8]) -> Encoded<'_> {
    encode_with(SHORT_SLACK, bytes)
}

fn encode_with(slack: usize, bytes: &[u8]) -> Encoded<'_> {
    let text = String::from_utf8_lossy(bytes);
    let length = json_length(&text);
    let is_text = matches!(text, Cow::Borrowed(_));
    if is_text && fits_with(slack, length, bytes.len()) {
        return Encoded { text, base64: None };
    }
    let base64 = STANDARD.encode(bytes);
    let text = if !is_text && fits_with(slack, length + base64.len(), bytes.len()) {
        text
    } else {
        "".into()
    };
    Encoded {
        text,
        base64: Some(base64),
    }
}

/// Bounds a text that has no other form: it is truncated if its escapes would make it too long.
pub(crate) fn bounded(text: &str) -> Cow<'_, str> {
    bounded_with(SLACK, text)
}

/// Serializes one of many texts in a document like [`bounded`]: names of files, findings.
pub(crate) fn one_of_many<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&bounded_piece(text))
}

/// Bounds one of many short texts like [`bounded`].
pub(crate) fn bounded_piece(text: &str) -> Cow<'_, str> {
    bounded_with(SHORT_SLACK, text)
}

fn bounded_with(slack: usize, text: &str) -> Cow<'_, str> {
    if fits_with(slack, json_length(text), text.len()) {
        return text.into();
    }
    let most = text.len() * 2 + slack - CUT.len();
    let mut length = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        length += json_length(character.encode_utf8(&mut [0; 4]));
        (length > most).then_some(at)
    });
    let kept = end.and_then(|end| text.get(..end)).unwrap_or(text);
    format!("{kept}{CUT}").into()
}

/// Whether JSON of a guest is short enough once the control characters that a terminal interprets
/// are escaped.
pub(crate) fn fits_when_harmless(json: &str) -> bool {
    let extra: usize = json
        .bytes()
        .map(|byte| {
            if byte == 0x7f {
                5
            } else if byte == 0xc2 {
                4
            } else {
                0
            }
        })
        .sum();
    fits(json.len() + extra, json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{to_harmless_json, to_json};

    fn kinds() -> Vec<(&'static str, Vec<u8>)> {
        let large = |bytes: &[u8]| bytes.iter().copied().cycle().take(100_000).collect();
        vec![
            ("empty", Vec::new()),
            ("text", large(b"plain text\n")),
            ("quotes", large(b"\"\\")),
            ("control", large(b"\x01")),
            ("zeros", large(b"\0")),
            ("delete", large(b"\x7f")),
            ("c1", "\u{9b}".repeat(50_000).into_bytes()),
            (
                "latin-1",
                large("é".as_bytes())
                    .into_iter()
                    .map(|byte| byte | 0x80)
                    .collect(),
            ),
            ("one bad byte", [large(b"text "), vec![0xff]].concat()),
            ("bad bytes", large(b"\xff")),
            ("halves of characters", large(b"\xe2\x82")),
            ("emoji", "🧤".repeat(25_000).into_bytes()),
            ("lines", large(b"\r\n")),
            ("terminal", large(b"\x1b[31mred\x1b[0m ")),
            (
                "spaces that do not break",
                "\u{a0}".repeat(50_000).into_bytes(),
            ),
        ]
    }

    #[test]
    fn json_is_at_most_twice_as_long() {
        for (kind, bytes) in kinds() {
            let Encoded { text, base64 } = encode(&bytes);
            let json = to_harmless_json(&text).len() + base64.as_ref().map_or(0, String::len);
            assert!(
                json <= 2 * bytes.len() + SLACK + 2,
                "{kind}: {json} for {}",
                bytes.len()
            );
            let piece = encode_piece(&bytes);
            let json =
                to_harmless_json(&piece.text).len() + piece.base64.as_ref().map_or(0, String::len);
            assert!(
                json <= 2 * bytes.len() + SHORT_SLACK + 2,
                "{kind}: a piece of {json} for {}",
                bytes.len()
            );
            // Nothing is lost.
            match base64 {
                None => assert_eq!(text.as_bytes(), bytes, "{kind}"),
                Some(base64) => assert_eq!(STANDARD.decode(base64).unwrap(), bytes, "{kind}"),
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let json = to_harmless_json(&bounded(&text)).len();
            assert!(
                json <= 2 * text.len() + SLACK + 2,
                "{kind}: {json} for {}",
                text.len()
            );
        }
    }

    #[test]
    fn pieces_of_any_size_come_to_no_more() {
        for size in [1, 7, 63, 500, 4096] {
            for byte in [0x01, 0xff, b'"', b'x'] {
                let bytes = vec![byte; size];
                let Encoded { text, base64 } = encode_piece(&bytes);
                let json = to_json(&text).len() + base64.as_ref().map_or(0, String::len);
                assert!(
                    json <= 2 * size + SHORT_SLACK + 2,
                    "{size} of {byte:#x}: {json}"
                );
            }
            let name = "\u{1}".repeat(size);
            assert!(
                to_json(&bounded_with(SHORT_SLACK, &name)).len() <= 2 * size + SHORT_SLACK + 2,
                "{size}"
            );
        }
        assert_eq!(
            encode_piece(b"\x1b[31mred\x1b[0m\n").base64,
            None,
            "colours stay text"
        );
    }

    #[test]
    fn short_or_plain_text_stays_unchanged() {
        assert_eq!(
            encode(b"text\x1b[0m"),
            Encoded {
                text: "text\u{1b}[0m".into(),
                base64: None
            }
        );
        assert_eq!(
            encode(b"\xff\x00"),
            Encoded {
                text: "\u{fffd}\0".into(),
                base64: Some("/wA=".to_owned())
            }
        );
        assert_eq!(bounded("\u{1}"), "\u{1}");
        assert!(bounded(&"\u{1}".repeat(100_000)).ends_with(CUT));
        assert!(
            fits_when_harmless("[1]")
                && !fits_when_harmless(&format!("\"{}\"", "\u{9b}".repeat(50_000)))
        );
    }
}
