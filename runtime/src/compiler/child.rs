//! Compiler process: what does `glovebox compile-module` do with an untrusted WebAssembly module?
//!
//! It jails itself, reads the module, and answers with machine code or the reason why there is
//! none. A crash ends this process and nothing else.

use super::protocol::{Answer, AnswerHeader, Refusal, Task};
use super::{MAX_ANSWER_BYTES, exit, jail, measure};
use crate::engine;
use std::any::Any;
use std::io::{self, Read as _, Write as _};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use wasmparser::Parser;
use wasmtime::Engine;

/// Stack for the parsers and the compiler, which recurse over types and blocks.
const STACK_BYTES: usize = 32 << 20;

/// Bytes of a message about a program.
const MAX_MESSAGE_BYTES: usize = 2_000;

/// Runs `glovebox compile-module`, which a [`Sandbox`](crate::Sandbox) starts: compiles the
/// WebAssembly module on standard input to machine code on standard output, in a jailed process.
/// Not for use by hand; its form may change with every version.
#[must_use]
pub fn compile_module(arguments: &[String]) -> ExitCode {
    match Task::from_arguments(arguments)
        .and_then(|task| work(task).map_err(|error| error.to_string()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            // If the pipe is closed, nothing can be done about that.
            let _ = writeln!(io::stderr(), "glovebox compile-module: {why}");
            ExitCode::FAILURE
        }
    }
}

fn work(task: Task) -> io::Result<()> {
    let mut gaps = jail::enter(task.parent, task.cpu_seconds)?;
    // Made before the jail is closed: it detects CPU features and installs signal handlers.
    let engine = engine::for_compiling(task.metering, task.stack)
        .map_err(|error| io::Error::other(format!("{error:#}")))?;
    let base = jail::address_space()?.saturating_add(STACK_BYTES as u64);
    jail::leave_files(&mut gaps);
    let worker = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            jail::close(&mut gaps, base, task.memory)?;
            answer(gaps, &compile(&engine, &read()?))
        })?;
    worker
        .join()
        .map_err(|_| io::Error::other("the compiler panicked"))?
}

/// Reads the program, after its length.
fn read() -> io::Result<Vec<u8>> {
    let mut input = io::stdin().lock();
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut program = Vec::new();
    program
        .try_reserve_exact(length)
        .map_err(io::Error::other)?;
    program.resize(length, 0);
    input.read_exact(&mut program)?;
    Ok(program)
}

fn compile(engine: &Engine, program: &[u8]) -> Answer {
    let compiled = measure::measure(program)
        .and_then(|()| machine_code(engine, program).map_err(Refusal::Invalid));
    match compiled {
        Ok(code) if code.len() as u64 > MAX_ANSWER_BYTES => {
            let limit = MAX_ANSWER_BYTES >> 20;
            Answer::Refused(Refusal::TooLarge(format!(
                "the program's machine code has more than {limit} MiB"
            )))
        }
        Ok(code) => Answer::Code(code),
        Err(refusal) => Answer::Refused(refusal),
    }
}

fn machine_code(engine: &Engine, program: &[u8]) -> Result<Vec<u8>, String> {
    // The compiler panics on some components, such as those whose instances exchange strings: that
    // takes several memories in one module, which the engine does not allow.
    let precompile = |component: &[u8]| {
        let compiled = AssertUnwindSafe(|| engine.precompile_component(component));
        match std::panic::catch_unwind(compiled) {
            Ok(compiled) => compiled.map_err(|error| format!("{error:#}")),
            Err(panic) => Err(format!(
                "the compiler cannot translate the program: {}",
                panic_message(&*panic)
            )),
        }
    };
    if Parser::is_component(program) {
        return precompile(program);
    }
    let adapter = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER;
    let name = wasi_preview1_component_adapter_provider::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME;
    let component = wit_component::ComponentEncoder::default()
        .module(&exit::with_our_exit(program)?)
        .and_then(|encoder| encoder.adapter(name, adapter))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))?;
    precompile(&component)
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("it panicked")
}

fn answer(gaps: jail::Gaps, answer: &Answer) -> io::Result<()> {
    let content = match answer {
        Answer::Code(code) => code.as_slice(),
        Answer::Refused(Refusal::TooLarge(why) | Refusal::Invalid(why)) => {
            let end = why.floor_char_boundary(MAX_MESSAGE_BYTES);
            why.as_bytes().get(..end).unwrap_or_default()
        }
    };
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu = u64::try_from(time.tv_sec)
        .unwrap_or(0)
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0));
    let mut output = io::stdout().lock();
    output.write_all(
        &AnswerHeader {
            kind: answer.kind(),
            gaps: gaps.0,
            cpu,
            length: content.len() as u64,
        }
        .to_bytes(),
    )?;
    output.write_all(content)?;
    output.flush()
}
