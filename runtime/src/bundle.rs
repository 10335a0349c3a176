//! MIME bundles: in which formats does a program show a result?
//!
//! As in Jupyter, a result is one value in several formats, by media type: text, JSON, or bytes as
//! base64. It comes from the program and is untrusted: its size and structure are checked here, and
//! nothing interprets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// Formats of one result.
const MAX_FORMATS: usize = 16;

/// Bytes of a media type.
const MAX_MEDIA_TYPE: usize = 127;

/// Nested arrays and objects in JSON of a result; below what strict readers accept.
const MAX_DEPTH: usize = 100;

/// Characters of a name that an error shows.
const MAX_SHOWN: usize = 100;

/// Characters of an error; serde's quote what they do not know.
const MAX_ERROR: usize = 300;

/// Results of one run; protects the host from many small ones.
pub const MAX_RESULTS: usize = 1000;

/// A result that can be looked at: one value in one or more formats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MimeBundle {
    /// The way in which it was shown.
    pub origin: BundleOrigin,
    /// Its formats.
    pub data: Formats,
}

/// The way in which a result was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BundleOrigin {
    /// It is the value of the last expression.
    Value,
    /// The program displayed it.
    Display,
}

/// The formats of a result, in the order in which the program gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Formats(Vec<Format>);

/// One format of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The media type, such as `text/html` or `image/png`.
    pub media_type: String,
    /// The result in this format.
    pub content: FormatContent,
}

/// A result in one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatContent {
    /// Text: `text/*`, SVG and other XML, programs.
    Text(String),
    /// JSON text, of `application/json` and types that end in `+json`.
    Json(String),
    /// Bytes: pictures, PDF, and every other type. In JSON they are base64.
    Bytes(Vec<u8>),
}

impl Formats {
    /// Returns the formats.
    #[must_use]
    pub fn as_slice(&self) -> &[Format] {
        &self.0
    }

    /// Returns the content of a media type.
    #[must_use]
    pub fn get(&self, media_type: &str) -> Option<&FormatContent> {
        let format = self.0.iter().find(|format| format.media_type == media_type);
        format.map(|format| &format.content)
    }
}

impl FormatContent {
    /// Returns the bytes of it: text in UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) | Self::Json(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// The reason why a result is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a result has no such form: {0}")]
pub struct BundleError(String);

impl MimeBundle {
    /// Parses a result, such as `{"origin": "display", "data": {"text/plain": "42"}}`.
    ///
    /// # Errors
    ///
    /// If the JSON, a media type or base64 is malformed.
    pub fn parse(json: &str) -> Result<Self, BundleError> {
        serde_json::from_str(json)
            .map_err(|error| BundleError(error.to_string().chars().take(MAX_ERROR).collect()))
    }

    /// Returns it as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Its keys are strings, and its JSON was valid.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the bytes of its formats.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let formats = self.data.0.iter();
        formats
            .map(|format| format.media_type.len() + format.content.as_bytes().len())
            .sum()
    }
}

/// The way in which a media type is written in JSON.
#[derive(Clone, Copy)]
enum Notation {
    Text,
    Json,
    Base64,
}

impl Notation {
    fn of(media_type: &str) -> Self {
        if media_type == "application/json" || media_type.ends_with("+json") {
            Self::Json
        } else if media_type.starts_with("text/")
            || media_type.ends_with("+xml")
            || matches!(
                media_type,
                "application/javascript" | "application/xml" | "application/x-latex"
            )
        {
            Self::Text
        } else {
            Self::Base64
        }
    }
}

/// Returns valid JSON on one line, as it was written: numbers beyond 64 bits and the order of keys
/// would not survive parsing. Fails if it is nested too deeply.
fn one_line(json: &str) -> Result<String, String> {
    let (mut depth, mut deepest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest > MAX_DEPTH {
        return Err(format!("JSON is nested {deepest} deep, not {MAX_DEPTH}"));
    }
    // JSON may have line breaks between its tokens, but not inside strings.
    Ok(json.replace(['\n', '\r'], " "))
}

/// Returns whether a text is a media type without parameters (RFC 6838).
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= MAX_MEDIA_TYPE
        && text
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

impl<'de> Deserialize<'de> for Formats {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Formats;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from media types to their content")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Formats, A::Error> {
                let mut formats: Vec<Format> = Vec::new();
                while let Some(media_type) = map.next_key::<String>()? {
                    if !is_media_type(&media_type) {
                        let shown: String = media_type.chars().take(MAX_SHOWN).collect();
                        return Err(A::Error::custom(format_args!(
                            "`{}` is no media type",
                            shown.escape_debug()
                        )));
                    }
                    if formats.len() == MAX_FORMATS
                        || formats.iter().any(|known| known.media_type == media_type)
                    {
                        return Err(A::Error::custom(format_args!(
                            "it has at most {MAX_FORMATS} formats, each once"
                        )));
                    }
                    let content = match Notation::of(&media_type) {
                        Notation::Text => FormatContent::Text(map.next_value()?),
                        Notation::Json => {
                            let raw: &RawValue = map.next_value()?;
                            FormatContent::Json(one_line(raw.get()).map_err(A::Error::custom)?)
                        }
                        Notation::Base64 => {
                            let mut text: String = map.next_value()?;
                            // Encoders for mail break lines.
                            text.retain(|character| !matches!(character, '\n' | '\r'));
                            FormatContent::Bytes(STANDARD.decode(text).map_err(|error| {
                                A::Error::custom(format_args!("`{media_type}`: {error}"))
                            })?)
                        }
                    };
                    formats.push(Format {
                        media_type,
                        content,
                    });
                }
                if formats.is_empty() {
                    return Err(A::Error::custom("it has no format"));
                }
                Ok(Formats(formats))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

impl Serialize for Formats {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for Format {
            media_type,
            content,
        } in &self.0
        {
            match content {
                FormatContent::Text(text) => map.serialize_entry(media_type, text)?,
                FormatContent::Json(json) => {
                    let raw: Option<&RawValue> = serde_json::from_str(json).ok();
                    map.serialize_entry(media_type, &raw)?;
                }
                FormatContent::Bytes(bytes) => {
                    map.serialize_entry(media_type, &STANDARD.encode(bytes))?;
                }
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_is_the_same_after_a_round_trip() {
        let json = r#"{"origin":"display","data":{"text/plain":"é","image/png":"iVBORw==","application/json":{"b":[1,2.5,null,1e400],"a":123456789012345678901234567890},"image/svg+xml":"<svg/>","application/vnd.x+json":[]}}"#;
        let bundle = MimeBundle::parse(json).unwrap();
        assert_eq!(
            bundle.data.get("image/png"),
            Some(&FormatContent::Bytes(b"\x89PNG".to_vec()))
        );
        assert_eq!(
            MimeBundle::parse(&bundle.to_json()).unwrap(),
            bundle,
            "{}",
            bundle.to_json()
        );
        assert_eq!(bundle.to_json(), json);
        let lines = r#"{"origin":"value","data":{"application/json":"#;
        let bundle = MimeBundle::parse(&format!("{lines}[\n1,\r\n\"a\\n[\"]}}}}")).unwrap();
        assert_eq!(bundle.to_json(), format!("{lines}[ 1,  \"a\\n[\"]}}}}"));
    }

    #[test]
    fn malformed_bundles_are_refused() {
        let many: Vec<String> = (0..17).map(|n| format!("\"text/a{n}\":\"\"")).collect();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for data in [
            r#""#.to_owned(),
            r#""text":"x""#.to_owned(),
            r#""text/":"x""#.to_owned(),
            r#""text/plain; charset=x":"x""#.to_owned(),
            r#""text/\u001b[2J":"x""#.to_owned(),
            r#""text/plain":1"#.to_owned(),
            r#""text/plain":"x","text/plain":"y""#.to_owned(),
            r#""image/png":"not base64!""#.to_owned(),
            r#""application/json":NaN"#.to_owned(),
            format!("\"application/json\":{deep}"),
            "\"application/json\":[1,}".to_owned(),
            format!("\"text/{}\":\"x\"", "a".repeat(200)),
            many.join(","),
        ] {
            let json = format!("{{\"origin\":\"value\",\"data\":{{{data}}}}}");
            assert!(MimeBundle::parse(&json).is_err(), "{json}");
        }
        for json in ["", "[]", r#"{"data":{"text/plain":"x"}}"#] {
            assert!(MimeBundle::parse(json).is_err(), "{json}");
        }
    }
}
