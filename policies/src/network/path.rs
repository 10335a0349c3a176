//! URL path normalization (RFC 3986): what is the canonical form of a path?
//!
//! Rules that name paths are only as good as the agreement between this parser and the server's. So
//! a path that servers are known to read differently has no canonical form, and matches no rule
//! that names paths.

/// The maximum length of a path, in bytes.
const MAX_URL_PATH: usize = 8192;

/// Returns the path without its query, with unreserved characters decoded and dot segments removed.
///
/// # Errors
///
/// The reason why the path is ambiguous: encoded slashes or backslashes, double or broken encoding,
/// control characters, invalid UTF-8, empty segments, dot segments with parameters, or dot segments
/// that lead above the root.
pub(crate) fn canonical(path: &str) -> Result<String, &'static str> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.len() > MAX_URL_PATH {
        return Err("the path is too long");
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err("the path does not start with `/`");
    };
    let mut segments: Vec<String> = Vec::new();
    let mut parts = rest.split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        let segment = decode(part)?;
        match segment.as_str() {
            "" if last => segments.push(String::new()),
            "" => return Err("the path has an empty segment (`//`)"),
            "." if last => segments.push(String::new()),
            "." => {}
            ".." => {
                segments.pop().ok_or("the path leads above the root")?;
                if last {
                    segments.push(String::new());
                }
            }
            dots if matches!(dots.split(';').next(), Some("." | "..")) => {
                return Err("the path has a dot segment with parameters");
            }
            _ => segments.push(segment),
        }
    }
    Ok(format!("/{}", segments.join("/")))
}

/// Returns whether a canonical path is at or below a prefix, in whole segments.
pub(crate) fn starts_with(path: &str, prefix: &str) -> bool {
    match path.strip_prefix(prefix) {
        Some(rest) => prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// Decodes the unreserved characters of one segment and writes all other percent-encodings in upper
/// case.
fn decode(segment: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(segment.len());
    // All decoded bytes of the segment, to check that they are UTF-8.
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let (decoded, tail) =
                    percent(tail).ok_or("the path has a `%` without two hexadecimal digits")?;
                match decoded {
                    b'/' | b'\\' => return Err("the path has an encoded slash or backslash"),
                    0..=0x1f | 0x7f => return Err("the path has an encoded control character"),
                    b'%' if percent(tail).is_some() => return Err("the path is encoded twice"),
                    _ => {}
                }
                if decoded.is_ascii_alphanumeric() || b"-._~".contains(&decoded) {
                    out.push(char::from(decoded));
                } else {
                    out.push_str(&format!("%{decoded:02X}"));
                }
                bytes.push(decoded);
                rest = tail;
            }
            b'\\' | b'#' | 0..=b' ' | 0x7f..=0xff => {
                return Err("the path has a character that must be encoded");
            }
            plain => {
                out.push(char::from(plain));
                bytes.push(plain);
            }
        }
    }
    std::str::from_utf8(&bytes).map_err(|_| "the path's encoding is not UTF-8")?;
    Ok(out)
}

/// Decodes two hexadecimal digits; returns the byte and the rest.
fn percent(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(2)?;
    let [high, low] = digits else { return None };
    let value = char::from(*high).to_digit(16)? * 16 + char::from(*low).to_digit(16)?;
    u8::try_from(value).ok().map(|value| (value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling() {
        for (path, expected) in [
            ("/v1/a?x=/../..", "/v1/a"),
            ("/v1/%61%2e%2E", "/v1/a.."),
            ("/v1/./a/../b", "/v1/b"),
            ("/v1/%2e%2e/b/", "/b/"),
            ("/a/..", "/"),
            ("/", "/"),
            ("/%c3%a9 ".trim_end(), "/%C3%A9"),
            ("/100%25", "/100%25"),
        ] {
            assert_eq!(canonical(path).as_deref(), Ok(expected), "{path}");
        }
    }

    #[test]
    fn two_readings_have_none() {
        for path in [
            "",
            "v1",
            "/v1%2fadmin",
            "/v1/..%5cadmin",
            "/a\\b",
            "/%252e%252e/",
            "/%",
            "/%zz",
            "/%00",
            "/a//b",
            "/../x",
            "/v1/..;/admin",
            "/%c0%ae%c0%ae/",
            "/é",
            "/a b",
            "/a#b",
            "/a\n",
        ] {
            assert!(canonical(path).is_err(), "{path}");
        }
    }

    #[test]
    fn prefixes_are_whole_segments() {
        assert!(
            starts_with("/v1/x", "/v1/")
                && starts_with("/v1/x", "/v1")
                && starts_with("/v1", "/v1")
        );
        assert!(!starts_with("/v1", "/v1/") && !starts_with("/v1evil", "/v1"));
    }
}
