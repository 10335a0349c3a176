//! Host calls of one run: may a program make this call, and how many has it made?
//!
//! This is the only place that counts host calls, checks a tool against the grant, bounds the bytes
//! of calls and records them; every tier goes through it. Requests to the network are checked and
//! recorded in [`super::http`], hop by hop.

use super::error::{CallError, CallLimit};
use super::http::{self, GrantedHttp, HttpClient};
use super::in_flight::{InFlight, Room};
use crate::account::{MemoryHold, RunMemory};
use crate::audit::{CallAudit, CallRecord};
use crate::error::Error;
use crate::tools::{NamedTools, ToolCall, ToolProvider, ToolSpec};
use futures_util::future::Either;
use glovebox_policy::Grant;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Instant;

/// Bytes of a call's arguments or result; protects the host's memory.
pub(super) const MAX_CALL_BYTES: usize = 16 << 20;

/// Bytes of the arguments of all calls in flight.
const MAX_ARGUMENT_BYTES: u64 = 2 * MAX_CALL_BYTES as u64;

/// Calls in flight at once; protects the host's memory and the upstream.
pub(super) const MAX_IN_FLIGHT: usize = 64;

/// Characters of a function's name that an error shows.
const MAX_SHOWN_NAME: usize = 100;

/// The services of a sandbox for its programs.
pub(crate) struct HostServices {
    tools: Arc<dyn ToolProvider>,
    /// The client of the network; none for our own programs, which have no network.
    http: Option<Arc<HttpClient>>,
}

impl HostServices {
    /// Returns the services of a sandbox.
    ///
    /// # Errors
    ///
    /// If the host cannot make TLS connections at all.
    pub(crate) fn new(tools: Arc<dyn ToolProvider>) -> Result<Self, Error> {
        Ok(Self {
            tools,
            http: Some(Arc::new(HttpClient::new()?)),
        })
    }

    /// Returns the same services with other tools.
    pub(crate) fn with_tools(&self, tools: Arc<dyn ToolProvider>) -> Self {
        Self {
            tools,
            http: self.http.clone(),
        }
    }

    /// Returns the services of our own programs: none.
    pub(crate) fn none() -> Arc<Self> {
        static NONE: LazyLock<Arc<HostServices>> = LazyLock::new(|| {
            Arc::new(HostServices {
                tools: Arc::new(NamedTools::default()),
                http: None,
            })
        });
        Arc::clone(&NONE)
    }

    /// Returns the tools that a grant allows.
    pub(crate) fn tools(&self, grant: &Grant) -> Vec<ToolSpec> {
        let mut tools = self.tools.tools(grant);
        tools.retain(|tool| grant.check_tool(&tool.name).is_ok());
        tools
    }
}

/// The host calls of one run or session, checked against its grant: for a tier whose programs make
/// them in another way than by an import of a guest.
///
/// A call ends when its future is dropped.
pub struct HostCalls {
    grant: Arc<Grant>,
    services: Arc<HostServices>,
    audit: CallAudit,
    memory: RunMemory,
    /// Calls that were asked for, those over the limit included.
    asked: AtomicU64,
    tunnels: AtomicU64,
    exceeded: AtomicBool,
    /// Created with the first call: most runs make none.
    in_flight: OnceLock<CallsInFlight>,
}

/// The resources of the calls in flight.
struct CallsInFlight {
    responses: Arc<InFlight>,
    arguments: Arc<ByteCount>,
    /// Results of tools that the program has not taken.
    results: Arc<ByteCount>,
}

/// Bytes and number of the calls in flight that hold them.
#[derive(Default)]
struct ByteCount {
    bytes: AtomicU64,
    holders: AtomicUsize,
}

/// Bytes of arguments or of a tool's result of a call in flight; released when dropped.
struct CallBytes {
    count: Arc<ByteCount>,
    bytes: u64,
    held: MemoryHold,
}

impl CallBytes {
    /// Charges the bytes, unless the total would exceed `most`; a single call is always admitted.
    fn take(
        count: &Arc<ByteCount>,
        bytes: usize,
        most: u64,
        memory: &RunMemory,
    ) -> Result<Self, CallLimit> {
        let bytes = bytes as u64;
        let held = count.bytes.fetch_add(bytes, Ordering::Relaxed);
        let holders = count.holders.fetch_add(1, Ordering::Relaxed);
        let mut taken = Self {
            count: Arc::clone(count),
            bytes,
            held: memory.hold(),
        };
        if holders >= MAX_IN_FLIGHT {
            return Err(CallLimit::InFlight {
                most: MAX_IN_FLIGHT,
            });
        }
        if held > 0 && held.saturating_add(bytes) > most {
            return Err(CallLimit::BytesInFlight { held, most, bytes });
        }
        taken.held.grow(bytes).map_err(CallLimit::Account)?;
        Ok(taken)
    }
}

impl Drop for CallBytes {
    fn drop(&mut self) {
        self.count.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.count.holders.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The result of a call, with its in-flight memory until the program takes it.
pub struct CallResult {
    text: String,
    _room: Option<Room>,
    _bytes: Option<CallBytes>,
}

impl CallResult {
    /// Returns the result of a call that has none.
    pub(super) fn empty() -> Self {
        Self {
            text: "null".to_owned(),
            _room: None,
            _bytes: None,
        }
    }

    /// Returns the result, and releases its in-flight memory.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

impl AsRef<[u8]> for CallResult {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl fmt::Debug for CallResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallResult")
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl HostCalls {
    pub(crate) fn new(
        grant: Arc<Grant>,
        services: Arc<HostServices>,
        audit: CallAudit,
        memory: RunMemory,
    ) -> Self {
        Self {
            grant,
            services,
            audit,
            memory,
            asked: AtomicU64::new(0),
            tunnels: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
            in_flight: OnceLock::new(),
        }
    }

    /// Returns the number of host calls so far: calls of tools, requests, and tunnels that were
    /// refused.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.asked
            .load(Ordering::Relaxed)
            .min(self.grant.limits().host_calls)
    }

    /// Returns whether a call was refused for the limit on calls since the last call of this, and
    /// resets it.
    #[must_use]
    pub fn take_exceeded(&self) -> bool {
        self.exceeded.swap(false, Ordering::Relaxed)
    }

    /// Returns the tools that the program may call.
    #[must_use]
    pub fn tools(&self) -> Vec<ToolSpec> {
        self.services.tools(&self.grant)
    }

    /// Calls a tool, if the grant allows it. `arguments` is JSON text, unparsed and untrusted;
    /// `deadline` is the end of the run's wall-clock time.
    ///
    /// # Errors
    ///
    /// The denial, the limit, or the failure.
    pub async fn call_tool(
        self: &Arc<Self>,
        name: &str,
        arguments: String,
        deadline: Instant,
    ) -> Result<CallResult, CallError> {
        let number = self.count()?;
        let arguments = self.hold(arguments)?;
        let call = self.start_tool(name, arguments, number, deadline)?;
        tokio::time::timeout_at(deadline.into(), call)
            .await
            .unwrap_or(Err(CallLimit::Deadline.into()))
    }

    /// Returns memory of the run, with nothing charged yet.
    pub(super) fn memory(&self) -> MemoryHold {
        self.memory.hold()
    }

    /// Returns the limit on the bytes of results.
    pub(super) fn results_limit(&self) -> u64 {
        self.grant.limits().results
    }

    /// Counts one call, and returns its number.
    pub(super) fn count(&self) -> Result<u64, CallLimit> {
        let most = self.grant.limits().host_calls;
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        if before >= most {
            self.exceeded.store(true, Ordering::Relaxed);
            return Err(CallLimit::HostCalls { most });
        }
        Ok(before.saturating_add(1))
    }

    /// Starts the call of a guest: `fetch`, or `tool:` and a name. It ends with its run, so the
    /// deadline is for the provider alone.
    pub(super) fn start(
        self: &Arc<Self>,
        name: &str,
        arguments: String,
        number: u64,
        deadline: Instant,
    ) -> Result<impl Future<Output = Result<CallResult, CallError>> + Send + use<>, CallError> {
        let arguments = self.hold(arguments)?;
        if name == "fetch" {
            let (calls, room) = (Arc::clone(self), self.room());
            return Ok(Either::Left(async move {
                let Arguments { text, held } = arguments;
                let _held = held;
                let (text, room) = http::fetch(&calls.http()?, text, room).await?;
                Ok(CallResult {
                    text,
                    _room: Some(room),
                    _bytes: None,
                })
            }));
        }
        match name.strip_prefix("tool:") {
            Some(tool) => Ok(Either::Right(
                self.start_tool(tool, arguments, number, deadline)?,
            )),
            None => {
                let shown: String = name.chars().take(MAX_SHOWN_NAME).collect();
                Err(CallError::invalid(format!(
                    "there is no host function `{}`",
                    shown.escape_debug()
                )))
            }
        }
    }

    /// Checks and records the call of a tool, and returns it ready to be awaited.
    fn start_tool(
        self: &Arc<Self>,
        name: &str,
        arguments: Arguments,
        number: u64,
        deadline: Instant,
    ) -> Result<impl Future<Output = Result<CallResult, CallError>> + Send + use<>, CallError> {
        let record = |verdict, sent| {
            let record = CallRecord {
                function: name,
                target: "",
                verdict,
                sent,
                received: 0,
            };
            self.audit.called(record).map_err(|error| {
                tracing::error!(%error, "a host call was refused because it could not be audited");
                CallError::failed("the call could not be recorded, so it was not made")
            })
        };
        match self.grant.check_tool(name) {
            // Recorded before the call: what is not in the audit log must not happen.
            Ok(rule) => record(Ok(rule.to_string()), arguments.text.len() as u64)?,
            Err(denial) => {
                record(Err(denial.rule.clone()), 0)?;
                return Err(denial.into());
            }
        }
        let (calls, name) = (Arc::clone(self), name.to_owned());
        Ok(async move {
            let Arguments { text, held } = arguments;
            let _held = held;
            let call = ToolCall {
                run: calls.audit.run(),
                subject: calls.grant.subject(),
                name: &name,
                arguments: text,
                deadline,
                number,
            };
            let text = calls.services.tools.call(call).await?;
            if text.len() > MAX_CALL_BYTES {
                return Err(CallLimit::Result {
                    most: MAX_CALL_BYTES,
                }
                .into());
            }
            let most = calls.grant.limits().memory.max(MAX_CALL_BYTES as u64);
            let results = &calls.in_flight().results;
            let bytes = CallBytes::take(results, text.len(), most, &calls.memory)?;
            Ok(CallResult {
                text,
                _room: None,
                _bytes: Some(bytes),
            })
        })
    }

    /// Charges the arguments of a call.
    fn hold(&self, text: String) -> Result<Arguments, CallLimit> {
        let bytes = text.len();
        if bytes > MAX_CALL_BYTES {
            return Err(CallLimit::Arguments {
                most: MAX_CALL_BYTES,
                bytes,
            });
        }
        let count = &self.in_flight().arguments;
        let held = CallBytes::take(count, bytes, MAX_ARGUMENT_BYTES, &self.memory)?;
        Ok(Arguments { text, held })
    }

    fn in_flight(&self) -> &CallsInFlight {
        self.in_flight.get_or_init(|| CallsInFlight {
            responses: InFlight::new(&self.grant, self.memory.clone()),
            arguments: Arc::default(),
            results: Arc::default(),
        })
    }

    /// Returns the in-flight memory of one response, with nothing charged yet.
    pub(super) fn room(&self) -> Room {
        self.in_flight().responses.room()
    }

    /// Returns the network as granted to the run.
    ///
    /// # Errors
    ///
    /// If its programs are our own, which have no network.
    pub(super) fn http(&self) -> Result<GrantedHttp<'_>, CallError> {
        let client = self.services.http.as_deref();
        Ok(GrantedHttp {
            grant: &self.grant,
            client: client.ok_or_else(|| CallError::failed("this run has no network"))?,
            audit: &self.audit,
        })
    }

    /// Returns the grant of the run.
    pub(super) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Counts one tunnel of a proxy.
    pub(super) fn count_tunnel(&self) -> Result<(), CallLimit> {
        let most = self.grant.limits().host_calls;
        if self.tunnels.fetch_add(1, Ordering::Relaxed) >= most {
            return Err(CallLimit::Tunnels { most });
        }
        Ok(())
    }
}

/// The arguments of one call, with the bytes that are charged for them.
struct Arguments {
    text: String,
    held: CallBytes,
}
