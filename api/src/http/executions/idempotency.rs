//! Idempotency keys: how does a repeated request run only once?
//!
//! The key is claimed in the database before anything begins, and names the execution from then on. A key lives as long as its execution,
//! which counts against the quota of its subject.

use super::answers::answer_row;
use super::{Mode, Waiter, address, answer_json, follower, launch, stream, with_location};
use crate::http::App;
use crate::http::body::{Body, ExecutionRequest};
use crate::http::execution::{StartedExecution, execution_json};
use crate::http::keys::Caller;
use crate::http::problem::{Code, Problem};
use crate::http::store::ExecutionRow;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use glovebox::RunId;
use std::sync::Arc;
use std::time::Duration;

/// Maximum length of an idempotency key.
const MAX_KEY: usize = 255;

/// Returns the idempotency key of a request.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|key| {
        (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    });
    let key = key.ok_or_else(|| {
        Problem::new(
            Code::Invalid,
            format!("an idempotency key has 1 to {MAX_KEY} printable characters"),
        )
    })?;
    Ok(Some(key.to_owned()))
}

/// The result of claiming an idempotency key.
pub(super) enum Taken {
    /// A new execution. It is cancelled if the waiter is dropped.
    New(Waiter, StartedExecution),
    /// The key was claimed before, for the execution with this id.
    Before(String),
}

/// Claims an idempotency key and starts its execution, or returns the one that it was claimed for before.
///
/// For [`App::to_the_end`]: a client that disconnects must not leave a key behind that belongs to no execution and counts for no subject.
pub(super) async fn take(
    app: Arc<App>,
    caller: Caller,
    key: String,
    body: Body<ExecutionRequest>,
    mode: Mode,
) -> Result<Taken, Problem> {
    let (subject, digest, id) = (caller.subject.as_str(), body.sha256(), RunId::random());
    let is_live = |execution: &str| app.registry.get(&caller.subject, execution).is_some();
    if let Some((request, execution)) = app
        .store
        .take_key(subject, &key, &digest, &id.to_string(), is_live)
        .await?
    {
        if request != digest {
            let detail = "this idempotency key was used for another request; use a new key for every new request";
            return Err(Problem::new(Code::IdempotencyConflict, detail));
        }
        return Ok(Taken::Before(execution));
    }
    match launch(&app, &caller, body, id, mode) {
        Ok(begun) => Ok(Taken::New(
            Waiter((mode != Mode::Later).then(|| begun.live.stop.clone())),
            begun,
        )),
        Err(problem) => {
            // Nothing ran, so the key is released.
            app.store
                .give_key_back(subject, &key, &id.to_string())
                .await?;
            Err(problem)
        }
    }
}

/// Returns the response to a repeated request.
pub(super) async fn replay(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    execution: &str,
) -> Result<Response, Problem> {
    let mut live = app.registry.get(&caller.subject, execution);
    let mut row = None;
    for _ in 0..2 {
        if live.is_some()
            || row
                .as_ref()
                .is_some_and(|row: &ExecutionRow| row.ended_ms.is_some())
        {
            break;
        }
        row = app
            .store
            .execution(caller.subject.as_str(), execution)
            .await?;
        // It may have begun between the two lookups, and then its end has to be awaited; or have ended, and then it is in the store.
        live = app.registry.get(&caller.subject, execution);
    }
    let mut response = match (live, row) {
        (_, Some(row)) if row.ended_ms.is_some() => answer_row(app, &caller.subject, &row)?,
        // A repeated request must not cancel what the first one waits for.
        (Some(live), _) => match Mode::of(headers) {
            Mode::Later => answer_json(StatusCode::ACCEPTED, execution_json(&live.row())),
            Mode::Stream => stream(
                Some(follower(app, caller)?),
                live.log.clone().unwrap_or_default(),
                0,
                None::<Waiter>,
            ),
            Mode::Wait => answer_row(app, &caller.subject, &live.finished().await?)?,
        },
        (None, _) => {
            let detail = "the first request with this key has only just come, or another process has it under way; try again";
            return Err(Problem::new(Code::Busy, detail).retry_after(Duration::from_secs(1)));
        }
    };
    response
        .headers_mut()
        .insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(with_location(
        response,
        header::CONTENT_LOCATION,
        &address(&execution),
    ))
}
