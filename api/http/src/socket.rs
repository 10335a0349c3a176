//! WebSocket of an execution: how does a client follow a program and write to its standard input at
//! the same time?
//!
//! Input that the program has not read yet applies backpressure to the client.

use crate::places::FollowerPermit;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::SplitSink;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use glovebox::Input;
use glovebox_service::{ActiveExecution, Event, EventLog, Executions};
use glovebox_wire::event::EventBody;
use glovebox_wire::to_json;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// Maximum bytes of a message. Not charged to anyone: a connection has as much in its buffers.
const MAX_MESSAGE: usize = 64 << 10;

/// Capacity of the pipe to standard input.
const STDIN_BUFFER: usize = 64 << 10;

/// Ping interval of a silent client.
const PING_INTERVAL: Duration = Duration::from_secs(15);

/// Unanswered pings after which the connection is closed.
const MAX_UNANSWERED_PINGS: u32 = 2;

/// A message of a client.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClientMessage {
    stdin: Option<String>,
    stdin_base64: Option<String>,
    stdin_end: bool,
    cancel: bool,
}

/// Returns input that stays open after its content, and the pipe for the rest.
pub(crate) fn open_stdin(input: Input) -> (Input, Option<DuplexStream>) {
    let (rest, sender) = tokio::io::duplex(STDIN_BUFFER);
    let input = match input {
        Input::Bytes(bytes) => Input::Reader(Box::new(std::io::Cursor::new(bytes).chain(rest))),
        _ => Input::Reader(Box::new(rest)),
    };
    (input, Some(sender))
}

/// The events that a client follows, and their execution.
pub(crate) struct Followed {
    /// The events, if there are any.
    pub(crate) log: Option<Arc<EventLog>>,
    /// The execution, if it is active.
    pub(crate) active: Option<Arc<ActiveExecution>>,
    /// The sequence number of the last event that the client has.
    pub(crate) after: u64,
}

impl Followed {
    /// Returns the events, and the number after which they begin.
    async fn events(self, executions: Executions) -> (Arc<EventLog>, u64) {
        match (self.log, self.active) {
            (Some(log), Some(_)) => (log, self.after),
            (Some(log), None) => (log, 0),
            (None, Some(active)) => {
                // Another request waits for it and receives its output: here only its end is sent.
                let _ = active.finished().await;
                (executions.ended_events(active.subject(), &active.row()), 0)
            }
            (None, None) => (Arc::default(), 0),
        }
    }
}

/// Upgrades to a WebSocket that follows an execution.
pub(crate) fn upgrade(
    executions: Executions,
    upgrade: WebSocketUpgrade,
    followed: Followed,
    permit: FollowerPermit,
) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| async move {
            let _held = permit;
            // A client that has disconnected needs no response.
            let _ = follow(executions, socket, followed).await;
        })
}

async fn follow(
    executions: Executions,
    socket: WebSocket,
    followed: Followed,
) -> Result<(), axum::Error> {
    let (mut sender, mut receiver) = socket.split();
    let active = followed.active.clone();
    let source = followed.events(executions);
    let stream = source.map(|(log, after)| {
        Arc::clone(&log)
            .follow(after)
            .map(move |event| (Arc::clone(&log), event))
    });
    let mut events = std::pin::pin!(stream.flatten_stream());
    let Some(active) = active else {
        while let Some(event) = events.next().await {
            send(&mut sender, event).await?;
        }
        return sender.send(close(close_code::NORMAL, "it has ended")).await;
    };
    // Only one client at a time writes to the program; another one takes over when it disconnects.
    let mut stdin = Stdin {
        pipe: active.take_stdin(),
        active: &active,
    };
    let mut silent = 0;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => send(&mut sender, event).await?,
                None => return sender.send(close(close_code::NORMAL, "it has ended")).await,
            },
            message = receiver.next() => {
                silent = 0;
                match message {
                    Some(Ok(message)) => {
                        // While the program does not read, only its end and its output make
                        // progress.
                        let received = stdin.receive(message);
                        let mut received = std::pin::pin!(received);
                        let complaint = loop {
                            tokio::select! {
                                complaint = &mut received => break complaint,
                                event = events.next() => match event {
                                    Some(event) => send(&mut sender, event).await?,
                                    None => return sender.send(close(close_code::NORMAL, "it has ended")).await,
                                },
                            }
                        };
                        if let Err(complaint) = complaint {
                            return sender.send(close(close_code::INVALID, complaint)).await;
                        }
                    }
                    Some(Err(error)) => return Err(error),
                    None => return Ok(()),
                }
            }
            () = tokio::time::sleep(PING_INTERVAL) => {
                if silent >= MAX_UNANSWERED_PINGS {
                    return Ok(());
                }
                silent += 1;
                sender.send(Message::Ping(Bytes::new())).await?;
            }
        }
    }
}

/// Sends an event, if there is memory for it.
async fn send(
    sender: &mut SplitSink<WebSocket, Message>,
    (log, event): (Arc<EventLog>, Arc<Event>),
) -> Result<(), axum::Error> {
    match log.sending(&event) {
        Ok(_charge) => sender.send(message_of(&event)).await,
        Err(why) => {
            let reason = "there is no memory for the next event (`limits.memory`, `limits.memory_per_subject`); connect again later";
            sender.send(close(close_code::AGAIN, reason)).await?;
            Err(axum::Error::new(std::io::Error::other(why.to_string())))
        }
    }
}

/// The pipe for a client's input. It is returned when the client disconnects, for another one.
struct Stdin<'a> {
    pipe: Option<DuplexStream>,
    active: &'a ActiveExecution,
}

impl Drop for Stdin<'_> {
    fn drop(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            self.active.return_stdin(pipe);
        }
    }
}

impl Stdin<'_> {
    /// Handles a message of a client.
    ///
    /// # Errors
    ///
    /// The reason why it cannot be done.
    async fn receive(&mut self, message: Message) -> Result<(), &'static str> {
        let message = match message {
            Message::Binary(bytes) => return self.write(&bytes).await,
            Message::Text(text) => serde_json::from_str::<ClientMessage>(&text)
                .map_err(|_| "a message is `stdin`, `stdin_base64`, `stdin_end` or `cancel`")?,
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        if let Some(text) = message.stdin {
            self.write(text.as_bytes()).await?;
        }
        if let Some(text) = message.stdin_base64 {
            self.write(
                &STANDARD
                    .decode(text)
                    .map_err(|_| "`stdin_base64` is not valid base64")?,
            )
            .await?;
        }
        if message.stdin_end {
            self.pipe = None;
        }
        if message.cancel {
            self.active.cancel();
        }
        Ok(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let missing = "its standard input is not open: begin it with `stdin_open`, and send from one client at a time";
        let pipe = self.pipe.as_mut().ok_or(missing)?;
        // A program that has ended, or closed its input, reads no more.
        let _ = pipe.write_all(bytes).await;
        Ok(())
    }
}

fn close(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame {
        code,
        reason: Utf8Bytes::from_static(reason),
    }))
}

fn message_of(event: &Event) -> Message {
    let body = EventBody {
        id: event.number,
        event: event.kind,
        data: &event.data,
    };
    Message::Text(to_json(&body).into())
}
