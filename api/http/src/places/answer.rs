//! Tracking of responses in flight: when is one sent?
//!
//! A body that was handed over is not sent yet: to a client that reads slowly, the response is in
//! flight until its last byte has left.

use super::{Connection, Place};
use axum::body::{Body, Bytes, HttpBody};
use glovebox_service::MemoryCharge;
use hyper::body::{Frame, SizeHint};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A response body that notifies its connection of its end.
pub(crate) struct Counted {
    body: Body,
    /// `None` if the connection does not have to be notified.
    connection: Option<Arc<Connection>>,
}

impl Counted {
    pub(crate) fn new(body: Body, connection: Option<Arc<Connection>>) -> Self {
        Self { body, connection }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.over();
        }
    }
}

/// A response body whose bytes are charged to a subject's memory until they are sent: the body
/// itself is dropped as soon as it has handed over its last frame.
pub(crate) struct ChargedBody {
    body: Body,
    charge: Arc<MemoryCharge>,
}

/// Bytes that hold their charge.
struct ChargedFrame {
    bytes: Bytes,
    _charge: Arc<MemoryCharge>,
}

impl AsRef<[u8]> for ChargedFrame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ChargedBody {
    pub(crate) fn new(body: Body, charge: MemoryCharge) -> Self {
        Self {
            body,
            charge: Arc::new(charge),
        }
    }
}

impl HttpBody for ChargedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let charged = |bytes| {
            Bytes::from_owner(ChargedFrame {
                bytes,
                _charge: Arc::clone(&self.charge),
            })
        };
        Poll::Ready(frame.map(|frame| Ok(frame?.map_data(charged))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The stream of a connection; its place is released when it is closed, also after an upgrade.
pub(crate) struct Watched<S> {
    stream: S,
    place: Place,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, place: Place) -> Self {
        Self { stream, place }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    /// Called once everything pending has been written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.place.0.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
