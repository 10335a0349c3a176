//! Strict framing: what reaches the parser has no line that ends with a bare LF.
//!
//! RFC 9112 lets a server take a bare LF for the end of a line, and the parser does. A proxy in front may read it otherwise, and then the
//! two disagree about where a request ends (request smuggling). Here each message is followed only as far as its framing goes: lines of the
//! head, a body of a known length, or chunks. A bare LF, or a control character where a line has none, is replaced by NUL, which the parser
//! answers with 400. On a connection whose framing is not understood any more, every byte is.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a line that are looked at; names and values that matter are shorter.
const KEPT: usize = 128;

/// Where in the messages of a connection the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In the request line, or before it.
    Start,
    /// In the fields of a head.
    Fields,
    /// In a body that has so many bytes left.
    Body(u64),
    /// In the line with the size of a chunk.
    ChunkSize,
    /// In a chunk, the end of its line included.
    Chunk(u64),
    /// In the fields after the last chunk.
    Trailers,
    /// In what HTTP does not frame: a connection that was upgraded.
    Opaque,
    /// Nothing that follows can be trusted.
    Broken,
}

/// Follows the framing of requests.
#[derive(Debug)]
struct Framing {
    at: At,
    line: Vec<u8>,
    /// The last byte was CR.
    after_cr: bool,
    length: Option<u64>,
    is_chunked: bool,
    is_upgrade: bool,
    /// A field that frames the message is longer than what is looked at.
    is_cut: bool,
}

impl Framing {
    fn new() -> Self {
        Self { at: At::Start, line: Vec::new(), after_cr: false, length: None, is_chunked: false, is_upgrade: false, is_cut: false }
    }

    /// Looks at what was read, and spoils what must not reach the parser.
    fn pass(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let passed = match self.at {
                At::Opaque => return,
                At::Broken => {
                    bytes.fill(0);
                    return;
                }
                At::Body(left) => {
                    let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - passed as u64;
                    self.at = if left == 0 { At::Start } else { At::Body(left) };
                    passed
                }
                At::Chunk(left) => {
                    let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - passed as u64;
                    self.at = if left == 0 { At::ChunkSize } else { At::Chunk(left) };
                    passed
                }
                At::Start | At::Fields | At::ChunkSize | At::Trailers => self.line(bytes),
            };
            bytes = bytes.get_mut(passed..).unwrap_or_default();
        }
    }

    /// Goes on to the end of a line; gives how many bytes that are.
    fn line(&mut self, bytes: &mut [u8]) -> usize {
        for (index, byte) in bytes.iter_mut().enumerate() {
            match *byte {
                b'\n' if self.after_cr => {
                    self.after_cr = false;
                    self.ended();
                    self.line.clear();
                    return index + 1;
                }
                b'\n' => {
                    *byte = 0;
                    self.at = At::Broken;
                    return index + 1;
                }
                // The parser refuses a CR that no LF follows.
                byte => {
                    self.after_cr = byte == b'\r';
                    if !self.after_cr && self.line.len() < KEPT {
                        self.line.push(byte);
                    }
                }
            }
        }
        bytes.len()
    }

    fn ended(&mut self) {
        let is_empty = self.line.is_empty();
        self.at = match self.at {
            // Empty lines before a request are passed over, as the parser does.
            At::Start if is_empty => At::Start,
            At::Start => {
                (self.length, self.is_chunked, self.is_upgrade, self.is_cut) = (None, false, false, false);
                At::Fields
            }
            At::Fields if is_empty => self.after_head(),
            At::Fields => {
                self.field();
                At::Fields
            }
            // A size that is not whole here would be another one.
            At::ChunkSize if self.line.len() >= KEPT && !self.line.contains(&b';') => At::Broken,
            At::ChunkSize => match chunk_size(&self.line) {
                Some(0) => At::Trailers,
                Some(size) => At::Chunk(size.saturating_add(2)),
                None => At::Broken,
            },
            At::Trailers if is_empty => At::Start,
            other => other,
        };
    }

    fn after_head(&self) -> At {
        match self.length {
            _ if self.is_cut => At::Broken,
            _ if self.is_chunked => At::ChunkSize,
            Some(length) if length > 0 => At::Body(length),
            _ if self.is_upgrade => At::Opaque,
            _ => At::Start,
        }
    }

    fn field(&mut self) {
        let Some(colon) = self.line.iter().position(|byte| *byte == b':') else { return };
        let (name, value) = self.line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let frames = [&b"content-length"[..], b"transfer-encoding"].iter().any(|framing| name.eq_ignore_ascii_case(framing));
        self.is_cut |= frames && self.line.len() >= KEPT;
        if name.eq_ignore_ascii_case(b"content-length") {
            // One that is no number, or another one than before, is refused by the parser.
            self.length = str::from_utf8(value).ok().and_then(|value| value.parse().ok());
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.is_upgrade = true;
        }
    }
}

/// The size in the first line of a chunk; extensions do not count.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

/// A stream whose requests are framed strictly.
pub(super) struct Strict<S> {
    stream: S,
    framing: Framing,
}

impl<S> Strict<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, framing: Framing::new() }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        this.framing.pass(buffer.filled_mut().get_mut(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What reaches the parser, read in pieces of so many bytes.
    fn passed(text: &str, piece: usize) -> String {
        let mut framing = Framing::new();
        let mut bytes = text.as_bytes().to_vec();
        bytes.chunks_mut(piece).for_each(|piece| framing.pass(piece));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn bodies_pass_and_bare_line_feeds_do_not() {
        let whole = [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\nPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n\n\n\n\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\n\n\n",
        ];
        for text in whole {
            for piece in [1, 2, 3, 7, text.len()] {
                assert_eq!(passed(text, piece), text, "{piece}");
            }
        }
        let padded = format!("POST / HTTP/1.1\r\nContent-Length: {}3\r\n\r\n", "0".repeat(200));
        let chunk = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{}3\r\n", "0".repeat(200));
        for head in [padded, chunk] {
            let passed = passed(&format!("{head}abcGET / HTTP/1.1\n\n"), 7);
            assert!(passed.strip_prefix(&head).is_some_and(|rest| rest.bytes().all(|byte| byte == 0)), "{passed:?}");
        }
        let spoiled = [
            ("GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\0"),
            ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\0"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0"),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\n\n",
                "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nxGET / HTTP/1.1\0",
            ),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\0"),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\n\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\0",
            ),
        ];
        for (text, start) in spoiled {
            for piece in [1, 2, 3, 7, text.len()] {
                let passed = passed(text, piece);
                assert!(passed.strip_prefix(start).is_some_and(|rest| rest.bytes().all(|byte| byte == 0)), "{text:?} {piece}: {passed:?}");
            }
        }
    }
}
