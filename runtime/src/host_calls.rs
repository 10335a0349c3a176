//! Host calls: what happens when a guest calls a tool or the network?
//!
//! This is the only place where a guest's call has an effect outside. Each call is checked against the grant before it starts; it then runs
//! as a tokio task, so that several can be in flight, and is dropped with the instance.

use crate::account::{MemoryHold, RunMemory};
use crate::audit::CallAudit;
use crate::egress::{self, HttpClient};
use crate::in_flight::{InFlight, Room};
use crate::meter::{self, Meter};
use crate::state::bindings::glovebox::guest::host::{CallId, Failure, Host};
use async_trait::async_trait;
use futures_util::future::select_all;
use glovebox_policy::Grant;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;

/// Bytes of a call's arguments or result; protects the host's memory.
const MAX_CALL_BYTES: usize = 16 << 20;

/// Bytes of the arguments of all calls in flight.
const MAX_ARGUMENT_BYTES: u64 = 2 * MAX_CALL_BYTES as u64;

/// Calls in flight at once; protects the host's memory and the upstream.
const MAX_IN_FLIGHT: usize = 64;

/// A function of the embedder that a guest may call by name, if its grant allows that name.
#[async_trait]
pub trait Tool: Send + Sync {
    /// Answers one call.
    ///
    /// `arguments` and the result are JSON texts. The arguments come from the guest, are untrusted, and are at most 16 MiB.
    ///
    /// # Errors
    ///
    /// A message for the author of the program.
    async fn call(&self, arguments: String) -> Result<String, String>;
}

/// The services of a sandbox for its guests.
pub(crate) struct Services {
    pub(crate) tools: HashMap<String, Arc<dyn Tool>>,
    pub(crate) http: HttpClient,
}

/// The result of a call, with its in-flight memory until the guest takes it.
pub(crate) struct Answer {
    text: String,
    _room: Option<Room>,
    _bytes: Option<CallBytes>,
}

impl Answer {
    /// Returns a result that was read into its room.
    pub(crate) fn read(text: String, room: Room) -> Self {
        Self {
            text,
            _room: Some(room),
            _bytes: None,
        }
    }
}

enum Call {
    Running(AbortOnDropHandle<Result<Answer, Failure>>),
    Finished(Result<Answer, Failure>),
}

/// Bytes of arguments or of a tool's result of a call in flight; released when dropped.
struct CallBytes {
    counter: Arc<AtomicU64>,
    bytes: u64,
    held: MemoryHold,
}

impl CallBytes {
    /// Charges the bytes, unless the total would exceed `most`; a single call is always admitted.
    fn take(
        counter: &Arc<AtomicU64>,
        bytes: usize,
        most: u64,
        memory: &RunMemory,
    ) -> Result<Self, Failure> {
        let bytes = bytes as u64;
        let before = counter.fetch_add(bytes, Ordering::Relaxed);
        let mut taken = Self {
            counter: Arc::clone(counter),
            bytes,
            held: memory.hold(),
        };
        if before > 0 && before.saturating_add(bytes) > most {
            let message = format!(
                "the host calls in flight have {before} of {most} bytes, and {bytes} more do not fit; take a result first"
            );
            return Err(failure("limit", message));
        }
        taken
            .held
            .grow(bytes)
            .map_err(|why| failure("limit", why))?;
        Ok(taken)
    }
}

impl Drop for CallBytes {
    fn drop(&mut self) {
        self.counter.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The calls of one instance.
pub(crate) struct HostCalls {
    grant: Arc<Grant>,
    services: Arc<Services>,
    trail: CallAudit,
    calls: HashMap<CallId, Call>,
    next: CallId,
    made: u64,
    exceeded: bool,
    meter: Meter,
    memory: RunMemory,
    /// Created with the first call: most runs make none.
    in_flight: OnceLock<CallsInFlight>,
}

/// The resources of the calls in flight.
struct CallsInFlight {
    answers: Arc<InFlight>,
    /// Bytes of their arguments.
    arguments: Arc<AtomicU64>,
    /// Bytes of tool results that the guest has not taken.
    results: Arc<AtomicU64>,
}

impl HostCalls {
    pub(crate) fn new(
        grant: Arc<Grant>,
        services: Arc<Services>,
        trail: CallAudit,
        memory: RunMemory,
    ) -> Self {
        Self {
            memory,
            grant,
            services,
            trail,
            calls: HashMap::new(),
            next: 0,
            made: 0,
            exceeded: false,
            meter: Meter::default(),
            in_flight: OnceLock::new(),
        }
    }

    /// Sets `meter` as the fuel debt of the run.
    pub(crate) fn metered(self, meter: Meter) -> Self {
        Self { meter, ..self }
    }

    /// Returns the number of calls made so far.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// Returns whether a call was refused for the limit on calls since the last call of this, and resets it.
    pub(crate) fn take_exceeded(&mut self) -> bool {
        std::mem::take(&mut self.exceeded)
    }

    /// Cancels the calls in flight.
    pub(crate) fn abandon(&mut self) {
        self.calls.clear();
    }

    fn in_flight(&self) -> &CallsInFlight {
        self.in_flight.get_or_init(|| CallsInFlight {
            answers: InFlight::new(&self.grant, self.memory.clone()),
            arguments: Arc::default(),
            results: Arc::default(),
        })
    }

    fn start(&mut self, name: &str, arguments: String) -> Call {
        if self.made >= self.grant.limits().host_calls {
            self.exceeded = true;
            return refuse(
                "limit",
                format!(
                    "the run may make {} host calls and has made them",
                    self.made
                ),
            );
        }
        self.made += 1;
        if self.calls.len() >= MAX_IN_FLIGHT {
            return refuse(
                "limit",
                format!("{MAX_IN_FLIGHT} host calls are in flight; take a result first"),
            );
        }
        if arguments.len() > MAX_CALL_BYTES {
            return refuse(
                "limit",
                format!(
                    "the arguments of a host call have at most {MAX_CALL_BYTES} bytes, not {}",
                    arguments.len()
                ),
            );
        }
        let held = match CallBytes::take(
            &self.in_flight().arguments,
            arguments.len(),
            MAX_ARGUMENT_BYTES,
            &self.memory,
        ) {
            Ok(held) => held,
            Err(failure) => return Call::Finished(Err(failure)),
        };
        if name == "fetch" {
            let (grant, services, trail) = (
                Arc::clone(&self.grant),
                Arc::clone(&self.services),
                self.trail.clone(),
            );
            let room = self.in_flight().answers.room();
            return spawn(async move {
                let _held = held;
                egress::fetch(&grant, &services.http, &trail, arguments, room).await
            });
        }
        match name.strip_prefix("tool:") {
            Some(tool) => self.start_tool(tool, arguments, held),
            None => refuse(
                "invalid",
                format!("there is no host function `{}`", name.escape_debug()),
            ),
        }
    }

    fn start_tool(&self, name: &str, arguments: String, held: CallBytes) -> Call {
        let sent = arguments.len() as u64;
        let trail = self.trail.clone();
        let rule = match self.grant.check_tool(name) {
            Ok(rule) => rule.to_string(),
            Err(denial) => {
                return match trail.called(name, "", Err(denial.rule.clone()), 0, 0) {
                    Ok(()) => refuse("denied", denial.to_string()),
                    Err(error) => unaudited(&error),
                };
            }
        };
        let Some(tool) = self.services.tools.get(name).cloned() else {
            return refuse(
                "invalid",
                format!(
                    "the tool `{}` is granted, but nobody provides it",
                    name.escape_debug()
                ),
            );
        };
        // Recorded before the call: what is not in the audit log must not happen.
        if let Err(error) = trail.called(name, "", Ok(rule), sent, 0) {
            return unaudited(&error);
        }
        let (results, memory) = (Arc::clone(&self.in_flight().results), self.memory.clone());
        let most = self.grant.limits().memory.max(MAX_CALL_BYTES as u64);
        spawn(async move {
            let _held = held;
            let result = tool
                .call(arguments)
                .await
                .map_err(|message| failure("failed", message))?;
            if result.len() > MAX_CALL_BYTES {
                return Err(failure(
                    "limit",
                    format!("the tool's result has more than {MAX_CALL_BYTES} bytes"),
                ));
            }
            let bytes = CallBytes::take(&results, result.len(), most, &memory)?;
            Ok(Answer {
                text: result,
                _room: None,
                _bytes: Some(bytes),
            })
        })
    }
}

fn unaudited(error: &std::io::Error) -> Call {
    tracing::error!(%error, "a host call was refused because it could not be audited");
    refuse(
        "failed",
        "the call could not be recorded, so it was not made".to_owned(),
    )
}

pub(crate) fn failure(kind: &str, message: impl Into<String>) -> Failure {
    Failure {
        kind: kind.to_owned(),
        message: message.into(),
    }
}

fn refuse(kind: &str, message: String) -> Call {
    Call::Finished(Err(failure(kind, message)))
}

fn spawn(call: impl Future<Output = Result<Answer, Failure>> + Send + 'static) -> Call {
    Call::Running(AbortOnDropHandle::new(tokio::spawn(call)))
}

fn unknown() -> wasmtime::Error {
    wasmtime::Error::msg("the guest named a host call that is not there")
}

impl Host for HostCalls {
    async fn start_call(&mut self, name: String, arguments: String) -> wasmtime::Result<CallId> {
        // The engine has copied both already, whatever the result of the call.
        self.meter.charge(
            meter::HOST_CALL
                .saturating_add(meter::text(name.len()))
                .saturating_add(meter::text(arguments.len())),
        );
        let call = self.start(&name, arguments);
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
        let mut waiting: Vec<(CallId, &mut AbortOnDropHandle<Result<Answer, Failure>>)> =
            Vec::new();
        for (id, call) in &mut self.calls {
            if !calls.contains(id) {
                continue;
            }
            match call {
                Call::Finished(_) => return Ok(Some(*id)),
                Call::Running(task) => waiting.push((*id, task)),
            }
        }
        if waiting.is_empty() && !calls.is_empty() {
            return Err(unknown());
        }
        let time = async {
            match timeout_ns {
                Some(nanos) => tokio::time::sleep(Duration::from_nanos(nanos)).await,
                None => std::future::pending().await,
            }
        };
        if waiting.is_empty() {
            time.await;
            return Ok(None);
        }
        let ids: Vec<CallId> = waiting.iter().map(|(id, _)| *id).collect();
        let first = select_all(waiting.into_iter().map(|(_, task)| task));
        let (result, index) = tokio::select! {
            biased;
            (result, index, _) = first => (result, index),
            () = time => return Ok(None),
        };
        let id = ids.get(index).copied().ok_or_else(unknown)?;
        self.calls.insert(id, Call::Finished(joined(result)));
        Ok(Some(id))
    }

    async fn finish_call(&mut self, call: CallId) -> wasmtime::Result<Result<String, Failure>> {
        let result = match self.calls.remove(&call).ok_or_else(unknown)? {
            Call::Finished(result) => result,
            Call::Running(task) => joined(task.await),
        };
        // The room is released when the guest has taken the result.
        let result = result.map(|answer| answer.text);
        let length = result
            .as_ref()
            .map_or_else(|failure| failure.message.len(), String::len);
        self.meter.charge(meter::text(length));
        Ok(result)
    }
}

fn joined(
    result: Result<Result<Answer, Failure>, tokio::task::JoinError>,
) -> Result<Answer, Failure> {
    result.unwrap_or_else(|error| {
        tracing::error!(%error, "a host call broke");
        Err(failure("failed", "the host function broke"))
    })
}
