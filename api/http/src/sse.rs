//! Server-sent events: how does a client follow an execution or a task tree?

use crate::places::{FollowerPermit, Followers, NoFollower};
use crate::problem::Problem;
use axum::http::HeaderValue;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _};
use glovebox_service::{Caller, Code, EventLog, ServiceError};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Interval of comments that keep an idle connection open.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Time after which a client that was refused may follow.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Returns the permit to follow events.
pub(crate) fn permit(
    followers: &Arc<Followers>,
    caller: &Caller,
) -> Result<FollowerPermit, Problem> {
    let refused = |none| {
        let error = match none {
            NoFollower::All(most) => {
                let detail = format!("too many event streams: {most} (`limits.followers`)");
                ServiceError::new(Code::Overloaded, detail)
            }
            NoFollower::Subject(own, denial) => {
                let rule = &denial.rule;
                let detail = format!("too many event streams of this key: {own} (`{rule}`)");
                ServiceError::over_quota(Code::QueueFull, detail, *denial)
            }
        };
        error.retry_after(RETRY_AFTER).into()
    };
    followers.permit(&caller.subject).map_err(refused)
}

/// Returns a stream of events as the response; `held` is dropped when the client disconnects.
pub(crate) fn stream(log: Arc<EventLog>, after: u64, held: impl Send + Sync + 'static) -> Response {
    response(events(log, after, held))
}

/// Streams events after one that the client has; `held` is dropped with the stream.
pub(crate) fn events(
    log: Arc<EventLog>,
    after: u64,
    held: impl Send + Sync + 'static,
) -> impl Stream<Item = Result<SseEvent, Infallible>> + Send + 'static {
    let events = Arc::clone(&log).follow(after);
    events.scan(None, move |sent, event| {
        let _held = &held;
        // The previous event has been sent by now. Without memory for this one, the client resumes
        // after it in another connection.
        drop(sent.take());
        let next = log.sending(&event).ok().map(|charge| {
            *sent = charge;
            Ok(SseEvent::default()
                .id(event.number.to_string())
                .event(event.kind)
                .data(event.data.get()))
        });
        std::future::ready(next)
    })
}

/// Returns a stream of events as the response.
pub(crate) fn response(
    events: impl Stream<Item = Result<SseEvent, Infallible>> + Send + 'static,
) -> Response {
    let mut response = Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}
