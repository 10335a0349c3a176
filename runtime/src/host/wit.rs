//! Host interface of the guests (WIT): how does a guest start, await and finish its host calls?
//!
//! Each call runs as a tokio task, so that several can be in flight, and is dropped with the
//! instance. This is the only file that knows how the contract writes a failure.

use super::calls::{CallResult, HostCalls, MAX_IN_FLIGHT};
use super::error::{CallError, CallLimit};
use crate::bundle::MimeBundle;
use crate::contract::glovebox::guest::host::{CallId, Failure, Host};
use crate::meter::{self, Meter};
use crate::stdio::Outputs;
use crate::wakeup::WakeUp;
use futures_util::future::select_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::task::AbortOnDropHandle;

enum GuestCall {
    Running(AbortOnDropHandle<Result<CallResult, CallError>>),
    Finished(Result<CallResult, CallError>),
}

/// The calls of one instance.
pub(crate) struct GuestCalls {
    host: Arc<HostCalls>,
    calls: HashMap<CallId, GuestCall>,
    next: CallId,
    deadline: Instant,
    outputs: Outputs,
    meter: Meter,
    wake_up: WakeUp,
}

/// The name of the call that shows a result. It calls neither a tool nor the network, so it needs
/// no grant, and is neither counted nor recorded.
const SHOW: &str = "show";

/// Bytes by which the JSON of a result may exceed twice the limit on its content.
const SHOW_SLACK: u64 = 64 << 10;

impl GuestCalls {
    /// Starts with no calls; `meter` is the fuel debt of the run, `wake_up` ends its waits.
    pub(crate) fn new(
        host: Arc<HostCalls>,
        outputs: Outputs,
        (meter, wake_up): (Meter, WakeUp),
    ) -> Self {
        Self {
            host,
            calls: HashMap::new(),
            next: 0,
            deadline: Instant::now(),
            outputs,
            meter,
            wake_up,
        }
    }

    /// Sets the end of the evaluation that makes the next calls.
    pub(crate) fn restart(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Returns the number of calls made so far.
    pub(crate) fn made(&self) -> u64 {
        self.host.made()
    }

    /// Returns whether a call was refused for the limit on calls since the last call of this, and
    /// resets it.
    pub(crate) fn take_exceeded(&self) -> bool {
        self.host.take_exceeded()
    }

    /// Cancels the calls in flight.
    pub(crate) fn abandon(&mut self) {
        self.calls.clear();
    }

    fn start(&self, name: &str, arguments: String) -> Result<GuestCall, CallError> {
        if self.wake_up.is_ending() {
            return Err(CallLimit::Interrupted.into());
        }
        let number = self.host.count()?;
        if self.calls.len() >= MAX_IN_FLIGHT {
            return Err(CallLimit::InFlight {
                most: MAX_IN_FLIGHT,
            }
            .into());
        }
        let call = self.host.start(name, arguments, number, self.deadline)?;
        Ok(GuestCall::Running(AbortOnDropHandle::new(tokio::spawn(
            call,
        ))))
    }

    async fn show(&self, json: &str) -> Result<CallResult, CallError> {
        let (bytes, limit) = (json.len() as u64, self.host.results_limit());
        if bytes > limit.saturating_mul(2).saturating_add(SHOW_SLACK) {
            self.outputs.leave_out();
            return Err(CallLimit::Results { most: limit, bytes }.into());
        }
        let mut held = self.host.memory();
        held.grow(bytes.saturating_mul(2))
            .map_err(CallLimit::Account)?;
        let bundle =
            MimeBundle::parse(json).map_err(|error| CallError::invalid(error.to_string()))?;
        // A slow receiver delays the program, as with its output.
        let shown = self.wake_up.unless_woken(self.outputs.show(bundle)).await;
        shown.transpose()?;
        Ok(CallResult::empty())
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let kind = match &error {
            CallError::Denied(_) => "denied",
            CallError::Limit(_) => "limit",
            CallError::Invalid(_) => "invalid",
            CallError::Failed(_) => "failed",
        };
        Self {
            kind: kind.to_owned(),
            message: error.to_string(),
        }
    }
}

fn unknown() -> wasmtime::Error {
    wasmtime::Error::msg("the guest named a host call that is not there")
}

impl Host for GuestCalls {
    async fn start_call(&mut self, name: String, arguments: String) -> wasmtime::Result<CallId> {
        // The engine has copied both already, whatever the result of the call.
        self.meter.charge(
            meter::HOST_CALL
                .saturating_add(meter::text(name.len()))
                .saturating_add(meter::text(arguments.len())),
        );
        let call = if name == SHOW {
            // Checked, decoded, and written again: some nanoseconds for each byte.
            self.meter
                .charge(meter::text(arguments.len()).saturating_mul(16));
            GuestCall::Finished(self.show(&arguments).await)
        } else {
            self.start(&name, arguments)
                .unwrap_or_else(|error| GuestCall::Finished(Err(error)))
        };
        let id = self.next;
        self.next = self.next.wrapping_add(1);
        if self.calls.len() >= MAX_IN_FLIGHT * 2 {
            // Refused calls also take room until the guest takes their failure.
            return Err(wasmtime::Error::msg(
                "the guest starts host calls and never takes their results",
            ));
        }
        self.calls.insert(id, call);
        Ok(id)
    }

    async fn wait_any(
        &mut self,
        calls: Vec<CallId>,
        timeout_ns: Option<u64>,
    ) -> wasmtime::Result<Option<CallId>> {
        self.meter
            .charge(meter::WAIT.saturating_mul(calls.len() as u64));
        if calls.len() > MAX_IN_FLIGHT * 2 {
            return Err(wasmtime::Error::msg(format!(
                "the guest waits for {} calls; {} can be there",
                calls.len(),
                MAX_IN_FLIGHT * 2
            )));
        }
        let mut waiting: Vec<(
            CallId,
            &mut AbortOnDropHandle<Result<CallResult, CallError>>,
        )> = Vec::new();
        for (id, call) in &mut self.calls {
            if !calls.contains(id) {
                continue;
            }
            match call {
                GuestCall::Finished(_) => return Ok(Some(*id)),
                GuestCall::Running(task) => waiting.push((*id, task)),
            }
        }
        if waiting.is_empty() && !calls.is_empty() {
            return Err(unknown());
        }
        let wake_up = self.wake_up.clone();
        let time = wake_up.unless_woken(async {
            match timeout_ns {
                Some(nanos) => tokio::time::sleep(Duration::from_nanos(nanos)).await,
                None => std::future::pending().await,
            }
        });
        if waiting.is_empty() {
            time.await;
            return Ok(None);
        }
        let ids: Vec<CallId> = waiting.iter().map(|(id, _)| *id).collect();
        let first = select_all(waiting.into_iter().map(|(_, task)| task));
        let (result, index) = tokio::select! {
            biased;
            (result, index, _) = first => (result, index),
            _ = time => return Ok(None),
        };
        let id = ids.get(index).copied().ok_or_else(unknown)?;
        self.calls.insert(id, GuestCall::Finished(joined(result)));
        Ok(Some(id))
    }

    async fn finish_call(&mut self, call: CallId) -> wasmtime::Result<Result<String, Failure>> {
        let result = match self.calls.remove(&call).ok_or_else(unknown)? {
            GuestCall::Finished(result) => result,
            GuestCall::Running(task) => self.wake_up.unless_woken(task).await.map_or_else(
                || Err(CallError::failed("the evaluation was interrupted")),
                joined,
            ),
        };
        // The room is released when the guest has taken the result.
        let result = result.map(CallResult::into_text).map_err(Failure::from);
        let length = result
            .as_ref()
            .map_or_else(|failure| failure.message.len(), String::len);
        self.meter.charge(meter::text(length));
        Ok(result)
    }
}

fn joined(
    result: Result<Result<CallResult, CallError>, tokio::task::JoinError>,
) -> Result<CallResult, CallError> {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "a host call broke");
        Err(CallError::failed("the host function broke"))
    })
}
