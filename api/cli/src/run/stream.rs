//! Streaming of output: how does it reach standard output while the program runs?

use super::results::{Drawing, ShownResult, shown};
use crate::exit::Failure;
use crate::terminal::{Escaper, Place};
use glovebox::{CancellationToken, MimeBundle, OutputChunk, StreamName};
use std::io::{self, Write};
use tokio::sync::mpsc;

/// Maximum chunks that are written before a flush.
const BATCH: usize = 16;

/// The result of forwarding.
#[derive(Debug)]
pub(crate) struct Forwarded {
    /// The reason why output could not be written; the run was cancelled then.
    pub(crate) failure: Option<Failure>,
    stdout: Sink,
    stderr: Sink,
    /// The way in which pictures are drawn.
    pub(crate) drawing: Option<Drawing>,
}

#[derive(Debug)]
struct Sink {
    /// Set if the stream is a terminal.
    escaper: Option<Escaper>,
    /// The terminal's cursor is in the middle of a line.
    in_line: bool,
}

impl Sink {
    fn new(place: Place) -> Self {
        Self {
            escaper: place.is_terminal().then(Escaper::default),
            in_line: false,
        }
    }

    fn write(&mut self, bytes: &[u8], mut out: impl Write) -> io::Result<()> {
        let Some(escaper) = &mut self.escaper else {
            return out.write_all(bytes);
        };
        let shown = escaper.escape(bytes);
        if let Some(last) = shown.chars().next_back() {
            self.in_line = last != '\n';
        }
        out.write_all(shown.as_bytes())
    }

    fn rest(&mut self) -> String {
        self.escaper
            .as_mut()
            .map(Escaper::finish)
            .unwrap_or_default()
    }
}

impl Forwarded {
    /// Flushes what is left, and ends the program's last line, so that our own messages start on a
    /// new one.
    pub(crate) fn finish(mut self) {
        let (out, error) = (self.stdout.rest(), self.stderr.rest());
        let open =
            self.stdout.in_line || self.stderr.in_line || !out.is_empty() || !error.is_empty();
        // The run is over, and its outcome matters more than a failure to print the last character.
        let _ = io::stdout().write_all(out.as_bytes());
        let _ = io::stdout().flush();
        let _ = io::stderr().write_all(error.as_bytes());
        if open && Place::Error.is_terminal() {
            let _ = writeln!(io::stderr());
        }
    }
}

/// Forwards output until the program has ended; cancels the run when the reader has gone away.
pub(crate) async fn forward(
    mut receiver: mpsc::Receiver<OutputChunk>,
    stop: &CancellationToken,
) -> Forwarded {
    let mut forwarded = Forwarded {
        failure: None,
        stdout: Sink::new(Place::Out),
        stderr: Sink::new(Place::Error),
        drawing: Place::Out
            .is_terminal()
            .then(Drawing::of_terminal)
            .flatten(),
    };
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        if let Err(error) = forwarded.pass_on(&batch) {
            stop.cancel();
            forwarded.failure = Some(Failure::output(&error));
            break;
        }
        batch.clear();
    }
    forwarded
}

impl Forwarded {
    fn pass_on(&mut self, batch: &[OutputChunk]) -> io::Result<()> {
        for chunk in batch {
            match chunk.stream {
                StreamName::Stdout => self.stdout.write(&chunk.bytes, io::stdout())?,
                StreamName::Stderr => {
                    // Both may be the same terminal: what was written first must appear first.
                    io::stdout().flush()?;
                    self.stderr.write(&chunk.bytes, io::stderr())?;
                }
                StreamName::Results => {
                    let json = String::from_utf8_lossy(&chunk.bytes);
                    let result = MimeBundle::parse(&json).ok();
                    match result.and_then(|bundle| shown(&bundle, self.drawing)) {
                        Some(ShownResult::Picture(sequences)) => {
                            io::stdout().write_all(sequences.as_bytes())?;
                        }
                        Some(ShownResult::Text(text)) => {
                            self.stdout.write(text.as_bytes(), io::stdout())?;
                        }
                        None => {}
                    }
                }
            }
        }
        io::stdout().flush()
    }
}
