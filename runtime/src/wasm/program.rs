//! How does somebody's own WebAssembly program run?
//!
//! A WASI 0.2 command component, or a preview 1 module that the standard adapter turns into one, under the same grant, the same streams
//! and the same files as a guest. Compiling happens on the host, so what is compiled is measured first and its size is limited.

mod exit;

use super::{Ending, Prepared, WasmExecutor, collect, finish, race, trapped};
use crate::engine;
use crate::error::Error;
use crate::executor::{Evaluation, Opening, Report, artifact_globs};
use crate::meter;
use crate::outcome::{Limit, Status};
use crate::state;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use wasmparser::{Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime_wasi::p2::bindings::CommandPre;

/// The language under which such programs are requested.
pub(super) const LANGUAGE: &str = "wasm";

/// Bytes of code in one function; protects the host, because the compiler's time can grow faster than a function's size.
const MAX_FUNCTION_BYTES: usize = 256 << 10;

/// Bytes of code in a program; protects the host's time and memory.
const MAX_CODE_BYTES: usize = 16 << 20;

/// Functions, types, imports and segments of a program, each; protects the host's memory.
const MAX_ITEMS: u32 = 50_000;

/// Programs being compiled at once; protects the other runs.
const MAX_COMPILING: usize = 2;

/// Compiles programs, a few at a time.
pub(super) struct Compiler {
    permits: Arc<Semaphore>,
}

impl Default for Compiler {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(MAX_COMPILING)) }
    }
}

/// Why a program was not compiled.
enum Refusal {
    TooLarge(&'static str),
    Invalid(String),
}

impl Compiler {
    async fn compile(&self, engine: &Engine, program: Arc<[u8]>) -> Result<Result<Component, Refusal>, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(Error::host)?;
        let engine = engine.clone();
        let work = tokio::task::spawn_blocking(move || {
            let compiled = compile(&engine, &program);
            drop(permit);
            compiled
        });
        work.await.map_err(Error::host)
    }
}

fn compile(engine: &Engine, program: &[u8]) -> Result<Component, Refusal> {
    measure(program)?;
    let invalid = |error: &dyn std::fmt::Display| Refusal::Invalid(error.to_string());
    if Parser::is_component(program) {
        return Component::new(engine, program).map_err(|error| invalid(&format!("{error:#}")));
    }
    let adapter = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER;
    let name = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
    let program = exit::with_our_exit(program).map_err(|error| invalid(&error))?;
    let component = wit_component::ComponentEncoder::default()
        .module(&program)
        .and_then(|encoder| encoder.adapter(name, adapter))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| invalid(&format!("{error:#}")))?;
    Component::new(engine, component).map_err(|error| invalid(&format!("{error:#}")))
}

/// Looks at the sizes in a program without compiling any of it.
fn measure(program: &[u8]) -> Result<(), Refusal> {
    let mut code = 0_usize;
    for payload in Parser::new(0).parse_all(program) {
        let payload = payload.map_err(|error| Refusal::Invalid(error.to_string()))?;
        let items = match &payload {
            Payload::TypeSection(section) => section.count(),
            Payload::ImportSection(section) => section.count(),
            Payload::FunctionSection(section) => section.count(),
            Payload::GlobalSection(section) => section.count(),
            Payload::ExportSection(section) => section.count(),
            Payload::ElementSection(section) => section.count(),
            Payload::DataSection(section) => section.count(),
            Payload::CodeSectionEntry(body) => {
                let bytes = body.range().len();
                if bytes > MAX_FUNCTION_BYTES {
                    return Err(Refusal::TooLarge("a function has more than 256 KiB of code"));
                }
                code = code.saturating_add(bytes);
                0
            }
            _ => 0,
        };
        if items > MAX_ITEMS {
            return Err(Refusal::TooLarge("a section has more than 50,000 items"));
        }
        if code > MAX_CODE_BYTES {
            return Err(Refusal::TooLarge("the program has more than 16 MiB of code"));
        }
    }
    Ok(())
}

/// Runs a program from its first instruction to its end.
pub(super) async fn run(executor: &WasmExecutor, opening: Opening, evaluation: Evaluation) -> Result<Report, Error> {
    let started = Instant::now();
    let grant = Arc::clone(&opening.grant);
    let limits = grant.limits();
    let engine = engine::engine(executor.metering, limits.stack).map_err(Error::host)?;
    let compiling = executor.compiler.compile(&engine, Arc::clone(&evaluation.source.content));
    let compiled = tokio::select! {
        biased;
        () = evaluation.stop.cancelled() => return Ok(Report::new(Status::Cancelled)),
        compiled = tokio::time::timeout(limits.wall, compiling) => compiled,
    };
    let component = match compiled {
        Err(_) => return Ok(Report::limited(Limit::Compile)),
        Ok(compiled) => match compiled? {
            Ok(component) => component,
            Err(Refusal::TooLarge(why)) => {
                let mut report = Report::limited(Limit::Compile);
                report.crash = Some(why.to_owned());
                return Ok(report);
            }
            Err(Refusal::Invalid(why)) => return Ok(unusable(why)),
        },
    };
    let mut linker = state::wasi_linker(&engine).map_err(Error::host)?;
    exit::add_to_linker(&mut linker).map_err(Error::host)?;
    let command = match linker.instantiate_pre(&component).and_then(CommandPre::new) {
        Ok(command) => command,
        Err(error) => return Ok(unusable(format!("{error:#}"))),
    };
    let globs = artifact_globs(&evaluation.artifacts)?;
    let mut arguments = vec![evaluation.source.name];
    arguments.extend(evaluation.arguments);
    let host = match executor.prepare(&opening, None, &arguments)? {
        Prepared::Ready(host) => *host,
        Prepared::Over(report) => return Ok(*report),
    };
    host.outputs.restart(limits.output, evaluation.output);
    host.input.restart(evaluation.input);
    let mut store = executor.store(&engine, &grant, host.state, meter::PROGRAM_COPY)?;
    let wall = limits.wall.saturating_sub(started.elapsed());
    let call = async {
        let command = command.instantiate_async(&mut store).await?;
        command.wasi_cli_run().call_run(&mut store).await
    };
    let (ending, cpu) = race(call, executor.metering, (wall, &evaluation.stop)).await;
    let mut report = match ending {
        Ending::Returned(Ok(result)) => {
            let failed = result.is_err();
            Report { exit_code: Some(i32::from(failed)), ..Report::new(if failed { Status::Failed } else { Status::Succeeded }) }
        }
        Ending::Returned(Err(error)) => trapped(&error),
        Ending::WallTime => Report::limited(Limit::Wall),
        Ending::Stopped => Report::new(Status::Cancelled),
    };
    let fuel = meter::spent(&store, limits.fuel);
    let state = store.data_mut();
    finish(&mut report, state, &host.outputs, fuel);
    report.usage.cpu = cpu;
    collect(&mut report, &state.files, &globs, limits.workspace).await;
    Ok(report)
}

fn unusable(why: String) -> Report {
    Report { crash: Some(format!("this is no program that can run here: {why}")), ..Report::new(Status::Crashed) }
}
