//! Strict HTTP/1.1 framing: where does a request end, so that no two parsers disagree?
//!
//! RFC 9112 lets a server accept a bare LF as a line terminator, repeated `Content-Length`, or
//! `Transfer-Encoding` beside it, and the parser does. A proxy in front may read any of them
//! otherwise, and then the two disagree about where a request ends (request smuggling). This filter
//! follows each message only as far as its framing goes: lines of the head, a body of a known
//! length, or chunks. Malformed bytes do not reach the parser, and nothing that follows on that
//! connection does. In a head, the parser gets what it answers with 400; in a body, the reader gets
//! an error, which is answered with 400.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a line that are examined; names and values that matter are shorter.
const KEPT: usize = 128;

/// Bytes that the parser gets for the rest of a malformed head. It refuses the first byte anywhere,
/// and parses only once a head ends.
const REFUSED: &[u8] = b"\0\r\n\r\n";

/// The position of the next byte in the messages of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the request line, or before it.
    Start,
    /// In the header fields.
    Fields,
    /// In a body with so many bytes left.
    Body(u64),
    /// In the line with the size of a chunk.
    ChunkSize,
    /// In a chunk, its CRLF included.
    Chunk(u64),
    /// In the trailer fields.
    Trailers,
    /// In a protocol other than HTTP, after an upgrade.
    Opaque,
    /// After malformed bytes; these are what the parser still gets instead, before an error.
    Malformed(&'static [u8]),
}

/// A framing error: two parsers could disagree where the message ends.
#[derive(Debug)]
struct Malformed;

/// State machine of the framing of requests.
#[derive(Debug)]
struct Framing {
    at: At,
    line: Vec<u8>,
    /// The last byte was CR.
    after_cr: bool,
    /// The last byte of the request line, which ends with its version, is a 1.
    is_http_11: bool,
    length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
}

impl Framing {
    fn new() -> Self {
        Self {
            at: At::Start,
            line: Vec::new(),
            after_cr: false,
            is_http_11: false,
            length: None,
            is_chunked: false,
            is_upgrade: false,
        }
    }

    /// Advances over what was read; returns how many bytes of it may reach the parser.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        let mut passed = 0;
        while let Some(rest) = bytes.get(passed..).filter(|rest| !rest.is_empty()) {
            passed += match self.at {
                At::Opaque => rest.len(),
                At::Malformed(_) => return passed,
                At::Body(left) => {
                    let (count, left) = skip(rest, left);
                    self.at = if left == 0 { At::Start } else { At::Body(left) };
                    count
                }
                At::Chunk(left) => {
                    let (count, left) = skip(rest, left);
                    self.at = if left == 0 {
                        At::ChunkSize
                    } else {
                        At::Chunk(left)
                    };
                    count
                }
                At::Start | At::Fields | At::ChunkSize | At::Trailers => self.line(rest),
            };
        }
        passed
    }

    /// Advances to the end of a line; returns how many bytes may pass.
    fn line(&mut self, bytes: &[u8]) -> usize {
        // Bytes without a meaning here are examined in one go, and are nearly all of a head.
        let plain = if self.after_cr { 0 } else { plain(bytes) };
        let text = bytes.get(..plain).unwrap_or_default();
        if let (At::Start, Some(last)) = (self.at, text.last()) {
            self.is_http_11 = *last == b'1';
        }
        let kept = text.len().min(KEPT - self.line.len());
        self.line
            .extend_from_slice(text.get(..kept).unwrap_or_default());
        match bytes.get(plain) {
            None => plain,
            Some(b'\r') if !self.after_cr => {
                self.after_cr = true;
                plain + 1
            }
            Some(b'\n') if self.after_cr => {
                self.after_cr = false;
                if self.ended().is_err() {
                    self.refuse();
                    return plain;
                }
                self.line.clear();
                plain + 1
            }
            // A bare LF or CR, or another control character.
            Some(_) => {
                self.refuse();
                plain
            }
        }
    }

    fn refuse(&mut self) {
        let is_head = matches!(self.at, At::Start | At::Fields);
        self.at = At::Malformed(if is_head { REFUSED } else { b"" });
    }

    fn ended(&mut self) -> Result<(), Malformed> {
        let is_empty = self.line.is_empty();
        self.at = match self.at {
            // Empty lines before a request are skipped, as the parser does.
            At::Start if is_empty => At::Start,
            At::Start => {
                (self.length, self.is_chunked, self.is_upgrade) = (None, false, false);
                At::Fields
            }
            At::Fields if is_empty => self.after_head(),
            At::Fields => {
                self.field()?;
                At::Fields
            }
            At::ChunkSize => match chunk_size(&self.line)? {
                0 => At::Trailers,
                size => At::Chunk(size.checked_add(2).ok_or(Malformed)?),
            },
            At::Trailers if is_empty => At::Start,
            other => other,
        };
        Ok(())
    }

    fn after_head(&self) -> At {
        match self.length {
            _ if self.is_chunked => At::ChunkSize,
            Some(length) if length > 0 => At::Body(length),
            _ if self.is_upgrade => At::Opaque,
            _ => At::Start,
        }
    }

    /// Reads a header field. A body has either one numeric `Content-Length`, or
    /// `Transfer-Encoding: chunked` alone.
    fn field(&mut self) -> Result<(), Malformed> {
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else {
            return Ok(());
        };
        let (name, value) = self.line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        if name.eq_ignore_ascii_case(b"content-length") {
            let is_number =
                !value.is_empty() && value.iter().all(u8::is_ascii_digit) && self.line.len() < KEPT;
            let length = str::from_utf8(value)
                .ok()
                .filter(|_| is_number)
                .and_then(|value| value.parse().ok());
            // The parser reserves the largest numbers.
            let length = length.filter(|length| *length < u64::MAX >> 1);
            if self.length.is_some() || self.is_chunked {
                return Err(Malformed);
            }
            self.length = Some(length.ok_or(Malformed)?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let is_known = value.eq_ignore_ascii_case(b"chunked") && self.line.len() < KEPT;
            if !is_known || self.is_chunked || self.length.is_some() || !self.is_http_11 {
                return Err(Malformed);
            }
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.is_upgrade = self.is_http_11;
        }
        Ok(())
    }
}

/// Returns how many bytes come before the first one that ends a line, or is in none.
fn plain(bytes: &[u8]) -> usize {
    let end = memchr::memchr(b'\r', bytes).unwrap_or(bytes.len());
    let line = bytes.get(..end).unwrap_or_default();
    // Without an early exit this is compiled to vector instructions.
    if line
        .iter()
        .fold(false, |found, byte| found | is_control(byte))
    {
        line.iter().position(is_control).unwrap_or(end)
    } else {
        end
    }
}

/// Whether a byte ends a line, or is in none. A tab is whitespace.
fn is_control(byte: &u8) -> bool {
    *byte == 0x7f || (*byte < b' ' && *byte != b'\t')
}

/// Returns how many bytes belong to something with so many left, and how many are left then.
fn skip(bytes: &[u8], left: u64) -> (usize, u64) {
    let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
    (count, left - count as u64)
}

/// Parses the size of a chunk from its first line; chunk extensions are ignored.
fn chunk_size(line: &[u8]) -> Result<u64, Malformed> {
    let end = line.iter().position(|byte| *byte == b';');
    // A size that is cut off at the bound would be another size.
    if end.is_none() && line.len() >= KEPT {
        return Err(Malformed);
    }
    let digits = line
        .get(..end.unwrap_or(line.len()))
        .unwrap_or_default()
        .trim_ascii_end();
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Malformed);
    }
    str::from_utf8(digits)
        .ok()
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or(Malformed)
}

/// A stream that enforces strict framing of requests.
pub(super) struct Strict<S> {
    stream: S,
    framing: Framing,
}

impl<S> Strict<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            framing: Framing::new(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !matches!(this.framing.at, At::Malformed(_)) {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
            let read = buffer.filled().get(before..).unwrap_or_default();
            let is_end = read.is_empty();
            let passed = this.framing.pass(read);
            buffer.set_filled(before + passed);
            // A read of zero bytes would be the end of the stream.
            if is_end || passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let At::Malformed(instead) = this.framing.at else {
            return Poll::Ready(Ok(()));
        };
        let (now, later) = instead.split_at(instead.len().min(buffer.remaining()));
        if instead.is_empty() {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the request is not framed as RFC 9112 says",
            )));
        }
        buffer.put_slice(now);
        this.framing.at = At::Malformed(later);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    /// Returns what reaches the parser of a text that arrives in pieces of `piece` bytes, and
    /// whether an error follows.
    fn passed(text: &str, piece: usize) -> (String, bool) {
        let mut io = stream(text, piece);
        let mut bytes = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let read = runtime.block_on(io.read_to_end(&mut bytes));
        (String::from_utf8(bytes).unwrap(), read.is_err())
    }

    fn stream(text: &str, piece: usize) -> Strict<Pieces> {
        Strict::new(Pieces {
            bytes: text.as_bytes().to_vec(),
            piece,
        })
    }

    /// Bytes that arrive in pieces.
    struct Pieces {
        bytes: Vec<u8>,
        piece: usize,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let count = self.piece.min(self.bytes.len()).min(buffer.remaining());
            buffer.put_slice(&self.bytes.drain(..count).collect::<Vec<_>>());
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn well_framed_request_passes_unchanged() {
        let whole = [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\n\n\n\n\r\n0003 \t\r\n\0\0\0\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n\n",
            "POST / HTTP/1.0\r\nUpgrade: x\r\nContent-Length:0003\t\r\n\r\n\n\n\nGET / HTTP/1.0\r\nX: a\tb\r\n\r\n",
        ];
        for text in whole {
            for piece in [1, 2, 3, 7, text.len()] {
                assert_eq!(passed(text, piece), (text.to_owned(), false), "{piece}");
            }
        }
    }

    const GET: &str = "GET / HTTP/1.1\r\n";
    const POST: &str = "POST / HTTP/1.1\r\n";

    /// Checks requests in two parts: the first one passes, and the parser gets `instead` of the
    /// second one, before an error.
    fn check_refused(requests: &[(String, &str)], instead: &str) {
        for (passes, rest) in requests {
            let text = format!("{passes}{rest}");
            for piece in [1, 2, 3, 7, text.len()] {
                assert_eq!(
                    passed(&text, piece),
                    (format!("{passes}{instead}"), true),
                    "{text:?} {piece}"
                );
            }
        }
    }

    #[test]
    fn malformed_line_of_a_head_is_refused_where_it_begins() {
        let requests = [
            ("GET / HTTP/1.1".to_owned(), "\nHost: a\n\n"),
            (format!("{GET}Host: a"), "\nX: b\r\n\r\n"),
            (format!("{GET}X: a\r"), "b\r\n\r\n"),
            (format!("{GET}X: a"), "\0\r\n\r\n"),
            (String::new(), "\nGET / HTTP/1.1\r\n\r\n"),
            (String::new(), "\x16\x03\x01"),
            (
                format!("{POST}Content-Length: 1\r\n\r\nxGET / HTTP/1.1"),
                "\n\n",
            ),
            (
                "GET / HTTP/1.0\r\nUpgrade: x\r\n\r\nGET / HTTP/1.0".to_owned(),
                "\n\n",
            ),
        ];
        check_refused(&requests, "\0\r\n\r\n");
    }

    #[test]
    fn ambiguous_length_is_refused_where_it_begins() {
        let long = "0".repeat(200);
        let requests = [
            (format!("{POST}Content-Length: {long}3\r"), "\n\r\nabc"),
            (format!("{POST}Content-Length: +5\r"), "\n\r\n"),
            (format!("{POST}Content-Length: 5, 5\r"), "\n\r\n"),
            (format!("{POST}Content-Length: 5 5\r"), "\n\r\n"),
            (format!("{POST}Content-Length:\r"), "\n\r\n"),
            (
                format!("{POST}Content-Length: 18446744073709551615\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Content-Length: 18446744073709551616\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Content-Length: 5\r\ncontent-length: 5\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Transfer-Encoding: chunked\r\nContent-Length: 5\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Transfer-Encoding: gzip, chunked\r"),
                "\n\r\n",
            ),
            (
                format!("{POST}Transfer-Encoding: chunked, chunked\r"),
                "\n\r\n",
            ),
            (format!("{POST}Transfer-Encoding: chunked;q=1\r"), "\n\r\n"),
            (
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r".to_owned(),
                "\n\r\n",
            ),
        ];
        check_refused(&requests, "\0\r\n\r\n");
    }

    #[test]
    fn malformed_body_is_refused_where_it_begins() {
        let long = "0".repeat(200);
        let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n");
        let requests = [
            (format!("{chunked}1"), "\nx\r\n"),
            (format!("{chunked}1;a"), "\nx\r\n"),
            (format!("{chunked}1;a\r"), "x\r\n"),
            (format!("{chunked}1;a=\"b"), "\0\"\r\n"),
            (format!("{chunked}{long}3\r"), "\nabc"),
            (format!("{chunked}+3\r"), "\nabc"),
            (format!("{chunked} 3\r"), "\nabc"),
            (format!("{chunked}0x3\r"), "\nabc"),
            (format!("{chunked};a\r"), "\nabc"),
            (format!("{chunked}ffffffffffffffff\r"), "\nabc"),
            (format!("{chunked}10000000000000000\r"), "\nabc"),
            (format!("{chunked}0\r\nA: b"), "\n\n"),
            (format!("{chunked}0\r\nA: b\r\n"), "\n"),
        ];
        check_refused(&requests, "");
    }
}
