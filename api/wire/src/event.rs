//! Event: what does a client that follows an execution or a task tree receive?

use crate::encode::{bounded_piece, encode_piece};
use crate::execution::ExecutionState;
use glovebox::StreamName;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use utoipa::ToSchema;

/// One event of an execution or a task tree.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventBody<'a> {
    /// Sequence number, from 1.
    #[schema(value_type = String)]
    pub id: u64,
    /// `status`, `finding`, `call`, `stdout`, `stderr`, `result` or `end`; of a task tree, `task` or
    /// `end`.
    #[schema(value_type = String)]
    pub event: &'a str,
    /// JSON: `{"status": ..}`; a finding; a host call with the rule that allowed or denied it and
    /// the bytes transferred; `{"text": ..}`, with `base64` if the text does not represent all
    /// bytes; a result as in `results` of an execution; a task's name, state, execution and
    /// attempts, and the progress of all tasks; or the execution or the tree. `left_out` says why
    /// something is missing: there was no memory for it (`limits.memory`,
    /// `limits.memory_per_subject`), and the execution itself has it.
    #[schema(value_type = String)]
    pub data: &'a RawValue,
}

/// A change of state.
#[derive(Serialize)]
pub struct StatusEvent<'a> {
    /// The reason why events are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<&'a str>,
    /// The state.
    pub status: ExecutionState,
}

/// A host call.
#[derive(Serialize)]
pub struct CallEvent<'a> {
    /// The rule that allowed it.
    pub allowed_by: Option<&'a String>,
    /// The host function.
    pub function: &'a str,
    /// Bytes received.
    pub received_bytes: u64,
    /// The reason why it was refused.
    pub refused: Option<&'a String>,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// The target of the call, such as a method and a URL without its query.
    pub target: Cow<'a, str>,
}

impl CallEvent<'_> {
    /// Returns the target of a call, shortened if its JSON would be many times longer.
    #[must_use]
    pub fn target(text: &str) -> Cow<'_, str> {
        bounded_piece(text)
    }
}

/// A chunk of output.
#[derive(Serialize)]
pub struct OutputEvent<'a> {
    /// All bytes, if the text does not represent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// The part that is text.
    text: Cow<'a, str>,
}

impl<'a> OutputEvent<'a> {
    /// Encodes a chunk of output.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let piece = encode_piece(bytes);
        Self {
            base64: piece.base64,
            text: piece.text,
        }
    }

    /// Returns the kind of the events of a stream.
    #[must_use]
    pub fn kind(stream: StreamName) -> &'static str {
        match stream {
            StreamName::Stdout => "stdout",
            StreamName::Stderr => "stderr",
            StreamName::Results => "result",
        }
    }
}
