//! Wasm tier executor: how does a grant run in a WebAssembly instance?
//!
//! A fresh instance for every run, under fuel, memory and stack limits, raced against the wall
//! clock: fuel does not stop a call that waits in the host, and the clock does not stop a loop that
//! never waits.

mod layouts;
mod program;

use crate::account::{MemoryHold, RunMemory};
use crate::clock::GuestClock;
use crate::compiler::Compiler;
use crate::contract::{self, exports::glovebox::guest::interpreter};
use crate::engine::Metering;
use crate::error::{EndReason, Error, GuestError, RequestError};
use crate::executor::{Evaluation, Executor, Report, Run, RunSetup, SessionHandle, artifact_globs};
use crate::filesystem::{
    CollectLimits, FileEntry, Filesystem, FilesystemError, QuotaLimits, system_clock,
};
use crate::guest::{Guest, Guests};
use crate::limiter::{Limiter, WholeImage};
use crate::memory::with_image;
use crate::meter;
use crate::outcome::{Exception, Status, Usage, Value};
use crate::packages::{PackageTarget, PackageTree};
use crate::state::{Parts, RunState};
use crate::stdio::{GuestInput, LimitReached, Outputs};
use async_trait::async_trait;
use globset::GlobSet;
use glovebox_policy::{Grant, Limit, Tier, TierFacts};
use layouts::{Layouts, Shared, package_archive};
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use wasmtime::{Store, Trap};

/// Fuel after which a guest yields to other tasks, about a millisecond.
const YIELD_FUEL: u64 = 1_000_000;

/// The least time for collecting artifacts, whatever time the program has left.
const LEAST_COLLECTING: Duration = Duration::from_secs(1);

/// The most artifacts of one run.
const MAX_ARTIFACTS: usize = 1000;

/// The wasm tier.
pub(crate) struct WasmExecutor {
    guests: Guests,
    metering: Metering,
    layouts: Layouts,
    /// The compiler; without one, no untrusted WebAssembly modules run.
    compiler: Option<Compiler>,
}

impl WasmExecutor {
    pub(crate) fn new(guests: Guests, metering: Metering, compiler: Option<Compiler>) -> Self {
        Self {
            guests,
            metering,
            layouts: Layouts::default(),
            compiler,
        }
    }

    /// Returns the host state of a new instance, or a report if the request's files don't fit.
    fn prepare(
        &self,
        shared: &Shared,
        setup: &RunSetup,
        guest: Option<&Guest>,
        arguments: &[String],
    ) -> Result<Prepared, Error> {
        let grant = &setup.grant;
        let limits = grant.limits();
        let resolution = grant.clock_resolution();
        let quota = QuotaLimits::from(limits);
        let memory = setup.memory.clone();
        let mut held = memory.hold();
        if held.grow(shared.index).is_err() {
            return Ok(Prepared::Over(Box::new(
                refused(&memory).unwrap_or_else(|| Report::limited(Limit::Memory)),
            )));
        }
        let mut files = Filesystem::new(&shared.layout, quota, system_clock(resolution), held);
        for file in &setup.files {
            match files.put(
                &file.path,
                bytes::Bytes::from_owner(Arc::clone(&file.content)),
            ) {
                Ok(()) => {}
                Err(FilesystemError::Full { .. }) => {
                    let limit = files.quota_hit().unwrap_or(Limit::Workspace);
                    return Ok(Prepared::Over(Box::new(
                        refused(&memory).unwrap_or_else(|| Report::limited(limit)),
                    )));
                }
                Err(error) => return Err(RequestError::File(error).into()),
            }
        }
        let outputs = Outputs::new(limits.output, memory.hold());
        let input = GuestInput::default();
        let state = RunState::new(Parts {
            outputs: &outputs,
            input: input.clone(),
            clock: GuestClock::new(resolution),
            seed: grant.seed(),
            arguments,
            environment: grant.environment(),
            files,
            limiter: Limiter::new(limits.memory, memory.hold(), guest.is_some()),
            calls: setup.host_calls(),
            memory,
        });
        Ok(Prepared::Ready(Box::new(Host {
            state,
            outputs,
            input,
        })))
    }

    /// Creates a store in which one import may have `copy` bytes copied out of the guest.
    fn store(
        &self,
        engine: &wasmtime::Engine,
        grant: &Grant,
        state: RunState,
        copy: usize,
    ) -> Result<Store<RunState>, Error> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        meter::install(&mut store, self.metering == Metering::Fuel, copy);
        match self.metering {
            Metering::Fuel => {
                store.set_fuel(grant.limits().fuel)?;
                store.fuel_async_yield_interval(Some(YIELD_FUEL))?;
            }
            Metering::Epoch => {
                store.set_epoch_deadline(1);
                store.epoch_deadline_async_yield_and_update(1);
            }
            Metering::Unmetered => {}
        }
        Ok(store)
    }

    async fn instance(&self, setup: RunSetup) -> Result<Started, Error> {
        let guest = self
            .guests
            .for_language(setup.grant.language())
            .ok_or_else(|| GuestError::Language {
                language: setup.grant.language().to_owned(),
            })?;
        let limits = setup.grant.limits();
        let loaded = guest.loaded(self.metering, limits.stack)?;
        let place = guest.packages.clone();
        let layout = self.layouts.of(&setup, Some(guest)).await?;
        let host = match self.prepare(&layout, &setup, Some(guest), &[])? {
            Prepared::Ready(host) => *host,
            Prepared::Over(report) => return Ok(Started::Over(report)),
        };
        let image = WholeImage::new(host.state.memory.hold(), guest.image.len());
        let mut store = self.store(
            loaded.pre.engine(),
            &setup.grant,
            host.state,
            meter::GUEST_COPY,
        )?;
        let instantiated = with_image(
            Arc::clone(&guest.image),
            pin!(loaded.pre.instantiate_async(&mut store)),
        )
        .await;
        let guest = match instantiated {
            Ok(guest) => guest,
            Err(error) if store.data_mut().limiter.take_hit() == Some(Limit::Memory) => {
                tracing::debug!(%error, "the guest's own memory does not fit the grant");
                let report =
                    refused(&store.data().memory).unwrap_or_else(|| Report::limited(Limit::Memory));
                return Ok(Started::Over(Box::new(report)));
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Started::Instance(Box::new(Instance {
            store,
            guest,
            outputs: host.outputs,
            input: host.input,
            grant: setup.grant,
            metering: self.metering,
            packages: place,
            image,
            fresh: true,
            alive: true,
            reported_calls: 0,
        })))
    }
}

/// Returns the report of a run that the memory account refused.
fn refused(memory: &RunMemory) -> Option<Report> {
    memory.take_refusal().map(|why| Report {
        crash: Some(why),
        ..Report::limited(Limit::Memory)
    })
}

fn no_place(grant: &Grant) -> Error {
    let language = grant.language().to_owned();
    RequestError::NoPackages { language }.into()
}

fn file_error(error: FilesystemError) -> Error {
    RequestError::File(error).into()
}

enum Prepared {
    Ready(Box<Host>),
    Over(Box<Report>),
}

struct Host {
    state: RunState,
    outputs: Outputs,
    input: GuestInput,
}

enum Started {
    Instance(Box<Instance>),
    Over(Box<Report>),
}

#[async_trait]
impl Executor for WasmExecutor {
    fn facts(&self) -> TierFacts {
        let mut languages: Vec<String> = self.guests.languages().map(str::to_owned).collect();
        if self.compiler.is_some() {
            languages.push(program::LANGUAGE.to_owned());
        }
        languages.sort_unstable();
        TierFacts::new(Tier::Wasm, languages)
    }

    fn package_target(&self, language: &str) -> Option<PackageTarget> {
        let guest = self
            .guests
            .for_language(language)
            .filter(|guest| guest.packages.is_some())?;
        Some(PackageTarget {
            tier: Tier::Wasm,
            interpreter: guest.interpreter(),
            native: None,
        })
    }

    fn has_sessions(&self, language: &str) -> bool {
        language != program::LANGUAGE
    }

    async fn run(&self, run: Run) -> Result<Report, Error> {
        let Run { setup, evaluation } = run;
        if setup.grant.language() == program::LANGUAGE {
            return Box::pin(program::run(self, setup, evaluation)).await;
        }
        match self.instance(setup).await? {
            Started::Instance(mut instance) => instance.evaluate(evaluation).await,
            Started::Over(report) => Ok(*report),
        }
    }

    async fn open(&self, setup: RunSetup) -> Result<Box<dyn SessionHandle>, Error> {
        if setup.grant.language() == program::LANGUAGE {
            return Err(RequestError::NoSessions.into());
        }
        match self.instance(setup).await? {
            Started::Instance(mut instance) => {
                instance.image.take(u64::MAX).map_err(Error::Memory)?;
                Ok(instance)
            }
            Started::Over(report) => Err(match report.crash {
                Some(why) => Error::Memory(why),
                None => RequestError::FilesTooLarge.into(),
            }),
        }
    }
}

/// An instantiated guest.
struct Instance {
    store: Store<RunState>,
    guest: contract::Guest,
    outputs: Outputs,
    input: GuestInput,
    grant: Arc<Grant>,
    metering: Metering,
    /// The packages' path in the guest.
    packages: Option<String>,
    image: WholeImage,
    /// No evaluation has begun yet.
    fresh: bool,
    alive: bool,
    reported_calls: u64,
}

#[async_trait]
impl SessionHandle for Instance {
    async fn evaluate(&mut self, evaluation: Evaluation) -> Result<Report, Error> {
        if !self.alive {
            return Err(Error::SessionEnded(EndReason::Interrupted));
        }
        let globs = artifact_globs(&evaluation.artifacts)?;
        let limits = self.grant.limits().clone();
        self.outputs.restart(limits.output, evaluation.output);
        self.input.restart(evaluation.input);
        let state = self.store.data_mut();
        state.files.forget_quota_hit();
        state.memory.take_refusal();
        state.meter.take();
        state.pace.restart();
        if self.metering == Metering::Fuel {
            self.store.set_fuel(limits.fuel)?;
        }
        let text = String::from_utf8(evaluation.source.content.to_vec()).map_err(|_| {
            RequestError::SourceText {
                name: evaluation.source.name.clone(),
            }
        })?;
        let seed = self
            .fresh
            .then(|| self.grant.seed().unwrap_or_else(rand::random));
        let source = interpreter::Source {
            name: evaluation.source.name,
            language: self.grant.language().to_owned(),
            text,
            arguments: evaluation.arguments,
            environment: self.grant.environment().to_vec(),
            seed,
        };
        self.fresh = false;
        // A future that is dropped half-way leaves the instance in an inconsistent state: dead
        // until proven otherwise.
        self.alive = false;
        let began = Instant::now();
        let deadline = began.checked_add(limits.wall).unwrap_or(began);
        self.store.data_mut().calls.restart(deadline);
        let (ending, cpu) = {
            // Pinned in place: passing them by value would copy them, and they are large.
            let call = pin!(
                self.guest
                    .glovebox_guest_interpreter()
                    .call_evaluate(&mut self.store, &source)
            );
            let call = pin!(self.image.counted(call));
            race(call, self.metering, (limits.wall, &evaluation.stop)).await
        };
        let mut report = self.report(ending);
        report.usage.cpu = cpu;
        let state = self.store.data_mut();
        state.calls.abandon();
        let collecting = Collecting {
            globs: &globs,
            bytes: limits.workspace,
            metering: self.metering,
            wall: limits.wall,
            stop: &evaluation.stop,
        };
        collecting
            .collect(&mut report, (&state.files, state.memory.hold()), began)
            .await;
        Ok(report)
    }

    fn put_file(&mut self, path: &str, content: Arc<[u8]>) -> Result<(), Error> {
        self.store
            .data_mut()
            .files
            .put(path, bytes::Bytes::from_owner(content))
            .map_err(file_error)
    }

    fn read_file(&mut self, path: &str, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.store
            .data()
            .files
            .read(path, range)
            .map_err(file_error)
    }

    fn file_size(&mut self, path: &str) -> Result<u64, Error> {
        self.store.data().files.size(path).map_err(file_error)
    }

    fn list_files(
        &mut self,
        path: &str,
        after: Option<&str>,
        most: usize,
    ) -> Result<Vec<FileEntry>, Error> {
        self.store
            .data()
            .files
            .list(path, after, most)
            .map_err(file_error)
    }

    fn remove_file(&mut self, path: &str) -> Result<(), Error> {
        self.store.data_mut().files.remove(path).map_err(file_error)
    }

    fn supply(&mut self, packages: Option<&PackageTree>) -> Result<(), Error> {
        let place = self
            .packages
            .as_deref()
            .ok_or_else(|| no_place(&self.grant))?;
        let archive = package_archive(packages)?;
        self.store
            .data_mut()
            .files
            .replace_archive(place, &archive)
            .map_err(file_error)
    }

    fn is_alive(&self) -> bool {
        self.alive
    }
}

impl Instance {
    fn report(&mut self, ending: Ending<interpreter::Completion>) -> Report {
        let mut report = match ending {
            Ending::Returned(Ok(completion)) => {
                self.alive = true;
                completed(completion, self.grant.limits().value)
            }
            Ending::Returned(Err(error)) => trapped(&error),
            Ending::WallTime => Report::limited(Limit::Wall),
            Ending::Stopped => Report::new(Status::Cancelled),
        };
        let fuel = meter::spent(&self.store, self.grant.limits().fuel);
        let made_before = self.reported_calls;
        let state = self.store.data_mut();
        self.reported_calls = state.calls.made();
        finish(&mut report, state, &self.outputs, fuel);
        report.usage.host_calls -= made_before;
        report
    }
}

/// Fills in the parts of the report that every run has.
fn finish(report: &mut Report, state: &mut RunState, outputs: &Outputs, fuel: u64) {
    let refused = state
        .limiter
        .take_hit()
        .or_else(|| state.files.quota_hit())
        .or_else(|| state.calls.take_exceeded().then_some(Limit::HostCalls));
    // A program may handle a refusal. If it failed nevertheless, the refusal is why.
    if let Some(limit) = refused
        && matches!(report.status, Status::Failed | Status::Crashed)
    {
        report.status = Status::Limited;
        report.limit = Some(limit);
        report.crash = None;
    }
    // The memory account may also refuse what the run's own limits allow.
    if let Some(why) = state.memory.take_refusal()
        && matches!(
            report.status,
            Status::Failed | Status::Crashed | Status::Limited
        )
        && report
            .limit
            .is_none_or(|limit| matches!(limit, Limit::Memory | Limit::Workspace))
    {
        report.status = Status::Limited;
        report.limit = Some(Limit::Memory);
        report.crash = Some(why);
    }
    let (stdout, stderr, written) = outputs.take();
    let files = state.files.usage();
    report.stdout = stdout;
    report.stderr = stderr;
    report.usage = Usage {
        fuel,
        peak_memory: state.limiter.peak_memory(),
        output: written,
        workspace: files.peak_bytes,
        files: files.peak_files,
        host_calls: state.calls.made(),
        ..Usage::default()
    };
}

/// Collects the artifacts that a request asked for, within what its limits have left.
struct Collecting<'a> {
    globs: &'a GlobSet,
    bytes: u64,
    metering: Metering,
    wall: Duration,
    stop: &'a CancellationToken,
}

impl Collecting<'_> {
    async fn collect(
        &self,
        report: &mut Report,
        (files, mut held): (&Filesystem, MemoryHold),
        began: Instant,
    ) {
        if self.globs.is_empty() {
            return;
        }
        let limits = CollectLimits {
            files: MAX_ARTIFACTS,
            bytes: self.bytes,
        };
        // A program that used all of its time still gets what can be found quickly.
        let left = self
            .wall
            .saturating_sub(began.elapsed())
            .max(LEAST_COLLECTING);
        let collecting = async { Ok(files.collect(self.globs, limits, &mut held).await) };
        let (ending, cpu) = race(collecting, self.metering, (left, self.stop)).await;
        report.usage.cpu = report.usage.cpu.saturating_add(cpu);
        match ending {
            Ending::Returned(Ok(collected)) => {
                report.artifacts_truncated = collected.truncated;
                report.artifacts = collected.artifacts;
            }
            Ending::Returned(Err(_)) | Ending::WallTime => report.artifacts_truncated = true,
            Ending::Stopped => {
                report.artifacts_truncated = true;
                report.status = Status::Cancelled;
            }
        }
    }
}

/// The way in which a call into a guest ended.
enum Ending<T> {
    Returned(wasmtime::Result<T>),
    WallTime,
    Stopped,
}

/// Runs a call until it returns, the time is up or it is cancelled; also returns the CPU time.
///
/// A guest that is metered by fuel yields after a millisecond at the latest, so its first time
/// slice is measured by the wall clock: reading the thread's CPU time costs two system calls, which
/// would slow a short run.
async fn race<T>(
    call: impl Future<Output = wasmtime::Result<T>>,
    metering: Metering,
    (wall, stop): (Duration, &CancellationToken),
) -> (Ending<T>, Duration) {
    let mut cpu = Duration::ZERO;
    let ending = {
        let mut call = pin!(call);
        let mut is_short = metering == Metering::Fuel;
        let started = Instant::now();
        let metered = std::future::poll_fn(|context| {
            if std::mem::take(&mut is_short) {
                let result = call.as_mut().poll(context);
                cpu += started.elapsed();
                return result.map(Some);
            }
            let before = thread_cpu_time();
            let result = call.as_mut().poll(context);
            cpu += thread_cpu_time().saturating_sub(before);
            // A busy tokio runtime checks its timers only now and then.
            if result.is_pending() && started.elapsed() >= wall {
                return Poll::Ready(None);
            }
            result.map(Some)
        });
        tokio::select! {
            biased;
            () = stop.cancelled() => Ending::Stopped,
            result = tokio::time::timeout(wall, metered) => result.ok().flatten().map_or(Ending::WallTime, Ending::Returned),
        }
    };
    (ending, cpu)
}

fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn completed(completion: interpreter::Completion, max_value: u64) -> Report {
    match completion {
        interpreter::Completion::Finished(value) => Report {
            exit_code: Some(0),
            value: value.and_then(|value| {
                let fits = |text: &str| text.len() as u64 <= max_value;
                let json = value.json.filter(|json| fits(json));
                fits(&value.text).then_some(Value {
                    json,
                    text: value.text,
                })
            }),
            ..Report::new(Status::Succeeded)
        },
        interpreter::Completion::Raised(raised) => Report {
            exit_code: Some(1),
            exception: Some(Exception {
                kind: raised.kind,
                message: raised.message,
                traceback: raised.traceback,
            }),
            ..Report::new(Status::Failed)
        },
        interpreter::Completion::Exited(code) => exited(code),
    }
}

fn exited(code: i32) -> Report {
    let code = code & 0xff;
    Report {
        exit_code: Some(code),
        ..Report::new(if code == 0 {
            Status::Succeeded
        } else {
            Status::Failed
        })
    }
}

/// Maps an error of the engine to a report.
fn trapped(error: &wasmtime::Error) -> Report {
    if let Some(LimitReached(limit)) = error.downcast_ref() {
        return Report::limited(*limit);
    }
    if let Some(exit) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
        return exited(exit.0);
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel | Trap::Interrupt) => Report::limited(Limit::Fuel),
        Some(Trap::StackOverflow) => Report::limited(Limit::Stack),
        Some(trap) => Report {
            crash: Some(trap.to_string()),
            ..Report::new(Status::Crashed)
        },
        // The engine has no type for this error.
        None if error
            .root_cause()
            .to_string()
            .contains("fuel allocated for hostcalls") =>
        {
            Report::limited(Limit::HostAllocation)
        }
        None => Report {
            crash: Some(error.root_cause().to_string()),
            ..Report::new(Status::Crashed)
        },
    }
}
