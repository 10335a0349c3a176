//! Responses: how are executions, files and pages sent?
//!
//! A large response is charged to the memory of its subject until it is sent, however slowly the
//! client reads.

use crate::places::ChargedBody;
use crate::problem::Problem;
use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use glovebox_policy::Subject;
use glovebox_service::{Code, ExecutionRow, Memory, ServiceError};
use std::sync::Arc;

/// Size up to which a response is sent without charging memory; a connection has as much in its
/// buffers.
const UNCHARGED_BYTES: usize = 64 << 10;

/// Default page size of lists.
const PAGE: u32 = 50;

/// Returns a response whose body is JSON already.
pub(crate) fn json(status: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // With those that every response gets.
    headers.reserve(12);
    let kind = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, kind);
    response
}

/// Marks a response whose body is charged already.
#[derive(Clone, Copy)]
pub(crate) struct Charged;

/// Charges the memory of a response until it is sent. Without memory for it the response is a
/// problem; what the request has done stays done.
pub(crate) fn charged(memory: &Arc<Memory>, subject: &Subject, mut response: Response) -> Response {
    let bytes = response.body().size_hint().exact().unwrap_or(0);
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes <= UNCHARGED_BYTES || response.extensions_mut().remove::<Charged>().is_some() {
        return response;
    }
    match memory.take(subject, bytes) {
        Ok(charge) => response.map(|body| Body::new(ChargedBody::new(body, charge))),
        Err(why) => Problem::from(why).into_response(),
    }
}

/// Returns a response with bytes that hold their charge.
pub(crate) fn with_charge(mut response: Response) -> Response {
    response.extensions_mut().insert(Charged);
    response
}

/// Adds a header with the URL of the resource.
pub(crate) fn with_location(mut response: Response, name: HeaderName, address: &str) -> Response {
    if let Ok(location) = HeaderValue::from_str(address) {
        response.headers_mut().insert(name, location);
    }
    response
}

/// Returns the response with an execution.
///
/// # Errors
///
/// If there is no memory for it. The execution can be fetched later.
pub(crate) fn execution(
    memory: &Arc<Memory>,
    subject: &Subject,
    row: &ExecutionRow,
) -> Result<Response, Problem> {
    let bytes = row.result_bytes();
    if bytes <= UNCHARGED_BYTES {
        return Ok(json(StatusCode::OK, row.body().to_json()));
    }
    // The record is in memory as well for a moment.
    let mut charge = memory.take(subject, bytes.saturating_mul(2))?;
    let text = row.body().to_json().into_bytes();
    charge.shrink_to(text.len());
    Ok(with_charge(json(StatusCode::OK, charge.with(text))))
}

/// Returns the size of a page.
pub(crate) fn page_size(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(PAGE);
    if (1..=500).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::new(Code::Invalid, "`limit` is 1 to 500"))
    }
}

/// Returns the cursor of the page after an entry, by its time and its id.
pub(crate) fn cursor(ms: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{ms} {id}"))
}

/// Parses a cursor.
pub(crate) fn read_cursor(cursor: &str) -> Result<(i64, String), Problem> {
    let read = || {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
        let (ms, id) = text.split_once(' ')?;
        // A NUL, which databases refuse in text, is in no valid cursor.
        (!id.contains('\0')).then_some((ms.parse().ok()?, id.to_owned()))
    };
    read().ok_or_else(|| Problem::not_found("page; `cursor` is none that a list has given"))
}

/// The requested range of a file.
pub(crate) struct Part {
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
    pub(crate) fn of(headers: &HeaderMap, whole: usize) -> Result<Self, ServiceError> {
        let asked = headers
            .get(header::RANGE)
            .and_then(|value| value.to_str().ok())
            .map_or(ByteRange::Whole, |text| ByteRange::parse(text, whole));
        match asked {
            ByteRange::Whole => Ok(Self { whole, range: None }),
            ByteRange::Part(range) => Ok(Self {
                whole,
                range: Some(range),
            }),
            ByteRange::Unsatisfiable => Err(ServiceError::new(
                Code::RangeNotSatisfiable,
                format!("the file has {whole} bytes"),
            )),
        }
    }

    /// Returns the byte range in the file.
    pub(crate) fn range(&self) -> std::ops::Range<usize> {
        self.range.clone().unwrap_or(0..self.whole)
    }
}

/// Returns a range of a guest's file, with headers that keep browsers from rendering it.
pub(crate) fn file(path: &str, part: &Part, content: Bytes) -> Response {
    let whole = part.whole;
    let (status, range) = match &part.range {
        None => (StatusCode::OK, None),
        Some(range) => {
            let range = format!(
                "bytes {}-{}/{whole}",
                range.start,
                range.end.saturating_sub(1)
            );
            (
                StatusCode::PARTIAL_CONTENT,
                HeaderValue::from_str(&range).ok(),
            )
        }
    };
    let name = path.rsplit('/').next().unwrap_or_default();
    // Letters and digits only; all other bytes are percent-encoded, so that no name can inject a
    // header.
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
    let mut response = with_charge((status, content).into_response());
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
    if let Some(range) = range {
        own.insert(header::CONTENT_RANGE, range);
    }
    response
}

/// The range of a file that a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
enum ByteRange {
    /// There is no header, or in no supported form, which then has no effect.
    Whole,
    /// These bytes.
    Part(std::ops::Range<usize>),
    /// The file has none of the bytes.
    Unsatisfiable,
}

impl ByteRange {
    /// Parses a header for a file of `whole` bytes.
    fn parse(text: &str, whole: usize) -> Self {
        match bounds(text, whole) {
            None => Self::Whole,
            Some(range) if range.start < range.end => Self::Part(range),
            Some(_) => Self::Unsatisfiable,
        }
    }
}

/// Returns the bounds of a range, which may be empty; `None` if its form is not supported.
fn bounds(text: &str, whole: usize) -> Option<std::ops::Range<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some(match (first.trim(), last.trim()) {
        ("", last) => {
            let length: usize = last.parse().ok()?;
            whole.saturating_sub(length)..whole
        }
        (first, "") => first.parse().ok()?..whole,
        (first, last) => {
            let last: usize = last.parse().ok()?;
            first.parse().ok()?..last.saturating_add(1).min(whole)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_only_what_was_given_out() {
        assert_eq!(
            read_cursor(&cursor(5, "run_1")).unwrap(),
            (5, "run_1".to_owned())
        );
        for wrong in [
            "",
            "x",
            "!!",
            &URL_SAFE_NO_PAD.encode("a b"),
            &URL_SAFE_NO_PAD.encode("1 \0"),
        ] {
            assert!(read_cursor(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ranges_are_within_the_file() {
        for (text, range) in [
            ("bytes=0-3", ByteRange::Part(0..4)),
            ("bytes=5-", ByteRange::Part(5..10)),
            ("bytes=-3", ByteRange::Part(7..10)),
            ("bytes=-30", ByteRange::Part(0..10)),
            ("bytes=8-100", ByteRange::Part(8..10)),
            ("bytes=10-", ByteRange::Unsatisfiable),
            ("bytes=-0", ByteRange::Unsatisfiable),
            ("bytes=5-2", ByteRange::Unsatisfiable),
            ("bytes=0-1,3-4", ByteRange::Whole),
            ("items=0-1", ByteRange::Whole),
            ("bytes=a-b", ByteRange::Whole),
            ("bytes=99999999999999999999999-", ByteRange::Whole),
        ] {
            assert_eq!(ByteRange::parse(text, 10), range, "{text}");
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
