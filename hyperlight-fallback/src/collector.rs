//! Output collection of a container run: what did the program write, and where does its output end?
//!
//! Output is kept up to the granted number of bytes and streamed as it arrives, with backpressure:
//! a receiver that does not read blocks the program. After the program's own output, on the same
//! stream, `init.sh`, the container's main process, writes a delimiter, a trailer and
//! the archive of the workspace.

use crate::pool::Usage;
use bytes::{Bytes, BytesMut};
use glovebox::{Output, OutputChunk, Results, StreamName};
use std::time::Duration;
use tokio::sync::mpsc;

/// Maximum bytes of the trailer line.
const MAX_TRAILER: usize = 256;

/// Maximum bytes of the code at the end of an answer, with its line break.
const MAX_CODE: usize = 8;

/// The program exceeded its output limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutputLimitExceeded;

/// Standard output and standard error of a run.
pub(crate) struct Collector {
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) written: u64,
    limit: u64,
    sink: Option<mpsc::Sender<OutputChunk>>,
}

impl Collector {
    pub(crate) fn new(limit: u64, sink: Option<mpsc::Sender<OutputChunk>>) -> Self {
        Self {
            stdout: Output::default(),
            stderr: Output::default(),
            written: 0,
            limit,
            sink,
        }
    }

    /// Appends a chunk of output.
    pub(crate) async fn push(
        &mut self,
        stream: StreamName,
        bytes: Bytes,
    ) -> Result<(), OutputLimitExceeded> {
        let kept = (self.stdout.bytes.len() + self.stderr.bytes.len()) as u64;
        self.written = self.written.saturating_add(bytes.len() as u64);
        let room = usize::try_from(self.limit.saturating_sub(kept)).unwrap_or(usize::MAX);
        let is_over = bytes.len() > room;
        let bytes = bytes.slice(..bytes.len().min(room));
        let output = if stream == StreamName::Stdout {
            &mut self.stdout
        } else {
            &mut self.stderr
        };
        output.bytes.extend_from_slice(&bytes);
        output.truncated |= is_over;
        if let Some(sink) = &self.sink
            && !bytes.is_empty()
        {
            // A receiver that was dropped is no error of the program.
            let _ = sink.send(OutputChunk { stream, bytes }).await;
        }
        if is_over {
            Err(OutputLimitExceeded)
        } else {
            Ok(())
        }
    }
}

impl Collector {
    /// Passes results on.
    pub(crate) async fn show(&self, results: &Results) {
        for bundle in &results.bundles {
            if let Some(sink) = &self.sink {
                let chunk = OutputChunk {
                    stream: StreamName::Results,
                    bytes: bundle.to_json().into(),
                };
                let _ = sink.send(chunk).await;
            }
        }
    }

    /// Streams no more of it.
    pub(crate) fn detach(&mut self) {
        self.sink = None;
    }
}

/// Parser of the standard output stream: it splits the program's output from the trailer at the
/// delimiter.
pub(crate) struct Splitter {
    delimiter: Vec<u8>,
    /// A possible prefix of the delimiter, or the bytes after it.
    held: BytesMut,
    found_delimiter: bool,
    /// Maximum bytes after the delimiter.
    limit: usize,
    is_truncated: bool,
    /// The last bytes after the delimiter, in which the answer of a session's command ends.
    last: Vec<u8>,
}

impl Splitter {
    pub(crate) fn new(delimiter: &str, limit: usize) -> Self {
        Self {
            delimiter: delimiter.as_bytes().to_vec(),
            held: BytesMut::new(),
            found_delimiter: false,
            limit: limit.saturating_add(MAX_TRAILER),
            is_truncated: false,
            last: Vec::new(),
        }
    }

    /// Returns the program's bytes among these and the ones held back before.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Bytes {
        if self.found_delimiter {
            let room = self.limit.saturating_sub(self.held.len());
            self.is_truncated |= bytes.len() > room;
            self.held
                .extend_from_slice(bytes.get(..bytes.len().min(room)).unwrap_or_default());
            self.keep_last(bytes);
            return Bytes::new();
        }
        self.held.extend_from_slice(bytes);
        let found = self
            .held
            .windows(self.delimiter.len())
            .position(|window| window == self.delimiter);
        if let Some(start) = found {
            self.found_delimiter = true;
            let own = self.held.split_to(start).freeze();
            let _ = self.held.split_to(self.delimiter.len());
            let rest = self.held.clone();
            self.keep_last(&rest);
            return own;
        }
        let longest = self.held.len().min(self.delimiter.len() - 1);
        let kept = (1..=longest)
            .rev()
            .find(|length| {
                self.held
                    .ends_with(self.delimiter.get(..*length).unwrap_or_default())
            })
            .unwrap_or(0);
        self.held.split_to(self.held.len() - kept).freeze()
    }

    fn keep_last(&mut self, bytes: &[u8]) {
        let most = self.delimiter.len() + MAX_CODE;
        let new = bytes.len().saturating_sub(most);
        self.last
            .extend_from_slice(bytes.get(new..).unwrap_or_default());
        self.last.drain(..self.last.len().saturating_sub(most));
    }

    /// Returns the code at the end of the answer to a session's command, and the length of the end:
    /// the delimiter again, the code and a line break.
    fn end(&self) -> Option<(i32, usize)> {
        let line = self.last.strip_suffix(b"\n")?;
        let start = line
            .windows(self.delimiter.len())
            .rposition(|window| window == self.delimiter)?;
        let code = line.get(start + self.delimiter.len()..)?;
        let code = std::str::from_utf8(code).ok()?.parse().ok()?;
        Some((code, self.last.len() - start))
    }

    /// Returns the answer to a session's command, once it is whole: its code, and what is in it.
    pub(crate) fn answer(&self) -> Option<(i32, &[u8])> {
        let (code, end) = self.end()?;
        let end = if self.is_truncated { 0 } else { end };
        let length = self.held.len().checked_sub(end)?;
        Some((code, self.held.get(..length)?))
    }

    /// Returns whether the bytes after the delimiter exceeded the limit.
    pub(crate) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Returns whether the delimiter was found.
    pub(crate) fn found_delimiter(&self) -> bool {
        self.found_delimiter
    }

    /// Returns the bytes that were held back, if the delimiter was never found.
    pub(crate) fn rest(&mut self) -> Bytes {
        if self.found_delimiter {
            Bytes::new()
        } else {
            self.held.split().freeze()
        }
    }

    /// Returns the parsed trailer and the archive after it.
    pub(crate) fn trailer(&self) -> Option<(Trailer, &[u8])> {
        Trailer::parse(&self.held).filter(|_| self.found_delimiter)
    }
}

/// The trailer: how the run ended, as `report.sh` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailer {
    pub(crate) code: i32,
    pub(crate) killed_for_memory: u64,
    pub(crate) refused_processes: u64,
    pub(crate) cpu_micros: u64,
    pub(crate) peak_memory: u64,
    pub(crate) free_blocks: u64,
    pub(crate) free_files: u64,
    /// Bytes after the trailer line that hold the program's value or exception.
    pub(crate) completion: usize,
    /// Whether the driver of a session is ready for another evaluation.
    pub(crate) is_alive: bool,
}

impl Trailer {
    /// Parses a trailer; also returns what follows it.
    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let end = bytes
            .iter()
            .take(MAX_TRAILER)
            .position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let mut numbers = line
            .split_ascii_whitespace()
            .map(|word| word.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        let trailer = Self {
            code: i32::try_from(next()?).ok()?,
            killed_for_memory: next()?,
            refused_processes: next()?,
            cpu_micros: next()?,
            peak_memory: next()?,
            free_blocks: next()?,
            free_files: next()?,
            completion: usize::try_from(next()?).ok()?,
            is_alive: next()? == 1,
        };
        Some((trailer, bytes.get(end + 1..).unwrap_or_default()))
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            cpu: Duration::from_micros(self.cpu_micros),
            peak_memory: self.peak_memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_split_at_the_delimiter_in_any_chunks() {
        let whole = b"hello MAmark-ma MARK 3 0 1 2000 4096 5 6 7 1\nTAR".as_slice();
        let expected = Trailer {
            code: 3,
            killed_for_memory: 0,
            refused_processes: 1,
            cpu_micros: 2000,
            peak_memory: 4096,
            free_blocks: 5,
            free_files: 6,
            completion: 7,
            is_alive: true,
        };
        for size in 1..whole.len() {
            let mut splitter = Splitter::new("MARK", 100);
            let own: Vec<u8> = whole
                .chunks(size)
                .flat_map(|chunk| splitter.push(chunk))
                .collect();
            assert_eq!(own, b"hello MAmark-ma ", "{size}");
            assert_eq!(
                splitter.trailer(),
                Some((expected, b"TAR".as_slice())),
                "{size}"
            );
        }
        let mut splitter = Splitter::new("MARK", 100);
        assert_eq!(splitter.push(b"ends with MA"), b"ends with ".as_slice());
        assert_eq!(splitter.rest(), b"MA".as_slice());
        assert_eq!(splitter.trailer(), None);
    }

    #[test]
    fn trailer_is_bounded_and_validated() {
        let mut splitter = Splitter::new("MARK", 10);
        splitter.push(b"MARK");
        for _ in 0..1000 {
            splitter.push(&[b'x'; 100]);
        }
        assert!(splitter.held.len() <= 10 + MAX_TRAILER);
        for trailer in [
            "MARK 1 2\n",
            "MARK 1 0 0 0 0 0 0 0\n",
            "MARK a 0 0 0 0 0 0 0 0\n",
            "MARK -1 0 0 0 0 0 0 0 0\n",
            "MARK 99999999999 0 0 0 0 0 0 0 0\n",
        ] {
            let mut splitter = Splitter::new("MARK", 10);
            splitter.push(trailer.as_bytes());
            assert_eq!(splitter.trailer(), None, "{trailer}");
        }
    }

    #[test]
    fn answers_end_with_the_delimiter_again() {
        let whole = b"out MARK line\nMAR MARK x\n0 MARK 12\n".as_slice();
        for size in 1..=whole.len() {
            let mut splitter = Splitter::new("MARK ", 100);
            let mut own = Vec::new();
            for (at, chunk) in whole.chunks(size).enumerate() {
                assert_eq!(splitter.answer(), None, "{size}: {at}");
                own.extend_from_slice(&splitter.push(chunk));
            }
            assert_eq!(own, b"out ", "{size}");
            assert_eq!(
                splitter.answer(),
                Some((12, b"line\nMAR MARK x\n0 ".as_slice())),
                "{size}"
            );
        }
        // One that is too long still has an end.
        let mut splitter = Splitter::new("MARK ", 0);
        splitter.push(b"MARK ");
        for _ in 0..100 {
            splitter.push(&[b'x'; 100]);
        }
        splitter.push(b"MARK 3\n");
        let (code, kept) = splitter.answer().unwrap();
        assert_eq!((code, kept.len()), (3, MAX_TRAILER));
    }

    #[tokio::test]
    async fn output_beyond_the_limit_is_not_kept() {
        let (sender, mut receiver) = mpsc::channel(8);
        let mut collector = Collector::new(5, Some(sender));
        assert_eq!(
            collector
                .push(StreamName::Stdout, Bytes::from_static(b"abc"))
                .await,
            Ok(())
        );
        assert_eq!(
            collector
                .push(StreamName::Stderr, Bytes::from_static(b"defg"))
                .await,
            Err(OutputLimitExceeded)
        );
        assert_eq!(
            (
                collector.stdout.bytes.as_slice(),
                collector.stdout.truncated
            ),
            (b"abc".as_slice(), false)
        );
        assert_eq!(
            (
                collector.stderr.bytes.as_slice(),
                collector.stderr.truncated
            ),
            (b"de".as_slice(), true)
        );
        assert_eq!(collector.written, 7);
        let sent: Vec<_> = [receiver.recv().await, receiver.recv().await]
            .into_iter()
            .flatten()
            .map(|chunk| chunk.bytes)
            .collect();
        assert_eq!(sent, [b"abc".as_slice(), b"de"]);
    }
}
