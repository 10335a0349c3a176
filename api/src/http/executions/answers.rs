//! Responses with executions and artifacts: how is one sent?
//!
//! A large response is charged to the memory of its subject until it is sent, however slowly the client reads.

use super::answer_json;
use crate::http::App;
use crate::http::execution::execution_json;
use crate::http::problem::{Code, Problem};
use crate::http::store::ExecutionRow;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use glovebox::policy::Subject;

/// Size up to which a response is sent without charging memory; a connection has as much in its buffers.
const SMALL: usize = 64 << 10;

/// Returns the response with an execution.
///
/// # Errors
///
/// If there is no memory for it. The execution can be fetched later.
pub(super) fn answer_row(
    app: &App,
    subject: &Subject,
    row: &ExecutionRow,
) -> Result<Response, Problem> {
    let bytes = row.result.as_ref().map_or(0, String::len);
    if bytes <= SMALL {
        return Ok(answer_json(StatusCode::OK, execution_json(row)));
    }
    // The record is in memory as well for a moment.
    let mut taken = app.memory.take(subject, bytes.saturating_mul(2))?;
    let text = execution_json(row).into_bytes();
    taken.shrink_to(text.len());
    Ok((
        StatusCode::OK,
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        taken.with(text),
    )
        .into_response())
}

/// The requested range of a file.
pub(in crate::http) struct Part {
    whole: usize,
    /// `None` for the whole file.
    range: Option<std::ops::Range<usize>>,
}

impl Part {
    /// Parses the `Range` header for a file of `whole` bytes.
    ///
    /// # Errors
    ///
    /// If the range is not satisfiable.
    pub(in crate::http) fn of(headers: &HeaderMap, whole: usize) -> Result<Self, Problem> {
        let asked = headers
            .get(header::RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| range(text, whole));
        match asked {
            None => Ok(Self { whole, range: None }),
            Some(Some(range)) => Ok(Self {
                whole,
                range: Some(range),
            }),
            Some(None) => Err(Problem::new(
                Code::RangeNotSatisfiable,
                format!("the file has {whole} bytes"),
            )),
        }
    }

    /// Returns the byte range in the file.
    pub(in crate::http) fn range(&self) -> std::ops::Range<usize> {
        self.range.clone().unwrap_or(0..self.whole)
    }
}

/// Returns a range of a guest's file, with headers that keep browsers from rendering it.
pub(in crate::http) fn file(path: &str, part: &Part, content: Bytes) -> Response {
    let whole = part.whole;
    let (status, place) = match &part.range {
        None => (StatusCode::OK, None),
        Some(range) => {
            let place = format!(
                "bytes {}-{}/{whole}",
                range.start,
                range.end.saturating_sub(1)
            );
            (
                StatusCode::PARTIAL_CONTENT,
                HeaderValue::from_str(&place).ok(),
            )
        }
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    // Letters and digits only; all other bytes are percent-encoded, so that no name can inject a header.
    let encoded: String = name
        .bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    let mut response = (status, content).into_response();
    let own = response.headers_mut();
    own.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    own.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Ok(disposition) =
        HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
    {
        own.insert(header::CONTENT_DISPOSITION, disposition);
    }
    if let Some(place) = place {
        own.insert(header::CONTENT_RANGE, place);
    }
    response
}

/// Parses a range; `None` if it is in no supported form, which means the whole file, and `Some(None)` if it is not satisfiable.
fn range(text: &str, whole: usize) -> Option<Option<std::ops::Range<usize>>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", last) => {
            let length: usize = last.parse().ok()?;
            (length > 0).then(|| whole.saturating_sub(length)..whole)
        }
        (first, last) => {
            let first: usize = first.parse().ok()?;
            let end = if last.is_empty() {
                whole
            } else {
                last.parse::<usize>().ok()?.saturating_add(1).min(whole)
            };
            Some(first..end)
        }
    };
    Some(range.filter(|range| range.start < range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_within_the_file() {
        for (text, range) in [
            ("bytes=0-3", Some(Some(0..4))),
            ("bytes=5-", Some(Some(5..10))),
            ("bytes=-3", Some(Some(7..10))),
            ("bytes=-30", Some(Some(0..10))),
            ("bytes=8-100", Some(Some(8..10))),
            ("bytes=10-", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=5-2", Some(None)),
            ("bytes=0-1,3-4", None),
            ("items=0-1", None),
            ("bytes=a-b", None),
            ("bytes=99999999999999999999999-", None),
        ] {
            assert_eq!(super::range(text, 10), range, "{text}");
        }
    }

    #[test]
    fn names_of_guests_become_no_headers() {
        let part = Part::of(&HeaderMap::new(), 1).unwrap();
        let response = file("a/b\"\r\nSet-Cookie: x=1;ä.html", &part, "x".into());
        let disposition = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert_eq!(
            disposition,
            "attachment; filename*=UTF-8''b%22%0D%0ASet-Cookie%3A%20x%3D1%3B%C3%A4.html"
        );
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/octet-stream"
        );
    }
}
