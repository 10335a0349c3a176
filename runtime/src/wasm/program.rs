//! Untrusted WebAssembly modules (language `wasm`): how are they compiled and run?
//!
//! A WASI 0.2 command component, or a preview 1 module that the standard adapter turns into one,
//! under the same grant, the same streams and the same files as a guest. It is compiled in another
//! process.

use super::collect::Collecting;
use super::race::{CallBounds, race};
use super::report::finish;
use super::{PreparedHost, WasmExecutor};
use crate::account::MemoryHold;
use crate::compiler::{Bounds, Code, Compilation, Compiled, Refusal, exit};
use crate::engine;
use crate::error::{CompilerError, Error, SettingError};
use crate::executor::{Evaluation, Report, Run, RunSetup, artifact_globs};
use crate::meter;
use crate::outcome::Status;
use crate::precompiled;
use crate::state::{self, RunState};
use glovebox_policy::Limit;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::Engine;
use wasmtime_wasi::p2::bindings::CommandPre;

/// The language under which such programs are requested.
pub(super) const LANGUAGE: &str = "wasm";

/// Runs a program from its first instruction to its end.
pub(super) async fn run(
    executor: &WasmExecutor,
    Run { setup, evaluation }: Run,
) -> Result<Report, Error> {
    let Some(compiler) = &executor.compiler else {
        return Err(SettingError::NoCompiler.into());
    };
    let grant = Arc::clone(&setup.grant);
    let limits = grant.limits();
    let engine = engine::engine(executor.metering, limits.stack)?;
    let slot = tokio::select! {
        biased;
        () = evaluation.stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
        slot = compiler.slot(grant.subject()) => slot,
    };
    // Waiting for other compilations is not this run's time.
    let started = Instant::now();
    let compilation = Compilation {
        program: Arc::clone(&evaluation.source.content),
        metering: executor.metering,
        bounds: Bounds {
            wall: limits.wall,
            memory: limits.memory,
            stack: limits.stack,
        },
        memory: &setup.memory,
        stop: &evaluation.stop,
    };
    let (compiled, compiling) = compiler.compile(slot, compilation).await?;
    // The compiler may have been refused more memory than it then made do with.
    setup.memory.take_refusal();
    let code = match code_of(compiled) {
        Ok(code) => code,
        Err(report) => return Ok(after(compiling, *report)),
    };
    // The code's charge to the memory account is held until the run is over.
    let (_held, loaded) = load(&engine, code).await?;
    let command = match loaded {
        Ok(command) => command,
        Err(report) => return Ok(after(compiling, *report)),
    };
    let report = execute(executor, &setup, evaluation, command, started).await?;
    Ok(after(compiling, report))
}

/// Returns the machine code of a compilation, or the report of a run that has none.
fn code_of(compiled: Compiled) -> Result<Code, Box<Report>> {
    let (why, report) = match compiled {
        Compiled::Code(code) => return Ok(code),
        Compiled::Stopped => return Err(Box::new(Report::new(Status::Cancelled))),
        Compiled::Refused(Refusal::Invalid(why)) => return Err(Box::new(unusable(why))),
        Compiled::Limited(why) | Compiled::Refused(Refusal::TooLarge(why)) => {
            (why, Report::limited(Limit::Compile))
        }
        Compiled::NoMemory(why) => (why, Report::limited(Limit::Memory)),
        Compiled::Broke(why) => (why, Report::new(Status::Crashed)),
    };
    Err(Box::new(Report {
        crash: Some(why),
        ..report
    }))
}

/// Loads and links machine code; also returns its charge to the memory account.
async fn load(
    engine: &Engine,
    code: Code,
) -> Result<(MemoryHold, Result<CommandPre<RunState>, Box<Report>>), Error> {
    let load = {
        let engine = engine.clone();
        move || {
            let Code { bytes, mut held } = code;
            let component = precompiled::take(&engine, &bytes);
            let length = bytes.len();
            drop(bytes);
            held.shrink(length as u64);
            (held, component)
        }
    };
    // Takes as long as copying the code does.
    let (held, component) = tokio::task::spawn_blocking(load).await?;
    let component = component.map_err(|error| CompilerError::Version(error.into()))?;
    let mut linker = state::wasi_linker(engine)?;
    exit::add_to_linker(&mut linker)?;
    let command = linker
        .instantiate_pre(&component)
        .and_then(CommandPre::new)
        .map_err(|error| Box::new(unusable(format!("{error:#}"))));
    Ok((held, command))
}

/// Runs a linked program; `started` is when its time began.
async fn execute(
    executor: &WasmExecutor,
    setup: &RunSetup,
    evaluation: Evaluation,
    command: CommandPre<RunState>,
    started: Instant,
) -> Result<Report, Error> {
    let grant = &setup.grant;
    let limits = grant.limits();
    let globs = artifact_globs(&evaluation.artifacts)?;
    let mut arguments = vec![evaluation.source.name];
    arguments.extend(evaluation.arguments);
    let layout = executor.layouts.of(setup, None).await?;
    let host = match executor.prepare(&layout, setup, None, &arguments)? {
        PreparedHost::Ready(host) => *host,
        PreparedHost::Over(report) => return Ok(*report),
    };
    host.outputs.restart(limits, evaluation.output);
    host.input.restart(evaluation.input);
    let mut store = executor.store(command.engine(), grant, host.state, meter::PROGRAM_COPY)?;
    let wall = limits.wall.saturating_sub(started.elapsed());
    let call = async {
        let command = command.instantiate_async(&mut store).await?;
        command.wasi_cli_run().call_run(&mut store).await
    };
    let bounds = CallBounds {
        metering: executor.metering,
        wall,
        stop: &evaluation.stop,
        interrupter: None,
    };
    let (ending, cpu) = race(call, bounds).await;
    let mut report = ending.report(|result| {
        let failed = result.is_err();
        Report {
            exit_code: Some(i32::from(failed)),
            ..Report::new(if failed {
                Status::Failed
            } else {
                Status::Succeeded
            })
        }
    });
    let fuel = meter::spent(&store, limits.fuel);
    let state = store.data_mut();
    finish(&mut report, state, &host.outputs, fuel);
    report.usage.cpu = cpu;
    let collecting = Collecting {
        globs: &globs,
        bytes: limits.workspace,
        metering: executor.metering,
        wall: limits.wall,
        stop: &evaluation.stop,
    };
    collecting
        .collect(&mut report, (&state.files, state.memory.hold()), started)
        .await;
    Ok(report)
}

/// Adds the CPU time of the compilation.
fn after(compiling: Duration, mut report: Report) -> Report {
    report.usage.cpu = report.usage.cpu.saturating_add(compiling);
    report
}

fn unusable(why: String) -> Report {
    Report {
        crash: Some(format!("this is no program that can run here: {why}")),
        ..Report::new(Status::Crashed)
    }
}
